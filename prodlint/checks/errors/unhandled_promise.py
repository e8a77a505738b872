"""A promise that nobody awaits, returns or catches: its rejection ends the process or vanishes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import NONE, ParamKind, RegionKind, Use, ValueKind
from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix, ImportRequest, Span, weakest
from prodlint.fixes.reasons import NO_AWAIT, NO_LOGGER, ODD_FORM
from prodlint.lazy_regex import regex
from prodlint.models.frameworks.model import Context
from prodlint.program.code.callbacks import (
    Continuation,
    drops_promise,
    functions_of,
    takes_callback,
    while_serving,
    whom_to_tell,
)
from prodlint.program.code.control_flow import CHAINS, control_flow, links
from prodlint.program.code.loggers import loggers_in
from prodlint.program.code.process_hooks import REJECTION, fate
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api, Fn

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_DECLARES_NEXT = regex(
    rb"\b(?:const|let|var|function|class|import)\s+(?:\*\s+as\s+)?next\b|[{,]\s*next\s*(?:,|\}\s*(?:=|from))"
)
_OUTLIVE_STARTUP = (Context.REQUEST, Context.REQUEST_THREAD, Context.BACKGROUND, Context.BACKGROUND_THREAD)
_EACH = frozenset({"each", "forEach", "map"})
_CALLABLE = (ValueKind.FUNCTION, ValueKind.BINDING, ValueKind.MEMBER, ValueKind.IMPORT, ValueKind.CALL)
_NO_ARRAYS = frozenset({"Map()", "Set()", "URLSearchParams()"})


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Statements whose value is surely a promise that can be rejected, where a service outlives them; variables that
    keep one and that nobody reads; callbacks whose promises are thrown away."""
    for site, _ in program.calls:
        if site.file.is_python:
            continue
        handed = _dropped(program, site)
        if handed is not None:
            yield _dropped_finding(program, rule, site, handed)
        elif site.call.use is Use.STATEMENT or _is_unread(site):
            confidence = _matters(program, site)
            if confidence is None:
                continue
            if control_flow(program).returns_promise(site) and _can_be_rejected(program, site):
                if not _is_surely_called(program, site):
                    confidence = Confidence.LIKELY
                yield _finding(program, rule, site, confidence, "Nobody handles the rejection of this promise")


def _is_unread(site: CallSite) -> bool:
    """Whether a call's result is kept in a variable that is never read, or is tested in a statement:
    `save() && log()`."""
    call, facts = site.call, site.file.facts
    if call.use is Use.TESTED:
        return True
    if call.use is not Use.ASSIGNED or call.user == NONE or facts.bindings[call.user].function == 0:
        return False
    return not facts.bindings[call.user].is_read


def _dropped(program: Program, site: CallSite) -> Confidence | None:
    """Whether a call is handed a function whose promise it throws away, which can be rejected, while a service runs."""
    found: Confidence | None = None
    for position, argument in enumerate(site.call.args):
        if program.value(site.file, argument).kind not in _CALLABLE:
            continue
        dropped = drops_promise(program, site, position)
        for function in functions_of(program, site.file, argument) if dropped is not None else ():
            if dropped is None or not control_flow(program).leaves_open(function):
                continue
            here = while_serving(program, site, function)
            if here is not None:
                found = weakest(dropped, here) if found is None else weakest(found, dropped, here)
    return found


def _dropped_finding(program: Program, rule: Rule, site: CallSite, confidence: Confidence) -> Finding:
    if _is_async_each(program, site):
        return _finding(program, rule, site, confidence, "The promises of this async callback are dropped")
    name = program.value(site.file, site.call.callee).text
    what = "`new Promise`" if site.call.is_new and name == "Promise" else f"`{name}`" if name else "What it is given to"
    return Finding(
        rule.name,
        f"{what} throws away the promise of this callback: an error in it {_fate(program, site)}, "
        "and nobody else hears of it. Catch it inside the callback.",
        program.location(site.file, site.call.start, site.call.end),
        confidence=confidence,
        data={"file": site.file.index, "call": site.index},
        no_fix_reason="what the callback should do with an error is for you to say",
    )


def _fate(program: Program, site: CallSite) -> str:
    """What an unhandled rejection does in this process."""
    what = fate(program, site.file, REJECTION)
    return f"{what} (Node 15 and later)" if what.startswith("ends") else what


