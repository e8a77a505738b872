"""An app behind a proxy that takes the proxy for its client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from prodlint.facts import Binding, Use, ValueKind
from prodlint.findings import Applicability, Confidence, Finding, Fix, ImportRequest, Location, Span, Step
from prodlint.fixes.reasons import NO_PLACE, NOT_UTF8
from prodlint.program.code.call_options import Options, options_of
from prodlint.program.linking.resolver import File
from prodlint.program.linking.targets import Api
from prodlint.program.services import services_of
from prodlint.program.web.compression import files_of
from prodlint.program.web.django_middleware import middleware_lists
from prodlint.program.web.web_apps import WebApp, fronts_of, web_apps_in

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule


class _Behind(msgspec.Struct, frozen=True):
    """What is in front of an app: said to a reader, and where."""

    name: str
    place: Location | None
    confidence: Confidence


class _Need(msgspec.Struct, frozen=True):
    """Something that is wrong when the proxy is taken for the client: what, what comes of it, and where."""

    name: str
    comes: str
    place: Location | None
    breaks: bool = False
    """Whether it does not work at all without TLS that the app sees."""


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each app that is behind a proxy, asks who its client is, and does not trust the proxy; and for
    each whose cookies are never sent, since it takes every request for plain HTTP."""
    seen: set[str] = set()
    for app in web_apps_in(program).all.values():
        known = rule.data["frameworks"].get(app.model.framework)
        home = web_apps_in(program).home(app.site.file)
        here = program.server_code(app.site.file, app.site.call.region)
        if known is None or here is None or home in seen or app.is_mounted:
            continue
        files = files_of(program, app.site.file.path)
        if not _trusts(program, rule, app, files, known):
            finding = _finding(program, rule, app, known, list(_needs(program, rule, app, files, known)))
            if finding is not None:
                seen.add(home)
                yield finding
    yield from _django(program, rule)


# ------------------------------------------------------------------------------------------------------- is it trusted


def _trusts(program: Program, rule: Rule, app: WebApp, files: list[File], known: Mapping[str, Any]) -> bool:
    """Whether the app is told of proxies, may be, or reads their headers itself."""
    if "options" in known:
        given = options_of(program, app.site)
        if given.is_open or any(name in given for name in known["options"]):
            return True
    words = {*known["texts"], *rule.data["headers"]}
    return any(_says(file, words, known) for file in files)


def _says(file: File, words: set[str], known: Mapping[str, Any]) -> bool:
    facts = file.facts
    if any(value.kind is ValueKind.STRING and value.text.lower() in words for value in facts.values):
        return True
    if any(value.kind is ValueKind.MEMBER and value.text.lower() in words for value in facts.values):
        return True
    if any(request.module.startswith(tuple(known["modules"])) for request in facts.imports):
        return True
    return any(store.name in known["stores"] for store in facts.stores)


# ------------------------------------------------------------------------------------------------------------ the needs


def _needs(program: Program, rule: Rule, app: WebApp, files: list[File], known: Mapping[str, Any]) -> Iterator[_Need]:
    indices = {file.index for file in files}
    if app.is_served and not _has_tls(program, rule, indices):
        yield from _secure_cookies(program, rule, indices)
    for api, comes in known["apis"].items():
        sites = [site for site in program.api_calls.get(api, ()) if site.file.index in indices]
        for site in sites[:1]:
            place = program.location(site.file, site.call.start, site.call.end)
            yield _Need(f"`{program.value(site.file, site.call.callee).text or api}`", comes, place)
    for file in files:
        for index, value in enumerate(file.facts.values):
            if value.kind is not ValueKind.MEMBER or value.text not in known["members"]:
                continue
            for target in program.resolver.resolve(file, index):
                if isinstance(target, Api) and target.path.startswith(tuple(known["requests"])):
                    owner = f"{known['shown']}." if target.path.startswith(known["requests"][0]) else ""
                    yield _Need(f"`{owner}{value.text}` ({file.path})", known["members"][value.text], None)


def _has_tls(program: Program, rule: Rule, indices: set[int]) -> bool:
    """Whether the app may encrypt by itself: then it sees what is secure."""
    return any(site.file.index in indices for api in rule.data["tls"] for site in program.api_calls.get(api, ()))


def _secure_cookies(program: Program, rule: Rule, indices: set[int]) -> Iterator[_Need]:
    """Sessions whose cookie is only sent over TLS, in production at least."""
    for api, known in rule.data["cookies"].items():
        for site in program.api_calls.get(api, ()):
            if site.file.index not in indices or program.server_code(site.file, site.call.region) is None:
                continue
            given = options_of(program, site)
            cookie = given.inner(program, known["in"]) if known["in"] else given
            if "proxy" not in given and not given.is_open and _is_secure(program, cookie):
                place = program.location(site.file, site.call.start, site.call.end)
                yield _Need("the session's cookie is `secure`", known["comes"], place, breaks=True)


def _is_secure(program: Program, cookie: Options) -> bool:
    """Whether `secure` is true, or true in production: `secure: process.env.NODE_ENV === 'production'`."""
    found = cookie.values.get("secure", [])
    return bool(found) and all(_is_true_in_production(program, file, value) for file, value in found)


def _is_true_in_production(program: Program, file: File, value: int) -> bool:
    fact = program.value(file, value)
    if fact.kind is ValueKind.OP and fact.text in ("===", "=="):
        return any(program.value(file, item).text == "production" for item in fact.items)
    return fact.kind is ValueKind.BOOL and fact.text == "true"


# --------------------------------------------------------------------------------------------------------- the findings


