"""package.json: what starts the package, what it depends on, and how its modules are found.

Source: npm's documentation of package.json; Node's, "Modules: Packages" (`exports`, `imports`, `main`, `type`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from prodlint.extract.deployment.json_nodes import parse
from prodlint.extract.deployment.nodes import List, Map, Node, Scalar, plain_data
from prodlint.extract.ignore_comments import line_starts_of
from prodlint.facts import Artefact, FileFacts, Setting, SyntaxProblem

KIND = "package_json"

_TEXTS = ("name", "version", "main", "module", "type", "packageManager")
_TREES = ("exports", "imports", "bin", "workspaces", "engines")
_DEPENDENCIES = {
    "dependencies": "dependency.",
    "optionalDependencies": "dependency.",
    "peerDependencies": "peer_dependency.",
    "devDependencies": "dev_dependency.",
}


class PackageInfo(msgspec.Struct, frozen=True):
    """What a package.json says, as far as it matters to others. `exports` and `imports` are plain trees of dicts,
    lists, strings and None, in the order of the file; `bin` maps commands to files; `workspaces` are globs."""

    name: str = ""
    main: str = ""
    type: str = ""
    exports: Any = None
    imports: Any = None
    bin: dict[str, str] = {}
    dependencies: dict[str, str] = {}
    """With the optional ones."""
    dev_dependencies: dict[str, str] = {}
    scripts: dict[str, str] = {}
    workspaces: tuple[str, ...] = ()


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `package` with what is said of the package, and one artefact `script` for each script."""
    document = parse(data)
    facts = FileFacts(KIND, problems=document.problems, line_starts=line_starts_of(data))
    if not isinstance(document.root, Map):
        if not facts.problems and document.root is not None:
            facts.problems.append(SyntaxProblem("package.json holds no object", document.root.start, document.root.end))
        return facts
    root = document.root
    name = root.own.get("name")
    anchor = name.key if name else root
    facts.artefacts.append(
        Artefact("package", "", root.start, root.end, anchor.start, anchor.end, list(_package_settings(root)))
    )
    facts.artefacts += _scripts(root)
    return facts


def _package_settings(root: Map) -> Iterator[Setting]:
    for key in _TEXTS:
        value = root.get(key)
        if isinstance(value, Scalar) and not value.plain:
            yield Setting(key, value.text, value.start, value.end)
    for key in _TREES:
        value = root.get(key)
        if value is not None:
            yield Setting(key, json.dumps(plain_data(value)), value.start, value.end)
    for key, prefix in _DEPENDENCIES.items():
        table = root.get(key)
        for name, value in _entries(table):
            text = value.text if isinstance(value, Scalar) else ""
            yield Setting(prefix + name, text, value.start, value.end)


def _entries(table: Node | None) -> Iterator[tuple[str, Node]]:
    if isinstance(table, Map):
        for name, pair in table.own.items():
            if pair.value is not None:
                yield name, pair.value
    elif isinstance(table, List):  # old npm took a list of names
        for item in table.scalars():
            yield item.text, item


def _scripts(root: Map) -> Iterator[Artefact]:
    scripts = root.map("scripts")
    if scripts is None:
        return
    for name, pair in scripts.own.items():
        value = pair.value
        if isinstance(value, Scalar) and not value.plain:
            setting = Setting("command.shell", value.text, value.start, value.end)
            key = pair.key
            yield Artefact("script", name, pair.start, pair.end, key.start, key.end, [setting])


def read_package(facts: FileFacts) -> PackageInfo:
    """What the facts of a package.json say of the package."""
    settings = [setting for artefact in facts.artefacts if artefact.kind == "package" for setting in artefact.settings]
    values = {setting.key: setting.value or "" for setting in settings}
    trees = {key: json.loads(values[key]) for key in _TREES if key in values}
    name = values.get("name", "")
    return PackageInfo(
        name=name,
        main=values.get("main", ""),
        type=values.get("type", ""),
        exports=trees.get("exports"),
        imports=trees.get("imports"),
        bin=_bin(trees.get("bin"), name),
        dependencies=_with_prefix(values, "dependency."),
        dev_dependencies=_with_prefix(values, "dev_dependency."),
        scripts={
            artefact.name: artefact.settings[0].value or "" for artefact in facts.artefacts if artefact.kind == "script"
        },
        workspaces=tuple(_workspaces(trees.get("workspaces"))),
    )


def _with_prefix(values: dict[str, str], prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}


def _bin(tree: Any, name: str) -> dict[str, str]:
    if isinstance(tree, str):
        return {name.rpartition("/")[2]: tree}
    if isinstance(tree, dict):
        return {command: file for command, file in tree.items() if isinstance(file, str)}
    return {}


def _workspaces(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):  # Yarn's older form
        tree = tree.get("packages")
    if isinstance(tree, list):
        yield from (item for item in tree if isinstance(item, str))
