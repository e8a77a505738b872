"""Compose files that are used together, and what each service says."""

from __future__ import annotations

import pytest

from prodlint.analysis.session import Session
from prodlint.program.services import Count, Variant, services_in
from prodlint.project.discovery import kind_of
from prodlint.project.vfs import FileSystem
from tests.deploy.conftest import artefact, facts_of, values

SOURCE = {
    "server.js": "require('express')().listen(3000);\n",
    "package.json": '{"name": "shop"}',
    "Dockerfile": 'FROM node:22\nCOPY . .\nCMD ["node", "server.js"]\n',
}
BASE = "services:\n  web:\n    build: .\n"


def variants(files: dict[str, str]) -> list[Variant]:
    (service,) = services_in(Session.from_memory({**SOURCE, **files}).program)
    return [variant for variant in service.variants if variant.kind == "compose"]


def restarts(files: dict[str, str]) -> list[tuple[str, str, bool]]:
    """Of each variant the file that has the last word, what it says of restarting, and whether it is for production."""
    return [
        (variant.outer.path, variant.setting("restart").value, variant.dev_score < 1) for variant in variants(files)
    ]


LIVE = "services:\n  web:\n    image: team/shop\n    restart: always\n"


@pytest.mark.parametrize(
    "files",
    [
        {"up.sh": "docker compose -f base.compose.yml -f live.compose.yml up -d\n"},
        {"up.sh": "docker-compose --file=base.compose.yml --file=live.compose.yml up -d\n"},
        {
            "package.json": '{"name": "shop", "scripts": {"up": "docker compose -f base.compose.yml -f live.compose.yml up"}}'
        },
        {".env": "COMPOSE_FILE=base.compose.yml:live.compose.yml\n"},
        {"bin/up.sh": "cd ..\ndocker compose -f base.compose.yml -f live.compose.yml up\n"},
    ],
)
def test_files_that_a_command_names_together(files: dict[str, str]) -> None:
    found = restarts({"base.compose.yml": BASE, "live.compose.yml": LIVE, **files})
    assert found == [("base.compose.yml", "", False), ("live.compose.yml", "always", True)]


def test_files_that_nothing_names_together_are_apart() -> None:
    found = restarts({"base.compose.yml": BASE, "live.compose.yml": LIVE})
    assert ("base.compose.yml", "", True) in found
    named = restarts(
        {"base.compose.yml": BASE, "live.compose.yml": LIVE, "up.sh": "docker compose -f base.compose.yml up\n"}
    )
    assert ("base.compose.yml", "", True) in named


def test_services_that_extend_each_other_end() -> None:
    text = "services:\n  web:\n    build: .\n    extends: b\n  b:\n    extends: {service: web, file: compose.yaml}\n"
    assert variants({"compose.yaml": text})


@pytest.mark.parametrize(
    ("lines", "key", "value"),
    [
        ("healthcheck: {test: [CMD, curl, -f, 'http://x']}", "healthcheck", "curl -f http://x"),
        ("healthcheck: {test: 'curl http://x || exit 1'}", "healthcheck", "curl http://x || exit 1"),
        ("healthcheck: {test: [CMD-SHELL, 'a b']}", "healthcheck", "a b"),
        ("healthcheck: {disable: true}", "healthcheck", "NONE"),
        ("healthcheck: {test: [NONE]}", "healthcheck", "NONE"),
        ("healthcheck: {interval: 5s}", "healthcheck", ""),
        ("ulimits: {nofile: 1024}", "limit.nofile", "1024"),
        ("ulimits: {nofile: {soft: 1024, hard: 2048}}", "limit.nofile", "1024:2048"),
        ("init: true", "init", "true"),
        ("user: '${UID}:0'", "user", None),
        ("deploy: {mode: global}", "mode", "global"),
        ("env_file: [{path: a.env, required: false}]", "optional_env_file", "a.env"),
        ("env_file: a.env", "env_file", "a.env"),
    ],
)
def test_keys(lines: str, key: str, value: str | None) -> None:
    assert values(artefact(facts_of("compose", f"services:\n  web:\n    image: x\n    {lines}\n"), "web"))[key] == value


def test_one_on_each_node_is_many() -> None:
    (variant,) = variants({"compose.yaml": f"{BASE}    deploy: {{mode: global}}\n"})
    assert variant.processes.state is Count.MANY


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("stack.yml", "version: '3'\nservices:\n\n  # the shop\n  web:\n    image: x\n", "compose"),
        ("docker/swarm.yaml", "services:\n  web:\n    build: .\n", "compose"),
        ("config/services.yaml", "services:\n    _defaults:\n        autowire: true\n", None),
        ("ci.yml", "services:\n  - docker:dind\njob:\n  image: x\n", None),
        (".woodpecker.yml", "services:\n  db:\n    image: x\n", None),
    ],
)
def test_compose_files_of_other_names(path: str, text: str, kind: str | None) -> None:
    assert kind_of(path, FileSystem(None, {path: text.encode()})) == kind
