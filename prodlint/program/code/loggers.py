"""The loggers that a project already has, how a file would reach one, and how it would set one up."""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from prodlint.facts import NONE, Call, Import, ImportKind, ValueKind
from prodlint.findings import ImportRequest
from prodlint.lazy_regex import regex
from prodlint.program.linking.queries import query
from prodlint.program.linking.resolver import File
from prodlint.program.linking.specifiers import specifier
from prodlint.program.linking.targets import Api, Module, Target
from prodlint.project.file_roles import FileRole

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_LIBRARIES = {
    "winston.createLogger()": "winston",
    "winston.Logger()": "winston",
    "winston": "winston",
    "winston.loggers.get()": "winston",
    "winston.loggers.add()": "winston",
    "pino()": "pino",
    "pino.pino()": "pino",
    "bunyan.createLogger()": "bunyan",
    "log4js.getLogger()": "log4js",
    "loglevel": "loglevel",
    "loglevel.getLogger()": "loglevel",
    "consola": "consola",
    "consola.consola": "consola",
    "@nestjs/common.Logger()": "nest",
    "debug()": "debug",
    "logging.getLogger()": "logging",
    "logging.Logger()": "logging",
    "celery.utils.log.get_task_logger()": "logging",
    "structlog.get_logger()": "structlog",
    "structlog.getLogger()": "structlog",
    "structlog.stdlib.get_logger()": "structlog",
    "loguru.logger": "loguru",
    "flask.Flask().logger": "logging",
    "flask.current_app.logger": "logging",
    "quart.Quart().logger": "logging",
    "tornado.log.access_log": "logging",
    "tornado.log.app_log": "logging",
    "tornado.log.gen_log": "logging",
}
_NAME = regex(r"_?(?:log|logger|logging)", re.IGNORECASE)
"""What a project calls a logger of its own, of no library that is known here."""

_LEVELS = frozenset({"debug", "error", "info", "log", "warn"})

_TEXTS = (ValueKind.STRING, ValueKind.TEMPLATE, ValueKind.OP, ValueKind.CATCH)

_FREE_NAMES = ("logger", "log", "moduleLogger")
"""What a new logger is called: the first that the file uses for nothing else."""

_VERSIONS = {"pino": "^9.5.0", "debug": "^4.4.0"}
"""What can be set up in JavaScript, and what is required of a package that is added."""

_DERIVED = regex(
    r"(?<!\.child\(\))(?<!\.bind\(\))(?<!\.opt\(\))(?<!\.getChild\(\))"
    r"(?:\.(?:child|bind|opt|getChild)\(\))++$"
)
"""A logger that another one made."""

_BINDING_IMPORTS = (ImportKind.IMPORT, ImportKind.REQUIRE)

_PYTHON = {
    "logging": ("logging", "", "{}.getLogger(__name__)"),
    "structlog": ("structlog", "", "{}.get_logger()"),
    "loguru": ("loguru", "logger", ""),
}
"""How a module of a Python project comes to its logger: module, imported name, expression (of the local name)."""


class Logger(msgspec.Struct, frozen=True):
    """How a file would log: the expression `name`, of `library` ("" for one of the project's own).

    It is there already, or `request` imports it, or `statement` makes it, in which `{}` stands for what `request`
    imports; `missing` is what the nearest package.json then has to require, package and version. `levels` are those
    that a logger of the project's own is seen to have.
    """

    name: str
    library: str
    request: ImportRequest | None = None
    statement: str = ""
    missing: tuple[str, str] | None = None
    levels: frozenset[str] | None = None

    def has(self, level: str) -> bool:
        """Whether the logger surely has a method of that name."""
        return self.levels is None or level in self.levels


class _Bound(msgspec.Struct, frozen=True):
    """A logger that has a name at the top level of a file, from the offset `since` on."""

    name: str
    library: str
    since: int
    levels: frozenset[str] | None = None


class _Exported(NamedTuple):
    """A logger that a module exports: under which name, and what others would call it."""

    home: File
    exported: str
    natural: str
    library: str


