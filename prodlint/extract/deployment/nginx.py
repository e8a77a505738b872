"""nginx configuration: every directive with its place and the block that it stands in.

Source: the grammar is `ngx_conf_read_token` of nginx's `src/core/ngx_conf_file.c`; lua-nginx-module's documentation
for `*_by_lua_block`. `scan` gives the directives of a text, `extract` a file's facts. Nothing is inherited here and no
`include` is followed: what is in force where takes several files, see `prodlint.program.proxies.nginx_config`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from prodlint.extract.deployment.templates import has_parts, is_template, marks, masked
from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.facts import Artefact, FileFacts, Setting, SyntaxProblem
from prodlint.findings import Span
from prodlint.lazy_regex import regex

KIND = "nginx"

TABLES = frozenset({"map", "geo", "types", "split_clients", "match", "charset_map", "keyval"})
"""Blocks whose lines are data, not directives; they can be very long."""

_TOKEN = regex(
    rb"""[ \t\r\n]*+ (?:
        (?P<comment> \#[^\n]*+ )
      | (?P<mark> [;{}] )
      | (?P<double> " (?: [^"\\]++ | \\. )*+ "? )
      | (?P<single> ' (?: [^'\\]++ | \\. )*+ '? )
      | (?P<word> (?: \$\{++ | \\. | \\\Z | [^ \t\r\n;{\\$]++ | \$ )++ )
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = regex(rb"\\([\"'\\trn])")
_ESCAPES = {b"t": b"\t", b"r": b"\r", b"n": b"\n"}
_LUA = regex(
    rb"--\[(?P<comment>=*+)\[|--[^\n]*+|\[(?P<text>=*+)\[|\"(?:[^\"\\\n]++|\\.)*+\"?|'(?:[^'\\\n]++|\\.)*+'?|[{}]|\[=*+",
    re.DOTALL,
)
_DEEPEST = 100


class Word(NamedTuple):
    """One argument: its text without quotes and escapes, and where it is written, quotes included."""

    text: str
    start: int
    end: int


class Directive(NamedTuple):
    """`name args;` or `name args { … }`, at the bytes `[start, end)`, the semicolon or the closing brace included."""

    name: str
    args: tuple[Word, ...]
    start: int
    end: int
    head_end: int
    """Where the last word ends."""
    parent: int
    """The directive, by its number, in whose block it stands; -1 for the file itself."""
    body: Span | None = None
    """What is between its braces, if it has a block."""


class Scan(NamedTuple):
    """All that is in a text: the directives in the order in which they start, and what is not sound."""

    directives: list[Directive]
    problems: list[SyntaxProblem]
    comments: list[Span]


def scan(data: bytes) -> Scan:
    """The directives of a text. The marks of template languages are taken for parts of words, `{% … %}` for nothing."""
    return _Scanner(data).run()


class _Scanner:
    def __init__(self, data: bytes) -> None:
        self._original = data
        self._data = masked(data) if is_template(data) else data
        self._found: list[Directive] = []
        self._problems: list[SyntaxProblem] = []
        self._comments: list[Span] = []
        self._open: list[int] = []
        self._too_deep = 0

    def run(self) -> Scan:
        data = self._data
        at = 3 if data.startswith(b"\xef\xbb\xbf") else 0
        words: list[Word] = []
        while match := _TOKEN.match(data, at):
            at = match.end()
            kind = match.lastgroup
            start = match.start(kind or 0)
            if kind == "comment":
                self._comments.append(Span(start, at))
            elif kind != "mark":
                words.append(self._word(start, at, kind))
            elif data[start] == ord("}"):
                self._flush(words)
                self._close(start, at)
            elif words and data[start] == ord("{"):
                at = self._begin(words, at)
                words = []
            elif words:
                self._add(words, at)
                words = []
            elif data[start] == ord("{"):
                self._problems.append(SyntaxProblem("a block without a name", start, at))
                self._too_deep += 1
        self._flush(words)
        for number in self._open:
            opened = self._found[number]
            self._problems.append(
                SyntaxProblem(f"the block of `{opened.name}` is not closed", opened.start, opened.head_end)
            )
            self._found[number] = opened._replace(
                end=len(data), body=Span(opened.body[0], len(data)) if opened.body else None
            )
        return Scan(self._found, self._problems, self._comments)

    def _word(self, start: int, end: int, kind: str | None) -> Word:
        raw = self._original[start:end]
        if kind in ("double", "single"):
            if len(raw) < 2 or raw[-1] != raw[0] or _is_escaped(raw):
                line = raw.split(b"\n", 1)[0].rstrip()
                self._problems.append(SyntaxProblem("a quote is not closed", start, start + len(line)))
            raw = raw[1:].removesuffix(raw[:1])
        if b"\\" in raw:
            raw = _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]), raw)
        return Word(raw.decode("utf-8", "replace"), start, end)

    def _add(self, words: list[Word], end: int, body: Span | None = None) -> None:
        parent = self._open[-1] if self._open else -1
        first = words[0]
        self._found.append(Directive(first.text, tuple(words[1:]), first.start, end, words[-1].end, parent, body))

    def _flush(self, words: list[Word]) -> None:
        """What is left over where a block or the file ends: a directive whose semicolon is missing."""
        if words:
            self._problems.append(
                SyntaxProblem(f"`{words[0].text}` does not end with a semicolon", words[0].start, words[-1].end)
            )
            self._add(words, words[-1].end)
            words.clear()

    def _begin(self, words: list[Word], at: int) -> int:
        """Opens a block; returns where to read on."""
        if words[0].text.endswith("_by_lua_block"):
            end = _lua_end(self._data, at)
            self._add(words, end, Span(at, max(at, end - 1)))
            return end
        if len(self._open) >= _DEEPEST:
            self._too_deep += 1
            return at
        self._add(words, at, Span(at, at))
        self._open.append(len(self._found) - 1)
        return at

    def _close(self, start: int, end: int) -> None:
        if self._too_deep:
            self._too_deep -= 1
        elif self._open:
            number = self._open.pop()
            opened = self._found[number]
            self._found[number] = opened._replace(end=end, body=Span(opened.body[0] if opened.body else start, start))
        else:
            self._problems.append(SyntaxProblem("a closing brace without a block", start, end))


