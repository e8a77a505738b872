"""A rule's page in the terminal: the Markdown of GitHub, as far as pages use it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from prodlint.lazy_regex import regex
from prodlint.output import Options
from prodlint.output.terminal import Painter, Styled, cells, printable, prose
from prodlint.output.text import painter_of

_FENCE = regex(r"(?P<marks>`{3,}|~{3,})\s*(?P<language>[\w+-]*)\s*(?P<words>.*)")
_HEADING = regex(r"(?P<level>#{1,6})\s+(?P<title>.*)")
_ITEM = regex(r"(?P<indent>\s*)(?P<bullet>[-*+]|\d+[.)])\s+(?P<text>.*)")
_LINK = regex(r"\[(?P<text>[^\]]*)\]\([^)]*\)")
_STRONG = regex(r"\*\*(?P<text>[^*]+)\*\*")
_COMMENT = regex(r"<!--.*?-->", re.DOTALL)
_MARK = regex(r"\s*(?://|#|;|/\*|<!--)\s*(?:flagged|likely): (?P<rules>[\w, -]*\w).*")
_WIDEST = 100
"""Longer lines of prose are hard to read, however wide the terminal is."""


def render_page(page: str, options: Options) -> Iterator[str]:
    """The rows of a Markdown page, each with its line end: prose is wrapped, code indented and highlighted."""
    painter = painter_of(options)
    lines = _COMMENT.sub("", page).strip("\n").split("\n")
    gap: str | None = None
    for row in _rows(lines, painter, min(options.width, _WIDEST)):
        if row:
            yield f"{gap or ''}{row}\n"
            gap = ""
        elif gap is not None:
            gap = "\n"


def _rows(lines: Sequence[str], painter: Painter, available: int) -> Iterator[str]:
    index = 0
    while index < len(lines):
        line = lines[index]
        if fence := _FENCE.fullmatch(line.strip()):
            code = list(takewhile(lambda text: text.strip() != fence["marks"], lines[index + 1 :]))
            index += len(code) + 2
            yield from _code(code, fence["language"], fence["words"], painter)
        elif heading := _HEADING.fullmatch(line):
            index += 1
            yield from ("", _heading(heading, painter), "")
        elif item := _ITEM.fullmatch(line):
            text = [item["text"], *takewhile(_continues, lines[index + 1 :])]
            index += len(text)
            yield from _item(item, " ".join(text), painter, available)
        elif line.strip().startswith("|"):
            index += 1
            yield printable(line)
        elif line.strip():
            text = list(takewhile(_continues, lines[index:])) or [line]
            index += len(text)
            yield from _prose(" ".join(text), painter, available)
        else:
            index += 1
            yield ""


def _continues(line: str) -> bool:
    """Whether a line goes on with the paragraph above it."""
    begins_anew = (_FENCE, _HEADING, _ITEM)
    return bool(line.strip()) and not any(pattern.fullmatch(line.strip()) for pattern in begins_anew)


def _heading(heading: re.Match[str], painter: Painter) -> str:
    title = _plain(heading["title"])
    style = "heading" if len(heading["level"]) == 1 else "strong"
    return painter.paint(style, title) if painter.color else f"{heading['level']} {title}"


def _prose(text: str, painter: Painter, available: int) -> Iterator[str]:
    return (painter.join(row) for row in prose(_plain(text), available))


def _item(item: re.Match[str], text: str, painter: Painter, available: int) -> Iterator[str]:
    lead = f"{item['indent']}{item['bullet']} "
    for number, row in enumerate(_prose(text, painter, available - len(lead))):
        yield (" " * len(lead) if number else lead) + row


def _code(lines: Sequence[str], language: str, words: str, painter: Painter) -> Iterator[str]:
    """The code of a fence between blank lines. A comment that says what is flagged becomes an arrow."""
    yield ""
    if words == "after":
        yield from (painter.paint("faint", "after the fix:"), "")
    marks = [_MARK.search(line) for line in lines]
    code = [cells(line[: mark.start()] if mark else line).text for line, mark in zip(lines, marks, strict=True)]
    for mark, parts in zip(marks, _styled(code, language, painter), strict=True):
        flagged = [("caution", f"  {painter.glyphs.arrow} {printable(mark['rules'])}")] if mark else []
        yield f"  {painter.join([*parts, *flagged])}".rstrip()
    yield ""


def _styled(lines: Sequence[str], language: str, painter: Painter) -> list[list[Styled]]:
    if not painter.color or not lines:
        return [[("", line)] for line in lines]
    from prodlint.output.highlight import highlight

    return highlight(lines, language)


def _plain(text: str) -> str:
    """Markdown prose without the marks of links and emphasis; what is in backticks stays as it is."""
    pieces = re.split("(`[^`]*`)", printable(text))
    return "".join(
        piece if piece.startswith("`") else _STRONG.sub(r"\g<text>", _LINK.sub(r"\g<text>", piece)) for piece in pieces
    )