def _finding(program: Program, rule: Rule, site: CallSite, confidence: Confidence, what: str) -> Finding:
    name, handler = _next(program, site), NONE
    is_next = bool(name)
    function = site.file.facts.regions[site.call.region].function
    if not name and not site.file.facts.functions[function].is_async:
        handler = _handler_without_next(program, site)
        whom = _callback(program, site, function)
        name = "next" if handler != NONE else whom.name if whom is not None else ""
        is_next = handler != NONE
    return Finding(
        rule.name,
        f"{what}: an error in it {_fate(program, site)}, and no request is answered with it. Await it, "
        f"return it, or end it with `.catch({name or '…'})`.",
        program.location(site.file, site.call.start, site.call.end),
        confidence=confidence,
        data={"file": site.file.index, "call": site.index, "whom": name, "is_next": is_next, "handler": handler},
        no_fix_reason=_obstacle(program, site, name),
    )


def _callback(program: Program, site: CallSite, function: int) -> Continuation | None:
    """The callback that what is done with the promise calls in the end: `find().then((user) => done(null, user))`. One
    that is called elsewhere has perhaps been called when the promise is rejected."""
    whom, call = whom_to_tell(program, site.file, function), site.call
    if whom is None or whom.value == NONE:
        return None
    is_inside = any(each.callee == whom.value and call.start <= each.start < call.end for each in site.file.facts.calls)
    return whom if is_inside else None


def _matters(program: Program, site: CallSite) -> Confidence | None:
    """Whether the call runs while a service serves. At start-up an unhandled rejection rightly ends the process."""
    if site.file.facts.regions[site.call.region].function == 0:
        return None
    if program.server_code(site.file, site.call.region) is None:
        return None
    reached = program.contexts.of(site.file.function_at(site.call.region))
    for context in _OUTLIVE_STARTUP:
        if context in reached:
            return Confidence.CERTAIN if reached[context].certain else Confidence.LIKELY
    return None if reached else Confidence.LIKELY


def _is_async_each(program: Program, site: CallSite) -> bool:
    """`items.forEach(async …)`, `_.each(items, async …)`, whose callback can reject."""
    callee = program.value(site.file, site.call.callee)
    if callee.kind is not ValueKind.MEMBER or callee.text not in _EACH:
        return False
    return any(
        control_flow(program).leaves_open(function)
        for argument in site.call.args
        for function in functions_of(program, site.file, argument)
    )


def _is_surely_called(program: Program, site: CallSite) -> bool:
    """Whether the function that a chain begins with is all that the callee can be; a chain on what is not known is one
    all the same."""
    *_, first = links(site)
    callee = first.file.facts.values[first.call.callee]
    return (
        (callee.kind is ValueKind.MEMBER and callee.text in CHAINS)
        or not control_flow(program).targets(first)
        or program.completeness.is_complete(first.file, first.call.callee)
    )


def _can_be_rejected(program: Program, site: CallSite) -> bool:
    """False for a chain that is caught, for functions of the program whose promises are never rejected, and for those
    of packages that tell a callback instead."""
    own = [target.id for target in control_flow(program).targets(site) if isinstance(target, Fn)]
    if not own and takes_callback(program, site):
        return False
    if own and not control_flow(program).is_caught(site):
        return any(control_flow(program).can_reject(function) for function in own)
    return control_flow(program).can_fail(site)


def _next(program: Program, site: CallSite) -> str:
    """The name of Express's `next` that is in reach of a call, or ""."""
    facts, base = site.file.facts, site.file.fn_base
    function = facts.regions[site.call.region].function
    hidden: set[str] = set()
    while function != NONE:
        fact = facts.functions[function]
        for position, param in enumerate(fact.params):
            given = program.resolver.parameters.get((base + function, position), ())
            if Api("express.next") in given and param.name and param.name not in hidden:
                return param.name
        hidden.update(param.name for param in fact.params)
        hidden.update(binding.name for binding in facts.bindings if binding.function == function)
        function = fact.parent
    return ""


def _handler_without_next(program: Program, site: CallSite) -> int:
    """The function around a call that Express would give a `next` if it took one: a handler `(req, res)`; or NONE."""
    facts, base = site.file.facts, site.file.fn_base
    if any(binding.name == "next" for binding in facts.bindings):
        return NONE
    function = facts.regions[site.call.region].function
    while function != NONE:
        params = facts.functions[function].params
        if any(param.name == "next" for param in params):
            return NONE
        registrations = program.registrations_of.get(base + function, [])
        if registrations:
            plain = len(params) == 2 and all(param.kind is ParamKind.NORMAL for param in params)
            direct = all(each.framework == "express" and not each.wrappers for each in registrations)
            return function if plain and direct and not program.resolver.callers.get(base + function) else NONE
        function = facts.functions[function].parent
    return NONE


# --- fix


