"""Paths that JavaScript puts together from literals: `path.join(__dirname, 'lib', name)`, `'./drivers/' + name`."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import NamedTuple

from prodlint.facts import FileFacts, Value, ValueKind

_JOINS = frozenset({"path.join", "path.resolve", "path.posix.join", "path.posix.resolve"})
_DEEPEST = 8


class LiteralPath(NamedTuple):
    """What is known of a path, from the project's root on. `is_whole`: it is all of it, and not its beginning."""

    text: str
    is_whole: bool


def literal_path(facts: FileFacts, path: str, value: int, api_of: Callable[[int], str]) -> LiteralPath | None:
    """The path of a module that values[`value`] says in the source file `path`; None where it says none, or that of a
    package. `api_of`: the access path of the API that a value is, or ""."""
    found = _Reader(facts, posixpath.dirname(path), api_of).text_of(value, 0)
    if found is None or not found.text.startswith(("/", "./", "../")):
        return None
    folder, _, name = found.text.rpartition("/")
    start = "" if found.text.startswith("/") else posixpath.dirname(path)
    at = posixpath.normpath(posixpath.join("/", start, folder.lstrip("/") if not start else folder)).lstrip("/")
    return LiteralPath(f"{at}/{name}" if at else name, found.is_whole)


class _Reader:
    def __init__(self, facts: FileFacts, folder: str, api_of: Callable[[int], str]) -> None:
        self._facts = facts
        self._folder = folder
        self._api_of = api_of

    def text_of(self, value: int, depth: int) -> LiteralPath | None:
        """The text of a value, as far as its beginning is literal."""
        fact = self._facts.values[value]
        if fact.kind is ValueKind.STRING:
            return LiteralPath(fact.text, is_whole=True)
        if fact.kind is ValueKind.TEMPLATE:
            return LiteralPath(fact.text, is_whole=False)
        if fact.kind is ValueKind.GLOBAL and fact.text == "__dirname":
            return LiteralPath(f"/{self._folder}", is_whole=True)
        if depth > _DEEPEST:
            return None
        if fact.kind is ValueKind.OP and fact.text == "+":
            return self._added(fact, depth)
        if fact.kind is ValueKind.BINDING:
            assigned = self._facts.bindings[fact.ref].values
            return self.text_of(assigned[0], depth + 1) if len(assigned) == 1 else None
        return self._joined(fact, depth)

    def _added(self, fact: Value, depth: int) -> LiteralPath | None:
        left = self.text_of(fact.items[0], depth + 1)
        if left is None or not left.is_whole:
            return left
        right = self.text_of(fact.items[1], depth + 1)
        if right is None:
            return LiteralPath(left.text, is_whole=False)
        return LiteralPath(left.text + right.text, right.is_whole)

    def _joined(self, fact: Value, depth: int) -> LiteralPath | None:
        call = self._facts.calls[fact.ref] if fact.kind is ValueKind.CALL else None
        if call is None or self._api_of(call.callee) not in _JOINS:
            return None
        parts: list[str] = []
        for argument in call.args:
            part = self.text_of(argument, depth + 1)
            if part is None:
                return LiteralPath(f"{'/'.join(parts)}/", is_whole=False) if parts else None
            parts.append(part.text)
            if not part.is_whole:
                return LiteralPath("/".join(parts), is_whole=False)
        return LiteralPath("/".join(parts), is_whole=True) if parts else None
