"""Exceptions that nobody catches, in Node: the process dies, and what it was working on dies with it."""

from __future__ import annotations

import pytest

from tests.behaviour.conftest import Launch
from tests.behaviour.program import express, program

pytestmark = pytest.mark.needs("node")


@pytest.mark.proves("try-around-callback")
@pytest.mark.parametrize("stack", ["express4", "express5"])
def test_try_does_not_catch_what_a_callback_throws(launch: Launch, stack: str) -> None:
    handler = """
        (req, res, next) => {
          try { // flagged: try-around-callback
            fs.readFile('no-such-file', (err, text) => {
              if (err) throw err;
              res.send(text);
            });
          } catch (err) {
            next(err);
          }
        }
    """
    server = launch(program("try-around-callback", stack, express(handler)))
    request = server.send("/")
    assert server.exit_code() == 1
    assert request.is_cut()
    assert "ENOENT" in server.stderr
    assert "handled" not in server.stderr


@pytest.mark.proves("try-around-callback")
@pytest.mark.parametrize(
    "handler",
    [
        """
        (req, res, next) => {
          fs.readFile('app.js', (err, text) => {
            if (err) return next(err);
            try {
              res.json(JSON.parse(text));
            } catch (error) {
              next(error);
            }
          });
        }
        """,
        """
        async (req, res, next) => {
          try {
            res.json(JSON.parse(await fs.promises.readFile('app.js')));
          } catch (err) {
            next(err);
          }
        }
        """,
        """
        (req, res, next) => {
          try {
            res.json(['{'].map((text) => JSON.parse(text)));
          } catch (err) {
            next(err);
          }
        }
        """,
    ],
    ids=["inside", "awaited", "map"],
)
def test_try_catches_what_is_thrown_while_it_runs(launch: Launch, handler: str) -> None:
    server = launch(program("try-around-callback", "express4", express(handler)))
    assert server.get("/").status == 503
    assert server.get("/alive").text == "yes"


PARSE = """
    (req, res, next) => {
      const upstream = { port: process.env.PORT, path: '/alive' };
      http.get(upstream, (answer) => {
        let body = '';
        answer.on('data', (chunk) => { body += chunk; });
        answer.on('end', () => {
          const rates = JSON.parse(body); // flagged: unguarded-parse
          res.json(rates);
        });
      }).on('error', next);
    }
"""


@pytest.mark.proves("unguarded-parse")
@pytest.mark.parametrize("stack", ["express4", "express5"])
def test_an_answer_that_is_no_json_ends_the_process(launch: Launch, stack: str) -> None:
    bad = program("unguarded-parse", stack, express(PARSE, "const http = require('http');"))
    server = launch(bad)
    request = server.send("/")
    assert server.exit_code() == 1
    assert request.is_cut()
    assert "SyntaxError" in server.stderr

    fixed = launch(bad.fixed())
    assert fixed.get("/").text.startswith("handled: Unexpected token")
    assert fixed.get("/alive").text == "yes"


@pytest.mark.proves("unguarded-parse")
def test_express_answers_what_a_handler_throws_itself(launch: Launch) -> None:
    handler = """
        (req, res) => {
          res.json(JSON.parse(req.query.q)); // flagged: unguarded-parse
        }
    """
    server = launch(program("unguarded-parse", "express4", express(handler)))
    assert server.get("/?q=%7B").status == 503
    assert server.get("/alive").text == "yes"


@pytest.mark.proves("ignored-callback-error")
def test_an_outage_looks_like_not_found(launch: Launch) -> None:
    handler = """
        (req, res, next) => {
          byName('ann', (err, user) => { // flagged: ignored-callback-error
            if (!user) return res.status(404).send('no such user');
            res.json(user);
          });
        }
    """
    before = "const byName = (name, callback) => setImmediate(() => callback(new Error('no database')));"
    bad = program("ignored-callback-error", "express5", express(handler, before))
    server = launch(bad)
    assert server.get("/").status == 404
    assert "no database" not in server.stdout + server.stderr

    assert launch(bad.fixed()).get("/").text == "handled: no database"


@pytest.mark.proves("ignored-callback-error")
@pytest.mark.parametrize(
    ("looks", "has_fix"), [("", True), ("if (err) console.error('seen', err.message);", False)], ids=["", "logged"]
)
def test_going_on_without_a_result_ends_the_process(launch: Launch, looks: str, has_fix: bool) -> None:
    handler = f"""
        (req, res, next) => {{
          fs.readFile('no-such-file', (err, page) => {{ // flagged: ignored-callback-error
            {looks}
            res.send(page.toString());
          }});
        }}
    """
    bad = program("ignored-callback-error", "express5", express(handler))
    server = launch(bad)
    server.send("/")
    assert server.exit_code() == 1
    assert "TypeError: Cannot read properties of undefined" in server.stderr

    if has_fix:
        assert launch(bad.fixed()).get("/").text.startswith("handled: ENOENT")


