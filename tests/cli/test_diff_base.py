"""`prodlint check --diff-base REV`: what a change touches or causes, and nothing else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

HELPER = "const fs = require('fs');\nexports.load = () => fs.readFileSync('x');\n"
ROUTES = """\
const express = require('express');
const app = express();
app.get('/', (req, res) => res.end());
app.listen(3000);
"""


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(shell: Shell) -> Shell:
    """A repository with one old finding, and a helper that nobody calls yet."""
    shell.write("prodlint.toml", 'select = ["blocking-call", "toys"]\n')
    shell.write("helper.js", HELPER)
    shell.write("app.js", ROUTES)
    git(shell.folder, "init", "-q", "-b", "main")
    git(shell.folder, "add", "-A")
    git(shell.folder, "commit", "-qm", "start")
    return shell


def found(shell: Shell, *arguments: str) -> list[str]:
    result = shell("check", "--output-format", "json", *arguments)
    document = json.loads(result.out)
    return [f"{item['path']}:{item['line']} {item['rule']}" for item in document["findings"]]


def test_what_was_there_is_not_shown(repository: Shell) -> None:
    assert len(found(repository)) == 3
    assert found(repository, "--diff-base", "HEAD") == []


def test_a_changed_line_is_shown_and_its_neighbours_are_not(repository: Shell) -> None:
    repository.write("src/a.py", "import os\nbad_error()\nbad_safe( )\n")
    assert found(repository, "--diff-base", "HEAD") == ["src/a.py:3 bad-safe"]


def test_a_new_caller_shows_the_old_helper(repository: Shell) -> None:
    repository.write("app.js", ROUTES.replace("res.end()", "res.end(require('./helper').load())"))
    git(repository.folder, "commit", "-qam", "call it")
    assert found(repository, "--diff-base", "HEAD~1") == ["helper.js:2 blocking-call"]
    assert found(repository, "--diff-base", "HEAD") == []


def test_files_that_are_new_or_not_yet_added_count_whole(repository: Shell) -> None:
    repository.write("src/new.py", "bad_error()\n")
    assert found(repository, "--diff-base", "HEAD") == ["src/new.py:1 bad-error"]


def test_a_renamed_file_brings_nothing_new(repository: Shell) -> None:
    git(repository.folder, "mv", "src/a.py", "src/moved é.py")
    assert found(repository, "--diff-base", "HEAD") == []
    repository.write("src/moved é.py", "bad_error()\nbad_safe()\nbad_error()\n")
    assert found(repository, "--diff-base", "HEAD") == ["src/moved é.py:3 bad-error"]


def test_what_others_did_since_is_not_this_change(repository: Shell) -> None:
    git(repository.folder, "checkout", "-qb", "topic")
    git(repository.folder, "checkout", "-q", "main")
    repository.write("src/a.py", "")
    git(repository.folder, "commit", "-qam", "mended on main")
    git(repository.folder, "checkout", "-q", "topic")
    assert found(repository, "--diff-base", "main") == []


def test_only_new_ones_are_fixed(repository: Shell) -> None:
    repository.write("src/c.py", "bad_safe()\n")
    repository("check", "--fix", "--diff-base", "HEAD")
    assert repository.read("src/c.py") == "good()\n"
    assert "bad_safe" in repository.read("src/a.py")


@pytest.mark.parametrize("revision", ["nonsense", "--output=x", "HEAD~99"])
def test_an_unknown_revision_is_an_error(repository: Shell, revision: str) -> None:
    result = repository("check", f"--diff-base={revision}")
    assert result.code == 2
    assert f"git knows no revision {revision!r} here" in result.err


def test_no_repository_is_an_error(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(shell.folder.parent))
    assert shell("check", "--diff-base", "HEAD").code == 2


def test_no_git_is_an_error(repository: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = repository("check", "--diff-base", "HEAD")
    assert (result.code, "git is not installed" in result.err) == (2, True)


def test_programs_that_the_repository_names_are_not_run(repository: Shell) -> None:
    trap = repository.write("trap.sh", "#!/bin/sh\ntouch sprung\n")
    trap.chmod(0o755)
    for setting in ("diff.external", "core.fsmonitor", "diff.trap.textconv"):
        git(repository.folder, "config", setting, "./trap.sh")
    repository.write(".gitattributes", "*.py diff=trap\n")
    repository.write("src/a.py", "bad_error(1)\n")
    assert found(repository, "--diff-base", "HEAD") == ["src/a.py:1 bad-error"]
    assert not (repository.folder / "sprung").exists()
