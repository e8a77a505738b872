"""Imports of Python files: which there are, and where a new one goes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tree_sitter import Node

from prodlint.extract.source import _py_grammar as grammar
from prodlint.findings import Edit, ImportRequest, Span
from prodlint.fixes._py_tree import (
    File,
    append_after,
    around,
    bom_length,
    chain_to,
    dotted,
    head,
    piece,
    text_of,
    tree,
    walk,
)
from prodlint.fixes.text import (
    Edits,
    FixError,
    Text,
    begins_line,
    edited,
    indent_at,
    insert_lines,
    line_start,
    next_line,
)

if TYPE_CHECKING:
    import libcst as cst

_IMPORTS = frozenset({grammar.IMPORT, grammar.IMPORT_FROM, grammar.FUTURE_IMPORT})
_CONDITIONS = frozenset({grammar.FUNCTION, grammar.CLASS, grammar.IF, grammar.EXCEPT_CLAUSE})
"""What is in these is not always run when the module is."""

_NAMES = frozenset({grammar.DOTTED_NAME, grammar.ALIASED_IMPORT, grammar.RELATIVE_IMPORT})
_HOLD_STATEMENTS = _CONDITIONS | {
    grammar.MODULE,
    grammar.BLOCK,
    grammar.DECORATED,
    grammar.ELIF_CLAUSE,
    grammar.ELSE_CLAUSE,
    grammar.FINALLY_CLAUSE,
    grammar.FOR,
    grammar.MATCH,
    grammar.CASE_CLAUSE,
    grammar.TRY,
    grammar.WHILE,
    grammar.WITH,
}


class _Imported(NamedTuple):
    """A name that an import statement binds."""

    module: str
    name: str
    local: str
    """What the file writes to use it: a name, or `a.b` after `import a.b`."""
    always: bool
    """Bound at module level, under no condition (as `TYPE_CHECKING`)."""


def _module_of(node: cst.ImportFrom) -> str:
    return "." * len(node.relative) + dotted(node.module)


@lru_cache(maxsize=8)
def _imported(source: bytes) -> tuple[_Imported, ...]:
    """Every name that an import of the file binds, at whatever depth."""
    whole = tree(source)
    found: list[_Imported] = []
    pending = [(whole.root, True)] if whole is not None else []
    while pending:
        node, always = pending.pop()
        if node.kind_id in _IMPORTS:
            found.extend(_bound(source, node, always))
        elif node.kind_id in _HOLD_STATEMENTS:
            inner = always and node.kind_id not in _CONDITIONS
            pending.extend((child, inner) for child in reversed(node.named_children))
    return tuple(found)


def _bound(source: bytes, node: Node, always: bool) -> Iterator[_Imported]:
    """What an import statement binds."""
    asked = node.child_by_field_name("module_name")
    module = (
        "__future__" if node.kind_id == grammar.FUTURE_IMPORT else _written(source, asked) if asked is not None else ""
    )
    for part in node.children_by_field_name("name"):
        alias = part.child_by_field_name("alias")
        name = _written(source, part.child_by_field_name("name") or part)
        local = text_of(source, alias) if alias is not None else name
        if node.kind_id != grammar.IMPORT:
            yield _Imported(module, name, local, always)
            continue
        yield _Imported(name, "", local, always)
        if alias is None:
            parts = name.split(".")
            for end in range(1, len(parts)):
                package = ".".join(parts[:end])
                yield _Imported(package, "", package, always)


def _written(source: bytes, name: Node) -> str:
    """A dotted name, relative or not, without the blanks that may be in it."""
    if name.kind_id == grammar.RELATIVE_IMPORT:
        dots, *rest = name.named_children
        return "." * text_of(source, dots).count(".") + "".join(_written(source, part) for part in rest)
    return ".".join(text_of(source, part) for part in name.named_children if part.kind_id == grammar.IDENTIFIER)


def _grants(imported: _Imported, request: ImportRequest) -> bool:
    """Whether an import binds what is asked for; `from a import b` gives the module `a.b` too."""
    if (imported.module, imported.name) == (request.module, request.name):
        return True
    joint = imported.module if imported.module.endswith(".") else f"{imported.module}."
    return bool(imported.name) and not request.name and joint + imported.name == request.module


def _natural_name(request: ImportRequest) -> str:
    return request.alias or request.name or request.module


def _is_named(source: bytes, name: str) -> bool:
    """Whether a name stands anywhere outside import statements: bound, or read."""
    whole = tree(source)
    return whole is not None and any(
        _is_use(node)
        for found in re.finditer(rb"(?<![\w.])%s(?!\w)" % re.escape(name.encode()), source)
        if (node := whole.root.descendant_for_byte_range(*found.span())) is not None
    )


def _is_use(node: Node) -> bool:
    parent = node.parent
    if node.kind_id != grammar.IDENTIFIER or parent is None:
        return False
    if parent.kind_id == grammar.KEYWORD_ARGUMENT:
        return parent.child_by_field_name("name") != node
    if parent.kind_id == grammar.ATTRIBUTE:
        return parent.child_by_field_name("attribute") != node
    above: Node | None = parent
    while above is not None and above.kind_id in _NAMES:
        above = above.parent
    return above is None or above.kind_id not in _IMPORTS


def _is_free(source: bytes, name: str, request: ImportRequest) -> bool:
    """Whether binding `name` to what is asked for changes the meaning of no other use of that name."""
    first = name.split(".")[0]
    same = False
    for imported in _imported(source):
        if imported.local.split(".")[0] == first:
            same = _grants(imported, request) or ("." in name and imported.local == first == imported.module)
            if not same:
                return False
    return same or not _is_named(source, first)


def local_name(source: bytes, request: ImportRequest) -> str | None:
    """The name under which `request` can be used in this file once it is granted: that of an existing import at module
    level, else its alias or natural name (`asyncio`, `a.b`). None where that name means something else in the file."""
    if tree(source) is None:
        return None
    for imported in _imported(source):
        if imported.always and _grants(imported, request):
            return imported.local
    name = _natural_name(request)
    return name if not name.startswith(".") and _is_free(source, name, request) else None


def is_bound_at(source: bytes, name: str, offset: int) -> bool:
    """Whether a module-level name (of a logger, say) can be used at `offset`: in a function, that runs later, or after
    the statement that binds it."""
    import libcst as cst

    at = Span(offset, offset)
    file = around(source, at)
    if file is None:
        return False
    if any(isinstance(node, cst.FunctionDef | cst.Lambda) for node in chain_to(file, at)):
        return True
    return any(
        name in _binds(statement)
        for above in _pieces(source, name)
        for statement in above.module.body
        if above.span(statement).end <= offset
    )


def _pieces(source: bytes, name: str) -> Iterator[File]:
    """The statements of module level that `name` stands in, parsed, in their order."""
    whole = tree(source)
    for start, end in pairwise((*whole.starts, len(source)) if whole is not None else ()):
        if start < end and name.encode() in source[start:end]:
            found = piece(source, start, end)
            if found is not None:
                yield found


def _binds(statement: cst.CSTNode) -> Iterator[str]:
    """The module-level names that a statement binds."""
    import libcst as cst

    for node, parent in [(statement, statement), *walk(statement, (cst.FunctionDef, cst.ClassDef, cst.Lambda))]:
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            yield node.name.value
        elif isinstance(node, cst.Import | cst.ImportFrom):
            aliases = () if isinstance(node.names, cst.ImportStar) else node.names
            yield from (dotted((alias.asname or alias).name).split(".")[0] for alias in aliases)
        elif isinstance(parent, cst.AssignTarget | cst.AnnAssign) and node is parent.target:
            yield dotted(node)


def import_edits(path: str, source: bytes, requests: Iterable[ImportRequest]) -> Edits | None:
    """The edits that grant the requests at module level, in the right group and order; empty if nothing is missing.
    None where a name is bound to something else by another import, or the file does not parse."""
    text = Text(source)
    for request in sorted(set(requests), key=lambda request: (bool(request.name), request.module, request.name)):
        file = head(text.content)
        if file is None:
            return None
        imported = _imported(text.content)
        if any(known.always and _grants(known, request) for known in imported):
            continue
        name = _natural_name(request)
        clashes = any(known.always and known.local == name and not _grants(known, request) for known in imported)
        if clashes or name.startswith("."):
            return None
        text.apply(_join_import(path, text.content, request) or _add_import(path, file, request))
    try:
        return text.edits(path)
    except FixError:
        return None


def ensure_imports(source: bytes, requests: Iterable[ImportRequest]) -> bytes | None:
    """`source` with `import_edits` made."""
    edits = import_edits("", source, requests)
    if edits is None:
        return None
    return edited(source, edits)


def _join_import(path: str, source: bytes, request: ImportRequest) -> Edits | None:
    """Adds a name to a `from m import …` of the same module, if there is one to add to."""
    import libcst as cst

    if not request.name:
        return None
    lists = [
        (each, part)
        for each in _pieces(source, request.module.lstrip(".") or "import")
        for line in each.module.body
        if isinstance(line, cst.SimpleStatementLine)
        for part in line.body
        if isinstance(part, cst.ImportFrom) and _module_of(part) == request.module
    ]
    if not lists:
        return None
    if len(lists) > 1 and all(not isinstance(part.names, cst.ImportStar) and len(part.names) == 1 for _, part in lists):
        return None  # one name a line is the file's style
    file, first = lists[0]
    if isinstance(first.names, cst.ImportStar):
        return None
    names = list(first.names)
    item = request.name + (f" as {request.alias}" if request.alias and request.alias != request.name else "")
    written = [dotted(alias.name) for alias in names]
    index = _place(written, request.name) if len(names) > 1 else len(names)
    if index < len(names):
        start = file.span(names[index].name).start
        own_line = begins_line(file.source, start)
        gap = file.newline + indent_at(file.source, start) if own_line else " "
        return (Edit(path, start, start, f"{item},{gap}"),)
    return append_after(path, file, names[-1], item)


def _place(names: Sequence[str], new: str) -> int:
    """Where a name goes into a list: in its order, if it has one (isort's CONSTANTS, Classes, functions, or the
    alphabet's), else at the end."""

    def by_case(name: str) -> tuple[int, str]:
        return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2), name

    def by_letter(name: str) -> tuple[int, str]:
        return 0, name.lower()

    for order in (by_case, by_letter):
        keys = [order(name) for name in names]
        if keys == sorted(keys):
            return sum(key < order(new) for key in keys)
    return len(names)


