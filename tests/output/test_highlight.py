"""Code in colour says what it said without."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodlint.output.highlight import highlight, language_of

_PIECES = [
    "'",
    '"',
    "`",
    "${",
    "}",
    "/*",
    "*/",
    "//",
    "#",
    "\n",
    "  ",
    "x",
    "- ",
    "a: ",
    "FROM",
    "\\",
    '"""',
    "f'{",
    "é",
    "[s]",
    "=",
]


@pytest.mark.parametrize(
    "language", ["javascript", "typescript", "python", "docker", "yaml", "json", "ini", "nginx", ""]
)
@given(st.lists(st.sampled_from(_PIECES)).map("".join), st.integers(0, 2))
def test_no_character_is_lost(language: str, code: str, first_code: int) -> None:
    lines = code.split("\n")
    styled = highlight(lines, language, first_code)
    assert ["".join(text for _, text in row) for row in styled] == lines


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("src/app.js", "javascript"),
        ("src/App.TSX", "typescript"),
        ("app.py", "python"),
        ("deploy/Dockerfile", "docker"),
        ("Dockerfile.prod", "docker"),
        ("api.dockerfile", "docker"),
        ("docker-compose.yml", "yaml"),
        ("shop.service", "ini"),
        ("Procfile", ""),
    ],
)
def test_the_language_is_known_by_the_name(path: str, language: str) -> None:
    assert language_of(path) == language


@pytest.mark.parametrize(
    ("language", "above", "style"),
    [
        ("python", 'Reads it. """', "string"),
        ("javascript", "from x`;", "string"),
        ("javascript", " * why */", "comment"),
    ],
)
def test_what_has_begun_above_the_lines(language: str, above: str, style: str) -> None:
    first, second = highlight([above, "return 1"], language, first_code=1)
    assert first[0][0] == style
    assert second[0] == ("keyword", "return")


def test_an_unknown_language_is_left_alone() -> None:
    assert highlight(["return 1"], "klingon") == [[("", "return 1")]]
