"""With PRODLINT_VERIFY=1 whatever is taken over is compared with a fresh computation, and a difference is loud."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from prodlint.analysis import session as session_module
from prodlint.analysis import stored_results
from prodlint.analysis.session import VERIFY, ExtractOptions, Session
from prodlint.analysis.store import FILE_NAME, Cache
from prodlint.analysis.verification import VerificationError
from prodlint.extract.fact_table import decode, encode
from prodlint.findings import Fix
from prodlint.lsp.open_project import OpenProject, Preferences
from prodlint.rulebook import load_rules
from tests.incremental import report_of, warm
from tests.robustness.processes import run

APP = """\
const fs = require('node:fs');
const app = require('express')();

app.get('/', async (req, res) => {
  res.send(fs.readFileSync('page.html'));
});
app.listen(3000);
"""
FILES = {"package.json": '{"dependencies": {"express": "^4.18.0"}}', "app.js": APP, "prodlint.toml": "preview = true\n"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two services side by side, whose sessions are verified."""
    rules = load_rules()
    monkeypatch.setattr(session_module, "load_rules", lambda: rules)
    monkeypatch.setenv(VERIFY, "1")
    folder = (tmp_path / "project").resolve()
    for name in ("a", "b"):
        for path, text in FILES.items():
            target = folder / path if path == "prodlint.toml" else folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            os.utime(target, (1_600_000_000, 1_600_000_000))
    return folder


def _opened(project: Path, **extract_options: Any) -> Session:
    return Session.open([project], extract_options=ExtractOptions(jobs=1, **extract_options))


def test_what_is_right_stays_quiet(project: Path, tmp_path: Path) -> None:
    cold = warm(project, tmp_path / "cache")
    assert warm(project, tmp_path / "cache") == cold
    session = _opened(project)
    assert report_of(session) == cold
    for text in (f"// a comment\n{APP}", APP, APP.replace("Sync", "")):
        session = session.with_overlay({"a/app.js": text.encode()})
        report_of(session)
    (project / "b" / "app.js").unlink()
    report_of(session.with_disk_changes(["b/app.js"], {}))


def _damage(cache: Path, table: str, change: Callable[[bytes], bytes]) -> None:
    """Changes what the cache has stored, in a way that it cannot notice."""
    import zlib

    with sqlite3.connect(cache / FILE_NAME) as connection:
        for name, value in connection.execute(
            f"SELECT rowid, value FROM {table}" if table == "results" else "SELECT key, value FROM facts"
        ).fetchall():
            is_facts = table == "facts"
            changed = change(value[:-4] if is_facts else value)
            stored = changed + zlib.crc32(changed).to_bytes(4) if is_facts else changed
            key = "key" if is_facts else "rowid"
            connection.execute(f"UPDATE {table} SET value = ? WHERE {key} = ?", (stored, name))
    connection.close()


def _without_calls(value: bytes) -> bytes:
    facts = decode(value)
    return encode(msgspec.structs.replace(facts, calls=[], exits=[])) if facts.kind == "javascript" else value


def test_facts_from_the_cache(project: Path, tmp_path: Path) -> None:
    with Cache(tmp_path / "cache") as cache:
        _opened(project, cache=cache).findings()
    _damage(tmp_path / "cache", "facts", _without_calls)
    with Cache(tmp_path / "cache") as cache, pytest.raises(VerificationError, match=r"facts of a/app.js\n  calls\n"):
        _opened(project, cache=cache).findings()


def test_facts_from_a_shard(project: Path) -> None:
    from prodlint.analysis.keys import key_of

    session = _opened(project)
    shard = {
        key_of(session.read(file.path), file): _without_calls(encode(session.facts[file.path]))
        for file in session.project.files
    }
    with pytest.raises(VerificationError, match=r"facts of a/app.js\n  calls\n"):
        _opened(project, shard=shard).findings()


def _without_findings(value: bytes) -> bytes:
    result = stored_results.decode_result(value)
    return stored_results._ENCODER.encode(msgspec.structs.replace(result, findings=[], fixes=[], edits=[]))


def _with_other_fixes(value: bytes) -> bytes:
    result = stored_results.decode_result(value)
    fixes = [msgspec.structs.replace(fix, edits=()) if isinstance(fix, Fix) else fix for fix in result.fixes]
    return stored_results._ENCODER.encode(msgspec.structs.replace(result, fixes=fixes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without_findings, "findings\n  missing-error-handler in a/app.js, at byte 43\n    taken over: None"),
        (_with_other_fixes, "fix of "),
    ],
)
@pytest.mark.parametrize("edited", [False, True], ids=["the whole", "a part"])
def test_the_results_of_a_run_before(
    project: Path, tmp_path: Path, change: Callable[[bytes], bytes], message: str, edited: bool
) -> None:
    warm(project, tmp_path / "cache")
    _damage(tmp_path / "cache", "results", change)
    if edited:
        (project / "b" / "app.js").write_text(f"\n{APP}")
    with pytest.raises(VerificationError, match=message):
        warm(project, tmp_path / "cache")


def _takes_all_for_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "_still_holds", property(lambda self: self._earlier is not None))


def test_the_state_before_an_edit(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = _opened(project)
    session.findings()
    _takes_all_for_the_same(monkeypatch)
    edited = session.with_overlay({"a/app.js": APP.replace("Sync", "").encode()})
    with pytest.raises(VerificationError, match="findings"):
        edited.findings()


def test_the_editor(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = OpenProject(project, Preferences())
    editor.update()
    _takes_all_for_the_same(monkeypatch)
    editor.edit(project / "a" / "app.js", APP.replace("Sync", "").encode())
    with pytest.raises(VerificationError, match="findings"):
        editor.update()


def test_files_that_came_unnoticed(project: Path) -> None:
    session = _opened(project)
    session.findings()
    (project / "a" / "more.js").write_text(APP)
    edited = session.with_overlay({"a/app.js": f"\n{APP}".encode()})
    with pytest.raises(VerificationError, match=r"files\n  SourceFile\(path='a/more.js'"):
        edited.findings()


def test_a_difference_ends_the_command_line(project: Path, tmp_path: Path) -> None:
    check = partial(run, project, tmp_path / "cache", "check", "--exit-zero", "--likely")
    assert check(PRODLINT_VERIFY="1").returncode == 0
    _damage(tmp_path / "cache", "results", _without_findings)
    assert check(PRODLINT_VERIFY="0").returncode == 0
    done = _unchecked(project, tmp_path / "cache")
    assert done.returncode == 2
    assert b"VerificationError: what was taken over is not what a fresh run finds: findings" in done.stderr


def _unchecked(project: Path, cache: Path) -> Any:
    import subprocess

    from tests.robustness.processes import command, environment

    arguments = command("check", "--exit-zero", "--likely")
    return subprocess.run(
        arguments, cwd=project, env=environment(cache, PRODLINT_VERIFY="1"), capture_output=True, check=False
    )


def test_nothing_is_made_twice_where_nobody_asked(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linked: list[Session] = []
    link = Session.program.func
    monkeypatch.setattr(Session.program, "func", lambda session: (linked.append(session), link(session))[1])
    monkeypatch.setenv(VERIFY, "0")
    _opened(project).findings()
    assert len(linked) == 2
    monkeypatch.setenv(VERIFY, "1")
    _opened(project).findings()
    assert len(linked) == 6
