"""Edits of compose files: lines are inserted in the style in use, and nothing else is written anew.

Refused (None) is what cannot be edited where it stands: templates, maps in braces, aliases and what their anchors hold,
maps that merge keys bring in. What an edit does is checked by reading the result again: the data differs by just what
is meant.
"""

from __future__ import annotations

import re

from prodlint.extract.deployment.compose import services_of
from prodlint.extract.deployment.nodes import List, Map, Node, Pair, Scalar
from prodlint.extract.deployment.templates import is_template
from prodlint.extract.deployment.yaml_nodes import parse
from prodlint.findings import Edit
from prodlint.fixes.lines import newline_of
from prodlint.fixes.text import Edits, begins_line, edited, insert_lines, line_start, next_line


def set_variable(path: str, source: bytes, service: str, name: str, value: str) -> Edits | None:
    """Sets an environment variable of a compose service: adds it, or changes the value that is written there."""
    newline = newline_of(source)
    table = _service(source, service)
    if newline is None or is_template(source) or table is None:
        return None
    edits = _edits(path, source, table, name, value, newline)
    return edits if edits is not None and _is_sound(source, edits, service, name, value) else None


def delete_variable(path: str, source: bytes, service: str, name: str) -> Edits | None:
    """Takes an environment variable away from a compose service, if it stands on a line of its own and is not the only
    one."""
    table = _service(source, service)
    environment = table.own.get("environment") if table is not None else None
    if is_template(source) or environment is None or environment.is_alias:
        return None
    node = environment.value
    spans: list[tuple[int, int]] = []
    if isinstance(node, Map) and not node.flow and len(node.pairs) > 1:
        spans = [(pair.start, pair.end) for pair in node.pairs if pair.key.text == name]
    elif isinstance(node, List) and not node.flow and len(node.items) > 1:
        spans = [(item.start, item.end) for item in node.scalars() if item.text.partition("=")[0] == name]
    if len(spans) != 1:
        return None
    start, end = spans[0]
    first = line_start(source, start)
    if source[first:start].strip(b" \t-"):
        return None
    edits = (Edit(path, first, next_line(source, end), ""),)
    return edits if _is_sound(source, edits, service, name, None) else None


def set_key(path: str, source: bytes, service: str, key: str, value: str) -> Edits | None:
    """Gives a compose service `key: value`, both as they are written: below its `image` and `build`, or in place of the
    value that is there."""
    newline = newline_of(source)
    table = _service(source, service)
    if newline is None or is_template(source) or table is None or not begins_line(source, table.pairs[0].start):
        return None
    own = table.own.get(key)
    if own is not None:
        if own.is_alias or not isinstance(own.value, Scalar) or own.value.start == own.value.end:
            return None
        edits: Edits = (Edit(path, own.value.start, own.value.end, value),)
    else:
        heads = [pair for pair in table.pairs if pair.key.text in ("image", "build")]
        place = _last_byte(source, heads[-1]) if heads else None
        offset = next_line(source, place) if place is not None else line_start(source, table.pairs[0].start)
        text = f"{_indent(source, table.pairs[0].start)}{key}: {value}"
        edits = insert_lines(path, source, offset, text, newline)
    return edits if _is_only_change(source, edits, service, key) else None


def _is_only_change(source: bytes, edits: Edits, service: str, key: str) -> bool:
    """Whether the result differs from the source by `key` of a service alone, which now is there."""
    after = edited(source, edits)
    if parse(after).problems and not parse(source).problems:
        return False
    old, new = _Without(source, service, key), _Without(after, service, key)
    return new.is_there and old.rest == new.rest


def _service(source: bytes, name: str) -> Map | None:
    root = next((document for document in parse(source).documents if isinstance(document, Map)), None)
    pairs = services_of(root) if root is not None else []
    pair = next((pair for pair in pairs if pair.key.text == name), None)
    if pair is None or pair.is_alias or not isinstance(pair.value, Map) or pair.value.flow or not pair.value.pairs:
        return None
    return pair.value


