"""`prodlint check --diff-base REV`: what a change touches or causes, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from prodlint.analysis.git_changes import changes_since
from prodlint.analysis.git_repository import open_repository
from prodlint.analysis.session import Session
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
    assert result.code != 2, (arguments, result.err)
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


def test_no_repository_is_an_error(shell: Shell) -> None:
    result = shell("check", "--diff-base", "HEAD")
    assert (result.code, "this is not a git repository" in result.err) == (2, True)


def test_no_git_is_an_error(repository: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = repository("check", "--diff-base", "HEAD")
    assert (result.code, "git is not installed" in result.err) == (2, True)


def test_a_line_that_looks_like_the_head_of_a_patch_is_one(repository: Shell) -> None:
    repository.write("src/c.py", "x = 1\n")
    git(repository.folder, "add", "-A")
    git(repository.folder, "commit", "-qm", "c")
    heads = "".join(f"++ {name}/{number}\n@@ -1,9 +1,9 @@\n" for number in range(9) for name in "ab")
    repository.write("src/c.py", f'"""\n{heads}"""\nbad_error()\n')
    repository.write("src/a.py", "bad_error()\nbad_safe(1 + 0)\n")
    assert found(repository, "--diff-base", "HEAD") == ["src/a.py:2 bad-safe", "src/c.py:39 bad-error"]


def test_ends_of_lines_are_no_change(repository: Shell) -> None:
    """A checkout may have others than the repository."""
    repository.write("src/a.py", "bad_error()\r\nbad_safe()\r\n")
    assert found(repository, "--diff-base", "HEAD") == []
    repository.write("src/a.py", "bad_error()\r\nbad_safe( )\r\n")
    assert found(repository, "--diff-base", "HEAD") == ["src/a.py:2 bad-safe"]


def test_the_content_of_an_editor_counts(repository: Shell) -> None:
    text = b"bad_error()\nbad_safe()\nbad_error()\n"
    options = ("check", "-", "--stdin-filename", "src/a.py", "--diff-base", "HEAD", "--output-format", "concise")
    assert repository(*options, stdin=text).out.startswith("src/a.py:3:1: error[bad-error]")


def test_what_was_taken_away_causes_findings(repository: Shell) -> None:
    """A file that is gone is one that was there, whatever it is called now."""
    repository.write("prodlint.toml", 'select = ["no-auto-restart"]\n')
    repository.write("package.json", '{"scripts": {"start": "node app.js"}, "dependencies": {"express": "4"}}')
    repository.write("web.service", "[Service]\nExecStart=/usr/bin/node /srv/app.js\nRestart=always\n")
    git(repository.folder, "add", "-A")
    git(repository.folder, "commit", "-qm", "service")
    assert found(repository, "--diff-base", "HEAD") == []
    (repository.folder / "web.service").unlink()
    repository.write("other.service", "[Service]\nExecStart=/usr/bin/node /srv/app.js\n")
    assert found(repository, "--diff-base", "HEAD") == ["other.service:2 no-auto-restart"]


def test_a_file_of_a_sparse_checkout_is_not_taken_away(repository: Shell) -> None:
    repository.write("web/helper.py", "def load():\n    bad_error()\n")
    git(repository.folder, "add", "-A")
    git(repository.folder, "commit", "-qm", "web")
    git(repository.folder, "sparse-checkout", "set", "src")
    assert not (repository.folder / "web").exists()
    git(repository.folder, "rm", "-q", "--cached", "src/b.js")
    (repository.folder / "src/b.js").unlink()
    git(repository.folder, "commit", "-qm", "one less")
    with open_repository(repository.folder) as opened:
        assert opened.is_sparse
    session = Session.open([repository.folder])
    assert sorted(changes_since(session, "HEAD~1").before) == ["src/b.js"]


REVISIONS = [
    "HEAD~1",
    "HEAD^",
    "first",
    "main~1",
    "HEAD^{/start}",
    "HEAD@{1}",
    "@{upstream}~1",
    "origin/main~1",
    "FETCH_HEAD",
]


@pytest.mark.parametrize("packed", [False, True])
def test_revisions_are_what_git_takes(repository: Shell, tmp_path: Path, packed: bool) -> None:
    folder = repository.folder
    git(folder, "tag", "-a", "first", "-m", "x")
    repository.write("src/a.py", "bad_error(1)\nbad_safe()\n")
    git(folder, "commit", "-qam", "second")
    git(tmp_path, "clone", "-q", str(folder), "clone")
    repository.folder = tmp_path / "clone"
    git(repository.folder, "fetch", "-q", "origin", "tag", "first")
    git(repository.folder, "checkout", "-q", "HEAD~1")
    git(repository.folder, "checkout", "-q", "main")
    if packed:
        git(repository.folder, "gc", "-q")
    expected = ["src/a.py:1 bad-error"]
    assert {
        revision: found(repository, "--likely", "--diff-base", revision) for revision in REVISIONS
    } == dict.fromkeys(REVISIONS, expected)


def test_an_upstream_that_there_is_none_of_is_an_error(repository: Shell) -> None:
    result = repository("check", "--diff-base", "@{upstream}")
    assert (result.code, "no upstream configured for branch 'main'" in result.err) == (2, True)


def test_it_works_from_a_linked_worktree(repository: Shell, tmp_path: Path) -> None:
    git(repository.folder, "worktree", "add", "-q", str(tmp_path / "linked"))
    repository.folder = tmp_path / "linked"
    repository.write("src/a.py", "bad_error()\nbad_safe( )\n")
    assert found(repository, "--diff-base", "HEAD") == ["src/a.py:2 bad-safe"]
    assert found(repository, "--diff-base", "main") == ["src/a.py:2 bad-safe"]


def test_files_of_a_submodule_are_those_of_another_repository(repository: Shell, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "sub.py").write_text("bad_error()\n")
    git(other, "init", "-q", "-b", "main")
    git(other, "add", "-A")
    git(other, "commit", "-qm", "x")
    git(repository.folder, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub")
    git(repository.folder, "commit", "-qm", "sub")
    repository.write("sub/sub.py", "bad_error()\nbad_error()\n")
    assert found(repository, "--diff-base", "HEAD") == []
    repository.folder /= "sub"
    repository.write("prodlint.toml", 'select = ["toys"]\n')
    assert found(repository, "--diff-base", "HEAD") == ["sub.py:2 bad-error"]


def test_a_shallow_clone_and_one_that_shares_its_objects(repository: Shell, tmp_path: Path) -> None:
    folder = repository.folder
    repository.write("src/c.py", "")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "second")
    for options in (["--depth=1"], ["--shared"]):
        repository.folder = tmp_path / f"clone{options[0]}"
        git(
            tmp_path,
            "clone",
            "-q",
            *options,
            f"file://{folder}" if "depth" in options[0] else str(folder),
            str(repository.folder),
        )
        repository.write("src/c.py", "bad_error()\n")
        assert found(repository, "--diff-base", "HEAD") == ["src/c.py:1 bad-error"]


def test_a_repository_of_longer_ids(repository: Shell) -> None:
    shutil.rmtree(repository.folder / ".git")
    git(repository.folder, "init", "-q", "-b", "main", "--object-format=sha256")
    git(repository.folder, "add", "-A")
    git(repository.folder, "commit", "-qm", "start")
    repository.write("src/a.py", "bad_error()\nbad_safe( )\n")
    assert found(repository, "--diff-base", "HEAD") == ["src/a.py:2 bad-safe"]


def test_odd_names_of_branches_and_remotes_are_kept(repository: Shell) -> None:
    folder = repository.folder
    for name, remote in (('a"b', 'r"\\x'), ("a]#;b", "r;#")):
        git(folder, "config", f"remote.{remote}.url", str(folder))
        git(folder, "config", f"remote.{remote}.fetch", "+refs/heads/*:refs/remotes/x/*")
        git(folder, "update-ref", "refs/remotes/x/main", "HEAD")
        git(folder, "checkout", "-q", "-b", name, "main")
        git(folder, "config", f"branch.{name}.remote", remote)
        git(folder, "config", f"branch.{name}.merge", "refs/heads/main")
        assert found(repository, "--diff-base", "@{u}") == []
