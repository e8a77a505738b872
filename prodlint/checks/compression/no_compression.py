"""A web app whose answers nobody compresses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from prodlint.facts import ValueKind
from prodlint.findings import Applicability, Confidence, Finding, Fix, ImportRequest, Location, Severity, Span
from prodlint.fixes.reasons import NO_PLACE
from prodlint.lazy_regex import regex
from prodlint.program.proxies import Compression as Compressing
from prodlint.program.services import services_of
from prodlint.program.web.compression import SOUNDS_SO, Compression, files_of
from prodlint.program.web.django_middleware import middleware_lists
from prodlint.program.web.web_apps import WebApp, fronts_of, text_of, web_apps_in

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.linking.resolver import CallSite, File
    from prodlint.rulebook import Rule

_SENDS = frozenset(
    {"json", "send", "end", "jsonp", "render", "sendFile", "download", "write", "static", "serve-static"}
)
_PLAIN = (ValueKind.STRING, ValueKind.BOOL, ValueKind.NUMBER)
_GZIP = "django.middleware.gzip.GZipMiddleware"
_COMPARED = regex(r"[/{}:*\s]+")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each package with an app that is served, and that nothing is known to compress for."""
    known = Compression(program, rule.data)
    by_home: dict[str, list[WebApp]] = defaultdict(list)
    for app in web_apps_in(program).all.values():
        by_home[web_apps_in(program).home(app.site.file)].append(app)
    for apps in by_home.values():
        if any(app.is_open or _sounds_so(program, app) for app in apps) or _says_little(program, apps[0].site.file):
            continue
        blamed = [app for app in apps if not app.is_mounted and _answers(rule, program, app)]
        rated = [(confidence, app) for app in blamed if (confidence := _served(program, app)) is not None]
        if not rated:
            continue
        confidence, app = min(rated, key=lambda each: (each[0] is not Confidence.CERTAIN, -len(each[1].calls)))
        if not _is_provided(program, known, app.site.file):
            yield _finding(program, rule, app, confidence)
    yield from _django(program, rule, known)


def _is_provided(program: Program, known: Compression, file: File) -> bool:
    """Whether the app's own code, its platform or a proxy compresses or has to: nginx is the better place for it, so of
    one that does not `proxy-gzip-off` tells."""
    fronts = fronts_of(program, file)
    return (
        any(front.proxy.kind == "nginx" or front.proxy.compression is not Compressing.NONE for front in fronts)
        or known.is_platforms(file.path)
        or known.is_provided(files_of(program, file.path))
    )


def _says_little(program: Program, file: File) -> bool:
    """Whether all that an Express app answers are objects of a few texts: `{ status: 'queued' }`."""
    home = web_apps_in(program).home(file)
    answers = [
        (api.rpartition(".")[2], site)
        for api in program.api_calls
        if api.startswith(("express.res", "express.static", "serve-static"))
        for site in program.api_calls[api]
        if web_apps_in(program).home(site.file) == home
    ]
    answers = [(name, site) for name, site in answers if name in _SENDS]
    return bool(answers) and all(name == "json" and _is_note(site) for name, site in answers)


def _is_note(site: CallSite) -> bool:
    values = site.file.facts.values
    fact = values[site.call.args[0]] if site.call.args else None
    return (
        fact is not None and fact.kind is ValueKind.OBJECT and all(values[item].kind in _PLAIN for item in fact.items)
    )


def _sounds_so(program: Program, app: WebApp) -> bool:
    """Whether something that is registered on an app, or that it is handed to, is called as if it compressed."""
    sites = [*app.called(app.model.uses), *app.handed]
    return any(
        SOUNDS_SO.search(web_apps_in(program).words(site.file, value))
        for site in sites
        for value in (site.call.callee, *site.call.args)
    )


def _answers(rule: Rule, program: Program, app: WebApp) -> bool:
    """Whether an app has anything to answer but routes for machines."""
    model = app.model
    idle = frozenset(rule.data["idle"])
    routes = [text_of(program, site, 0) for site in app.called(model.routes)]
    if any(path is None or not _is_idle(path, idle) for path in routes if path != "*"):
        return True
    if any(True for _ in app.called(model.mounts)) or any(name in app.site.call.keywords for name in ("routes",)):
        return True
    handed = any(web_apps_in(program).words(site.file, site.call.callee) not in ("", "require") for site in app.handed)
    return (not routes and handed) or any(True for _ in app.called(model.uses))


