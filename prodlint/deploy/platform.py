"""Files that hand a service to a platform: app.json, vercel.json, fly.toml, render.yaml, app.yaml, manifest.yml.

Sources: the platforms' references of these files. Of the content only the environment is read.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from prodlint.deploy.nodes import List, Map, Node, Scalar
from prodlint.deploy.templates import is_template
from prodlint.directives import line_starts_of
from prodlint.facts import Artefact, FileFacts, Problem, Setting

KIND = "platform"

_PLATFORMS = {
    "app.json": "heroku",
    "app.yaml": "google",
    "fly.toml": "fly",
    "manifest.yml": "cloudfoundry",
    "render.yaml": "render",
    "vercel.json": "vercel",
}
_WITNESSES = {
    # Others use these names too, for other things.
    "heroku": ("addons", "buildpacks", "env", "formation", "stack", "environments"),
    "google": ("runtime",),
    "cloudfoundry": ("applications",),
    "render": ("services",),
}


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `platform`, named as the platform, with the settings `env.*`, if the file is one of a platform's."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    name = path.rpartition("/")[2]
    platform = _PLATFORMS[name]
    settings: list[Setting] = []
    if name.endswith(".toml"):
        try:
            document = tomllib.loads(data.decode("utf-8", "replace"))
        except tomllib.TOMLDecodeError as error:
            facts.problems.append(Problem(f"this is no valid TOML: {error}", 0, 0))
            return facts
        settings += _from_toml(document)
    else:
        root = _root(data, name, facts)
        if root is None or (platform in _WITNESSES and not any(key in root.merged for key in _WITNESSES[platform])):
            return facts
        settings += _from_tree(root)
    facts.artefacts.append(Artefact("platform", platform, 0, len(data), 0, 0, settings))
    return facts


def _root(data: bytes, name: str, facts: FileFacts) -> Map | None:
    if name.endswith(".json"):
        from prodlint.deploy import json_nodes

        document = json_nodes.parse(data)
        root, facts.problems = document.root, document.problems
    else:
        from prodlint.deploy import yaml_nodes

        stream = yaml_nodes.parse(data)
        root = stream.documents[0] if stream.documents else None
        facts.problems = [] if is_template(data) else stream.problems
    return root if isinstance(root, Map) else None


def _from_toml(document: dict[str, Any]) -> Iterator[Setting]:
    table = document.get("env")
    for name, value in table.items() if isinstance(table, dict) else ():
        yield Setting(f"env.{name}", str(value), 0, 0)


def _from_tree(root: Map) -> Iterator[Setting]:
    yield from _variables(root.get("env"))
    yield from _variables(root.get("env_variables"))
    for key in ("services", "applications"):
        items = root.get(key)
        for item in items.items if isinstance(items, List) else ():
            if isinstance(item, Map):
                for name in ("env", "envVars"):
                    yield from _variables(item.get(name))


def _variables(node: Node | None) -> Iterator[Setting]:
    """Names with values, as `NAME: value`, `NAME: {value: v}` or `{key: NAME, value: v}`."""
    if isinstance(node, Map):
        for name, pair in node.merged.items():
            inner = pair.value.get("value") if isinstance(pair.value, Map) else pair.value
            yield _setting(name, inner, pair.value or pair.key)
    elif isinstance(node, List):
        for item in node.items:
            if isinstance(item, Map) and (key := item.text("key")):
                yield _setting(key, item.get("value"), item)


def _setting(name: str, value: Node | None, place: Node) -> Setting:
    text = value.text if isinstance(value, Scalar) and not value.is_null else None
    return Setting(f"env.{name}", text, place.start, place.end)
