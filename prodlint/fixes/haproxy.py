"""Edits of HAProxy configuration: lines are added to a section, words to a line.

Refused (None) are templates, and files with two sorts of line endings.
"""

from __future__ import annotations

from collections.abc import Sequence

from prodlint.extract.deployment.haproxy import scan
from prodlint.extract.deployment.templates import is_template
from prodlint.findings import Edit
from prodlint.fixes.lines import newline_of
from prodlint.fixes.text import Edits, indent_at, insert_lines, next_line


def append_words(path: str, source: bytes, lines: Sequence[int], text: str) -> Edits | None:
    """Adds words to the ends of the lines that start at some bytes, before their comments."""
    if is_template(source):
        return None
    ends = {line.start: line.end for line in scan(source)[0]}
    if not all(start in ends for start in lines):
        return None
    return tuple(Edit(path, ends[start], ends[start], f" {text}") for start in lines)


def insert(path: str, source: bytes, section: int, texts: Sequence[str], beside: str) -> Edits | None:
    """Adds lines to the section that starts at the byte `section`: after its last line that begins with `beside`, else
    after its last line."""
    newline = newline_of(source)
    if newline is None or is_template(source):
        return None
    lines = scan(source)[0]
    number = next((at for at, line in enumerate(lines) if line.start == section), None)
    if number is None:
        return None
    own = []
    for line in lines[number + 1 :]:
        if line.is_section:
            break
        own.append(line)
    alike = [line for line in own if line.words[0].text == beside]
    last = (alike or own or [lines[number]])[-1]
    indent = indent_at(source, own[0].start) if own else "    "
    text = newline.join(indent + each for each in texts)
    return insert_lines(path, source, next_line(source, last.end), text, newline)
