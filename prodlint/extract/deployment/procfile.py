"""Procfiles: a name, a colon and a command on each line.

Source: Heroku's documentation of the Procfile format. Foreman, Honcho, Overmind and Dokku read the same.
"""

from __future__ import annotations

from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.facts import Artefact, FileFacts, Setting
from prodlint.lazy_regex import regex

KIND = "procfile"

_LINE = regex(rb"(?m)^[ \t]*(?P<name>[A-Za-z0-9_-]+)[ \t]*:[ \t]*(?P<command>[^\r\n]*?)[ \t]*\r?$")
_COMMENT = regex(rb"(?m)^[ \t]*(#[^\r\n]*)")


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `process` for each line, with the setting `command.shell`."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    for match in _LINE.finditer(data):
        start, end = match.span("command")
        setting = Setting("command.shell", match["command"].decode("utf-8", "replace"), start, end)
        name = match["name"].decode()
        facts.artefacts.append(
            Artefact("process", name, match.start(), end, match.start("name"), match.end("name"), [setting])
        )
    if MARKER in data:
        found = (parse_directive(data, *match.span(1), facts.line_starts) for match in _COMMENT.finditer(data))
        facts.directives = [directive for directive in found if directive is not None]
    return facts
