"""Changes to package.json, in the style of the file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from prodlint.extract.deployment.json_nodes import parse
from prodlint.extract.deployment.nodes import Map, Pair
from prodlint.findings import Edit
from prodlint.fixes.lines import newline_of
from prodlint.fixes.text import Edits, edited, indent_at


def add_dependencies(path: str, source: bytes, wanted: Iterable[tuple[str, str, str]]) -> Edits | None:
    """`"name": "version"` in a table (`dependencies`, `devDependencies`) for each of `wanted`: where it belongs if the
    names are sorted, else last; nothing for what is there. None where the file is no package.json, or cannot be changed
    without touching other lines."""
    newline = newline_of(source)
    document = parse(source)
    if newline is None or document.problems or not isinstance(document.root, Map):
        return None
    edits: list[Edit] = []
    for table, name, version in wanted:
        entries = document.root.map(table)
        if entries is not None and name in entries.own:
            continue
        text = f"{json.dumps(name)}: {json.dumps(version)}"
        if entries is None:
            edit = _new_table(path, source, document.root, f"{json.dumps(table)}: ", text, newline)
        else:
            edit = _beside(path, source, list(entries.own.values()), name, text, newline)
        if edit is None or not _is_sound(source, edit, table, name, version):
            return None
        edits.append(edit)
    return tuple(edits)


def _beside(path: str, source: bytes, pairs: Sequence[Pair], name: str, text: str, newline: str) -> Edit | None:
    if not pairs:
        return None  # `"dependencies": {}`
    names = [_name(source, pair) for pair in pairs]
    before = next((pair for pair, other in zip(pairs, names, strict=True) if other > name), None)
    gap = newline + indent_at(source, pairs[0].start) if b"\n" in source[: pairs[0].start].rpartition(b"{")[2] else " "
    if names == sorted(names) and before is not None:
        return Edit(path, before.start, before.start, f"{text},{gap}")
    return Edit(path, pairs[-1].end, pairs[-1].end, f",{gap}{text}")


def _name(source: bytes, pair: Pair) -> str:
    return str(json.loads(source[pair.key.start : pair.key.end]))


def _new_table(path: str, source: bytes, root: Map, key: str, text: str, newline: str) -> Edit | None:
    pairs = list(root.own.values())
    if not pairs or b"\n" not in source[root.start : pairs[0].start]:
        return None
    outer = indent_at(source, pairs[0].start)
    lines = (f",{newline}{outer}{key}{{", f"{outer}{outer}{text}", f"{outer}}}")
    return Edit(path, pairs[-1].end, pairs[-1].end, newline.join(lines))


def _is_sound(source: bytes, edit: Edit, table: str, name: str, version: str) -> bool:
    """Whether the file says the same after the change, and the dependency besides."""
    before, after = (json.loads(each.decode("utf-8-sig")) for each in (source, edited(source, (edit,))))
    expected = {**before, table: {**before.get(table, {}), name: version}}
    return bool(after == expected)