class Loggers:
    """Finds the logger for a file: its own, an imported one, or the only one that the project exports."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._exported: list[_Exported] = []
        self._bound: dict[int, list[_Bound]] = {}
        dialects: Counter[tuple[str, str]] = Counter()
        for file in program.files:
            self._bound[file.index] = list(self._bindings(file)) or list(self._of_its_own(file))
            if program.roles[file.index] is FileRole.SOURCE:
                self._exported += self._exports(file)
                if file.is_python:
                    names = {(bound.library, bound.name) for bound in self._bound[file.index]}
                    dialects.update(dialect for dialect in names if dialect[1].isidentifier())
        self._dialects = [dialect for dialect, _ in dialects.most_common() if dialect[0] in _PYTHON]
        self._own = {file.index: own for file in program.files if (own := self._of_settings(file)) is not None}

    def library(self, file: File, value: int) -> str:
        """The logging library that a value is a logger of, or ""."""
        return self._library_of(self._program.resolver.resolve(file, value))

    def _library_of(self, targets: Iterable[Target], depth: int = 0) -> str:
        for target in targets:
            if isinstance(target, Api):
                path = _DERIVED.sub("", target.path)
                found = "" if path == "winston" and not self._winston_writes else _LIBRARIES.get(path, "")
            elif isinstance(target, Module) and depth < 3:
                resolver = self._program.resolver
                whole = [
                    hit for file, value in resolver.definitions(target, "=") for hit in resolver.resolve(file, value)
                ]
                found = self._library_of(whole, depth + 1)
            else:
                found = ""
            if found:
                return found
        return ""

    @cached_property
    def _winston_writes(self) -> bool:
        """Whether winston's default logger is set up: without a transport it writes nothing since version 3."""
        versions = {info.dependencies.get("winston", "3") for info in self._program.versions.packages.values()}
        is_old = any(version.lstrip("^~=v")[:1] in "012" for version in versions)
        return is_old or not {"winston.configure", "winston.add"}.isdisjoint(self._program.api_calls)

    def of(
        self, file: File, call: Call | None = None, *, region: int = NONE, levels: tuple[str, ...] = ("error",)
    ) -> Logger | None:
        """The logger that a file would use (in the place of `call`, or in a region) and that has one of `levels`, or
        None where there is none to be had, or there are several to choose from."""
        start = call.start if call is not None else file.facts.regions[region].start if region != NONE else NONE
        region = call.region if call is not None else region
        logger = self._in_reach(file, region, start)
        if logger is None or _is_shadowed(file, region, logger.name) or not any(map(logger.has, levels)):
            return None
        return logger

    @property
    def are_there(self) -> bool:
        """Whether the project has a logger at all."""
        return self.are_exported or any(self._bound.values())

    @property
    def are_exported(self) -> bool:
        """Whether a module of the project exports a logger for others."""
        return bool(self._exported)

    def _in_reach(self, file: File, region: int, start: int) -> Logger | None:
        if file.index in self._own:
            return self._own[file.index]
        for bound in self._bound[file.index]:
            if region == NONE or bound.since <= start or file.facts.regions[region].function != 0:
                return Logger(bound.name, bound.library, levels=bound.levels)
        if self._bound[file.index] or file.is_python:
            return None
        chosen = self._chosen(file)
        if chosen is None:
            return None
        home, exported, natural, library = chosen
        name = next((name for name in (natural, *_FREE_NAMES) if not _is_used(file, name)), natural)
        imported = "default" if exported in ("=", "default") else exported
        return Logger(name, library, ImportRequest(file.path, specifier(file, home), imported, name))

    def _chosen(self, file: File) -> _Exported | None:
        """The only logger that other files export, or the one that clearly more files import than any other."""
        elsewhere = [entry for entry in self._exported if entry.home is not file]
        if len({(entry.home.index, entry.exported) for entry in elsewhere}) < 2:
            return elsewhere[0] if elsewhere else None
        first, second, *_ = sorted((self._importers[entry.home.index] for entry in elsewhere), reverse=True)
        if first <= 2 * second:
            return None
        return next(entry for entry in elsewhere if self._importers[entry.home.index] == first)

    @cached_property
    def _importers(self) -> Counter[int]:
        """How many files import a file, by its index."""
        module = self._program.resolver.module
        found: Counter[int] = Counter()
        for file in self._program.files:
            homes = (module(file, request.module) for request in file.facts.imports)
            found.update({home.index for home in homes if home is not None})
        return found

    def to_set_up(self, file: File, wanted: str = "", *, region: int = NONE) -> Logger | None:
        """The logger that a file without one would make for a use in a region: in Python as the project's other modules
        do; in JavaScript with `wanted` ("pino" or "debug"), which is added to what the package depends on, else with
        pino if it is a dependency, else as Nest does."""
        if self._bound[file.index]:
            return None
        logger = self._python(file) if file.is_python else self._javascript(file, wanted)
        return None if logger is None or _is_shadowed(file, region, logger.name) else logger

    def for_errors(self, file: File, region: int) -> Logger | None:
        """The logger that a file would log an error with in a region: its own, an imported or a new one."""
        return self.of(file, region=region) or self.to_set_up(file, region=region)

    def _python(self, file: File) -> Logger | None:
        library, usual = self._dialects[0] if self._dialects else ("logging", "logger")
        module, member, made = _PYTHON[library]
        name = next((name for name in (usual, *_FREE_NAMES[:2]) if not _is_used(file, name)), "")
        if not name:
            return None
        request = ImportRequest(file.path, module, member, name if member and name != member else "")
        return Logger(name, library, request, f"{name} = {made}" if made else "")

    def _javascript(self, file: File, wanted: str) -> Logger | None:
        versions = self._program.versions
        name = next((name for name in _FREE_NAMES if not _is_used(file, name)), "")
        if wanted not in ("", *_VERSIONS) or not name:
            return None
        if not wanted and versions.required(file.path, "pino") is None:
            return self._nest(file, name)
        library = wanted or "pino"
        missing = None
        if versions.required(file.path, library) is None:
            if versions.package_folder(file.path) not in versions.packages:
                return None
            missing = (library, _VERSIONS[library])
        if library == "pino":
            imported = "default" if file.facts.kind == "javascript" else "pino"
            request = ImportRequest(file.path, library, imported, library)
            return Logger(name, library, request, f"const {name} = {{}}()", missing=missing)
        request = ImportRequest(file.path, library, "default", "createDebug")
        made = f"const debug = {{}}('{self._namespace(file)}')"
        return Logger(library, library, request, made, missing=missing)

    def _nest(self, file: File, name: str) -> Logger | None:
        """Nest's own logger, which needs no setting up."""
        if self._program.versions.required(file.path, "@nestjs/common") is None:
            return None
        request = ImportRequest(file.path, "@nestjs/common", "Logger")
        context = next((cls.name for cls in file.facts.classes if cls.name), _stem(file))
        return Logger(name, "nest", request, f"const {name} = new {{}}('{context}')")

    def _namespace(self, file: File) -> str:
        """The name of a file's debug output: package and file, `shop:users`."""
        package = self._program.versions.packages.get(self._program.versions.package_folder(file.path))
        stem = _stem(file)
        return f"{package.name.rpartition('/')[2]}:{stem}" if package is not None and package.name else stem

    def _bindings(self, file: File) -> Iterator[_Bound]:
        """The loggers that a file binds or imports at its top level."""
        for binding in file.facts.bindings:
            if binding.function == 0:
                library = next((found for value in binding.values if (found := self.library(file, value))), "")
                if library:
                    yield _Bound(binding.name, library, binding.end)
        yield from self._of_apps(file) if file.is_python else ()
        for request in file.facts.imports:
            if file.facts.regions[request.region].function == 0 and request.kind in _BINDING_IMPORTS:
                since = 0 if request.kind is ImportKind.IMPORT and not file.is_python else request.end
                for name, local in zip(request.names, request.locals, strict=True):
                    library = self._library_of(self._imported(file, request, name))
                    if library:
                        yield _Bound(local, library, since)

    def _of_its_own(self, file: File) -> Iterator[_Bound]:
        """The logger of a file by its name, if no library's is there: one whose methods for levels the file calls with
        one argument each, so that the fix can do the same."""
        facts = file.facts
        levels: dict[str, set[str]] = defaultdict(set)
        others: set[str] = set()
        for call in facts.calls:
            callee = facts.values[call.callee]
            if callee.kind is not ValueKind.MEMBER or callee.text not in _LEVELS or callee.ref == NONE:
                continue
            name = _local_name(file, callee.ref)
            if len(call.args) != 1:
                others.add(name)
            elif facts.values[call.args[0]].kind in _TEXTS:
                levels[name].add(callee.text)
        for binding in facts.bindings:
            if binding.function == 0 and binding.name in levels and binding.name not in others:
                yield _Bound(binding.name, "", binding.end, frozenset(levels[binding.name]))
        for request in facts.imports:
            if facts.regions[request.region].function == 0 and request.kind in _BINDING_IMPORTS:
                since = 0 if request.kind is ImportKind.IMPORT else request.end
                for local in request.locals:
                    if local in levels and local not in others:
                        yield _Bound(local, "", since, frozenset(levels[local]))

    def _of_apps(self, file: File) -> Iterator[_Bound]:
        """The loggers that a file logs with as members of an app of its top level: `current_app.logger.info(…)`."""
        facts = file.facts
        since = {local: request.end for request in facts.imports for local in request.locals}
        since |= {binding.name: binding.end for binding in facts.bindings if binding.function == 0}
        seen: set[int] = set()
        for call in facts.calls:
            value = facts.values[call.callee].ref if facts.values[call.callee].kind is ValueKind.MEMBER else NONE
            if value == NONE or value in seen or facts.values[value].kind is not ValueKind.MEMBER:
                continue
            seen.add(value)
            app, member = facts.values[value].ref, facts.values[value].text
            library = self.library(file, value) if app != NONE and member == "logger" else ""
            name = _top_level_name(file, app) if library else ""
            if name and name in since:
                yield _Bound(f"{name}.{member}", library, since[name])

    def _imported(self, file: File, request: Import, name: str) -> Iterable[Target]:
        """What an imported name is."""
        resolver = self._program.resolver
        home = resolver.module(file, request.module)
        module = Module(home.index) if home is not None else Api(request.module.removeprefix("node:"))
        return (module,) if name in ("", "*") else resolver.member(module, name)

    def _exports(self, file: File) -> Iterator[_Exported]:
        """Each logger that a module makes and exports."""
        if file.is_python:
            return  # a Python module makes its own logger, `logging.getLogger(__name__)`
        for exported, value in file.exports.items():
            fact = file.facts.values[value]
            if fact.kind is ValueKind.IMPORT:
                continue
            library = self.library(file, value)
            if library:
                name = file.facts.bindings[fact.ref].name if fact.kind is ValueKind.BINDING else "logger"
                natural = exported if exported not in ("=", "default") else name
                yield _Exported(file, exported, natural, library)

    def _of_settings(self, file: File) -> Logger | None:
        """The first of the settings' loggers that a file can import."""
        for dotted in self._program.hints.loggers:
            module, _, name = dotted.rpartition(".")
            if file.is_python:
                home = self._program.resolver.module(file, module)
                written = module
            else:
                stem = module.replace(".", "/")
                paths = (f"{stem}{end}" for end in (".js", ".ts", ".mjs", ".cjs", "/index.js", "/index.ts"))
                home = next((self._program.by_path[path] for path in paths if path in self._program.by_path), None)
                written = specifier(file, home) if home is not None else ""
            if home is None or home is file:
                continue
            value = home.exports.get(name, NONE)
            library = self.library(home, value) if value != NONE else ""
            return Logger(name, library, ImportRequest(file.path, written, name))
        return None


