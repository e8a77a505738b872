"""Imports of JavaScript and TypeScript files: which there are, and where a new one goes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tree_sitter import Node

from prodlint.findings import Edit, ImportRequest
from prodlint.fixes._js_tree import (
    DECLARATIONS,
    FUNCTIONS,
    File,
    continues_a_line,
    holds_function,
    parse,
    walk,
)
from prodlint.fixes.text import (
    Edits,
    Text,
    append_item,
    begins_line,
    insert_lines,
    line_start,
    next_line,
)
from prodlint.lazy_regex import regex
from prodlint.models.frameworks.node import BUILTIN_MODULES

NAMESPACE = "*"
MODULE = ""
"""The imported name of `const m = require("m")`: the module object."""

ONLY_PREFIXED = frozenset({"node:test", "node:test/reporters", "node:sqlite", "node:sea"})

ABOUT_THE_FILE = regex(rb"copyright|licen[sc]e|eslint|jshint|@ts-|@flow|@file|\bglobals?\b|prettier", re.IGNORECASE)


class _Imported(NamedTuple):
    """A name that a top-level import or `require` binds."""

    module: str
    name: str
    local: str


def _unprefixed(module: str) -> str:
    return module.removeprefix("node:")


def is_builtin(module: str) -> bool:
    """Whether a module is one of Node's own."""
    return module.startswith("node:") or module.partition("/")[0] in BUILTIN_MODULES


def _string(file: File, node: Node | None) -> str | None:
    if node is None or node.type != "string":
        return None
    return file.text(node)[1:-1]


class _Clause(NamedTuple):
    """What one top-level `import` statement or `require` binds."""

    module: str
    names: list[tuple[str, str]]
    """Pairs of imported and local name."""
    braces: Node | None
    """The `{…}` that more names can be added to."""
    default: Node | None
    """The clause of an ES import that has a default and may get a `{…}`."""


def _clauses(file: File) -> Iterator[_Clause]:
    for statement in file.root.children:
        if statement.type == "import_statement":
            yield from _of_import(file, statement)
        elif statement.type in DECLARATIONS:
            for declarator in statement.named_children:
                if declarator.type == "variable_declarator":
                    yield from _of_require(file, declarator)


def _imported(file: File) -> list[_Imported]:
    return [_Imported(clause.module, name, local) for clause in _clauses(file) for name, local in clause.names]


def _of_import(file: File, statement: Node) -> Iterator[_Clause]:
    module = _string(file, statement.child_by_field_name("source"))
    if statement.has_error or any(child.type in {"type", "typeof"} for child in statement.children):
        return  # Flow's types, or TypeScript's: gone at run time
    for clause in statement.named_children:
        if clause.type == "import_require_clause":
            source = _string(file, clause.child_by_field_name("source"))
            if source is not None:
                yield _Clause(source, [(MODULE, file.text(clause.named_children[0]))], None, None)
        elif clause.type == "import_clause" and module is not None:
            parts = {part.type: part for part in clause.named_children}
            names = []
            if "identifier" in parts:
                names.append(("default", file.text(parts["identifier"])))
            if "namespace_import" in parts:
                names.append((NAMESPACE, file.text(parts["namespace_import"].named_children[0])))
            braces = parts.get("named_imports")
            if braces is not None:
                names += _specifiers(file, braces)
            yield _Clause(module, names, braces, clause if list(parts) == ["identifier"] else None)


def _specifiers(file: File, braces: Node) -> Iterator[tuple[str, str]]:
    for specifier in braces.named_children:
        if specifier.type == "import_specifier" and specifier.children[0].type not in {"type", "typeof"}:
            name = specifier.child_by_field_name("name")
            local = specifier.child_by_field_name("alias") or name
            if name is not None and local is not None:
                yield file.text(name), file.text(local)


def _of_require(file: File, declarator: Node) -> Iterator[_Clause]:
    target, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
    member = MODULE
    if value is not None and value.type == "member_expression":
        name = value.child_by_field_name("property")
        member = file.text(name) if name is not None else MODULE
        value = value.child_by_field_name("object")
    module = _required(file, value)
    if module is None or target is None:
        return
    if target.type == "identifier":
        yield _Clause(module, [(member, file.text(target))], None, None)
    elif target.type == "object_pattern" and member == MODULE:
        yield _Clause(module, list(_destructured(file, target)), target, None)


