"""Reports made in memory, for the tests of the formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prodlint.findings import Finding, Fix, Location, Severity, Step
from prodlint.fixes.combine import resolve
from prodlint.output import Options, Report, in_order, render
from prodlint.project.vfs import FileSystem
from prodlint.rulebook import Rule

PAGE = """# a-rule

## Why

Because production
is different.

## Bad: an example

```js
bad(); // flagged: a-rule
```
"""


def rule(name: str, severity: Severity = Severity.WARNING, fix: str = "safe", **changes: Any) -> Rule:
    values: dict[str, Any] = {
        "practice": "blocking",
        "summary": f"What {name} is about.",
        "languages": ("javascript", "python"),
        "since": "0.1.0",
        "status": "stable",
        "page": PAGE,
    }
    return Rule(name, severity=severity, fix=fix, **{**values, **changes})


RULES = {
    made.name: made
    for made in (
        rule("blocking-call", Severity.ERROR, "unsafe"),
        rule("console-logging", Severity.WARNING, "safe", practice="logging"),
        rule("production-env-unset", Severity.ADVICE, "safe", practice="environment"),
        rule("domain-module", Severity.WARNING, "none", practice="errors"),
    )
}


class Files(dict[str, bytes]):
    """The files of a project, and the places in them, named by the text that stands there."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        super().__init__({path: text.encode() if isinstance(text, str) else text for path, text in files.items()})

    def at(self, path: str, text: str) -> Location:
        start = self[path].index(text.encode())
        return Location(path, start, start + len(text.encode()))

    def step(self, path: str, text: str, message: str) -> Step:
        return Step(self.at(path, text), message)


def report(files: Mapping[str, bytes], findings: Sequence[Finding], **changes: Any) -> Report:
    """A report on `findings`, whose fixes are given by rule."""
    fixes: Mapping[str, Fix] = changes.pop("fixes", {})
    rules: Mapping[str, Rule] = changes.pop("rules", RULES)
    values: dict[str, Any] = {
        "severity_of": lambda finding: finding.severity or rules[finding.rule].severity,
        "fix_for": lambda finding: fixes.get(finding.rule, finding.no_fix_reason),
        "edits_of": lambda fix: resolve(fix, FileSystem(None, files).read),
        "read": FileSystem(None, files).read,
        "root": Path("/srv/shop"),
        "cwd": Path("/srv/shop"),
        "version": "1.2.3",
    }
    return Report(findings=in_order(findings), rules=rules, **{**values, **changes})


def rendered(report: Report, output_format: str, **options: Any) -> str:
    return "".join(render(report, output_format, Options(**options)))


def body(text: str) -> str:
    """A text report without its summary."""
    return text.rsplit("\n\n", 1)[0] + "\n"
