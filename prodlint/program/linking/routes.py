"""What a reader calls the place where a request comes in: `POST /api/orders`, with the path of each router, blueprint,
plug-in, `include` and controller that it stands below; `the middleware auth()`; `setInterval() at src/jobs.js:4`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from prodlint.facts import NONE, Call, Value, ValueKind
from prodlint.models.frameworks.model import Role
from prodlint.models.frameworks.webapps import ROUTERS, Mount, RouterModel
from prodlint.program.linking.app_instances import Instances, Key
from prodlint.program.linking.queries import query
from prodlint.program.linking.resolver import CallSite, File, keyword_of
from prodlint.program.linking.targets import Api, Cls, Fn, FnMember, Inst, Module

if TYPE_CHECKING:
    from prodlint.program.linking.call_graph import Registration
    from prodlint.program.linking.program import Program

_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "all", "trace"})
_WEBSOCKETS = frozenset({"websocket", "websocket_route", "ws", "api_websocket_route"})
_NAMED_LATER = frozenset({"route", "api_route", "url_rule", "view", "path", "re_path", "url", "endpoint", "register"})
"""Registering methods that do not say which HTTP method is meant."""
_REST = {"list": "GET", "create": "POST", "retrieve": "GET", "update": "PUT", "partial_update": "PATCH"}
_REST_ITEM = frozenset({"retrieve", "update", "partial_update", "destroy"})
"""The actions of REST framework's viewsets, by HTTP method, and those for one object."""
_CONTROLLERS = frozenset({"Get", "Post", "Put", "Patch", "Delete", "Options", "Head", "All", "Sse"})
_INCLUDES = ("django.urls.include", "django.conf.urls.include")
_PATHS = ("django.urls.path", "django.urls.re_path", "django.conf.urls.url")
_ADDED = frozenset({"routes", "middleware", "callback", "urls", "router"})
"""Members by which a router is handed on: `router.routes()`, `api.urls`, `app.router`."""
_ENVIRONMENT = ("process.env", "os.environ", "os.getenv")
_DEEPEST = 12


class _Mounted(NamedTuple):
    """Where a router is mounted: the object that it is mounted on, and the path there."""

    file: File
    parent: int
    path: str
    overrides: bool


