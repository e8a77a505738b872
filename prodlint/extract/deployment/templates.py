"""Files that are no deployment files yet, but templates of some: Jinja, Go templates, ERB, Mustache, Cookiecutter.

What such a file says in the end is known only when it is filled in, so its settings are unknown, and nothing edits it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from prodlint.findings import Span
from prodlint.lazy_regex import regex

_MARKER = regex(rb"(?<!\$)\{\{-?\s*[\w.$(\"'/|#^&!]|\{%-?\s*\w|<%[-=\s]|@@\w+@@|\{#\s")


_OPENING = regex(rb"\{\{|\{#|\{%|<%")
_CLOSING = {b"{{": b"}}", b"{#": b"#}", b"{%": b"%}", b"<%": b"%>"}
_PLACEHOLDER = regex(r"@@\w++@@")


def marks(data: bytes) -> Iterator[Span]:
    """The places that a template language fills in: `{{ }}`, `{# #}`, `{% %}` and `<% %>`, brackets included."""
    at = 0
    unclosed: set[bytes] = set()  # what is never closed from here on is not looked for again
    while match := _OPENING.search(data, at):
        opening = match.group()
        closing = _CLOSING[opening]
        end = -1 if opening in unclosed else data.find(closing, match.end())
        if end < 0:
            unclosed.add(opening)
            at = match.start() + 1
        else:
            at = end + len(closing)
            yield Span(match.start(), at)


def has_parts(text: str) -> bool:
    """Whether a part of a value is filled in by a template language."""
    return next(_parts(text.encode()), None) is not None or _PLACEHOLDER.search(text) is not None


def _parts(data: bytes) -> Iterator[Span]:
    return (span for span in marks(data) if not data.startswith(b"{#", span.start))


def without_blanks(text: str) -> str:
    """The text with the blanks inside a template language's marks replaced, so that each is one word."""
    return _replaced(text.encode(), _parts, lambda part: re.sub(rb"\s", b"_", part)).decode()


def _replaced(data: bytes, places: Callable[[bytes], Iterator[Span]], replacement: Callable[[bytes], bytes]) -> bytes:
    pieces: list[bytes] = []
    at = 0
    for span in places(data):
        pieces += data[at : span.start], replacement(data[span.start : span.end])
        at = span.end
    return b"".join((*pieces, data[at:]))


_CONTROLS = regex(
    rb"\{\{-?\s*(?:[#/^&!]|(?:if|else|end|range|with|define|block|template|include|each|unless)\b)"
    rb"|\{%-?\s*\w|<%[-=\s]|\{#\s"
)
_COMMENTS = regex(rb"^(#|[^\"'\\#\n]*\s#)[^\n]*", re.MULTILINE)


def is_template(data: bytes) -> bool:
    """Whether a text has the marks of a template language in it. GitHub's `${{ }}` is none, nor is a value in a comment
    (`# {{ ansible_managed }}`), which changes nothing; what begins or ends a part of the text counts there, too."""
    if _MARKER.search(data) is None:
        return False
    return _CONTROLS.search(data) is not None or _MARKER.search(_COMMENTS.sub(b"", data)) is not None


def masked(data: bytes) -> bytes:
    """The text with every mark of a template replaced by as many bytes that mean nothing in any format: those that
    stand for a value by letters, all others by blanks; line breaks stay."""

    def fill(part: bytes) -> bytes:
        is_value = part.startswith((b"{{", b"<%="))
        return re.sub(rb"[^\n]", b"_" if is_value else b" ", part)

    return _replaced(data, marks, fill)