def _obstacle(program: Program, site: CallSite, name: str) -> str:
    """Why the promise cannot be handled where it is; "" if it can."""
    if _is_async_each(program, site) and not _is_array_for_each(program, site):
        return "whether it can become `Promise.all` is not clear"
    if control_flow(program).is_caught_too_early(site):
        return "its `.catch` has to move to the end of the chain"
    if name:
        return ""
    facts = site.file.facts
    if not facts.functions[facts.regions[site.call.region].function].is_async:
        is_there = loggers_in(program).for_errors(site.file, site.call.region) is not None
        return (
            ""
            if is_there
            else "the function around it is not async, and there is no `next`, callback or logger in reach"
        )
    return "an `await` in `finally` would hide an error that is on its way" if _in_finally(site.file, site) else ""


def _is_array_for_each(program: Program, site: CallSite) -> bool:
    """`items.forEach(f)` on what looks like an array (an `f` with two parameters may be given a Map's keys)."""
    callee = program.value(site.file, site.call.callee)
    if len(site.call.args) != 1 or program.resolver.api_of(site.file, callee.ref) in _NO_ARRAYS:
        return False
    callback = program.value(site.file, site.call.args[0])
    return callback.kind is ValueKind.FUNCTION and len(site.file.facts.functions[callback.ref].params) < 2


def _in_finally(file: File, site: CallSite) -> bool:
    at = site.call.region
    while file.facts.regions[at].kind is not RegionKind.BODY:
        if file.facts.regions[at].kind is RegionKind.FINALLY:
            return True
        at = file.facts.regions[at].parent
    return False


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """`.catch(next)` where a `next` is in reach, `await` in an async function, else a callback or the logger; for
    `forEach` with `Promise.all`."""
    from prodlint.fixes import javascript
    from prodlint.fixes.logcalls import error_listener

    file = program.files[finding.data["file"]]
    site = CallSite(file, finding.data["call"])
    source, span, name = program.read(file.path), Span(site.call.start, site.call.end), finding.data["whom"]
    is_async = file.facts.functions[file.facts.regions[site.call.region].function].is_async
    if finding.data["handler"] != NONE and _DECLARES_NEXT.search(source):
        return "the file has a `next` of its own, which a parameter would hide"
    added, requests = _take_next(source, file, finding.data["handler"])
    title = f"Pass its rejection to `{name}`"
    if not name and not is_async:
        listener = error_listener(program, file, source, site.call.region, before=site.call.start)
        if listener is None:
            return NO_LOGGER
        name, added, requests = listener
        title = "Log its rejection"
    if _is_async_each(program, site):
        whole = _promise_all(source, site, f").catch({name})" if name else ")", "" if name else "await ")
        if whole is None:
            return ODD_FORM
        return Fix("Wait for all with `Promise.all`", Applicability.UNSAFE, (*added, *whole), requests)
    if name:
        edits = javascript.append_call(file.path, source, span, f".catch({name})")
        return Fix(title, Applicability.UNSAFE, (*added, *edits), requests) if edits else ODD_FORM
    edits = javascript.insert_await(file.path, source, span)
    return Fix("Await it", Applicability.UNSAFE, edits) if edits else NO_AWAIT


def _take_next(source: bytes, file: File, handler: int) -> tuple[tuple[Edit, ...], tuple[ImportRequest, ...]]:
    """What gives a handler its third parameter, typed where the others are; nothing for NONE."""
    from prodlint.fixes.text import separator_before

    if handler == NONE:
        return (), ()
    last = file.facts.functions[handler].params[-1]
    is_typed = last.annotation != NONE
    kind = "NextFunction"
    if b"import type" in source and b"NextFunction" not in source:
        kind = "import('express').NextFunction"  # `verbatimModuleSyntax` refuses a type in a plain import
    requests = (ImportRequest(file.path, "express", kind),) if is_typed and kind == "NextFunction" else ()
    added = f"{separator_before(source, last.start)}next{f': {kind}' if is_typed else ''}"
    return (Edit(file.path, last.end, last.end, added),), requests


def _promise_all(source: bytes, site: CallSite, after: str, before: str) -> tuple[Edit, ...] | None:
    """`items.forEach(f)` → `await Promise.all(items.map(f))`."""
    from prodlint.fixes import javascript

    call, path = site.call, site.file.path
    around = javascript.wrap_expression(path, source, Span(call.start, call.end), f"{before}Promise.all(", after)
    if around is None or source[call.name_start : call.name_end] not in (b"forEach", b"map"):
        return None
    return around[0], Edit(path, call.name_start, call.name_end, "map"), around[1]
