"""Edits of Kubernetes manifests: a variable or a probe of a container, in the style of its file. What an edit does is
checked by reading the result again."""

from __future__ import annotations

from prodlint.extract.deployment import kubernetes
from prodlint.extract.deployment.nodes import List, Map, Node
from prodlint.extract.deployment.templates import is_template
from prodlint.extract.deployment.yaml_nodes import parse
from prodlint.facts import Artefact
from prodlint.fixes.checked import adds_only
from prodlint.fixes.lines import newline_of
from prodlint.fixes.text import Edits, begins_line, insert_lines, line_start, next_line


def set_variable(path: str, source: bytes, container: Artefact, name: str, value: str) -> Edits | None:
    """Adds an environment variable to a container. None where its `env` is written in brackets, or comes from an
    anchor."""
    newline = newline_of(source)
    table = _map_at(parse(source).documents, container.start)
    if newline is None or is_template(source) or table is None or table.flow:
        return None
    env = table.own.get("env")
    if env is None:
        head = table.own.get("image") or table.own.get("name")
        if head is None or "env" in table.merged:
            return None
        indent = " " * (head.start - line_start(source, head.start))
        text = f"{indent}env:{newline}{indent}  - name: {name}{newline}{indent}    value: {value}"
        at = next_line(source, head.end)
    elif isinstance(env.value, List) and env.value.items and not env.value.flow and not env.is_alias:
        first, last = env.value.items[0], env.value.items[-1]
        if first is None or last is None:
            return None
        dash = source.rindex(b"-", 0, first.start)
        if source[dash + 1 : first.start].strip() or not begins_line(source, dash):
            return None
        indent = " " * (dash - line_start(source, dash))
        text = f"{indent}- name: {name}{newline}{indent}  value: {value}"
        at = next_line(source, last.end if source[last.start : last.end].strip() else last.start)
    else:
        return None
    edits = insert_lines(path, source, at, text, newline)
    return edits if adds_only(kubernetes.extract, path, source, edits, container, f"env.{name}") else None


def add_probe(path: str, source: bytes, container: Artefact, url: str, port: str) -> Edits | None:
    """Adds a `readinessProbe` at the end of a container, that asks for a path, or, where `url` is "", whether the port
    is open. `port` is a number, or a port's name."""
    newline = newline_of(source)
    table = _map_at(parse(source).documents, container.start)
    if newline is None or is_template(source) or table is None or table.flow or table.merges:
        return None
    first, last = table.pairs[0], table.pairs[-1]
    indent = " " * (first.start - line_start(source, first.start))
    asked = ("  httpGet:", f"    path: {url}") if url else ("  tcpSocket:",)
    lines = ("readinessProbe:", *asked, f"    port: {port}")
    text = newline.join(f"{indent}{line}" for line in lines)
    end = len(source[: last.value.end if last.value is not None and not last.is_alias else last.end].rstrip())
    edits = insert_lines(path, source, next_line(source, end), text, newline)
    keys = ("healthcheck.readiness", "healthcheck")
    return edits if adds_only(kubernetes.extract, path, source, edits, container, *keys) else None


def _map_at(documents: list[Node | None], start: int) -> Map | None:
    """The innermost map that starts at a byte."""
    stack = list(documents)
    seen: set[int] = set()
    found = None
    while stack:
        node = stack.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Map):
            if node.start == start and (found is None or node.end < found.end):
                found = node
            stack += [pair.value for pair in node.pairs]
        elif isinstance(node, List):
            stack += node.items
    return found
