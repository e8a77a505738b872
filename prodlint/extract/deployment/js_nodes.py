"""JavaScript that is nothing but data, as a configuration file exports it, read as the same nodes as JSON and YAML.

Literals are read, names that are bound once at the top of the file are looked up, `path.join(__dirname, …)` is put
together. Everything else (calls, spreads of something unknown) is a `Computed` node: it is there, and its value is not
known.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import cache

import tree_sitter_javascript
from tree_sitter import Language
from tree_sitter import Node as TreeNode

from prodlint.extract import parsing
from prodlint.extract.deployment.json_nodes import Document
from prodlint.extract.deployment.nodes import List, Map, Node, Pair, Scalar
from prodlint.facts import SyntaxProblem

SPREAD = "..."
"""The key of an entry for `...x` with an `x` that is not known: any key may be there."""
_DEEPEST = 60
_LONGEST = 10_000


class Computed(Node, eq=False):
    """Something that only running the file tells."""


@cache
def _language() -> Language:
    return Language(tree_sitter_javascript.language())


def parse(data: bytes) -> Document:
    """What a file exports: the value of `module.exports`, `exports.apps` (as a map with it), `export default`, or of a
    file that is nothing but one expression."""
    tree = parsing.parse(_language(), data).root_node
    problems = [] if not tree.has_error else [_problem(tree)]
    reader = _Reader(data, tree)
    return Document(reader.exported(), problems)


def comments(data: bytes) -> list[tuple[int, int]]:
    """The comments of a file as (start, end)."""
    found = []
    stack = [parsing.parse(_language(), data).root_node]
    while stack:
        at = stack.pop()
        if at.type == "comment":
            found.append((at.start_byte, at.end_byte))
        stack += reversed(at.children)
    return found


def _problem(tree: TreeNode) -> SyntaxProblem:
    at = tree
    while not (at.is_error or at.is_missing):
        at = next(child for child in at.children if child.has_error)
    return SyntaxProblem("this is no valid JavaScript", at.start_byte, at.end_byte)


class _Reader:
    """One file while it is read."""

    def __init__(self, data: bytes, tree: TreeNode) -> None:
        self._data = data
        self._tree = tree
        self._bound: dict[str, TreeNode | None] = {}
        for statement in tree.named_children:
            inner = statement
            if statement.type == "export_statement":
                inner = statement.child_by_field_name("declaration") or statement
            if inner.type in ("lexical_declaration", "variable_declaration"):
                for each in inner.named_children:
                    name, value = each.child_by_field_name("name"), each.child_by_field_name("value")
                    if name is not None and name.type == "identifier":
                        text = self._text(name)
                        self._bound[text] = None if text in self._bound else value
        self._read: dict[int, Node] = {}

    def exported(self) -> Node | None:
        """What the file exports."""
        members: list[Pair] = []
        for statement in self._tree.named_children:
            if statement.type == "export_statement":
                value = statement.child_by_field_name("value")
                if value is not None:
                    return self._node(value, 0)
            if statement.type != "expression_statement" or not statement.named_children:
                continue
            expression = statement.named_children[0]
            if expression.type == "assignment_expression":
                left, right = expression.child_by_field_name("left"), expression.child_by_field_name("right")
                if left is None or right is None:
                    continue
                target = self._text(left)
                if target == "module.exports":
                    return self._node(right, 0)
                if target.startswith(("exports.", "module.exports.")):
                    key = Scalar(left.start_byte, left.end_byte, target.rpartition(".")[2])
                    members.append(Pair(key, self._node(right, 0), expression.start_byte, expression.end_byte))
        if members:
            return Map(self._tree.start_byte, self._tree.end_byte, members)
        return self._alone()

    def _alone(self) -> Node | None:
        """The value of a file that is one literal: JSON with comments or trailing commas."""
        parts = [child for child in self._tree.named_children if child.type != "comment"]
        if len(parts) == 1 and parts[0].type == "expression_statement" and parts[0].named_children:
            found = self._node(parts[0].named_children[0], 0)
            return found if isinstance(found, (Map, List)) else None
        return None

    def _text(self, tree: TreeNode) -> str:
        return self._data[tree.start_byte : tree.end_byte].decode("utf-8", "replace")

    def _node(self, tree: TreeNode, depth: int) -> Node:
        """The value of an expression; of a name the very node that the name is bound to."""
        start, end = tree.start_byte, tree.end_byte
        if depth > _DEEPEST:
            return Computed(start, end)
        if tree.type == "parenthesized_expression":
            inner = next((child for child in tree.named_children if child.type != "comment"), None)
            return self._node(inner, depth + 1) if inner is not None else Computed(start, end)
        if tree.type == "identifier":
            return self._named(tree, depth)
        if tree.type == "object":
            return self._object(tree, depth)
        if tree.type == "array":
            items: list[Node | None] = []
            for child in tree.named_children:
                if child.type != "comment":
                    items.append(self._node(child, depth + 1))
            return List(start, end, items, flow=True)
        text = self._literal(tree, depth)
        if text is not None:
            return Scalar(start, end, text, plain=tree.type in ("number", "true", "false", "null"))
        return Computed(start, end)

    def _named(self, tree: TreeNode, depth: int) -> Node:
        name = self._text(tree)
        if name == "undefined":
            return Scalar(tree.start_byte, tree.end_byte, "null", plain=True)
        value = self._bound.get(name)
        if value is None:
            return Computed(tree.start_byte, tree.end_byte)
        if value.id not in self._read:
            self._read[value.id] = Computed(tree.start_byte, tree.end_byte)  # for a name that is bound to itself
            self._read[value.id] = self._node(value, depth + 1)
        return self._read[value.id]

    def _object(self, tree: TreeNode, depth: int) -> Map:
        table = Map(tree.start_byte, tree.end_byte, flow=True)
        for child in tree.named_children:
            table.pairs += self._pairs(child, depth + 1)
        return table

    def _pairs(self, tree: TreeNode, depth: int) -> Iterator[Pair]:
        start, end = tree.start_byte, tree.end_byte
        if tree.type == "spread_element" and tree.named_children:
            value = self._node(tree.named_children[0], depth)
            if isinstance(value, Map):
                yield from value.own.values()
            else:
                yield Pair(Scalar(start, end, SPREAD), Computed(start, end), start, end)
        elif tree.type == "pair":
            key, inner = tree.child_by_field_name("key"), tree.child_by_field_name("value")
            if key is not None and inner is not None:
                name = self._key(key)
                yield Pair(Scalar(key.start_byte, key.end_byte, name), self._node(inner, depth), start, end)
        elif tree.type == "shorthand_property_identifier":
            yield Pair(Scalar(start, end, self._text(tree)), self._named(tree, depth), start, end)
        elif tree.type == "method_definition":
            name_node = tree.child_by_field_name("name")
            if name_node is not None:
                key = name_node
                yield Pair(Scalar(key.start_byte, key.end_byte, self._key(key)), Computed(start, end), start, end)

    def _key(self, tree: TreeNode) -> str:
        if tree.type == "string":
            return self._literal(tree, 0) or ""
        return SPREAD if tree.type == "computed_property_name" else self._text(tree)

    def _literal(self, tree: TreeNode, depth: int) -> str | None:
        """The text of a literal, or of a path that is put together of some."""
        if tree.type == "string":
            return "".join(self._piece(child) for child in tree.named_children)
        if tree.type == "template_string":
            pieces = [self._template_piece(child, depth) for child in tree.named_children]
            return None if None in pieces else _short("".join(piece for piece in pieces if piece is not None))
        if tree.type in ("number", "true", "false", "null"):
            return self._text(tree)
        if tree.type == "unary_expression":
            text = self._text(tree).replace(" ", "")
            return text if text[:1] == "-" and text[1:].isdigit() else None
        if tree.type == "call_expression":
            return self._path(tree, depth)
        if tree.type == "binary_expression" and "+" in [child.type for child in tree.children]:
            left, right = tree.child_by_field_name("left"), tree.child_by_field_name("right")
            first = self._string(left, depth) if left is not None else None
            second = self._string(right, depth) if right is not None else None
            return None if first is None or second is None else _short(posixpath.normpath(first + second))
        return None

    def _piece(self, tree: TreeNode) -> str:
        text = self._text(tree)
        if tree.type == "escape_sequence":
            return {"\\n": "\n", "\\t": "\t", "\\r": "\r"}.get(text, text[1:])
        return text

    def _template_piece(self, tree: TreeNode, depth: int) -> str | None:
        if tree.type != "template_substitution":
            return self._piece(tree)
        return self._string(tree.named_children[0], depth) if tree.named_children else None

    def _string(self, tree: TreeNode, depth: int) -> str | None:
        """The text of an expression; `__dirname` is the folder that the file is in."""
        if self._text(tree) in ("__dirname", "import.meta.dirname", "process.cwd()"):
            return "."
        node = self._node(tree, depth + 1)
        return node.text if isinstance(node, Scalar) and not node.is_null else None

    def _path(self, tree: TreeNode, depth: int) -> str | None:
        """`path.join(…)`, `path.resolve(…)`, `[…].join(' ')`."""
        function, arguments = tree.child_by_field_name("function"), tree.child_by_field_name("arguments")
        if function is None or arguments is None:
            return None
        if self._text(function) not in ("path.join", "path.resolve", "join", "resolve"):
            return None
        parts = [self._string(child, depth) for child in arguments.named_children if child.type != "comment"]
        known = [part for part in parts if part is not None]
        return _short(posixpath.normpath(posixpath.join(*known))) if known and len(known) == len(parts) else None


def _short(text: str) -> str | None:
    """A text that was put together; None if it is so long that names that stand for each other must have made it so."""
    return text if len(text) < _LONGEST else None
