"""GitHub's workflow commands, which become annotations on the lines of a pull request.

Source: GitHub Docs, "Workflow commands for GitHub Actions"; the escapes are those of the `command` module of
`actions/toolkit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prodlint.findings import Severity
from prodlint.output import Options, Report
from prodlint.output.places import Places
from prodlint.output.terminal import printable

_LEVELS: Mapping[Severity, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "notice"}


def render(report: Report, options: Options) -> Iterator[str]:
    """`::error file=…,line=…::message`, one line a finding."""
    places = Places(report.read, report.root, report.cwd)
    for finding in report.findings:
        (line, column), (end_line, end_column) = places.start(finding.location), places.end(finding.location)
        properties = {"file": places.path(finding.location.path), "line": line, "endLine": end_line}
        if line == end_line:  # columns of different lines are refused
            properties |= {"col": column, "endColumn": max(end_column, column + 1)}
        properties["title"] = f"prodlint: {finding.rule}"
        yield _command(_LEVELS[report.severity_of(finding)], properties, finding.message)
    for error in report.errors:
        place: dict[str, object] = {} if error.path is None else {"file": places.path(error.path)}
        if error.line is not None:
            place["line"] = error.line
        yield _command("error", {**place, "title": "prodlint"}, error.message)


def _command(level: str, properties: Mapping[str, object], message: str) -> str:
    told = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{level} {told}::{_data(printable(message))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")
