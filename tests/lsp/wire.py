"""A client that writes what it likes: raw bytes to `prodlint lsp`, and whatever comes back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

PATIENCE = 400.0


class Wire:
    """A connection to a server of its own, which is ended if it takes too long to answer."""

    def __init__(self, folder: Path, root: str | None, **environment: str) -> None:
        self.others: list[dict[str, Any]] = []
        """Notifications and requests of the server."""
        self._number = 0
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "prodlint", "lsp"],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._watchdog = threading.Timer(PATIENCE, self.process.kill)
        self._watchdog.start()
        self._draining = threading.Thread(target=self._drain)
        self.said = b""
        self._draining.start()
        self.ask("initialize", {"capabilities": {}, "rootUri": root, "processId": None})
        self.tell("initialized", {})

    def _drain(self) -> None:
        assert self.process.stderr is not None
        self.said = self.process.stderr.read()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.cancel()
        self.process.kill()
        self.process.wait()
        self._draining.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            with suppress(OSError):
                stream.close()

    def raw(self, data: bytes) -> None:
        """Writes bytes."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def message(self, message: dict[str, Any]) -> None:
        """Writes a message."""
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.raw(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def tell(self, method: str, params: Any) -> None:
        """A notification."""
        self.message({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> dict[str, Any]:
        """A request, and its answer."""
        self._number += 1
        self.message({"method": method, "params": params, "id": self._number})
        return self.answer(self._number)

    def answer(self, number: int | None) -> dict[str, Any]:
        """The answer to a request; None is what has no number."""
        while True:
            message = self._read()
            if "method" not in message and message.get("id") == number:
                return message
            self.others.append(message)

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline()).strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        assert length, "the server has ended"
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message

    def leave(self) -> int:
        """Ends the server as the protocol has it. Returns its exit code."""
        self.ask("shutdown", None)
        self.message({"method": "exit"})
        return self.process.wait(PATIENCE)
