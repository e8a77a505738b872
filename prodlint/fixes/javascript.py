"""Changes to JavaScript and TypeScript source, as byte edits at the nodes of tree-sitter's syntax tree.

Every function takes the path (its suffix chooses the grammar), the file's bytes and a span from the facts, and returns
the edits of one change in the file's own style, or None where the change cannot be made rightly at that place: where
the code is broken, inside a template or a string, where the node is not of the kind that is meant.
"""

from __future__ import annotations

from collections.abc import Iterable

from tree_sitter import Node

from prodlint.findings import Edit, ImportRequest, Span
from prodlint.fixes._js_imports import (
    import_edits,
    is_bound_at,
    is_builtin,
    local_name,
    statement_after_imports,
    top_level_names,
)
from prodlint.fixes._js_tree import (
    CONTINUES_A_LINE,
    DECLARATIONS,
    ENDED_BY_SEMICOLON,
    FUNCTIONS,
    File,
    Style,
    continues_a_line,
    is_function,
    parse,
    walk,
)
from prodlint.fixes.text import (
    Edits,
    append_item,
    begins_line,
    edited,
    indent_at,
    line_end,
    line_start,
    next_line,
    smallest,
)

__all__ = [
    "Edits",
    "Style",
    "add_option",
    "append_argument",
    "append_call",
    "append_to_body",
    "can_await",
    "ensure_imports",
    "ensure_statement_after_imports",
    "guard_statement",
    "import_edits",
    "insert_await",
    "insert_statement_after",
    "insert_statement_before",
    "is_bound_at",
    "is_builtin",
    "local_name",
    "make_async",
    "move_statement_after",
    "move_statement_before",
    "prepend_to_body",
    "remove_declaration",
    "replace_callee",
    "replace_expression",
    "set_property",
    "statement_of",
    "style_of",
    "wrap_expression",
]

PRIMARY = frozenset(
    {
        "call_expression",
        "member_expression",
        "subscript_expression",
        "identifier",
        "parenthesized_expression",
        "this",
        "array",
        "string",
        "non_null_expression",
    }
)
"""Expressions that `.x` and `(…)` may follow without parentheses."""

LISTS = frozenset({"program", "statement_block", "switch_case", "switch_default", "class_static_block"})
"""Nodes whose children are statements one after the other."""

JUMPS = frozenset({"return_statement", "throw_statement", "break_statement", "continue_statement"})


def style_of(path: str, source: bytes) -> Style | None:
    """The style of a file; None if it is not UTF-8."""
    file = parse(path, source)
    return file.style if file else None


def ensure_imports(path: str, source: bytes, requests: Iterable[ImportRequest]) -> bytes | None:
    """`source` with `import_edits` made."""
    edits = import_edits(path, source, requests)
    return None if edits is None else edited(source, edits)


def ensure_statement_after_imports(path: str, source: bytes, text: str, *, before: int | None = None) -> Edits | None:
    """Adds a top-level statement (`const log = createLogger()`) after the imports, at the latest before the statement
    around the offset `before` (a use at the top level); empty if it is there. Write it without a final semicolon: the
    style decides. None where a name that it declares stands at the top level already."""
    file = parse(path, source)
    if file is None:
        return None
    written = _in_style(file, text)
    present = {file.text(child).rstrip(";") for child in file.root.named_children}
    if written.rstrip(";") in present:
        return ()
    added = parse(path, text.encode())
    if added is None or top_level_names(added) & top_level_names(file):
        return None
    return statement_after_imports(file, written, before)


# --- expressions


def _function_around(node: Node) -> Node | None:
    """The function in whose body a node is evaluated; the program at the top level; None in a parameter, a class field,
    a decorator: where `await` is never allowed."""
    while node.parent is not None:
        parent = node.parent
        if is_function(parent):
            return parent if node == parent.child_by_field_name("body") else None
        if parent.type in {"class_body", "class_static_block", "decorator"} and not is_function(node):
            return None
        node = parent
    return node


