"""The options that several commands have, and what their values mean."""

from __future__ import annotations

from collections.abc import Callable

import click

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
            from prodlint.settings import suggestion

            raise click.BadParameter(f"no format is called {name!r}{suggestion(name, FORMATS)}")
        found.append((name, "" if file == "-" else file))
    files = [file for _, file in found]
    if len(set(files)) < len(files):
        raise click.BadParameter("two formats cannot go to the same place")
    return tuple(found)


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
