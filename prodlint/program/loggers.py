"""The loggers that a project already has, how a file would reach one, and how it would set one up."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prodlint.facts import NONE, Call, Import, ImportKind, ValueKind
from prodlint.findings import ImportRequest
from prodlint.program.resolve import File
from prodlint.program.roles import FileRole
from prodlint.program.specifiers import specifier
from prodlint.program.targets import Api, Module, Target

if TYPE_CHECKING:
    from prodlint.program import Program

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
}
_DERIVED = re.compile(r"(?:\.(?:child|bind|opt|getChild)\(\))+$")
"""A logger that another one made."""

_BINDING_IMPORTS = (ImportKind.IMPORT, ImportKind.REQUIRE)

_PYTHON = {
    "logging": ("logging", "", "{}.getLogger(__name__)"),
    "structlog": ("structlog", "", "{}.get_logger()"),
    "loguru": ("loguru", "logger", ""),
}
"""How a module of a Python project comes to its logger: module, imported name, expression (of the local name)."""


@dataclass(frozen=True)
class Logger:
    """How a file would log: the expression `name`, of `library` ("" for one of the project's own).

    It is there already, or `request` imports it, or `statement` makes it, in which `{}` stands for what `request`
    imports. `is_known` says that the project logs in this way elsewhere.
    """

    name: str
    library: str
    request: ImportRequest | None = None
    statement: str = ""
    is_known: bool = True


@dataclass(frozen=True)
class _Bound:
    """A logger that has a name at the top level of a file, from the offset `since` on."""

    name: str
    library: str
    since: int


class Loggers:
    """Finds the logger for a file: its own, an imported one, or the only one that the project exports."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._exported: list[tuple[File, str, str, str]] = []
        self._bound: dict[int, list[_Bound]] = {}
        dialects: Counter[tuple[str, str]] = Counter()
        for file in program.files:
            self._bound[file.index] = list(self._bindings(file))
            if program.roles[file.index] is FileRole.SOURCE:
                self._exported += self._exports(file)
                if file.is_python:
                    dialects.update({(bound.library, bound.name) for bound in self._bound[file.index]})
        self._dialects = [dialect for dialect, _ in dialects.most_common() if dialect[0] in _PYTHON]
        self._own = {file.index: own for file in program.files if (own := self._of_settings(file)) is not None}

    def library(self, file: File, value: int) -> str:
        """The logging library that a value is a logger of, or ""."""
        return self._library_of(self._program.resolver.resolve(file, value))

    def _library_of(self, targets: Iterable[Target], depth: int = 0) -> str:
        for target in targets:
            if isinstance(target, Api):
                found = _LIBRARIES.get(_DERIVED.sub("", target.path), "")
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

    def of(self, file: File, call: Call | None = None, *, region: int = NONE) -> Logger | None:
        """The logger that a file would use (in the place of `call`, or in a region), or None where there is none to be
        had, or there are several to choose from."""
        start = call.start if call is not None else file.facts.regions[region].start if region != NONE else NONE
        region = call.region if call is not None else region
        logger = self._in_reach(file, region, start)
        if logger is None or _is_shadowed(file, region, logger.name):
            return None
        return logger

    @property
    def are_there(self) -> bool:
        """Whether the project has a logger at all."""
        return bool(self._exported) or any(self._bound.values())

    def _in_reach(self, file: File, region: int, start: int) -> Logger | None:
        if file.index in self._own:
            return self._own[file.index]
        for bound in self._bound[file.index]:
            if region == NONE or bound.since <= start or file.facts.regions[region].function != 0:
                return Logger(bound.name, bound.library)
        if self._bound[file.index] or file.is_python:
            return None
        elsewhere = [entry for entry in self._exported if entry[0] is not file]
        if len({(home.index, name) for home, name, _, _ in elsewhere}) != 1:
            return None
        home, exported, name, library = elsewhere[0]
        imported = "default" if exported in ("=", "default") else exported
        return Logger(name, library, ImportRequest(file.path, specifier(file, home), imported, name))

    def to_set_up(self, file: File, wanted: str = "", *, region: int = NONE) -> Logger | None:
        """The logger that a file without one would make for a use in a region: in Python as the project's other modules
        do, in JavaScript with `wanted` ("pino" or "debug"; "" is pino), if the project depends on it."""
        if self._bound[file.index]:
            return None
        logger = self._python(file) if file.is_python else self._javascript(file, wanted or "pino")
        return None if logger is None or _is_shadowed(file, region, logger.name) else logger

    def _python(self, file: File) -> Logger:
        library, name = self._dialects[0] if self._dialects else ("logging", "logger")
        module, member, made = _PYTHON[library]
        request = ImportRequest(file.path, module, member, name if member and name != member else "")
        return Logger(name, library, request, f"{name} = {made}" if made else "", bool(self._dialects))

    def _javascript(self, file: File, library: str) -> Logger | None:
        if library not in ("pino", "debug") or self._program.versions.required(file.path, library) is None:
            return None
        if library == "pino":
            name = "default" if file.facts.kind == "javascript" else "pino"
            request = ImportRequest(file.path, library, name, library)
            return Logger("logger", library, request, "const logger = {}()", is_known=False)
        request = ImportRequest(file.path, library, "default", "createDebug")
        made = f"const debug = {{}}('{self._namespace(file)}')"
        return Logger(library, library, request, made, is_known=False)

    def _namespace(self, file: File) -> str:
        """The name of a file's debug output: package and file, `shop:users`."""
        package = self._program.versions.packages.get(self._program.versions.package_folder(file.path))
        stem = posixpath.basename(file.path).split(".")[0]
        return f"{package.name.rpartition('/')[2]}:{stem}" if package is not None and package.name else stem

    def _bindings(self, file: File) -> Iterator[_Bound]:
        """The loggers that a file binds or imports at its top level."""
        for binding in file.facts.bindings:
            if binding.function == 0:
                library = next((found for value in binding.values if (found := self.library(file, value))), "")
                if library:
                    yield _Bound(binding.name, library, binding.end)
        for request in file.facts.imports:
            if file.facts.regions[request.region].function == 0 and request.kind in _BINDING_IMPORTS:
                since = 0 if request.kind is ImportKind.IMPORT and not file.is_python else request.end
                for name, local in zip(request.names, request.locals, strict=True):
                    library = self._library_of(self._imported(file, request, name))
                    if library:
                        yield _Bound(local, library, since)

    def _imported(self, file: File, request: Import, name: str) -> Iterable[Target]:
        """What an imported name is."""
        resolver = self._program.resolver
        home = resolver.module(file, request.module)
        module = Module(home.index) if home is not None else Api(request.module.removeprefix("node:"))
        return (module,) if name in ("", "*") else resolver.member(module, name)

    def _exports(self, file: File) -> Iterator[tuple[File, str, str, str]]:
        """(file, exported name, natural local name, library) of each logger that a module makes and exports."""
        if file.is_python:
            return  # a Python module makes its own logger, `logging.getLogger(__name__)`
        for exported, value in file.exports.items():
            fact = file.facts.values[value]
            if fact.kind is ValueKind.IMPORT:
                continue
            library = self.library(file, value)
            if library:
                name = file.facts.bindings[fact.ref].name if fact.kind is ValueKind.BINDING else "logger"
                yield file, exported, exported if exported not in ("=", "default") else name, library

    def _of_settings(self, file: File) -> Logger | None:
        """The first of the settings' loggers that a file can import."""
        for dotted in self._program.knowledge.loggers:
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


def _is_shadowed(file: File, region: int, name: str) -> bool:
    """Whether a name of the top level means something else in a region (nowhere, for NONE)."""
    facts = file.facts
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
