"""Upstart jobs, supervisord's programs, and the configuration of Gunicorn and uWSGI."""

from __future__ import annotations

from textwrap import dedent

import pytest

from prodlint.analysis.session import Session
from prodlint.extract.deployment import classify_content, gunicorn, ini, supervisord, upstart
from prodlint.program.services import Count, Service, services_in
from prodlint.program.services.setting_values import State
from prodlint.project.discovery import kind_of
from prodlint.project.vfs import FileSystem
from tests.deploy.conftest import artefact, facts_of, values

JOB = """\
    # shop - the shop
    description "shop"
    start on runlevel [2345]
    stop on runlevel [016]
    respawn
    respawn limit 10 5
    setuid www
    chdir /srv/shop
    env NODE_ENV=production
    env LABEL="a b"
    limit nofile 1024 4096
    kill timeout 20
    pre-start script
      mkdir -p /tmp/x
    end script
    exec node \\
      server.js
    """
SOURCE = {"server.js": "require('express')().listen(3000);\n", "package.json": '{"name": "shop"}'}
FLASK = {"app.py": "from flask import Flask\napp = Flask(__name__)\n"}


def only(files: dict[str, str]) -> Service:
    (found,) = services_in(Session.from_memory({path: dedent(text) for path, text in files.items()}).program)
    return found


# --- Upstart ----------------------------------------------------------------------------------------------------------


def test_a_job() -> None:
    found = artefact(facts_of("upstart", JOB, "etc/init/shop.conf"))
    said = values(found)
    assert (found.kind, found.name) == ("job", "shop")
    assert {key: said[key] for key in ("restart", "restart.limit", "restart.interval", "user", "workdir")} == {
        "restart": "respawn",
        "restart.limit": "10",
        "restart.interval": "5",
        "user": "www",
        "workdir": "/srv/shop",
    }
    assert (said["limit.nofile"], said["stop_grace_period"], said["start_on"]) == ("1024:4096", "20", "runlevel [2345]")
    assert values(found, "env.") == {"NODE_ENV": "production", "LABEL": "a b"}
    assert said["command.exec"] == '["node", "server.js"]'
    assert dedent(JOB)[found.anchor :].startswith("exec node")


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("exec node a.js >> /var/log/x 2>&1\n", "command.shell", "node a.js >> /var/log/x 2>&1"),
        ("script\n  cd /srv\n  exec node a.js\nend script\n", "command.shell", "  cd /srv\n  exec node a.js\n"),
        ("script\n  node a.js\n", "command.shell", "  node a.js\n"),
        ("respawn limit 5 10\nexec a\n", "restart.limit", "5"),
        ("expect fork\nexec a\n", "type", "fork"),
        ("task\nexec a\n", "type", "task"),
        ("env A=$B\nexec a\n", "env.A", None),
        ("manual\nexec a\n", "manual", "true"),
    ],
)
def test_stanzas(text: str, key: str, value: str | None) -> None:
    assert values(artefact(facts_of("upstart", text, "a.conf")))[key] == value


def test_respawn_limit_alone_does_not_respawn() -> None:
    assert "restart" not in values(artefact(facts_of("upstart", "respawn limit 5 10\nexec a\n", "a.conf")))


def test_of_two_processes_the_last_counts() -> None:
    service = only(
        {**SOURCE, "other.js": "", "init/shop.conf": "start on x\nexec node other.js\nexec node server.js\n"}
    )
    assert (service.entry, service.variants[0].kind) == ("server.js", "upstart")


def test_places_of_stanzas() -> None:
    data = dedent(JOB).encode()
    for stanza in upstart.scan(data):
        assert data[stanza.start : stanza.end].startswith(stanza.name.split()[0].encode())


def test_a_job_is_a_variant() -> None:
    service = only({**SOURCE, "etc/init/shop.conf": JOB})
    (variant,) = service.variants
    assert variant.kind == "upstart"
    assert variant.setting("env.NODE_ENV").value == "production"
    assert variant.setting("restart").value == "respawn"
    assert service.processes.state is Count.ONE


# --- supervisord ------------------------------------------------------------------------------------------------------

PROGRAMS = """\
    [supervisord]
    nodaemon=true ; in front

    [program:shop]
    command = node server.js --name "a b"
    directory=/srv/shop
    environment=NODE_ENV="production",PORT=80
        ,HOST='%(ENV_HOST)s'
    autorestart=unexpected
    startretries=5
    user=www
    stopsignal=TERM

    [program:other]
    command=sleep 1
    """


def test_programs() -> None:
    facts = facts_of("supervisord", PROGRAMS)
    assert [(each.kind, each.name) for each in facts.artefacts] == [
        ("supervisord", ""),
        ("program", "shop"),
        ("program", "other"),
    ]
    shop = artefact(facts, "shop")
    said = values(shop)
    assert said["command.exec"] == '["node", "server.js", "--name", "a b"]'
    assert values(shop, "env.") == {"NODE_ENV": "production", "PORT": "80", "HOST": None}
    assert (said["restart"], said["restart.limit"], said["user"], said["stop_signal"]) == (
        "unexpected",
        "5",
        "www",
        "TERM",
    )
    assert values(facts.artefacts[0])["nodaemon"] == "true"
    assert dedent(PROGRAMS)[shop.anchor : shop.anchor_end].startswith("command = node")


