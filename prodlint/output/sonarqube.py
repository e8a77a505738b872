"""SonarQube's generic issues, as `sonar.externalIssuesReportPaths` takes them.

Source: SonarQube documentation, "Generic formatted issues": lines count from 1, columns from 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prodlint.findings import Location, Severity
from prodlint.output import Options, Report
from prodlint.output.json_text import json_text
from prodlint.output.places import Places, unicode_text

_IMPACTS: Mapping[Severity, str] = {Severity.ERROR: "HIGH", Severity.WARNING: "MEDIUM", Severity.ADVICE: "LOW"}
_SEVERITIES: Mapping[Severity, str] = {Severity.ERROR: "CRITICAL", Severity.WARNING: "MAJOR", Severity.ADVICE: "INFO"}
_MOST_PLACES = 50


def render(report: Report, options: Options) -> Iterator[str]:
    """The rules that found something, and their issues. What could not be checked has no place in the format."""
    places = Places(report.read, report.root, report.cwd)
    found = {finding.rule for finding in report.findings}
    document = {
        "rules": [
            {
                "id": rule.name,
                "name": rule.name,
                "description": rule.summary,
                "engineId": "prodlint",
                "cleanCodeAttribute": "TRUSTWORTHY",
                "type": "BUG",
                "severity": _SEVERITIES[rule.severity],
                "impacts": [{"softwareQuality": "RELIABILITY", "severity": _IMPACTS[rule.severity]}],
            }
            for rule in report.rules.values()
            if rule.name in found
        ],
        "issues": [
            {
                "ruleId": finding.rule,
                "primaryLocation": _location(finding.location, finding.message, places),
                "secondaryLocations": [
                    _location(step.location, step.message, places)
                    for step in (*finding.trace, *finding.related)[:_MOST_PLACES]
                ],
            }
            for finding in report.findings
        ],
    }
    yield json_text(document)
    yield "\n"


def _location(location: Location, message: str, places: Places) -> dict[str, Any]:
    start, end = places.start(location), places.end(location)
    region: dict[str, int] = {"startLine": start.line, "endLine": end.line}
    if end > start:  # an empty range is refused; without columns the whole line is meant
        region |= {"startColumn": start.column - 1, "endColumn": end.column - 1}
    return {
        "message": unicode_text(message),
        "filePath": unicode_text(places.path(location.path)),
        "textRange": region,
    }
