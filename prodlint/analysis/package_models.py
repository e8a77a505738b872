"""Models of Python packages, worked out from their sources: see `prodlint.models.packages` for what they say.

A function of a package blocks if it surely reaches a call of something that does, in the package itself: not under a
condition, in an exception handler, or on a thread. What has an asynchronous form of the same name that awaits something
(`Client.get` and `AsyncClient.get`) blocks, too: nobody would have written that otherwise. Nothing of the package is
imported or run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from zipfile import ZipFile

from prodlint.extract.extraction import extract
from prodlint.facts import NONE, RegionKind, Use, ValueKind
from prodlint.lazy_regex import regex
from prodlint.models.api_table import ApiTable
from prodlint.models.packages import ITS_ASYNC_FORM, PackageModels
from prodlint.program.linking.program import Program, closure, link
from prodlint.program.linking.resolver import File
from prodlint.program.linking.targets import Api, Cls, Fn, Inst, Module, Target
from prodlint.project.hints import Hints
from prodlint.rulebook import load_rules

_BRANCHES = frozenset({RegionKind.THEN, RegionKind.ELSE, RegionKind.CASE, RegionKind.CATCH})
_SHORT = frozenset({"close", "aclose", "copy", "reset", "is_closed", "connect_lazy"})
"""What is asynchronous for the sake of form, or waits for little."""
_IN_A_THREAD = frozenset({"run_in_executor", "to_thread", "run_sync", "run_in_threadpool", "sync_to_async", "sleep"})
"""What is awaited in an asynchronous form that is there for the sake of form, too."""
_ASYNC_FOLDER = regex(r"(?:^|[./])_?(?:aio|asyncio|async|asynchronous|async_client|async_api)_?(?=[./]|$)")
_ASIDE = frozenset({"tests", "test", "testing", "benchmarks", "examples"})
"""Folders of a package that say nothing of it."""
_MOST_SOURCE = 100_000_000
"""Bytes of source that are read of one wheel."""
_PUBLIC = regex(r"(?!_)\w++")


class _Cause(NamedTuple):
    """What a function reaches that blocks, and the file of the package from which it does."""

    api: str
    path: str


class _Place(NamedTuple):
    """A call in a function of a package that blocks."""

    file: File
    region: int
    cause: _Cause


def packages_of_wheel(wheel: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the public import packages of a wheel, each with its Python sources by path: of `google/cloud/storage` the
    name is `google.cloud.storage`. Raises OSError and `BadZipFile`."""
    sources: dict[str, str] = {}
    with ZipFile(wheel) as archive:
        room = _MOST_SOURCE
        for entry in archive.infolist():
            name = PurePosixPath(entry.filename)
            is_source = name.suffix == ".py" and not _ASIDE.intersection(name.parts) and "." not in name.parts[0][:-3]
            if is_source and entry.file_size <= room:
                room -= entry.file_size
                sources[entry.filename] = archive.read(entry).decode(errors="replace")
    for package in sorted({_package(path, sources) for path in sources}):
        if not _is_private(package):
            yield package, sources


def _package(path: str, sources: Mapping[str, str]) -> str:
    """The import package that a file belongs to: the outermost folder that has an `__init__.py`."""
    parts = path.split("/")
    for depth in range(1, len(parts)):
        if "/".join((*parts[:depth], "__init__.py")) in sources:
            return ".".join(parts[:depth])
    return ".".join(parts[:-1]) or parts[0].removesuffix(".py")


def build_model(package: str, title: str, files: Mapping[str, str], known: PackageModels) -> str:
    """The model of an import package as text; "" if nothing in it blocks. `title` says what it was made of; `files` are
    its Python sources, and those of what it comes with, by path from the folder that they are imported from; `known`
    are the models of what it builds on. Deterministic."""
    sources = {path: text.encode() for path, text in files.items()}
    facts = {path: extract(data, "python", path) for path, data in sorted(sources.items())}
    return _Builder(link(facts, Hints(), sources.__getitem__), known).text(package, title)


