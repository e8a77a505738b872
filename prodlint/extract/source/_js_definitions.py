"""Handlers of functions, classes and declared variables, and the values of declared types."""

from __future__ import annotations

import re
from itertools import takewhile

from tree_sitter import Node

from prodlint.extract.source._build import UNKNOWN
from prodlint.extract.source._js_expressions import bind, last_value, member_name, property_key
from prodlint.extract.source._js_modules import name_request, note_exports_alias
from prodlint.extract.source._js_scopes import pattern_names
from prodlint.extract.source._js_walk import Handler, Hint, Walk, is_definition
from prodlint.facts import NONE, Class, ExitKind, Function, FunctionKind, Param, ParamKind, RegionKind, Use, ValueKind
from prodlint.lazy_regex import regex

_KINDS = {
    "function_declaration": FunctionKind.FUNCTION,
    "generator_function_declaration": FunctionKind.FUNCTION,
    "function_expression": FunctionKind.EXPRESSION,
    "generator_function": FunctionKind.EXPRESSION,
    "arrow_function": FunctionKind.ARROW,
    "method_definition": FunctionKind.METHOD,
}
_FIELDS = frozenset({"field_definition", "public_field_definition"})
_PARAMETER_PROPERTY = frozenset({"accessibility_modifier", "override_modifier", "readonly"})
_ERRORS = regex(r"\b(?:err|ignor|fail|fatal)", re.IGNORECASE)
_NULLISH_TYPES = frozenset({"null", "undefined", "void"})


# Functions


def function(walk: Walk, node: Node, use: Use, user: int) -> int:
    """A function of any kind: its record, its parameters and its body."""
    hint = walk.hints.pop(node.id, Hint())
    index = walk.scopes.functions[node.id]
    fact = walk.functions[index]
    fact.kind = _KINDS[node.type]
    fact.parent, fact.cls, fact.is_static, fact.decorators = walk.function, hint.cls, hint.is_static, [*hint.decorators]
    name = node.child_by_field_name("name")
    fact.name = hint.name
    if name is not None:
        fact.name = hint.name or property_key(walk, name)
    parameters = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
    fact.start = _start(node)
    keyword = _read_keywords(node, fact)
    if fact.kind is FunctionKind.METHOD and fact.name == "constructor" and hint.cls != NONE and not hint.is_static:
        fact.kind = FunctionKind.CONSTRUCTOR
    pointed_at = name or keyword or parameters or node
    fact.name_start, fact.name_end = pointed_at.start_byte, pointed_at.end_byte

    outer = walk.region, walk.function, walk.cls, walk.enter(node)
    walk.function = index
    if fact.kind is not FunctionKind.ARROW:
        walk.cls = hint.cls
    body = node.child_by_field_name("body")
    declared = node.child_by_field_name("return_type")
    if declared is not None:
        fact.result = annotation(walk, _of_promise(walk, declared))
    walk.region = fact.region = walk.body(RegionKind.BODY, body or node)
    if parameters is not None:
        fact.params = _parameters(walk, parameters, index, outer[0])
    if body is not None:
        walk.regions[fact.region].has_comment = _speaks_of_errors(walk, body)
        _body(walk, body)
    walk.region, walk.function, walk.cls, walk.scope = outer
    return walk.values.plain(ValueKind.FUNCTION, index)


def _of_promise(walk: Walk, declared: Node) -> Node:
    """What is declared to be answered: of `Promise<T>`, T."""
    inner = declared.named_child(0) if declared.type == "type_annotation" else declared
    if inner is None or inner.type != "generic_type":
        return declared
    name, arguments = inner.child_by_field_name("name"), inner.child_by_field_name("type_arguments")
    if name is None or walk.source.of(name) != "Promise" or arguments is None or not arguments.named_child_count:
        return declared
    return arguments.named_child(0) or declared


def _speaks_of_errors(walk: Walk, body: Node) -> bool:
    """Whether a function's body begins with comments of which one says something of errors."""
    if body.type != "statement_block":
        return False
    comments = takewhile(lambda child: child.type == "comment", body.named_children)
    return any(_ERRORS.search(walk.source.of(comment)) is not None for comment in comments)


