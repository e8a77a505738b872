"""What the libraries of a project do, worked out from the libraries themselves.

A model of a package is a text file that `prodlint.analysis.package_models` writes: what blocks, and what leads there.
It is read when the first access path into the package is asked for.

    # openai 1.99.0                                        the release that it was made from
    @0 httpx.Client().send openai/_base_client.py          a cause: what is reached, and where in the package
    openai.OpenAI = openai._client.OpenAI                  another name of a class, function or module
    openai._client.OpenAI openai._base_client.SyncClient   a class with its bases
     chat: openai.resources.chat.Chat                      an attribute, and the class of what it holds
     copy(): openai._client.OpenAI                         a method, and the class of what it answers
     get!0                                                 a method that blocks, for cause 0
     put?0                                                 one that may: where a condition holds
    openai.load!0                                          the same of a function
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from prodlint.lazy_regex import regex

MODELS = Path(__file__).parent / "python"
"""The models that prodlint brings, one file an import package."""
_SUFFIX = ".txt"
_STEPS = regex(r"[^.()\[\]]++|\(\)")
_MEMBER = regex(r" (?P<name>\w++)(?P<call>\(\))?+(?:: (?P<answer>.++)|(?P<mark>[!?])(?P<cause>\d++))")
_LONGEST_WALK = 40
"""Steps of an access path, and bases of a class, that are followed at most."""
_CONSTRUCTOR = "__init__"
_OF_FILES = ("builtins.open", "io.open", "codecs.open", "pathlib.", "os.", "shutil.", "tempfile.", "gzip.", "zipfile.")
"""The file that a library opens by itself is mostly a small one of its own, of the system (`/proc`), or read once: that
it blocks is likely, no more."""
ITS_ASYNC_FORM = "-"
"""The cause of what blocks because the library has an asynchronous form of it."""


class Blocks(NamedTuple):
    """Why a function of a library blocks: the API that it reaches, the file of the library from which it does, and
    whether it always does."""

    api: str
    path: str
    sure: bool


class _Class(NamedTuple):
    """A class of a model: its bases and its members."""

    bases: Sequence[str]
    answers: Mapping[str, str]
    """By member: `name` of an attribute, `name()` of a method."""
    blocking: Mapping[str, Blocks]


class _Model:
    """The model of one package. Only what is asked for is looked up in its text: some have 20,000 lines."""

    def __init__(self, text: str) -> None:
        self._text = f"\n{text}\n"
        self._classes: dict[str, _Class | None] = {}

    def real_name(self, name: str) -> str:
        """The name under which the model has a class or function."""
        return self._rest(f"{name} = ") or name

    def cls(self, name: str) -> _Class | None:
        """What is known of a class."""
        if name not in self._classes:
            self._classes[name] = self._class(name)
        return self._classes[name]

    def function(self, name: str) -> tuple[str, Blocks | None]:
        """The class of what a function answers ("" if that is not known), and why it blocks."""
        answer = self._rest(f"{name}(): ")
        blocks = self._cause(self._rest(f"{name}!"), sure=True) or self._cause(self._rest(f"{name}?"), sure=False)
        return answer, blocks

    def _rest(self, beginning: str) -> str:
        """What follows in the line that begins so; "" if there is none."""
        start = self._text.find(f"\n{beginning}") + 1
        return self._text[start + len(beginning) : self._text.index("\n", start)] if start else ""

    def _cause(self, number: str, *, sure: bool) -> Blocks | None:
        api, _, path = self._rest(f"@{number} ").partition(" ") if number else ("", "", "")
        return Blocks(api, path, sure and not api.startswith(_OF_FILES)) if path else None

    def _class(self, name: str) -> _Class | None:
        start = self._text.find(f"\n{name}\n") + 1 or self._text.find(f"\n{name} ") + 1
        if not start or not name:
            return None
        first, *lines = self._text[start : self._end(start)].split("\n")
        answers: dict[str, str] = {}
        blocking: dict[str, Blocks] = {}
        for line in lines:
            found = _MEMBER.fullmatch(line)
            if found is None:
                continue
            if found["answer"]:
                answers[found["name"] + (found["call"] or "")] = found["answer"]
            elif blocks := self._cause(found["cause"], sure=found["mark"] == "!"):
                blocking[found["name"]] = blocks
        return _Class(first.split(" ")[1:], answers, blocking)

    def _end(self, start: int) -> int:
        """Where the lines end that belong to a class."""
        at = self._text.index("\n", start)
        while self._text.startswith("\n ", at):
            at = self._text.index("\n", at + 1)
        return at


class PackageModels:
    """The models of all packages, each read when it is first needed."""

    def __init__(self, folders: Sequence[Path] = (MODELS,)) -> None:
        """`folders`: where models are; of two for one package that in the first folder counts."""
        self._files: dict[str, Path] = {}
        for folder in reversed(folders):
            self._files |= {file.name.removesuffix(_SUFFIX): file for file in folder.glob(f"*{_SUFFIX}")}
        self._models: dict[str, _Model] = {}
        self._known: dict[str, Blocks | None] = {}

    def blocks(self, path: str) -> Blocks | None:
        """Whether what an access path of Python names blocks when it is called, as far as that is known."""
        if path not in self._known:
            self._known[path] = self._walk(path)
        return self._known[path]

    def has_class(self, path: str) -> bool:
        """Whether something is known of a class, by its access path."""
        model = self._model(path)
        return model is not None and model.cls(model.real_name(path)) is not None

    def _model(self, path: str) -> _Model | None:
        name = path.partition("(")[0]
        while name and name not in self._files:
            name = name.rpartition(".")[0]
        if not name:
            return None
        if name not in self._models:
            self._models[name] = _Model(self._files[name].read_text(encoding="utf-8"))
        return self._models[name]

    def _walk(self, path: str) -> Blocks | None:
        model = self._model(path)
        steps = _STEPS.findall(path)
        if model is None or len(steps) > _LONGEST_WALK:
            return None
        name, cls, member = "", "", ""
        for position, step in enumerate(steps):
            answer = ""
            if step == "()":
                if member:
                    answer = self._answer(cls, f"{member}()")
                else:
                    answer = name if model.cls(name) is not None else model.function(name)[0]
                if not answer:
                    return None
            elif member:
                return None  # a member of what nothing is known about
            elif cls:
                answer, member = self._answer(cls, step), step
            else:
                before = name
                name = model.real_name(f"{name}.{step}" if name else step)
                if before and model.cls(before) is not None:
                    cls, member = before, step
            if answer and model.cls(answer) is None:
                rest = "".join(each if each == "()" else f".{each}" for each in steps[position + 1 :])
                return self.blocks(f"{answer}(){rest}") if rest and self._model(answer) is not model else None
            if answer:
                cls, member = answer, ""
        if member:
            return next((each.blocking[member] for each in self._lineage(cls) if member in each.blocking), None)
        if cls:
            return None
        constructed = model.cls(name)
        return model.function(name)[1] if constructed is None else constructed.blocking.get(_CONSTRUCTOR)

    def _answer(self, cls: str, member: str) -> str:
        return next((each.answers[member] for each in self._lineage(cls) if member in each.answers), "")

    def _lineage(self, cls: str) -> Iterator[_Class]:
        """Yield a class and its bases, those of other packages, too, nearest first."""
        waiting, seen = [cls], {cls}
        while waiting and len(seen) <= _LONGEST_WALK:
            name = waiting.pop(0)
            model = self._model(name)
            at = None if model is None else model.cls(model.real_name(name))
            if at is not None:
                yield at
                new = [base for base in at.bases if base not in seen]
                seen.update(new)
                waiting += new


@cache
def package_models() -> PackageModels:
    """The models that prodlint brings."""
    return PackageModels()