class _Builder:
    def __init__(self, program: Program, known: PackageModels) -> None:
        data = load_rules()["blocking-call"].data
        self._program = program
        self._resolver = program.resolver
        self._table = ApiTable(data["apis"], data["except"])
        self._known = known
        self._blocking: dict[int, tuple[_Cause, bool]] = {}
        """By function: why it blocks, and whether it surely does."""
        self._apis = tuple(data["apis"])
        self._names = dict(self._public_names())
        """By class or function: the shortest name that it can be imported by."""
        self._work_out()
        self._pair()

    # --- what blocks

    def _cause(self, api: str) -> str:
        """What an API reaches that blocks; "" for what does not."""
        if self._table.leaves_out(api):
            return ""
        if self._table.get(api) is not None:
            return api
        found = self._known.blocks(api)
        return found.api if found is not None and found.sure else ""

    def _work_out(self) -> None:
        program = self._program
        places: dict[int, list[_Place]] = defaultdict(list)
        for site, api, _ in program.calls_of(lambda api: bool(self._cause(api))):
            if site.call.use is not Use.AWAITED:
                cause = _Cause(self._cause(api), site.file.path)
                places[site.file.function_at(site.call.region)].append(_Place(site.file, site.call.region, cause))
        waiting = sorted(places)
        while waiting:
            function = waiting.pop()
            cause, sure = _reason(places[function])
            before = self._blocking.get(function)
            if before is not None and before[1] >= sure:
                continue
            self._blocking[function] = cause, sure
            for edge in program.graph.edges_to.get(function, ()) if sure else ():
                file = program.files[edge.file]
                call = file.facts.calls[edge.call]
                if edge.certain and edge.runs_in is None and not edge.listens and call.use is not Use.AWAITED:
                    places[edge.caller].append(_Place(file, call.region, cause))
                    waiting.append(edge.caller)

    def _pair(self) -> None:
        """What an asynchronous form of the same name awaits."""
        by_name: dict[str, list[int]] = defaultdict(list)
        for id_, (_, cls) in enumerate(self._resolver.classes):
            by_name[cls.name].append(id_)
        for id_, (file, cls) in enumerate(self._resolver.classes):
            methods = dict(self._methods(id_))
            twins = [twin for name in _async_names(cls.name) for twin in by_name.get(name, ())]
            if not _ASYNC_FOLDER.search(file.path):
                twins += [
                    twin for twin in by_name[cls.name] if _ASYNC_FOLDER.search(self._resolver.classes[twin][0].path)
                ]
            awaited = {name for twin in twins for name, function in self._methods(twin) if function in self._awaiting}
            awaited |= {
                plain
                for name, function in methods.items()
                if function in self._awaiting
                for plain in (name.removeprefix("a"), name.removeprefix("async_"), name.removesuffix("_async"))
                if plain != name
            }
            for name, function in methods.items():
                fact = self._resolver.functions[function][1]
                is_plain = not fact.is_async and not fact.is_generator and not self._resolver.is_getter(function)
                if name in awaited and is_plain and _PUBLIC.fullmatch(name) and name not in _SHORT:
                    cause = _Cause(ITS_ASYNC_FORM, file.path)
                    if not self._blocking.get(function, (cause, False))[1]:
                        self._blocking[function] = cause, True

    @cached_property
    def _awaiting(self) -> Set[int]:
        """The functions that wait for something else than their own plain form in a thread."""
        return {
            file.function_at(call.region)
            for file in self._program.files
            for call in file.facts.calls
            if call.use is Use.AWAITED and file.facts.values[call.callee].text not in _IN_A_THREAD
        }

    # --- what leads there

    def _methods(self, cls: int) -> Iterator[tuple[str, int]]:
        file, fact = self._resolver.classes[cls]
        for name, member in zip(fact.names, fact.members, strict=False):
            value = file.facts.values[member]
            if value.kind is ValueKind.FUNCTION:
                yield name, file.fn_base + value.ref

    def _public_names(self) -> Iterator[tuple[Target, str]]:
        found: dict[Target, set[str]] = defaultdict(set)
        for file in self._program.files:
            module = _module(file.path)
            for name, value in file.exports.items():
                targets = self._resolver.resolve(file, value)
                if len(targets) == 1 and isinstance(targets[0], (Cls, Fn)) and not self._is_method(targets[0]):
                    found[targets[0]].add(f"{module}.{name}")
        for target, names in found.items():
            yield target, min(names, key=lambda name: (_is_private(name), name.count("."), len(name), name))

    def _is_method(self, target: Target) -> bool:
        return isinstance(target, Fn) and self._resolver.functions[target.id][1].cls != NONE

    def _bound_methods(self) -> Iterator[tuple[str, int]]:
        """Methods that are functions of a module, too: `get = Client().get`."""
        for file in self._program.files:
            for name, value in file.exports.items():
                targets = self._resolver.resolve(file, value)
                if len(targets) == 1 and isinstance(targets[0], Fn) and self._is_method(targets[0]):
                    yield f"{_module(file.path)}.{name}", targets[0].id

    def _name(self, target: Cls | Inst | Fn) -> str:
        if isinstance(target, Inst):
            target = Cls(target.id)
        if target not in self._names:
            owners = self._resolver.classes if isinstance(target, Cls) else self._resolver.functions
            file, fact = owners[target.id]
            self._names[target] = f"{_module(file.path)}.{fact.name}"
        return self._names[target]

    def _type_of(self, targets: Iterable[Target]) -> str:
        """The class of which all targets are instances; "" if there are several, or it is not known."""
        found = {
            self._name(target)
            if isinstance(target, Inst)
            else target.path.removesuffix("()")
            if isinstance(target, Api) and target.path.endswith("()")
            else ""
            for target in targets
        }
        return found.pop() if len(found) == 1 else ""

    def _answer(self, function: int) -> str:
        file, fact = self._resolver.functions[function]
        if fact.is_async or fact.is_generator:
            return ""
        declared = self._type_of(self._resolver.declared(file, fact.result)) if fact.result != NONE else ""
        if declared:
            return declared
        return self._type_of(
            target
            for value in file.returns.get(function - file.fn_base, ())
            if file.facts.values[value].kind is not ValueKind.NULL
            for target in self._resolver.resolve(file, value)
        )

    def _attributes(self, cls: int) -> Iterator[tuple[str, str]]:
        """The attributes of a class's instances, with the class of what they hold."""
        methods = dict(self._methods(cls))
        for name, function in methods.items():
            if self._resolver.is_getter(function) and (held := self._answer(function)):
                yield name, held
        for name in sorted({*self._resolver.classes[cls][1].names} - set(methods)):
            held = self._type_of(self._resolver.member(Inst(cls), name))
            if held:
                yield name, held

    # --- the text

    def text(self, package: str, title: str) -> str:
        """The model: whatever leads to something that blocks, one fact a line, sorted."""
        answers: dict[tuple[str, str], str] = {}
        blocking: dict[tuple[str, str], tuple[_Cause, bool]] = {}
        bases: dict[str, list[str]] = {}
        for id_, (file, cls) in enumerate(self._resolver.classes):
            if cls.function != 0:
                continue
            subject = self._name(Cls(id_))
            bases[subject] = [
                base.path if isinstance(base, Api) else self._name(base)
                for value in cls.bases
                for base in self._resolver.resolve(file, value)
                if (isinstance(base, Cls) and base.id != id_)
                or (isinstance(base, Api) and self._known.has_class(base.path))
            ]
            answers.update({(subject, name): held for name, held in self._attributes(id_) if _is_offered(name)})
            for name, function in self._methods(id_):
                if not _is_offered(name):
                    continue
                if (answer := self._answer(function)) and not self._resolver.is_getter(function):
                    answers[subject, f"{name}()"] = answer
                if function in self._blocking:
                    blocking[subject, name] = self._blocking[function]
        for function, (_, fact) in enumerate(self._resolver.functions):
            if fact.parent == 0 and fact.cls == NONE and _is_offered(fact.name):
                name = self._name(Fn(function))
                if answer := self._answer(function):
                    answers["", f"{name}()"] = answer
                if function in self._blocking:
                    blocking["", name] = self._blocking[function]
        for name, function in self._bound_methods():
            if function in self._blocking:
                blocking["", name] = self._blocking[function]
        useful = _useful(bases, answers, blocking, self._leads_out)
        useful = _needed(package, useful, bases, answers)
        bases = {
            cls: [base for base in parents if base in useful or self._known.has_class(base)]
            for cls, parents in bases.items()
            if cls in useful
        }
        answers = {
            (cls, name): answer
            for (cls, name), answer in answers.items()
            if (answer in useful or self._leads_out(answer)) and (cls in useful if cls else _is_of(package, name))
        }
        blocking = {
            (cls, name): why
            for (cls, name), why in blocking.items()
            if cls in useful or (not cls and why[1] and _is_of(package, name))
        }
        names = {*bases, *(name for cls, name in blocking if not cls)}
        names |= {name.removesuffix("()") for cls, name in answers if not cls}
        return _written(title, bases, answers, blocking, dict(self._aliases(names)))

    def _leads_out(self, cls: str) -> bool:
        """Whether something of another package is known that blocks and belongs to this class of it."""
        return any(api.startswith(f"{cls}().") for api in self._apis) or self._known.has_class(cls)

    def _aliases(self, names: set[str]) -> Iterator[tuple[str, str]]:
        """The other names of what the model speaks of."""
        for file in self._program.files:
            module = _module(file.path)
            for name, value in file.exports.items():
                targets = self._resolver.resolve(file, value)
                if len(targets) != 1 or not isinstance(targets[0], (Cls, Fn, Module)) or self._is_method(targets[0]):
                    continue
                target, alias = targets[0], f"{module}.{name}"
                if isinstance(target, Module):
                    real = _module(self._program.files[target.file].path)
                    if real != alias and any(each.startswith(f"{real}.") for each in names):
                        yield alias, real
                elif (real := self._name(target)) in names and real != alias and not _is_private(alias):
                    owners = self._resolver.classes if isinstance(target, Cls) else self._resolver.functions
                    if file.path.endswith("/__init__.py") or owners[target.id][0] is file:
                        yield alias, real


