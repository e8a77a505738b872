"""HAProxy configuration: every section with its lines.

Source: HAProxy's configuration manual, 2.1 "Configuration file format", 2.2 "Quoting and escaping", 4 "Proxies".
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from prodlint.extract.deployment.nginx import Word
from prodlint.extract.deployment.templates import has_parts, is_template, masked
from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.facts import Artefact, FileFacts, Setting, SyntaxProblem
from prodlint.findings import Span
from prodlint.lazy_regex import regex

KIND = "haproxy"

PROXIES = frozenset({"frontend", "backend", "listen", "defaults"})
_SECTIONS = PROXIES | {
    "global", "userlist", "peers", "resolvers", "mailers", "cache", "program", "http-errors", "ring", "log-forward",
    "fcgi-app", "crt-store", "traces", "acme", "log-profile",
}  # fmt: skip
_WORD = regex(rb"""(?: [^\s"'\\#]++ | "(?:[^"\\]|\\.)*+"? | '[^']*+'? | \\. | \\$ )++""", re.VERBOSE)
_QUOTED = regex(r"""\\(.)|"((?:[^"\\]|\\.)*)"?|'([^']*)'?""", re.DOTALL)


class Line(NamedTuple):
    """One line that says something: its words, and where it is written, without its comment."""

    words: tuple[Word, ...]
    start: int
    end: int

    @property
    def is_section(self) -> bool:
        """Whether a section begins here."""
        return self.words[0].text in _SECTIONS


def scan(data: bytes) -> tuple[list[Line], list[Span], list[SyntaxProblem]]:
    """The lines of a text, its comments, and quotes that are not closed."""
    text = masked(data) if is_template(data) else data
    lines: list[Line] = []
    comments: list[Span] = []
    problems: list[SyntaxProblem] = []
    for match in re.finditer(rb"[^\n]+", text):
        at, end = match.start(), match.end()
        at += 3 * (at == 0 and text.startswith(b"\xef\xbb\xbf"))
        words: list[Word] = []
        while at < end:
            if text[at : at + 1].isspace():
                at += 1
            elif text[at : at + 1] == b"#":
                comments.append(Span(at, end))
                break
            else:
                found = _WORD.match(text, at, end)
                stop = found.end() if found else at + 1
                raw = data[at:stop].decode("utf-8", "replace")
                if raw.count('"') % 2 and "'" not in raw and '\\"' not in raw:
                    problems.append(SyntaxProblem("a quote is not closed", at, stop))
                words.append(Word(_unquoted(raw), at, stop))
                at = stop
        if words:
            lines.append(Line(tuple(words), words[0].start, words[-1].end))
    return lines, comments, problems


def _unquoted(raw: str) -> str:
    if not re.search(r"[\"'\\]", raw):
        return raw
    return _QUOTED.sub(lambda match: match[1] or re.sub(r"\\(.)", r"\1", match[2] or "") or match[3] or "", raw)


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact for each section, its `kind` the section's (`frontend`, `backend`, `listen`, `defaults`, `global`…),
    its name the kind and what it is called: `backend app`. `parent` is the `defaults` section that it takes from. A
    setting is a line: its key the first word, its value the others as a JSON list, None where a template fills
    them in."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    template = is_template(data)
    lines, comments, problems = scan(data)
    if MARKER in data:
        found = (parse_directive(data, start, end, facts.line_starts) for start, end in comments)
        facts.directives = [directive for directive in found if directive is not None]
    facts.artefacts = list(_sections(lines, template))
    if any(artefact.kind in PROXIES for artefact in facts.artefacts) and not template:
        facts.problems = problems
    return facts


def _sections(lines: list[Line], template: bool) -> Iterator[Artefact]:
    section: Artefact | None = None
    defaults = ""
    named: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for line in lines:
        first = line.words[0]
        if line.is_section:
            if section is not None:
                yield section
            words = [word.text for word in line.words]
            name = " ".join(words[:2])
            taken[name] += 1
            if taken[name] > 1:
                name = f"{name}#{taken[name]}"
            parent = named.get(words[3], "") if words[2:3] == ["from"] and len(words) > 3 else defaults
            is_defaults = first.text == "defaults"
            section = Artefact(first.text, name, line.start, line.end, line.start, line.end)
            if is_defaults:
                defaults = name
                named[words[1] if len(words) > 1 else ""] = name
                section.parent = named.get(words[3], "") if words[2:3] == ["from"] and len(words) > 3 else ""
            elif first.text in PROXIES:
                section.parent = parent
        elif section is not None:
            args = [word.text for word in line.words[1:]]
            unknown = template and any(map(has_parts, (first.text, *args)))
            section.settings.append(Setting(first.text, None if unknown else json.dumps(args), line.start, line.end))
            section.end = line.end
    if section is not None:
        yield section


_SIGNS = regex(rb"^(?:frontend|backend|listen|defaults)\b[^={}\n]*$", re.MULTILINE)
_LINES = regex(rb"^[^\S\n]++(?:bind|server|balance|default_backend|mode|timeout|option)\s+\S", re.MULTILINE)


def looks_like(beginning: bytes) -> bool:
    """Whether the beginning of a file is HAProxy configuration, whatever the file is called."""
    return _SIGNS.search(beginning) is not None and _LINES.search(beginning) is not None
