"""`prodlint baseline`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from prodlint.cli import CLEAN, FAILED, FOUND
from prodlint.cli.options import CONFIG, cache_options
from prodlint.cli.sessions import one_line, open_session
from prodlint.cli.terminal import echo


@click.command()
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--check", "mode", flag_value="check", help="Write nothing; exit with 1 if the file would change.")
@click.option("--prune", "mode", flag_value="prune", help="Only take out what is found no longer.")
@click.option("-o", "--output-file", type=click.Path(dir_okay=False), help="The file, if it is not the project's own.")
@click.option("--preview/--no-preview", default=None, help="With rules that still have to prove themselves.")
@CONFIG
@cache_options
def baseline(paths: tuple[str, ...], mode: str | None, output_file: str | None, **options: Any) -> int:
    """Write down today's findings, so that `prodlint check` shows only new ones.

    The file is .prodlint-baseline.json in the project's root; commit it. With PATHS only their findings are written
    anew.
    """
    from prodlint.analysis.baseline import (
        BASELINE_NAME,
        BaselineError,
        entries_of,
        read_baseline,
        split,
        write_baseline,
    )
    from prodlint.findings import Confidence
    from prodlint.output import in_order

    with ExitStack() as stack:
        session = open_session(paths, options, stack)
        findings = in_order(session.findings())
        errors = [error for error in session.analysis.errors if error.is_failure]
    path = Path(output_file) if output_file else session.project.root / BASELINE_NAME
    reports = session.project.reports
    try:
        old = read_baseline(path) if path.exists() else []
        stale = {entry for entry in split(findings, session.read, old).stale if reports(entry.path)}
        new = [entry for entry in old if entry not in stale]
        if mode != "prune":
            today = [
                entry
                for finding, entry in zip(findings, entries_of(findings, session.read), strict=True)
                if reports(entry.path) and finding.confidence is Confidence.CERTAIN
            ]
            new = sorted({*today, *new})
        added = len(set(new) - set(old))
        if mode != "check" and (new != old or not path.exists()):
            write_baseline(path, new)
    except BaselineError as error:
        raise click.ClickException(str(error)) from error
    for failed in errors:
        echo(one_line(session, failed), err=True)
    verb = "would be " if mode == "check" else ""
    click.echo(
        f"{len(new)} finding{'s' * (len(new) != 1)} in {path.name}: {added} {verb}added, {len(stale)} {verb}taken out."
    )
    if errors:
        return FAILED
    return FOUND if mode == "check" and (added or stale) else CLEAN
