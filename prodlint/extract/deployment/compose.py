"""Compose files: what each service builds, runs and sets.

Source: the Compose specification (services, build, interpolation, extends, profiles). Merge keys count as if their
content stood in the service itself; how several files are merged is not known here.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from prodlint.extract.deployment.nodes import List, Map, Node, Pair, Scalar, text_of
from prodlint.extract.deployment.templates import has_parts, is_template, masked
from prodlint.extract.deployment.variables import expand, has_variables
from prodlint.extract.deployment.yaml_nodes import Stream, parse
from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.facts import Artefact, Directive, FileFacts, Setting, SyntaxProblem
from prodlint.lazy_regex import regex

KIND = "compose"

_SWARM_ONLY = ("placement", "update_config", "rollback_config", "endpoint_mode")
"""Keys of `deploy` that mean something to Docker Swarm alone."""
_RESERVED = ("version", "services", "networks", "volumes", "configs", "secrets", "name", "include", "models")
_TEXTS = {
    "image": "image", "restart": "restart", "user": "user", "working_dir": "workdir", "scale": "replicas",
    "stop_signal": "stop_signal", "stop_grace_period": "stop_grace_period", "init": "init", "container_name": "name",
}  # fmt: skip


_BEGINNING = regex(rb"(?m)^services:[ \t]*+(?:#[^\r\n]*+)?\r?\n(?:[ \t]*+(?:#[^\r\n]*+)?\r?\n)*+[ \t]++[\w.-]++:")
_RUNS = regex(rb"(?m)^[ \t]+(?:image|build):")


def looks_like(beginning: bytes) -> bool:
    """Whether the beginning of a YAML file is that of a compose file, whatever its name: `stack.yml`."""
    return _BEGINNING.search(beginning) is not None and _RUNS.search(beginning) is not None


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `service` for each service, and one artefact `project` for what the file says of all of them."""
    template = is_template(data)
    stream = parse(masked(data) if template else data)
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    if not template:
        facts.problems = stream.problems
    if MARKER in data:
        facts.directives = directives(data, stream, facts.line_starts)
    root = next((document for document in stream.documents if isinstance(document, Map)), None)
    if root is None:
        return facts
    facts.artefacts += _project(root)
    for pair in services_of(root):
        if isinstance(pair.value, Map):
            settings = list(_Service(pair.value, data if template else b"").settings())
            key = pair.key
            name = data[key.start : key.end].decode("utf-8", "replace") if template else key.text
            facts.artefacts.append(Artefact("service", name, pair.start, pair.end, key.start, key.end, settings))
        elif pair.value is not None and not template and not (isinstance(pair.value, Scalar) and pair.value.is_null):
            facts.problems.append(SyntaxProblem(f"the service {pair.key.text} is no map", pair.start, pair.end))
    return facts


def directives(data: bytes, stream: Stream, line_starts: list[int]) -> list[Directive]:
    """The ignore comments of a YAML file."""
    found = (parse_directive(data, start, end, line_starts) for start, end in stream.comments)
    return [directive for directive in found if directive is not None]


def services_of(root: Map) -> list[Pair]:
    """The services of a compose file; in its oldest version they are all there is."""
    services = root.map("services")
    if services is not None:
        return list(services.merged.values())
    if "services" in root.own or any(key in root.own for key in _RESERVED[1:]):
        return []
    pairs = [pair for key, pair in root.own.items() if key not in _RESERVED]
    is_old = pairs and all(
        isinstance(pair.value, Map) and ("image" in pair.value.merged or "build" in pair.value.merged) for pair in pairs
    )
    return pairs if is_old else []


def _project(root: Map) -> Iterator[Artefact]:
    settings = []
    name = root.get("name")
    if isinstance(name, Scalar):
        settings.append(Setting("name", name.text, name.start, name.end))
    include = root.get("include")
    for item in include.items if isinstance(include, List) else []:
        entry = item.get("path") if isinstance(item, Map) else item
        for path in entry.scalars() if isinstance(entry, List) else [entry]:
            if isinstance(path, Scalar):
                settings.append(Setting("include", expand(path.text, {}), path.start, path.end))
    if settings:
        yield Artefact("project", "", root.start, root.end, root.start, root.start, settings)


