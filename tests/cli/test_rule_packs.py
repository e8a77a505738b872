"""Whatever a check or a fix of a rule pack raises or gives, it is one message, and the other rules go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shell

FOUND = "Finding(rule.name, 'This.', Location('src/a.py', 0, 1){more})"
FAULTY = {
    "an int": "yield 1",
    "no iterator": "return 1",
    "text": "yield 'found'",
    "another rule's": "yield Finding('bad-error', 'This.', Location('src/a.py', 0, 1))",
    "a rule that is not there": "yield Finding('nobody', 'This.', Location('src/a.py', 0, 1))",
    "no message": "yield Finding(rule.name, None, Location('src/a.py', 0, 1))",
    "half a character": "yield Finding(rule.name, '\\ud800', Location('src/a.py', 0, 1))",
    "no such file": "yield Finding(rule.name, 'This.', Location('src/z.py', 0, 1))",
    "another folder": "yield Finding(rule.name, 'This.', Location('../victim', 0, 1))",
    "behind the end": "yield Finding(rule.name, 'This.', Location('src/a.py', 0, 10**6))",
    "before the beginning": "yield Finding(rule.name, 'This.', Location('src/a.py', -1, 1))",
    "the wrong way round": "yield Finding(rule.name, 'This.', Location('src/a.py', 2, 1))",
    "an odd severity": "yield " + FOUND.format(more=", severity='worst'"),
    "an odd step": "yield " + FOUND.format(more=", trace=(Step(Location('src/z.py', 0, 1), 'here'),)"),
    "the end": "raise SystemExit(0)",
    "an end of another kind": "raise GeneratorExit",
    "nothing that could be said": "class Dumb(BaseException):\n        def __str__(self): raise ValueError\n    raise Dumb",
    "no memory": "raise MemoryError",
}
UNSOUND = {
    "an int": "return 1",
    "nothing": "return None",
    "an odd edit": "return Fix('Do it', Applicability.SAFE, ((1, 2),))",
    "an odd title": "return Fix(3, Applicability.SAFE, ())",
    "the end": "raise SystemExit(0)",
    "no memory": "raise MemoryError",
}
IMPORTS = (
    "from prodlint.findings import *\nfrom prodlint.findings import Applicability, Edit, Finding, Fix, Location, Step\n"
)


def _module(tmp_path: Path, name: str) -> Path:
    return tmp_path / "site" / "prodlint_toys" / "checks" / "toys" / f"{name}.py"


@pytest.mark.parametrize("body", FAULTY.values(), ids=FAULTY.keys())
def test_a_faulty_check(shell: Shell, tmp_path: Path, body: str) -> None:
    before = shell("check", "--output-format", "concise", "--no-cache")
    _module(tmp_path, "bad_crash").write_text(f"{IMPORTS}\n\ndef check(program, rule):\n    {body}\n")
    result = shell("check", "--output-format", "concise", "--no-cache", "--extend-select", "bad-crash")
    assert result.code == 2
    assert result.out.splitlines()[: len(before.out.splitlines())] == before.out.splitlines()
    said = result.out + result.err
    assert said.count("the rule bad-crash failed: ") == 1
    assert "defect" not in said


@pytest.mark.parametrize("body", UNSOUND.values(), ids=UNSOUND.keys())
def test_a_faulty_fix(shell: Shell, tmp_path: Path, body: str) -> None:
    module = _module(tmp_path, "bad_safe")
    check = module.read_text().partition("\n\ndef fix(")[0]
    module.write_text(f"{check}\n\n{IMPORTS}\n\ndef fix(finding, program, rule):\n    {body}\n")
    before = shell.read("src/a.py")
    result = shell("check", "--fix", "--no-cache", "--output-format", "concise")
    assert result.code == 2
    assert "the fix of the rule bad-safe failed: " in result.out + result.err
    assert shell.read("src/a.py") == before


def test_ctrl_c_in_a_check_ends_the_run(shell: Shell, tmp_path: Path) -> None:
    _module(tmp_path, "bad_crash").write_text("def check(program, rule):\n    raise KeyboardInterrupt\n")
    assert shell("check", "--no-cache", "--extend-select", "bad-crash").code == 130
