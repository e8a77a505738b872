"""`--fix-only` and `--interactive`: which fixes are made."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell


@pytest.fixture
def fixable(shell: Shell) -> Shell:
    shell.write("src/a.py", "bad_safe()\nbad_error()\nbad_safe(1)\n")
    shell.write("src/b.js", "bad_unsafe();\nbad_safe();\n")
    return shell


def test_only_the_fixes_of_a_rule(fixable: Shell) -> None:
    fixable("check", "--fix", "--unsafe-fixes", "--fix-only", "bad-unsafe")
    assert fixable.read("src/b.js") == "good();\nbad_safe();\n"
    assert "good" not in fixable.read("src/a.py")


def test_only_is_enough_to_fix(fixable: Shell) -> None:
    result = fixable("check", "--fix", "--fix-only", "toys")
    assert "Fixed 3 findings in 2 files.\n  3 bad-safe: src/a.py, src/b.js\n" in result.err
    assert "bad_unsafe" in fixable.read("src/b.js")


def test_only_goes_with_fixing(fixable: Shell) -> None:
    result = fixable("check", "--fix-only", "toys")
    assert (result.code, "--fix-only needs --fix" in result.err) == (2, True)


def test_unsafe_fixes_alone_change_nothing(fixable: Shell) -> None:
    before = fixable.read("src/b.js")
    result = fixable("check", "--unsafe-fixes")
    assert (result.code, fixable.read("src/b.js"), "Fixed" in result.err) == (1, before, False)


def test_only_what_runs(fixable: Shell) -> None:
    result = fixable("check", "--fix", "--fix-only", "bad-save")
    assert (result.code, 'did you mean "bad-safe"' in result.err) == (2, True)


@pytest.mark.parametrize(
    ("answers", "python", "javascript"),
    [
        ("y\nn\ny\ny\n", "good()\nbad_error()\nbad_safe(1)\n", "good();\ngood();\n"),
        ("a\nn\n", "good()\nbad_error()\ngood(1)\n", "bad_unsafe();\ngood();\n"),
        ("s\ny\n", "bad_safe()\nbad_error()\nbad_safe(1)\n", "good();\nbad_safe();\n"),
        ("y\nq\n", "good()\nbad_error()\nbad_safe(1)\n", "bad_unsafe();\nbad_safe();\n"),
        ("y\n", "good()\nbad_error()\nbad_safe(1)\n", "bad_unsafe();\nbad_safe();\n"),
        ("?\nx\n\ny\nq\n", "good()\nbad_error()\nbad_safe(1)\n", "bad_unsafe();\nbad_safe();\n"),
    ],
    ids=["one by one", "all of a rule", "none of a rule", "quit", "the input ends", "what was that?"],
)
def test_a_person_decides(fixable: Shell, answers: str, python: str, javascript: str) -> None:
    result = fixable("check", "--fix", "--interactive", stdin=answers.encode())
    assert (fixable.read("src/a.py"), fixable.read("src/b.js")) == (python, javascript)
    assert "-bad_safe()" in result.err
    assert "+good()" in result.err


def test_interactive_shows_a_patch_with_diff(fixable: Shell) -> None:
    result = fixable("check", "--diff", "--interactive", stdin=b"y\nq\n")
    assert result.out.count("\n+good") == 1
    assert fixable.read("src/a.py").startswith("bad_safe")


def test_answers_and_code_cannot_both_come_from_standard_input(fixable: Shell) -> None:
    result = fixable("check", "-", "--stdin-filename", "src/a.py", "--fix", "--interactive", stdin=b"bad_safe()\n")
    assert (result.code, "--interactive needs standard input" in result.err) == (2, True)
