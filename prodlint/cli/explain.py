"""`prodlint explain`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import click

from prodlint.cli import CLEAN
from prodlint.cli.options import CONFIG, cache_options
from prodlint.cli.sessions import open_session
from prodlint.cli.terminal import echo
from prodlint.lazy_regex import regex
from prodlint.numerals import whole_number

_PLACE = regex(r"(?P<path>[^\0]+?):(?P<line>\d+)(?::\d+)?(?:-\d+(?::\d+)?)?")
"""As `concise` and other tools print places and ranges; only the line counts."""


@click.command()
@click.argument("place", metavar="PATH:LINE[:COLUMN]")
@CONFIG
@cache_options
def explain(place: str, **options: Any) -> int:
    """Show what reaches a line: requests, start-up or scripts, and how; for a deployment file, its services."""
    from prodlint.analysis.explain import explain as explained

    match = _PLACE.fullmatch(place)
    number = whole_number(match["line"]) if match else None
    if match is None or number is None:
        raise click.UsageError(f"expected PATH:LINE or PATH:LINE:COLUMN, not {place!r}")
    path = match["path"]
    with ExitStack() as stack:
        session = open_session([path], options, stack)
        _ = session.facts
    (given,) = session.project.given or {path}
    try:
        for row in explained(session, given, number):
            echo(row)
    except LookupError as error:
        raise click.ClickException(str(error.args[0])) from error
    return CLEAN
