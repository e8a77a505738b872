"""`prodlint facts`."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from prodlint.cli import CLEAN, FAILED
from prodlint.cli.options import CONFIG, cache_options
from prodlint.cli.sessions import is_reported, one_line, open_session
from prodlint.cli.terminal import echo


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option("--output-format", type=click.Choice(["json", "msgpack"]), default="json", show_default=True)
@click.option("-o", "--output-file", type=click.Path(dir_okay=False), help="Write the facts to this file.")
@CONFIG
@cache_options
def facts(paths: tuple[str, ...], output_format: str, output_file: str | None, **options: Any) -> int:
    """Print what prodlint sees in PATHS, before any rule judges it.

    With --output-format msgpack the facts are a shard for `prodlint check --facts`: the files of a large project can be
    read on several machines, and checked together on one.
    """
    from prodlint.analysis.fact_shards import as_json, shard_of
    from prodlint.project.file_writing import write_report

    with ExitStack() as stack:
        session = open_session(paths, options, stack)
        found = {path: facts for path, facts in session.facts.items() if session.project.reports(path)}
    files = [file for file in session.project.files if file.path in found]
    if output_format == "json":
        data = as_json(found).encode() + b"\n"
    else:
        data = shard_of((file, session.read(file.path), found[file.path]) for file in files)
    if output_file is None:
        sys.stdout.buffer.write(data)
    else:
        try:
            write_report(Path(output_file), data)
        except OSError as error:
            raise click.FileError(output_file, error.strerror) from error
    errors = [error for error in session.errors() if is_reported(session, error)]
    for failed in errors:
        echo(one_line(session, failed), err=True)
    return FAILED if any(error.is_failure for error in errors) else CLEAN