def _may_await(file: File, node: Node, making_async: Span | None) -> bool:
    function = _function_around(node)
    if function is None:
        return False
    if function.type == "program":
        return file.style.esm and (not file.style.typescript or file.path.endswith(".mts"))
    return _is_async(function) or (making_async is not None and tuple(making_async) == _bounds(function))


def _bounds(node: Node) -> tuple[int, int]:
    return node.start_byte, node.end_byte


def _is_async(function: Node) -> bool:
    return any(child.type == "async" for child in function.children)


def can_await(path: str, source: bytes, span: Span) -> bool:
    """Whether `await` may stand at `span`: the function around it is async (and the place is no parameter default), or
    it is the top level of a JavaScript ES module."""
    file = parse(path, source)
    node = file and file.enclosing(span)
    return bool(file and node and _may_await(file, node, None))


def _await_text(file: File, node: Node, making_async: Span | None) -> tuple[str, Edits] | None:
    """What to write before an expression to await it, and the edits after it."""
    if not _may_await(file, node, making_async):
        return None
    if not _binds_tighter(node):
        return "await ", ()
    if _is_optional(node):
        return None  # `a?.f().b`: with parentheses, `.b` would be reached although `a` is missing
    return f"{_semicolon_before(file, node)}(await ", (Edit(file.path, node.end_byte, node.end_byte, ")"),)


