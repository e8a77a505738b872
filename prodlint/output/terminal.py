"""What a terminal needs to know: colours, widths, and which characters must never reach it as they are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from prodlint.lazy_regex import regex

TAB_WIDTH = 4

# Only colours that a reader's theme defines, and faint for what is less important: readable on dark and on light.
SGR: Mapping[str, str] = {
    "error": "1;31",
    "warning": "1;33",
    "advice": "1;34",
    "strong": "1",
    "strong-code": "1;36",
    "code": "36",
    "faint": "2",
    "path": "36",
    "good": "32",
    "good-strong": "1;32",
    "caution": "33",
    "heading": "1;4",
    "keyword": "35",
    "string": "32",
    "number": "36",
    "constant": "36",
    "name": "34",
    "comment": "2;3",
}
"""The codes (Select Graphic Rendition) of each style. Every severity is one."""

Styled = tuple[str, str]
"""A style of `SGR` ("" for none) and a text."""


class Glyphs(NamedTuple):
    """What frames and trees are drawn with."""

    rail: str
    corner: str
    branch: str
    last: str
    cut: str
    span_first: str
    span_last: str
    arrow: str


UNICODE = Glyphs("│", "╭─", "├─", "╰─", "…", "╭", "╰", "←")
ASCII = Glyphs("|", ",-", "|-", "`-", "~", "/", "\\", "<-")


class Painter(NamedTuple):
    """Puts styles into text, or leaves them out."""

    color: bool
    glyphs: Glyphs = UNICODE

    def paint(self, style: str, text: str) -> str:
        """The text in a style."""
        return f"\x1b[{SGR[style]}m{text}\x1b[0m" if self.color and style and text else text

    def link(self, uri: str, text: str) -> str:
        """The text, which leads to `uri` in terminals that have links (OSC 8); no link if that is empty."""
        return f"\x1b]8;;{uri}\x1b\\{text}\x1b]8;;\x1b\\" if uri else text

    def join(self, parts: Sequence[Styled]) -> str:
        """Styled texts in a row."""
        return "".join(self.paint(style, text) for style, text in parts)


# --- characters -------------------------------------------------------------------------------------------------------

_SPECIAL = regex(r"[^\x20-\x7e]")

_COMMAND = r"(?<=##)\[|(?<=##vso)\["
"""The bracket of a command that CI services act upon wherever it is in what a step prints: `##[add-mask]` (GitHub's
runner), `##vso[task.setvariable …]` (Azure's agent). At the beginning of a line `::add-mask::` is one, too."""
_BRACKET = regex(_COMMAND, re.IGNORECASE)

STEERING = regex(f"[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|{_COMMAND}", re.IGNORECASE)
"""What JSON and XML may have as it is, and a terminal or a CI service acts upon: controls, changes of the writing
direction, and commands."""


class Cells(NamedTuple):
    """A line as the terminal shows it: harmless text, and the screen column (from 0) of each code point of the
    original line and of its end."""

    text: str
    columns: Sequence[int]


def cells(line: str) -> Cells:
    """Tabs are expanded; control characters, those that change the direction of writing and those that nobody
    sees are spelled out, and commands to a CI service are none."""
    brackets = {found.start() for found in _BRACKET.finditer(line)} if "##" in line else ()
    if not brackets and not _SPECIAL.search(line):
        return Cells(line, range(len(line) + 1))
    shown: list[str] = []
    columns = []
    column = 0
    for at, char in enumerate(line):
        columns.append(column)
        text = " " * (TAB_WIDTH - column % TAB_WIDTH) if char == "\t" else _visible(char)
        if at in brackets:
            text = "\\["
        shown.append(text)
        column += width(text)
    columns.append(column)
    return Cells("".join(shown), columns)


def printable(text: str) -> str:
    """The text without anything that a terminal would act upon, or a CI service at the beginning of a line; line ends
    and tabs are spelled out too."""
    text = _SPECIAL.sub(lambda match: _visible(match[0]), text)
    if "##" in text:
        text = _BRACKET.sub(r"\\[", text)
    return _no_command(text) if "::" in text else text


def _no_command(text: str) -> str:
    """The text, which is no command if a line begins with it."""
    rest = text.lstrip()
    return f"{text.removesuffix(rest)}\\{rest}" if rest.startswith("::") else text


def width(text: str) -> int:
    """How many columns of the screen a printable text takes."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


def _visible(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code < 0x7F:
        return char
    if code == 0x7F:
        return "\u2421"
    category = unicodedata.category(char)
    if category in ("Cc", "Cf", "Cs", "Zl", "Zp") and char != "\u200d":  # emoji are joined with U+200D
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return char


def _char_width(char: str) -> int:
    if char.isascii():
        return 1
    if char == "\u200d" or unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def clip(parts: Sequence[Styled], left: int, available: int, cut: str) -> list[Styled]:
    """The screen columns `[left, left + available)` of a row, with `cut` (one column) where something is left out."""
    total = sum(width(text) for _, text in parts)
    if left == 0 and total <= available:
        return list(parts)
    first = left + 1 if left else 0
    end = left + available
    last = end - 1 if total > end else end
    clipped: list[Styled] = [("faint", cut)] if left else []
    column = 0
    for style, text in parts:
        kept = []
        for char in text:
            after = column + _char_width(char)
            if first <= column and after <= last:
                kept.append(char)
            elif column < last and after > first:  # half of a wide character
                kept.append(" " * (min(after, last) - max(column, first)))
            column = after
        clipped.append((style, "".join(kept)))
    if total > end:
        clipped.append(("faint", cut))
    return clipped


# --- prose ------------------------------------------------------------------------------------------------------------


def wrap(text: str, available: int) -> list[str]:
    """Printable text in lines of at most `available` columns; a longer word (a path) is left whole."""
    lines: list[str] = []
    current, used = "", 0
    for word in map(_no_command, text.split()):
        size = width(word)
        if current and used + 1 + size > available:
            lines.append(current)
            current, used = word, size
        else:
            current, used = (f"{current} {word}", used + 1 + size) if current else (word, size)
    return [*lines, current] if current or not lines else lines


_SENTENCE_END = regex(r"[.!?](?=\s+[A-Z`])")


def prose(text: str, available: int, strong_start: bool = False, indent: int = 0) -> Iterator[list[Styled]]:
    """Wraps a text that has `code` in backticks, its first sentence strong if so wanted. The first line has `indent`
    columns less."""
    text = printable(" ".join(text.split()))
    end = _SENTENCE_END.search(text)
    strong_left = (end.end() if end else len(text)) if strong_start else 0
    in_code = False
    placeholder = "\0" * indent
    # The room of what stands before the first line is kept by a word of that length, which is taken off again.
    lines = wrap(f"{placeholder} {text}" if indent else text, available)
    for number, line in enumerate(lines):
        if number == 0 and indent:
            line = line.removeprefix(placeholder).removeprefix(" ")
        parts: list[Styled] = []
        for piece in re.split("(`)", line):
            is_tick = piece == "`"
            code = in_code or is_tick
            strong, rest = piece[:strong_left], piece[strong_left:]
            strong_left = max(0, strong_left - len(piece))
            parts.append(("strong-code" if code else "strong", strong))
            parts.append(("code" if code else "", rest))
            in_code ^= is_tick
        strong_left = max(0, strong_left - 1)  # the blank that became a line end
        yield [part for part in parts if part[1]]
