"""Edits of the files of PM2 and supervisord: a variable of one program, in the style of its file. What an edit does is
checked by reading the result again; None where it cannot be made."""

from __future__ import annotations

import re

from prodlint.extract.deployment import ini, pm2, supervisord
from prodlint.extract.deployment.nodes import List, Map, Node, Pair
from prodlint.extract.deployment.templates import is_template
from prodlint.facts import Artefact
from prodlint.findings import Edit
from prodlint.fixes.checked import adds_only
from prodlint.fixes.lines import newline_of
from prodlint.fixes.text import Edits, append_item, begins_line, insert_lines, next_line


def set_in_program(path: str, source: bytes, program: Artefact, name: str, value: str) -> Edits | None:
    """Adds a variable to the `environment` of a supervisord program."""
    newline = newline_of(source)
    if newline is None or is_template(source):
        return None
    lines = [line for line in ini.scan(source) if program.start <= line.start < program.end and line.key]
    own = next((line for line in lines if line.key == "environment"), None)
    command = next((line for line in lines if line.key == "command"), None)
    if own is not None:
        written = source[own.value_start : own.end].decode("utf-8", "replace")
        if re.search(r"\s;", written) or not written.strip():
            return None
        comma = "" if written.rstrip().endswith(",") else ","
        edits: Edits = (Edit(path, own.end, own.end, f'{comma}{name}="{value}"'),)
    elif command is not None:
        equals = " = " if source[command.start : command.end].partition(b"=")[0].endswith(b" ") else "="
        edits = insert_lines(
            path, source, next_line(source, command.end), f'environment{equals}{name}="{value}"', newline
        )
    else:
        return None
    return edits if adds_only(supervisord.extract, path, source, edits, program, f"env.{name}") else None


def set_in_app(path: str, source: bytes, app: Artefact, name: str, value: str) -> Edits | None:
    """Adds a variable to the `env` of an app of PM2."""
    newline = newline_of(source)
    table = _map_at(pm2.read(source, path), app.start)
    if newline is None or table is None or not table.pairs or ("env" in table.merged and "env" not in table.own):
        return None
    env = table.own.get("env")
    if env is None:
        edits = _in_braces(path, source, table, newline, "env", (name, value)) if table.flow else None
        if not table.flow:
            edits = _below(path, source, table.pairs[-1], newline, f"env:{newline}\0  {name}: {value}")
    elif not isinstance(env.value, Map) or env.is_alias or not app.start < env.value.start < app.end:
        return None  # another app may use it, too
    elif env.value.flow and not env.value.pairs:
        written = _pair(source, table, name, value)
        edits = (Edit(path, env.value.start, env.value.end, f"{{ {written} }}"),)
    elif env.value.flow:
        edits = _in_braces(path, source, env.value, newline, name, value)
    else:
        edits = _below(path, source, env.value.pairs[-1], newline, f"{name}: {value}")
    if edits is None or not adds_only(pm2.extract, path, source, edits, app, f"env.{name}"):
        return None
    return edits


def _in_braces(
    path: str, source: bytes, table: Map, newline: str, key: str, value: str | tuple[str, str]
) -> Edits | None:
    """Adds an entry to a map in braces, laid out as its last one."""
    last = table.pairs[-1]
    if not table.start < last.start < table.end:
        return None  # a spread of something that is written elsewhere
    behind = re.match(rb"\s*,", source[last.end : table.end])
    comma = last.end + behind.end() if behind is not None else -1
    item = _pair(source, table, key, value)
    return append_item(path, source, (last.start, last.end), comma, item, newline)


def _pair(source: bytes, table: Map, key: str, value: str | tuple[str, str]) -> str:
    """An entry, with the quotes that the map's entries have."""
    keys = [source[pair.key.start : pair.key.end] for pair in table.pairs]
    values = [source[pair.value.start : pair.value.start + 1] for pair in table.pairs if pair.value is not None]
    quoted = bool(keys) and all(each[:1] in (b'"', b"'") for each in keys)
    quote = '"' if values.count(b'"') > values.count(b"'") or (quoted and keys[0][:1] == b'"') else "'"
    written = f"{quote}{key}{quote}" if quoted else key
    if isinstance(value, tuple):
        return f"{written}: {{ {_pair(source, table, *value)} }}"
    return f"{written}: {quote}{value}{quote}"


def _below(path: str, source: bytes, pair: Pair, newline: str, text: str) -> Edits | None:
    """Adds lines below an entry of a map that is not in braces. A NUL stands for its indentation."""
    if not begins_line(source, pair.start) and source[pair.start - 2 : pair.start] != b"- ":
        return None
    indent = " " * (pair.start - source.rfind(b"\n", 0, pair.start) - 1)
    end = pair.value.end if isinstance(pair.value, Map | List) else pair.end
    end = len(source[:end].rstrip())
    return insert_lines(path, source, next_line(source, end), indent + text.replace("\0", indent), newline)


def _map_at(root: Node | None, start: int) -> Map | None:
    """The outermost map that starts at a byte, of those that an app can be."""
    stack: list[Node | None] = [root]
    while stack:
        node = stack.pop(0)
        if isinstance(node, Map):
            if node.start == start:
                return node
            stack += [pair.value for pair in node.pairs if pair.key.text in ("apps", "pm2")]
        elif isinstance(node, List):
            stack += node.items
    return None
