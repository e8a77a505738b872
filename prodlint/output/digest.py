"""A summary in Markdown, for a comment on a pull request or a job's summary."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from itertools import groupby

from prodlint.findings import Applicability, Finding, Fix, Severity
from prodlint.lazy_regex import regex
from prodlint.output import Options, Report, tally
from prodlint.output.places import Places, unicode_text
from prodlint.output.terminal import printable

_MOST = 100
"""Findings that are listed; comments have a limit of 65,536 characters on GitHub."""
_SPECIAL = regex(r"([\\*_|<>~\[\]#])")
_MARKS = {Severity.ERROR: "🔴 error", Severity.WARNING: "🟠 warning", Severity.ADVICE: "🔵 advice"}


def render(report: Report, options: Options) -> Iterator[str]:
    """A heading that says how it went, a table of the rules, and the findings by file."""
    fixes = [report.fix_for(finding) for finding in report.findings]
    counts = tally(report, fixes)
    if not report.findings:
        files = report.stats.files
        yield f"### prodlint: all checks passed\n\n{files} file{'s' * (files != 1)} checked.\n"
    else:
        told = [f"{number} {severity.value}{'s' * (number != 1 and severity is not Severity.ADVICE)}"
                for severity, number in counts.severities.items() if number]  # fmt: skip
        yield f"### prodlint: {', '.join(told)}\n\n"
        yield from _table(report, fixes)
        yield from _list(report)
    if report.errors:
        places = Places(report.read, report.root, report.cwd)
        yield "\n**Not everything could be checked:**\n\n"
        for error in report.errors:
            where = "" if error.path is None else f"{_code(places.path(error.path))}: "
            yield f"- {where}{_escaped(error.message)}\n"


def _table(report: Report, fixes: Sequence[Fix | str]) -> Iterator[str]:
    yield "| rule | findings | of these fixed by `--fix` | by `--unsafe-fixes` |\n|---|---:|---:|---:|\n"
    pairs = list(zip(report.findings, fixes, strict=True))
    for rule in sorted({finding.rule for finding in report.findings}):
        own = [fix for finding, fix in pairs if finding.rule == rule]
        safe, unsafe = (
            sum(isinstance(fix, Fix) and fix.applicability is kind for fix in own) for kind in Applicability
        )
        yield f"| `{rule}` | {len(own)} | {safe or ''} | {unsafe or ''} |\n"


def _list(report: Report) -> Iterator[str]:
    places = Places(report.read, report.root, report.cwd)
    shown = report.findings[:_MOST]
    for path, findings in groupby(shown, key=lambda finding: finding.location.path):
        yield f"\n<details open><summary>{html.escape(printable(unicode_text(places.path(path))))}</summary>\n\n"
        for finding in findings:
            yield from _item(report, finding, places)
        yield "\n</details>\n"
    if len(shown) < len(report.findings):
        yield f"\n… and {len(report.findings) - len(shown)} more.\n"


def _item(report: Report, finding: Finding, places: Places) -> Iterator[str]:
    line = places.start(finding.location).line
    message = _prose(finding.message)
    yield f"- **line {line}** {_MARKS[report.severity_of(finding)]} `{finding.rule}`: {message}\n"
    for step in finding.trace:
        place = f"{places.path(step.location.path)}:{places.start(step.location).line}"
        yield f"  - {_code(place)}: {_prose(step.message)}\n"


def _prose(text: str) -> str:
    """A message, whose code between backticks stays code."""
    parts = printable(" ".join(unicode_text(text).split())).split("`")
    if len(parts) % 2 == 0:
        return _escaped(text)
    return "".join(f"`{part}`" if at % 2 else _SPECIAL.sub(r"\\\1", part) for at, part in enumerate(parts))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", printable(" ".join(unicode_text(text).split())).replace("`", "'"))


def _code(text: str) -> str:
    return f"`{printable(unicode_text(text)).replace('`', chr(39))}`"
