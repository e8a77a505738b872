"""Running nginx, HAProxy, Varnish and Caddy, and a small service behind them."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_PATIENCE = 20.0
"""Seconds until a program that has not come up counts as broken."""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@dataclass
class Service:
    """A service that answers with the headers that it was asked with, as JSON, or with a page for `/page`."""

    port: int
    requests: list[Mapping[str, str]] = field(default_factory=list)
    """The headers of each request, by lower-case name."""


@contextlib.contextmanager
def service() -> Iterator[Service]:
    """A running service."""
    state = Service(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.requests.append(headers)
            is_page = self.path.startswith("/page")
            body = (json.dumps({"headers": headers, "text": "x" * 2000})).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if is_page else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "max-age=60")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the tests look at `requests`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def running(port: int, *command: str, **variables: str) -> Iterator[None]:
    """A program while it runs in the foreground and listens on a port; `variables` are added to its environment."""
    environment = {**os.environ, **variables}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_until(lambda: _listens(port), process)
        yield
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        process.kill()
        process.communicate()


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[Any]) -> None:
    """Waits for something that a program does while it runs; fails when it ends before, or takes too long."""
    end = time.monotonic() + _PATIENCE
    while not holds():
        if process.poll() is not None:
            output = process.stdout or process.stderr
            raise AssertionError(output.read() if output is not None else "it ended")
        if time.monotonic() > end:
            raise AssertionError("it did not happen")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def get(port: int, path: str = "/", **headers: str) -> HTTPResponse:
    """The answer to a request for shop.example, by a client that takes gzip; its body is read."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", path, headers={"Host": "shop.example", "Accept-Encoding": "gzip", **names})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response