def _is_idle(path: str, idle: frozenset[str]) -> bool:
    parts = [part for part in _COMPARED.split(path.lower()) if part]
    return bool(parts) and parts[-1] in idle


def _served(program: Program, app: WebApp) -> Confidence | None:
    """How sure it is that a service serves an app. What merely makes an app and exports it may be a library."""
    here = program.server_code(app.site.file, app.site.call.region)
    if here is None:
        return None
    if app.is_served or any(service.is_started for service in services_of(program, app.site.file.path)):
        return here
    return Confidence.LIKELY if app.site.file.is_python else None


def _finding(program: Program, rule: Rule, app: WebApp, confidence: Confidence) -> Finding:
    call = app.site.call
    remedy = rule.data["add"][app.model.framework]
    return Finding(
        rule.name,
        "Nothing compresses what this app answers: pages, JSON, scripts and styles take several times the bytes, and "
        f"clients wait for them. {remedy['say']}",
        program.location(app.site.file, call.start, call.end),
        confidence=confidence,
        data={"file": app.site.file.index, "call": app.site.index, "name": app.name, "framework": app.model.framework},
        no_fix_reason=_fixless(app, remedy),
    )


def _fixless(app: WebApp, remedy: Mapping[str, Any]) -> str:
    if "text" not in remedy:
        return "the framework has no compression of its own"
    return "" if app.name else "the app is kept in no variable"


# ------------------------------------------------------------------------------------------------------------- Django


def _django(program: Program, rule: Rule, known: Compression) -> Iterator[Finding]:
    seen: set[str] = set()
    for listed in middleware_lists(program):
        home = web_apps_in(program).home(listed.file)
        if home in seen or None in listed.classes or _is_provided(program, known, listed.file):
            continue
        seen.add(home)
        runs = [*program.api_calls.get("django.core.wsgi.get_wsgi_application", ())]
        runs += program.api_calls.get("django.core.asgi.get_asgi_application", ())
        is_served = any(web_apps_in(program).home(site.file) == home for site in runs)
        yield Finding(
            rule.name,
            "Nothing compresses what this project answers: pages and JSON take several times the bytes, and clients "
            f"wait for them. {rule.data['add']['django']['say']}",
            listed.place,
            confidence=Confidence.CERTAIN if is_served else Confidence.LIKELY,
            data={"django": listed.place},
            severity=Severity.ADVICE,
        )


# ---------------------------------------------------------------------------------------------------------------- fix


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The framework's compression, added where the app is made, with its dependency."""
    from prodlint.fixes import javascript, python
    from prodlint.fixes.dependencies import require

    if "django" in finding.data:
        place = Location(*finding.data["django"])
        edits = python.insert_item(place.path, program.read(place.path), Span(*place[1:]), _GZIP)
        unplaced = "the list of middleware is not written in one place"
        return Fix("Add GZipMiddleware first", Applicability.UNSAFE, edits) if edits else unplaced
    remedy = rule.data["add"][finding.data["framework"]]
    file = program.files[finding.data["file"]]
    call = file.facts.calls[finding.data["call"]]
    source, span, name = program.read(file.path), Span(call.start, call.end), finding.data["name"]
    if not name or "text" not in remedy:
        return "the app is kept in no variable" if not name else "the framework has no compression of its own"
    whole = "default" if program.has_default_exports(file.path) else ""
    request = ImportRequest(file.path, remedy["module"], remedy.get("name", whole), remedy.get("alias", ""))
    title = f"Add {remedy.get('name') or remedy['module']}"
    if file.is_python:
        edits = python.insert_statement_after(file.path, source, span, f"{name}.{remedy['text']}")
        return Fix(title, Applicability.UNSAFE, edits, (request,)) if edits else NO_PLACE
    if javascript.local_name(file.path, source, request) != remedy["alias"]:
        return f"the name `{remedy['alias']}` is taken in the file"
    text = f"{name}.{remedy['text']}"
    if finding.data["framework"] == "fastify":
        if not javascript.can_await(file.path, source, span):
            return "`await` cannot stand there, and without it routes beside it would not be compressed"
        text = f"await {text}"
    edits = javascript.insert_statement_after(file.path, source, span, text)
    if not edits:
        return NO_PLACE
    version = remedy.get("version") or remedy["versions"].get(str(program.versions.major(file.path, "fastify")), "*")
    dependencies = require(program, file.path, remedy["module"], version) or ()
    return Fix(title, Applicability.UNSAFE, (*edits, *dependencies), (request,))
