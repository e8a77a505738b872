"""One fix can resolve several findings: a call that is handed to a thread takes all with it that blocks behind it. Each
of these findings says so, so that nobody takes those without a fix of their own for hopeless.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from prodlint.findings import Edit, Finding, Fix, Location

TOGETHER = "fixed together with"
"""How the place of another finding is introduced whose fix resolves this one, too."""
_Call = tuple[str, Location]
"""A rule, and a call on the way to its findings."""


def told_together(
    findings: Sequence[Finding], fixes: Sequence[Fix | str], place: Callable[[Finding], str]
) -> list[Fix | str]:
    """The fixes as they are shown, in their order: the title of one that resolves several findings says how many, and
    a finding without one that is resolved by another's says where that stands. `place` names a finding's place."""
    mended = _mended_calls(findings, fixes)
    told: list[Fix | str] = []
    of_others: dict[int, int] = {}
    for number, (finding, fix) in enumerate(zip(findings, fixes, strict=True)):
        if isinstance(fix, str):
            calls = [(finding.rule, step.location) for step in finding.trace[1:]]
            other = next((mended[call] for call in calls if call in mended), None)
            if other is not None:
                of_others[number] = other
    count = Counter((findings[number].rule, fix.edits) for number, fix in enumerate(fixes) if isinstance(fix, Fix))
    for other in of_others.values():
        fix = fixes[other]
        assert isinstance(fix, Fix)
        count[findings[other].rule, fix.edits] += 1
    for number, (finding, fix) in enumerate(zip(findings, fixes, strict=True)):
        if isinstance(fix, Fix):
            several = count[finding.rule, fix.edits] if fix.edits else 1
            told.append(replace(fix, title=f"{fix.title} (resolves {several} findings)") if several > 1 else fix)
        else:
            told.append(f"{TOGETHER} {place(findings[of_others[number]])}" if number in of_others else fix)
    return told


def _mended_calls(findings: Sequence[Finding], fixes: Sequence[Fix | str]) -> dict[_Call, int]:
    """The calls that a fix changes in place of what a finding is about, by the number of the finding that has it."""
    found: dict[_Call, int] = {}
    for number, (finding, fix) in enumerate(zip(findings, fixes, strict=True)):
        if isinstance(fix, Fix) and len(finding.trace) > 1:
            edits = defaultdict(list)
            for edit in fix.edits:
                edits[edit.path].append(edit)
            if not _touches(edits[finding.location.path], finding.location):
                for step in finding.trace[1:]:
                    if _touches(edits[step.location.path], step.location):
                        found.setdefault((finding.rule, step.location), number)
    return found


def _touches(edits: Sequence[Edit], location: Location) -> bool:
    return any(edit.start <= location.end and location.start <= edit.end for edit in edits)
