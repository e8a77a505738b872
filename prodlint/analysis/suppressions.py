"""Ignore comments: which findings they stop, and which of them stop nothing.

`prodlint: ignore[rule] reason` covers its own line, or the line below where it stands alone; it stops a finding that
begins or ends on that line. `prodlint: ignore-file[rule]` covers the file. For rules that follow calls the comment is
also a barrier on a call; that is the program's part, and counts as used here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from prodlint.facts import Directive, DirectiveKind, FileFacts
from prodlint.findings import Finding, Location
from prodlint.project.settings import nearest, suggestion

UNUSED_RULE = "unused-ignore"
"""The rule under which comments that stop nothing are reported. Only the engine knows them: its check finds none."""

_Used = set[tuple[str, int, str]]
"""Path, index into the file's directives, and the rule that was stopped."""


class Suppressed(msgspec.Struct, frozen=True):
    """Findings after the ignore comments had their say."""

    kept: list[Finding]
    stopped: list[Finding]
    used: _Used


def suppress(findings: Iterable[Finding], files: Mapping[str, FileFacts]) -> Suppressed:
    """Takes away the findings that a comment in their file stops."""
    covers: dict[str, dict[int, list[int]]] = {}
    kept: list[Finding] = []
    used: _Used = set()
    stopped: list[Finding] = []
    for finding in findings:
        path = finding.location.path
        facts = files.get(path)
        if facts is None or not facts.directives:
            kept.append(finding)
            continue
        if path not in covers:
            covers[path] = _by_line(facts)
        stops = {index for line in (0, *_lines(finding.location, facts)) for index in covers[path].get(line, ())}
        stops = {index for index in stops if _names(facts.directives[index], finding.rule)}
        used.update((path, index, finding.rule) for index in stops)
        (stopped if stops else kept).append(finding)
    return Suppressed(kept, stopped, used)


def _names(directive: Directive, rule: str) -> bool:
    return not directive.rules or rule in directive.rules


def _lines(location: Location, facts: FileFacts) -> tuple[int, int]:
    starts = facts.line_starts
    return bisect_right(starts, location.start), bisect_right(starts, max(location.start, location.end - 1))


def _by_line(facts: FileFacts) -> dict[int, list[int]]:
    """The directives (by index) that cover each line; line 0 is the file. A comment alone on its line that is followed
    by another one covers what that one covers."""
    next_line = {
        bisect_right(facts.line_starts, directive.start): directive.line
        for directive in facts.directives
        if directive.own_line and directive.kind is DirectiveKind.IGNORE
    }
    covers: dict[int, list[int]] = defaultdict(list)
    for index, directive in enumerate(facts.directives):
        line = directive.line if directive.kind is DirectiveKind.IGNORE else 0
        while directive.own_line and next_line.get(line, line) > line:
            line = next_line[line]
        covers[line].append(index)
    return covers


def unused(
    files: Mapping[str, FileFacts],
    used: Collection[tuple[str, int, str]],
    barriers: Collection[tuple[str, int]],
    ran: Collection[str],
    known: Collection[str],
) -> Iterator[Finding]:
    """A finding for each comment that stops nothing. `barriers` are directives (path, index) that the program used,
    `ran` the rules that ran, `known` all rules. Comments for rules that did not run are left alone; so is, unless all
    known rules ran, one for all rules."""
    working = {(path, index) for path, index, _ in used} | set(barriers)
    for path, facts in files.items():
        if facts.problems:
            continue  # where the file cannot be read, nothing is found either
        for index, directive in enumerate(facts.directives):
            if not directive.rules:
                idle = (path, index) not in working and set(known) <= {*ran, UNUSED_RULE}
                if idle:
                    yield _finding(path, index, directive, [], "no finding is here")
                continue
            strangers = [rule for rule in directive.rules if rule not in known]
            if strangers:
                hint = suggestion(strangers[0], known)
                meant = {name: near for name in strangers if (near := nearest(name, known))}
                yield _finding(path, index, directive, strangers, f'no rule is called "{strangers[0]}"{hint}', meant)
                continue
            idle_rules = [
                rule
                for rule in directive.rules
                if rule in ran and (path, index, rule) not in used and (path, index) not in barriers
            ]
            if idle_rules:
                yield _finding(path, index, directive, idle_rules, f"no finding of {_listed(idle_rules)} is here")


def _finding(
    path: str, index: int, directive: Directive, rules: Sequence[str], why: str, meant: Mapping[str, str] = {}
) -> Finding:
    """`meant`: the rules that names which are none stand for, most likely."""
    return Finding(
        rule=UNUSED_RULE,
        message=f"This comment ignores nothing: {why}" + ("" if why.endswith("?") else "."),
        location=Location(path, directive.start, directive.end),
        data={"directive": index, "rules": tuple(rules), "meant": dict(meant)},
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
