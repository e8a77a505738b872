"""Work that is done once and kept: what stands behind `if (!cache)` does not run for every request."""

from __future__ import annotations

from collections.abc import Iterator

from prodlint.facts import NONE, Call, FileFacts, RegionKind, Use, Value, ValueKind

_OF_REQUESTS = frozenset({"req", "request", "res", "response", "reply", "ctx", "context", "socket", "event", "c"})
"""What handlers call that which comes with each request."""


def runs_once(facts: FileFacts, call: Call) -> bool:
    """Whether a call's result is kept in a place that outlives the function, under a test of that very place:
    `if (!cache) cache = load()`, `cache = cache || load()`, `if (this.x == null) { this.x = new X() }`."""
    if any(_keeps(facts, region) for region in _regions(facts, call.region)):
        return True
    if call.use is not Use.ASSIGNED:
        return False
    kept = facts.bindings[call.user] if call.user != NONE else None
    if kept is not None and kept.function == facts.regions[call.region].function and kept.function != 0:
        return False  # a local variable: gone when the function returns
    tests = list(_conditions(facts, call.region))
    if not tests:
        return False
    names = {name for test in tests for name in names_in(facts, test)}
    return kept.name in names if kept is not None else not names.isdisjoint(_stored(facts, call))


def _regions(facts: FileFacts, region: int) -> Iterator[int]:
    function = facts.regions[region].function
    while region != NONE and facts.regions[region].function == function:
        yield region
        region = facts.regions[region].parent


def _keeps(facts: FileFacts, region: int) -> bool:
    """Whether a region runs until a member is set, and sets it: all of `if (!M.instance) { M.instance = new M(); await
    M.instance.open() }` is done once."""
    fact = facts.regions[region]
    if fact.kind is not RegionKind.THEN or not fact.values:
        return False
    name = _absent(facts, fact.values[0])
    return bool(name) and any(
        store.name == name and store.op == "=" and fact.start <= store.start < fact.end for store in facts.stores
    )


def _absent(facts: FileFacts, test: int) -> str:
    """The name of the member that a test asks for the absence of: `!M.x`, `M.x == null`, `cls.x is None`; or ""."""
    value = facts.values[test]
    if value.kind is not ValueKind.OP:
        return ""
    items = [facts.values[item] for item in value.items]
    if items and _is_of_request(facts, items[0]):
        return ""
    if value.text == "!" and len(items) == 1:
        return items[0].text if items[0].kind is ValueKind.MEMBER else ""
    if value.text in ("==", "===", "is") and len(items) == 2 and items[1].kind is ValueKind.NULL:
        return items[0].text if items[0].kind is ValueKind.MEMBER else ""
    return ""


def _is_of_request(facts: FileFacts, member: Value) -> bool:
    """Whether a member is one of what comes with a request and goes with it: `req.user`, `ctx.state.db`."""
    while member.kind is ValueKind.MEMBER:
        member = facts.values[member.ref]
    return member.kind is ValueKind.PARAM and member.text in _OF_REQUESTS


def _conditions(facts: FileFacts, region: int) -> Iterator[int]:
    """The conditions under which a region runs, within its function."""
    function = facts.regions[region].function
    while region != NONE and facts.regions[region].function == function:
        fact = facts.regions[region]
        if fact.kind in (RegionKind.THEN, RegionKind.ELSE) and fact.values:
            yield fact.values[0]
        region = fact.parent


def _stored(facts: FileFacts, call: Call) -> set[str]:
    """The members that the call's result is stored in."""
    start, end = call.start, call.end
    return {store.name for store in facts.stores if store.start <= start <= end <= store.end and store.name}


def names_in(facts: FileFacts, value: int, depth: int = 0) -> set[str]:
    """The variable and member names that an expression reads."""
    if value == NONE or depth > 5:
        return set()
    fact = facts.values[value]
    if fact.kind is ValueKind.BINDING:
        return {facts.bindings[fact.ref].name}
    if fact.kind is ValueKind.PARAM:
        return {fact.text}
    if fact.kind is ValueKind.MEMBER and _is_of_request(facts, fact):
        return set()
    if fact.kind in (ValueKind.MEMBER, ValueKind.SUBSCRIPT):
        return {fact.text} | names_in(facts, fact.ref, depth + 1)
    if fact.kind is ValueKind.OP:
        return {name for item in fact.items for name in names_in(facts, item, depth + 1)}
    return set()
