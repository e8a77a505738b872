"""YAML with byte offsets, by tree-sitter's grammar: several documents, anchors, merge keys, and files that are broken.

Source: YAML 1.2.2, chapters 6 to 8. Scalars stay text (`Scalar.plain` says whether they are quoted): what a
number or a boolean is depends on who reads the file.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

import tree_sitter_yaml
from tree_sitter import Language
from tree_sitter import Node as TreeNode

from prodlint.extract import parsing
from prodlint.extract.deployment.nodes import List, Map, Node, Pair, Scalar
from prodlint.facts import SyntaxProblem
from prodlint.lazy_regex import regex

_DEEPEST = 100


class Stream(NamedTuple):
    """A file: the root of each document, the comments as (start, end), and what could not be read."""

    documents: list[Node | None]
    comments: list[tuple[int, int]]
    problems: list[SyntaxProblem]


@cache
def _language() -> Language:
    return Language(tree_sitter_yaml.language())


def _tree(data: bytes) -> TreeNode:
    return parsing.parse(_language(), data, parsing.YAML).root_node


def parse(data: bytes) -> Stream:
    """The documents in `data`. Of a file that is broken, what stands before the line that breaks it."""
    tree = _tree(data)
    problems: list[SyntaxProblem] = []
    if tree.has_error:
        sound = _sound_part(data)
        problems.append(_problem(data, sound))
        tree = _tree(data[:sound])
    documents = [_Document(data).root(child) for child in tree.children if child.type == "document"]
    return Stream(documents, _comments(tree), problems)


def _comments(tree: TreeNode) -> list[tuple[int, int]]:
    found = []
    stack = [tree]
    while stack:
        at = stack.pop()
        if at.type == "comment":
            found.append((at.start_byte, at.end_byte))
        stack += reversed(at.children)
    return found


_LOOK_AHEAD = 30
"""Lines that one value may take without the file being sound after each of them."""
_WORTH_A_SEARCH = 500_000
"""Bytes; a larger file that is broken is not worth the time."""


def _sound_part(data: bytes) -> int:
    """Where the line starts that breaks a file: about the last one before which all is sound."""
    if len(data) > _WORTH_A_SEARCH:
        return 0
    look_ahead = max(2, min(_LOOK_AHEAD, _WORTH_A_SEARCH // len(data)))
    starts = [0]
    while (end := data.find(b"\n", starts[-1])) >= 0:
        starts.append(end + 1)
    starts.append(len(data))
    low, high = 0, len(starts) - 1
    while high - low > 1:
        middle = (low + high) // 2
        # Inside a value of several lines nothing is sound; behind it all may be.
        ahead = range(middle, min(middle + look_ahead, high))
        sound = next((at for at in ahead if not _tree(data[: starts[at]]).has_error), None)
        if sound is None:
            high = middle
        else:
            low = sound
    return starts[low]


def _problem(data: bytes, start: int) -> SyntaxProblem:
    end = data.find(b"\n", start)
    end = len(data) if end < 0 else end
    line = data[start:end]
    blanks = line[: len(line) - len(line.lstrip())]
    if b"\t" in blanks:
        return SyntaxProblem("YAML allows no tabs for indentation", start, start + len(blanks))
    return SyntaxProblem("this is no valid YAML", start, end)


_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_ESCAPE = regex(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_FOLD = regex(r"(?<![ \t])[ \t]*+\r?\n((?:[ \t]*+\r?\n)*+)[ \t]*+")


class _Document:
    """One document while it is read: anchors are known from where they stand on."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._anchors: dict[str, Node | None] = {}

    def root(self, tree: TreeNode) -> Node | None:
        """The document's value."""
        for child in tree.children:
            if child.type in ("block_node", "flow_node"):
                return self._value(child, 0)
        return None

    def _text(self, tree: TreeNode) -> str:
        return self._data[tree.start_byte : tree.end_byte].decode("utf-8", "replace")

    def _value(self, tree: TreeNode, depth: int) -> Node | None:
        """The value of a `block_node` or `flow_node`, its anchor remembered."""
        if depth > _DEEPEST:
            return None
        anchor = tag = ""
        node: Node | None = None
        content = False
        for child in tree.children:
            if child.type == "anchor":
                anchor = self._text(child)[1:]
            elif child.type == "tag":
                tag = self._text(child)
            elif child.type == "alias":
                return self._anchors.get(self._text(child)[1:])
            elif child.is_named and child.type != "comment":
                content = True
                node = self._content(child, tag, depth, anchor)
        if not content:
            node = Scalar(tree.start_byte, tree.end_byte, "", plain=True, tag=tag)
        if anchor:
            self._anchors[anchor] = node
        return node

    def _content(self, tree: TreeNode, tag: str, depth: int, anchor: str) -> Node | None:
        start, end = tree.start_byte, tree.end_byte
        kind = tree.type
        if kind in ("block_mapping", "flow_mapping"):
            table = Map(start, end, flow=kind == "flow_mapping")
            if anchor:
                self._anchors[anchor] = table
            for child in tree.children:
                pair = self._pair(child, depth + 1)
                if pair is not None:
                    table.pairs.append(pair)
            return table
        if kind in ("block_sequence", "flow_sequence"):
            items = List(start, end, flow=kind == "flow_sequence")
            if anchor:
                self._anchors[anchor] = items
            for child in tree.children:
                if child.type in ("block_sequence_item", "flow_node", "flow_pair"):
                    items.items.append(self._item(child, depth + 1))
            return items
        return self._scalar(tree, tag)

    def _item(self, tree: TreeNode, depth: int) -> Node | None:
        if tree.type == "flow_node":
            return self._value(tree, depth)
        if tree.type == "flow_pair":
            pair = self._pair(tree, depth)
            return Map(tree.start_byte, tree.end_byte, [pair] if pair else [], flow=True)
        for child in tree.children:
            if child.type in ("block_node", "flow_node"):
                return self._value(child, depth)
        return None

    def _pair(self, tree: TreeNode, depth: int) -> Pair | None:
        if tree.type == "flow_node":  # `{a}`: a key without a value
            key = self._value(tree, depth)
            return Pair(key, None, tree.start_byte, tree.end_byte) if isinstance(key, Scalar) else None
        if tree.type not in ("block_mapping_pair", "flow_pair"):
            return None
        key_tree, value_tree = tree.child_by_field_name("key"), tree.child_by_field_name("value")
        key = self._value(key_tree, depth) if key_tree is not None else None
        value = self._value(value_tree, depth) if value_tree is not None else None
        if not isinstance(key, Scalar):
            return None
        is_alias = value_tree is not None and any(child.type == "alias" for child in value_tree.children)
        return Pair(key, value, tree.start_byte, tree.end_byte, is_alias)

    def _scalar(self, tree: TreeNode, tag: str) -> Node | None:
        start, end = tree.start_byte, tree.end_byte
        text = self._text(tree)
        if tree.type == "plain_scalar":
            return Scalar(start, end, _FOLD.sub(_folded, text), plain=not tag or tag != "!!str", tag=tag)
        if tree.type == "single_quote_scalar":
            return Scalar(start, end, _FOLD.sub(_folded, text[1:-1]).replace("''", "'"), tag=tag)
        if tree.type == "double_quote_scalar":
            return Scalar(start, end, _double_quoted(text[1:-1]), tag=tag)
        if tree.type == "block_scalar":
            return Scalar(start, end, _block_scalar(text), tag=tag)
        return None


