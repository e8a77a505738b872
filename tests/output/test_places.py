"""Lines, columns and paths."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodlint.output.places import Places, SourceText, unicode_text
from prodlint.project.vfs import FileSystem


@pytest.mark.parametrize(
    ("data", "offset", "position"),
    [
        (b"", 0, (1, 1)),
        (b"ab\ncd", 0, (1, 1)),
        (b"ab\ncd", 2, (1, 3)),
        (b"ab\ncd", 3, (2, 1)),
        (b"ab\ncd", 5, (2, 3)),
        (b"ab\ncd", 99, (2, 3)),
        (b"ab\r\ncd", 4, (2, 1)),
        ("é名👍x".encode(), len("é名👍".encode()), (1, 4)),
        (b"\xef\xbb\xbfab", 3, (1, 1)),
        (b"\xef\xbb\xbfab", 0, (1, 1)),
        (b"\xff\xfeab", 2, (1, 3)),
    ],
)
def test_position(data: bytes, offset: int, position: tuple[int, int]) -> None:
    assert SourceText(data).position(offset) == position


def test_an_end_does_not_reach_into_the_next_line() -> None:
    text = SourceText(b"ab\r\ncd\n")
    assert text.end_position(0, 4) == (1, 3)
    assert text.end_position(0, 5) == (2, 2)
    assert text.end_position(4, 4) == (2, 1)


def test_lines_have_neither_their_ends_nor_a_byte_order_mark() -> None:
    text = SourceText(b"\xef\xbb\xbfab\r\n\n\xffcd\r\nlast")
    assert [text.line(number) for number in range(6)] == ["", "ab", "", "\ufffdcd", "last", ""]
    assert text.line_count == 4
    assert SourceText(b"a\n").line_count == 1
    assert SourceText(b"").line_count == 0


@given(st.text())
def test_positions_name_the_characters_that_are_there(content: str) -> None:
    text = SourceText(content.encode())
    lines = content.split("\n")
    offset = 0
    for number, line in enumerate(lines, 1):
        for column, char in enumerate(line, 1):
            if number > 1 or not content.startswith("\ufeff"):
                assert text.position(offset) == (number, column)
            offset += len(char.encode())
        offset += 1


@pytest.mark.parametrize(
    ("cwd", "shown"),
    [
        ("/srv/shop", "src/a.js"),
        ("/srv", "shop/src/a.js"),
        ("/srv/shop/src", "a.js"),
        ("/srv/shop/test", "../src/a.js"),
        ("/elsewhere", "../srv/shop/src/a.js"),
    ],
)
def test_paths_are_relative_to_the_working_directory(cwd: str, shown: str) -> None:
    places = Places(FileSystem(None, {}).read, Path("/srv/shop"), Path(cwd))
    assert places.path("src/a.js") == shown


def test_a_file_is_read_once() -> None:
    reads: list[str] = []

    def read(path: str) -> bytes:
        reads.append(path)
        return b"a"

    places = Places(read, Path("/"), Path("/"))
    assert places.text("a.js") is places.text("a.js")
    assert reads == ["a.js"]


def test_names_that_are_not_utf8_become_text() -> None:
    name = b"caf\xe9.js".decode("utf-8", "surrogateescape")
    assert unicode_text(name).encode() == "caf\ufffd.js".encode()
    assert unicode_text("café 👍") == "café 👍"
