"""First pass over a JavaScript file: its scopes, the names that they declare, and how often each is written.

Names are declared before any expression is looked at, so hoisting needs no care later on, and a name that is bound
only once is known to be what it is bound to.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

from tree_sitter import Node, QueryCursor

from prodlint.extract.source._js_grammar import CLASS_TYPES, FUNCTION_TYPES, Source, scope_query
from prodlint.facts import NONE, BindingKind
from prodlint.lazy_regex import regex

UNSET = -2
"""The value of a name that nothing has asked for yet."""

_DEFINITIONS = FUNCTION_TYPES | CLASS_TYPES
_DECLARED_BEFORE_USE = frozenset({"function_declaration", "generator_function_declaration"})
_VARIABLE_KINDS = {"const": BindingKind.CONST, "let": BindingKind.VARIABLE, "var": BindingKind.VARIABLE}
_CREATE_REQUIRE = regex(r"[\w$.]*\bcreateRequire\(")
_WRITE_TARGETS = frozenset({"identifier", "object_pattern", "array_pattern"})


class Name:
    """A name in a scope. `definition` is the id of the function or class node that it stands for, if it is one."""

    __slots__ = ("definition", "end", "function", "kind", "start", "used", "value", "writes")

    def __init__(self, kind: BindingKind, node: Node, function: int, definition: int) -> None:
        self.kind = kind
        self.start = node.start_byte
        self.end = node.end_byte
        self.function = function
        self.definition = definition
        self.writes = 0
        self.used = False
        self.value = UNSET


class Scope:
    """The names of a function or a block; `function` is the index of the function that it belongs to."""

    __slots__ = ("function", "names", "parent", "variables")

    def __init__(self, parent: Scope | None, function: int, is_function: bool) -> None:
        self.parent = parent
        self.function = function
        self.names: dict[str, Name] = {}
        self.variables: Scope = self if is_function or parent is None else parent.variables
        """The scope that `var` declares in."""

    def find(self, name: str) -> Name | None:
        """Return what `name` means here, or None where it is global."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def declare(self, name: str, kind: BindingKind, node: Node, definition: int = NONE, writes: int = 1) -> Name:
        """Declare `name` at `node`, or count one more write of it."""
        known = self.names.get(name)
        if known is None:
            known = self.names[name] = Name(kind, node, self.function, definition)
        elif definition != NONE:
            known.definition = definition
        known.writes += writes
        return known


class Initialiser(NamedTuple):
    """`target = value` in a declaration."""

    target: Node
    value: Node
    scope: Scope


class Scopes(NamedTuple):
    """What the first pass found. Nodes are known by their `id`."""

    root: Scope
    by_node: dict[int, Scope]
    functions: dict[int, int]
    """Index of each function, in the order of the source; the module is 0."""
    classes: dict[int, int]
    function_nodes: list[Node]
    class_nodes: list[Node]
    initialisers: list[Initialiser]
    """The declarations whose value may be an import."""
    types: set[str]
    """Names of interfaces, type aliases and type parameters: they stand for nothing at run time."""
    problems: list[Node]
    in_blocks: set[str]
    """Names of functions that are declared in blocks: sloppy code has them in the whole function."""
    ambient: list[str]
    """What `declare global {…}` declares."""
    interfaces: dict[str, int]
    """Index among the classes of each interface, by its name."""


def read_scopes(root: Node, kind: str, source: Source) -> Scopes:
    """Return the scopes of the file `root`, which is of `kind`."""
    return _Reader(root, source).read(kind)


def pattern_names(pattern: Node) -> Iterator[Node]:
    """Yield the identifiers that a pattern (or a parameter) binds, in order."""
    pending = [pattern]
    while pending:
        node = pending.pop()
        kind = node.type
        if kind in ("identifier", "shorthand_property_identifier_pattern"):
            yield node
        elif kind in ("object_pattern", "array_pattern", "formal_parameters", "rest_pattern"):
            pending.extend(reversed(node.named_children))
        else:
            inner = node.child_by_field_name(_BOUND_FIELD.get(kind, ""))
            if inner is not None:
                pending.append(inner)


_BOUND_FIELD = {
    "pair_pattern": "value",
    "assignment_pattern": "left",
    "object_assignment_pattern": "left",
    "required_parameter": "pattern",
    "optional_parameter": "pattern",
}
"""The field of each kind of node that holds what it binds."""


