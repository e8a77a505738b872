"""`prodlint check --fix --interactive`: a person decides about each fix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from prodlint import __version__
from prodlint.analysis.session import Session
from prodlint.findings import Finding, Fix
from prodlint.fixes.combine import combine
from prodlint.fixes.diff import unified_diff
from prodlint.output import Options, Report, in_order
from prodlint.output.terminal import Painter, printable
from prodlint.output.text import FindingView, painter_of

_ANSWERS = {
    "y": "make this fix",
    "n": "leave it",
    "a": "make this fix and all others of this rule",
    "s": "skip this rule",
    "q": "quit: make what was chosen so far",
}
_STYLES = {"+": "good", "-": "error", "@": "faint"}


class Interview:
    """Asks about the fixes of one state of a project, and remembers what was said."""

    def __init__(self, session: Session, options: Options, name: Callable[[str], str]) -> None:
        """`name` gives a path as the user knows it."""
        report = Report(
            findings=in_order(session.findings()),
            rules=session.rules,
            severity_of=session.severity_of,
            fix_for=session.fix_for,
            edits_of=session.edits_of,
            read=session.read,
            root=session.project.root,
            cwd=Path.cwd(),
            version=__version__,
        )
        self._session = session
        self._painter = painter_of(options)
        self._view = FindingView(report, self._painter, options)
        self._name = name
        self._first = {id(finding) for finding in session.findings()}
        self._rules: dict[str, bool] = {}
        self._is_over = False

    def asks(self, finding: Finding, fix: Fix) -> bool:
        """Whether the fix is to be made. What comes up only after other fixes were made is left for the next run:
        nobody has seen the code that it would change."""
        if self._is_over or id(finding) not in self._first:
            return False
        if finding.rule in self._rules:
            return self._rules[finding.rule]
        self._show(finding, fix)
        answer = self._answer()
        if answer in ("a", "s"):
            self._rules[finding.rule] = answer == "a"
        self._is_over = answer == "q"
        return answer in ("y", "a")

    def _show(self, finding: Finding, fix: Fix) -> None:
        click.echo(err=True)
        for row in self._view.rows(finding, fix):
            click.echo(row, err=True, color=True)
        made = combine([(finding, fix)], self._session.read)
        changed = {self._name(path): (self._session.read(path), text.content) for path, text in made.texts.items()}
        for line in unified_diff(changed).decode(errors="replace").splitlines():
            click.echo(_painted(self._painter, line), err=True, color=True)

    def _answer(self) -> str:
        while True:
            try:
                text = click.prompt(f"Make this fix? [{','.join(_ANSWERS)},?]", err=True, prompt_suffix=" ")
            except click.Abort:  # the end of the input
                return "q"
            answer = text.strip().lower()[:1]
            if answer in _ANSWERS:
                return answer
            for key, meaning in _ANSWERS.items():
                click.echo(f"  {key}  {meaning}", err=True)


def _painted(painter: Painter, line: str) -> str:
    return painter.paint(_STYLES.get(line[:1], ""), printable(line))
