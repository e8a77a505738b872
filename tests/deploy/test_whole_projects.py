"""Small whole projects, and what `prodlint services` says of each: the same as in `expected.txt` beside its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodlint.analysis.session import Session
from prodlint.output.services import render

PROJECTS = Path(__file__).parent.parent / "fixtures" / "services"


@pytest.mark.parametrize("name", sorted(path.name for path in PROJECTS.iterdir()))
def test_services(name: str) -> None:
    folder = PROJECTS / name
    files = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "expected.txt"
    }
    said = list(render(Session.from_memory(files).program))
    assert said == (folder / "expected.txt").read_text(encoding="utf-8").splitlines()
