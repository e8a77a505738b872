"""JSON as it is printed: for programs, but it may be a terminal that gets it."""

from __future__ import annotations

from typing import Any

import msgspec

from prodlint.output.terminal import STEERING


def json_text(value: Any) -> str:
    """Indented JSON in which nothing steers a terminal."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