def _binds_tighter(node: Node) -> bool:
    """Whether the node around an expression takes it more tightly than `await` does: `x.y`, `x()`, `x ** 2`."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type in {"member_expression", "subscript_expression"}:
        return node == parent.child_by_field_name("object")
    if parent.type in {"call_expression", "new_expression"}:
        return node in {parent.child_by_field_name("function"), parent.child_by_field_name("constructor")}
    if parent.type == "binary_expression":
        operator = parent.child_by_field_name("operator")
        is_left = node == parent.child_by_field_name("left")
        return operator is not None and operator.type == "**" and is_left
    return parent.type in {"non_null_expression", "class_heritage", "extends_clause"}


def _is_optional(node: Node | None) -> bool:
    """Whether a chain holds `?.`."""
    while node is not None and node.type in {"call_expression", "member_expression", "subscript_expression"}:
        if any(child.type in {"optional_chain", "?."} for child in node.children):
            return True
        node = node.child_by_field_name("function") or node.child_by_field_name("object")
    return False


def _semicolon_before(file: File, node: Node) -> str:
    """A semicolon, if a parenthesis put before the node would join its line to the statement above."""
    statement = _list_item(node)
    if statement is None or statement.type != "expression_statement" or statement.start_byte != node.start_byte:
        return ""
    previous = statement.prev_named_sibling
    while previous is not None and previous.type == "comment":
        previous = previous.prev_named_sibling
    return ";" if previous is not None and _is_open(previous) else ""


def _is_open(statement: Node) -> bool:
    """Whether a statement ends where a semicolon could stand, without one."""
    last = statement.children[-1] if statement.children else None
    if last is None or statement.type in ENDED_BY_SEMICOLON:
        return last is None or last.type != ";"
    return (is_statement(last) or last.type == "else_clause") and _is_open(last)


def insert_await(path: str, source: bytes, span: Span, *, making_async: Span | None = None) -> Edits | None:
    """`await` before the expression at `span`, parenthesised where precedence asks: `f().x` → `(await f()).x`; empty if
    it is awaited. None outside async functions, unless the same fix makes that function async (`making_async`)."""
    file = parse(path, source)
    node = file and file.expression(span)
    if not file or not node:
        return None
    if node.parent is not None and node.parent.type == "await_expression":
        return ()
    if node.type not in PRIMARY | {"new_expression"}:
        return None
    awaiting = _await_text(file, node, making_async)
    if awaiting is None:
        return None
    before, after = awaiting
    return Edit(path, span.start, span.start, before), *after


def replace_callee(
    path: str, source: bytes, span: Span, callee: str, *, awaited: bool = False, making_async: Span | None = None
) -> Edits | None:
    """The call at `span` with another callee: `fs.readFileSync(p)` → `await fs.promises.readFile(p)` (`awaited`). None
    for `new`, `f?.()`, tagged templates and calls with type arguments."""
    file = parse(path, source)
    call = file and file.at(span, "call_expression")
    old = call and call.child_by_field_name("function")
    if not file or not call or not old or old.type in {"import", "super"} or not _has_plain_arguments(call):
        return None
    awaiting = _await_text(file, call, making_async) if awaited else ("", ())
    if awaiting is None:
        return None
    before, after = awaiting
    return smallest(source, Edit(path, old.start_byte, old.end_byte, before + callee)), *after


def _has_plain_arguments(call: Node) -> bool:
    arguments = call.child_by_field_name("arguments")
    return (
        arguments is not None
        and arguments.type == "arguments"
        and call.child_by_field_name("type_arguments") is None
        and not any(child.type == "optional_chain" for child in call.children)
    )


def replace_expression(
    path: str, source: bytes, span: Span, text: str, *, awaited: bool = False, making_async: Span | None = None
) -> Edits | None:
    """The expression at `span` replaced by `text` (awaited on request), parenthesised where precedence asks."""
    file = parse(path, source)
    node = file and file.expression(span)
    new = _parsed_expression(path, text)
    if not file or not node or not new:
        return None
    if awaited:
        awaiting = _await_text(file, node, making_async)
        if awaiting is None or new not in PRIMARY | {"new_expression"}:
            return None
        before, after = awaiting
        text = before + text + (")" if after else "")
    elif new not in PRIMARY and not _takes_all(node):
        text = f"({text})"
    if text.startswith(CONTINUES_A_LINE):
        text = _semicolon_before(file, node) + text
    return (smallest(source, Edit(path, span.start, span.end, text)),)


def _parsed_expression(path: str, text: str) -> str:
    """The kind of expression that `text` is; "" if it is none."""
    file = parse(path, f"({text})".encode())
    if file is None or file.root.has_error:
        return ""
    statement = file.root.named_children[0]
    inner = statement.named_children[0] if statement.named_children else None
    if inner is None or inner.type != "parenthesized_expression" or not inner.named_children:
        return ""
    return inner.named_children[0].type


def _takes_all(node: Node) -> bool:
    """Whether any expression may stand where the node stands without parentheses."""
    parent = node.parent
    if parent is None or parent.type in {
        "arguments",
        "return_statement",
        "parenthesized_expression",
        "throw_statement",
    }:
        return True
    return parent.type in {"variable_declarator", "assignment_expression"} and node in {
        parent.child_by_field_name("value"),
        parent.child_by_field_name("right"),
    }


def append_call(path: str, source: bytes, span: Span, text: str) -> Edits | None:
    """`text` (".catch(next)") after the expression at `span`, on a line of its own where the chain is written so, and
    with parentheses around the expression where it needs them."""
    file = parse(path, source)
    node = file and file.expression(span)
    if not file or not node:
        return None
    if node.type not in PRIMARY:
        if node.parent is not None and node.parent.type == "parenthesized_expression":
            return append_call(path, source, Span(*_bounds(node.parent)), text)
        before = f"{_semicolon_before(file, node)}("
        return Edit(path, span.start, span.start, before), Edit(path, span.end, span.end, f"){text}")
    return (Edit(path, span.end, span.end, _chain_gap(file, node) + text),)


def _chain_gap(file: File, node: Node) -> str:
    """The line break and indentation before the last call of a chain that is written one call a line."""
    callee = node.child_by_field_name("function")
    if node.type != "call_expression" or callee is None or callee.type != "member_expression":
        return ""
    dot = next((child for child in callee.children if child.type in {".", "optional_chain"}), None)
    if dot is None or not begins_line(file.source, dot.start_byte):
        return ""
    return file.style.newline + indent_at(file.source, dot.start_byte)


def append_argument(path: str, source: bytes, span: Span, text: str) -> Edits | None:
    """`text` as the last argument of the call or `new` at `span`. None after a spread argument, in a tagged template,
    and in `new X` without parentheses."""
    file = parse(path, source)
    call = file and file.at(span, "call_expression", "new_expression")
    arguments = call and call.child_by_field_name("arguments")
    if not file or not arguments or arguments.type != "arguments":
        return None
    items = [child for child in arguments.named_children if child.type != "comment"]
    if not items:
        if arguments.named_children:
            return None  # a comment stands there
        return (Edit(path, arguments.start_byte + 1, arguments.end_byte - 1, text),)
    if any(item.type == "spread_element" for item in items):
        return None
    last = items[-1]
    comma = last.next_sibling
    comma_end = comma.end_byte if comma is not None and comma.type == "," else -1
    return append_item(path, source, _bounds(last), comma_end, text, file.style.newline)


def wrap_expression(path: str, source: bytes, span: Span, before: str, after: str) -> Edits | None:
    """`before` and `after` around the expression at `span`: `asyncHandler(` … `)`. None for a function declaration or a
    method."""
    file = parse(path, source)
    node = file and file.expression(span)
    if not node:
        return None
    return Edit(path, span.start, span.start, before), Edit(path, span.end, span.end, after)


def set_property(path: str, source: bytes, span: Span, name: str, value: str) -> Edits | None:
    """The property `name` of an object literal among the arguments of the call at `span`, changed to `value`. None if
    no such literal has it."""
    file = parse(path, source)
    call = file and file.at(span, "call_expression", "new_expression")
    arguments = call and call.child_by_field_name("arguments")
    for argument in arguments.named_children if arguments else ():
        for pair in argument.named_children if argument.type == "object" else ():
            key, old = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            if file and key and old and file.text(key).strip("\"'") == name:
                return (Edit(path, old.start_byte, old.end_byte, value),)
    return None


def add_option(path: str, source: bytes, span: Span, name: str, value: str, *, at: int = 1) -> Edits | None:
    """`name: value` last in the object literal that is the argument `at` of the call at `span`; a literal of its own
    where there is no such argument. None where that argument is something else."""
    file = parse(path, source)
    call = file and file.at(span, "call_expression", "new_expression")
    arguments = call and call.child_by_field_name("arguments")
    if not file or not arguments or arguments.type != "arguments":
        return None
    items = [child for child in arguments.named_children if child.type != "comment"]
    text = f"{name}: {value}"
    if len(items) == at:
        return append_argument(path, source, span, file.style.braces(text))
    literal = items[at] if len(items) > at else None
    if literal is None or literal.type != "object":
        return None
    pairs = [child for child in literal.named_children if child.type != "comment"]
    if not pairs:
        if literal.named_children:
            return None  # a comment stands there
        return (Edit(path, literal.start_byte, literal.end_byte, file.style.braces(text)),)
    comma = pairs[-1].next_sibling
    comma_end = comma.end_byte if comma is not None and comma.type == "," else -1
    return append_item(path, source, _bounds(pairs[-1]), comma_end, text, file.style.newline)


# --- functions


def make_async(path: str, source: bytes, span: Span) -> Edits | None:
    """`async` before the function at `span` (`Function.start`..`end`: declaration, expression, arrow, object or class
    method), its declared return type made a promise; empty if it is async. None for generators, constructors, getters
    and setters, and for a return type that says something about an argument."""
    file = parse(path, source)
    function = file and file.at(span, *FUNCTIONS)
    if not file or not function:
        return None
    if _is_async(function):
        return ()
    name = function.child_by_field_name("name")
    is_method = function.type == "method_definition"
    if function.type.startswith("generator") or any(child.type in {"get", "set", "*"} for child in function.children):
        return None
    if is_method and (name is None or file.text(name) == "constructor"):
        return None
    start = name.start_byte if is_method and name is not None else function.start_byte
    returned = _promised(file, function)
    return None if returned is None else (Edit(path, start, start, "async "), *returned)


def _promised(file: File, function: Node) -> Edits | None:
    """The edits that make the declared return type of a function a promise."""
    declared = function.child_by_field_name("return_type")
    if declared is None:
        return ()
    if declared.type != "type_annotation" or not declared.named_children:
        return None
    inner = declared.named_children[0]
    if file.text(inner).startswith(("Promise<", "any", "unknown")):
        return ()
    start, end = _bounds(inner)
    return Edit(file.path, start, start, "Promise<"), Edit(file.path, end, end, ">")


# --- statements


def _list_item(node: Node) -> Node | None:
    """The statement around a node that stands in a list of statements; None where a function ends before one is found,
    or where the statement is the unbraced body of an `if` or a loop."""
    while node.parent is not None:
        parent = node.parent
        if parent.type in LISTS:
            # `case x:` has the tested value among its children.
            return None if node == parent.child_by_field_name("value") else node
        if is_function(parent) or parent.type == "class_body":
            return None
        if is_statement(node) and parent.type not in {"export_statement", "labeled_statement"} | _HEADS:
            return None
        node = parent
    return None


_HEADS = frozenset({"for_statement", "for_in_statement"})


def is_statement(node: Node) -> bool:
    """Whether a node is a statement or a declaration."""
    return node.type.endswith(("_statement", "_declaration")) and node.type != "empty_statement"


def statement_of(path: str, source: bytes, span: Span) -> Span | None:
    """The statement around `span`. None where there is none that stands in a list of statements: the expression of an
    arrow function, a class field, the unbraced body of an `if` or a loop."""
    file = parse(path, source)
    node = file and file.enclosing(span)
    statement = node and _list_item(node)
    return Span(*_bounds(statement)) if statement else None


def insert_statement_before(path: str, source: bytes, span: Span, text: str) -> Edits | None:
    """`text` as a statement before the one around `span`. Write it without a final semicolon and with tabs for the
    indentation of further lines: the style decides. None where it would not run exactly as often as the code at `span`:
    in the head of a loop, in the unbraced body of an `if`."""
    file = parse(path, source)
    node = file and file.enclosing(span)
    statement = node and _list_item(node)
    if not file or not node or not statement or _in_loop_head(node, statement):
        return None
    start = statement.start_byte
    written = _in_style(file, text)
    if continues_a_line(source, start) and not written.endswith(";"):
        written += ";"
    if not begins_line(source, start):
        return (Edit(path, start, start, written + (" " if written.endswith(("}", ";")) else "; ")),)
    lines = _indented(file, written, indent_at(source, start))
    previous = _semicolon_for(file, written, statement.prev_named_sibling)
    return (Edit(path, start, start, f"{previous}{lines}{file.style.newline}{indent_at(source, start)}"),)


def insert_statement_after(path: str, source: bytes, span: Span, text: str) -> Edits | None:
    """`text` as a statement after the one around `span`, written as for `insert_statement_before`. None after `return`,
    `throw`, `break` and `continue`."""
    file = parse(path, source)
    node = file and file.enclosing(span)
    statement = node and _list_item(node)
    return _insert_after(file, statement, text) if file and statement else None


def append_to_body(path: str, source: bytes, span: Span, text: str) -> Edits | None:
    """`text` as the last statement of the function body at `span` (a block, or an arrow function's expression, which
    becomes a block and is not returned any more). None where the body ends in a jump."""
    file = parse(path, source)
    if file is None:
        return None
    block = file.at(span, "statement_block")
    if block is None:
        return _append_to_expression(file, span, text)
    statements = [child for child in block.named_children if child.type != "comment"]
    if statements:
        return _insert_after(file, statements[-1], text)
    if block.named_children:
        comment = block.named_children[-1]
        indent = indent_at(source, comment.start_byte)
        lines = _indented(file, _in_style(file, text), indent)
        end = comment.end_byte
        return (Edit(path, end, end, f"{file.style.newline}{indent}{lines}"),) if line_end(source, end) == end else None
    inner = Edit(path, block.start_byte + 1, block.end_byte - 1, f" {_in_style(file, text)} ")
    return None if "\n" in text else (inner,)


def prepend_to_body(path: str, source: bytes, span: Span, text: str) -> Edits | None:
    """`text` as the first statement of the function body at `span`, written as for `insert_statement_before`. None for
    an arrow function's expression and for a body that begins with a directive (`'use strict'`)."""
    file = parse(path, source)
    block = file and file.at(span, "statement_block")
    if not file or not block:
        return None
    statements = [child for child in block.named_children if child.type != "comment"]
    if not statements:
        return append_to_body(path, source, span, text)
    first = statements[0]
    inner = first.named_children[0] if first.type == "expression_statement" and first.named_children else None
    if inner is not None and inner.type == "string":
        return None
    return insert_statement_before(path, source, Span(first.start_byte, first.start_byte + 1), text)


