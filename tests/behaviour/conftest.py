"""Fixtures that install what the programs need, once, and run them."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.behaviour.driver import Gate, Running, Upstream, free_port, upstream
from tests.behaviour.program import HERE, NODE_SETS, Program
from tests.node_packages import NodeModules
from tests.tools import missing

PYTHON_STACKS = {
    "fastapi": ["-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", "{port}", "--log-level", "warning"],
    "flask": ["-m", "gunicorn", "app:app", "--bind", "127.0.0.1:{port}", "--log-level", "warning"],
    "django": ["-m", "gunicorn", "app:application", "--bind", "127.0.0.1:{port}", "--log-level", "warning"],
    "aiohttp": ["app.py"],
    "flask-alone": ["app.py"],
}
"""How programs of a stack are started. Up to a dash its name is that of the package."""


class Launch(Protocol):
    """Starts a program and waits until it listens."""

    def __call__(
        self,
        program: Program,
        *,
        flags: Sequence[str] = (),
        env: Mapping[str, str] = {},
        stdout: int | None = None,
        blocking_raises: bool = False,
    ) -> Running:
        """`flags` are Node's, or the interpreter's. With `blocking_raises`, a call that blocks an event loop of Python
        raises an error."""
        ...


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "proves(rule): shows on a running program that what the rule says is so")


def _python(stack: str) -> list[str]:
    start_with = PYTHON_STACKS[stack]
    for package in (stack.partition("-")[0], "requests", "blockbuster", *start_with[1:2] * (start_with[0] == "-m")):
        if importlib.util.find_spec(package) is None:
            missing(f"{package} is not installed (pip install -e '.[behaviour]')")
    return start_with


@pytest.fixture
def launch(tmp_path: Path, node_modules: NodeModules) -> Iterator[Launch]:
    running: list[Running] = []

    def start(
        program: Program,
        *,
        flags: Sequence[str] = (),
        env: Mapping[str, str] = {},
        stdout: int | None = None,
        blocking_raises: bool = False,
    ) -> Running:
        port = free_port()
        if (NODE_SETS / program.stack).is_dir():
            installed = node_modules.of(NODE_SETS / program.stack)
            command = ["node", *flags, "app.js"]
        else:
            installed = None
            start_with = _python(program.stack)
            command = [sys.executable, *flags, *(word.format(port=port) for word in start_with)]
            if blocking_raises:
                command[command.index("app:app")] = "blocking_raises:app"
        folder = tmp_path / f"program-{len(running)}"
        folder.mkdir()
        program.write(folder)
        if installed is not None:
            (folder / "node_modules").symlink_to(installed)
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        of_python = {"PYTHONPATH": f"{folder}{os.pathsep}{HERE / 'instruments'}"}
        everything = {**inherited, **of_python, "PORT": str(port), "GATE": str(tmp_path / "gate"), **env}
        server = Running(command, folder, everything, port, stdout)
        running.append(server)
        server.wait_until_it_listens()
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """What programs read from the path in `GATE`."""
    return Gate(tmp_path / "gate")


@pytest.fixture
def slow_service() -> Iterator[Upstream]:
    """A service for programs to ask."""
    with ExitStack() as stack:
        yield stack.enter_context(upstream())
