"""Express apps and routers as objects: what is registered on each, in which order, and which is mounted on which.

An app is the call that made it (`prodlint.program.linking.app_instances`). `web_apps` has the apps of all
frameworks.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from prodlint.facts import NONE, Use, Value, ValueKind
from prodlint.lazy_regex import regex
from prodlint.models.frameworks.model import Role
from prodlint.program.linking.app_instances import Instances, Key
from prodlint.program.linking.queries import query
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_ROUTES = frozenset(["get", "post", "put", "patch", "delete", "del", "head", "options", "all"])
_SERVES = regex(r"https?\.(?:createServer|Server)|http2\.create\w+|express\(\)\.listen|spdy\.createServer")
_FOREIGN_ERROR_HANDLER = regex(
    r"error|err\b|sentry|bugsnag|rollbar|raygun|airbrake|honeybadger|newrelic", re.IGNORECASE
)
_OWNERS = regex(r"@nestjs/|next\b|nuxt|@feathersjs/|loopback|keystone|@adminjs/|@apollo/", re.IGNORECASE)
_FOLLOWED = frozenset({ValueKind.BINDING, ValueKind.PARAM, ValueKind.MEMBER, ValueKind.CALL})


class Kind(Enum):
    """What a call registers on an app."""

    ROUTE = "route"
    MIDDLEWARE = "middleware"
    MOUNT = "mount"
    """A router, or something that is not known and may be one."""
    ERROR = "error handler"
    """Error middleware, the program's own or a package's."""


class Registered(msgspec.Struct):
    """One call that registers something on an app; `functions` are the program's own, by id."""

    site: CallSite
    kind: Kind
    functions: list[int]
    mounts: set[Key] = set()
    handles_errors: bool = False
    """Whether error middleware is among the functions: for one route (`app.get('/', show, onError)`) or for all."""


class App(msgspec.Struct):
    """An app, or a router."""

    site: CallSite
    """The call that makes it."""
    is_router: bool
    name: str = ""
    """The variable that it is kept in, if it is one."""
    registered: list[Registered] = []
    parents: set[Key] = set()
    passed: list[CallSite] = []
    """Calls of the program's own functions that it is passed to."""
    is_served: bool = False
    """Whether it listens, or an HTTP server is made of it."""
    is_owned: bool = False
    """Whether a framework around it takes care of errors, or it is handed to something unknown."""


_Step = Callable[[App], set[Key]]


