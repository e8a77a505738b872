"""`prodlint services`: the tree says what starts a service and who sets what."""

from __future__ import annotations

from prodlint.engine import Session
from prodlint.output.services import render

FILES = {
    "package.json": '{"name": "shop", "scripts": {"start": "node server.js"}, "dependencies": {"express": "^4.0.0"}}',
    "server.js": "require('express')().listen(3000);",
    "Dockerfile": 'FROM node:22\nCOPY . .\nUSER node\nCMD ["npm", "start"]\n',
    "docker-compose.yml": "services:\n  web:\n    build: .\n    environment:\n      NODE_ENV: production\n",
}


def test_a_service_is_joined_across_compose_dockerfile_and_script() -> None:
    assert list(render(Session.from_memory(FILES).program.services)) == [
        "shop (node)",
        "  starts server.js",
        "  for production: docker-compose.yml [web] -> Dockerfile [0] -> package.json [start]",
        "    NODE_ENV: production, by docker-compose.yml [web]",
        "    restart: absent",
        "    user: node, by Dockerfile [0]",
    ]


def test_a_project_without_deployment_files_has_no_service() -> None:
    assert list(render(Session.from_memory({"lib.js": "exports.a = 1;"}).program.services)) == []