def _edits(path: str, source: bytes, table: Map, name: str, value: str, newline: str) -> Edits | None:
    environment = table.own.get("environment")
    if environment is None:
        if "environment" in table.merged:
            return None  # it would take the place of what is merged
        indent = _indent(source, table.pairs[0].start)
        return _new_block(path, source, table, indent, f"{name}: {value}", newline)
    node = environment.value
    if environment.is_alias:
        return None
    if node is None or (isinstance(node, Scalar) and node.is_null):
        indent = _indent(source, environment.start)
        line = f"{indent}{_step(source, table, indent)}{name}: {value}"
        return insert_lines(path, source, next_line(source, environment.end), line, newline)
    if _has_anchor(source, environment):
        return None  # others would get it too
    if isinstance(node, Map) and not node.flow:
        return _in_map(path, source, node, name, value, newline)
    if isinstance(node, List) and not node.flow:
        return _in_list(path, source, node, name, value, newline)
    return None


def _has_anchor(source: bytes, pair: Pair) -> bool:
    head = source[pair.key.end : pair.value.start if pair.value else pair.end]
    return re.match(rb"\s*:\s+&", head) is not None


def _in_map(path: str, source: bytes, node: Map, name: str, value: str, newline: str) -> Edits | None:
    own = node.own.get(name)
    if own is not None:
        return _replaced(path, source, own, value)
    last = node.pairs[-1]
    if not begins_line(source, node.pairs[0].start):
        return None
    line = f"{_indent(source, node.pairs[0].start)}{name}: {value}"
    return insert_lines(path, source, next_line(source, _last_byte(source, last)), line, newline)


def _in_list(path: str, source: bytes, node: List, name: str, value: str, newline: str) -> Edits | None:
    items = list(node.scalars())
    for item in items:
        if item.text.partition("=")[0] == name:
            written = source[item.start : item.end]
            quote = written[:1].decode() if written[:1] in (b"'", b'"') else ""
            return (Edit(path, item.start, item.end, f"{quote}{name}={value}{quote}"),)
    if not items or len(items) != len(node.items):
        return None
    last = items[-1]
    start = line_start(source, last.start)
    dash = source[start : last.start]
    if not re.fullmatch(rb"[ ]*-[ ]+", dash):
        return None
    quote = source[last.start : last.start + 1].decode()
    quote = quote if quote in "'\"" else ""
    line = f"{dash.decode()}{quote}{name}={value}{quote}"
    return insert_lines(path, source, next_line(source, last.end), line, newline)


def _replaced(path: str, source: bytes, pair: Pair, value: str) -> Edits | None:
    node = pair.value
    if pair.is_alias or not (node is None or isinstance(node, Scalar)):
        return None
    if node is None or node.start == node.end:
        return (Edit(path, pair.end, pair.end, f" {value}"),)
    written = source[node.start : node.end]
    quote = written[:1].decode() if written[:1] in (b"'", b'"') else ""
    return (Edit(path, node.start, node.end, f"{quote}{value}{quote}"),)


def _new_block(path: str, source: bytes, table: Map, indent: str, line: str, newline: str) -> Edits | None:
    """A block `environment:` at the end of a service."""
    first = table.pairs[0]
    if not begins_line(source, first.start):
        return None
    text = f"{indent}environment:{newline}{indent}{_step(source, table, indent)}{line}"
    return insert_lines(path, source, next_line(source, _last_byte(source, table.pairs[-1])), text, newline)


def _last_byte(source: bytes, pair: Pair) -> int:
    """The end of what is written for an entry, without the comments and line breaks behind it."""
    end = pair.end
    node = None if pair.is_alias else pair.value
    while node is not None:
        end = node.end
        if isinstance(node, Map) and not node.flow and node.pairs:
            end = node.pairs[-1].end
            node = None if node.pairs[-1].is_alias else node.pairs[-1].value
        elif isinstance(node, List) and not node.flow and node.items:
            # An alias lies before the list that it is an item of.
            node = node.items[-1] if node.items[-1] is not None and node.items[-1].start >= node.start else None
        else:
            node = None
    return len(source[:end].rstrip())


