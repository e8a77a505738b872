"""Python files as libcst trees, for the toolbox: nodes by the spans of the facts.

libcst takes far longer than tree-sitter, above all to say where everything stands. So tree-sitter reads the file, and
libcst those of its statements that a fix is about.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeGuard, TypeVar

from tree_sitter import Node

from prodlint.extract.parsing import TooHard
from prodlint.extract.source import _py_grammar as grammar
from prodlint.findings import Span
from prodlint.fixes.text import BOM, Edits, append_item, indent_at, line_end, line_start

if TYPE_CHECKING:
    import libcst as cst
    from libcst import BatchableCSTVisitor
    from libcst.metadata import CodeSpan, MetadataWrapper


_DEFINITIONS = frozenset({grammar.FUNCTION, grammar.CLASS, grammar.DECORATED})


class File(NamedTuple):
    """A stretch of a file, parsed: statements of its module level, or a function, in a class that is not there."""

    source: bytes
    """All of the file."""
    module: cst.Module
    spans: Mapping[cst.CSTNode, CodeSpan]
    """libcst's, in the stretch; `span` gives those of the facts."""
    offset: int
    """Where the stretch begins."""
    newline: str
    """The file's line ending."""
    indent: str
    """What the file indents a block with."""

    def span(self, node: cst.CSTNode) -> Span:
        """Where a node is: without the parentheses and blanks around it, and without decorators."""
        span = self.spans[node]
        return Span(span.start + self.offset, span.start + span.length + self.offset)

    def extent(self, node: cst.CSTNode) -> Span:
        """`span`, with the decorators of the definition that the node is or begins with."""
        import libcst as cst

        span = self.span(node)
        first = node.body[0] if isinstance(node, cst.IndentedBlock) and node.body else node
        if isinstance(first, cst.FunctionDef | cst.ClassDef) and first.decorators:
            return Span(self.span(first.decorators[0]).start, span.end)
        return span

    def outer(self, node: cst.CSTNode) -> Span:
        """`span`, with the parentheses that belong to the expression."""
        left: Sequence[cst.CSTNode] = getattr(node, "lpar", ())
        right: Sequence[cst.CSTNode] = getattr(node, "rpar", ())
        if not left:
            return self.span(node)
        return Span(self.span(left[0]).start, self.span(right[-1]).end)

    def text(self, span: Span) -> str:
        """The text at a span."""
        return self.source[span.start : span.end].decode()


@lru_cache(maxsize=8)
def tree(source: bytes) -> Tree | None:
    """The file as tree-sitter reads it, in a fraction of the time that libcst takes; None where it is broken, or not
    UTF-8."""
    try:
        source.decode()
        root = grammar.parse(source)
    except (UnicodeDecodeError, TooHard):
        return None
    if root.has_error:
        return None
    statements = [child for child in root.named_children if child.kind_id != grammar.COMMENT]
    indents = (indent_at(source, block.start_byte) for block in map(_block, statements) if block is not None)
    starts: list[int] = []
    end = 0
    for statement in statements:
        start = line_start(source, statement.start_byte)
        starts.append(start if start >= end else starts[-1])
        end = statement.end_byte
    return Tree(
        root,
        tuple(statements),
        tuple(starts),
        "\r\n" if b"\r\n" in source[: source.find(b"\n") + 1] else "\n",
        next(filter(None, indents), "    "),
    )


class Tree(NamedTuple):
    """What stands at module level, and how the file is laid out."""

    root: Node
    statements: tuple[Node, ...]
    starts: tuple[int, ...]
    """Where the first line of each statement starts; of b in `a; b`, that of a."""
    newline: str
    indent: str


def _block(statement: Node) -> Node | None:
    if statement.kind_id == grammar.DECORATED:
        statement = statement.children[-1]
    return next((child for child in statement.children if child.kind_id == grammar.BLOCK), None)


@cache
def _wrapper() -> type[MetadataWrapper]:
    """libcst's holder of what is known about a tree, which does not walk through it for no visitor at all: that takes
    as long as to say where everything stands."""
    from libcst.metadata import MetadataWrapper

    class Wrapper(MetadataWrapper):
        def visit_batched(
            self,
            visitors: Iterable[BatchableCSTVisitor],
            before_visit: Callable[[cst.CSTNode], None] | None = None,
            after_leave: Callable[[cst.CSTNode], None] | None = None,
        ) -> cst.CSTNode:
            visitors = tuple(visitors)
            return super().visit_batched(visitors, before_visit, after_leave) if visitors else self.module

    return Wrapper


@lru_cache(maxsize=16)
def piece(source: bytes, start: int, end: int, before: bytes = b"") -> File | None:
    """The lines `[start, end)` of the file, parsed by libcst: statements of module level, or what is one with `before`
    in front of it."""
    import libcst as cst
    from libcst.metadata import ByteSpanPositionProvider

    whole = tree(source)
    if whole is None:
        return None
    try:
        module = cst.parse_module((before + source[start:end]).decode())
    except cst.ParserSyntaxError:
        return None
    # A fresh tree shares no node, so the copy that guards against sharing can be saved.
    spans = _wrapper()(module, unsafe_skip_copy=True).resolve(ByteSpanPositionProvider)
    return File(source, module, spans, start - len(before), whole.newline, whole.indent)


