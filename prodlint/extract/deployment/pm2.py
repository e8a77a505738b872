"""PM2's process files: `ecosystem.config.js` and the same as JSON or YAML.

Source: PM2's documentation, "Configuration File", and its own defaults: `instances` without `exec_mode` means cluster
mode, neither means one process in fork mode; `env_NAME` counts only if PM2 is started with `--env NAME`; an app
restarts unless `autorestart` is false.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator

from prodlint.extract.deployment.js_nodes import SPREAD, Computed
from prodlint.extract.deployment.nodes import List, Map, Node, Scalar, text_of
from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.facts import Artefact, FileFacts, Setting, SyntaxProblem
from prodlint.lazy_regex import regex

KIND = "pm2"

_TEXTS = {
    "cwd": "workdir", "uid": "user", "autorestart": "restart", "max_restarts": "restart.limit",
    "restart_delay": "restart.delay", "exp_backoff_restart_delay": "restart.delay",
    "kill_timeout": "stop_grace_period", "kill_signal": "stop_signal",
    "watch": "watch", "exec_mode": "exec_mode", "interpreter": "interpreter", "max_memory_restart": "limit.memory",
    "env_file": "env_file", "wait_ready": "wait_ready", "name": "name",
}  # fmt: skip
_INTERPRETERS = {
    ".js": "node", ".cjs": "node", ".mjs": "node", ".ts": "ts-node", ".py": "python", ".sh": "bash", "": "",
}  # fmt: skip


_PROGRAM = regex(r"(?:/usr(?:/local)?)?/s?bin/|.*/node_modules/\.bin/")
"""What is started as it is."""


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `app` for each app. Of a setting that only running the file would tell, the value is None; where a
    whole app or the list of them is computed, there is an artefact `unknown`."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    root, facts.problems, comments = _parsed(data, path)
    if MARKER in data:
        found = (parse_directive(data, start, end, facts.line_starts) for start, end in comments)
        facts.directives = [directive for directive in found if directive is not None]
    seen: Counter[str] = Counter()
    for app in _apps(root):
        if not isinstance(app, Map):
            if app is not None:
                facts.artefacts.append(Artefact("unknown", "", app.start, app.end, app.start, app.end))
            continue
        settings = list(_settings(app))
        anchor = app.merged.get("script") or app.merged.get("name")
        start, end = (anchor.start, anchor.end) if anchor is not None else (app.start, app.start + 1)
        name = app.text("name") or app.text("script") or ""
        seen[name] += 1
        name = name if seen[name] == 1 else f"{name}#{seen[name]}"
        facts.artefacts.append(Artefact("app", name, app.start, app.end, start, end, settings))
    facts.artefacts += _deploy(root)
    return facts


def read(data: bytes, path: str) -> Node | None:
    """What a process file says, as nodes."""
    return _parsed(data, path)[0]


def _parsed(data: bytes, path: str) -> tuple[Node | None, list[SyntaxProblem], list[tuple[int, int]]]:
    if path.endswith((".yml", ".yaml")):
        from prodlint.extract.deployment import yaml_nodes

        stream = yaml_nodes.parse(data)
        return (stream.documents[0] if stream.documents else None), stream.problems, stream.comments
    from prodlint.extract.deployment import js_nodes

    if path.endswith(".json"):
        # PM2 reads JSON as JavaScript: comments and trailing commas are fine.
        document = js_nodes.parse(b"(" + data.rstrip().rstrip(b";") + b")")
        return _shifted(document.root), [], []
    document = js_nodes.parse(data)
    return document.root, document.problems, js_nodes.comments(data)


def _shifted(root: Node | None) -> Node | None:
    """The same one byte further to the front."""
    stack: list[Node | None] = [root]
    seen: set[int] = set()
    while stack:
        node = stack.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        node.start -= 1
        node.end -= 1
        if isinstance(node, Map):
            for pair in node.pairs:
                pair.start -= 1
                pair.end -= 1
                stack += [pair.key, pair.value]
        elif isinstance(node, List):
            stack += node.items
    return root


def _apps(root: Node | None) -> list[Node | None]:
    if isinstance(root, Map):
        apps = root.get("apps") or root.get("pm2")
        if isinstance(apps, List):
            return apps.items
        if apps is not None:
            return [apps]
        return [root] if root.get("script") is not None else []
    if isinstance(root, List):
        return root.items
    return [root] if isinstance(root, Computed) else []


def _settings(app: Map) -> Iterator[Setting]:
    if SPREAD in app.own:
        place = app.own[SPREAD]
        yield Setting("unknown", None, place.start, place.end)
    yield from _command(app)
    for key, name in _TEXTS.items():
        yield from _text(name, app.get(key))
    yield from _instances(app)
    for key, pair in app.merged.items():
        if key == "env" or re.fullmatch(r"env_(?!file$)\w+", key):
            yield from _environment(key, pair.value)


def _text(key: str, node: Node | None) -> Iterator[Setting]:
    if isinstance(node, (Map, List)):
        yield Setting(key, "true" if key == "watch" else None, node.start, node.end)
    elif isinstance(node, Scalar) and not node.is_null:
        yield Setting(key, node.text, node.start, node.end)
    elif isinstance(node, Computed):
        yield Setting(key, None, node.start, node.end)


def _command(app: Map) -> Iterator[Setting]:
    """`command.exec`: the script with its interpreter and arguments, as PM2 starts it."""
    script = app.get("script") or app.get("exec")
    if script is None:
        return
    text = text_of(script)
    words: list[list[str] | None] = [_split(text)] if text is not None else [None]
    if text is not None and " " not in text.strip():
        interpreter = app.get("interpreter") or app.get("exec_interpreter")
        options = app.get("node_args") or app.get("interpreter_args")
        suffix = re.search(r"\.\w+$", text)
        default = _INTERPRETERS.get(suffix.group() if suffix else "", "")
        if suffix is None and "/" in text and not _PROGRAM.match(text):
            default = "node"  # `./bin/www`: PM2 runs a text file with Node, whatever it is called
        said = text_of(interpreter) if interpreter is not None else default
        if said is None:
            words = [None]
        elif said not in ("", "none"):
            words = [[said], _words(options), *words]
    words.append(_words(app.get("args")))
    known = [each for each in words if each is not None]
    value = json.dumps([word for each in known for word in each]) if len(known) == len(words) else None
    yield Setting("command.exec", value, script.start, script.end)


def _words(node: Node | None) -> list[str] | None:
    """Arguments, as a list or as one text; None where they are not known."""
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return []
    if isinstance(node, Scalar):
        return _split(node.text)
    if isinstance(node, List) and all(isinstance(item, Scalar) for item in node.items):
        return [item.text for item in node.scalars()]
    return None


def _split(text: str) -> list[str] | None:
    try:
        return shlex.split(text)
    except ValueError:
        return None


def _instances(app: Map) -> Iterator[Setting]:
    """`workers`: in fork mode, which is the default without `instances`, one for each instance too."""
    yield from _text("workers", app.get("instances"))


def _environment(key: str, node: Node | None) -> Iterator[Setting]:
    """`env.NAME`, `env_production.NAME`."""
    if not isinstance(node, Map):
        if node is not None:
            yield Setting(f"{key}_file" if key == "env" else f"{key}.{SPREAD}", None, node.start, node.end)
        return
    for name, pair in node.merged.items():
        value = pair.value
        text = value.text if isinstance(value, Scalar) and not value.is_null else None
        place = value or pair.key
        yield Setting(f"{key}.{name}", text, place.start, place.end)


def _deploy(root: Node | None) -> Iterator[Artefact]:
    """The commands of the `deploy` section, which say how PM2 is started on the server: artefacts `deploy`."""
    deploy = root.map("deploy") if isinstance(root, Map) else None
    for name, pair in deploy.merged.items() if deploy is not None else ():
        if isinstance(pair.value, Map):
            settings = [
                Setting("command.shell", node.text, node.start, node.end)
                for key in ("post-deploy", "post-setup", "pre-setup", "pre-deploy-local", "pre-deploy")
                if isinstance(node := pair.value.get(key), Scalar)
            ]
            if settings:
                yield Artefact("deploy", name, pair.start, pair.end, pair.key.start, pair.key.end, settings)
