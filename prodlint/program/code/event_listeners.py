"""What a process listens to (signals, events of its workers), and what comes of it in the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from prodlint.facts import NONE, ValueKind
from prodlint.program.code.control_flow import control_flow
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Obj

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_LISTENS = ("on", "once", "addListener", "prependListener", "prependOnceListener")
_EACH = frozenset({"forEach", "map"})


class Listener(msgspec.Struct, frozen=True):
    """A call that listens to events of an emitter."""

    site: CallSite
    events: frozenset[str] | None
    """The events that it can be about; None where they are not known."""
    functions: tuple[int, ...]
    """What is run for them; () where it is no function of the program."""
    handler: int
    """The handler's value in the file of `site`."""

    def hears(self, *events: str) -> bool:
        """Whether it listens (or may listen) to one of some events."""
        return self.events is None or not self.events.isdisjoint(events)


def listeners(program: Program, emitters: Iterable[str]) -> Iterator[Listener]:
    """The calls that listen to emitters (access paths: `process`, `cluster`, `cluster.fork()`)."""
    for emitter in emitters:
        for method in _LISTENS:
            for site in program.api_calls.get(f"{emitter}.{method}", ()):
                if len(site.call.args) > 1:
                    handler = site.call.args[1]
                    functions = tuple(function for function, _ in program.graph.handlers(site.file, handler))
                    yield Listener(site, events_of(program, site.file, site.call.args[0]), functions, handler)


def events_of(program: Program, file: File, value: int) -> frozenset[str] | None:
    """The strings that a value can be: a literal, a variable of a loop over a list of them, also by `forEach`."""
    found: set[str] = set()
    for owner, item in program.resolver.origins(file, value):
        fact = owner.facts.values[item]
        listed = NONE
        if fact.kind is ValueKind.STRING:
            found.add(fact.text)
            continue
        if fact.kind is ValueKind.ELEMENT:
            listed = fact.ref
        elif fact.kind is ValueKind.PARAM:
            listed = _looped_over(owner, fact.ref)
        strings = _strings(program, owner, listed)
        if not strings:
            return None
        found |= strings
    return frozenset(found) or None


def _looped_over(file: File, function: int) -> int:
    """The list for each of whose elements a function is run: `list.forEach(function)`."""
    for call in file.facts.calls:
        callee = file.facts.values[call.callee]
        first = file.facts.values[call.args[0]] if call.args else None
        if first is None or first.kind is not ValueKind.FUNCTION or first.ref != function:
            continue
        if callee.kind is ValueKind.MEMBER and callee.text in _EACH:
            return callee.ref
    return NONE


def _strings(program: Program, file: File, listed: int) -> set[str]:
    """The elements of a list that has nothing but strings; empty for any other."""
    if listed == NONE:
        return set()
    for target in program.resolver.resolve(file, listed):
        if isinstance(target, Obj):
            owner = program.files[target.file]
            items = [owner.facts.values[item] for item in owner.facts.values[target.value].items]
            if all(item.kind is ValueKind.STRING for item in items):
                return {item.text for item in items}
    return set()


def calls_from(program: Program, functions: Iterable[int]) -> Iterator[CallSite]:
    """All calls that running some functions can come to, in them and in what they run."""
    stack = list(functions)
    seen = set(stack)
    while stack:
        function = stack.pop()
        yield from control_flow(program).calls_in(function)
        for edge in program.graph.edges.get(function, ()):
            if edge.callee not in seen:
                seen.add(edge.callee)
                stack.append(edge.callee)
