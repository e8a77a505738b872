"""What clients are told when something fails, and what the log knows of it."""

from __future__ import annotations

import pytest

from tests.behaviour.conftest import Launch
from tests.behaviour.driver import Running
from tests.behaviour.program import program

needs_node = pytest.mark.needs("node")
express_4_and_5 = pytest.mark.parametrize("stack", ["express4", "express5"])

NO_HANDLER = """
    const express = require('express');

    const app = express(); // flagged: missing-error-handler
    app.get('/', (req, res) => {
      throw new Error('no database');
    });
    app.listen(process.env.PORT);
"""


@needs_node
@pytest.mark.proves("missing-error-handler")
@express_4_and_5
def test_express_sends_the_stack_to_everybody(launch: Launch, stack: str) -> None:
    bad = program("missing-error-handler", stack, NO_HANDLER)
    answer = launch(bad).get("/")
    assert answer.status == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert "no database" in answer.text
    assert "app.js:" in answer.text

    fixed = launch(bad.fixed())
    assert fixed.get("/").text == "Internal Server Error"
    fixed.wait_for_output("Error: no database")


@needs_node
@pytest.mark.proves("missing-error-handler")
def test_in_production_it_sends_a_page_and_writes_to_stderr(launch: Launch) -> None:
    server = launch(program("missing-error-handler", "express4", NO_HANDLER), env={"NODE_ENV": "production"})
    answer = server.get("/")
    assert answer.headers["content-type"].startswith("text/html")
    assert "app.js:" not in answer.text
    server.wait_for_output("Error: no database")


@needs_node
@pytest.mark.proves("missing-error-handler")
def test_error_middleware_answers_instead(launch: Launch) -> None:
    good = """
        const express = require('express');
        const errors = require('./errors');

        const app = express();
        app.get('/', (req, res) => {
          throw new Error('no database');
        });
        errors(app);
        app.listen(process.env.PORT);
    """
    errors = "module.exports = (app) => app.use((err, req, res, next) => res.status(503).json({ error: 'later' }));"
    answer = launch(program("missing-error-handler", "express5", {"app.js": good, "errors.js": errors})).get("/")
    assert (answer.status, answer.text) == (503, '{"error":"later"}')


@needs_node
@pytest.mark.proves("misplaced-error-handler")
@express_4_and_5
@pytest.mark.parametrize(
    "source",
    [
        """
        const express = require('express');

        const app = express();
        app.use((err, req, res, next) => res.status(503).send('handled')); // flagged: misplaced-error-handler
        app.get('/', (req, res) => {
          throw new Error('no database');
        });
        app.listen(process.env.PORT);
        """,
        """
        const express = require('express');

        const app = express();
        app.get('/', (req, res) => {
          throw new Error('no database');
        });
        app.use((err, req, res) => res.status(503).send('handled')); // flagged: misplaced-error-handler
        app.listen(process.env.PORT);
        """,
    ],
    ids=["before the routes", "three parameters"],
)
def test_express_does_not_call_it(launch: Launch, stack: str, source: str) -> None:
    bad = program("misplaced-error-handler", stack, source)
    answer = launch(bad).get("/")
    assert answer.status == 500
    assert "no database" in answer.text

    answer = launch(bad.fixed()).get("/")
    assert (answer.status, answer.text) == (503, "handled")


@needs_node
@pytest.mark.proves("verbose-errors")
def test_the_trace_is_the_answer(launch: Launch) -> None:
    bad = """
        const express = require('express');

        const app = express();
        app.get('/', (req, res) => {
          throw new Error('no database');
        });
        app.use((err, req, res, next) => {
          res.status(500).send(err.stack); // flagged: verbose-errors
        });
        app.listen(process.env.PORT);
    """
    shown = program("verbose-errors", "express4", bad)
    assert "app.js:5" in launch(shown, env={"NODE_ENV": "production"}).get("/").text
    assert launch(shown.fixed(), env={"NODE_ENV": "production"}).get("/").text == "Internal Server Error"


