"""What the XML formats share: text that XML 1.0 can hold, and elements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from prodlint.lazy_regex import regex
from prodlint.output.terminal import STEERING

HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'

_LINE_START = regex(r"(^[^\S\n]*+):(?=:)", re.MULTILINE)
_FORBIDDEN = regex("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(value: object) -> str:
    """A value as the content of an element. What XML has no characters for becomes a replacement character."""
    return _harmless(escape(_allowed(value)))


def start(name: str, attributes: Mapping[str, object], close: str = ">") -> str:
    """A start tag; with `close` "/>" an empty element."""
    told = "".join(f" {key}={_harmless(quoteattr(_allowed(value)))}" for key, value in attributes.items())
    return f"<{name}{told}{close}"


def _allowed(value: object) -> str:
    return _FORBIDDEN.sub("\ufffd", str(value))


def _harmless(xml: str) -> str:
    """The same XML, of which nothing steers a terminal or a CI service."""
    return _LINE_START.sub(r"\1&#58;", STEERING.sub(lambda found: f"&#{ord(found[0])};", xml))