def remove_declaration(path: str, source: bytes, value: Span) -> Edits | None:
    """Removes the declaration whose only variable has the value at `value`, with its line. None where it shares the
    line with other code."""
    file = parse(path, source)
    node = file and file.enclosing(value)
    statement = node and _list_item(node)
    if not file or not statement or statement.type not in {"lexical_declaration", "variable_declaration"}:
        return None
    declarators = [child for child in statement.named_children if child.type == "variable_declarator"]
    only = declarators[0].child_by_field_name("value") if len(declarators) == 1 else None
    if only is None or _bounds(only) != tuple(value):
        return None
    start, end = line_start(source, statement.start_byte), next_line(source, statement.end_byte)
    behind = source[statement.end_byte : end].strip()
    if not begins_line(source, statement.start_byte) or behind not in (b"", b";"):
        return None
    after = next_line(source, end)
    above = line_start(source, _first_of_run(file, statement).start_byte)
    between_blanks = not source[line_start(source, above - 1) : above].strip() and not source[end:after].strip()
    return (Edit(path, start, after if between_blanks and above > 0 else end, ""),)


def _first_of_run(file: File, statement: Node) -> Node:
    """The first of the declarations on the lines directly above a statement that are `require`s, as those are removed
    together; the statement itself where there is none."""
    first = statement
    while (above := first.prev_named_sibling) is not None and above.type in DECLARATIONS:
        if above.end_point.row + 1 != first.start_point.row or "require(" not in file.text(above):
            break
        first = above
    return first


