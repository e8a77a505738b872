"""Findings for people: the code, the way that leads to it, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prodlint.findings import Applicability, Confidence, Finding, Fix, Location, Severity, Step
from prodlint.output import ErrorMessage, Options, Report, Tally, tally
from prodlint.output.blocks import blocks, first_call, news, pattern
from prodlint.output.frames import frame, gutter_width
from prodlint.output.joint_fixes import TOGETHER, told_together
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
    """The findings in blocks, then what could not be checked, then the sum of it."""
    painter = painter_of(options)
    view = FindingView(report, painter, options)
    fixes = [report.fix_for(finding) for finding in report.findings]
    told = told_together(report.findings, fixes, lambda finding: place_of(view.places, finding.location))
    shown = {id(finding): fix for finding, fix in zip(report.findings, told, strict=True)}
    for block in blocks(report.findings, report.severity_of):
        others = [(finding, shown[id(finding)]) for finding in block.others]
        yield from _lines(view.rows(block.head, shown[id(block.head)], others))
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

    def rows(self, finding: Finding, fix: Fix | str, others: Sequence[tuple[Finding, Fix | str]] = ()) -> Iterator[str]:
        """The rows of one finding: what is wrong, the code, and what hangs on its rail; `others` are shown with it, by
        their places and by what differs from it."""
        painter = self._painter
        yield from self._header(finding)
        gutter = gutter_width(self.places, finding.location)
        service = f" (service {printable(finding.service)})" if finding.service else ""
        where = painter.paint("strong", place_of(self.places, finding.location))
        yield f"{' ' * gutter} {painter.paint('faint', painter.glyphs.corner)} {where}{service}"
        style = self._report.severity_of(finding).value
        yield from frame(self.places, finding.location, style, painter, self._available)
        available = self._available - gutter - 4
        hung = list(self._blocks(finding, fix, available))
        if others:
            hung.append(self._others(finding, fix, others, available))
        yield from self._hung(hung, gutter)

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
        if fix:
            yield _fix_rows(fix, available)

    def _steps(self, title: str, steps: Sequence[Step], available: int) -> Block:
        """A tree of places with what happens there."""
        places = [place_of(self.places, step.location) for step in steps]
        return self._tree(title, places, lambda number, room: self._said(steps[number], room), available)

    def _others(
        self, head: Finding, fix: Fix | str, others: Sequence[tuple[Finding, Fix | str]], available: int
    ) -> Block:
        """A tree of the other places of a block: the code that stands there, and what is not as in the one above."""
        path = head.location.path
        messages = [head.message, *(finding.message for finding, _ in others)]
        fixes = [fix, *(own for _, own in others)]

        def said(number: int, room: int) -> Block:
            rows = [self._code(others[number][0].location, room)]
            new = news(messages[number + 1], messages[: number + 1])
            if new:
                rows += prose(new, room)
            if _kind_of(fixes[number + 1]) != _kind_of(fixes[number]):
                rows += _fix_rows(fixes[number + 1], room)
            return rows

        places = []
        for finding, _ in others:
            line, column = self.places.start(finding.location)
            is_here = finding.location.path == path
            shown = f"line {line}:{column}" if is_here else place_of(self.places, finding.location)
            service = f" ({printable(finding.service)})" if finding.service not in ("", head.service) else ""
            places.append(shown + service)
        where = "in this file"
        if any(finding.location.path != path for finding, _ in others):
            call = first_call(head)
            where = f"behind the call at {place_of(self.places, call)}" if call else "in other files"
        return self._tree(f"{len(others)} more {where}", places, said, available)

    def _tree(self, title: str, places: Sequence[str], said: Callable[[int, int], Block], available: int) -> Block:
        """A tree of places, each with what `said` gives for its number and the columns that there are: beside them if
        there is room, else below."""
        glyphs = self._painter.glyphs
        block: Block = [[("", title)]]
        column = max(map(width, places)) + 2
        is_beside = column <= available // 2 and available - column >= 30
        indent = " " * column if is_beside else ""
        for number, place in enumerate(places):
            branch, rail = (glyphs.last, " ") if number == len(places) - 1 else (glyphs.branch, glyphs.rail)
            rows = said(number, max(available - 3 - len(indent), 20))
            head: list[Styled] = [("faint", f"{branch} "), ("path", place)]
            if is_beside:
                head += [("", " " * (column - width(place))), *rows.pop(0)]
            block.append(head)
            block.extend([("faint", f"{rail}  "), ("", indent), *row] for row in rows)
        return block

    def _said(self, step: Step, available: int) -> Block:
        """What happens at a step: its message, or the line of code."""
        return list(prose(step.message, available)) if step.message else [self._code(step.location, available)]

    def _code(self, location: Location, available: int) -> list[Styled]:
        """The line that a location begins in, from there on if all of it is too long."""
        code = printable(self.places.source_line(location).strip())
        if width(code) > available:
            start = self.places.start(location)
            code = printable(self.places.text(location.path).line(start.line)[start.column - 1 :].strip())
        return clip([("", code)], 0, available, self._painter.glyphs.cut)


def _fix_rows(fix: Fix | str, available: int) -> Block:
    """What can be done about a finding."""
    if isinstance(fix, Fix):
        return _labelled("fix: ", "good-strong", fix.title, available, _HOW[fix.applicability])
    label = "" if fix.startswith(TOGETHER) else "no fix: "
    return _labelled(label, "faint", fix, available) if fix else []


def _kind_of(fix: Fix | str) -> tuple[str, str]:
    """What two fixes have in common that do the same to different code, or two reasons why there is none."""
    return (pattern(fix.title), fix.applicability.value) if isinstance(fix, Fix) else (pattern(fix), "")


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
    if report.stats.hidden_advice:
        hidden = report.stats.hidden_advice
        yield painter.paint("faint", f"{hidden:,} advice hidden: --advice shows it")
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
