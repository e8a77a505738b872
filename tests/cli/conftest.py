"""A small project, a pack of toy rules to check it with, and a way to run the command line."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from prodlint import cli

PAGE = """\
---
name: {name}
summary: A call of {name}.
severity: {severity}
languages: [python, javascript]
fix: {fix}
since: 0.1.0
status: {status}
---

# {name}

## Why

Because `it` says so.
"""

CHECK = """\
from prodlint.facts import ValueKind
from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix, Location


def check(program, rule):
    name = rule.name.replace("-", "_")
    for path, facts in program.facts.items():
        for call in facts.calls:
            callee = facts.values[call.callee]
            if callee.kind is ValueKind.GLOBAL and callee.text == name:
                confidence = Confidence.LIKELY if len(call.args) > 1 else Confidence.CERTAIN
                location = Location(path, call.name_start, call.name_end)
                yield Finding(rule.name, f"This is {name}.", location, confidence)
"""

FIX = """

def fix(finding, program, rule):
    path, start, end = finding.location
    kind = Applicability(rule.fix)
    return Fix("Call it good", kind, (Edit(path, start, end, "good"),))
"""

CRASH = "\n\ndef check(program, rule):\n    raise ValueError('what a pity')\n"


@dataclass
class Result:
    """What a command did."""

    code: int
    out: str
    err: str


@dataclass
class Shell:
    """Runs commands in `folder`."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def write(self, path: str, text: str | bytes) -> Path:
        """Writes a file of the project."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)
        return target

    def read(self, path: str) -> str:
        """A file's text."""
        return (self.folder / path).read_bytes().decode()

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Result:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["prodlint", *arguments])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            patch.chdir(self.folder)
            with pytest.raises(SystemExit) as ended:
                cli.main()
        assert isinstance(ended.value.code, int)
        return Result(ended.value.code, *(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]


def _rule(package: Path, name: str, severity: str, fix: str, status: str = "stable", extra: str = "") -> None:
    page = package / "rules" / "toys" / f"{name}.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(PAGE.format(name=name, severity=severity, fix=fix, status=status))
    (package / "checks" / "toys").mkdir(parents=True, exist_ok=True)
    module = package / "checks" / "toys" / f"{name.replace('-', '_')}.py"
    module.write_text(CHECK + (FIX if fix != "none" else "") + extra)


@pytest.fixture(autouse=True)
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Toy rules that flag calls of their own name: one of each kind, and one that fails."""
    site = tmp_path / "site"
    package = site / "prodlint_toys"
    _rule(package, "bad-error", "error", "none")
    _rule(package, "bad-safe", "warning", "safe")
    _rule(package, "bad-unsafe", "advice", "unsafe")
    _rule(package, "bad-new", "warning", "none", "preview")
    _rule(package, "bad-crash", "warning", "none", "preview", CRASH)
    (package / "__init__.py").touch()
    metadata = site / "toys-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[prodlint.rules]\ntoys = prodlint_toys\n")
    monkeypatch.syspath_prepend(site)
    for name in ("NO_COLOR", "FORCE_COLOR", "FORCE_HYPERLINK", "TERM_PROGRAM", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PRODLINT_CACHE_DIR", str(tmp_path / "cache"))
    yield
    for name in [name for name in sys.modules if name.startswith("prodlint_toys")]:
        del sys.modules[name]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A project with one finding of each severity, of the toy rules only."""
    folder = tmp_path / "shop"
    folder.mkdir()
    shell = Shell(folder, monkeypatch)
    shell.write("prodlint.toml", 'select = ["toys"]\n')
    shell.write("src/a.py", "bad_error()\nbad_safe()\n")
    shell.write("src/b.js", "bad_unsafe();\nbad_safe(1, 2);\n")
    assert os.sep == "/"
    return shell
