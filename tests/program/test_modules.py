"""Specifiers mean the files that Node, TypeScript and Python would load."""

from __future__ import annotations

import pytest

from prodlint.extract.deployment.tsconfig import extract, path_aliases
from prodlint.program.linking.modules import NodeModules, PythonModules
from tests.program.conftest import facts_of

NODE = {
    "lib/a.js",
    "lib/index.js",
    "lib/b.ts",
    "lib/c/index.ts",
    "lib/d.mjs",
    "src/main.ts",
    "packages/core/src/index.ts",
    "packages/core/src/util/x.ts",
    "packages/web/app.js",
    "packages/web/own/y.js",
    "packages/lone/index.js",
}


@pytest.mark.parametrize(
    ("importer", "specifier", "expected"),
    [
        ("lib/x.js", "./a", "lib/a.js"),
        ("lib/x.js", "./a.js", "lib/a.js"),
        ("lib/x.js", ".", "lib/index.js"),
        ("lib/c/x.js", "..", "lib/index.js"),
        ("app.js", "./lib", "lib/index.js"),
        ("app.js", "./lib/", "lib/index.js"),
        ("app.ts", "./lib/b.js", "lib/b.ts"),
        ("app.ts", "./lib/c", "lib/c/index.ts"),
        ("app.js", "./lib/d", "lib/d.mjs"),
        ("app.js", "express", None),
        ("app.js", "node:fs", None),
        ("app.js", "./missing", None),
        ("app.js", "../outside", None),
        ("packages/web/app.js", "@shop/core", "packages/core/src/index.ts"),
        ("packages/web/app.js", "@shop/core/util/x", "packages/core/src/util/x.ts"),
        ("packages/web/app.js", "lone", "packages/lone/index.js"),
        ("packages/web/app.js", "#own/y", "packages/web/own/y.js"),
        ("src/deep/x.ts", "@/main", "src/main.ts"),
    ],
)
def test_node(importer: str, specifier: str, expected: str | None) -> None:
    manifests = {
        "packages/core": '{"name": "@shop/core", "exports": {".": {"types": "./x.d.ts", "import": "./dist/index.js"}, '
        '"./util/*": "./dist/util/*.js"}}',
        "packages/web": '{"name": "web", "imports": {"#own/*": "./own/*.js"}}',
        "packages/lone": '{"name": "lone"}',
    }
    from prodlint.extract.deployment.package_json import read_package

    packages = {folder: read_package(facts_of("package.json", text)) for folder, text in manifests.items()}
    config = b'{ // comments are allowed\n "compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["src/*"],}} }'
    aliases = path_aliases("tsconfig.json", extract(config, "tsconfig.json"))
    assert NodeModules(NODE, packages, aliases).resolve(importer, specifier) == expected


PYTHON = {
    "src/shop/__init__.py",
    "src/shop/db.py",
    "src/shop/api/__init__.py",
    "src/shop/api/users.py",
    "manage.py",
    "config.py",
    "site/logging.py",
    "worker/tasks.py",
    "worker/helpers.py",
}


@pytest.mark.parametrize(
    ("importer", "module", "expected"),
    [
        ("src/shop/api/users.py", "shop.db", "src/shop/db.py"),
        ("src/shop/api/users.py", "..db", "src/shop/db.py"),
        ("src/shop/api/users.py", ".", "src/shop/api/__init__.py"),
        ("src/shop/api/users.py", "...shop", "src/shop/__init__.py"),
        ("src/shop/api/__init__.py", ".users", "src/shop/api/users.py"),
        ("manage.py", "shop", "src/shop/__init__.py"),
        ("manage.py", "shop.api", "src/shop/api/__init__.py"),
        ("manage.py", "config", "config.py"),
        ("src/shop/db.py", "config", "config.py"),
        ("src/shop/db.py", "logging", None),
        ("src/shop/db.py", "db", None),
        ("worker/tasks.py", "helpers", "worker/helpers.py"),
        ("manage.py", "helpers", None),
        ("manage.py", "fastapi", None),
    ],
)
def test_python(importer: str, module: str, expected: str | None) -> None:
    assert PythonModules(PYTHON).resolve(importer, module) == expected
