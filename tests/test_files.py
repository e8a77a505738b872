"""Discovery: where a project begins, what is walked, and what cannot be."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from pathlib import Path

import pytest

from prodlint.findings import AnalysisError
from prodlint.project.discovery import Project, Root, SourceFile, discover, find_root, kind_of
from prodlint.project.file_roles import FileRole
from prodlint.project.hints import Hints
from prodlint.project.settings import Settings
from prodlint.project.vfs import FileSystem, TooLarge, Unreadable


def _make(folder: Path, *paths: str) -> None:
    """Files by path; a path that ends with a slash is a folder."""
    for path in paths:
        target = folder / path
        if path.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("x = 1\n")


def _discover(folder: Path, *given: str, exclude: Iterable[str] | None = None, force_exclude: bool = False) -> Project:
    settings = Settings() if exclude is None else Settings(exclude=tuple(exclude))
    paths = [folder / path for path in given] or [folder]
    root = Root(folder, None, True)
    return discover(paths, root, settings, FileSystem(folder), force_exclude=force_exclude)


def _paths(project: Project) -> list[str]:
    return [file.path for file in project.files]


# --- the root ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "given", "root"),
    [
        (["repo/.git/", "repo/api/package.json", "repo/api/src/a.js"], ["repo/api/src"], "repo"),
        (["repo/.git", "repo/api/package.json", "repo/api/src/a.js"], ["repo/api/src"], "repo"),
        (["repo/.git/", "repo/api/prodlint.toml", "repo/api/src/a.js"], ["repo/api/src"], "repo/api"),
        (["app/package.json", "app/src/a.js"], ["app/src/a.js"], "app"),
        (["app/pyproject.toml", "app/src/a.py"], ["app/src/a.py"], "app"),
        (["app/requirements.txt", "app/src/a.py"], ["app/src"], "app"),
        (["mono/pnpm-workspace.yaml", "mono/api/package.json", "mono/api/a.js"], ["mono/api"], "mono"),
        (["mono/a/package.json", "mono/b/package.json"], ["mono/a", "mono/b"], None),
        (["folder/a.js"], ["folder"], None),
        (["folder/a.js"], ["folder/a.js"], None),
    ],
)
def test_find_root(tmp_path: Path, files: list[str], given: list[str], root: str | None) -> None:
    _make(tmp_path, *files)
    found = find_root([tmp_path / path for path in given])
    assert (str(found.folder.relative_to(tmp_path)) if found.is_marked else None) == root


def test_npm_workspaces(tmp_path: Path) -> None:
    _make(tmp_path, "mono/api/package.json")
    (tmp_path / "mono" / "package.json").write_text('{"private": true, "workspaces": ["api"]}')
    assert find_root([tmp_path / "mono" / "api"]).folder == tmp_path / "mono"


def test_a_configuration_above_the_repository_is_not_the_projects(tmp_path: Path) -> None:
    _make(tmp_path, "prodlint.toml", "repo/.git/")
    assert find_root([tmp_path / "repo"]) == (tmp_path / "repo", None, True)


def test_a_named_configuration_elsewhere_does_not_move_the_root(tmp_path: Path) -> None:
    _make(tmp_path, "shared/prodlint.toml", "repo/.git/", "repo/prodlint.toml")
    config = tmp_path / "shared" / "prodlint.toml"
    assert find_root([tmp_path / "repo"], config) == (tmp_path / "repo", config, True)


def test_the_home_folder_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _make(tmp_path, ".git/", "package.json", "prodlint.toml", "x/a.js")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert find_root([tmp_path / "x"]) == (tmp_path / "x", None, False)


# --- what is walked ---------------------------------------------------------------------------------------------------


def test_kinds() -> None:
    file_system = FileSystem(
        None, {"bin/www": b"#!/usr/bin/env node\n", "bin/tool": b"#!/usr/bin/python3 -E\n", "bin/sh": b"#!/bin/sh\n"}
    )
    kinds = {
        "a.js": "javascript",
        "a.cjs": "javascript",
        "a.MJS": "javascript",
        "a.jsx": "javascript",
        "a.ts": "typescript",
        "a.mts": "typescript",
        "a.cts": "typescript",
        "a.tsx": "tsx",
        "a.py": "python",
        "a.pyi": None,
        "a.d.ts": None,
        "a.txt": None,
        ".py": None,
        "bin/www": "javascript",
        "bin/tool": "python",
        "bin/sh": None,
        "missing": None,
        "api/Dockerfile": "dockerfile",
    }
    assert {path: kind_of(path, file_system) for path in kinds} == kinds


def test_dependencies_environments_and_minified_files_are_left_out(tmp_path: Path) -> None:
    _make(tmp_path, "a.js", "node_modules/x/a.js", "b/node_modules/a.js", "env/pyvenv.cfg", "env/lib/a.py")
    _make(tmp_path, "b/a.py", "b/__pycache__/a.py", ".git/a.py", "lib/a.min.js", "vendor/a.js", "vendors/a.js")
    assert _paths(_discover(tmp_path)) == ["a.js", "b/a.py", "vendors/a.js"]


def test_given_files_and_folders_are_analysed_even_if_excluded(tmp_path: Path) -> None:
    _make(tmp_path, "a.js", "vendor/a.js", "vendor/b/c.js", "lib/a.min.js")
    (tmp_path / ".gitignore").write_text("lib\n")
    project = _discover(tmp_path, "a.js", "vendor/b", "lib/a.min.js")
    assert project.files == [
        SourceFile("a.js", "javascript", True),
        SourceFile("lib/a.min.js", "javascript", True),
        SourceFile("vendor/b/c.js", "javascript"),
    ]
    assert _paths(_discover(tmp_path, "a.js", "vendor/b", "lib/a.min.js", force_exclude=True)) == ["a.js"]


def test_tests_are_not_read_unless_they_are_named(tmp_path: Path) -> None:
    _make(tmp_path, "app.py", "test/helpers.js", "src/app.spec.ts", "test/Dockerfile", "contest.py", "checks/a.py")
    assert _paths(_discover(tmp_path)) == ["app.py", "checks/a.py", "contest.py", "test/Dockerfile"]
    named = _discover(tmp_path, "test/helpers.js")
    assert [file.path for file in named.files if file.role is FileRole.TEST] == ["test/helpers.js"]
    settings = Settings(hints=Hints(tests=("checks/**",)))
    project = discover([tmp_path], Root(tmp_path, None, True), settings, FileSystem(tmp_path))
    assert _paths(project) == ["app.py", "contest.py", "test/Dockerfile"]


def test_excludes_are_globs_as_in_gitignore(tmp_path: Path) -> None:
    _make(tmp_path, "a.js", "x/a.js", "x/y/a.js", "x/a.gen.js", "z/vendor/a.js")
    assert _paths(_discover(tmp_path, exclude=["/x/y", "*.gen.js", "z/**/a.js"])) == ["a.js", "x/a.js"]
    assert _paths(_discover(tmp_path, exclude=[])) == ["a.js", "x/a.gen.js", "x/a.js", "x/y/a.js", "z/vendor/a.js"]


def test_gitignore_files_of_all_folders(tmp_path: Path) -> None:
    _make(
        tmp_path, "a.js", "out/a.js", "b/out/a.js", "b/keep.js", "b/drop.js", "b/c/keep.js", "b/c/only.js", "d/only.js"
    )
    (tmp_path / ".gitignore").write_text("# built\n/out/\n*.log\nkeep.js\n")
    (tmp_path / "b" / ".gitignore").write_text("drop.js\n!keep.js\n/c/only.js\n")
    (tmp_path / "d" / ".gitignore").write_text("\\\n!\n")
    assert _paths(_discover(tmp_path)) == ["a.js", "b/c/keep.js", "b/keep.js", "b/out/a.js", "d/only.js"]


def test_gitignore_files_above_the_root_count_within_the_repository(tmp_path: Path) -> None:
    _make(tmp_path, "repo/.git/info/", "repo/api/a.js", "repo/api/b.js", "repo/api/c.js", "repo/api/d.js")
    (tmp_path / ".gitignore").write_text("a.js\n")
    (tmp_path / "repo" / ".gitignore").write_text("/api/b.js\n/c.js\n")
    (tmp_path / "repo" / ".git" / "info" / "exclude").write_text("/api/d.js\n")
    assert _paths(_discover(tmp_path / "repo" / "api")) == ["a.js", "c.js"]


def test_what_is_analysed_is_not_what_is_reported(tmp_path: Path) -> None:
    _make(tmp_path, "Dockerfile", "src/a.js", "src/deep/b.js", "srcs/c.js")
    project = _discover(tmp_path, "src")
    assert [path for path in _paths(project) if not project.reports(path)] == ["Dockerfile", "srcs/c.js"]
    assert all(_discover(tmp_path).reports(path) for path in _paths(project))


def test_without_a_mark_of_a_project_only_what_is_given_is_walked(tmp_path: Path) -> None:
    _make(tmp_path, "x/a.js", "x/b.js", "x/deep/c.js", "y/d.js", "y/deep/e.js", "z.js")
    paths = [tmp_path / "x" / "a.js", tmp_path / "y"]
    project = discover(paths, find_root(paths), Settings(), FileSystem(tmp_path))
    assert _paths(project) == ["x/a.js", "x/b.js", "y/d.js", "y/deep/e.js"]
    assert [path for path in _paths(project) if not project.reports(path)] == ["x/b.js"]


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    _make(tmp_path, "a/b.js")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "c.js").symlink_to(tmp_path / "a" / "b.js")
    (tmp_path / "dangling.js").symlink_to(tmp_path / "missing.js")
    project = _discover(tmp_path)
    assert (_paths(project), project.errors) == (["a/b.js"], [])


def test_what_cannot_be_had_is_one_message_each(tmp_path: Path) -> None:
    _make(tmp_path, "a.js", "b.rb")
    os.mkfifo(tmp_path / "fifo.js")
    elsewhere = str(tmp_path.parent / "elsewhere.js")
    project = _discover(tmp_path, "a.js", "missing.js", "no/folder", "fifo.js", "b.rb", elsewhere)
    assert _paths(project) == ["a.js"]
    assert project.errors == [
        AnalysisError(elsewhere, 0, "no such file or folder"),
        AnalysisError("b.rb", 0, "not a kind of file that prodlint reads", is_failure=False),
        AnalysisError("fifo.js", 0, "not a regular file"),
        AnalysisError("missing.js", 0, "no such file or folder"),
        AnalysisError("no/folder", 0, "no such file or folder"),
    ]


def test_pipes_and_sockets_in_the_tree_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _make(tmp_path, "a.js")
    os.mkfifo(tmp_path / "fifo.js")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.js")
        project = _discover(tmp_path)
    assert (_paths(project), project.errors) == (["a.js"], [])


def test_names_that_cannot_be_shown(tmp_path: Path) -> None:
    _make(tmp_path, "a.js", "b\nc.js", "ü.js")
    descriptor = os.open(os.fsencode(tmp_path) + b"/\xff.js", os.O_CREAT | os.O_WRONLY)
    os.close(descriptor)
    project = _discover(tmp_path)
    assert _paths(project) == ["a.js", "ü.js"]
    assert project.errors == [
        AnalysisError("b\\nc.js", 0, "skipped: its name has line breaks or control characters"),
        AnalysisError("\\udcff.js", 0, "skipped: its name is not valid UTF-8"),
    ]


def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _make(tmp_path, "a.js", "locked/b.js", "src/c.js")
    real = os.scandir

    def scandir(path: Path) -> object:
        if path.name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    project = _discover(tmp_path)
    assert _paths(project) == ["a.js", "src/c.js"]
    assert project.errors == [AnalysisError("locked", 0, "cannot be read: permission denied")]
    assert _discover(tmp_path, "src").errors == []


# --- bytes ------------------------------------------------------------------------------------------------------------


def test_sources_read_the_overlay_first_and_the_disk_below_the_root(tmp_path: Path) -> None:
    _make(tmp_path, "a.js", "b.js")
    file_system = FileSystem(tmp_path, {"a.js": b"new"})
    assert (file_system.read("a.js"), file_system.read("b.js")) == (b"new", b"x = 1\n")
    changed = file_system.with_overlay({"b.js": b"newer"})
    assert (changed.read("a.js"), changed.read("b.js"), file_system.read("b.js")) == (b"new", b"newer", b"x = 1\n")
    assert file_system.stamp("a.js") is None
    assert file_system.stamp("b.js") == file_system.stamp("b.js") != None  # noqa: E711


@pytest.mark.parametrize(
    ("path", "reason"),
    [("missing.js", "no such file or directory"), ("folder", "not a regular file"), ("fifo.js", "not a regular file")],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, path: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo.js")
    with pytest.raises(Unreadable) as caught:
        FileSystem(tmp_path).read(path)
    assert caught.value.reason in (reason, "is a directory")
    with pytest.raises(Unreadable):
        FileSystem(None).read(path)


def test_large_files_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "big.js").write_bytes(b"x" * 2_500_001)
    with pytest.raises(TooLarge) as caught:
        FileSystem(tmp_path, size_limit=2_500_000).read("big.js")
    assert caught.value.reason == "skipped: 2.5 MB is more than the limit of 2 MB"
    with pytest.raises(TooLarge):
        FileSystem(None, {"a": b"12345"}, size_limit=4).read("a")
    assert FileSystem(None, {"a": b"1234"}, size_limit=4).read("a") == b"1234"
