"""What every extractor builds facts with: the table of interned values."""

from __future__ import annotations

from collections.abc import Sequence

from prodlint.facts import NONE, Value, ValueKind

UNKNOWN = 0
"""The index of the unknown value in every `Values`."""

LONGEST_TEXT = 200
"""Literal strings are cut here."""


class Values:
    """The values of one file, each of them once but for literal objects and arrays. `facts` is the list that goes into
    the `FileFacts`."""

    def __init__(self) -> None:
        """Start with the unknown value alone."""
        self.facts: list[Value] = []
        self._plain: list[dict[tuple[int, str], int]] = [{} for _ in ValueKind]
        self._compound: list[dict[tuple[int, str, tuple[int, ...], tuple[str, ...]], int]] = [{} for _ in ValueKind]
        self.plain(ValueKind.UNKNOWN)

    def plain(self, kind: ValueKind, ref: int = NONE, text: str = "") -> int:
        """Return the index of the value that `kind`, `ref` and `text` make."""
        table = self._plain[kind]
        index = table.get((ref, text))
        if index is None:
            index = table[ref, text] = len(self.facts)
            self.facts.append(Value(kind, ref, text))
        return index

    def compound(
        self, kind: ValueKind, items: Sequence[int], ref: int = NONE, text: str = "", names: Sequence[str] = ()
    ) -> int:
        """Return the index of a value that has `items`, and maybe `names`."""
        if not items:
            return self.plain(kind, ref, text)
        table = self._compound[kind]
        key = (ref, text, tuple(items), tuple(names))
        index = table.get(key)
        if index is None:
            index = table[key] = len(self.facts)
            self.facts.append(Value(kind, *key))
        return index

    def literal(self, kind: ValueKind, items: Sequence[int], names: Sequence[str] = ()) -> int:
        """Return the index of an object or array of its own: two of equal parts are two."""
        self.facts.append(Value(kind, NONE, "", tuple(items), tuple(names)))
        return len(self.facts) - 1

    def member(self, ref: int, name: str) -> int:
        """Return the index of the member `name` of the value `ref`."""
        return self.plain(ValueKind.MEMBER, ref, name)

    def operation(self, operator: str, *items: int) -> int:
        """Return the index of `operator` applied to `items`."""
        return self.compound(ValueKind.OP, items, text=operator)

    def string(self, text: str) -> int:
        """Return the index of the literal string `text`."""
        return self.plain(ValueKind.STRING, text=text[:LONGEST_TEXT])
