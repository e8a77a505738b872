"""What the user told prodlint about the project, for linking: things that no file says."""

from __future__ import annotations

import msgspec


class Hints(msgspec.Struct, frozen=True):
    """The table `[tool.prodlint.project]`. Names are dotted paths as a file would import them (`shop.http.endpoint`).

    `handlers`: decorators that make a request handler of what they decorate, and functions that register the
    functions passed to them as request handlers. `offloaders`: decorators and functions that run what they are given
    in a thread or a process. `loggers`: objects to log with. `scripts` and `tests`: globs, relative to the project
    root, of files that no service runs.
    """

    handlers: tuple[str, ...] = ()
    offloaders: tuple[str, ...] = ()
    loggers: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
