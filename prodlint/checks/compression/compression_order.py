"""Compression that is registered behind what it should compress."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import NONE, FileFacts, FunctionKind, ImportKind, Use, ValueKind
from prodlint.findings import Applicability, Finding, Fix, Location, Span
from prodlint.fixes.reasons import NO_AWAIT
from prodlint.program.code.control_flow import control_flow
from prodlint.program.linking.resolver import CallSite
from prodlint.program.linking.targets import Api
from prodlint.program.web.django_middleware import middleware_lists
from prodlint.program.web.express_apps import Kind, express_apps_in
from prodlint.program.web.web_apps import WebApp, text_of, web_apps_in

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_GZIP = "django.middleware.gzip.GZipMiddleware"
_AROUND = (ValueKind.MEMBER, ValueKind.SPREAD, ValueKind.SUBSCRIPT)
_DEEPEST = 6
_ROUTERS = frozenset({"routes", "middleware"})


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Compression middleware behind routes or files of the same app, Fastify's that nobody waits for, and Django's
    behind middleware that uses bodies."""
    for app in web_apps_in(program).all.values():
        packages = frozenset(rule.data.get(app.model.framework, ()))
        sites = [site for site in app.called(app.model.uses) if _is_compression(program, site, packages)]
        for site in sites[:1]:
            if program.server_code(site.file, site.call.region) is None:
                continue
            beside = [
                (other, answers) for other, answers in _registered(program, rule, app) if _are_beside(site, other)
            ]
            before = [other for other, answers in beside if answers and other.call.end <= site.call.start]
            behind = [other for other, answers in beside if answers and other.call.start >= site.call.end]
            if before:
                first = min(before, key=lambda each: each.call.start)
                yield _late(program, rule, site, first, len(before), is_fastify=app.model.framework == "fastify")
            elif app.model.framework == "fastify" and behind and _is_not_awaited(app, site, behind):
                yield _not_awaited(program, rule, site)
    yield from _django(program, rule)


def _is_compression(program: Program, site: CallSite, packages: frozenset[str]) -> bool:
    """Whether a registration is that of compression for the whole app: `app.use(compression())`."""
    if text_of(program, site, 0) is not None or not site.call.args:
        return False
    return bool(packages & _apis(program, site, site.call.args[0]))


def _apis(program: Program, site: CallSite, argument: int) -> set[str]:
    """The APIs that an argument is, or the result of."""
    found = program.resolver.resolve(site.file, argument)
    return {target.path.removesuffix("()") for target in found if isinstance(target, Api)}


def _are_beside(site: CallSite, other: CallSite) -> bool:
    """Whether two calls are made by the same function, so that the order in the file is that in time."""
    return other.file is site.file and other.file.function_at(other.call.region) == site.file.function_at(
        site.call.region
    )


def _registered(program: Program, rule: Rule, app: WebApp) -> Iterator[tuple[CallSite, bool]]:
    """The calls that register something on an app, and whether that answers with what should be compressed."""
    static = frozenset(rule.data["static"])
    skipped = frozenset(rule.data["uncompressed"])
    express = express_apps_in(program).all.get((app.site.file.index, app.site.index))
    kinds = {(entry.site.file.index, entry.site.index): entry.kind for entry in express.registered} if express else {}
    for name, site in app.calls:
        path = text_of(program, site, 0) or ""
        is_short = bool(skipped & set(path.strip("/").lower().split("/")))
        kind = kinds.get((site.file.index, site.index))
        is_route = kind in (Kind.ROUTE, Kind.MOUNT) if express else name in app.model.routes
        is_use = name in app.model.uses and any(
            static & _apis(program, site, argument) or _is_router(program, site, argument)
            for argument in site.call.args
        )
        yield site, (is_route or is_use) and not is_short


def _is_router(program: Program, site: CallSite, argument: int) -> bool:
    """Whether an argument is a router of Koa: `router.routes()`."""
    value = program.value(site.file, argument)
    if value.kind is ValueKind.CALL:
        callee = program.value(site.file, site.file.facts.calls[value.ref].callee)
        targets = control_flow(program).targets(CallSite(site.file, value.ref))
        return callee.text in _ROUTERS and any(isinstance(each, Api) and "router" in each.path for each in targets)
    return False


# ------------------------------------------------------------------------------------------------------------ findings