def _is_offered(name: str) -> bool:
    """Whether a member is there for those who use the class."""
    return _PUBLIC.fullmatch(name) is not None or (name.startswith("__") and name.endswith("__"))


def _is_private(module: str) -> bool:
    return any(part.startswith("_") for part in module.split("."))


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _async_names(name: str) -> Iterator[str]:
    yield f"Async{name}"
    yield f"{name}Async"
    yield f"A{name}"
    if name.startswith("Sync"):
        yield f"Async{name[4:]}"
    if name.endswith("Sync"):
        yield name[:-4]
    if name.endswith("Client") and name != "Client":
        yield f"{name[:-6]}AsyncClient"


def _reason(places: Iterable[_Place]) -> tuple[_Cause, bool]:
    """Why a function blocks, and whether it does whichever way it takes: by a call under no condition, or by one in
    each branch of an `if`."""
    sided: dict[tuple[int, int], set[RegionKind]] = defaultdict(set)
    first: _Cause | None = None
    for place in places:
        first = first or place.cause
        branches = list(_branches(place.file, place.region))
        if not branches:
            return place.cause, True
        region = place.file.facts.regions[branches[0]]
        if len(branches) == 1 and region.kind in (RegionKind.THEN, RegionKind.ELSE):
            sides = sided[place.file.index, region.partner if region.partner != NONE else branches[0]]
            sides.add(region.kind)
            if len(sides) > 1:
                return place.cause, True
    assert first is not None
    return first, False


