"""Compares what a session took over from anywhere with what is found without a past.

With `PRODLINT_VERIFY=1` in the environment every session does so: whatever came from the cache, from a shard, from a
run before, from another process or from the state before an edit is made once more, from the files alone. What differs
is a defect of prodlint, and ends the run with a `VerificationError`. It costs more than twice the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from prodlint.analysis.analysed_state import AnalysedState, Analysis
from prodlint.facts import FileFacts
from prodlint.findings import Finding, Fix

_SHOWN = 3
"""How many differences of a kind a message has."""
_LONGEST = 300


class VerificationError(Exception):
    """What was taken over differs from what is found without a past; the message says where and in what."""


class Verifier:
    """Compares the stages of a session with those of `fresh`, the same state without a past. All methods raise
    `VerificationError`."""

    def __init__(self, fresh: AnalysedState) -> None:
        self._fresh = fresh

    def extraction(self, session: AnalysedState, facts: Mapping[str, FileFacts], left_out: Iterable[str]) -> None:
        """The files, and the facts of each."""
        fresh = self._fresh
        _equal("files", _by_name(session.project.files), _by_name(fresh.project.files))
        _equal("files left out", _by_name(left_out), _by_name(fresh.left_out()))
        _equal("files with facts", _by_name(facts), _by_name(fresh.facts))
        for path, expected in fresh.facts.items():
            if facts[path] != expected:
                _equal(f"facts of {path}", msgspec.structs.asdict(facts[path]), msgspec.structs.asdict(expected))

    def analysis(self, analysis: Analysis) -> None:
        """What the checks found."""
        expected = self._fresh.analysis
        _equal("findings", _by_place(analysis.findings), _by_place(expected.findings))
        _equal("suppressed findings", _by_place(analysis.suppressed), _by_place(expected.suppressed))
        _equal("errors", _by_name(analysis.errors), _by_name(expected.errors))

    def fix(self, session: AnalysedState, finding: Finding, fix: Fix | str) -> None:
        """The fix of a finding of `session`, with its edits."""
        number = next((number for number, each in enumerate(session.findings()) if each is finding), None)
        if number is None:
            return
        expected = self._fresh.fix_for(self._fresh.findings()[number])
        where = f"fix of {finding.rule} in {finding.location.path}"
        _equal(where, {"fix": fix}, {"fix": expected})
        if isinstance(fix, Fix) and isinstance(expected, Fix):
            _equal(where, {"edits": session.edits_of(fix)}, {"edits": self._fresh.edits_of(expected)})


def _by_name(values: Iterable[Any]) -> Mapping[str, Any]:
    return {str(value): value for value in values}


def _by_place(findings: Sequence[Finding]) -> Mapping[str, Any]:
    """Findings by rule and place, without what only their own session understands."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        name = f"{finding.rule} in {finding.location.path}, at byte {finding.location.start}"
        found.setdefault(name, []).append(msgspec.structs.replace(finding, data={}))
    return found


def _equal(kind: str, found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    if found != expected:
        raise VerificationError(_message(kind, found, expected))


def _message(kind: str, found: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    names = [name for name in dict.fromkeys([*expected, *found]) if found.get(name) != expected.get(name)]
    lines = [f"what was taken over is not what a fresh run finds: {kind}"]
    for name in names[:_SHOWN]:
        lines += [f"  {_short(name)}", *(f"    {line}" for line in _sides(found.get(name), expected.get(name)))]
    if len(names) > _SHOWN:
        lines.append(f"  and {len(names) - _SHOWN} more")
    return "\n".join(lines)


def _sides(found: Any, expected: Any) -> Iterator[str]:
    yield f"taken over: {_short(found)}"
    yield f"fresh:      {_short(expected)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
