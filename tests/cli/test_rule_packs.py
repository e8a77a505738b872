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
WAYS = {
    "files": "file.path for file in program.files",
    "enumerated files": "file.path for _, file in enumerate(program.files)",
    "facts": "path for path, _ in program.facts.items()",
    "calls": "site.file.path for site, _ in program.calls",
    "calls of an API": "site.file.path for sites in program.api_calls.values() for site in sites",
    "calls that are meant": "site.file.path for site, _, _ in program.calls_of(lambda path: True)",
    "registrations": "program.files[each.file].path for each in program.graph.registrations",
    "services": "each.artefacts[0].path for each in services_in(program)",
}
"""How checks go through a program: the paths that they come by."""
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


APP = "const app = require('express')();\napp.get('/', (req, res) => res.send('x'));\napp.listen(80);\n"
ONE_BY_ONE = """
from prodlint.program.services import services_in


def check(program, rule):
    for path in sorted({{{way}}}):
        if "odd" in path:
            raise ValueError("what a pity")
        assert path in program.facts and "app/odd/app.js" in program.facts
        yield Finding(rule.name, "This.", Location(path, 0, 1))
"""


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_a_check_that_fails_on_a_file_passes_over_it(shell: Shell, tmp_path: Path, way: str) -> None:
    for folder in ("app", "app/odd", "app/odd/2", "app/z"):
        shell.write(f"{folder}/app.js", APP)
        shell.write(f"{folder}/package.json", '{"name": "x", "scripts": {"start": "node app.js"}}')
    before = shell("check", "--output-format", "concise", "--no-cache").out.splitlines()
    _module(tmp_path, "bad_crash").write_text(IMPORTS + ONE_BY_ONE.format(way=way))
    result = shell("check", "--output-format", "concise", "--no-cache", "--extend-select", "bad-crash")
    assert result.code == 2
    found = {line.partition(":")[0] for line in result.out.splitlines() if "bad-crash" in line and "This." in line}
    failed = [line for line in (result.out + result.err).splitlines() if "the rule bad-crash failed" in line]
    assert {path.rpartition("/")[0] for path in found} >= {"app", "app/z"}
    assert not any("odd" in path for path in found)
    assert all(
        "failed on this file, which it passed over: ValueError: what a pity (bad_crash.py:" in at for at in failed
    )
    assert {at.rpartition("app.js")[0] or at.rpartition("package.json")[0] for at in failed}
    assert len(failed) in (2, 4)
    assert {line for line in before if line.startswith(("src", "app"))} <= set(result.out.splitlines())


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