def test_a_program_on_a_host() -> None:
    service = only({**SOURCE, "etc/shop.conf": PROGRAMS})
    (variant,) = service.variants
    assert (variant.kind, variant.outer.name, service.entry) == ("supervisord", "shop", "server.js")
    assert variant.setting("env.NODE_ENV").value == "production"


@pytest.mark.parametrize(
    "command", ["supervisord -n", "supervisord -n -c /etc/supervisor/conf.d/shop.conf", "/usr/bin/supervisord"]
)
def test_an_image_that_starts_programs(command: str) -> None:
    dockerfile = (
        f"FROM node:22\nWORKDIR /app\nCOPY . .\nCOPY shop.conf /etc/supervisor/conf.d/shop.conf\nCMD {command}\n"
    )
    service = only({**SOURCE, "shop.conf": PROGRAMS, "Dockerfile": dockerfile})
    (variant,) = service.variants
    assert [layer.source.name for layer in variant.layers] == ["0", "shop"]
    assert variant.setting("env.NODE_ENV").value == "production"


def test_oracle_of_ini_files() -> None:
    """supervisord reads its files with configparser."""
    from configparser import RawConfigParser

    text = dedent(PROGRAMS)
    parser = RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    parser.read_string(text)
    ours = {(line.section, line.key): line.value for line in ini.scan(text.encode()) if line.key}
    assert ours == {(section, key): value for section in parser.sections() for key, value in parser[section].items()}


# --- what files are ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("etc/init/shop.conf", JOB, "upstart"),
        ("shop.upstart", JOB, "upstart"),
        ("shop.conf", PROGRAMS, "supervisord"),
        ("supervisor.ini", PROGRAMS, "supervisord"),
        ("uwsgi.ini", "[uwsgi]\nmodule = app:app\n", "uwsgi"),
        ("gunicorn.conf.py", "workers = 1\n", "gunicorn"),
        ("gunicorn_config.py", "workers = 1\n", "gunicorn"),
        ("alembic.ini", "[alembic]\nscript_location = x\n", None),
        ("x.conf", "exec = 1\n[server]\nport = 1\n", None),
    ],
)
def test_kinds(path: str, text: str, kind: str | None) -> None:
    assert kind_of(path, FileSystem(None, {path: dedent(text).encode()})) == kind


def test_beginnings() -> None:
    assert not supervisord.looks_like(b"[programming]\n")
    assert classify_content("x.conf", b"[Service]\nExecStart=/bin/x\n") is None


# --- Gunicorn and uWSGI -----------------------------------------------------------------------------------------------

CONFIGURATION = """\
    import multiprocessing, os
    bind = "0.0.0.0:8000"
    workers = multiprocessing.cpu_count() * 2 + 1
    daemon = True
    user = os.environ["USER"]
    raw_env = ["FLASK_DEBUG=0"]
    if x:
        timeout = 5
    """


def test_the_configuration_of_gunicorn() -> None:
    said = values(artefact(facts_of("gunicorn", CONFIGURATION)))
    assert said == {
        "ports": "0.0.0.0:8000",
        "workers": "auto",
        "daemon": "true",
        "user": None,
        "env.FLASK_DEBUG": "0",
        "timeout": None,
    }
    assert not gunicorn.extract(b"", "gunicorn.conf.py").artefacts[0].settings


@pytest.mark.parametrize(
    ("command", "configuration", "state", "text"),
    [
        ("gunicorn app:app", "workers = 4\n", Count.MANY, "4"),
        ("gunicorn -c gunicorn.conf.py app:app", "workers = 4\n", Count.MANY, "4"),
        ("gunicorn -c gunicorn.conf.py app:app", "threads = 4\n", Count.ONE, "1"),
        ("gunicorn -w 1 app:app", "workers = 4\n", Count.ONE, "1"),
        ("gunicorn app:app", "import os\nworkers = int(os.environ['N'])\n", Count.UNKNOWN, ""),
        ("gunicorn", "wsgi_app = 'app:app'\nworkers = 2\n", Count.MANY, "2"),
    ],
)
def test_workers_in_the_configuration_of_gunicorn(command: str, configuration: str, state: Count, text: str) -> None:
    dockerfile = f"FROM python:3.13\nCOPY . .\nCMD {command}\n"
    service = only({**FLASK, "gunicorn.conf.py": configuration, "Dockerfile": dockerfile})
    workers = service.variants[0].workers
    assert (service.entry, workers.state, workers.text) == ("app.py", state, text)


def test_an_environment_in_the_configuration_of_gunicorn() -> None:
    files = {
        **FLASK,
        "gunicorn.conf.py": CONFIGURATION,
        "Dockerfile": "FROM python:3.13\nCOPY . .\nCMD gunicorn app:app\n",
    }
    answer = only(files).setting("env.FLASK_DEBUG")
    assert (answer.state, answer.value) == (State.SET, "0")


def test_the_configuration_of_uwsgi() -> None:
    text = "[uwsgi]\nmodule = app:app\nprocesses = 4\nuid = www\ndaemonize = /var/log/x\nenv = A=1\n[other]\nuid = 0\n"
    dockerfile = "FROM python:3.13\nCOPY . .\nCMD uwsgi --ini uwsgi.ini\n"
    service = only({**FLASK, "uwsgi.ini": text, "Dockerfile": dockerfile})
    assert (service.entry, service.variants[0].workers.text) == ("app.py", "4")
    assert service.setting("daemon").value == "/var/log/x"
    assert service.setting("env.A").value == "1"