def guard_statement(path: str, source: bytes, span: Span, name: str, text: str) -> Edits | None:
    """The statement around `span` inside `try`, with `catch (name)` and the lines of `text` as its body; a declaration
    of one variable is taken out of the block: `let x; try { x = f() } …`. None for other declarations and statements,
    and for those with a template or comment of several lines."""
    file = parse(path, source)
    node = file and file.enclosing(span)
    statement = node and _list_item(node)
    if not file or not statement or not begins_line(source, statement.start_byte):
        return None
    if statement.type not in {"expression_statement", "return_statement"} | DECLARATIONS:
        return None
    if any(
        each.type in {"template_string", "comment"} and each.start_point.row != each.end_point.row
        for each in walk(statement)
    ):
        return None
    before, start = "", statement.start_byte
    if statement.type in DECLARATIONS:
        declarator = statement.named_children[0]
        names = declarator.child_by_field_name("name")
        if len(statement.named_children) > 1 or names is None or names.type != "identifier":
            return None
        if declarator.child_by_field_name("type") is not None:
            return None
        keyword = "var" if statement.type == "variable_declaration" else "let"
        before, start = f"{keyword} {file.text(names)}{';' * file.style.semicolons}", names.start_byte
    newline = f"{file.style.newline}{indent_at(source, statement.start_byte)}"
    inner = file.style.indent
    head = f"{before}{newline}try {{{newline}{inner}" if before else f"try {{{newline}{inner}"
    deeper = [
        Edit(path, offset + 1, offset + 1, inner)
        for offset in range(start, statement.end_byte)
        if source[offset : offset + 1] == b"\n" and source[offset + 1 : line_end(source, offset + 1)].strip()
    ]
    body = "".join(f"{newline}{inner}{_in_style(file, line)}" for line in text.split("\n"))
    tail = f"{newline}}} catch ({name}) {{{body}{newline}}}"
    return (
        Edit(path, statement.start_byte, start, head),
        *deeper,
        Edit(path, statement.end_byte, statement.end_byte, tail),
    )


