"""SARIF 2.1.0, for code scanning services and editors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from prodlint.findings import Confidence, Edit, Finding, Fix, Location, Severity, Step
from prodlint.lazy_regex import regex
from prodlint.output import ErrorMessage, Options, Report
from prodlint.output.edits import realised_fix
from prodlint.output.fingerprints import FINGERPRINT_NAME, fingerprints
from prodlint.output.json_text import json_text
from prodlint.output.places import Places, SourceText, unicode_text

if TYPE_CHECKING:
    from prodlint.rulebook import Rule

Json = dict[str, Any]

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "SRCROOT"

RESULT_LIMIT = 25_000
"""Code scanning services refuse a run with more results. The less severe ones are left out then, and it says so."""
SIZE_LIMIT = 10_000_000
"""Bytes, compressed by gzip: GitHub refuses a larger upload."""
_RELATED_LIMIT = 1_000
_SNIPPET_LINES = 10
_SNIPPET_LENGTH = 1_000

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "note"}
_PROBLEM_SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "recommendation"}
_LINK = regex(r"[^\]\n]++(\]\()?")


def render(report: Report, options: Options) -> Iterator[str]:
    """One log with one run."""
    run, limit = _Run(report), RESULT_LIMIT
    log = _log(run, limit)
    while limit > 1 and (size := _compressed(log)) > SIZE_LIMIT:
        limit = max(int(0.9 * min(limit, len(report.findings)) * SIZE_LIMIT / size), 1)
        log = _log(run, limit)
    yield log
    yield "\n"


def _log(run: _Run, limit: int) -> str:
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run.as_json(limit)]})


def _compressed(log: str) -> int:
    """The size that counts for the limit; if it is below anyway, that of the log itself."""
    data = log.encode()
    if len(data) <= SIZE_LIMIT:
        return len(data)
    import gzip

    return len(gzip.compress(data))


class _Run:
    """Makes the parts of a run, all of which need to know where the source root is."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._source_root = _source_root(report.root, report.cwd)
        self._places = Places(report.read, report.root, self._source_root)
        self._rule_index = {name: index for index, name in enumerate(report.rules)}

    def as_json(self, limit: int) -> Json:
        """The run, with at most so many results."""
        report = self._report
        hashes = fingerprints(report.findings, self._places)
        chosen = _most_severe(report, limit)
        notifications = [self._notification(error) for error in report.errors]
        if len(chosen) < len(report.findings):
            left_out = len(report.findings) - len(chosen)
            message = f"{left_out} of {len(report.findings)} findings, the least severe, were left out."
            notifications.append({"level": "warning", "message": {"text": message}})
        return {
            "tool": {
                "driver": {
                    "name": "prodlint",
                    "version": report.version,
                    "rules": [_rule(rule) for rule in report.rules.values()],
                }
            },
            "originalUriBaseIds": {ROOT: {"uri": _directory_uri(self._source_root)}},
            "columnKind": "unicodeCodePoints",
            "defaultEncoding": "utf-8",
            "invocations": [
                {"executionSuccessful": not report.errors, "toolExecutionNotifications": notifications},
            ],
            "results": [self._result(report.findings[index], hashes[index]) for index in chosen],
        }

    def _result(self, finding: Finding, fingerprint: str) -> Json:
        result: Json = {
            "ruleId": finding.rule,
            "ruleIndex": self._rule_index[finding.rule],
            "level": _LEVELS[self._report.severity_of(finding)],
            "message": _message(finding.message),
            "locations": [{"physicalLocation": self._physical(finding.location, snippet=True)}],
            "partialFingerprints": {FINGERPRINT_NAME: fingerprint},
            "properties": {"confidence": finding.confidence.value},
        }
        if finding.confidence is Confidence.LIKELY:
            result["rank"] = 50.0
        if finding.service:
            result["properties"]["service"] = unicode_text(finding.service)
        if finding.related:
            related = finding.related[:_RELATED_LIMIT]
            result["relatedLocations"] = [
                {"id": number, **self._location(step)} for number, step in enumerate(related, 1)
            ]
        if finding.trace:
            steps = [*finding.trace, Step(finding.location, finding.message)]
            flow = [{"location": self._location(step), "nestingLevel": depth} for depth, step in enumerate(steps)]
            result["codeFlows"] = [{"threadFlows": [{"locations": flow}]}]
        fix = realised_fix(self._report, finding)
        if isinstance(fix, Fix):
            result["fixes"] = [self._fix(fix)]
        elif fix:
            result["properties"]["fixless"] = unicode_text(fix)
        return result

    def _location(self, step: Step) -> Json:
        location: Json = {"physicalLocation": self._physical(step.location)}
        if step.message:
            location["message"] = _message(step.message)
        return location

    def _physical(self, location: Location, snippet: bool = False) -> Json:
        text = self._places.text(location.path)
        region = _region(text, location.start, location.end)
        if snippet and text.line_count:
            first, last = region["startLine"], region["endLine"]
            lines = [text.line(number) for number in range(first, min(last, first + _SNIPPET_LINES - 1) + 1)]
            region["snippet"] = {"text": "\n".join(lines)[:_SNIPPET_LENGTH]}
        return {"artifactLocation": self._artifact(location.path), "region": region}

    def _artifact(self, path: str) -> Json:
        # `fsencode` gives back the bytes of a name that is not UTF-8.
        shown = quote(os.fsencode(self._places.path(path)), safe="/")
        return {"uri": shown, "uriBaseId": ROOT}

    def _fix(self, fix: Fix) -> Json:
        changes = [
            {
                "artifactLocation": self._artifact(path),
                "replacements": [self._replacement(edit) for edit in edits],
            }
            for path, edits in groupby(sorted(fix.edits), key=lambda edit: edit.path)
        ]
        return {
            "description": _message(fix.title),
            "artifactChanges": changes,
            "properties": {"applicability": fix.applicability.value},
        }

    def _replacement(self, edit: Edit) -> Json:
        region = _exact_region(self._places.text(edit.path), edit.start, edit.end)
        return {"deletedRegion": region, "insertedContent": {"text": unicode_text(edit.text)}}

    def _notification(self, error: ErrorMessage) -> Json:
        notification: Json = {"level": "error", "message": {"text": unicode_text(error.message)}}
        if error.path is not None:
            physical: Json = {"artifactLocation": self._artifact(error.path)}
            if error.line is not None:
                physical["region"] = {"startLine": error.line}
            notification["locations"] = [{"physicalLocation": physical}]
        return notification


