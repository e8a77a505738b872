"""An Express app with routes and no error middleware."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import NONE, ExitKind, Use, ValueKind
from prodlint.findings import Applicability, Confidence, Finding, Fix, ImportRequest, Span
from prodlint.fixes.reasons import NO_PLACE, NOT_UTF8
from prodlint.program.code.control_flow import control_flow
from prodlint.program.code.loggers import loggers_in
from prodlint.program.linking.app_instances import Key
from prodlint.program.linking.resolver import CallSite
from prodlint.program.web.express_apps import App, Kind, Registered, express_apps_in

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_HARMLESS = frozenset(
    {"express.static", "serve-static", "cors", "helmet", "compression", "morgan", "cookie-parser", "response-time"}
)
"""Middleware that passes no errors on."""
_ANSWERS = frozenset(
    {
        *("send", "json", "end", "write", "status", "sendStatus", "redirect", "set", "header", "setHeader", "get"),
        *("writeHead", "type", "cookie", "clearCookie", "vary", "links", "append", "removeHeader", "location"),
    }
)
"""Methods of a response that do not fail."""


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Apps that have routes, are mounted on no other app, and get no error middleware in any module."""
    apps = express_apps_in(program)
    for key, app in apps.all.items():
        if app.is_router or app.parents or app.is_owned:
            continue
        below = apps.below(key)
        if not apps.have_routes(below) or apps.handle_errors(below):
            continue
        if not any(_may_fail(program, entry) for inner in below for entry in apps.all[inner].registered):
            continue
        confidence = program.server_code(app.site.file, app.site.call.region)
        if confidence is not None:
            yield _finding(program, rule, key, app, confidence)


def _may_fail(program: Program, entry: Registered) -> bool:
    """Whether what is registered may throw, reject, or pass an error to `next`."""
    file = entry.site.file
    unknown = len(entry.functions)
    for argument in entry.site.call.args:
        fact = program.value(file, argument)
        if fact.kind in (ValueKind.STRING, ValueKind.TEMPLATE, ValueKind.ARRAY):
            continue
        callee = file.facts.calls[fact.ref].callee if fact.kind is ValueKind.CALL else NONE
        if callee == NONE or program.resolver.api_of(file, callee) not in _HARMLESS:
            unknown -= 1
    if unknown < 0 and entry.kind is not Kind.MOUNT:
        return True
    return any(_function_may_fail(program, function) for function in entry.functions)


def _function_may_fail(program: Program, function: int) -> bool:
    """Whether a handler does anything but answer, by what `res` has for that and cannot fail."""
    file, _ = program.function(function)
    if any(exit_.kind is ExitKind.THROW and file.function_at(exit_.region) == function for exit_ in file.facts.exits):
        return True
    for site in control_flow(program).calls_in(function):
        callee = program.value(file, site.call.callee)
        if callee.kind is ValueKind.PARAM and not site.call.args:
            continue  # `next()`
        root = callee
        while root.kind in (ValueKind.MEMBER, ValueKind.CALL):
            at = root.ref if root.kind is ValueKind.MEMBER else file.facts.calls[root.ref].callee
            root = program.value(file, at)
        is_answer = root.kind is ValueKind.PARAM and callee.text in _ANSWERS
        if not is_answer and not (root.kind is ValueKind.GLOBAL and root.text == "console"):
            return True
    return False


def _finding(program: Program, rule: Rule, key: Key, app: App, confidence: Confidence) -> Finding:
    last = _last_registered(app) if app.name else None
    return Finding(
        rule.name,
        "This app has no error middleware: Express itself answers what its handlers throw or pass to `next`, with the "
        "stack trace unless NODE_ENV is production. Add `app.use((err, req, res, next) => …)` last.",
        program.location(app.site.file, app.site.call.start, app.site.call.end),
        confidence=confidence if app.is_served else Confidence.LIKELY,
        data={"file": key[0], "last": last.index, "name": app.name} if last is not None else {},
        no_fix_reason=_fixless(app, last),
    )


def _fixless(app: App, last: CallSite | None) -> str:
    return "" if last is not None else "its routes are registered in other places than the app is made"


def _last_registered(app: App) -> CallSite | None:
    """The last call that registers something on the app or hands it on, where that is a statement beside its making."""
    made = app.site
    function = made.file.function_at(made.call.region)
    here = [
        site
        for site in (*(entry.site for entry in app.registered), *app.passed)
        if site.file is made.file and site.file.function_at(site.call.region) == function
    ]
    last = max(here, key=lambda site: site.call.end, default=None)
    if last is None or last.call.region != made.call.region or last.call.use is not Use.STATEMENT:
        return None
    return last


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Error middleware after the last registration, that logs as the project does."""
    from prodlint.fixes import javascript

    if "last" not in finding.data:
        return "where its last route is registered is not known here"
    file = program.files[finding.data["file"]]
    call = file.facts.calls[finding.data["last"]]
    source = program.read(file.path)
    style = javascript.style_of(file.path, source)
    if style is None:
        return NOT_UTF8
    requests: tuple[ImportRequest, ...] = ()
    parameters = "err, req, res, next"
    if style.typescript:
        requests = tuple(ImportRequest(file.path, "express", name) for name in ("NextFunction", "Request", "Response"))
        if any(javascript.local_name(file.path, source, request) != request.name for request in requests):
            return "the names of its parameters' types are taken in the file"
        parameters = "err: Error & { status?: number }, req: Request, res: Response, next: NextFunction"
    logger = loggers_in(program).of(file)
    if logger is None:
        log = "process.stderr.write(`${err.stack || err}\\n`)"
    else:
        said = f"{{ err }}, {style.string('request failed')}" if logger.library == "pino" else "err"
        log = f"{logger.name}.error({said})"
    text = "\n".join(
        (
            f"{finding.data['name']}.use(({parameters}) => {{",
            f"\t{log}",
            "\tif (res.headersSent) return next(err)",
            f"\tres.status(err.status || 500).send({style.string('Internal Server Error')})",
            "})",
        )
    )
    edits = javascript.insert_statement_after(file.path, source, Span(call.start, call.end), text)
    requests = (*requests, logger.request) if logger is not None and logger.request is not None else requests
    return Fix("Add error middleware after the routes", Applicability.UNSAFE, edits, requests) if edits else NO_PLACE