ERRORHANDLER = """
    const express = require('express');
    const errorhandler = require('errorhandler');

    const app = express();
    app.get('/', (req, res) => {{
      throw new Error('no database');
    }});
    {use}
    app.listen(process.env.PORT);
"""


@needs_node
@pytest.mark.proves("verbose-errors")
def test_errorhandler_shows_the_trace_in_production_too(launch: Launch) -> None:
    bad = ERRORHANDLER.format(use="app.use(errorhandler()); // flagged: verbose-errors")
    production = {"NODE_ENV": "production"}
    assert "app.js:" in launch(program("verbose-errors", "express4", bad), env=production).get("/").text

    guarded = "if (process.env.NODE_ENV === 'development') app.use(errorhandler());"
    good = program("verbose-errors", "express4", ERRORHANDLER.format(use=guarded))
    assert "app.js:" not in launch(good, env=production).get("/").text


@pytest.mark.proves("verbose-errors")
def test_the_trace_is_the_answer_in_python(launch: Launch) -> None:
    bad = """
        import traceback

        from fastapi import FastAPI
        from fastapi.responses import PlainTextResponse

        app = FastAPI()


        @app.get("/")
        async def index() -> str:
            raise ValueError("no database")


        @app.exception_handler(ValueError)
        async def failed(request, error):
            return PlainTextResponse(traceback.format_exc(), status_code=500)  # flagged: verbose-errors
    """
    shown = program("verbose-errors", "fastapi", bad)
    assert 'app.py", line 1' in launch(shown).get("/").text
    assert launch(shown.fixed()).get("/").text == "Internal Server Error"


@pytest.mark.proves("verbose-errors")
@pytest.mark.parametrize(
    ("stack", "source"),
    [
        (
            "flask",
            """
            from flask import Flask

            app = Flask(__name__)


            @app.get("/")
            def index():
                raise ValueError("no database")
            """,
        ),
        (
            "fastapi",
            """
            from fastapi import FastAPI

            app = FastAPI()


            @app.get("/")
            def index():
                raise ValueError("no database")
            """,
        ),
    ],
)
def test_python_frameworks_show_nothing_by_themselves(launch: Launch, stack: str, source: str) -> None:
    server = launch(program("verbose-errors", stack, source))
    answer = server.get("/")
    assert answer.status == 500
    assert "no database" not in answer.text
    server.wait_for_output("ValueError: no database")


def hides(server: Running) -> bool:
    """Whether the log knows nothing of the error, once a second request has been answered."""
    assert server.get("/").status == 500
    assert server.get("/").status == 500
    return "no database" not in server.stdout + server.stderr


FLASK_HOOK = """
    import logging

    from flask import Flask, jsonify

    app = Flask(__name__)
    logger = logging.getLogger(__name__)


    @app.get("/")
    def index():
        raise ValueError("no database")


    @app.errorhandler(Exception){mark}
    def failed(error):
        {log}
        return jsonify(error="something went wrong"), 500
"""


@pytest.mark.proves("catch-all-hook")
def test_a_handler_for_everything_hides_the_error_from_flasks_log(launch: Launch) -> None:
    bad = program("catch-all-hook", "flask", FLASK_HOOK.format(mark="  # flagged: catch-all-hook", log=""))
    assert hides(launch(bad))

    fixed = launch(bad.fixed())
    assert fixed.get("/").status == 500
    fixed.wait_for_output("ValueError: no database")


@pytest.mark.proves("catch-all-hook")
def test_one_that_logs_does_not(launch: Launch) -> None:
    good = FLASK_HOOK.format(mark="", log='logger.exception("failed", exc_info=error)')
    server = launch(program("catch-all-hook", "flask", good))
    assert server.get("/").status == 500
    server.wait_for_output("ValueError: no database")