def _import_statement(request: ImportRequest) -> str:
    alias = request.alias
    if request.name:
        renamed = f" as {alias}" if alias and alias != request.name else ""
        return f"from {request.module} import {request.name}{renamed}"
    return f"import {request.module}" + (f" as {alias}" if alias and alias != request.module else "")


class _ImportLine(NamedTuple):
    """A line of import statements at module level."""

    category: int
    """0 `__future__`, 1 standard library, 2 everything else, 3 relative."""
    is_from: bool
    module: str
    start: int
    end: int
    """Where the next line starts."""


def _category(module: str) -> int:
    top = module.split(".")[0]
    if not top:
        return 3
    return 0 if top == "__future__" else 1 if top in sys.stdlib_module_names else 2


def _import_lines(file: File) -> list[_ImportLine]:
    import libcst as cst

    lines: list[_ImportLine] = []
    for statement in file.module.body:
        if not isinstance(statement, cst.SimpleStatementLine):
            continue
        first = statement.body[0]
        if not isinstance(first, cst.Import | cst.ImportFrom) or not _only_imports(statement):
            continue
        module = _module_of(first) if isinstance(first, cst.ImportFrom) else dotted(first.names[0].name)
        span = file.span(statement)
        end = next_line(file.source, span.end)
        lines.append(_ImportLine(_category(module), isinstance(first, cst.ImportFrom), module, span.start, end))
    return lines


