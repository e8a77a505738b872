"""The value of an environment variable, changed where it is written: in each format that can set one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prodlint.findings import Span
from prodlint.fixes import lines, yaml

if TYPE_CHECKING:
    from prodlint.fixes.text import Edits
    from prodlint.program.linking.program import Program


def change(program: Program, path: str, data: Mapping[str, Any], new: str) -> Edits | None:
    """Gives `data["variable"]` the value `new` in place of `data["old"]`: in the artefact `kind` and `name`, at `start`
    to `end`."""
    source = program.read(path)
    variable, old = data["variable"], re.escape(data["old"])
    if data["kind"] == "compose":
        return yaml.set_variable(path, source, data["name"], variable, new)
    place = Span(data["start"], data["end"])
    if data["kind"] in ("dockerfile", "dotenv", "pm2", "kubernetes"):
        return lines.replace_text(path, source, place, rf"({old})", new)
    is_command = data["kind"] in ("procfile", "package_json")
    span = command_span(program, path, data["name"]) if is_command else place
    return lines.replace_text(path, source, span, rf"{variable}=[\"']?({old})(?!\w)", new) if span else None


def command_span(program: Program, path: str, name: str) -> Span | None:
    """Where the command of a script of package.json, or of a line of a Procfile, is written."""
    for artefact in program.facts[path].artefacts:
        if artefact.name == name and artefact.kind in ("script", "process"):
            setting = artefact.settings[0]
            return Span(setting.start, setting.end)
    return None
