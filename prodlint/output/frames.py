"""The code around a finding, with line numbers, and marks under what it is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from prodlint.findings import Location
from prodlint.output.places import Places, Position, SourceText
from prodlint.output.terminal import Cells, Painter, Styled, cells, clip, width

BEFORE = 2
AFTER = 1
"""So many lines are shown around a finding, unless they are blank."""
_BLOCK_HEAD = 4
"""So many lines of a span over several lines are shown, and its last."""
_LONGEST = 2000
"""Where a line is longer (minified code), only that many characters around the span are looked at."""


class _Window(NamedTuple):
    """The lines of a frame, and the screen columns `[left, right)` that have to be seen."""

    numbers: Sequence[int]
    rows: Sequence[Cells]
    left: int
    right: int
    is_cut: bool
    """Whether something to the left of the rows was left out already."""

    def offset(self, room: int) -> int:
        """The screen column that the frame of `room` columns begins with: 0 if the code is readable then."""
        least = int(self.is_cut)
        span = self.right - self.left
        if self.right < room or self.left <= room // 2:
            return least
        if span <= room - 2:
            return max(least, self.right + 1 + min(10, (room - span) // 2 - 1) - room)
        return max(least, self.left - 8)

    def only(self, number: int) -> _Window:
        """The window without all other lines."""
        return self._replace(numbers=[number], rows=[self.rows[self.numbers.index(number)]])


def gutter_width(places: Places, location: Location) -> int:
    """The columns of the line numbers in the frame of `location`."""
    return max(3, len(str(places.end(location).line + AFTER)))


def frame(places: Places, location: Location, style: str, painter: Painter, available: int) -> Iterator[str]:
    """The rows of the frame: numbers, a rail, and code, cut to `available` columns. Nothing for an empty file."""
    start, end = places.start(location), places.end(location)
    is_block = end.line > start.line
    gutter = gutter_width(places, location)
    room = max(20, available - gutter - (5 if is_block else 3))
    window = _window(places.text(location.path), start, end, room)
    if window is None:
        return
    offset = window.offset(room)
    if offset and not is_block:
        window = window.only(start.line)  # what is left of the lines around it would be no help
    rail = painter.paint("faint", painter.glyphs.rail)
    previous = 0
    for number, parts in zip(window.numbers, _styled(location.path, window, start.line, painter), strict=True):
        if previous and number != previous + 1:
            yield f"{' ' * gutter} {rail} {painter.paint(style, painter.glyphs.rail)} {painter.paint('faint', '...')}"
        previous = number
        mark = _block_mark(number, start.line, end.line, style, painter) if is_block else ""
        code = painter.join(clip(parts, offset, room, painter.glyphs.cut))
        yield f"{painter.paint('faint', str(number).rjust(gutter))} {rail} {mark}{code}".rstrip()
        if number == start.line and not is_block:
            first, last = max(window.left - offset, 0), min(window.right - offset, room)
            yield f"{' ' * gutter} {rail} {' ' * first}{painter.paint(style, '^' * max(1, last - first))}"


def _window(text: SourceText, start: Position, end: Position, room: int) -> _Window | None:
    if not text.line_count:
        return None
    numbers = _numbers(text, start.line, end.line)
    lines = [text.line(number) for number in numbers]
    cut = 0
    if max(map(len, lines)) > _LONGEST:
        cut = max(0, start.column - 1 - _LONGEST // 4)
        lines = [line[cut : cut + _LONGEST] for line in lines]
    rows = [cells(line) for line in lines]
    if max(width(row.text) for row in rows) > room:
        rows = _dedented(rows)
    if end.line > start.line:
        left, right = 0, room
    else:
        columns = rows[numbers.index(start.line)].columns
        left, right = (columns[min(max(place.column - 1 - cut, 0), len(columns) - 1)] for place in (start, end))
    return _Window(numbers, rows, left, right, cut > 0)


def _dedented(rows: Sequence[Cells]) -> list[Cells]:
    """The rows without the indentation that all of them share."""
    texts = [row.text for row in rows if row.text.strip()]
    indent = min((len(text) - len(text.lstrip(" ")) for text in texts), default=0)
    return [Cells(row.text[indent:], [max(column - indent, 0) for column in row.columns]) for row in rows]


def _numbers(text: SourceText, first: int, last: int) -> list[int]:
    """The lines to show."""
    numbers = list(range(first, last + 1))
    if len(numbers) > _BLOCK_HEAD + 2:
        numbers = [*numbers[:_BLOCK_HEAD], last]
    before = list(range(max(1, first - BEFORE), first))
    after = list(range(last + 1, min(text.line_count, last + AFTER) + 1))
    while before and not text.line(before[0]).strip():
        before.pop(0)
    while after and not text.line(after[-1]).strip():
        after.pop()
    return [*before, *numbers, *after]


def _styled(path: str, window: _Window, first_code: int, painter: Painter) -> list[list[Styled]]:
    texts = [row.text for row in window.rows]
    if not painter.color:
        return [[("", text)] for text in texts]
    from prodlint.output.highlight import highlight, language_of

    return highlight(texts, language_of(path), window.numbers.index(first_code))


def _block_mark(number: int, first: int, last: int, style: str, painter: Painter) -> str:
    glyphs = painter.glyphs
    if not first <= number <= last:
        return "  "
    mark = glyphs.span_first if number == first else glyphs.span_last if number == last else glyphs.rail
    return f"{painter.paint(style, mark)} "
