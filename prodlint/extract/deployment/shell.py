"""Shell scripts: their text, for what starts a service through them.

Source: POSIX, "Shell Command Language", as far as `prodlint.extract.deployment.commands` reads it.
"""

from __future__ import annotations

from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.facts import Artefact, FileFacts, Setting
from prodlint.lazy_regex import regex

KIND = "shell"

_LONGEST = 20_000
"""Bytes; a script that starts a service is short."""
_COMMENT = regex(rb"(?m)^[ \t]*(#[^\r\n]*)")


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `shell_script` with the setting `command.shell`: the whole text, unknown if that is long."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    text = data.decode("utf-8", "replace").replace("\r\n", "\n") if len(data) <= _LONGEST else None
    facts.artefacts.append(
        Artefact("shell_script", "", 0, len(data), 0, 0, [Setting("command.shell", text, 0, len(data))])
    )
    if MARKER in data:
        found = (parse_directive(data, *match.span(1), facts.line_starts) for match in _COMMENT.finditer(data))
        facts.directives = [directive for directive in found if directive is not None]
    return facts
