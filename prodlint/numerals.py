"""Numbers in the text of linted files, which may be longer than any program would take."""

from __future__ import annotations

_LONGEST = 18
"""Digits; what has no more of them fits into 64 bits."""


def whole_number(text: str) -> int | None:
    """The number that `text` writes in ASCII digits and nothing else, leading zeros aside; None for all other text, and
    for a number that does not fit into 64 bits. Python's own `int` raises for more than 4,300 digits."""
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= _LONGEST else None
