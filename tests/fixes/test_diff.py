"""Patches that git takes: applied to the old files they give the new ones, byte for byte."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prodlint.fixes.diff import unified_diff

pytestmark = pytest.mark.needs("git")


def git_apply(root: Path, changed: dict[str, tuple[bytes, bytes]]) -> dict[str, bytes]:
    """The files after `git apply` of the diff."""
    for path, (old, _) in changed.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(old)
    patch = unified_diff(changed)
    if patch:
        done = subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], input=patch, cwd=root, capture_output=True)
        assert done.returncode == 0, done.stderr.decode() + repr(patch)
    return {path: (root / path).read_bytes() for path in changed}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a\nb\nc\n", b"a\nB\nc\n"),
        (b"a\nb", b"a\nb\n"),
        (b"a\nb\n", b"a\nb"),
        (b"a\nb", b"a\nc"),
        (b"a\r\nb\r\n", b"a\r\nc\r\n"),
        (b"a\rb\n", b"a\rc\n"),
        (b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfb\n"),
        (b"\xe9t\xe9\nx\n", b"\xe9t\xe9\ny\n"),
        (b"", b"a\n"),
        (b"a\x0cb\n\x1c\n", b"a\x0cb\n\x1c\nc\n"),
        (b"1\n" * 50 + b"x\n" + b"2\n" * 50, b"0\n" + b"1\n" * 50 + b"y\n" + b"2\n" * 50 + b"3\n"),
    ],
)
def test_git_takes_the_patch(tmp_path: Path, old: bytes, new: bytes):
    assert git_apply(tmp_path, {"src/a.py": (old, new)}) == {"src/a.py": new}


@pytest.mark.parametrize("path", ["a b.js", "é/ü.js", 'quo"te.js', "back\\slash.js", "tab\there.js", "a b/ü x.js"])
def test_git_takes_any_name(tmp_path: Path, path: str):
    assert git_apply(tmp_path, {path: (b"x\n", b"y\n")}) == {path: b"y\n"}


def test_files_are_in_order_and_an_unchanged_one_is_not_shown():
    changed = {"b.js": (b"x\n", b"y\n"), "c.js": (b"x\n", b"x\n"), "a.js": (b"1\n2\n", b"1\n3\n")}
    assert unified_diff(changed).decode() == (
        "--- a/a.js\n+++ b/a.js\n@@ -1,2 +1,2 @@\n 1\n-2\n+3\n--- a/b.js\n+++ b/b.js\n@@ -1 +1 @@\n-x\n+y\n"
    )


def test_a_missing_newline_at_the_end_is_said():
    assert unified_diff({"a": (b"x", b"y\n")}).endswith(b"-x\n\\ No newline at end of file\n+y\n")


contents = st.lists(st.sampled_from([b"a", b"b", b"\r", b"\n", b"\n", b"\xff", b" "]), min_size=1, max_size=12).map(
    b"".join
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents, contents.filter(bool))
def test_git_makes_the_new_bytes_of_the_old(tmp_path: Path, old: bytes, new: bytes):
    assert git_apply(tmp_path, {"a": (old, new)}) == {"a": new}
