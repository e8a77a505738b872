"""The process files of `forever`: a JSON file with one app, or a list of them.

Sources: forever's README, "JSON Configuration Files"; `getOptions` in its lib/forever/cli.js, which passes all keys
over that it does not name, `env` among them: variables come from the shell that runs forever.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from prodlint.extract.deployment import json_nodes
from prodlint.extract.deployment.nodes import List, Map, Node, Scalar, text_of
from prodlint.extract.ignore_comments import line_starts_of
from prodlint.facts import Artefact, FileFacts, Setting

KIND = "forever"

_TEXTS = {"watch": "watch", "max": "restart.limit", "spinSleepTime": "restart.delay", "killSignal": "stop_signal"}


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `app` for each app."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    document = json_nodes.parse(data)
    facts.problems = document.problems
    root = document.root
    for app in root.items if isinstance(root, List) else [root]:
        script = app.get("script") if isinstance(app, Map) else None
        if isinstance(app, Map) and script is not None:
            name = app.text("uid") or app.text("script") or ""
            settings = list(_settings(app, script))
            facts.artefacts.append(Artefact("app", name, app.start, app.end, script.start, script.end, settings))
    return facts


def _settings(app: Map, script: Node) -> Iterator[Setting]:
    words = [*shlex.split(app.text("command") or "node"), text_of(script) or ""]
    yield Setting("command.exec", json.dumps([*words, *_words(app.get("args"))]), script.start, script.end)
    folder = app.get("sourceDir") or app.get("workingDir")
    if isinstance(folder, Scalar):
        yield Setting("workdir", folder.text, folder.start, folder.end)
    for key, name in _TEXTS.items():
        value = app.get(key)
        if isinstance(value, Scalar) and not value.is_null:
            yield Setting(name, value.text, value.start, value.end)


def _words(node: Node | None) -> list[str]:
    """Arguments, as a list or as one text."""
    if isinstance(node, List):
        return [item.text for item in node.scalars()]
    return shlex.split(node.text) if isinstance(node, Scalar) and node.text.count("'") % 2 == 0 else []
