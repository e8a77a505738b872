"""PM2, forever, Honcho, supervisord and Gunicorn read their configuration as prodlint does."""

from __future__ import annotations

import importlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from prodlint.analysis.session import Session
from prodlint.extract.deployment import READERS
from prodlint.program.services import services_in
from prodlint.program.services.worker_counts import Count
from tests.deploy.conftest import values
from tests.engines.processes import wait_until
from tests.node_packages import NodeModules
from tests.pages import fix

HERE = Path(__file__).parent

# --- PM2 --------------------------------------------------------------------------------------------------------------

PACKAGE = '{"name": "shop", "scripts": {"start": "node server.js"}, "dependencies": {"express": "4"}}\n'
ECOSYSTEM = """\
const common = { cwd: __dirname, env: { A: 'common' } };
module.exports = {
  apps: [
    { ...common, name: 'plain', script: './server.js', env: { NODE_ENV: 'development' }, env_production: { NODE_ENV: 'production' } },
    { ...common, name: 'two', script: 'server.js', instances: 2 },
    { ...common, name: 'forked', script: 'server.js', instances: '2', exec_mode: 'fork' },
    { ...common, name: 'npm', script: 'npm', args: 'start' },
    { ...common, name: 'watched', script: 'server.js', args: ['--port', '1'], watch: true, autorestart: false },
  ],
};
"""


@pytest.fixture(scope="module")
def pm2(node_modules: NodeModules, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, list[Any]]]:
    """What PM2 runs, by the app's name, of the process file after prodlint's fixes, for production."""
    binary = node_modules.of(HERE / "node" / "pm2") / "pm2" / "bin" / "pm2"
    folder = tmp_path_factory.mktemp("pm2")
    for path, text in mended().items():
        (folder / path).write_text(text, encoding="utf-8")
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment |= {"PM2_HOME": str(folder / ".pm2"), "HOME": str(folder)}

    def run(*arguments: str) -> str:
        command = ["node", str(binary), *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        run("start", "ecosystem.config.js", "--env", "production")
        listed = run("jlist")
    finally:
        run("kill")
    found: dict[str, list[Any]] = {}
    for process in json.loads(listed[listed.index("[{") :]):
        found.setdefault(process["name"], []).append(process["pm2_env"])
    yield found


def project(ecosystem: str = ECOSYSTEM) -> dict[str, str]:
    return {
        "package.json": PACKAGE,
        "server.js": "process.on('SIGINT', () => process.exit());\nrequire('http').createServer().listen(0);\n",
        "ecosystem.config.js": ecosystem,
    }


def mended() -> dict[str, str]:
    """The project after the fixes of both rules about PM2, which have to change it."""
    files = project()
    for rule in ("pm2-runs-npm", "pm2-watch-in-production"):
        before, (files, withheld) = files, fix(files, {"select": [rule]}, rule)
        assert files != before, rule
        assert not withheld
    return files


@pytest.mark.needs("node", "npm")
def test_pm2_starts_what_is_mended(pm2: Mapping[str, list[Any]]) -> None:
    assert set(pm2) == {"plain", "two", "forked", "npm", "watched"}
    assert all(each["status"] == "online" for processes in pm2.values() for each in processes)
    (npm,) = pm2["npm"]
    assert npm["pm_exec_path"].endswith("/server.js")
    (watched,) = pm2["watched"]
    assert watched["watch"] is False


@pytest.mark.needs("node", "npm")
def test_pm2_starts_as_many_as_prodlint_says(pm2: Mapping[str, list[Any]]) -> None:
    services = services_in(Session.from_memory(mended()).program)
    variants = {each.outer.name: each for service in services for each in service.variants if each.kind == "pm2"}
    assert set(variants) == set(pm2)
    for name, processes in pm2.items():
        count = variants[name].processes
        assert count.state is (Count.MANY if len(processes) > 1 else Count.ONE), name


@pytest.mark.needs("node", "npm")
def test_pm2_sets_what_prodlint_says(pm2: Mapping[str, list[Any]]) -> None:
    files = mended() | {"deploy.sh": "pm2 start ecosystem.config.js --env production\n"}
    (service,) = services_in(Session.from_memory(files).program)
    for variant in service.variants:
        if variant.kind == "pm2":
            real = pm2[variant.outer.name][0]["env"]
            for name, answer in variant.launch.env.known.items():
                assert real[name] == answer.value, (variant.outer.name, name)


# --- forever ----------------------------------------------------------------------------------------------------------

FOREVER = {
    "uid": "shop",
    "script": "server.js",
    "args": ["--port", "1"],
    "command": "node --no-deprecation",
    "env": {"NODE_ENV": "production"},
    "sourceDir": "app",
    "max": 1,
}
TELLS = """\
const fs = require('fs');
fs.writeFileSync('half.json', JSON.stringify([process.argv, process.execArgv, process.env.NODE_ENV]));
fs.renameSync('half.json', 'seen.json');
"""


@pytest.mark.needs("node", "npm")
def test_forever_starts_what_prodlint_says(node_modules: NodeModules, tmp_path: Path) -> None:
    binary = node_modules.of(HERE / "node" / "forever") / "forever" / "bin" / "forever"
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "server.js").write_text(TELLS, encoding="utf-8")
    text = json.dumps(FOREVER | {"sourceDir": str(tmp_path / "app")})
    (tmp_path / "forever.json").write_text(text, encoding="utf-8")
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment |= {"FOREVER_ROOT": str(tmp_path / ".forever"), "HOME": str(tmp_path)}
    command = ["node", str(binary), "forever.json"]
    seen = tmp_path / "app" / "seen.json"
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as forever:
        try:
            wait_until(seen.exists, forever)
        finally:
            forever.kill()
    words, options, node_env = json.loads(seen.read_text(encoding="utf-8"))

    (app,) = READERS["forever"].extract(text.encode(), "forever.json").artefacts
    said = values(app)
    node, *ours = json.loads(said["command.exec"] or "")
    assert (node, ours) == ("node", [*options, "server.js", *words[2:]])
    assert words[1] == str(Path(said["workdir"] or "") / "server.js")
    # It passes `env` over.
    assert node_env is None
    assert not values(app, "env.")