def _read_keywords(node: Node, fact: Function) -> Node | None:
    """Read what stands before the parameters of a function; return the keyword `function`, if there is one."""
    keyword = None
    for child in node.children:
        token = child.type
        if token == "decorator":
            continue
        if token in ("formal_parameters", "=>"):
            break
        if token == "async":
            fact.is_async = True
        elif token == "*":
            fact.is_generator = True
        elif token in ("get", "set"):
            fact.kind = FunctionKind.ACCESSOR
        elif token == "function":
            keyword = child
    return keyword


def _body(walk: Walk, body: Node) -> None:
    if body.type == "statement_block":
        walk.value(body, Use.STATEMENT, NONE)
    else:
        value = walk.value(body, Use.RETURNED, NONE)
        walk.leave(ExitKind.RETURN, body, value)


# Parameters


def _parameters(walk: Walk, node: Node, index: int, outer_region: int) -> list[Param]:
    """Read the parameters of functions[index]; their decorators run in `outer_region`, their defaults in the body."""
    written = [node] if node.type != "formal_parameters" else node.named_children
    result: list[Param] = []
    for child in written:
        kind = child.type
        if kind in ("comment", "ERROR", "decorator"):
            continue
        pattern, default, declared = child, None, None
        if kind == "assignment_pattern":
            pattern, default = child.child_by_field_name("left") or child, child.child_by_field_name("right")
        elif kind in ("required_parameter", "optional_parameter"):
            pattern, default = child.child_by_field_name("pattern") or child, child.child_by_field_name("value")
            declared = child.child_by_field_name("type")
            if pattern.type == "this":
                continue
        result.append(_parameter(walk, child, pattern, index, len(result)))
        _read_details(walk, result[-1], child, default, declared, outer_region)
    return result


def _parameter(walk: Walk, node: Node, pattern: Node, index: int, position: int) -> Param:
    param = Param("", node.start_byte, node.end_byte)
    if pattern.type == "rest_pattern":
        param.kind = ParamKind.REST
        pattern = next(iter(pattern.named_children), pattern)
    bound = [walk.source.of(name) for name in pattern_names(pattern)]
    if pattern.type == "identifier":
        param.name = bound[0]
    else:
        param.names = bound
        param.kind = ParamKind.PATTERN if param.kind is ParamKind.NORMAL else param.kind
    if not _is_property(node):
        walk.watch_parameter(param, bound)
    bind(walk, pattern, walk.values.compound(ValueKind.PARAM, [position], index, param.name))
    return param


def _read_details(
    walk: Walk, param: Param, node: Node, default: Node | None, declared: Node | None, outer_region: int
) -> None:
    if default is not None:
        param.default = walk.named_value(default, param.name, Use.ASSIGNED, NONE)
    if declared is not None:
        param.annotation = annotation(walk, declared)
    if node.type in ("required_parameter", "optional_parameter"):
        inner, walk.region = walk.region, outer_region
        param.metadata = _decorators(walk, node)
        walk.region = inner


def _decorators(walk: Walk, node: Node) -> list[int]:
    """Return the values of the decorators written inside `node`."""
    return [last_value(walk, child, Use.DECORATOR, NONE) for child in node.children if child.type == "decorator"]


def _start(node: Node) -> int:
    """Return where a definition starts, its decorators left out."""
    parts = (child.start_byte for child in node.children if child.type not in ("decorator", "comment"))
    return next(parts, node.start_byte)


# Classes


def class_(walk: Walk, node: Node, use: Use, user: int) -> int:
    """A class: its record, its members and what runs in its body."""
    hint = walk.hints.pop(node.id, Hint())
    index = walk.scopes.classes[node.id]
    fact = walk.classes[index]
    fact.function, fact.region = walk.function, walk.region
    name = node.child_by_field_name("name")
    fact.name = walk.source.of(name) if name is not None else hint.name
    fact.decorators = [*hint.decorators, *_decorators(walk, node)]
    outer = walk.enter(node)
    fact.start = _start(node)
    for child in node.children:
        if child.type == "class_heritage":
            fact.bases = _bases(walk, child)
            fact.implements = _implemented(walk, child)
    fact.is_abstract = node.type == "abstract_class_declaration"
    body = node.child_by_field_name("body")
    if body is not None:
        _class_body(walk, body, index)
    walk.scope = outer
    value = walk.values.plain(ValueKind.CLASS, index)
    if node.type != "class" and name is not None:
        walk.assign(fact.name, value)
    return value


def _bases(walk: Walk, heritage: Node) -> list[int]:
    bases = []
    for child in heritage.children:
        if child.type == "extends_clause":
            bases += [walk.value(base, Use.OTHER, NONE) for base in child.children_by_field_name("value")]
        elif walk.handler(child) is not None:
            bases.append(walk.value(child, Use.OTHER, NONE))
    return bases