def _destructured(file: File, pattern: Node) -> Iterator[tuple[str, str]]:
    for part in pattern.named_children:
        if part.type == "shorthand_property_identifier_pattern":
            yield file.text(part), file.text(part)
        elif part.type == "pair_pattern":
            key, local = part.child_by_field_name("key"), part.child_by_field_name("value")
            if key is not None and local is not None and local.type == "identifier":
                yield file.text(key), file.text(local)


def _required(file: File, node: Node | None) -> str | None:
    """The module of `require("m")`."""
    if node is None or node.type != "call_expression":
        return None
    callee, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if callee is None or arguments is None or file.text(callee) != "require" or len(arguments.named_children) != 1:
        return None
    return _string(file, arguments.named_children[0])


def _grants(imported: _Imported, request: ImportRequest) -> bool:
    if _unprefixed(imported.module) != _unprefixed(request.module):
        return False
    if request.name in {MODULE, "default"}:
        # With ES modules the module object of a CommonJS package is its default export.
        return imported.name in {MODULE, "default"} or (imported.name == NAMESPACE and request.name == MODULE)
    return imported.name == request.name


def _natural_name(request: ImportRequest) -> str:
    if request.alias or request.name not in {MODULE, "default"}:
        return request.alias or request.name
    module = _unprefixed(request.module)
    path = module if is_builtin(request.module) else module.rstrip("/").split("/")[-1]
    words = re.split(r"[^A-Za-z0-9_$]+", re.sub(r"\.[cm]?[jt]sx?$", "", path).strip("@./-"))
    return words[0] + "".join(word[:1].upper() + word[1:] for word in words[1:])


def _uses(file: File, name: str) -> Iterator[Node]:
    """Where a variable of that name stands in the file."""
    for match in re.finditer(rb"(?<![\w$])%s(?![\w$])" % re.escape(name.encode()), file.source):
        node = file.root.descendant_for_byte_range(*match.span())
        if node is not None and node.type in {
            "identifier",
            "shorthand_property_identifier",
            "shorthand_property_identifier_pattern",
        }:
            yield node


def _first_use(file: File, name: str) -> Node | None:
    """The first top-level statement that uses a name as soon as the file is loaded."""
    for node in _uses(file, name):
        while node.parent is not None and node.parent.parent is not None and node.type not in FUNCTIONS:
            node = node.parent
        if node.type not in FUNCTIONS:
            return node
    return None


def local_name(path: str, source: bytes, request: ImportRequest) -> str | None:
    """The name under which `request` can be used in this file once it is granted: that of an existing top-level import
    or `require`, else its alias or natural name (`node:fs` → `fs`, `./my-logger` → `myLogger`). None where that name
    stands in the file already, whatever it means there. `node:fs` and `fs` are the same module."""
    file = parse(path, source)
    if file is None:
        return None
    for imported in _imported(file):
        if _grants(imported, request):
            return imported.local
    name = _natural_name(request)
    return None if not name.isidentifier() or any(_uses(file, name)) else name


def is_bound_at(path: str, source: bytes, name: str, offset: int) -> bool:
    """Whether a top-level name (of a logger, say) can be used at `offset`: in a function, that runs later, or after the
    statement that binds it; ES imports and function declarations are there from the start."""
    file = parse(path, source)
    if file is None:
        return False
    node = file.root.descendant_for_byte_range(offset, offset)
    while node is not None:
        if node.type in FUNCTIONS:
            return True
        node = node.parent
    for statement in file.root.named_children:
        hoisted = statement.type in {"import_statement", "function_declaration"}
        if (hoisted or statement.end_byte <= offset) and name in _binds(file, statement):
            return True
    return False


def import_edits(path: str, source: bytes, requests: Iterable[ImportRequest]) -> Edits | None:
    """The edits that grant the requests at the top of the file, as `import` or `require` as the file does it; empty if
    nothing is missing. None where a name is bound to something else at the top level."""
    text = Text(source)
    for request in sorted(set(requests)):
        file = parse(path, text.content)
        if file is None:
            return None
        if any(_grants(imported, request) for imported in _imported(file)):
            continue
        if _natural_name(request) in top_level_names(file):
            return None
        text.apply(_join(file, request) or _add(file, request))
    return text.edits(path)


def top_level_names(file: File) -> set[str]:
    """The names that the file's top level binds."""
    return {name for statement in file.root.named_children for name in _binds(file, statement)}


