"""The wheel, the source distribution and the editable install: each has all that prodlint needs, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from prodlint import __version__
from prodlint.rulebook import INDEX_NAME, read_pages
from tests.pages import ROOT

INDEX = f"prodlint/{INDEX_NAME}"
MANUAL = f"prodlint-{__version__}.data/data/share/man/man1/prodlint.1"


def _build(folder: Path, target: str, into: Path) -> Path:
    """Builds one distribution of the tree in `folder`."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = into.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_has_the_package_and_the_index(wheel: Path) -> None:
    package = ROOT / "prodlint"
    files = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert _names(wheel) == {path.relative_to(ROOT).as_posix() for path in files} | {INDEX, MANUAL}


@pytest.mark.needs("mandoc", "groff")
def test_the_manual_page_is_one(wheel: Path, tmp_path: Path) -> None:
    page = tmp_path / "prodlint.1"
    with zipfile.ZipFile(wheel) as archive:
        page.write_bytes(archive.read(MANUAL))
    lint = subprocess.run(["mandoc", "-Tlint", page], capture_output=True, text=True, check=False)
    assert (lint.returncode, lint.stdout) == (0, ""), lint.stdout
    command = ["groff", "-man", "-Tascii", "-ww", "-P-cbou", page]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "MANWIDTH": "100"})
    assert shown.stderr == ""
    words = " ".join(shown.stdout.split())
    for said in (
        "prodlint check [OPTIONS] [PATHS]...",
        "--diff-base REV",
        "prodlint completion",
        "EXIT STATUS",
        "NO_COLOR",
    ):
        assert said in words
    assert "\\" not in words


def test_an_installed_wheel_knows_its_rules_and_works_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "app.py").write_text("import time\n\ntime.sleep(1)\n")
    (tmp_path / "run.py").write_text("import sys\nsys.path.insert(0, 'site')\nfrom prodlint.cli import main\nmain()\n")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "run.py", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    listed = run("rules").stdout
    assert all(rule.name in listed for rule in read_pages(ROOT / "rules"))
    assert "## Why" in run("rule", "unused-ignore", "--color", "never").stdout
    checked = run("check", "--no-cache", "shop")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_source_distribution_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = _build(ROOT, "sdist", tmp_path / "dist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "tree", filter="data")
    (tree,) = (tmp_path / "tree").iterdir()
    assert _names(_build(tree, "wheel", tmp_path / "wheel")) == _names(wheel)
    assert (tree / "tests" / "test_packaging.py").is_file()
    assert (tree / "SECURITY.md").is_file()
    assert not (tree / "prodlint" / INDEX_NAME).exists()


def test_an_editable_install_reads_the_pages_themselves(tmp_path: Path) -> None:
    names = _names(_build(ROOT, "wheel:editable", tmp_path))
    assert INDEX not in names
    assert any(name.endswith(".pth") for name in names)
