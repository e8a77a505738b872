"""The exit code is 0, 1 or 2, and 1 means findings: with too little memory, and with streams that are closed."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.robustness.processes import command, environment, write

CLEAN = "".join(f"function f{number}(a) {{ return a + {number}; }}\n" for number in range(20_000))
BAD = "const app = require('express')();\napp.get('/', () => require('fs').readFileSync('x'));\n"


def _shell(folder: Path, text: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", text], cwd=folder, env=environment(folder.parent / "cache"), capture_output=True, timeout=300
    )


@pytest.mark.parametrize("megabytes", [20, 35, 150, 200])
def test_too_little_memory_is_no_finding(tmp_path: Path, megabytes: int) -> None:
    folder = tmp_path / "shop"
    write(folder, {"a.js": CLEAN, "b.js": CLEAN})
    line = shlex.join(command("check", "--no-cache", "-j1"))
    done = _shell(folder, f"ulimit -v {megabytes * 1000}; exec {line}")
    assert done.returncode in (0, 2) or done.returncode < 0  # a parser in C may be ended by the system
    if done.returncode == 2:
        assert b"Memory" in done.stdout + done.stderr or b"cannot go on" in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams(tmp_path: Path, closed: str) -> None:
    """Nothing is written where a stream was: the next file that is opened would take its place."""
    folder = tmp_path / "shop"
    write(folder, {"app.js": BAD})
    line = shlex.join(command("check"))
    for _ in range(2):  # the second run has the cache
        done = _shell(folder, f"exec {line} {closed}")
        assert (done.returncode, b"Traceback" in done.stderr) == (1, False)
        assert (b"blocking-call" in done.stdout) is (">" not in closed or closed == "2>&-")
    (folder / "app.js").write_text("")
    assert _shell(folder, f"exec {line} {closed}").returncode == 0
