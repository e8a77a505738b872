"""Edits of line-based deployment files: Dockerfiles, systemd units, and commands in Procfiles and package.json.

Every function returns the edits, or None where the file is a template or not written in a way that can be edited.
"""

from __future__ import annotations

import json
import re

from prodlint.extract.deployment import dockerfile, systemd
from prodlint.extract.deployment.commands import split
from prodlint.extract.deployment.templates import is_template
from prodlint.findings import Edit, Span
from prodlint.fixes.text import BOM, Edits, insert_lines, line_end, line_start, next_line


def newline_of(source: bytes) -> str | None:
    """The line ending of a file; None where it has several."""
    windows = source.count(b"\r\n")
    if windows and windows != source.count(b"\n"):
        return None
    return "\r\n" if windows else "\n"


def insert_instruction(path: str, source: bytes, stage: int, text: str) -> Edits | None:
    """Adds an instruction to the stage of a Dockerfile that starts at the byte `stage`: directly before the last of its
    CMD and ENTRYPOINT and the comments above that, so that no RUN is affected, or at its end."""
    newline = newline_of(source)
    if is_template(source) or newline is None:
        return None
    own: list[dockerfile.Instruction] = []
    for instruction in dockerfile.scan(source):
        if instruction.start >= stage:
            if instruction.name == "FROM" and own:
                break
            own.append(instruction)
    if not own or own[0].name != "FROM":
        return None
    starts = [instruction for instruction in own if instruction.name in ("CMD", "ENTRYPOINT")]
    if starts:
        command = place = line_start(source, starts[-1].start)
        while place > own[0].end and source[line_start(source, place - 1) : place].lstrip().startswith(b"#"):
            place = line_start(source, place - 1)
        is_apart = place < command and not source[line_start(source, place - 1) : place].strip()
        return insert_lines(path, source, place, text + newline if is_apart else text, newline)
    return insert_lines(path, source, next_line(source, own[-1].end), text, newline)


def insert_unit_line(path: str, source: bytes, key: str, text: str) -> Edits | None:
    """Adds a line to the [Service] section of a unit: after its last `key=`, else before its first ExecStart=, else at
    the section's end."""
    newline = newline_of(source)
    if is_template(source) or newline is None:
        return None
    lines = [line for line in systemd.scan(source) if line.section == "Service"]
    alike = [line for line in lines if line.key == key]
    if alike:
        return insert_lines(path, source, next_line(source, alike[-1].end), text, newline)
    first = next((line for line in lines if line.key == "ExecStart"), None)
    if first is not None:
        return insert_lines(path, source, line_start(source, first.start), text, newline)
    return insert_lines(path, source, next_line(source, lines[-1].end), text, newline) if lines else None


def delete_lines(path: str, source: bytes, span: Span) -> Edits | None:
    """Removes the whole lines of something, with their line break; None where anything else stands on them."""
    start, end = line_start(source, span.start), line_end(source, span.end)
    if is_template(source) or source[start : span.start].strip(b" \t" + BOM) or source[span.end : end].strip():
        return None
    return (Edit(path, start, next_line(source, span.end), ""),)


def prefix_command(
    path: str, source: bytes, span: Span, assignment: str, *, is_json: bool = False, runner: str = ""
) -> Edits | None:
    """Sets a variable for the command that stands at `span` (with its quotes, if `is_json`); for all parts of it, if it
    has several. A single command is started by `runner`, such as `cross-env`, if there is one."""
    text = source[span.start : span.end].decode("utf-8", "replace")
    if is_json:
        try:
            text = str(json.loads(text))
        except ValueError:
            return None
    commands = split(text)
    if is_template(source) or not commands or "\n" in text or "{{" in text:
        return None
    is_simple = len(commands) == 1 and not re.search(r"[&|;()]", text) and not text.startswith(("export ", "cd "))
    before = f"{runner} {assignment} ".lstrip() if is_simple else f"export {assignment}; "
    place = span.start + int(is_json)
    return (Edit(path, place, place, before),)


def replace_text(path: str, source: bytes, span: Span, pattern: str, new: str) -> Edits | None:
    """Puts `new` in place of what the pattern's last group matches within `span`; None unless it matches just once."""
    if is_template(source):
        return None
    text = source[span.start : span.end].decode("latin-1")
    matches = list(re.finditer(pattern, text))
    if len(matches) != 1:
        return None
    match = matches[0]
    start, end = match.span(match.re.groups)
    return (Edit(path, span.start + start, span.start + end, new),)
