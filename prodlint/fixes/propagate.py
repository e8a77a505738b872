"""Makes a function of JavaScript or TypeScript async together with everybody who calls it: one change in all the files
that it takes, or none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tree_sitter import Node

from prodlint.facts import NONE, Use
from prodlint.findings import Edit, Span
from prodlint.fixes import javascript
from prodlint.fixes._js_tree import FUNCTIONS, parse, walk
from prodlint.program.code.callers import Waits, callers_in
from prodlint.program.linking.resolver import CallSite, File

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_NAMES = frozenset(
    {
        "identifier",
        "property_identifier",
        "private_property_identifier",
        "shorthand_property_identifier",
        "shorthand_property_identifier_pattern",
    }
)
_BINDING = frozenset(
    {
        *("import_specifier", "export_specifier", "import_clause", "namespace_import", "pair_pattern"),
        *("method_definition", "variable_declarator", "function_declaration", "function_expression"),
        *(
            "public_field_definition",
            "field_definition",
            "class_declaration",
            "required_parameter",
            "formal_parameters",
        ),
    }
)
"""What gives a name, or hands it from one module to the next."""


def make_async_with_callers(program: Program, function: int, waits: Waits) -> tuple[Edit, ...] | str:
    """The edits that make a function (by id) async, await each call of it, and so on for those who call it; or why that
    cannot be done. `waits` says of a registration whether the framework waits for what the function returns."""
    planned = callers_in(program).to_await(function, waits)
    if isinstance(planned, str):
        return planned
    functions, sites = planned
    becoming = set(functions)
    edits: list[Edit] = []
    for id_ in functions:
        file, fact = program.function(id_)
        made = javascript.make_async(file.path, program.read(file.path), Span(fact.start, fact.end))
        if made is None:
            return f"{program.name(id_)} cannot be made async"
        edits += made
    for site in sites:
        awaited = _awaited(program, site, becoming)
        if awaited is None:
            return f"{_where(program, site.file, site.call.start)} calls it where `await` cannot stand"
        edits += awaited
    for id_ in functions:
        stray = _stray(program, id_)
        if stray is not None:
            return f"{program.name(id_)} is used in {_where(program, *stray)}, and not only called"
    return tuple(dict.fromkeys(edits))


def _awaited(program: Program, site: CallSite, becoming: set[int]) -> tuple[Edit, ...] | None:
    call, file = site.call, site.file
    if call.use is Use.AWAITED or (call.use is Use.RETURNED and not program.in_try(file, call.region)):
        return ()
    id_ = file.function_at(call.region)
    fact = program.function(id_)[1]
    around = Span(fact.start, fact.end) if id_ in becoming and fact.parent != NONE else None
    span = Span(call.start, call.end)
    return javascript.insert_await(file.path, program.read(file.path), span, making_async=around)


def _stray(program: Program, function: int) -> tuple[File, int] | None:
    """Where a function's name is used for something else than being declared, passed between modules, and called."""
    home, _ = program.function(function)
    known: dict[int, set[int]] = {}
    for site in program.resolver.callers.get(function, ()):
        known.setdefault(site.file.index, set()).add(site.call.name_start)
    for file in program.files:
        if file.is_python:
            continue
        names, members = _names(program, home, function, file)
        wanted = names | members
        if not wanted:
            continue
        source = program.read(file.path)
        if not any(name.encode() in source for name in wanted):
            continue
        others = _called_others(program, file, function)
        registered = [each for each in program.registrations_of.get(function, ()) if each.file == file.index]
        for start in _uses(file.path, source, names, members):
            is_handed_over = any(each.start <= start < each.end for each in registered)
            if start not in known.get(file.index, ()) and start not in others and not is_handed_over:
                return file, start
    return None


def _names(program: Program, home: File, function: int, file: File) -> tuple[set[str], set[str]]:
    """What a file calls a function by itself, and as a member of something."""
    fact = program.function(function)[1]
    exported = {name for name, value in home.exports.items() if _is_it(program, home, value, function)}
    members = ({fact.name} if fact.name else set()) | (exported - {"=", "default"})
    names = {fact.name} if file is home and fact.name else set()
    if file is home:
        names |= {binding.name for binding in home.facts.bindings if _holds(program, home, binding.values, function)}
    whole = exported & {"=", "default"}
    for request in file.facts.imports:
        if program.resolver.module(file, request.module) is home:
            for name, local in zip(request.names, request.locals, strict=True):
                if name in members or (whole and name in ("", "*", "=", "default")):
                    names.add(local)
    return names - {""}, members - {""}


def _is_it(program: Program, file: File, value: int, function: int) -> bool:
    return any(function in program.resolver.callables(target) for target in program.resolver.resolve(file, value))


def _holds(program: Program, file: File, values: list[int], function: int) -> bool:
    return any(_is_it(program, file, value, function) for value in values)


def _called_others(program: Program, file: File, function: int) -> set[int]:
    """Where calls of the file name something that is known to be something else."""
    found = set()
    for index, targets in enumerate(program.graph.targets[file.index]):
        if targets and not any(function in program.resolver.callables(target) for target in targets):
            found.add(file.facts.calls[index].name_start)
    return found


def _uses(path: str, source: bytes, names: set[str], members: set[str]) -> Iterator[int]:
    """Where one of the names stands that is no declaration, import or export."""
    file = parse(path, source)
    if file is None:
        yield 0
        return
    for node in walk(file.root):
        if node.type in _NAMES:
            is_member = node.type in ("property_identifier", "private_property_identifier")
            if file.text(node) in (members if is_member else names) and not _passes_on(node):
                yield node.start_byte


def _passes_on(node: Node) -> bool:
    """Whether a name is declared, imported or exported there."""
    parent = node.parent
    if parent is None or parent.type in _BINDING or parent.type in FUNCTIONS:
        return parent is None or node != parent.child_by_field_name("value")
    if node.type == "shorthand_property_identifier_pattern" or parent.type == "export_statement":
        return True
    if node.type == "shorthand_property_identifier" or parent.type == "pair":
        return _is_exported(parent if parent.type == "object" else parent.parent)
    if parent.type == "member_expression" and node == parent.child_by_field_name("property"):
        assignment = parent.parent
        return (
            assignment is not None
            and assignment.type == "assignment_expression"
            and parent == assignment.child_by_field_name("left")
        )
    return parent.type == "assignment_expression" and _is_module(parent.child_by_field_name("left"))


def _is_exported(node: Node | None) -> bool:
    """Whether an object is what a module exports, or what a function gives to those who call its members."""
    parent = node.parent if node is not None else None
    if parent is None:
        return False
    if parent.type == "assignment_expression":
        return _is_module(parent.child_by_field_name("left"))
    return parent.type in ("export_statement", "return_statement")


def _is_module(node: Node | None) -> bool:
    text = node.text if node is not None else None
    return text is not None and (text == b"exports" or text.startswith((b"module.exports", b"exports.")))


def _where(program: Program, file: File, offset: int) -> str:
    line = sum(start <= offset for start in file.facts.line_starts)
    return f"{file.path}:{line}"
