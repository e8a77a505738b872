"""How services are started in files as people have them: base images with a command of their own, scripts that a
Dockerfile writes, branches, packages that install themselves, commands of the project's own."""

from __future__ import annotations

from textwrap import dedent

import pytest

from prodlint.analysis.session import Session
from prodlint.extract.deployment.commands import Condition, split
from prodlint.program.services import Service, services_in
from prodlint.program.services.base_images import base_image, is_plain_base
from prodlint.program.services.setting_values import State

FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"
FLASK = 'from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.route("/")\ndef home():\n    return ""\n'
EXPRESS = "const app = require('express')();\napp.listen(3000);\n"


def services(files: dict[str, str]) -> list[Service]:
    return services_in(Session.from_memory({path: dedent(text) for path, text in files.items()}).program)


def entries(files: dict[str, str]) -> list[tuple[str, str]]:
    return [(service.variants[0].kind, service.entry) for service in services(files)]


@pytest.mark.parametrize(
    ("subject", "values", "is_one", "variables", "answer"),
    [
        ("$MODE", ("prod",), True, {"MODE": "prod"}, True),
        ("$MODE", ("prod",), False, {"MODE": "prod"}, False),
        ("$MODE", ("pro*",), True, {"MODE": "prod"}, True),
        ("$MODE", ("prod",), True, {}, None),
        ("${MODE:-web}", ("web",), True, {}, True),
        ("$1", ("web",), True, {"1": "worker"}, False),
        ("${1:-web}", ("web",), True, {"1": ""}, True),
        ("", (), True, {"MODE": "prod"}, None),
    ],
)
def test_a_condition(subject: str, values: tuple[str, ...], is_one: bool, variables: dict, answer: bool | None) -> None:
    assert Condition(subject, values, is_one).holds(variables) is answer


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ('case "$M" in\n a|b) x ;;\n *) y ;;\nesac\nz', {"x": "M in a,b", "y": "M not in a,b", "z": ""}),
        ("case $1 in web) x ;; *) y ;; esac; z", {"x": "1 in web", "y": "1 not in web", "z": ""}),
        ("case $1 in (a) (x) ;; b) y ;; esac", {"x": "1 in a", "y": "1 not in a; 1 in b"}),
        ('if [ "$M" = 1 ]; then x; else y; fi; z', {"x": "M in 1", "y": "M not in 1", "z": ""}),
        ('if [ "$M" != 1 ]; then x; elif [ -n "$N" ]; then y; fi', {"x": "M not in 1", "y": "M in 1; N not in "}),
        ('[ "$M" = 1 ] && x; y', {"x": "M in 1", "y": ""}),
        ('[ "$M" = 1 ] || x; y', {"x": "M not in 1", "y": ""}),
        ('if [ "$M" -gt 1 ]; then x; fi', {"x": "?"}),
        ("if [ -f m ]; then x; else y; fi", {"x": "", "y": ""}),
    ],
)
def test_what_variables_decide_about(text: str, conditions: dict[str, str]) -> None:
    def shown(condition: Condition) -> str:
        verb = "in" if condition.is_one else "not in"
        return f"{condition.subject.strip('$')} {verb} {','.join(condition.values)}" if condition.subject else "?"

    found = {each.words[0]: "; ".join(map(shown, each.conditions)) for each in split(text)}
    assert {word: found[word] for word in conditions} == conditions


SCRIPT = 'case "$1" in\n  web) exec gunicorn web:app ;;\n  dev) exec flask run ;;\nesac\n'
BRANCHES = {"web.py": FLASK, "dev.py": FLASK, "run.sh": SCRIPT, "requirements.txt": "flask\n"}


def started(command: str) -> str:
    dockerfile = f'FROM python:3.12\nCOPY . .\nENTRYPOINT ["./run.sh"]\nCMD {command}\n'
    (service,) = services({**BRANCHES, "Dockerfile": dockerfile})
    return service.variants[0].launch.target


def test_the_argument_picks_the_branch_of_a_script() -> None:
    assert started('["web"]') == "web:app"
    assert started('["dev"]') == "flask run"