def _implemented(walk: Walk, heritage: Node) -> list[int]:
    clauses = [child for child in heritage.children if child.type == "implements_clause"]
    types = [annotation(walk, declared) for clause in clauses for declared in clause.named_children]
    return [declared for declared in types if declared != NONE]


def interface(walk: Walk, node: Node, use: Use, user: int) -> int:
    """A TypeScript interface: what it extends, and its properties of a type that is known. Several of one name are
    one."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None or node.id not in walk.scopes.classes:
        return UNKNOWN
    fact = walk.classes[walk.scopes.classes[node.id]]
    fact.name, fact.function, fact.region, fact.is_abstract = walk.source.of(name), walk.function, walk.region, True
    for child in node.named_children:
        if child.type == "extends_type_clause":
            types = [annotation(walk, declared) for declared in child.named_children]
            fact.bases += [declared for declared in types if declared != NONE]
    for member in body.named_children if body is not None else ():
        key = member.child_by_field_name("name")
        if member.type == "property_signature" and key is not None:
            value = _instance(walk, member.child_by_field_name("type"))
            if value != UNKNOWN:
                fact.names.append(property_key(walk, key))
                fact.members.append(value)
    return UNKNOWN


def _class_body(walk: Walk, body: Node, index: int) -> None:
    region = walk.body(RegionKind.CLASS, body)
    outer = walk.region, walk.cls
    walk.region = region
    decorators: list[int] = []
    for member in body.named_children:
        kind = member.type
        if kind == "decorator":
            decorators.append(last_value(walk, member, Use.DECORATOR, NONE))
            continue
        if kind == "comment":
            continue
        if kind == "method_definition":
            _method(walk, member, index, decorators)
        elif kind in _FIELDS:
            _field(walk, member, index)
        else:
            walk.cls = index
            walk.value(member, Use.STATEMENT, NONE)
            walk.cls = outer[1]
        decorators = []
    walk.region, walk.cls = outer


def _method(walk: Walk, node: Node, index: int, decorators: list[int]) -> None:
    key = node.child_by_field_name("name")
    name = property_key(walk, key) if key is not None else ""
    decorators += _decorators(walk, node)
    walk.hints[node.id] = Hint(name, index, tuple(decorators), _is_static(node))
    fact = walk.classes[index]
    position = len(fact.names)
    fact.names.append(member_name(node, name))
    fact.members.append(UNKNOWN)
    fact.members[position] = walk.value(node, Use.OTHER, NONE)
    parameters = node.child_by_field_name("parameters")
    if name == "constructor" and parameters is not None:
        _parameter_properties(walk, parameters, fact, walk.scopes.functions[node.id])


def _parameter_properties(walk: Walk, parameters: Node, fact: Class, constructor: int) -> None:
    params = {param.start: position for position, param in enumerate(walk.functions[constructor].params)}
    for child in parameters.named_children:
        pattern = child.child_by_field_name("pattern")
        if pattern is not None and _is_property(child) and child.start_byte in params:
            name = walk.source.of(pattern)
            position = params[child.start_byte]
            fact.names.append(name)
            fact.members.append(walk.values.compound(ValueKind.PARAM, [position], constructor, name))


def _is_property(parameter: Node) -> bool:
    """Return whether a TypeScript constructor's parameter declares a property, too."""
    return any(part.type in _PARAMETER_PROPERTY for part in parameter.children)


def _field(walk: Walk, node: Node, index: int) -> None:
    key = node.child_by_field_name("property") or node.child_by_field_name("name")
    name = property_key(walk, key) if key is not None else ""
    decorators = _decorators(walk, node)
    initial = node.child_by_field_name("value")
    outer, walk.cls = walk.cls, index
    if initial is None:
        value = _instance(walk, node.child_by_field_name("type"))
    else:
        if is_definition(initial):
            walk.hints[initial.id] = Hint(name, index, tuple(decorators), _is_static(node))
        value = walk.value(initial, Use.ASSIGNED, NONE)
    walk.cls = outer
    walk.classes[index].names.append(name)
    walk.classes[index].members.append(value)


def _is_static(node: Node) -> bool:
    return any(child.type == "static" for child in node.children)


