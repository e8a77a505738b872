"""prodlint in processes of its own, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.pages import ROOT

WATCHED = Path(__file__).with_name("watched.py")

Done = subprocess.CompletedProcess[bytes]


def environment(cache: Path, **more: str) -> dict[str, str]:
    """The environment of a run, which has its own cache and finds this prodlint."""
    kept = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "COLUMNS", "NO_COLOR")}
    return {**kept, "PYTHONPATH": str(ROOT), "PRODLINT_CACHE_DIR": str(cache), **more}


def command(*arguments: str) -> list[str]:
    """The command line of a run, without the working directory among Python's modules."""
    return [sys.executable, "-P", "-m", "prodlint", *arguments]


def start(folder: Path, cache: Path, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
    """A run that goes on beside the test, the leader of its own process group."""
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(cache, **more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def run(folder: Path, cache: Path, *arguments: str, stdin: bytes = b"", **more: str) -> Done:
    """A whole run in `folder`."""
    done = subprocess.run(
        command(*arguments), cwd=folder, env=environment(cache, **more), input=stdin, capture_output=True, check=False
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Makes the files of a project."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)
