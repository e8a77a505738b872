"""INI files, as supervisord and uWSGI read them: sections, `key = value`, values that go on on lines that are indented.

Sources: Python's `configparser`, which supervisord uses, and uWSGI's documentation, "Configuring uWSGI".
"""

from __future__ import annotations

import re
from typing import NamedTuple

from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.facts import FileFacts
from prodlint.lazy_regex import regex

_SECTION = regex(rb"\[([^\]\n]+)\]")


class Line(NamedTuple):
    """`[section]`, with an empty key, or `key = value` with the lines that continue it."""

    section: str
    key: str
    value: str
    start: int
    end: int
    value_start: int


def scan(data: bytes) -> list[Line]:
    """The lines that say something, in order. A comment is a line of its own, or stands behind a blank and `;`."""
    found: list[Line] = []
    section = ""
    at = 0
    while at < len(data):
        start = at
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        at = end + 1
        line = data[start:end]
        text = line.strip()
        if not text or text[:1] in b"#;":
            continue
        if line[:1] in b" \t" and found and found[-1].key:
            before = found[-1]
            value = f"{before.value}\n{_said(text)}" if before.value else _said(text)
            found[-1] = before._replace(value=value, end=start + len(line.rstrip()))
        elif match := _SECTION.match(text):
            section = match.group(1).decode("utf-8", "replace").strip()
            found.append(Line(section, "", "", start, start + len(line.rstrip()), start))
        else:
            name_part, separator, value_part = _divided(text)
            if separator:
                behind = start + line.index(separator) + 1
                behind += len(data[behind:end]) - len(data[behind:end].lstrip())
                name = name_part.strip().decode("utf-8", "replace")
                last = start + len(line.rstrip())
                found.append(Line(section, name, _said(value_part.strip()), start, last, min(behind, last)))
    return found


def _divided(text: bytes) -> tuple[bytes, bytes, bytes]:
    equals, colon = text.find(b"="), text.find(b":")
    return text.partition(b":" if 0 <= colon < equals or equals < 0 else b"=")


def _said(text: bytes) -> str:
    return re.split(r"\s;", text.decode("utf-8", "replace"))[0].rstrip()


def facts_for(kind: str, data: bytes) -> FileFacts:
    """Facts with the places of lines and the ignore comments."""
    facts = FileFacts(kind, line_starts=line_starts_of(data))
    if MARKER in data:
        comments = ((match.start(1), match.end()) for match in re.finditer(rb"(?m)^[ \t]*([#;][^\r\n]*)", data))
        found = (parse_directive(data, start, end, facts.line_starts) for start, end in comments)
        facts.directives = [directive for directive in found if directive is not None]
    return facts
