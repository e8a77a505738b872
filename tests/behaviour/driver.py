"""Starts a program, sends it requests, and watches what becomes of both. Nothing here waits for a fixed time to pass, apart
from `Pending.hangs`, which has to."""

from __future__ import annotations

import http.client
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LOCALHOST = "127.0.0.1"
DEADLINE = 20.0
"""Seconds after which what should have happened is taken not to happen."""
PATIENCE = 1.5
"""Seconds after which a request without an answer counts as hanging, while the server is idle."""


@dataclass(frozen=True)
class Answer:
    """A whole HTTP response."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    text: str


class Cut(Exception):
    """The connection ended before there was a whole answer."""


class Pending:
    """A request that was sent, on a connection of its own."""

    def __init__(self, port: int, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> None:
        self._connection = http.client.HTTPConnection(LOCALHOST, port, timeout=DEADLINE)
        self._connection.request(method, path, body, dict(headers))

    def answered(self, within: float = 0.0) -> bool:
        """Whether the server has begun to answer, or has closed the connection."""
        return bool(select.select([self._connection.sock], [], [], within)[0])

    def hangs(self) -> bool:
        """Whether nothing comes back for a while."""
        return not self.answered(PATIENCE)

    def answer(self) -> Answer:
        """Waits for the answer. Raises `Cut`."""
        try:
            response = self._connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        except (http.client.HTTPException, ConnectionError) as error:
            raise Cut from error
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)

    def is_cut(self) -> bool:
        """Whether the connection ends without a whole answer. Waits until one or the other has happened."""
        try:
            self.answer()
        except Cut:
            return True
        return False

    def close(self) -> None:
        """Gives up on the answer."""
        self._connection.close()


class Running:
    """A process that listens on a port."""

    def __init__(
        self, command: Sequence[str], folder: Path, env: Mapping[str, str], port: int, stdout: int | None
    ) -> None:
        """Without `stdout`, the output can be read from `stdout`."""
        self.port = port
        self._folder = folder
        self._pending: list[Pending] = []
        with (folder / ".stdout").open("wb") as out, (folder / ".stderr").open("wb") as err:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out if stdout is None else stdout,
                stderr=err,
                start_new_session=True,
            )

    @property
    def stdout(self) -> str:
        """What the process has written so far."""
        return self.read(".stdout")

    @property
    def stderr(self) -> str:
        """What the process has written so far."""
        return self.read(".stderr")

    def wait_until_it_listens(self) -> None:
        """Polls the port."""

        def listens() -> bool:
            if self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}:\n{self.stdout}\n{self.stderr}")
            with socket.socket() as probe:
                return probe.connect_ex((LOCALHOST, self.port)) == 0

        wait_for(listens, lambda: f"it does not listen:\n{self.stdout}\n{self.stderr}")

    def send(self, path: str, method: str = "GET", body: str | None = None, headers: Mapping[str, str] = {}) -> Pending:
        """Sends a request and does not wait."""
        pending = Pending(self.port, method, path, body, headers)
        self._pending.append(pending)
        return pending

    def get(self, path: str) -> Answer:
        """A whole GET."""
        return self.send(path).answer()

    def post(self, path: str, body: str) -> Answer:
        """A whole POST."""
        return self.send(path, "POST", body, {"content-type": "text/plain"}).answer()

    def exit_code(self) -> int:
        """Waits for the process to end. Fails if it goes on."""
        try:
            return self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the process goes on:\n{self.stdout}\n{self.stderr}") from None

    def wait_for_output(self, text: str) -> None:
        """Waits until the process has written `text` on stdout or stderr."""
        wait_for(lambda: text in self.stdout + self.stderr, lambda: f"no {text!r} in\n{self.stdout}\n{self.stderr}")

    def read(self, path: str) -> str:
        """A file that the program has written."""
        file = self._folder / path
        return file.read_text(errors="replace") if file.exists() else ""

    def write(self, path: str, text: str) -> None:
        """Changes a file of the program."""
        (self._folder / path).write_text(text)

    def wait_for_file(self, path: str, text: str) -> None:
        """Waits until a file has the text."""
        wait_for(lambda: text in self.read(path), lambda: f"no {text!r} in {path}: {self.read(path)}")

    def stop(self) -> None:
        """Ends the process and all that it has started."""
        for pending in self._pending:
            pending.close()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def wait_for(holds: Callable[[], bool], complaint: Callable[[], str]) -> None:
    """Polls until it holds. Fails with the complaint."""
    end = time.monotonic() + DEADLINE
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(complaint())
        time.sleep(0.02)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOCALHOST, 0))
        port: int = probe.getsockname()[1]
        return port


class Gate:
    """A named pipe: whoever reads it waits until the test lets it go on."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._path = path
        self._end = -1

    def wait_until_reached(self) -> None:
        """Waits until somebody has opened the pipe for reading."""

        def reached() -> bool:
            try:
                self._end = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                return False
            return True

        wait_for(reached, lambda: "nobody reads the gate")

    def open(self) -> None:
        """Lets the reader go on."""
        os.write(self._end, b"open")
        self.close()

    def close(self) -> None:
        """Gives up on a reader that has ended."""
        os.close(self._end)


class Upstream:
    """Another service, which answers when the test says so."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._asked = threading.Semaphore(0)
        self._open = threading.Semaphore(0)

    def wait_until_reached(self) -> None:
        """Waits until a request has arrived."""
        assert self._asked.acquire(timeout=DEADLINE), "nobody asks the upstream"

    def open(self) -> None:
        """Answers one request."""
        self._open.release()

    def _answer(self) -> bytes:
        self._asked.release()
        self._open.acquire(timeout=DEADLINE)
        return b'{"rate": 2}'


@contextmanager
def upstream() -> Iterator[Upstream]:
    """Another service, as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = gate._answer()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer((LOCALHOST, 0), Handler) as server:
        gate = Upstream(f"http://{LOCALHOST}:{server.server_port}/")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield gate
        gate.open()
        server.shutdown()
