"""The files of platforms: what they say of each service, and which service that is."""

from __future__ import annotations

from textwrap import dedent

import pytest

from prodlint.analysis.session import Session
from prodlint.program.services import Count, Service, services_in
from prodlint.program.services.setting_values import State
from tests.deploy.conftest import artefact, facts_of, values

SOURCE = {"server.js": "require('express')().listen(3000);\n", "package.json": '{"name": "shop"}'}
DOCKERFILE = 'FROM node:22\nCOPY . .\nCMD ["node", "server.js"]\n'
FLY = """\
    app = "shop"
    kill_signal = "SIGTERM"
    [env]
      PORT = "8080"
    [http_service]
      internal_port = 8080
      min_machines_running = 2
      [[http_service.checks]]
        path = "/health"
    """
RENDER = """\
    services:
      - type: web
        name: shop
        runtime: node
        startCommand: node server.js
        healthCheckPath: /health
        numInstances: 3
        envVars:
          - key: NODE_ENV
            value: production
    """


def only(files: dict[str, str]) -> Service:
    (found,) = services_in(
        Session.from_memory({path: dedent(text) for path, text in {**SOURCE, **files}.items()}).program
    )
    return found


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("fly.toml", FLY, {"healthcheck": "", "stop_signal": "SIGTERM", "ports": "8080", "replicas.min": "2"}),
        ("render.yaml", RENDER, {"type": "web", "command.shell": "node server.js", "healthcheck": "/health"}),
        (
            "railway.json",
            '{"deploy": {"startCommand": "npm start", "healthcheckPath": "/up", "restartPolicyType": "ALWAYS"}}',
            {"command.shell": "npm start", "healthcheck": "/up", "restart": "ALWAYS"},
        ),
        (
            "railway.toml",
            '[deploy]\nnumReplicas = 2\nhealthcheckPath = "/up"\n',
            {"replicas": "2", "healthcheck": "/up"},
        ),
        (
            "app.yaml",
            "runtime: nodejs22\nentrypoint: node server.js\nreadiness_check: {path: /ready}\n",
            {"command.shell": "node server.js", "healthcheck": "/ready"},
        ),
        (
            "manifest.yml",
            "applications:\n- {name: a, instances: 2, command: x}\n",
            {"replicas": "2", "command.shell": "x"},
        ),
        ("netlify.toml", '[build.environment]\nNODE_ENV = "production"\n', {"env.NODE_ENV": "production"}),
        (
            "heroku.yml",
            "build: {docker: {web: Dockerfile}}\nrun: {web: {command: [node server.js]}}\n",
            {"command.shell": "node server.js", "build.dockerfile": "Dockerfile"},
        ),
    ],
)
def test_what_a_file_says(path: str, text: str, said: dict[str, str]) -> None:
    found = values(artefact(facts_of("platform", text, path)))
    assert {key: found.get(key) for key in said} == said


def test_places_in_toml() -> None:
    text = dedent(FLY)
    found = artefact(facts_of("platform", text, "fly.toml"))
    places = {setting.key: text[setting.start : setting.end] for setting in found.settings}
    assert (places["env.PORT"], places["stop_signal"], places["ports"]) == ('"8080"', '"SIGTERM"', "8080")


def test_a_command_of_a_platform_is_a_variant_of_which_not_all_is_known() -> None:
    service = only({"render.yaml": RENDER})
    (variant,) = service.variants
    assert (variant.kind, variant.outer.name, service.entry) == ("platform", "shop", "server.js")
    assert service.setting("env.NODE_ENV").value == "production"
    assert service.setting("healthcheck").value == "/health"
    assert service.setting("user").state is State.UNKNOWN
    assert service.processes.state is Count.MANY


def test_the_image_that_fly_runs() -> None:
    service = only({"fly.toml": FLY, "Dockerfile": DOCKERFILE})
    (variant,) = service.variants
    assert [layer.source.path for layer in variant.layers] == ["fly.toml", "Dockerfile"]
    assert (service.setting("env.PORT").value, service.setting("env.NODE_ENV").state) == ("8080", State.ABSENT)
    assert service.setting("healthcheck").state is State.SET


def test_each_process_of_fly() -> None:
    files = {"fly.toml": '[processes]\nweb = "node server.js"\nworker = "node worker.js"\n', "worker.js": ""}
    services = {service.entry for service in services_in(Session.from_memory({**SOURCE, **files}).program)}
    assert services == {"server.js", "worker.js"}


def test_broken_toml_is_a_problem() -> None:
    facts = facts_of("platform", "a = [", "fly.toml")
    assert not facts.artefacts
    assert len(facts.problems) == 1
