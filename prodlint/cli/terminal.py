"""What the terminal is like, and what is drawn on it while the user waits."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prodlint import __version__

if TYPE_CHECKING:
    from prodlint.output import Options


def terminal(color: str) -> Options:
    """How to write to the terminal, or whatever standard output is."""
    import shutil

    from prodlint.output import Options

    is_colored = wants_color(color)
    return Options(
        color=is_colored,
        width=min(shutil.get_terminal_size((80, 24)).columns, 120),
        unicode="utf" in (sys.stdout.encoding or "").lower(),
        pages=_pages() if is_colored and has_links(os.environ, sys.stdout.isatty()) else None,
    )


def _pages() -> Path | None:
    from prodlint.analysis.store import default_directory

    directory = default_directory()
    return None if directory is None else directory / f"pages-{__version__}"


def wants_color(choice: str) -> bool:
    """Whether to write in colour, as `--color` and the environment have it."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def has_links(environment: Mapping[str, str], is_terminal: bool) -> bool:
    """Whether standard output makes links of what is marked as one (OSC 8). FORCE_HYPERLINK says so, or that it does
    not; else it has to be a terminal that is known for it."""
    forced = environment.get("FORCE_HYPERLINK")
    if forced is not None:
        return forced not in ("", "0", "false")
    if not is_terminal or "TMUX" in environment or environment.get("TERM", "").startswith(("screen", "tmux")):
        return False
    vte = environment.get("VTE_VERSION", "0")
    return (
        environment.get("TERM_PROGRAM") in _TERMINAL_PROGRAMS
        or environment.get("TERM", "").startswith(_TERMINALS)
        or any(name in environment for name in ("WT_SESSION", "KONSOLE_VERSION", "DOMTERM", "KITTY_WINDOW_ID"))
        or (vte.isdigit() and int(vte) >= _FIRST_VTE)
    )


_TERMINAL_PROGRAMS = frozenset({"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio", "zed", "Tabby"})
_TERMINALS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour")
_FIRST_VTE = 5000


def echo(line: str, err: bool = False) -> None:
    """Prints a line in which there may be something from a linted file: none of it steers the terminal."""
    import click

    from prodlint.output.terminal import printable

    click.echo(printable(line), err=err)


_SEEN = 0.0005
"""Seconds; what takes less would be shown as nothing."""


class Clock:
    """How long each stage took."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._laps: list[tuple[str, float, Mapping[str, float]]] = []

    @property
    def seconds(self) -> float:
        """The time since the start."""
        return time.perf_counter() - self._start

    def lap(self, stage: str, parts: Mapping[str, float] = {}) -> None:
        """Ends a stage, of which `parts` took so many seconds."""
        now = time.perf_counter()
        self._laps.append((stage, now - self._last, parts))
        self._last = now

    def table(self) -> str:
        """One line a stage, with those of its parts that can be seen, the longest first."""
        lines = []
        for stage, seconds, parts in [*self._laps, ("in all", self.seconds, {})]:
            lines.append(f"{seconds:8.3f} s  {stage}")
            longest = sorted(parts.items(), key=lambda part: -part[1])
            lines += [f"{part:10.3f} s  {name}" for name, part in longest if part >= _SEEN]
        return "\n".join(lines)


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
