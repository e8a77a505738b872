"""Python files as libcst trees, for the toolbox: nodes by the spans of the facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from prodlint.findings import Span
from prodlint.fixes.text import BOM, Edits, append_item

if TYPE_CHECKING:
    import libcst as cst
    from libcst.metadata import CodeSpan


class File(NamedTuple):
    """A parsed file. `spans` are libcst's; `span` gives those of the facts."""

    source: bytes
    module: cst.Module
    spans: Mapping[cst.CSTNode, CodeSpan]
    bom: int

    def span(self, node: cst.CSTNode) -> Span:
        """Where a node is: without the parentheses and blanks around it, and without decorators."""
        span = self.spans[node]
        return Span(span.start + self.bom, span.start + span.length + self.bom)

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

    @property
    def newline(self) -> str:
        """The file's line ending."""
        return self.module.default_newline


@lru_cache(maxsize=8)
def parse(source: bytes) -> File | None:
    import libcst as cst
    from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

    bom = len(BOM) if source.startswith(BOM) else 0
    try:
        module = cst.parse_module(source[bom:].decode())
    except (cst.ParserSyntaxError, UnicodeDecodeError):
        return None
    # A fresh tree shares no node, so the copy that guards against sharing can be saved.
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    return File(source, module, wrapper.resolve(ByteSpanPositionProvider), bom)


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    import libcst as cst

    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, cst.CSTNode):
            yield value
        elif isinstance(value, list | tuple):
            yield from (item for item in value if isinstance(item, cst.CSTNode))


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


Node = TypeVar("Node", bound="cst.CSTNode")


def find(file: File, span: Span, kind: type[Node]) -> tuple[Node, list[cst.CSTNode]] | None:
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
