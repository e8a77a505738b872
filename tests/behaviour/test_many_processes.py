"""What happens to a service that has several processes, or none any more."""

from __future__ import annotations

import json
import re

import pytest

from tests.behaviour.conftest import Launch
from tests.behaviour.driver import Cut, Gate, Running, wait_for
from tests.behaviour.program import program

needs_node = pytest.mark.needs("node")

CLUSTER = """
    const cluster = require('node:cluster');
    const express = require('express');
    {before}
    if (cluster.isPrimary) {{
      cluster.fork();{mark}
      cluster.fork();{more}
    }} else {{
      const app = express();
      {routes}
      app.get('/pid', (req, res) => res.json(process.pid));
      app.listen(process.env.PORT);
    }}
"""
RESTARTS = "\n      cluster.on('exit', () => cluster.fork());"


def other_process(server: Running, path: str, but: int) -> str:
    """What a process that is not `but` answers, as `{"pid": …, "text": …}`."""
    answers = []

    def answered() -> bool:
        answer = json.loads(server.get(path).text)
        answers.extend([answer["text"]] if answer["pid"] != but else [])
        return bool(answers)

    wait_for(answered, lambda: "one process answers everything")
    return str(answers[-1])


@needs_node
@pytest.mark.proves("no-worker-restart")
def test_when_all_workers_have_died_the_service_ends_as_if_all_were_well(launch: Launch) -> None:
    dies = "app.get('/die', (req, res) => process.exit(1));"
    mark = " // flagged: no-worker-restart"
    bad = program("no-worker-restart", "express4", CLUSTER.format(before="", mark=mark, more="", routes=dies))
    server = launch(bad)
    wait_for(lambda: _has_ended(server), lambda: "a worker lives on")
    assert server.exit_code() == 0

    server = launch(bad.fixed())
    _kill_both(server)
    wait_for(lambda: _answers(server), lambda: "no worker was started again")


def _kill_both(server: Running) -> None:
    for _ in range(2):
        wait_for(lambda: _kills(server), lambda: "nobody died")


def _has_ended(server: Running) -> bool:
    """Whether the service has ended, after one more worker was told to. A cut connection alone is no dead worker: it may
    have been handed to one that was dying already."""
    _kills(server)
    return server.process.poll() is not None


def _kills(server: Running) -> bool:
    try:
        asked = server.send("/die")
        # What the primary hands to a worker that is just dying is lost.
        return not asked.hangs() and asked.is_cut()
    except OSError:  # the other worker does not listen yet
        return False


def _answers(server: Running) -> bool:
    try:
        asked = server.send("/pid")
        return not asked.hangs() and asked.answer().status == 200
    except (Cut, OSError):
        return False


@needs_node
@pytest.mark.proves("in-memory-session")
def test_another_process_does_not_know_who_has_logged_in(launch: Launch) -> None:
    bad = CLUSTER.format(
        before="const session = require('express-session');",
        mark="",
        more=RESTARTS,
        routes="""app.use(session({ secret: 's', resave: false, saveUninitialized: false })); // flagged: in-memory-session
      app.get('/login', (req, res) => {
        req.session.user = 'ann';
        res.json({ pid: process.pid, text: 'welcome' });
      });
      app.get('/', (req, res) => res.json({ pid: process.pid, text: req.session.user || 'please log in' }));""",
    )
    server = launch(program("in-memory-session", "express4", bad))
    login = server.get("/login")
    cookie, pid = login.headers["set-cookie"].partition(";")[0], json.loads(login.text)["pid"]
    seen = {}

    def seen_both() -> bool:
        answer = json.loads(server.send("/", headers={"Cookie": cookie}).answer().text)
        seen[answer["pid"]] = answer["text"]
        return len(seen) == 2

    wait_for(seen_both, lambda: f"one process answers everything: {seen}")
    assert seen.pop(pid) == "ann"
    assert set(seen.values()) == {"please log in"}


@needs_node
@pytest.mark.proves("in-process-state")
def test_another_process_has_another_cart(launch: Launch) -> None:
    bad = CLUSTER.format(
        before="const carts = new Map(); // flagged: in-process-state",
        mark="",
        more=RESTARTS,
        routes="""app.post('/:id', (req, res) => {
        carts.set(req.params.id, 'a book');
        res.json({ pid: process.pid, text: 'added' });
      });
      app.get('/carts/:id', (req, res) => res.json({ pid: process.pid, text: carts.get(req.params.id) || 'empty' }));""",
    )
    server = launch(program("in-process-state", "express4", bad))
    pid = json.loads(server.post("/7", "").text)["pid"]
    assert other_process(server, "/carts/7", but=pid) == "empty"


WAITS = """
    import os

    from flask import Flask

    app = Flask(__name__)


    @app.get("/")
    def index():
        with open(os.environ["GATE"]) as gate:
            return gate.read()


    @app.get("/alive")
    def alive():
        return "yes"
"""


@pytest.mark.proves("single-process")
def test_one_synchronous_worker_answers_one_request_at_a_time(launch: Launch, gate: Gate) -> None:
    dockerfile = """
        FROM python:3.13-slim
        COPY app.py .
        CMD gunicorn --workers 1 app:app # flagged: single-process
    """
    bad = program("single-process", "flask", {"app.py": WAITS, "Dockerfile": dockerfile})
    server = launch(bad, env=_workers(bad.files["Dockerfile"]))
    waiting = server.send("/")
    gate.wait_until_reached()
    other = server.send("/alive")
    assert other.hangs()
    gate.open()
    assert waiting.answer().text == "open"
    assert other.answer().text == "yes"

    fixed = bad.fixed()
    server = launch(fixed, env=_workers(fixed.files["Dockerfile"]))
    waiting = server.send("/")
    gate.wait_until_reached()
    assert server.get("/alive").text == "yes"
    gate.open()
    assert waiting.answer().text == "open"


def _workers(dockerfile: str) -> dict[str, str]:
    """What the command in a Dockerfile tells Gunicorn, as the environment tells it."""
    number = re.findall(r"--workers (?:\$\{WEB_CONCURRENCY:-)?(\d+)", dockerfile)
    return {"WEB_CONCURRENCY": number[0]}


@needs_node
@pytest.mark.proves("no-graceful-shutdown")
@pytest.mark.parametrize("stack", ["express4", "express5"])
def test_sigterm_cuts_off_who_waits_for_an_answer(launch: Launch, gate: Gate, stack: str) -> None:
    bad = program(
        "no-graceful-shutdown",
        stack,
        """
            const fs = require('node:fs');
            const express = require('express');

            const app = express();
            app.get('/', (req, res) => fs.readFile(process.env.GATE, 'utf8', (err, text) => res.send(text)));
            app.listen(process.env.PORT); // flagged: no-graceful-shutdown
        """,
    )
    server = launch(bad)
    waiting = server.send("/", headers={"Connection": "close"})
    gate.wait_until_reached()
    server.process.terminate()
    assert waiting.is_cut()
    assert server.exit_code() != 0
    gate.close()

    server = launch(bad.fixed())
    waiting = server.send("/", headers={"Connection": "close"})
    gate.wait_until_reached()
    server.process.terminate()
    gate.open()
    assert waiting.answer().text == "open"
    assert server.exit_code() == 0
