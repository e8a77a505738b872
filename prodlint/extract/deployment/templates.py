"""Files that are no deployment files yet, but templates of some: Jinja, Go templates, ERB, Mustache, Cookiecutter.

What such a file says in the end is known only when it is filled in, so its settings are unknown, and nothing edits it.
"""

from __future__ import annotations

import re

from prodlint.lazy_regex import regex

_MARKER = regex(rb"(?<!\$)\{\{-?\s*[\w.$(\"'/|#^&!]|\{%-?\s*\w|<%[-=\s]|@@\w+@@|\{#\s")


_PART = regex(r"\{\{.*?\}\}|\{%.*?%\}|<%.*?%>|@@\w+@@")


def has_parts(text: str) -> bool:
    """Whether a part of a value is filled in by a template language."""
    return _PART.search(text) is not None


def without_blanks(text: str) -> str:
    """The text with the blanks inside a template language's marks replaced, so that each is one word."""
    return _PART.sub(lambda match: re.sub(r"\s", "_", match.group()), text)


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


_MARKS = regex(rb"\{\{.*?\}\}|\{#.*?#\}|\{%.*?%\}|<%.*?%>", re.DOTALL)


def masked(data: bytes) -> bytes:
    """The text with every mark of a template replaced by as many bytes that mean nothing in any format: those that
    stand for a value by letters, all others by blanks; line breaks stay."""

    def fill(match: re.Match[bytes]) -> bytes:
        is_value = match.group().startswith((b"{{", b"<%="))
        return re.sub(rb"[^\n]", b"_" if is_value else b" ", match.group())

    return _MARKS.sub(fill, data)