def _only_imports(line: cst.SimpleStatementLine) -> bool:
    import libcst as cst

    return all(isinstance(part, cst.Import | cst.ImportFrom) for part in line.body)


def _add_import(path: str, file: File, request: ImportRequest) -> Edits:
    """Adds an import statement, before the module's first use of it."""
    edits = _add_in_order(path, file, request)
    use = _first_use(file, _natural_name(request).split(".")[0])
    if use is None or edits[0].start <= use:
        return edits
    return insert_lines(path, file.source, use, _import_statement(request), file.newline)


def _first_use(file: File, name: str) -> int | None:
    """The start of the first module-level statement that uses a name while the module is loaded."""
    import libcst as cst

    for statement in file.module.body:
        nodes = walk(statement, (cst.Import, cst.ImportFrom, cst.FunctionDef, cst.Lambda))
        if any(isinstance(node, cst.Name) and node.value == name for node, _ in nodes):
            return file.span(statement).start
    return None


def _add_in_order(path: str, file: File, request: ImportRequest) -> Edits:
    """Adds an import statement: beside those of the same package, else of the same category, else between them."""
    statement = _import_statement(request)
    category = _category(request.module)
    lines = _import_lines(file)
    package = request.module.split(".")[0]
    same = [line for line in lines if line.category == category]
    family = [line for line in same if line.module.split(".")[0] == package]
    if same:
        return _add_beside(path, file, same, (family or same)[0], request)
    lower = [line for line in lines if line.category < category]
    if lower:
        dense = any(line.start == lower[-1].end for line in lines)
        return insert_lines(path, file.source, lower[-1].end, statement, file.newline, above=0 if dense else 1)
    if lines:
        return insert_lines(
            path, file.source, _above_comments(file.source, lines[0].start), statement, file.newline, below=1
        )
    return _insert_first(path, file, statement)


