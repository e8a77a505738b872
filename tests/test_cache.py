"""The cache of facts: what it saves, what it never gets wrong, and that nothing done to it is an error."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from prodlint import cache as cache_module
from prodlint import extraction
from prodlint.cache import FILE_NAME, Cache, content_key, default_directory, extractor_version
from prodlint.extraction import Extraction, decode, encode, extract_all
from prodlint.facts import FileFacts
from prodlint.files import Root, SourceFile, discover
from prodlint.settings import Settings
from prodlint.sources import Sources, Stamp

OLD = 1_600_000_000


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two files that have not been touched for long."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("a.py", "b.py"):
        (folder / name).write_text(f"name = '{name}'\n")
        os.utime(folder / name, (OLD, OLD))
    return folder


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock in which all files are old. (The time of a file's last status change cannot be set.)"""
    monkeypatch.setattr(cache_module.time, "time", lambda: 4_000_000_000.0)


def _files(folder: Path, given: bool = False) -> list[SourceFile]:
    return [SourceFile(path.name, "python", given) for path in sorted(folder.glob("*.py"))]


def _run(folder: Path, cache: Path | None, given: bool = False) -> Extraction:
    if cache is None:
        return extract_all(_files(folder, given), Sources(folder), jobs=1)
    with Cache(cache) as store:
        return extract_all(_files(folder, given), Sources(folder), cache=store, jobs=1)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are read."""
    seen: list[str] = []
    real = Sources.read

    def read(self: Sources, path: str) -> bytes:
        seen.append(path)
        return real(self, path)

    monkeypatch.setattr(Sources, "read", read)
    return seen


def test_facts_from_the_cache_are_the_same(project: Path, tmp_path: Path) -> None:
    fresh = _run(project, None)
    first = _run(project, tmp_path / "cache")
    second = _run(project, tmp_path / "cache")
    assert fresh.facts == first.facts == second.facts
    assert (first.from_cache, second.from_cache) == (0, 2)
    assert decode(encode(fresh.facts["a.py"])) == fresh.facts["a.py"]


@pytest.mark.usefixtures("settled")
def test_an_unchanged_file_is_not_read(project: Path, tmp_path: Path, reads: list[str]) -> None:
    _run(project, tmp_path / "cache")
    assert reads == ["a.py", "b.py"]
    _run(project, tmp_path / "cache")
    assert reads == ["a.py", "b.py"]
    (project / "a.py").write_text("name = 'A.py'\n")
    os.utime(project / "a.py", (OLD, OLD))
    changed = _run(project, tmp_path / "cache")
    assert reads == ["a.py", "b.py", "a.py"]
    assert changed.facts == _run(project, None).facts


def test_a_file_that_was_changed_just_now_is_read_again(project: Path, tmp_path: Path, reads: list[str]) -> None:
    _run(project, tmp_path / "cache")
    _run(project, tmp_path / "cache")
    assert reads == ["a.py", "b.py"] * 2


def test_the_same_content_elsewhere_is_not_extracted_again(project: Path, tmp_path: Path) -> None:
    _run(project, tmp_path / "cache")
    other = tmp_path / "clone"
    other.mkdir()
    (other / "c.py").write_bytes((project / "a.py").read_bytes())
    assert _run(other, tmp_path / "cache").from_cache == 1


def test_the_key_has_content_kind_and_extractor_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    key = content_key(b"x", "python")
    assert key == content_key(b"x", "python")
    others = [content_key(b"y", "python"), content_key(b"x", "tsx")]
    monkeypatch.setattr(cache_module, "extractor_version", lambda: b"another version")
    others.append(content_key(b"x", "python"))
    assert len({key, *others}) == 4


def test_the_extractors_version_changes_with_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = extractor_version()
    sources = ("extraction.py", "facts.py", "source/python.py", "deploy/compose.py", "source/python.scm")
    for path in (*sources, "cache.py", "cli.py"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    monkeypatch.setattr(cache_module, "__file__", str(tmp_path / "cache.py"))

    def version() -> bytes:
        extractor_version.cache_clear()
        return extractor_version()

    seen = [before, version()]
    for path in sources:
        (tmp_path / path).write_text("# changed")
        seen.append(version())
    assert len(set(seen)) == len(seen)
    (tmp_path / "cli.py").write_text("# changed")
    assert version() == seen[-1]
    monkeypatch.setattr(cache_module, "_grammars", lambda: ["tree_sitter_python-99.dist-info"])
    assert version() != seen[-1]
    extractor_version.cache_clear()


def test_another_extractor_reads_unchanged_files_anew(
    project: Path, tmp_path: Path, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    _run(project, cache)
    assert _run(project, cache).from_cache == 2
    monkeypatch.setattr(cache_module, "extractor_version", lambda: b"another version")
    assert _run(project, cache).from_cache == 0


def test_generated_files_are_left_out_from_the_cache_too(project: Path, tmp_path: Path) -> None:
    (project / "b.py").write_text("# @generated by a tool\nx = 1\n")
    for _ in range(2):
        run = _run(project, tmp_path / "cache")
        assert (list(run.facts), run.left_out) == (["a.py"], ["b.py"])
    given = _run(project, tmp_path / "cache", given=True)
    assert (sorted(given.facts), given.left_out) == (["a.py", "b.py"], [])


# --- everything that can happen to it ---------------------------------------------------------------------------------


def _garbage(file: Path) -> None:
    file.write_bytes(b"not a database " * 1000)


def _truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def _overwritten_in_the_middle(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    file.write_bytes(data)


def _bad_values(file: Path) -> None:
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("UPDATE facts SET value = x'c1c1'")
    connection.close()


@pytest.mark.parametrize("damage", [_garbage, _truncated, _overwritten_in_the_middle, _bad_values])
def test_a_broken_cache_heals(project: Path, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    _run(project, tmp_path / "cache")
    damage(tmp_path / "cache" / FILE_NAME)
    assert _run(project, tmp_path / "cache").facts == _run(project, None).facts
    _run(project, tmp_path / "cache")
    assert _run(project, tmp_path / "cache").from_cache == 2


def test_a_cache_that_another_process_writes_is_done_without(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(project, tmp_path / "cache")
    real = sqlite3.connect
    other = real(tmp_path / "cache" / FILE_NAME, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(sqlite3, "connect", lambda file, timeout: real(file, timeout=0))
    (project / "a.py").write_text("changed = 1\n")
    assert _run(project, tmp_path / "cache").facts == _run(project, None).facts
    other.execute("ROLLBACK")
    other.close()
    monkeypatch.undo()
    assert _run(project, tmp_path / "cache").from_cache == 1


def test_a_place_that_is_none(project: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = _run(project, tmp_path / "file" / "cache")
    assert run.facts == _run(project, None).facts


def test_a_full_disk(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(self: Cache, connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Cache, "_write", write)
    assert _run(project, tmp_path / "cache").facts == _run(project, None).facts


def test_values_that_nobody_uses_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day = 86_400
    now = 2_000_000_000.0
    monkeypatch.setattr(cache_module.time, "time", lambda: now)
    stamp = Stamp(1, 1, 1, 1)
    with Cache(tmp_path) as cache:
        for name in ("kept", "dropped"):
            cache.put(name.encode(), b"value")
            cache.put_key(f"/{name}.py", stamp, name.encode())
    now += 20 * day
    with Cache(tmp_path) as cache:
        assert cache.load([b"kept"]) == {b"kept": b"value"}
    now += 20 * day
    with Cache(tmp_path) as cache:
        cache.put(b"new", b"value")
    with Cache(tmp_path) as cache:
        assert set(cache.load([b"kept", b"dropped", b"new"])) == {b"kept", b"new"}
        assert cache.keys_of({"/kept.py": stamp, "/dropped.py": stamp}) == {"/kept.py": b"kept"}


def test_more_files_than_a_query_takes(tmp_path: Path) -> None:
    keys = [index.to_bytes(4, "big") for index in range(1234)]
    with Cache(tmp_path) as cache:
        for key in keys:
            cache.put(key, key)
    with Cache(tmp_path) as cache:
        assert cache.load(keys) == {key: key for key in keys}


def test_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module.sys, "platform", "linux")
    monkeypatch.setenv("PRODLINT_CACHE_DIR", "here")
    assert default_directory() == Path("here")
    monkeypatch.delenv("PRODLINT_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert default_directory() == Path("/xdg/prodlint")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert default_directory() == Path("/home/somebody/.cache/prodlint")
    monkeypatch.setattr(cache_module.sys, "platform", "darwin")
    assert default_directory() == Path("/home/somebody/Library/Caches/prodlint")


# --- extraction of many files -----------------------------------------------------------------------------------------


def _crashing(data: bytes, kind: str, path: str) -> FileFacts:
    if b"crash" in data:
        raise RecursionError("too deep")
    if b"die" in data:
        os._exit(1)
    return FileFacts(kind, shebang=data.decode())


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_on_which_prodlint_fails_is_named_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setattr(extraction, "extract", _crashing)
    monkeypatch.setattr(extraction, "_WORTH_A_POOL", 0)
    sources = Sources(None, {f"{name}.py": name.encode() for name in ("crash", "fine", "good")})
    files = [SourceFile(path, "python") for path in ("crash.py", "fine.py", "good.py", "missing.py")]
    run = extract_all(files, sources, jobs=jobs)
    assert {path: facts.shebang for path, facts in run.facts.items()} == {"fine.py": "fine", "good.py": "good"}
    troubles = {trouble.path: trouble.message for trouble in run.troubles}
    assert troubles.pop("missing.py") == "no such file"
    assert "prodlint failed on this file: RecursionError: too deep (test_cache.py:" in troubles.pop("crash.py")
    assert troubles == {}


def test_a_worker_that_dies_takes_only_its_file_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "extract", _crashing)
    monkeypatch.setattr(extraction, "_WORTH_A_POOL", 0)
    monkeypatch.setattr(extraction, "_BATCH", 8)
    texts = {f"{index}.py": f"fine {index}" for index in range(9)} | {"x.py": "die"}
    sources = Sources(None, {path: text.encode() for path, text in texts.items()})
    run = extract_all([SourceFile(path, "python") for path in texts], sources, jobs=2)
    assert sorted(run.facts) == sorted(set(texts) - {"x.py"})
    assert [(trouble.path, trouble.message) for trouble in run.troubles] == [
        ("x.py", "prodlint failed on this file: the process that read it died")
    ]


def test_processes_find_the_same_and_report_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "_WORTH_A_POOL", 0)
    monkeypatch.setattr(extraction, "_BATCH", 100)
    monkeypatch.setattr(extraction, "_CHUNK", 400)
    texts = {f"{index}.py": f"def f{index}():\n    return {index}\n".encode() for index in range(50)}
    files = [SourceFile(path, "python") for path in texts]
    seen: list[tuple[int, int]] = []
    several = extract_all(files, Sources(None, texts), jobs=2, progress=lambda *step: seen.append(step))
    assert several.facts == extract_all(files, Sources(None, texts), jobs=1).facts
    total = sum(map(len, texts.values()))
    assert len(seen) == 50
    assert seen == sorted(seen)
    assert seen[-1] == (total, total)


@pytest.mark.parametrize(
    ("data", "kind", "is_generated"),
    [
        (b"/* @generated SignedSource<<x>> */\n", "javascript", True),
        (b"// Code generated by protoc. DO NOT EDIT.\n", "typescript", True),
        (b"# Generated by the protocol buffer compiler.  DO NOT EDIT!\n", "python", True),
        (b"# Do not edit: this file is generated.\n", "python", True),
        (b"# Generated by Django 4.2 on 2024-01-01\n", "python", False),
        (b"/******/ (() => { // webpackBootstrap\n", "javascript", True),
        (b"// The Module object: Our interface to the outside world. We import\n", "javascript", True),
        (b"// The module object is our own.\n", "javascript", False),
        (b'"use strict";\nf();\n//# sourceMappingURL=app.js.map\n', "javascript", True),
        (b'const s = "//# sourceMappingURL=app.js.map";\nf();\n', "javascript", False),
        (b"f();\n" * 10 + b"x" * 5000, "javascript", True),
        (b"f();\n" * 2000 + b"x" * 5000, "javascript", False),
        (b"x = '" + b"x" * 6000 + b"'", "python", False),
        (b"// @generated\n", "dockerfile", False),
        (b"", "javascript", False),
    ],
)
def test_is_generated(data: bytes, kind: str, is_generated: bool) -> None:
    assert extraction.is_generated(data, kind) is is_generated


@pytest.mark.parametrize(
    ("data", "is_page_script"),
    [
        (b"$('#menu').on('click', () => document.title = 'x');", True),
        (b"var important = 1; // exported: no module\n", True),
        (
            b"(function (f) { typeof define === 'function' && define.amd ? define(['jquery'], f) : f(require('jquery')); })",
            True,
        ),
        (b"import { createApp } from 'vue';\n", False),
        (b"const app = require('express')();", False),
        (b"if (typeof define === 'function' && define.amd) {}\nconst fs = require('fs');", False),
        (b"x = 1; export default x;", False),
        (b"log(process.env.PORT)", False),
    ],
)
def test_is_page_script(data: bytes, is_page_script: bool) -> None:
    assert extraction.is_page_script(data) is is_page_script


def test_the_place_decides_about_the_scripts_of_web_pages(tmp_path: Path) -> None:
    for name in ("static/menu.js", "src/menu.js"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("document.title = 'x';\n")
    settings, sources = Settings(exclude=("cache/",)), Sources(tmp_path)
    with Cache(tmp_path / "cache") as cache:
        for _ in range(2):
            files = discover([tmp_path], Root(tmp_path, None, True), settings, sources).files
            run = extract_all(files, sources, cache=cache)
            assert (list(run.facts), run.left_out) == (["src/menu.js"], ["static/menu.js"])
    named = discover([tmp_path / "static/menu.js"], Root(tmp_path, None, True), settings, sources).files
    assert "static/menu.js" in extract_all(named, sources).facts