def move_statement_after(path: str, source: bytes, span: Span, target: Span) -> Edits | None:
    """The statement around `span`, with its comment lines above, moved behind the one around `target`, which has to be
    in the same list of statements. None where either shares its lines with other code."""
    moving = _moving(path, source, span, target)
    if moving is None:
        return None
    file, lines, after = moving
    place = next_line(source, after.end_byte)
    between = source[after.end_byte : place].strip()
    if between not in (b"", b";") and file.enclosing(Span(place - 1, place - 1)) == after:
        return None
    text = source[lines.start : lines.end].decode()
    if source[place - 1 : place] != b"\n":
        text = file.style.newline + text.rstrip("\r\n")
    if after.start_point.row < after.end_point.row and _stands_apart(source, after):
        text = file.style.newline + text
    return _taken_out(path, source, lines), Edit(path, place, place, text)


def _taken_out(path: str, source: bytes, lines: Span) -> Edit:
    """The removal of lines, and of the blank line below them if one is above, too."""
    after = next_line(source, lines.end)
    above = source[line_start(source, lines.start - 1) : lines.start] if lines.start else b"\n"
    between_blanks = not above.strip() and not source[lines.end : after].strip()
    return Edit(path, lines.start, after if between_blanks else lines.end, "")


def _stands_apart(source: bytes, statement: Node) -> bool:
    """Whether a blank line is above a statement and its comments."""
    start = line_start(source, _with_comments(source, statement).start_byte)
    return start > 0 and not source[line_start(source, start - 1) : start].strip()


