"""An async handler of Express 4 whose rejection reaches nobody: the request hangs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import NONE, Call, ParamKind, Use, Value, ValueKind
from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix, ImportRequest, Location, Span, Step
from prodlint.models.frameworks import BY_NAME, PATCHES
from prodlint.models.frameworks.model import Role
from prodlint.program.code.control_flow import control_flow
from prodlint.program.code.process_hooks import REJECTION, fate
from prodlint.program.linking.call_graph import Registration
from prodlint.program.linking.resolver import File
from prodlint.program.linking.routes import routes_in
from prodlint.program.linking.specifiers import specifier
from prodlint.program.linking.targets import Api, Fn, Target

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_PROMISE_IGNORED = (Role.HANDLER, Role.MIDDLEWARE, Role.ERROR_HANDLER)
_NAME = "asyncHandler"
_HAS_NEXT = 3
"""The parameters of a handler that is given `next`; error middleware has another one before them."""
_NOT_ITSELF = (ValueKind.ARRAY, ValueKind.SPREAD, ValueKind.PARAM, ValueKind.ELEMENT)


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Async handlers, registered with Express 4 or Connect, that can reject with nothing in between."""
    if _is_patched(program):
        return
    unwrapped: dict[int, list[tuple[Registration, Confidence]]] = {}
    for registration in program.graph.registrations:
        if not BY_NAME[registration.framework].awaits_since or registration.role not in _PROMISE_IGNORED:
            continue
        confidence = _applies(program, registration)
        if confidence is not None:
            unwrapped.setdefault(registration.function, []).append((registration, confidence))
    for function, found in unwrapped.items():
        if control_flow(program).leaves_open(function) and not _only_wraps(program, function):
            is_certain = any(confidence is Confidence.CERTAIN for _, confidence in found)
            registrations = [registration for registration, _ in found]
            yield _finding(program, rule, registrations, Confidence.CERTAIN if is_certain else Confidence.LIKELY)


def _only_wraps(program: Program, function: int) -> bool:
    """Whether a function answers what a handler answers that it was made for, `(req, res, next) => fn(req, res, next)`:
    that one is shown."""
    file, fact = program.function(function)
    return not fact.is_async and any(
        site.call.use is Use.RETURNED
        and (callee := file.facts.values[site.call.callee]).kind is ValueKind.PARAM
        and callee.ref != function - file.fn_base
        for site in control_flow(program).calls_in(function)
    )


def _is_patched(program: Program) -> bool:
    """Whether the project makes Express 4 catch rejections itself."""
    return any(request.module in PATCHES for file in program.files for request in file.facts.imports)


def _applies(program: Program, registration: Registration) -> Confidence | None:
    """CERTAIN where the version says that rejections are lost, LIKELY where no manifest tells it."""
    file = program.files[registration.file]
    handler, fact = program.function(registration.function)
    if program.server_code(handler, fact.region) is None:
        return None
    if registration.call == NONE or any(_catches(program, wrapper) for wrapper in registration.wrappers):
        return None
    apis = [target.path for target in program.graph.targets[file.index][registration.call] if isinstance(target, Api)]
    framework = BY_NAME[registration.framework]
    if any(api.startswith(framework.awaiting_apps) for api in apis):
        return None
    if any(api.startswith(framework.dropping_apps) for api in apis):
        return Confidence.CERTAIN
    major = program.versions.major(file.path, framework.package)
    if major is not None:
        return (
            (Confidence.CERTAIN if registration.certain else Confidence.LIKELY)
            if major < (framework.awaits_since or 0)
            else None
        )
    return None if program.versions.required(file.path, framework.package) is not None else Confidence.LIKELY


