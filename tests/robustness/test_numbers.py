"""Numbers of 5,000 digits, of which Python converts 4,300: no rule fails for one, and none is switched off elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from prodlint.analysis.session import Session
from prodlint.numerals import whole_number
from prodlint.output.services import as_json, render
from tests.pages import read_page, rule_pages

PRACTICES = ("cluster", "environment", "restart")
LONG = "9" * 5_000


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("007", 7),
        ("9" * 18, int("9" * 18)),
        ("0" * 9_000 + "8", 8),
        ("9" * 19, None),
        (LONG, None),
        ("²", None),
        ("٣", None),
        ("-1", None),
        ("1_0", None),
        (" 1", None),
        ("", None),
    ],
)
def test_whole_number(text: str, number: int | None) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize(
    "page", [page for page in rule_pages() if page.parent.name in PRACTICES], ids=lambda page: page.stem
)
def test_all_numbers_of_the_deployment_files_are_too_long(page: Path) -> None:
    for section in read_page(page).projects:
        files = {
            path: text if path.endswith((".js", ".ts", ".py")) else re.sub(r"(?<![\w.])[0-9]+", LONG, text)
            for path, text in section.texts().items()
        }
        if files == section.texts():
            continue
        session = Session.from_memory(files)
        failures = [error.message for error in session.analysis.errors if error.is_failure]
        assert not failures, section.where
        for finding in session.findings():
            session.fix_for(finding)
        assert not session.fix_errors, section.where
        _ = "".join(render(session.program))
        as_json(session.program)


def test_a_rule_still_finds_what_is_elsewhere() -> None:
    app = "from flask import Flask\napp = Flask(__name__)\n@app.route('/')\ndef index():\n    return ''\n"
    files = {
        path: text
        for name, number in (("a", "1"), ("b", LONG))
        for path, text in (
            (f"{name}/app.py", app),
            (f"{name}/Dockerfile", f"FROM python:3\nCOPY app.py .\nCMD gunicorn --workers {number} app:app\n"),
        )
    }
    session = Session.from_memory(files, {"select": ["single-process"]})
    assert [finding.location.path for finding in session.findings()] == ["a/Dockerfile"]
    assert not session.analysis.errors


@pytest.mark.parametrize("number", [LONG, f"0x{'f' * 17}", "9" * 19])
@pytest.mark.parametrize("path", ["fly.toml", "railway.toml", "netlify.toml", "pyproject.toml", "Pipfile"])
def test_toml_says_where(path: str, number: str) -> None:
    session = Session.from_memory({path: f"# first\n[http_service]\nmin_machines_running = {number}\n"})
    (error,) = session.analysis.errors
    assert (error.path, error.line) == (path, 3)
    assert error.message == "this is no valid TOML: a number has more than 64 bits"
