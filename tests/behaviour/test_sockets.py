"""Clients of socket.io, and the processes that they meet."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.behaviour.conftest import Launch
from tests.behaviour.driver import Answer, Pending, free_port
from tests.behaviour.program import program
from tests.engines.processes import running

CLUSTER = """
    const cluster = require('node:cluster');
    const { Server } = require('socket.io');

    if (cluster.isPrimary) {
      cluster.fork();
      cluster.fork();
      cluster.on('exit', () => cluster.fork());
    } else {
      const io = new Server(Number(process.env.PORT)); // flagged: no-session-affinity
      io.on('connection', (socket) => socket.emit('hello'));
    }
"""
ALONE = """
    const { Server } = require('socket.io');

    const io = new Server(Number(process.env.PORT)); // flagged: no-session-affinity
    io.on('connection', (socket) => socket.emit('hello'));
"""
NGINX = """
    upstream chat {
      server 127.0.0.1:3001;
      server 127.0.0.1:3002;
    }
    server {
      listen 80;
      location / { proxy_pass http://chat; }
    }
"""
PACKAGE = '{ "name": "chat", "scripts": { "start": "node app.js" }, "dependencies": { "socket.io": "4.8.4" } }'
TRANSPORT = "/socket.io/?EIO=4&transport=polling"


def ask(port: int, method: str, path: str, body: str | None = None) -> Answer:
    """A whole request on a connection of its own."""
    pending = Pending(port, method, path, body, {"Content-Type": "text/plain", "Connection": "close"})
    answer = pending.answer()
    pending.close()
    return answer


def answers(port: int) -> set[tuple[int, str]]:
    """What a client is told that opens a session and then sends a few messages, each on a connection of its own."""
    opened = ask(port, "GET", TRANSPORT)
    session = json.loads(opened.text[1:])["sid"]
    told = [
        ask(port, "POST", f"{TRANSPORT}&sid={session}", message) for message in ("40", '42["a"]', '42["b"]', '42["c"]')
    ]
    return {(answer.status, answer.text) for answer in told}


UNKNOWN = (400, '{"code":1,"message":"Session ID unknown"}')


@pytest.mark.needs("node")
@pytest.mark.proves("no-session-affinity")
def test_a_worker_does_not_know_the_session_that_another_has_opened(launch: Launch) -> None:
    server = launch(program("no-session-affinity", "socketio", CLUSTER))
    seen: set[tuple[int, str]] = set()
    for _ in range(20):  # until both workers are there
        seen |= answers(server.port)
        if UNKNOWN in seen:
            break
    assert UNKNOWN in seen


@pytest.mark.needs("node")
@pytest.mark.needs("nginx", package="nginx-light")
@pytest.mark.proves("no-session-affinity")
def test_nginx_takes_turns_unless_told_to_go_by_the_clients_address(launch: Launch, tmp_path: Path) -> None:
    files = {"app.js": ALONE, "package.json": PACKAGE, "nginx.conf": NGINX}
    bad = program("no-session-affinity", "socketio", files)
    ports = [launch(bad).port for _ in range(2)]
    assert UNKNOWN in through_nginx(bad.files, ports, tmp_path)

    sticky = NGINX.replace("upstream chat {", "upstream chat {\n      ip_hash;")
    good = program("no-session-affinity", "socketio", files | {"app.js": _unmarked(ALONE), "nginx.conf": sticky})
    assert through_nginx(good.files, ports, tmp_path) == {(200, "ok")}


@pytest.mark.needs("node")
@pytest.mark.proves("no-session-affinity")
def test_one_process_knows_all_its_sessions(launch: Launch) -> None:
    good = program("no-session-affinity", "socketio", _unmarked(ALONE))
    assert answers(launch(good).port) == {(200, "ok")}


def _unmarked(text: str) -> str:
    return text.replace(" // flagged: no-session-affinity", "")


def through_nginx(files: Mapping[str, str], ports: list[int], folder: Path) -> set[tuple[int, str]]:
    """What a client is told by way of the program's nginx, with the ports on which its servers really are."""
    port = free_port()
    text = re.sub(r"listen 80;", f"listen 127.0.0.1:{port};", files["nginx.conf"])
    for written, real in zip((3001, 3002), ports, strict=True):
        text = text.replace(str(written), str(real))
    path = folder / "nginx.conf"
    head = f"daemon off;\nuser root;\npid {folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
    path.write_text(f"{head}http {{\naccess_log off;\n{text}\n}}\n")
    with running(port, "nginx", "-p", str(folder), "-c", str(path)):
        return answers(port)
