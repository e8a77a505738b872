"""Edits of line-based deployment files."""

from __future__ import annotations

import json

import pytest

from prodlint.findings import Span
from prodlint.fixes.lines import delete_lines, insert_instruction, insert_unit_line, prefix_command, replace_text
from prodlint.fixes.text import Edits, edited


def result(source: str, edits: Edits | None) -> str | None:
    return None if edits is None else edited(source.encode(), edits).decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FROM x\nCMD y\n", "FROM x\nUSER z\nCMD y\n"),
        ("FROM x\nCMD y", "FROM x\nUSER z\nCMD y"),
        ("FROM x\nCMD a\nRUN b\nENTRYPOINT c \\\n  d\nEXPOSE 1\n", "FROM x\nCMD a\nRUN b\nUSER z\nENTRYPOINT c \\\n  d\nEXPOSE 1\n"),
        ("FROM x\nRUN y", "FROM x\nRUN y\nUSER z"),
        ("FROM x\n", "FROM x\nUSER z\n"),
        ("FROM x\r\nCMD y\r\n", "FROM x\r\nUSER z\r\nCMD y\r\n"),
        ("FROM x\nRUN a\n\n# how it\n# starts\nCMD y\n", "FROM x\nRUN a\n\nUSER z\n\n# how it\n# starts\nCMD y\n"),
        ("FROM x\n# how\nCMD y\n", "FROM x\nUSER z\n# how\nCMD y\n"),
        ("FROM x\nCMD y\n# next\nFROM q\nCMD r\n", "FROM x\nUSER z\nCMD y\n# next\nFROM q\nCMD r\n"),
        ("FROM x\nRUN <<E\nCMD no\nE\n", "FROM x\nRUN <<E\nCMD no\nE\nUSER z\n"),
        ("FROM x\nCMD {{ y }}\n", None),
        ("FROM x\r\nCMD y\n", None),
    ],
)  # fmt: skip
def test_instructions_go_before_the_last_command(before: str, after: str | None) -> None:
    assert result(before, insert_instruction("Dockerfile", before.encode(), 0, "USER z")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[Service]\nA=1\nA=2\nExecStart=x\n", "[Service]\nA=1\nA=2\nA=3\nExecStart=x\n"),
        ("[Service]\nA=1 \\\n  2\nExecStart=x\n", "[Service]\nA=1 \\\n  2\nA=3\nExecStart=x\n"),
        ("[Service]\nType=x\n# start\nExecStart=x\n", "[Service]\nType=x\n# start\nA=3\nExecStart=x\n"),
        ("[Service]\nType=x", "[Service]\nType=x\nA=3"),
        ("[Unit]\nA=1\n[Service]\nExecStart=x\n", "[Unit]\nA=1\n[Service]\nA=3\nExecStart=x\n"),
        ("[Unit]\nA=1\n", None),
        ("[Service]\nExecStart={{ x }}\n", None),
    ],
)
def test_lines_of_a_unit(before: str, after: str | None) -> None:
    assert result(before, insert_unit_line("x.service", before.encode(), "A", "A=3")) == after


@pytest.mark.parametrize(
    ("command", "after"),
    [
        ("node a.js", "A=b node a.js"),
        ("C=d node a.js", "A=b C=d node a.js"),
        ("node a.js && node b.js", "export A=b; node a.js && node b.js"),
        ("cd x; node a.js", "export A=b; cd x; node a.js"),
        ("node a.js | tee log", "export A=b; node a.js | tee log"),
        ("", None),
        ("node {{ a }}", None),
    ],
)
def test_commands(command: str, after: str | None) -> None:
    source = f"web: {command}"
    edits = prefix_command("Procfile", source.encode(), Span(5, len(source)), "A=b")
    assert result(source, edits) == (None if after is None else f"web: {after}")


def test_a_runner_starts_single_commands_only() -> None:
    for command, after in (("a", "x A=b a"), ("a && b", "export A=b; a && b")):
        edits = prefix_command("f", command.encode(), Span(0, len(command)), "A=b", runner="x")
        assert result(command, edits) == after


def test_commands_in_json() -> None:
    source = json.dumps({"start": 'node "a b.js"'})
    start = source.index('"node')
    edits = prefix_command("package.json", source.encode(), Span(start, len(source) - 1), "A=b", is_json=True)
    assert json.loads(result(source, edits) or "") == {"start": 'A=b node "a b.js"'}


def test_replaced_text() -> None:
    source = "ü A=x B=x"
    end = len(source.encode())
    assert result(source, replace_text("f", source.encode(), Span(0, end), r"A=(\w)", "new")) == "ü A=new B=x"
    assert replace_text("f", source.encode(), Span(0, end), "(x)", "new") is None
    assert replace_text("f", source.encode(), Span(0, end), "(z)", "new") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [("a\nX\nb\n", "a\nb\n"), ("a\nX", "a\n"), ("X\r\nb", "b"), ("a\n  X  \nb\n", "a\nb\n"), ("a X\n", None), ("X b\n", None)],
)  # fmt: skip
def test_deleted_lines(before: str, after: str | None) -> None:
    at = before.index("X")
    assert result(before, delete_lines("f", before.encode(), Span(at, at + 1))) == after
