"""Node packages for tests that run them, in the exact versions of a package.json in this repository."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.tools import missing


class NodeModules:
    """The packages of folders with a package.json, installed when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        """`folder`: where they are kept."""
        self._folder = folder

    def of(self, wanted: Path) -> Path:
        """The `node_modules` for the package.json in a folder."""
        text = (wanted / "package.json").read_bytes()
        target = self._folder / f"{wanted.name}-{hashlib.sha256(text).hexdigest()[:12]}"
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{target.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.exists():
                self._install(text, target)
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
            for _ in range(2):  # a download may fail
                done = subprocess.run([npm, "install", *options], cwd=half, capture_output=True, text=True)
                if done.returncode == 0:
                    break
            else:
                said = (done.stderr + done.stdout).strip()
                missing(f"npm cannot install {target.name}: exit code {done.returncode}: {said}")
            half.rename(target)


def cache_folder(config: pytest.Config) -> Path:
    """Where packages stay from one run to the next."""
    if given := os.environ.get("PRODLINT_NODE_MODULES"):
        return Path(given)
    if (cache := getattr(config, "cache", None)) is not None:
        return Path(cache.mkdir("node_modules"))
    return Path(tempfile.mkdtemp(prefix="prodlint-node-modules-"))
