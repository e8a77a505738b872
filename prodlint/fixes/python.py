"""Changes to Python source: libcst says what stands where, the edits take over every byte that need not change.

Every function takes the path (for the edits), the file's bytes and a span from the facts, and returns the edits of one
change, or None where the change cannot be made rightly at that place. Text that stays (arguments, comments, line
breaks) is never written again. libcst costs 170 ms to import, so it is imported when first needed. Files that are not
UTF-8, or that libcst cannot parse, are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from prodlint.findings import Edit, Span
from prodlint.fixes._py_imports import (
    ensure_imports,
    ensure_statement_after_imports,
    import_edits,
    is_bound_at,
    local_name,
)
from prodlint.fixes._py_log import log_arguments
from prodlint.fixes._py_tree import File, append_after, around, chain_to, dotted, find, find_call, in_string, walk
from prodlint.fixes.text import Edits, begins_line, indent_at, line_end, line_start, smallest

if TYPE_CHECKING:
    import libcst as cst

__all__ = [
    "Edits",
    "call_through",
    "can_await",
    "ensure_imports",
    "ensure_statement_after_imports",
    "fill_handler",
    "guard_statement",
    "import_edits",
    "insert_await",
    "insert_item",
    "insert_statement_after",
    "insert_statement_before",
    "is_bound_at",
    "is_operand",
    "laid_out",
    "local_name",
    "make_async",
    "may_await",
    "move_item",
    "print_to_log",
    "replace_assigned",
    "replace_callee",
    "replace_expression",
    "set_keyword",
    "statement_of",
]

# --- expressions


def _awaiting_function(chain: Sequence[cst.CSTNode]) -> cst.FunctionDef | None:
    """The function in whose own code the innermost node of the chain is evaluated, if `await` could stand there."""
    import libcst as cst

    comprehensions = 0
    for index in range(len(chain) - 1, 0, -1):
        node, parent = chain[index], chain[index - 1]
        if isinstance(parent, cst.FunctionDef):
            return parent if node is parent.body and comprehensions < 2 else None
        if isinstance(parent, cst.Lambda | cst.ClassDef | cst.Annotation):
            return None
        if isinstance(parent, cst.BaseComp):
            first = isinstance(node, cst.CompFor) and index + 1 < len(chain) and chain[index + 1] is node.iter
            if not first:
                if isinstance(parent, cst.GeneratorExp):
                    return None
                comprehensions += 1
    return None


def may_await(chain: Sequence[cst.CSTNode], file: File, making_async: Span | None) -> bool:
    """Whether `await` may stand in the place of the last of a chain of nodes."""
    function = _awaiting_function(chain)
    if function is None:
        return False
    return function.asynchronous is not None or (
        making_async is not None and file.span(function).start == making_async.start
    )


def can_await(source: bytes, span: Span) -> bool:
    """Whether `await` may stand at `span`: inside an `async def` itself, and in no lambda, generator expression, nested
    `def`, class body, decorator, default or annotation in between."""
    file = around(source, span)
    return file is not None and may_await(chain_to(file, span), file, None)


def is_operand(node: cst.CSTNode, parent: cst.CSTNode) -> bool:
    """Whether `await` binds more loosely than what `parent` does with the node: `node.x`, `node()`, `node[x]`."""
    import libcst as cst

    if isinstance(parent, cst.Attribute | cst.Subscript):
        return node is parent.value
    return (isinstance(parent, cst.Call) and node is parent.func) or isinstance(parent, cst.Await)


def _await_edits(
    path: str, file: File, node: cst.BaseExpression, chain: Sequence[cst.CSTNode], making_async: Span | None
) -> tuple[str, Edits] | None:
    """What to write before `node` to await it, and the edits after it."""
    if not may_await([*chain, node], file, making_async):
        return None
    if is_operand(node, chain[-1]) and not node.lpar:
        end = file.span(node).end
        return "(await ", (Edit(path, end, end, ")"),)
    return "await ", ()


def insert_await(path: str, source: bytes, span: Span, *, making_async: Span | None = None) -> Edits | None:
    """`await` before the expression at `span`, parenthesised where precedence asks: `f().x` → `(await f()).x`; empty if
    it is awaited. None outside `async def`, unless the same fix makes that function async (`making_async`)."""
    import libcst as cst

    file = around(source, span)
    found = file and find(file, span, cst.BaseExpression)  # type: ignore[type-abstract]
    if not file or not found:
        return None
    node, chain = found
    if isinstance(chain[-1], cst.Await):
        return ()
    if isinstance(node, cst.BinaryOperation | cst.BooleanOperation | cst.UnaryOperation | cst.Comparison | cst.IfExp):
        return None
    awaiting = _await_edits(path, file, node, chain, making_async)
    if awaiting is None:
        return None
    before, after = awaiting
    return Edit(path, span.start, span.start, before), *after


def replace_callee(
    path: str, source: bytes, span: Span, callee: str, *, awaited: bool = False, making_async: Span | None = None
) -> Edits | None:
    """The call at `span` with another callee: `time.sleep(x)` → `await asyncio.sleep(x)` (`awaited`)."""
    file = around(source, span)
    found = find_call(file, span)
    if not file or not found:
        return None
    call, chain = found
    awaiting = _await_edits(path, file, call, chain, making_async) if awaited else ("", ())
    if awaiting is None:
        return None
    before, after = awaiting
    old = file.outer(call.func)
    if in_string(chain, callee):
        return None
    return smallest(file.source, Edit(path, old.start, old.end, before + callee)), *after


def call_through(
    path: str, source: bytes, span: Span, runner: str, *, awaited: bool = False, making_async: Span | None = None
) -> Edits | None:
    """The call at `span` made by `runner`: `requests.get(u, timeout=3)` → `await asyncio.to_thread(requests.get, u,
    timeout=3)`. None where an argument awaits or yields, because it would be evaluated in the same place but is then
    hard to read, and where the callee is itself a call whose work would stay where it is."""
    import libcst as cst

    file = around(source, span)
    found = find_call(file, span)
    if not file or not found or in_string(found[1], runner):
        return None
    call, chain = found
    if any(isinstance(node, cst.Call | cst.Await) for node, _ in walk(cst.Expr(call.func))):
        return None
    awaiting = _await_edits(path, file, call, chain, making_async) if awaited else ("", ())
    if awaiting is None:
        return None
    before, after = awaiting
    callee = file.outer(call.func)
    if not call.args:
        return (
            Edit(path, callee.start, callee.start, f"{before}{runner}("),
            Edit(path, callee.end, span.end, ")"),
            *after,
        )
    first = file.span(call.args[0]).start
    opening = source.index(b"(", callee.end, first)
    gap = source[opening + 1 : first]
    if b"#" in gap:
        return None
    blanks = gap.decode()
    between = blanks if "\n" in blanks else " "
    text = f"{before}{runner}({blanks}{file.text(callee)},{between}"
    if len(call.args) == 1 and isinstance(call.args[0].value, cst.GeneratorExp) and not call.args[0].value.lpar:
        return None
    return smallest(file.source, Edit(path, callee.start, first, text)), *after


def replace_expression(
    path: str, source: bytes, span: Span, text: str, *, awaited: bool = False, making_async: Span | None = None
) -> Edits | None:
    """The expression at `span` replaced by `text` (awaited on request), parenthesised where precedence asks."""
    import libcst as cst

    file = around(source, span)
    found = file and find(file, span, cst.BaseExpression)  # type: ignore[type-abstract]
    if not file or not found:
        return None
    node, chain = found
    new = cst.parse_expression(f"await {text}" if awaited else text)
    if in_string(chain, text) or (awaited and not may_await([*chain, node], file, making_async)):
        return None
    is_primary = isinstance(new, cst.Call | cst.Name | cst.Attribute | cst.Subscript | cst.List | cst.Dict) or new.lpar
    takes_all = isinstance(chain[-1], cst.Expr | cst.Assign | cst.Return | cst.Arg)
    loose = is_operand(node, chain[-1]) if isinstance(new, cst.Await) else not takes_all
    written = f"await {text}" if awaited else text
    if loose and not is_primary and not node.lpar:
        written = f"({written})"
    return (smallest(file.source, Edit(path, span.start, span.end, written)),)


def replace_assigned(path: str, source: bytes, span: Span, text: str) -> Edits | None:
    """What the assignment around `span` (all of it, or its target) gives, replaced by `text`. None for what is no plain
    assignment to one target."""
    import libcst as cst

    file = around(source, span)
    for node in reversed(chain_to(file, span)) if file else ():
        if isinstance(node, cst.Assign | cst.AnnAssign):
            if file is None or node.value is None or (isinstance(node, cst.Assign) and len(node.targets) != 1):
                return None
            return replace_expression(path, source, file.outer(node.value), text)
    return None


def insert_item(path: str, source: bytes, span: Span, text: str, at: int = 0) -> Edits | None:
    """The string `text` as the item number `at` of the list or tuple that is assigned to the name at `span`, quoted and
    laid out as the item that is there, or as the last one."""
    items = _items(source, span)
    if not items or not 0 <= at <= len(items[1]):
        return None
    file, elements = items
    beside = elements[min(at, len(elements) - 1)]
    quote = source[beside.start : beside.start + 1].decode()
    if quote not in ("'", '"'):
        return None
    gap = file.newline + indent_at(source, beside.start) if begins_line(source, beside.start) else " "
    if at == len(elements):
        return (Edit(path, beside.end, beside.end, f",{gap}{quote}{text}{quote}"),)
    return (Edit(path, beside.start, beside.start, f"{quote}{text}{quote},{gap}"),)


def move_item(path: str, source: bytes, span: Span, old: int, new: int) -> Edits | None:
    """The item `old` of the list or tuple that is assigned to the name at `span`, moved in front of the item `new`
    further up. None unless each of the two has a line for itself."""
    items = _items(source, span)
    if not items or not 0 <= new < old < len(items[1]):
        return None
    file, elements = items
    moved, target = elements[old], elements[new]
    start, end = line_start(source, moved.start), line_end(source, moved.end)
    behind = source[moved.end : end].strip()
    if not begins_line(source, moved.start) or not begins_line(source, target.start) or behind not in (b"", b","):
        return None
    place = line_start(source, target.start)
    text = f"{source[start : moved.end].decode()},{file.newline}"
    return Edit(path, place, place, text), Edit(path, start, min(end + len(file.newline), len(source)), "")


def _items(source: bytes, span: Span) -> tuple[File, list[Span]] | None:
    """The items of the list or tuple that is assigned to the name at `span`, and the file; None where it is empty."""
    import libcst as cst

    file = around(source, span)
    for node in reversed(chain_to(file, span)) if file else ():
        if isinstance(node, cst.Assign | cst.AnnAssign):
            if file is None or not isinstance(node.value, cst.List | cst.Tuple) or not node.value.elements:
                return None
            return file, [file.outer(element.value) for element in node.value.elements]
    return None


def set_keyword(path: str, source: bytes, span: Span, name: str, value: str) -> Edits | None:
    """The call at `span` with the keyword argument `name=value`, changed or added last; empty if it is so already.
    None if a `**` may set it."""
    import libcst as cst

    file = around(source, span)
    found = find_call(file, span)
    if not file or not found or in_string(found[1], value):
        return None
    call, _ = found
    for argument in call.args:
        if argument.keyword and argument.keyword.value == name:
            old = file.outer(argument.value)
            return () if file.text(old) == value else (Edit(path, old.start, old.end, value),)
    if any(argument.star == "**" for argument in call.args):
        return None
    if not call.args:
        opening = source.index(b"(", file.outer(call.func).end)
        if source[opening + 1 : span.end - 1].strip():
            return None  # a comment stands there
        return (Edit(path, opening + 1, span.end - 1, f"{name}={value}"),)
    last = call.args[-1]
    if len(call.args) == 1 and isinstance(last.value, cst.GeneratorExp) and not last.value.lpar:
        return None
    return append_after(path, file, last, f"{name}={value}")


def print_to_log(path: str, source: bytes, span: Span, method: str, placeholder: str = "%s") -> Edits | None:
    """The `print(…)` call at `span` as a call of `method` ("logger.info") with lazy formatting: `print("x", y)` →
    `logger.info("x %s", y)`. `placeholder` is "{}" for loguru. None for what a log cannot say: `end=`, a `sep=` that is
    no literal, a `file=` other than the standard streams, `*args`, no arguments; and where a comment would be lost."""
    file = around(source, span)
    found = find_call(file, span)
    if not file or not found:
        return None
    call, chain = found
    arguments = log_arguments(file, call, placeholder)
    if arguments is None or in_string(chain, method, *arguments):
        return None
    opening = source.index(b"(", file.outer(call.func).end) + 1
    first = call.args[0]
    if first.keyword is None and arguments == [file.text(file.outer(first.value))]:
        start, end = file.span(first).end, file.span(call.args[-1]).end
        rest = (Edit(path, start, end, ""),) if len(call.args) > 1 else ()
        if b"#" not in source[start:end]:
            return Edit(path, span.start, opening, f"{method}("), *rest
    if b"#" in _between(file, call):
        return None
    written = f"{method}({laid_out(file, span, arguments, len(method))})"
    return (smallest(source, Edit(path, span.start, span.end, written)),)


LINE_LENGTH = 88


def laid_out(file: File, span: Span, arguments: Sequence[str], used: int) -> str:
    """The arguments of a call on its line, or, if that gets longer than it was and than 88, on a line each."""
    one_line = ", ".join(arguments)
    start = line_start(file.source, span.start)
    old = file.text(Span(start, line_end(file.source, span.end))).splitlines()
    new = len(file.text(Span(start, span.start))) + used + len(one_line) + 2
    if new <= max(LINE_LENGTH, *map(len, old)) or "\n" in one_line:
        return one_line
    outer = f"{file.newline}{indent_at(file.source, span.start)}"
    inner = outer + file.indent
    return f"{inner}{f',{inner}'.join(arguments)},{outer}"


def _between(file: File, call: cst.Call) -> bytes:
    """What stands between the arguments of a call: commas, blanks and comments."""
    pieces, position = [], file.outer(call.func).end
    for argument in call.args:
        span = file.span(argument)
        pieces.append(file.source[position : span.start])
        position = span.end
    pieces.append(file.source[position : file.span(call).end])
    return b"".join(pieces)


# --- statements


def _statement(file: File, span: Span) -> tuple[cst.BaseStatement, list[cst.CSTNode]] | None:
    """The statement around `span` that stands on lines of its own, and the nodes around it."""
    import libcst as cst

    chain = chain_to(file, span)
    while chain:
        node = chain.pop()
        if isinstance(node, cst.SimpleStatementSuite):
            return None  # `if x: f()`
        if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            return node, chain
    return None


def statement_of(source: bytes, span: Span) -> Span | None:
    """The simple or compound statement around `span`, without its indentation and newline, with its decorators. None
    for one that shares its line with the `if` or loop that it is the body of."""
    file = around(source, span)
    found = file and _statement(file, span)
    return file.extent(found[0]) if file and found else None


def insert_statement_before(path: str, source: bytes, span: Span, text: str) -> Edits | None:
    """`text` (one or more lines, indented only relative to the first) as statements before the one around `span`. None
    where that is not run exactly as often as the code at `span`: the test of an `elif` or `while`, `a; b`."""
    import libcst as cst

    file = around(source, span)
    found = file and _statement(file, span)
    if not file or not found:
        return None
    statement, chain = found
    if isinstance(statement, cst.While) or (isinstance(statement, cst.If) and isinstance(chain[-1], cst.If)):
        return None
    start = file.extent(statement).start
    if isinstance(statement, cst.SimpleStatementLine) and file.span(statement.body[0]).end < span.start:
        return None
    indent = indent_at(source, start)
    lines = f"{file.newline}{indent}".join(text.split("\n"))
    return (Edit(path, start, start, f"{lines}{file.newline}{indent}"),)


def insert_statement_after(path: str, source: bytes, span: Span, text: str) -> Edits | None:
    """`text` as statements after the one around `span`. None after a `return`, `raise`, `break` or `continue`, and
    inside `a; b` but after the last."""
    import libcst as cst

    file = around(source, span)
    found = file and _statement(file, span)
    if not file or not found:
        return None
    statement, chain = found
    if isinstance(statement, cst.If) and isinstance(chain[-1], cst.If):
        return None
    if isinstance(statement, cst.SimpleStatementLine):
        last = statement.body[-1]
        leaves = isinstance(last, cst.Return | cst.Raise | cst.Break | cst.Continue)
        if leaves or file.span(last).start > span.start:
            return None
    extent = file.extent(statement)
    indent = indent_at(source, extent.start)
    lines = "".join(f"{file.newline}{indent}{line}" for line in text.split("\n"))
    end = line_end(source, extent.end)
    return (Edit(path, end, end, lines),)


def fill_handler(path: str, source: bytes, span: Span, text: str) -> Edits | None:
    """`text` in the place of the `pass` (or `...`) that is all of the `except` clause at `span`; None if there is
    more."""
    import libcst as cst

    file = around(source, span)
    chain = chain_to(file, Span(span.start, span.start + 1)) if file else []
    handler = next((node for node in reversed(chain) if isinstance(node, cst.ExceptHandler)), None)
    if not file or handler is None or len(handler.body.body) != 1:
        return None
    only = handler.body.body[0]
    if isinstance(only, cst.SimpleStatementLine) and len(only.body) == 1:
        only = only.body[0]
    is_ellipsis = isinstance(only, cst.Expr) and isinstance(only.value, cst.Ellipsis)
    if not is_ellipsis and not isinstance(only, cst.Pass):
        return None
    old = file.span(only)
    return (Edit(path, old.start, old.end, text),)


def guard_statement(path: str, source: bytes, span: Span, head: str, text: str) -> Edits | None:
    """The simple statement around `span` inside `try:`, followed by `head` ("except ValueError:") and `text` (one
    line) as its body. None for compound statements, `a; b`, and statements with a string of several lines."""
    import libcst as cst

    file = around(source, span)
    found = file and _statement(file, span)
    if not file or not found:
        return None
    statement, chain = found
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) > 1 or in_string(chain, text):
        return None
    start, end = file.extent(statement)
    lines = source[start:end].decode()
    if '"""' in lines or "'''" in lines:
        return None
    indent, step = indent_at(source, start), file.indent
    deeper = [
        Edit(path, offset + 1, offset + 1, step)
        for offset in range(start, end)
        if source[offset : offset + 1] == b"\n" and source[offset + 1 : end].strip()
    ]
    end = line_end(source, end)
    newline = f"{file.newline}{indent}"
    return (
        Edit(path, start, start, f"try:{newline}{step}"),
        *deeper,
        Edit(path, end, end, f"{newline}{head}{newline}{step}{text}"),
    )


def make_async(path: str, source: bytes, span: Span) -> Edits | None:
    """`async` before the `def` at `span` (`Function.start`..`end`); empty if it is async. None for generators, dunder
    methods and properties, whose callers would get something else."""
    import libcst as cst

    file = around(source, span)
    if file is None:
        return None
    functions = [node for node in chain_to(file, span) if isinstance(node, cst.FunctionDef)]
    if not functions or file.span(functions[-1]).start != span.start:
        return None
    function = functions[-1]
    if function.asynchronous:
        return ()
    name = function.name.value
    decorators = {dotted(decorator.decorator).split(".")[-1] for decorator in function.decorators}
    if (name.startswith("__") and name.endswith("__")) or decorators & {"property", "cached_property", "setter"}:
        return None
    if _yields(function):
        return None
    return (Edit(path, span.start, span.start, "async "),)


def _yields(function: cst.FunctionDef) -> bool:
    """Whether a function is a generator."""
    import libcst as cst

    return any(isinstance(node, cst.Yield) for node, _ in walk(function.body, (cst.FunctionDef, cst.Lambda)))
