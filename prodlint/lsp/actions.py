"""What the editor offers to do about findings. Everything here is said in prodlint's own edits."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from prodlint.analysis.session import Session
from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix
from prodlint.fixes.apply import FixLoopError, fix_all
from prodlint.lazy_regex import regex
from prodlint.output.places import SourceText

_LINE_COMMENTS = {"javascript": "//", "typescript": "//", "tsx": "//"}
_WITHOUT_COMMENTS = frozenset({"package_json", "tsconfig"})
_INDENTATION = regex(r"[ \t]*")


class Action(msgspec.Struct, frozen=True):
    """Something that can be done about findings."""

    title: str
    edits: Sequence[Edit]
    findings: Sequence[Finding]
    is_safe: bool


def quick_fixes(session: Session, findings: Iterable[Finding]) -> Iterator[Action]:
    """The fix of each finding, safe ones first."""
    actions = []
    for finding in findings:
        fix = session.fix_for(finding)
        edits = fix if isinstance(fix, str) else session.edits_of(fix)
        if isinstance(fix, Fix) and not isinstance(edits, str):
            is_safe = fix.applicability is Applicability.SAFE
            title = fix.title if is_safe else f"{fix.title} (unsafe: have a look)"
            actions.append(Action(title, edits, [finding], is_safe))
    yield from sorted(actions, key=lambda action: not action.is_safe)


def ignore_comments(session: Session, findings: Iterable[Finding]) -> Iterator[Action]:
    """An ignore comment above each finding's line, where such a comment stops it and does no harm: inside a string it
    would be text."""
    for finding in findings:
        edit = _comment(session, finding)
        if edit is not None and _stops(session, finding, edit):
            yield Action(f"Ignore {finding.rule} on this line", [edit], [finding], False)


def _comment(session: Session, finding: Finding) -> Edit | None:
    path, start, _ = finding.location
    facts = session.facts[path]
    if facts.kind in _WITHOUT_COMMENTS:
        return None
    data = session.read(path)
    line_start = data.rfind(b"\n", 0, start) + 1
    line = data[line_start : start + 1].decode(errors="replace")
    indentation = _INDENTATION.match(line)
    mark = _LINE_COMMENTS.get(facts.kind, "#")
    newline = "\r\n" if b"\r\n" in data else "\n"
    before = indentation.group() if indentation else ""
    if line_start == 0 and data.startswith(b"\xef\xbb\xbf"):
        line_start = 3
    return Edit(path, line_start, line_start, f"{before}{mark} prodlint: ignore[{finding.rule}]{newline}")


def _stops(session: Session, finding: Finding, edit: Edit) -> bool:
    data = session.read(edit.path)
    changed = data[: edit.start] + edit.text.encode() + data[edit.end :]
    after = session.with_overlay({edit.path: changed})
    if after.problems(edit.path) > session.problems(edit.path):
        return False
    return len(after.findings()) < len(session.findings())


def fix_everything(session: Session, path: str, rule: str | None = None, *, unsafe: bool = False) -> list[Edit]:
    """The edits that make all safe fixes of a document, or all fixes of one rule in it, as `check --fix` would."""

    def choose(finding: Finding, fix: object) -> bool:
        if finding.location.path != path or finding.confidence is not Confidence.CERTAIN:
            return False
        if rule is not None and finding.rule != rule:
            return False
        return unsafe or getattr(fix, "applicability", None) is Applicability.SAFE

    try:
        outcome = fix_all(session, choose)
    except FixLoopError:
        return []
    return [edit for name, (old, new) in sorted(outcome.changed.items()) for edit in line_edits(name, old, new)]


def line_edits(path: str, old: bytes, new: bytes) -> Iterator[Edit]:
    """Edits of whole lines that turn `old` into `new`, so that cursors and folds elsewhere stay where they are."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    for tag, first, last, other_first, other_last in difflib.SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            text = b"".join(after[other_first:other_last]).decode(errors="replace")
            yield Edit(path, starts[first], starts[last], text)


def overlapping(findings: Iterable[Finding], text: SourceText, first: int, last: int) -> list[Finding]:
    """The findings that have a line between `first` and `last`, both from 1."""
    return [
        finding
        for finding in findings
        if text.position(finding.location.start).line <= last
        and text.end_position(finding.location.start, finding.location.end).line >= first
    ]
