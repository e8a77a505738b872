"""Names of rules that lead to their pages, in terminals that have links."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from prodlint.cli.terminal import has_links
from tests.cli.conftest import Shell

LINK = re.compile(r"\x1b\]8;;(file://[^\x1b]+)\x1b\\(.*?)\x1b\]8;;\x1b\\")


def _links(shell: Shell, *arguments: str) -> dict[str, str]:
    """What the links show, without colours, and the first line of what they lead to."""
    found = LINK.findall(shell(*arguments).out)
    return {
        re.sub(r"\x1b\[[\d;]*m", "", shown): Path(unquote(urlsplit(uri).path)).read_text().splitlines()[0]
        for uri, shown in found
    }


@pytest.mark.parametrize("output_format", ["text", "concise"])
def test_findings_lead_to_the_pages_of_their_rules(shell: Shell, output_format: str) -> None:
    shell.monkeypatch.setenv("FORCE_HYPERLINK", "1")
    links = _links(shell, "check", "--color", "always", "--advice", "--output-format", output_format)
    assert links == {
        "error[bad-error]": "# bad-error",
        "warning[bad-safe]": "# bad-safe",
        "advice[bad-unsafe]": "# bad-unsafe",
    }


def test_the_list_of_rules_does_too_and_its_columns_stay(shell: Shell) -> None:
    plain = shell("rules", "--color", "always").out
    shell.monkeypatch.setenv("FORCE_HYPERLINK", "1")
    linked = shell("rules", "--color", "always").out
    assert _links(shell, "rules", "--color", "always")["bad-safe"] == "# bad-safe"
    assert LINK.sub(r"\2", linked) == plain


@pytest.mark.parametrize(
    ("environment", "arguments"),
    [
        ({}, ["--color", "always"]),  # piped
        ({"TERM_PROGRAM": "WezTerm"}, ["--color", "always"]),  # piped, too
        ({"FORCE_HYPERLINK": "1"}, []),  # no colour, no links
        ({"FORCE_HYPERLINK": "1", "NO_COLOR": "1"}, []),
        ({"FORCE_HYPERLINK": "0"}, ["--color", "always"]),
        ({"FORCE_HYPERLINK": "1"}, ["--color", "always", "--output-format", "github"]),
    ],
)
def test_no_links(shell: Shell, environment: dict[str, str], arguments: list[str]) -> None:
    for name, value in environment.items():
        shell.monkeypatch.setenv(name, value)
    assert "\x1b]8;" not in shell("check", *arguments).out


def test_no_links_in_files(shell: Shell) -> None:
    shell.monkeypatch.setenv("FORCE_HYPERLINK", "1")
    assert "\x1b]8;" in shell("check", "--color", "always", "--output", "text", "--output", "text=here.txt").out
    assert "\x1b" not in shell.read("here.txt")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"WT_SESSION": "1"}, True),
        ({"VTE_VERSION": "7200"}, True),
        ({"VTE_VERSION": "4205"}, False),
        ({"VTE_VERSION": "odd"}, False),
        ({"TERM_PROGRAM": "iTerm.app", "TERM": "screen-256color"}, False),
        ({"TERM_PROGRAM": "iTerm.app", "FORCE_HYPERLINK": "0"}, False),
    ],
)
def test_terminals_that_have_links(environment: dict[str, str], expected: bool) -> None:
    assert has_links(environment, True) is expected
    assert not has_links(environment, False)