def _folded(match: re.Match[str]) -> str:
    empty = match.group(1).count("\n")
    return "\n" * empty or " "


def _double_quoted(text: str) -> str:
    if "\n" in text:
        text = re.sub(r"(?<!\\)((?:\\\\)*)\\\r?\n[ \t]*", r"\1", text)
        text = _FOLD.sub(_folded, text)
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def _unescaped(match: re.Match[str]) -> str:
    code = match.group(1) or match.group(2) or match.group(3)
    if code:
        number = int(code, 16)
        return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
    return _ESCAPES.get(match.group(4), match.group(4))


def _block_scalar(text: str) -> str:
    header, _, body = text.partition("\n")
    header = header.split("#")[0]
    lines = [line.removesuffix("\r") for line in body.split("\n")]
    explicit = re.search(r"[1-9]", header)
    widths = [len(line) - len(line.lstrip(" ")) for line in lines if line.strip()]
    # An explicit indentation counts from the parent's, which is not known here: it can be no more than the lines have.
    width = min(widths, default=0) if not explicit else min([*widths, int(explicit.group()) + min(widths, default=0)])
    lines = [line[width:] for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    text = "\n".join(lines) if header.startswith("|") else _fold_lines(lines)
    return text if "-" in header or not lines else text + "\n"


def _fold_lines(lines: list[str]) -> str:
    """Folded style: lines at the margin are joined by a blank, empty lines stay, and so do lines that are indented."""
    out = ""
    breaks = 0
    previous = ""
    for number, line in enumerate(lines):
        if number and not line:
            breaks += 1
            continue
        if number:
            indented = line[:1] in " \t" or previous[:1] in (" ", "\t")
            if indented:
                out += "\n" * (breaks + 1)
            else:
                out += "\n" * breaks or " "
        out += line
        previous = line
        breaks = 0
    return out
