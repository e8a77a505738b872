"""Files that hand a service to a platform, and what they say of it.

Sources: the platforms' references of these files: Heroku (app.json, heroku.yml), Vercel (vercel.json), Netlify
(netlify.toml), Fly (fly.toml), Render (render.yaml), Google App Engine (app.yaml), Cloud Foundry (manifest.yml),
Railway (railway.json and railway.toml).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from prodlint.extract.deployment.nodes import List, Map, Node, Pair, Scalar
from prodlint.extract.deployment.templates import has_parts, is_template
from prodlint.extract.deployment.toml_documents import read_document
from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.facts import Artefact, FileFacts, Setting

KIND = "platform"

_PLATFORMS = {
    "app.json": "heroku",
    "app.yaml": "google",
    "fly.toml": "fly",
    "heroku.yml": "heroku",
    "manifest.yml": "cloudfoundry",
    "netlify.toml": "netlify",
    "railway.json": "railway",
    "railway.toml": "railway",
    "render.yaml": "render",
    "vercel.json": "vercel",
}
_WITNESSES = {
    # Others use these names too, for other things.
    "heroku": ("addons", "buildpacks", "env", "formation", "stack", "environments", "build", "run"),
    "google": ("runtime",),
    "cloudfoundry": ("applications",),
    "render": ("services",),
}


def extract(data: bytes, path: str) -> FileFacts:
    """If the file is one of a platform's, one artefact `platform`, named as the platform, with the variables that it
    sets; and for each service in it one artefact `platform_service`."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    name = path.rpartition("/")[2]
    platform = _PLATFORMS[name]
    root, comments = _root(data, name, facts)
    if MARKER in data:
        found = (parse_directive(data, start, end, facts.line_starts) for start, end in comments)
        facts.directives = [directive for directive in found if directive is not None]
    if root is None or (platform in _WITNESSES and not any(key in root.merged for key in _WITNESSES[platform])):
        return facts
    template = is_template(data)
    services = [_service(pair, settings, template) for pair, settings in _READERS[platform](root)]
    shared = [setting for service in services for setting in service.settings if setting.key.startswith("env.")]
    facts.artefacts.append(Artefact("platform", platform, 0, len(data), 0, 0, shared))
    seen: Counter[str] = Counter()
    for service in services:
        seen[service.name] += 1
        if seen[service.name] > 1:
            service.name = f"{service.name}#{seen[service.name]}"
    facts.artefacts += services
    return facts


_Read = Iterator[tuple[str, Node | None]]
"""Keys of settings with the nodes that hold their values."""


def _service(place: tuple[str, Node], settings: list[tuple[str, Node | None]], template: bool) -> Artefact:
    name, node = place
    found: list[Setting] = []
    for key, value in settings:
        if key in ("env", "envs"):
            found += _variables(value, template)
        elif value is not None:
            found.append(_setting(key, value, template))
    return Artefact("platform_service", name, node.start, node.end, node.start, node.end, found)


def _setting(key: str, node: Node, template: bool) -> Setting:
    known = isinstance(node, Scalar) and not node.is_null and not (template and has_parts(node.text))
    if isinstance(node, (Map, List)):
        return Setting(key, "", node.start, node.end)
    return Setting(key, node.text if known and isinstance(node, Scalar) else None, node.start, node.end)


def _variables(node: Node | None, template: bool) -> Iterator[Setting]:
    """Names with values, as `NAME: value`, `NAME: {value: v}` or `{key: NAME, value: v}`."""
    if isinstance(node, Map):
        for name, pair in node.merged.items():
            inner = pair.value.get("value") if isinstance(pair.value, Map) else pair.value
            yield _variable(name, inner, pair.value or pair.key, template)
    elif isinstance(node, List):
        for item in node.items:
            if isinstance(item, Map) and (key := item.text("key")):
                yield _variable(key, item.get("value"), item, template)


