"""Parsing by tree-sitter, which takes any bytes, but for some of them a time that grows with the square of their size.

Whoever parses gets a tree, or `TooHard`: no file keeps anybody waiting.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tree_sitter import Language, Parser, Tree

LIMIT_SECONDS = 5
"""Of this thread's own time, for all parsing of one file; ten megabytes of sound code take a fifth of it."""

_NEVER_LONG = 5_000
"""Bytes that no grammar needs long for."""

_MOST_SIGNS = 20_000
"""Signs in a row, with no word between them, in a file that is broken: a query looks for the next word behind each."""

_SIGNS = re.compile(rb"(?:[^\w\s]\s*+){100,}+")


class TooHard(Exception):
    """The file cannot be parsed in reasonable time."""

    def __init__(self) -> None:
        super().__init__("not read: it is broken in a way that makes parsing it take too long")


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


def parse(language: Language, data: bytes) -> Tree:
    """The syntax tree of `data`; raises `TooHard`."""
    if len(data) < _NEVER_LONG:
        return Parser(language).parse(data)
    deadline = _DEADLINE.at or time.thread_time() + LIMIT_SECONDS
    try:
        tree = Parser(language).parse(
            lambda offset, _: data[offset:], progress_callback=lambda _offset, _error: time.thread_time() > deadline
        )
    except ValueError:
        raise TooHard from None
    if tree.root_node.has_error and any(len(signs[0]) > _MOST_SIGNS for signs in _SIGNS.finditer(data)):
        raise TooHard
    return tree
