"""Completion in real shells, at a real terminal: what is typed, a tab, and what stands there then."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PATIENCE = 60.0
START = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        'PS1="RE""ADY>"; eval "$(prodlint completion bash)"\n',
        "READY>",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -Uz compinit && compinit -u -D; bindkey -e; eval \"$(prodlint completion zsh)\"; PS1='RE''ADY>'\n",
        "READY>",
    ),
    "fish": (
        ["fish", "--no-config", "--interactive"],
        "prodlint completion fish | source; function fish_prompt; echo -n RE''ADY'>'; end\n",
        "READY>",
    ),
}
"""How each shell is started and set up, and how its prompt looks then."""
KILL_LINE, TO_START, TO_END = "\x15", "\x01", "\x05"


class Terminal:
    """A shell at a terminal of its own, in `folder`."""

    def __init__(self, shell: str, folder: Path) -> None:
        command, setup, prompt = START[shell]
        self._folder = folder
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.environ.pop("COLUMNS", None)
            os.environ.update(
                PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", TERM="dumb", HOME=str(folder)
            )
            os.execvp(command[0], command)
        self._seen = ""
        self.type(setup)
        self._until(lambda: prompt in self._seen)

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"waited in vain; the terminal shows {self._seen!r}")
            if select.select([self._terminal], [], [], 0.1)[0]:
                self._seen += os.read(self._terminal, 65536).decode(errors="replace")

    def completed(self, line: str) -> str:
        """The line that stands there after a tab."""
        result = self._folder / "line"
        result.unlink(missing_ok=True)
        self.type(f"{line}\t{TO_START}echo {TO_END} >line && echo >>line\n")
        self._until(lambda: result.exists() and result.read_text().count("\n") == 2)
        return result.read_text().strip()

    def close(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._terminal)


@pytest.mark.parametrize(
    "shell", [pytest.param(name, marks=pytest.mark.needs(name, package=name)) for name in ("bash", "zsh", "fish")]
)
def test_a_tab_completes_commands_rules_and_formats(shell: str, tmp_path: Path) -> None:
    terminal = Terminal(shell, tmp_path)
    try:
        assert terminal.completed("prodlint expl") == "prodlint explain"
        assert terminal.completed("prodlint rule unawaited-c") == "prodlint rule unawaited-coroutine"
        assert terminal.completed("prodlint check --select blocking-c") == "prodlint check --select blocking-call"
        assert terminal.completed("prodlint check --exit-z") == "prodlint check --exit-zero"
    finally:
        terminal.close()


def _asked(words: str, at: int) -> list[str]:
    environment = os.environ | {"COMP_WORDS": words, "COMP_CWORD": str(at), "_PRODLINT_COMPLETE": "bash_complete"}
    run = subprocess.run(
        [Path(sys.executable).with_name("prodlint")], env=environment, capture_output=True, text=True, check=False
    )
    return [line.partition(",")[2] for line in run.stdout.splitlines()]


def test_lists_of_names_are_completed_behind_the_comma() -> None:
    assert _asked("prodlint check --ignore errors,blocking-c", 3) == ["errors,blocking-call"]
    assert _asked("prodlint check --select block", 3)[:2] == ["blocking", "blocking-call"]


def test_outputs_are_formats_with_a_sign() -> None:
    assert _asked("prodlint check --output sa", 3) == ["sarif="]