@pytest.mark.proves("ignored-callback-error")
def test_an_error_that_nothing_follows_from_does_no_harm(launch: Launch) -> None:
    handler = """
        (req, res) => {
          fs.unlink('no-such-file', (err) => {});
          res.send('gone');
        }
    """
    server = launch(program("ignored-callback-error", "express5", express(handler)))
    assert server.get("/").text == "gone"
    assert server.get("/alive").text == "yes"


STREAMS = {
    "file": "fs.createReadStream('no-such-file').pipe(res); // flagged: unhandled-stream-error",
    "write": "req.pipe(fs.createWriteStream('no/such/folder')); // flagged: unhandled-stream-error",
    "request": "http.get('http://127.0.0.1:1', (answer) => answer.pipe(res)); // flagged: unhandled-stream-error",
    "socket": "net.connect(1).pipe(res); // flagged: unhandled-stream-error",
    "process": "const child = spawn('no-such-command'); // flagged: unhandled-stream-error\n  child.stdout.pipe(res);",
    "gzip": "fs.createReadStream('app.js').pipe(zlib.createGunzip()).pipe(res); // flagged: unhandled-stream-error",
    "unheard": "fs.createReadStream('no-such-file').pipe(zlib.createGzip().on('error', next)).pipe(res); // flagged: unhandled-stream-error",
}
MODULES = """
    const http = require('node:http');
    const net = require('node:net');
    const zlib = require('node:zlib');
    const { pipeline } = require('node:stream');
    const { spawn } = require('node:child_process');
"""


@pytest.mark.proves("unhandled-stream-error")
@pytest.mark.parametrize("statement", STREAMS.values(), ids=STREAMS.keys())
def test_an_error_event_that_nobody_listens_to_ends_the_process(launch: Launch, statement: str) -> None:
    handler = f"""
        (req, res, next) => {{
          {statement}
        }}
    """
    bad = program("unhandled-stream-error", "express5", express(handler, MODULES))
    server = launch(bad)
    request = server.send("/")
    assert server.exit_code() == 1
    assert request.is_cut()
    assert "Unhandled 'error' event" in server.stderr

    fixed = launch(bad.fixed())
    assert fixed.get("/").text.startswith("handled: ")
    assert fixed.get("/alive").text == "yes"


@pytest.mark.proves("unhandled-stream-error")
def test_pipeline_hears_all_errors(launch: Launch) -> None:
    handler = """
        (req, res, next) => {
          const file = fs.createReadStream('no-such-file');
          pipeline(file, zlib.createGzip(), res, (err) => err && console.error('seen', err.code));
        }
    """
    server = launch(program("unhandled-stream-error", "express5", express(handler, MODULES)))
    assert server.send("/").is_cut()
    server.wait_for_output("seen ENOENT")
    assert server.get("/alive").text == "yes"


LOCKED = """
    (req, res) => {{
      if (busy) return waiting.push(res);
      busy = true;
      {guarded}(() => {{
        if (req.query.fail) throw new Error('half done');
        busy = false;
        res.send('done');
      }});
    }}
"""
LOCK = "let busy = false;\nconst waiting = [];\n"


@pytest.mark.proves("catch-all-hook")
@pytest.mark.parametrize("event", ["uncaughtException", "unhandledRejection"])
def test_a_process_that_goes_on_answers_nobody_who_needs_what_was_half_done(launch: Launch, event: str) -> None:
    hook = f"""
process.on('{event}', (err) => {{ // flagged: catch-all-hook
  console.error('seen', err.message);
}});
"""
    later = "setImmediate" if event == "uncaughtException" else "Promise.resolve().then"
    bad = program("catch-all-hook", "express4", express(LOCKED.format(guarded=later), LOCK + hook))
    server = launch(bad)
    assert server.get("/").text == "done"
    failed = server.send("/?fail=1")
    server.wait_for_output("seen half done")
    next_one = server.send("/")
    assert failed.hangs()
    assert next_one.hangs()
    assert server.get("/alive").text == "yes"

    fixed = launch(bad.fixed())
    fixed.send("/?fail=1")
    assert fixed.exit_code() == 1
    assert "seen half done" in fixed.stderr


@pytest.mark.proves("catch-all-hook")
@pytest.mark.parametrize(
    "hook",
    [
        "process.on('uncaughtExceptionMonitor', (err) => console.error('seen', err.message));",
        "process.on('uncaughtException', (err) => { console.error('seen', err.message); process.exit(1); });",
    ],
    ids=["monitor", "exit"],
)
def test_a_hook_that_watches_or_ends_lets_the_process_end(launch: Launch, hook: str) -> None:
    good = program("catch-all-hook", "express4", express(LOCKED.format(guarded="setImmediate"), LOCK + hook))
    server = launch(good)
    server.send("/?fail=1")
    assert server.exit_code() == 1
    assert "seen half done" in server.stderr


