"""A promise that is tested instead of what it stands for: it is always true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import Use, ValueKind
from prodlint.findings import Applicability, Confidence, Finding, Fix, Span
from prodlint.fixes.reasons import NO_AWAIT
from prodlint.program.code.callbacks import functions_of
from prodlint.program.code.control_flow import control_flow
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api, Fn

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_PREDICATES = frozenset({"filter", "some", "every", "find", "findIndex", "findLast", "findLastIndex"})
_DATA = ("express.req.body", "express.req.query", "express.req.params", "express.req.files")
_TESTS = frozenset({"&&", "||", "!", "?:"})


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Calls that answer a promise, or a coroutine, and are tested or spread; predicates that answer one."""
    coroutines = frozenset(rule.data["coroutines"])
    for file in program.files:
        tested = _tested(file)
        for index, call in enumerate(file.facts.calls):
            site = CallSite(file, index)
            if call.use is Use.CONDITION or call.use is Use.TESTED or index in tested:
                how = tested.get(index, "always true, whatever comes of it")
                sure = (
                    _answers_coroutine(program, site, coroutines) if file.is_python else _answers_promise(program, site)
                )
                if sure is not None:
                    yield from _finding(program, rule, site, sure, how)
            elif not file.is_python and _tests_elements(program, site):
                yield from _predicate(program, rule, site)


def _tested(file: File) -> dict[int, str]:
    """The calls whose result an operator tests, or that are spread, wherever what comes of that goes; what is wrong."""
    facts = file.facts
    found: dict[int, str] = {}
    for value in facts.values:
        if value.kind is ValueKind.OP and value.text in _TESTS and value.items:
            first = facts.values[value.items[0]]
            if first.kind is ValueKind.CALL:
                found[first.ref] = "always true, whatever comes of it"
        elif value.kind is ValueKind.OBJECT and not file.is_python:
            for name, item in zip(value.names, value.items, strict=True):
                spread = facts.values[item]
                spread = facts.values[spread.ref] if spread.kind is ValueKind.SPREAD else spread
                if name == "..." and spread.kind is ValueKind.CALL:
                    found[spread.ref] = "an object without properties of its own, so nothing is spread"
    return found


def _answers_promise(program: Program, site: CallSite) -> Confidence | None:
    """Whether a JavaScript call answers a promise. An async function that is called where it is written, `!async
    function () {}()`, is started, not asked."""
    callee = program.value(site.file, site.call.callee)
    flow = control_flow(program)
    if callee.kind is ValueKind.FUNCTION and site.call.use is Use.TESTED:
        return None
    if not flow.returns_promise(site):
        return None
    is_sure = flow.surely_returns_promise(site) and (
        not flow.targets(site) or program.completeness.is_complete(site.file, site.call.callee)
    )
    return Confidence.CERTAIN if is_sure else Confidence.LIKELY


def _answers_coroutine(program: Program, site: CallSite, coroutines: frozenset[str]) -> Confidence | None:
    """Whether a Python call answers a coroutine."""
    targets = control_flow(program).targets(site)
    are = [
        control_flow(program).is_async(target.id)
        if isinstance(target, Fn)
        else isinstance(target, Api) and target.path in coroutines
        for target in targets
    ]
    if not any(are):
        return None
    is_sure = all(are) and program.completeness.is_complete(site.file, site.call.callee)
    return Confidence.CERTAIN if is_sure else Confidence.LIKELY


def _finding(program: Program, rule: Rule, site: CallSite, sure: Confidence, how: str) -> Iterator[Finding]:
    here = program.server_code(site.file, site.call.region)
    if here is None:
        return
    file = site.file
    is_async = file.facts.functions[file.facts.regions[site.call.region].function].is_async
    name = program.value(file, site.call.callee).text
    shown = f"What `{name}` answers" if name else "This"
    kind = "coroutine" if file.is_python else "promise"
    yield Finding(
        rule.name,
        f"{shown} is a {kind}, which is {how}. `await` it.",
        program.location(file, site.call.start, site.call.end),
        confidence=Confidence.LIKELY if Confidence.LIKELY in (sure, here) else Confidence.CERTAIN,
        data={"file": file.index, "call": site.index},
        no_fix_reason="" if is_async else "the function around it is not async",
    )


def _tests_elements(program: Program, site: CallSite) -> bool:
    """Whether a call is `xs.filter(f)` or its like on what may be an array, and on nothing else that is known: streams
    and some libraries await what `f` answers."""
    callee = program.value(site.file, site.call.callee)
    if callee.kind is not ValueKind.MEMBER or callee.text not in _PREDICATES or len(site.call.args) != 1:
        return False
    receiver = program.value(site.file, callee.ref)
    if receiver.kind is ValueKind.CALL and control_flow(program).returns_promise(CallSite(site.file, receiver.ref)):
        return False
    targets = control_flow(program).targets(site)
    is_data = all(isinstance(target, Api) and target.path.startswith(_DATA) for target in targets)
    return is_data or any(
        owner.facts.values[value].kind is ValueKind.AWAIT
        for owner, value in program.resolver.origins(site.file, callee.ref)
    )


def _predicate(program: Program, rule: Rule, site: CallSite) -> Iterator[Finding]:
    here = program.server_code(site.file, site.call.region)
    functions = functions_of(program, site.file, site.call.args[0])
    if here is None or not functions or not all(control_flow(program).promises(each) for each in functions):
        return
    name = program.value(site.file, site.call.callee).text
    yield Finding(
        rule.name,
        f"This function answers a promise, which is always true, so `{name}` never says no to an element. Await the "
        "answers first, and then choose.",
        program.location(site.file, site.call.start, site.call.end),
        confidence=here,
        no_fix_reason="what to await, and in which order, is for you to say",
    )


# ----------------------------------------------------------------------------------------------------------------- fix


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """`await` before the call, in an async function."""
    from prodlint.fixes import javascript, python

    file = program.files[finding.data["file"]]
    call = file.facts.calls[finding.data["call"]]
    source, span = program.read(file.path), Span(call.start, call.end)
    tool = python if file.is_python else javascript
    edits = tool.insert_await(file.path, source, span)
    return Fix("Await it", Applicability.UNSAFE, edits) if edits else NO_AWAIT