def _binds(file: File, statement: Node) -> Iterator[str]:
    """The names that a top-level statement binds."""
    if statement.type == "export_statement":
        statement = statement.child_by_field_name("declaration") or statement
    if statement.type == "import_statement":
        yield from (local for clause in _of_import(file, statement) for _, local in clause.names)
    elif statement.type in DECLARATIONS:
        for declarator in statement.named_children:
            target = declarator.child_by_field_name("name")
            if target is not None:
                yield from (file.text(node) for node in [target, *walk(target)] if node.type.endswith(_BINDERS))
    elif (name := statement.child_by_field_name("name")) is not None:
        yield file.text(name)


_BINDERS = ("identifier", "shorthand_property_identifier_pattern")


def _join(file: File, request: ImportRequest) -> Edits | None:
    """Adds a name to an import of the same module, if there is one to add to."""
    if request.name in {MODULE, "default"}:
        return None
    same = [clause for clause in _clauses(file) if _unprefixed(clause.module) == _unprefixed(request.module)]
    for clause in same:
        if clause.braces is not None:
            edits = _append_name(file, clause.braces, _item(request, clause.braces.type == "named_imports"))
            if edits is not None:
                return edits
    for clause in same:
        if clause.default is not None:
            end = clause.default.end_byte
            return (Edit(file.path, end, end, f", {file.style.braces(_item(request, True))}"),)
    return None


def _item(request: ImportRequest, is_import: bool) -> str:
    """A name as it stands in the braces of an `import` or of a destructuring."""
    if request.alias in {"", request.name}:
        return request.name
    return request.name + (" as " if is_import else ": ") + request.alias


def _append_name(file: File, names: Node, item: str) -> Edits | None:
    items = [child for child in names.named_children if child.type != "comment"]
    if not items:
        return (Edit(file.path, names.start_byte, names.end_byte, file.style.braces(item)),)
    if items[-1].type == "rest_pattern":
        return None
    last = items[-1]
    comma = last.next_sibling
    comma_end = comma.end_byte if comma is not None and comma.type == "," else -1
    span = (last.start_byte, last.end_byte)
    return append_item(file.path, file.source, span, comma_end, item, file.style.newline)


def _import_statement(file: File, request: ImportRequest) -> str:
    style = file.style
    module = request.module
    if is_builtin(module) and module not in ONLY_PREFIXED:
        known = [imported.module for imported in _imported(file) if is_builtin(imported.module)]
        if known and not any(other.startswith("node:") for other in known):
            module = _unprefixed(module)
    local = _natural_name(request)
    if request.name not in {MODULE, "default"}:
        target = style.braces(_item(request, style.esm))
    elif style.esm and request.name == MODULE and not _by_default(file, module):
        target = f"* as {local}"
    else:
        target = local
    end = ";" if style.semicolons else ""
    quoted = style.string(module)
    return f"import {target} from {quoted}{end}" if style.esm else f"{style.declare} {target} = require({quoted}){end}"


def _by_default(file: File, module: str) -> bool:
    """Whether the file takes the module object of a CommonJS module as its default export."""
    if module.startswith("."):
        return False
    kinds = [
        imported.name
        for imported in _imported(file)
        if is_builtin(imported.module) == is_builtin(module) and not imported.module.startswith(".")
    ]
    if NAMESPACE in kinds or "default" in kinds:
        return kinds.count("default") >= kinds.count(NAMESPACE)
    return not file.style.typescript


def _category(module: str) -> int:
    return 2 if module.startswith((".", "/", "~")) else 0 if is_builtin(module) else 1


def _import_statements(file: File) -> list[tuple[Node, int]]:
    """The top-level statements that import, before the first that holds a function, and the category of each: built-in
    module, package, or file of the project."""
    found = []
    for statement in file.root.named_children:
        if holds_function(statement):
            break
        modules = _modules(file, statement)
        if modules:
            found.append((statement, min(_category(module) for module in modules)))
    return found


def _modules(file: File, statement: Node) -> list[str]:
    if statement.type == "import_statement":
        source = statement.child_by_field_name("source")
        if source is None:
            source = next((node for node in walk(statement) if node.type == "string"), None)
        module = _string(file, source)
        return [] if module is None else [module]
    if statement.type in DECLARATIONS | {"expression_statement"}:
        required = (_required(file, node) for node in walk(statement))
        return [module for module in required if module is not None]
    return []


