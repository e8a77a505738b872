"""What debugging that is switched on hands over."""

from __future__ import annotations

import json
import re

import pytest

from tests.behaviour.conftest import Launch
from tests.behaviour.program import program

ALONE = """
    import os

    from flask import Flask

    app = Flask(__name__)


    @app.get("/")
    def index():
        raise ValueError("no database")


    if __name__ == "__main__":
        app.run(port=int(os.environ["PORT"]), debug=True)  # flagged: debug-enabled
"""
STARTED = """
    FROM python:3.13-slim
    COPY . .
    CMD ["python", "app.py"]
"""


@pytest.mark.proves("debug-enabled")
def test_the_debugger_of_flask_runs_what_a_visitor_types(launch: Launch) -> None:
    bad = program("debug-enabled", "flask-alone", {"app.py": ALONE, "Dockerfile": STARTED})
    server = launch(bad)
    page = server.get("/").text
    server.wait_for_output("Debugger PIN:")
    secret, frame = re.findall(r'SECRET = "(\w+)"', page)[0], re.findall(r'id="frame-(\d+)"', page)[-1]
    pin = re.findall(r"Debugger PIN: ([\d-]+)", server.stderr)[0]
    opened = server.get(f"/?__debugger__=yes&cmd=pinauth&pin={pin}&s={secret}")
    assert json.loads(opened.text)["auth"]
    headers = {"Cookie": opened.headers["set-cookie"].partition(";")[0]}
    asked = f"/?__debugger__=yes&cmd=__import__('os').getpid()&frm={frame}&s={secret}"
    answer = server.send(asked, headers=headers).answer().text
    assert re.search(r"\d+", re.sub("<[^>]*>", "", answer.partition("&gt;&gt;&gt;")[2] or answer))

    fixed = launch(bad.fixed())
    page = fixed.get("/").text
    assert "SECRET" not in page
    assert "no database" not in page


@pytest.mark.proves("debug-enabled")
def test_in_debug_mode_flask_forgets_its_error_handlers(launch: Launch) -> None:
    bad = program(
        "debug-enabled",
        "flask",
        """
            from flask import Flask

            app = Flask(__name__)
            app.debug = True  # flagged: debug-enabled


            @app.get("/")
            def index():
                raise ValueError("no database")


            @app.errorhandler(500)
            def failed(error):
                return "handled", 503
        """,
    )
    assert launch(bad).get("/").status == 500
    assert launch(bad.fixed()).get("/").text == "handled"


@pytest.mark.proves("debug-enabled")
def test_fastapi_answers_with_the_stack(launch: Launch) -> None:
    bad = program(
        "debug-enabled",
        "fastapi",
        """
            from fastapi import FastAPI

            app = FastAPI(debug=True)  # flagged: debug-enabled


            @app.get("/")
            def index():
                raise ValueError("no database")
        """,
    )
    assert "Traceback" in launch(bad).get("/").text
    assert "Traceback" not in launch(bad.fixed()).get("/").text


DJANGO = {
    "app.py": """
        import os

        from django.core.wsgi import get_wsgi_application

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

        application = get_wsgi_application()
    """,
    "urls.py": """
        from django.urls import path


        def index(request):
            raise ValueError("no database")


        urlpatterns = [path("", index)]
    """,
    "settings.py": """
        ROOT_URLCONF = "urls"
        SECRET_KEY = "key"
        ALLOWED_HOSTS = ["*"]
        PAYMENT_URL = "https://pay.internal.example"
        DEBUG = True  # flagged: debug-enabled
    """,
}


@pytest.mark.proves("debug-enabled")
def test_django_answers_with_its_settings(launch: Launch) -> None:
    bad = program("debug-enabled", "django", DJANGO)
    page = launch(bad).get("/").text
    assert "no database" in page
    assert "pay.internal.example" in page

    fixed = bad.fixed()
    page = launch(fixed).get("/").text
    assert "no database" not in page
    assert "pay.internal.example" not in page
    assert "pay.internal.example" in launch(fixed, env={"DJANGO_DEBUG": "1"}).get("/").text
