"""`.env` files, as dotenv, Docker Compose and `EnvironmentFile=` read them, where they agree.

Sources: the documentation of dotenv and python-dotenv, and the Compose specification, "env_file format".
"""

from __future__ import annotations

import re

from prodlint.extract.deployment.templates import is_template
from prodlint.extract.deployment.variables import expand, has_variables
from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.facts import Artefact, FileFacts, Setting
from prodlint.lazy_regex import regex

KIND = "dotenv"

_LINE = regex(
    rb"(?m)^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.-]*)[ \t]*=[ \t]*"
    rb"(?P<value>\"(?:\\.|[^\"\\])*\"|'[^']*'|[^\r\n]*)"
)
_COMMENT = regex(rb"(?m)^[ \t]*(#[^\r\n]*)")


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `env_file` with the settings `env.*`."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    template = is_template(data)
    settings = []
    for match in _LINE.finditer(data):
        raw = match["value"]
        start, end = match.span("value")
        literal = raw.startswith(b"'")
        if raw[:1] in (b"'", b'"'):
            raw = raw[1:-1]
        else:
            raw = re.split(rb"(?:^|\s)#", raw)[0].rstrip()
            end = start + len(raw)
        text = raw.decode("utf-8", "replace")
        varies = not literal and has_variables(text)
        value = expand(text, {}) if varies else text
        if template and "{" in text:
            value = None
        settings.append(Setting(f"env.{match['name'].decode()}", value, start, end, text if varies else ""))
    facts.artefacts.append(Artefact("env_file", "", 0, len(data), 0, 0, settings))
    if MARKER in data:
        found = (parse_directive(data, *match.span(1), facts.line_starts) for match in _COMMENT.finditer(data))
        facts.directives = [directive for directive in found if directive is not None]
    return facts
