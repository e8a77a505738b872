"""TOML as strangers write it: whatever a text holds, it is read or there is one message with a line.

Source: TOML 1.0, "Integer": what does not fit into 64 bits is an error.
"""

from __future__ import annotations

import re
from typing import Any

from prodlint.lazy_regex import regex

_DEEPEST = 100
"""Tables and arrays inside each other. What walks a document may call itself as often as that."""

_MOST_DOTS = 1_000
"""In a row without an equals sign: `tomllib` takes time with the square of a dotted key's length."""

_LEAST, _MOST = -(2**63), 2**63 - 1
_NUMBER = regex(r"(?<![\w\"'.])(?:0x[0-9a-fA-F_]{17,}+|0o[0-7_]{22,}+|0b[01_]{64,}+|[0-9][0-9_]{18,}+)")
"""What looks like one of more than 64 bits."""
_POSITION = regex(r"(.*) \(at (?:line ([0-9]+), column [0-9]+|end of document)\)", re.DOTALL)


class TomlError(ValueError):
    """A text is no TOML that can be read. `line` counts from 1; 0 means the text as a whole."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message, line)
        self.message = message
        self.line = line

    def __str__(self) -> str:
        return f"{self.message} (line {self.line})" if self.line else self.message


def parse_toml(text: str) -> dict[str, Any]:
    """The document; raises `TomlError`, and nothing else, for what is none, is nested more than a hundred deep, or has
    a number of more than 64 bits."""
    import tomllib  # most runs have none to read

    for number, line in enumerate(text.split("\n") if text.count(".") > _MOST_DOTS else (), 1):
        if line.count(".") > _MOST_DOTS and any(part.count(".") > _MOST_DOTS for part in line.split("=")):
            raise TomlError("it is nested too deeply", number)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _POSITION.fullmatch(str(error))
        message, at = (found[1], int(found[2] or 0)) if found else (str(error), 0)
        raise TomlError(message, at or text.count("\n") + 1) from error
    except RecursionError as error:
        raise TomlError("it is nested too deeply", 0) from error
    except ValueError as error:  # Python converts 4,300 digits
        raise TomlError("a number has more than 64 bits", _line_of_number(text)) from error
    _check(document, text)
    return document


def _check(document: dict[str, Any], text: str) -> None:
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, int) and not _LEAST <= value <= _MOST:
                raise TomlError("a number has more than 64 bits", _line_of_number(text))
        if not below:
            return
        level = below
    raise TomlError("it is nested too deeply", 0)


def _line_of_number(text: str) -> int:
    found = _NUMBER.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else 0