def _indent(source: bytes, offset: int) -> str:
    line = source[line_start(source, offset) : offset]
    return " " * len(line.decode("utf-8", "replace"))


def _step(source: bytes, table: Map, indent: str) -> str:
    """How much deeper the file indents what is below a service's key."""
    for pair in table.pairs:
        if isinstance(pair.value, Map) and not pair.value.flow and not pair.is_alias and pair.value.pairs:
            inner = pair.value.pairs[0].start
            if begins_line(source, inner) and inner > pair.start:
                return _indent(source, inner)[len(indent) :] or "  "
    return "  " if len(indent) % 4 else " " * (4 if len(indent) == 8 else 2)


# --- whether an edit did what it should -------------------------------------------------------------------------------


def _is_sound(source: bytes, edits: Edits, service: str, name: str, value: str | None) -> bool:
    """Whether the result differs from the source by the variable `name` of a service, which now is `value`."""
    after = edited(source, edits)
    if parse(after).problems and not parse(source).problems:
        return False
    old, new = _Reading(source, service, name), _Reading(after, service, name)
    return new.variable == value and old.rest == new.rest


class _Content:
    """What is in a file, in one entry of a service and without it."""

    def __init__(self, source: bytes, service: str, key: str) -> None:
        self._hashes: dict[int, int] = {}
        documents = parse(source).documents
        root = next((document for document in documents if isinstance(document, Map)), None)
        pairs = services_of(root) if root is not None else []
        table = next((pair.value for pair in pairs if pair.key.text == service), None)
        self._pair = table.own.get(key) if isinstance(table, Map) else None
        self.rest = [self._hash(document) for document in documents]

    def _hash(self, node: Node | None) -> int:
        """Equal for equal content, and found in the time that reading takes, however often parts are shared."""
        if node is None or (isinstance(node, Scalar) and node.is_null):
            return hash("null")
        if id(node) not in self._hashes:
            self._hashes[id(node)] = 0  # for a node inside itself
            self._hashes[id(node)] = hash(self._content(node))
        return self._hashes[id(node)]

    def _content(self, node: Node) -> tuple[object, ...]:
        if isinstance(node, Scalar):
            return "scalar", node.text, node.plain
        if isinstance(node, List):
            return "list", *map(self._hash, node.items)
        if isinstance(node, Map):
            return "map", *(part for pair in node.pairs for part in self._entry(pair))
        return ("other",)

    def _entry(self, pair: Pair) -> tuple[object, ...]:
        return pair.key.text, self._hash(pair.value)


class _Without(_Content):
    """A hash of all data in a file but for one entry of a service."""

    @property
    def is_there(self) -> bool:
        """Whether the service has the entry."""
        return self._pair is not None

    def _entry(self, pair: Pair) -> tuple[object, ...]:
        return super()._entry(pair) if pair is not self._pair else ()


class _Reading(_Content):
    """A variable of one service in a file, and a hash of all other data in it."""

    def __init__(self, source: bytes, service: str, name: str) -> None:
        self.variable: str | None = None
        self._name = name
        super().__init__(source, service, "environment")

    def _entry(self, pair: Pair) -> tuple[object, ...]:
        if pair is not self._pair:
            return super()._entry(pair)
        found: dict[str, str] = {}
        if isinstance(pair.value, Map):
            for key, inner in pair.value.merged.items():
                found[key] = inner.value.text if isinstance(inner.value, Scalar) else ""
        elif isinstance(pair.value, List):
            for item in pair.value.scalars():
                key, _, found[key] = item.text.partition("=")
        self.variable = found.pop(self._name, None)
        return ("environment", *sorted(found.items())) if found else ()
