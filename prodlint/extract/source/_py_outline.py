"""The first of two passes over a Python file: who is written where, and which names each scope has.

No expression is evaluated here. A name can be used above the place that binds it, so all names have to be known first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

import msgspec
from tree_sitter import Node

from prodlint.extract.source import _py_grammar as g
from prodlint.extract.source._build import UNKNOWN, Values
from prodlint.facts import (
    NONE,
    Binding,
    BindingKind,
    Call,
    Class,
    Function,
    FunctionKind,
    Import,
    ImportKind,
    Param,
    ParamKind,
    Region,
    RegionKind,
    ValueKind,
)
from prodlint.lazy_regex import regex

_PROPERTY_MAKERS = frozenset({b"property", b"cached_property", b"hybrid_property", b"abstractproperty"})
_ABSTRACT = frozenset({b"abstractmethod", b"abstractproperty", b"abstractclassmethod", b"abstractstaticmethod"})
_OF_CLASS = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})
"""Methods that are handed their class without being told to be."""
_PROPERTY_PARTS = frozenset({b"getter", b"setter", b"deleter"})


class ScopeKind(IntEnum):
    """What a scope belongs to. A `BLOCK` is a comprehension or a list of type parameters."""

    MODULE = 0
    FUNCTION = 1
    CLASS = 2
    BLOCK = 3


class Name:
    """A name in a scope. `value` is what it stands for, known when the first pass is over."""

    __slots__ = ("binding", "declared", "end", "firm", "is_assigned", "kind", "start", "value")

    def __init__(self, kind: BindingKind, start: int, end: int) -> None:
        """Begin a name that is first bound at `[start, end)`."""
        self.kind = kind
        self.start = start
        self.end = end
        self.declared: list[int] = []
        """The imports, functions, classes and parameters that it is bound to."""
        self.is_assigned = False
        """Whether it is bound in any other way too."""
        self.firm = False
        """Whether anything but an `@overload` or a `del` binds it."""
        self.value = UNKNOWN
        self.binding = NONE
        """The index of its binding, if `value` is one."""


class Scope:
    """A stretch of code with names of its own, in functions[`function`]; `cls` is the class of a CLASS scope."""

    __slots__ = ("cls", "function", "kind", "memo", "module_names", "names", "outer_names", "parent")

    def __init__(self, kind: ScopeKind, parent: Scope | None, function: int, cls: int = NONE) -> None:
        """Begin an empty scope inside `parent`."""
        self.kind = kind
        self.parent = parent
        self.function = function
        self.cls = cls
        self.names: dict[bytes, Name] = {}
        self.module_names: frozenset[bytes] = frozenset()
        """Names under a `global` statement."""
        self.outer_names: frozenset[bytes] = frozenset()
        """Names under a `nonlocal` statement."""
        self.memo: dict[bytes, int] = {}
        """Values of dotted names that were looked up from here."""

    def module(self) -> Scope:
        """Return the module's scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def find(self, name: bytes) -> Name | None:
        """Return the name that `name` means here: classes around a function do not count."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.module_names:
                return scope.module().names.get(name)
            found = scope.names.get(name)
            if found is not None and (scope.kind is not ScopeKind.CLASS or scope is self):
                return found
            scope = scope.parent
        return None

    def enclosing_class(self) -> int:
        """Return the class whose method (or body) this is in, or NONE."""
        scope: Scope | None = self
        while scope is not None and scope.kind is not ScopeKind.CLASS:
            scope = scope.parent
        return scope.cls if scope is not None else NONE


class Outline(msgspec.Struct):
    """What the first pass leaves for the second. The dictionaries are keyed by `Node.id`."""

    values: Values
    functions: list[Function] = []
    classes: list[Class] = []
    bindings: list[Binding] = []
    regions: list[Region] = []
    calls: list[Call] = []
    imports: list[Import] = []
    steps: list[tuple[int, Node, int, Scope]] = []
    """Every captured node with its kind, and the region and the scope that it stands in."""
    scopes: list[Scope] = []
    scope_of: dict[int, Scope] = {}
    """The scope inside a function, class or comprehension."""
    type_scope_of: dict[int, Scope] = {}
    """The scope that holds the type parameters of a function or class that has some."""
    index_of: dict[int, int] = {}
    """The index of a call, function, lambda or class; the first region of a statement that has regions."""
    decorators_of: dict[int, list[Node]] = {}
    """The expressions of the decorators of a function or class."""


class _Frame(NamedTuple):
    """The region and scope that hold between two offsets."""

    start: int
    end: int
    region: int
    scope: Scope


def outline(data: bytes, root: Node, nodes: Sequence[Node], values: Values) -> Outline:
    """Return the outline of the file `data` whose tree has the `root` and the captured `nodes`."""
    return _Outliner(data, root, values).run(nodes)


class _Outliner:
    def __init__(self, data: bytes, root: Node, values: Values) -> None:
        self.data = data
        self.values = values
        self.out = Outline(values)
        self.module = Scope(ScopeKind.MODULE, None, 0)
        self.out.scopes.append(self.module)
        self.out.functions.append(Function("", FunctionKind.MODULE, 0, len(data), 0, 0, 0))
        self.out.regions.append(Region(RegionKind.BODY, 0, len(data), NONE, 0, is_empty=g.is_idle(root)))
        self.frames = [_Frame(0, len(data) + 1, 0, self.module)]
        self.coming: list[_Frame] = []
        """Frames that lie ahead, the next one last."""

    def run(self, nodes: Sequence[Node]) -> Outline:
        steps = self.out.steps
        frames = self.frames
        coming = self.coming
        _, frame_end, region, scope = frames[0]
        for node in nodes:
            start = node.start_byte
            while start >= frame_end or (coming and coming[-1].start <= start):
                if start >= frame_end:
                    frames.pop()
                else:
                    frame = coming.pop()
                    if frame.end > start:
                        frames.append(frame)
                _, frame_end, region, scope = frames[-1]
            kind = node.kind_id
            steps.append((kind, node, region, scope))
            handler = _VISIT.get(kind)
            if handler is not None:
                handler(self, node, region, scope)
        self._settle_names()
        return self.out

    # ------------------------------------------------------------------ frames, regions, names

    def _expect(self, *frames: _Frame) -> None:
        """Announce frames inside the node at hand, in order of their starts, outer ones first."""
        self.coming.extend(reversed(frames))

    def _text(self, node: Node) -> bytes:
        return self.data[node.start_byte : node.end_byte]

    def _name(self, node: Node) -> str:
        return self._text(node).decode(errors="replace")

    def _region(
        self,
        kind: RegionKind,
        span: tuple[int, int],
        parent: int,
        function: int,
        *,
        partner: int = NONE,
        block: Node | None = None,
        flag: bool = False,
    ) -> int:
        """Add a region; it is empty if there is a `block` that does nothing."""
        index = len(self.out.regions)
        is_empty = block is not None and g.is_idle(block)
        self.out.regions.append(
            Region(kind, *span, parent, function, partner=partner, is_empty=is_empty, flag=int(flag))
        )
        return index

    def _frame(self, region: int, scope: Scope) -> _Frame:
        """Return the frame of a whole region."""
        fact = self.out.regions[region]
        return _Frame(fact.start, fact.end, region, scope)

    def _scope(self, kind: ScopeKind, parent: Scope, function: int, cls: int = NONE) -> Scope:
        scope = Scope(kind, parent, function, cls)
        self.out.scopes.append(scope)
        return scope

    def _declare(
        self,
        scope: Scope,
        identifier: Node,
        kind: BindingKind,
        value: int = NONE,
        *,
        firm: bool = True,
        name: bytes = b"",
    ) -> None:
        """Note that `identifier` is bound in `scope`; of imports, functions, classes and parameters to `value`."""
        name = name or self._text(identifier)
        if name in scope.module_names:
            scope = self.module
        known = scope.names.get(name)
        if known is None:
            known = scope.names[name] = Name(kind, identifier.start_byte, identifier.end_byte)
        if firm and not known.firm:
            known.firm = True
            known.kind, known.start, known.end = kind, identifier.start_byte, identifier.end_byte
            known.declared.clear()
        if value == NONE:
            known.is_assigned = known.is_assigned or firm
        elif firm == known.firm and value not in known.declared:
            known.declared.append(value)

    def _declare_targets(self, scope: Scope, target: Node | None, kind: BindingKind = BindingKind.OTHER) -> None:
        for identifier in g.target_names(target):
            self._declare(scope, identifier, kind)

    def _settle_names(self) -> None:
        """Give each name its value: the one thing that it stands for, or a binding."""
        for scope in self.out.scopes:
            for outer_name in sorted(scope.outer_names):
                self._move_outwards(scope, outer_name)
        for scope in self.out.scopes:
            for text, name in scope.names.items():
                if len(name.declared) == 1 and not name.is_assigned:
                    name.value = name.declared[0]
                    continue
                name.binding = len(self.out.bindings)
                name.value = self.values.plain(ValueKind.BINDING, name.binding)
                readable = text.decode(errors="replace")
                binding = Binding(readable, name.kind, scope.function, name.start, name.end, name.declared)
                self.out.bindings.append(binding)

    def _move_outwards(self, scope: Scope, name: bytes) -> None:
        """Let a `nonlocal` name be the one of the function around."""
        inner = scope.names.pop(name, None)
        outer = scope.find(name)
        if inner is None:
            return
        if outer is None:
            scope.names[name] = inner
        else:
            outer.is_assigned = True

    # ------------------------------------------------------------------ definitions

    def _decorated(self, node: Node, region: int, scope: Scope) -> None:
        definition = node.child_by_field_name("definition")
        if definition is not None:
            decorators = [child for child in node.named_children if child.kind_id == g.DECORATOR]
            expressions = (g.first(decorator) for decorator in decorators)
            self.out.decorators_of[definition.id] = [expression for expression in expressions if expression is not None]

    def _decorator_names(self, node: Node) -> set[bytes]:
        """The last name of each decorator: `app.get` in `@app.get("/")` counts as `get`."""
        names = set()
        for decorator in self.out.decorators_of.get(node.id, ()):
            callee = decorator.child_by_field_name("function") if decorator.kind_id == g.CALL else decorator
            if callee is not None:
                names.add(self._text(callee).rpartition(b".")[2].strip())
        return names

    def _with_type_parameters(self, node: Node, scope: Scope) -> Scope:
        """The scope in which a definition's annotations and bases are read."""
        parameters = node.child_by_field_name("type_parameters")
        if parameters is None:
            return scope
        inner = self._scope(ScopeKind.BLOCK, scope, scope.function)
        self.out.type_scope_of[node.id] = inner
        for parameter in g.parts(parameters):
            while parameter.kind_id != g.IDENTIFIER and (child := g.first(parameter)) is not None:
                parameter = child
            if parameter.kind_id == g.IDENTIFIER:
                self._declare(inner, parameter, BindingKind.OTHER)
        return inner

    def _function(self, node: Node, region: int, scope: Scope) -> None:
        index = self.out.index_of[node.id] = len(self.out.functions)
        decorators = self._decorator_names(node)
        name = node.child_by_field_name("name")
        name_span = (name.start_byte, name.end_byte) if name is not None else (node.start_byte, node.start_byte)
        text = self._name(name) if name is not None else ""
        is_method = scope.kind is ScopeKind.CLASS
        is_static = is_method and b"staticmethod" in decorators
        body = node.child_by_field_name("body")
        around = self._with_type_parameters(node, scope)
        inner = self._enter_function(node, body, region, around, index)
        function = Function(
            text,
            _function_kind(text, is_method, decorators),
            node.start_byte,
            node.end_byte,
            *name_span,
            region=len(self.out.regions) - 1,
            parent=scope.function,
            cls=scope.cls,
            is_async=g.is_async(node),
            is_static=is_static,
        )
        self.out.functions.append(function)
        of_class = b"classmethod" in decorators or text in _OF_CLASS
        receiver = NONE
        if is_method and not is_static:
            receiver = self.values.plain(ValueKind.SELF, scope.cls, "cls" if of_class else "")
        if is_method and not decorators.isdisjoint(_ABSTRACT):
            self.out.classes[scope.cls].is_abstract = True
        self._parameters(node.child_by_field_name("parameters"), function, index, inner, receiver)
        if name is not None and not (is_method and _PROPERTY_PARTS & decorators):
            value = self.values.plain(ValueKind.FUNCTION, index)
            self._declare(scope, name, BindingKind.FUNCTION, value, firm=b"overload" not in decorators)

    def _lambda(self, node: Node, region: int, scope: Scope) -> None:
        index = self.out.index_of[node.id] = len(self.out.functions)
        body = node.child_by_field_name("body")
        inner = self._enter_function(node, body, region, scope, index)
        keyword_end = node.start_byte + len(b"lambda")
        function = Function(
            "",
            FunctionKind.EXPRESSION,
            node.start_byte,
            node.end_byte,
            node.start_byte,
            keyword_end,
            region=len(self.out.regions) - 1,
            parent=scope.function,
        )
        self.out.functions.append(function)
        self._parameters(node.child_by_field_name("parameters"), function, index, inner, NONE)

    def _enter_function(self, node: Node, body: Node | None, region: int, around: Scope, index: int) -> Scope:
        """Add the body's region and scope, and announce its frame."""
        span = (body.start_byte, body.end_byte) if body is not None else (node.end_byte, node.end_byte)
        block = body if body is not None and body.kind_id == g.BLOCK else None
        inside = self._region(RegionKind.BODY, span, region, index, block=block)
        scope = self._scope(ScopeKind.FUNCTION, around, index)
        self.out.scope_of[node.id] = scope
        self._expect(self._frame(inside, scope))
        return scope

    def _parameters(self, parameters: Node | None, function: Function, index: int, scope: Scope, receiver: int) -> None:
        """Fill in the parameters, without defaults and types. `receiver` is the value of the first one, in a method."""
        kind_after_star = ParamKind.NORMAL
        for node in g.parts(parameters) if parameters is not None else ():
            kind, identifier = _parameter(node)
            if node.kind_id == g.KEYWORD_SEPARATOR:
                kind_after_star = ParamKind.KEYWORD_ONLY
                receiver = NONE
            if kind is ParamKind.PATTERN:
                names = [self._name(name) for name in g.target_names(node)]
                function.params.append(Param("", node.start_byte, node.end_byte, kind, names=names))
                self._declare_targets(scope, node, BindingKind.PARAM)
            if identifier is None:
                continue
            if receiver != NONE and kind is ParamKind.NORMAL:
                self._declare(scope, identifier, BindingKind.PARAM, receiver)
            else:
                name = self._name(identifier)
                value = self.values.compound(ValueKind.PARAM, [len(function.params)], index, name)
                self._declare(scope, identifier, BindingKind.PARAM, value)
                kind = kind_after_star if kind is ParamKind.NORMAL else kind
                function.params.append(Param(name, node.start_byte, node.end_byte, kind))
            receiver = NONE
            if kind is ParamKind.REST:
                kind_after_star = ParamKind.KEYWORD_ONLY

    def _class(self, node: Node, region: int, scope: Scope) -> None:
        index = self.out.index_of[node.id] = len(self.out.classes)
        name = node.child_by_field_name("name")
        text = self._name(name) if name is not None else ""
        self.out.classes.append(Class(text, node.start_byte, node.end_byte, scope.function, region))
        around = self._with_type_parameters(node, scope)
        inner = self.out.scope_of[node.id] = self._scope(ScopeKind.CLASS, around, scope.function, index)
        body = node.child_by_field_name("body")
        if body is not None:
            span = (body.start_byte, body.end_byte)
            inside = self._region(RegionKind.CLASS, span, region, scope.function, block=body)
            self._expect(self._frame(inside, inner))
        if name is not None:
            self._declare(scope, name, BindingKind.CLASS, self.values.plain(ValueKind.CLASS, index))

    # ------------------------------------------------------------------ names

    def _call(self, node: Node, region: int, scope: Scope) -> None:
        self.out.index_of[node.id] = len(self.out.calls)
        start, end = node.start_byte, node.end_byte
        if self.data.startswith(b"*", start):  # see `operand`
            start += 1
        self.out.calls.append(Call(start, end, start, end, UNKNOWN, region))

    def _assignment(self, node: Node, region: int, scope: Scope) -> None:
        self._declare_targets(scope, node.child_by_field_name("left"), BindingKind.VARIABLE)

    def _named_expression(self, node: Node, region: int, scope: Scope) -> None:
        name = node.child_by_field_name("name")
        if name is not None:
            self._declare(variable_scope(scope), name, BindingKind.VARIABLE)

    def _delete(self, node: Node, region: int, scope: Scope) -> None:
        for child in g.parts(node):
            for identifier in g.target_names(child):
                self._declare(scope, identifier, BindingKind.OTHER, firm=False)

    def _type_alias(self, node: Node, region: int, scope: Scope) -> None:
        alias = alias_name(node)
        if alias is not None:
            self._declare(scope, alias, BindingKind.VARIABLE)

    def _global(self, node: Node, region: int, scope: Scope) -> None:
        if scope is not self.module:
            scope.module_names |= {self._text(name) for name in g.parts(node)}

    def _nonlocal(self, node: Node, region: int, scope: Scope) -> None:
        scope.outer_names |= {self._text(name) for name in g.parts(node)}

    def _import(self, node: Node, region: int, scope: Scope) -> None:
        for name in node.children_by_field_name("name"):
            dotted, alias = _aliased(name)
            if dotted is None:
                continue
            module = _dotted(self._text(dotted))
            local = self._text(alias) if alias is not None else module.partition(".")[0].encode()
            if alias is None or "." not in module:
                value = self.values.plain(ValueKind.IMPORT, text=module.partition(".")[0])
            else:
                package, _, member = module.rpartition(".")
                value = self.values.member(self.values.plain(ValueKind.IMPORT, text=package), member)
            self._declare(scope, alias or dotted, BindingKind.IMPORT, value, name=local)
            readable = local.decode(errors="replace")
            start, end = node.start_byte, node.end_byte
            self.out.imports.append(Import(ImportKind.IMPORT, module, start, end, region, [""], [readable]))

    def _import_from(self, node: Node, region: int, scope: Scope) -> None:
        source = node.child_by_field_name("module_name")
        module = _dotted(self._text(source)) if source is not None else "__future__"
        package = self.values.plain(ValueKind.IMPORT, text=module)
        fact = Import(ImportKind.IMPORT, module, node.start_byte, node.end_byte, region, [], [])
        for child in node.children_by_field_name("name"):
            dotted, alias = _aliased(child)
            if dotted is None:
                continue
            name = _dotted(self._text(dotted))
            local = self._text(alias) if alias is not None else name.encode()
            value = self.values.member(package, name)
            self._declare(scope, alias or dotted, BindingKind.IMPORT, value, name=local)
            fact.names.append(name)
            fact.locals.append(local.decode(errors="replace"))
        if any(child.kind_id == g.WILDCARD_IMPORT for child in node.named_children):
            fact.names.append("*")
            fact.locals.append("*")
        self.out.imports.append(fact)

    # ------------------------------------------------------------------ control flow

    def _if(self, node: Node, region: int, scope: Scope) -> None:
        """An `elif` is an `if` inside of ELSE."""
        self.out.index_of[node.id] = len(self.out.regions)
        frames = []
        alternatives = node.children_by_field_name("alternative")
        parent = region
        for position, clause in enumerate([node, *alternatives]):
            if clause.kind_id == g.ELSE_CLAUSE:
                break
            then = len(self.out.regions)
            consequence = clause.child_by_field_name("consequence") or clause
            span = (consequence.start_byte, consequence.end_byte)
            self._region(RegionKind.THEN, span, parent, scope.function, partner=then, block=consequence)
            frames.append(self._frame(then, scope))
            if position < len(alternatives):
                rest = alternatives[position]
                block = g.body_of(rest) if rest.kind_id == g.ELSE_CLAUSE else None
                span = (rest.start_byte, alternatives[-1].end_byte)
                parent = self._region(RegionKind.ELSE, span, parent, scope.function, partner=then, block=block)
                frames.append(self._frame(parent, scope))
        self._expect(*frames)

    def _conditional(self, node: Node, region: int, scope: Scope) -> None:
        operands = g.parts(node)
        if len(operands) != 3:
            return
        then = self.out.index_of[node.id] = len(self.out.regions)
        for kind, operand in ((RegionKind.THEN, operands[0]), (RegionKind.ELSE, operands[2])):
            self._region(kind, (operand.start_byte, operand.end_byte), region, scope.function, partner=then)
        self._expect(self._frame(then, scope), self._frame(then + 1, scope))

    def _boolean_operator(self, node: Node, region: int, scope: Scope) -> None:
        right = node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if right is None or operator is None:
            return
        kind = RegionKind.THEN if operator.type == "and" else RegionKind.ELSE
        inside = self._region(kind, (right.start_byte, right.end_byte), region, scope.function)
        self.out.index_of[node.id] = inside
        self._expect(self._frame(inside, scope))

    def _for(self, node: Node, region: int, scope: Scope) -> None:
        self._declare_targets(scope, node.child_by_field_name("left"))
        body = node.child_by_field_name("body")
        self._loop(node, body, body, region, scope)

    def _while(self, node: Node, region: int, scope: Scope) -> None:
        """The condition is part of the loop: it runs each time round."""
        self._loop(node, node.child_by_field_name("condition"), node.child_by_field_name("body"), region, scope)

    def _loop(self, node: Node, begin: Node | None, body: Node | None, region: int, scope: Scope) -> None:
        if begin is None or body is None:
            return
        span = (begin.start_byte, body.end_byte)
        loop = self._region(RegionKind.LOOP, span, region, scope.function, block=body, flag=g.is_async(node))
        self.out.index_of[node.id] = loop
        frames = [self._frame(loop, scope)]
        frames += self._clause(node.child_by_field_name("alternative"), RegionKind.ELSE, region, scope, loop)
        self._expect(*frames)

    def _clause(
        self, clause: Node | None, kind: RegionKind, region: int, scope: Scope, partner: int
    ) -> Iterator[_Frame]:
        """Add the region of a whole `else`, `except` or `finally` clause, if there is one."""
        if clause is not None:
            span = (clause.start_byte, clause.end_byte)
            index = self._region(kind, span, region, scope.function, partner=partner, block=g.body_of(clause))
            self.out.index_of[clause.id] = index
            yield self._frame(index, scope)

    def _comprehension(self, node: Node, region: int, scope: Scope) -> None:
        """All but the first iterable runs in a loop, with names of its own."""
        clauses = g.loop_clauses(node)
        inner = self.out.scope_of[node.id] = self._scope(ScopeKind.BLOCK, scope, scope.function)
        is_async = any(g.is_async(clause) for clause in clauses)
        span = (node.start_byte, node.end_byte)
        loop = self._region(RegionKind.LOOP, span, region, scope.function, flag=is_async)
        self.out.index_of[node.id] = loop
        for clause in clauses:
            self._declare_targets(inner, clause.child_by_field_name("left"))
        frames = [self._frame(loop, inner)]
        iterable = clauses[0].child_by_field_name("right") if clauses else None
        if iterable is not None:
            frames.append(_Frame(iterable.start_byte, iterable.end_byte, region, scope))
        self._expect(*frames)

    def _try(self, node: Node, region: int, scope: Scope) -> None:
        body = node.child_by_field_name("body")
        span = (body.start_byte, body.end_byte) if body is not None else (node.start_byte, node.start_byte)
        guarded = self._region(RegionKind.TRY, span, region, scope.function, block=body)
        frames = [self._frame(guarded, scope)]
        for clause in node.named_children:
            kind = _TRY_CLAUSES.get(clause.kind_id)
            if kind is not None:
                frames += self._clause(clause, kind, region, scope, guarded)
            if kind is RegionKind.CATCH:
                identifier = g.caught(clause)[1]
                if identifier is not None:
                    self._declare(scope, identifier, BindingKind.CATCH)
                    self.out.regions[-1].param = self._name(identifier)
        self._expect(*frames)

    def _with(self, node: Node, region: int, scope: Scope) -> None:
        for _, alias in g.with_items(node):
            self._declare_targets(scope, alias)
        body = node.child_by_field_name("body")
        if body is not None:
            span = (body.start_byte, body.end_byte)
            inside = self._region(RegionKind.WITH, span, region, scope.function, block=body, flag=g.is_async(node))
            self.out.index_of[node.id] = inside
            self._expect(self._frame(inside, scope))

    def _match(self, node: Node, region: int, scope: Scope) -> None:
        frames: list[_Frame] = []
        for clause in g.cases(node):
            for identifier, _, _ in g.captured(clause):
                if self._text(identifier) != b"_":
                    self._declare(scope, identifier, BindingKind.OTHER)
            frames += self._clause(clause, RegionKind.CASE, region, scope, NONE)
        self._expect(*frames)


