"""An ignore comment that ignores nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import Directive
from prodlint.findings import Applicability, Edit, Finding, Fix
from prodlint.lazy_regex import regex

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_OPENER = regex(rb"\{?\s*(?://|#|;|/\*+|<!--)\s*(?=prodlint:)")
_NAMES = regex(rb"[^\[]*+(\[[^\]]*+\])")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Nothing: which comments were needed is known only when all other checks have run, so the engine asks
    `prodlint.analysis.suppressions.unused` then."""
    yield from ()


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Corrects misspelt names, else removes the comment, or the names of the rules that it is not needed for."""
    path = finding.location.path
    facts = program.facts[path]
    directive = facts.directives[finding.data["directive"]]
    text = program.read(path)
    comment = text[directive.start : directive.end]
    if not _OPENER.match(comment):
        return "the comment says more than that"
    meant = finding.data["meant"]
    kept = [meant.get(name, name) for name in directive.rules if name in meant or name not in finding.data["rules"]]
    names = _NAMES.match(comment)
    if kept and names:
        start, end = directive.start + names.start(1), directive.start + names.end(1)
        edit = Edit(path, start, end, f"[{', '.join(kept)}]")
    else:
        edit = Edit(path, *_removed(directive, text), "")
    title = "Correct the name of the rule" if meant else "Remove what ignores nothing"
    return Fix(title, Applicability.SAFE, (edit,))


def _removed(directive: Directive, text: bytes) -> tuple[int, int]:
    """The comment with its whole line, if it stands alone, else with the blanks before it."""
    start, end = directive.start, directive.end
    if not directive.own_line:
        return len(text[:start].rstrip(b" \t")), end
    line_start = max(text.rfind(b"\n", 0, start), text.rfind(b"\r", 0, start)) + 1
    line_end = re.compile(rb"[^\r\n]*(?:\r\n?|\n|\Z)").match(text, end)
    return line_start, line_end.end() if line_end else end