def move_statement_before(path: str, source: bytes, span: Span, target: Span) -> Edits | None:
    """The same, moved in front of the statement around `target` and the comment lines above that."""
    moving = _moving(path, source, span, target)
    if moving is None:
        return None
    file, lines, before = moving
    first = _with_comments(source, before)
    text = source[lines.start : lines.end].decode()
    if not begins_line(source, first.start_byte) or not text.endswith("\n"):
        return None
    if not file.style.semicolons and continues_a_line(source, first.start_byte):
        return None
    place = line_start(source, first.start_byte)
    return Edit(path, place, place, text), _taken_out(path, source, lines)


def _moving(path: str, source: bytes, span: Span, target: Span) -> tuple[File, Span, Node] | None:
    """The file, the lines of the statement to move, and the statement that it is moved to."""
    file = parse(path, source)
    nodes = [file and file.enclosing(place) for place in (span, target)]
    moved, other = (node and _list_item(node) for node in nodes)
    if not file or not moved or not other or moved.parent != other.parent or moved == other:
        return None
    start = line_start(source, _with_comments(source, moved).start_byte)
    end = next_line(source, moved.end_byte)
    behind = source[moved.end_byte : end].strip()
    if not begins_line(source, moved.start_byte) or behind not in (b"", b";") or start <= other.start_byte < end:
        return None
    return file, Span(start, end), other


