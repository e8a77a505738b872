"""Where log lines go, and what waits for them."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.behaviour.conftest import Launch
from tests.behaviour.program import program

needs_node = pytest.mark.needs("node")
SYNC_IO = "Detected use of sync API"
LOG = """
    const fs = require('node:fs');
    const express = require('express');
    const pino = require('pino');

    const logger = pino({destination}); {mark}

    const app = express();
    app.get('/', (req, res) => {{
      {statement}
      res.send('ok');
    }});
    app.listen(process.env.PORT);
"""
CONSOLE = LOG.format(destination="", mark="", statement="console.log('order received'); // flagged: console-logging")


@needs_node
@pytest.mark.proves("console-logging")
def test_console_log_writes_to_a_file_synchronously_and_pino_does_not(launch: Launch) -> None:
    bad = program("console-logging", "express4", CONSOLE)
    server = launch(bad, flags=["--trace-sync-io"])
    assert SYNC_IO not in server.stderr
    assert server.get("/").text == "ok"
    assert server.stdout == "order received\n"
    assert "at writeSync" in server.stderr

    fixed = launch(bad.fixed(), flags=["--trace-sync-io"])
    assert fixed.get("/").text == "ok"
    fixed.wait_for_output("order received")
    line = json.loads(fixed.stdout)
    assert line["level"] == 30
    assert {"time", "pid", "msg"} <= line.keys()
    assert SYNC_IO not in fixed.stderr


@needs_node
@pytest.mark.proves("console-logging")
def test_console_log_does_not_wait_for_a_pipe(launch: Launch) -> None:
    much = CONSOLE.replace("'order received'", "'order received'.repeat(100000)")
    server = launch(program("console-logging", "express4", much), stdout=subprocess.PIPE)
    assert server.get("/").text == "ok"
    assert server.get("/").text == "ok"


PRINT = """
    import logging

    from fastapi import FastAPI

    logging.basicConfig(level=logging.INFO)
    logger = logging.getLogger(__name__)
    app = FastAPI()


    @app.get("/")
    async def index() -> str:
        print("order received")  # flagged: console-logging
        return "ok"
"""


@pytest.mark.proves("console-logging")
def test_what_was_printed_is_lost_with_the_process(launch: Launch) -> None:
    bad = program("console-logging", "fastapi", PRINT)
    server = launch(bad)
    assert server.get("/").status == 200
    server.stop()
    assert "order received" not in server.stdout + server.stderr

    fixed = launch(bad.fixed())
    assert fixed.get("/").status == 200
    fixed.stop()
    assert "INFO:app:order received" in fixed.stderr


@needs_node
@pytest.mark.proves("sync-log-destination")
def test_a_synchronous_destination_of_pino_writes_while_the_request_waits(launch: Launch) -> None:
    source = LOG.format(
        destination="pino.destination({ dest: 'shop.log', sync: true })",
        mark="// flagged: sync-log-destination",
        statement="logger.info('order received');",
    )
    bad = program("sync-log-destination", "express4", source)
    server = launch(bad, flags=["--trace-sync-io"])
    assert SYNC_IO not in server.stderr
    assert server.get("/").text == "ok"
    assert "at writeSync" in server.stderr
    assert "order received" in server.read("shop.log")

    fixed = launch(bad.fixed(), flags=["--trace-sync-io"])
    assert fixed.get("/").text == "ok"
    assert SYNC_IO not in fixed.stderr
    fixed.wait_for_file("shop.log", "order received")


@needs_node
@pytest.mark.proves("sync-log-destination")
def test_so_does_a_log_file_of_ones_own(launch: Launch) -> None:
    statement = "fs.appendFileSync('access.log', req.url); // flagged: sync-log-destination"
    server = launch(
        program("sync-log-destination", "express4", LOG.format(destination="", mark="", statement=statement)),
        flags=["--trace-sync-io"],
    )
    assert server.get("/").text == "ok"
    assert "at appendFileSync" in server.stderr


@needs_node
@pytest.mark.proves("sync-log-destination")
@pytest.mark.parametrize("destination", ["pino.destination('shop.log')", "fs.createWriteStream('shop.log')"])
def test_others_write_later(launch: Launch, destination: str) -> None:
    source = LOG.format(destination=destination, mark="", statement="logger.info('order received');")
    server = launch(program("sync-log-destination", "express4", source), flags=["--trace-sync-io"])
    assert server.get("/").text == "ok"
    server.wait_for_file("shop.log", "order received")
    assert SYNC_IO not in server.stderr