# --- Procfile ---------------------------------------------------------------------------------------------------------

PROCFILE = """\
# the shop
web: gunicorn -w 4 "shop.wsgi:application" --bind 0.0.0.0:$PORT
worker:celery -A shop worker # its tasks
release: python manage.py migrate && echo done
no command:
url: curl http://example.org:8080/
under_score-1:   node  server.js
: nothing
web two: node
"""


def test_honcho_reads_processes_as_prodlint_does() -> None:
    environ = pytest.importorskip("honcho.environ", reason="honcho is not installed")
    real = environ.parse_procfile(PROCFILE).processes
    facts = READERS["procfile"].extract(PROCFILE.encode(), "Procfile")
    assert {each.name: values(each)["command.shell"] for each in facts.artefacts} == dict(real)


# --- supervisord ------------------------------------------------------------------------------------------------------

PROGRAMS = """\
[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0

[program:web]
command=gunicorn -w 4 "shop.wsgi:application" ; the shop
directory=/tmp
environment=DJANGO_SETTINGS_MODULE="shop.settings",A='b,c',
  C=d
autorestart=true
stopsignal=INT
stopwaitsecs=20

[program:worker]
command=/usr/bin/celery -A shop worker
numprocs=3
process_name=%(program_name)s_%(process_num)d
startretries=7

[program:once]
command=python manage.py migrate
autorestart=false
"""


def test_supervisord_reads_programs_as_prodlint_does(tmp_path: Path) -> None:
    datatypes = pytest.importorskip("supervisor.datatypes", reason="supervisor is not installed")
    options = importlib.import_module("supervisor.options").ServerOptions()
    path = tmp_path / "supervisord.conf"
    path.write_text(PROGRAMS, encoding="utf-8")
    options.realize(["-c", str(path)])
    real = {group.name: group.process_configs for group in options.process_group_configs}
    facts = READERS["supervisord"].extract(PROGRAMS.encode(), "supervisord.conf")
    ours = {each.name: each for each in facts.artefacts if each.kind == "program"}
    assert set(ours) == set(real)
    restarts = {
        "true": datatypes.RestartUnconditionally,
        "false": False,
        "": datatypes.RestartWhenExitUnexpected,
    }
    for name, (first, *others) in real.items():
        said = values(ours[name])
        assert json.loads(said["command.exec"] or "") == shlex.split(first.command)
        assert values(ours[name], "env.") == first.environment
        assert int(said.get("workers") or 1) == 1 + len(others)
        assert first.autorestart is restarts[said.get("restart") or ""]
        assert first.directory == said.get("workdir")
        assert first.startretries == int(said.get("restart.limit") or 3)
        assert first.stopwaitsecs == int(said.get("stop_grace_period") or 10)
        assert first.stopsignal.name == f"SIG{said.get('stop_signal') or 'TERM'}"


# --- Gunicorn ---------------------------------------------------------------------------------------------------------

GUNICORN = """\
import os
bind = ["127.0.0.1:8000", 'unix:/tmp/shop.sock']
workers = 3
threads = 2  # each
worker_class = "gthread"
graceful_timeout = 45
reload = False
raw_env = ["A=b", 'DJANGO_SETTINGS_MODULE=shop.settings']
chdir = os.path.dirname(os.path.abspath(__file__))
forwarded_allow_ips = "*"
"""


def test_gunicorn_reads_its_settings_as_prodlint_does(tmp_path: Path) -> None:
    pytest.importorskip("gunicorn", reason="gunicorn is not installed")
    (tmp_path / "gunicorn.conf.py").write_text(GUNICORN, encoding="utf-8")
    (tmp_path / "shop.py").write_text("def app(environ, start_response): ...\n", encoding="utf-8")
    command = [sys.executable, "-m", "gunicorn", "--print-config", "shop:app"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    real = dict((part.strip() for part in line.split("=", 1)) for line in done.stdout.splitlines() if "=" in line)
    (server,) = READERS["gunicorn"].extract(GUNICORN.encode(), "gunicorn.conf.py").artefacts
    said = values(server)
    for theirs, ours in {"workers": "workers", "threads": "threads", "graceful_timeout": "stop_grace_period"}.items():
        assert real[theirs] == said[ours]
    assert real["reload"] == (said["reload"] or "").title()
    assert real["bind"] == str(json.loads(said["ports"] or ""))
    assert real["raw_env"] == str([f"{name}={value}" for name, value in values(server, "env.").items()])
    assert said["workdir"] is None