def _is_escaped(raw: bytes) -> bool:
    """Whether the last byte stands behind a backslash that is not escaped itself."""
    body = raw[:-1]
    return (len(body) - len(body.rstrip(b"\\"))) % 2 == 1


def _lua_end(data: bytes, at: int) -> int:
    """Behind the brace that closes a block of Lua which starts at `at`."""
    depth = 1
    while match := _LUA.search(data, at):
        at = match.end()
        if match.group() == b"{":
            depth += 1
        elif match.group() == b"}":
            depth -= 1
            if not depth:
                return at
        elif (level := match["comment"] if match["text"] is None else match["text"]) is not None:
            closing = b"]%s]" % level  # of a long comment or text, which has no escapes
            end = data.find(closing, at)
            if end < 0:
                break
            at = end + len(closing)
    return len(data)


# --- facts ------------------------------------------------------------------------------------------------------------


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `file`, and one for each block, its `kind` the block's name (`server`, `location`, `upstream`…).

    The name of a block is its way from the file (`http/server/location#2`), `parent` the name of the block around it.
    A setting is a directive: its value is the arguments as a JSON list, None where a template fills them in. A block's
    own arguments are its setting `args`. What no directive is, but is filled in by a template, is an `include` of
    something unknown. Blocks of data (`map`, `types`) have no settings.
    """
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    template = is_template(data)
    result = scan(data)
    if not template:
        facts.problems = result.problems
    if MARKER in data:
        found = (parse_directive(data, start, end, facts.line_starts) for start, end in result.comments)
        facts.directives = [directive for directive in found if directive is not None]
    top = Artefact("file", "", 0, len(data), 0, 0)
    facts.artefacts.append(top)
    artefacts: dict[int, Artefact] = {-1: top}
    taken: Counter[str] = Counter()
    for number, directive in enumerate(result.directives):
        around = artefacts.get(directive.parent)
        if around is None or around.kind in TABLES:
            continue
        setting = _setting(directive, template)
        if directive.body is None:
            around.settings.append(setting)
            continue
        name = f"{around.name}/{directive.name}".lstrip("/")
        taken[name] += 1
        if taken[name] > 1:
            name = f"{name}#{taken[name]}"
        artefact = Artefact(
            directive.name,
            name,
            directive.start,
            directive.end,
            directive.start,
            directive.head_end,
            parent=around.name,
        )
        artefact.settings.append(setting)
        setting.key = "args"
        artefacts[number] = artefact
        facts.artefacts.append(artefact)
    if template:
        for gap in _filled_in(data, result.directives):
            around = artefacts.get(gap[1], top)
            around.settings.append(Setting("include", None, gap[0].start, gap[0].end))
    return facts


def _setting(directive: Directive, template: bool) -> Setting:
    name = directive.name
    args: list[str] = [word.text for word in directive.args]
    unknown = template and any(map(has_parts, args))
    if has_parts(name) or name.startswith("$"):
        name, unknown = "include", True  # a variable of envsubst or a template, which stands for whole directives
    return Setting(name, None if unknown else json.dumps(args), directive.start, directive.end)


def _filled_in(data: bytes, directives: list[Directive]) -> Iterator[tuple[Span, int]]:
    """The tags of a template that stand for no value, each with the number of the block that it stands in."""
    bodies = [(directive.body, number) for number, directive in enumerate(directives) if directive.body is not None]
    around: list[tuple[Span, int]] = []  # the innermost last
    following = 0
    for span in marks(data):
        while following < len(bodies) and bodies[following][0].start <= span.start:
            around.append(bodies[following])
            following += 1
        while around and around[-1][0].end <= span.start:
            around.pop()
        if not data.startswith((b"{{", b"{#", b"<%="), span.start):
            yield span, around[-1][1] if around else -1


_SIGNS = regex(
    rb"^[ \t]*+(?:(?:http|server|stream|events)[ \t]*\{|upstream[ \t]++[\w.${}-]+[ \t]*\{|location[ \t]++[^;{}\n]++\{"
    rb"|(?:proxy|uwsgi|grpc)_pass[ \t]++[^;\n]++;|proxy_(?:set_header|cache|http_version|redirect)[ \t]++[^;\n]++;"
    rb"|gzip(?:_\w+)?[ \t]++[^;\n]++;|(?:map|geo|split_clients)[ \t]++[^;{}\n]*\$\w++[ \t]*+\{)",
    re.MULTILINE,
)


def looks_like(beginning: bytes) -> bool:
    """Whether the beginning of a file is nginx configuration, whatever the file is called."""
    return _SIGNS.search(beginning) is not None
