"""`prodlint baseline`, and `prodlint check` with one."""

from __future__ import annotations

import json

import pytest

from prodlint.analysis.baseline import BASELINE_NAME
from tests.cli.conftest import Shell


def _found(shell: Shell, *arguments: str) -> list[str]:
    document = json.loads(shell("check", "--output-format", "json", *arguments).out)
    return [f"{item['path']}:{item['line']} {item['rule']}" for item in document["findings"]]


def test_only_new_findings_are_shown(shell: Shell) -> None:
    assert "3 findings in .prodlint-baseline.json: 3 added, 0 taken out." in shell("baseline").out
    assert shell("check").code == 0
    shell.write("src/a.py", "import os\n\n  \nbad_error()\nbad_safe()\nbad_safe()\n")
    assert _found(shell) == ["src/a.py:6 bad-safe"]
    assert len(_found(shell, "--no-baseline")) == 4


def test_what_it_hides_is_said_and_what_is_gone(shell: Shell) -> None:
    shell("baseline")
    said = shell("check").out
    assert "All checks passed" not in said
    assert said.startswith("No new findings: ")
    assert "3 findings hidden by the baseline" in said
    shell.write("src/a.py", "bad_error()\n")
    assert "1 entry of the baseline no longer found: prodlint baseline --prune" in shell("check").out


def test_a_changed_line_is_a_new_finding(shell: Shell) -> None:
    shell("baseline")
    shell.write("src/a.py", "x = bad_error()\nbad_safe()\n")
    assert _found(shell) == ["src/a.py:1 bad-error"]


def test_known_findings_are_not_fixed(shell: Shell) -> None:
    shell("baseline")
    shell.write("src/c.py", "bad_safe()\n")
    shell("check", "--fix")
    assert shell.read("src/c.py") == "good()\n"
    assert "bad_safe" in shell.read("src/a.py")


def test_prune_takes_out_and_adds_nothing(shell: Shell) -> None:
    shell("baseline")
    shell.write("src/a.py", "bad_safe()\nx = bad_error()\n")
    assert "2 findings in .prodlint-baseline.json: 0 added, 1 taken out." in shell("baseline", "--prune").out
    assert _found(shell) == ["src/a.py:2 bad-error"]


def test_check_says_whether_it_is_up_to_date(shell: Shell) -> None:
    assert shell("baseline", "--check").code == 1
    assert not (shell.folder / BASELINE_NAME).exists()
    shell("baseline")
    assert shell("baseline", "--check").code == 0
    shell.write("src/a.py", "bad_error()\n")
    result = shell("baseline", "--check")
    assert (result.code, "1 would be taken out" in result.out) == (1, True)


def test_a_part_of_the_project_leaves_the_rest_alone(shell: Shell) -> None:
    shell("baseline")
    shell.write("src/a.py", "")
    shell.write("src/b.js", "")
    assert "1 finding in .prodlint-baseline.json: 0 added, 2 taken out." in shell("baseline", "src/a.py").out


def test_it_is_the_same_file_again(shell: Shell) -> None:
    shell("baseline")
    first = shell.read(BASELINE_NAME)
    shell("baseline")
    assert shell.read(BASELINE_NAME) == first
    assert json.loads(first)["findings"][0] | {"fingerprint": ""} == {
        "path": "src/a.py",
        "rule": "bad-error",
        "fingerprint": "",
    }


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"prodlint-baseline": 99, "findings": []}', '{"prodlint-baseline": 1}']
)
def test_a_broken_one_is_an_error_and_stays_as_it_is(shell: Shell, text: str) -> None:
    shell.write(BASELINE_NAME, text)
    for command in ("check", "baseline"):
        result = shell(command)
        assert result.code == 2
        assert BASELINE_NAME in result.err
    assert shell.read(BASELINE_NAME) == text


def test_one_that_is_named_has_to_be_there(shell: Shell) -> None:
    result = shell("check", "--baseline", "nowhere.json")
    assert result.code == 2
    assert "nowhere.json: No such file" in result.err
