"""Edits of commands that start something, as deployment files hold them: in exec form (a JSON or YAML list of words),
as shell text, as a string of JSON.

Every function returns the edits, or None where the command is not written in a way that can be edited.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence

from prodlint.extract.deployment import dockerfile
from prodlint.extract.deployment.templates import is_template
from prodlint.facts import Setting
from prodlint.findings import Edit, Span
from prodlint.fixes.text import Edits


def instruction_at(source: bytes, start: int) -> dockerfile.Instruction | None:
    """The instruction of a Dockerfile that starts at a byte."""
    return next((each for each in dockerfile.scan(source) if each.start == start), None)


def command_span(kind: str, source: bytes, command: Setting) -> Span | None:
    """The command itself, without the instruction's name, the key or the quotes before it."""
    if is_template(source):
        return None
    if kind != "dockerfile":
        return Span(command.start, command.end)
    instruction = instruction_at(source, command.start)
    if instruction is None or not instruction.text.strip():
        return None
    first = len(instruction.text) - len(instruction.text.lstrip())
    return Span(instruction.offset(first), instruction.end)


def set_words(path: str, kind: str, source: bytes, command: Setting, words: Sequence[str]) -> Edits | None:
    """Writes a command anew: in exec form where it was so or a shell read it, else as one string."""
    span = command_span(kind, source, command)
    if span is None or b"\n" in source[span.start : span.end]:
        return None
    old = source[span.start : span.end]
    if kind == "dockerfile" or old.startswith(b"["):
        text = json.dumps(list(words), ensure_ascii=False)
    elif kind in ("compose", "systemd") and not old.startswith((b'"', b"'")):
        text = shlex.join(words)
    else:
        return None
    return (Edit(path, span.start, span.end, text),)


def drop_word(path: str, kind: str, source: bytes, command: Setting, pattern: str) -> Edits | None:
    """Takes away the one word of a command that matches `pattern`, with the blank or the comma before it."""
    span = command_span(kind, source, command)
    if span is None:
        return None
    text = source[span.start : span.end].decode("latin-1")
    for form in (
        rf",\s*([\"'])(?:{pattern})\1",  # an item of a list in brackets
        rf"\n[ \t]*-[ \t]+([\"']?)(?:{pattern})\1[ \t]*(?=\r?\n|$)",  # an item on a line of its own
        rf"(?<![ \t])[ \t]++(?:{pattern})(?=[\s\"'&|;]|$)",
    ):
        matches = list(re.finditer(form, text))
        if len(matches) == 1:
            match = matches[0]
            return (Edit(path, span.start + match.start(), span.start + match.end(), ""),)
        if matches:
            return None
    return None


def replace_words(
    path: str, kind: str, source: bytes, command: Setting, old: Sequence[str], new: Sequence[str]
) -> Edits | None:
    """Puts the words `new` in place of the words `old`, which stand side by side and only once in the command."""
    span = command_span(kind, source, command)
    if span is None:
        return None
    text = source[span.start : span.end].decode("latin-1")
    for quote, between in (('"', r"\s*,\s*"), ("'", r"\s*,\s*"), ("", r"[ \t]+")):
        pattern = between.join(f"{quote}{re.escape(word)}{quote}" for word in old)
        edge = r"(?<![\w./-])", r"(?![\w./-])"
        matches = list(re.finditer(f"{edge[0]}{pattern}{edge[1]}", text))
        if len(matches) == 1:
            match = matches[0]
            joint = ", " if quote else " "
            written = joint.join(f"{quote}{word}{quote}" for word in new)
            return (Edit(path, span.start + match.start(), span.start + match.end(), written),)
        if matches:
            return None
    return None


def insert_in_shell(path: str, kind: str, source: bytes, command: Setting, at: int, text: str) -> Edits | None:
    """Inserts `text` at the character `at` of a command in shell form, as its reader counts."""
    if at < 0 or is_template(source):
        return None
    if kind == "dockerfile":
        instruction = instruction_at(source, command.start)
        if instruction is None or not instruction.text.isascii():
            return None
        first = len(instruction.text) - len(instruction.text.lstrip())
        place = instruction.offset(at + first)
    elif kind == "shell":
        if b"\r" in source:
            return None
        place = len(source.decode("utf-8", "replace")[:at].encode())
    else:
        return None
    return (Edit(path, place, place, text),)
