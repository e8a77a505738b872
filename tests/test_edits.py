"""A state made by edits is the state that reading everything anew gives."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

import pytest

from prodlint.analysis.session import Session
from tests.pages import ROOT

SETTINGS = {"preview": True}
FILES = {
    path.relative_to(ROOT / "examples").as_posix(): path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "examples").rglob("*"))
    if path.suffix in (".js", ".py", ".json", ".yml", ".toml") or path.name == "Dockerfile"
}
JAVASCRIPT, PYTHON = "express-shop/src/services/templates.js", "fastapi-shop/src/shop/routes/orders.py"


def _seen(session: Session) -> list[object]:
    """The findings with all that is in them, their fixes, what was suppressed, and what went wrong."""
    analysis = session.analysis
    fixes = [session.fix_for(finding) for finding in analysis.findings]
    return [analysis.findings, fixes, analysis.suppressed, analysis.errors]


def _edits(rng: random.Random, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Edits as somebody types them, each on top of those before it: a path and its new text."""
    texts = dict(files)
    while True:
        path = rng.choice(sorted(texts))
        mark = "//" if path.endswith(".js") else "" if path.endswith(".json") else "#"
        lines = texts[path].splitlines(keepends=True) or ["\n"]
        at = rng.randrange(len(lines))
        if (kind := rng.randrange(6)) == 0:
            lines.insert(at, f"{mark} {rng.random()}\n")
        elif kind == 1:
            lines[at] = lines[at].rstrip("\n") + f" {mark} prodlint: ignore\n"
        elif kind == 2:
            del lines[at]
        elif kind == 3:
            cut = rng.randrange(len(lines[at]))
            lines[at] = lines[at][:cut] + rng.choice("(x).'") + lines[at][cut:]
        elif kind == 4:
            lines.append(f"{mark} {rng.random()}"[: rng.randrange(3, 12)])
        else:
            lines = files[path].splitlines(keepends=True)  # undone, all of it
        texts[path] = "".join(lines)
        yield path, texts[path]


@pytest.mark.parametrize("seed", range(3))
def test_edits_find_what_a_fresh_run_finds(seed: int) -> None:
    session, texts = Session.from_memory(FILES, SETTINGS), dict(FILES)
    assert session.analysis.findings
    edits = _edits(random.Random(seed), FILES)
    for _ in range(12):
        path, texts[path] = next(edits)
        session = session.with_overlay({path: texts[path].encode()})
        assert _seen(session) == _seen(Session.from_memory(texts, SETTINGS)), path


def _analyses(session: Session) -> set[int]:
    """What was analysed, project by project, as identities."""
    assert session.analysis.findings
    assert len(session.parts) == 2
    return {id(part.analysis) for part in session.parts}


@pytest.mark.parametrize("path", [JAVASCRIPT, PYTHON])
def test_what_changes_no_fact_is_not_analysed_again(path: str) -> None:
    mark = "// a" if path == JAVASCRIPT else "# a"
    files = {**FILES, path: f"{mark}\n{FILES[path]}"}
    session = Session.from_memory(files, SETTINGS)
    assert session.analysis.findings
    opened = session.with_overlay({path: files[path].encode()})
    assert _analyses(opened) == _analyses(session)
    text = files[path].replace(mark, f"{mark[:-1]}b", 1)
    typed = opened.with_overlay({path: text.encode()})
    assert _analyses(typed) == _analyses(session)
    assert _seen(typed) == _seen(Session.from_memory({**files, path: text}, SETTINGS))
    longer = typed.with_overlay({path: f"x()\n{text}".encode()})
    assert len(_analyses(longer) & _analyses(session)) == 1, "the other project is as it was"
    assert _seen(longer) == _seen(Session.from_memory({**files, path: f"x()\n{text}"}, SETTINGS))


def test_a_fix_sees_the_text_as_it_is_now() -> None:
    """The fix copies what stands in the call, a comment too, which is no fact."""
    text = "const fs = require('fs');\nrequire('express')().get('/', async (q, r) => r.end(fs.readFileSync(/* a */ 'x')));\n"
    session = Session.from_memory({"app.js": text}, {"select": ["blocking-call"]})
    assert session.findings()
    changed = text.replace("/* a */", "/* b */")
    after = session.with_overlay({"app.js": changed.encode()})
    assert after.analysis is session.analysis
    assert after.program.read("app.js") == changed.encode()
    assert _seen(after) == _seen(Session.from_memory({"app.js": changed}, {"select": ["blocking-call"]}))


def test_a_deployment_file_is_analysed_again() -> None:
    path = "express-shop/Dockerfile"
    session = Session.from_memory(FILES, SETTINGS)
    assert session.analysis
    after = session.with_overlay({path: FILES[path].encode()})
    assert len(_analyses(after) & _analyses(session)) == 1