@pytest.mark.proves("catch-all-hook")
def test_fastapi_raises_the_error_again_behind_the_handler(launch: Launch) -> None:
    source = """
        from fastapi import FastAPI
        from fastapi.responses import JSONResponse

        app = FastAPI()


        @app.get("/")
        def index():
            raise ValueError("no database")


        @app.exception_handler(Exception)  # flagged: catch-all-hook
        async def failed(request, error):
            return JSONResponse({"error": "something went wrong"}, 500)
    """
    server = launch(program("catch-all-hook", "fastapi", source))
    assert server.get("/").text == '{"error":"something went wrong"}'
    server.wait_for_output("ValueError: no database")


@pytest.mark.proves("swallowed-exception")
def test_the_answer_says_that_all_is_well_and_the_log_says_nothing(launch: Launch) -> None:
    source = """
        from fastapi import FastAPI

        app = FastAPI()


        class Mailer:
            def confirm(self) -> None:
                raise OSError("no mail server")


        @app.get("/")
        def create() -> str:
            try:
                Mailer().confirm()
            except Exception:  # flagged: swallowed-exception
                pass
            return "created"
    """
    bad = program("swallowed-exception", "fastapi", source)
    server = launch(bad)
    assert server.get("/").text == server.get("/").text == '"created"'
    assert "no mail server" not in server.stdout + server.stderr

    fixed = launch(bad.fixed())
    assert fixed.get("/").text == '"created"'
    fixed.wait_for_output("OSError: no mail server")


@needs_node
@pytest.mark.proves("swallowed-exception")
def test_so_it_is_in_node(launch: Launch) -> None:
    source = """
        const express = require('express');
        const logger = require('pino')();

        const mailer = { confirm: async () => { throw new Error('no mail server'); } };

        const app = express();
        app.get('/', async (req, res) => {
          try {
            await mailer.confirm();
          } catch (err) {} // flagged: swallowed-exception
          res.send('created');
        });
        app.listen(process.env.PORT);
    """
    bad = program("swallowed-exception", "express4", source)
    server = launch(bad)
    assert server.get("/").text == server.get("/").text == "created"
    assert "no mail server" not in server.stdout + server.stderr

    fixed = launch(bad.fixed())
    assert fixed.get("/").text == "created"
    fixed.wait_for_output("no mail server")


PARSE = {
    "fastapi": """
        import json

        from fastapi import FastAPI, Request

        app = FastAPI()


        @app.post("/")
        async def order(request: Request) -> dict:
            order = json.loads(await request.body())  # flagged: unguarded-parse
            return {"id": order["id"]}
    """,
    "flask": """
        import json

        from flask import Flask, request

        app = Flask(__name__)


        @app.post("/")
        def order():
            order = json.loads(request.data)  # flagged: unguarded-parse
            return {"id": order["id"]}
    """,
    "aiohttp": """
        import json
        import os

        from aiohttp import web


        async def order(request: web.Request) -> web.Response:
            order = json.loads(await request.text())  # flagged: unguarded-parse
            return web.json_response({"id": order["id"]})


        app = web.Application()
        app.router.add_post("/", order)
        web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
    """,
    "django": """
        import json

        from django.conf import settings
        from django.core.wsgi import get_wsgi_application
        from django.http import JsonResponse
        from django.urls import path

        settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="key", ALLOWED_HOSTS=["*"])


        def order(request):
            order = json.loads(request.body)  # flagged: unguarded-parse
            return JsonResponse({"id": order["id"]})


        urlpatterns = [path("", order)]
        application = get_wsgi_application()
    """,
}


@pytest.mark.proves("unguarded-parse")
@pytest.mark.parametrize("stack", PARSE)
def test_the_mistake_of_a_client_is_answered_as_one_of_the_server(launch: Launch, stack: str) -> None:
    bad = program("unguarded-parse", stack, PARSE[stack])
    server = launch(bad)
    assert server.post("/", '{"id": 1}').status == 200
    assert server.post("/", "no json").status == 500

    fixed = launch(bad.fixed())
    assert fixed.post("/", '{"id": 1}').status == 200
    assert fixed.post("/", "no json").status == 400


