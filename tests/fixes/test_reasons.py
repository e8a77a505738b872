"""Whoever finds no fix reads why: in the types, in whole projects, and in what programs and editors are told. (That it
holds for each example of each page is tested with the pages.)"""

from __future__ import annotations

import ast
import json
from pathlib import Path

import msgspec
import pytest

from prodlint.analysis.session import Session
from prodlint.findings import Applicability, Edit, Fix
from prodlint.output import Options, Report, render
from prodlint.rulebook import load_rules

ROOT = Path(__file__).resolve().parent.parent.parent
CHECKS = ROOT / "prodlint" / "checks"
PROJECTS = sorted(
    path for path in [*(ROOT / "tests" / "fixtures").iterdir(), *(ROOT / "examples").iterdir()] if path.is_dir()
)


def test_every_fix_function_gives_a_fix_or_a_reason():
    """With this annotation mypy lets no `return None` through."""
    wrong = [
        path.stem
        for path in CHECKS.glob("*/*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == "fix" and ast.unparse(node.returns or node) != "Fix | str"
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", [pytest.param(path, id=path.name) for path in PROJECTS])
def test_every_finding_of_a_project_has_a_fix_or_a_reason(folder: Path):
    session = Session.open([folder], preview=True)
    silent = [
        finding
        for finding in session.findings()
        if session.rules[finding.rule].fix != "none" and not session.fix_for(finding)
    ]
    assert silent == []
    assert session.fix_errors == []


SWALLOWED = "require('express')().get('/', (req, res) => {\n  try {\n    work(req);\n  } catch {}\n  res.end();\n});\n"


def _report(session: Session) -> Report:
    return Report(
        findings=session.findings(),
        rules=load_rules(),
        severity_of=session.severity_of,
        fix_for=session.fix_for,
        edits_of=session.edits_of,
        read=session.read,
        root=Path("/srv/shop"),
        cwd=Path("/srv/shop"),
        version="1",
    )


@pytest.fixture(scope="module")
def report() -> Report:
    return _report(Session.from_memory({"app.js": SWALLOWED}, {"select": ["swallowed-exception"]}))


def test_programs_are_told_why(report: Report):
    reason = report.fix_for(report.findings[0])
    assert reason == "there is no logger in reach"
    document = json.loads("".join(render(report, "json", Options())))
    assert (document["findings"][0]["fix"], document["findings"][0]["fixless"]) == (None, reason)
    sarif = json.loads("".join(render(report, "sarif", Options())))
    (result,) = sarif["runs"][0]["results"]
    assert "fixes" not in result
    assert result["properties"]["fixless"] == reason


def test_people_are_told_why(report: Report):
    assert "no fix: there is no logger in reach" in "".join(render(report, "text", Options()))


def test_a_fix_that_turns_out_to_be_impossible_says_so(report: Report):
    fix = Fix("t", Applicability.SAFE, (Edit("app.js", 900, 901, ";"),))
    told = msgspec.structs.replace(report, fix_for=lambda _: fix)
    document = json.loads("".join(render(told, "json", Options())))
    found = document["findings"][0]
    assert (found["fix"], found["fixless"]) == (None, "an edit lies outside app.js")
