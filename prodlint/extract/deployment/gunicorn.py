"""Gunicorn's configuration in Python: `gunicorn.conf.py`.

Source: Gunicorn's documentation, "Settings". Only literals at the top of the file are read. A number of workers that is
computed from the number of processors is `auto`; whatever else is computed is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

import tree_sitter_python
from tree_sitter import Language, Node

from prodlint.extract import parsing
from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.facts import Artefact, FileFacts, Setting

KIND = "gunicorn"

_NAMES = {
    "workers": "workers", "user": "user", "chdir": "workdir", "graceful_timeout": "stop_grace_period",
    "daemon": "daemon", "reload": "reload", "bind": "ports", "worker_class": "worker_class", "threads": "threads",
    "timeout": "timeout", "max_requests": "max_requests", "preload_app": "preload_app",
    "forwarded_allow_ips": "forwarded_allow_ips", "wsgi_app": "app",
}  # fmt: skip
_DEEPEST = 10
_LONGEST = 50_000
"""Bytes; nobody writes a longer one. The grammar takes time that grows with the square of some files' lengths."""


@cache
def _language() -> Language:
    return Language(tree_sitter_python.language())


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `server` with the settings that are assigned at the top of the file."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    if len(data) > _LONGEST:
        unknown = [Setting("workers", None, 0, 0)]
        facts.artefacts.append(Artefact("server", "", 0, len(data), 0, 0, unknown))
        return facts
    tree = parsing.parse(_language(), data, parsing.PYTHON).root_node
    settings = [setting for child in tree.named_children for setting in _assignment(data, child)]
    facts.artefacts.append(Artefact("server", "", 0, len(data), 0, 0, settings))
    if MARKER in data:
        spans = [(node.start_byte, node.end_byte) for node in tree.children if node.type == "comment"]
        found = (parse_directive(data, start, end, facts.line_starts) for start, end in spans)
        facts.directives = [directive for directive in found if directive is not None]
    return facts


def _assignment(data: bytes, tree: Node) -> Iterator[Setting]:
    if tree.type in ("if_statement", "try_statement"):
        for child in tree.named_children:
            for inner in child.named_children if child.type in ("block", "else_clause") else ():
                for setting in _assignment(data, inner):
                    yield Setting(setting.key, None, setting.start, setting.end)
        return
    if tree.type != "expression_statement" or not tree.named_children:
        return
    assignment = tree.named_children[0]
    left, right = assignment.child_by_field_name("left"), assignment.child_by_field_name("right")
    if assignment.type != "assignment" or left is None or right is None:
        return
    name = _text(data, left)
    place = (right.start_byte, right.end_byte)
    if name == "raw_env" and right.type == "list":
        for item in right.named_children:
            variable, equals, text = (_literal(data, item) or "").partition("=")
            if equals:
                yield Setting(f"env.{variable}", text, item.start_byte, item.end_byte)
    elif name in _NAMES:
        value = _literal(data, right)
        if value is None and name == "workers" and "cpu_count" in _text(data, right):
            value = "auto"
        yield Setting(_NAMES[name], value, *place)


def _literal(data: bytes, tree: Node, depth: int = 0) -> str | None:
    if tree.type == "string":
        if any(child.type == "interpolation" for child in tree.named_children):
            return None
        return "".join(_text(data, child) for child in tree.named_children if child.type == "string_content")
    if tree.type in ("integer", "float"):
        return _text(data, tree)
    if tree.type in ("true", "false"):
        return tree.type
    if tree.type == "list" and depth < _DEEPEST:
        items = [_literal(data, child, depth + 1) for child in tree.named_children if child.type != "comment"]
        return None if None in items else json.dumps(items)
    return None


def _text(data: bytes, tree: Node) -> str:
    return data[tree.start_byte : tree.end_byte].decode("utf-8", "replace")
