"""Handlers of expressions: each records what happens in its node and returns the value that the node denotes."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from prodlint.extract.source._build import LONGEST_TEXT, UNKNOWN
from prodlint.extract.source._js_grammar import AWAIT_KEYWORD, unescape
from prodlint.extract.source._js_modules import assign_export, export_through_call, load_module, name_request
from prodlint.extract.source._js_walk import Handler, Hint, Walk
from prodlint.facts import NONE, Call, ExitKind, FunctionKind, NameUse, RegionKind, Store, Use, ValueKind
from prodlint.lazy_regex import regex

_LOGICAL_REGIONS = {"&&": RegionKind.THEN, "||": RegionKind.ELSE, "??": RegionKind.ELSE}

_BEAR_ABSENCE = frozenset({"typeof", "delete"})
"""Operators that a name may be given which is not defined."""

# What a branch of an expression must contain to be worth a region: a call, `new`, a tagged template, an assignment.
_EVENT = regex(r"[(`=]|\bnew\b")


# Names and literals


def identifier(walk: Walk, node: Node, use: Use, user: int, name_use: NameUse = NameUse.READ) -> int:
    """A name, read."""
    text = walk.source.of(node)
    name = walk.scope.find(text)
    if name is not None:
        name.used = True
        value = name.value if name.value >= 0 else walk.resolve(text, name)
        if name.start > node.start_byte:
            walk.note_early(name, node, value)
        return value
    if text == "arguments":
        _note_arguments_object(walk)
    walk.note_unbound(text, node, name_use)
    return walk.values.plain(ValueKind.GLOBAL, NONE, text)


def _note_arguments_object(walk: Walk) -> None:
    function = walk.functions[walk.function]
    while function.kind is FunctionKind.ARROW:
        function = walk.functions[function.parent]
    function.has_arguments_object = function.kind is not FunctionKind.MODULE


def this(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`this`: of the class, else of the nearest function that has one of its own."""
    function = walk.function
    while walk.cls == NONE and function > 0:
        if walk.functions[function].kind is not FunctionKind.ARROW:
            return walk.values.plain(ValueKind.RECEIVER, function)
        function = walk.functions[function].parent
    return walk.values.plain(ValueKind.SELF, walk.cls)


