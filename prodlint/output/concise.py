"""One line per finding, for editors, terminals that make links of places, and `grep`."""

from __future__ import annotations

from collections.abc import Iterator

from prodlint.findings import Applicability, Confidence, Fix
from prodlint.output import Options, Report
from prodlint.output.places import Places
from prodlint.output.terminal import printable
from prodlint.output.text import label_of, painter_of, place_of


def render(report: Report, options: Options) -> Iterator[str]:
    """`path:line:column: severity[rule] message [*]`; the star is for what `--fix` mends. Never wrapped."""
    painter = painter_of(options)
    places = Places(report.read, report.root, report.cwd)
    for finding in report.findings:
        severity = report.severity_of(finding)
        fix = report.fix_for(finding)
        label = painter.paint(severity.value, label_of(finding, severity))
        parts = [
            ("strong", f"{place_of(places, finding.location)}:"),
            ("", painter.link(options.page_of(report.rules[finding.rule]), label)),
            ("faint", "likely:" if finding.confidence is Confidence.LIKELY else ""),
            ("", printable(" ".join(finding.message.split()))),
            ("good", "[*]" if isinstance(fix, Fix) and fix.applicability is Applicability.SAFE else ""),
        ]
        yield " ".join(painter.paint(style, text) for style, text in parts if text) + "\n"
    for error in report.errors:
        where = "prodlint" if error.path is None else printable(places.path(error.path))
        line = "" if error.line is None else f":{error.line}"
        yield f"{painter.paint('strong', f'{where}{line}:')} {painter.paint('error', 'problem:')} "
        yield f"{printable(' '.join(error.message.split()))}\n"
