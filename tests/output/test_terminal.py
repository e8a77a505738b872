"""Widths, wrapping and cutting."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from prodlint.output.terminal import cells, clip, printable, prose, width, wrap


@given(st.text())
def test_printable_text_is_printable(text: str) -> None:
    shown = printable(text)
    assert all(unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or char == "\u200d" for char in shown)
    assert printable(shown) == shown


@given(st.text())
def test_every_character_of_a_line_has_its_column(line: str) -> None:
    shown = cells(line)
    assert len(shown.columns) == len(line) + 1
    assert shown.columns[-1] == width(shown.text)
    assert list(shown.columns) == sorted(shown.columns)


def test_cells() -> None:
    assert cells("a\tb\t名x") == ("a   b   名x", [0, 1, 4, 5, 8, 10, 11])
    assert cells("\x1b[1m") == ("␛[1m", [0, 1, 2, 3, 4])
    assert cells("e\u0301x").columns == [0, 1, 1, 2]
    assert cells("\u202ex") == ("\\u202ex", [0, 6, 7])


@given(st.text(), st.integers(0, 50), st.integers(3, 50))
def test_what_is_clipped_fits(text: str, left: int, available: int) -> None:
    row = cells(text).text
    clipped = clip([("", row[:5]), ("code", row[5:])], left, available, "…")
    assert width("".join(text for _, text in clipped)) <= available


def test_clip() -> None:
    def cut(text: str, left: int, available: int) -> str:
        return "".join(part for _, part in clip([("", text)], left, available, "…"))

    assert cut("abcdef", 0, 6) == "abcdef"
    assert cut("abcdef", 0, 5) == "abcd…"
    assert cut("abcdef", 2, 4) == "…def"
    assert cut("abcdef", 1, 4) == "…cd…"
    assert cut("名前名前", 0, 5) == "名前…"
    assert cut("名前名前", 0, 6) == "名前 …"


@given(st.lists(st.text(st.characters(categories=["L"], max_codepoint=0x1000), min_size=1, max_size=12)))
def test_wrapping_keeps_every_word(words: list[str]) -> None:
    text = printable(" ".join(words))
    lines = wrap(text, 20)
    assert " ".join(lines).split() == text.split()
    assert all(width(line) <= 20 or " " not in line for line in lines)


def test_the_first_sentence_is_strong() -> None:
    rows = list(prose("Do `a.b` now. Or `c` later.", 80, strong_start=True))
    assert rows == [
        [
            ("strong", "Do "),
            ("strong-code", "`"),
            ("strong-code", "a.b"),
            ("strong-code", "`"),
            ("strong", " now."),
            ("", " Or "),
            ("code", "`"),
            ("code", "c"),
            ("code", "`"),
            ("", " later."),
        ]
    ]


def test_code_goes_on_in_the_next_line() -> None:
    rows = list(prose("run `node server.js --port 80` now", 20))
    assert ["".join(text for _, text in row) for row in rows] == ["run `node server.js", "--port 80` now"]
    assert rows[1] == [("code", "--port 80"), ("code", "`"), ("", " now")]


def test_room_for_what_stands_before_the_first_line() -> None:
    rows = ["".join(text for _, text in row) for row in prose("aaa bbb ccc ddd", 11, indent=7)]
    assert rows == ["aaa", "bbb ccc ddd"]
