"""A coroutine that is made and thrown away, or taken for its result: its body never runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import NONE, FileFacts, Use, Value, ValueKind
from prodlint.findings import Applicability, Confidence, Finding, Fix, Span
from prodlint.fixes.reasons import NO_AWAIT
from prodlint.program.code.control_flow import control_flow
from prodlint.program.linking.targets import Api, Fn, Targets

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.linking.resolver import CallSite
    from prodlint.rulebook import Rule

_HARMLESS_DECORATORS = frozenset({"staticmethod", "classmethod", "override", "abstractmethod", "final"})
_OF_COROUTINES = ("__", "cr_", "close", "send", "throw")
"""How the names of a coroutine's own members begin."""


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Calls of an `async def` of the program, or of an API that is one, whose coroutine nobody can have awaited."""
    apis = frozenset(rule.data["apis"])
    for site, targets in program.calls:
        if not site.file.is_python or not targets:
            continue
        name = _coroutine(program, targets, apis)
        if not name:
            continue
        is_dropped = site.call.use is Use.STATEMENT
        if is_dropped or _is_taken_for_result(site) or _returns_itself(site, targets):
            yield _finding(program, rule, site, name, is_dropped=is_dropped)


def _finding(program: Program, rule: Rule, site: CallSite, name: str, *, is_dropped: bool) -> Finding:
    facts = site.file.facts
    function = facts.functions[facts.regions[site.call.region].function]
    what = "this line makes it and throws it away" if is_dropped else "what is used here is not its result"
    if site.call.use is Use.RETURNED:
        what = "whoever awaits the function around it gets that, not a result"
    return Finding(
        rule.name,
        f"`{name}` is a coroutine: {what}, so its body never runs. "
        f"{'Await it.' if function.is_async else 'Await it in an `async def`, or hand it to the event loop.'}",
        program.location(site.file, site.call.start, site.call.end),
        confidence=Confidence.CERTAIN
        if program.completeness.is_complete(site.file, site.call.callee)
        else Confidence.LIKELY,
        data={"file": site.file.index, "call": site.index},
        no_fix_reason="" if function.is_async else "the function around it is not async",
    )


def _coroutine(program: Program, targets: Targets, apis: frozenset[str]) -> str:
    """The name of the coroutine function that all targets are, or ""."""
    name = ""
    for target in targets:
        if isinstance(target, Fn):
            file, function = program.function(target.id)
            plain = all(
                program.value(file, decorator).text in _HARMLESS_DECORATORS for decorator in function.decorators
            )
            if not control_flow(program).is_async(target.id) or not plain:
                return ""
            name = function.name
        elif isinstance(target, Api) and target.path in apis:
            name = target.path.replace("()", "")
        else:
            return ""
    return name


def _is_taken_for_result(site: CallSite) -> bool:
    """Whether a member of the call's value is read that a coroutine does not have, or JSON is made of it:
    `user = find(1); user.name`, where `user` has no other value and is neither awaited nor passed on."""
    facts = site.file.facts
    if site.call.use in (Use.RECEIVER, Use.OTHER):
        return any(_reads_result(value, facts, ValueKind.CALL, site.index) for value in facts.values)
    if site.call.use is not Use.ASSIGNED or site.call.user == NONE:
        return False
    binding = facts.bindings[site.call.user]
    if len(binding.values) != 1 or facts.values[binding.values[0]].kind is not ValueKind.CALL:
        return False
    names = {
        number
        for number, value in enumerate(facts.values)
        if value.kind is ValueKind.BINDING and value.ref == site.call.user
    }
    is_awaited = any(value.kind is ValueKind.AWAIT and value.ref in names for value in facts.values)
    is_passed_on = any(not names.isdisjoint(call.args) for call in facts.calls)
    return not (is_awaited or is_passed_on) and (
        any(_reads_result(value, facts, ValueKind.BINDING, site.call.user) for value in facts.values)
        or _is_put_into_json(facts, names)
    )


def _is_put_into_json(facts: FileFacts, names: set[int]) -> bool:
    """Whether one of some values stands in a literal of which a call makes JSON: `post(url, json={"user": user})`."""
    holders = {
        number
        for number, value in enumerate(facts.values)
        if value.kind in (ValueKind.OBJECT, ValueKind.ARRAY) and not names.isdisjoint(value.items)
    }
    for call in facts.calls:
        named = dict(zip(call.keywords, call.args[len(call.args) - len(call.keywords) :], strict=True))
        is_dump = facts.values[call.callee].text == "dumps"
        if named.get("json") in holders or (is_dump and not holders.isdisjoint(call.args[:1])):
            return True
    return False


def _returns_itself(site: CallSite, targets: Targets) -> bool:
    """Whether an `async def` returns a call of itself: who awaits it gets a coroutine where others get the result."""
    return site.call.use is Use.RETURNED and targets == (Fn(site.file.function_at(site.call.region)),)


def _reads_result(value: Value, facts: FileFacts, kind: ValueKind, ref: int) -> bool:
    """Whether a value is a member, which coroutines have not, of the value that `kind` and `ref` tell."""
    if value.kind is not ValueKind.MEMBER or value.text.startswith(_OF_COROUTINES):
        return False
    base = facts.values[value.ref]
    return base.kind is kind and base.ref == ref


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """`await` in front, inside `async def`."""
    from prodlint.fixes import python

    file = program.files[finding.data["file"]]
    call = file.facts.calls[finding.data["call"]]
    edits = python.insert_await(file.path, program.read(file.path), Span(call.start, call.end))
    return Fix("Await it", Applicability.UNSAFE, edits) if edits else NO_AWAIT
