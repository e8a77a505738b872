"""Files that a coroutine of Python opens, reads or writes whole in one statement: the same in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from prodlint.findings import Edit, Span
from prodlint.fixes._py_tree import File, around, chain_to, dotted, find_call, walk
from prodlint.fixes.python import is_operand, laid_out, may_await
from prodlint.fixes.text import Edits, smallest

if TYPE_CHECKING:
    import libcst as cst

_MODES = {"": "text", "r": "text", "rt": "text", "rb": "bytes", "w": "text", "wt": "text", "wb": "bytes"}
_KEPT = frozenset({"encoding", "errors"})


class _Opened(NamedTuple):
    """What `open(…)` is given: the path as an expression of pathlib, the mode, and the other arguments."""

    path: str
    mode: str
    others: list[str]


def in_thread(path: str, source: bytes, span: Span, runner: str, path_class: str) -> Edits | None:
    """`with open(p) as f: data = f.read()`, around the call of `open` at `span`, as `data = await
    asyncio.to_thread(Path(p).read_text)`; so with `f.write(…)`, `json.load(f)` and `json.dump(…, f)`. `runner` is
    `asyncio.to_thread` as the file calls it. None where more is done with the file, or a comment would be lost."""
    import libcst as cst

    file = around(source, span)
    found = find_call(file, span)
    if not file or not found or len(found[1]) < 2:
        return None
    call, chain = found
    item, block = chain[-1], chain[-2]
    if not isinstance(block, cst.With) or not isinstance(item, cst.WithItem) or block.asynchronous:
        return None
    opened = _opened(file, call, path_class)
    statement = _only_statement(block)
    if opened is None or statement is None or len(block.items) > 1 or item.asname is None:
        return None
    start, inner = file.span(block).start, file.span(statement)
    if b"#" in source[start : inner.start] or not isinstance(item.asname.name, cst.Name):
        return None
    used = _use(file, statement, item.asname.name.value)
    made = _instead(file, used, opened) if used is not None else None
    if used is None or made is None or not may_await([*used[1], used[0]], file, None):
        return None
    place, head, arguments, tail = made
    width = place.start - inner.start + len(f"{head}await {runner}{tail}")
    is_short = bool(head) or len(arguments) == 1
    listed = ", ".join(arguments) if is_short else laid_out(file, Span(start, start), arguments, width)
    awaited = f"await {runner}({listed})"
    if not head and is_operand(used[0], used[1][-1]):
        awaited = f"({awaited})"
    before, after = file.text(Span(inner.start, place.start)), file.text(Span(place.end, inner.end))
    return (smallest(source, Edit(path, start, inner.end, f"{before}{head}{awaited}{tail}{after}")),)


def _opened(file: File, call: cst.Call, path_class: str) -> _Opened | None:
    import libcst as cst

    if not call.args or any(argument.star for argument in call.args) or call.args[0].keyword is not None:
        return None
    mode, others = "", []
    for position, argument in enumerate(call.args[1:], 1):
        keyword = argument.keyword.value if argument.keyword is not None else ""
        if keyword == "mode" or (position == 1 and not keyword):
            value = argument.value.evaluated_value if isinstance(argument.value, cst.SimpleString) else None
            if not isinstance(value, str) or value not in _MODES:
                return None
            mode = value
        elif keyword in _KEPT:
            others.append(f"{keyword}={file.text(file.outer(argument.value))}")
        else:
            return None
    first = call.args[0].value
    written = file.text(file.outer(first))
    is_path = isinstance(first, cst.Call) and dotted(first.func).rpartition(".")[2] == "Path"
    return _Opened(written if is_path else f"{path_class}({written})", mode, others)


def _only_statement(block: cst.With) -> cst.BaseSmallStatement | None:
    import libcst as cst

    body = block.body.body
    only = body[0] if isinstance(block.body, cst.IndentedBlock) and len(body) == 1 else None
    return only.body[0] if isinstance(only, cst.SimpleStatementLine) and len(only.body) == 1 else None


def _use(file: File, statement: cst.CSTNode, name: str) -> tuple[cst.Call, list[cst.CSTNode]] | None:
    """The only call in a statement that the file of that name is read or written by."""
    import libcst as cst

    names = [node for node, _ in walk(statement) if isinstance(node, cst.Name) and node.value == name]
    if len(names) != 1:
        return None
    chain = chain_to(file, file.span(names[0]))
    calls = [at for at, node in enumerate(chain) if isinstance(node, cst.Call)]
    if not calls:
        return None
    call = chain[calls[-1]]
    assert isinstance(call, cst.Call)
    is_method = isinstance(call.func, cst.Attribute) and call.func.value is names[0]
    is_argument = any(argument.value is names[0] and not argument.star for argument in call.args)
    return (call, chain[: calls[-1]]) if is_method or is_argument else None


def _instead(
    file: File, used: tuple[cst.Call, list[cst.CSTNode]], opened: _Opened
) -> tuple[Span, str, list[str], str] | None:
    """What stands for the call: its span, the text before `await`, what is handed to the thread, the text behind."""
    import libcst as cst

    call, span = used[0], file.span(used[0])
    kind, is_write = _MODES[opened.mode], opened.mode.startswith("w")
    method = f"{opened.path}.{'write' if is_write else 'read'}_{kind}"
    arguments = [file.text(file.outer(argument.value)) for argument in call.args]
    is_plain = not any(argument.keyword or argument.star for argument in call.args)
    if isinstance(call.func, cst.Attribute) and dotted(call.func) not in ("json.load", "json.dump"):
        name = call.func.attr.value
        if name == "read" and not is_write and not call.args:
            return span, "", [method, *opened.others], ""
        if name == "write" and is_write and len(arguments) == 1 and is_plain:
            return span, "", [method, *arguments, *opened.others], ""
        return None
    if dotted(call.func) == "json.load" and not is_write and len(arguments) == 1 and is_plain:
        return span, "json.loads(", [method, *opened.others], ")"
    if dotted(call.func) == "json.dump" and is_write and kind == "text" and _dumps(call):
        rest = [file.text(file.span(argument)).rstrip(" ,") for argument in (call.args[0], *call.args[2:])]
        return span, "", [method, f"json.dumps({', '.join(rest)})", *opened.others], ""
    return None


def _dumps(call: cst.Call) -> bool:
    """Whether `json.dump` is given its object and the file first, and options by name."""
    positional = [argument for argument in call.args if argument.keyword is None and not argument.star]
    return len(positional) == 2 and list(call.args[:2]) == positional and not any(each.star for each in call.args)