def _add(file: File, request: ImportRequest) -> Edits:
    """Adds a statement after the last of its category or a lower one in the first run of imports."""
    statement = _import_statement(file, request)
    imports = _import_statements(file)
    if not imports:
        return insert_first(file, statement)
    run = [imports[0]]
    for candidate in imports[1:]:
        previous = run[-1][0].next_named_sibling
        while previous is not None and previous.type == "comment":
            previous = previous.next_named_sibling
        if previous != candidate[0]:
            break
        run.append(candidate)
    category = _category(request.module)
    before = [node for node, other in run if other <= category]
    # An ES import is there before the first statement runs, a `require` is not.
    use = None if file.style.esm else _first_use(file, _natural_name(request))
    if before and (use is None or before[-1].start_byte < use.start_byte):
        return insert_after(file, before[-1], statement)
    target = run[0][0] if use is None or run[0][0].start_byte < use.start_byte else use
    return insert_before(file, target, statement)


def insert_after(file: File, node: Node, text: str, *, above: int = 0, below: int = 0) -> Edits:
    """Inserts lines after the line on which a top-level statement ends."""
    offset = next_line(file.source, node.end_byte)
    if any(child.start_byte < offset < child.end_byte for child in file.root.children):
        offset = node.end_byte  # something that begins on that line ends on a later one
    return _insert(file, offset, text, above, below)


def insert_before(file: File, node: Node, text: str, *, below: int = 0) -> Edits:
    """Inserts lines before the line on which a top-level node begins."""
    start = node.start_byte
    return _insert(file, line_start(file.source, start) if begins_line(file.source, start) else start, text, 0, below)


def _insert(file: File, offset: int, text: str, above: int, below: int) -> Edits:
    following = (child for child in file.root.named_children if child.start_byte >= offset and child.type != "comment")
    next_statement = next(following, None)
    joined = next_statement is not None and continues_a_line(file.source, next_statement.start_byte)
    ended = f"{text};" if joined and not text.endswith(";") else text
    return insert_lines(file.path, file.source, offset, ended, file.style.newline, above=above, below=below)


def insert_first(file: File, text: str) -> Edits:
    """Inserts lines where a file without imports has them: after the hash-bang, directives and the comments about the
    file, before everything else."""
    prologue: Node | None = None
    first: Node | None = None
    for child in file.root.named_children:
        is_directive = child.type == "expression_statement" and child.named_children[0].type == "string"
        if child.type == "hash_bang_line" or is_directive:
            prologue = child
        elif child.type != "comment":
            first = child
            break
    if prologue is not None:
        return insert_after(file, prologue, text, above=1, below=1)
    if first is None:
        return insert_lines(file.path, file.source, len(file.source), text, file.style.newline)
    target = first
    comment = first.prev_named_sibling
    while comment is not None and comment.type == "comment" and _is_above(file, comment, target):
        if ABOUT_THE_FILE.search(file.source, comment.start_byte, comment.end_byte) or not holds_function(first):
            break
        target = comment
        comment = comment.prev_named_sibling
    return insert_before(file, target, text, below=1)


def _is_above(file: File, comment: Node, node: Node) -> bool:
    """Whether a comment stands on lines of its own right above a node."""
    alone = begins_line(file.source, comment.start_byte) and begins_line(file.source, node.start_byte)
    return alone and next_line(file.source, comment.end_byte) == line_start(file.source, node.start_byte)


def statement_after_imports(file: File, text: str, before: int | None) -> Edits:
    """Inserts a statement after the imports of the head of the file, at the latest before the one around `before`."""
    imports = _import_statements(file)
    if before is not None:
        for statement in file.root.named_children:
            if (
                statement.start_byte <= before < statement.end_byte
                and imports
                and statement.end_byte <= imports[-1][0].end_byte
            ):
                return insert_before(file, statement, text)
    if not imports:
        return insert_first(file, text)
    alike = _alike_after(file, imports[-1][0], text)
    if alike is not None:
        return insert_after(file, alike, text)
    return insert_after(file, imports[-1][0], text, above=1, below=1)


def _alike_after(file: File, node: Node, text: str) -> Node | None:
    """The last of the declarations right after a node that take their value from where `text` takes it: `const A =
    process.env.A`."""
    origin = text.partition(" = ")[2].rpartition(".")[0]
    found = None
    following = node.next_named_sibling
    while origin and following is not None and following.type in DECLARATIONS:
        if f" = {origin}." not in file.text(following):
            break
        found, following = following, following.next_named_sibling
    return found