def _variable(name: str, value: Node | None, place: Node, template: bool) -> Setting:
    known = isinstance(value, Scalar) and not value.is_null and not (template and has_parts(value.text))
    return Setting(f"env.{name}", value.text if known and isinstance(value, Scalar) else None, place.start, place.end)


# --- one reader a platform --------------------------------------------------------------------------------------------

_Services = Iterator[tuple[tuple[str, Node], list[tuple[str, Node | None]]]]


def _heroku(root: Map) -> _Services:
    formation = root.map("formation")
    web = formation.map("web") if formation is not None else None
    quantity = web.get("quantity") if web is not None else None
    checks = root.map("healthchecks")
    check = next((item for item in _maps(checks.get("web") if checks is not None else None)), None)
    yield (
        ("web", root),
        [
            ("env", root.get("env")),
            ("replicas", quantity),
            ("healthcheck", check.get("path") if check is not None else None),
        ],
    )
    build, run = root.map("build"), root.map("run")
    docker = build.map("docker") if build is not None else None
    names = dict.fromkeys([*(docker.merged if docker else {}), *(run.merged if run else {})])
    for name in names:
        command = run.get(name) if run is not None else None
        if isinstance(command, Map):
            words = command.get("command")
            command = words.items[0] if isinstance(words, List) and words.items else words
        place = command or (docker.get(name) if docker is not None else None) or root
        dockerfile = docker.get(name) if docker is not None else None
        yield (name, place), [("command.shell", command), ("build.dockerfile", dockerfile)]


def _google(root: Map) -> _Services:
    scaling = root.map("automatic_scaling") or root.map("manual_scaling")
    check = root.map("readiness_check") or root.map("liveness_check")
    yield (
        (root.text("service") or "default", root),
        [
            ("env", root.get("env_variables")),
            ("command.shell", root.get("entrypoint")),
            ("replicas", scaling.get("instances") if scaling is not None else None),
            ("healthcheck", (check.get("path") or check) if check is not None else None),
        ],
    )


def _cloudfoundry(root: Map) -> _Services:
    for item in _maps(root.get("applications")):
        yield (
            (item.text("name") or "", item),
            [
                ("env", item.get("env")),
                ("command.shell", item.get("command")),
                ("replicas", item.get("instances")),
                ("healthcheck", item.get("health-check-http-endpoint") or item.get("health-check-type")),
                ("folder", item.get("path")),
            ],
        )


def _render(root: Map) -> _Services:
    for item in _maps(root.get("services")):
        scaling = item.map("scaling")
        yield (
            (item.text("name") or "", item),
            [
                ("type", item.get("type")),
                ("env", item.get("envVars")),
                ("command.shell", item.get("startCommand") or item.get("dockerCommand")),
                ("replicas", item.get("numInstances")),
                ("autoscale", scaling),
                ("healthcheck", item.get("healthCheckPath")),
                ("folder", item.get("rootDir")),
                ("build.dockerfile", item.get("dockerfilePath") or _if_docker(item)),
            ],
        )


def _if_docker(item: Map) -> Node | None:
    for key in ("runtime", "env"):
        node = item.get(key)
        if isinstance(node, Scalar) and node.text == "docker":
            return Scalar(node.start, node.end, "Dockerfile")
    return None


def _railway(root: Map) -> _Services:
    deploy, build = root.map("deploy") or Map(0, 0), root.map("build") or Map(0, 0)
    yield (
        ("", root),
        [
            ("command.shell", deploy.get("startCommand")),
            ("replicas", deploy.get("numReplicas")),
            ("healthcheck", deploy.get("healthcheckPath")),
            ("restart", deploy.get("restartPolicyType")),
            ("restart.limit", deploy.get("restartPolicyMaxRetries")),
            ("build.dockerfile", build.get("dockerfilePath")),
        ],
    )


