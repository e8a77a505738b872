"""Edits of Upstart jobs: stanzas are added before what the job starts.

Every function returns the edits, or None where the file is a template or is not written in a way that can be edited.
"""

from __future__ import annotations

from prodlint.extract.deployment import upstart
from prodlint.extract.deployment.templates import is_template
from prodlint.findings import Edit
from prodlint.fixes.lines import newline_of
from prodlint.fixes.text import Edits, insert_lines, line_end, line_start, next_line


def add_stanzas(path: str, source: bytes, *stanzas: str) -> Edits | None:
    """Adds stanzas on lines of their own: behind the last one whose first word is the same, else before the job's exec
    or script."""
    newline = newline_of(source)
    known = upstart.scan(source)
    main = next((each for each in reversed(known) if each.name in ("exec", "script")), None)
    if is_template(source) or newline is None or main is None:
        return None
    text = newline.join(stanzas)
    alike = [each for each in known if each.name == stanzas[0].split()[0]]
    place = next_line(source, alike[-1].start) if alike else line_start(source, main.start)
    return insert_lines(path, source, place, text, newline)


def replace_stanza(path: str, source: bytes, start: int, text: str) -> Edits | None:
    """Puts another stanza in place of the one on the line of the byte `start`."""
    if is_template(source) or source[line_start(source, start) : line_end(source, start)].endswith(b"\\"):
        return None
    first = line_start(source, start)
    indent = len(source[first : line_end(source, start)]) - len(source[first : line_end(source, start)].lstrip())
    return (Edit(path, first + indent, line_end(source, start), text),)
