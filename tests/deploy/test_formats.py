"""Compose files, units, Procfiles, package.json, env files, platforms: what each reader makes of them."""

from __future__ import annotations

import json

import pytest
import yaml

from prodlint.extract.deployment import json_nodes
from prodlint.extract.deployment.nodes import plain_data
from prodlint.extract.deployment.package_json import read_package
from prodlint.extract.deployment.systemd import scan, split_words
from prodlint.facts import Artefact
from tests.deploy.conftest import artefact, facts_of, values


def words(item: Artefact, key: str) -> list[str]:
    value = values(item)[key]
    assert value is not None
    return list(json.loads(value))


# --- compose ----------------------------------------------------------------------------------------------------------


def test_compose_services() -> None:
    facts = facts_of(
        "compose",
        """
        x-env: &env
          TZ: UTC
          NODE_ENV: production
        services:
          web: &web
            build:
              context: ./api
              dockerfile: Dockerfile.prod
              target: final
              args:
                - MODE=x
                - FROM_HOST
            command: npm run "start it" -- $$HOME
            entrypoint: ["tini", "--"]
            environment:
              <<: *env
              TZ: Europe/Berlin
              PASSED:
              OPEN: ${OPEN}
              CLOSED: ${CLOSED:-yes}
              COST: 5$$
            env_file:
              - a.env
              - path: b.env
                required: false
            restart: unless-stopped
            ports: ["80:3000", {target: 9000, published: 90}]
            volumes:
              - .:/app
              - {type: bind, source: ./x, target: /y}
            deploy: {replicas: 3}
            healthcheck: {disable: true}
            profiles: [dev]
            user: "1000"
          worker:
            <<: *web
            image: worker:1
            build: .
            environment: [A=b, PASSED, "C=d=e"]
        """,
    )
    web, worker = artefact(facts, "web"), artefact(facts, "worker")
    assert values(web, "env.") == {
        "TZ": "Europe/Berlin",
        "NODE_ENV": "production",
        "PASSED": None,
        "OPEN": None,
        "CLOSED": "yes",
        "COST": "5$",
    }
    assert values(web, "build.") == {
        "context": "./api",
        "dockerfile": "Dockerfile.prod",
        "target": "final",
        "arg.MODE": "x",
        "arg.FROM_HOST": None,
    }
    assert words(web, "command.exec") == ["npm", "run", "start it", "--", "$HOME"]
    assert words(web, "entrypoint.exec") == ["tini", "--"]
    found = values(web)
    assert (found["env_file"], found["optional_env_file"]) == ("a.env", "b.env")
    assert (found["restart"], found["replicas"], found["healthcheck"]) == ("unless-stopped", "3", "NONE")
    assert (found["profile"], found["user"]) == ("dev", "1000")
    assert [setting.value for setting in web.settings if setting.key == "volume"] == [".:/app", "./x:/y"]
    assert values(worker, "env.") == {"A": "b", "PASSED": None, "C": "d=e"}
    assert (values(worker)["build.context"], values(worker)["restart"]) == (".", "unless-stopped")


def test_a_compose_service_is_pointed_at_by_its_name() -> None:
    data = b"services:\n  web:\n    image: x\n    environment:\n      - NODE_ENV=dev\n"
    web = artefact(facts_of("compose", data))
    assert data[web.anchor : web.anchor_end] == b"web"
    setting = next(setting for setting in web.settings if setting.key == "env.NODE_ENV")
    assert data[setting.start : setting.end] == b"NODE_ENV=dev"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("web:\n  image: x\ndb:\n  build: .\n", ["web", "db"]),
        ("version: '2'\nservices:\n  web: {image: x}\n", ["web"]),
        ("greeting: hello\n", []),
        ("services: []\n", []),
        ("- a\n", []),
        ("", []),
        ("services:\n  a: &a\n    image: x\n  b: *a\n", ["a", "b"]),
        ("services:\n  a: {image: x}\n  a: {image: y}\n", ["a"]),
    ],
)
def test_what_is_a_service(text: str, names: list[str]) -> None:
    facts = facts_of("compose", text)
    assert [each.name for each in facts.artefacts if each.kind == "service"] == names
    assert facts.problems == []


def test_a_broken_compose_file() -> None:
    facts = facts_of("compose", "services:\n  web:\n    image: x\n    ports: [80\n  db:\n    image: y\n")
    assert [problem.message for problem in facts.problems] == ["this is no valid YAML"]
    assert [each.name for each in facts.artefacts] == ["web"]


def test_a_template_of_a_compose_file_is_no_mistake() -> None:
    facts = facts_of("compose", "services:\n  web:\n{% if x %}\n    image: {{ image }}\n{% endif %}\n")
    assert facts.problems == []
    facts = facts_of("compose", "services:\n  web:\n    image: '{{ image }}'\n    restart: always\n")
    assert values(artefact(facts)) == {"image": None, "restart": "always"}