DOMAIN = """
    (req, res) => {{
      const d = domain.create();
      d.on('error', (err) => res.status(500).send(`domain: ${{err.message}}`));
      d.run(() => {{
        {body}
      }});
    }}
"""


@pytest.mark.proves("domain-module")
def test_what_was_half_done_stays_so_after_a_domain_has_caught_the_error(launch: Launch) -> None:
    body = """
        if (busy) return waiting.push(res);
        busy = true;
        setImmediate(() => { throw new Error('half done'); });
    """
    before = f"const domain = require('domain'); // flagged: domain-module\n{LOCK}"
    server = launch(program("domain-module", "express4", express(DOMAIN.format(body=body), before)))
    assert server.get("/").text == "domain: half done"
    assert server.send("/").hangs()
    assert server.get("/alive").text == "yes"


EXIT = """
    (req, res) => {
      if (!req.query.theme) {
        process.exit(1); // flagged: exit-in-handler
      }
      waiting.push(res);
    }
"""


@pytest.mark.proves("exit-in-handler")
def test_ending_the_process_cuts_off_the_other_requests(launch: Launch) -> None:
    server = launch(program("exit-in-handler", "express4", express(EXIT, "const waiting = [];")))
    other = server.send("/?theme=dark")
    assert server.get("/alive").text == "yes"
    server.send("/")
    assert server.exit_code() == 1
    assert other.is_cut()


@pytest.mark.proves("exit-in-handler")
def test_an_error_fails_its_own_request_only(launch: Launch) -> None:
    good = EXIT.replace("process.exit(1); // flagged: exit-in-handler", "throw new Error('no theme');")
    server = launch(program("exit-in-handler", "express4", express(good, "const waiting = [];")))
    other = server.send("/?theme=dark")
    assert server.get("/").text == "handled: no theme"
    assert not other.answered()


UNDEFINED = """
    (req, res, next) => {
      fs.readFile(req.query.name, 'utf8', (error, text) => {
        if (error) return next(err); // flagged: undefined-variable
        res.send(typeof notThere === 'undefined' ? text : notThere);
      });
    }
"""


@pytest.mark.proves("undefined-variable")
@pytest.mark.parametrize("stack", ["express4", "express5"])
def test_an_undefined_name_in_a_callback_ends_the_process_when_somebody_gets_there(launch: Launch, stack: str) -> None:
    server = launch(program("undefined-variable", stack, express(UNDEFINED)))
    assert server.get("/?name=app.js").text.startswith("const fs")
    request = server.send("/?name=no-such-file")
    assert server.exit_code() == 1
    assert request.is_cut()
    assert "ReferenceError: err is not defined" in server.stderr


@pytest.mark.proves("undefined-variable")
def test_express_answers_an_undefined_name_in_a_handler(launch: Launch) -> None:
    handler = """
        (req, res) => {
          if (req.query.name) return res.send(nmae); // flagged: undefined-variable
          res.send('nobody');
        }
    """
    server = launch(program("undefined-variable", "express4", express(handler)))
    assert server.get("/").text == "nobody"
    assert server.get("/?name=Eve").text == "handled: nmae is not defined"
    assert server.get("/alive").text == "yes"


@pytest.mark.proves("uncaught-throw")
@pytest.mark.parametrize("stack", ["express4", "express5"])
def test_what_a_callback_throws_ends_the_process(launch: Launch, stack: str) -> None:
    handler = """
        (req, res, next) => {
          fs.readFile('no-such-file', (err, text) => {
            if (err) throw err; // flagged: uncaught-throw
            res.send(text);
          });
        }
    """
    bad = program("uncaught-throw", stack, express(handler))
    server = launch(bad)
    request = server.send("/")
    assert server.exit_code() == 1
    assert request.is_cut()
    assert "ENOENT" in server.stderr

    assert launch(bad.fixed()).get("/").status == 503


@pytest.mark.proves("promise-as-condition")
def test_a_check_that_is_not_awaited_always_passes(launch: Launch) -> None:
    handler = """
        async (req, res, next) => {
          try {
            if (await Promise.resolve(true) && isAllowed(req.query.user)) return res.send('secret'); // flagged: promise-as-condition
            res.sendStatus(403);
          } catch (err) {
            next(err);
          }
        }
    """
    bad = program(
        "promise-as-condition", "express4", express(handler, "const isAllowed = async (user) => user === 'ann';")
    )
    assert launch(bad).get("/?user=eve").text == "secret"

    fixed = launch(bad.fixed())
    assert fixed.get("/?user=eve").status == 403
    assert fixed.get("/?user=ann").text == "secret"