class Routes:
    """Names registrations for readers."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._models: dict[Key, RouterModel] = {}
        self._routers: set[Key] = set()
        for model in ROUTERS:
            for api in (*model.apps, *model.routers):
                for site in program.api_calls.get(api, ()):
                    key = (site.file.index, site.index)
                    self._models[key] = model
                    if api in model.routers or self._is_named_router(site):
                        self._routers.add(key)
        made = [api for model in ROUTERS for api in (*model.apps, *model.routers)]
        self._instances = Instances(program, self._models, tuple(f"{api}()." for api in made))
        self._mounts: dict[Key, list[_Mounted]] = defaultdict(list)
        self._listed: dict[Key, list[tuple[File, int]]] = defaultdict(list)
        """The apps that routes are added to which stand in an array: `app.add_routes([web.get(…)])`."""
        self._included: dict[int, list[CallSite]] = defaultdict(list)
        """By file: the calls of `path` that include the file's URL patterns."""
        self._patterns: dict[Key, list[CallSite]] = defaultdict(list)
        """By call of `path`: the calls that include the list in which it stands."""
        methods = {mount.method for model in ROUTERS for mount in model.mounts}
        if self._models:
            for site, _ in program.calls:
                callee = program.value(site.file, site.call.callee)
                if callee.kind is ValueKind.MEMBER and callee.text in methods:
                    self._read_mount(site, callee)
        for api in _INCLUDES:
            for site in program.api_calls.get(api, ()):
                self._read_include(site)

    def _is_named_router(self, site: CallSite) -> bool:
        origins = self._program.resolver.origins(site.file, site.call.callee)
        return any(owner.facts.values[value].text == "Router" for owner, value in origins)

    # ------------------------------------------------------------------ mounts

    def _read_mount(self, site: CallSite, callee: Value) -> None:
        models = {self._models[key].mounts for key in self._instances.of(site.file, callee.ref)}
        for mount in {mount for mounts in models for mount in mounts if mount.method == callee.text}:
            path = self._mount_path(site, mount)
            positional = site.call.args[: len(site.call.args) - len(site.call.keywords)]
            children = positional if mount.child is None else positional[mount.child : mount.child + 1]
            for child in children:
                for item in self._elements(site.file, child):
                    for key in self._objects(site.file, item):
                        self._mounts[key].append(
                            _Mounted(site.file, callee.ref, path or "", mount.overrides and bool(path))
                        )
                    fact = site.file.facts.values[item]
                    if fact.kind is ValueKind.CALL:
                        self._listed[site.file.index, fact.ref].append((site.file, callee.ref))

    def _elements(self, file: File, value: int) -> Sequence[int]:
        fact = file.facts.values[value]
        if fact.kind is ValueKind.ARRAY:
            return fact.items
        for owner, item in self._program.resolver.origins(file, value):
            if owner is file and file.facts.values[item].kind is ValueKind.ARRAY:
                return file.facts.values[item].items
        return (value,)

    def _objects(self, file: File, value: int) -> frozenset[Key]:
        """The apps and routers that a value is, or has been handed on by."""
        fact = file.facts.values[value]
        if fact.kind is ValueKind.CALL:
            callee = self._program.value(file, file.facts.calls[fact.ref].callee)
            if callee.kind is ValueKind.MEMBER and callee.text in _ADDED:
                return self._instances.of(file, callee.ref)
        if fact.kind is ValueKind.MEMBER and fact.text in _ADDED:
            return self._instances.of(file, fact.ref) or self._instances.of(file, value)
        return self._instances.of(file, value)

    def _mount_path(self, site: CallSite, mount: Mount) -> str | None:
        call = site.call
        if mount.keyword:
            value = keyword_of(call, mount.keyword)
            return self._text(site.file, value) if value != NONE else None
        if mount.path is not None and mount.path < len(call.args):
            path = self._path_at(site.file, call, mount.path)
            is_path = path is None and len(call.args) > 1 and not self._is_handler(site.file, call.args[mount.path])
            return self._text(site.file, call.args[mount.path]) if is_path else path
        return None

    def _is_handler(self, file: File, value: int) -> bool:
        """Whether a value may be what is mounted, and is no path that is told elsewhere."""
        fact = file.facts.values[value]
        is_made = fact.kind in (ValueKind.CALL, ValueKind.FUNCTION, ValueKind.ARRAY, ValueKind.CLASS)
        targets = self._program.resolver.resolve(file, value)
        is_known = any(not isinstance(target, Api) or not target.path.startswith(_ENVIRONMENT) for target in targets)
        return is_made or is_known or bool(self._objects(file, value))

    def _path_at(self, file: File, call: Call, position: int) -> str | None:
        """The path that stands at a position; None where something else does, such as the first handler."""
        value = call.args[position]
        fact = file.facts.values[value]
        if fact.kind is ValueKind.ARRAY and fact.items:
            value = fact.items[0]
        for owner, item in self._program.resolver.origins(file, value):
            kind = owner.facts.values[item].kind
            if kind is ValueKind.STRING:
                return owner.facts.values[item].text
            if kind in (ValueKind.TEMPLATE, ValueKind.OP):
                return self._text(file, value)
        return None

    def _text(self, file: File, value: int) -> str:
        """The text that a value is, else how the code says it: `{settings.PREFIX}`."""
        origins = self._program.resolver.origins(file, value)
        for owner, item in origins:
            if owner.facts.values[item].kind is ValueKind.STRING:
                return owner.facts.values[item].text
        for owner, item in origins:
            fact = owner.facts.values[item]
            if fact.kind is ValueKind.TEMPLATE:
                return f"{fact.text}{self._text(owner, fact.items[0]) if fact.items else ''}…"
            if fact.kind is ValueKind.OP and fact.text == "+":
                return "".join(self._text(owner, each) for each in fact.items)
        words = self._words(file, value)
        return f"{{{words}}}" if words else "{…}"

    def _words(self, file: File, value: int, depth: int = 0) -> str:
        """The names that an expression is made of: `settings.PREFIX`; "" where it is made of more."""
        fact = self._program.value(file, value)
        if depth > _DEEPEST:
            return ""
        if fact.kind is ValueKind.MEMBER:
            before = self._words(file, fact.ref, depth + 1)
            return f"{before}.{fact.text}" if before else fact.text
        if fact.kind is ValueKind.CALL:
            return self._words(file, file.facts.calls[fact.ref].callee, depth + 1) + "()"
        if fact.kind is ValueKind.BINDING:
            return file.facts.bindings[fact.ref].name
        if fact.kind is ValueKind.IMPORT:
            return fact.text.rpartition(".")[2] if file.is_python else fact.text
        return fact.text if fact.kind in (ValueKind.GLOBAL, ValueKind.PARAM) else ""

    def prefixes(self, file: File, call: int) -> frozenset[str]:
        """What stands before the path of a route that a call registers, from each of the outermost apps on; nothing
        where that is not known."""
        if call == NONE:
            return frozenset()
        callee = self._program.value(file, file.facts.calls[call].callee)
        if (file.index, call) in self._listed:
            parents = self._listed[file.index, call]
            return frozenset(found for owner, value in parents for found in self._below(owner, value, 0))
        if callee.kind is ValueKind.MEMBER:
            return frozenset(self._below(file, callee.ref, 0))
        return frozenset()

    def _below(self, file: File, value: int, depth: int) -> Iterator[str]:
        """The paths below which the routes of an object stand."""
        if depth > _DEEPEST:
            return
        fact = self._program.value(file, value)
        if fact.kind is ValueKind.MEMBER and fact.text in _ADDED:
            value, fact = fact.ref, self._program.value(file, fact.ref)
        for owner, item in self._program.resolver.origins(file, value):
            origin = owner.facts.values[item]
            if origin.kind is ValueKind.PARAM and origin.items[:1] not in ((1,), (2,)):
                plugins = [
                    registration
                    for registration in self._program.registrations_of.get(owner.fn_base + origin.ref, ())
                    if registration.role is Role.PLUGIN and registration.call != NONE
                ]
                for registration in plugins:
                    yield from self._below_plugin(registration, depth)
                if plugins:
                    return
        for key in sorted(self._objects(file, value)):
            yield from self._of_object(key, depth)

    def _below_plugin(self, registration: Registration, depth: int) -> Iterator[str]:
        """The paths below which a plug-in has its routes that is registered with `{ prefix }`."""
        file = self._program.files[registration.file]
        call = file.facts.calls[registration.call]
        path = self._option(file, call, "prefix")
        callee = self._program.value(file, call.callee)
        if callee.kind is ValueKind.MEMBER:
            yield from (joined(above, path) for above in self._below(file, callee.ref, depth + 1))

    def _option(self, file: File, call: Call, name: str) -> str:
        """What a call is told by a keyword, or by a property of an options object; "" for nothing."""
        value = keyword_of(call, name)
        if value != NONE:
            return self._text(file, value)
        for argument in call.args:
            fact = file.facts.values[argument]
            if fact.kind is ValueKind.OBJECT:
                for key, item in zip(fact.names, fact.items, strict=False):
                    if key == name:
                        return self._text(file, item)
        return ""

    def _of_object(self, key: Key, depth: int) -> Iterator[str]:
        model = self._models[key]
        file = self._program.files[key[0]]
        own = self._option(file, file.facts.calls[key[1]], model.path) if model.path else ""
        mounts = self._mounts.get(key, ())
        if not mounts and key not in self._routers:
            yield own
        for mounted in mounts:
            for above in self._below(mounted.file, mounted.parent, depth + 1):
                yield joined(above, mounted.path) if mounted.overrides else joined(above, mounted.path, own)
        if key in self._routers and model.apps == ():
            yield from self._of_included(self._included_at(key), depth)

    # ------------------------------------------------------------------ Django's URL patterns

    def _read_include(self, site: CallSite) -> None:
        """`path("api/", include(…))`: whose patterns stand below it."""
        if not site.call.args:
            return
        outer = next(
            (
                CallSite(site.file, index)
                for index, call in enumerate(site.file.facts.calls)
                if any(
                    site.file.facts.values[argument].kind is ValueKind.CALL
                    and site.file.facts.values[argument].ref == site.index
                    for argument in call.args
                )
            ),
            None,
        )
        if outer is None:
            return
        file, value = site.file, site.call.args[0]
        fact = file.facts.values[value]
        if fact.kind is ValueKind.ARRAY and fact.items and file.facts.values[fact.items[0]].kind is not ValueKind.CALL:
            value, fact = fact.items[0], file.facts.values[fact.items[0]]  # `include((patterns, namespace))`
        if fact.kind is ValueKind.STRING:
            included = self._program.resolver.module(file, fact.text)
            if included is not None:
                self._included[included.index].append(outer)
            return
        for target in self._program.resolver.resolve(file, value):
            if isinstance(target, Module):
                self._included[target.file].append(outer)
        for item in self._elements(file, value):
            inner = file.facts.values[item]
            if inner.kind is ValueKind.CALL:
                self._patterns[file.index, inner.ref].append(outer)
        for key in self._objects(file, value):
            self._patterns[key].append(outer)

    def _included_at(self, key: Key) -> list[CallSite]:
        return self._patterns.get(key, [])

    def _of_included(self, sites: Sequence[CallSite], depth: int) -> Iterator[str]:
        for outer in sites:
            path = self._path_at(outer.file, outer.call, 0) if outer.call.args else None
            for above in self._of_pattern(outer.file, outer.index, depth + 1):
                yield joined(above, _plain(path or ""))

    def _of_pattern(self, file: File, call: int, depth: int) -> Iterator[str]:
        """The paths before that of a call of `path`."""
        if depth > _DEEPEST:
            return
        around = self._patterns.get((file.index, call), []) or self._included.get(file.index, [])
        if around:
            yield from self._of_included(around, depth)
        else:
            yield ""

    # ------------------------------------------------------------------ names

    def name(self, registration: Registration) -> str:
        """`POST /api/orders`, `the middleware auth()`, `the event "login"`."""
        program = self._program
        if registration.role in (Role.HANDLER, Role.MIDDLEWARE, Role.ERROR_HANDLER) and registration.call == NONE:
            route = self._of_controller(registration)
            if route:
                return route
        if registration.role is Role.HANDLER:
            best = max(
                program.registrations_of.get(registration.function, [registration]), key=lambda one: one.call != NONE
            )
            route = self.route(best) if best.role is Role.HANDLER else ""
            return route or registration.label or f"the handler {self._place(registration)}"
        if registration.role is Role.EVENT:
            return registration.label or f"an event {self._place(registration)}"
        who = self._function(registration)
        if registration.role is Role.MIDDLEWARE:
            path = self.path(registration) if self._callee(registration).text == "use" else ""
            return f"the middleware {who}" + (f" of {path}" if path not in ("", "/") else "")
        if registration.role is Role.ERROR_HANDLER:
            return f"the error handler {who}"
        if registration.role is Role.DEPENDENCY:
            return f"the dependency {who}"
        return self._by_call(registration)

    def said(self, registration: Registration) -> str:
        """The name, with that of the function behind a route: `POST /api/orders, place_order()`."""
        name = self.name(registration)
        function = self._program.function(registration.function)[1]
        if registration.role not in (Role.HANDLER, Role.EVENT) or not function.name:
            return name
        who = self._program.name(registration.function)
        return name if who in name else f"{name}, {who}"

    def handled(self, registration: Registration) -> str:
        """What happens at a registration: `POST /api/orders is handled by place_order()`."""
        name = self.name(registration)
        if registration.role not in (Role.HANDLER, Role.EVENT) or name.startswith("the handler at "):
            return name
        file = self._program.files[registration.file]
        return f"{name} is handled by {self._program.name(registration.function, file)}"

    def _function(self, registration: Registration) -> str:
        function = self._program.function(registration.function)[1]
        return self._program.name(registration.function) if function.name else self._place(registration)

    def _callee(self, registration: Registration) -> Value:
        file = self._program.files[registration.file]
        call = registration.call
        return self._program.value(file, file.facts.calls[call].callee) if call != NONE else Value(ValueKind.UNKNOWN)

    def _place(self, registration: Registration) -> str:
        return f"at {self._program.files[registration.file].place(registration.start)}"

    def _by_call(self, registration: Registration) -> str:
        """`setInterval() at src/jobs.js:4`: what has no name is named by the call that registers it."""
        file = self._program.files[registration.file]
        if registration.call == NONE:
            return registration.label or self._function(registration)
        callee = self._program.value(file, file.facts.calls[registration.call].callee)
        text = callee.text
        if callee.kind is ValueKind.BINDING:
            text = file.facts.bindings[callee.ref].name
        return f"{text}() {self._place(registration)}" if text else self._place(registration).removeprefix("at ")

    def route(self, registration: Registration) -> str:
        """The method and the whole path of a handler; "" where it has no path."""
        path = self.path(registration)
        if not path:
            return ""
        return f"{self._method(registration)} {path}".strip()

    def path(self, registration: Registration) -> str:
        """The whole path, as far as it is known; the first where there are several. "" where there is none."""
        if registration.call == NONE:
            return ""
        file = self._program.files[registration.file]
        call = file.facts.calls[registration.call]
        own = self._own_path(file, call)
        if own is None:
            return ""
        callee = self._program.value(file, call.callee)
        if self._is_django(file, registration.call):
            return "/" + min(
                joined(above, _plain(own)) for above in self._of_pattern(file, registration.call, 0)
            ).lstrip("/")
        if callee.text == "register" and registration.framework == "django":
            function = self._program.function(registration.function)[1].name
            own = f"{own.strip('/')}/{'{pk}/' if function in _REST_ITEM else ''}"
        prefixes = self.prefixes(file, registration.call) or self._known_part(file, callee)
        whole = joined(min(prefixes, default=""), own)
        if not file.is_python and len(whole) > 1:
            whole = whole.rstrip("/")
        return whole if whole.startswith(("/", "{", "$", "*", "^")) or not whole else f"/{whole}"

    def _known_part(self, file: File, callee: Value) -> list[str]:
        """The paths that the routers themselves were made with, where nobody is known to mount them."""
        if callee.kind is not ValueKind.MEMBER:
            return []
        found = []
        for key in self._objects(file, callee.ref):
            owner = self._program.files[key[0]]
            path = self._models[key].path
            if path:
                found.append(self._option(owner, owner.facts.calls[key[1]], path))
        return found

    def _is_django(self, file: File, call: int) -> bool:
        return any(isinstance(api, Api) and api.path in _PATHS for api in self._program.graph.targets[file.index][call])

    def _own_path(self, file: File, call: Call) -> str | None:
        """The path that a registering call names, or the `route('/x')` that it is called on."""
        callee = self._program.value(file, call.callee)
        verb = _verb(callee)
        option = next((found for name in ("path", "url", "rule") if (found := self._option(file, call, name))), "")
        if verb == "use" and call.args and self._path_at(file, call, 0) is None:
            return ""
        at = 1 if callee.text in ("add_route", "route") and self._has_method_first(file, call) else 0
        if at < len(call.args) - len(call.keywords):
            path = self._path_at(file, call, at)
            if path is not None:
                return path
        if option:
            return option
        inner = callee
        for _ in range(_DEEPEST):  # `router.route('/x').get(…).post(…)`
            link = self._program.value(file, inner.ref) if inner.kind is ValueKind.MEMBER else Value(ValueKind.UNKNOWN)
            if link.kind is not ValueKind.CALL:
                break
            before = file.facts.calls[link.ref]
            inner = self._program.value(file, before.callee)
            if inner.text == "route" and before.args:
                return self._path_at(file, before, 0)
        if len(call.args) > 1 and file.facts.values[call.args[0]].kind in (
            ValueKind.MEMBER,
            ValueKind.CALL,
            ValueKind.OP,
            ValueKind.BINDING,
        ):
            functions = self._program.resolver.resolve(file, call.args[0])
            is_path = not any(isinstance(target, (Fn, FnMember, Cls, Inst, Module)) for target in functions)
            return self._text(file, call.args[0]) if verb in _METHODS and is_path else None
        return None

    def _has_method_first(self, file: File, call: Call) -> bool:
        first = file.facts.values[call.args[0]] if call.args else Value(ValueKind.UNKNOWN)
        return first.kind is ValueKind.STRING and (first.text.lower() in _METHODS or first.text == "*")

    def _method(self, registration: Registration) -> str:
        file = self._program.files[registration.file]
        call = file.facts.calls[registration.call]
        callee = self._program.value(file, call.callee)
        verb = _verb(callee)
        function = self._program.function(registration.function)[1]
        if verb in _WEBSOCKETS:
            return "WebSocket"
        if verb in ("del", "all") or verb in _METHODS:
            return {"del": "DELETE", "all": "ALL"}.get(verb, verb.upper())
        if verb == "use":
            return ""
        if function.cls != NONE and function.name in _REST and registration.framework == "django":
            return _REST[function.name]
        if function.cls != NONE and function.name in _METHODS:
            return function.name.upper()
        if verb not in _NAMED_LATER:
            return ""
        if self._has_method_first(file, call):
            return file.facts.values[call.args[0]].text.upper()
        said = self._option(file, call, "method")
        if said:
            return said.upper()
        methods = keyword_of(call, "methods")
        named = [self._text(file, item) for item in self._elements(file, methods)] if methods != NONE else []
        if any(named):
            return "/".join(sorted(name.upper() for name in named if name))
        return (
            "GET" if registration.framework in ("flask", "quart", "fastapi", "aiohttp") and verb != "endpoint" else ""
        )

    # ------------------------------------------------------------------ Nest

    def _of_controller(self, registration: Registration) -> str:
        """The route of a method of a Nest controller, with the application's prefix and version."""
        if registration.framework != "nest":
            return ""
        file, function = self._program.function(registration.function)
        if function.cls == NONE:
            return ""
        decorated = dict(self._decorators(file, file.facts.classes[function.cls].decorators))
        own = dict(self._decorators(file, function.decorators))
        verb = next((name for name in own if name in _CONTROLLERS), "")
        controller = decorated.get("Controller")
        if not verb or controller is None:
            return ""
        above, below = (self._decorated_path(file, call) for call in (controller, own[verb]))
        version = self._option(file, controller, "version")
        if "Version" in own and own["Version"].args:
            version = self._text(file, own["Version"].args[0])
        whole = joined(
            "/",
            self._global_prefix(),
            f"{self._version_prefix()}{version}" if version and self._version_prefix() else "",
            above,
            below,
        )
        method = {"Sse": "GET", "All": "ALL"}.get(verb, verb.upper())
        return f"{method} {whole.rstrip('/') or '/'}"

    def _decorators(self, file: File, values: Sequence[int]) -> Iterator[tuple[str, Call]]:
        for value in values:
            fact = file.facts.values[value]
            if fact.kind is ValueKind.CALL:
                call = file.facts.calls[fact.ref]
                for owner, item in self._program.resolver.origins(file, call.callee):
                    yield owner.facts.values[item].text, call

    def _decorated_path(self, file: File, call: Call) -> str:
        if not call.args:
            return ""
        return self._path_at(file, call, 0) or self._option(file, call, "path")

    def _global_prefix(self) -> str:
        found = {
            self._text(site.file, site.call.args[0])
            for site, _ in self._program.calls
            if site.call.args and self._program.value(site.file, site.call.callee).text == "setGlobalPrefix"
        }
        return found.pop() if len(found) == 1 else ""

    def _version_prefix(self) -> str:
        """What stands before the number of a version in paths; "" where versions are not told by paths."""
        for site, _ in self._program.calls:
            if self._program.value(site.file, site.call.callee).text == "enableVersioning":
                kind = self._option_value(site, "type")
                if kind is None or kind.text == "URI":
                    return self._option(site.file, site.call, "prefix") or "v"
        return ""

    def _option_value(self, site: CallSite, name: str) -> Value | None:
        for argument in site.call.args:
            fact = site.file.facts.values[argument]
            if name in fact.names:
                return site.file.facts.values[fact.items[fact.names.index(name)]]
        return None


def joined(*paths: str) -> str:
    """Paths one below the other, with one slash between them."""
    whole = ""
    for path in paths:
        if path:
            whole = f"{whole.rstrip('/')}/{path.lstrip('/')}" if whole else path
    return whole


def _verb(callee: Value) -> str:
    """What a registering call is called: `get` for `router.get` and `add_get`."""
    return callee.text.removeprefix("add_")


def _plain(pattern: str) -> str:
    """A pattern of Django without the marks of a regular expression's ends."""
    return pattern.removeprefix("^").removesuffix("$")


@query
def routes_in(program: Program) -> Routes:
    """The names of all registrations."""
    return Routes(program)
