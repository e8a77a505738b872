"""An environment variable in a deployment file: added, changed or taken away in each format that can set one.

Every function returns the edits, or None where the file is not written in a way that can be edited.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from prodlint.findings import Span
from prodlint.fixes import kubernetes, lines, process_files, upstart_jobs, yaml
from prodlint.models.deployment_formats import format_of

if TYPE_CHECKING:
    from prodlint.facts import Artefact
    from prodlint.fixes.text import Edits
    from prodlint.program.linking.program import Program


def add(program: Program, path: str, data: Mapping[str, Any], value: str) -> Edits | None:
    """Sets `data["variable"]` in the artefact `kind` and `name`."""
    source = program.read(path)
    if data["kind"] in _ADD:
        artefact = next(each for each in program.facts[path].artefacts if each.name == data["name"])
        return _ADD[data["kind"]](path, source, artefact, data["variable"], value)
    span = command_span(program, path, data["name"])
    is_script = format_of(data["kind"]).is_package_script
    runner = ""
    if is_script:
        info = program.versions.packages[path.rpartition("/")[0]]
        runner = "cross-env" if "cross-env" in info.dependencies else ""
    assignment = f"{data['variable']}={value}"
    return lines.prefix_command(path, source, span, assignment, is_json=is_script, runner=runner) if span else None


def change(program: Program, path: str, data: Mapping[str, Any], new: str) -> Edits | None:
    """Gives `data["variable"]` the value `new` in place of `data["old"]`: in the artefact `kind` and `name`, at `start`
    to `end`."""
    source = program.read(path)
    variable, old = data["variable"], re.escape(data["old"])
    if data["kind"] == "compose":
        return yaml.set_variable(path, source, data["name"], variable, new)
    place = Span(data["start"], data["end"])
    if data["kind"] in _AT_VALUE:
        return lines.replace_text(path, source, place, rf"({old})", new)
    span = command_span(program, path, data["name"]) if data["kind"] in _IN_COMMAND else place
    return lines.replace_text(path, source, span, rf"{variable}=[\"']?({old})(?!\w)", new) if span else None


def can_delete(kind: str) -> bool:
    """Whether variables are taken away from files of a kind."""
    return kind in _DELETE


def delete(program: Program, path: str, data: Mapping[str, Any]) -> Edits | None:
    """Takes `data["variable"]` away from the artefact `kind` and `name`, which sets it at `start`."""
    return _DELETE[data["kind"]](path, program.read(path), data)


def command_span(program: Program, path: str, name: str) -> Span | None:
    """Where the command of a script of package.json, or of a line of a Procfile, is written."""
    for artefact in program.facts[path].artefacts:
        if artefact.name == name and artefact.kind in ("script", "process"):
            setting = artefact.settings[0]
            return Span(setting.start, setting.end)
    return None


def _delete_from_image(path: str, source: bytes, data: Mapping[str, Any]) -> Edits | None:
    from prodlint.extract.deployment import dockerfile

    for instruction in dockerfile.scan(source):
        if instruction.start <= data["start"] < instruction.end and len(instruction.text.split()) == 1:
            return lines.delete_lines(path, source, Span(instruction.start, instruction.end))
    return None


def _delete_from_unit(path: str, source: bytes, data: Mapping[str, Any]) -> Edits | None:
    from prodlint.extract.deployment import systemd

    for line in systemd.scan(source):
        if line.start <= data["start"] < line.end and len(systemd.split_words(line.value) or []) == 1:
            return lines.delete_lines(path, source, Span(line.start, line.end))
    return None


_Add = Callable[[str, bytes, "Artefact", str, str], "Edits | None"]
_ADD: Mapping[str, _Add] = {
    "dockerfile": lambda path, source, stage, name, value: lines.insert_instruction(
        path, source, stage.start, f"ENV {name}={value}"
    ),
    "compose": lambda path, source, service, name, value: yaml.set_variable(path, source, service.name, name, value),
    "kubernetes": kubernetes.set_variable,
    "supervisord": process_files.set_in_program,
    "pm2": process_files.set_in_app,
    "systemd": lambda path, source, unit, name, value: lines.insert_unit_line(
        path, source, "Environment", f"Environment={name}={value}"
    ),
    "upstart": lambda path, source, job, name, value: upstart_jobs.add_stanzas(path, source, f"env {name}={value}"),
}
"""By kind; in others, the variable is written before the command."""
_AT_VALUE = ("dockerfile", "dotenv", "pm2", "kubernetes")
"""Kinds whose place of a variable is that of its value alone."""
_IN_COMMAND = ("procfile", "package_json")
"""Kinds in which a command sets it."""
_DELETE: Mapping[str, Callable[[str, bytes, Mapping[str, Any]], Edits | None]] = {
    "compose": lambda path, source, data: yaml.delete_variable(path, source, data["name"], data["variable"]),
    "dockerfile": _delete_from_image,
    "systemd": _delete_from_unit,
}
