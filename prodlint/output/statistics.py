"""How often each rule was broken, and how much of it can be fixed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from prodlint.findings import Applicability, Fix
from prodlint.output import Options, Report, tally
from prodlint.output.terminal import Painter
from prodlint.output.text import painter_of, summary

_Row = tuple[str, str, str, str]
_HEADINGS: _Row = ("count", "rule", "severity", "fixable")


def render(report: Report, options: Options) -> Iterator[str]:
    """A table of the rules that found something, the most frequent first, and the sum."""
    painter = painter_of(options)
    fixes = [report.fix_for(finding) for finding in report.findings]
    counts = tally(report, fixes)
    fixable = Counter(
        (finding.rule, fix.applicability)
        for finding, fix in zip(report.findings, fixes, strict=True)
        if isinstance(fix, Fix)
    )
    rows = [
        (
            f"{number:,}",
            rule,
            report.rules[rule].severity.value,
            ", ".join(f"{fixable[rule, kind]:,} {kind.value}" for kind in Applicability if fixable[rule, kind]) or "-",
        )
        for rule, number in sorted(counts.rules.items(), key=lambda item: (-item[1], item[0]))
    ]
    if rows:
        yield from _table(rows, painter)
        yield "\n"
    yield from (f"{row}\n" for row in summary(report, counts, painter))


def _table(rows: Sequence[_Row], painter: Painter) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *rows, strict=True)]
    yield painter.paint("faint", "  ".join(_padded(_HEADINGS, widths)).rstrip()) + "\n"
    for row in rows:
        count, rule, severity, fixable = _padded(row, widths)
        styled = painter.paint(row[2], severity)
        yield f"{painter.paint('strong', count)}  {rule}  {styled}  {fixable.rstrip()}\n"


def _padded(row: _Row, widths: Sequence[int]) -> _Row:
    """The cells of a row as wide as their columns; the number stands to the right."""
    count, *texts = row
    rule, severity, fixable = (text.ljust(size) for text, size in zip(texts, widths[1:], strict=True))
    return count.rjust(widths[0]), rule, severity, fixable
