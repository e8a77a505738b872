"""Node's `domain` module, which is deprecated and does not do what it promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import ImportKind
from prodlint.findings import Finding
from prodlint.project.file_roles import FileRole

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Imports of the module in code that is no test, script or browser code."""
    for file in program.files:
        if file.is_python or program.roles[file.index] is not FileRole.SOURCE:
            continue
        for request in file.facts.imports:
            if request.module not in ("domain", "node:domain") or request.kind is ImportKind.TYPE:
                continue
            if program.resolver.module(file, request.module) is None:
                yield Finding(
                    rule.name,
                    "`domain` is deprecated and goes on after an exception in a state that nobody knows. Handle errors "
                    "where they occur; for data that follows a request use `AsyncLocalStorage`.",
                    program.location(file, request.start, request.end),
                )
