"""A server that SIGTERM ends in the middle of its requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import NONE, BindingKind, Use, ValueKind
from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix, Span
from prodlint.fixes.reasons import NO_PLACE, NOT_UTF8
from prodlint.lazy_regex import regex
from prodlint.models.frameworks import FRAMEWORKS
from prodlint.program.code.control_flow import control_flow
from prodlint.program.code.event_listeners import Listener, calls_from, listeners
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.run_once import names_in

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_PROCESS = ("process", "process.removeAllListeners()", "process.on()", "process.once()", "process.setMaxListeners()")
_SIGNALS = ("SIGTERM", "SIGINT", "SIGQUIT")
_MESSAGE = "message"
"""How PM2 tells a process to stop, with `shutdown_with_message`."""
_CLOSES = regex(
    r"clos|stop|shut|destroy|terminat|drain|quit|disconnect|teardown|cleanup|grace|^(?:end|emit|send)$", re.I
)
_OWNERS = {each.closing.listens: each.closing for each in FRAMEWORKS if each.closing is not None}
"""How the apps of frameworks close everything themselves, by how they listen."""


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """The first server of each function that listens, in a package where no signal closes one."""
    servers = [
        (site, api, confidence)
        for api in rule.data["listens"]
        for site in program.api_calls.get(api, ())
        if (confidence := program.server_code(site.file, site.call.region)) is not None
    ]
    if not servers:
        return
    serving = {_package(program, site.file) for site, _, _ in servers}
    graceful = {_package(program, file) for file in _graceful(program, rule)}
    if graceful - serving:
        return  # a package without a server does it for those that have one
    abrupt = [found for found in _on_signal(program) if _package(program, found.site.file) not in graceful]
    for listener in abrupt:
        if listener.hears("SIGTERM") and program.server_code(listener.site.file, listener.site.call.region) is not None:
            yield _abrupt(program, rule, listener)
    said = {_package(program, listener.site.file) for listener in abrupt if listener.hears("SIGTERM")}
    seen: set[int] = set()
    for site, api, confidence in sorted(servers, key=lambda found: (found[0].file.index, found[0].call.start)):
        function = site.file.function_at(site.call.region)
        package = _package(program, site.file)
        if package not in graceful and package not in said and function not in seen:
            seen.add(function)
            yield _finding(program, rule, site, api, confidence)


def _package(program: Program, file: File) -> str:
    return program.versions.package_folder(file.path)


# --- who closes


def _graceful(program: Program, rule: Rule) -> Iterator[File]:
    """The files in which a signal closes something, or a package or a framework takes care of it."""
    known = re.compile("|".join(rule.data["packages"]))
    for file in program.files:
        calls = (file.facts.values[call.callee].text for call in file.facts.calls)
        if any(known.search(request.module) for request in file.facts.imports) or "enableShutdownHooks" in calls:
            yield file
    for listener in listeners(program, _PROCESS):
        if listener.hears(*_SIGNALS, _MESSAGE) and _closes(program, listener):
            yield listener.site.file


def _closes(program: Program, listener: Listener) -> bool:
    """Whether a listener closes something; what nobody can see may."""
    file = listener.site.file
    if not listener.functions:
        return not program.resolver.api_of(file, listener.handler).startswith(("process.", "console."))
    return any(
        _CLOSES.search(site.file.facts.values[site.call.callee].text) or _hands_on_a_close(site)
        for site in calls_from(program, listener.functions)
    )


def _hands_on_a_close(site: CallSite) -> bool:
    """Whether a method that closes is handed to somebody who calls it."""
    values = site.file.facts.values
    given = [values[argument] for argument in site.call.args]
    given += [values[item] for value in given if value.kind is ValueKind.ARRAY for item in value.items]
    return any(value.kind is ValueKind.MEMBER and _CLOSES.search(value.text) for value in given)


def _can_be_closed(site: CallSite, name: str) -> bool:
    """Whether the file has code that closes the server, for whoever may call it."""
    values = site.file.facts.values
    for call in site.file.facts.calls:
        callee = values[call.callee]
        if _CLOSES.search(callee.text):
            given = [*call.args, *(item for argument in call.args for item in values[argument].items)]
            if callee.kind is ValueKind.MEMBER:
                given.append(callee.ref)
            if any(name in names_in(site.file.facts, value) for value in given):
                return True
    return False


def _on_signal(program: Program) -> Iterator[Listener]:
    """What ends the process on a signal and closes nothing."""
    for listener in listeners(program, _PROCESS):
        if listener.hears(*_SIGNALS) and not _closes(program, listener):
            ends = any(control_flow(program).may_end_process(function) for function in listener.functions)
            if ends or not listener.functions:
                yield listener


# --- findings


def _abrupt(program: Program, rule: Rule, listener: Listener) -> Finding:
    site = listener.site
    return Finding(
        rule.name,
        "This handler of SIGTERM ends the process at once: each deployment cuts off the requests that are being "
        "answered. Close the server first, and exit when it is closed.",
        program.location(site.file, site.call.start, site.call.end),
        no_fix_reason="which server it should close is not known here",
    )


def _finding(program: Program, rule: Rule, site: CallSite, api: str, confidence: Confidence) -> Finding:
    name = _kept_as(site) or _variable(site, api)
    closing = _OWNERS.get(api)
    advice = f"Call its `{closing.method if closing else 'close'}()` in `process.on('SIGTERM', …)`."
    if closing is not None and closing.hooks:
        advice = f"Call `app.{closing.hooks}()`."
    return Finding(
        rule.name,
        "Nothing closes this server on SIGTERM: each deployment cuts off the requests that are being answered. "
        + advice,
        program.location(site.file, site.call.start, site.call.end),
        confidence=Confidence.LIKELY if _can_be_closed(site, name) else confidence,
        data={"file": site.file.index, "call": site.index, "api": api},
        no_fix_reason=_fixless(site, api),
    )


def _fixless(site: CallSite, api: str) -> str:
    if _variable(site, api):
        return ""
    if api in _OWNERS or site.call.use is not Use.STATEMENT:
        return "the server has no name where it listens"
    return "" if _new_name(site.file) else "the file uses the names that the server could have"


def _variable(site: CallSite, api: str) -> str:
    """The variable that holds the server: that of `server.listen()`, or of `const server = app.listen()`."""
    facts, call = site.file.facts, site.call
    if call.use is Use.ASSIGNED and api not in _OWNERS:
        return facts.bindings[call.user].name if call.user != NONE else ""
    callee = facts.values[call.callee]
    owner = facts.values[callee.ref] if callee.kind is ValueKind.MEMBER else None
    is_server = api in _OWNERS or api.startswith("http")
    return facts.bindings[owner.ref].name if is_server and owner and owner.kind is ValueKind.BINDING else ""


def _kept_as(site: CallSite) -> str:
    """The name of the variable or the member that the server is kept in: `this.server = app.listen()`."""
    call = site.call
    if call.use is not Use.ASSIGNED:
        return ""
    stores = (store.name for store in site.file.facts.stores if store.start <= call.start and call.end <= store.end)
    return site.file.facts.bindings[call.user].name if call.user != NONE else next(stores, "")


def _new_name(file: File) -> str:
    """A name for a server that nothing in the file has."""
    used = {binding.name for binding in file.facts.bindings}
    used |= {name for request in file.facts.imports for name in request.locals}
    used |= {value.text for value in file.facts.values if value.kind in (ValueKind.GLOBAL, ValueKind.PARAM)}
    return next((name for name in ("server", "httpServer", "listener") if name not in used), "")


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Closes the server on SIGTERM, after the statement in which it starts to listen; Nest is told to."""
    from prodlint.fixes import javascript

    if "call" not in finding.data or finding.no_fix_reason:
        return "which server it should close is not known here"
    site = CallSite(program.files[finding.data["file"]], finding.data["call"])
    api, path, span = finding.data["api"], site.file.path, Span(site.call.start, site.call.end)
    source = program.read(path)
    style = javascript.style_of(path, source)
    if style is None:
        return NOT_UTF8
    name = _variable(site, api)
    closing = _OWNERS.get(api)
    if closing is not None and closing.hooks:
        edits = javascript.insert_statement_before(path, source, span, f"{name}.{closing.hooks}()")
        return Fix("Let Nest close the app on signals", Applicability.UNSAFE, edits) if edits else NO_PLACE
    naming: tuple[Edit, ...] | None = ()
    if not name:
        name = _new_name(site.file)
        naming = javascript.wrap_expression(path, source, span, f"{_keyword(site.file)} {name} = ", "")
    close = f"{name}.{closing.method}()" if closing is not None else f"{name}.close(() => process.exit(0))"
    text = f"process.on({style.string('SIGTERM')}, () => {close})"
    edits = javascript.insert_statement_after(path, source, span, text)
    if edits is None or naming is None:
        return NO_PLACE
    return Fix("Close the server on SIGTERM", Applicability.UNSAFE, (*naming, *edits))


def _keyword(file: File) -> str:
    """How the file declares what does not change."""
    kinds = {binding.kind for binding in file.facts.bindings}
    return "var" if BindingKind.VARIABLE in kinds and BindingKind.CONST not in kinds else "const"
