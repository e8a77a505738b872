"""The names of a Python file that no scope of it binds, with the places where they are read.

The second pass looks nearly every name up anyway; what it did not find is looked for here, in the text, and each place
is judged by the tree around it. So a file without such names costs nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise

from tree_sitter import Node

from prodlint.extract.source import _py_grammar as g
from prodlint.extract.source._language_names import PYTHON
from prodlint.extract.source._py_events import reads
from prodlint.extract.source._py_outline import Outline, Scope, ScopeKind
from prodlint.facts import NameUse, Region, Unbound
from prodlint.lazy_regex import regex

_MOST_PLACES = 20
_MOST_LOOKS = 2000
_DEEPEST = 400
_STATEMENTS_WITH_TESTS = frozenset({g.IF, g.ELIF_CLAUSE, g.WHILE, g.CONDITIONAL, g.BOOLEAN_OPERATOR})
_TESTS_OF_LANGUAGE = regex(
    rb"version|\bPY_?[23]|\bpy[23]|\bhexversion|python_?[23]|IS_PY|builtin|\bTYPE_CHECKING\b|\bplatform\b|\bos\.name\b"
    rb"|\bglobals\(|\blocals\(|\bvars\(|\bdir\("
)
_WORD = regex(rb"(?<![\w.\x80-\xff])[\w\x80-\xff]++")
_FUTURE_ANNOTATIONS = regex(
    rb"^from\s+__future__\s+import\b(?:(?!\bannotations\b)[^\n(])*+(?:\((?:(?!\bannotations\b)[^)])*+)?+\bannotations\b",
    re.MULTILINE,
)
_IGNORED_LINE = regex(
    rb"#\s*(?:noqa\b(?!:)|noqa:[^#\n]*F821|type:\s*ignore|pyright:\s*ignore|pylint:\s*disable[^#\n]*undefined-var)"
)
_IGNORED_FILE = regex(
    rb"^[^\S\n]*+#[^\S\n]*+(?:(?:ruff|flake8):\s*noqa(?::[^#\n]*F821|[^\S\n]*+$)|pylint:\s*disable[^#\n]*undefined-var)",
    re.MULTILINE,
)
_MAKES_NAMES = regex(
    rb"\bimport\s*+(?:\(\s*+)?\*|(?<![\w.])(?:exec|execfile)\s*\(|^[^\S\n]*+exec\s+\S"
    rb"|(?:\b(?:globals|locals|vars)\s*\(\s*\)|\b__dict__)\s*(?:\[[^\]\n]*\]\s*=(?!=)|\.update\b|\.setdefault\b|\|=)"
    rb"|[(,=]\s*(?:globals|vars)\(\)\s*(?:[,)#]|$)|\bglobal_enum\b|\b_convert_?\("
    rb"|\bsetattr\s*\(\s*(?:sys\.modules\[|builtins|__builtin)",
    re.MULTILINE,
)
_SEES_NAME_ERRORS = regex(rb"\bNameError\b")


def makes_names(data: bytes) -> bool:
    """Return whether names can come to be in the file `data` that nothing in it spells."""
    return _MAKES_NAMES.search(data) is not None


def unbound_names(data: bytes, root: Node, outline: Outline, missed: Iterable[bytes]) -> list[Unbound]:
    """Return the uses of those of the names `missed` that are not bound where they are read."""
    suspects = {name for name in missed if name not in PYTHON}
    for scope in outline.scopes:
        if suspects:
            suspects -= scope.module_names  # another function, or another module, sets it
    if any(not name.isascii() for name in suspects):
        suspects -= _spelt_otherwise(suspects, outline)
    if not suspects or _IGNORED_FILE.search(data):
        return []
    return _Finder(data, root, outline).find(suspects)


def _spelt_otherwise(suspects: Iterable[bytes], outline: Outline) -> set[bytes]:
    """Return those names that are the same to Python as one that is bound: it compares them in normal form (NFKC)."""
    bound = {_normal(name) for scope in outline.scopes for name in scope.names if not name.isascii()}
    return {name for name in suspects if not name.isascii() and _normal(name) in bound}


def _normal(name: bytes) -> str:
    return unicodedata.normalize("NFKC", name.decode(errors="replace"))


class _Finder:
    def __init__(self, data: bytes, root: Node, outline: Outline) -> None:
        self.data = data
        self.root = root
        self.outline = outline
        self.are_annotations_run = _FUTURE_ANNOTATIONS.search(data) is None

    def find(self, suspects: set[bytes]) -> list[Unbound]:
        words = (match for match in _WORD.finditer(self.data) if match.group() in suspects)
        found: dict[bytes, Unbound] = {}
        for match in islice(words, _MOST_LOOKS):
            path = self._path(match.start())
            node = path[0]
            if node.kind_id != g.IDENTIFIER or node.end_byte != match.end() or len(path) > _DEEPEST or not reads(node):
                continue
            scope = self._scope(path)
            if scope is None or self._is_bound(match[0], scope) or self._is_ignored(match.start()):
                continue
            fact = found.get(match[0])
            if fact is None:
                fact = found[match[0]] = Unbound(match[0].decode(errors="replace"), [])
            use = NameUse.TESTED if self._is_tested(path, match[0]) else NameUse.READ
            if len(fact.places) < 3 * _MOST_PLACES or use is NameUse.TESTED:
                fact.places += (match.start(), self._region(match.start()), use)
        return list(found.values())

    def _path(self, offset: int) -> list[Node]:
        """The node at an offset, and the nodes around it. `Node.parent` would start at the root for each of them."""
        cursor = self.root.walk()
        path = [self.root]
        while len(path) <= _DEEPEST and cursor.goto_first_child_for_byte(offset) is not None:
            assert cursor.node is not None
            path.append(cursor.node)
        path.reverse()
        return path

    def _scope(self, path: list[Node]) -> Scope | None:
        """The scope that a name is looked up in; None if it is never looked up."""
        node = path[0]
        type_scope_of = self.outline.type_scope_of
        for depth, (below, at) in enumerate(pairwise(path), 1):
            kind = at.kind_id
            if kind == g.TYPE:
                if not self._is_run(path[depth:]):
                    return None
            elif kind in (g.FUNCTION, g.CLASS, g.LAMBDA):
                if below == at.child_by_field_name("body"):
                    return self.outline.scope_of.get(at.id)
                if at.id in type_scope_of and (below.kind_id != g.PARAMETERS or _holds_type(path[:depth])):
                    return type_scope_of[at.id]
            elif kind == g.TYPE_ALIAS:
                return None
            elif kind in g.COMPREHENSIONS and not _is_first_iterable(at, below, node):
                return self.outline.scope_of.get(at.id)
        return self.outline.scopes[0]

    def _is_bound(self, name: bytes, scope: Scope) -> bool:
        """Whether a name is bound as seen from a scope. Those of type parameters see the class that they stand in."""
        if scope.find(name) is not None:
            return True
        around = scope.parent
        if around is None or around.kind is not ScopeKind.CLASS or name not in around.names:
            return False
        return any(scope is inner for inner in self.outline.type_scope_of.values())

    def _is_run(self, path: list[Node]) -> bool:
        """Whether an annotation, with what is around it, is evaluated: those of a function's variables never are."""
        if not self.are_annotations_run:
            return False
        if path[1].kind_id != g.ASSIGNMENT:
            return True
        definition = next((node.kind_id for node in path if node.kind_id in (g.FUNCTION, g.CLASS)), g.CLASS)
        return definition == g.CLASS

    def _is_tested(self, path: list[Node], name: bytes) -> bool:
        """Whether somebody sees to it that the name may be missing."""
        quoted = re.compile(rb"[\"']%s[\"']" % re.escape(name))
        for below, at in pairwise(path):
            kind = at.kind_id
            if kind == g.TRY and below == at.child_by_field_name("body"):
                if any(
                    self._catches(clause, below) for clause in at.named_children if clause.kind_id == g.EXCEPT_CLAUSE
                ):
                    return True
            elif kind in _STATEMENTS_WITH_TESTS:
                first, last = at.start_byte, below.start_byte if kind != g.CONDITIONAL else at.end_byte
                test = self.data[first:last] if kind != g.IF else self._tests(at)
                if _TESTS_OF_LANGUAGE.search(test) or quoted.search(test):
                    return True
        return False

    def _tests(self, statement: Node) -> bytes:
        clauses = [statement, *statement.children_by_field_name("alternative")]
        tests = [clause.child_by_field_name("condition") for clause in clauses]
        return b"\n".join(self.data[test.start_byte : test.end_byte] for test in tests if test is not None)

    def _catches(self, clause: Node, guarded: Node) -> bool:
        """Whether an `except` is there for a NameError: it says so, or catches all that its one statement does."""
        types, _ = g.caught(clause)
        text = self.data[types.start_byte : types.end_byte] if types is not None else b""
        if _SEES_NAME_ERRORS.search(text):
            return True
        return text in (b"", b"Exception", b"BaseException") and len(g.parts(guarded)) == 1

    def _is_ignored(self, offset: int) -> bool:
        end = self.data.find(b"\n", offset)
        return _IGNORED_LINE.search(self.data, offset, end if end != -1 else len(self.data)) is not None

    def _region(self, offset: int) -> int:
        """The innermost region around an offset."""
        regions = self.outline.regions
        return max(_around(regions, offset), key=lambda index: (regions[index].start, -regions[index].end), default=0)


def _around(regions: list[Region], offset: int) -> Iterator[int]:
    return (index for index, region in enumerate(regions) if region.start <= offset < region.end)


def _holds_type(path: list[Node]) -> bool:
    return any(node.kind_id == g.TYPE for node in path)


def _is_first_iterable(comprehension: Node, clause: Node, node: Node) -> bool:
    """Whether `node` stands in the iterable that a comprehension begins with: it runs outside."""
    clauses = g.loop_clauses(comprehension)
    if not clauses or clause != clauses[0]:
        return False
    iterable = clause.child_by_field_name("right")
    return iterable is not None and iterable.start_byte <= node.start_byte < iterable.end_byte
