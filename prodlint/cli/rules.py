"""`prodlint rule` and `prodlint rules`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from prodlint.cli import CLEAN
from prodlint.cli.options import COLOR, complete_rules
from prodlint.cli.terminal import terminal

if TYPE_CHECKING:
    from prodlint.output import Options
    from prodlint.rulebook import Rule


def _rules() -> dict[str, Rule]:
    from prodlint.rulebook import RulebookError, load_rules

    try:
        return load_rules()
    except RulebookError as error:
        raise click.ClickException(str(error)) from error


@click.command()
@click.argument("name", shell_complete=complete_rules)
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@COLOR
def rule(name: str, output_format: str, color: str) -> int:
    """Explain the rule NAME: why it exists, what it flags, what it leaves alone. For a practice: list its rules."""
    rules = _rules()
    practice = [each for each in rules.values() if each.practice == name]
    if practice:
        _show_practice(name, practice, output_format, color)
        return CLEAN
    if name not in rules:
        from prodlint.project.settings import suggestion

        known = [*rules, *(each.practice for each in rules.values())]
        raise click.UsageError(f'no rule is called "{name}"{suggestion(name, known) or "; see prodlint rules"}')
    if output_format == "json":
        click.echo(_rules_json([rules[name]])[1:-1].strip())
    else:
        for row in _page(rules[name], terminal(color)):
            click.echo(row, nl=False, color=True)
    return CLEAN


def _page(rule: Rule, options: Options) -> Iterator[str]:
    from prodlint.output.markdown import render_page

    facts = [rule.practice, rule.severity, ", ".join(rule.languages), f"since {rule.since}"]
    facts.append("no fix" if rule.fix == "none" else f"{rule.fix} fix")
    if rule.is_preview:
        facts.append("preview: runs only with --preview or if selected by name")
    head, _, rest = rule.page.partition("\n")
    yield from render_page(f"{head}\n\n{rule.summary}\n\n{' · '.join(facts)}\n{rest}", options)


@click.command()
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@COLOR
def rules(output_format: str, color: str) -> int:
    """List all rules by practice."""
    known = list(_rules().values())
    if output_format == "json":
        click.echo(_rules_json(known))
        return CLEAN
    from itertools import groupby

    widest = max(len(rule.name) for rule in known)
    for practice, group in groupby(known, key=lambda rule: rule.practice):
        _list_rules(practice, list(group), widest, color)
    return CLEAN


def _show_practice(practice: str, rules: Sequence[Rule], output_format: str, color: str) -> None:
    if output_format == "json":
        click.echo(_rules_json(rules))
    else:
        _list_rules(practice, rules, max(len(rule.name) for rule in rules), color)


def _list_rules(practice: str, rules: Sequence[Rule], widest: int, color: str) -> None:
    """The rules of a practice, a line each, their names in a column of this width."""
    from prodlint.output.terminal import UNICODE, Painter

    options = terminal(color)
    painter = Painter(options.color, UNICODE)
    click.echo(painter.paint("strong", practice), color=True)
    for rule in rules:
        status = " (preview)" if rule.is_preview else ""
        name = painter.link(options.page_of(rule), rule.name) + " " * (widest - len(rule.name))
        click.echo(f"  {name}  {rule.summary}{painter.paint('faint', status)}", color=True)


def _rules_json(rules: Sequence[Rule]) -> str:
    from prodlint.output.json_text import json_text

    keys = ("name", "practice", "summary", "severity", "languages", "fix", "since", "status", "page")
    shown = [{key: getattr(rule, key) for key in keys} for rule in rules]
    return json_text(shown)
