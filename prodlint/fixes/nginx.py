"""Edits of nginx configuration: directives are added to a block in the style of those that are there.

Refused (None) are templates, and files with two sorts of line endings. Every edit is checked by reading the result
again: it has the directives that were there before, and in the block those that are meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from prodlint.extract.deployment.nginx import Directive, scan
from prodlint.extract.deployment.templates import is_template
from prodlint.findings import Edit
from prodlint.fixes.lines import newline_of
from prodlint.fixes.text import Edits, begins_line, edited, indent_at, insert_lines, line_start, next_line

_INDENT = "    "


def written(name: str, *args: str) -> str:
    """A directive as text, its arguments quoted where they have to be."""
    return f"{' '.join((name, *map(_quoted, args)))};"


def _quoted(text: str) -> str:
    if text and not re.search(r"[\s;{}\"'\\#]", text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def insert(
    path: str, source: bytes, block: int, texts: Sequence[str], *, beside: str = "", before: Sequence[str] = ()
) -> Edits | None:
    """Adds directives to the block that starts at the byte `block`: after its last directive called `beside`, else
    before its first one called as one of `before`, else after its last simple directive, else at its beginning."""
    newline = newline_of(source)
    if newline is None or is_template(source):
        return None
    found = scan(source).directives
    number = next((at for at, each in enumerate(found) if each.start == block), None)
    if number is None or found[number].body is None:
        return None
    edits = _inserted(path, source, found, number, texts, beside, before, newline)
    after = scan(edited(source, edits))
    count = sum(each.parent == number for each in found)
    wanted = len(after.directives) == len(found) + len(texts)
    return edits if wanted and sum(each.parent == number for each in after.directives) == count + len(texts) else None


def _inserted(
    path: str,
    source: bytes,
    found: Sequence[Directive],
    number: int,
    texts: Sequence[str],
    beside: str,
    before: Sequence[str],
    newline: str,
) -> Edits:
    own = [each for each in found if each.parent == number]
    simple = [each for each in own if each.body is None]
    alike = [each for each in simple if each.name == beside]
    following = [each for each in simple if each.name in before]
    body = found[number].body
    assert body is not None
    if b"\n" not in source[body.start : body.end]:  # the whole block on one line
        place = alike[-1].end if alike else following[0].start if following else own[-1].end if own else body.start
        text = " ".join(texts)
        return (Edit(path, place, place, f"{text} " if following and not alike else f" {text}"),)
    anchor = alike[-1] if alike else following[0] if following else simple[-1] if simple else None
    if anchor is None:
        indent = indent_at(source, own[0].start) if own else indent_at(source, found[number].start) + _step(source)
        return insert_lines(path, source, next_line(source, body.start), _lines(texts, indent, newline), newline)
    lines = _lines([_aligned(text, source, anchor) for text in texts], indent_at(source, anchor.start), newline)
    if following and not alike and begins_line(source, anchor.start):
        return insert_lines(path, source, line_start(source, anchor.start), lines, newline)
    return insert_lines(
        path, source, min(next_line(source, anchor.end), _end(source, anchor, body.end)), lines, newline
    )


def _end(source: bytes, anchor: Directive, end: int) -> int:
    """Where the line of a directive ends, or the block does, if that is on the same line."""
    return end if b"\n" not in source[anchor.end : end] else len(source)


def _lines(texts: Sequence[str], indent: str, newline: str) -> str:
    return newline.join(indent + text for text in texts)


def _step(source: bytes) -> str:
    """One step of the file's indentation."""
    match = re.search(rb"^([ \t]+)\S", source, re.MULTILINE)
    return match[1].decode() if match else _INDENT


def _aligned(text: str, source: bytes, like: Directive) -> str:
    """The text with the blanks between name and arguments that a directive of the same name has."""
    name, _, rest = text.partition(" ")
    if name != like.name or not like.args:
        return text
    gap = source[like.start + len(like.name) : like.args[0].start].decode("utf-8", "replace")
    return name + gap + rest if gap.isspace() and "\n" not in gap else text


def delete_argument(path: str, source: bytes, directive: int, text: str) -> Edits | None:
    """Takes an argument of the directive that starts at the byte `directive` away, with the blanks before it."""
    if is_template(source):
        return None
    for each in scan(source).directives:
        for word in each.args if each.start == directive else ():
            if word.text == text:
                start = len(source[: word.start].rstrip(b" \t"))
                return (Edit(path, start, word.end, ""),)
    return None
