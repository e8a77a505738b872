"""`prodlint services`: the tree says what starts a service and who sets what."""

from __future__ import annotations

from prodlint.analysis.session import Session
from prodlint.output.services import as_json, render

FILES = {
    "package.json": '{"name": "shop", "scripts": {"start": "node server.js"}, "dependencies": {"express": "^4.0.0"}}',
    "server.js": "require('express')().listen(3000);",
    "Dockerfile": 'FROM node:22\nCOPY . .\nUSER node\nCMD ["npm", "start"]\n',
    "docker-compose.yml": "services:\n  web:\n    build: .\n    environment:\n      NODE_ENV: production\n",
}


def test_a_service_is_joined_across_compose_dockerfile_and_script() -> None:
    assert list(render(Session.from_memory(FILES).program)) == [
        "shop (node)",
        "  starts server.js",
        "  written with express ^4.0.0",
        "  for production: docker-compose.yml [web] -> Dockerfile [0] -> package.json [start]",
        "    NODE_ENV: production, by docker-compose.yml:5 [web]",
        "    restart: absent",
        "    user: node, by Dockerfile:3 [0]",
        "    health check: absent",
        "    processes: 1",
    ]


def test_a_project_without_deployment_files_has_no_service() -> None:
    assert list(render(Session.from_memory({"lib.js": "exports.a = 1;"}).program)) == []


def test_variants_for_development_unknown_settings_and_proxies() -> None:
    files = {
        **FILES,
        "compose.dev.yml": "services:\n  web:\n    build: .\n    volumes: ['.:/']\n",
        "docker-compose.yml": "services:\n  web:\n    build: .\n    env_file: missing.env\n    scale: 2\n",
        "nginx.conf": "server {\n  gzip on;\n  location / { proxy_pass http://web:3000; }\n}\n",
        "app.json": '{"env": {}}',
    }
    lines = list(render(Session.from_memory(files).program))
    assert lines[3:6] == [
        "  handed to heroku by app.json",
        "  behind server in nginx.conf: compression html only, cache no",
        "  for development: compose.dev.yml [web] -> Dockerfile [0] -> package.json [start]",
    ]
    assert lines[6] == "    because it is called dev, it mounts the source code"
    assert "    NODE_ENV: unknown (the env_file missing.env is not here), by docker-compose.yml:4 [web]" in lines
    assert "    processes: 2, by docker-compose.yml:5 [web]" in lines


def test_the_same_as_data() -> None:
    (service,) = as_json(Session.from_memory(FILES).program)
    assert (service["name"], service["entry"]) == ("shop", "server.js")
    assert service["framework"] == {"name": "express", "version": "^4.0.0"}
    (variant,) = service["variants"]
    assert (variant["kind"], variant["development"], variant["starts"]) == ("compose", False, "server.js")
    assert [(each["path"], each["line"], each["kind"]) for each in variant["artefacts"]] == [
        ("docker-compose.yml", 2, "compose"),
        ("Dockerfile", 4, "dockerfile"),
        ("package.json", 1, "package_json"),
    ]
    assert variant["environment"]["NODE_ENV"] == {
        "state": "set",
        "value": "production",
        "reason": "",
        "by": {"path": "docker-compose.yml", "line": 5, "kind": "compose", "name": "web"},
    }
    assert {"key": "user", "value": "node"} in variant["artefacts"][1]["settings"]
    assert variant["processes"]["state"] == "one"