_VISIT: dict[int, Callable[[_Outliner, Node, int, Scope], None]] = {
    g.FUNCTION: _Outliner._function,
    g.LAMBDA: _Outliner._lambda,
    g.CLASS: _Outliner._class,
    g.DECORATED: _Outliner._decorated,
    g.CALL: _Outliner._call,
    g.ASSIGNMENT: _Outliner._assignment,
    g.AUGMENTED_ASSIGNMENT: _Outliner._assignment,
    g.NAMED_EXPRESSION: _Outliner._named_expression,
    g.DELETE: _Outliner._delete,
    g.TYPE_ALIAS: _Outliner._type_alias,
    g.IMPORT: _Outliner._import,
    g.IMPORT_FROM: _Outliner._import_from,
    g.FUTURE_IMPORT: _Outliner._import_from,
    g.GLOBAL: _Outliner._global,
    g.NONLOCAL: _Outliner._nonlocal,
    g.IF: _Outliner._if,
    g.CONDITIONAL: _Outliner._conditional,
    g.BOOLEAN_OPERATOR: _Outliner._boolean_operator,
    g.FOR: _Outliner._for,
    g.WHILE: _Outliner._while,
    g.TRY: _Outliner._try,
    g.WITH: _Outliner._with,
    g.MATCH: _Outliner._match,
    **dict.fromkeys(g.COMPREHENSIONS, _Outliner._comprehension),
}


