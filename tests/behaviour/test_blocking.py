"""What a synchronous call does to the other requests.

The program reads a named pipe, or asks a slow service, and the test decides when that is done. So nothing has to be timed: a loop that
is free answers another request meanwhile, one that is blocked cannot.
"""

from __future__ import annotations

import pytest

from tests.behaviour.conftest import Launch
from tests.behaviour.driver import Gate, Running, Upstream
from tests.behaviour.program import Program, program

needs_node = pytest.mark.needs("node")
BLOCKS = "// flagged: blocking-call"
SYNC_IO = "Detected use of sync API"


def assert_stalls(server: Running, gate: Gate | Upstream) -> None:
    """While one request waits, another is not answered."""
    waiting = server.send("/slow")
    gate.wait_until_reached()
    other = server.send("/alive")
    assert other.hangs()
    gate.open()
    assert waiting.answer().status == 200
    assert other.answer().status == 200


def assert_is_free(server: Running, gate: Gate | Upstream) -> None:
    """While one request waits, another is answered."""
    waiting = server.send("/slow")
    gate.wait_until_reached()
    assert server.get("/alive").status == 200
    assert not waiting.answered()
    gate.open()
    assert waiting.answer().status == 200


EXPRESS = """
    const fs = require('node:fs');
    const express = require('express');

    const app = express();
    app.get('/alive', (req, res) => res.send('yes'));
    app.get('/slow', async (req, res) => {{
      res.send({call}); {mark}
    }});
    app.listen(process.env.PORT);
"""
KOA = """
    const fs = require('node:fs');
    const Koa = require('koa');

    const app = new Koa();
    app.use(async (ctx) => {
      ctx.body = ctx.path === '/alive' ? 'yes' : fs.readFileSync(process.env.GATE); // flagged: blocking-call
    });
    app.listen(process.env.PORT);
"""
FASTIFY = """
    const fs = require('node:fs');
    const app = require('fastify')();

    app.get('/alive', async () => 'yes');
    app.get('/slow', async () => {
      return fs.readFileSync(process.env.GATE); // flagged: blocking-call
    });
    app.listen({ port: Number(process.env.PORT) });
"""
READ_SYNC = EXPRESS.format(call="fs.readFileSync(process.env.GATE)", mark=BLOCKS)


@needs_node
@pytest.mark.proves("blocking-call")
@pytest.mark.parametrize(
    ("stack", "source"), [("express4", READ_SYNC), ("express5", READ_SYNC), ("koa", KOA), ("fastify", FASTIFY)]
)
def test_one_request_that_reads_a_file_stalls_all(launch: Launch, gate: Gate, stack: str, source: str) -> None:
    bad = program("blocking-call", stack, source)
    assert_stalls(launch(bad), gate)
    assert_is_free(launch(bad.fixed()), gate)


@needs_node
@pytest.mark.proves("blocking-call")
def test_so_does_a_command_in_a_helper(launch: Launch, gate: Gate) -> None:
    app = """
        const express = require('express');
        const { load } = require('./load');

        const app = express();
        app.get('/alive', (req, res) => res.send('yes'));
        app.get('/slow', (req, res) => res.send(load()));
        app.listen(process.env.PORT);
    """
    load = """
        const { execSync } = require('node:child_process');

        exports.load = () => execSync('cat "$GATE"'); // flagged: blocking-call
    """
    assert_stalls(launch(program("blocking-call", "express4", {"app.js": app, "load.js": load})), gate)


@needs_node
@pytest.mark.proves("blocking-call")
@pytest.mark.parametrize(
    "call",
    [
        "fs.readFileSync('app.js')",
        "require('node:zlib').gzipSync('text')",
        "require('node:crypto').pbkdf2Sync('secret', 'salt', 1, 8, 'sha1')",
        "require('node:child_process').execSync('true')",
    ],
)
def test_node_itself_complains(launch: Launch, call: str) -> None:
    """`--trace-sync-io` warns of synchronous I/O after the first turn of the event loop."""
    server = launch(
        program("blocking-call", "express4", EXPRESS.format(call=call, mark=BLOCKS)), flags=["--trace-sync-io"]
    )
    assert SYNC_IO not in server.stderr
    assert server.get("/slow").status == 200
    assert SYNC_IO in server.stderr


@needs_node
@pytest.mark.proves("blocking-call")
@pytest.mark.parametrize(
    "source",
    [
        """
        const express = require('express');
        const page = require('fs').readFileSync('app.js');

        const app = express();
        app.get('/slow', (req, res) => res.send(page));
        app.listen(process.env.PORT);
        """,
        """
        const express = require('express');
        const { promises } = require('fs');

        const app = express();
        app.get('/slow', async (req, res) => res.send(await promises.readFile('app.js')));
        app.listen(process.env.PORT);
        """,
    ],
    ids=["at start-up", "a promise"],
)
def test_node_does_not_complain(launch: Launch, source: str) -> None:
    server = launch(program("blocking-call", "express4", source), flags=["--trace-sync-io"])
    assert server.get("/slow").status == 200
    assert SYNC_IO not in server.stderr


