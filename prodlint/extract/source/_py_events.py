"""The second of two passes over a Python file: values, and what happens where."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

from tree_sitter import Node

from prodlint.extract.source import _py_grammar as g
from prodlint.extract.source._build import UNKNOWN
from prodlint.extract.source._py_outline import Outline, Scope, ScopeKind, alias_name, variable_scope
from prodlint.extract.source._py_values import Evaluator
from prodlint.facts import (
    NONE,
    Access,
    Exit,
    ExitKind,
    Export,
    Import,
    ImportKind,
    Region,
    RegionKind,
    Store,
    Use,
    Value,
    ValueKind,
)

_LOOKED_THROUGH = frozenset(
    {g.PARENTHESIZED, g.LIST, g.TUPLE, g.SET, g.EXPRESSION_LIST, g.LIST_SPLAT, g.DICTIONARY, g.DICTIONARY_SPLAT}
)
_CONTAINERS = frozenset({g.LIST, g.TUPLE, g.SET, g.EXPRESSION_LIST, g.DICTIONARY, *g.COMPREHENSIONS})
_USED = frozenset(
    {g.CALL, g.CONDITIONAL, g.BOOLEAN_OPERATOR, g.NOT_OPERATOR, g.PAIR, *_LOOKED_THROUGH, *g.COMPREHENSIONS}
)
"""What `Events._use` has to look at: calls, and what they are looked for in."""

_USES_OF_ONE = frozenset({Use.RECEIVER, Use.CALLEE, Use.AWAITED})
"""Uses of a value itself, which the elements of a literal have no part in."""

_VISITED_STATEMENTS = frozenset({g.CALL, g.ASSIGNMENT, g.AUGMENTED_ASSIGNMENT, g.STRING, g.YIELD, g.ELLIPSIS})
"""Expression statements with nothing in them that a handler of its own does not evaluate."""

_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_BEFORE_NO_READ = _WORD | frozenset(b".")
_MOST_LOOKS = 100
_NOT_READ = frozenset(
    {g.PARAMETERS, g.LAMBDA_PARAMETERS, g.AS_PATTERN_TARGET, g.DELETE, g.GLOBAL, g.NONLOCAL}
    | {g.PATTERN_LIST, g.TUPLE_PATTERN, g.LIST_PATTERN, g.TYPED_PARAMETER}
)
_NOT_READ_FIRST = frozenset(
    {g.KEYWORD_ARGUMENT, g.KEYWORD_PATTERN, g.ASSIGNMENT, g.NAMED_EXPRESSION}
    | {g.DEFAULT_PARAMETER, g.TYPED_DEFAULT_PARAMETER}
)
_PATTERNS = frozenset({g.CASE_PATTERN, g.KEYWORD_PATTERN, g.UNION_PATTERN})
_NAMED_DEFINITIONS = frozenset({g.FUNCTION, g.CLASS, g.FOR, g.FOR_IN_CLAUSE})


class Events:
    """Runs the second pass over an outline, filling in its facts."""

    def __init__(self, data: bytes, outline: Outline, comments: Sequence[int]) -> None:
        """Prepare for the file `data`, which has `comments` at these offsets."""
        self.data = data
        self.outline = outline
        self.comments = comments
        self.values = outline.values
        self.evaluator = Evaluator(data, outline)
        self.stores: list[Store] = []
        self.exits: list[Exit] = []
        self.accesses: list[Access] = []
        self.fields: list[dict[str, list[int]]] = [{} for _ in outline.classes]
        """Per class, what its methods store in `self`, and instances of the declared types of its fields."""
        self._given: set[tuple[int, int]] = set()
        """The values of bindings: (binding, value)."""
        self._written: set[int] = set()
        """Subscripts that are targets, by `Node.id`."""

    def run(self) -> None:
        """Visit every captured node, then draw together what is known of classes and imports."""
        for kind, node, region, scope in self.outline.steps:
            handler = _VISIT.get(kind)
            if handler is not None:
                handler(self, node, region, scope)
        for scope in self.outline.scopes:
            if scope.kind is ScopeKind.CLASS:
                self._fill_members(scope)
        self._mark_type_imports()
        self.outline.imports.sort(key=lambda fact: fact.start)

    def _fill_members(self, scope: Scope) -> None:
        """Give a class the names of its body, and what is known of its fields."""
        cls = self.outline.classes[scope.cls]
        members: dict[str, list[int]] = {}
        for text, name in scope.names.items():
            values = [name.value] if name.binding == NONE else self.outline.bindings[name.binding].values
            members[text.decode(errors="replace")] = list(values)
        for field, values in self.fields[scope.cls].items():
            members.setdefault(field, []).extend(values)
        cls.names = list(members)
        cls.members = [self.evaluator.one_of(values) if values else UNKNOWN for values in members.values()]

    def exports(self) -> list[Export]:
        """Return every name of the module, and what it takes from others with `*`."""
        module = self.outline.scopes[0]
        found = [
            Export(text.decode(errors="replace"), name.value, name.start, name.end)
            for text, name in module.names.items()
        ]
        for fact in self.outline.imports:
            if fact.names == ["*"]:
                found.append(Export("*", self.values.plain(ValueKind.IMPORT, text=fact.module), fact.start, fact.end))
        return found

    # ------------------------------------------------------------------ helpers

    def _value(self, node: Node | None, scope: Scope) -> int:
        return self.evaluator.value(node, scope)

    def _fact(self, value: int) -> Value:
        return self.values.facts[value]

    def _region_of(self, node: Node) -> Region | None:
        index = self.outline.index_of.get(node.id)
        return self.outline.regions[index] if index is not None else None

    def _exit(self, kind: ExitKind, node: Node, region: int, value: int = NONE) -> None:
        self.exits.append(Exit(kind, node.start_byte, node.end_byte, region, value))

    def _bind(self, identifier: Node | None, scope: Scope, value: int) -> None:
        """Note that a name is given `value`."""
        binding = self._binding_of(identifier, scope)
        if binding != NONE and (binding, value) not in self._given:
            self._given.add((binding, value))
            self.outline.bindings[binding].values.append(value)

    def _add_field(self, cls: int, name: str, value: int) -> None:
        self.fields[cls].setdefault(name, []).append(value)

    def _binding_of(self, target: Node | None, scope: Scope) -> int:
        """The binding that a target is, or NONE."""
        if target is None or target.kind_id != g.IDENTIFIER:
            return NONE
        name = scope.find(self.evaluator.text(target))
        return name.binding if name is not None else NONE

    def _use(self, node: Node | None, use: Use, user: int = NONE) -> None:
        """Note what becomes of the calls whose result an expression is."""
        if node is None or node.kind_id not in _USED:
            return
        pending = [(node, use)]
        while pending:
            node, use = pending.pop()
            kind = node.kind_id
            if kind == g.CALL:
                call = self.outline.calls[self.outline.index_of[node.id]]
                call.use = use
                call.user = user if use is not Use.CONDITION and use is not Use.OTHER else NONE
            elif use in _USES_OF_ONE and kind in _CONTAINERS:
                continue
            elif kind in _LOOKED_THROUGH:
                pending.extend((child, use) for child in node.named_children)
            elif kind == g.PAIR:
                pending.extend((child, use) for child in node.children_by_field_name("value"))
            elif kind == g.AS_PATTERN:
                pending.extend((child, use) for child in g.parts(node)[:1])
            elif kind in g.COMPREHENSIONS:
                pending.extend((child, use) for child in node.children_by_field_name("body"))
            elif kind == g.CONDITIONAL:
                operands = g.parts(node)
                pending.extend((operand, use) for operand in (operands[0], operands[-1]))
            elif kind == g.BOOLEAN_OPERATOR:
                pending.extend((child, use) for child in node.children_by_field_name("right"))
                operator = node.child_by_field_name("operator")
                passes_left = operator is not None and operator.type == "or"
                left_use = use if passes_left else Use.CONDITION
                pending.extend((child, left_use) for child in node.children_by_field_name("left"))
            elif kind == g.NOT_OPERATOR:
                pending.extend((child, Use.CONDITION) for child in node.children_by_field_name("argument"))

    def _is_read(self, name: bytes, within: Node | None) -> bool:
        """Whether a name is read in a stretch of code. After many places that are no reads, it is taken to be."""
        if within is None or not name:
            return False
        data = self.data
        end = within.end_byte
        at = data.find(name, within.start_byte, end)
        looked = 0
        while at != -1 and looked < _MOST_LOOKS:
            after = at + len(name)
            if data[at - 1] not in _BEFORE_NO_READ and (after >= end or data[after] not in _WORD):
                looked += 1
                node = within.descendant_for_byte_range(at, after)
                if node is not None and node.kind_id == g.IDENTIFIER and reads(node):
                    return True
            at = data.find(name, after, end)
        return at != -1

    # ------------------------------------------------------------------ definitions

    def _decorated(self, node: Node, region: int, scope: Scope) -> None:
        definition = node.child_by_field_name("definition")
        if definition is not None:
            for decorator in self.outline.decorators_of.get(definition.id, ()):
                self._use(decorator, Use.DECORATOR)

    def _decorators(self, node: Node, scope: Scope) -> list[int]:
        return [self._value(decorator, scope) for decorator in self.outline.decorators_of.get(node.id, ())]

    def _function(self, node: Node, region: int, scope: Scope) -> None:
        index = self.outline.index_of[node.id]
        self.outline.functions[index].decorators = self._decorators(node, scope)
        self._parameters(node, index, scope)

    def _lambda(self, node: Node, region: int, scope: Scope) -> None:
        index = self.outline.index_of[node.id]
        self._parameters(node, index, scope)
        body = node.child_by_field_name("body")
        if body is not None:
            inner = self.outline.scope_of[node.id]
            self._exit(ExitKind.RETURN, body, self.outline.functions[index].region, self._value(body, inner))
            self._use(body, Use.RETURNED)

    def _parameters(self, node: Node, index: int, scope: Scope) -> None:
        """Fill in defaults, types and whether each parameter is read."""
        function = self.outline.functions[index]
        annotations = self.outline.type_scope_of.get(node.id, scope)
        result = node.child_by_field_name("return_type")
        if result is not None:
            function.result = self.evaluator.declared(result, annotations)[0]
        body = node.child_by_field_name("body")
        parameters = node.child_by_field_name("parameters")
        nodes = {child.start_byte: child for child in g.parts(parameters)} if parameters is not None else {}
        for param in function.params:
            written = nodes[param.start]
            default = written.child_by_field_name("value")
            if default is not None:
                param.default = self._value(default, scope)
            annotation = written.child_by_field_name("type")
            if annotation is not None:
                param.annotation, param.metadata = self.evaluator.declared(annotation, annotations)
            names = param.names or [param.name]
            param.used = any(self._is_read(name.encode(), body) for name in names)

    def _class(self, node: Node, region: int, scope: Scope) -> None:
        cls = self.outline.classes[self.outline.index_of[node.id]]
        around = self.outline.type_scope_of.get(node.id, scope)
        bases = node.child_by_field_name("superclasses")
        for base in g.parts(bases) if bases is not None else ():
            if base.kind_id != g.KEYWORD_ARGUMENT:
                cls.bases.append(self._value(base, around))
                cls.is_abstract = cls.is_abstract or self._is_protocol(cls.bases[-1])
            else:
                self._value(base.child_by_field_name("value"), around)
        cls.decorators = self._decorators(node, scope)

    def _is_protocol(self, base: int) -> bool:
        fact = self._fact(base)
        if fact.kind is ValueKind.SUBSCRIPT:
            fact = self._fact(fact.ref)
        return fact.kind is ValueKind.MEMBER and fact.text == "Protocol"

    # ------------------------------------------------------------------ calls

    def _call(self, node: Node, region: int, scope: Scope) -> None:
        index = self.outline.index_of[node.id]
        call = self.outline.calls[index]
        function = g.operand(node, "function")
        arguments = node.child_by_field_name("arguments")
        if function is not None:
            call.callee = self.evaluator.callee(function, scope)
            last = function
            if function.kind_id == g.ATTRIBUTE:
                last = function.child_by_field_name("attribute") or function
                self._use(function.child_by_field_name("object"), Use.RECEIVER, index)
            else:
                self._use(function, Use.CALLEE, index)
            call.name_start, call.name_end = last.byte_range
        if arguments is not None:
            call.args_start = arguments.start_byte
            given = [arguments] if arguments.kind_id == g.GENERATOR else g.parts(arguments)
            self._arguments(index, given, scope)
            self._note_special_call(index, region)

    def _arguments(self, index: int, given: Sequence[Node], scope: Scope) -> None:
        call = self.outline.calls[index]
        args: list[int] = []
        spans: list[int] = []
        keywords = []
        for argument in given:
            kind = argument.kind_id
            if kind == g.KEYWORD_ARGUMENT:
                keyword = argument.child_by_field_name("name")
                text = self.evaluator.name(keyword) if keyword is not None else ""
                keywords.append((text, argument.child_by_field_name("value"), argument))
            elif kind == g.DICTIONARY_SPLAT:
                keywords.append(("**", argument, argument))
            else:
                args.append(self._argument(index, argument, scope))
                spans += argument.byte_range
        for _, value, whole in keywords:
            args.append(self._argument(index, value, scope))
            spans += whole.byte_range
        call.args, call.arg_spans = tuple(args), tuple(spans)
        if keywords:
            call.keywords = tuple([name for name, _, _ in keywords])

    def _argument(self, index: int, value: Node | None, scope: Scope) -> int:
        item = self.evaluator.item(value, scope) if value is not None else UNKNOWN
        self._use(value, Use.ARGUMENT, index)
        return item

    def _note_special_call(self, index: int, region: int) -> None:
        """Imports by call, and reads of the environment by call."""
        call = self.outline.calls[index]
        callee = self._fact(call.callee)
        if callee.text in ("import_module", "__import__") and self.evaluator.is_import_call(call.callee):
            first = self._fact(call.args[0]) if call.args else None
            module = first.text if first is not None and first.kind is ValueKind.STRING else ""
            self.outline.imports.append(Import(ImportKind.DYNAMIC, module, call.start, call.end, region, [""], [""]))
        elif callee.text in ("get", "getenv") and self._is_environment_reader(callee):
            value = self.values.plain(ValueKind.CALL, index)
            self.accesses.append(Access(value, call.start, call.end, region))

    def _is_environment_reader(self, callee: Value) -> bool:
        if callee.kind is not ValueKind.MEMBER:
            return False
        return self._is_os(callee.ref) if callee.text == "getenv" else self._is_environment(callee.ref)

    def _is_os(self, value: int) -> bool:
        fact = self._fact(value)
        return fact.kind is ValueKind.IMPORT and fact.text == "os"

    def _is_environment(self, value: int) -> bool:
        fact = self._fact(value)
        return fact.kind is ValueKind.MEMBER and fact.text == "environ" and self._is_os(fact.ref)

    def _subscript(self, node: Node, region: int, scope: Scope) -> None:
        """Note a read of the environment."""
        base = node.child_by_field_name("value")
        if base is None or base.kind_id not in (g.IDENTIFIER, g.ATTRIBUTE) or node.id in self._written:
            return
        if self._is_environment(self._value(base, scope)):
            self.accesses.append(Access(self._value(node, scope), node.start_byte, node.end_byte, region))

    def _await(self, node: Node, region: int, scope: Scope) -> None:
        self._use(g.first(node), Use.AWAITED)

    def _expression_statement(self, node: Node, region: int, scope: Scope) -> None:
        for child in node.named_children:
            self._use(child, Use.STATEMENT)
            if child.kind_id not in _VISITED_STATEMENTS:
                self._value(child, scope)

    def _assert(self, node: Node, region: int, scope: Scope) -> None:
        self._use(g.first(node), Use.CONDITION)
        for part in g.parts(node):
            self._value(part, scope)

    # ------------------------------------------------------------------ assignments

    def _assignment(self, node: Node, region: int, scope: Scope) -> None:
        target = node.child_by_field_name("left")
        value = node.child_by_field_name("right")
        annotation = node.child_by_field_name("type")
        if target is None:
            return
        declared = self.evaluator.declared(annotation, scope)[0] if annotation is not None else NONE
        if value is not None:
            self._assign_expression(target, value, node, region, scope, declared)
        elif declared != NONE:
            self._declare_type(target, scope, declared)
        if declared != NONE:
            self._annotate(target, scope, declared)

    def _annotate(self, target: Node, scope: Scope, declared: int) -> None:
        binding = self._binding_of(target, scope)
        if binding != NONE and self.outline.bindings[binding].annotation == NONE:
            self.outline.bindings[binding].annotation = declared

    def _declare_type(self, target: Node, scope: Scope, declared: int) -> None:
        """Give a field that has a declared type, but no value (or `None`), an instance of it as value."""
        instance = self.values.plain(ValueKind.INSTANCE, declared)
        if target.kind_id == g.IDENTIFIER and scope.kind is ScopeKind.CLASS:
            self._add_field(scope.cls, self.evaluator.name(target), instance)
        elif target.kind_id == g.ATTRIBUTE:
            owner = self._fact(self._value(target.child_by_field_name("object"), scope))
            attribute = target.child_by_field_name("attribute")
            if owner.kind is ValueKind.SELF and attribute is not None:
                self._add_field(owner.ref, self.evaluator.name(attribute), instance)

    def _assign_expression(
        self, target: Node, expression: Node, statement: Node, region: int, scope: Scope, declared: int = NONE
    ) -> None:
        """Assign an expression; `a, b = x, y` is two assignments."""
        pending = [(target, expression)]
        while pending:
            target, expression = pending.pop()
            pairs = self._pairs(target, expression)
            if pairs:
                pending.extend(reversed(pairs))
                continue
            self._use(expression, Use.ASSIGNED, self._binding_of(target, scope))
            value = self._value(expression, scope)
            self._assign(target, value, statement, region, scope)
            if declared > UNKNOWN and self._says_less_than_type(value):
                self._declare_type(target, scope, declared)

    def _says_less_than_type(self, value: int) -> bool:
        """Whether a value tells less of what a field will hold than its declared type: `None`, an empty collection."""
        fact = self._fact(value)
        return fact.kind is ValueKind.NULL or (
            fact.kind in (ValueKind.ARRAY, ValueKind.OBJECT, ValueKind.CALL) and not fact.items
        )

    def _pairs(self, target: Node, expression: Node) -> list[tuple[Node, Node]]:
        """The single assignments that `a, b = x, y` is made of; none where the sides do not match one to one."""
        if target.kind_id not in g.SEQUENCE_TARGETS or expression.kind_id not in g.SEQUENCES:
            return []
        targets, items = g.parts(target), g.parts(expression)
        starred = any(self.evaluator.is_starred(node) for node in (*targets, *items))
        return [] if starred or len(targets) != len(items) else list(zip(targets, items, strict=True))

    def _assign(
        self, target: Node, value: int, statement: Node, region: int, scope: Scope, operator: str = "="
    ) -> None:
        """Assign a value to whatever the target is."""
        pending = [(target, value)]
        while pending:
            node, value = pending.pop()
            kind = node.kind_id
            if kind == g.IDENTIFIER:
                self._bind(node, scope, value)
                if self.evaluator.text(node) in scope.module_names:
                    self._store(self._value(node, scope), "", value, statement, region, f"global{operator}")
            elif kind in (g.ATTRIBUTE, g.SUBSCRIPT):
                self._store_member(node, value, statement, region, scope, operator)
            elif kind in g.SEQUENCE_TARGETS:
                parts: list[tuple[Node, int]] = []
                is_counted = True
                for position, child in enumerate(g.parts(node)):
                    starred = child.kind_id in (g.LIST_SPLAT, g.LIST_SPLAT_PATTERN)
                    is_counted = is_counted and not starred
                    text = str(position) if is_counted else ""
                    parts.append((child, value if starred else self.values.plain(ValueKind.ELEMENT, value, text)))
                pending.extend(reversed(parts))
            elif kind in (g.LIST_SPLAT, g.LIST_SPLAT_PATTERN, g.PARENTHESIZED, g.AS_PATTERN_TARGET):
                pending.extend((child, value) for child in node.named_children)

    def _store_member(
        self, target: Node, value: int, statement: Node, region: int, scope: Scope, operator: str
    ) -> None:
        """Note a store to `a.b` or `a[b]`; what a method stores in `self` is a member of its class too."""
        if target.kind_id == g.ATTRIBUTE:
            owner = self._value(target.child_by_field_name("object"), scope)
            attribute = target.child_by_field_name("attribute")
            name = self.evaluator.name(attribute) if attribute is not None else ""
            fact = self._fact(owner)
            if operator == "=" and fact.kind is ValueKind.SELF and fact.ref != NONE:
                self._add_field(fact.ref, name, value)
        else:
            self._written.add(target.id)
            owner = self._value(target.child_by_field_name("value"), scope)
            keys = target.children_by_field_name("subscript")
            key = self._fact(self._value(keys[0], scope)) if len(keys) == 1 else None
            name = key.text if key is not None and key.kind is ValueKind.STRING else ""
        self._store(owner, name, value, statement, region, operator)

    def _store(self, target: int, name: str, value: int, statement: Node, region: int, operator: str) -> None:
        start, end = statement.start_byte, statement.end_byte
        self.stores.append(Store(target, name, value, start, end, region, operator))

    def _augmented_assignment(self, node: Node, region: int, scope: Scope) -> None:
        target = node.child_by_field_name("left")
        right = node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if target is None or right is None or operator is None:
            return
        self._use(right, Use.ASSIGNED, self._binding_of(target, scope))
        value = self._value(right, scope)
        if target.kind_id == g.IDENTIFIER:
            changed = self.values.operation(operator.type.removesuffix("="), self._value(target, scope), value)
            self._bind(target, scope, changed)
            if self.evaluator.text(target) in scope.module_names:
                self._store(self._value(target, scope), "", value, node, region, f"global{operator.type}")
        else:
            self._assign(target, value, node, region, scope, operator.type)

    def _named_expression(self, node: Node, region: int, scope: Scope) -> None:
        name = node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        if name is not None and value is not None:
            self._assign_expression(name, value, node, region, variable_scope(scope))

    def _delete(self, node: Node, region: int, scope: Scope) -> None:
        pending = list(reversed(g.parts(node)))
        while pending:
            target = pending.pop()
            if target.kind_id in (g.ATTRIBUTE, g.SUBSCRIPT):
                self._store_member(target, NONE, node, region, scope, "del")
            elif target.kind_id in g.SEQUENCE_TARGETS or target.kind_id == g.PARENTHESIZED:
                pending.extend(reversed(g.parts(target)))

    def _type_alias(self, node: Node, region: int, scope: Scope) -> None:
        value = self.evaluator.declared(node.child_by_field_name("right"), scope)[0]
        self._bind(alias_name(node), scope, value)

    def _mark_type_imports(self) -> None:
        """Imports under `if TYPE_CHECKING:` are gone at run time."""
        regions = self.outline.regions
        checking = {index for index, region in enumerate(regions) if self._is_type_checking(region)}
        if not checking:
            return
        for fact in self.outline.imports:
            region = fact.region
            while region != NONE and region not in checking:
                region = regions[region].parent
            if region != NONE and fact.kind is ImportKind.IMPORT:
                fact.kind = ImportKind.TYPE

    def _is_type_checking(self, region: Region) -> bool:
        if region.kind is not RegionKind.THEN or not region.values:
            return False
        test = self._fact(region.values[0])
        return test.kind in (ValueKind.MEMBER, ValueKind.GLOBAL) and test.text == "TYPE_CHECKING"

    # ------------------------------------------------------------------ branches and loops

    def _if(self, node: Node, region: int, scope: Scope) -> None:
        index = self.outline.index_of[node.id]
        clauses = [node, *node.children_by_field_name("alternative")]
        for position, clause in enumerate(clauses):
            if clause.kind_id == g.ELSE_CLAUSE:
                break
            condition = clause.child_by_field_name("condition")
            self._use(condition, Use.CONDITION)
            test = [self._value(condition, scope)]
            self.outline.regions[index].values = test
            if position + 1 < len(clauses):
                self.outline.regions[index + 1].values = test
            index += 2

    def _conditional(self, node: Node, region: int, scope: Scope) -> None:
        index = self.outline.index_of.get(node.id)
        if index is None:
            return
        test = g.parts(node)[1]
        self._use(test, Use.CONDITION)
        values = [self._value(test, scope)]
        self.outline.regions[index].values = values
        self.outline.regions[index + 1].values = values

    def _boolean_operator(self, node: Node, region: int, scope: Scope) -> None:
        inside = self._region_of(node)
        if inside is not None:
            inside.values = [self._value(node.child_by_field_name("left"), scope)]

    def _for(self, node: Node, region: int, scope: Scope) -> None:
        iterable = node.child_by_field_name("right")
        value = self._iterate(iterable, node.child_by_field_name("left"), node, region, scope, scope)
        loop = self._region_of(node)
        if loop is not None:
            loop.values = [value]

    def _iterate(
        self, iterable: Node | None, target: Node | None, node: Node, region: int, outside: Scope, inside: Scope
    ) -> int:
        """Assign the elements of an iterable to a loop's target; return the iterable's value."""
        self._use(iterable, Use.ITERATED)
        value = self._value(iterable, outside)
        if target is not None:
            self._assign(target, self.values.plain(ValueKind.ELEMENT, value), node, region, inside)
        return value

    def _while(self, node: Node, region: int, scope: Scope) -> None:
        condition = node.child_by_field_name("condition")
        self._use(condition, Use.CONDITION)
        self._value(condition, scope)

    def _comprehension(self, node: Node, region: int, scope: Scope) -> None:
        inner = self.outline.scope_of[node.id]
        loop = self._region_of(node)
        outside = scope
        for clause in node.named_children:
            if clause.kind_id == g.FOR_IN_CLAUSE:
                iterable = clause.child_by_field_name("right")
                target = clause.child_by_field_name("left")
                value = self._iterate(iterable, target, clause, region, outside, inner)
                outside = inner
                if loop is not None:
                    loop.values.append(value)
            elif clause.kind_id == g.IF_CLAUSE:
                self._use(g.first(clause), Use.CONDITION)
                self._value(g.first(clause), inner)

    def _try(self, node: Node, region: int, scope: Scope) -> None:
        for clause in node.named_children:
            handler = self._region_of(clause) if clause.kind_id == g.EXCEPT_CLAUSE else None
            if handler is None:
                continue
            types, identifier = g.caught(clause)
            handler.values = [self._value(caught, scope) for caught in _flattened(types)]
            value = self.values.plain(ValueKind.CATCH, self.outline.index_of[clause.id])
            self._bind(identifier, scope, value)
            if handler.param:
                handler.uses_param = self._is_read(handler.param.encode(), g.body_of(clause))
            handler.has_comment = self._has_comment(clause)

    def _has_comment(self, clause: Node) -> bool:
        """Whether a comment stands in a clause, or behind its last statement."""
        line_end = self.data.find(b"\n", clause.end_byte)
        end = line_end if line_end != -1 else len(self.data)
        at = bisect_left(self.comments, clause.start_byte)
        return at < len(self.comments) and self.comments[at] < end

    def _with(self, node: Node, region: int, scope: Scope) -> None:
        inside = self._region_of(node)
        is_async = int(g.is_async(node))
        for manager, alias in g.with_items(node):
            self._use(manager, Use.CONTEXT)
            value = self._value(manager, scope)
            if inside is not None:
                inside.values.append(value)
            if alias is not None:
                entered = self.values.compound(ValueKind.YIELDED, [is_async], value)
                self._assign(alias, entered, node, region, scope)

    def _match(self, node: Node, region: int, scope: Scope) -> None:
        subjects = node.children_by_field_name("subject")
        subject = self._value(subjects[0], scope) if len(subjects) == 1 else UNKNOWN
        for clause in g.cases(node):
            for identifier, whole, tested in g.captured(clause):
                if tested is not None:
                    value = self.values.plain(ValueKind.INSTANCE, self._value_of_dotted(tested, scope))
                else:
                    value = subject if whole else self.values.plain(ValueKind.ELEMENT, subject)
                self._bind(identifier, scope, value)
            guard = clause.child_by_field_name("guard")
            if guard is not None:
                self._use(g.first(guard), Use.CONDITION)
                self._value(g.first(guard), scope)
            for name in g.named_in_pattern(clause):
                self._value_of_dotted(name, scope)

    def _value_of_dotted(self, name: Node, scope: Scope) -> int:
        return self.evaluator.dotted(self.evaluator.text(name), scope)

    # ------------------------------------------------------------------ exits

    def _return(self, node: Node, region: int, scope: Scope) -> None:
        returned = g.first(node)
        self._use(returned, Use.RETURNED)
        self._exit(ExitKind.RETURN, node, region, self._value(returned, scope) if returned is not None else NONE)

    def _raise(self, node: Node, region: int, scope: Scope) -> None:
        raised = g.first(node)
        cause = node.child_by_field_name("cause")
        self._value(cause, scope)
        if raised is not None and raised == cause:
            raised = None
        self._exit(ExitKind.THROW, node, region, self._value(raised, scope) if raised is not None else NONE)

    def _yield(self, node: Node, region: int, scope: Scope) -> None:
        self.outline.functions[scope.function].is_generator = True
        yielded = g.first(node)
        self._use(yielded, Use.YIELDED)
        self._exit(ExitKind.YIELD, node, region, self._value(yielded, scope) if yielded is not None else NONE)

    def _break(self, node: Node, region: int, scope: Scope) -> None:
        self._exit(ExitKind.BREAK, node, region)

    def _continue(self, node: Node, region: int, scope: Scope) -> None:
        self._exit(ExitKind.CONTINUE, node, region)


_VISIT: dict[int, Callable[[Events, Node, int, Scope], None]] = {
    g.FUNCTION: Events._function,
    g.LAMBDA: Events._lambda,
    g.CLASS: Events._class,
    g.DECORATED: Events._decorated,
    g.CALL: Events._call,
    g.AWAIT: Events._await,
    g.ASSIGNMENT: Events._assignment,
    g.AUGMENTED_ASSIGNMENT: Events._augmented_assignment,
    g.NAMED_EXPRESSION: Events._named_expression,
    g.DELETE: Events._delete,
    g.TYPE_ALIAS: Events._type_alias,
    g.EXPRESSION_STATEMENT: Events._expression_statement,
    g.ASSERT: Events._assert,
    g.IF: Events._if,
    g.CONDITIONAL: Events._conditional,
    g.BOOLEAN_OPERATOR: Events._boolean_operator,
    g.FOR: Events._for,
    g.WHILE: Events._while,
    g.TRY: Events._try,
    g.WITH: Events._with,
    g.MATCH: Events._match,
    g.RETURN: Events._return,
    g.RAISE: Events._raise,
    g.YIELD: Events._yield,
    g.BREAK: Events._break,
    g.CONTINUE: Events._continue,
    g.SUBSCRIPT: Events._subscript,
    **dict.fromkeys(g.COMPREHENSIONS, Events._comprehension),
}


def _flattened(types: Node | None) -> Iterable[Node]:
    """The types of an `except` clause, one by one."""
    while types is not None and types.kind_id == g.PARENTHESIZED:
        types = g.first(types)
    if types is None:
        return ()
    return g.parts(types) if types.kind_id == g.TUPLE else (types,)


def reads(identifier: Node) -> bool:
    """Return whether an identifier is a read of a variable: no attribute, keyword, target or parameter."""
    parent = identifier.parent
    if parent is None:
        return False
    kind = parent.kind_id
    if kind == g.DOTTED_NAME:
        return _is_compared(identifier, parent)
    if kind in _NOT_READ:
        return False
    if kind == g.ATTRIBUTE:
        return identifier.start_byte == parent.start_byte
    if kind in _NOT_READ_FIRST:
        return identifier.start_byte != parent.start_byte
    if kind in _NAMED_DEFINITIONS:
        return identifier != parent.child_by_field_name("name") and identifier != parent.child_by_field_name("left")
    return kind not in (g.LIST_SPLAT_PATTERN, g.DICTIONARY_SPLAT_PATTERN)


def _is_compared(identifier: Node, name: Node) -> bool:
    """Whether a dotted name in a `case` pattern, which `identifier` is part of, is looked up and not bound."""
    around = name.parent
    if around is None or identifier.start_byte != name.start_byte:
        return False
    return around.kind_id == g.CLASS_PATTERN or (around.kind_id in _PATTERNS and name.named_child_count > 1)