def test_a_service_that_is_no_map() -> None:
    (problem,) = facts_of("compose", "services:\n  web: [a]\n").problems
    assert "web" in problem.message


# --- units ------------------------------------------------------------------------------------------------------------


def test_a_unit() -> None:
    facts = facts_of(
        "systemd",
        """
        # the shop
        [Unit]
        Description=Shop \\
            with two lines
        After=network.target

        [Service]
        Type=simple
        User=shop
        Environment="GREETING=hello world" 'NODE_ENV=production' PORT=80
        Environment=HOME=%h RATE=5%%
        EnvironmentFile=-/etc/default/shop
        ExecStartPre=/bin/true
        ExecStart=-/usr/bin/node \\
        ; a comment between
            --flag "two words" server.js
        Restart=no
        Restart=always

        [Install]
        WantedBy=multi-user.target
        """,
        "etc/shop.service",
    )
    unit = artefact(facts)
    assert (unit.kind, unit.name) == ("unit", "shop.service")
    assert values(unit, "env.") == {
        "GREETING": "hello world",
        "NODE_ENV": "production",
        "PORT": "80",
        "HOME": None,
        "RATE": "5%",
    }
    assert words(unit, "command.exec") == ["/usr/bin/node", "--flag", "two words", "server.js"]
    found = values(unit)
    assert [setting.value for setting in unit.settings if setting.key == "restart"] == ["always"]
    assert (found["user"], found["type"], found["optional_env_file"]) == ("shop", "simple", "/etc/default/shop")
    assert (found["Install.WantedBy"], found["Unit.Description"]) == ("multi-user.target", "Shop      with two lines")


def test_an_empty_assignment_takes_back() -> None:
    text = "[Service]\nEnvironment=A=b\nEnvironment=\nEnvironment=C=d\nExecStart=/x\nExecStart=\nExecStart=/y z\n"
    unit = artefact(facts_of("systemd", text, "a.service"))
    assert values(unit, "env.") == {"C": "d"}
    assert [setting.value for setting in unit.settings if setting.key == "command.exec"] == ['["/y", "z"]']


def test_a_drop_in_is_named_as_its_unit() -> None:
    facts = facts_of("systemd", "[Service]\nExecStart=\nExecStart=/x\n", "etc/shop.service.d/10-start.conf")
    drop_in = artefact(facts)
    assert (drop_in.kind, drop_in.name) == ("drop_in", "shop.service")
    assert values(drop_in)["reset"] == "command.exec"


def test_a_unit_is_pointed_at_by_its_exec_start() -> None:
    data = b"[Unit]\nDescription=x\n[Service]\nExecStart=/usr/bin/node \\\n  x.js\nUser=y\n"
    unit = artefact(facts_of("systemd", data, "x.service"))
    assert data[unit.anchor : unit.anchor_end] == b"ExecStart=/usr/bin/node \\\n  x.js"
    assert [data[line.value_start : line.end] for line in scan(data) if line.key == "User"] == [b"y"]


def test_services_of_others_are_no_units() -> None:
    assert facts_of("systemd", "[D-BUS Service]\nName=x\nExec=y\n", "x.service").artefacts == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", ["a", "b"]),
        ("'a b' \"c d\"", ["a b", "c d"]),
        ("a\\x b\\ c", ["ax", "b c"]),
        ('"a\\"b"', ['a"b']),
        ("a'b c'd", ["a'b", "c'd"]),
        ("", []),
        ("'a", None),
    ],
)
def test_words_of_a_unit(text: str, expected: list[str] | None) -> None:
    assert split_words(text) == expected


# --- package.json -----------------------------------------------------------------------------------------------------


def test_package_json() -> None:
    text = """\
    {
      "name": "@shop/api", "version": "1.0.0", "main": "dist/index.js", "type": "module",
      "exports": {".": {"import": "./a.js", "types": null}, "./b": ["./b.js", false]},
      "bin": "cli.js",
      "scripts": {"start": "node \\"a b.js\\"", "start": "node c.js", "bad": 3},
      "dependencies": {"express": "^4.0.0"}, "optionalDependencies": {"fsevents": "*"},
      "devDependencies": {"nodemon": "3"}, "workspaces": {"packages": ["packages/*"]}
    }
    """
    facts = facts_of("package_json", text, "package.json")
    info = read_package(facts)
    assert (info.name, info.main, info.type) == ("@shop/api", "dist/index.js", "module")
    assert info.exports == {".": {"import": "./a.js", "types": None}, "./b": ["./b.js", False]}
    assert info.bin == {"api": "cli.js"}
    assert info.scripts == {"start": "node c.js"}
    assert info.dependencies == {"express": "^4.0.0", "fsevents": "*"}
    assert (info.dev_dependencies, info.workspaces) == ({"nodemon": "3"}, ("packages/*",))


