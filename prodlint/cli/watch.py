"""`prodlint check --watch`: lints again whenever a file of the project changes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import NoReturn

import click

from prodlint.analysis.session import Session
from prodlint.cli.terminal import echo
from prodlint.project.settings import ConfigError
from prodlint.project.vfs import Stamp

_PAUSE_SECONDS = 0.4
_MOST_OF_THE_TIME = 10
"""The walk that looks for changes may take one part in this many of the time."""

Report = Callable[[Session], object]


def watch(session: Session, reopen: Callable[[], Session], report: Report) -> NoReturn:
    """Calls `report` with `session` and each later state of the project, until the user ends it. `reopen` opens the
    project anew when its configuration has changed; a broken one is told, and the next change waited for."""
    _told(report, session)
    before = session.stamps()
    while True:
        started = time.monotonic()
        now = session.stamps()
        taken = time.monotonic() - started
        changed = _differences(before, now)
        before = now
        if not changed:
            time.sleep(max(_PAUSE_SECONDS, taken * _MOST_OF_THE_TIME))
            continue
        click.clear()
        try:
            session = reopen() if "" in changed else session.with_disk_changes(changed, {})
        except (ConfigError, click.ClickException) as error:
            echo(f"Error: {error if isinstance(error, ConfigError) else error.format_message()}", err=True)
            continue
        _told(report, session)


def _told(report: Report, session: Session) -> None:
    report(session)
    sys.stdout.flush()
    click.echo("\nWatching for changes; end with Ctrl-C.", err=True)


def _differences(before: Mapping[str, Stamp | None], now: Mapping[str, Stamp | None]) -> set[str]:
    return {path for path in {*before, *now} if path not in now or path not in before or before[path] != now[path]}
