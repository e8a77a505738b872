"""Which packages of npm a project's code names, by importing them or as text."""

from __future__ import annotations

import posixpath
from collections.abc import Set
from typing import TYPE_CHECKING

from prodlint.facts import JAVASCRIPT, ImportKind, ValueKind

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program


def named_in_code(program: Program, packages: Set[str], tools: Set[str]) -> bool:
    """Whether a file of JavaScript imports one of the packages, or has its name as a string (a view engine, a
    database's driver, a logger's transport). The configuration of a tool among `tools` does not count: who leaves the
    tool out needs no `jest.config.js`."""
    bare = {name.rpartition("/")[2] for name in tools}
    for file in program.files:
        stem = posixpath.basename(file.path).lstrip(".").split(".")[0].lower()
        if file.facts.kind not in JAVASCRIPT or stem.removesuffix("rc") in bare or stem.removesuffix("file") in bare:
            continue
        said = {request.module for request in file.facts.imports if request.kind is not ImportKind.TYPE}
        said |= {value.text for value in file.facts.values if value.kind in (ValueKind.STRING, ValueKind.TEMPLATE)}
        if any(_package(text) in packages for text in said):
            return True
    return False


def _package(module: str) -> str:
    """The package of a module's name: `@scope/name/file` → `@scope/name`."""
    return "/".join(module.split("/")[: 2 if module.startswith("@") else 1])
