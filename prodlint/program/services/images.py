"""Container images as a Dockerfile describes them: what a stage sets and starts, and which files it holds."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from functools import cached_property

import msgspec

from prodlint.extract.deployment.variables import Expander, expand
from prodlint.facts import Artefact, FileFacts, Setting
from prodlint.lazy_regex import regex

_DEEPEST = 10
_HEREDOC_FILE = regex(
    r"\bcat\s*(?:>\s*(?P<before>[\w./-]+)\s*)?<<-?\s*[\"']?(?P<name>\w+)[\"']?(?:\s*>\s*(?P<behind>[\w./-]+))?"
)
_ECHOED_FILE = regex(
    r"\b(?:echo|printf)\s+(?:-[en]+\s+)?(?P<text>'[^']*'|\"(?:\\.|[^\"\\])*\")\s*>(?P<more>>?)\s*(?P<path>[\w./-]+)"
)


class _Copy(msgspec.Struct, frozen=True):
    """What a COPY puts where; `to` is absolute."""

    origin: str
    sources: tuple[str, ...]
    to: str
    into_folder: bool
    workdir: str


class Image(msgspec.Struct, dict=True):
    """The image that one stage of a Dockerfile makes, built in the folder `context` with `args`."""

    path: str
    facts: FileFacts
    stage: Artefact
    context: str
    args: Mapping[str, str | None] = {}

    @cached_property
    def stages(self) -> list[Artefact]:
        """The stage, and before it those that it is built from, the first of them first."""
        by_name = {artefact.name: artefact for artefact in self.facts.artefacts}
        chain = [self.stage]
        while chain[0].parent in by_name and by_name[chain[0].parent] not in chain:
            chain.insert(0, by_name[chain[0].parent])
        return chain

    @property
    def base(self) -> str | None:
        """The image that it all starts from; None where that is not known."""
        settings = self.stages[0].settings
        first = settings[0]
        return expand(first.template, self.args) or first.value if first.template else first.value

    @cached_property
    def env(self) -> list[tuple[str, str | None, Setting]]:
        """The variables in the order in which they are set, build arguments applied."""
        found: list[tuple[str, str | None, Setting]] = []
        variables: dict[str, str | None] = {}
        expanded = Expander()
        for stage in self.stages:
            for setting in stage.settings:
                kind, _, name = setting.key.partition(".")
                if kind == "arg":
                    variables.setdefault(name, self.args.get(name, setting.value))
                elif kind == "env":
                    value = expanded(setting.template, variables) if setting.template else setting.value
                    # `ENV A=$A` with an ARG that nobody gives a value makes A empty.
                    if value is None and setting.template and self._is_unset_arg(setting.template, variables):
                        value = ""
                    variables[name] = value
                    found.append((name, value, setting))
        return found

    def _is_unset_arg(self, template: str, variables: Mapping[str, str | None]) -> bool:
        name = template.strip("${}")
        return template in (f"${name}", f"${{{name}}}") and name in variables and name not in self.args

    def setting(self, *keys: str) -> Setting | None:
        """The last setting of any of `keys`."""
        for stage in reversed(self.stages):
            for setting in reversed(stage.settings):
                if setting.key in keys:
                    return setting
        return None

    @cached_property
    def commands(self) -> tuple[Setting | None, Setting | None]:
        """ENTRYPOINT and CMD as they are in force: an ENTRYPOINT takes back the CMD of what it is built on."""
        entrypoint: Setting | None = None
        command: Setting | None = None
        for stage in self.stages:
            inherited = command
            for setting in stage.settings:
                if setting.key.startswith("entrypoint."):
                    entrypoint = setting
                    command = None if command is inherited else command
                elif setting.key.startswith("command."):
                    command = setting
        return entrypoint, command

    @cached_property
    def workdir(self) -> str:
        """The folder that commands start in."""
        return self._layout[0]

    @cached_property
    def _layout(self) -> tuple[str, list[_Copy]]:
        workdir = "/"
        copies: list[_Copy] = []
        for stage in self.stages:
            for setting in stage.settings:
                if setting.key == "workdir" and setting.value:
                    workdir = posixpath.normpath(posixpath.join(workdir, setting.value))
                elif setting.key == "copy" and setting.value:
                    what = json.loads(setting.value)
                    sources = tuple(what["sources"])
                    to = posixpath.join(workdir, what["to"])
                    folder = len(sources) > 1 or to.endswith(("/", "/."))
                    copies.append(_Copy(what["from"], sources, posixpath.normpath(to), folder, workdir))
        return workdir, copies

    def written(self, path: str) -> tuple[str, Setting] | None:
        """The text of a file that the Dockerfile itself writes, with what does so: a heredoc of COPY or RUN, or `echo`
        in a RUN."""
        absolute = posixpath.normpath(posixpath.join(self.workdir, path))
        found: tuple[str, Setting] | None = None
        workdir = "/"
        for stage in self.stages:
            for setting in stage.settings:
                if setting.key == "workdir" and setting.value:
                    workdir = posixpath.normpath(posixpath.join(workdir, setting.value))
                for name, text in _written_by(setting, workdir):
                    found = (text, setting) if name == absolute else found
        return found

    @property
    def has_project_files(self) -> bool:
        """Whether anything of the build context gets into the image, if only through another stage."""
        return self._takes_context(0)

    def _takes_context(self, depth: int) -> bool:
        for copy in self._layout[1]:
            if not copy.origin:
                return True
            other = self._stage(copy.origin)
            if other is not None and depth < _DEEPEST and other._takes_context(depth + 1):
                return True
        return any(
            setting.key.startswith("run.") and "--mount=type=bind" in (setting.value or "")
            for stage in self.stages
            for setting in stage.settings
        )

    def _stage(self, name: str) -> Image | None:
        """Another stage of the same file, by its name or number."""
        stages = self.facts.artefacts
        for number, stage in enumerate(stages):
            if name.lower() in (stage.name.lower(), str(number)):
                return Image(self.path, self.facts, stage, self.context, self.args) if stage is not self.stage else None
        return None

    def places(self, path: str, depth: int = 0) -> Iterator[str]:
        """Where in the project the file or folder `path` of the image may come from, likeliest first."""
        absolute = posixpath.normpath(posixpath.join(self.workdir, path))
        for copy in reversed(self._layout[1]):
            inside = _below(absolute, copy.to)
            if inside is None:
                continue
            for source in copy.sources:
                for origin in _origins(source, inside, copy):
                    if not copy.origin:
                        yield _in_project(self.context, origin.lstrip("/"))
                    elif depth < _DEEPEST and (other := self._stage(copy.origin)) is not None:
                        yield from other.places(posixpath.join("/", origin), depth + 1)
        inside = _below(absolute, self.workdir)
        if inside is not None:
            yield _in_project(self.context, inside)


def _written_by(setting: Setting, workdir: str) -> Iterator[tuple[str, str]]:
    """The files, by their absolute paths, that one instruction writes, with their texts."""
    value = setting.value or ""
    if setting.key == "copy" and '"written"' in value:
        what = json.loads(value)
        for name, text in what["written"].items():
            inside = name.lstrip("<-").strip("\"'") if what["to"].endswith("/") else ""
            yield posixpath.normpath(posixpath.join(workdir, what["to"], inside)), text
    elif setting.key == "run.shell":
        for match in _HEREDOC_FILE.finditer(value):
            body = re.split(rf"(?m)^[^\S\n]*+{re.escape(match['name'])}[ \t]*+$", value[match.end() :], maxsplit=1)[0]
            yield posixpath.normpath(posixpath.join(workdir, match["before"] or match["behind"])), body.lstrip("\n")
        lines: dict[str, str] = {}
        for match in _ECHOED_FILE.finditer(value):
            text = match["text"][1:-1].replace("\\n", "\n")
            before = lines.get(match["path"], "") if match["more"] else ""
            lines[match["path"]] = f"{before}{text}\n"
        for path, text in lines.items():
            yield posixpath.normpath(posixpath.join(workdir, path)), text


def _origins(source: str, inside: str, copy: _Copy) -> Iterator[str]:
    """What of `source` is at `inside` of the copy's target: of a folder the content is copied, of a file the file."""
    if any(letter in source for letter in "*?["):
        first, _, rest = inside.partition("/")
        if fnmatch(first, posixpath.basename(source)):
            yield posixpath.join(posixpath.dirname(source), first, rest).rstrip("/")
        return
    if copy.into_folder and posixpath.basename(source.rstrip("/")) == inside:
        yield source
    yield posixpath.join(source, inside) if inside else source


def _below(path: str, folder: str) -> str | None:
    """`path` as it is relative to `folder`, "" for the folder itself; None if it is elsewhere."""
    if path == folder:
        return ""
    prefix = folder.rstrip("/") + "/"
    return path.removeprefix(prefix) if path.startswith(prefix) else None


def _in_project(folder: str, path: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined == "." else joined