def _catches(program: Program, wrapper: Target) -> bool:
    """Whether a wrapper passes on the rejection of what it wraps. Those from packages are believed; the project's own
    are judged by what they do with it: in `.catch(…)`, or around `await` inside `try`."""
    if not isinstance(wrapper, Fn):
        return True
    flow = control_flow(program)
    file, _ = program.function(wrapper.id)
    for inner in (wrapper.id, *_inside(program, file, wrapper.id)):
        for site in flow.calls_in(inner):
            callee = file.facts.values[site.call.callee]
            if callee.kind is ValueKind.MEMBER and callee.text in ("catch", "then"):
                handler = site.call.args[:1] if callee.text == "catch" else site.call.args[1:2]
                if handler and _passes_on(program, file, wrapper.id, handler[0]):
                    return True
            if callee.kind is ValueKind.PARAM and any(
                _tells(program, file, wrapper.id, at) for at in flow.catches(file, site.call.region)
            ):
                return True
    return False


def _passes_on(program: Program, file: File, wrapper: int, handler: int) -> bool:
    """Whether what a wrapper gives to `.catch` passes a rejection on: Express's `next`, by its place among the
    parameters; or a function that has to do with any of them. What is not known may."""
    fact = file.facts.values[handler]
    if fact.kind is ValueKind.FUNCTION:
        return _tells(program, file, wrapper, file.facts.functions[fact.ref].region)
    position = _position(file, fact)
    if position is None:
        return fact.kind is not ValueKind.NULL
    return position > 1


def _position(file: File, fact: Value) -> int | None:
    """Which of the arguments a value is that Express gives to a function: a parameter of three or four, or an element
    of `...args`; None for what is none, or not known."""
    if fact.kind is ValueKind.PARAM and fact.items:
        params = file.facts.functions[fact.ref].params
        if params[fact.items[0]].kind is not ParamKind.NORMAL or len(params) < _HAS_NEXT:
            return None
        return fact.items[0] - (len(params) - _HAS_NEXT)
    if fact.kind is ValueKind.SUBSCRIPT and fact.items:
        index, of = file.facts.values[fact.items[0]], file.facts.values[fact.ref]
        is_rest = (
            of.kind is ValueKind.PARAM
            and bool(of.items)
            and file.facts.functions[of.ref].params[of.items[0]].kind is ParamKind.REST
            and of.items[0] == 0
        )
        return int(index.text) if is_rest and index.kind is ValueKind.NUMBER and index.text.isdigit() else None
    return None


def _tells(program: Program, file: File, wrapper: int, region: int) -> bool:
    """Whether the code of a region (a handler's body, a `catch`) calls, or hands over, something that the functions of
    a wrapper were given, which is the only way to the request; or is not seen through."""
    facts = file.facts
    body = facts.regions[region]
    own = facts.regions[region].function if facts.functions[body.function].region == region else NONE
    within = {wrapper - file.fn_base, *(each - file.fn_base for each in _inside(program, file, wrapper))}
    for call in facts.calls:
        if not body.start <= call.start < body.end:
            continue
        for value in (call.callee, *call.args):
            root = _root(file, value)
            if root.kind in (ValueKind.SELF, ValueKind.SPREAD, ValueKind.UNKNOWN, ValueKind.OBJECT, ValueKind.ARRAY):
                return True
            if root.kind is ValueKind.PARAM and root.ref in within and root.ref != own:
                return True
            if root.kind is ValueKind.GLOBAL and root.text == "arguments":
                return True
    return False


def _root(file: File, value: int) -> Value:
    """What an expression is read from: `res` of `res.status(500).json`."""
    facts = file.facts
    while True:
        fact = facts.values[value]
        if fact.kind in (ValueKind.MEMBER, ValueKind.SUBSCRIPT, ValueKind.ELEMENT, ValueKind.AWAIT):
            value = fact.ref
        elif fact.kind is ValueKind.CALL:
            value = facts.calls[fact.ref].callee
        elif fact.kind is ValueKind.BINDING and len(facts.bindings[fact.ref].values) == 1:
            value = facts.bindings[fact.ref].values[0]
            if facts.values[value].kind is ValueKind.BINDING:
                return facts.values[value]
        else:
            return fact


def _inside(program: Program, file: File, function: int) -> Iterator[int]:
    """The functions that are written inside a function."""
    local = function - file.fn_base
    for number, fact in enumerate(file.facts.functions):
        parent = fact.parent
        while parent not in (NONE, 0, local):
            parent = file.facts.functions[parent].parent
        if parent == local and number != local and parent != 0:
            yield file.fn_base + number


