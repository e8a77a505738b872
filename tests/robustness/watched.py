"""Runs prodlint, and writes down all that Python's audit events say of what it did.

    watched.py REPORT COMMAND…

The REPORT has an event a line: its name and its first arguments. Worker processes write to it too.
"""

from __future__ import annotations

import os
import sys
from types import CodeType

MARK = "carried-by-linted-files"
"""A word in every linted file: what compiles it compiles linted code."""

WATCHED = (
    "open",
    "compile",
    "exec",
    "subprocess.",
    "os.",
    "shutil.",
    "socket.",
    "urllib.",
    "ftplib.",
    "http.",
    "smtplib.",
)


def _shown(argument: object) -> str:
    if isinstance(argument, CodeType):
        return f"code of {argument.co_filename}"
    text = os.fsdecode(argument) if isinstance(argument, bytes | os.PathLike) else repr(argument)
    return text if isinstance(argument, str | os.PathLike) else text[:200]


def _watch(report: int) -> None:
    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if not event.startswith(WATCHED):
            return
        row = [event, *(str(argument) if isinstance(argument, str) else _shown(argument) for argument in arguments)]
        if event == "compile" and MARK in repr(arguments[0]):
            row[1] = MARK
        elif event == "compile":
            row[1] = ""
        os.write(report, ("\t".join(row).replace("\n", " ") + "\n").encode(errors="replace"))

    sys.addaudithook(hook)


if __name__ == "__main__":
    descriptor = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sys.argv = ["prodlint", *sys.argv[2:]]
    del sys.path[0]  # this folder
    _watch(descriptor)
    from prodlint.cli import main

    main()
