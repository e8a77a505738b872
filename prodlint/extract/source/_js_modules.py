"""What a JavaScript file asks other modules for and what it offers them: `import`, `export`, CommonJS."""

from __future__ import annotations

from tree_sitter import Node

from prodlint.extract.source._build import UNKNOWN
from prodlint.extract.source._js_scopes import Initialiser, pattern_names
from prodlint.extract.source._js_walk import Handler, Hint, Walk
from prodlint.facts import NONE, Call, ExitKind, Export, Import, ImportKind, Use, ValueKind
from prodlint.lazy_regex import regex

# `require("m")`, `await import("m")`, `(await import("m")).a.b`: what is bound to an import at once.
_LOADED = regex(
    r"\(?\s*(?:require|await\s+import)\s*\(\s*([\"'`])([^\"'`\\$]+)\1\s*,?\s*\)\s*\)?(?P<members>(?:\s*\.\s*[\w$]+)*)"
)
_LONGEST_LOADED = 300
_CLAUSES = frozenset({"import_clause", "import_require_clause"})
_PLAIN_KEYS = frozenset({"property_identifier", "shorthand_property_identifier_pattern"})
_NAMES = frozenset({"identifier", "shorthand_property_identifier_pattern"})


# Before the walk


def bind_imports(walk: Walk, root: Node) -> None:
    """Give names that are only ever bound to an import that value, wherever they are used."""
    for child in root.children:
        if child.type == "import_statement":
            _import_statement(walk, child)
    for initialiser in walk.scopes.initialisers:
        _bind_loaded(walk, initialiser)


def _bind_loaded(walk: Walk, initialiser: Initialiser) -> None:
    start, end = initialiser.value.start_byte, initialiser.value.end_byte
    match = _LOADED.fullmatch(walk.source.between(start, min(end, start + _LONGEST_LOADED)))
    scope = initialiser.scope
    if match is None or (match[0].lstrip("( ").startswith("require") and scope.find("require") is not None):
        return
    value = walk.values.plain(ValueKind.IMPORT, text=match[2])
    for part in match["members"].split(".")[1:]:
        value = walk.member(value, part.strip())
    pending = [(initialiser.target, value)]
    while pending:
        node, value = pending.pop()
        kind = node.type
        if kind in _NAMES:
            name = scope.find(walk.source.of(node))
            if name is not None and name.writes == 1:
                name.value = value
        elif kind == "object_pattern":
            for child in node.named_children:
                key, bound = child.child_by_field_name("key") or child, child.child_by_field_name("value") or child
                if key.type in _PLAIN_KEYS:
                    pending.append((bound, walk.member(value, walk.source.of(key))))


# `import`


def _import_statement(walk: Walk, node: Node) -> None:
    clause = next((child for child in node.named_children if child.type in _CLAUSES), None)
    source = node.child_by_field_name("source")
    if source is None and clause is not None:
        source = clause.child_by_field_name("source")
    if source is None:
        return
    module = walk.source.string(source)
    is_type = any(child.type in ("type", "typeof") for child in node.children)
    kind = ImportKind.TYPE if is_type else ImportKind.IMPORT
    request = Import(kind, module, node.start_byte, node.end_byte, walk.region)
    walk.imports.append(request)
    if clause is None:
        return
    value = walk.values.plain(ValueKind.IMPORT, text=module)
    if clause.type == "import_require_clause":
        request.kind = ImportKind.REQUIRE
        for child in clause.named_children[:1]:
            _bind_import(walk, request, "*", walk.source.of(child), value)
    else:
        _import_clause(walk, clause, request, value)


def _import_clause(walk: Walk, clause: Node, request: Import, value: int) -> None:
    for child in clause.named_children:
        kind = child.type
        if kind == "identifier":
            _bind_import(walk, request, "default", walk.source.of(child), walk.member(value, "default"))
        elif kind == "namespace_import":
            for name in child.named_children:
                _bind_import(walk, request, "*", walk.source.of(name), value)
        elif kind == "named_imports":
            for specifier in child.named_children:
                names = _specifier(walk, specifier)
                if names is not None:
                    _bind_import(walk, request, names[0], names[1], walk.member(value, names[0]))


def _specifier(walk: Walk, node: Node) -> tuple[str, str] | None:
    """Return the two names of `a as b` in an import or export; twice the same where it is `a` alone."""
    name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
    if name is None:
        return None
    first, second = (
        walk.source.string(part) if part.type == "string" else walk.source.of(part) for part in (name, alias or name)
    )
    return first, second


def _bind_import(walk: Walk, request: Import, name: str, local: str, value: int) -> None:
    request.names.append(name)
    request.locals.append(local)
    walk.assign(local, value)


