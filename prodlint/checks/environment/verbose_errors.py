"""A stack trace in an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from prodlint.facts import ExitKind, Use, Value, ValueKind
from prodlint.findings import Applicability, Finding, Fix, Span
from prodlint.fixes.reasons import ODD_FORM
from prodlint.models.frameworks import FRAMEWORKS
from prodlint.models.frameworks.model import Context, Role
from prodlint.program.code.control_flow import control_flow
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_RESPONSES = tuple(path for each in FRAMEWORKS for path in each.responses)
_RESPONSE_NAMES = frozenset({"res", "response", "resp", "reply", "ctx"})
_BODIES = frozenset({"body", "responseBody"})
_Shows = Callable[[File, Value], bool]


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Answers that hold `error.stack` or a formatted traceback, and middleware that makes such answers."""
    writes = frozenset(rule.data["javascript"])
    for site, _ in program.calls:
        if not site.file.is_python and _answers(program, site, writes):
            yield from _answer(program, rule, site)
    for api in rule.data["middleware"]:
        for site in program.api_calls.get(api, ()):
            if (
                not site.file.is_python
                and site.call.use is Use.ARGUMENT
                and _runs(program, site.file, site.call.region)
            ):
                yield _finding(
                    program, rule, site.file, (site.call.start, site.call.end), f"`{api}` answers with stack traces"
                )
    yield from _koa(program, rule)
    yield from _python(program, rule)


def _runs(program: Program, file: File, region: int) -> bool:
    return program.server_code(file, region) is not None


def _finding(
    program: Program, rule: Rule, file: File, span: tuple[int, int], what: str, data: dict[str, int] | None = None
) -> Finding:
    return Finding(
        rule.name,
        f"{what}: clients are shown file names, versions and code paths of the service. Log the trace, and answer with "
        "a message that says nothing of the inside.",
        program.location(file, *span),
        data=data or {},
        no_fix_reason="" if data else "the trace is a part of the answer",
    )


def _answers(program: Program, site: CallSite, writes: frozenset[str]) -> bool:
    """Whether a call writes the body of an answer: `res.send(…)`, `res.status(500).json(…)`."""
    facts = site.file.facts
    callee = facts.values[site.call.callee]
    if callee.kind is not ValueKind.MEMBER or callee.text not in writes:
        return False
    for target in control_flow(program).targets(site):
        if isinstance(target, Api) and target.path.startswith(_RESPONSES):
            return True
    base = facts.values[callee.ref]
    while base.kind is ValueKind.CALL:
        method = facts.values[facts.calls[base.ref].callee]
        if method.kind is not ValueKind.MEMBER:
            return False
        base = facts.values[method.ref]
    return base.kind is ValueKind.PARAM and base.text in _RESPONSE_NAMES


def _answer(program: Program, rule: Rule, site: CallSite) -> Iterator[Finding]:
    if not _runs(program, site.file, site.call.region):
        return
    for position, argument in enumerate(site.call.args):
        if _holds(program, site.file, argument, _is_stack):
            whole = _is_stack(site.file, program.value(site.file, argument))
            data = {"file": site.file.index, "call": site.index, "argument": position} if whole else None
            span = (site.call.start, site.call.end)
            yield _finding(program, rule, site.file, span, "This sends an error's stack trace", data)
            return


def _koa(program: Program, rule: Rule) -> Iterator[Finding]:
    """`ctx.body = err.stack`."""
    for file in program.files:
        for store in file.facts.stores if not file.is_python else ():
            target = program.value(file, store.target)
            is_context = target.kind is ValueKind.PARAM and target.text in ("ctx", "context")
            if store.name not in _BODIES or not is_context or not _runs(program, file, store.region):
                continue
            if _holds(program, file, store.value, _is_stack):
                yield _finding(program, rule, file, (store.start, store.end), "This sends an error's stack trace")


def _is_stack(file: File, value: Value) -> bool:
    """`err.stack`, of a caught error or of something called one."""
    if value.kind is not ValueKind.MEMBER or value.text != "stack":
        return False
    base = file.facts.values[value.ref]
    name = file.facts.bindings[base.ref].name if base.kind is ValueKind.BINDING else base.text
    return base.kind is ValueKind.CATCH or name.lower() in ("e", "ex", "er", "err", "error", "exception", "reason")