def _finding(program: Program, rule: Rule, registrations: list[Registration], confidence: Confidence) -> Finding:
    first = registrations[0]
    file, fact = program.function(first.function)
    name = f"`{fact.name}`" if fact.name else "This handler"
    how = "is async" if fact.is_async else "answers a promise"
    believed = next((each for each in first.wrappers if isinstance(each, Fn)), None)
    what = (
        f"{name} {how}, and Express 4 does not look at its promise"
        if believed is None
        else f"{name} {how}, and {program.name(believed.id)} around it does not pass its rejection to `next`"
    )
    places = [(each.file, each.call, _argument(program, each)) for each in registrations]
    return Finding(
        rule.name,
        f"{what}: when it is rejected, the request is never answered and the error {fate(program, file, REJECTION)}. "
        "Pass the rejection to `next`.",
        Location(file.path, fact.name_start, fact.name_end),
        confidence=confidence,
        trace=(
            Step(
                Location(program.files[first.file].path, first.start, first.end),
                routes_in(program).handled(first),
            ),
        ),
        data={"places": places},
        no_fix_reason=_obstacle(program, registrations, places),
    )


def _obstacle(program: Program, registrations: list[Registration], places: list[tuple[int, int, int]]) -> str:
    """Why the handler cannot be wrapped where it is registered; "" if it can."""
    if any(at == NONE for _, _, at in places):
        return "it is not handed to Express itself"
    if any(isinstance(wrapper, Fn) for each in registrations for wrapper in each.wrappers):
        return "the function around it is what has to be mended"
    if any(each.role is Role.ERROR_HANDLER for each in registrations):
        return "a wrapper would have to take four parameters, or Express does not know it for error middleware"
    return ""


def _argument(program: Program, registration: Registration) -> int:
    """The position of the argument that is the handler itself; NONE in an array, in a registration helper (which may
    bind it to an object), and where a wrapper would take away arguments (`app.param`)."""
    file = program.files[registration.file]
    call = file.facts.calls[registration.call]
    if program.value(file, call.callee).text == "param":
        return NONE
    targets = program.graph.targets[file.index][registration.call]
    is_express = any(isinstance(target, Api) for target in targets)
    for position, argument in enumerate(call.args):
        kind = program.value(file, argument).kind
        if kind in _NOT_ITSELF or not (is_express or kind is ValueKind.FUNCTION):
            continue
        if any(function == registration.function for function, _ in program.graph.handlers(file, argument)):
            return position
    return NONE


# --- fix


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Wraps the handler wherever it is registered: with the project's own wrapper, else with one that the fix adds."""
    edits: list[Edit] = []
    requests: set[ImportRequest] = set()
    name, is_new = "", False
    for index, call, position in finding.data["places"]:
        wrapped = _wrap(program, program.files[index], program.files[index].facts.calls[call], position)
        if wrapped is None:
            return "the handler is not written where it is registered"
        name, needed, added, around = wrapped
        is_new |= bool(added)
        requests.update(needed)
        edits += (*added, *around)
    title = f"Wrap it in an `{name}` that passes rejections to `next`" if is_new else f"Wrap it in `{name}`"
    return Fix(
        title,
        Applicability.UNSAFE if is_new else Applicability.SAFE,
        tuple(dict.fromkeys(edits)),
        tuple(sorted(requests)),
    )


def _wrap(
    program: Program, file: File, call: Call, position: int
) -> tuple[str, tuple[ImportRequest, ...], tuple[Edit, ...], tuple[Edit, ...]] | None:
    """The wrapper's name, the imports and the edits that it needs, and the edits that wrap an argument."""
    from prodlint.fixes import javascript

    source = program.read(file.path)
    name, requests, added = _wrapper(program, file, source, call)
    span = Span(*call.arg_spans[2 * position : 2 * position + 2])
    around = javascript.wrap_expression(file.path, source, span, f"{name}(", ")")
    return (name, requests, added, around) if added is not None and around is not None else None


