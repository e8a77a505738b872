"""What the XML formats share: text that XML 1.0 can hold, and elements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(value: object) -> str:
    """A value as the content of an element. What XML has no characters for becomes a replacement character."""
    return escape(_FORBIDDEN.sub("\ufffd", str(value)))


def start(name: str, attributes: Mapping[str, object], close: str = ">") -> str:
    """A start tag; with `close` "/>" an empty element."""
    told = "".join(f" {key}={quoteattr(_FORBIDDEN.sub(chr(0xFFFD), str(value)))}" for key, value in attributes.items())
    return f"<{name}{told}{close}"