def around(source: bytes, span: Span) -> File | None:
    """What `span` stands in, parsed: the innermost function, or statements of module level."""
    whole = tree(source)
    if whole is None or not whole.statements:
        return None
    node = whole.root.descendant_for_byte_range(span.start, span.end)
    while node is not None and node.kind_id != grammar.FUNCTION:
        node = node.parent
    if node is not None and node.parent is not None and node.parent.kind_id == grammar.DECORATED:
        node = node.parent
    if node is not None:
        start = line_start(source, node.start_byte)
        if start < node.start_byte:
            return piece(source, start, line_end(source, node.end_byte), b"class _:" + whole.newline.encode())
    start = whole.starts[max(bisect_right(whole.starts, span.start) - 1, 0)]
    after = bisect_left(whole.starts, max(span.end, start + 1))
    return piece(source, start, whole.starts[after] if after < len(whole.starts) else len(source))


def head(source: bytes) -> File | None:
    """The statements of the module before its first function or class, parsed: where its imports are looked for."""
    whole = tree(source)
    if whole is None:
        return None
    definitions = (at for at, each in enumerate(whole.statements) if each.kind_id in _DEFINITIONS)
    first = next(definitions, None)
    end = whole.starts[first] if first is not None else len(source)
    start = bom_length(source)
    return piece(source, start, max(end, start))


def text_of(source: bytes, node: Node) -> str:
    """The text of a node of tree-sitter, which takes far longer to tell it."""
    return source[node.start_byte : node.end_byte].decode()


def bom_length(source: bytes) -> int:
    """How many bytes the byte order mark takes."""
    return len(BOM) if source.startswith(BOM) else 0


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


@cache
def _are_nodes(kind: type) -> bool:
    import libcst as cst

    return issubclass(kind, cst.CSTNode)


def _is_node(value: object) -> TypeGuard[cst.CSTNode]:
    """`isinstance`, which takes its time for an abstract class, asked once for each class."""
    kind: type = type(value)
    return _are_nodes(kind)


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for name in _fields(type(node)):
        value = getattr(node, name)
        if _is_node(value):
            yield value
        elif isinstance(value, list | tuple):
            yield from (item for item in value if _is_node(item))


def walk(node: cst.CSTNode, leave_out: tuple[type[cst.CSTNode], ...] = ()) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    """Every node below `node` with its parent, but for nodes of the kinds to leave out and all that is in them."""
    stack = [node]
    while stack:
        parent = stack.pop()
        for child in children(parent):
            if not isinstance(child, leave_out):
                yield child, parent
                stack.append(child)


def chain_to(file: File, span: Span) -> list[cst.CSTNode]:
    """The nodes around `span`, outermost (the module) first."""
    chain: list[cst.CSTNode] = [file.module]
    while True:
        for child in children(chain[-1]):
            extent = file.extent(child)
            if extent.start <= span.start and span.end <= extent.end and extent.end > extent.start:
                chain.append(child)
                break
        else:
            return chain


Kind = TypeVar("Kind", bound="cst.CSTNode")


def find(file: File, span: Span, kind: type[Kind]) -> tuple[Kind, list[cst.CSTNode]] | None:
    """The node of a kind at exactly `span`, and the nodes around it, outermost first."""
    chain = chain_to(file, span)
    while chain:
        node = chain.pop()
        if isinstance(node, kind) and file.span(node) == span:
            return node, chain
    return None


def in_string(chain: Sequence[cst.CSTNode], *texts: str) -> bool:
    """Whether one of `texts` could not be written in the f-string around the place (before Python 3.12)."""
    import libcst as cst

    inside = any(isinstance(node, cst.FormattedStringExpression) for node in chain)
    return inside and any(character in text for text in texts for character in "\"'\\\n#")


def find_call(file: File | None, span: Span) -> tuple[cst.Call, list[cst.CSTNode]] | None:
    """The call at exactly `span`, and the nodes around it."""
    import libcst as cst

    return find(file, span, cst.Call) if file else None


def dotted(node: cst.CSTNode | None) -> str:
    """`a.b` for the name or attribute `a.b`, "" for anything else."""
    import libcst as cst

    if isinstance(node, cst.Attribute):
        return f"{dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


def append_after(path: str, file: File, last: cst.Arg | cst.ImportAlias, item: str) -> Edits:
    """`item` after the last argument or imported name."""
    import libcst as cst

    comma_end = file.span(last.comma).end if isinstance(last.comma, cst.Comma) else -1
    return append_item(path, file.source, file.span(last), comma_end, item, file.newline)
