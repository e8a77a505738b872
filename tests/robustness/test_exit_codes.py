"""The exit code is 0, 1 or 2, and 1 means findings: with too little memory, and with streams that are closed."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.robustness.processes import command, environment, write

CLEAN = "".join(f"function f{number}(a) {{ return a + {number}; }}\n" for number in range(20_000))
BAD = "const app = require('express')();\napp.get('/', () => require('fs').readFileSync('x'));\n"


def _shell(folder: Path, text: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", text], cwd=folder, env=environment(folder.parent / "cache"), capture_output=True, timeout=300
    )


@pytest.mark.parametrize(
    ("jobs", "megabytes"), [(1, 20), (1, 35), (1, 150), (1, 200), (2, 45), (2, 53), (2, 62), (2, 150)]
)
def test_too_little_memory_is_no_finding(tmp_path: Path, jobs: int, megabytes: int) -> None:
    """Nor is it waited for, with several processes."""
    folder = tmp_path / "shop"
    write(folder, {"a.js": CLEAN, "b.js": CLEAN})
    line = shlex.join(command("check", "--no-cache", f"-j{jobs}"))
    done = _shell(folder, f"ulimit -v {megabytes * 1000}; exec {line}")
    assert done.returncode in (0, 2) or done.returncode < 0  # a parser in C may be ended by the system
    if done.returncode == 2:
        said = done.stdout + done.stderr
        assert any(reason in said for reason in (b"Memory", b"cannot go on", b"the process that read it died"))
    assert b"Traceback" not in done.stderr


NO_THREADS = """
import sys
from concurrent.futures import process

from prodlint.__main__ import main


def {method}(*_):
    raise RuntimeError("can't start new thread")


process.{owner}.{method} = {method}
sys.argv[0] = "prodlint"
main()
"""


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        ("_ExecutorManagerThread", "add_call_item_to_queue"),
        ("_ExecutorManagerThread", "start"),
        ("_ExecutorManagerThread", "wait_result_broken_or_wakeup"),
    ],
)
def test_threads_that_end_are_not_waited_for(tmp_path: Path, owner: str, method: str) -> None:
    """Those of Python's pool of processes, which ends for good with any of them."""
    folder = tmp_path / "shop"
    write(folder, {"a.js": CLEAN, "b.js": CLEAN})
    line = [sys.executable, "-c", NO_THREADS.format(owner=owner, method=method), "check", "--no-cache", "-j2"]
    done = subprocess.run(line, cwd=folder, env=environment(tmp_path / "cache"), capture_output=True, timeout=120)
    assert (done.returncode, done.stderr) == (2, b"Error: prodlint cannot go on (MemoryError)\n")


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
