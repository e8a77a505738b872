"""The options that several commands have, and what their values mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

FORMATS = (
    *("text", "concise", "json", "sarif", "github", "gitlab", "azure", "junit", "checkstyle", "sonarqube", "markdown"),
)
"""The names of `prodlint.output.FORMATS`, which would have to be imported for every `--help`."""


def names(_context: click.Context, _option: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """The values of an option that can be repeated and takes lists, as one tuple."""
    return tuple(name.strip() for item in value for name in item.split(",") if name.strip())


def outputs(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The formats and files of `--output`; "" is standard output."""
    found = []
    for value in values:
        name, _, file = value.partition("=")
        if name not in FORMATS:
            from prodlint.project.settings import suggestion

            raise click.BadParameter(f"no format is called {name!r}{suggestion(name, FORMATS)}")
        found.append((name, "" if file == "-" else file))
    files = [file for _, file in found]
    if len(set(files)) < len(files):
        raise click.BadParameter("two formats cannot go to the same place")
    return tuple(found)


def complete_rules(_context: click.Context, _option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The rules whose names begin with what is typed."""
    return _completions(incomplete, with_practices=False)


def complete_names(_context: click.Context, _option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The rules and practices whose names begin with what is typed behind the last comma."""
    return _completions(incomplete, with_practices=True)


def _completions(incomplete: str, with_practices: bool) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from prodlint.rulebook import PRACTICES, RulebookError, load_rules

    before, comma, last = incomplete.rpartition(",")
    try:
        rules = load_rules()
    except RulebookError:  # said when the command runs
        return []
    known = {name: rule.summary for name, rule in rules.items()}
    if with_practices:
        known = {**dict.fromkeys(PRACTICES, "all rules of this practice"), **known}
    return [
        CompletionItem(f"{before}{comma}{name}", help=summary)
        for name, summary in known.items()
        if name.startswith(last)
    ]


def complete_outputs(_context: click.Context, _option: click.Parameter, incomplete: str) -> list[str]:
    """The formats, each with the sign behind which a file is named."""
    return [f"{name}=" for name in FORMATS if name.startswith(incomplete)]


COLOR = click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)


Command = Callable[..., int]


def cache_options(command: Command) -> Command:
    """The options of every command that extracts facts."""
    folder = click.option(
        "--cache-dir",
        type=click.Path(file_okay=False),
        envvar="PRODLINT_CACHE_DIR",
        show_envvar=True,
        help="Where the cache is.",
    )
    return click.option("--no-cache", is_flag=True, help="Neither read nor write the cache.")(folder(command))


CONFIG = click.option("--config", type=click.Path(dir_okay=False), help="Read the settings from this file.")
