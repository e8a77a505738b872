"""What the terminal is like, and what is drawn on it while the user waits."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prodlint.output import Options


def terminal(color: str) -> Options:
    """How to write to the terminal, or whatever standard output is."""
    import shutil

    from prodlint.output import Options

    return Options(
        color=wants_color(color),
        width=min(shutil.get_terminal_size((80, 24)).columns, 120),
        unicode="utf" in (sys.stdout.encoding or "").lower(),
    )


def wants_color(choice: str) -> bool:
    """Whether to write in colour, as `--color` and the environment have it."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


class Clock:
    """How long each stage took."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._laps: list[tuple[str, float]] = []

    @property
    def seconds(self) -> float:
        """The time since the start."""
        return time.perf_counter() - self._start

    def lap(self, stage: str) -> None:
        """Ends a stage."""
        now = time.perf_counter()
        self._laps.append((stage, now - self._last))
        self._last = now

    def table(self) -> str:
        """One line a stage."""
        return "\n".join(f"{seconds:8.3f} s  {stage}" for stage, seconds in [*self._laps, ("in all", self.seconds)])


def shows_progress(options: Mapping[str, Any]) -> bool:
    """Whether somebody is there to see a progress bar."""
    return sys.stderr.isatty() and not options.get("quiet") and os.environ.get("TERM") != "dumb"


class ProgressBar:
    """A bar on standard error for runs that take longer than a second; it leaves nothing behind."""

    _PATIENCE = 1.0
    _INTERVAL = 0.1

    def __init__(self) -> None:
        self._next = time.monotonic() + self._PATIENCE
        self._is_drawn = False

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_drawn:
            self._write("\r\x1b[K")

    def update(self, done: int, total: int) -> None:
        """Draws the bar, if it is time to."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self._INTERVAL
        self._is_drawn = True
        share = done / total if total else 1.0
        full = int(30 * share)
        self._write(f"\rReading files  [{'#' * full}{'.' * (30 - full)}]  {share:.0%}\x1b[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