def _stem(file: File) -> str:
    return posixpath.basename(file.path).split(".")[0]


def _local_name(file: File, value: int) -> str:
    """What a file calls a value that may be a logger of its own; "" for all others."""
    name = _top_level_name(file, value)
    return name if _NAME.fullmatch(name) else ""


def _top_level_name(file: File, value: int) -> str:
    """What a file calls a value that it binds or imports at its top level; "" for all others."""
    fact = file.facts.values[value]
    if fact.kind is ValueKind.BINDING:
        binding = file.facts.bindings[fact.ref]
        return binding.name if binding.function == 0 else ""
    member, module = "", fact
    if fact.kind is ValueKind.MEMBER and fact.ref != NONE:
        member, module = fact.text, file.facts.values[fact.ref]
    if module.kind is not ValueKind.IMPORT:
        return ""
    names = (
        local
        for request in file.facts.imports
        if request.module == module.text and file.facts.regions[request.region].function == 0
        for name, local in zip(request.names, request.locals, strict=True)
        if name in ((member,) if member else ("", "default", "*"))
    )
    return next(names, "")


def _is_used(file: File, name: str) -> bool:
    """Whether a file uses a name for anything, anywhere."""
    facts = file.facts
    return (
        any(binding.name == name for binding in facts.bindings)
        or any(function.name == name and function.cls == NONE for function in facts.functions)
        or any(cls.name == name for cls in facts.classes)
        or any(name in request.locals for request in facts.imports)
        or any(name == param.name or name in param.names for function in facts.functions for param in function.params)
        or name in file.globals
    )


def _is_shadowed(file: File, region: int, name: str) -> bool:
    """Whether a name of the top level (the first of a dotted one) means something else in a region (nowhere, for
    NONE)."""
    facts, name = file.facts, name.partition(".")[0]
    around = set()
    function = facts.regions[region].function if region != NONE else NONE
    while function not in (NONE, 0):
        around.add(function)
        function = facts.functions[function].parent
    params = (param for function in around for param in facts.functions[function].params)
    return (
        any(name == param.name or name in param.names for param in params)
        or any(binding.name == name and binding.function in around for binding in facts.bindings)
        or any(inner.name == name and inner.parent in around and inner.cls == NONE for inner in facts.functions)
        or any(name in request.locals and facts.regions[request.region].function in around for request in facts.imports)
    )


@query
def loggers_in(program: Program) -> Loggers:
    """The loggers that the project has."""
    return Loggers(program)
