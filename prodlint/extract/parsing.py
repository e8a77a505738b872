"""Parsing by tree-sitter, which takes any bytes, but for some of them a time that grows with the square of their size.

Whoever parses gets a tree, or `TooHard`: no file keeps anybody waiting.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tree_sitter import Language, Parser, Tree

from prodlint.lazy_regex import regex

LIMIT_SECONDS = 5
"""Of this thread's own time, for all parsing of one file; ten megabytes of sound code take a fifth of it."""

_NEVER_LONG = 5_000
"""Bytes that no grammar needs long for."""

_MOST_SIGNS = 20_000
"""Signs in a row, with no word between them, in a file that is broken: a query looks for the next word behind each."""

_SIGNS = regex(rb"(?:[^\w\s]\s*+){100,}+")


class TooHard(Exception):
    """The file cannot be parsed in reasonable time, or not without harm."""

    def __init__(self, reason: str = "it is broken in a way that makes parsing it take too long") -> None:
        super().__init__(f"not read: {reason}")


class Indents(NamedTuple):
    """How a grammar indents, of those that keep a stack of indentations. They write past the end of a buffer when it is
    deep (tree-sitter-yaml's issue 48; that of Python does it, too)."""

    lead: re.Pattern[bytes]
    """What may stand before the text of a line: each sign in it, and the text, can be a level."""
    most: int
    """No person indents so deeply, and the buffer has room for it."""
    alike: bytes
    """A table for `bytes.translate` that makes a blank of every sign that can be a level: as many of them in a row as
    there may be levels are quick to look for, and seldom found."""


def _alike(signs: bytes) -> bytes:
    return bytes.maketrans(signs, b" " * len(signs))


YAML = Indents(
    regex(rb"(?m)(?:^|(?<=\r))(?:\xef\xbb\xbf)?(?:(?:---|\.\.\.)[ \t])?(?:[ \t]|[-?:](?=[ \t\r\n]|\Z))++"),
    100,
    _alike(b"-?:. \t\xef\xbb\xbf"),
)
PYTHON = Indents(regex(rb"(?m)(?:^|(?<=\r))[ \t\f]++"), 350, _alike(b" \t\f"))


def _refuse_deep(data: bytes, indents: Indents) -> None:
    if b" " * indents.most not in data.translate(indents.alike):
        return
    stack: list[int] = []
    for line in re.split(rb"[\r\n]", data):
        found = indents.lead.match(line)
        lead = found[0] if found is not None else b""
        columns = [column for column, sign in enumerate(lead) if sign not in b" \t\f"]
        if len(lead) < len(line):
            columns.append(len(lead))
        while columns and stack and stack[-1] >= columns[0]:
            stack.pop()
        stack += (column for column in columns if not stack or column > stack[-1])
        if len(stack) > indents.most:
            raise TooHard("it is nested too deeply")


class _Deadline(threading.local):
    at: float | None = None


_DEADLINE = _Deadline()


@contextmanager
def one_file() -> Iterator[None]:
    """Everything parsed meanwhile belongs to one file, and has the time of one."""
    _DEADLINE.at = time.thread_time() + LIMIT_SECONDS
    try:
        yield
    finally:
        _DEADLINE.at = None


def parse(language: Language, data: bytes, indents: Indents | None = None) -> Tree:
    """The syntax tree of `data`; raises `TooHard`. `indents` belong to the language, if it has any."""
    if indents is not None:
        _refuse_deep(data, indents)
    if len(data) < _NEVER_LONG:
        return Parser(language).parse(data)
    deadline = _DEADLINE.at or time.thread_time() + LIMIT_SECONDS
    # Asking for the thread's own time takes a system call, and it cannot have passed before the time of the clock has.
    earliest = time.monotonic() + deadline - time.thread_time()
    try:
        tree = Parser(language).parse(
            lambda offset, _: data[offset:],
            progress_callback=lambda _offset, _error: time.monotonic() > earliest and time.thread_time() > deadline,
        )
    except ValueError:
        raise TooHard from None
    if tree.root_node.has_error and any(len(signs[0]) > _MOST_SIGNS for signs in _SIGNS.finditer(data)):
        raise TooHard
    return tree
