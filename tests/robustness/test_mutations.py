"""Real files with tokens left out, twice, elsewhere, a thousand times, or with odd ones among them: extraction never
raises, and takes work in proportion to their length."""

from __future__ import annotations

import random
import sys
from functools import cache
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodlint.extract.extraction import extract
from prodlint.extract.fact_table import decode, encode
from prodlint.facts import SOURCE
from prodlint.project.discovery import kind_of
from prodlint.project.vfs import FileSystem
from tests.pages import ROOT, deep_case_files, read_page, rule_pages
from tests.robustness.odd import ODD, TOKEN

CRASHERS = Path(__file__).with_name("crashers")
CALLS_PER_BYTE = 100
"""Calls of Python functions; sound code takes less than ten."""


@cache
def samples() -> dict[str, list[tuple[str, bytes]]]:
    """Path and bytes of the files of the rule pages and the fixtures, by their kind."""
    found: dict[str, list[tuple[str, bytes]]] = {}
    for page in [*rule_pages(), *deep_case_files()]:
        for section in read_page(page).projects:
            files = {path: text.encode() for path, text in section.texts().items()}
            for path, data in files.items():
                found.setdefault(kind_of(path, FileSystem(None, files)) or "", []).append((path, data))
    fixtures = ROOT / "tests" / "fixtures"
    for file in sorted(fixtures.rglob("*.*")):
        path = file.relative_to(fixtures).as_posix()
        if file.is_file() and (kind := kind_of(path, FileSystem(fixtures))):
            found.setdefault(kind, []).append((path, file.read_bytes()))
    found.pop("", None)
    return found


def mutated(data: bytes, chance: random.Random) -> bytes:
    parts = TOKEN.findall(data) if chance.random() < 0.6 else data.splitlines(keepends=True)
    for _ in range(chance.randrange(1, 4)):
        if not parts:
            break
        start = chance.randrange(len(parts))
        end = min(len(parts), start + 1 + int(chance.expovariate(0.3)))
        change = chance.randrange(5)
        if change == 0:
            parts[start:end] = parts[start:end] * chance.choice((0, 2, 50, 300))
        elif change == 1:
            at = chance.randrange(len(parts))
            parts[at:at] = parts[start:end]
        elif change == 2:
            parts[start:end] = [chance.choice(ODD)]
        elif change == 3:
            parts[start:start] = [chance.choice(ODD)] * chance.choice((1, 1, 300))
        else:
            del parts[end:]
    return b"".join(parts)


def work_of(data: bytes, kind: str, path: str) -> int:
    """How many Python functions are called to extract a file. Whatever it gives must survive being stored."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        facts = extract(data, kind, path)
    finally:
        sys.setprofile(before)
    assert decode(encode(facts)) == facts
    for fact in (*facts.problems, *facts.directives, *facts.calls):
        assert 0 <= fact.start <= fact.end <= len(data)
    return calls


@pytest.mark.parametrize("kind", sorted(samples()))
def test_extraction(kind: str) -> None:
    @settings(max_examples=30 if kind in SOURCE else 12)
    @given(st.sampled_from(samples()[kind]), st.integers(0, 2**32))
    def holds(sample: tuple[str, bytes], seed: int) -> None:
        path, data = sample
        data = mutated(data, random.Random(seed))[:30_000]
        assert work_of(data, kind, path) <= CALLS_PER_BYTE * (len(data) + 1_000)

    holds()


@pytest.mark.parametrize("crasher", sorted(CRASHERS.iterdir()), ids=lambda path: path.name)
def test_what_once_went_wrong(crasher: Path) -> None:
    """The kind of file is the first part of the name."""
    kind = crasher.name.partition("-")[0]
    facts = extract(crasher.read_bytes(), kind, crasher.name)
    for artefact in facts.artefacts:
        for setting in artefact.settings:
            assert 0 <= setting.start <= setting.end <= len(crasher.read_bytes())
