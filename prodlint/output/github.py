"""GitHub's workflow commands, which become annotations on the lines of a pull request.

Source: GitHub Docs, "Workflow commands for GitHub Actions"; the escapes are those of the `command` module of
`actions/toolkit`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from prodlint.findings import Finding, Severity
from prodlint.output import Options, Report
from prodlint.output.places import Places
from prodlint.output.terminal import printable

_SHOWN = 10
"""So many annotations of each level GitHub shows for a step."""
_LEVELS: Mapping[Severity, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "notice"}


def render(report: Report, options: Options) -> Iterator[str]:
    """`::error file=…,line=…::message`, one line a finding. GitHub shows few of each level: problems come first, then
    the worst findings, of these one of each rule before the others; what is more than it shows is counted."""
    places = Places(report.read, report.root, report.cwd)
    for error in report.errors:
        place: dict[str, object] = {} if error.path is None else {"file": places.path(error.path)}
        if error.line is not None:
            place["line"] = error.line
        yield _command("error", {**place, "title": "prodlint"}, error.message)
    yield from _more(report)
    for finding in _by_weight(report):
        (line, column), (end_line, end_column) = places.start(finding.location), places.end(finding.location)
        properties = {"file": places.path(finding.location.path), "line": line, "endLine": end_line}
        if line == end_line:  # columns of different lines are refused
            properties |= {"col": column, "endColumn": max(end_column, column + 1)}
        properties["title"] = f"prodlint: {finding.rule}"
        yield _command(_LEVELS[report.severity_of(finding)], properties, finding.message)


def _by_weight(report: Report) -> list[Finding]:
    """The findings, the worst first, and the first of each rule before its others."""
    seen: Counter[str] = Counter()
    weights = []
    for number, finding in enumerate(report.findings):
        weights.append((-report.severity_of(finding).rank, seen[finding.rule] > 0, number))
        seen[finding.rule] += 1
    return [report.findings[number] for *_, number in sorted(weights)]


def _more(report: Report) -> Iterator[str]:
    """A notice, if there is more of a level than GitHub shows."""
    counts = Counter({"error": len(report.errors)})
    counts.update(_LEVELS[report.severity_of(finding)] for finding in report.findings)
    more = [
        f"{counts[level] - _SHOWN} of {counts[level]} {level}s" for level in _LEVELS.values() if counts[level] > _SHOWN
    ]
    if more:
        told = f"GitHub shows {_SHOWN} annotations of each level. Only the log of this step has {', '.join(more)}."
        yield _command("notice", {"title": "prodlint"}, told)


def _command(level: str, properties: Mapping[str, object], message: str) -> str:
    told = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{level} {told}::{_data(printable(message))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")
