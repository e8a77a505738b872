"""`prodlint services`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import click

from prodlint.cli import CLEAN
from prodlint.cli.options import CONFIG, cache_options
from prodlint.cli.sessions import open_session


@click.command()
@click.argument("paths", nargs=-1, type=click.Path())
@CONFIG
@cache_options
def services(paths: tuple[str, ...], **options: Any) -> int:
    """Print the services that prodlint found in the project, and what it knows about them."""
    with ExitStack() as stack:
        session = open_session(paths, options, stack)
        _ = session.facts
    found = session.program.services
    from prodlint.output.services import render

    for line in render(found):
        click.echo(line)
    if not found:
        click.echo("No service found: nothing in the project says what is deployed.", err=True)
    return CLEAN
