"""JavaScript and TypeScript files as syntax trees, for the toolbox: nodes by span, and the style of a file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import PurePosixPath
from typing import NamedTuple

from tree_sitter import Node

from prodlint.extract.source._js_grammar import CLASS_TYPES, FUNCTION_TYPES, syntax_of
from prodlint.findings import Span
from prodlint.fixes.text import BOM

KINDS = {".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx"}

DECLARATIONS = frozenset({"lexical_declaration", "variable_declaration"})
FUNCTIONS = FUNCTION_TYPES | {"method_definition"}
ENDED_BY_SEMICOLON = DECLARATIONS | {
    "expression_statement",
    "import_statement",
    "return_statement",
    "throw_statement",
    "break_statement",
    "continue_statement",
}

CONTINUES_A_LINE = ("(", "[", "`", "+", "-", "/")
"""What a line must not start with after a statement that has no semicolon."""


class Style(NamedTuple):
    """How a file is written, by majority."""

    quote: str
    semicolons: bool
    indent: str
    newline: str
    esm: bool
    """`import`, not `require` (by what the file does, else by its suffix)."""
    typescript: bool
    declare: str
    """The keyword of its `require`s: `const`, `var` or `let`."""
    brace_space: bool
    """`{ a }`, not `{a}`."""

    def string(self, text: str) -> str:
        """`text` as a string literal."""
        escaped = text.replace("\\", "\\\\").replace(self.quote, f"\\{self.quote}").replace("\n", "\\n")
        return f"{self.quote}{escaped}{self.quote}"

    def braces(self, inner: str) -> str:
        """`inner` in braces, as the file writes imported names."""
        return f"{{ {inner} }}" if self.brace_space else f"{{{inner}}}"


class File(NamedTuple):
    """A parsed file."""

    path: str
    source: bytes
    root: Node
    style: Style

    def text(self, node: Node) -> str:
        """The text of a node."""
        return self.source[node.start_byte : node.end_byte].decode()

    def enclosing(self, span: Span) -> Node | None:
        """The smallest node around `span`; None where the code there is broken, or inside a string or comment."""
        if not 0 <= span.start <= span.end <= len(self.source):
            return None
        node = self.root.descendant_for_byte_range(span.start, span.end)
        if node is None or node.is_error or node.type in {"comment", "string_fragment", "template_string", "regex"}:
            return None
        return node

    def at(self, span: Span, *kinds: str) -> Node | None:
        """The outermost node of one of `kinds` at exactly `span`."""
        node = self.enclosing(span)
        found = None
        while node is not None and (node.start_byte, node.end_byte) == tuple(span):
            if node.type in kinds:
                found = node
            node = node.parent
        return None if found is not None and found.has_error else found

    def expression(self, span: Span) -> Node | None:
        """The outermost expression at exactly `span`."""
        node = self.enclosing(span)
        found = None
        while node is not None and (node.start_byte, node.end_byte) == tuple(span):
            if is_expression(node):
                found = node
            node = node.parent
        if found is None or found.has_error or node is None or node.type in {"decorator", "type_query"}:
            return None
        return found


def is_expression(node: Node) -> bool:
    """Whether a node is an expression (of those that a fix may want to change)."""
    return (
        node.type in FUNCTION_TYPES - {"function_declaration", "generator_function_declaration"}
        or (node.type.endswith("_expression") and node.type != "function_expression")
        or node.type in {"identifier", "object", "array", "string", "number", "true", "false", "null", "this", "class"}
    )


@lru_cache(maxsize=8)
def parse(path: str, source: bytes) -> File | None:
    """The file, or None if it is not UTF-8."""
    try:
        source.decode()
    except UnicodeDecodeError:
        return None
    suffix = PurePosixPath(path).suffix
    root = syntax_of(source, KINDS.get(suffix, "javascript")).root
    return File(path, source, root, _style(suffix, source, root))


def is_function(node: Node) -> bool:
    """Whether a node is a function of any kind."""
    return node.type in FUNCTIONS


def walk(node: Node) -> Iterator[Node]:
    """Every node below `node`."""
    stack = [node]
    while stack:
        for child in stack.pop().children:
            yield child
            stack.append(child)


def continues_a_line(source: bytes, offset: int) -> bool:
    """Whether the code at `offset`, a line's start, would be joined to a line above that has no semicolon."""
    marks = tuple(mark.encode() for mark in CONTINUES_A_LINE)
    return source.startswith(marks, offset) and not source.startswith((b"//", b"/*"), offset)


def holds_function(node: Node) -> bool:
    """Whether a function or class is written in a node."""
    return node.type in FUNCTIONS | CLASS_TYPES or any(
        child.type in FUNCTIONS or child.type in CLASS_TYPES for child in walk(node)
    )


# --- style


def _style(suffix: str, source: bytes, root: Node) -> Style:
    source = source.removeprefix(BOM)
    requires = [match[1] for match in re.finditer(rb"""\b(?:from|require\(|import)\s*(["'])""", source)]
    quotes = Counter(requires) if requires else Counter({b'"': source.count(b'"'), b"'": source.count(b"'")})
    ended = _ended(root.children) or _ended(walk(root))
    declared = Counter(re.findall(rb"^(const|var|let)\b[^\n]*\brequire\(", source, re.MULTILINE))
    braces = Counter(re.findall(rb"^(?:import|const|let|var)\s+(?:\w+,\s*)?\{([ \w])", source, re.MULTILINE))
    spaced = braces[b" "] >= sum(braces.values()) - braces[b" "]
    if not braces and (inner := re.findall(rb"\{([ \w])[^{}\n]*\}", source)):
        spaced = inner.count(b" ") * 2 >= len(inner)
    return Style(
        quote='"' if quotes[b'"'] > quotes[b"'"] else "'",
        semicolons=ended[True] >= ended[False],
        indent=_indent(source),
        newline="\r\n" if source.count(b"\r\n") * 2 > source.count(b"\n") else "\n",
        esm=_is_esm(suffix, source, root),
        typescript=suffix in KINDS,
        declare=declared.most_common(1)[0][0].decode() if declared else "const",
        brace_space=spaced,
    )


def _ended(nodes: Iterable[Node]) -> Counter[bool]:
    """How many statements end in a semicolon, and how many do not. Those that end with a block say little: many leave
    the semicolon out behind a function and nowhere else."""
    ended = [node for node in nodes if node.type in ENDED_BY_SEMICOLON and node.children]
    plain = [node for node in ended if not (node.text or b"").rstrip(b"; \t\r\n").endswith(b"}")]
    return Counter(node.children[-1].type == ";" for node in plain or ended)


def _indent(source: bytes) -> str:
    widths = Counter(
        match[1] if match[1].startswith(b"\t") else match[1][:1] * len(match[1])
        for match in re.finditer(rb"^[^\s*/][^\n]*[{(\[]\r?\n([ \t]+)(?=\S)", source, re.MULTILINE)
    )
    return widths.most_common(1)[0][0].decode() if widths else "  "


def _is_esm(suffix: str, source: bytes, root: Node) -> bool:
    if suffix in {".mjs", ".mts"}:
        return True
    if suffix == ".cjs":
        return False
    for child in root.children:
        if child.type == "export_statement":
            return True
        if child.type == "import_statement" and not any(
            part.type == "import_require_clause" for part in child.children
        ):
            return True
    uses_require = re.search(rb"\brequire\s*\(|\bmodule\.exports\b|^exports\.", source, re.MULTILINE)
    return suffix in KINDS and not uses_require
