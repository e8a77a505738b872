"""Second pass over a JavaScript file: the state of the walk, and what every part of it is built from.

The walk goes down the tree once, in the order of the source. Each kind of node has a handler, in `_js_expressions`,
`_js_statements`, `_js_definitions` and `_js_modules`; a handler records the facts of its node and returns the index
of the value that the node denotes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from tree_sitter import Node

from prodlint.extract.source._build import UNKNOWN, Values
from prodlint.extract.source._js_grammar import CLASS_TYPES, FUNCTION_TYPES, MISREAD_AWAIT, PROLOGUE, Source
from prodlint.extract.source._js_scopes import UNSET, Name, Scope, Scopes
from prodlint.extract.source._language_names import ECMASCRIPT
from prodlint.facts import (
    NONE,
    Access,
    Binding,
    BindingKind,
    Class,
    Exit,
    ExitKind,
    FileFacts,
    Function,
    FunctionKind,
    NameUse,
    Param,
    Region,
    RegionKind,
    Unbound,
    Use,
    ValueKind,
)

Handler: TypeAlias = "Callable[[Walk, Node, Use, int], int]"
"""Records the facts of a node, given what becomes of its value (`Use` and its user), and returns that value."""

MAX_DEPTH = 120
"""Nodes nested deeper than this are looked at later, from the top again, so that no nesting exhausts the stack."""

_MOST_PLACES = 3 * 20
"""More uses of one unbound name than 20 say nothing new."""

MODULE_SYNTAX = frozenset({"import_statement", "export_statement"})
"""What makes a file an ECMAScript module."""

_DEFINITIONS = FUNCTION_TYPES | CLASS_TYPES
_SET_WHERE_DECLARED = frozenset({BindingKind.IMPORT, BindingKind.PARAM, BindingKind.CATCH})
_PROCESS_MODULES = frozenset({"process", "node:process"})


class Hint(NamedTuple):
    """What the surroundings of a function or class say about it."""

    name: str = ""
    cls: int = NONE
    """The class that a function is a member of."""
    decorators: tuple[int, ...] = ()
    is_static: bool = False


class Walk:
    """Adds facts to those of one file, and knows where the walk stands: in which scope, region, function and class."""

    __slots__ = (
        "_bound",
        "_caught",
        "_deferred",
        "_depth",
        "_environments",
        "_handlers",
        "_is_module",
        "_parameters",
        "_process",
        "_unbound",
        "accesses",
        "awaited_starts",
        "bindings",
        "calls",
        "classes",
        "cls",
        "early",
        "exits",
        "export_objects",
        "exports",
        "function",
        "functions",
        "hints",
        "imports",
        "loaders",
        "may_have_prologue",
        "may_misread_await",
        "open_scopes",
        "prologues",
        "region",
        "regions",
        "scope",
        "scopes",
        "source",
        "stores",
        "unbound",
        "values",
    )

    def __init__(self, facts: FileFacts, source: Source, scopes: Scopes, handlers: Mapping[int, Handler]) -> None:
        self.source = source
        self.scopes = scopes
        self._handlers = handlers
        self.values = values = Values()
        facts.values = values.facts
        self.functions = facts.functions
        self.classes = facts.classes
        self.bindings = facts.bindings
        self.regions = facts.regions
        self.calls = facts.calls
        self.stores = facts.stores
        self.exits = facts.exits
        self.imports = facts.imports
        self.exports = facts.exports
        self.accesses = facts.accesses
        self.early = facts.early
        self.unbound = facts.unbound
        self.scope = scopes.root
        self.region = 0
        self.function = 0
        self.cls = NONE
        """The class that `this` belongs to."""
        self.hints: dict[int, Hint] = {}
        """By the id of the node of a function or class that is still to be walked."""
        exports = values.plain(ValueKind.GLOBAL, text="exports")
        self.export_objects = {exports, values.member(values.plain(ValueKind.GLOBAL, text="module"), "exports")}
        """Values that are this module's `module.exports`."""
        self.loaders = {values.plain(ValueKind.GLOBAL, text=name) for name in ("require", "import")}
        """The callees that load a module."""
        self.prologues = facts.prologues
        self.may_have_prologue = source.has(PROLOGUE)
        self.may_misread_await = source.has(MISREAD_AWAIT)
        self.awaited_starts: dict[int, int] = {}
        """Where the operand of a misread `await` starts, by where the `await` does."""
        self._process = {values.plain(ValueKind.GLOBAL, text="process")}
        self._environments = {values.member(process, "env") for process in self._process}
        self.open_scopes = 0
        """How many scopes are around that can have names which nothing in the file spells."""
        self._is_module = False
        self._unbound: dict[str, Unbound] = {}
        self._depth = 0
        self._deferred: list[tuple[Node, Scope, int, int, int, int]] = []
        self._parameters: list[tuple[Param, list[Name]]] = []
        self._caught: list[tuple[Region, list[Name]]] = []
        self._bound: list[Name] = []
        """By binding: the name that it is."""

    def run(self, root: Node) -> None:
        """Walk the whole tree."""
        end = root.end_byte
        self._is_module = any(child.type in MODULE_SYNTAX for child in root.children)
        self.regions.append(Region(RegionKind.BODY, 0, end, NONE, 0))
        self.functions.append(Function("", FunctionKind.MODULE, 0, end, 0, 0, 0))
        for node in self.scopes.function_nodes:
            start, end = node.start_byte, node.end_byte
            self.functions.append(Function("", FunctionKind.FUNCTION, start, end, start, start, 0, parent=0))
        for node in self.scopes.class_nodes:
            self.classes.append(Class("", node.start_byte, node.end_byte, 0, 0))
        self.value(root, Use.OTHER, NONE)
        while self._deferred:
            node, self.scope, self.region, self.function, self.cls, self.open_scopes = self._deferred.pop()
            self.value(node, Use.OTHER, NONE)
        for parameter, names in self._parameters:
            parameter.used = any(name.used for name in names)
        for region, names in self._caught:
            region.uses_param = any(name.used for name in names)
        for binding, name in zip(self.bindings, self._bound, strict=True):
            binding.is_read = name.used

    # Going down

    def value(self, node: Node, use: Use, user: int) -> int:
        """Walk `node` and return its value. `use` and `user` say what becomes of it, as in `Call`."""
        handler = self._handlers.get(node.kind_id)
        if handler is None:
            return UNKNOWN
        depth = self._depth
        if depth >= MAX_DEPTH:
            self._deferred.append((node, self.scope, self.region, self.function, self.cls, self.open_scopes))
            return UNKNOWN
        self._depth = depth + 1
        value = handler(self, node, use, user)
        self._depth = depth
        return value

    def named_value(self, node: Node, name: str, use: Use, user: int) -> int:
        """Walk `node`, which is called `name` if it is a function or class, and return its value."""
        if is_definition(node):
            self.hints[node.id] = Hint(name)
        return self.value(node, use, user)

    def handler(self, node: Node) -> Handler | None:
        """Return the handler of `node`; None for what denotes nothing: tokens, comments, types."""
        return self._handlers.get(node.kind_id)

    def operands(self, node: Node) -> list[Node]:
        """Return the children of `node` that denote something."""
        handlers = self._handlers
        return [child for child in node.named_children if child.kind_id in handlers]

    def children(self, node: Node, use: Use = Use.OTHER) -> None:
        """Walk each child of `node`."""
        for child in node.named_children:
            self.value(child, use, NONE)

    def inside(self, region: int, node: Node | None, use: Use = Use.STATEMENT) -> int:
        """Walk `node` in `region` and return its value."""
        if node is None:
            return UNKNOWN
        outer, self.region = self.region, region
        value = self.value(node, use, NONE)
        self.region = outer
        return value

    def enter(self, node: Node) -> Scope:
        """Go into the scope of `node`, if it has names of its own, and return the one to go back to."""
        outer = self.scope
        self.scope = self.scopes.by_node.get(node.id, outer)
        return outer

    # Making facts

    def open(
        self,
        kind: RegionKind,
        start: int,
        end: int,
        values: list[int] | None = None,
        partner: int = NONE,
        flag: int = 0,
    ) -> int:
        """Add a region inside the current one and return its index."""
        index = len(self.regions)
        self.regions.append(
            Region(kind, start, end, self.region, self.function, values or [], partner=partner, flag=flag)
        )
        return index

    def body(
        self, kind: RegionKind, node: Node, values: list[int] | None = None, partner: int = NONE, flag: int = 0
    ) -> int:
        """Add the region of the statement `node` and return its index."""
        index = self.open(kind, node.start_byte, node.end_byte, values, partner, flag)
        self.regions[index].is_empty = is_empty(node)
        return index

    def leave(self, kind: ExitKind, node: Node, value: int = NONE) -> None:
        """Record that control leaves at `node`."""
        self.exits.append(Exit(kind, node.start_byte, node.end_byte, self.region, value))

    # Names

    def named(self, text: str) -> int:
        """Return the value of the name `text` here."""
        name = self.scope.find(text)
        return self.values.plain(ValueKind.GLOBAL, text=text) if name is None else self.resolve(text, name)

    def resolve(self, text: str, name: Name) -> int:
        """Return the value of `name`, which is written `text`."""
        if name.value != UNSET:
            return name.value
        if _is_set_where_declared(name):
            return UNKNOWN  # read before it is bound: in the default of an earlier parameter
        if name.writes == 1:
            name.value = self._definition(name)
        if name.value == UNSET:
            name.value = self.values.plain(ValueKind.BINDING, len(self.bindings))
            self.bindings.append(Binding(text, name.kind, name.function, name.start, name.end))
            self._bound.append(name)
        return name.value

    def note_early(self, name: Name, node: Node, value: int) -> None:
        """Record a read of `name` at `node`, in front of its declaration, if that fails: in the function of a `const`
        or a class, outside of class bodies (their fields are given values later)."""
        is_late = name.kind is BindingKind.CONST or name.kind is BindingKind.CLASS
        if is_late and name.function == self.function and self.regions[self.region].kind is not RegionKind.CLASS:
            self.early.append(Access(value, node.start_byte, node.end_byte, self.region))

    def binding(self, text: str) -> int:
        """Return the binding that `text` names here, or NONE where it is global or is what it is bound to."""
        name = self.scope.find(text)
        if name is None or _is_set_where_declared(name):
            return NONE
        value = self.values.facts[self.resolve(text, name)]
        return value.ref if value.kind is ValueKind.BINDING else NONE

    def assign(self, text: str, value: int) -> bool:
        """Record that the name `text` is given `value`; return whether there is such a name."""
        name = self.scope.find(text)
        if name is None:
            return False
        if _is_set_where_declared(name):
            name.value = value
            return True
        index = self.resolve(text, name)
        if self.values.facts[index].kind is not ValueKind.BINDING:
            return True
        self.bindings[self.values.facts[index].ref].values.append(value)
        if name.writes == 1:
            self._follow_alias(index, value)
        return True

    def _definition(self, name: Name) -> int:
        function = self.scopes.functions.get(name.definition)
        if function is not None:
            return self.values.plain(ValueKind.FUNCTION, function)
        cls = self.scopes.classes.get(name.definition)
        return UNSET if cls is None else self.values.plain(ValueKind.CLASS, cls)

    def _follow_alias(self, alias: int, value: int) -> None:
        for family in (self._environments, self.export_objects, self._process):
            if value in family:
                family.add(alias)

    def watch_parameter(self, parameter: Param, texts: list[str]) -> None:
        """Set `parameter.used` when all is read, from the names `texts` that it binds here."""
        self._parameters.append((parameter, [name for text in texts if (name := self.scope.names.get(text))]))

    def watch_caught(self, region: int, texts: list[str]) -> None:
        """Set `uses_param` of the CATCH `region` when all is read, from the names `texts` that it binds here."""
        names = [name for text in texts if (name := self.scope.names.get(text))]
        self._caught.append((self.regions[region], names))

    def note_unbound(self, text: str, node: Node, use: NameUse) -> None:
        """Record a use of the name `text`, which nothing binds."""
        if text in ECMASCRIPT or self.open_scopes or text in self.scopes.types or text in self.scopes.in_blocks:
            return
        fact = self._unbound.get(text)
        if fact is None:
            fact = self._unbound[text] = Unbound(text, [])
            self.unbound.append(fact)
        places = fact.places
        if len(places) < _MOST_PLACES or use is NameUse.TESTED:
            if use is NameUse.WRITE and (self._is_module or is_strict(node)):
                use = NameUse.STRICT_WRITE
            places += (node.start_byte, self.region, use)

    # Members

    def member(self, ref: int, name: str) -> int:
        """Return the value of the member `name` of value `ref`."""
        value = self.values.member(ref, name)
        if name == "env" and self._is_process(ref):
            self._environments.add(value)
        return value

    def read_member(self, ref: int, name: str, node: Node) -> int:
        """Return the value of `ref.name`, which is read at `node`."""
        value = self.member(ref, name)
        if ref in self._environments:
            self.accesses.append(Access(value, node.start_byte, node.end_byte, self.region))
        return value

    def _is_process(self, ref: int) -> bool:
        if ref in self._process:
            return True
        value = self.values.facts[ref]
        if value.kind is ValueKind.MEMBER and value.text == "default":
            value = self.values.facts[value.ref]
        return value.kind is ValueKind.IMPORT and value.text in _PROCESS_MODULES


def _is_set_where_declared(name: Name) -> bool:
    return name.writes == 1 and name.kind in _SET_WHERE_DECLARED


def is_strict(node: Node) -> bool:
    """Return whether `node` stands in a class or under "use strict"."""
    at: Node | None = node
    while at is not None:
        if at.type == "class_body":
            return True
        if at.type in ("program", "statement_block"):
            for child in at.named_children:
                if child.type == "expression_statement" and child.children[0].type == "string":
                    text = child.children[0].text or b""
                    if text[1:-1] == b"use strict":
                        return True
                elif child.type not in ("comment", "hash_bang_line"):
                    break
        at = at.parent
    return False


def is_definition(node: Node) -> bool:
    """Return whether the expression `node` is a function or a class."""
    return node.type in _DEFINITIONS


def is_empty(node: Node) -> bool:
    """Return whether the statement `node` does nothing: an empty block, or `;`."""
    if node.type == "empty_statement":
        return True
    return node.type == "statement_block" and all(child.type == "comment" for child in node.named_children)
