"""`prodlint explain`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import click

from prodlint.cli import CLEAN
from prodlint.cli.options import CONFIG, cache_options
from prodlint.cli.sessions import open_session
from prodlint.cli.terminal import say
from prodlint.numerals import whole_number


@click.command()
@click.argument("place", metavar="PATH:LINE")
@CONFIG
@cache_options
def explain(place: str, **options: Any) -> int:
    """Say who gets to a line of code: a request, start-up, a script, and on which way."""
    from prodlint.analysis.explain import explain as explained

    path, _, line = place.rpartition(":")
    number = whole_number(line)
    if not path or number is None:
        raise click.UsageError(f"expected PATH:LINE, not {place!r}")
    with ExitStack() as stack:
        session = open_session([path], options, stack)
        _ = session.facts
    (given,) = session.project.given or {path}
    try:
        for row in explained(session, given, number):
            say(row)
    except LookupError as error:
        raise click.ClickException(str(error.args[0])) from error
    return CLEAN