_TRY_CLAUSES = {
    g.EXCEPT_CLAUSE: RegionKind.CATCH,
    g.ELSE_CLAUSE: RegionKind.ELSE,
    g.FINALLY_CLAUSE: RegionKind.FINALLY,
}


def variable_scope(scope: Scope) -> Scope:
    """Return the scope that `:=` binds its name in: comprehensions do not keep it."""
    while scope.kind is ScopeKind.BLOCK and scope.parent is not None:
        scope = scope.parent
    return scope


def alias_name(node: Node) -> Node | None:
    """Return the name that a `type X = …` statement binds.

    None for what only looks like one to the grammar: `type(x).y = z`.
    """
    left = node.child_by_field_name("left")
    name = g.first(left) if left is not None else None
    if name is not None and name.kind_id == g.GENERIC_TYPE:
        name = g.first(name)
    return name if name is not None and name.kind_id == g.IDENTIFIER else None


def _function_kind(name: str, is_method: bool, decorators: Iterable[bytes]) -> FunctionKind:
    if not is_method:
        return FunctionKind.FUNCTION
    if name == "__init__":
        return FunctionKind.CONSTRUCTOR
    if not (_PROPERTY_MAKERS | _PROPERTY_PARTS).isdisjoint(decorators):
        return FunctionKind.ACCESSOR
    return FunctionKind.METHOD


