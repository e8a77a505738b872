"""The Python grammar: its node kinds by name, the combined query, and small questions about nodes.

Nodes are compared by `kind_id`, a number, which is several times quicker than by `type`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import tree_sitter_python
from tree_sitter import Language, Node, Query, QueryCursor

from prodlint.extract.parsing import PYTHON
from prodlint.extract.parsing import parse as _parsed

LANGUAGE = Language(tree_sitter_python.language())
_QUERY = Query(LANGUAGE, Path(__file__).with_name("python.scm").read_text(encoding="utf-8"))


def _kind(name: str, named: bool = True) -> int:
    kind = LANGUAGE.id_for_node_kind(name, named)
    if kind is None:
        raise LookupError(f"the Python grammar has no node {name!r}")
    return kind


ALIASED_IMPORT = _kind("aliased_import")
ARGUMENT_LIST = _kind("argument_list")
ASSERT = _kind("assert_statement")
ASSIGNMENT = _kind("assignment")
ASYNC = _kind("async", named=False)
AS_PATTERN = _kind("as_pattern")
AS_PATTERN_TARGET = _kind("as_pattern_target")
ATTRIBUTE = _kind("attribute")
AUGMENTED_ASSIGNMENT = _kind("augmented_assignment")
AWAIT = _kind("await")
BINARY_OPERATOR = _kind("binary_operator")
BOOLEAN_OPERATOR = _kind("boolean_operator")
BLOCK = _kind("block")
BREAK = _kind("break_statement")
CALL = _kind("call")
CASE_CLAUSE = _kind("case_clause")
CASE_PATTERN = _kind("case_pattern")
CLASS = _kind("class_definition")
CLASS_PATTERN = _kind("class_pattern")
COMMENT = _kind("comment")
COMPARISON = _kind("comparison_operator")
CONCATENATED_STRING = _kind("concatenated_string")
CONDITIONAL = _kind("conditional_expression")
CONTINUE = _kind("continue_statement")
DECORATED = _kind("decorated_definition")
DECORATOR = _kind("decorator")
DEFAULT_PARAMETER = _kind("default_parameter")
DELETE = _kind("delete_statement")
DICTIONARY = _kind("dictionary")
DICTIONARY_COMPREHENSION = _kind("dictionary_comprehension")
DICTIONARY_SPLAT = _kind("dictionary_splat")
DICTIONARY_SPLAT_PATTERN = _kind("dictionary_splat_pattern")
DOTTED_NAME = _kind("dotted_name")
ELIF_CLAUSE = _kind("elif_clause")
ELLIPSIS = _kind("ellipsis")
ELSE_CLAUSE = _kind("else_clause")
EXCEPT_CLAUSE = _kind("except_clause")
EXPRESSION_LIST = _kind("expression_list")
EXPRESSION_STATEMENT = _kind("expression_statement")
FALSE = _kind("false")
FINALLY_CLAUSE = _kind("finally_clause")
FLOAT = _kind("float")
FOR = _kind("for_statement")
FOR_IN_CLAUSE = _kind("for_in_clause")
FUNCTION = _kind("function_definition")
FUTURE_IMPORT = _kind("future_import_statement")
GENERATOR = _kind("generator_expression")
GENERIC_TYPE = _kind("generic_type")
GLOBAL = _kind("global_statement")
IDENTIFIER = _kind("identifier")
IF = _kind("if_statement")
IF_CLAUSE = _kind("if_clause")
IMPORT = _kind("import_statement")
IMPORT_FROM = _kind("import_from_statement")
INTEGER = _kind("integer")
INTERPOLATION = _kind("interpolation")
KEYWORD_ARGUMENT = _kind("keyword_argument")
KEYWORD_PATTERN = _kind("keyword_pattern")
KEYWORD_SEPARATOR = _kind("keyword_separator")
LAMBDA = _kind("lambda")
LAMBDA_PARAMETERS = _kind("lambda_parameters")
LINE_CONTINUATION = _kind("line_continuation")
LIST = _kind("list")
LIST_COMPREHENSION = _kind("list_comprehension")
LIST_PATTERN = _kind("list_pattern")
LIST_SPLAT = _kind("list_splat")
LIST_SPLAT_PATTERN = _kind("list_splat_pattern")
MATCH = _kind("match_statement")
MODULE = _kind("module")
NAMED_EXPRESSION = _kind("named_expression")
NONE_LITERAL = _kind("none")
NONLOCAL = _kind("nonlocal_statement")
NOT_OPERATOR = _kind("not_operator")
PAIR = _kind("pair")
PARAMETERS = _kind("parameters")
PARENTHESIZED = _kind("parenthesized_expression")
PASS = _kind("pass_statement")
PATTERN_LIST = _kind("pattern_list")
RAISE = _kind("raise_statement")
RELATIVE_IMPORT = _kind("relative_import")
RETURN = _kind("return_statement")
SET = _kind("set")
SET_COMPREHENSION = _kind("set_comprehension")
SLICE = _kind("slice")
SPLAT_PATTERN = _kind("splat_pattern")
STRING = _kind("string")
STRING_CONTENT = _kind("string_content")
SUBSCRIPT = _kind("subscript")
TRUE = _kind("true")
TRY = _kind("try_statement")
TUPLE = _kind("tuple")
TUPLE_PATTERN = _kind("tuple_pattern")
TYPE = _kind("type")
TYPED_DEFAULT_PARAMETER = _kind("typed_default_parameter")
TYPED_PARAMETER = _kind("typed_parameter")
TYPE_ALIAS = _kind("type_alias_statement")
TYPE_PARAMETER = _kind("type_parameter")
UNARY_OPERATOR = _kind("unary_operator")
UNION_PATTERN = _kind("union_pattern")
UNION_TYPE = _kind("union_type")
WHILE = _kind("while_statement")
WILDCARD_IMPORT = _kind("wildcard_import")
WITH = _kind("with_statement")
YIELD = _kind("yield")

_EXTRAS = frozenset({COMMENT, LINE_CONTINUATION})
COMPREHENSIONS = frozenset({LIST_COMPREHENSION, SET_COMPREHENSION, DICTIONARY_COMPREHENSION, GENERATOR})
SEQUENCE_TARGETS = frozenset({PATTERN_LIST, TUPLE_PATTERN, LIST_PATTERN, TUPLE, LIST, EXPRESSION_LIST})
SEQUENCES = frozenset({EXPRESSION_LIST, TUPLE, LIST})


def parse(data: bytes) -> Node:
    """Return the root of the syntax tree of `data`, whatever is in it; raises `TooHard`."""
    return _parsed(LANGUAGE, data, PYTHON).root_node


def captures(root: Node) -> tuple[list[Node], list[Node], list[Node]]:
    """Return what the combined query finds below `root`: (nodes, comments, problems), in order, outer ones first."""
    found = QueryCursor(_QUERY).captures(root)
    nodes = [*found.get("statement", ()), *found.get("node", ())]
    nodes.sort(key=_outer_first)
    return nodes, sorted(found.get("comment", ()), key=_outer_first), sorted(found.get("problem", ()), key=_outer_first)


def _outer_first(node: Node) -> int:
    return (node.start_byte << 32) - node.end_byte


def parts(node: Node) -> list[Node]:
    """Return the named children of `node`, without comments and the like."""
    children = node.named_children
    for child in children:
        if child.kind_id in _EXTRAS:
            return [child for child in children if child.kind_id not in _EXTRAS]
    return children


def first(node: Node) -> Node | None:
    """Return the first of the `parts` of `node`."""
    child = node.named_child(0) if node.named_child_count else None
    if child is None or child.kind_id not in _EXTRAS:
        return child
    return next(iter(parts(node)), None)


def operand(node: Node, field: str) -> Node | None:
    """Return what is called, indexed or has an attribute in `node`.

    Among other items the grammar takes `*f(x)` for `(*f)(x)`: the star is left out.
    """
    child = node.child_by_field_name(field)
    return first(child) if child is not None and child.kind_id == LIST_SPLAT else child


def is_async(node: Node) -> bool:
    """Return whether a `def`, `for`, `with` or comprehension clause starts with `async`."""
    return node.child_count > 0 and node.child(0).kind_id == ASYNC


def is_idle(block: Node | None) -> bool:
    """Return whether a block does nothing: `pass`, `...` and strings only."""
    if block is None:
        return True
    for index in range(block.named_child_count):
        statement = block.named_child(index)
        kind = statement.kind_id
        if kind == PASS or kind in _EXTRAS:
            continue
        inner = first(statement) if kind == EXPRESSION_STATEMENT else None
        if inner is None or inner.kind_id not in (STRING, CONCATENATED_STRING, ELLIPSIS):
            return False
    return True


def target_names(target: Node | None) -> Iterator[Node]:
    """Yield the identifiers that an assignment target binds, in order."""
    pending = [target] if target is not None else []
    while pending:
        node = pending.pop()
        kind = node.kind_id
        if kind == IDENTIFIER:
            yield node
        elif kind in SEQUENCE_TARGETS or kind in (LIST_SPLAT_PATTERN, LIST_SPLAT, PARENTHESIZED, AS_PATTERN_TARGET):
            pending.extend(reversed(node.named_children))


def loop_clauses(comprehension: Node) -> list[Node]:
    """Return the `for … in …` clauses of a comprehension."""
    return [child for child in comprehension.named_children if child.kind_id == FOR_IN_CLAUSE]


def with_items(statement: Node) -> Iterator[tuple[Node, Node | None]]:
    """Yield the context managers of a `with` statement and what each is bound to."""
    clause = first(statement)
    for item in parts(clause) if clause is not None else ():
        value = item.child_by_field_name("value")
        if value is None:
            continue
        binding = value
        while binding.kind_id in (PARENTHESIZED, CONDITIONAL) and (inner := parts(binding)):
            binding = inner[-1]  # the grammar takes `a if b else c as d` for `a if b else (c as d)`
        alias = binding.child_by_field_name("alias") if binding.kind_id == AS_PATTERN else None
        manager = first(value) if value == binding and alias is not None else value
        if manager is not None:
            yield manager, alias


def caught(clause: Node) -> tuple[Node | None, Node | None]:
    """Return the types that an `except` clause names, and the identifier that it binds."""
    value = clause.child_by_field_name("value")
    if value is None:
        return None, None
    if value.kind_id == AS_PATTERN:
        return first(value), next(target_names(value.child_by_field_name("alias")), None)
    values = clause.children_by_field_name("value")
    return value, next(target_names(values[1]), None) if len(values) > 1 else None


def body_of(node: Node) -> Node | None:
    """Return the block of a clause that has no field for it, else its `body` or `consequence`."""
    block = node.child_by_field_name("body") or node.child_by_field_name("consequence")
    if block is None and node.named_child_count:
        last = node.named_children[-1]
        block = last if last.kind_id == BLOCK else None
    return block


def cases(statement: Node) -> list[Node]:
    """Return the `case` clauses of a `match` statement."""
    body = statement.child_by_field_name("body")
    return [child for child in body.named_children if child.kind_id == CASE_CLAUSE] if body is not None else []


def captured(clause: Node) -> Iterator[tuple[Node, bool, Node | None]]:
    """Yield what a `case` pattern binds: (identifier, whether to the whole subject, class that `as` goes with)."""
    patterns = [child for child in clause.named_children if child.kind_id == CASE_PATTERN]
    pending = [(pattern, len(patterns) == 1) for pattern in reversed(patterns)]
    while pending:
        node, whole = pending.pop()
        kind = node.kind_id
        children = parts(node)
        if kind in (DOTTED_NAME, SPLAT_PATTERN):
            if len(children) == 1:
                yield children[0], whole and kind == DOTTED_NAME, None
        elif kind == AS_PATTERN and len(children) == 2:
            yield children[1], whole, _tested_class(children[0])
            pending.append((children[0], whole))
        elif kind in (CLASS_PATTERN, KEYWORD_PATTERN):
            pending.extend((child, False) for child in reversed(children[1:]))
        else:
            whole = whole and kind in (CASE_PATTERN, UNION_PATTERN)
            pending.extend((child, whole) for child in reversed(children))


def named_in_pattern(clause: Node) -> Iterator[Node]:
    """Yield the dotted names that a `case` pattern compares with or takes for classes."""
    pending = [child for child in clause.named_children if child.kind_id == CASE_PATTERN]
    while pending:
        node = pending.pop()
        children = parts(node)
        if node.kind_id == CLASS_PATTERN or (node.kind_id == DOTTED_NAME and len(children) > 1):
            yield children[0] if node.kind_id == CLASS_PATTERN else node
        pending.extend(child for child in children if child.kind_id != DOTTED_NAME or len(parts(child)) > 1)


def _tested_class(pattern: Node) -> Node | None:
    inner = first(pattern) if pattern.kind_id == CASE_PATTERN else pattern
    return first(inner) if inner is not None and inner.kind_id == CLASS_PATTERN else None
