"""How answers are compressed, kept and addressed."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.behaviour.conftest import Launch
from tests.behaviour.driver import Running
from tests.behaviour.program import program
from tests.behaviour.test_environment import SHOWS_MODE, environment_of

needs_node = pytest.mark.needs("node")
GZIP = {"Accept-Encoding": "gzip"}


def encoding(server: Running, path: str = "/") -> str | None:
    return server.send(path, headers=GZIP).answer().headers.get("content-encoding")


@needs_node
@pytest.mark.proves("no-compression")
def test_express_sends_everything_as_it_is(launch: Launch) -> None:
    bad = program(
        "no-compression",
        "express4",
        {
            "app.js": """
                const express = require('express');

                const app = express(); // flagged: no-compression
                app.get('/', (req, res) => res.json('hello '.repeat(1000)));
                app.listen(process.env.PORT);
            """,
            "package.json": '{ "name": "shop", "dependencies": { "express": "4.22.3" } }',
        },
    )
    assert encoding(launch(bad)) is None
    assert encoding(launch(bad.fixed())) == "gzip"


@pytest.mark.proves("no-compression")
def test_so_does_fastapi(launch: Launch) -> None:
    bad = program(
        "no-compression",
        "fastapi",
        {
            "app.py": """
                from fastapi import FastAPI

                app = FastAPI()  # flagged: no-compression


                @app.get("/")
                def index():
                    return "hello " * 1000
            """,
            "Dockerfile": """
                FROM python:3.13-slim
                COPY . .
                CMD ["uvicorn", "app:app"]
            """,
        },
    )
    assert encoding(launch(bad)) is None
    assert encoding(launch(bad.fixed())) == "gzip"


@needs_node
@pytest.mark.proves("compression-order")
def test_what_is_registered_before_the_compression_is_not_compressed(launch: Launch) -> None:
    bad = program(
        "compression-order",
        "express4",
        """
            const express = require('express');
            const compression = require('compression');

            const app = express();
            app.get('/', (req, res) => res.json('hello '.repeat(1000)));
            app.use(compression()); // flagged: compression-order
            app.get('/later', (req, res) => res.json('hello '.repeat(1000)));
            app.listen(process.env.PORT);
        """,
    )
    server = launch(bad)
    assert encoding(server) is None
    assert encoding(server, "/later") == "gzip"
    assert encoding(launch(bad.fixed())) == "gzip"


@needs_node
@pytest.mark.proves("static-without-max-age")
@pytest.mark.parametrize("stack", ["express4", "express5"])
def test_a_browser_may_keep_no_file_of_express(launch: Launch, stack: str) -> None:
    bad = program(
        "static-without-max-age",
        stack,
        {
            "app.js": """
                const express = require('express');

                const app = express();
                app.use(express.static('public')); // flagged: static-without-max-age
                app.listen(process.env.PORT);
            """,
            "public/logo.txt": "a logo",
        },
    )
    assert launch(bad).get("/logo.txt").headers["cache-control"] == "public, max-age=0"
    assert launch(bad.fixed()).get("/logo.txt").headers["cache-control"] == "public, max-age=3600"


@needs_node
@pytest.mark.proves("production-env-misspelt")
def test_express_takes_prod_for_development(launch: Launch) -> None:
    dockerfile = """
        FROM node:22-slim
        WORKDIR /app
        COPY . .
        ENV NODE_ENV=prod # flagged: production-env-misspelt
        CMD ["node", "app.js"]
    """
    bad = program("production-env-misspelt", "express4", {"app.js": SHOWS_MODE, "Dockerfile": dockerfile})
    server = launch(bad, env=environment_of(bad.files["Dockerfile"]))
    assert json.loads(server.get("/mode").text) == {"env": "prod", "cache": False}
    assert "app.js:" in server.get("/").text

    fixed = bad.fixed()
    server = launch(fixed, env=environment_of(fixed.files["Dockerfile"]))
    assert json.loads(server.get("/mode").text) == {"env": "production", "cache": True}
    assert "app.js:" not in server.get("/").text


@needs_node
@pytest.mark.proves("template-cache-off")
def test_a_template_is_read_for_every_request(launch: Launch) -> None:
    bad = program(
        "template-cache-off",
        "express4",
        {
            "app.js": """
                const express = require('express');

                const app = express();
                app.set('view engine', 'ejs');
                app.disable('view cache'); // flagged: template-cache-off
                app.get('/', (req, res) => res.render('index'));
                app.listen(process.env.PORT);
            """,
            "views/index.ejs": "first",
        },
    )
    production = {"NODE_ENV": "production"}
    assert _pages(launch(bad, env=production)) == ("first", "second")
    assert _pages(launch(bad.fixed(), env=production)) == ("first", "first")


def _pages(server: Running) -> tuple[str, str]:
    """A page before and after its template is changed."""
    before = server.get("/").text.strip()
    server.write("views/index.ejs", "second")
    return before, server.get("/").text.strip()


@pytest.mark.proves("template-cache-off")
def test_so_is_one_of_flask(launch: Launch) -> None:
    bad = program(
        "template-cache-off",
        "flask",
        {
            "app.py": """
                from flask import Flask, render_template

                app = Flask(__name__)
                app.config["TEMPLATES_AUTO_RELOAD"] = True  # flagged: template-cache-off


                @app.get("/")
                def index():
                    return render_template("index.html")
            """,
            "templates/index.html": "first",
        },
    )
    for each, second in ((bad, "second"), (bad.fixed(), "first")):
        server = launch(each)
        assert server.get("/").text == "first"
        server.write("templates/index.html", "second")
        assert server.get("/").text == second


NGINX = """
    server {
      listen 80;
      location / {
        proxy_pass http://127.0.0.1:3000;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      }
    }
"""
IMAGE = """
    FROM shop
    COPY . .
    CMD {command}
"""
CLIENT: Mapping[str, str] = {"X-Forwarded-For": "192.0.2.7"}


@needs_node
@pytest.mark.proves("no-trust-proxy")
@pytest.mark.parametrize("stack", ["express4", "express5"])
def test_express_takes_the_proxy_for_its_client(launch: Launch, stack: str) -> None:
    app = """
        const express = require('express');

        const app = express(); // flagged: no-trust-proxy
        app.get('/', (req, res) => res.send(req.ip));
        app.listen(process.env.PORT);
    """
    bad = program(
        "no-trust-proxy", stack, {"app.js": app, "nginx.conf": NGINX, "Dockerfile": IMAGE.format(command="node app.js")}
    )
    assert launch(bad).send("/", headers=CLIENT).answer().text.endswith("127.0.0.1")
    assert launch(bad.fixed()).send("/", headers=CLIENT).answer().text == "192.0.2.7"


@pytest.mark.proves("no-trust-proxy")
def test_so_does_flask(launch: Launch) -> None:
    app = """
        from flask import Flask, request

        app = Flask(__name__)  # flagged: no-trust-proxy


        @app.get("/")
        def index():
            return request.remote_addr
    """
    bad = program(
        "no-trust-proxy",
        "flask",
        {"app.py": app, "nginx.conf": NGINX, "Dockerfile": IMAGE.format(command="gunicorn app:app")},
    )
    assert launch(bad).send("/", headers=CLIENT).answer().text == "127.0.0.1"
    assert launch(bad.fixed()).send("/", headers=CLIENT).answer().text == "192.0.2.7"