def test_where_a_variable_decides_the_branch_for_production_is_taken() -> None:
    for script in (
        'if [ "$NODE_ENV" = production ]; then exec node app.js; else exec nodemon app.js; fi\n',
        'if [ "$MODE" = x ]; then exec node app.js; fi\nexec nodemon app.js\n',
        'if [ "$MODE" = x ]; then exec nodemon app.js; fi\nexec node app.js\n',
    ):
        files = {
            "app.js": EXPRESS,
            "package.json": '{"dependencies": {"express": "4"}}',
            "start.sh": script,
            "Dockerfile": 'FROM node:22\nCOPY . .\nCMD ["./start.sh"]\n',
        }
        (service,) = services(files)
        assert not service.variants[0].launch.is_dev, script
        assert service.variants[0].launch.entry == "app.js"


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("tiangolo/uvicorn-gunicorn-fastapi:python3.11", "app/main.py"),
        ("docker.io/tiangolo/uvicorn-gunicorn:python3.11-slim", "main.py"),
    ],
)
def test_a_base_image_brings_the_command(base: str, path: str) -> None:
    to = "/app/app" if path.startswith("app/") else "/app"
    files = {path: FASTAPI, "Dockerfile": f"FROM {base}\nCOPY {'app' if '/' in path else '.'} {to}\n"}
    assert entries(files) == [("dockerfile", path)]


def test_the_entrypoint_of_a_base_image_stands_before_the_command() -> None:
    for base in ("gcr.io/distroless/nodejs22-debian12", "cgr.dev/chainguard/node"):
        files = {
            "a.js": EXPRESS,
            "package.json": '{"dependencies": {"express": "4"}}',
            "Dockerfile": f'FROM {base}\nCOPY . .\nCMD ["a.js"]\n',
        }
        assert entries(files) == [("dockerfile", "a.js")]


def test_base_images() -> None:
    assert is_plain_base("node:22-alpine")
    assert is_plain_base("public.ecr.aws/docker/library/python:3.12")
    assert not is_plain_base("registry.access.redhat.com/ubi9/nodejs-22")  # has a user
    assert not is_plain_base("acme/node:22")
    assert not is_plain_base("directus/directus:11")  # sets NODE_ENV
    for image, user, shell in (
        ("node:22-alpine", "root", "ash"),
        ("python:3.12-slim", "root", "dash"),
        ("ubi8/python-39", "1001", "bash"),
        ("gcr.io/distroless/python3:nonroot", "nonroot", ""),
        ("nvidia/cuda:12.4.0-runtime-ubi8", "root", "bash"),
    ):
        known = base_image(image)
        assert known is not None, image
        assert (known.user, known.shell) == (user, shell), image


@pytest.mark.parametrize(
    "lines",
    [
        'COPY <<EOT /start.sh\n#!/bin/sh\nexec gunicorn shop:app\nEOT\nCMD ["/start.sh"]',
        'COPY --chmod=755 <<"EOT" /usr/local/bin/run\n#!/bin/sh\nexec gunicorn shop:app\nEOT\nCMD ["run"]',
        'RUN cat <<\'EOF\' > /start.sh\n#!/bin/sh\nexec gunicorn shop:app\nEOF\nCMD ["sh", "/start.sh"]',
        "RUN printf '#!/bin/sh\\nexec gunicorn shop:app\\n' > /start.sh\nENTRYPOINT [\"/start.sh\"]",
        'RUN echo "#!/bin/sh" > /s.sh && echo "exec gunicorn shop:app" >> /s.sh\nCMD ["/s.sh"]',
        'ENV APP=shop:app\nCMD ["sh", "-c", "exec gunicorn $APP"]',
        "ENV MAIN=shop.py\nENTRYPOINT exec python ${MAIN}",
        'COPY deploy/go.sh /run\nENTRYPOINT ["/run"]',
    ],
)
def test_scripts_and_variables_of_a_dockerfile(lines: str) -> None:
    files = {
        "shop.py": FLASK,
        "deploy/go.sh": "#!/bin/sh\nexec gunicorn shop:app\n",
        "Dockerfile": f"FROM python:3.12\nWORKDIR /app\nCOPY . .\n{lines}\n",
    }
    assert entries(files) == [("dockerfile", "shop.py")]