def _holds(program: Program, file: File, value: int, shows: _Shows, depth: int = 0) -> bool:
    """Whether a value holds a trace for sure: in a literal, a template or a sum, directly or through one variable. What
    stands behind a condition (`dev ? err.stack : ''`) does not count."""
    fact = program.value(file, value)
    if shows(file, fact):
        return True
    if depth > 5:
        return False
    items: Iterable[int] = ()
    if fact.kind in (ValueKind.OBJECT, ValueKind.ARRAY, ValueKind.TEMPLATE) or (
        fact.kind is ValueKind.OP and fact.text in ("+", "||", "??")
    ):
        items = fact.items
    elif fact.kind is ValueKind.CALL:
        call = file.facts.calls[fact.ref]
        callee = program.value(file, call.callee)
        if callee.text in ("str", "join", "stringify", "format", "repr", "dict", "inspect"):
            items = call.args
        elif callee.kind is ValueKind.MEMBER and callee.text in ("replace", "split", "splitlines", "strip", "toString"):
            items = (callee.ref,)
    elif fact.kind is ValueKind.BINDING:
        binding = file.facts.bindings[fact.ref]
        changed = any(store.target == value for store in file.facts.stores)
        items = binding.values if len(binding.values) == 1 and not changed and binding.function != 0 else ()
    return any(_holds(program, file, item, shows, depth + 1) for item in items)


def _python(program: Program, rule: Rule) -> Iterator[Finding]:
    traces, responses = frozenset(rule.data["traces"]), tuple(rule.data["python"])
    with_traces = {site.file.index for api in traces for site in program.api_calls.get(api, ())}

    def is_trace(file: File, value: Value) -> bool:
        return (
            value.kind is ValueKind.CALL and program.resolver.api_of(file, file.facts.calls[value.ref].callee) in traces
        )

    for number in sorted(with_traces):
        file = program.files[number]
        if not file.is_python:
            continue
        for index, call in enumerate(file.facts.calls):
            site = CallSite(file, index)
            if not _is_response(program, site, responses) or not _runs(program, file, call.region):
                continue
            held = [argument for argument in call.args if _holds(program, file, argument, is_trace)]
            if held:
                data = _replaceable(file, held[0], is_trace, program)
                yield _finding(program, rule, file, (call.start, call.end), "This answers with a traceback", data)
        for exit_ in file.facts.exits:
            if exit_.kind is not ExitKind.RETURN or not _holds(program, file, exit_.value, is_trace):
                continue
            if _answers_request(program, file, exit_.region) and _runs(program, file, exit_.region):
                data = _replaceable(file, exit_.value, is_trace, program)
                yield _finding(program, rule, file, (exit_.start, exit_.end), "This answers with a traceback", data)


def _replaceable(file: File, value: int, is_trace: _Shows, program: Program) -> dict[str, int] | None:
    """What the fix needs, where the answer is the traceback itself."""
    fact = program.value(file, value)
    return {"file": file.index, "trace": fact.ref} if is_trace(file, fact) else None


def _is_response(program: Program, site: CallSite, patterns: tuple[str, ...]) -> bool:
    return any(
        isinstance(target, Api) and any(fnmatchcase(target.path, pattern) for pattern in patterns)
        for target in control_flow(program).targets(site)
    )


def _answers_request(program: Program, file: File, region: int) -> bool:
    """Whether what a function returns is the answer: it is registered as a handler."""
    return any(
        registration.role in (Role.HANDLER, Role.ERROR_HANDLER)
        and registration.context in (Context.REQUEST, Context.REQUEST_THREAD)
        for registration in program.registrations_of.get(file.function_at(region), ())
    )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """A message that says nothing, in the place of the trace."""
    if not finding.data:
        return "the trace is a part of the answer"
    file = program.files[finding.data["file"]]
    source = program.read(file.path)
    if file.is_python:
        from prodlint.fixes import python

        call = file.facts.calls[finding.data["trace"]]
        edits = python.replace_expression(file.path, source, Span(call.start, call.end), '"Internal Server Error"')
    else:
        from prodlint.fixes import javascript

        call = file.facts.calls[finding.data["call"]]
        at = 2 * finding.data["argument"]
        style = javascript.style_of(file.path, source)
        text = style.string("Internal Server Error") if style else "''"
        edits = javascript.replace_expression(file.path, source, Span(*call.arg_spans[at : at + 2]), text)
    return Fix("Answer with a plain message", Applicability.UNSAFE, edits) if edits else ODD_FORM
