"""Ignore comments, the same in every language: `prodlint: ignore[rule-a, rule-b] reason`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from prodlint.facts import Directive, DirectiveKind
from prodlint.lazy_regex import regex

MARKER = b"prodlint:"
"""What a comment must contain to be worth handing to `parse_directive`."""

_DIRECTIVE = regex(
    rb"(?<![\w`'\"-])prodlint:[ \t]*ignore(?P<file>-file)?+[ \t]*+"
    rb"(?:\[(?P<rules>[^\]\r\n]+)\]|(?![\w\[-]))(?P<reason>[^\r\n]*)"
)
_LONGEST_TAIL = 200
"""How far behind a comment to look for code on the same line."""
_COMMENT_END = regex(r"(?<!\s)\s*+(?:(?<!\*)\*++/|(?<!-)--++>)\s*+\}?\s*+$")


def line_starts_of(data: bytes) -> list[int]:
    """Return the byte offset of the start of each line of `data`; lines end with LF, CRLF or a lone CR."""
    lines = data.splitlines(keepends=True)
    if not lines or lines[-1].endswith((b"\n", b"\r")):
        lines.append(b"")
    return list(accumulate(map(len, lines[:-1]), initial=0))


def parse_directive(data: bytes, start: int, end: int, line_starts: Sequence[int]) -> Directive | None:
    """Return the directive in the comment `data[start:end]`, or None where the comment has none.

    A comment that stands alone on its line covers the line after it, any other the line that it starts on. The
    comment of a JSX child, `{/* ... */}`, counts as alone.
    """
    match = _DIRECTIVE.search(data, start, end)
    if match is None:
        return None
    rules = (match["rules"] or b"").decode(errors="replace")
    reason = _COMMENT_END.sub("", match["reason"].decode(errors="replace"))
    own_line = _stands_alone(data, start, end)
    if match["file"]:
        kind, line = DirectiveKind.IGNORE_FILE, 0
    elif own_line:
        kind, line = DirectiveKind.IGNORE, bisect_right(line_starts, end - 1) + 1
    else:
        kind, line = DirectiveKind.IGNORE, bisect_right(line_starts, start)
    return Directive(
        kind=kind,
        rules=[rule for rule in (part.strip() for part in rules.split(",")) if rule],
        reason=reason.strip(" \t:-\u2013\u2014"),
        start=start,
        end=end,
        line=line,
        own_line=own_line,
    )


def _stands_alone(data: bytes, start: int, end: int) -> bool:
    line_start = max(data.rfind(b"\n", 0, start), data.rfind(b"\r", 0, start)) + 1
    before = data[line_start:start].removeprefix(b"\xef\xbb\xbf").strip()
    after = re.split(rb"[\r\n]", data[end : end + _LONGEST_TAIL], maxsplit=1)[0].strip()
    return (before, after) in ((b"", b""), (b"{", b"}"))
