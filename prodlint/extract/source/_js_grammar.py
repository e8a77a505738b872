"""The tree-sitter grammars of JavaScript, TypeScript and TSX, and the text of their nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tree_sitter import Language, Node, Query

from prodlint.extract.parsing import parse
from prodlint.lazy_regex import regex

FUNCTION_TYPES = frozenset(
    {
        "function_declaration",
        "generator_function_declaration",
        "function_expression",
        "generator_function",
        "arrow_function",
    }
)
CLASS_TYPES = frozenset({"class_declaration", "abstract_class_declaration", "class"})

ERROR_KIND_ID = 0xFFFF
"""The `kind_id` of ERROR nodes, the same in every grammar."""

MISREAD_AWAIT = regex(r"await\s*+\(|await\s(?:(?!await\s)[^;\n<])*+<")
"""What the grammars may misread: `await (f)` as a call of a function named `await`, `await f<T>()` as a call of what
`await f` gives."""

PROLOGUE = regex(r"[\"']use (?:client|server)[\"']")
"""Directives that say where a module or function runs."""

AWAIT_KEYWORD = regex(r"await(?![\w$])\s*")

_USING = "(using_declaration (variable_declarator) @const)"
"""Only the JavaScript grammar knows it by this name."""

_ESCAPE = regex(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|[\s\S]))")
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r\n": "", "\r": ""}


@cache
def language(kind: str) -> Language:
    """Return the grammar for files of `kind`: `javascript`, `typescript` or `tsx`."""
    if kind == "javascript":
        import tree_sitter_javascript

        return Language(tree_sitter_javascript.language())
    import tree_sitter_typescript

    tsx = kind == "tsx"
    return Language(tree_sitter_typescript.language_tsx() if tsx else tree_sitter_typescript.language_typescript())


class Syntax(NamedTuple):
    """A parsed file."""

    root: Node
    grammar: str
    """What it was parsed as: `javascript`, `typescript` or `tsx`."""


def syntax_of(data: bytes, kind: str) -> Syntax:
    """Return the syntax tree of a file of `kind`; raises `TooHard`.

    JavaScript can have types in it, Flow's, which no suffix tells and the grammar of JavaScript does not know. That of
    TSX is near enough to read nearly all of them: where a file is broken as JavaScript, the one that reads more wins.
    So does, where a file is broken, one in which syntax that the grammars do not know is written in another way.
    """
    best = Syntax(parse(language(kind), data).root_node, kind)
    if not best.root.has_error:
        return best
    from prodlint.extract.source._js_newer_syntax import in_older_syntax

    for grammar in (kind, "tsx") if kind == "javascript" else (kind,):
        older = in_older_syntax(data, typed=grammar != "javascript")
        for text in dict.fromkeys((data, older)):
            if best.root.has_error and (grammar != kind or text != data):
                other = parse(language(grammar), text).root_node
                if _broken(other) < _broken(best.root):
                    best = Syntax(other, grammar)
    return best


def _broken(root: Node) -> int:
    """How many bytes of a tree make no sense, and what is missing."""
    count = 0
    pending = [root]
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            count += node.end_byte - node.start_byte + 1
        elif node.has_error:
            pending.extend(node.children)
    return count


@cache
def scope_query(kind: str) -> Query:
    """Return the one query that is run over files of `kind`."""
    folder = Path(__file__).parent
    patterns = (folder / "javascript.scm").read_text(encoding="utf-8")
    if kind == "javascript":
        patterns += _USING
    else:
        patterns += (folder / "typescript.scm").read_text(encoding="utf-8")
    return Query(language(kind), patterns)


class Source:
    """The text of a file, by byte offsets."""

    __slots__ = ("_latin",)

    def __init__(self, data: bytes) -> None:
        # One character per byte, so that slices by byte offset need no decoding where the text is ASCII.
        self._latin = data.decode("latin-1")

    def between(self, start: int, end: int) -> str:
        """Return the text of the bytes `[start, end)`."""
        text = self._latin[start:end]
        return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")

    def of(self, node: Node) -> str:
        """Return the text of `node`."""
        text = self._latin[node.start_byte : node.end_byte]
        return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")

    def has(self, pattern: re.Pattern[str]) -> bool:
        """Return whether `pattern`, an ASCII one, occurs anywhere."""
        return pattern.search(self._latin) is not None

    def all(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Return the matches of `pattern`, an ASCII one."""
        return pattern.finditer(self._latin)

    def string(self, node: Node) -> str:
        """Return the value of a string literal, or of a template without substitutions."""
        text = self.between(node.start_byte + 1, node.end_byte - 1)
        return unescape(text) if "\\" in text else text


def unescape(text: str) -> str:
    """Return what the inside of a string literal stands for."""
    return _ESCAPE.sub(_unescape_one, text)


def _unescape_one(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if digits is None:
        return _CONTROL.get(match[4], match[4])
    code = int(digits, 16)
    is_character = code < 0x110000 and not 0xD800 <= code < 0xE000
    return chr(code) if is_character else "\N{REPLACEMENT CHARACTER}"