@pytest.mark.parametrize(
    "text", ['{"scripts": {"start": "a",}, "name": "x"}', '{"scripts": {"start": "a"}, "name": "x"']
)
def test_broken_package_json_is_read_as_far_as_it_goes(text: str) -> None:
    facts = facts_of("package_json", text)
    assert len(facts.problems) == 1
    assert read_package(facts).scripts == {"start": "a"}


@pytest.mark.parametrize("text", ["[]", '"x"', "3", "null"])
def test_package_json_that_is_no_object(text: str) -> None:
    facts = facts_of("package_json", text)
    assert [problem.message for problem in facts.problems] == ["package.json holds no object"]
    assert read_package(facts).name == ""


def test_json_is_read_as_python_reads_it() -> None:
    text = '{"a": [1, "x\\u00e9\\n\\"", true, null, {"b": "ü"}], "c": {}, "d": []}'
    expected = json.loads(text)
    expected["a"][0] = "1"  # a number stays the text that it is
    assert plain_data(json_nodes.parse(text.encode()).root) == expected


# --- lines ------------------------------------------------------------------------------------------------------------


def test_procfile() -> None:
    data = b"# processes\nweb: node server.js --port $PORT\nworker:   npm run worker  \r\n\nnonsense\n"
    web, worker = facts_of("procfile", data).artefacts
    assert (web.name, values(web)) == ("web", {"command.shell": "node server.js --port $PORT"})
    assert (worker.name, values(worker)) == ("worker", {"command.shell": "npm run worker"})
    assert data[worker.settings[0].start : worker.settings[0].end] == b"npm run worker"


def test_env_file() -> None:
    facts = facts_of(
        "dotenv",
        """
        # NODE_ENV=test
        export NODE_ENV=production # really
        EMPTY=
        QUOTED="a b # c"
        SINGLE='$HOME'
        OPEN=${HOME}/x
        DEFAULT=${X:-y}
        URL=http://x/#y
        nonsense
        """,
    )
    assert values(artefact(facts), "env.") == {
        "NODE_ENV": "production",
        "EMPTY": "",
        "QUOTED": "a b # c",
        "SINGLE": "$HOME",
        "OPEN": None,
        "DEFAULT": "y",
        "URL": "http://x/#y",
    }


@pytest.mark.parametrize(
    ("path", "text", "platform", "env"),
    [
        ("app.json", '{"env": {"A": "b", "C": {"value": "d"}, "E": {"generator": "secret"}}}', "heroku",
         {"A": "b", "C": "d", "E": None}),
        ("vercel.json", "{}", "vercel", {}),
        ("fly.toml", "app = 'x'\n[env]\nA = 'b'\nN = 1\n", "fly", {"A": "b", "N": "1"}),
        ("render.yaml", "services:\n  - envVars:\n      - key: A\n        value: b\n      - key: S\n        sync: false\n",
         "render", {"A": "b", "S": None}),
        ("app.yaml", "runtime: nodejs22\nenv_variables:\n  A: b\n", "google", {"A": "b"}),
        ("manifest.yml", "applications:\n- name: x\n  env:\n    A: b\n", "cloudfoundry", {"A": "b"}),
    ],
)  # fmt: skip
def test_platforms(path: str, text: str, platform: str, env: dict[str, str | None]) -> None:
    found = facts_of("platform", text, f"deploy/{path}").artefacts[0]
    assert (found.name, values(found, "env.")) == (platform, env)


@pytest.mark.parametrize(
    ("path", "text"),
    [("app.json", '{"expo": {"name": "x"}}'), ("app.yaml", "kind: Deployment\n"), ("vercel.json", "[]")],
)
def test_files_of_the_same_name(path: str, text: str) -> None:
    assert facts_of("platform", text, path).artefacts == []


@pytest.mark.parametrize("kind", ["compose", "systemd", "procfile", "dotenv", "shell"])
def test_ignore_comments(kind: str) -> None:
    text = "# prodlint: ignore[production-env-unset] elsewhere\nservices: {}\n"
    (directive,) = facts_of(kind, text, "x.service").directives
    assert (directive.rules, directive.line) == (["production-env-unset"], 2)


def test_compose_settings_agree_with_pyyaml() -> None:
    text = "services:\n  a:\n    image: >-\n      x:1\n    environment:\n      K: |\n        one\n        two\n"
    expected = yaml.safe_load(text)["services"]["a"]
    found = values(artefact(facts_of("compose", text)))
    assert (found["image"], found["env.K"]) == (expected["image"], expected["environment"]["K"])
