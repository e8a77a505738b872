"""In how many processes a service runs, and what says so."""

from __future__ import annotations

from textwrap import dedent

import pytest

from prodlint.analysis.session import Session
from prodlint.program.services import Count, Service, services_in

PYTHON = {"app.py": "from fastapi import FastAPI\napp = FastAPI()\n"}
EXPRESS = {"server.js": "require('express')().listen(3000);\n", "package.json": '{"name": "shop"}'}
UNIT = "[Service]\nExecStart=/usr/bin/node /srv/shop/server.js\n"


def only(files: dict[str, str]) -> Service:
    (service,) = services_in(Session.from_memory({path: dedent(text) for path, text in files.items()}).program)
    return service


def compose(command: str, more: str = "") -> dict[str, str]:
    dockerfile = f"FROM python:3.13\nCOPY . .\nCMD {command}\n"
    return {**PYTHON, "Dockerfile": dockerfile, "compose.yaml": f"services:\n  web:\n    build: .\n{more}"}


@pytest.mark.parametrize(
    ("command", "state", "text"),
    [
        ("gunicorn app:app", Count.ONE, "1"),
        ("gunicorn -w 4 app:app", Count.MANY, "4"),
        ("gunicorn -w4 app:app", Count.MANY, "4"),
        ("gunicorn --workers=1 app:app", Count.ONE, "1"),
        ("gunicorn -w 4 -w 1 app:app", Count.ONE, "1"),
        ("python -m gunicorn --workers 3 app:app", Count.MANY, "3"),
        ("gunicorn -c conf.py app:app", Count.UNKNOWN, ""),
        ("WEB_CONCURRENCY=3 gunicorn app:app", Count.MANY, "3"),
        ("GUNICORN_CMD_ARGS='--workers 2' gunicorn app:app", Count.MANY, "2"),
        ("gunicorn -w ${WORKERS:-2} app:app", Count.MANY, "2"),
        ("gunicorn -w $WORKERS app:app", Count.UNKNOWN, ""),
        ("uvicorn app:app --workers 2", Count.MANY, "2"),
        ("uvicorn app:app", Count.ONE, "1"),
        ("hypercorn --workers 2 app:app", Count.MANY, "2"),
        ("granian --workers 2 app:app", Count.MANY, "2"),
        ("uwsgi --processes 4 app:app", Count.MANY, "4"),
        ("waitress-serve app:app", Count.ONE, "1"),
        ("celery -A app worker", Count.UNKNOWN, ""),
    ],
)
def test_workers_of_a_command(command: str, state: Count, text: str) -> None:
    processes = only(compose(command)).processes
    assert (processes.state, processes.text) == (state, text)


@pytest.mark.parametrize(
    ("more", "state", "text"),
    [
        ("    deploy:\n      replicas: 3\n", Count.MANY, "3"),
        ("    scale: 2\n", Count.MANY, "2"),
        ("    deploy:\n      replicas: 1\n", Count.ONE, "1"),
        ("    deploy:\n      replicas: ${REPLICAS}\n", Count.UNKNOWN, ""),
        ("    environment:\n      WEB_CONCURRENCY: 4\n", Count.MANY, "4"),
        ("    env_file: missing.env\n", Count.UNKNOWN, ""),
    ],
)
def test_replicas_and_the_environment_of_a_compose_service(more: str, state: Count, text: str) -> None:
    processes = only(compose("gunicorn app:app", more)).processes
    assert (processes.state, processes.text) == (state, text)


def test_the_artefact_that_says_it_is_known() -> None:
    processes = only(compose("gunicorn app:app", "    scale: 2\n")).processes
    assert processes.by is not None
    assert (processes.by.path, processes.by.name, processes.by.location.start) == ("compose.yaml", "web", 41)


def test_workers_of_replicas_are_many_times_many() -> None:
    variant = only(compose("gunicorn -w 4 app:app", "    scale: 2\n")).variants[0]
    assert (variant.workers.text, variant.copies.text, variant.processes.text) == ("4", "2", "4 x 2")


def test_one_process_of_an_image_that_anybody_may_run_is_an_unknown_number() -> None:
    files = {**EXPRESS, "Dockerfile": 'FROM node:22\nCOPY . .\nCMD ["node", "server.js"]\n'}
    service = only(files)
    assert (service.processes.state, service.processes.reason) == (
        Count.UNKNOWN,
        "whoever runs the image decides how often",
    )
    assert service.variants[0].workers.state is Count.ONE


def test_a_unit_is_one_process_and_a_template_of_units_is_not() -> None:
    assert only({**EXPRESS, "shop.service": UNIT}).processes.state is Count.ONE
    assert only({**EXPRESS, "shop@.service": UNIT}).processes.state is Count.UNKNOWN


def test_code_that_forks_makes_many() -> None:
    code = "const cluster = require('node:cluster');\nif (cluster.isPrimary) cluster.fork();\n" + EXPRESS["server.js"]
    processes = only({**EXPRESS, "server.js": code, "shop.service": UNIT}).processes
    assert processes.state is Count.MANY
    assert processes.by is not None
    assert processes.by.path == "server.js"


def test_a_server_that_the_code_starts_with_workers() -> None:
    code = PYTHON["app.py"] + "import uvicorn\nuvicorn.run('app:app', workers={})\n"
    for count, state in (("4", Count.MANY), ("1", Count.ONE), ("count()", Count.UNKNOWN)):
        files = {**compose("python app.py"), "app.py": code.format(count)}
        assert only(files).processes.state is state


def test_no_way_to_deploy_a_service_says_nothing_of_its_processes() -> None:
    package = '{"name": "shop", "scripts": {"start": "node server.js"}}'
    processes = only({**EXPRESS, "package.json": package}).processes
    assert (processes.state, processes.reason) == (Count.UNKNOWN, "nothing says how it is deployed")
