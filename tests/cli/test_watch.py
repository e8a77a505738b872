"""`prodlint check --watch`, in a process of its own that is ended as a person ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.pages import ROOT

PATIENCE = 30.0
APP = """\
import time
from fastapi import FastAPI
app = FastAPI()


@app.get("/")
async def index():
    pass
"""


class Watcher:
    """A running `prodlint check --watch`, and what it has said."""

    def __init__(self, process: subprocess.Popen[bytes], said: Path) -> None:
        self.process = process
        self._said = said

    def says(self, text: str, times: int = 1) -> None:
        """Waits until something is said (that often)."""
        end = time.monotonic() + PATIENCE
        while self._said.read_text().count(text) < times:
            assert time.monotonic() < end, f"waited in vain for {text!r}:\n{self._said.read_text()}"
            assert self.process.poll() is None, self._said.read_text()
            time.sleep(0.05)


@contextmanager
def watching(folder: Path, scratch: Path) -> Iterator[Watcher]:
    said = scratch / "said.txt"
    command = [sys.executable, "-m", "prodlint", "check", "--watch", "--output-format", "concise"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with said.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder, stdout=file, stderr=file, env=environment)
        try:
            yield Watcher(process, said)
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 130
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "prodlint.toml").write_text('select = ["blocking-call"]\n')
    (folder / "app.py").write_text(APP)
    return folder


def test_changes_are_seen(project: Path, tmp_path: Path) -> None:
    with watching(project, tmp_path) as watcher:
        watcher.says("Watching for changes")
        app = project / "app.py"
        app.write_text(APP.replace("pass", "time.sleep(1)"))
        watcher.says("app.py:8:5: error[blocking-call]")
        (project / "other.py").write_text(app.read_text())
        watcher.says("other.py:8:5: error[blocking-call]")
        (project / "prodlint.toml").write_text("selekt = []\n")
        watcher.says('did you mean "select"')
        (project / "prodlint.toml").write_text('ignore = ["blocking-call"]\n')
        watcher.says("Watching for changes", 4)


def test_it_does_not_go_with_fixing(shell: Shell) -> None:
    result = shell("check", "--watch", "--fix")
    assert (result.code, "--watch only shows findings" in result.err) == (2, True)
