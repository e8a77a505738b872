"""What findings say is true of the program that they are about."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from prodlint.analysis.session import Session
from prodlint.program.services import services_in
from tests.pages import find

EXPRESS = json.dumps({"name": "shop", "scripts": {"start": "node app.js"}, "dependencies": {"express": "^4.18.0"}})
APP = "const app = require('express')();\n"
HOOK = "process.on('unhandledRejection', (err) => { console.error(err); });\n"
ENDING = "process.on('unhandledRejection', (err) => { console.error(err); process.exit(1); });\n"
EXCEPTION_HOOK = "process.on('uncaughtException', (err) => { console.error(err); });\n"


def said(files: Mapping[str, str], rule: str) -> str:
    """What the only finding of a rule says."""
    found, errors = find(files, {"select": [rule]})
    assert errors == []
    (finding,) = found
    return finding.message


DROPPED = (
    "app.get('/', (req, res) => { load().then(() => res.end()); });\nasync function load() { await fetch('x'); }\n"
)
PARSED = "app.listen(3000).on('x', (text) => { JSON.parse(text); });\n"


@pytest.mark.parametrize(
    ("hook", "fate"),
    [
        ("", "ends the process (Node 15 and later)"),
        (ENDING, "ends the process (Node 15 and later)"),
        (HOOK, "only reaches the hook at app.js:2"),
        (EXCEPTION_HOOK, "only reaches the hook at app.js:2"),
    ],
)
def test_a_rejection_ends_the_process_only_where_no_hook_keeps_it(hook: str, fate: str) -> None:
    message = said({"package.json": EXPRESS, "app.js": APP + hook + DROPPED + "app.listen(1);"}, "unhandled-promise")
    assert f"an error in it {fate}, and no request is answered with it" in message


def test_the_hook_of_another_package_keeps_nothing() -> None:
    files = {
        "api/package.json": EXPRESS,
        "api/app.js": APP + DROPPED + "app.listen(1);",
        "other/package.json": EXPRESS,
        "other/app.js": APP + HOOK + "app.listen(2);",
    }
    assert "ends the process (Node 15 and later)" in said(files, "unhandled-promise")


@pytest.mark.parametrize(
    ("hook", "fate"), [("", "ends the process"), (HOOK, "ends the process"), (EXCEPTION_HOOK, "only reaches the hook")]
)
def test_an_exception_ends_the_process_only_where_no_hook_keeps_it(hook: str, fate: str) -> None:
    text = "app.get('/', (req, res) => { require('fs').createReadStream('x').pipe(res); });\napp.listen(1);\n"
    message = said({"package.json": EXPRESS, "app.js": APP + hook + text}, "unhandled-stream-error")
    assert f"and nobody listens: that {fate}" in message


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("", "express then runs in development mode"),
        ("app.set('env', 'development');\n", "express then runs in development mode"),
        ("app.set('env', 'production');\n", "its code puts express into production mode"),
    ],
)
def test_a_mode_that_the_code_chooses_is_not_said_to_be_another(text: str, mode: str) -> None:
    files = {
        "package.json": EXPRESS,
        "app.js": APP + text + "app.listen(1);\n",
        "Dockerfile": 'FROM node:20\nCOPY . .\nCMD ["node", "app.js"]\n',
    }
    assert mode in said(files, "production-env-unset")


def service_names(files: Mapping[str, str]) -> list[str]:
    """What the services of a project are called."""
    return [service.name for service in services_in(Session.from_memory(files).program)]


COPIES = 'FROM python:3.12\nCOPY . .\nCMD ["uvicorn", "app.main:app"]\n'
WORKS = "from fastapi import FastAPI\napp = FastAPI()\n"


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({"Dockerfile": COPIES, "app/main.py": WORKS, "pyproject.toml": '[project]\nname = "shop"\n'}, ["shop"]),
        ({"docker/Dockerfile": COPIES, "app/main.py": WORKS, "docker-compose.yml": ""}, ["main.py"]),
        (
            {
                "app/main.py": WORKS,
                "shop.service": "[Service]\nExecStart=/opt/shop/venv/bin/uvicorn app.main:app\n",
            },
            ["shop"],
        ),
        (
            {
                "package.json": json.dumps({"name": "shop", "dependencies": {"express": "4"}}),
                "web.js": APP + "app.listen(1);",
                "jobs.js": APP + "app.listen(2);",
                "docker-compose.yml": (
                    "services:\n  web:\n    image: node:20\n    command: node web.js\n    volumes: ['.:/app']\n    working_dir: /app\n"
                    "  jobs:\n    image: node:20\n    command: node jobs.js\n    volumes: ['.:/app']\n    working_dir: /app\n"
                ),
            },
            ["shop (jobs)", "shop (web)"],
        ),
    ],
)
def test_services_have_the_names_that_their_people_give_them(files: Mapping[str, str], names: list[str]) -> None:
    assert service_names(files) == names


@pytest.mark.parametrize(
    ("call", "what"),
    [
        ("console.info('x')", "What `console.info` writes"),
        ("logger.info('x')", "What `logger.info`, which is `console.info`, writes"),
    ],
)
def test_what_is_written_by_another_name_says_both(call: str, what: str) -> None:
    text = f"const logger = console;\napp.get('/', (req, res) => {{ {call}; res.end(); }});\napp.listen(1);\n"
    assert said({"package.json": EXPRESS, "app.js": APP + text}, "console-logging").startswith(what)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        ("stripe.Charge.create()", "Use the library's async form (stripe/_charge.py), or hand this to a thread"),
        ("openai.OpenAI().responses.create()", "It reaches `httpx.Client.send` (openai/_base_client.py). Hand it to"),
    ],
)
def test_a_call_of_a_library_says_how_it_is_known_to_block(call: str, what: str) -> None:
    app = "import openai, stripe\nfrom fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\nasync def pay():\n"
    assert what in said({"requirements.txt": "fastapi\n", "main.py": f"{app}    {call}\n"}, "blocking-call")