def _wrapper(
    program: Program, file: File, source: bytes, call: Call
) -> tuple[str, tuple[ImportRequest, ...], tuple[Edit, ...] | None]:
    """A wrapper's name in a file, the imports that it needs, and the edits that add it (None: they cannot be made)."""
    from prodlint.fixes import javascript

    own = _own_wrapper(program, file, source, call)
    if own is not None:
        return *own, ()
    if program.versions.required(file.path, "express-async-handler") is not None:
        request = ImportRequest(file.path, "express-async-handler", "default", _NAME)
        local = javascript.local_name(file.path, source, request)
        return local or _NAME, (request,), () if local else None
    is_typed = file.facts.kind != "javascript"
    requests = (ImportRequest(file.path, "express", "RequestHandler"),) if is_typed else ()
    head = "(fn: RequestHandler): RequestHandler" if is_typed else "(fn)"
    text = f"const {_NAME} = {head} => (req, res, next) => Promise.resolve(fn(req, res, next)).catch(next)"
    return _NAME, requests, javascript.ensure_statement_after_imports(file.path, source, text, before=call.start)


def _own_wrapper(
    program: Program, file: File, source: bytes, call: Call
) -> tuple[str, tuple[ImportRequest, ...]] | None:
    """The wrapper that other handlers of the project are registered with, as this file would call it."""
    from prodlint.fixes import javascript

    for wrapper in _wrappers(program):
        home, fact = program.function(wrapper.id)
        if home is file:
            if fact.parent == 0 and javascript.is_bound_at(file.path, source, fact.name, call.start):
                return fact.name, ()
            continue
        request = _request_for(home, file, wrapper.id)
        local = javascript.local_name(file.path, source, request) if request is not None else None
        if request is not None and local is not None:
            return local, (request,)
    return None


def _wrappers(program: Program) -> list[Fn]:
    """The project's own functions that take a handler, and nothing else, and pass its rejection on."""
    found = {
        wrapper: None
        for registration in program.graph.registrations
        for wrapper in registration.wrappers
        if isinstance(wrapper, Fn)
    }
    return [
        wrapper
        for wrapper in found
        if _takes_one(program, wrapper) and _catches(program, wrapper) and _gives_next(program, wrapper)
    ]


def _takes_one(program: Program, wrapper: Fn) -> bool:
    fact = program.function(wrapper.id)[1]
    needed = [param for param in fact.params if param.default == NONE]
    return bool(fact.name) and fact.cls == NONE and len(needed) == 1 and needed[0].kind is ParamKind.NORMAL


def _gives_next(program: Program, wrapper: Fn) -> bool:
    """Whether the handler that a wrapper takes is called with all that Express gives: with two arguments alone, it
    could not go on to the next one."""
    file, _ = program.function(wrapper.id)
    number = wrapper.id - file.fn_base
    for call in file.facts.calls:
        callee = file.facts.values[call.callee]
        is_applied = callee.kind is ValueKind.MEMBER and callee.text in ("apply", "call", "bind")
        handler = file.facts.values[callee.ref] if is_applied else callee
        if handler.kind is ValueKind.PARAM and handler.ref == number:
            has_rest = any(file.facts.values[argument].kind is ValueKind.SPREAD for argument in call.args)
            if is_applied or has_rest or len(call.args) > 2:
                return True
    return False


def _request_for(home: File, file: File, function: int) -> ImportRequest | None:
    """The import that gives `file` the function `function` of the file `home`."""
    name = home.facts.functions[function - home.fn_base].name
    for exported, value in _exports(home):
        fact = home.facts.values[value]
        if fact.kind is ValueKind.FUNCTION and home.fn_base + fact.ref == function:
            is_whole = exported in ("=", "default")
            return ImportRequest(file.path, specifier(file, home), "default" if is_whole else exported, name)
    return None


def _exports(home: File) -> Iterator[tuple[str, int]]:
    """What a file exports, the properties of `module.exports = { … }` among it."""
    for name, value in home.exports.items():
        yield name, value
        fact = home.facts.values[value]
        if name == "=" and fact.kind is ValueKind.OBJECT:
            yield from zip(fact.names, fact.items, strict=True)
