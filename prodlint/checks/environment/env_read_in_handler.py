"""`process.env` read for each request."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import Store, ValueKind
from prodlint.findings import Applicability, Finding, Fix, Span
from prodlint.fixes.reasons import NO_PLACE
from prodlint.lazy_regex import regex
from prodlint.program.code.request_paths import request_path_to
from prodlint.program.linking.resolver import File
from prodlint.program.linking.run_once import names_in

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_CONFIG = regex(r"^(?:config|configuration|env|environment|settings|constants|secrets)$", re.IGNORECASE)


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Reads of single variables in functions that a request reaches, outside configuration modules."""
    set_here = _set_by_the_program(program)
    for file in program.files:
        if file.is_python or _is_configuration(file):
            continue
        written = {store.name for store in file.facts.stores} | set_here
        for number, access in enumerate(file.facts.accesses):
            name = file.facts.values[access.value].text
            if file.facts.regions[access.region].function == 0 or not name or name in written:
                continue
            reached = request_path_to(program, file, access.region, rule.name)
            if reached is None:
                continue
            yield Finding(
                rule.name,
                f"`process.env.{name}` is read for each request{reached.by}: every read asks the operating system, and "
                "a missing variable is found by a user. Read it once, at start-up.",
                program.location(file, access.start, access.end),
                confidence=reached.confidence,
                trace=reached.trace,
                data={"file": file.index, "access": number},
            )


def _set_by_the_program(program: Program) -> set[str]:
    """The variables that the program itself sets somewhere, and not only to what they are by default: they may change
    while it runs."""
    return {
        store.name
        for file in program.files
        if not file.is_python
        for store in file.facts.stores
        if program.resolver.api_of(file, store.target) == "process.env" and not _is_default(file, store)
    }


def _is_default(file: File, store: Store) -> bool:
    """`process.env.X = process.env.X || 'x'`, `process.env.X ??= 'x'`."""
    value = file.facts.values[store.value]
    return store.op != "=" or (value.kind is ValueKind.OP and store.name in names_in(file.facts, store.value))


def _is_configuration(file: File) -> bool:
    """Whether a module is the one that reads the environment for all others, by its name or its folder's."""
    folder, name = posixpath.split(file.path)
    return bool(_CONFIG.match(name.split(".")[0]) or _CONFIG.match(posixpath.basename(folder)))


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """A constant of the module."""
    from prodlint.fixes import javascript

    file = program.files[finding.data["file"]]
    access = file.facts.accesses[finding.data["access"]]
    name = file.facts.values[access.value].text
    if not re.fullmatch(r"[A-Za-z_]\w*", name) or name in _names(file):
        return f"`{name}` cannot be the name of a constant of this file"
    source = program.read(file.path)
    added = javascript.ensure_statement_after_imports(file.path, source, f"const {name} = process.env.{name}")
    edits = javascript.replace_expression(file.path, source, Span(access.start, access.end), name)
    if added is None or edits is None:
        return NO_PLACE
    return Fix(f"Read `{name}` once, at the top", Applicability.UNSAFE, (*added, *edits))


def _names(file: File) -> set[str]:
    """Every name that the file binds anywhere."""
    facts = file.facts
    names = {binding.name for binding in facts.bindings}
    names.update(fact.name for fact in facts.functions)
    names.update(cls.name for cls in facts.classes)
    names.update(local for request in facts.imports for local in request.locals)
    names.update(
        name for function in facts.functions for param in function.params for name in (param.name, *param.names)
    )
    return names
