"""What an earlier run found is taken only where nothing is different, and is what a run without it finds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from prodlint import cli
from prodlint.analysis import scheduler
from prodlint.analysis import session as engine
from prodlint.analysis import store as cache_module
from prodlint.analysis.session import Session

SERVER = """\
const fs = require('node:fs');
const { load } = require('./load');
const app = require('express')();

app.get('/', (req, res) => {
  console.log('here');
  res.send(fs.readFileSync('page.html') + load());
});
app.listen(3000);
"""
LOAD = "const fs = require('node:fs');\nexports.load = () => fs.readFileSync('a');\n"
Check = Callable[..., dict[str, Any]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service whose files have not been touched for long, by a clock that is far ahead."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name, text in {"server.js": SERVER, "load.js": LOAD, "package.json": "{}", "prodlint.toml": ""}.items():
        (folder / name).write_text(text)
        os.utime(folder / name, (1_600_000_000, 1_600_000_000))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PRODLINT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cache_module.time, "time", lambda: 4_000_000_000.0)
    return folder


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are parsed, and "link" for each time that they are linked."""
    done: list[str] = []
    extract, link = scheduler.extract, Session.program.func

    def extracting(data: bytes, kind: str, path: str) -> Any:
        done.append(path)
        return extract(data, kind, path)

    def linking(session: Session) -> Any:
        done.append("link")
        return link(session)

    monkeypatch.setattr(scheduler, "extract", extracting)
    monkeypatch.setattr(Session.program, "func", linking)
    return done


@pytest.fixture
def check() -> Check:
    """Runs `prodlint check`, and returns what it found."""

    def run(*arguments: str) -> dict[str, Any]:
        command = ["check", ".", "--preview", "--exit-zero", "--output-format", "json", *arguments]
        result = CliRunner().invoke(cli.cli, command, standalone_mode=False, catch_exceptions=False)
        report = msgspec.json.decode(result.stdout)
        return {"findings": report["findings"], "errors": report["errors"], "files": report["summary"]["files"]}

    return run


def test_nothing_is_parsed_and_linked_again(project: Path, work: list[str], check: Check) -> None:
    cold = check()
    assert sorted(work) == ["link", "load.js", "package.json", "server.js"]
    assert {finding["rule"] for finding in cold["findings"]} > {"blocking-call", "console-logging"}
    work.clear()
    assert check() == cold
    assert work == []
    assert check("--no-cache") == cold


def test_one_changed_file_is_parsed_again(project: Path, work: list[str], check: Check) -> None:
    cold = check()
    (project / "load.js").write_text(LOAD + "exports.other = 1;\n")
    work.clear()
    assert check()["findings"] == cold["findings"]
    assert work == ["load.js", "link"]


def test_one_project_of_two_is_linked_again(
    project: Path, tmp_path: Path, work: list[str], check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = tmp_path / "both"
    for name in ("a", "b"):
        shutil.copytree(project, both / name)
        (both / name / "prodlint.toml").unlink()
    monkeypatch.chdir(both)
    cold = check()
    assert work.count("link") == 2
    (both / "b" / "load.js").write_text(LOAD.replace("'a'", "'bb'"))
    work.clear()
    warm = check()
    assert work == ["b/load.js", "link"]
    assert [finding["path"] for finding in warm["findings"]] == [finding["path"] for finding in cold["findings"]]
    assert warm == check("--no-cache")


def _touch(project: Path) -> None:
    os.utime(project / "load.js", (1_700_000_000, 1_700_000_000))


def test_time_stamps_are_not_what_counts(project: Path, work: list[str], check: Check) -> None:
    check()
    _touch(project)
    work.clear()
    check()
    assert work == []


def _write(name: str, text: str) -> Callable[[Path], object]:
    return lambda project: (project / name).write_text(text)


@pytest.mark.parametrize(
    "change",
    [
        _write("server.js", SERVER.replace("console.log('here');", "")),
        _write("load.js", LOAD.replace("fs.readFileSync('a')", "1")),
        _write("more.js", SERVER),
        lambda project: (project / "load.js").unlink(),
        lambda project: (project / "load.js").rename(project / "loads.js"),
        _write("prodlint.toml", 'ignore = ["console-logging"]\n'),
        _write("prodlint.toml", '[severity]\nblocking-call = "advice"\n'),
        _write("prodlint.toml", '[blocking-call.apis]\n"express().listen" = ""\n'),
        _write("server.js", SERVER + "const = ;\n"),
    ],
    ids=["less", "helper", "more", "gone", "renamed", "ignored", "severity", "data", "broken"],
)
def test_whatever_differs_is_worked_out(
    project: Path, work: list[str], check: Check, change: Callable[[Path], object]
) -> None:
    check()
    change(project)
    work.clear()
    found = check()
    assert "link" in work
    assert found == check("--no-cache")
    work.clear()
    assert check() == found
    assert work == []


def test_another_way_to_look_is_another_result(project: Path, work: list[str], check: Check) -> None:
    every = check()
    some = check("--ignore", "console-logging")
    assert len(some["findings"]) < len(every["findings"])
    work.clear()
    assert (check(), check("--ignore", "console-logging")) == (every, some)
    assert work == []


def test_another_prodlint_finds_it_itself(
    project: Path, work: list[str], check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prodlint.analysis import stored_results

    check()
    monkeypatch.setattr(stored_results, "_program", lambda: b"another")
    work.clear()
    check()
    assert work == ["link"]


def test_fixes_that_nobody_asked_for_are_made_later(project: Path, work: list[str], check: Check) -> None:
    whole = check()
    (project.parent / "cache" / cache_module.FILE_NAME).unlink()
    check("load.js")
    work.clear()
    assert check() == whole
    assert work == ["link"]
    work.clear()
    assert check() == whole
    assert work == []


def test_fixes_are_those_of_the_first_run(project: Path, work: list[str], check: Check) -> None:
    (project / "server.js").write_text("const app = require('express')();\napp.set('view cache', false);\n" + SERVER)
    cold = check("--likely")
    assert "template-cache-off" in {finding["rule"] for finding in cold["findings"]}
    (project.parent / "cache" / cache_module.FILE_NAME).unlink()
    check("load.js")  # nobody asks for the fix: what its rule needs for it is a tuple
    work.clear()
    check("load.js")
    assert work == []
    assert check("--likely") == cold


def test_what_failed_is_not_kept(project: Path, work: list[str], check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(engine, "suppress", engine.suppress)
        broken.setattr("prodlint.checks.blocking.blocking_call.check", lambda program, rule: 1 / 0)
        assert any("blocking-call failed" in error["message"] for error in check()["errors"])
    work.clear()
    assert check()["errors"] == []
    assert work == ["link"]


def test_a_spoilt_result_is_none(project: Path, check: Check) -> None:
    import sqlite3

    cold = check()
    with sqlite3.connect(project.parent / "cache" / cache_module.FILE_NAME) as connection:
        connection.execute("UPDATE results SET value = ?", (b"\x93\x01",))
    assert check() == cold
