"""Caddyfiles: every site with its directives.

Source: Caddy's documentation, "Caddyfile Concepts" (structure, snippets, matchers, comments).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec

from prodlint.extract.deployment.nginx import Word
from prodlint.extract.deployment.templates import has_parts, is_template, masked
from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.facts import Artefact, FileFacts, Setting
from prodlint.findings import Span
from prodlint.lazy_regex import regex

KIND = "caddyfile"

_TOKEN = regex(
    rb"""[ \t\r]*+ (?:
        (?P<comment> (?<![^\s]) \#[^\n]*+ )
      | (?P<newline> \n )
      | (?P<quoted> "(?:[^"\\]|\\.)*+"? | `[^`]*+`? )
      | (?P<continued> \\\n )
      | (?P<word> [^\s]++ )
    )""",
    re.VERBOSE | re.DOTALL,
)


class _Line(msgspec.Struct):
    words: list[Word]
    depth: int
    opens: bool


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `site` for each block of sites (and one for a file without braces), one `snippet` for each that
    others `import`; named by its addresses. A setting is a directive at any depth of it: its key the first word, its
    value the others as a JSON list. The file's options are the artefact `options`."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    template = is_template(data)
    comments: list[Span] = []
    lines = list(_lines(masked(data) if template else data, comments))
    if MARKER in data:
        found = (parse_directive(data, start, end, facts.line_starts) for start, end in comments)
        facts.directives = [directive for directive in found if directive is not None]
    facts.artefacts = list(_sites(lines, data, template))
    return facts


def _lines(data: bytes, comments: list[Span]) -> Iterator[_Line]:
    """The lines with something on them, and how deep in braces they stand."""
    depth = 0
    words: list[Word] = []
    at = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    while at < len(data):
        match = _TOKEN.match(data, at)
        if match is None:
            break
        at = match.end()
        kind = match.lastgroup or ""
        start = match.start(kind)
        if kind == "comment":
            comments.append(Span(start, at))
        elif kind == "newline":
            if words:
                yield _Line(words, depth, False)
            words = []
        elif kind == "word" and data[start:at] == b"}" and not words:
            depth = max(0, depth - 1)
        elif kind == "word" and data[start:at] == b"{" and (data[at:].split(b"\n", 1)[0].strip()[:1] in (b"", b"#")):
            yield _Line(words, depth, True)
            words = []
            depth += 1
        elif kind in ("word", "quoted"):
            text = data[start:at].decode("utf-8", "replace")
            words.append(Word(text.strip('"`') if kind == "quoted" else text, start, at))
    if words:
        yield _Line(words, depth, False)


def _sites(lines: list[_Line], data: bytes, template: bool) -> Iterator[Artefact]:
    site: Artefact | None = None
    for number, line in enumerate(lines):
        if line.depth == 0 and line.opens:
            if site is not None:
                yield site
            names = " ".join(word.text for word in line.words)
            kind = "options" if not line.words else "snippet" if re.fullmatch(r"\(\S+\)", names) else "site"
            start = line.words[0].start if line.words else 0
            end = line.words[-1].end if line.words else 0
            site = Artefact(kind, names, start, end, start, end)
        elif line.depth == 0 and site is None and number == 0:
            start, end = line.words[0].start, line.words[-1].end  # a file that is one site, without braces
            site = Artefact("site", " ".join(word.text for word in line.words), start, end, start, end)
        elif site is not None and line.words:
            args = [word.text for word in line.words[1:]]
            unknown = template and any(has_parts(word.text) or "__" in word.text for word in line.words)
            start, end = line.words[0].start, line.words[-1].end
            site.settings.append(Setting(line.words[0].text, None if unknown else json.dumps(args), start, end))
            site.end = end
    if site is not None:
        yield site
