"""Which findings are shown together: those that one cause has, so that it is read once.

Formats for machines have each finding by itself. For people, the findings of one rule in one file are one block, as are
those that stand behind one call, in whatever file; and what is said word for word of many files is said once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import chain
from typing import NamedTuple

from prodlint.findings import Finding, Location, Severity
from prodlint.lazy_regex import regex

_MANY = 4
"""In as many files the same words are one block."""
_VARIABLE = regex(r"This (?:query|`[^`\n]*` call) \(`[^`\n]*`\)|`[^`\n]*`|\d+")
"""What differs between two texts that say the same: code, the calls as `spoken` has them, and numbers."""
_SENTENCE_END = regex(r"(?<=[.!?])\s+(?=[A-Z`])")

_Group = list[int]
"""Findings, by their numbers."""


class FindingBlock(NamedTuple):
    """Findings that are shown together. `head` is shown in full, of the others their places."""

    head: Finding
    others: Sequence[Finding]


def blocks(findings: Sequence[Finding], severity_of: Callable[[Finding], Severity]) -> list[FindingBlock]:
    """The findings in blocks, in the order of their first ones; in a block they keep the order they are given in."""

    def kind(finding: Finding) -> Hashable:
        return finding.rule, severity_of(finding), finding.confidence

    def in_file(group: _Group) -> Hashable:
        first = findings[group[0]]
        return kind(first), first.location.path

    def behind_call(group: _Group) -> Hashable:
        calls = {first_call(findings[number]) for number in group}
        return None if None in calls or len(calls) > 1 else (kind(findings[group[0]]), *calls)

    def with_words(group: _Group) -> Hashable:
        words = {findings[number].message for number in group}
        first = findings[group[0]]
        return None if first.trace or len(words) > 1 else (kind(first), *words)

    groups = _merged([[number] for number in range(len(findings))], in_file)
    groups = _merged(groups, behind_call)
    groups = _merged(groups, with_words, least=_MANY)
    return [FindingBlock(findings[first], [findings[number] for number in others]) for first, *others in groups]


def _merged(groups: Sequence[_Group], key: Callable[[_Group], Hashable], least: int = 2) -> list[_Group]:
    """The groups, of which those with the same key are one, if they are at least so many. None is no key."""
    by_key: dict[Hashable, list[_Group]] = {}
    for number, group in enumerate(groups):
        by_key.setdefault(key(group) or number, []).append(group)
    merged = []
    for same in by_key.values():
        merged += [sorted(chain.from_iterable(same))] if len(same) >= least else same
    return sorted(merged)


def first_call(finding: Finding) -> Location | None:
    """The first call on the way to a finding, behind the registration of its handler; None where it has no such."""
    return finding.trace[1].location if len(finding.trace) > 1 else None


def pattern(text: str) -> str:
    """A text without what differs between two that say the same: code and numbers."""
    return _VARIABLE.sub("`…`", text)


def news(message: str, before: Sequence[str]) -> str:
    """What a message says that the messages above it in its block do not, names and numbers apart: all of it where it
    begins differently. Each time that it changes, it is told how a place is reached; what to do is told once."""
    *last, advice = _sentences(message)
    above = set(map(pattern, _sentences(before[-1])))
    if last and pattern(last[0]) not in map(pattern, _sentences(before[0])):
        return message
    advised = {pattern(_sentences(text)[-1]) for text in before}
    told = [sentence for sentence in last if pattern(sentence) not in above]
    return " ".join([*told, *([advice] if pattern(advice) not in advised | above else [])])


def _sentences(message: str) -> list[str]:
    return _SENTENCE_END.split(message)
