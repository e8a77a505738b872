"""`prodlint lsp`."""

from __future__ import annotations

import os
from typing import NoReturn

import click

from prodlint.cli import CLEAN, FOUND


@click.command()
@click.option(
    "--tcp", metavar="PORT", type=click.IntRange(1, 65535), help="Listen on this port, not on standard input."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
def lsp(tcp: int | None, host: str) -> NoReturn:
    """Start the language server, for editors."""
    try:
        from prodlint.lsp.server import serve
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise click.ClickException("the language server needs pygls: pip install 'prodlint[lsp]'") from error
    try:
        code = CLEAN if serve(host, tcp) else FOUND  # 0 and 1, as the protocol has it
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{tcp}: {error.strerror or error}") from error
    os._exit(code)  # else Python would wait for an analysis that nobody will see
