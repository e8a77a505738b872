"""PM2's process files, alone and as part of services."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest

from prodlint.analysis.session import Session
from prodlint.extract.deployment import classify, js_nodes
from prodlint.extract.deployment.nodes import plain_data
from prodlint.program.services import Count, Service, services_in
from prodlint.program.services.setting_values import State
from prodlint.project.discovery import kind_of
from prodlint.project.vfs import FileSystem
from tests.deploy.conftest import artefact, facts_of, values

ECOSYSTEM = """\
    const path = require('path');
    const shared = { PORT: 3000, NODE_ENV: 'development' };
    // what runs
    module.exports = {
      apps: [
        {
          name: "shop",
          script: path.join(__dirname, 'dist', "server.js"),
          args: '--port 80',
          instances: "max",
          env: { ...shared, HOST: process.env.HOST },
          env_production: { NODE_ENV: 'production' },
          watch: ['src'],
          max_restarts: 5,
        },
        { name: 'worker', script: './worker.py', interpreter: 'python3', cwd: '/srv', ...require('./base') },
        buildApp('x'),
      ],
      deploy: { live: { 'post-deploy': 'pm2 reload ecosystem.config.js --env production' } },
    };
    """
SERVER = "const app = require('express')();\napp.listen(3000);\n"
SOURCE = {"server.js": SERVER, "package.json": '{"name": "shop", "dependencies": {"express": "4"}}'}


def only(files: dict[str, str]) -> Service:
    texts = {path: dedent(text) for path, text in {**SOURCE, **files}.items()}
    (found,) = services_in(Session.from_memory(texts).program)
    return found


def env(service: Service, name: str = "NODE_ENV") -> str:
    answer = service.setting(f"env.{name}")
    return answer.value if answer.state is State.SET else answer.state.value


def apps(*texts: str) -> str:
    return f"module.exports = {{ apps: [{', '.join(texts)}] }};\n"


# --- one file ---------------------------------------------------------------------------------------------------------


def test_the_apps_of_a_file() -> None:
    facts = facts_of("pm2", ECOSYSTEM, "ecosystem.config.js")
    assert [(each.kind, each.name) for each in facts.artefacts] == [
        ("app", "shop"),
        ("app", "worker"),
        ("unknown", ""),
        ("deploy", "live"),
    ]
    shop = artefact(facts, "shop")
    assert json.loads(values(shop)["command.exec"] or "") == ["node", "dist/server.js", "--port", "80"]
    assert values(shop, "env.") == {"PORT": "3000", "NODE_ENV": "development", "HOST": None}
    assert values(shop, "env_production.") == {"NODE_ENV": "production"}
    assert {key: values(shop)[key] for key in ("workers", "watch", "restart.limit")} == {
        "workers": "max",
        "watch": "true",
        "restart.limit": "5",
    }
    worker = values(artefact(facts, "worker"))
    assert (worker["command.exec"], worker["workdir"], worker["unknown"]) == (
        '["python3", "./worker.py"]',
        "/srv",
        None,
    )
    text = dedent(ECOSYSTEM)
    assert text[shop.anchor : shop.anchor_end].startswith("script: path.join")


@pytest.mark.parametrize(
    ("app", "command"),
    [
        ("{script: 'a.js'}", ["node", "a.js"]),
        ("{script: 'a.js', node_args: '--max-old-space-size=1'}", ["node", "--max-old-space-size=1", "a.js"]),
        ("{script: 'npm', args: 'run start'}", ["npm", "run", "start"]),
        ("{script: 'npm start'}", ["npm", "start"]),
        ("{script: 'bin/x', interpreter: 'none', args: ['a b']}", ["bin/x", "a b"]),
        ("{script: __dirname + '/a.js'}", ["node", "a.js"]),
        ("{script: `${__dirname}/a.js`}", ["node", "./a.js"]),
        ("{script: 'a.js', args: args()}", None),
        ("{script: find()}", None),
    ],
)
def test_what_pm2_starts(app: str, command: list[str] | None) -> None:
    found = values(artefact(facts_of("pm2", apps(app), "ecosystem.config.js")))["command.exec"]
    assert (json.loads(found) if found else None) == command


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("process.json", '{"apps": [{"name": "a", "script": "a.js"}]}'),
        ("pm2.json", '// PM2 reads it as JavaScript\n{"apps": [{name: "a", "script": "a.js",}],}'),
        ("ecosystem.yml", "apps:\n  - name: a\n    script: a.js\n"),
        ("process.json", '[{"name": "a", "script": "a.js"}]'),
        ("ecosystem.config.cjs", "exports.apps = [{name: 'a', script: 'a.js'}];"),
        ("ecosystem.config.mjs", "export default {apps: [{name: 'a', script: 'a.js'}]};"),
        ("pm2.config.js", "const config = {apps: [{name: 'a', script: 'a.js'}]};\nmodule.exports = config;"),
    ],
)
def test_forms_of_process_files(path: str, text: str) -> None:
    assert kind_of(path, FileSystem(None, {path: b""})) == "pm2"
    found = artefact(facts_of("pm2", text, path))
    assert found.name == "a"
    assert text[found.anchor : found.anchor_end].lstrip('"').startswith("script")


def test_other_files_are_none() -> None:
    assert classify("next.config.js") is None
    assert classify("process.md") is None
    assert kind_of("ecosystem.js", FileSystem(None, {})) == "javascript"
    assert not facts_of("pm2", '{"name": "x"}', "process.json").artefacts


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (
            "module.exports = {a: 1, 'b-c': -2, d: null, e: true, f: undefined}",
            {"a": "1", "b-c": "-2", "d": None, "e": True, "f": None},
        ),
        ("const a = {x: 1};\nconst b = {...a, y: a};\nmodule.exports = b", {"x": "1", "y": {"x": "1"}}),
        ("const a = a;\nmodule.exports = {a}", {"a": None}),
        ("let a = 1;\nvar a = 2;\nmodule.exports = {a}", {"a": None}),
        ("module.exports = {a() {}, [b]: 1, c: 'it\\'s\\n'}", {"a": None, "...": "1", "c": "it's\n"}),
        ("const a = [1];\na.push(2);\nexports.a = a", {"a": ["1"]}),
        ("console.log(1)", None),
    ],
)
def test_data_in_javascript(text: str, data: object) -> None:
    assert plain_data(js_nodes.parse(text.encode()).root) == data


def test_ignore_comments() -> None:
    facts = facts_of("pm2", apps("{script: 'a.js'}") + "// prodlint: ignore[x]\n", "ecosystem.config.js")
    assert [directive.rules for directive in facts.directives] == [["x"]]


# --- joined -----------------------------------------------------------------------------------------------------------


def test_an_app_on_a_host() -> None:
    service = only({"ecosystem.config.js": apps("{name: 'web', script: './server.js', env: {NODE_ENV: 'production'}}")})
    (variant,) = service.variants
    assert (variant.kind, variant.outer.name, variant.launch.entry) == ("pm2", "web", "server.js")
    assert env(service) == "production"
    assert service.processes.state is Count.ONE


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "unknown"),
        ({"deploy.sh": "pm2 startOrReload ecosystem.config.js --env production\n"}, "production"),
        ({"deploy.sh": "pm2 start ecosystem.config.js\n"}, "absent"),
        ({"deploy.sh": "pm2 start other.config.js --env production\n"}, "unknown"),
        (
            {
                "deploy.sh": "pm2 start ecosystem.config.js --env staging\npm2 start ecosystem.config.js --env=production\n"
            },
            "production",
        ),
    ],
)
def test_an_environment_counts_if_pm2_is_started_with_it(files: dict[str, str], expected: str) -> None:
    config = apps("{name: 'web', script: 'server.js', env_production: {NODE_ENV: 'production'}}")
    assert env(only({"ecosystem.config.js": config, **files})) == expected


def test_an_image_that_starts_a_process_file() -> None:
    files = {
        "Dockerfile": 'FROM node:22\nWORKDIR /app\nCOPY . .\nCMD ["pm2-runtime", "ecosystem.config.js", "--env", "production"]\n',
        "ecosystem.config.js": apps(
            "{name: 'web', script: 'server.js', instances: 2, env_production: {NODE_ENV: 'production'}}"
        ),
    }
    service = only(files)
    (image,) = service.variants
    assert [layer.source.name for layer in image.layers] == ["0", "web"]
    assert image.setting("env.NODE_ENV").value == "production"
    assert (image.workers.text, image.processes.state) == ("2", Count.MANY)


def test_only_the_named_app_is_started() -> None:
    config = apps("{name: 'a', script: 'other.js'}", "{name: 'web', script: 'server.js'}")
    dockerfile = "FROM node:22\nCOPY . .\nCMD pm2-runtime start ecosystem.config.js --only web\n"
    files = {"ecosystem.config.js": config, "Dockerfile": dockerfile, "other.js": SERVER}
    texts = {**SOURCE, **files}
    services = {service.entry: service for service in services_in(Session.from_memory(texts).program)}
    assert {variant.kind for variant in services["server.js"].variants} == {"dockerfile"}
    assert "other.js" not in services


def test_apps_for_development_are_known_by_their_names() -> None:
    config = apps("{name: 'web', script: 'server.js'}", "{name: 'web-dev', script: 'server.js'}")
    service = only({"ecosystem.config.js": config})
    assert [variant.outer.name for variant in service.production] == ["web"]


@pytest.mark.parametrize("command", ["pm2 start server.js -i max", "pm2-runtime -i 4 server.js"])
def test_instances_on_the_command_line(command: str) -> None:
    package = json.dumps({"name": "shop", "scripts": {"start": command}})
    assert only({"package.json": package}).variants[0].workers.state is Count.MANY


def test_a_process_file_that_is_not_here_is_opaque() -> None:
    dockerfile = 'FROM node:22\nCOPY . .\nCMD ["pm2-runtime", "missing.config.js"]\n'
    assert env(only({"Dockerfile": dockerfile})) == "unknown"