def _late(program: Program, rule: Rule, site: CallSite, first: CallSite, count: int, *, is_fastify: bool) -> Finding:
    call = site.call
    movable = (
        call.use is Use.STATEMENT
        and first.call.use is Use.STATEMENT
        and call.region == first.call.region
        and _is_bound(site, first)
    )
    no_fix_reason = "" if movable else "it is not a statement beside the first of them"
    if is_fastify:
        no_fix_reason = "it has to be waited for as well"
    what = "a route or folder that answers" if count == 1 else f"{count} routes or folders that answer"
    return Finding(
        rule.name,
        f"Compression is registered behind {what} before it is reached: those answers are not compressed. "
        f"{'Register it first, and wait for it' if is_fastify else 'Register it first'}.",
        program.location(site.file, call.start, call.end),
        data={"file": site.file.index, "call": site.index, "first": first.index},
        no_fix_reason=no_fix_reason,
    )


def _is_bound(site: CallSite, first: CallSite) -> bool:
    """Whether all that a registration uses is there at the place of another one further up."""
    facts = site.file.facts
    between = range(first.call.start, site.call.start)
    if any(request.start in between and request.kind is ImportKind.REQUIRE for request in facts.imports):
        return False
    return not any(start in between for argument in site.call.args for start in _bound_at(facts, argument))


def _bound_at(facts: FileFacts, value: int, depth: int = 0) -> Iterator[int]:
    """Where the variables are bound that an expression uses; function declarations are there from the start."""
    if value == NONE or depth > _DEEPEST:
        return
    fact = facts.values[value]
    inner = [fact.ref] if fact.kind in _AROUND else []
    if fact.kind is ValueKind.BINDING:
        yield facts.bindings[fact.ref].start
    elif fact.kind is ValueKind.FUNCTION and facts.functions[fact.ref].kind is not FunctionKind.FUNCTION:
        yield facts.functions[fact.ref].start
    elif fact.kind is ValueKind.CALL:
        call = facts.calls[fact.ref]
        inner += [call.callee, *call.args]
    for item in (*inner, *fact.items):
        yield from _bound_at(facts, item, depth + 1)


def _is_not_awaited(app: WebApp, site: CallSite, routes: list[CallSite]) -> bool:
    """Whether routes are registered before Fastify has loaded the plug-in: nothing in between is waited for."""
    if site.call.use is not Use.STATEMENT:
        return False
    first = min(routes, key=lambda route: route.call.start)
    return not any(
        each.call.use is Use.AWAITED and site.call.end <= each.call.start < first.call.start for _, each in app.calls
    )


def _not_awaited(program: Program, rule: Rule, site: CallSite) -> Finding:
    return Finding(
        rule.name,
        "Fastify loads this plug-in later, when the routes beside it are registered already, so their answers are not "
        "compressed. Wait for it: `await app.register(…)`.",
        program.location(site.file, site.call.start, site.call.end),
        data={"file": site.file.index, "call": site.index},
    )


def _django(program: Program, rule: Rule) -> Iterator[Finding]:
    users = frozenset(rule.data["django"])
    for listed in middleware_lists(program):
        names = listed.classes
        at = names.index(_GZIP) if _GZIP in names else 0
        before = [index for index, name in enumerate(names[:at]) if name in users]
        if before:
            name = (names[before[0]] or "").rpartition(".")[2]
            yield Finding(
                rule.name,
                f"`GZipMiddleware` comes behind `{name}`, which so gets compressed bodies: responses pass the list "
                "from its end. Put it before.",
                listed.place,
                data={"place": listed.place, "from": at, "to": before[0]},
            )


# ----------------------------------------------------------------------------------------------------------------- fix


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The registration moved in front of the first of what it should compress; or waited for."""
    from prodlint.fixes import javascript, python

    data = finding.data
    if "place" in data:
        place = Location(*data["place"])
        edits = python.move_item(place.path, program.read(place.path), Span(*place[1:]), data["from"], data["to"])
        return (
            Fix("Move GZipMiddleware up", Applicability.SAFE, edits) if edits else "the items do not have a line each"
        )
    file = program.files[data["file"]]
    call, source = file.facts.calls[data["call"]], program.read(file.path)
    span = Span(call.start, call.end)
    if "first" not in data:
        edits = javascript.insert_await(file.path, source, span)
        return Fix("Wait for the plug-in", Applicability.UNSAFE, edits) if edits else NO_AWAIT
    first = file.facts.calls[data["first"]]
    edits = javascript.move_statement_before(file.path, source, span, Span(first.start, first.end))
    return (
        Fix("Register compression first", Applicability.SAFE, edits)
        if edits
        else "it cannot be moved without other code"
    )
