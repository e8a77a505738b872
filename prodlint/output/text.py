"""Findings for people: the code, the way that leads to it, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prodlint.findings import Applicability, Confidence, Finding, Fix, Location, Severity, Step
from prodlint.output import ErrorMessage, Options, Report, Tally, tally
from prodlint.output.frames import frame, gutter_width
from prodlint.output.places import Places
from prodlint.output.terminal import ASCII, UNICODE, Painter, Styled, clip, printable, prose, width

_HOW = {
    Applicability.SAFE: ("good", "[safe, --fix]"),
    Applicability.UNSAFE: ("caution", "[unsafe, --fix --unsafe-fixes]"),
}
"""How a fix is made."""

Block = list[list[Styled]]
"""Rows of styled text that hang on the rail of a finding."""


def render(report: Report, options: Options) -> Iterator[str]:
    """The findings one by one, then what could not be checked, then the sum of it."""
    painter = painter_of(options)
    view = FindingView(report, painter, options)
    fixes = []
    for finding in report.findings:
        fix = report.fix_for(finding)
        fixes.append(fix)
        yield from _lines(view.rows(finding, fix))
        yield "\n"
    if report.errors:
        yield from _lines(_errors(report.errors, view.places, painter, options.width))
        yield "\n"
    yield from _lines(summary(report, tally(report, fixes), painter))


def painter_of(options: Options) -> Painter:
    """The painter that the options ask for."""
    return Painter(options.color, UNICODE if options.unicode else ASCII)


class FindingView:
    """Draws the findings of a report."""

    def __init__(self, report: Report, painter: Painter, options: Options) -> None:
        self.places = Places(report.read, report.root, report.cwd)
        self._report = report
        self._painter = painter
        self._available = options.width
        self._page_of = options.page_of

    def rows(self, finding: Finding, fix: Fix | str) -> Iterator[str]:
        """The rows of one finding: what is wrong, the code, and what hangs on its rail."""
        painter = self._painter
        yield from self._header(finding)
        gutter = gutter_width(self.places, finding.location)
        service = f" (service {printable(finding.service)})" if finding.service else ""
        where = painter.paint("strong", place_of(self.places, finding.location))
        yield f"{' ' * gutter} {painter.paint('faint', painter.glyphs.corner)} {where}{service}"
        style = self._report.severity_of(finding).value
        yield from frame(self.places, finding.location, style, painter, self._available)
        yield from self._hung(list(self._blocks(finding, fix, self._available - gutter - 4)), gutter)

    def _header(self, finding: Finding) -> Iterator[str]:
        severity = self._report.severity_of(finding)
        label = label_of(finding, severity)
        likely = " likely:" if finding.confidence is Confidence.LIKELY else ""
        page = self._page_of(self._report.rules[finding.rule])
        lead = self._painter.link(page, self._painter.paint(severity.value, label)) + self._painter.paint(
            "faint", likely
        )
        rows = prose(finding.message, self._available, strong_start=True, indent=len(label) + len(likely))
        for number, row in enumerate(map(self._painter.join, rows)):
            yield row if number else f"{lead} {row}".rstrip()

    def _hung(self, blocks: Sequence[Block], gutter: int) -> Iterator[str]:
        """The blocks as branches of the frame's rail, which ends at the last one."""
        glyphs = self._painter.glyphs
        if blocks:
            yield f"{' ' * gutter} {self._painter.paint('faint', glyphs.rail)}"
        for index, block in enumerate(blocks, 1):
            branch, rail = (glyphs.last, "  ") if index == len(blocks) else (glyphs.branch, f"{glyphs.rail} ")
            for number, row in enumerate(block):
                hook = self._painter.paint("faint", rail if number else branch)
                yield f"{' ' * gutter} {hook} {self._painter.join(row)}".rstrip()

    def _blocks(self, finding: Finding, fix: Fix | str, available: int) -> Iterator[Block]:
        """What hangs below the frame."""
        if finding.trace:
            yield self._steps("how it gets here", finding.trace, available)
        if finding.related:
            yield self._steps("see also", finding.related, available)
        if isinstance(fix, Fix):
            yield _labelled("fix: ", "good-strong", fix.title, available, _HOW[fix.applicability])
        elif fix:
            yield _labelled("no fix: ", "faint", fix, available)

    def _steps(self, title: str, steps: Sequence[Step], available: int) -> Block:
        """A tree of places with what happens there: beside them if there is room, else below."""
        glyphs = self._painter.glyphs
        block: Block = [[("", title)]]
        shown = [place_of(self.places, step.location) for step in steps]
        column = max(map(width, shown)) + 2
        is_beside = column <= available // 2 and available - column >= 30
        indent = " " * column if is_beside else ""
        for index, (step, place) in enumerate(zip(steps, shown, strict=True), 1):
            branch, rail = (glyphs.last, " ") if index == len(steps) else (glyphs.branch, glyphs.rail)
            rows = self._said(step, max(available - 3 - len(indent), 20))
            head: list[Styled] = [("faint", f"{branch} "), ("path", place)]
            if is_beside:
                head += [("", " " * (column - width(place))), *rows.pop(0)]
            block.append(head)
            block.extend([("faint", f"{rail}  "), ("", indent), *row] for row in rows)
        return block

    def _said(self, step: Step, available: int) -> Block:
        """What happens at a step: its message, or the line of code."""
        if step.message:
            return list(prose(step.message, available))
        code = printable(self.places.source_line(step.location).strip())
        return [clip([("", code)], 0, available, self._painter.glyphs.cut)]


