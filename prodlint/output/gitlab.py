"""GitLab's Code Quality report.

Source: GitLab Docs, "Code Quality", the section on the format of a report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prodlint.findings import Severity
from prodlint.output import Options, Report
from prodlint.output.fingerprints import fingerprints
from prodlint.output.json_text import json_text
from prodlint.output.places import Places, unicode_text

_SEVERITIES: Mapping[Severity, str] = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.ADVICE: "info"}


def render(report: Report, options: Options) -> Iterator[str]:
    """One array of issues, their paths relative to the working directory. What could not be checked has no place in
    the format."""
    places = Places(report.read, report.root, report.cwd)
    hashes = fingerprints(report.findings, places)
    issues = [
        {
            "type": "issue",
            "check_name": finding.rule,
            "description": unicode_text(finding.message),
            "fingerprint": fingerprint,
            "severity": _SEVERITIES[report.severity_of(finding)],
            "location": {
                "path": unicode_text(places.path(finding.location.path)),
                "lines": {"begin": places.start(finding.location).line, "end": places.end(finding.location).line},
            },
        }
        for finding, fingerprint in zip(report.findings, hashes, strict=True)
    ]
    yield json_text(issues)
    yield "\n"
