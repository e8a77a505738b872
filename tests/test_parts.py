"""Projects that have nothing to do with each other are looked into at the same time, and what is found is the same."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is but one process")

RUN = r"""
import os, sys
from prodlint.analysis import parallel_projects as parts
from prodlint.analysis.session import Session

parts._MIN_PROCESS_BYTES = 0
home, analysis = os.getpid(), Session.analysis.func

def analysing(session):
    if session.is_part:
        place = "here" if os.getpid() == home else "elsewhere"
        os.write(2, f"{place} {session.project.files[0].path.partition('/')[0]}\n".encode())
        DIES
    return analysis(session)

Session.analysis.func = analysing
from prodlint.__main__ import main
main()
"""
DIES = "if place == 'elsewhere' and 'express-shop' in session.project.files[0].path: os._exit(9)"


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path / "examples"


def _check(folder: Path, *arguments: str, dies: bool = False) -> tuple[str, list[str]]:
    """The report, and which project was analysed where."""
    code = RUN.replace("DIES", DIES if dies else "")
    command = [sys.executable, "-c", code, "check", ".", "--preview", "--likely", "--no-cache", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    return done.stdout, sorted(done.stderr.splitlines())


@pytest.mark.parametrize("output_format", ["json", "text", "sarif"])
def test_several_processes_find_what_one_finds(projects: Path, output_format: str) -> None:
    together, where = _check(projects, "--output-format", output_format, "--jobs", "2")
    assert where == ["elsewhere express-shop", "elsewhere fastapi-shop"]
    alone, where = _check(projects, "--output-format", output_format, "--jobs", "1")
    assert where == ["here express-shop", "here fastapi-shop"]
    assert _steady(together) == _steady(alone)


def _steady(report: str) -> str:
    """The report without how long it took."""
    return re.sub(r"\d+\.\d s$|\"(?:start|end)TimeUtc\": .*", "", report, flags=re.MULTILINE)


def test_what_a_process_leaves_when_it_dies_is_done_here(projects: Path) -> None:
    report, where = _check(projects, "--output-format", "json", "--jobs", "2", dies=True)
    assert where == ["elsewhere express-shop", "elsewhere fastapi-shop", "here express-shop"]
    assert json.loads(report)["findings"] == json.loads(_check(projects, "--output-format", "json")[0])["findings"]


def test_fixes_are_made_in_all_projects(projects: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "prodlint", "check", ".", "--fix", "--unsafe-fixes", "--no-cache"],
        cwd=projects,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stderr
    changed = subprocess.run(["diff", "-rq", str(ROOT / "examples"), "."], cwd=projects, capture_output=True, text=True)
    assert "express-shop" in changed.stdout
    assert "fastapi-shop" in changed.stdout