def _source_root(root: Path, cwd: Path) -> Path:
    """What URIs are relative to: the working directory (in CI, the checkout), unless files lie outside of it."""
    return cwd if root.is_relative_to(cwd) else root


def _directory_uri(directory: Path) -> str:
    uri = directory.as_uri()
    return uri if uri.endswith("/") else f"{uri}/"


def _most_severe(report: Report, limit: int) -> Sequence[int]:
    """The indices of at most `limit` findings, in their order; the first ones of each severity stay."""
    findings = report.findings
    if len(findings) <= limit:
        return range(len(findings))
    ranked = sorted(range(len(findings)), key=lambda index: -report.severity_of(findings[index]).rank)
    return sorted(ranked[:limit])


def _rule(rule: Rule) -> Json:
    return {
        "id": rule.name,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": _first_paragraph(rule.page) or rule.summary},
        "help": {"text": rule.page, "markdown": rule.page},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": list(dict.fromkeys((rule.practice, *rule.languages))),
            "precision": "medium" if rule.is_preview else "high",
            "problem.severity": _PROBLEM_SEVERITIES[rule.severity],
        },
    }


def _first_paragraph(page: str) -> str:
    """The first paragraph of a page that is prose."""
    for paragraph in page.split("\n\n"):
        if paragraph.strip() and not paragraph.lstrip().startswith(("#", "```", "<!--", "`")):
            return " ".join(paragraph.split())
    return ""


def _message(text: str) -> Mapping[str, str]:
    """A plain message. What looks like a Markdown link (`handlers[name](req)`) would be taken for a reference."""
    return {"text": _LINK.sub(lambda match: match[0].replace("[", "\\[") if match[1] else match[0], unicode_text(text))}


def _region(text: SourceText, start: int, end: int) -> Json:
    """The region of a place to look at."""
    (line, column), (end_line, end_column) = text.position(start), text.end_position(start, end)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _exact_region(text: SourceText, start: int, end: int) -> Json:
    """The region of exactly these bytes, line ends included."""
    (line, column), (end_line, end_column) = text.position(start), text.position(end)
    return {
        "startLine": line,
        "startColumn": column,
        "endLine": end_line,
        "endColumn": end_column,
        "byteOffset": start,
        "byteLength": end - start,
    }
