"""What the environment changes."""

from __future__ import annotations

import json
import re

import pytest

from tests.behaviour.conftest import Launch
from tests.behaviour.program import program

needs_node = pytest.mark.needs("node")

SHOWS_MODE = """
    const express = require('express');

    const app = express();
    app.get('/mode', (req, res) => res.json({ env: app.get('env'), cache: app.enabled('view cache') }));
    app.get('/', (req, res) => {
      throw new Error('no database');
    });
    app.listen(process.env.PORT);
"""
DOCKERFILE = """
    FROM node:22-slim
    WORKDIR /app
    COPY . .
    CMD ["node", "app.js"] # flagged: production-env-unset
"""
UNIT = """
    [Service]
    ExecStart=/usr/bin/node /srv/shop/app.js # flagged: production-env-unset
    Restart=on-failure
"""


@needs_node
@pytest.mark.proves("production-env-unset")
@pytest.mark.parametrize("stack", ["express4", "express5"])
@pytest.mark.parametrize(("name", "text"), [("Dockerfile", DOCKERFILE), ("shop.service", UNIT)])
def test_express_keeps_no_views_and_shows_its_stack(launch: Launch, stack: str, name: str, text: str) -> None:
    bad = program("production-env-unset", stack, {"app.js": SHOWS_MODE, name: text})
    server = launch(bad, env=environment_of(bad.files[name]))
    assert json.loads(server.get("/mode").text) == {"env": "development", "cache": False}
    assert "app.js:" in server.get("/").text

    fixed = bad.fixed()
    server = launch(fixed, env=environment_of(fixed.files[name]))
    assert json.loads(server.get("/mode").text) == {"env": "production", "cache": True}
    assert "app.js:" not in server.get("/").text


def environment_of(text: str) -> dict[str, str]:
    """What a Dockerfile or a unit sets."""
    return dict(re.findall(r"^(?:ENV |Environment=)(\w+)=(\S+)$", text, re.MULTILINE))


@needs_node
@pytest.mark.proves("env-overridden-in-code")
def test_the_code_wins_over_whoever_deploys_it(launch: Launch) -> None:
    bad = f"process.env.NODE_ENV = 'development'; // flagged: env-overridden-in-code\n{SHOWS_MODE}"
    server = launch(program("env-overridden-in-code", "express4", bad), env={"NODE_ENV": "production"})
    assert json.loads(server.get("/mode").text) == {"env": "development", "cache": False}
    assert "app.js:" in server.get("/").text


@needs_node
@pytest.mark.proves("env-overridden-in-code")
def test_and_only_half_where_an_app_was_made_before(launch: Launch) -> None:
    bad = """
        const express = require('express');

        const app = express();
        process.env.NODE_ENV = 'development'; // flagged: env-overridden-in-code
        app.get('/mode', (req, res) => res.send([process.env.NODE_ENV, app.get('env'), express().get('env')].join()));
        app.listen(process.env.PORT);
    """
    server = launch(program("env-overridden-in-code", "express4", bad), env={"NODE_ENV": "production"})
    assert server.get("/mode").text == "development,production,development"


@needs_node
@pytest.mark.proves("env-overridden-in-code")
@pytest.mark.parametrize(("env", "mode"), [({"NODE_ENV": "production"}, "production"), ({}, "development")])
def test_a_default_obeys(launch: Launch, env: dict[str, str], mode: str) -> None:
    good = f"process.env.NODE_ENV = process.env.NODE_ENV || 'development';\n{SHOWS_MODE}"
    server = launch(program("env-overridden-in-code", "express4", good), env=env)
    assert json.loads(server.get("/mode").text)["env"] == mode


FLASK = """
    import os

    from flask import Flask

    app = Flask(__name__)


    @app.get("/")
    def index():
        raise ValueError("no database")


    @app.errorhandler(500)
    def failed(error):
        return "handled", 503
"""


@pytest.mark.proves("production-env-unset")
def test_in_debug_mode_flask_passes_its_error_handlers_by(launch: Launch) -> None:
    dockerfile = """
        FROM python:3.13-slim
        COPY . .
        ENV FLASK_DEBUG=1 # flagged: production-env-unset
        CMD ["gunicorn", "app:app"]
    """
    bad = program("production-env-unset", "flask", {"app.py": FLASK, "Dockerfile": dockerfile})
    answer = launch(bad, env=environment_of(bad.files["Dockerfile"])).get("/")
    assert answer.status == 500
    assert "handled" not in answer.text

    fixed = bad.fixed()
    assert launch(fixed, env=environment_of(fixed.files["Dockerfile"])).get("/").text == "handled"


DJANGO = {
    "app.py": """
        import os

        from django.core.wsgi import get_wsgi_application

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.{module}"){mark}

        application = get_wsgi_application()
    """,
    "urls.py": """
        from django.urls import path


        def index(request):
            raise ValueError("no database")


        urlpatterns = [path("", index)]
    """,
    "settings/__init__.py": "",
    "settings/dev.py": "from settings.production import *\n\nDEBUG = True\n",
    "settings/production.py": 'ROOT_URLCONF = "urls"\nSECRET_KEY = "key"\nALLOWED_HOSTS = ["*"]\nDEBUG = False\n',
}


@pytest.mark.proves("env-overridden-in-code")
def test_django_serves_with_the_settings_of_a_developer(launch: Launch) -> None:
    mark = "  # flagged: env-overridden-in-code"
    app = DJANGO["app.py"].format(module="dev", mark=mark)
    bad = program("env-overridden-in-code", "django", DJANGO | {"app.py": app})
    assert "Traceback" in launch(bad).get("/").text
    obeys = launch(bad, env={"DJANGO_SETTINGS_MODULE": "settings.production"})
    assert "Traceback" not in obeys.get("/").text

    app = DJANGO["app.py"].format(module="production", mark="")
    good = program("env-overridden-in-code", "django", DJANGO | {"app.py": app})
    assert "Traceback" not in launch(good).get("/").text


@needs_node
@pytest.mark.proves("env-read-in-handler")
def test_a_variable_that_is_missing_is_found_by_a_user(launch: Launch) -> None:
    bad = """
        const express = require('express');

        const app = express();
        app.get('/', (req, res) => {
          res.send(`https://${process.env.PUBLIC_HOST}/join`); // flagged: env-read-in-handler
        });
        app.listen(process.env.PORT);
    """
    unset = program("env-read-in-handler", "express4", bad)
    assert launch(unset).get("/").text == "https://undefined/join"
    assert launch(unset.fixed(), env={"PUBLIC_HOST": "shop.example"}).get("/").text == "https://shop.example/join"


@needs_node
@pytest.mark.proves("env-read-in-handler")
def test_read_at_start_up_it_is_found_before_the_first_request(launch: Launch) -> None:
    good = """
        const express = require('express');

        const host = process.env.PUBLIC_HOST;
        if (!host) throw new Error('PUBLIC_HOST is missing');

        const app = express();
        app.get('/', (req, res) => res.send(`https://${host}/join`));
        app.listen(process.env.PORT);
    """
    checked = program("env-read-in-handler", "express4", good)
    with pytest.raises(AssertionError, match="PUBLIC_HOST is missing"):
        launch(checked)
    assert launch(checked, env={"PUBLIC_HOST": "shop.example"}).get("/").status == 200
