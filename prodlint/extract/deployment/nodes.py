"""What the YAML and the JSON reader give: a document as scalars, maps and lists, each with its place in the file.

An alias is the very node that its anchor names, so a document takes the room that it takes in the file, however often
its parts refer to each other. A node can therefore contain itself: walk what you need, never everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec


class Node(msgspec.Struct, eq=False):
    """A value at the bytes `[start, end)`; for an alias, the place of what it stands for."""

    start: int
    end: int


class Scalar(Node, eq=False):
    """A string, number, boolean or null. `text` is the value as a string, `plain` whether it is written without quotes
    (then YAML and JSON take `true`, `null` or `3` for something else than a string)."""

    text: str
    plain: bool = False
    tag: str = ""

    @property
    def is_null(self) -> bool:
        """Whether this is null."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


class Pair(msgspec.Struct, eq=False):
    """An entry of a map, at the bytes `[start, end)`; `value` is None where nothing is written."""

    key: Scalar
    value: Node | None
    start: int
    end: int
    is_alias: bool = False
    """Whether `value` is an alias, that is written somewhere else."""


class Map(Node, eq=False, dict=True):
    """A map with its entries as they are written: keys may be there twice, and `<<` is a key like any other."""

    pairs: list[Pair] = []
    flow: bool = False
    """Whether it is written in braces."""

    @cached_property
    def own(self) -> dict[str, Pair]:
        """The entries that are written here, without merge keys; of two with one key the last counts."""
        return {pair.key.text: pair for pair in self.pairs if pair.key.text != "<<"}

    @cached_property
    def merges(self) -> list[Map]:
        """The maps that `<<` brings in; an earlier one goes before a later one."""
        found: list[Map] = []
        for pair in self.pairs:
            if pair.key.text == "<<":
                values = pair.value.items if isinstance(pair.value, List) else [pair.value]
                found += (value for value in values if isinstance(value, Map))
        return found

    @cached_property
    def merged(self) -> dict[str, Pair]:
        """All entries: those that merge keys bring in and, before them, those that are written here."""
        found: dict[str, Pair] = {}
        seen: set[int] = set()
        stack = [self]
        while stack:
            at = stack.pop()
            if id(at) not in seen:
                seen.add(id(at))
                for key, pair in at.own.items():
                    found.setdefault(key, pair)
                stack += reversed(at.merges)
        return found

    def get(self, key: str) -> Node | None:
        """The value of `key`, merge keys included; None where there is no such key or nothing written behind it."""
        pair = self.merged.get(key)
        return pair.value if pair else None

    def text(self, key: str) -> str | None:
        """The value of `key` if that is a scalar other than null."""
        return text_of(self.get(key))

    def map(self, key: str) -> Map | None:
        """The value of `key` if that is a map."""
        value = self.get(key)
        return value if isinstance(value, Map) else None


class List(Node, eq=False):
    """A list; None stands for an item of which nothing is written."""

    items: list[Node | None] = []
    flow: bool = False
    """Whether it is written in brackets."""

    def scalars(self) -> Iterator[Scalar]:
        """The items that are scalars."""
        return (item for item in self.items if isinstance(item, Scalar))


def text_of(node: Node | None) -> str | None:
    """The text of a scalar other than null."""
    return node.text if isinstance(node, Scalar) and not node.is_null else None


def plain_data(node: Node | None, depth: int = 20) -> object:
    """A node as Python's own data: str, bool, None, dict, list. What is nested deeper than `depth` becomes None."""
    if isinstance(node, Scalar):
        if node.is_null:
            return None
        return node.text == "true" if node.plain and node.text in ("true", "false") else node.text
    if depth and isinstance(node, Map):
        return {key: plain_data(pair.value, depth - 1) for key, pair in node.merged.items()}
    if depth and isinstance(node, List):
        return [plain_data(item, depth - 1) for item in node.items]
    return None