def _branches(file: File, region: int) -> Iterator[int]:
    """The regions around a region in its function that need not be entered."""
    regions = file.facts.regions
    while regions[region].kind is not RegionKind.BODY:
        if regions[region].kind in _BRANCHES:
            yield region
        region = regions[region].parent


def _useful(
    bases: Mapping[str, Iterable[str]],
    answers: Mapping[tuple[str, str], str],
    blocking: Mapping[tuple[str, str], tuple[_Cause, bool]],
    leads_out: Callable[[str], bool],
) -> set[str]:
    """The classes from which something that blocks can be reached."""
    leading: dict[str, set[str]] = defaultdict(set)
    for cls, parents in bases.items():
        for parent in parents:
            leading[parent].add(cls)
    useful = {cls for (cls, _), (_, sure) in blocking.items() if cls and sure}
    useful |= {cls for cls, parents in bases.items() if any(parent not in bases for parent in parents)}
    for (cls, _), answer in answers.items():
        if cls:
            leading[answer].add(cls)
            if leads_out(answer):
                useful.add(cls)
    return closure(useful, leading)


def _is_of(package: str, name: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _needed(
    package: str, useful: set[str], bases: Mapping[str, Iterable[str]], answers: Mapping[tuple[str, str], str]
) -> set[str]:
    """Of the useful classes those of a package, and what these derive from or lead to."""
    leading: dict[str, set[str]] = defaultdict(set)
    for cls, parents in bases.items():
        leading[cls].update(parents)
    for (cls, _), answer in answers.items():
        leading[cls].add(answer)
    return closure({cls for cls in useful if _is_of(package, cls)}, leading, useful.__contains__)


def _written(
    title: str,
    bases: Mapping[str, Iterable[str]],
    answers: Mapping[tuple[str, str], str],
    blocking: Mapping[tuple[str, str], tuple[_Cause, bool]],
    aliases: Mapping[str, str],
) -> str:
    causes = sorted({cause for cause, _ in blocking.values()})
    if not causes and not bases:
        return ""
    numbers = {cause: number for number, cause in enumerate(causes)}
    facts: dict[str, list[str]] = defaultdict(list)
    for (owner, name), answer in answers.items():
        facts[owner].append(f"{name}: {answer}")
    for (owner, name), (cause, sure) in blocking.items():
        facts[owner].append(f"{name}{'!' if sure else '?'}{numbers[cause]}")
    lines = [f"# {title}", *(f"@{number} {cause.api} {cause.path}" for cause, number in numbers.items())]
    lines += [f"{name} = {real}" for name, real in sorted(aliases.items())]
    lines += sorted(facts[""])
    for subject in sorted(bases):
        lines.append(" ".join((subject, *bases[subject])))
        lines += [f" {fact}" for fact in sorted(facts[subject])]
    return "\n".join(lines) + "\n"