def _labelled(label: str, style: str, text: str, available: int, closing: Styled = ("", "")) -> Block:
    """A text behind a label, wrapped beside it; `closing` comes last, on a line of its own if it does not fit."""
    room = available - len(label)
    rows = list(prose(text, room))
    if closing[1]:
        if sum(width(part) for _, part in rows[-1]) + 1 + len(closing[1]) <= room:
            rows[-1].append(("", " "))
        else:
            rows.append([])
        rows[-1].append(closing)
    indent = " " * len(label)
    return [[("", indent) if number else (style, label), *row] for number, row in enumerate(rows)]


def label_of(finding: Finding, severity: Severity) -> str:
    """`severity[rule]`."""
    return f"{severity.value}[{printable(finding.rule)}]"


def place_of(places: Places, location: Location) -> str:
    """`path:line:column`, harmless to the terminal."""
    line, column = places.start(location)
    return f"{printable(places.path(location.path))}:{line}:{column}"


# --- the end of the report --------------------------------------------------------------------------------------------


def _errors(errors: Sequence[ErrorMessage], places: Places, painter: Painter, available: int) -> Iterator[str]:
    yield painter.paint("error", f"{_count(len(errors), 'problem')}: not everything could be checked")
    for error in errors:
        where = ""
        if error.path is not None:
            where = printable(places.path(error.path)) + (f":{error.line}" if error.line is not None else "") + ": "
        rows = list(prose(error.message, available - 4, indent=max(width(where) - 1, 0)))
        yield f"  - {painter.paint('path', where)}{painter.join(rows[0])}".rstrip()
        yield from (f"    {painter.join(row)}" for row in rows[1:])


def summary(report: Report, counts: Tally, painter: Painter) -> Iterator[str]:
    """How many findings there are, what can be fixed, what is not shown, and how to go on."""
    if counts.findings:
        severities = ", ".join(
            painter.paint(severity.value, _count(number, severity.value))
            for severity, number in counts.severities.items()
            if number
        )
        findings = painter.paint("strong", _count(counts.findings, "finding"))
        yield f"{findings} ({severities}) in {_extent(report, counts)}"
    elif report.errors:
        yield f"No findings in what could be checked: {_extent(report, counts)}"
    elif not report.stats.files:
        yield "No files to check (tests are skipped by default)"
    else:
        passed = "No new findings" if report.stats.in_baseline else "All checks passed"
        yield f"{painter.paint('good-strong', passed)}: {_extent(report, counts)}"
    if report.stats.in_baseline:
        stopped = _count(report.stats.in_baseline, "finding")
        yield painter.paint("faint", f"{stopped} hidden by the baseline: --no-baseline shows all")
    if report.stats.gone_from_baseline:
        gone = report.stats.gone_from_baseline
        what = "1 entry" if gone == 1 else f"{gone:,} entries"
        yield painter.paint("faint", f"{what} of the baseline no longer found: prodlint baseline --prune")
    if counts.safe or counts.unsafe:
        yield _fixable(counts, painter)
    if report.stats.hidden_likely:
        hidden = report.stats.hidden_likely
        shows = "shows it" if hidden == 1 else "shows them"
        yield painter.paint("faint", f"{_count(hidden, 'likely finding')} hidden: --likely {shows}")
    if counts.findings:
        yield painter.paint("faint", "More about a rule: prodlint rule NAME")
        yield painter.paint("faint", "To ignore a finding, put a comment on its line: prodlint: ignore[NAME] and why")


def _extent(report: Report, counts: Tally) -> str:
    """Of how many files, and how long it took."""
    files = _count(report.stats.files or counts.files, "file")
    if counts.findings and report.stats.files > counts.files:
        files = f"{counts.files} of {files}"
    return files if report.stats.seconds is None else f"{files}, {report.stats.seconds:.1f} s"


def _fixable(counts: Tally, painter: Painter) -> str:
    fix, unsafe = painter.paint("good", "--fix"), painter.paint("good", "--fix --unsafe-fixes")
    if not counts.unsafe:
        return f"{counts.safe} can be fixed with {fix}"
    if not counts.safe:
        return f"{counts.unsafe} can be fixed with {unsafe}"
    return f"{counts.safe} can be fixed with {fix}, {counts.unsafe} more with {unsafe}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 or noun == 'advice' else 's'}"


def _lines(rows: Iterator[str]) -> Iterator[str]:
    return (f"{row}\n" for row in rows)
