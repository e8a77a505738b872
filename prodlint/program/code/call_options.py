"""The options that a call is given: the members of its object literals, and its keyword arguments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from prodlint.facts import Value, ValueKind
from prodlint.program.linking.resolver import CallSite, File

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_CLOSED = frozenset(
    {
        *(ValueKind.STRING, ValueKind.NUMBER, ValueKind.BOOL, ValueKind.NULL, ValueKind.TEMPLATE),
        *(ValueKind.FUNCTION, ValueKind.ARRAY, ValueKind.CLASS, ValueKind.IMPORT),
    }
)
"""Values that surely hold no options."""

_DEEPEST = 6
"""How many spreads are followed: `a = { ...a, b: 1 }` goes round in a circle."""


class Options(msgspec.Struct):
    """What a call is told by name. A name that is given in several ways has several values."""

    values: dict[str, list[tuple[File, int]]] = {}
    is_open: bool = False
    """Whether there may be more: a spread, a computed name, an object that is not known here."""

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def all(self, name: str) -> list[Value]:
        """The values that `name` may be given."""
        return [file.facts.values[value] for file, value in self.values.get(name, ())]

    def is_bool(self, name: str, value: bool) -> bool:
        """Whether `name` is this literal, whatever happens."""
        text = "true" if value else "false"
        found = self.all(name)
        return bool(found) and all(fact.kind is ValueKind.BOOL and fact.text == text for fact in found)

    def inner(self, program: Program, name: str) -> Options:
        """The options that are the value of `name`: `{ cookie: { secure: true } }`."""
        found = Options(is_open=self.is_open and name not in self)
        for file, value in self.values.get(name, ()):
            _read(program, file, value, found)
        return found


def options_of(program: Program, site: CallSite, first: int = 0) -> Options:
    """The options among the arguments of a call, from position `first` on."""
    found = Options()
    call = site.call
    positional = len(call.args) - len(call.keywords)
    for argument in call.args[min(first, positional) : positional]:
        _read(program, site.file, argument, found)
    for name, argument in zip(call.keywords, call.args[positional:], strict=False):
        if name == "**":
            _read(program, site.file, argument, found)
        else:
            found.values.setdefault(name, []).extend(program.resolver.origins(site.file, argument))
    return found


def _read(program: Program, file: File, value: int, found: Options, depth: int = 0) -> None:
    for owner, item in program.resolver.origins(file, value):
        fact = owner.facts.values[item]
        if fact.kind is ValueKind.OBJECT and depth < _DEEPEST:
            for name, member in _members(program, owner, fact, found, depth):
                found.values.setdefault(name, []).append(member)
        elif fact.kind not in _CLOSED:
            found.is_open = True


def _members(
    program: Program, file: File, literal: Value, found: Options, depth: int
) -> Iterator[tuple[str, tuple[File, int]]]:
    for name, item in zip(literal.names, literal.items, strict=False):
        if name == "...":
            spread = file.facts.values[item]
            inner = spread.ref if spread.kind is ValueKind.SPREAD else item
            _read(program, file, inner, found, depth + 1)
        elif name == "[]":
            found.is_open = True
        else:
            for origin in program.resolver.origins(file, item):
                yield name, origin
