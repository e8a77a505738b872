"""The bytes of a file under edit: edits applied and followed, lines found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from prodlint.findings import Edit

Edits = tuple[Edit, ...]
"""The edits of one change in one file; empty where nothing needs to change."""

BOM = b"\xef\xbb\xbf"


class FixError(Exception):
    """A fix that cannot be made; the message says why."""


class _Piece(NamedTuple):
    """A stretch of a text: `original[start:end]`, or, where `inserted` is not None, new bytes in its place."""

    start: int
    end: int
    inserted: bytes | None = None

    @property
    def length(self) -> int:
        return self.end - self.start if self.inserted is None else len(self.inserted)


class Text:
    """The bytes of a file and all the edits made to them since, so that offsets can be followed both ways."""

    def __init__(self, original: bytes) -> None:
        """Starts unedited."""
        self.original = original
        self._pieces: list[_Piece] = [_Piece(0, len(original))]

    @property
    def content(self) -> bytes:
        """The present bytes."""
        return b"".join(
            self.original[piece.start : piece.end] if piece.inserted is None else piece.inserted
            for piece in self._pieces
        )

    def apply(self, edits: Iterable[Edit]) -> None:
        """Makes edits whose offsets are those of the present bytes; inserts at one offset in the order given."""
        ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
        _check(ordered, sum(piece.length for piece in self._pieces))
        for edit in reversed(ordered):
            self._replace(edit.start, edit.end, edit.text.encode())
        self._merge()

    def edits(self, path: str) -> tuple[Edit, ...]:
        """Everything that was done, as edits of the original bytes. Raises `FixError` for bytes that are not UTF-8."""
        try:
            return tuple(
                Edit(path, piece.start, piece.end, piece.inserted.decode())
                for piece in self._pieces
                if piece.inserted is not None
            )
        except UnicodeDecodeError:
            raise FixError(f"{path} is not UTF-8") from None

    def origin(self, offset: int) -> int:
        """Where in the original bytes the byte at `offset` comes from; for new bytes, what they stand in for."""
        position = 0
        for piece in self._pieces:
            if offset < position + piece.length:
                return piece.start + (offset - position if piece.inserted is None else 0)
            position += piece.length
        return len(self.original)

    def _replace(self, start: int, end: int, new: bytes) -> None:
        first, left = self._cut(start)
        last, _ = self._cut(end)
        removed = self._pieces[first:last]
        source_start = removed[0].start if removed else left
        source_end = removed[-1].end if removed else left
        self._pieces[first:last] = [_Piece(source_start, source_end, new)]

    def _cut(self, offset: int) -> tuple[int, int]:
        """Makes `offset` a border between pieces: the index of the piece after it, and the original offset there."""
        position = 0
        for index, piece in enumerate(self._pieces):
            if offset == position:
                return index, piece.start
            if offset < position + piece.length:
                inside = offset - position
                if piece.inserted is None:
                    middle = piece.start + inside
                    halves = [_Piece(piece.start, middle), _Piece(middle, piece.end)]
                else:
                    middle = piece.end
                    halves = [
                        _Piece(piece.start, piece.end, piece.inserted[:inside]),
                        _Piece(piece.end, piece.end, piece.inserted[inside:]),
                    ]
                self._pieces[index : index + 1] = halves
                return index + 1, middle
            position += piece.length
        return len(self._pieces), len(self.original)

    def _merge(self) -> None:
        """Joins neighbours of one kind and drops what is empty on both sides."""
        merged: list[_Piece] = []
        for piece in self._pieces:
            if piece.start == piece.end and not piece.inserted:
                continue
            if merged and (merged[-1].inserted is None) == (piece.inserted is None):
                before = merged.pop()
                joined = None if piece.inserted is None else (before.inserted or b"") + piece.inserted
                piece = _Piece(before.start, piece.end, joined)
            merged.append(piece)
        self._pieces = merged or [_Piece(0, 0)]


def _check(ordered: Sequence[Edit], length: int) -> None:
    """Raises `FixError` unless the sorted edits lie within `length` bytes and do not overlap."""
    end = 0
    for edit in ordered:
        if not 0 <= edit.start <= edit.end <= length:
            raise FixError(f"an edit lies outside {edit.path}")
        if edit.start < end:
            raise FixError(f"edits overlap in {edit.path}")
        end = edit.end


def edited(source: bytes, edits: Iterable[Edit]) -> bytes:
    """`source` with the edits of one file made."""
    text = Text(source)
    text.apply(edits)
    return text.content


def line_start(source: bytes, offset: int) -> int:
    """Where the line of `offset` starts."""
    return source.rfind(b"\n", 0, offset) + 1 or len(BOM) * source.startswith(BOM)


def line_end(source: bytes, offset: int) -> int:
    """Where the line of `offset` ends, before its line ending."""
    end = source.find(b"\n", offset)
    if end < 0:
        return len(source)
    return end - 1 if end > offset and source[end - 1 : end] == b"\r" else end


def next_line(source: bytes, offset: int) -> int:
    """Where the line after that of `offset` starts; the end of the file if there is none."""
    end = source.find(b"\n", offset)
    return len(source) if end < 0 else end + 1


def indent_at(source: bytes, offset: int) -> str:
    """The blanks at the start of the line of `offset`, up to `offset`."""
    line = source[line_start(source, offset) : offset]
    return line[: len(line) - len(line.lstrip())].decode()


def begins_line(source: bytes, offset: int) -> bool:
    """Whether only blanks stand before `offset` on its line."""
    return not source[line_start(source, offset) : offset].strip()


def smallest(source: bytes, edit: Edit) -> Edit:
    """The same edit without the bytes at both ends that stay."""
    old, new = source[edit.start : edit.end], edit.text.encode()
    shared = min(len(old), len(new))
    head = 0
    while head < shared and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shared - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    try:
        return Edit(edit.path, edit.start + head, edit.end - tail, new[head : len(new) - tail].decode())
    except UnicodeDecodeError:
        return edit


def insert_lines(
    path: str, source: bytes, offset: int, text: str, newline: str, *, above: int = 0, below: int = 0
) -> Edits:
    """Inserts whole lines at `offset`, with so many blank lines above and, unless there is one already, below. A line
    that `offset` is within is broken there; a file that ends without a newline still does."""
    begins = offset == len(BOM) * source.startswith(BOM) or source[offset - 1 : offset] == b"\n"
    before = newline * above if begins else newline * (above + 1)
    rest = source[offset : offset + 1]
    after = newline if begins or rest else ""
    if rest and rest not in {b"\n", b"\r"}:
        after += newline * below
    return (Edit(path, offset, offset, f"{before}{text}{after}"),)


def separator_before(source: bytes, start: int) -> str:
    """What stands between an item and the one before it: a comma, with a blank if the file writes one there."""
    return "," if source[start - 1 : start] == b"," else ", "


def append_item(path: str, source: bytes, last: tuple[int, int], comma_end: int, item: str, newline: str) -> Edits:
    """Adds `item` after the last of some comma-separated items, laid out as that is; the comment behind that one stays
    with it. `comma_end` is the end of the comma behind it, or -1."""
    start, end = last
    if not begins_line(source, start):
        gap = f" {item},"
        separator = separator_before(source, start)
        return (Edit(path, end, end, f"{separator}{item}") if comma_end < 0 else Edit(path, comma_end, comma_end, gap),)
    behind = max(end, comma_end)
    rest = source[behind : line_end(source, behind)].strip()
    place = line_end(source, behind) if rest.startswith((b"#", b"//")) else behind
    line = newline + indent_at(source, start) + item
    if comma_end >= 0:
        return (Edit(path, place, place, f"{line},"),)
    if place == end:
        return (Edit(path, end, end, f",{line}"),)
    return Edit(path, end, end, ","), Edit(path, place, place, line)
