"""pm2-runs-npm: PM2 looks after npm, and not after the service."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.extract.deployment.commands import split
from prodlint.findings import Applicability, Edit, Finding, Fix, Location, Severity
from prodlint.fixes.reasons import ODD_FORM
from prodlint.lazy_regex import regex

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_MANAGERS = frozenset({"npm", "npx", "yarn", "pnpm", "bun"})
_SIMPLE = regex(r"node (?P<file>(?:\./)?[\w./-]+)")

_ARGUMENTS = regex(
    r"[\"']?\bargs[\"']?\s*+:\s*+(?:\[[^\[\]\n]*+\]|[\"'][^\"'\n]*+[\"'])\s*+,[ \t]*+\n?[ \t]*+"
    r"|(?<!\s)\s*+,\s*+[\"']?\bargs[\"']?\s*+:\s*+(?:\[[^\[\]\n]*+\]|[\"'][^\"'\n]*+[\"'])(?=\s*+\})"
)
"""An app's arguments with the comma behind or, where they come last, before them."""


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """A finding for each app of a process file whose script is a package manager."""
    for path, facts in program.facts.items():
        for app in facts.artefacts if facts.kind == "pm2" else ():
            settings = {setting.key: setting for setting in app.settings}
            command = settings.get("command.exec")
            words = json.loads(command.value) if command is not None and command.value else []
            name = posixpath.basename(words[0]) if words else ""
            if app.kind != "app" or command is None or name not in _MANAGERS:
                continue
            workers = settings.get("workers")
            is_many = workers is not None and workers.value != "1"
            target = _file(program, path, words)
            effect = (
                "each copy but the first one fails because the port is taken, and PM2 gives up on it"
                if is_many
                else "PM2 sees and signals npm, and not the server behind it"
            )
            yield Finding(
                rule.name,
                f"PM2 starts {name}, which starts the server: {effect}. Let it start "
                f"{f'`{target}`' if target else 'the file itself'}.",
                Location(path, app.anchor, app.anchor_end),
                data={"target": target, "app": app.name},
                severity=Severity.ERROR if is_many else None,
                no_fix_reason="" if target else "the script is more than `node` and a file",
            )


def _file(program: Program, path: str, words: list[str]) -> str:
    """The file that the package's script starts with plain `node`, "" where it does more."""
    info = program.versions.packages.get(posixpath.dirname(path))
    rest = [word for word in words[1:] if word not in ("run", "run-script") and not word.startswith("-")]
    name = rest[0] if len(rest) == 1 else ""
    if info is None or not name or f"pre{name}" in info.scripts or f"post{name}" in info.scripts:
        return ""
    script = info.scripts.get(name, "")
    match = _SIMPLE.fullmatch(script.strip())
    return match["file"] if match and len(split(script)) == 1 else ""


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The file in place of npm, without npm's arguments."""
    path, target = finding.location.path, finding.data["target"]
    if not target:
        return "the file that npm's script starts is not known here"
    source = program.read(path)
    app = next(
        each for each in program.facts[path].artefacts if each.kind == "app" and each.name == finding.data["app"]
    )
    text = source[app.start : app.end].decode("latin-1")
    script = re.search(r"(?P<key>[\"']?script[\"']?\s*:\s*)(?P<quote>[\"'])(?P<value>[^\"']*)(?P=quote)", text)
    if script is None:
        return ODD_FORM
    edits = [Edit(path, app.start + script.start("value"), app.start + script.end("value"), target)]
    arguments = _ARGUMENTS.search(text)
    if arguments is not None:
        edits.append(Edit(path, app.start + arguments.start(), app.start + arguments.end(), ""))
    return Fix(f"Start `{target}`", Applicability.UNSAFE, tuple(edits))
