"""Files that are not read though their language is known: what a program wrote, and scripts of web pages."""

from __future__ import annotations

import re

from prodlint.facts import SOURCE
from prodlint.lazy_regex import regex

_DO_NOT_EDIT = rb"\bdo not (?:edit|modify)"
_TO_NEXT_LINE = rb"(?:(?!%b)[^\n])*+(?:\n(?:(?!%b)[^\n])*+)?+"
"""All up to a word on this line or the next."""
_GENERATED_HEADER = regex(
    rb"@generated\b"
    rb"|generated\b"
    + _TO_NEXT_LINE % ((rb"generated\b|" + _DO_NOT_EDIT,) * 2)
    + _DO_NOT_EDIT
    + rb"|do not (?:edit|modify)"
    + _TO_NEXT_LINE % ((rb"do not (?:edit|modify)|\bgenerated",) * 2)
    + rb"\bgenerated"
    + rb"|webpackBootstrap|__defProp = Object\.defineProperty|The Module object: Our interface to the outside world",
    re.IGNORECASE,
)
_SOURCE_MAP = regex(rb"(?:^|\n)//# sourceMappingURL=\S+\s*\Z")
_LONG_LINE = 1000


def is_generated(data: bytes, kind: str) -> bool:
    """Whether a program wrote this source file: compiled, bundled, minified, or saying so itself. What is wrong with it
    is wrong elsewhere, and the next build undoes every fix."""
    if kind not in SOURCE:
        return False
    if _GENERATED_HEADER.search(data, 0, 1000):
        return True
    if kind == "python":
        return False
    if _SOURCE_MAP.search(data, max(0, len(data) - 300)):
        return True
    return len(data) > 5 * _LONG_LINE and _in_long_lines(data) > len(data) / 2


def _in_long_lines(data: bytes) -> int:
    return sum(len(line) for line in data.split(b"\n") if len(line) > _LONG_LINE)


_MODULE = regex(rb"\b(?:require|exports|process|__dirname)\b|(?:^|[;}\n])[ \t]*(?:import|export)\b")
_AMD = regex(rb"\bdefine\.amd\b|\btypeof define\b")
_NODE = regex(
    rb"""(?:\brequire\s*+\(|\bfrom|\bimport)\s*+(?:\(\s*+)?['"`](?:node:|(?:fs|https?|net|child_process|path|os|cluster|crypto|zlib|"""
    rb"""util|events|stream|url|express|koa|fastify|ws|socket\.io)['"`/])"""
)


def is_page_script(data: bytes) -> bool:
    """Whether JavaScript that lies where browsers get it from can be of no concern to a server: it is no module, or one
    for loaders in browsers (AMD, UMD) that asks for nothing of Node's."""
    if _AMD.search(data):
        return not _NODE.search(data)
    return not _MODULE.search(data)
