"""How messages come in: one that is not as the protocol has it is answered, and the next one is read.

Source: JSON-RPC 2.0, "Error object"; LSP 3.17, "Base Protocol".
"""

from __future__ import annotations

import re
from typing import Any, BinaryIO

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol

from prodlint.lazy_regex import regex

_LENGTH = regex(rb"content-length[ \t]*:[ \t]*([0-9]{1,9})[ \t]*\r?\n", re.IGNORECASE)
_LONGEST_HEADER = 10_000
_LONGEST_BODY = 100_000_000
"""Bytes; the largest file that is analysed takes a tenth of it."""


class Protocol(LanguageServerProtocol):
    """The protocol of pygls, which logs a request that it cannot read, and leaves its sender waiting."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        """The message that `data` is; raises `JsonRpcException` where it is none, after it was answered."""
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "method" in data and isinstance(data.get("id"), int | str):
                self._send_response(data["id"], error=error.to_response_error())
            raise


class Input:
    """Standard input as pygls reads it. A message without a length that can be is an error, and passed over."""

    def __init__(self, stream: BinaryIO, protocol: Protocol) -> None:
        self._stream = stream
        self._protocol = protocol

    def readline(self) -> bytes:
        """The next line of a header, the length as pygls wants it; b"" at the end."""
        line = self._stream.readline(_LONGEST_HEADER)
        if not line.lower().startswith(b"content-length"):
            return line
        found = _LENGTH.fullmatch(line)
        if found and int(found[1]) <= _LONGEST_BODY:
            return b"Content-Length: %d\r\n" % int(found[1])
        message = f"a message cannot have this length: {line[:100].decode(errors='replace').strip()}"
        self._protocol._send_response(None, error=lsp.ResponseError(lsp.ErrorCodes.ParseError, message))  # type: ignore[arg-type]
        return b"\r\n"

    def read(self, count: int) -> bytes:
        """So many bytes, or what there is before the end."""
        return self._stream.read(count)