@needs_node
@pytest.mark.proves("require-in-handler")
def test_a_module_is_loaded_synchronously_by_the_first_request(launch: Launch) -> None:
    app = """
        const express = require('express');

        const app = express();
        app.get('/', (req, res) => {
          const { render } = require('./renderer');  // flagged: require-in-handler
          res.send(render());
        });
        app.listen(process.env.PORT);
    """
    bad = program(
        "require-in-handler",
        "express4",
        {"app.js": app, "renderer.js": "require('ejs');\nconsole.log('loading');\nexports.render = () => 'page';"},
    )
    server = launch(bad, flags=["--trace-sync-io"])
    assert "loading" not in server.stdout
    assert server.get("/").text == "page"
    assert "loading" in server.stdout
    assert SYNC_IO in server.stderr

    fixed = launch(bad.fixed(), flags=["--trace-sync-io"])
    assert "loading" in fixed.stdout
    assert fixed.get("/").text == "page"
    assert SYNC_IO not in fixed.stderr


@needs_node
@pytest.mark.proves("require-in-handler")
def test_a_module_that_is_missing_is_found_by_a_user(launch: Launch) -> None:
    app = """
        const express = require('express');

        const app = express();
        app.get('/', (req, res) => {
          const { render } = require('./not-there'); // likely: require-in-handler
          res.send(render());
        });
        app.listen(process.env.PORT);
    """
    bad = program("require-in-handler", "express4", app)
    assert launch(bad).get("/").status == 500
    with pytest.raises(AssertionError, match=r"Cannot find module '\./not-there'"):
        launch(bad.fixed())


@needs_node
@pytest.mark.proves("require-in-handler")
def test_a_module_that_is_loaded_already_costs_nothing(launch: Launch) -> None:
    app = """
        const express = require('express');
        const qs = require('node:querystring');

        const app = express();
        app.get('/', (req, res) => {
          const os = require('os');
          res.send(typeof require('node:querystring').parse + typeof os.cpus + typeof qs.parse);
        });
        app.listen(process.env.PORT);
    """
    server = launch(program("require-in-handler", "express4", app), flags=["--trace-sync-io"])
    assert server.get("/").text == "functionfunctionfunction"
    assert SYNC_IO not in server.stderr


FASTAPI = """
    import asyncio
    import os
    import subprocess
    import time

    import requests
    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/alive")
    async def alive() -> str:
        return "yes"


    @app.get("/slow")
    {slow} -> str:
        return str({call}) {mark}
"""
ASK = 'requests.get(os.environ["RATES"], timeout=30)'
AIOHTTP = f"""
    import os

    import requests
    from aiohttp import web


    async def alive(request: web.Request) -> web.Response:
        return web.Response(text="yes")


    async def slow(request: web.Request) -> web.Response:
        rates = {ASK}  # flagged: blocking-call
        return web.Response(text=rates.text)


    app = web.Application()
    app.router.add_get("/alive", alive)
    app.router.add_get("/slow", slow)
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
"""


def fastapi(slow: str, call: str, mark: str = "") -> Program:
    return program("blocking-call", "fastapi", FASTAPI.format(slow=slow, call=call, mark=mark))


@pytest.mark.proves("blocking-call")
@pytest.mark.parametrize(
    "bad",
    [fastapi("async def slow()", ASK, f"#{BLOCKS[2:]}"), program("blocking-call", "aiohttp", AIOHTTP)],
    ids=["fastapi", "aiohttp"],
)
def test_an_async_def_that_asks_another_service_stalls_all(
    launch: Launch, slow_service: Upstream, bad: Program
) -> None:
    assert_stalls(launch(bad, env={"RATES": slow_service.url}), slow_service)
    assert_is_free(launch(bad.fixed(), env={"RATES": slow_service.url}), slow_service)


@pytest.mark.proves("blocking-call")
@pytest.mark.parametrize(
    "good",
    [fastapi("def slow()", ASK), fastapi("async def slow()", f"await asyncio.to_thread(lambda: {ASK})")],
    ids=["def", "to_thread"],
)
def test_a_thread_leaves_the_loop_free(launch: Launch, slow_service: Upstream, good: Program) -> None:
    assert_is_free(launch(good, env={"RATES": slow_service.url}), slow_service)


@pytest.mark.proves("blocking-call")
@pytest.mark.parametrize("call", ["time.sleep(0.01)", 'subprocess.run(["true"])', 'open("app.py").read()', ASK])
def test_blockbuster_complains_too(launch: Launch, call: str) -> None:
    bad = fastapi("async def slow()", call, f"#{BLOCKS[2:]}")
    server = launch(bad, blocking_raises=True, env={"RATES": "http://127.0.0.1:1/"})
    assert server.get("/slow").status == 500
    server.wait_for_output("blockbuster.blockbuster.BlockingError")


@pytest.mark.proves("blocking-call")
@pytest.mark.parametrize("call", ["time.sleep(0.01)", 'subprocess.run(["true"])'])
def test_blockbuster_is_content(launch: Launch, call: str) -> None:
    bad = fastapi("async def slow()", call, f"#{BLOCKS[2:]}")
    assert launch(bad.fixed(), blocking_raises=True).get("/slow").status == 200
    assert launch(fastapi("def slow()", call), blocking_raises=True).get("/slow").status == 200


@pytest.mark.proves("blocking-call")
def test_flask_has_a_thread_for_each_request(launch: Launch, slow_service: Upstream) -> None:
    good = """
        import os

        import requests
        from flask import Flask

        app = Flask(__name__)


        @app.get("/alive")
        def alive():
            return "yes"


        @app.get("/slow")
        def slow():
            return requests.get(os.environ["RATES"], timeout=30).text
    """
    env = {"RATES": slow_service.url, "GUNICORN_CMD_ARGS": "--threads 2"}
    assert_is_free(launch(program("blocking-call", "flask", good), env=env), slow_service)
