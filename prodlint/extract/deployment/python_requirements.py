"""What a Python project requires: `requirements*.txt`, `pyproject.toml` (PEP 621, Poetry, groups), `Pipfile`.

Source: pip's requirements file format, PEP 621, PEP 735 and Poetry's documentation of `tool.poetry.dependencies`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prodlint.extract.deployment.toml_documents import read_document
from prodlint.facts import Artefact, FileFacts, Setting


def extract(data: bytes, path: str) -> FileFacts:
    """One setting `require` per requirement, as PEP 508 would write it, and one `script.NAME` for each command that the
    project installs, whose value is `module:function` (offsets are not kept)."""
    kind = "python_requirements"
    facts = FileFacts(kind)
    commands: dict[str, str] = {}
    name = ""
    if path.endswith((".toml", "Pipfile")):
        document = read_document(data, facts)
        if document is None:
            return facts
        required = list(_from_toml(document))
        commands = _commands(document)
        name = _name(document)
    else:
        lines = [line.strip() for line in data.decode("utf-8-sig", "replace").replace("\\\n", " ").splitlines()]
        required = [line for line in lines if line and not line.startswith(("#", "-"))]
    settings = [Setting("require", line, 0, 0) for line in required]
    settings += [Setting("name", name, 0, 0)] if name else []
    settings += [Setting(f"script.{name}", target, 0, 0) for name, target in commands.items()]
    facts.artefacts = [Artefact(kind, "", 0, len(data), 0, 0, settings)]
    return facts


def _from_toml(document: dict[str, Any]) -> Iterator[str]:
    project = _table(document, "project")
    yield from _strings(project.get("dependencies"))
    for group in _table(project, "optional-dependencies").values():
        yield from _strings(group)
    for group in _table(document, "dependency-groups").values():
        yield from _strings(group)
    poetry = _table(_table(document, "tool"), "poetry")
    for table in (_table(poetry, "dependencies"), _table(document, "packages")):
        for name, version in table.items():
            wanted = version.get("version", "") if isinstance(version, dict) else version
            yield f"{name} {wanted}" if isinstance(wanted, str) else name


def _name(document: dict[str, Any]) -> str:
    poetry = _table(_table(document, "tool"), "poetry")
    name = _table(document, "project").get("name") or poetry.get("name")
    return name if isinstance(name, str) else ""


def _commands(document: dict[str, Any]) -> dict[str, str]:
    poetry = _table(_table(document, "tool"), "poetry")
    tables = (_table(_table(document, "project"), "scripts"), _table(poetry, "scripts"))
    return {name: target for table in tables for name, target in table.items() if isinstance(target, str)}


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))
