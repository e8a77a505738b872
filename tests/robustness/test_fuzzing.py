"""The fuzz harness does what it says: each target runs what it claims to, on seeds that there are; and whole projects that
were changed at random are the same however prodlint is asked."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from types import FrameType, ModuleType

import pytest

from prodlint.extract.deployment import READERS
from prodlint.output import FORMATS
from tests.pages import ROOT

SEEDS = 4


def _script(name: str) -> ModuleType:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


fuzz = _script("fuzz")
fuzz_projects = _script("fuzz_projects")


def _read_by(target: str) -> tuple[str, ...]:
    if target in fuzz.SOURCE_PATHS:
        return ("extract/source/python.py" if target == "python" else "extract/source/javascript.py",)
    if target in fuzz.DEPLOY_PATHS:
        return (f"extract/deployment/{target}.py",)
    reaches: tuple[str, ...] = fuzz.REACHES[target]
    return reaches


def test_there_is_a_target_for_each_reader_and_a_way_to_each_format() -> None:
    assert set(fuzz.DEPLOY_PATHS) == set(READERS)
    assert {*fuzz.SOURCE_PATHS, *fuzz.DEPLOY_PATHS, *fuzz.REACHES} == set(fuzz.TARGETS)


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_a_target_runs_what_it_claims_to(target: str, tmp_path: Path) -> None:
    body = fuzz.body_of(target, tmp_path)
    inputs = list(islice(fuzz.seeds(target, []), SEEDS))
    assert inputs, "there is nothing to begin with"
    inputs += [fuzz.mutated(data, random.Random(number)) for number, data in enumerate(inputs)]
    wanted = {f"{ROOT / 'prodlint'}/{name}" for name in _read_by(target)}
    if target == "program":
        wanted |= {str(importlib.import_module(name).__file__) for name in FORMATS.values()}
    run: set[str] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            run.add(frame.f_code.co_filename)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        for data in inputs:
            body(data)
    finally:
        sys.setprofile(before)
    assert wanted <= run


@pytest.mark.parametrize("change", fuzz_projects.CHANGES, ids=lambda change: change.__name__)
def test_a_change_changes_something(change: Callable[[dict[str, bytes], random.Random], None]) -> None:
    before = {
        "a.js": b"async () => {\n  await b();\n};\n" * 9,
        "b.py": b"import c\nawait d()\n" * 9,
        "e/f.ts": b"g();\nh();\n",
    }
    results = []
    for seed in range(20):
        after = dict(before)
        change(after, random.Random(seed))
        results.append(after)
    assert any(after != before for after in results)


def test_changed_projects_are_the_same_in_every_way(tmp_path: Path) -> None:
    projects = [ROOT / "examples" / "express-shop", ROOT / "tests" / "fixtures" / "services"]
    assert list(fuzz_projects.faults(projects, 2, 1, tmp_path)) == []


def test_a_fault_is_found_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def prodlint(folder: Path, *arguments: str) -> tuple[bytes, str]:
        return (b'{"findings": [1]}' if "-j2" in arguments else b'{"findings": []}'), ""

    monkeypatch.setattr(fuzz_projects, "prodlint", prodlint)
    (fault,) = fuzz_projects.faults([ROOT / "examples"], 1, 7, tmp_path)
    assert "another report with -j2" in fault
    assert (tmp_path / "7-0" / "fault.txt").read_text().startswith("another report")
    assert any((tmp_path / "7-0" / "project").iterdir())
