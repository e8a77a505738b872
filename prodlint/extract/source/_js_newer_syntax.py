"""Syntax of ECMAScript and TypeScript that the grammars do not know yet, written so that they do.

What is put in its place has the same length, so that offsets stay as they are, and the same facts come of it.

Sources: TC39's proposals Import Attributes, Deferred Import Evaluation, Source Phase Imports, Decorators (`accessor`),
Explicit Resource Management; ECMA-262, "Template Literals" (escapes in tagged ones); TypeScript's release notes 4.7
(`in` and `out`), 5.0 (`export type *`).
"""

from __future__ import annotations

import re

from prodlint.lazy_regex import regex

_BLANKED = (
    # export … from './a.json' with { type: 'json' }
    regex(rb"\bfrom\s*+(?:'[^'\n]*+'|\"[^\"\n]*+\")\s*+((?:with|assert)\s*+\{[^{}]*+\})"),
    # @decorated accessor name = 1
    regex(rb"(?<![\w$.])(accessor)(?=[ \t]++(?!(?:in|of|as|instanceof|satisfies)\b)[\w$#\[\"'])"),
    # import defer * as name
    regex(rb"\bimport\s++(defer)(?=\s*+\*)"),
    # import source name from './a.wasm'
    regex(rb"\bimport\s++(source)(?=\s++[\w$]++\s++from\b)"),
    # import.source('./a.wasm'), import.defer('./a.js')
    regex(rb"\bimport(\s*+\.\s*+(?:source|defer))(?=\s*+\()"),
    # tag`\unicode and \xerxes`
    regex(rb"(\\)(?:u(?!\{[0-9a-fA-F]|[0-9a-fA-F]{4})|x(?![0-9a-fA-F]{2}))"),
)
_BLANKED_TYPES = (
    # class A<in out T>
    regex(rb"[<,]\s*+((?:in\s++)?+(?:out\s++)?+)(?=[A-Za-z_$])"),
    # export type * from './a'
    regex(rb"\bexport\s++(type)(?=\s*+\*)"),
    # import('./a').B<string>
    regex(
        rb"\bimport\s*+\(\s*+(?:'[^'\n]*+'|\"[^\"\n]*+\")\s*+\)(?:\.[\w$]++)++"
        rb"(<[^<>();]*+(?:<[^<>();]*+>[^<>();]*+)*+>)"
    ),
)
_USING = regex(rb"\bfor\s*+(?:await\s*+)?+\(\s*+((?:await\s++)?+using)(?=\s++[\w$]++\s++of\b)")


def in_older_syntax(data: bytes, *, typed: bool) -> bytes:
    """The text of a file in syntax that the grammars know, as far as it can be told; `typed`: it may have types."""
    for pattern in (*_BLANKED, *(_BLANKED_TYPES if typed else ())):
        data = pattern.sub(_blank, data)
    return _USING.sub(_const, data) if typed else data


def _blank(match: re.Match[bytes]) -> bytes:
    return _replaced(match, b"")


def _const(match: re.Match[bytes]) -> bytes:
    return _replaced(match, b"const")


def _replaced(match: re.Match[bytes], text: bytes) -> bytes:
    """All of a match, `text` and blanks in the place of its group; line ends stay."""
    start, end = match.start(1) - match.start(), match.end(1) - match.start()
    rest = match[1][len(text) :]
    blanks = bytes(byte if byte in b"\r\n" else 0x20 for byte in rest)
    return match[0][:start] + text + blanks + match[0][end:]
