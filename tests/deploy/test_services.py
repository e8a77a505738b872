"""Which services a project has, what starts them, and what they are started with."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

import pytest

from prodlint.analysis.session import Session
from prodlint.findings import Severity
from prodlint.program.services import Service, Variant, services_in
from prodlint.program.services.setting_values import State

EXPRESS = "const app = require('express')();\napp.listen(3000);\n"
PACKAGE = '{"name": "shop", "dependencies": {"express": "^4.0.0"}, "scripts": {"start": "node server.js"}}'
DOCKERFILE = 'FROM node:22\nWORKDIR /app\nCOPY . .\nCMD ["npm", "start"]\n'
NODE = {"server.js": EXPRESS, "package.json": PACKAGE}


def services(files: Mapping[str, str]) -> dict[str, Service]:
    texts = {path: dedent(text) for path, text in files.items()}
    return {service.id: service for service in services_in(Session.from_memory(texts).program)}


def only(files: Mapping[str, str]) -> Service:
    (service,) = services(files).values()
    return service


def node_env(variant: Variant | Service) -> str:
    answer = variant.setting("env.NODE_ENV")
    return answer.value if answer.state is State.SET else answer.state.value


# --- from the command to the source file ------------------------------------------------------------------------------


def test_a_command_is_followed_to_the_source_file() -> None:
    files = {
        "compose.yaml": "services:\n  web:\n    build: api\n",
        "api/Dockerfile": DOCKERFILE,
        "api/package.json": '{"name": "api", "scripts": {"start": "npm run serve", "serve": "tini -- node dist/main"}}',
        "api/src/main.ts": "import express from 'express';\nexpress().listen(1);\n",
    }
    service = only(files)
    assert (service.id, service.name, service.language, service.package) == ("api/src/main.ts", "api", "node", "api")
    (variant,) = service.variants
    assert [(layer.source.path, layer.source.name) for layer in variant.layers] == [
        ("compose.yaml", "web"),
        ("api/Dockerfile", "0"),
        ("api/package.json", "start"),
        ("api/package.json", "serve"),
    ]
    assert str(service).splitlines() == [
        "api (node, api/src/main.ts)",
        "  compose.yaml: service web",
        "    api/Dockerfile: stage 0",
        "    api/package.json: script start",
        "    api/package.json: script serve",
        "    starts dist/main",
    ]


@pytest.mark.parametrize(
    ("dockerfile", "entry"),
    [
        ('COPY . .\nCMD ["node", "server.js"]', "server.js"),
        ("WORKDIR /app\nCOPY . /app\nCMD exec node /app/server.js", "server.js"),
        ('WORKDIR /srv\nCOPY api/ ./\nCMD ["node", "index.js"]', "api/index.js"),
        ('WORKDIR /srv\nCOPY package.json api/index.js ./\nCMD ["node", "index.js"]', "api/index.js"),
        ('WORKDIR /srv\nCOPY package*.json *.js ./\nCMD ["node", "server"]', "server.js"),
        ('COPY . /srv\nWORKDIR /srv/api\nCMD ["node", "."]', "api/index.js"),
        ('COPY ["api", "/a b"]\nCOPY package.json /\nCMD ["node", "/a b/index.js"]', "api/index.js"),
        (
            'WORKDIR /b\nCOPY . .\nFROM node\nCOPY --from=0 /b/api /c\nCOPY package.json /\nCMD ["node", "/c"]',
            "api/index.js",
        ),
        ('COPY . /x\nENTRYPOINT ["node"]\nWORKDIR /x\nCMD ["server.js"]', "server.js"),
        ('COPY . .\nENTRYPOINT ["docker-entrypoint.sh"]\nCMD ["node", "server.js"]', "server.js"),
        ('COPY . .\nCMD ["sh", "-c", "cd api && node index.js"]', "api/index.js"),
        ('COPY . .\nRUN npm run build\nCMD ["node", "dist/server.js"]', "server.js"),
    ],
)
def test_files_in_an_image_are_found_in_the_project(dockerfile: str, entry: str) -> None:
    files = {**NODE, "api/index.js": EXPRESS, "Dockerfile": f"FROM node:22\n{dockerfile}\n"}
    assert entry in services(files)


def test_the_build_context_may_be_above_the_dockerfile() -> None:
    dockerfile = 'FROM node:22\nCOPY package.json server.js ./\nCMD ["node", "server.js"]\n'
    assert only({**NODE, "docker/Dockerfile": dockerfile}).entry == "server.js"


def test_a_workspace_linked_into_node_modules() -> None:
    files = {
        "Dockerfile": 'FROM node:22\nCOPY . .\nCMD ["node", "node_modules/@shop/api/main.js"]\n',
        "packages/api/package.json": '{"name": "@shop/api", "dependencies": {"express": "4"}}',
        "packages/api/main.js": EXPRESS,
    }
    assert only(files).entry == "packages/api/main.js"


def test_scripts_that_start_each_other_end() -> None:
    scripts = '{"name": "x", "scripts": {"start": "npm run a", "a": "npm run start"}}'
    assert only({"Dockerfile": DOCKERFILE, "package.json": scripts, "server.js": EXPRESS}).entry == ""


def test_python_modules() -> None:
    files = {
        "Dockerfile": 'FROM python:3.13\nCOPY . .\nCMD ["gunicorn", "shop.wsgi:application"]\n',
        "src/shop/wsgi.py": "application = None\n",
        "Procfile": "web: gunicorn shop.wsgi\nrelease: python manage.py migrate\n",
    }
    service = only(files)
    assert (service.entry, service.language) == ("src/shop/wsgi.py", "python")
    assert {variant.kind for variant in service.variants} == {"dockerfile", "procfile"}


def test_web_and_worker_of_one_image_are_one_service() -> None:
    compose = """
        services:
          web: {build: .}
          worker: {build: ., command: node worker.js}
    """
    service = only({**NODE, "worker.js": "", "Dockerfile": DOCKERFILE, "compose.yaml": compose})
    assert [variant.launch.entry for variant in service.variants] == ["server.js", "worker.js"]


def test_what_is_no_service() -> None:
    files = {
        "compose.yaml": "services:\n  db: {image: postgres}\n  tool: {build: tool}\n",
        "tool/Dockerfile": "FROM node:22\nRUN npm i -g serve\nCMD serve /data\n",
        "lint.Dockerfile": "FROM node:22\nCOPY . .\nRUN npm run lint\n",
        "migrate/Dockerfile": 'FROM node:22\nCOPY . .\nCMD ["node", "migrate.js"]\n',
        "package.json": '{"name": "lib", "main": "index.js", "scripts": {"start": "node index.js"}}',
        "index.js": "module.exports = 1\n",
    }
    assert services(files) == {}


# --- environment ------------------------------------------------------------------------------------------------------


def test_the_order_in_which_the_environment_is_made() -> None:
    files = {**NODE, "Dockerfile": DOCKERFILE.replace("CMD", "ENV NODE_ENV=image\nCMD")}
    assert node_env(only(files)) == "image"
    files["a.env"] = "NODE_ENV=file\n"
    files["compose.yaml"] = "services:\n  web:\n    build: .\n    env_file: a.env\n"
    assert node_env(only(files)) == "file"
    files["compose.yaml"] += "    environment: [NODE_ENV=service]\n"
    assert node_env(only(files)) == "service"
    files["package.json"] = PACKAGE.replace("node server", "NODE_ENV=script node server")
    assert node_env(only(files)) == "script"


def test_who_set_it() -> None:
    files = {**NODE, "Dockerfile": DOCKERFILE.replace("CMD", "ENV A=b NODE_ENV=x\nCMD")}
    answer = only(files).setting("env.NODE_ENV")
    assert answer.by is not None
    location = answer.by.location
    assert files[location.path][location.start : location.end] == "x"


@pytest.mark.parametrize(
    ("compose", "expected"),
    [
        ("environment: [NODE_ENV]", "unknown"),
        ("environment: {NODE_ENV: }", "unknown"),
        ("environment: {NODE_ENV: '${X}'}", "unknown"),
        ("environment: {NODE_ENV: '${X:-y}'}", "y"),
        ("environment: {NODE_ENV: '${FROM_DOTENV}'}", "dotenv"),
        ("env_file: missing.env", "unknown"),
        ("env_file: [{path: other.env}]", "other"),
        ("command: [sh, -c, 'NODE_ENV=a node server.js']", "a"),
        ("command: ./start.sh", "unknown"),
        ("entrypoint: [env, NODE_ENV=b]\n    command: [node, server.js]", "b"),
        ("user: x", "absent"),
    ],
)
def test_what_compose_says(compose: str, expected: str) -> None:
    files = {
        **NODE,
        "Dockerfile": DOCKERFILE,
        "compose.yaml": f"services:\n  web:\n    build: .\n    {compose}\n",
        "other.env": "NODE_ENV=other\n",
        ".env": "FROM_DOTENV=dotenv\n",
    }
    (service,) = services(files).values()
    assert node_env(service) == expected


def test_what_is_passed_through_takes_nothing_away() -> None:
    files = {
        **NODE,
        "Dockerfile": DOCKERFILE.replace("CMD", "ENV NODE_ENV=production\nCMD"),
        "compose.yaml": "services:\n  web:\n    build: .\n    env_file: x.env\n",
    }
    answer = only(files).setting("env.NODE_ENV")
    assert (answer.state, answer.value, answer.is_final) == (State.SET, "production", False)


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("node:22-slim", "absent"),
        ("docker.io/library/node:22@sha256:abc", "absent"),
        ("public.ecr.aws/docker/library/node:22", "absent"),
        ("gcr.io/distroless/nodejs22-debian12", "absent"),
        ("company/node:22", "unknown"),
        ("$BASE", "unknown"),
    ],
)
def test_base_images(base: str, expected: str) -> None:
    files = {**NODE, "Dockerfile": f'FROM {base}\nCOPY . .\nCMD ["node", "server.js"]\n'}
    assert node_env(only(files)) == expected


def test_a_unit_with_its_drop_ins() -> None:
    files = {
        **NODE,
        "shop.service": "[Service]\nEnvironment=NODE_ENV=a\nWorkingDirectory=/srv/shop\nExecStart=/usr/bin/npm start\n",
    }
    assert node_env(only(files)) == "a"
    files["shop.service.d/x.conf"] = "[Service]\nEnvironment=NODE_ENV=b\n"
    assert node_env(only(files)) == "b"
    files["shop.service.d/x.conf"] = "[Service]\nEnvironment=\n"
    assert node_env(only(files)) == "absent"
    files["shop.service.d/y.conf"] = "[Service]\nEnvironmentFile=/etc/default/shop\n"
    assert node_env(only(files)) == "unknown"


def test_other_settings_are_the_outermost_artefacts() -> None:
    files = {
        **NODE,
        "Dockerfile": DOCKERFILE.replace("CMD", "USER image\nCMD"),
        "compose.yaml": "services:\n  web: {build: ., user: service, restart: always}\n",
    }
    service = only(files)
    assert service.setting("user").value == "service"
    assert service.setting("restart").value == "always"
    assert service.setting("workdir").value == "/app"
    assert service.setting("replicas").state is State.ABSENT


# --- for production, or for development -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "compose", "is_dev"),
    [
        ("docker-compose.yml", "", False),
        ("docker-compose.dev.yml", "", True),
        ("docker-compose.override.yml", "", True),
        ("tests/docker-compose.yml", "", True),
        ("examples/compose.yaml", "", True),
        ("deploy/prod/compose.yaml", "environment: [NODE_ENV=development]", False),
        ("compose.yaml", "volumes: ['./data:/app/data']", False),
        ("compose.yaml", "volumes: ['.:/app']\n    ports: ['9229:9229']", True),
        ("compose.yaml", "volumes: ['.:/app']\n    command: nodemon server.js", True),
        ("compose.yaml", "volumes: ['.:/app']\n    environment: [NODE_ENV=development]", True),
        ("compose.yaml", "profiles: [dev]", True),
    ],
)
def test_what_is_for_development(path: str, compose: str, is_dev: bool) -> None:
    up = "../" * path.count("/") or "."
    files = {
        **NODE,
        "Dockerfile": DOCKERFILE,
        path: f"services:\n  web:\n    build: {{context: {up}}}\n    {compose}\n",
    }
    (service,) = services(files).values()
    variants = {variant.kind: variant for variant in service.variants}
    assert (variants["compose"].dev_score >= 1) is is_dev
    # The image is a variant of its own if only a service for development builds it.
    assert ("dockerfile" in variants) is is_dev


def test_overlays() -> None:
    files = {
        **NODE,
        "Dockerfile": DOCKERFILE,
        "docker-compose.yml": "services:\n  web:\n    build: .\n  db:\n    image: postgres\n",
        "docker-compose.prod.yml": "services:\n  web:\n    environment: [NODE_ENV=production]\n",
        "docker-compose.dev.yml": "services:\n  web:\n    environment: [NODE_ENV=development]\n",
    }
    service = only(files)
    assert [node_env(variant) for variant in service.production] == ["production"]


def test_an_override_is_merged_by_itself() -> None:
    files = {
        **NODE,
        "Dockerfile": DOCKERFILE,
        "compose.yaml": "services:\n  web:\n    build: .\n",
        "compose.override.yaml": "services:\n  web:\n    volumes: ['.:/app']\n",
    }
    (service,) = services(files).values()
    assert [variant.outer.path for variant in service.production] == ["Dockerfile"]


def test_an_image_of_the_project_is_known_by_its_name() -> None:
    files = {
        **NODE,
        "Dockerfile": DOCKERFILE,
        "compose.yaml": "services:\n  web:\n    image: ghcr.io/me/shop:2\n    environment: [NODE_ENV=production]\n",
    }
    (variant,) = only(files).variants
    assert [layer.source.path for layer in variant.layers] == ["compose.yaml", "Dockerfile", "package.json"]


def test_a_script_is_a_variant_only_where_nothing_else_is() -> None:
    assert [variant.kind for variant in only(NODE).variants] == ["package_json"]
    assert [variant.kind for variant in only({**NODE, "Dockerfile": DOCKERFILE}).variants] == ["dockerfile"]
    development = {**NODE, "Dockerfile.dev": DOCKERFILE}
    assert [variant.kind for variant in only(development).production] == ["package_json"]


# --- the rule's judgement ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dependency", "source", "severity"),
    [
        ("express", "", Severity.WARNING),
        ("@grpc/grpc-js", "", Severity.ADVICE),
        ("@grpc/grpc-js", "if (process.env.NODE_ENV === 'production') x();\n", Severity.WARNING),
    ],
)
def test_severity_depends_on_whether_anything_reads_it(dependency: str, source: str, severity: Severity) -> None:
    files = {
        "Dockerfile": 'FROM node:22\nCOPY . .\nCMD ["node", "server.js"]\n',
        "package.json": f'{{"name": "x", "dependencies": {{"{dependency}": "1"}}}}',
        "server.js": f"require('{dependency}');\n{source}",
    }
    session = Session.from_memory(files, {"select": ["production-env-unset"]})
    (finding,) = session.findings()
    assert session.severity_of(finding) is severity
    assert finding.service == "x"


def test_a_finding_names_what_was_looked_at() -> None:
    files = {
        **NODE,
        "Dockerfile": DOCKERFILE,
        "compose.yaml": "services:\n  web:\n    build: .\n    environment: {PORT: 1}\n",
    }
    (finding,) = Session.from_memory(files, {"select": ["production-env-unset"]}).findings()
    assert finding.location.path == "compose.yaml"
    assert [step.message for step in finding.related] == [
        "Dockerfile does not set `NODE_ENV` either",
        "the script start does not set `NODE_ENV` either",
    ]


def test_the_data_can_be_extended() -> None:
    files = {**NODE, "Dockerfile": DOCKERFILE, "fly.toml": "app = 'x'\n"}
    settings = {"select": ["production-env-unset"]}
    assert len(Session.from_memory(files, settings).findings()) == 1
    extended = {**settings, "production-env-unset": {"platforms": ["fly"]}}
    assert Session.from_memory(files, extended).findings() == []


def test_an_ignore_comment() -> None:
    ignored = DOCKERFILE.replace("CMD", "# prodlint: ignore[production-env-unset] the host sets it\nCMD")
    session = Session.from_memory({**NODE, "Dockerfile": ignored}, {"select": ["production-env-unset"]})
    assert session.findings() == []
