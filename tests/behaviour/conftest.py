"""Fixtures that install what the programs need, once, and run them."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.behaviour.driver import Gate, Running, Upstream, free_port, upstream
from tests.behaviour.program import HERE, NODE_SETS, Program
from tests.tools import missing

PYTHON_STACKS = {
    "fastapi": ["-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", "{port}", "--log-level", "warning"],
    "flask": ["-m", "gunicorn", "app:app", "--bind", "127.0.0.1:{port}", "--log-level", "warning"],
    "django": ["-m", "gunicorn", "app:application", "--bind", "127.0.0.1:{port}", "--log-level", "warning"],
    "aiohttp": ["app.py"],
}
"""How programs of a stack are started, by the name of the package."""


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


@pytest.fixture(scope="session")
def node_modules(request: pytest.FixtureRequest) -> NodeModules:
    return NodeModules(_cache_folder(request.config))


class NodeModules:
    """The packages of `node/<set>/package.json`, installed when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, name: str) -> Path:
        """The `node_modules` of a set."""
        wanted = (NODE_SETS / name / "package.json").read_bytes()
        target = self._folder / f"{name}-{hashlib.sha256(wanted).hexdigest()[:12]}"
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{target.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.exists():
                self._install(wanted, target)
        return target / "node_modules"

    def _install(self, wanted: bytes, target: Path) -> None:
        npm = shutil.which("npm")
        if npm is None or shutil.which("node") is None:
            missing("node and npm are not installed")
        with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
            half = Path(scratch) / "set"
            half.mkdir()
            (half / "package.json").write_bytes(wanted)
            options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
            done = subprocess.run([npm, "install", *options], cwd=half, capture_output=True, text=True)
            if done.returncode != 0:
                missing(f"npm cannot install {target.name}: {done.stderr.strip()}")
            half.rename(target)


def _cache_folder(config: pytest.Config) -> Path:
    """Where packages stay from one run to the next."""
    if given := os.environ.get("PRODLINT_NODE_MODULES"):
        return Path(given)
    if (cache := getattr(config, "cache", None)) is not None:
        return Path(cache.mkdir("node_modules"))
    return Path(tempfile.mkdtemp(prefix="prodlint-node-modules-"))


def _python(stack: str) -> list[str]:
    start_with = PYTHON_STACKS[stack]
    for package in (stack, "requests", "blockbuster", *start_with[1:2] * (start_with[0] == "-m")):
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
            installed = node_modules.of(program.stack)
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