class _Text(NamedTuple):
    """A value after interpolation."""

    value: str | None
    template: str


class _Service:
    """One service while it is read."""

    def __init__(self, table: Map, template: bytes) -> None:
        """`template`: the text of the file, if it is one."""
        self._table = table
        self._template = template

    def settings(self) -> Iterator[Setting]:
        """All that this reader knows of a service."""
        table = self._table
        for key, name in _TEXTS.items():
            yield from self._scalar(name, table.get(key))
        yield from self._build(table.get("build"))
        yield from self._command("entrypoint", table.get("entrypoint"))
        yield from self._command("command", table.get("command"))
        yield from self._environment(table.get("environment"))
        yield from self._env_files(table.get("env_file"))
        yield from self._labels(table.get("labels"))
        yield from self._deploy(table.map("deploy"))
        yield from self._extends(table.get("extends"))
        yield from self._list("profile", table.get("profiles"))
        yield from self._list("ports", table.get("ports"), "published")
        yield from self._list("volume", table.get("volumes"), "source")
        yield from self._list("depends_on", table.get("depends_on"))
        yield from self._health(table.get("healthcheck"))
        yield from self._limits(table.map("ulimits"))
        logging = table.map("logging")
        if logging is not None:
            yield from self._scalar("logging_driver", logging.get("driver"))
        develop = table.map("develop")
        watch = develop.get("watch") if develop else None
        if watch is not None:
            yield Setting("watch", "", watch.start, watch.end)

    def _text(self, node: Scalar) -> _Text:
        if self._template and has_parts(self._template[node.start : node.end].decode("utf-8", "replace")):
            return _Text(None, "")
        if has_variables(node.text):
            return _Text(expand(node.text, {}), node.text)
        return _Text(node.text, "")

    def _scalar(self, key: str, node: Node | None) -> Iterator[Setting]:
        if isinstance(node, Scalar) and not node.is_null:
            text = self._text(node)
            yield Setting(key, text.value, node.start, node.end, text.template)

    def _build(self, node: Node | None) -> Iterator[Setting]:
        if isinstance(node, Scalar):
            yield from self._scalar("build.context", node)
        elif isinstance(node, Map):
            if node.get("context") is None:
                yield Setting("build.context", ".", node.start, node.end)
            for key in ("context", "dockerfile", "target"):
                yield from self._scalar(f"build.{key}", node.get(key))
            inline = node.get("dockerfile_inline")
            if isinstance(inline, Scalar):
                yield Setting("build.inline", None, inline.start, inline.end)
            for name, text, place in self._variables(node.get("args")):
                yield Setting(f"build.arg.{name}", text.value, place.start, place.end, text.template)

    def _command(self, key: str, node: Node | None) -> Iterator[Setting]:
        """Compose splits a string into words itself; no shell sees it."""
        if isinstance(node, List):
            texts = [self._text(item).value for item in node.scalars()]
            written = [item.text for item in node.scalars()]
            words = [text if text is not None else raw for text, raw in zip(texts, written, strict=True)]
        elif isinstance(node, Scalar) and not node.is_null:
            text = self._text(node).value
            try:
                words = shlex.split((node.text if text is None else text).replace("\n", " "))
            except ValueError:
                yield Setting(f"{key}.exec", None, node.start, node.end)
                return
        else:
            return
        yield Setting(f"{key}.exec", json.dumps([word.replace("$$", "$") for word in words]), node.start, node.end)

    def _environment(self, node: Node | None) -> Iterator[Setting]:
        for name, text, place in self._variables(node):
            yield Setting(f"env.{name}", text.value, place.start, place.end, text.template)

    def _variables(self, node: Node | None) -> Iterator[tuple[str, _Text, Node]]:
        """Names with their values, of a map or of a list of `NAME=value`. A name without a value is passed through from
        whoever runs compose."""
        if isinstance(node, Map):
            for name, pair in node.merged.items():
                if isinstance(pair.value, Scalar) and not pair.value.is_null:
                    yield name, self._text(pair.value), pair.value
                else:
                    yield name, _Text(None, ""), pair.key
        elif isinstance(node, List):
            for item in node.scalars():
                name, equals, _ = item.text.partition("=")
                text = self._text(item)
                if not equals:
                    yield name, _Text(None, ""), item
                elif text.value is None:
                    yield name, _Text(None, text.template.partition("=")[2]), item
                else:
                    template = text.template.partition("=")[2]
                    yield name, _Text(text.value.partition("=")[2], template), item

    def _labels(self, node: Node | None) -> Iterator[Setting]:
        for name, text, place in self._variables(node):
            if name:
                yield Setting(f"label.{name}", text.value, place.start, place.end, text.template)

    def _env_files(self, node: Node | None) -> Iterator[Setting]:
        for item in node.items if isinstance(node, List) else [node]:
            required = True
            if isinstance(item, Map):
                required = item.text("required") != "false"
                item = item.get("path")
            if isinstance(item, Scalar) and not item.is_null:
                text = self._text(item)
                yield Setting(
                    "env_file" if required else "optional_env_file", text.value, item.start, item.end, text.template
                )

    def _deploy(self, table: Map | None) -> Iterator[Setting]:
        if table is None:
            return
        for key in _SWARM_ONLY:
            node = table.get(key)
            if node is not None:
                yield Setting("stack", key, node.start, node.end)
        yield from self._scalar("replicas", table.get("replicas"))
        yield from self._scalar("mode", table.get("mode"))
        yield from self._labels(table.get("labels"))
        policy = table.map("restart_policy")
        if policy is not None:
            condition = policy.get("condition")
            if isinstance(condition, Scalar):
                yield from self._scalar("restart_policy", condition)
            else:
                yield Setting("restart_policy", "any", policy.start, policy.end)

    def _health(self, node: Node | None) -> Iterator[Setting]:
        """`healthcheck`: the command, "NONE" for one that is taken away."""
        if node is None:
            return
        test = node.get("test") if isinstance(node, Map) else None
        words = [item.text for item in test.scalars()] if isinstance(test, List) else [text_of(test) or ""]
        if words and words[0] in ("CMD", "CMD-SHELL"):
            words = words[1:]
        if isinstance(node, Map) and node.text("disable") == "true":
            words = ["NONE"]
        yield Setting("healthcheck", " ".join(words), node.start, node.end)

    def _limits(self, table: Map | None) -> Iterator[Setting]:
        """`limit.nofile` and the like: `soft:hard`, or one number for both."""
        for name, pair in table.merged.items() if table is not None else ():
            if isinstance(pair.value, Map):
                soft, hard = pair.value.text("soft") or "", pair.value.text("hard") or ""
                yield Setting(f"limit.{name}", f"{soft}:{hard}", pair.value.start, pair.value.end)
            else:
                yield from self._scalar(f"limit.{name}", pair.value)

    def _extends(self, node: Node | None) -> Iterator[Setting]:
        if isinstance(node, Scalar):
            yield Setting("extends.service", node.text, node.start, node.end)
        elif isinstance(node, Map):
            yield from self._scalar("extends.file", node.get("file"))
            yield from self._scalar("extends.service", node.get("service"))

    def _list(self, key: str, node: Node | None, field: str = "") -> Iterator[Setting]:
        """The items of a list, or the keys of a map in its place. Of an item that is a map itself, `field` counts; of
        one that says where it is mounted, that too."""
        if isinstance(node, Map):
            for pair in node.merged.values():
                yield Setting(key, pair.key.text, pair.key.start, pair.key.end)
        elif isinstance(node, List):
            for item in node.items:
                if isinstance(item, Map) and field:
                    target = text_of(item.get("target")) or ""
                    start = text_of(item.get(field)) or ""
                    if key == "volume" and item.text("type") == "volume":
                        start = start or "volume"
                    address = item.text("host_ip")
                    text = f"{address}:{start}:{target}" if address else f"{start}:{target}"
                    yield Setting(key, text, item.start, item.end)
                else:
                    yield from self._scalar(key, item)
