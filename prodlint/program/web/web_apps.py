"""The web apps of a program, whatever framework they are made with: where each is made, what is called on it and in
which order, whether it is served, and which service it belongs to.

What is registered by a loop, from a list that is computed, or by code that is not here makes an app `is_open`: then
nothing can be said about what it lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from prodlint.facts import NONE, Use, Value, ValueKind
from prodlint.models.frameworks.webapps import MODELS, SERVERS, AppModel
from prodlint.program.code.control_flow import control_flow
from prodlint.program.linking.app_instances import Instances, Key
from prodlint.program.linking.queries import query
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api, Targets
from prodlint.program.proxies import Front, proxies_in
from prodlint.program.services import services_of
from prodlint.program.web.express_apps import express_apps_in

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_FOLLOWED = frozenset({ValueKind.BINDING, ValueKind.PARAM, ValueKind.MEMBER, ValueKind.CALL})
_LITERALS = frozenset(
    {
        *(ValueKind.STRING, ValueKind.TEMPLATE, ValueKind.NUMBER, ValueKind.BOOL, ValueKind.NULL, ValueKind.OBJECT),
        *(ValueKind.FUNCTION, ValueKind.CLASS),
    }
)


class WebApp(msgspec.Struct):
    """One app."""

    model: AppModel
    site: CallSite
    """The call that makes it."""
    name: str
    """The variable that it is kept in, "" if it is in none."""
    calls: list[tuple[str, CallSite]] = []
    """The methods that are called on it, file by file in the order in which they are written."""
    handed: list[CallSite] = []
    """The calls that it is an argument of."""
    is_served: bool = False
    """Whether it listens, or a server is handed it."""
    is_mounted: bool = False
    """Whether it is a part of another app."""
    is_open: bool = False

    def called(self, names: frozenset[str]) -> Iterator[CallSite]:
        """The calls of some of its methods."""
        return (site for name, site in self.calls if name in names)


class WebApps:
    """All web apps of a program, by the call that makes each."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.all: dict[Key, WebApp] = {}
        for model in MODELS:
            for api in model.makes:
                for site in program.api_calls.get(api, ()):
                    if (
                        model.framework != "express"
                        or not express_apps_in(program).all[site.file.index, site.index].is_router
                    ):
                        self.all[site.file.index, site.index] = WebApp(model, site, _variable(site))
        prefixes = tuple(prefix for model in MODELS for prefix in model.prefixes)
        self._instances = Instances(program, self.all, prefixes)
        self._methods = frozenset(path for path in program.api_calls if path.startswith(prefixes))
        self._named_served: set[str] = set()
        if self.all:
            for site, targets in program.calls:
                self._read(site, targets)
        for app in self.all.values():
            app.is_served |= self.home(app.site.file) in self._named_served
            express = express_apps_in(program).all.get((app.site.file.index, app.site.index))
            if express is not None:
                app.is_served |= express.is_served
                app.is_mounted |= bool(express.parents)

    def of(self, file: File, value: int) -> list[WebApp]:
        """The apps that a value can be."""
        return [self.all[key] for key in sorted(self._instances.of(file, value))]

    def home(self, file: File) -> str:
        """The language and the package folder of a file: what is deployed together."""
        return f"{'py' if file.is_python else 'js'}:{self._program.versions.package_folder(file.path)}"

    # ------------------------------------------------------------------ reading calls

    def _read(self, site: CallSite, targets: Targets) -> None:
        apis = {target.path for target in targets if isinstance(target, Api)}
        values = site.file.facts.values
        if apis and not apis.isdisjoint(self._methods):
            callee = self._program.value(site.file, site.call.callee)
            for app in self.of(site.file, callee.ref) if callee.kind is ValueKind.MEMBER else ():
                self._read_method(app, callee.text, site)
        if apis and not apis.isdisjoint(SERVERS) and text_of(self._program, site, 0) is not None:
            self._named_served.add(self.home(site.file))  # `uvicorn.run("main:app")`
        for argument in site.call.args:
            if values[argument].kind in _FOLLOWED:
                for app in self.of(site.file, argument):
                    self._read_handed(app, site, targets, apis)

    def _read_method(self, app: WebApp, name: str, site: CallSite) -> None:
        model = app.model
        app.calls.append((name, site))
        app.is_served |= name in model.serves
        if name in model.uses:
            app.is_open |= not all(self.is_known(site.file, argument) for argument in site.call.args)

    def _read_handed(self, app: WebApp, site: CallSite, targets: Targets, apis: set[str]) -> None:
        app.handed.append(site)
        if not apis.isdisjoint(SERVERS):
            app.is_served = True
        elif not apis.isdisjoint(self._methods):
            name = self._program.value(site.file, site.call.callee).text
            app.is_mounted |= name in ("use", "mount", "register", "add_subapp", "add_app")
        elif not targets:
            app.is_open = True

    def is_known(self, file: File, value: int) -> bool:
        """Whether it is known what is registered: functions of the program and of packages, not what a loop or a
        computed name brings."""
        for owner, item in self._program.resolver.origins(file, value):
            fact = owner.facts.values[item]
            if fact.kind is ValueKind.ARRAY:
                if not all(self.is_known(owner, each) for each in fact.items):
                    return False
            elif fact.kind is ValueKind.CALL:
                if not control_flow(self._program).targets(CallSite(owner, fact.ref)):
                    return False
            elif fact.kind not in _LITERALS and not self._program.resolver.resolve(owner, item):
                return False
        return True

    def words(self, file: File, value: int, depth: int = 0) -> str:
        """The names that an expression is made of: `Sentry.Handlers.errorHandler()`."""
        fact = self._program.value(file, value)
        if depth > 6:
            return ""
        if fact.kind is ValueKind.CALL:
            return self.words(file, file.facts.calls[fact.ref].callee, depth + 1)
        if fact.kind is ValueKind.BINDING:
            return file.facts.bindings[fact.ref].name
        if fact.kind is ValueKind.MEMBER:
            return f"{self.words(file, fact.ref, depth + 1)} {fact.text}"
        if fact.kind is ValueKind.FUNCTION:
            return file.facts.functions[fact.ref].name
        return fact.text if fact.kind in (ValueKind.IMPORT, ValueKind.GLOBAL, ValueKind.PARAM) else ""


def fronts_of(program: Program, file: File) -> list[Front]:
    """The proxies of the project that requests to the app of a source file come through. Where no file says which
    service that is, any proxy may be meant."""
    services = services_of(program, file.path)
    if services:
        return [front for service in services for front in proxies_in(program).in_front_of(service)]
    return [Front(proxy, False) for proxy in proxies_in(program).production]


def text_of(program: Program, site: CallSite, position: int) -> str | None:
    """The literal string that a call has at a position, or None."""
    args = site.call.args
    value = program.value(site.file, args[position]) if position < len(args) else Value(ValueKind.UNKNOWN)
    return value.text if value.kind is ValueKind.STRING else None


def _variable(site: CallSite) -> str:
    """The variable that the result of a call is stored in, awaited or not."""
    call, facts = site.call, site.file.facts
    if call.use is Use.ASSIGNED and call.user != NONE:
        return facts.bindings[call.user].name
    if call.use is Use.AWAITED:
        for binding in facts.bindings:
            for value in binding.values:
                fact = facts.values[value]
                inner = facts.values[fact.ref] if fact.kind is ValueKind.AWAIT else fact
                if inner.kind is ValueKind.CALL and inner.ref == site.index:
                    return binding.name
    return ""


@query
def web_apps_in(program: Program) -> WebApps:
    """The web apps of all frameworks."""
    return WebApps(program)