def _fly(root: Map) -> _Services:
    build, http = root.map("build"), root.map("http_service")
    services = [*([http] if http is not None else []), *_maps(root.get("services"))]
    check = root.get("checks")
    for service in services:
        for key in ("checks", "http_checks", "tcp_checks"):
            check = check or service.get(key)
    settings: list[tuple[str, Node | None]] = [
        ("env", root.get("env")),
        ("healthcheck", check),
        ("stop_signal", root.get("kill_signal")),
        ("stop_grace_period", root.get("kill_timeout")),
        ("build.dockerfile", build.get("dockerfile") if build is not None else None),
        ("image", build.get("image") if build is not None else None),
        *(("ports", service.get("internal_port")) for service in services),
        *(("replicas.min", service.get("min_machines_running")) for service in services),
    ]
    processes = root.map("processes")
    if processes is None:
        yield ("", root), settings
    for name, pair in processes.merged.items() if processes is not None else ():
        yield (name, pair.key), [*settings, ("command.shell", pair.value)]


def _vercel(root: Map) -> _Services:
    yield ("", root), [("env", root.get("env"))]


def _netlify(root: Map) -> _Services:
    build = root.map("build")
    yield ("", root), [("env", build.get("environment") if build is not None else None)]


_READERS: Mapping[str, Callable[[Map], _Services]] = {
    "heroku": _heroku,
    "google": _google,
    "cloudfoundry": _cloudfoundry,
    "render": _render,
    "railway": _railway,
    "fly": _fly,
    "vercel": _vercel,
    "netlify": _netlify,
}


def _maps(node: Node | None) -> Iterator[Map]:
    items = node.items if isinstance(node, List) else [node]
    return (item for item in items if isinstance(item, Map))


# --- the three notations ----------------------------------------------------------------------------------------------


def _root(data: bytes, name: str, facts: FileFacts) -> tuple[Map | None, list[tuple[int, int]]]:
    if name.endswith(".toml"):
        comments = [match.span() for match in re.finditer(rb"(?m)^[ \t]*(#[^\r\n]*)", data)]
        document = read_document(data, facts)
        root = _Toml(data).node(document, "") if document is not None else None
        return (root if isinstance(root, Map) else None), comments
    if name.endswith(".json"):
        from prodlint.extract.deployment import json_nodes

        parsed = json_nodes.parse(data)
        facts.problems = parsed.problems
        return (parsed.root if isinstance(parsed.root, Map) else None), []
    from prodlint.extract.deployment import yaml_nodes

    stream = yaml_nodes.parse(data)
    facts.problems = [] if is_template(data) else stream.problems
    first = stream.documents[0] if stream.documents else None
    return (first if isinstance(first, Map) else None), stream.comments


class _Toml:
    """TOML as nodes. Python's reader tells no places: a value is where the first line is that has its key, in the table
    of that name."""

    _LINE = re.compile(
        rb"(?m)^[ \t]*+(?:\[++[ \t]*+(?P<table>[^\]\n]++)\]++|(?P<key>[\w.\"'-]++)[ \t]*+=[ \t]*+(?P<value>[^\n]*+))"
    )

    def __init__(self, data: bytes) -> None:
        self._places: dict[str, tuple[int, int]] = {}
        table = ""
        for match in self._LINE.finditer(data):
            if match["table"] is not None:
                table = match["table"].decode("utf-8", "replace").rstrip(" \t").replace('"', "")
                self._places.setdefault(table, match.span())
            else:
                key = match["key"].decode("utf-8", "replace").strip("\"'")
                start, end = match.span("value")
                end = start + len(data[start:end].split(b" #")[0].rstrip())
                self._places.setdefault(f"{table}.{key}" if table else key, (start, end))

    def node(self, value: object, path: str) -> Node:
        """A value of the document, and all that is in it."""
        start, end = self._places.get(path, (0, 0))
        if isinstance(value, dict):
            pairs = []
            for key, inner in value.items():
                child = self.node(inner, f"{path}.{key}" if path else key)
                pairs.append(Pair(Scalar(child.start, child.end, key), child, child.start, child.end))
            return Map(start, end, pairs)
        if isinstance(value, list):
            return List(start, end, [self.node(item, path) for item in value])
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return Scalar(start, end, text, plain=not isinstance(value, str))
