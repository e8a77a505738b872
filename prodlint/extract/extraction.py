"""The bytes of one file become its facts. Pure: no setting, no rule and no other file has a say."""

from __future__ import annotations

import re

from prodlint.extract.generated import is_generated, is_page_script
from prodlint.extract.ignore_comments import line_starts_of
from prodlint.extract.parsing import TooHard, one_file
from prodlint.facts import JAVASCRIPT, FileFacts, SyntaxProblem
from prodlint.lazy_regex import regex

_CODING = regex(rb"(?:[ \t]*#[^\n]*\n)?[ \t]*#[^\n]*coding[:=][ \t]*(?!utf-?8)[-\w.]", re.IGNORECASE)


def is_left_out(data: bytes, kind: str, *, is_for_browsers: bool) -> bool:
    """Whether a source file is not read because of what is in it: a program wrote it, or (`is_for_browsers`: it lies
    where browsers get it from) it is a script of a web page."""
    return (is_for_browsers and is_page_script(data)) or is_generated(data, kind)


def extract(data: bytes, kind: str, path: str) -> FileFacts:
    """The facts of one file. `path` matters for deployment files only, where a name is part of what they say."""
    try:
        with one_file():
            facts = _extract(data, kind, path)
    except TooHard as error:
        return FileFacts(kind, problems=[SyntaxProblem(str(error), 0, 0)], line_starts=line_starts_of(data))
    if (problem := _undecodable(data)) is not None:
        facts.problems.insert(0, problem)
    return facts


def _extract(data: bytes, kind: str, path: str) -> FileFacts:
    if kind in JAVASCRIPT:
        from prodlint.extract.source import javascript

        return javascript.extract(data, kind)
    if kind == "python":
        from prodlint.extract.source import python

        return python.extract(data, kind)
    from prodlint.extract.deployment import READERS

    return READERS[kind].extract(data, path)


def _undecodable(data: bytes) -> SyntaxProblem | None:
    """What is no UTF-8 in a file that does not name another encoding. All else in it is read all the same."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        if _CODING.match(data):
            return None
        return SyntaxProblem(f"not UTF-8: byte 0x{data[error.start]:02x}", error.start, error.end)
    return None