def _instance(walk: Walk, declared: Node | None) -> int:
    cls = annotation(walk, declared) if declared is not None else NONE
    return walk.values.plain(ValueKind.INSTANCE, cls) if cls != NONE else UNKNOWN


# Declared types


def annotation(walk: Walk, node: Node) -> int:
    """Return the value that a declared type refers to (`Model<X>`: Model, `X | null`: X), or NONE."""
    while True:
        kind = node.type
        if kind in ("type_annotation", "parenthesized_type", "readonly_type"):
            inner = node.named_children[-1:]
        elif kind == "generic_type":
            inner = node.named_children[:1]
        elif kind == "union_type":
            inner = _meaningful(walk, node)
        else:
            break
        if len(inner) != 1:
            return NONE
        node = inner[0]
    if kind in ("type_identifier", "identifier"):
        return _type_reference(walk, walk.source.of(node))
    if kind in ("nested_type_identifier", "nested_identifier"):
        return _qualified(walk, walk.source.of(node))
    return NONE


def _meaningful(walk: Walk, union: Node) -> list[Node]:
    """Return the parts of a union that are neither null nor undefined. `A | B | C` nests to the left."""
    pending, parts = [union], []
    while pending:
        for child in pending.pop().named_children:
            if child.type == "union_type":
                pending.append(child)
            elif child.type != "comment" and walk.source.of(child) not in _NULLISH_TYPES:
                parts.append(child)
    return parts


def _type_reference(walk: Walk, text: str) -> int:
    name = walk.scope.find(text)
    if name is not None:
        return walk.resolve(text, name)
    if text in walk.scopes.interfaces:
        return walk.values.plain(ValueKind.CLASS, walk.scopes.interfaces[text])
    return NONE if text in walk.scopes.types else walk.values.plain(ValueKind.GLOBAL, text=text)


def _qualified(walk: Walk, text: str) -> int:
    first, *rest = (part.strip() for part in text.split("."))
    value = _type_reference(walk, first)
    for part in rest:
        value = walk.member(value, part) if value != NONE else NONE
    return value


# Variables


def declarator(walk: Walk, node: Node, use: Use, user: int) -> int:
    """One `x = v` of a `const`, `let` or `var`."""
    target, initial = node.child_by_field_name("name"), node.child_by_field_name("value")
    if target is None:
        return UNKNOWN
    is_name = target.type == "identifier"
    text = walk.source.of(target) if is_name else ""
    binding = walk.binding(text) if is_name else NONE
    declared = node.child_by_field_name("type")
    if declared is not None and binding != NONE:
        walk.bindings[binding].annotation = annotation(walk, declared)
    if initial is not None:
        before = len(walk.imports)
        exported = len(walk.exports)
        value = walk.named_value(initial, text, Use.ASSIGNED, binding)
        if is_name:
            walk.assign(text, value)
        else:
            bind(walk, target, value)
        name_request(walk, before, target, value)
        if binding != NONE and any(export.name == "=" for export in walk.exports[exported:]):
            note_exports_alias(walk, binding, initial)
    return UNKNOWN


def enum(walk: Walk, node: Node, use: Use, user: int) -> int:
    """A TypeScript enum: an object of its members."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None or body is None:
        return UNKNOWN
    names: list[str] = []
    items: list[int] = []
    walk.open_scopes += 1  # its members are names in it
    for child in body.named_children:
        if child.type == "comment":
            continue
        key, initial = child.child_by_field_name("name") or child, child.child_by_field_name("value")
        names.append(property_key(walk, key))
        items.append(walk.value(initial, Use.OTHER, NONE) if initial is not None else UNKNOWN)
    walk.open_scopes -= 1
    walk.assign(walk.source.of(name), walk.values.compound(ValueKind.OBJECT, items, names=names))
    return UNKNOWN


def function_declaration(walk: Walk, node: Node, use: Use, user: int) -> int:
    """A function with a name of its own, which may have been declared already."""
    value = function(walk, node, use, user)
    name = node.child_by_field_name("name")
    if name is not None:
        walk.assign(walk.source.of(name), value)
    return value


DEFINITIONS: dict[str, Handler] = {
    "function_declaration": function_declaration,
    "generator_function_declaration": function_declaration,
    "function_expression": function,
    "generator_function": function,
    "arrow_function": function,
    "method_definition": function,
    "class_declaration": class_,
    "abstract_class_declaration": class_,
    "class": class_,
    "variable_declarator": declarator,
    "enum_declaration": enum,
    "interface_declaration": interface,
}
