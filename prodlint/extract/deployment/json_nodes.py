"""JSON with byte offsets, by tree-sitter's grammar: what is broken is left out, the rest is there."""

from __future__ import annotations

import json
from functools import cache
from typing import NamedTuple

import tree_sitter_json
from tree_sitter import Language
from tree_sitter import Node as TreeNode

from prodlint.extract import parsing
from prodlint.extract.deployment.nodes import List, Map, Node, Pair, Scalar
from prodlint.facts import SyntaxProblem

_DEEPEST = 100


class Document(NamedTuple):
    """A file: its value, and what could not be read."""

    root: Node | None
    problems: list[SyntaxProblem]


@cache
def _language() -> Language:
    return Language(tree_sitter_json.language())


def parse(data: bytes) -> Document:
    """The document in `data`. Comments are passed over, as many readers of configuration do."""
    tree = parsing.parse(_language(), data).root_node
    root = None
    for child in tree.named_children:
        root = root or _node(data, child, 0)
    return Document(root, [_problem(tree)] if tree.has_error else [])


def _problem(tree: TreeNode) -> SyntaxProblem:
    at = tree
    while not (at.is_error or at.is_missing):
        at = next(child for child in at.children if child.has_error)
    return SyntaxProblem("this is no valid JSON", at.start_byte, at.end_byte)


def _node(data: bytes, tree: TreeNode, depth: int) -> Node | None:
    start, end = tree.start_byte, tree.end_byte
    if depth > _DEEPEST:
        return None
    if tree.type == "string":
        return Scalar(start, end, _string(data[start:end]))
    if tree.type in ("number", "true", "false", "null"):
        return Scalar(start, end, data[start:end].decode("utf-8", "replace"), plain=True)
    if tree.type == "array":
        items = [_node(data, child, depth + 1) for child in tree.named_children if child.type != "comment"]
        return List(start, end, items, flow=True)
    if tree.type == "object":
        pairs = [_pair(data, child, depth + 1) for child in tree.named_children if child.type == "pair"]
        return Map(start, end, [pair for pair in pairs if pair is not None], flow=True)
    return None


def _pair(data: bytes, tree: TreeNode, depth: int) -> Pair | None:
    key, value = tree.child_by_field_name("key"), tree.child_by_field_name("value")
    name = _node(data, key, depth) if key is not None else None
    if not isinstance(name, Scalar):
        return None
    return Pair(name, _node(data, value, depth) if value is not None else None, tree.start_byte, tree.end_byte)


def _string(literal: bytes) -> str:
    text = literal.decode("utf-8", "replace")
    if "\\" in text:
        try:
            return str(json.loads(text, strict=False))
        except ValueError:
            pass
    return text[1:-1]