def _parameter(node: Node) -> tuple[ParamKind, Node | None]:
    """Return how a parameter takes its argument, and its name if it has one."""
    name = node
    if node.kind_id in (g.DEFAULT_PARAMETER, g.TYPED_DEFAULT_PARAMETER):
        name = node.child_by_field_name("name") or node
    elif node.kind_id == g.TYPED_PARAMETER:
        name = g.first(node) or node
    kind = _PARAMETER_KINDS.get(name.kind_id, ParamKind.NORMAL)
    if kind in (ParamKind.REST, ParamKind.KEYWORDS):
        name = g.first(name) or name
    return kind, name if name.kind_id == g.IDENTIFIER else None


_PARAMETER_KINDS = {
    g.LIST_SPLAT_PATTERN: ParamKind.REST,
    g.DICTIONARY_SPLAT_PATTERN: ParamKind.KEYWORDS,
    g.TUPLE_PATTERN: ParamKind.PATTERN,
}


def _aliased(name: Node) -> tuple[Node | None, Node | None]:
    """Return the imported name and the alias of an entry of an import statement."""
    if name.kind_id == g.DOTTED_NAME:
        return name, None
    return name.child_by_field_name("name"), name.child_by_field_name("alias")


_BLANK = regex(rb"\s+|\\\r?\n|#[^\n]*")


def _dotted(text: bytes) -> str:
    """Return a dotted name without the blanks that may stand in it."""
    return _BLANK.sub(b"", text).decode(errors="replace")
