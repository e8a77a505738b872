"""Tables of APIs by access path, with patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from prodlint.lazy_regex import regex

_Patterns = list[tuple[re.Pattern[str], str]]

_OPEN = ".*"
"""What `**` is in a compiled pattern."""
_CALLED = regex(r"\(\)(?=.)")
_ROOT = regex(r"[^.()*]+(?!\*)(?=[.()]|\Z)")


class ApiTable:
    """A table of APIs: `*` in a key is any part of one name, `**` is anything. What the first `*` of a key stands for,
    `*` in the value stands for."""

    def __init__(self, entries: Mapping[str, str], exceptions: Iterable[str] = ()) -> None:
        self._exact = {api: value for api, value in entries.items() if "*" not in api}
        self._patterns = [(_root(api), api, value) for api, value in entries.items() if "*" in api]
        self._exceptions = [(_root(api), api, "") for api in exceptions]
        self._by_root: dict[str, tuple[_Patterns, _Patterns]] = {}

    def get(self, api: str) -> str | None:
        """The value for an API, or None."""
        if self.leaves_out(api):
            return None
        if api in self._exact:
            return self._exact[api]
        for pattern, value in self._patterns_of(api)[1]:
            if match := pattern.fullmatch(api):
                if _OPEN in pattern.pattern and self._is_of_answer(api):
                    return None
                return value.replace("*", match[1]) if "*" in value else value
        return None

    def leaves_out(self, api: str) -> bool:
        """Whether an API is one of the exceptions."""
        return any(pattern.fullmatch(api) for pattern, _ in self._patterns_of(api)[0])

    def _patterns_of(self, api: str) -> tuple[_Patterns, _Patterns]:
        root = _root(api)
        if root not in self._by_root:
            self._by_root[root] = _of_root(self._exceptions, root), _of_root(self._patterns, root)
        return self._by_root[root]

    def _is_of_answer(self, api: str) -> bool:
        """Whether an API belongs to what another of the table answers: a row that was read does not block."""
        return any(self.get(api[: called.start()]) is not None for called in _CALLED.finditer(api))


def _root(api: str) -> str:
    """The package that an API begins with; "" for a pattern that leaves it open."""
    root = _ROOT.match(api)
    return root[0] if root is not None else ""


def _of_root(patterns: Iterable[tuple[str, str, str]], root: str) -> _Patterns:
    return [(_compiled(api), value) for needed, api, value in patterns if needed in ("", root)]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    first, *others = pattern.split("**")
    if not others:
        return re.compile(_of_names(first, is_last=True))
    middle = "".join(f"(?>.*?{_of_names(piece)})" for piece in others[:-1])
    return re.compile(f"(?>{_of_names(first)}){middle}.*{_of_names(others[-1], is_last=True)}")


def _of_names(piece: str, *, is_last: bool = False) -> str:
    """The expression for what is between two `**`. Where more can follow, the first place that fits is as good as any
    other, and without being told so `re` tries all their combinations."""
    first, *others = (re.escape(part) for part in piece.split("*"))
    middle = "".join(f"(?>([^.()]*?){part})" for part in others[:-1])
    return first + middle + "".join(f"([^.()]*{'' if is_last else '?'}){part}" for part in others[-1:])