def super_(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`super`."""
    return walk.values.plain(ValueKind.SUPER, walk.cls)


def string(walk: Walk, node: Node, use: Use, user: int) -> int:
    """A string literal."""
    return walk.values.string(walk.source.string(node))


def number(walk: Walk, node: Node, use: Use, user: int) -> int:
    """A number literal."""
    return walk.values.plain(ValueKind.NUMBER, text=walk.source.of(node))


def boolean(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`true` or `false`."""
    return walk.values.plain(ValueKind.BOOL, text=node.type)


def null(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`null` or `undefined`."""
    return walk.values.plain(ValueKind.NULL)


def unknown(walk: Walk, node: Node, use: Use, user: int) -> int:
    """A literal that is of no interest, such as a regular expression."""
    return UNKNOWN


def meta(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`import.meta` or `new.target`."""
    return walk.values.plain(ValueKind.GLOBAL, text=walk.source.of(node))


def template(walk: Walk, node: Node, use: Use, user: int) -> int:
    """A template string; the value has its static beginning."""
    substitutions = [part for part in node.children if part.type == "template_substitution"]
    if not substitutions:
        return walk.values.string(walk.source.string(node))
    items = [last_value(walk, part, Use.OTHER, NONE) for part in substitutions]
    beginning = unescape(walk.source.between(node.start_byte + 1, substitutions[0].start_byte))
    return walk.values.compound(ValueKind.TEMPLATE, items, text=beginning[:LONGEST_TEXT])


def object_(walk: Walk, node: Node, use: Use, user: int) -> int:
    """An object literal."""
    names: list[str] = []
    items: list[int] = []
    for child in node.named_children:
        kind = child.type
        if kind == "pair":
            parts = child.children
            name = property_key(walk, parts[0])
            value = walk.named_value(parts[-1], name, use, user)
        elif kind == "shorthand_property_identifier":
            name = walk.source.of(child)
            value = identifier(walk, child, use, user)
        elif kind == "method_definition":
            key = child.child_by_field_name("name")
            name = property_key(walk, key) if key is not None else ""
            walk.hints[child.id] = Hint(name)
            value = walk.value(child, use, user)
            name = member_name(child, name)
        elif kind == "spread_element":
            name = "..."
            value = last_value(walk, child, Use.OTHER, NONE)
        else:
            walk.value(child, Use.OTHER, NONE)
            continue
        names.append(name)
        items.append(value)
    return walk.values.literal(ValueKind.OBJECT, items, names=names)


def member_name(method: Node, name: str) -> str:
    """Return what a method is found by: a setter is none that is read."""
    return f"set {name}" if any(child.type == "set" for child in method.children) else name


def property_key(walk: Walk, key: Node) -> str:
    """Return the name of an object's or a class's property; "[]" where it is computed."""
    kind = key.type
    if kind == "string":
        return walk.source.string(key)
    if kind != "computed_property_name":
        return walk.source.of(key)
    value = walk.values.facts[last_value(walk, key, Use.OTHER, NONE)]
    return value.text if value.kind is ValueKind.STRING else "[]"


def array(walk: Walk, node: Node, use: Use, user: int) -> int:
    """An array literal."""
    items = [walk.value(child, use, user) for child in walk.operands(node)]
    return walk.values.literal(ValueKind.ARRAY, items)


def spread(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`...x` in an array or in arguments."""
    return walk.values.plain(ValueKind.SPREAD, last_value(walk, node, Use.ITERATED, NONE))


# What is looked through


def last_value(walk: Walk, node: Node, use: Use, user: int) -> int:
    """Parentheses and other brackets around one expression."""
    value = UNKNOWN
    for child in walk.operands(node):
        value = walk.value(child, use, user)
    return value


def first_value(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`x as T`, `x satisfies T`, `x!`, `x<T>`: x."""
    return walk.value(node.children[0], use, user)


def asserted(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`<T>x`: x."""
    return walk.value(node.children[-1], use, user)


def sequence(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`a, b`: b."""
    operands = walk.operands(node)
    for operand in operands[:-1]:
        walk.value(operand, Use.STATEMENT, NONE)
    return walk.value(operands[-1], use, user) if operands else UNKNOWN


# Members


def member(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`a.b`, read."""
    parts = node.children
    ref = walk.value(parts[0], Use.OTHER, NONE)
    return walk.read_member(ref, walk.source.of(parts[-1]), node)


def subscript(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`a[b]`, read."""
    ref, index, key = _subscript_parts(walk, node, Use.OTHER, NONE)
    if key is not None:
        return walk.read_member(ref, key, node)
    return walk.values.compound(ValueKind.SUBSCRIPT, [index], ref)


def _subscript_parts(walk: Walk, node: Node, use: Use, user: int) -> tuple[int, int, str | None]:
    """Return what is subscripted, the index, and the index as a name if it is a string literal."""
    ref = walk.value(node.children[0], use, user)
    index_node = node.child_by_field_name("index")
    index = walk.value(index_node, Use.OTHER, NONE) if index_node is not None else UNKNOWN
    value = walk.values.facts[index]
    return ref, index, value.text if value.kind is ValueKind.STRING else None


# Calls


def call(walk: Walk, node: Node, use: Use, user: int) -> int:
    """A call: `f(x)`, a tagged template, `require(x)`, `import(x)`."""
    if walk.may_misread_await and (awaited := _misread_await(walk, node, use, user)) != NONE:
        return awaited
    parts = node.children
    index = len(walk.calls)
    start, end = node.byte_range
    fact = Call(walk.awaited_starts.get(start, start), end, 0, 0, UNKNOWN, walk.region, (), (), use, user)
    walk.calls.append(fact)
    if len(parts) > 2 and any(part.type in ("optional_chain", "?.") for part in parts):
        fact.is_optional = True
    _callee(walk, parts[0], fact, index)
    _arguments(walk, parts[-1], fact, index)
    if fact.callee in walk.loaders:
        return load_module(walk, index)
    if not walk.export_objects.isdisjoint(fact.args):
        export_through_call(walk, fact)
    return walk.values.plain(ValueKind.CALL, index)


def _misread_await(walk: Walk, node: Node, use: Use, user: int) -> int:
    """Return the value of a call that begins with an `await` which the grammar has put into it; or NONE.

    `await (f).g()` is read as `await(f)`, then `.g()` on its result, and `await f<T>()` as a call of `await f`: the
    outermost call is what is awaited.
    """
    if walk.source.between(node.start_byte, node.start_byte + 5) != "await":
        return NONE
    arguments = _await_arguments(walk, node)
    is_whole = node.parent is not None and node.parent.type == "parenthesized_expression"
    if (use is Use.RECEIVER or use is Use.CALLEE) and not is_whole:
        return sequence(walk, arguments, use, user) if arguments is not None else NONE
    if arguments is not None:
        value = sequence(walk, arguments, Use.AWAITED, NONE)
    elif use is not Use.AWAITED and (keyword := AWAIT_KEYWORD.match(walk.source.of(node))) is not None:
        walk.awaited_starts[node.start_byte] = node.start_byte + keyword.end()
        value = call(walk, node, Use.AWAITED, NONE)
    else:
        return NONE
    return walk.values.plain(ValueKind.AWAIT, value)


def _await_arguments(walk: Walk, node: Node) -> Node | None:
    """Return what stands in the parentheses of `await (x)` if `node` is that, taken for a call."""
    parts = node.children
    is_await = parts[0].type == "identifier" and parts[-1].type == "arguments" and walk.source.of(parts[0]) == "await"
    return parts[-1] if is_await else None


def new(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`new X(y)`, `new X`."""
    index = len(walk.calls)
    fact = Call(node.start_byte, node.end_byte, 0, 0, UNKNOWN, walk.region, use=use, user=user, is_new=True)
    walk.calls.append(fact)
    constructor = node.child_by_field_name("constructor")
    if constructor is not None:
        _callee(walk, constructor, fact, index)
    arguments = node.child_by_field_name("arguments")
    if arguments is not None:
        _arguments(walk, arguments, fact, index)
    return walk.values.plain(ValueKind.CALL, index)


def _callee(walk: Walk, function: Node, fact: Call, index: int) -> None:
    handler = walk.handler(function)
    if handler is await_:  # no parentheses around it: `await f<T>()`
        function = walk.operands(function)[-1]
        handler = walk.handler(function)
    if handler is not member and handler is not identifier:
        function = _callee_node(walk, function)
        handler = walk.handler(function)
    name = function
    if handler is member:
        parts = function.children
        name = parts[-1]
        if parts[-2].type == "optional_chain":
            fact.is_optional = True
        fact.callee = walk.member(walk.value(parts[0], Use.RECEIVER, index), walk.source.of(name))
    elif handler is subscript:
        ref, key_value, key = _subscript_parts(walk, function, Use.RECEIVER, index)
        name = function.child_by_field_name("index") or function
        if key is not None:
            fact.callee = walk.member(ref, key)
        else:
            fact.callee = walk.values.compound(ValueKind.SUBSCRIPT, [key_value], ref)
    elif function.type == "import":
        fact.callee = walk.values.plain(ValueKind.GLOBAL, text="import")
    else:
        fact.callee = walk.value(function, Use.CALLEE, index)
    fact.name_start, fact.name_end = name.byte_range


def _callee_node(walk: Walk, node: Node) -> Node:
    """Return what is called in the end, in `(0, f)(x)` and `f!(x)`: f."""
    while True:
        handler = walk.handler(node)
        bracket = node if handler is last_value or handler is first_value or handler is sequence else None
        if handler is call:
            bracket = _await_arguments(walk, node)
        operands = walk.operands(bracket) if bracket is not None else []
        if not operands:
            return node
        for operand in operands[:-1]:
            walk.value(operand, Use.STATEMENT, NONE)
        node = operands[-1]


def _arguments(walk: Walk, node: Node, fact: Call, index: int) -> None:
    if node.type != "arguments":
        # A tagged template.
        fact.args = (walk.value(node, Use.ARGUMENT, index),)
        fact.arg_spans = node.byte_range
        return
    fact.args_start = node.start_byte
    args: list[int] = []
    spans: list[int] = []
    for child in walk.operands(node):
        args.append(walk.value(child, Use.ARGUMENT, index))
        spans += child.byte_range
    fact.args, fact.arg_spans = tuple(args), tuple(spans)


# Operators


def await_(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`await x`; an import is what it loads, so `await import("m")` is IMPORT "m"."""
    value = last_value(walk, node, Use.AWAITED, NONE)
    is_import = walk.values.facts[value].kind is ValueKind.IMPORT
    return value if is_import else walk.values.plain(ValueKind.AWAIT, value)


def binary(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`a + b`, `a && b`... A chain of `+` is one operator over all of its operands."""
    parts = node.children
    operator = parts[1].type if len(parts) == 3 else _operator(node)
    if operator in _LOGICAL_REGIONS:
        is_statement = use is Use.STATEMENT or use is Use.TESTED
        left_use = Use.TESTED if is_statement else Use.CONDITION if operator == "&&" else use
        left = walk.value(parts[0], left_use, user if left_use is use else NONE)
        right = _branch(walk, parts[-1], _LOGICAL_REGIONS[operator], left, use, user)
        return walk.values.operation(operator, left, right)
    operands = [parts[-1]]
    first = parts[0]
    while operator == "+" and first.type == "binary_expression" and _operator(first) == "+":
        inner = first.children
        operands.append(inner[-1])
        first = inner[0]
    operands.append(first)
    values = [walk.value(operand, Use.OTHER, NONE) for operand in reversed(operands)]
    return walk.values.operation(operator, *values)


def _operator(node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return operator.type if operator is not None else ""


def _branch(walk: Walk, node: Node, kind: RegionKind, test: int, use: Use, user: int, partner: int = NONE) -> int:
    """Walk an expression that runs only if `test` holds (or does not)."""
    start, end = node.start_byte, node.end_byte
    if partner == NONE and _EVENT.search(walk.source.between(start, end)) is None:
        return walk.value(node, use, user)
    region = walk.open(kind, start, end, [test], partner)
    if partner == NONE:
        walk.regions[region].partner = region
    outer, walk.region = walk.region, region
    value = walk.value(node, use, user)
    walk.region = outer
    return value


def ternary(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`a ? b : c`."""
    condition = node.child_by_field_name("condition")
    then, otherwise = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
    if condition is None or then is None or otherwise is None:
        walk.children(node)
        return UNKNOWN
    test = walk.value(condition, Use.CONDITION, NONE)
    if _EVENT.search(walk.source.between(then.start_byte, otherwise.end_byte)) is None:
        yes, no = walk.value(then, use, user), walk.value(otherwise, use, user)
    else:
        first = len(walk.regions)
        yes = _branch(walk, then, RegionKind.THEN, test, use, user, partner=first)
        no = _branch(walk, otherwise, RegionKind.ELSE, test, use, user, partner=first)
    return walk.values.operation("?:", test, yes, no)


def unary(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`!x`, `typeof x`, `void x`, `delete x.y`, `-x`."""
    parts = node.children
    operator, operand = parts[0].type, parts[-1]
    if operator == "void":
        walk.value(operand, Use.VOIDED, NONE)
        return walk.values.plain(ValueKind.NULL)
    if operator == "delete" and _is_member(walk, operand):
        target, name = _target(walk, operand)
        _store(walk, node, target, name, NONE, "del")
        return UNKNOWN
    if operator in _BEAR_ABSENCE:
        bare = _without_assertions(walk, operand)
        if walk.handler(bare) is identifier:
            return walk.values.operation(operator, identifier(walk, bare, use, user, NameUse.TESTED))
    tested = Use.TESTED if use is Use.STATEMENT else Use.CONDITION
    return walk.values.operation(operator, walk.value(operand, tested if operator == "!" else Use.OTHER, NONE))


def yield_(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`yield x`."""
    value = last_value(walk, node, Use.YIELDED, NONE)
    walk.leave(ExitKind.YIELD, node, value)
    return UNKNOWN


# Assignments


def assignment(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`x = v`, `x.y = v`, `{x} = v`; its value is that of v."""
    parts = node.children
    left, right = _without_assertions(walk, parts[0]), parts[-1]
    if left.type == "identifier":
        text = walk.source.of(left)
        before = len(walk.imports)
        value = walk.named_value(right, text, Use.ASSIGNED, walk.binding(text))
        if not walk.assign(text, value):
            walk.note_unbound(text, left, NameUse.WRITE)
        name_request(walk, before, left, value)
        return value
    if _is_member(walk, left):
        target, name = _target(walk, left)
        is_whole_module = name == "exports" and walk.values.member(target, name) in walk.export_objects
        value = walk.named_value(right, "" if is_whole_module else name, Use.ASSIGNED, NONE)
        if not assign_export(walk, left, target, name, value):
            _store(walk, node, target, name, value, "=")
        return value
    value = walk.value(right, Use.ASSIGNED, NONE)
    bind(walk, left, value)
    return value


def augmented_assignment(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`x += v`, `x.y ||= v`."""
    parts = node.children
    left, right = _without_assertions(walk, parts[0]), parts[-1]
    operator = _operator(node)
    if _is_member(walk, left):
        target, name = _target(walk, left)
        before = walk.member(target, name) if name else UNKNOWN
        value, result = _augmented_value(walk, right, operator, before, NONE)
        _store(walk, node, target, name, value, operator)
        return result
    before = walk.value(left, Use.OTHER, NONE)
    text = walk.source.of(left)
    _, result = _augmented_value(walk, right, operator, before, walk.binding(text))
    walk.assign(text, result)
    return result


def _augmented_value(walk: Walk, right: Node, operator: str, before: int, binding: int) -> tuple[int, int]:
    """Return the value of the right side, and what the left side is afterwards."""
    plain = operator.removesuffix("=")
    if plain in _LOGICAL_REGIONS:
        value = _branch(walk, right, _LOGICAL_REGIONS[plain], before, Use.ASSIGNED, binding)
    else:
        value = walk.value(right, Use.OTHER, NONE)
    return value, walk.values.operation(plain, before, value)


def update(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`x++`, `--x.y`."""
    argument, operator = node.child_by_field_name("argument"), _operator(node)
    if argument is None:
        return UNKNOWN
    argument = _without_assertions(walk, argument)
    if _is_member(walk, argument):
        target, name = _target(walk, argument)
        _store(walk, node, target, name, NONE, operator)
        return UNKNOWN
    before = walk.value(argument, Use.OTHER, NONE)
    result = walk.values.operation(operator[:1], before, walk.values.plain(ValueKind.NUMBER, text="1"))
    if argument.type == "identifier":
        walk.assign(walk.source.of(argument), result)
    return result


def _without_assertions(walk: Walk, node: Node) -> Node:
    while walk.handler(node) is first_value or walk.handler(node) is last_value:
        inner = walk.operands(node)
        if not inner:
            break
        node = inner[0]
    return node


def _is_member(walk: Walk, node: Node) -> bool:
    handler = walk.handler(node)
    return handler is member or handler is subscript


def _target(walk: Walk, node: Node) -> tuple[int, str]:
    """Return what a member that is written belongs to, and its name ("" where it is computed)."""
    if walk.handler(node) is member:
        parts = node.children
        return walk.value(parts[0], Use.OTHER, NONE), walk.source.of(parts[-1])
    ref, _, key = _subscript_parts(walk, node, Use.OTHER, NONE)
    return ref, key or ""


def _store(walk: Walk, node: Node, target: int, name: str, value: int, operator: str) -> None:
    walk.stores.append(Store(target, name, value, node.start_byte, node.end_byte, walk.region, operator))


def bind(walk: Walk, pattern: Node, value: int) -> None:
    """Give the names and members in `pattern` their parts of `value`."""
    pending = [(pattern, value)]
    while pending:
        node, value = pending.pop()
        pending.extend(reversed(_bind_one(walk, node, value)))


def _elements(walk: Walk, node: Node, value: int) -> Iterator[tuple[Node, int]]:
    """Yield the parts of an array pattern, each with the element that it is given; a hole counts as one."""
    position = 0
    for child in node.children:
        if child.type == ",":
            position += 1
        elif child.is_named:
            is_rest = child.type == "rest_pattern"
            yield child, value if is_rest else walk.values.plain(ValueKind.ELEMENT, value, str(position))


def _bind_one(walk: Walk, node: Node, value: int) -> list[tuple[Node, int]]:
    """Bind `node` if it is a name or a member; of a pattern, return the parts with their values."""
    kind = node.type
    if kind in ("identifier", "shorthand_property_identifier_pattern"):
        text = walk.source.of(node)
        if not walk.assign(text, value):
            walk.note_unbound(text, node, NameUse.WRITE)
        return []
    if kind == "object_pattern":
        return [part for child in node.named_children for part in _property_part(walk, child, value)]
    if kind == "array_pattern":
        return list(_elements(walk, node, value))
    if kind in ("assignment_pattern", "object_assignment_pattern"):
        return _part_with_default(walk, node, value)
    if kind == "rest_pattern":
        return [(child, value) for child in node.named_children]
    if _is_member(walk, node):
        target, name = _target(walk, node)
        if not assign_export(walk, node, target, name, value):
            _store(walk, node, target, name, value, "=")
    else:
        walk.value(node, Use.OTHER, NONE)
    return []


def _property_part(walk: Walk, node: Node, value: int) -> list[tuple[Node, int]]:
    """Return what a property of an object pattern binds, with its value."""
    kind = node.type
    if kind == "pair_pattern":
        key, target = node.child_by_field_name("key"), node.child_by_field_name("value")
        if key is None or target is None:
            return []
        name = property_key(walk, key)
        if name == "[]":
            return [(target, UNKNOWN)]
        return [(target, walk.read_member(value, name, key))]
    if kind == "rest_pattern":
        return [(node, value)]
    bound = node.child_by_field_name("left") or node
    return [(node, walk.read_member(value, walk.source.of(bound), bound))]


def _part_with_default(walk: Walk, node: Node, value: int) -> list[tuple[Node, int]]:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None:
        return []
    default = walk.named_value(right, walk.source.of(left), Use.ASSIGNED, NONE)
    return [(left, walk.values.operation("??", value, default))]


def tag(walk: Walk, node: Node, use: Use, user: int) -> int:
    """The opening tag of a JSX element: `<div>` is no name, `<Page>` and `<ui.button>` are."""
    name = node.child_by_field_name("name")
    if name is not None and name.type == "identifier" and walk.source.of(name)[:1].islower():
        for child in walk.operands(node):
            if child != name:
                walk.value(child, Use.OTHER, NONE)
    else:
        walk.children(node)
    return UNKNOWN


EXPRESSIONS: dict[str, Handler] = {
    "identifier": identifier,
    "this": this,
    "super": super_,
    "shorthand_property_identifier": identifier,
    "nested_identifier": member,
    "string": string,
    "number": number,
    "true": boolean,
    "false": boolean,
    "null": null,
    "undefined": null,
    "regex": unknown,
    "meta_property": meta,
    "template_string": template,
    "object": object_,
    "array": array,
    "spread_element": spread,
    "parenthesized_expression": last_value,
    "as_expression": first_value,
    "satisfies_expression": first_value,
    "non_null_expression": first_value,
    "instantiation_expression": first_value,
    "type_assertion": asserted,
    "sequence_expression": sequence,
    "member_expression": member,
    "subscript_expression": subscript,
    "call_expression": call,
    "new_expression": new,
    "await_expression": await_,
    "binary_expression": binary,
    "ternary_expression": ternary,
    "unary_expression": unary,
    "yield_expression": yield_,
    "assignment_expression": assignment,
    "augmented_assignment_expression": augmented_assignment,
    "update_expression": update,
    "jsx_opening_element": tag,
    "jsx_self_closing_element": tag,
}
