"""`prodlint init`."""

from __future__ import annotations

from pathlib import Path

import click

from prodlint.cli import CLEAN


@click.command()
@click.argument("folder", default=".", type=click.Path(file_okay=False, exists=True))
def init(folder: str) -> int:
    """Write a commented configuration to start from, into FOLDER's pyproject.toml or a new prodlint.toml."""
    from prodlint.project.settings import ConfigError
    from prodlint.project.starter_config import write_config

    try:
        path = write_config(Path(folder))
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Wrote {path}")
    return CLEAN
