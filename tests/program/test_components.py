"""What ties the projects in one folder together, and what does not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from prodlint.analysis.session import Session
from prodlint.program.linking.partition import components

PACKAGE = '{"name": "NAME", "dependencies": {"express": "4"}}'
API = {"shop/package.json": PACKAGE, "shop/index.js": "require('./lib');", "shop/lib.js": "x();"}
BLOG = {
    "blog/pyproject.toml": "[project]\nname = 'blog'\n",
    "blog/blog/__init__.py": "",
    "blog/blog/main.py": "x = 1\n",
}


def _groups(files: Mapping[str, str]) -> list[list[str]]:
    session = Session.from_memory(files)
    return components(session.project.files, session.linked)


def _apart(files: Mapping[str, str]) -> bool:
    return next(
        "blog/blog/main.py" not in group for group in _groups({**API, **BLOG, **files}) if "shop/lib.js" in group
    )


def test_projects_side_by_side() -> None:
    assert _groups({**API, **BLOG}) == [sorted(BLOG), sorted(API)]


@pytest.mark.parametrize(
    "files",
    [
        {"shop/web/package.json": PACKAGE, "shop/web/server.js": "x();"},
        {"shop/Dockerfile": "FROM node:22\nCOPY ../common .\n"},
        {"shop/docker-compose.yml": "services:\n  web:\n    build: .\n    image: web\n"},
        {"shop/tsconfig.json": '{"extends": "../tsconfig.base.json"}'},
        {"shop/up.sh": "cd ../..\nnode index.js\n"},
        {"shop/index.js": "require('../nothing'); require('blog');"},
        {"shop/notes.py": "import logging\nimport settings\n"},
        {"loose.py": "import json\n"},
    ],
)
def test_they_stay_apart(files: dict[str, str]) -> None:
    assert _apart(files)


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": PACKAGE},
        {"docker-compose.yml": "services:\n  x:\n    image: y\n"},
        {"deploy/web.service": "[Service]\nExecStart=/usr/bin/x\n"},
        {"shop/docker-compose.yml": "services:\n  x:\n    build: ../blog\n"},
        {"shop/docker-compose.yml": "services:\n  x:\n    build:\n      context: ..\n"},
        {
            "shop/k8s.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: b, image: acme/blog}]\n"
        },
        {"shop/run.py": "from blog.main import x\n"},
        {"shop/run.py": "from blog import main\n"},
        {"run.py": "import blog.main\n", "shop/a.py": "import run\n", "shop/__init__.py": ""},
        {"shop/up.sh": "cd ../blog && python -m blog\n"},
    ],
)
def test_they_belong_together(files: dict[str, str]) -> None:
    assert not _apart(files)


def test_a_manifest_need_not_be_one_that_is_read() -> None:
    files = {**API, "old/setup.py": "x()\n", "old/old.py": "y = 1\n", "old/Procfile": "web: python old.py\n"}
    assert len(_groups(files)) == 2


def test_packages_of_node_that_import_each_other() -> None:
    files = {
        "a/package.json": '{"name": "@acme/first"}',
        "a/index.js": "exports.x = 1;",
        "b/package.json": '{"name": "second"}',
        "b/index.js": "require('@acme/first');",
        "c/package.json": '{"name": "third"}',
        "c/index.js": "import type { T } from 'second';",
    }
    assert _groups(files) == [
        ["a/index.js", "a/package.json", "b/index.js", "b/package.json"],
        ["c/index.js", "c/package.json"],
    ]