def import_alias(walk: Walk, node: Node, use: Use, user: int) -> int:
    """TypeScript's `import a = b.c`."""
    parts = node.named_children
    if len(parts) == 2:
        first, *rest = (part.strip() for part in walk.source.of(parts[1]).split("."))
        value = walk.named(first)
        for part in rest:
            value = walk.member(value, part)
        walk.assign(walk.source.of(parts[0]), value)
    return UNKNOWN


def skip(walk: Walk, node: Node, use: Use, user: int) -> int:
    """What was read before the walk."""
    return UNKNOWN


# `require` and `import()`


def load_module(walk: Walk, index: int) -> int:
    """Record the import that calls[index], a `require(x)` or `import(x)`, makes and return its value."""
    call = walk.calls[index]
    is_require = walk.values.facts[call.callee].text == "require"
    kind = ImportKind.REQUIRE if is_require else ImportKind.DYNAMIC
    argument = walk.values.facts[call.args[0]] if call.args else None
    module = argument.text if argument is not None and argument.kind is ValueKind.STRING else ""
    walk.imports.append(Import(kind, module, call.start, call.end, walk.region))
    return walk.values.plain(ValueKind.IMPORT, text=module) if module else walk.values.plain(ValueKind.CALL, index)


def name_request(walk: Walk, before: int, target: Node, value: int) -> None:
    """Note the names that `target = value` binds, if value is what imports[before] loads."""
    if len(walk.imports) != before + 1:
        return
    request, loaded = walk.imports[before], walk.values.facts[value]
    is_name = target.type == "identifier"
    if loaded.kind is ValueKind.IMPORT and loaded.text == request.module:
        pairs = [("*", walk.source.of(target))] if is_name else _pattern_pairs(walk, target)
    elif loaded.kind is ValueKind.MEMBER and walk.values.facts[loaded.ref].kind is ValueKind.IMPORT and is_name:
        pairs = [(loaded.text, walk.source.of(target))]
    else:
        return
    request.names, request.locals = [name for name, _ in pairs], [local for _, local in pairs]


def _pattern_pairs(walk: Walk, pattern: Node) -> list[tuple[str, str]]:
    """Return what an object pattern takes, with the local name of each."""
    pairs = []
    for child in pattern.named_children if pattern.type == "object_pattern" else ():
        local = next(pattern_names(child), None)
        if local is None:
            continue
        key = child.child_by_field_name("key")
        name = "*" if child.type == "rest_pattern" else walk.source.of(key or local)
        pairs.append((name, walk.source.of(local)))
    return pairs


# CommonJS exports


def assign_export(walk: Walk, left: Node, target: int, name: str, value: int) -> bool:
    """Record the export that `target.name = value` makes. Return whether it is nothing but an export."""
    if not name:
        return False
    if target in walk.export_objects:
        walk.exports.append(Export(name, value, left.start_byte, left.end_byte))
        # Through an alias of `module.exports` it is a store like any other, too.
        return walk.values.facts[target].kind is not ValueKind.BINDING
    if name == "exports" and walk.values.member(target, name) in walk.export_objects:
        walk.exports.append(Export("=", value, left.start_byte, left.end_byte))
        _export_members(walk, value, left.start_byte, left.end_byte)
        return True
    return False


def note_exports_alias(walk: Walk, binding: int, initial: Node) -> None:
    """Remember that `const x = module.exports = v` makes x another name of `module.exports`."""
    if initial.type == "assignment_expression" and len(walk.bindings[binding].values) == 1:
        walk.export_objects.add(walk.values.plain(ValueKind.BINDING, binding))


def _export_members(walk: Walk, value: int, start: int, end: int) -> None:
    """Record the members of an object literal that is exported as a whole."""
    exported = walk.values.facts[value]
    if exported.kind is not ValueKind.OBJECT:
        return
    for name, item in zip(exported.names, exported.items, strict=True):
        if name == "...":
            if walk.values.facts[item].kind is ValueKind.IMPORT:
                walk.exports.append(Export("*", item, start, end))
        elif name != "[]":
            walk.exports.append(Export(name, item, start, end))


def export_through_call(walk: Walk, call: Call) -> None:
    """Record what a call that is given `exports` puts there: `Object.assign` and what compilers write."""
    callee = walk.values.facts[call.callee]
    name = callee.text or (walk.bindings[callee.ref].name if callee.kind is ValueKind.BINDING else "")
    first, rest = call.args[0], call.args[1:]
    if name == "assign" and first in walk.export_objects:
        for value in rest:
            _export_members(walk, value, call.start, call.end)
    elif name == "defineProperty" and first in walk.export_objects and len(rest) == 2:
        key = walk.values.facts[rest[0]]
        if key.kind is ValueKind.STRING and key.text != "__esModule":
            walk.exports.append(Export(key.text, _described(walk, rest[1]), call.start, call.end))
    elif name == "__exportStar" and walk.values.facts[first].kind is ValueKind.IMPORT:
        walk.exports.append(Export("*", first, call.start, call.end))