def test_an_image_that_installs_the_project_by_its_name() -> None:
    files = {
        "pyproject.toml": '[project]\nname = "Shop_Api"\nversion = "1"\n',
        "shop/__init__.py": "",
        "shop/api.py": FASTAPI,
        "Dockerfile": "FROM python:3.12\nRUN pip install 'shop-api[all]==1.0'\n",
        "compose.yaml": "services:\n  api:\n    build: .\n    entrypoint: [python3, -m, uvicorn, 'shop.api:app']\n",
    }
    assert entries(files) == [("compose", "shop/api.py")]
    assert entries({**files, "Dockerfile": "FROM python:3.12\nRUN pip install requests\n"}) == [
        ("source", "shop/api.py")
    ]


def test_python_m_package_runs_its_main_module() -> None:
    files = {
        "shop/__init__.py": "",
        "shop/__main__.py": "from shop.web import app\n\napp.run()\n",
        "shop/web.py": FLASK,
        "Dockerfile": 'FROM python:3.12\nCOPY . .\nCMD ["python", "-m", "shop"]\n',
    }
    assert entries(files) == [("dockerfile", "shop/__main__.py")]
    assert entries({**files, "Dockerfile": 'FROM python:3.12\nCOPY . .\nCMD ["gunicorn", "shop:app"]\n'}) == [
        ("dockerfile", "shop/__init__.py")
    ]


def test_npm_starts_server_js_by_itself() -> None:
    files = {"server.js": EXPRESS, "package.json": '{"name": "shop", "dependencies": {"express": "4"}}'}
    assert entries(files) == [("package_json", "server.js")]
    assert ("package_json", "other.js") not in entries({"other.js": EXPRESS, "package.json": files["package.json"]})


@pytest.mark.parametrize(
    "command",
    [
        "/usr/bin/pipenv --python 3.11 run gunicorn shop:app",
        "/usr/bin/poetry -C /srv/shop run gunicorn shop:app",
        "/sbin/start-stop-daemon --start --chdir /srv/shop --exec /usr/bin/gunicorn -- shop:app",
    ],
)
def test_wrappers_of_a_unit(command: str) -> None:
    unit = f"[Service]\nWorkingDirectory=/srv/shop\nExecStart={command}\n"
    assert entries({"shop.py": FLASK, "shop.service": unit}) == [("systemd", "shop.py")]


def test_start_stop_daemon_stops_too() -> None:
    unit = "[Service]\nExecStart=/sbin/start-stop-daemon --stop --exec /usr/bin/gunicorn -- shop:app\n"
    assert entries({"shop.py": FLASK, "shop.service": unit}) == [("source", "shop.py")]


def test_a_unit_that_runs_docker() -> None:
    unit = "[Service]\nUser=web\nExecStart=/usr/bin/docker run --rm -p 80:3000 -e NODE_ENV=production {image}\n"
    files = {
        "a.js": EXPRESS,
        "package.json": '{"name": "shop", "dependencies": {"express": "4"}}',
        "Dockerfile": 'FROM node:22\nCOPY . .\nCMD ["node", "a.js"]\n',
        "shop.service": unit.format(image="acme/shop:1"),
    }
    (service,) = services(files)
    (variant,) = (each for each in service.variants if each.kind == "systemd")
    assert variant.setting("env.NODE_ENV").value == "production"
    assert variant.setting("user").state is State.ABSENT  # who asks Docker is not who runs
    assert entries({**files, "shop.service": unit.format(image="acme/other:1")}) == [("dockerfile", "a.js")]


def test_a_command_of_the_projects_own() -> None:
    files = {
        "bin/gate.js": EXPRESS,
        "package.json": '{"name": "gate", "bin": {"gate": "bin/gate.js"}, "dependencies": {"express": "4"}}',
        "Dockerfile": 'FROM node:22\nCOPY . /gate\nRUN npm install -g /gate\nCMD ["gate", "-c", "/etc/gate.json"]\n',
    }
    assert entries(files) == [("dockerfile", "bin/gate.js")]


