"""`prodlint services`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import click

from prodlint.cli import CLEAN
from prodlint.cli.options import CONFIG, cache_options
from prodlint.cli.sessions import open_session
from prodlint.cli.terminal import echo


@click.command()
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@CONFIG
@cache_options
def services(paths: tuple[str, ...], output_format: str, **options: Any) -> int:
    """Print the services that prodlint found in the project of PATHS, and what it knows about them.

    That is which file each starts from, all ways in which it is deployed, and what each of them says of the
    environment, restarts, the user, health checks and processes.
    """
    with ExitStack() as stack:
        session = open_session(paths, options, stack)
        _ = session.facts
    from prodlint.output.services import as_json, render
    from prodlint.program.services import services_in

    if output_format == "json":
        from prodlint.output.json_text import json_text

        click.echo(json_text(as_json(session.program)))
        return CLEAN
    for line in render(session.program):
        echo(line)
    if not services_in(session.program):
        click.echo("No service found: nothing in the project says what is deployed.", err=True)
    return CLEAN