def _with_comments(source: bytes, statement: Node) -> Node:
    """A statement, or the first of the comment lines directly above it."""
    first = statement
    while (above := first.prev_named_sibling) is not None and above.type == "comment":
        if above.end_point.row + 1 != first.start_point.row or not begins_line(source, above.start_byte):
            break
        first = above
    return first


def _append_to_expression(file: File, span: Span, text: str) -> Edits | None:
    node = file.expression(span)
    if node is None or node.parent is None or node.parent.type != "arrow_function" or "\n" in text:
        return None
    if node != node.parent.child_by_field_name("body"):
        return None
    return Edit(file.path, span.start, span.start, "{ "), Edit(
        file.path, span.end, span.end, f"; {_in_style(file, text)} }}"
    )


def _insert_after(file: File, statement: Node, text: str) -> Edits | None:
    if statement.type in JUMPS:
        return None
    path, source = file.path, file.source
    written = _in_style(file, text)
    following = _following(statement)
    if following is not None and continues_a_line(source, following.start_byte) and not written.endswith(";"):
        written += ";"
    end = line_end(source, statement.end_byte)
    behind = source[statement.end_byte : end].strip()
    is_comment = behind.startswith(b"//") or (behind.startswith(b"/*") and behind.endswith(b"*/"))
    if behind and not is_comment:
        before = "; " if _is_open(statement) else " "
        closing = "" if behind.startswith(b"}") or written.endswith(("}", ";")) else ";"
        after = "" if source[statement.end_byte : statement.end_byte + 1].isspace() else " "
        return (Edit(path, statement.end_byte, statement.end_byte, before + written + closing + after),)
    indent = indent_at(source, statement.start_byte)
    lines = _indented(file, written, indent)
    are_long = "\n" in text and statement.start_point.row < statement.end_point.row
    blank = file.style.newline if are_long and _stands_apart(source, statement) else ""
    joint = _semicolon_for(file, written, statement)
    return (Edit(path, end, end, f"{blank}{file.style.newline}{indent}{joint}{lines}"),)


def _following(node: Node) -> Node | None:
    """The next node after a node and the comments behind it."""
    following = node.next_named_sibling
    while following is not None and following.type == "comment":
        following = following.next_named_sibling
    return following


def _in_loop_head(node: Node, statement: Node) -> bool:
    """Whether a node is in the part of a loop that runs again and again without being its body."""
    while node != statement:
        parent = node.parent
        assert parent is not None
        if parent.type in {"for_statement", "while_statement", "do_statement"}:
            heads = {parent.child_by_field_name("condition"), parent.child_by_field_name("increment")}
            if node in heads:
                return True
        node = parent
    return False


def _semicolon_for(file: File, written: str, previous: Node | None) -> str:
    """A semicolon, if what is written would join the statement above."""
    joins = continues_a_line(written.encode(), 0)
    return ";" if joins and previous is not None and _is_open(previous) else ""


def _indented(file: File, text: str, indent: str) -> str:
    """The lines of `text` at an indentation; the first one is there already."""
    lines = [line.expandtabs(0) if not line.strip() else _reindented(file, line) for line in text.split("\n")]
    return f"{file.style.newline}{indent}".join(lines)


def _reindented(file: File, line: str) -> str:
    bare = line.lstrip("\t")
    return file.style.indent * (len(line) - len(bare)) + bare


def _in_style(file: File, text: str) -> str:
    """`text` with semicolons where the file has them."""
    if not file.style.semicolons:
        return text
    added = parse(file.path, text.encode())
    if added is None:
        return text
    ends = [
        Edit("", node.end_byte, node.end_byte, ";")
        for node in walk(added.root)
        if node.type in ENDED_BY_SEMICOLON
        and _is_open(node)
        and node.parent is not None
        and node.parent.type not in _HEADS
    ]
    return edited(text.encode(), ends).decode()