def test_pm2_runs_a_file_without_a_suffix_with_node() -> None:
    files = {
        "bin/www.js": EXPRESS,
        "package.json": '{"name": "shop", "dependencies": {"express": "4"}}',
        "ecosystem.config.js": "module.exports = { apps: [{ name: 'shop', script: './bin/www' }] };\n",
    }
    assert entries(files) == [("pm2", "bin/www.js")]


@pytest.mark.parametrize("command", ['["npm", "run", "build"]', "tsc && vite build", '["npm", "run", "bundle"]'])
def test_a_container_that_builds_is_no_service(command: str) -> None:
    files = {
        "package.json": '{"name": "front", "scripts": {"build": "tsc && vite build", "bundle": "webpack"}}',
        "index.js": "export const a = 1;\n",
        "Dockerfile": f"FROM node:22\nCOPY . .\nCMD {command}\n",
    }
    assert entries(files) == []


def test_a_server_that_nothing_starts_is_a_service_of_which_the_start_is_unknown() -> None:
    files = {"app.js": EXPRESS, "package.json": '{"name": "shop", "dependencies": {"express": "4"}}'}
    (service,) = services(files)
    assert (service.entry, service.variants[0].kind) == ("app.js", "source")
    assert service.setting("env.NODE_ENV").state is State.UNKNOWN
    assert entries({"web/main.py": FASTAPI}) == [("source", "web/main.py")]


def test_what_is_no_server_of_the_project_is_no_service() -> None:
    package = '{"name": "shop", "devDependencies": {"express": "4"}}'
    assert entries({"app.js": EXPRESS, "package.json": package}) == []
    assert entries({"examples/app.js": EXPRESS, "package.json": package.replace("devD", "d")}) == []
    tool = '{"name": "shop", "bin": {"shop": "app.js"}, "dependencies": {"express": "4"}}'
    assert entries({"app.js": EXPRESS, "package.json": tool}) == []


def test_a_package_that_something_starts_has_no_second_service() -> None:
    files = {
        "app.js": EXPRESS,
        "admin.js": EXPRESS,
        "package.json": '{"name": "shop", "dependencies": {"express": "4"}, "scripts": {"start": "node app.js"}}',
    }
    assert entries(files) == [("package_json", "app.js")]


def test_servers_of_one_image_are_services_of_their_own() -> None:
    files = {
        "a.py": FLASK,
        "b.py": FLASK,
        "Dockerfile": 'FROM python:3.12\nCOPY . .\nCMD ["gunicorn", "a:app"]\n',
        "compose.yaml": "services:\n  a: {build: .}\n  b: {build: ., command: [gunicorn, 'b:app']}\n",
    }
    assert entries(files) == [("compose", "a.py"), ("compose", "b.py")]


def test_the_image_of_an_action_is_no_service() -> None:
    files = {
        "a.js": EXPRESS,
        "package.json": '{"name": "act", "dependencies": {"express": "4"}, "scripts": {"start": "node a.js"}}',
        "Dockerfile": 'FROM node:22\nCOPY . .\nCMD ["npm", "start"]\n',
        "action.yml": "name: act\nruns:\n  using: docker\n  image: Dockerfile\n",
    }
    assert entries(files) == [("package_json", "a.js")]


def test_a_dockerfile_in_a_folder_for_development_that_leaves_out_what_developers_need() -> None:
    files = {
        "a.js": EXPRESS,
        "package.json": '{"name": "shop", "dependencies": {"express": "4"}, "scripts": {"start": "node a.js"}}',
        "dev/build/Dockerfile": 'FROM node:22\nCOPY . .\nRUN npm ci --omit=dev\nCMD ["npm", "start"]\n',
    }
    (service,) = services(files)
    assert [(each.kind, each.dev_score < 1) for each in service.variants] == [("dockerfile", True)]
    files["dev/build/Dockerfile"] = files["dev/build/Dockerfile"].replace(" --omit=dev", "")
    (service,) = services(files)
    assert [each.dev_score < 1 for each in service.variants if each.kind == "dockerfile"] == [False]


def test_a_service_without_a_name_is_called_as_a_folder_that_says_something() -> None:
    files = {
        "shop/docker/Dockerfile": 'FROM python:3.12\nCOPY . .\nCMD ["flask", "run"]\n',
        "shop/a.py": FLASK,
    }
    assert [service.name for service in services(files)] == ["shop"]