def _add_beside(path: str, file: File, same: Sequence[_ImportLine], near: _ImportLine, request: ImportRequest) -> Edits:
    """Adds an import statement in sorted order to the block of lines of one category that `near` is in."""
    position = same.index(near)
    first, last = position, position + 1
    while first > 0 and same[first - 1].end == same[first].start:
        first -= 1
    while last < len(same) and same[last].start == same[last - 1].end:
        last += 1
    block = same[first:last]

    def by_kind(line: _ImportLine) -> tuple[bool, str]:
        return line.is_from, line.module.lower()

    def by_module(line: _ImportLine) -> tuple[bool, str]:
        return False, line.module.lower()

    new = _ImportLine(block[0].category, bool(request.name), request.module, 0, 0)
    for key in (by_kind, by_module):
        keys = [key(line) for line in block]
        if keys == sorted(keys):
            index = sum(known <= key(new) for known in keys)
            break
    else:
        index = max((i + 1 for i, line in enumerate(block) if line.is_from == new.is_from), default=len(block))
    offset = block[index - 1].end if index else block[0].start
    return insert_lines(path, file.source, offset, _import_statement(request), file.newline)


def _insert_first(path: str, file: File, text: str) -> Edits:
    """Inserts a line where a module without imports has them: after the docstring, else before the first statement.
    `file` is its head."""
    import libcst as cst

    body = file.module.body
    if body and file.module.get_docstring(clean=False) is not None and isinstance(body[0], cst.SimpleStatementLine):
        offset = next_line(file.source, file.span(body[0]).end)
        return insert_lines(path, file.source, offset, text, file.newline, above=1, below=1)
    whole = tree(file.source)
    if whole is None or not whole.statements:
        return insert_lines(path, file.source, len(file.source), text, file.newline)
    below = 1 if body else 2
    offset = _above_comments(file.source, whole.statements[0].start_byte)
    return insert_lines(path, file.source, offset, text, file.newline, below=below)


def ensure_statement_after_imports(path: str, source: bytes, text: str, *, before: int | None = None) -> Edits | None:
    """Adds a module-level statement (`logger = logging.getLogger(__name__)`) after the imports, at the latest before
    the statement around the offset `before` (a use at module level); empty if it is there. None where a name that it
    binds stands in the file already, whatever it means there."""
    import libcst as cst

    whole, file = tree(source), head(source)
    if whole is None or file is None:
        return None
    if any(text_of(source, statement) == text for statement in whole.statements):
        return ()
    taken = {imported.local.split(".")[0] for imported in _imported(source)}
    for node, parent in walk(cst.parse_module(text)):
        if isinstance(parent, cst.AssignTarget):
            name = dotted(node)
            if name and (name in taken or _is_named(source, name)):
                return None
    imports = [statement for statement in file.module.body if _imports(statement)]
    if not imports:
        return _insert_first(path, file, text)
    end = file.span(imports[-1]).end
    uses = [file.extent(node).start for node in file.module.body if before is not None and file.span(node).end > before]
    if uses and uses[0] < end:
        return insert_lines(path, source, uses[0], text, file.newline)
    return insert_lines(path, source, next_line(source, end), text, file.newline, above=1, below=1)


def _imports(statement: cst.CSTNode) -> bool:
    """Whether a statement is an import, or is there to import (a `try` or `if` around imports that calls nothing)."""
    import libcst as cst

    kinds = {type(node) for node, _ in walk(statement)}
    return bool(kinds & {cst.Import, cst.ImportFrom}) and cst.Expr not in kinds


def _above_comments(source: bytes, offset: int) -> int:
    """The start of the comment lines right above the line at `offset`; `offset` itself where they begin the file,
    because then they are about the file."""
    start, first = offset, bom_length(source)
    while start > first:
        above = line_start(source, start - 1)
        if not source[above:start].lstrip().startswith(b"#"):
            return start
        start = above
    return offset
