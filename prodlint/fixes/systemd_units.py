"""Edits of systemd units: lines are added to the section that they belong to, changed and moved as whole lines.

Every function returns the edits, or None where the file is a template or has no such section.
"""

from __future__ import annotations

from collections.abc import Mapping

from prodlint.extract.deployment import systemd
from prodlint.extract.deployment.templates import is_template
from prodlint.findings import Edit, Span
from prodlint.fixes.lines import delete_lines, newline_of
from prodlint.fixes.text import Edits, insert_lines, next_line


def set_values(path: str, source: bytes, section: str, values: Mapping[str, str]) -> Edits | None:
    """Gives a section `key=value` lines: in place of the last line of that key, else behind its last ExecStart=, of
    `RestartSec` behind Restart=, or at its end. A section that is not there is added at the end of the file."""
    newline = newline_of(source)
    if is_template(source) or newline is None:
        return None
    lines = [line for line in systemd.scan(source) if line.section == section]
    edits: list[Edit] = []
    missing: list[str] = []
    for key, value in values.items():
        own = [line for line in lines if line.key == key]
        if own:
            edits.append(Edit(path, own[-1].value_start, own[-1].end, value))
        else:
            missing.append(f"{key}={value}")
    if missing:
        edits += _added(path, source, section, lines, newline.join(missing), newline)
    return tuple(edits)


def _added(path: str, source: bytes, section: str, lines: list[systemd.Line], text: str, newline: str) -> Edits:
    if not lines:
        end = len(source.rstrip())
        return (Edit(path, end, len(source), f"{newline}{newline}[{section}]{newline}{text}{newline}"),)
    starts = [line for line in lines if line.key == ("Restart" if text.startswith("RestartSec=") else "ExecStart")]
    place = next_line(source, (starts or lines)[-1].end)
    return insert_lines(path, source, place, text, newline)


def replace_value(path: str, source: bytes, start: int, value: str) -> Edits | None:
    """Puts `value` in place of the value of the line that holds the byte `start`."""
    line = _line_at(source, start)
    return (Edit(path, line.value_start, line.end, value),) if line is not None else None


def rename_key(path: str, source: bytes, start: int, key: str) -> Edits | None:
    """Gives the line that holds the byte `start` another key, where it is."""
    line = _line_at(source, start)
    if line is None or not source.startswith(line.key.encode(), line.start):
        return None
    return (Edit(path, line.start, line.start + len(line.key.encode()), key),)


def move_line(path: str, source: bytes, start: int, section: str, key: str) -> Edits | None:
    """Takes the line that holds the byte `start` to the end of another section, as `key=`."""
    newline = newline_of(source)
    line = _line_at(source, start)
    if newline is None or line is None or "\n" in source[line.start : line.end].decode("utf-8", "replace"):
        return None
    deleted = delete_lines(path, source, Span(line.start, line.end))
    others = [other for other in systemd.scan(source) if other.section == section]
    if deleted is None or not others:
        return None
    text = f"{key}={line.value}"
    return (*insert_lines(path, source, next_line(source, others[-1].end), text, newline), *deleted)


def _line_at(source: bytes, start: int) -> systemd.Line | None:
    if is_template(source):
        return None
    return next((line for line in systemd.scan(source) if line.start <= start < line.end and line.key), None)
