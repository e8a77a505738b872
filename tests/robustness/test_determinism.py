"""The same input gives the same bytes, however it is come by."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from prodlint.analysis.scheduler import _MIN_POOL_BYTES
from prodlint.analysis.store import FILE_NAME
from tests.pages import ROOT
from tests.robustness.processes import run

OPTIONS = ("--preview", "--likely", "--exit-zero")
FORMATS = ("json", "sarif", "text", "gitlab", "markdown")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All examples and fixtures as one project, with enough in it for several processes."""
    folder = tmp_path_factory.mktemp("all") / "project"
    for source in (ROOT / "examples", ROOT / "tests" / "fixtures"):
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("prodlint.toml", ".git"))
    for copy in range(3):
        shutil.copytree(folder / "examples", folder / f"copy{copy}")
    (folder / "large.py").write_text(f"# {'x' * 70}\n" * (_MIN_POOL_BYTES // 70 + 1))
    (folder / "prodlint.toml").write_text("")
    return folder


def _bytes(project: Path, tmp_path: Path, cache: str, *arguments: str, **environment: str) -> dict[str, bytes]:
    """What a run writes, in each format."""
    outputs = [f"--output={name}={tmp_path / name}" for name in FORMATS]
    done = run(project, tmp_path / cache, "check", "-q", *OPTIONS, *outputs, *arguments, **environment)
    assert (done.returncode, done.stderr) == (0, b"")
    return {name: _untimed((tmp_path / name).read_bytes()) for name in FORMATS}


def _untimed(data: bytes) -> bytes:
    """Text without the seconds that it took, which are all that may differ."""
    head, _, tail = data.rpartition(b" files, ")
    return head + tail.partition(b" s\n")[2] if head and b" s\n" in tail else data


def test_the_same_bytes(project: Path, tmp_path: Path) -> None:
    first = _bytes(project, tmp_path, "none", "--no-cache", "-j", "1", PYTHONHASHSEED="1")
    assert first["json"].count(b'"rule"') > 50
    paths = [path.name for path in sorted(project.iterdir()) if path.name != "prodlint.toml"]
    random.Random(3).shuffle(paths)
    others = {
        "workers": _bytes(project, tmp_path, "none", "--no-cache", "-j", "3", PYTHONHASHSEED="2"),
        "cold": _bytes(project, tmp_path, "cache", "-j", "2", PYTHONHASHSEED="3"),
        "warm": _bytes(project, tmp_path, "cache", "-j", "2", PYTHONHASHSEED="4"),
        "paths": _bytes(project, tmp_path, "cache", "-j", "1", *paths),
        "reversed": _bytes(project, tmp_path, "cache", *reversed(paths)),
    }
    with contextlib.closing(sqlite3.connect(tmp_path / "cache" / FILE_NAME)) as cache, cache:
        assert cache.execute("DELETE FROM facts WHERE length(value) % 2").rowcount > 5
    others["partly warm"] = _bytes(project, tmp_path, "cache", "-j", "3", PYTHONHASHSEED="5")
    for name, other in others.items():
        for output_format in FORMATS:
            assert other[output_format] == first[output_format], (name, output_format)


def test_other_commands(project: Path, tmp_path: Path) -> None:
    for arguments in (("services",), ("services", "--output-format", "json"), ("facts", "examples"), ("rules",)):
        runs = [run(project, tmp_path / seed, *arguments, PYTHONHASHSEED=seed) for seed in ("1", "2")]
        assert runs[0].stdout == runs[1].stdout
        assert len(runs[0].stdout) > 100


def test_fixes(project: Path, tmp_path: Path) -> None:
    trees = []
    for seed, jobs in (("1", "1"), ("2", "3")):
        folder = shutil.copytree(project / "examples", tmp_path / seed / "p")
        (folder / "prodlint.toml").write_text("")
        done = run(
            folder,
            tmp_path / f"c{seed}",
            "check",
            "--preview",
            "--fix",
            "--unsafe-fixes",
            "-q",
            "-j",
            jobs,
            PYTHONHASHSEED=seed,
        )
        trees.append(
            (done.stderr, {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()})
        )
    assert trees[0] == trees[1]