@pytest.mark.proves("unguarded-parse")
def test_the_framework_answers_400_for_what_it_parses_itself(launch: Launch) -> None:
    good = """
        from flask import Flask, request

        app = Flask(__name__)


        @app.post("/")
        def order():
            return {"id": request.get_json(force=True)["id"]}
    """
    assert launch(program("unguarded-parse", "flask", good)).post("/", "no json").status == 400


AIOHTTP_EXIT = """
    import os
    import sys

    from aiohttp import web


    async def pid(request: web.Request) -> web.Response:
        return web.Response(text=str(os.getpid()))


    async def report(request: web.Request) -> web.Response:
        sys.exit("no reports")  # flagged: exit-in-handler


    app = web.Application()
    app.router.add_get("/pid", pid)
    app.router.add_get("/", report)
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
"""
FLASK_EXIT = """
    import os
    import sys

    from flask import Flask

    app = Flask(__name__)


    @app.get("/pid")
    def pid():
        return str(os.getpid())


    @app.get("/")
    def report():
        {exit}  # flagged: exit-in-handler
"""
FASTAPI_EXIT = """
    import os
    import sys

    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/pid")
    async def pid() -> str:
        return str(os.getpid())


    @app.get("/")
    {kind} report() -> str:
        {exit}  # flagged: exit-in-handler
"""


@pytest.mark.proves("exit-in-handler")
@pytest.mark.parametrize(
    ("stack", "source"),
    [("aiohttp", AIOHTTP_EXIT), ("fastapi", FASTAPI_EXIT.format(kind="async def", exit="os._exit(1)"))],
)
def test_python_ends_too(launch: Launch, stack: str, source: str) -> None:
    server = launch(program("exit-in-handler", stack, source))
    assert server.get("/pid").status == 200
    assert server.send("/").is_cut()
    server.exit_code()


@pytest.mark.proves("exit-in-handler")
def test_gunicorn_loses_a_worker_with_threads(launch: Launch) -> None:
    bad = program("exit-in-handler", "flask", FLASK_EXIT.format(exit='sys.exit("no reports")'))
    server = launch(bad, env={"GUNICORN_CMD_ARGS": "--threads 2"})
    before = server.get("/pid").text
    assert server.send("/").is_cut()
    assert server.get("/pid").text != before


@pytest.mark.proves("exit-in-handler")
@pytest.mark.parametrize(
    ("stack", "source"),
    [
        ("flask", FLASK_EXIT.format(exit='sys.exit("no reports")')),
        ("fastapi", FASTAPI_EXIT.format(kind="async def", exit='sys.exit("no reports")')),
        ("fastapi", FASTAPI_EXIT.format(kind="def", exit="raise SystemExit")),
    ],
)
def test_some_servers_survive_sys_exit(launch: Launch, stack: str, source: str) -> None:
    """Which is why it is a warning only."""
    server = launch(program("exit-in-handler", stack, source))
    before = server.get("/pid").text
    assert server.get("/").status == 500
    assert server.get("/pid").text == before


@pytest.mark.proves("undefined-variable")
def test_python_says_that_a_name_is_not_defined_when_a_request_gets_there(launch: Launch) -> None:
    source = """
        from fastapi import FastAPI

        app = FastAPI()


        @app.get("/")
        def index(name: str = "") -> str:
            if name:
                return f"hello {nmae}"  # flagged: undefined-variable
            return "hello"
    """
    server = launch(program("undefined-variable", "fastapi", source))
    assert server.get("/").text == '"hello"'
    assert server.get("/?name=Eve").status == 500
    server.wait_for_output("NameError: name 'nmae' is not defined")
