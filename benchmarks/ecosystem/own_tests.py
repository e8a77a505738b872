"""Applications' own tests, before and after their fixes are made.

    python benchmarks/ecosystem/own_tests.py DIR SCRATCH [--app NAME] [--checkouts DIR] [--preview]

DIR is where `scripts/ecosystem.py fetch` has unpacked the applications; `--checkouts` holds those that are
checkouts, as `owner+name`. Each is copied to SCRATCH and set up there, as own_tests.toml says; then its tests
run as they are, with the safe fixes, and with all fixes. This runs the applications' code: use a machine that
may be spoilt.

Prints how many tests passed and failed in each state. Exit code 1 if safe fixes made one fail.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from prodlint.analysis.session import Session  # noqa: E402
from prodlint.findings import Applicability, Confidence, Finding, Fix  # noqa: E402
from prodlint.fixes.apply import FixOutcome, fix_all, write  # noqa: E402
from scripts.ecosystem import say  # noqa: E402

TABLE = Path(__file__).with_suffix(".toml")
_LONGEST = 1800

_PASSED = {
    "mocha": r"(\d+) passing",
    "jest": r"Tests:.*?(\d+) passed",
    "pytest": r"(\d+) passed",
    "unittest": r"Ran (\d+) test",
    "node": r"# pass (\d+)",
}
_FAILED = {
    "mocha": r"(\d+) failing",
    "jest": r"Tests:.*?(\d+) failed",
    "pytest": r"(\d+) (?:failed|error)",
    "unittest": r"(?:failures|errors)=(\d+)",
    "node": r"# fail (\d+)",
}


@dataclass(frozen=True)
class Result:
    """What a test run said."""

    passed: int
    failed: int
    output: str

    def __str__(self) -> str:
        return f"{self.passed} / {self.failed}"


@dataclass(frozen=True)
class Row:
    """One application in its three states."""

    name: str
    before: Result
    safe: int
    after_safe: Result
    all: int
    after_all: Result


def examine(app: Mapping[str, Any], source: Path, scratch: Path, *, preview: bool) -> Row:
    """Copies an application, sets it up, and runs its tests in the three states."""
    folder, venv = scratch / app["name"], scratch / f"{app['name']}.venv"
    if not folder.exists():
        shutil.copytree(source, folder, symlinks=True)
        if any("{venv}" in command for command in app["setup"]):
            subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        for command in app["setup"]:
            _shell(command, folder, venv).check_returncode()
    part = folder / app.get("part", "")
    before = _tested(app, folder, venv)
    safe = _fixed(part, preview, unsafe=False)
    after_safe = _tested(app, folder, venv) if safe.changed else before
    _restore(part, safe)
    everything = _fixed(part, preview, unsafe=True)
    if "package.json" in everything.changed:  # with a dependency more
        for command in app["setup"]:
            _shell(command, folder, venv).check_returncode()
    after_all = _tested(app, folder, venv) if everything.changed else before
    _restore(part, everything)
    return Row(app["name"], before, len(safe.applied), after_safe, len(everything.applied), after_all)


def _shell(command: str, folder: Path, venv: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command.format(venv=venv),
        shell=True,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=_LONGEST,
    )


def _tested(app: Mapping[str, Any], folder: Path, venv: Path) -> Result:
    output = _shell(app["test"], folder, venv).stdout
    runner = app["runner"]
    passed, failed = (sum(map(int, re.findall(table[runner], output))) for table in (_PASSED, _FAILED))
    return Result(passed - failed if runner == "unittest" else passed, failed, output)


def _fixed(folder: Path, preview: bool, *, unsafe: bool) -> FixOutcome:
    def choose(finding: Finding, fix: Fix) -> bool:
        is_sure = finding.confidence is Confidence.CERTAIN
        return is_sure and (unsafe or fix.applicability is Applicability.SAFE)

    outcome = fix_all(Session.open([folder], preview=preview), choose)
    for message in write(outcome, folder):
        say(message)
    return outcome


def _restore(folder: Path, outcome: FixOutcome) -> None:
    for path, (old, _) in outcome.changed.items():
        (folder / path).write_bytes(old)


def _table(rows: list[Row]) -> Iterator[str]:
    yield "| application | tests passed / failed | safe fixes | with them | all fixes | with them |"
    yield "|---|---:|---:|---:|---:|---:|"
    for row in rows:
        yield f"| {row.name} | {row.before} | {row.safe} | {row.after_safe} | {row.all} | {row.after_all} |"


def main() -> int:
    """Examines all applications of the table; returns 1 if a safe fix made a test fail."""
    parser = argparse.ArgumentParser(description="Run applications' own tests before and after their fixes.")
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("scratch", type=Path, metavar="SCRATCH")
    parser.add_argument("--checkouts", type=Path, metavar="DIR")
    parser.add_argument("--app", action="append", default=[], metavar="NAME")
    parser.add_argument("--preview", action="store_true", help="with rules in preview")
    args = parser.parse_args()
    args.scratch.mkdir(parents=True, exist_ok=True)
    rows = []
    for app in tomllib.loads(TABLE.read_text(encoding="utf-8"))["application"]:
        if args.app and app["name"] not in args.app:
            continue
        repository = app.get("repository", "").replace("/", "+")
        if repository and args.checkouts is None:
            say(f"{app['name']}: left out, without --checkouts")
            continue
        source = args.checkouts / repository if repository else args.directory / app["name"]
        try:
            row = examine(app, source, args.scratch.resolve(), preview=args.preview)
        except (subprocess.SubprocessError, OSError) as error:
            say(f"{app['name']}: {getattr(error, 'output', None) or error}")
            continue
        rows.append(row)
        for name, result in (("before", row.before), ("safe", row.after_safe), ("all", row.after_all)):
            (args.scratch / f"{row.name}.{name}.log").write_text(result.output, encoding="utf-8")
        say(f"{row.name}: {row.before} before, {row.after_safe} with {row.safe} safe fixes, "
            f"{row.after_all} with all {row.all}")  # fmt: skip
    print(*_table(rows), sep="\n")
    return 1 if any(row.after_safe.failed > row.before.failed for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