def _described(walk: Walk, descriptor: int) -> int:
    """Return the value of a property that `Object.defineProperty` defines by `{value}` or `{get}`."""
    fact = walk.values.facts[descriptor]
    parts = dict(zip(fact.names, fact.items, strict=False))
    getter = walk.values.facts[parts.get("get", UNKNOWN)]
    if getter.kind is ValueKind.FUNCTION:
        region = walk.functions[getter.ref].region
        for way_out in reversed(walk.exits):
            if way_out.region == region and way_out.kind is ExitKind.RETURN and way_out.value != NONE:
                return way_out.value
    return parts.get("value", UNKNOWN)


# `export`


def export_statement(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`export ...` in all its forms."""
    tokens = {child.type for child in node.children}
    source = node.child_by_field_name("source")
    if source is not None:
        _reexport(walk, node, walk.source.string(source), ImportKind.TYPE if "type" in tokens else ImportKind.REEXPORT)
        return UNKNOWN
    clause = next((child for child in node.named_children if child.type == "export_clause"), None)
    if clause is not None:
        for specifier in clause.named_children:
            names = _specifier(walk, specifier)
            if names is not None:
                _use(walk, names[0])
                _export_named(walk, names[1], names[0], specifier)
        return UNKNOWN
    declaration = node.child_by_field_name("declaration") or node.child_by_field_name("value")
    if declaration is not None and (decorators := _decorators(walk, node)):
        walk.hints[declaration.id] = Hint(decorators=decorators)
    if "default" in tokens and declaration is not None:
        value = walk.value(declaration, Use.ASSIGNED, NONE)
        name = declaration.child_by_field_name("name")
        is_declared = name is not None and declaration.type.endswith("_declaration")
        if is_declared and name is not None:
            _export_named(walk, "default", walk.source.of(name), declaration)
        elif declaration.type != "type_alias_declaration":
            _export(walk, "default", value, declaration)
    elif declaration is not None:
        walk.value(declaration, Use.STATEMENT, NONE)
        for declared in _declared_names(declaration):
            text = walk.source.of(declared)
            _export_named(walk, text, text, declared)
    elif "=" in tokens:
        for child in node.named_children:
            value = walk.value(child, Use.ASSIGNED, NONE)
            _export(walk, "=", value, child)
            _export_members(walk, value, child.start_byte, child.end_byte)
    else:
        walk.children(node)
    return UNKNOWN


def _reexport(walk: Walk, node: Node, module: str, kind: ImportKind) -> None:
    request = Import(kind, module, node.start_byte, node.end_byte, walk.region)
    walk.imports.append(request)
    value = walk.values.plain(ValueKind.IMPORT, text=module)
    is_star = True
    for child in node.named_children:
        if child.type == "export_clause":
            is_star = False
            for specifier in child.named_children:
                names = _specifier(walk, specifier)
                if names is not None:
                    request.names.append(names[0])
                    request.locals.append(names[1])
                    _export(walk, names[1], walk.member(value, names[0]), specifier)
        elif child.type == "namespace_export":
            is_star = False
            for name in child.named_children:
                request.names.append("*")
                request.locals.append(walk.source.of(name))
                _export(walk, walk.source.of(name), value, name)
    if is_star:
        _export(walk, "*", value, node)


def _use(walk: Walk, text: str) -> None:
    name = walk.scope.find(text)
    if name is not None:
        name.used = True


def _decorators(walk: Walk, node: Node) -> tuple[int, ...]:
    return tuple(
        walk.value(part, Use.DECORATOR, NONE)
        for child in node.children
        if child.type == "decorator"
        for part in child.named_children
    )


def _declared_names(declaration: Node) -> list[Node]:
    """Return the names that an exported declaration declares."""
    kind = declaration.type
    if kind in ("lexical_declaration", "variable_declaration", "using_declaration"):
        targets = [child.child_by_field_name("name") for child in declaration.named_children]
        return [name for target in targets if target is not None for name in pattern_names(target)]
    name = declaration.child_by_field_name("name")
    is_value = kind not in ("type_alias_declaration", "function_signature")
    return [name] if name is not None and is_value else []


def _export_named(walk: Walk, name: str, local: str, node: Node) -> None:
    """Export what is called `local` here: a value, else an interface; other types are nothing."""
    if walk.scope.find(local) is None and local in walk.scopes.interfaces:
        _export(walk, name, walk.values.plain(ValueKind.CLASS, walk.scopes.interfaces[local]), node)
    elif local not in walk.scopes.types or walk.scope.find(local) is not None:
        _export(walk, name, walk.named(local), node)


def _export(walk: Walk, name: str, value: int, node: Node) -> None:
    walk.exports.append(Export(name, value, node.start_byte, node.end_byte))


MODULES: dict[str, Handler] = {
    "import_statement": skip,
    "import_alias": import_alias,
    "export_statement": export_statement,
}
