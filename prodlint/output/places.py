"""From byte offsets to what people and editors count: lines, columns, the text of a line, paths from where they are.

Lines and columns count from 1, columns in Unicode code points. A line ends at `\\n`, with or without a `\\r` before it;
a byte order mark is no part of the first line. Bytes that are not UTF-8 count as one replacement character each.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from prodlint.findings import Location
from prodlint.lazy_regex import regex
from prodlint.project.vfs import Unreadable

BOM = b"\xef\xbb\xbf"
_NEWLINE = regex(rb"\n")
_SURROGATE = regex("[\ud800-\udfff]")


class Position(NamedTuple):
    """A line and a column, both from 1."""

    line: int
    column: int


class SourceText:
    """The bytes of one file, by lines. Offsets beyond the end count as the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._starts = [0, *(match.end() for match in _NEWLINE.finditer(data))]

    @property
    def line_count(self) -> int:
        """How many lines there are; what follows the last line end counts only if it is not empty."""
        return len(self._starts) - (self._starts[-1] == len(self._data))

    def position(self, offset: int) -> Position:
        """The place of the character at `offset`."""
        offset = min(max(offset, 0), len(self._data))
        line = bisect_right(self._starts, offset)
        return Position(line, len(self._decoded(self._text_start(line), offset)) + 1)

    def end_position(self, start: int, end: int) -> Position:
        """The place just after `[start, end)`: for a stretch that ends with a line end, that is still its last line."""
        end = min(max(end, start), len(self._data))
        while end > start and self._data[end - 1 : end] in (b"\n", b"\r"):
            end -= 1
        return self.position(end)

    def line(self, number: int) -> str:
        """The text of a line without its end; "" for a line that is not there."""
        if not 1 <= number <= len(self._starts):
            return ""
        end = self._starts[number] if number < len(self._starts) else len(self._data)
        return self._decoded(self._text_start(number), end).removesuffix("\n").removesuffix("\r")

    def _text_start(self, line: int) -> int:
        return len(BOM) if line == 1 and self._data.startswith(BOM) else self._starts[line - 1]

    def _decoded(self, start: int, end: int) -> str:
        return self._data[start:end].decode("utf-8", "replace")


class Places:
    """The places of a report. Files are read once; one that has become unreadable counts as empty."""

    def __init__(self, read: Callable[[str], bytes], root: Path, cwd: Path) -> None:
        """`read` gives the bytes of a path relative to `root`; paths are shown relative to `cwd`."""
        self._read = read
        self._root = root
        self._cwd = cwd
        self._texts: dict[str, SourceText] = {}
        self._shown: dict[str, str] = {}

    def text(self, path: str) -> SourceText:
        """The text of a file."""
        text = self._texts.get(path)
        if text is None:
            try:
                text = SourceText(self._read(path))
            except Unreadable:
                text = SourceText(b"")
            self._texts[path] = text
        return text

    def path(self, path: str) -> str:
        """A path as seen from the working directory, with forward slashes; absolute where there is no such way."""
        shown = self._shown.get(path)
        if shown is None:
            absolute = os.path.join(self._root, path)  # noqa: PTH118 - a file name may hold bytes that are no text
            try:
                shown = os.path.relpath(absolute, self._cwd)
            except ValueError:  # another drive
                shown = absolute
            shown = shown.replace(os.sep, "/")
            self._shown[path] = shown
        return shown

    def start(self, location: Location) -> Position:
        """Where a location begins."""
        return self.text(location.path).position(location.start)

    def end(self, location: Location) -> Position:
        """Where a location ends: the place just after it."""
        return self.text(location.path).end_position(location.start, location.end)

    def source_line(self, location: Location) -> str:
        """The line that a location begins in."""
        return self.text(location.path).line(self.start(location).line)


def unicode_text(text: str) -> str:
    """The text without lone surrogates (a file name that is not UTF-8), which neither JSON nor UTF-8 can hold."""
    return _SURROGATE.sub("\ufffd", text)
