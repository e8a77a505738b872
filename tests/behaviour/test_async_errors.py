"""What becomes of rejected promises."""

from __future__ import annotations

import pytest

from tests.behaviour.conftest import Launch
from tests.behaviour.program import express, program

pytestmark = pytest.mark.needs("node")

ASYNC_HANDLER = """
    const express = require('express');

    const app = express();
    app.get('/alive', (req, res) => res.send('yes'));
    app.get('/', async (req, res) => {{ {mark}
      throw new Error('no database');
    }});
    app.use((err, req, res, next) => res.status(503).send(`handled: ${{err.message}}`));
    {hook}
    app.listen(process.env.PORT);
"""
FLAGGED = "// flagged: unhandled-async-handler"
KEEPS_GOING = "process.on('unhandledRejection', (err) => console.error('seen', err.message));"


@pytest.mark.proves("unhandled-async-handler")
def test_express_4_dies_of_a_rejected_handler(launch: Launch) -> None:
    bad = program("unhandled-async-handler", "express4", ASYNC_HANDLER.format(mark=FLAGGED, hook=""))
    server = launch(bad)
    request = server.send("/")
    assert server.exit_code() == 1
    assert "no database" in server.stderr
    assert request.is_cut()

    answer = launch(bad.fixed()).get("/")
    assert (answer.status, answer.text) == (503, "handled: no database")


@pytest.mark.proves("unhandled-async-handler")
def test_express_4_never_answers_where_a_hook_keeps_it_alive(launch: Launch) -> None:
    bad = program("unhandled-async-handler", "express4", ASYNC_HANDLER.format(mark=FLAGGED, hook=KEEPS_GOING))
    server = launch(bad)
    request = server.send("/")
    server.wait_for_output("seen no database")
    assert request.hangs()
    assert server.get("/alive").text == "yes"

    assert launch(bad.fixed()).get("/").status == 503


@pytest.mark.proves("unhandled-async-handler")
def test_express_5_passes_the_rejection_on(launch: Launch) -> None:
    good = program("unhandled-async-handler", "express5", ASYNC_HANDLER.format(mark="", hook=""))
    server = launch(good)
    assert server.get("/").text == "handled: no database"
    assert server.get("/alive").text == "yes"


@pytest.mark.proves("unhandled-async-handler")
@pytest.mark.parametrize(
    ("stack", "source"),
    [
        (
            "koa",
            """
            const Koa = require('koa');

            const app = new Koa();
            app.use(async (ctx) => {
              throw new Error('no database');
            });
            app.listen(process.env.PORT);
            """,
        ),
        (
            "fastify",
            """
            const app = require('fastify')();

            app.get('/', async (request, reply) => {
              throw new Error('no database');
            });
            app.listen({ port: Number(process.env.PORT) });
            """,
        ),
    ],
)
def test_koa_and_fastify_wait_for_the_handler(launch: Launch, stack: str, source: str) -> None:
    server = launch(program("unhandled-async-handler", stack, source))
    assert server.get("/").status == 500
    assert server.get("/").status == 500


FIND = "const find = async () => { throw new Error('no database'); };"
CHAIN = "(req, res, next) => {\n  find().then((user) => res.json(user)); // flagged: unhandled-promise\n}"
STATEMENT = "async (req, res) => {\n  find(); // flagged: unhandled-promise\n  res.sendStatus(202);\n}"


@pytest.mark.proves("unhandled-promise")
@pytest.mark.parametrize("stack", ["express4", "express5"])
def test_a_chain_without_catch_ends_the_process(launch: Launch, stack: str) -> None:
    bad = program("unhandled-promise", stack, express(CHAIN, FIND))
    server = launch(bad)
    request = server.send("/")
    assert server.exit_code() == 1
    assert request.is_cut()

    assert launch(bad.fixed()).get("/").text == "handled: no database"


@pytest.mark.proves("unhandled-promise")
def test_so_does_a_call_that_nobody_awaits(launch: Launch) -> None:
    bad = program("unhandled-promise", "express5", express(STATEMENT, FIND))
    server = launch(bad)
    server.send("/")
    assert server.exit_code() == 1

    assert launch(bad.fixed()).get("/").text == "handled: no database"


@pytest.mark.proves("unhandled-promise")
def test_so_does_for_each_in_a_try(launch: Launch) -> None:
    handler = """
        async (req, res, next) => {
          try {
            ['a', 'b'].forEach(async (name) => { // flagged: unhandled-promise
              await fs.promises.unlink(`no-such-${name}`);
            });
            res.sendStatus(204);
          } catch (err) {
            next(err);
          }
        }
    """
    bad = program("unhandled-promise", "express5", express(handler))
    server = launch(bad)
    server.send("/")
    assert server.exit_code() == 1

    fixed = launch(bad.fixed())
    assert fixed.get("/").status == 204
    fixed.wait_for_output("handled: ENOENT")
    assert fixed.get("/alive").text == "yes"


@pytest.mark.proves("unhandled-promise")
def test_where_a_hook_prevents_that_the_request_is_never_answered(launch: Launch) -> None:
    bad = program("unhandled-promise", "express5", express(CHAIN, KEEPS_GOING + "\n" + FIND))
    server = launch(bad)
    request = server.send("/")
    server.wait_for_output("seen no database")
    assert request.hangs()
    assert server.get("/alive").text == "yes"


@pytest.mark.proves("unhandled-promise")
@pytest.mark.parametrize(
    "handler",
    [
        "(req, res, next) => {\n  find().then((user) => res.json(user)).catch(next);\n}",
        "(req, res, next) => {\n  find().then((user) => res.json(user), next);\n}",
        "async (req, res) => {\n  res.json(await Promise.all(['a'].map(find)));\n}",
        "(req, res) => find().then((user) => res.json(user))",
    ],
    ids=["catch", "then with two", "Promise.all", "returned"],
)
def test_a_rejection_that_is_passed_on_is_answered(launch: Launch, handler: str) -> None:
    server = launch(program("unhandled-promise", "express5", express(handler, FIND)))
    assert server.get("/").text == "handled: no database"
    assert server.get("/alive").text == "yes"