class _Reader:
    def __init__(self, root: Node, source: Source) -> None:
        self.node = root
        self.source = source
        self.scopes = Scopes(Scope(None, 0, True), {}, {}, {}, [], [], [], set(), [], set(), [], {})
        self.open: list[tuple[int, Scope]] = [(root.end_byte + 1, self.scopes.root)]
        self.writes: list[tuple[Scope, Node]] = []

    def read(self, kind: str) -> Scopes:
        captures = QueryCursor(scope_query(kind)).captures(self.node)
        events = [
            (node.start_byte, -node.end_byte, capture, node) for capture, nodes in captures.items() for node in nodes
        ]
        events.sort(key=itemgetter(0, 1))
        for start, negative_end, capture, node in events:
            while self.open[-1][0] <= start:
                self.open.pop()
            self._read_one(capture, node, self.open[-1][1], -negative_end)
        for scope, target in self.writes:
            for identifier in pattern_names(target):
                name = scope.find(self.source.of(identifier))
                if name is not None:
                    name.writes += 1
        self._leave_out_empty_scopes()
        return self.scopes

    def _read_one(self, capture: str, node: Node, scope: Scope, end: int) -> None:
        if capture == "block":
            self._push(node, end, Scope(scope, scope.function, False))
        elif capture in _VARIABLE_KINDS:
            self._variable(node, scope.variables if capture == "var" else scope, _VARIABLE_KINDS[capture])
        elif capture == "function":
            self._function(node, scope, end)
        elif capture == "write":
            if node.type in _WRITE_TARGETS:
                self.writes.append((scope, node))
        elif capture == "class":
            self._class(node, scope, end)
        elif capture == "catch":
            inner = self._push(node, end, Scope(scope, scope.function, False))
            self._declare_all(node.child_by_field_name("parameter"), inner, BindingKind.CATCH)
        elif capture == "static":
            self._push(node, end, Scope(scope, scope.function, True))
        elif capture == "each":
            self._each(node, scope, end)
        elif capture == "import":
            self._import(node)
        elif capture == "other":
            scope.declare(self.source.of(node), BindingKind.OTHER, node)
        elif capture == "interface":
            self._interface(node)
        elif capture == "type":
            self.scopes.types.add(self.source.of(node))
        elif capture == "global":
            self._ambient(node)
        elif capture == "declared":
            scope.declare(self.source.of(node), BindingKind.FUNCTION, node, writes=0)
        else:
            self.scopes.problems.append(node)

    def _push(self, node: Node, end: int, scope: Scope) -> Scope:
        self.scopes.by_node[node.id] = scope
        self.open.append((end, scope))
        return scope

    def _declare_all(self, pattern: Node | None, scope: Scope, kind: BindingKind, writes: int = 1) -> None:
        for identifier in pattern_names(pattern) if pattern is not None else ():
            scope.declare(self.source.of(identifier), kind, identifier, writes=writes)

    def _function(self, node: Node, scope: Scope, end: int) -> None:
        index = len(self.scopes.function_nodes) + 1
        self.scopes.functions[node.id] = index
        self.scopes.function_nodes.append(node)
        inner = Scope(scope, index, True)
        kind = node.type
        name = node.child_by_field_name("name") if kind != "arrow_function" else None
        if kind in _DECLARED_BEFORE_USE and name is not None:
            text = self.source.of(name)
            scope.declare(text, BindingKind.FUNCTION, name, node.id)
            if scope.variables is not scope:
                self.scopes.in_blocks.add(text)
        parameters = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
        self._declare_all(parameters, inner, BindingKind.PARAM)
        if kind in ("function_expression", "generator_function") and name is not None:
            own = self.source.of(name)
            if own not in inner.names:
                inner.declare(own, BindingKind.FUNCTION, name, node.id)
        self._push(node, end, inner)

    def _class(self, node: Node, scope: Scope, end: int) -> None:
        self.scopes.classes[node.id] = len(self.scopes.class_nodes)
        self.scopes.class_nodes.append(node)
        name = node.child_by_field_name("name")
        if name is None:
            return
        if node.type == "class":
            scope = self._push(node, end, Scope(scope, scope.function, False))
        scope.declare(self.source.of(name), BindingKind.CLASS, name, node.id)

    def _interface(self, node: Node) -> None:
        name = node.child_by_field_name("name")
        if name is not None:
            text = self.source.of(name)
            self.scopes.classes[node.id] = self.scopes.interfaces.setdefault(text, len(self.scopes.class_nodes))
            if self.scopes.classes[node.id] == len(self.scopes.class_nodes):
                self.scopes.class_nodes.append(node)

    def _variable(self, node: Node, scope: Scope, kind: BindingKind) -> None:
        target, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if target is None:
            return
        if value is None:
            self._declare_all(target, scope, kind, writes=0)
            return
        value_kind = value.type
        if target.type == "identifier":
            text = self.source.of(target)
            if text == "require" and _CREATE_REQUIRE.match(self.source.of(value)):
                return  # the `require` that a CommonJS module has anyway
            is_definition = kind is BindingKind.CONST and value_kind in _DEFINITIONS
            scope.declare(text, kind, target, value.id if is_definition else NONE)
        else:
            self._declare_all(target, scope, kind)
        if value_kind in ("call_expression", "member_expression", "await_expression"):
            self.scopes.initialisers.append(Initialiser(target, value, scope))

    def _ambient(self, block: Node) -> None:
        for statement in block.named_children:
            name = statement.child_by_field_name("name")
            declarators = [name] if name is not None else statement.named_children
            for declarator in declarators:
                target = declarator.child_by_field_name("name") or declarator
                if target.type in ("identifier", "type_identifier"):
                    self.scopes.ambient.append(self.source.of(target))

    def _each(self, node: Node, scope: Scope, end: int) -> None:
        inner = self._push(node, end, Scope(scope, scope.function, False))
        left, keyword = node.child_by_field_name("left"), node.child_by_field_name("kind")
        if left is None:
            return
        if keyword is None:
            self.writes.append((scope, left))
        else:
            holder = scope.variables if keyword.type == "var" else inner
            self._declare_all(left, holder, BindingKind.OTHER)

    def _import(self, clause: Node) -> None:
        for child in clause.named_children:
            kind = child.type
            if kind == "identifier":
                self._declare_import(child)
            elif kind == "namespace_import":
                for name in child.named_children:
                    self._declare_import(name)
            elif kind == "named_imports":
                for specifier in child.named_children:
                    local = specifier.child_by_field_name("alias") or specifier.child_by_field_name("name")
                    if local is not None:
                        self._declare_import(local)

    def _declare_import(self, local: Node) -> None:
        self.scopes.root.declare(self.source.of(local), BindingKind.IMPORT, local)

    def _leave_out_empty_scopes(self) -> None:
        # Scopes come outer first, so the parent of each has been shortened already.
        by_node = self.scopes.by_node
        for scope in by_node.values():
            parent = scope.parent
            while parent is not None and not parent.names and parent.parent is not None:
                parent = parent.parent
            scope.parent = parent
        for node_id in [node_id for node_id, scope in by_node.items() if not scope.names]:
            del by_node[node_id]
