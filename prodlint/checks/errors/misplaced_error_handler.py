"""Error middleware that Express does not run for the errors it is meant for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import NONE, Function, ParamKind, RegionKind, Use, ValueKind
from prodlint.findings import Applicability, Edit, Finding, Fix, Location, Span
from prodlint.models.frameworks.model import Role
from prodlint.program.code.callbacks import ERROR_NAME, parameter_value
from prodlint.program.code.control_flow import control_flow
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.web.express_apps import App, Kind, Registered, express_apps_in

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_PARSERS = frozenset(
    f"{package}.{kind}" for package in ("express", "body-parser") for kind in ("json", "urlencoded", "text", "raw")
)
_REQUESTS = frozenset({"req", "request", "_req", "_request", "ctx"})


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Error handlers with three parameters, and error middleware that is registered before the routes."""
    yield from _without_next(program, rule)
    seen: set[tuple[int, int]] = set()
    for app in express_apps_in(program).all.values():
        for entry in app.registered:
            key = (entry.site.file.index, entry.site.index)
            last = _last_route_after(program, app, entry) if entry.kind is Kind.ERROR and key not in seen else None
            if last is not None and program.server_code(entry.site.file, entry.site.call.region) is not None:
                seen.add(key)
                yield _before_routes(program, rule, entry, last)


# ------------------------------------------------------------------------------------------------- three parameters


def _without_next(program: Program, rule: Rule) -> Iterator[Finding]:
    for function, registrations in program.registrations_of.items():
        used = [each for each in registrations if each.framework == "express" and each.role is not Role.ERROR_HANDLER]
        file, fact = program.function(function)
        if not used or not _is_meant_for_errors(fact) or program.server_code(file, fact.region) is None:
            continue
        names = ", ".join(param.name for param in fact.params)
        yield Finding(
            rule.name,
            f"Express knows error middleware by its four parameters: it runs `({names})` for every request, with the "
            f"request as `{fact.params[0].name}`, and never for an error. Add a fourth parameter, `next`.",
            Location(file.path, fact.name_start, fact.name_end),
            data={"function": function},
            no_fix_reason="" if file.facts.kind == "javascript" else "the parameter would need a type",
        )


def _is_meant_for_errors(fact: Function) -> bool:
    """(err, req, res), or (err, req, res, ...rest): what is named like an error comes first."""
    normal = [param for param in fact.params if param.kind is ParamKind.NORMAL]
    if len(fact.params) != 3 or len(normal) != 3 or fact.has_arguments_object:
        return False
    return ERROR_NAME.fullmatch(normal[0].name) is not None and normal[1].name in _REQUESTS


# ------------------------------------------------------------------------------------------------ before the routes


def _last_route_after(program: Program, app: App, entry: Registered) -> CallSite | None:
    """The last route that is registered on an app behind error middleware, in the same block of code, with no other
    error middleware behind it."""
    site = entry.site
    if _is_for_parser(program, app, entry):
        return None
    function = site.file.function_at(site.call.region)
    behind = [
        (other, kind)
        for other, kind in _registrations(program, app)
        if other.file is site.file
        and other.file.function_at(other.call.region) == function
        and other.call.start > site.call.end
    ]
    if any(kind is Kind.ERROR for _, kind in behind):
        return None
    routes = [other for other, kind in behind if kind in (Kind.ROUTE, Kind.MOUNT)]
    return max(routes, key=lambda route: route.call.end, default=None)


def _is_for_parser(program: Program, app: App, entry: Registered) -> bool:
    """Whether error middleware is there for the body parser before it: it asks which kind of error it has, as
    `err.type` and `err instanceof SyntaxError` do, and passes others on."""
    before = [
        other for other in app.registered if other.site.file is entry.site.file and other.site.index < entry.site.index
    ]
    last = max(before, key=lambda other: other.site.call.start, default=None)
    if last is None or not last.site.call.args:
        return False
    parser = program.value(last.site.file, last.site.call.args[-1])
    if parser.kind is not ValueKind.CALL:
        return False
    callee = last.site.file.facts.calls[parser.ref].callee
    if program.resolver.api_of(last.site.file, callee) not in _PARSERS:
        return False
    for function in entry.functions:
        file, _ = program.function(function)
        error = parameter_value(file, function - file.fn_base, 0)
        asked = {value.text for value in file.facts.values if value.kind is ValueKind.MEMBER and value.ref == error}
        tests = [
            item
            for region in file.facts.regions
            if region.function == function - file.fn_base and region.kind is RegionKind.THEN
            for item in region.values
        ]
        names = {name for test in tests for name in _globals(file, test)}
        if asked & {"type", "body"} or "SyntaxError" in names:
            return True
    return False


def _globals(file: File, value: int) -> Iterator[str]:
    """The globals in an expression."""
    fact = file.facts.values[value]
    if fact.kind is ValueKind.GLOBAL:
        yield fact.text
    elif fact.kind is ValueKind.OP:
        for item in fact.items:
            yield from _globals(file, item)


def _registrations(program: Program, app: App) -> Iterator[tuple[CallSite, Kind]]:
    """What is registered on an app, and the calls that hand the app to a function that does so."""
    for entry in app.registered:
        yield entry.site, entry.kind
    for site in app.passed:
        called = {
            function
            for target in control_flow(program).targets(site)
            for function in program.resolver.callables(target)
        }
        for entry in app.registered:
            if entry.site.file.function_at(entry.site.call.region) in called:
                yield site, entry.kind


def _before_routes(program: Program, rule: Rule, entry: Registered, last: CallSite) -> Finding:
    file, call = entry.site.file, entry.site.call
    movable = call.use is Use.STATEMENT and last.call.use is Use.STATEMENT and call.region == last.call.region
    return Finding(
        rule.name,
        "This error middleware is registered before routes: Express looks for one behind the handler that failed, "
        "so it never sees their errors. Register it last.",
        program.location(file, call.start, call.end),
        data={"file": file.index, "call": entry.site.index, "last": last.index},
        no_fix_reason="" if movable else "it is not a statement beside the routes",
    )


# ----------------------------------------------------------------------------------------------------------------- fix


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The fourth parameter; or the registration moved behind the last route."""
    if "function" in finding.data:
        return _add_next(program, finding.data["function"])
    from prodlint.fixes import javascript

    file = program.files[finding.data["file"]]
    call, last = (file.facts.calls[finding.data[key]] for key in ("call", "last"))
    if call.region != last.region or call.use is not Use.STATEMENT or last.use is not Use.STATEMENT:
        return "it and the last route are not statements side by side"
    source = program.read(file.path)
    edits = javascript.move_statement_after(file.path, source, Span(call.start, call.end), Span(last.start, last.end))
    return (
        Fix("Register it behind the last route", Applicability.SAFE, edits)
        if edits
        else "it cannot be moved without other code"
    )


def _add_next(program: Program, function: int) -> Fix | str:
    from prodlint.fixes.text import separator_before

    file, fact = program.function(function)
    if file.facts.kind != "javascript" or fact.params[-1].default != NONE:
        return (
            "the types of its parameters would have to change"
            if file.facts.kind != "javascript"
            else "its last parameter has a default"
        )
    names = {binding.name for binding in file.facts.bindings} | {param.name for param in fact.params}
    name = "next" if "next" not in names else "_next"
    start, end = fact.params[-1].start, fact.params[-1].end
    added = f"{separator_before(program.read(file.path), start)}{name}"
    return Fix("Add the fourth parameter", Applicability.SAFE, (Edit(file.path, end, end, added),))
