"""What an early return in front of a callback's statements would change."""

from __future__ import annotations

from collections.abc import Iterator, Set
from enum import Enum
from typing import TYPE_CHECKING

from prodlint.findings import Span
from prodlint.fixes._js_tree import is_function, parse

if TYPE_CHECKING:
    from tree_sitter import Node

_NAMES = frozenset({"identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"})
_DECLARATIONS = frozenset({"lexical_declaration", "variable_declaration", "function_declaration", "empty_statement"})
_CHANGES = frozenset({"assignment_expression", "augmented_assignment_expression", "update_expression"})
_LOG_METHODS = frozenset({"log", "info", "warn", "warning", "error", "debug", "trace", "verbose"})
_MAY_NOT_RUN = frozenset({"try_statement", "for_statement", "for_in_statement", "switch_statement"})
_LOGICAL = frozenset({"&&", "||", "??"})


class Effect(Enum):
    """What becomes of a callback's statements when the error returns first."""

    THROWS_ALREADY = "throws already"
    """Nothing is lost: the first thing that it does is to read a member of a result that is not there."""
    SKIPS_OTHERS = "skips others"
    """A statement is skipped that has nothing to do with the result: a clean-up, a counter, a flag."""
    SKIPS_ANSWER = "skips the answer"
    """Only what depends on the result, or answers, is skipped."""


def effect_of(path: str, source: bytes, body: Span, results: Set[str], answers: Set[str]) -> Effect:
    """What an early return in the function body at `body` does. `results`: the parameters behind the error; `answers`:
    what the error could be handed to, or be answered with, in the functions around."""
    file = parse(path, source)
    block = file and file.at(body, "statement_block")
    if not block:
        return Effect.SKIPS_OTHERS
    statements = [child for child in block.named_children if child.type != "comment"]
    known = set(results)
    for statement in statements:
        if statement.type in _DECLARATIONS:
            if known & set(_names(statement)):
                known |= {name for declared in _declared(statement) for name in _names(declared)}
            continue
        if not (known | answers) & set(_names(statement)) and not _logs(statement):
            return Effect.SKIPS_OTHERS
        if any(_changes_other_state(node, known) for node in _inside(statement)):
            return Effect.SKIPS_OTHERS
    return Effect.THROWS_ALREADY if statements and _throws(statements[0], results) else Effect.SKIPS_ANSWER


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _names(node: Node) -> Iterator[str]:
    stack = [node]
    while stack:
        found = stack.pop()
        if found.type in _NAMES:
            yield _text(found)
        stack += found.children


def _inside(node: Node) -> Iterator[Node]:
    """A node and what is in it, without the bodies of functions."""
    stack = [node]
    while stack:
        found = stack.pop()
        yield found
        stack += [child for child in found.children if not is_function(child)]


def _declared(statement: Node) -> Iterator[Node]:
    for child in statement.named_children:
        name = child.child_by_field_name("name") if child.type == "variable_declarator" else None
        if name is not None:
            yield name


def _logs(statement: Node) -> bool:
    call = statement.named_children[0] if statement.named_children else None
    callee = call.child_by_field_name("function") if call is not None and call.type == "call_expression" else None
    method = callee.child_by_field_name("property") if callee is not None else None
    return method is not None and _text(method) in _LOG_METHODS


def _changes_other_state(node: Node, known: Set[str]) -> bool:
    """Whether a node assigns something that is not made of the result: `pending = false`, `left -= 1`."""
    if node.type not in _CHANGES:
        return False
    right = node.child_by_field_name("right")
    return node.type != "assignment_expression" or right is None or not known & set(_names(right))


def _throws(statement: Node, results: Set[str]) -> bool:
    """Whether a member of a result is read before anything else happens in a statement."""
    for node in _inside(statement):
        base = (
            node.child_by_field_name("object") if node.type in ("member_expression", "subscript_expression") else None
        )
        if base is None or base.type != "identifier" or _text(base) not in results:
            continue
        is_optional = any(child.type == "optional_chain" for child in node.children)
        happens_first = not any(
            other.end_byte <= node.start_byte
            for other in _inside(statement)
            if other.type in ("call_expression", "new_expression", "await_expression", *_CHANGES)
        )
        if not is_optional and happens_first and _is_always_run(node, statement):
            return True
    return False


def _is_always_run(node: Node, statement: Node) -> bool:
    """Whether a node is evaluated whenever the statement is."""
    while node.id != statement.id:
        parent = node.parent
        if parent is None:
            return False
        condition = parent.child_by_field_name("condition")
        operator = parent.child_by_field_name("operator")
        if parent.type in ("if_statement", "ternary_expression", "while_statement", "switch_case"):
            if condition is None or condition.id != node.id:
                return False
        elif parent.type == "binary_expression" and operator is not None and _text(operator) in _LOGICAL:
            left = parent.child_by_field_name("left")
            if left is None or left.id != node.id:
                return False
        elif parent.type in _MAY_NOT_RUN or any(child.type == "optional_chain" for child in parent.children):
            return False
        node = parent
    return True