def _finding(program: Program, rule: Rule, app: WebApp, known: Mapping[str, Any], needs: list[_Need]) -> Finding | None:
    behind = _behind(program, rule, app.site.file)
    broken = next((need for need in needs if need.breaks), None)
    need = broken or (needs[0] if needs else None)
    if need is None or (behind is None and broken is None):
        return None
    front = "A proxy has to be in front of this app" if behind is None else f"{behind.name} is in front of this app"
    related = [Step(need.place, "needs to know the client")] if need.place is not None else []
    if behind is not None and behind.place is not None:
        related.append(Step(behind.place, "hands requests on to the app"))
    call = app.site.call
    return Finding(
        rule.name,
        f"{front}, which takes it for its client: {need.name}, so {need.comes}. {known['say']}",
        program.location(app.site.file, call.start, call.end),
        confidence=Confidence.CERTAIN if behind is None else behind.confidence,
        related=tuple(related),
        data={
            "file": app.site.file.index,
            "call": app.site.index,
            "name": app.name,
            "framework": app.model.framework,
        },
        no_fix_reason="" if app.name and call.use in (Use.ASSIGNED, Use.AWAITED) else "the app is kept in no variable",
    )


def _behind(program: Program, rule: Rule, file: File) -> _Behind | None:
    fronts = [front for front in fronts_of(program, file) if front.proxy.kind in rule.data["proxies"]]
    if any(_is_native(front.proxy.passes) for front in fronts):
        return None
    services = services_of(program, file.path)
    if fronts:
        front = fronts[0]
        sure = Confidence.CERTAIN if services else Confidence.LIKELY
        return _Behind(rule.data["proxies"][front.proxy.kind], front.proxy.location, sure)
    for service in services:
        for source in service.platforms:
            if source.name in rule.data["platforms"]:
                return _Behind(rule.data["platforms"][source.name], source.location, Confidence.CERTAIN)
    return None


def _is_native(passes: tuple[Any, ...]) -> bool:
    """Whether nginx tells the app of its client by other means than headers: `uwsgi_pass`."""
    return bool(passes) and all(each.headers is None and each.block is not None for each in passes)


# ------------------------------------------------------------------------------------------------------------- Django


def _django(program: Program, rule: Rule) -> Iterator[Finding]:
    """Settings that redirect to HTTPS, or code that asks for the scheme, where the proxy is on another machine: of one
    on the same, gunicorn and uvicorn take the scheme over themselves."""
    known = rule.data["django"]
    for listed in middleware_lists(program):
        file = listed.file
        files = files_of(program, file.path)
        if any(_names(each) & {known["setting"], *known["headers"]} for each in files):
            continue
        fronts = [front for front in fronts_of(program, file) if front.proxy.kind in rule.data["proxies"]]
        away = [front for front in fronts if not any(target.is_local for target in front.proxy.targets)]
        redirect = next(
            (each for each in file.facts.bindings if each.name == known["redirect"] and _is_on(file, each)), None
        )
        asked = next((name for each in files for name in known["members"] if name in _names(each)), "")
        if not away or _is_native(away[0].proxy.passes) or (redirect is None and not asked):
            continue
        place = Location(file.path, redirect.start, redirect.end) if redirect is not None else listed.place
        comes = "it redirects every request to HTTPS again, for ever" if redirect else f"`{asked}()` says `http:`"
        yield Finding(
            rule.name,
            f"{rule.data['proxies'][away[0].proxy.kind]} is in front of this project, which does not see that clients "
            f"use HTTPS: {comes}. Set `{known['setting']}`.",
            place,
            confidence=Confidence.CERTAIN if services_of(program, file.path) else Confidence.LIKELY,
            related=(Step(away[0].proxy.location, "hands requests on to the app"),),
            data={"django": place},
        )


def _is_on(file: File, binding: Binding) -> bool:
    values = [file.facts.values[value] for value in binding.values]
    return any(value.kind is ValueKind.BOOL and value.text == "true" for value in values)


def _names(file: File) -> set[str]:
    facts = file.facts
    return {value.text for value in facts.values} | {binding.name for binding in facts.bindings}


# ---------------------------------------------------------------------------------------------------------------- fix


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """One proxy is trusted: the one that is known."""
    from prodlint.fixes import javascript, python

    if "django" in finding.data:
        place = Location(*finding.data["django"])
        text = f'{rule.data["django"]["setting"]} = ("HTTP_X_FORWARDED_PROTO", "https")'
        edits = python.insert_statement_after(place.path, program.read(place.path), Span(*place[1:]), text)
        return Fix("Trust the proxy's header", Applicability.UNSAFE, edits) if edits else NO_PLACE
    data = finding.data
    known = rule.data["frameworks"][data["framework"]]
    file = program.files[data["file"]]
    call, source = file.facts.calls[data["call"]], program.read(file.path)
    span = Span(call.start, call.end)
    text = known.get("add", "").replace("{app}", data["name"])
    title = "Trust one proxy"
    if file.is_python:
        request = ImportRequest(file.path, known["import"], known["name"])
        edits = python.insert_statement_after(file.path, source, span, text)
        return Fix(title, Applicability.UNSAFE, edits, (request,)) if edits else NO_PLACE
    style = javascript.style_of(file.path, source)
    if style is None:
        return NOT_UTF8
    if "option" in known:
        edits = javascript.add_option(file.path, source, span, known["option"], "true", at=0)
    else:
        edits = javascript.insert_statement_after(
            file.path, source, span, text.replace("'trust proxy'", style.string("trust proxy"))
        )
    return Fix(title, Applicability.UNSAFE, edits) if edits else NO_PLACE
