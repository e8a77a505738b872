"""Handlers of statements: they make the regions that calls stand in."""

from __future__ import annotations

from tree_sitter import Node

from prodlint.extract.source._build import UNKNOWN
from prodlint.extract.source._js_expressions import bind, last_value
from prodlint.extract.source._js_scopes import pattern_names
from prodlint.extract.source._js_walk import Handler, Walk
from prodlint.facts import NONE, ExitKind, Prologue, RegionKind, Use, ValueKind


def children(walk: Walk, node: Node, use: Use, user: int) -> int:
    """Anything that has no handler of its own: whatever is inside."""
    walk.children(node)
    return UNKNOWN


def block(walk: Walk, node: Node, use: Use, user: int) -> int:
    """A block, or the whole file: statements in a scope."""
    outer = walk.enter(node)
    walk.children(node, Use.STATEMENT)
    walk.scope = outer
    return UNKNOWN


def expression_statement(walk: Walk, node: Node, use: Use, user: int) -> int:
    """An expression whose value is dropped."""
    expression = node.child(0)
    if walk.may_have_prologue and expression is not None and expression.type == "string":
        walk.prologues.append(Prologue(walk.function, walk.source.string(expression)))
    walk.value(expression, Use.STATEMENT, NONE)
    return UNKNOWN


