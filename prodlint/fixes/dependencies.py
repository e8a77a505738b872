"""Packages that a change makes a JavaScript project depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prodlint.fixes.package_json import add_dependencies
from prodlint.fixes.text import Edits

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_TYPES = {"compression": "^1.7.5", "debug": "^4.1.12", "koa-compress": "^4.0.6"}
"""The versions of the packages that have the types of others."""


def require(program: Program, path: str, package: str, version: str) -> Edits | None:
    """The edits after which the package.json nearest to a source file requires `package`, with its types where the
    project has such. None where there is no package.json, or it cannot be changed."""
    folder = program.versions.package_folder(path)
    info = program.versions.packages.get(folder)
    if info is None:
        return None
    manifest = f"{folder}/package.json".lstrip("/")
    wanted = [("dependencies", package, version)]
    if package in _TYPES and any(name.startswith("@types/") for name in info.dev_dependencies):
        wanted.append(("devDependencies", f"@types/{package}", _TYPES[package]))
    return add_dependencies(manifest, program.read(manifest), wanted)