class Apps:
    """All Express apps and routers of a program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._by_call: dict[Key, list[int]] = defaultdict(list)
        self._errors: set[Key] = set()
        for registration in program.graph.registrations:
            if registration.call != NONE:
                self._by_call[registration.file, registration.call].append(registration.function)
                if registration.role is Role.ERROR_HANDLER:
                    self._errors.add((registration.file, registration.call))
        self.all: dict[Key, App] = {
            (site.file.index, site.index): App(site, self._is_router(site), _variable(site))
            for site in program.api_calls.get("express", ())
        }
        self._instances = Instances(program, self.all, ("express().",))
        if self.all:
            self._read_calls()

    def _is_router(self, site: CallSite) -> bool:
        origins = self._program.resolver.origins(site.file, site.call.callee)
        return any(owner.facts.values[value].text == "Router" for owner, value in origins)

    # ------------------------------------------------------------------ which app

    def of(self, file: File, value: int) -> frozenset[Key]:
        """The apps and routers that a value can be."""
        return self._instances.of(file, value)

    # ------------------------------------------------------------------ what is registered

    def _read_calls(self) -> None:
        for site, targets in self._program.calls:
            if site.file.is_python:
                continue
            apis = [target.path for target in targets if isinstance(target, Api)]
            callee = self._program.value(site.file, site.call.callee)
            if callee.kind is ValueKind.MEMBER and any(path.startswith("express().") for path in apis):
                self._read_method(site, callee)
            elif callee.text != "route":
                self._read_arguments(site, apis, any(not isinstance(target, Api) for target in targets))

    def _read_method(self, site: CallSite, callee: Value) -> None:
        keys = self.of(site.file, callee.ref)
        if callee.text == "listen":
            for key in keys:
                self.all[key].is_served = True
        registered = self._registered(site, callee.text) if keys else None
        if registered is None:
            return
        for key in keys:
            self.all[key].registered.append(registered)
        for mounted in registered.mounts:
            self.all[mounted].parents |= keys

    def _registered(self, site: CallSite, method: str) -> Registered | None:
        key = (site.file.index, site.index)
        functions = self._by_call.get(key, [])
        handles_errors = key in self._errors
        if method in _ROUTES:
            is_route = len(site.call.args) > 1 or bool(functions)
            return Registered(site, Kind.ROUTE, functions, handles_errors=handles_errors) if is_route else None
        if method != "use":
            return None
        if handles_errors:
            return Registered(site, Kind.ERROR, functions, handles_errors=True)
        mounts: set[Key] = set()
        for argument in site.call.args:
            mounts |= self._elements(site.file, argument)
        if mounts:
            return Registered(site, Kind.MOUNT, functions, mounts)
        sounds_so = any(_FOREIGN_ERROR_HANDLER.search(self._words(site.file, argument)) for argument in site.call.args)
        if sounds_so and not any(self._program.function(function)[1].params for function in functions):
            return Registered(site, Kind.ERROR, functions, handles_errors=True)
        return Registered(site, Kind.MIDDLEWARE, functions)

    def _elements(self, file: File, value: int) -> frozenset[Key]:
        fact = file.facts.values[value]
        if fact.kind is ValueKind.ARRAY:
            return frozenset(key for item in fact.items for key in self.of(file, item))
        return self.of(file, value)

    def _words(self, file: File, value: int, depth: int = 0) -> str:
        """The names that an expression of a handler is made of: `Sentry.Handlers.errorHandler()`."""
        fact = self._program.value(file, value)
        if depth > 6:
            return ""
        if fact.kind is ValueKind.CALL:
            return self._words(file, file.facts.calls[fact.ref].callee, depth + 1)
        if fact.kind is ValueKind.BINDING:
            return file.facts.bindings[fact.ref].name
        if fact.kind is ValueKind.MEMBER:
            return f"{self._words(file, fact.ref, depth + 1)} {fact.text}"
        return fact.text if fact.kind in (ValueKind.IMPORT, ValueKind.GLOBAL, ValueKind.PARAM) else ""

    def _read_arguments(self, site: CallSite, apis: list[str], is_own: bool) -> None:
        """What an app is handed to: an HTTP server, another framework, a function of the program."""
        values = site.file.facts.values
        for argument in site.call.args:
            if values[argument].kind not in _FOLLOWED:
                continue
            for key in self.of(site.file, argument):
                app = self.all[key]
                if any(_SERVES.fullmatch(path) for path in apis):
                    app.is_served = True
                elif is_own:
                    app.passed.append(site)
                elif _FOREIGN_ERROR_HANDLER.search(self._words(site.file, site.call.callee)):
                    app.registered.append(Registered(site, Kind.ERROR, [], handles_errors=True))
                elif not apis or any(_OWNERS.match(path) for path in apis):
                    app.is_owned = True

    # ------------------------------------------------------------------ questions

    def below(self, key: Key) -> set[Key]:
        """An app and all that is mounted on it, directly or not."""
        return self._closure(key, lambda app: {inner for entry in app.registered for inner in entry.mounts})

    def above(self, key: Key) -> set[Key]:
        """An app and all that it is mounted on, directly or not."""
        return self._closure(key, lambda app: app.parents)

    def _closure(self, key: Key, step: _Step) -> set[Key]:
        seen = {key}
        stack = [key]
        while stack:
            for after in step(self.all[stack.pop()]) - seen:
                seen.add(after)
                stack.append(after)
        return seen

    def have_routes(self, keys: set[Key]) -> bool:
        """Whether one of some apps has a route."""
        return any(entry.kind is Kind.ROUTE for key in keys for entry in self.all[key].registered)

    def handle_errors(self, keys: set[Key]) -> bool:
        """Whether one of some apps has error middleware."""
        return any(entry.handles_errors for key in keys for entry in self.all[key].registered)


def _variable(site: CallSite) -> str:
    call = site.call
    return site.file.facts.bindings[call.user].name if call.use is Use.ASSIGNED and call.user != NONE else ""


@query
def express_apps_in(program: Program) -> Apps:
    """The Express apps and routers, with what is registered on each."""
    return Apps(program)
