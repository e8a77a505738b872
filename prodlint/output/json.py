"""One JSON object, for programs. Its shape is promised in docs/output.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from prodlint.findings import Edit, Finding, Fix, Location, Step
from prodlint.output import ErrorMessage, Options, Report, Tally, tally
from prodlint.output.edits import realised_fix
from prodlint.output.joint_fixes import told_together
from prodlint.output.json_text import json_text
from prodlint.output.places import Places, unicode_text


class _Place(msgspec.Struct, kw_only=True):
    """Where something is: `[line:column, end_line:end_column)`."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


class _Step(_Place, kw_only=True):
    message: str


class _Edit(_Place, kw_only=True):
    start_byte: int
    end_byte: int
    text: str


class _Fix(msgspec.Struct):
    applicability: str
    title: str
    edits: list[_Edit]


class _Finding(msgspec.Struct):
    rule: str
    practice: str
    severity: str
    message: str
    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    confidence: str
    service: str | None
    trace: list[_Step]
    related: list[_Step]
    fix: _Fix | None
    fixless: str | None


class _Error(msgspec.Struct):
    path: str | None
    line: int | None
    message: str


class _Summary(msgspec.Struct):
    findings: int
    severities: Mapping[str, int]
    rules: Mapping[str, int]
    files: int
    files_with_findings: int
    fixable: Mapping[str, int]
    hidden_likely: int
    suppressed: int


class _Document(msgspec.Struct):
    version: str
    findings: list[_Finding]
    errors: list[_Error]
    summary: _Summary


def render(report: Report, options: Options) -> Iterator[str]:
    """The whole report as one object; the same run gives the same bytes."""
    places = Places(report.read, report.root, report.cwd)
    fixes = [realised_fix(report, finding) for finding in report.findings]
    told = told_together(report.findings, fixes, lambda finding: _line(finding.location, places))
    document = _Document(
        version=report.version,
        findings=[_finding(report, finding, fix, places) for finding, fix in zip(report.findings, told, strict=True)],
        errors=[_error(error, places) for error in report.errors],
        summary=_summary(report, tally(report, fixes)),
    )
    yield json_text(document)
    yield "\n"


def _finding(report: Report, finding: Finding, fix: Fix | str, places: Places) -> _Finding:
    place = _place(finding.location, places)
    return _Finding(
        rule=finding.rule,
        practice=report.rules[finding.rule].practice,
        severity=report.severity_of(finding).value,
        message=unicode_text(finding.message),
        path=place.path,
        line=place.line,
        column=place.column,
        end_line=place.end_line,
        end_column=place.end_column,
        confidence=finding.confidence.value,
        service=unicode_text(finding.service) or None,
        trace=[_step(step, places) for step in finding.trace],
        related=[_step(step, places) for step in finding.related],
        fix=_fix(fix, places) if isinstance(fix, Fix) else None,
        fixless=None if isinstance(fix, Fix) else unicode_text(fix) or None,
    )


def _place(location: Location, places: Places) -> _Place:
    (line, column), (end_line, end_column) = places.start(location), places.end(location)
    path = unicode_text(places.path(location.path))
    return _Place(path=path, line=line, column=column, end_line=end_line, end_column=end_column)


def _line(location: Location, places: Places) -> str:
    return f"{places.path(location.path)}:{places.start(location).line}"


def _step(step: Step, places: Places) -> _Step:
    return _Step(**msgspec.structs.asdict(_place(step.location, places)), message=unicode_text(step.message))


def _fix(fix: Fix, places: Places) -> _Fix:
    return _Fix(fix.applicability.value, unicode_text(fix.title), [_edit(edit, places) for edit in fix.edits])


def _edit(edit: Edit, places: Places) -> _Edit:
    text = places.text(edit.path)
    (line, column), (end_line, end_column) = text.position(edit.start), text.position(edit.end)
    return _Edit(
        path=unicode_text(places.path(edit.path)),
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        start_byte=edit.start,
        end_byte=edit.end,
        text=unicode_text(edit.text),
    )


def _error(error: ErrorMessage, places: Places) -> _Error:
    path = None if error.path is None else unicode_text(places.path(error.path))
    return _Error(path, error.line, unicode_text(error.message))


def _summary(report: Report, counts: Tally) -> _Summary:
    return _Summary(
        findings=counts.findings,
        severities={severity.value: number for severity, number in counts.severities.items()},
        rules=counts.rules,
        files=report.stats.files,
        files_with_findings=counts.files,
        fixable={"safe": counts.safe, "unsafe": counts.unsafe},
        hidden_likely=report.stats.hidden_likely,
        suppressed=report.stats.suppressed,
    )
