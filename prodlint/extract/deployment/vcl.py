"""Varnish configuration (VCL): its backends, and the statements of its subroutines.

Source: the Varnish reference manual, "VCL" (syntax, statements, backend definition).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from prodlint.extract.deployment.templates import is_template, masked
from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.facts import Artefact, FileFacts, Setting, SyntaxProblem
from prodlint.findings import Span
from prodlint.lazy_regex import regex

KIND = "vcl"

_TOKEN = regex(
    rb"""\s*+ (?:
        (?P<comment> \#[^\n]*+ | //[^\n]*+ | /\*.*?(?:\*/|\Z) )
      | (?P<string> \{".*?(?:"\}|\Z) | \"\"\".*?(?:\"\"\"|\Z) | "[^"\n]*+"? )
      | (?P<mark> [;{}()] )
      | (?P<word> [^\s;{}()"\#/]++ | / )
    )""",
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `backend` for each backend, with its settings `host` and `port`, one `director` for each, and one
    artefact `sub` for each subroutine. The settings of that are its statements, in order: `statement` for one that
    always runs, `perhaps` for one under a condition, with the words as a text. Artefact `file` has the settings
    `include`."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    template = is_template(data)
    tokens, comments = _tokens(masked(data) if template else data)
    if MARKER in data:
        found = (parse_directive(data, start, end, facts.line_starts) for start, end in comments)
        facts.directives = [directive for directive in found if directive is not None]
    top = Artefact("file", "", 0, len(data), 0, 0)
    facts.artefacts = [top, *_definitions(tokens, top, template, facts.problems)]
    if template:
        facts.problems = []
    return facts


def _tokens(data: bytes) -> tuple[list[_Token], list[Span]]:
    found: list[_Token] = []
    comments: list[Span] = []
    at = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    while match := _TOKEN.match(data, at):
        at = match.end()
        kind = match.lastgroup or ""
        start = match.start(kind)
        if kind == "comment":
            comments.append(Span(start, at))
        else:
            found.append(_Token(kind, data[start:at].decode("utf-8", "replace"), start, at))
    return found, comments


def _definitions(
    tokens: Sequence[_Token], top: Artefact, template: bool, problems: list[SyntaxProblem]
) -> Iterator[Artefact]:
    at = 0
    taken: Counter[str] = Counter()
    while at < len(tokens):
        head = tokens[at]
        end = _end(tokens, at)
        if end >= len(tokens) and tokens[-1].text not in (";", "}"):
            problems.append(SyntaxProblem(f"`{head.text}` does not end", head.start, head.end))
        inner = tokens[at:end]
        last = inner[-1]
        if head.text == "include" and len(inner) > 1:
            value = None if template else inner[1].text.strip('"{}')
            top.settings.append(Setting("include", value, head.start, last.end))
        elif head.text in ("backend", "sub", "probe", "acl") and len(inner) > 1:
            name = f"{head.text} {inner[1].text}"
            taken[name] += 1
            name = name if taken[name] == 1 else f"{name}#{taken[name]}"
            artefact = Artefact(head.text, name, head.start, last.end, head.start, inner[1].end)
            body = inner[3:-1]
            artefact.settings = list(_statements(body) if head.text == "sub" else _fields(body, template))
            yield artefact
        at = end


def _end(tokens: Sequence[_Token], at: int) -> int:
    """Behind the semicolon, or the closing brace, that ends what starts at token `at`."""
    depth = 0
    while at < len(tokens):
        text = tokens[at].text if tokens[at].kind == "mark" else ""
        at += 1
        if text == "{":
            depth += 1
        elif text == "}":
            depth -= 1
            if depth <= 0:
                return at
        elif text == ";" and depth == 0:
            return at
    return at


def _fields(tokens: Sequence[_Token], template: bool) -> Iterator[Setting]:
    """`.host = "web";` as `host`. What a field holds in braces is passed over."""
    depth = 0
    for at, token in enumerate(tokens):
        depth += {"{": 1, "}": -1}.get(token.text, 0) if token.kind == "mark" else 0
        if not depth and token.text.startswith(".") and at + 2 < len(tokens):
            value = tokens[at + 2]
            if value.text != "{":
                unknown = template and ("__" in value.text)
                yield Setting(token.text[1:], None if unknown else value.text.strip('"'), token.start, value.end)


def _statements(tokens: Sequence[_Token]) -> Iterator[Setting]:
    depth = 0
    words: list[_Token] = []
    for token in tokens:
        if token.kind == "mark" and token.text in "{};":
            if token.text == ";" and words:
                key = "perhaps" if depth else "statement"
                yield Setting(key, _joined(words), words[0].start, token.end)
            depth += {"{": 1, "}": -1}.get(token.text, 0)
            words = []
        else:
            words.append(token)


def _joined(words: Sequence[_Token]) -> str:
    """The words with one blank between them, and none inside parentheses: `return(pass)`."""
    return re.sub(r"(?<!\s)\s*+([()])\s*+", r"\1", " ".join(word.text for word in words))
