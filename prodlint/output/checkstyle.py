"""Checkstyle's XML, which Jenkins' warnings plugin, reviewdog and many others read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from prodlint.findings import Severity
from prodlint.output import Options, Report
from prodlint.output.places import Places
from prodlint.output.xml import HEADER, start

_SEVERITIES: Mapping[Severity, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "info"}


def render(report: Report, options: Options) -> Iterator[str]:
    """A `file` element for each file that something was found in, or that could not be checked."""
    places = Places(report.read, report.root, report.cwd)
    yield HEADER + '<checkstyle version="4.3">\n'
    for path, findings in groupby(report.findings, key=lambda finding: finding.location.path):
        yield "  " + start("file", {"name": places.path(path)}) + "\n"
        for finding in findings:
            line, column = places.start(finding.location)
            severity = _SEVERITIES[report.severity_of(finding)]
            said = {"severity": severity, "message": finding.message, "source": f"prodlint.{finding.rule}"}
            yield "    " + start("error", {"line": line, "column": column, **said}, "/>") + "\n"
        yield "  </file>\n"
    for error in report.errors:
        where = "prodlint" if error.path is None else places.path(error.path)
        problem = {"line": error.line or 1, "severity": "error", "message": error.message, "source": "prodlint"}
        yield f"  {start('file', {'name': where})}\n    {start('error', problem, '/>')}\n  </file>\n"
    yield "</checkstyle>\n"
