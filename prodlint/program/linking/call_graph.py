"""Which function runs which: every call resolved, every function handed to a framework found.

Built in rounds, since each answer can make another possible: `require('./routes')(app)` tells what `app` is inside
`routes.js`, and only then is `app.get(…)` in there known to register a handler. Rounds go on until nothing is learnt.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import msgspec

from prodlint.facts import NONE, Call, Function, FunctionKind, RegionKind, ValueKind
from prodlint.facts import Use as ResultUse
from prodlint.lazy_regex import regex
from prodlint.models.frameworks.model import Context, Exports, Framework, Registers, Role, Subclasses
from prodlint.program.linking.development_branches import Branches
from prodlint.program.linking.implicit_calls import ImplicitCall, ImplicitCalls
from prodlint.program.linking.manifests import Versions
from prodlint.program.linking.parameter_uses import LISTENS, LibraryModels, Only, ParameterUses, Place, Run, Use
from prodlint.program.linking.resolver import (
    MEMOISERS,
    RECEIVER,
    CallSite,
    Definition,
    File,
    Resolver,
    argument_of,
    keyword_of,
)
from prodlint.program.linking.run_once import runs_once
from prodlint.program.linking.targets import TOP, Api, Cls, Fn, FnMember, Inst, Module, Obj, Target, Targets

_ONCE_ONLY = frozenset({"listening", "open", "ready", "close", "exit", "error", "end", "finish", "online", "connected"})
"""Events that mark a start or an end: their listeners do not run again and again."""
_WIDEST_SEARCH = 2000
"""Values looked at for one handler argument; what needs more is no registration."""

_CAN_BE_CALLED = frozenset({ValueKind.FUNCTION, ValueKind.BINDING, ValueKind.MEMBER, ValueKind.CALL, ValueKind.OP})
_FUNCTIONS = frozenset({ValueKind.FUNCTION, ValueKind.BINDING, ValueKind.MEMBER})
_MADE = frozenset({ValueKind.BINDING, ValueKind.CALL})
"""Callees that may be what another call has made of a function: `job = partial(run, f); job()`."""
_DEEPEST_ITERATOR = 3
_THREADS = {Context.REQUEST: Context.REQUEST_THREAD, Context.BACKGROUND: Context.BACKGROUND_THREAD}
_CONTEXTS = {
    Place.TASK: Context.BACKGROUND,
    Place.THREAD: Context.REQUEST_THREAD,
    Place.BACKGROUND_THREAD: Context.BACKGROUND_THREAD,
}
_Seen = set[tuple[int, int, tuple[Target, ...]]]
_ROUTES = frozenset({"route", "url_rule", "path", "re_path", "url", "api_route"})
_VERBS = frozenset({"get", "post", "put", "patch", "delete", "all", "use", "route", "head", "options"})


class Edge(msgspec.Struct, frozen=True, gc=False):
    """`caller` runs `callee` by the call `call` of file `file`; `runs_in` says where to, if not where the caller runs.

    An implicit call (a property that is read, the beginning of a `with`) has `call` NONE and stands at `[start, end)`.
    `listens`: the callee is an event listener, so what registers it at start-up makes it run in the background.
    `certain` is False where the edge rests on a name alone.
    """

    caller: int
    callee: int
    file: int
    call: int
    runs_in: Context | None = None
    listens: bool = False
    certain: bool = True
    start: int = NONE
    end: int = NONE


class Registration(msgspec.Struct, frozen=True, gc=False):
    """The framework runs `function` because of what stands at `[start, end)` of file `file` (a call, or a decorator).

    `wrappers` are what the function is wrapped in on the way (`asyncHandler(fn)`), outermost first. `call` is the
    registering call's index in the file, or NONE. `label` says it to a reader: `GET /users`.
    """

    function: int
    framework: str
    role: Role
    context: Context
    file: int
    start: int
    end: int
    label: str
    call: int = NONE
    wrappers: tuple[Target, ...] = ()
    certain: bool = True


class CallGraph:
    """All calls with their targets, all edges between functions, all registrations with frameworks."""

    def __init__(
        self,
        resolver: Resolver,
        frameworks: Sequence[Framework],
        versions: Versions,
        handlers: Sequence[str] = (),
        offloaders: Sequence[str] = (),
    ) -> None:
        """`versions`: the manifests, which say where a framework is used. `handlers`: dotted names of the project's own
        handler decorators and registration functions; `offloaders`: of its functions that run what they are given in a
        thread."""
        self.resolver = resolver
        self.targets: list[list[Targets]] = [[()] * len(file.facts.calls) for file in resolver.files]
        self.edges: dict[int, list[Edge]] = defaultdict(list)
        self.registrations: list[Registration] = []
        self.entries: list[Registration] = []
        """What the frameworks run, each by the registration that it is run for: the registered functions, where their
        decorators have them run; what these decorators made around them; and the functions that a registration helper
        wraps: `route(path, f)` registers `(req, res) => res.send(f(req))`."""
        self._described: dict[Registration, tuple[Registers | Subclasses | Exports, int]] = {}
        """What describes a registration, and how many of the function's decorators stand above what registers it."""
        self.serving: set[int] = set()
        """Files that create an app, or listen."""
        self.branches = Branches()
        self._own_handlers = frozenset(handlers)
        self._registers: dict[str, list[tuple[Framework, Registers]]] = defaultdict(list)
        self._decorates: dict[str, list[tuple[Framework, Registers]]] = defaultdict(list)
        self._models = LibraryModels(frameworks)
        self._offloaders = tuple(offloaders)
        self._serves: dict[str, Framework] = {}
        self._subclasses: list[tuple[Framework, Subclasses]] = []
        self._versions = versions
        self._frameworks = frameworks
        self._shapes = [shape for framework in frameworks for shape in framework.shapes]
        self._exports = [(framework, exports) for framework in frameworks for exports in framework.exports]
        for framework in frameworks:
            self._add(framework)
        self._seen: set[tuple[int, int, int]] = set()
        self._known_edges: set[Edge] = set()
        self._known_entries: set[Registration] = set()
        self._kept: set[int] = set()
        self._link()

    def _add(self, framework: Framework) -> None:
        for registers in framework.registers:
            table = self._decorates if registers.decorates else self._registers
            for api in registers.apis:
                table[api].append((framework, registers))
        self._serves.update(dict.fromkeys(framework.serves, framework))
        self._subclasses += [(framework, subclasses) for subclasses in framework.subclasses]

    # ------------------------------------------------------------------ rounds

    def _link(self) -> None:
        """Resolve all calls with what is known of callers and of what frameworks pass, take note of what that tells,
        and resolve again what it bears on, until there is no more. What a round tells is learnt at its end, so the
        order within it does not matter."""
        self.resolver.learn_properties()
        exported = list(self._exported_handlers())
        self.resolver.learn(
            (),
            [each for function, _, exports in exported for each in self._parameters(function, exports)],
        )
        sites = self._call_sites()
        pending: Iterable[CallSite] = sites
        while pending:
            while pending:
                calls: list[tuple[int, CallSite]] = []
                parameters: list[tuple[int, int, Api]] = []
                self._resolve(pending, calls, parameters)
                pending = self.resolver.learn(calls, parameters)
            unknown = [site for site in sites if self._is_unknown(self.targets[site.file.index][site.index])]
            parameters = [
                each for site in unknown if self._may_be_route(site) for each in self._parameters_by_shape(site)
            ]
            pending = self.resolver.learn((), [*parameters, *self._parameters_of_decorated()])
        self.resolver.freeze()
        for file in self.resolver.files:
            self._register_calls(file)
            self._register_decorated(file)
        self._register_classes()
        for function, framework, exports in exported:
            self._register_exported(function, framework, exports)
        self._connect()

    def _parameters_of_decorated(self) -> Iterator[tuple[int, int, Api]]:
        """What frameworks pass to the functions of Python that are handed to them by a decorator."""
        for function, (file, fact) in enumerate(self.resolver.functions):
            for decorator in fact.decorators if file.is_python and fact.params else ():
                for target in self.resolver.resolve(file, decorator):
                    for _, registers in self._decorates.get(target.path, ()) if isinstance(target, Api) else ():
                        yield from self._parameters(function, registers)

    def _call_sites(self) -> list[CallSite]:
        return [CallSite(file, index) for file in self.resolver.files for index in range(len(file.facts.calls))]

    def _is_unknown(self, targets: Targets) -> bool:
        """Whether nothing is known of what a call can call."""
        return not targets or targets[0] is TOP  # which comes last

    def _resolve(
        self, sites: Iterable[CallSite], calls: list[tuple[int, CallSite]], parameters: list[tuple[int, int, Api]]
    ) -> None:
        """Resolve calls, and add to `calls` and `parameters` what that tells."""
        resolver = self.resolver
        for site in sites:
            file, call = site.file, site.call
            resolver.site = site
            targets = self.targets[file.index][site.index] = resolver.resolve(file, call.callee)
            for target in targets:
                if not isinstance(target, Api):
                    calls += [(function, site) for function in resolver.callables(target)]
                elif target.path in self._registers:
                    for _, registers in self._registers[target.path]:
                        if registers.params and self._applies(file, call, registers):
                            for function, _ in self._handed_over(file, call, registers):
                                parameters += self._parameters(function, registers)
        resolver.site = None

    def _parameters(self, function: int, registers: Registers | Subclasses | Exports) -> Iterator[tuple[int, int, Api]]:
        """What a framework passes to a function: function, position, what."""
        names = registers.params
        if names[:1] == ("express.req",) and len(self.resolver.functions[function][1].params) == 4 > len(names):
            names = ("", *names)
        yield from ((function, position, Api(name)) for position, name in enumerate(names) if name)
        if isinstance(registers, Registers) and registers.receiver:
            yield function, RECEIVER, Api(registers.receiver)

    # ------------------------------------------------------------------ registrations

    def _applies(self, file: File, call: Call, registers: Registers) -> bool:
        if not registers.event:
            return True
        first = file.facts.values[call.args[0]] if call.args else None
        return first is not None and first.kind is ValueKind.STRING and first.text in registers.event

    def _handed_over(self, file: File, call: Call, registers: Registers) -> Iterator[tuple[int, tuple[Target, ...]]]:
        """The functions that a registering call hands to the framework, with what they are wrapped in."""
        positional = len(call.args) - len(call.keywords)
        for argument in call.args[registers.first : min(registers.last or positional, positional)]:
            yield from self.handlers(file, argument, registers.methods)
        for keyword in registers.keywords:
            argument = keyword_of(call, keyword)
            if argument != NONE:
                yield from self.handlers(file, argument, registers.methods)
        for argument in call.args[:positional] if registers.properties else ():
            for target in self.resolver.resolve(file, argument):
                yield from self._of_object(target, registers, 0)

    def _of_object(self, target: Target, registers: Registers, depth: int) -> Iterator[tuple[int, tuple[Target, ...]]]:
        """Functions in the `properties` of an object, a module, or the objects of an array."""
        if not isinstance(target, (Obj, Module)) or depth > 3:
            return
        if isinstance(target, Module):
            for whole in self.resolver.module_object_of(target):
                yield from self._of_object(whole, registers, depth + 1)
        elif self._is_array(target):
            for inner in self.resolver.elements(target):
                yield from self._of_object(inner, registers, depth + 1)
            return
        for path in registers.properties:
            for file, value in self._at_path(target, path):
                yield from self.handlers(file, value, registers.methods)

    def _at_path(self, target: Target, path: str) -> Iterator[Definition]:
        """What defines the members of a target at a dotted path, in which `*` stands for every name. An object that a
        function answers (`fields: () => ({…})`) is looked into."""
        name, _, rest = path.partition(".")
        for member in self.resolver.member_names(target) if name == "*" else (name,):
            for file, value in self.resolver.definitions(target, member):
                if not rest:
                    yield file, value
                    continue
                for inner in self.resolver.resolve(file, value):
                    for base in self._objects_of(inner):
                        yield from self._at_path(base, rest)

    def _objects_of(self, target: Target) -> Iterator[Target]:
        """A target; the objects of an array, and what a function or a module that is one answers in its place."""
        if isinstance(target, Fn):
            file = self.resolver.functions[target.id][0]
            for value in file.returns.get(target.id - file.fn_base, ()):
                yield from (hit for hit in self.resolver.resolve(file, value) if isinstance(hit, Obj))
        elif isinstance(target, Obj) and self._is_array(target):
            yield from self.resolver.elements(target)
        else:
            yield target

    def _is_array(self, target: Obj) -> bool:
        return self.resolver.files[target.file].facts.values[target.value].kind is ValueKind.ARRAY

    def handlers(
        self,
        file: File,
        value: int,
        methods: tuple[str, ...] = (),
        wrappers: tuple[Target, ...] = (),
        seen: _Seen | None = None,
    ) -> Iterator[tuple[int, tuple[Target, ...]]]:
        """The functions that a value in a handler's place stands for, each with what wraps it.

        Arrays, wrappers (`asyncHandler(fn)`), factories (`auth()` that returns a function), `.bind`, registration
        helpers (a parameter is followed to every caller) and view classes are looked through.
        """
        seen = set() if seen is None else seen
        key = (file.index, value, wrappers)
        if key in seen or value == NONE or len(wrappers) > 4 or len(seen) > _WIDEST_SEARCH:
            return
        seen.add(key)
        for owner, item in self.resolver.origins(file, value):
            fact = owner.facts.values[item]
            if fact.kind is ValueKind.FUNCTION:
                yield owner.fn_base + fact.ref, wrappers
            elif fact.kind is ValueKind.ARRAY:
                for element in fact.items:
                    yield from self.handlers(owner, element, methods, wrappers, seen)
            elif fact.kind in (ValueKind.SPREAD, ValueKind.ELEMENT):
                for target in self.resolver.resolve(owner, fact.ref):
                    if isinstance(target, Obj):
                        yield from self.handlers(
                            self.resolver.files[target.file], target.value, methods, wrappers, seen
                        )
            elif fact.kind is ValueKind.PARAM:
                yield from self._passed_in(owner, fact.ref, fact.items[0] if fact.items else 0, methods, wrappers, seen)
            elif fact.kind is ValueKind.CALL:
                yield from self._made_by(owner, owner.facts.calls[fact.ref], item, methods, wrappers, seen)
            else:
                for target in self.resolver.resolve(owner, item):
                    yield from ((function, wrappers) for function in self._functions_of(target, methods))

    def _functions_of(self, target: Target, methods: tuple[str, ...]) -> Iterator[int]:
        if isinstance(target, Fn):
            yield target.id
        elif isinstance(target, (Cls, Inst)) and methods:
            instance = Inst(target.id)
            for method in methods:
                for hit in self.resolver.member(instance, method):
                    if isinstance(hit, Fn):
                        yield hit.id
        elif isinstance(target, Inst):
            yield from self.resolver.callables(target)

    def _passed_in(
        self,
        file: File,
        function: int,
        position: int,
        methods: tuple[str, ...],
        wrappers: tuple[Target, ...],
        seen: _Seen,
    ) -> Iterator[tuple[int, tuple[Target, ...]]]:
        """A parameter stands for what every caller passes: a registration helper."""
        fact = file.facts.functions[function]
        rest = position < len(fact.params) and fact.params[position].kind.name == "REST"
        for site in self.resolver.callers_of(file.fn_base + function):
            positional = len(site.call.args) - len(site.call.keywords)
            passed = site.call.args[position : positional if rest else min(position + 1, positional)]
            for argument in passed:
                yield from self.handlers(site.file, argument, methods, wrappers, seen)

    def _made_by(
        self, file: File, call: Call, value: int, methods: tuple[str, ...], wrappers: tuple[Target, ...], seen: _Seen
    ) -> Iterator[tuple[int, tuple[Target, ...]]]:
        """A call in a handler's place: a wrapper around functions that it is given, or a factory."""
        callee = file.facts.values[call.callee]
        if callee.kind is ValueKind.MEMBER and callee.text in ("bind", "as_view", "as_asgi"):
            yield from self.handlers(file, callee.ref, methods, wrappers, seen)
            return
        made_by = self.resolver.resolve(file, call.callee)
        if any(isinstance(target, Api) and target.path in self._registers for target in made_by):
            return  # `app.use(express.Router().get(…))`: found where it is registered
        around = tuple(self._wrapper(target) for target in made_by[:1])
        inner = [
            found
            for argument in call.args
            if self._is_function(file, argument)
            for found in self.handlers(file, argument, methods, (*wrappers, *around), seen)
        ]
        yield from inner
        wrapped = {function for function, _ in inner}
        for target in self.resolver.resolve(file, value):
            for function in self._functions_of(target, methods):
                if function not in wrapped:
                    yield function, wrappers

    def _wrapper(self, target: Target) -> Target:
        """The function behind a module that is one (`module.exports = function wrap(fn) …`)."""
        functions = [] if isinstance(target, Api) else self.resolver.callables(target)
        return Fn(functions[0]) if functions else target

    def _is_function(self, file: File, value: int) -> bool:
        fact = file.facts.values[value]
        if fact.kind in (ValueKind.FUNCTION, ValueKind.CALL, ValueKind.PARAM, ValueKind.ARRAY):
            return True
        return any(isinstance(target, Fn) for target in self.resolver.resolve(file, value))

    def _register_calls(self, file: File) -> None:
        dev_only = self.branches.dev_regions(file)
        for index, call in enumerate(file.facts.calls):
            if dev_only[call.region]:
                continue
            targets = self.targets[file.index][index]
            for target in targets:
                if isinstance(target, Api):
                    if target.path in self._serves:
                        self.serving.add(file.index)
                    for framework, registers in self._registers.get(target.path, ()):
                        if self._applies(file, call, registers):
                            self._hand_over(file, index, framework, registers, certain=True)
            if self._is_unknown(targets):
                site = CallSite(file, index)
                if self._may_be_route(site):
                    self._register_by_shape(site)

    def _hand_over(self, file: File, index: int, framework: Framework, registers: Registers, *, certain: bool) -> None:
        call = file.facts.calls[index]
        label = self._label(file, call)
        for function, wrappers in self._handed_over(file, call, registers):
            self._register(
                function, framework.name, registers, file.index, call.start, call.end, label, index, wrappers, certain
            )

    def _register(
        self,
        function: int,
        framework: str,
        registers: Registers | Subclasses | Exports,
        file: int,
        start: int,
        end: int,
        label: str,
        call: int = NONE,
        wrappers: tuple[Target, ...] = (),
        certain: bool = True,
        above: int = 0,
    ) -> None:
        key = (function, file, start)
        if key in self._seen:
            return
        self._seen.add(key)
        fact = self.resolver.functions[function][1]
        context = registers.context
        thread = None if isinstance(registers, Exports) else registers.thread
        if thread is not None and not fact.is_async and self.resolver.functions[function][0].is_python:
            context = thread
        role = registers.role
        if registers.params[:1] == ("express.req",) and len(fact.params) == 4 > len(registers.params):
            role = Role.ERROR_HANDLER
        registration = Registration(
            function, framework, role, context, file, start, end, label, call, wrappers, certain
        )
        self.registrations.append(registration)
        self._described[registration] = (registers, above)

    def _label(self, file: File, call: Call) -> str:
        """How a reader would name what a call registers: `GET /users`, `the event "login"`, `the middleware`."""
        callee = file.facts.values[call.callee]
        verb = callee.text.removeprefix("add_") if callee.kind is ValueKind.MEMBER else ""
        first = file.facts.values[call.args[0]] if call.args else None
        text = first.text if first is not None and first.kind is ValueKind.STRING else ""
        if verb == "use":
            return f"the middleware of {text}" if text else "the middleware"
        if verb in LISTENS:
            return f'the event "{text}"' if text else "an event"
        if verb in _ROUTES:
            return text or "a route"
        return f"{verb.upper() if verb in _VERBS else verb} {text}".strip()

    def _may_be_route(self, site: CallSite) -> bool:
        """Whether a call is written like `x.get('/path', (req, res) => …)`."""
        callee = site.file.facts.values[site.call.callee]
        if site.file.is_python or callee.kind is not ValueKind.MEMBER or len(site.call.args) < 2:
            return False
        first = site.file.facts.values[site.call.args[0]]
        is_route = callee.text in _VERBS and first.text.startswith("/")
        return first.kind is ValueKind.STRING and (is_route or callee.text == "param")

    def _by_shape(self, site: CallSite) -> Iterator[tuple[int, tuple[Target, ...], Framework, Registers]]:
        """What `x.get('/path', (req, res) => …)` registers, on an `x` that nothing tells about: the shape says what it
        is."""
        is_param = site.file.facts.values[site.call.callee].text == "param"
        for argument in site.call.args[1:]:
            for function, wrappers in self.handlers(site.file, argument):
                shape = self._param_shape(function) if is_param else self._shape(function)
                if shape is not None:
                    yield function, wrappers, *shape

    def _parameters_by_shape(self, site: CallSite) -> Iterator[tuple[int, int, Api]]:
        for function, _, _, registers in self._by_shape(site):
            yield from self._parameters(function, registers)

    def _register_by_shape(self, site: CallSite) -> None:
        file, call = site.file, site.call
        label = self._label(file, call)
        for function, wrappers, framework, registers in list(self._by_shape(site)):
            self._register(
                function, framework.name, registers, file.index, call.start, call.end, label, site.index, wrappers
            )

    def _shape(self, function: int) -> tuple[Framework, Registers] | None:
        """The framework whose handlers have the parameters of `function`: (req, res[, next]) or (ctx[, next])."""
        names = [param.name.lower().lstrip("_") for param in self.resolver.functions[function][1].params]
        for shape in self._shapes:
            if len(shape.names) <= len(names) <= shape.most and all(
                name in known for known, name in zip(shape.names, names, strict=False)
            ):
                return self._registers[shape.registered_by][0]
        return None

    def _param_shape(self, function: int) -> tuple[Framework, Registers] | None:
        """Express, where `function` is what `app.param` takes: (req, res, next, value[, name])."""
        names = [param.name for param in self.resolver.functions[function][1].params]
        if self._shape(function) is None or not 4 <= len(names) <= 5 or names[2] != "next":
            return None
        return self._registers["express().param"][0]

    def _register_decorated(self, file: File) -> None:
        for number, function in enumerate(file.facts.functions):
            for position, decorator in enumerate(function.decorators):
                self._register_decorator(file, decorator, [file.fn_base + number], above=position + 1)
        for number, cls in enumerate(file.facts.classes):
            for decorator in cls.decorators:
                self._register_decorator(file, decorator, [], Cls(file.cls_base + number))

    def _register_decorator(
        self, file: File, decorator: int, functions: list[int], cls: Cls | None = None, above: int = 0
    ) -> None:
        fact = file.facts.values[decorator]
        call = file.facts.calls[fact.ref] if fact.kind is ValueKind.CALL else None
        place = (call.start, call.end) if call is not None else None
        found = [
            entry
            for target in self.resolver.resolve(file, decorator)
            if isinstance(target, Api)
            for entry in self._decorates.get(target.path, ())
        ]
        if not found and call is not None:
            found = self._decorator_by_shape(file, call) or self._command_of_group(file, call)
        if not found and self._own_handlers and self._is_own(file, decorator, call):
            found = self._decorates["fastapi.FastAPI().get()"][:1]
        for framework, registers in found:
            if call is not None and not self._applies(file, call, registers):
                continue
            label = self._label(file, call) if call is not None else file.facts.values[decorator].text
            for function in functions or (list(self._functions_of(cls, registers.methods)) if cls else []):
                fn = self.resolver.functions[function][1]
                start, end = place or (fn.name_start, fn.name_end)
                self._register(
                    function,
                    framework.name,
                    registers,
                    file.index,
                    start,
                    end,
                    label,
                    fact.ref if call is not None else NONE,
                    above=above,
                )

    def _command_of_group(self, file: File, call: Call) -> list[tuple[Framework, Registers]]:
        """`@cli.command()`, where `cli` is the function that is the group."""
        for target in self.resolver.resolve(file, call.callee):
            if isinstance(target, FnMember) and target.name in ("command", "group", "callback"):
                owner, function = self.resolver.functions[target.id]
                for decorator in function.decorators:
                    for api in self.resolver.resolve(owner, decorator):
                        known = self._decorates.get(api.path, []) if isinstance(api, Api) else []
                        if any(registers.role is Role.COMMAND for _, registers in known):
                            return known[:1]
        return []

    def _is_own(self, file: File, decorator: int, call: Call | None) -> bool:
        for owner, value in self.resolver.origins(file, call.callee if call is not None else decorator):
            name = self._dotted(owner, value)
            if any(name == own or name.endswith("." + own) for own in self._own_handlers):
                return True
        return False

    def _dotted(self, file: File, value: int) -> str:
        """`package.module.name` of a function of the program or of an API."""
        fact = file.facts.values[value]
        if fact.kind is ValueKind.FUNCTION:
            stem = file.path.rsplit(".", 1)[0].removesuffix("/__init__").replace("/", ".")
            return f"{stem}.{file.facts.functions[fact.ref].name}"
        return self.resolver.api_of(file, value)

    def _decorator_by_shape(self, file: File, call: Call) -> list[tuple[Framework, Registers]]:
        """`@x.get("/path")` on an `x` that comes from outside the program, in a file that imports the framework."""
        callee = file.facts.values[call.callee]
        if callee.kind is not ValueKind.MEMBER or callee.text not in _VERBS or not call.args:
            return []
        first = file.facts.values[call.args[0]]
        if first.kind is not ValueKind.STRING or not first.text.startswith("/"):
            return []
        if self.resolver.resolve(file, callee.ref):
            return []
        packages = {module.module.split(".")[0] for module in file.facts.imports}
        for framework in self._frameworks:
            if framework.route_decorator and framework.package in packages:
                return self._decorates[framework.route_decorator][:1]
        return []

    def _exported_handlers(self) -> Iterator[tuple[int, Framework, Exports]]:
        """The functions that frameworks run because of where the files lie that export them."""
        wanted = [(framework, exports, regex(exports.files)) for framework, exports in self._exports]
        for file in self.resolver.files:
            if file.is_python:
                continue
            folder = self._versions.package_folder(file.path)
            place = file.path[len(folder) :].lstrip("/")
            for framework, exports, files in wanted:
                if exports.directive:
                    is_meant = any(prologue.text == exports.directive for prologue in file.facts.prologues)
                else:
                    is_meant = files.fullmatch(place) is not None and not self._is_for_clients(file)
                if is_meant and self._versions.required(file.path, framework.package) is not None:
                    found = self._under(file, exports.directive) if exports.directive else self._named(file, exports)
                    for function in dict.fromkeys(found):
                        yield function, framework, exports

    def _is_for_clients(self, file: File) -> bool:
        return any(prologue.text == "use client" and prologue.function == 0 for prologue in file.facts.prologues)

    def _named(self, file: File, exports: Exports) -> Iterator[int]:
        """The functions that a file exports under the names of `exports`, wrapped in whatever."""
        for path in exports.names:
            for owner, value in self._at_path(Module(file.index), path):
                yield from (function for function, _ in self.handlers(owner, value))

    def _under(self, file: File, directive: str) -> Iterator[int]:
        """The functions that begin with a directive, or all that a module exports which does."""
        for prologue in file.facts.prologues:
            if prologue.text == directive and prologue.function:
                yield file.fn_base + prologue.function
            elif prologue.text == directive:
                for export in file.facts.exports:
                    yield from (function for function, _ in self.handlers(file, export.value))

    def _register_exported(self, function: int, framework: Framework, exports: Exports) -> None:
        file, fact = self.resolver.functions[function]
        self._register(
            function,
            framework.name,
            exports,
            file.index,
            fact.name_start,
            fact.name_end,
            fact.name or file.path,
            certain=exports.certain,
        )

    def _register_classes(self) -> None:
        for number, (file, cls) in enumerate(self.resolver.classes):
            if not cls.bases and not cls.decorators:
                continue
            bases = {base.path for base in self.resolver.bases_of(number) if isinstance(base, Api)}
            decorators = {
                target.path
                for value in cls.decorators
                for target in self.resolver.resolve(file, value)
                if isinstance(target, Api)
            }
            for framework, subclasses in self._subclasses:
                if _matches(bases, subclasses.bases) or _matches(decorators, subclasses.decorators):
                    self._register_class(number, framework, subclasses)

    def _register_class(self, number: int, framework: Framework, subclasses: Subclasses) -> None:
        file, cls = self.resolver.classes[number]
        for name, member in zip(cls.names, cls.members, strict=False):
            value = file.facts.values[member]
            if value.kind is not ValueKind.FUNCTION:
                continue
            function = file.facts.functions[value.ref]
            label = name
            if subclasses.methods and not subclasses.method_decorators:
                if name not in subclasses.methods and not self._has_action(file, function.decorators):
                    continue
            elif not any(
                isinstance(target, Api) and target.path in subclasses.method_decorators
                for decorator in function.decorators
                for target in self.resolver.resolve(file, decorator)
            ):
                continue
            self._register(
                file.fn_base + value.ref,
                framework.name,
                subclasses,
                file.index,
                function.name_start,
                function.name_end,
                f"{cls.name}.{label}",
            )

    def _has_action(self, file: File, decorators: Iterable[int]) -> bool:
        return any(
            self.resolver.api_of(file, decorator) == "rest_framework.decorators.action()" for decorator in decorators
        )

    # ------------------------------------------------------------------ edges

    def _connect(self) -> None:
        self._kept = set(self._memoised())
        self._registrations_of: dict[int, list[Registration]] = defaultdict(list)
        for registration in self.registrations:
            self._registrations_of[registration.function].append(registration)
        self._registered = self._registrations_of.keys()
        self.uses = ParameterUses(
            self.resolver, self.targets, self._models, self._registered, self._registers_call, self._offloaders
        )
        self.entries = [entry for registration in self.registrations for entry in self._entries(registration)]
        for file in self.resolver.files:
            dev_only = self.branches.dev_regions(file)
            for index, call in enumerate(file.facts.calls):
                if not dev_only[call.region]:
                    self._connect_call(file, index, call)
        self._connect_getters()
        implicit = ImplicitCalls(self.resolver, self.targets)
        self.entries += [entry for each in self.registrations for entry in self._validators(each, implicit)]
        for file in self.resolver.files:
            for found in implicit.of(file):
                self._connect_implicit(file, found)

    def _connect_getters(self) -> None:
        """Reading a member runs the getter that it is: what a call is made on, and what it is given."""
        names = {
            fact.name
            for file, fact in self.resolver.functions
            if fact.kind is FunctionKind.ACCESSOR and not file.is_python
        }
        for file in self.resolver.files if names else ():
            read = {
                value: getters
                for name in sorted(names & file.members.keys())
                for value in file.members[name]
                if (getters := self._getters(file, value))
            }
            for index, call in enumerate(file.facts.calls if read else ()):
                for value in _read_by(file, call):
                    for getter in read.get(value, ()):
                        self._connect_run(file, index, Run(getter))

    def _getters(self, file: File, value: int) -> list[int]:
        """The getters that reading a member runs."""
        fact = file.facts.values[value]
        return [
            owner.fn_base + getter
            for target in self.resolver.resolve(file, fact.ref)
            for owner, defined in self.resolver.definitions(target, fact.text)
            if (getter := self.resolver.getter(owner, defined)) is not None
        ]

    def _validators(self, registration: Registration, implicit: ImplicitCalls) -> Iterator[Registration]:
        """What FastAPI runs on the event loop to read a request's body for a handler: validators of pydantic's."""
        file, fact = self.resolver.functions[registration.function]
        if registration.framework != "fastapi" or registration.role not in (Role.HANDLER, Role.DEPENDENCY):
            return
        for param in fact.params:
            for target in self.resolver.declared(file, param.annotation) if param.annotation != NONE else ():
                for each in (target,) if isinstance(target, Inst) else self.resolver.elements(target):
                    if isinstance(each, Inst):
                        for validator in implicit.validated(each.id):
                            yield msgspec.structs.replace(registration, function=validator, context=Context.REQUEST)

    def _connect_implicit(self, file: File, found: ImplicitCall) -> None:
        if self.branches.dev_only(file, found.region):
            return
        caller = file.function_at(found.region)
        runs_in = self._settled(found.callee, None)
        edge = Edge(caller, found.callee, file.index, found.call, runs_in, False, found.is_sure, found.start, found.end)
        key = msgspec.structs.replace(edge, start=NONE, end=NONE)
        if caller != found.callee and key not in self._known_edges:
            self._known_edges.add(key)
            self.edges[caller].append(edge)

    def _memoised(self) -> Iterator[int]:
        """The functions without parameters whose one answer is kept: `@cache`, `once(function () {…})`."""
        for function, (file, fact) in enumerate(self.resolver.functions):
            if not fact.params and any(self.resolver.api_of(file, value) in MEMOISERS for value in fact.decorators):
                yield function
        for file in self.resolver.files:
            for index, call in enumerate(file.facts.calls):
                for api in self.targets[file.index][index] if call.args else ():
                    if isinstance(api, Api) and api.path in MEMOISERS:
                        for target in self.resolver.resolve(file, call.args[0]):
                            if isinstance(target, Fn) and not self.resolver.functions[target.id][1].params:
                                yield target.id

    @cached_property
    def edges_to(self) -> Mapping[int, list[Edge]]:
        """The edges by the function that is run, where `edges` has them by the one that runs it."""
        found: dict[int, list[Edge]] = defaultdict(list)
        for edges in self.edges.values():
            for edge in edges:
                found[edge.callee].append(edge)
        return found

    def _registers_call(self, file: File, call: Call, path: str) -> bool:
        """Whether a call of an API hands functions to a framework: they are found as handlers."""
        return any(self._applies(file, call, registers) for _, registers in self._registers.get(path, ()))

    def _connect_call(self, file: File, index: int, call: Call) -> None:
        targets = self.targets[file.index][index]
        own: list[int] = []
        for target in targets:
            if isinstance(target, Api):
                if target.path in self._registers and self._registers_call(file, call, target.path):
                    return
            else:
                own += self.resolver.callables(target)
        kind = file.facts.values[call.callee].kind
        if kind is not ValueKind.PARAM and (own or kind in _MADE):
            self._connect_called(file, index, call, own)
        self._connect_arguments(file, index, call, bool(own))

    def _connect_called(self, file: File, index: int, call: Call, own: list[int]) -> None:
        """The functions that a call runs itself: what it calls, what that is wrapped in, what that has captured."""
        runs = {run for function in own for run in self.uses.runs_of(function)}
        is_made = file.facts.values[call.callee].kind in _MADE
        if is_made or any(self.resolver.functions[function][1].parent > 0 for function in own):
            runs |= self.uses.runs(file, call.callee)
        for function in own:
            self._connect_defaults(file, index, call, function)
        if self._is_passed(file, call):
            runs = {run._replace(sure=False) for run in runs}
        once = runs_once(file.facts, call)
        for run in sorted(runs):
            fact = self.resolver.functions[run.function][1]
            if once:
                self._connect_run(file, index, run, Context.STARTUP)
            elif run.place is not Place.HERE:
                self._connect_run(file, index, run)
            elif fact.is_generator and not fact.is_async and not fact.decorators:
                for use in self._iterations(file, index, 0):
                    self._connect_use(file, index, run, use)
            else:
                for place in self._awaited(file, index, call, fact):
                    self._connect_use(file, index, run, Use(place))

    def _connect_defaults(self, file: File, index: int, call: Call, function: int) -> None:
        """What a called function runs because it is the default of a parameter that this call does not give."""
        owner, fact = self.resolver.functions[function]
        for position, param in enumerate(fact.params):
            if param.default == NONE or owner.facts.values[param.default].kind not in _FUNCTIONS:
                continue
            if argument_of(call, fact, position) == NONE and (runs := self.uses.runs(owner, param.default)):
                self._connect_uses(file, index, runs, self.uses.of_default(function, position))

    def _is_passed(self, file: File, call: Call) -> bool:
        """Whether a call runs what somebody passed, if by a variable: `callback = callback || nothing; callback()`. Of
        all that are ever passed, only one is what this way passes; `uses` says so where it can be told."""
        callee = file.facts.values[call.callee]
        return callee.kind is ValueKind.BINDING and any(
            fact.kind is ValueKind.PARAM
            or (
                fact.kind is ValueKind.OP
                and any(file.facts.values[item].kind is ValueKind.PARAM for item in fact.items)
            )
            for fact in (file.facts.values[value] for value in file.facts.bindings[callee.ref].values)
        )

    def _awaited(self, file: File, index: int, call: Call, fact: Function) -> set[Place]:
        """Where the body of a called function runs: of a coroutine, where it is taken (`create_task(f())`)."""
        if not fact.is_async or not file.is_python or call.use not in (ResultUse.ARGUMENT, ResultUse.ASSIGNED):
            return {Place.HERE}
        uses = [use for use in self.uses.of_result(file, index) if use.only in (Only.ANY, Only.COROUTINE) and use.sure]
        places = {Place.TASK if use.place is Place.TASK else Place.HERE for use in uses if use.place is not Place.KEPT}
        return places or {Place.HERE}

    def _iterations(self, file: File, index: int, depth: int) -> Iterator[Use]:
        """Where what a call answers is iterated over; by the callers, where the function returns it."""
        for use in self.uses.of_result(file, index):
            if use.only not in (Only.ANY, Only.ITERATOR) or use.place is Place.KEPT:
                continue
            if not use.calls:
                yield use
            elif use.calls == 1 and depth < _DEEPEST_ITERATOR:
                function = file.function_at(file.facts.calls[index].region)
                for site in self.resolver.callers.get(function, ()):
                    for outer in self._iterations(site.file, site.index, depth + 1):
                        at = site.file.function_at(site.call.region)
                        yield outer._replace(inside=at if outer.inside == NONE else outer.inside)
                if function in self._registered:
                    yield use._replace(calls=0, sure=False)

    def _connect_arguments(self, file: File, index: int, call: Call, own: bool) -> None:
        """Functions that are handed to a call run because of it: a callback, a listener, a job for a thread."""
        for position, argument in enumerate(call.args):
            fact = file.facts.values[argument]
            if fact.kind in (ValueKind.OBJECT, ValueKind.ARRAY):
                for number, item in enumerate(fact.items):
                    inner = file.facts.values[item]
                    if inner.kind is ValueKind.FUNCTION:
                        is_array = fact.kind is ValueKind.ARRAY
                        uses = self.uses.of_argument(file, index, position, number if is_array else fact.names[number])
                        run = Run(file.fn_base + inner.ref)
                        self._connect_uses(file, index, [run], [use for use in uses if use.sure or not is_array])
            elif fact.kind in _CAN_BE_CALLED:
                runs = self.uses.runs(file, argument)
                if not runs:
                    continue
                found = self.uses.of_argument(file, index, position)
                if not found and own and file.facts.values[call.callee].text in LISTENS:
                    found = frozenset((Use(Place.LISTENER, sure=False),))
                self._connect_uses(file, index, runs, found)

    def _connect_uses(self, file: File, index: int, runs: Iterable[Run], uses: Iterable[Use]) -> None:
        uses = list(uses)
        in_thread = any(use.place in (Place.THREAD, Place.BACKGROUND_THREAD) for use in uses)
        for run in runs:
            fact = self.resolver.functions[run.function][1]
            is_plain = not fact.is_async and fact.kind in (FunctionKind.FUNCTION, FunctionKind.METHOD)
            for use in uses:
                if use.only in (Only.COROUTINE, Only.ITERATOR):
                    continue
                if use.only is Only.COROUTINE_FUNCTION and not fact.is_async:
                    continue
                if use.only is Only.PLAIN_FUNCTION and fact.is_async:
                    continue
                if use.only is Only.AWAITED and is_plain and in_thread:
                    continue  # `await f()` where f is a coroutine function, else in a thread
                self._connect_use(file, index, run, use)

    def _connect_use(self, file: File, index: int, run: Run, use: Use) -> None:
        place = run.place if run.place is not Place.HERE else use.place
        inside = run.inside if run.inside != NONE else use.inside
        self._connect_run(file, index, Run(run.function, place, run.sure and use.sure, inside))

    def _connect_run(self, file: File, index: int, run: Run, runs_in: Context | None = None) -> None:
        call = file.facts.calls[index]
        caller = run.inside if run.inside != NONE else file.function_at(call.region)
        if run.inside in self._registered and run.place in (Place.HERE, Place.LATER):
            self._wrap(file, call, index, run)
            return
        listens = run.place is Place.LISTENER and self._event(file, call) not in _ONCE_ONLY
        runs_in = self._settled(run.function, _CONTEXTS.get(run.place) if runs_in is None else runs_in)
        edge = Edge(caller, run.function, file.index, index, runs_in, listens, run.sure)
        if edge not in self._known_edges:
            self._known_edges.add(edge)
            self.edges[caller].append(edge)

    def _wrap(self, file: File, call: Call, index: int, run: Run) -> None:
        """A function is run by a registered one that was made around it: for what its own registration says."""
        values = (file.facts.values[argument] for argument in call.args)
        path = next((fact.text for fact in values if fact.kind is ValueKind.STRING and fact.text[:1] == "/"), "")
        for each in self._registrations_of[run.inside]:
            wrapped = Registration(
                run.function,
                each.framework,
                each.role,
                each.context,
                file.index,
                call.start,
                call.end,
                path,
                index,
                certain=each.certain and run.sure,
            )
            if wrapped not in self._known_entries:
                self._known_entries.add(wrapped)
                self.entries.append(wrapped)

    def _entries(self, registration: Registration) -> Iterator[Registration]:
        """What a framework runs for a registration."""
        file, fact = self.resolver.functions[registration.function]
        registers, above = self._described[registration]
        runs = self.uses.runs_of(registration.function, above) if file.is_python else ()
        around = [self.resolver.functions[run.function][1] for run in runs if run.function != registration.function]
        if not around:
            yield registration
            return
        context = registration.context
        places = {run.place for run in runs if run.function == registration.function and run.sure}
        if not fact.is_async and any(wrapper.is_async for wrapper in around):
            context = registers.context
        if places and Place.HERE not in places and not fact.is_async:
            context = _THREADS.get(context, context)
        yield msgspec.structs.replace(registration, context=context)
        for run in runs:
            wrapper = self.resolver.functions[run.function][1]
            if run.function != registration.function and run.place is Place.HERE:
                thread = None if wrapper.is_async or isinstance(registers, Exports) else registers.thread
                yield msgspec.structs.replace(
                    registration,
                    function=run.function,
                    context=registers.context if thread is None else thread,
                    certain=registration.certain and run.sure,
                )

    def _settled(self, callee: int, runs_in: Context | None) -> Context | None:
        """Where a called function really runs: one whose answer is kept as if at start-up, since only the first request
        waits for it, and a coroutine never in a thread, whoever takes it."""
        if callee in self._kept:
            return Context.STARTUP
        is_async = self.resolver.functions[callee][1].is_async
        return None if is_async and runs_in is Context.REQUEST_THREAD else runs_in

    def _event(self, file: File, call: Call) -> str:
        first = file.facts.values[call.args[0]] if call.args else None
        return first.text if first is not None and first.kind is ValueKind.STRING else ""


def _read_by(file: File, call: Call) -> Iterator[int]:
    """The members that are read where a call is made."""
    waiting = [call.callee, *call.args]
    while waiting:
        value = waiting.pop()
        fact = file.facts.values[value]
        if fact.kind is ValueKind.MEMBER:
            yield value
            waiting.append(fact.ref)
        elif fact.kind in (ValueKind.OP, ValueKind.TEMPLATE):
            waiting += fact.items
        elif fact.kind is ValueKind.AWAIT:
            waiting.append(fact.ref)


def _matches(paths: set[str], patterns: Iterable[str]) -> bool:
    return any(
        path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
        for path in paths
        for pattern in patterns
    )


def aliases_of(frameworks: Iterable[Framework]) -> Mapping[str, str]:
    """Every access path that a framework knows under another name, with the canonical one."""
    return {other: canonical for framework in frameworks for other, canonical in framework.aliases}


__all__ = ["CallGraph", "Edge", "FunctionKind", "RegionKind", "Registration", "aliases_of"]
