"""Writes the manual page, prodlint(1), from the commands and their options: `python scripts/build_man.py [FILE]`.

The build hook puts it into the wheel. The format is that of man(7).
"""

from __future__ import annotations

import os
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from prodlint import __version__
from prodlint.cli import cli

EXIT = [
    ("0", "Nothing was found at or above --fail-on."),
    ("1", "Findings; with --diff, something would be changed."),
    ("2", "Something went wrong: wrong usage, a broken configuration, or a failure of prodlint itself."),
]
ENVIRONMENT = [
    ("NO_COLOR", "If set, there is no colour."),
    ("FORCE_COLOR", "If set, there is colour even where the output is no terminal."),
    ("FORCE_HYPERLINK", "1 makes links of the names of rules, 0 does not, whatever the terminal is."),
    ("PRODLINT_CACHE_DIR", "Where the cache is."),
]
FILES = [
    ("prodlint.toml", "The settings of a project, which may be in the table tool.prodlint of pyproject.toml, too."),
    (".prodlint-baseline.json", "The findings that are known, as prodlint baseline has written them down."),
]


def main() -> None:
    """Writes the page to a file, or to standard output."""
    page = manual()
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(page, encoding="utf-8")
    else:
        sys.stdout.write(page)


def manual() -> str:
    """The page. Its date is that of SOURCE_DATE_EPOCH, or today."""
    moment = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()))
    return "".join(f"{line}\n" for line in _lines(time.strftime("%Y-%m-%d", moment)))


def _lines(date: str) -> Iterator[str]:
    context = click.Context(cli, info_name="prodlint", max_content_width=10_000, terminal_width=10_000)
    head, _, rest = (cli.help or "").partition("\n\n")
    yield f'.TH PRODLINT 1 {date} "prodlint {__version__}" "User Commands"'
    yield ".SH NAME"
    yield rf"prodlint \- {_text(head.strip().rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield r"\fBprodlint\fR \fICOMMAND\fR [\fIOPTIONS\fR] [\fIARGUMENTS\fR]"
    yield ".SH DESCRIPTION"
    yield from _paragraphs(rest)
    yield ".SH COMMANDS"
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if command is not None:
            yield from _command(name, command, context)
    for title, entries in (("EXIT STATUS", EXIT), ("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)):
        yield f".SH {title}"
        for term, about in entries:
            yield from _entry(term, about)


def _command(name: str, command: click.Command, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent, max_content_width=10_000, terminal_width=10_000)
    yield f'.SS "{_text(" ".join(["prodlint", name, *command.collect_usage_pieces(context)]))}"'
    yield from _paragraphs(command.help or "")
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1]:
            yield from _entry(*record)


def _entry(term: str, about: str) -> Iterator[str]:
    yield ".TP"
    yield rf"\fB{_text(term)}\fR"
    yield from _wrapped(about)


def _paragraphs(text: str) -> Iterator[str]:
    """Prose; paragraphs after a form feed, which click leaves as they are, keep their lines."""
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        lines = [line.strip() for line in paragraph.strip().splitlines() if line.strip() not in ("", "\b")]
        if number:
            yield ".PP"
        if "\b" in paragraph:
            yield ".nf"
            yield from map(_text, lines)
            yield ".fi"
        else:
            yield from _wrapped(" ".join(lines))


def _wrapped(text: str) -> Iterator[str]:
    return map(_text, textwrap.wrap(text, 70, break_long_words=False, break_on_hyphens=False))


def _text(text: str) -> str:
    """The text with nothing in it that roff would act upon."""
    text = (
        text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("'", "\\(aq").replace("`", "\\(ga")
    )
    return f"\\&{text}" if text.startswith(".") else text


if __name__ == "__main__":
    main()