def if_(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`if`: a THEN and maybe an ELSE."""
    condition, then = node.child_by_field_name("condition"), node.child_by_field_name("consequence")
    otherwise = node.child_by_field_name("alternative")
    test = walk.value(condition, Use.CONDITION, NONE) if condition is not None else UNKNOWN
    first = len(walk.regions)
    if then is not None:
        region = walk.body(RegionKind.THEN, then, [test], first)
        walk.regions[region].has_comment = begins_with_comment(then)
        walk.inside(region, then)
    if otherwise is not None:
        inner = next((child for child in otherwise.named_children if child.type != "comment"), otherwise)
        walk.inside(walk.body(RegionKind.ELSE, inner, [test], first), inner)
    return UNKNOWN


# Loops


def while_(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`while` and `do`: the condition belongs to the loop."""
    body, condition = node.child_by_field_name("body"), node.child_by_field_name("condition")
    parts = sorted((part for part in (condition, body) if part is not None), key=lambda part: part.start_byte)
    if not parts:
        return UNKNOWN
    region = walk.open(RegionKind.LOOP, parts[0].start_byte, parts[-1].end_byte)
    for part in parts:
        walk.inside(region, part, Use.CONDITION if part is condition else Use.STATEMENT)
    return UNKNOWN


def for_(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`for (a; b; c)`: all but the first part belongs to the loop."""
    outer = walk.enter(node)
    first, body = node.child_by_field_name("initializer"), node.child_by_field_name("body")
    if first is not None:
        walk.value(first, Use.STATEMENT, NONE)
    conditions = node.children_by_field_name("condition")
    increment = node.child_by_field_name("increment")
    parts = [*conditions, *(part for part in (increment, body) if part is not None)]
    if parts:
        region = walk.open(RegionKind.LOOP, parts[0].start_byte, parts[-1].end_byte)
        for part in parts:
            walk.inside(region, part, Use.CONDITION if part in conditions else Use.STATEMENT)
    walk.scope = outer
    return UNKNOWN


def for_in(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`for (x of xs)`, `for (key in x)`, `for await (x of xs)`."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operator, body = node.child_by_field_name("operator"), node.child_by_field_name("body")
    if left is None or right is None or body is None:
        walk.children(node)
        return UNKNOWN
    iterated = walk.value(right, Use.ITERATED, NONE)
    is_of = operator is not None and operator.type == "of"
    is_async = any(child.type == "await" for child in node.children)
    region = walk.body(RegionKind.LOOP, body, [iterated], flag=int(is_async))
    outer = walk.enter(node)
    bind(walk, left, walk.values.plain(ValueKind.ELEMENT, iterated) if is_of else UNKNOWN)
    walk.inside(region, body)
    walk.scope = outer
    return UNKNOWN


# Exceptions


def try_(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`try` with its handlers."""
    body = node.child_by_field_name("body")
    guarded = NONE
    if body is not None:
        guarded = walk.body(RegionKind.TRY, body)
        walk.inside(guarded, body)
    handler = node.child_by_field_name("handler")
    if handler is not None:
        _catch(walk, handler, guarded)
    finalizer = node.child_by_field_name("finalizer")
    last = finalizer.child_by_field_name("body") if finalizer is not None else None
    if last is not None:
        walk.inside(walk.body(RegionKind.FINALLY, last, partner=guarded), last)
    return UNKNOWN


def _catch(walk: Walk, node: Node, guarded: int) -> None:
    body, parameter = node.child_by_field_name("body"), node.child_by_field_name("parameter")
    if body is None:
        return
    region = walk.body(RegionKind.CATCH, body, partner=guarded)
    fact = walk.regions[region]
    fact.has_comment = _has_comment(walk, body) or _has_comment_behind(body)
    outer = walk.enter(node)
    if parameter is not None:
        fact.param = walk.source.of(parameter) if parameter.type == "identifier" else ""
        walk.watch_caught(region, [walk.source.of(name) for name in pattern_names(parameter)])
        bind(walk, parameter, walk.values.plain(ValueKind.CATCH, region))
    walk.inside(region, body)
    walk.scope = outer


def begins_with_comment(block: Node) -> bool:
    """Whether a block begins with a comment."""
    first = block.named_child(0) if block.type == "statement_block" and block.named_child_count else None
    return first is not None and first.type == "comment"


def _has_comment(walk: Walk, body: Node) -> bool:
    text = walk.source.of(body)
    if "//" not in text and "/*" not in text:
        return False
    pending = [body]
    while pending:
        node = pending.pop()
        if node.type == "comment":
            return True
        pending.extend(node.named_children)
    return False


def _has_comment_behind(body: Node) -> bool:
    """Whether a comment stands behind a handler, on its last line."""
    node: Node | None = body
    while node is not None and node.type in ("statement_block", "catch_clause", "try_statement"):
        behind = node.next_sibling
        if behind is not None:
            return behind.type == "comment" and behind.start_point.row == body.end_point.row
        node = node.parent
    return False


def switch(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`switch`: each arm is a CASE whose values are what is tested and what it is compared with."""
    value_node, body = node.child_by_field_name("value"), node.child_by_field_name("body")
    tested = walk.value(value_node, Use.CONDITION, NONE) if value_node is not None else UNKNOWN
    if body is None:
        return UNKNOWN
    outer = walk.enter(body)
    for arm in body.named_children:
        if arm.type in ("switch_case", "switch_default"):
            _arm(walk, arm, tested)
    walk.scope = outer
    return UNKNOWN


def _arm(walk: Walk, arm: Node, tested: int) -> None:
    case = arm.child_by_field_name("value")
    values = [tested] if case is None else [tested, walk.value(case, Use.OTHER, NONE)]
    statements = arm.children_by_field_name("body")
    region = walk.open(RegionKind.CASE, arm.start_byte, arm.end_byte, values)
    walk.regions[region].is_empty = not statements
    for statement in statements:
        walk.inside(region, statement)


# Scopes with names that are not spelt here


def open_scope(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`with (o) {…}`, where each property of `o` is a name, and TypeScript's `namespace`, which other blocks add to."""
    walk.open_scopes += 1
    walk.children(node, Use.STATEMENT)
    walk.open_scopes -= 1
    return UNKNOWN


# Ways out


def return_(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`return x`."""
    values = [walk.value(child, Use.RETURNED, NONE) for child in walk.operands(node)]
    walk.leave(ExitKind.RETURN, node, values[-1] if values else NONE)
    return UNKNOWN


def throw(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`throw x`."""
    walk.leave(ExitKind.THROW, node, last_value(walk, node, Use.OTHER, NONE))
    return UNKNOWN


def break_(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`break`."""
    walk.leave(ExitKind.BREAK, node)
    return UNKNOWN


def continue_(walk: Walk, node: Node, use: Use, user: int) -> int:
    """`continue`."""
    walk.leave(ExitKind.CONTINUE, node)
    return UNKNOWN


STATEMENTS: dict[str, Handler] = {
    "program": block,
    "statement_block": block,
    "class_static_block": block,
    "expression_statement": expression_statement,
    "if_statement": if_,
    "while_statement": while_,
    "do_statement": while_,
    "for_statement": for_,
    "for_in_statement": for_in,
    "try_statement": try_,
    "switch_statement": switch,
    "with_statement": open_scope,
    "internal_module": open_scope,
    "return_statement": return_,
    "throw_statement": throw,
    "break_statement": break_,
    "continue_statement": continue_,
}
