"""What Python expressions denote: nodes of the syntax tree → interned values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from tree_sitter import Node

from prodlint.extract.source import _py_grammar as g
from prodlint.extract.source._build import LONGEST_TEXT, UNKNOWN
from prodlint.extract.source._py_outline import Outline, Scope
from prodlint.facts import NONE, ValueKind
from prodlint.lazy_regex import regex

_DEEPEST = 60
"""Expressions nested deeper than this are unknown."""

_MOST_ITEMS = 1000
"""Literals with more items than this are data: the rest is left out."""

_MOST_ALTERNATIVES = 4
_LONGEST_DOTTED = 200
_DOTTED = regex(rb"[A-Za-z_\x80-\xff][\w\x80-\xff]*(?:\.[A-Za-z_\x80-\xff][\w\x80-\xff]*)*")
_QUOTED = regex(rb"([A-Za-z]*)(\"\"\"|'''|\"|')")
_ESCAPE = regex(r"\\(\r?\n|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|[\\'\"abfnrtv])")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_OPERATORS = {"and": "&&", "or": "||", "<>": "!="}
_QUOTED_OPTIONAL = regex(r"(?:\w+\.)*Optional\[(.*)\]")
_TRANSPARENT_TYPES = frozenset({b"Optional", b"ClassVar", b"Final", b"Required", b"NotRequired", b"ReadOnly"})
_LITERALS = frozenset(
    {ValueKind.STRING, ValueKind.NUMBER, ValueKind.BOOL, ValueKind.NULL, ValueKind.ARRAY, ValueKind.OBJECT}
)
_POSTFIX = frozenset({g.CALL, g.ATTRIBUTE, g.SUBSCRIPT})
_SPECIAL_CALLS = (b"getattr", b"super", b"__import__", b"import_module")


class Evaluator:
    """Evaluates expressions of one file. Nothing is run and no call is entered: a call's value is a reference to it."""

    def __init__(self, data: bytes, outline: Outline) -> None:
        """Evaluate in the scopes of `outline`."""
        self.data = data
        self.outline = outline
        self.values = outline.values
        self.missed: set[bytes] = set()
        """The names that were looked up where nothing binds them."""
        self.reads: list[int] = []
        """As in `FileFacts`."""
        self._read: set[tuple[int, int]] = set()
        self._callee = NONE
        """The node that is called, by `Node.id`, while its value is asked for."""
        self._strings: dict[bytes, int] = {}
        self._none = self.values.plain(ValueKind.NULL)

    def value(self, node: Node | None, scope: Scope, depth: int = 0) -> int:
        """Return the value of an expression that stands in `scope`."""
        if node is None:
            return UNKNOWN
        kind = node.kind_id
        if kind == g.IDENTIFIER:
            return self.lookup(self.text(node), scope)
        visit = _VISIT.get(kind)
        if visit is None or depth > _DEEPEST:
            return UNKNOWN
        return visit(self, node, scope, depth + 1)

    def callee(self, node: Node, scope: Scope) -> int:
        """Return the value of what a call calls: that it is read is no news."""
        self._callee = node.id
        return self.value(node, scope)

    def _note_read(self, value: int, node: Node, scope: Scope) -> int:
        key = (value, scope.function)
        if key not in self._read and node.id != self._callee:
            self._read.add(key)
            self.reads += (value, node.start_byte, node.end_byte)
        return value

    def item(self, node: Node, scope: Scope, depth: int = 0) -> int:
        """Return the value of one of several arguments or items, which may be starred."""
        value = self.value(node, scope, depth)
        if node.kind_id in _POSTFIX and self.is_starred(node):
            return self.values.plain(ValueKind.SPREAD, value)
        return value

    def is_starred(self, node: Node) -> bool:
        """Return whether an argument or item is written `*x`."""
        return self.data.startswith(b"*", node.start_byte)

    def text(self, node: Node) -> bytes:
        """Return the source text of `node`."""
        return self.data[node.start_byte : node.end_byte]

    def name(self, node: Node) -> str:
        """Return the source text of `node`, readable."""
        return self.data[node.start_byte : node.end_byte].decode(errors="replace")

    def lookup(self, name: bytes, scope: Scope) -> int:
        """Return the value of a plain name."""
        value = scope.memo.get(name)
        if value is None:
            found = scope.find(name)
            if found is not None:
                value = found.value
            else:
                value = self.values.plain(ValueKind.GLOBAL, text=name.decode(errors="replace")) if name else UNKNOWN
                self.missed.add(name)
            scope.memo[name] = value
        return value

    def dotted(self, text: bytes, scope: Scope) -> int:
        """Return the value of a dotted name."""
        value = scope.memo.get(text)
        if value is None:
            first, *rest = text.split(b".")
            value = self.lookup(first, scope)
            for name in rest:
                value = self.values.member(value, name.decode(errors="replace"))
            scope.memo[text] = value
        return value

    # ------------------------------------------------------------------ names, members, calls

    def _attribute(self, node: Node, scope: Scope, depth: int) -> int:
        start, end = node.start_byte, node.end_byte
        if end - start <= _LONGEST_DOTTED:
            text = self.data[start:end]
            value = scope.memo.get(text)
            if value is None and _DOTTED.fullmatch(text):
                value = self.dotted(text, scope)
            if value is not None:
                return self._note_read(value, node, scope)
        attribute = node.child_by_field_name("attribute")
        if attribute is None:
            return UNKNOWN
        value = self.values.member(self.value(g.operand(node, "object"), scope, depth), self.name(attribute))
        return self._note_read(value, node, scope)

    def _call(self, node: Node, scope: Scope, depth: int) -> int:
        function = g.operand(node, "function")
        if (
            function is not None
            and self.data.endswith(_SPECIAL_CALLS, function.start_byte, function.end_byte)
            and function.kind_id in (g.IDENTIFIER, g.ATTRIBUTE)
        ):
            last = function if function.kind_id == g.IDENTIFIER else function.child_by_field_name("attribute")
            if last is not None and self.text(last) in _SPECIAL_CALLS:
                value = self._special_call(node, function, scope, depth)
                if value != UNKNOWN:
                    return value
        return self.values.plain(ValueKind.CALL, self.outline.index_of.get(node.id, NONE))

    def _special_call(self, node: Node, function: Node, scope: Scope, depth: int) -> int:
        """A call of a builtin that is another way to write something else, or UNKNOWN."""
        callee = self.values.facts[self.value(function, scope, depth)]
        if callee.kind is ValueKind.GLOBAL and callee.text == "super":
            return self.values.plain(ValueKind.SUPER, scope.enclosing_class())
        arguments = node.child_by_field_name("arguments")
        given = g.parts(arguments) if arguments is not None else []
        if callee.kind is ValueKind.GLOBAL and callee.text == "getattr" and len(given) > 1:
            key = self.values.facts[self.value(given[1], scope, depth)]
            if key.kind is ValueKind.STRING:
                return self.values.member(self.value(given[0], scope, depth), key.text)
        module = self.imported_module(callee.text, given, scope)
        if not module or not self.is_import_call(self.value(function, scope, depth)):
            return UNKNOWN
        return self.values.plain(ValueKind.IMPORT, text=module)

    def is_import_call(self, callee: int) -> bool:
        """Return whether `callee` is `__import__` or `importlib.import_module`."""
        fact = self.values.facts[callee]
        if fact.kind is ValueKind.GLOBAL:
            return fact.text == "__import__"
        if fact.kind is not ValueKind.MEMBER or fact.text != "import_module":
            return False
        owner = self.values.facts[fact.ref]
        return owner.kind is ValueKind.IMPORT and owner.text == "importlib"

    def imported_module(self, function: str, arguments: Sequence[Node], scope: Scope) -> str:
        """Return the module that a dynamic import answers with, or "" where its name is computed."""
        name = self.values.facts[self.value(arguments[0], scope)] if arguments else None
        if name is None or name.kind is not ValueKind.STRING:
            return ""
        return name.text.partition(".")[0] if function == "__import__" else name.text

    def _subscript(self, node: Node, scope: Scope, depth: int) -> int:
        base = self.value(g.operand(node, "value"), scope, depth)
        keys = [self.value(index, scope, depth) for index in node.children_by_field_name("subscript")]
        if len(keys) == 1 and self.values.facts[keys[0]].kind is ValueKind.STRING:
            return self._note_read(self.values.member(base, self.values.facts[keys[0]].text), node, scope)
        return self._note_read(self._indexed(base, keys), node, scope)

    def _generic_type(self, node: Node, scope: Scope, depth: int) -> int:
        base, parameters = type_arguments(node)
        return self._indexed(self.value(base, scope, depth), [self.value(p, scope, depth) for p in parameters])

    def _indexed(self, base: int, keys: Sequence[int]) -> int:
        key = keys[0] if len(keys) == 1 else self.values.literal(ValueKind.ARRAY, keys)
        return self.values.compound(ValueKind.SUBSCRIPT, [key], base)

    def _lambda(self, node: Node, scope: Scope, depth: int) -> int:
        index = self.outline.index_of.get(node.id)
        return self.values.plain(ValueKind.FUNCTION, index) if index is not None else UNKNOWN

    def _await(self, node: Node, scope: Scope, depth: int) -> int:
        return self.values.plain(ValueKind.AWAIT, self.value(g.first(node), scope, depth))

    def _inner(self, node: Node, scope: Scope, depth: int) -> int:
        return self.value(g.first(node), scope, depth)

    def _named_expression(self, node: Node, scope: Scope, depth: int) -> int:
        return self.value(node.child_by_field_name("value"), scope, depth)

    def _chained_assignment(self, node: Node, scope: Scope, depth: int) -> int:
        return self.value(node.child_by_field_name("right"), scope, depth)

    # ------------------------------------------------------------------ literals

    def _number(self, node: Node, scope: Scope, depth: int) -> int:
        return self.values.plain(ValueKind.NUMBER, text=self.name(node))

    def _true(self, node: Node, scope: Scope, depth: int) -> int:
        return self.values.plain(ValueKind.BOOL, text="true")

    def _false(self, node: Node, scope: Scope, depth: int) -> int:
        return self.values.plain(ValueKind.BOOL, text="false")

    def _null(self, node: Node, scope: Scope, depth: int) -> int:
        return self._none

    def _string(self, node: Node, scope: Scope, depth: int) -> int:
        text = self.data[node.start_byte : min(node.end_byte, node.start_byte + 8 * LONGEST_TEXT)]
        value = self._strings.get(text)
        if value is not None:
            return value
        opening = _QUOTED.match(text)
        if opening is None:
            return UNKNOWN
        prefix = opening[1].lower()
        if b"f" in prefix or b"t" in prefix:
            return self._template(node, scope, depth)
        body = text[opening.end() :].removesuffix(opening[2]).decode(errors="replace")
        value = self._strings[text] = self.values.string(body if b"r" in prefix else _unescaped(body))
        return value

    def _template(self, node: Node, scope: Scope, depth: int) -> int:
        beginning = ""
        items = []
        for part in node.named_children:
            if part.kind_id == g.INTERPOLATION:
                items.append(self.value(part.child_by_field_name("expression"), scope, depth))
                self._format(part.child_by_field_name("format_specifier"), scope, depth)
            elif part.kind_id == g.STRING_CONTENT and not items and len(beginning) < LONGEST_TEXT:
                beginning += _unescaped(self.name(part).replace("{{", "{").replace("}}", "}"))
        if not items:
            return self.values.string(beginning)
        return self.values.compound(ValueKind.TEMPLATE, items, text=beginning[:LONGEST_TEXT])

    def _format(self, specifier: Node | None, scope: Scope, depth: int) -> None:
        for part in specifier.named_children if specifier is not None else ():
            self.value(part.child_by_field_name("expression"), scope, depth)

    def _slice(self, node: Node, scope: Scope, depth: int) -> int:
        for part in g.parts(node):
            self.value(part, scope, depth)
        return UNKNOWN

    def _concatenated_string(self, node: Node, scope: Scope, depth: int) -> int:
        beginning = ""
        items: list[int] = []
        for part in g.parts(node):
            value = self.values.facts[self.value(part, scope, depth)]
            if not items and len(beginning) < LONGEST_TEXT:
                beginning += value.text
            items += value.items
        if not items:
            return self.values.string(beginning)
        return self.values.compound(ValueKind.TEMPLATE, items, text=beginning[:LONGEST_TEXT])

    def _array(self, node: Node, scope: Scope, depth: int) -> int:
        items = [self.item(item, scope, depth) for item in g.parts(node)[:_MOST_ITEMS]]
        return self.values.literal(ValueKind.ARRAY, items)

    def _spread(self, node: Node, scope: Scope, depth: int) -> int:
        return self.values.plain(ValueKind.SPREAD, self.value(g.first(node), scope, depth))

    def _dictionary(self, node: Node, scope: Scope, depth: int) -> int:
        names: list[str] = []
        items: list[int] = []
        for entry in g.parts(node)[:_MOST_ITEMS]:
            if entry.kind_id == g.PAIR:
                key = self.values.facts[self.value(entry.child_by_field_name("key"), scope, depth)]
                names.append(key.text if key.kind is ValueKind.STRING else "[]")
                items.append(self.value(entry.child_by_field_name("value"), scope, depth))
            elif entry.kind_id == g.DICTIONARY_SPLAT:
                names.append("...")
                items.append(self._spread(entry, scope, depth))
        return self.values.literal(ValueKind.OBJECT, items, names=names)

    def _comprehension(self, node: Node, scope: Scope, depth: int) -> int:
        """An array of what its element denotes: one item stands for any number."""
        inner = self.outline.scope_of.get(node.id, scope)
        return self.values.compound(ValueKind.ARRAY, [self.value(node.child_by_field_name("body"), inner, depth)])

    def _dictionary_comprehension(self, node: Node, scope: Scope, depth: int) -> int:
        inner = self.outline.scope_of.get(node.id, scope)
        pair = node.child_by_field_name("body")
        value = UNKNOWN
        if pair is not None:
            self.value(pair.child_by_field_name("key"), inner, depth)
            value = self.value(pair.child_by_field_name("value"), inner, depth)
        return self.values.compound(ValueKind.OBJECT, [value], names=["[]"])

    # ------------------------------------------------------------------ operators

    def _binary_operator(self, node: Node, scope: Scope, depth: int) -> int:
        operator = node.child_by_field_name("operator")
        left = self.value(node.child_by_field_name("left"), scope, depth)
        right = self.value(node.child_by_field_name("right"), scope, depth)
        text = operator.type if operator is not None else ""
        value = self.values.operation(_OPERATORS.get(text, text), left, right)
        return value if text in ("and", "or") else self._note_read(value, node, scope)

    def _unary_operator(self, node: Node, scope: Scope, depth: int) -> int:
        operator = node.child_by_field_name("operator")
        text = operator.type if operator is not None else ""
        operand = self.value(node.child_by_field_name("argument"), scope, depth)
        fact = self.values.facts[operand]
        if text == "-" and fact.kind is ValueKind.NUMBER:
            return self.values.plain(ValueKind.NUMBER, text=f"-{fact.text}")
        return self.values.operation(text, operand)

    def _not_operator(self, node: Node, scope: Scope, depth: int) -> int:
        return self.values.operation("!", self.value(node.child_by_field_name("argument"), scope, depth))

    def _comparison(self, node: Node, scope: Scope, depth: int) -> int:
        """A chain `a < b < c` is `a < b && b < c`."""
        operators = [operator.type for operator in node.children_by_field_name("operators")]
        operands = [self.value(operand, scope, depth) for operand in g.parts(node)]
        links = [
            self.values.operation(_OPERATORS.get(operator, operator), left, right)
            for operator, left, right in zip(operators, operands, operands[1:], strict=False)
        ]
        if not links:
            return UNKNOWN
        for link in links:
            self._note_comparison(link, node, scope)
        return links[0] if len(links) == 1 else self.values.operation("&&", *links)

    def _note_comparison(self, value: int, node: Node, scope: Scope) -> None:
        """Note a comparison that a class may have a method for: not one with a literal, nor of identity."""
        fact = self.values.facts[value]
        operands = [self.values.facts[item].kind for item in fact.items]
        if not fact.text.startswith("is") and _LITERALS.isdisjoint(operands if "in" not in fact.text else operands[1:]):
            self._note_read(value, node, scope)

    def _conditional(self, node: Node, scope: Scope, depth: int) -> int:
        operands = [self.value(operand, scope, depth) for operand in g.parts(node)]
        if len(operands) != 3:
            return UNKNOWN
        then, test, otherwise = operands
        return self.values.operation("?:", test, then, otherwise)

    # ------------------------------------------------------------------ declared types

    def declared(self, node: Node | None, scope: Scope, depth: int = 0) -> tuple[int, list[int]]:
        """Return the type that an annotation declares, `None` left aside, and the metadata of `Annotated[T, ...]`.

        A union of several types is an `||` of them. Of a type in quotes a dotted name, an `Optional` and a union
        are understood.
        """
        if node is None or depth > _DEEPEST:
            return UNKNOWN, []
        kind = node.kind_id
        if kind in (g.TYPE, g.PARENTHESIZED):
            return self.declared(g.first(node), scope, depth + 1)
        if kind == g.STRING:
            return self._quoted_type(node, scope), []
        if kind in (g.GENERIC_TYPE, g.SUBSCRIPT):
            base, arguments = type_arguments(node)
            name = self.text(base).rpartition(b".")[2] if base is not None else b""
            if arguments and name in _TRANSPARENT_TYPES:
                return self.declared(arguments[0], scope, depth + 1)
            if arguments and name == b"Annotated":
                inner, metadata = self.declared(arguments[0], scope, depth + 1)
                return inner, [*metadata, *(self.value(argument, scope) for argument in arguments[1:])]
            if name == b"Union":
                return self._union(arguments, scope, depth)
        if kind == g.UNION_TYPE:
            return self._union(g.parts(node), scope, depth)
        if kind == g.BINARY_OPERATOR:
            operator = node.child_by_field_name("operator")
            if operator is not None and operator.type == "|":
                return self._union(g.parts(node), scope, depth)
        return self.value(node, scope), []

    def _union(self, members: Sequence[Node], scope: Scope, depth: int) -> tuple[int, list[int]]:
        types: list[int] = []
        metadata: list[int] = []
        for member in members:
            declared, extra = self.declared(member, scope, depth + 1)
            fact = self.values.facts[declared]
            is_union = fact.kind is ValueKind.OP and fact.text == "||"
            types += fact.items if is_union else [declared]
            metadata += extra
        return self.one_of(kept for kept in types if kept != self._none), metadata

    def one_of(self, alternatives: Iterable[int]) -> int:
        """Return the value that is any of `alternatives`: the only one itself, else an `||` of them."""
        distinct = list(dict.fromkeys(alternatives))
        if len(distinct) == 1:
            return distinct[0]
        return self.values.operation("||", *distinct[:_MOST_ALTERNATIVES]) if distinct else self._none

    def _quoted_type(self, node: Node, scope: Scope) -> int:
        text = self.values.facts[self.value(node, scope)].text.strip()
        while (optional := _QUOTED_OPTIONAL.fullmatch(text)) is not None:
            text = optional[1].strip()
        names = [name for part in text.split("|") if (name := part.strip()) != "None"]
        if not names or not all(_DOTTED.fullmatch(name.encode()) for name in names):
            return self._none if text == "None" else UNKNOWN
        return self.one_of([self.dotted(name.encode(), scope) for name in names])


_VISIT: dict[int, Callable[[Evaluator, Node, Scope, int], int]] = {
    g.ATTRIBUTE: Evaluator._attribute,
    g.CALL: Evaluator._call,
    g.STRING: Evaluator._string,
    g.CONCATENATED_STRING: Evaluator._concatenated_string,
    g.INTEGER: Evaluator._number,
    g.FLOAT: Evaluator._number,
    g.TRUE: Evaluator._true,
    g.FALSE: Evaluator._false,
    g.NONE_LITERAL: Evaluator._null,
    g.LAMBDA: Evaluator._lambda,
    g.DICTIONARY: Evaluator._dictionary,
    g.LIST_SPLAT: Evaluator._spread,
    g.DICTIONARY_SPLAT: Evaluator._spread,
    g.LIST_SPLAT_PATTERN: Evaluator._spread,
    g.PARENTHESIZED: Evaluator._inner,
    g.AS_PATTERN: Evaluator._inner,
    g.TYPE: Evaluator._inner,
    g.AWAIT: Evaluator._await,
    g.SUBSCRIPT: Evaluator._subscript,
    g.SLICE: Evaluator._slice,
    g.GENERIC_TYPE: Evaluator._generic_type,
    g.BINARY_OPERATOR: Evaluator._binary_operator,
    g.BOOLEAN_OPERATOR: Evaluator._binary_operator,
    g.UNARY_OPERATOR: Evaluator._unary_operator,
    g.NOT_OPERATOR: Evaluator._not_operator,
    g.COMPARISON: Evaluator._comparison,
    g.CONDITIONAL: Evaluator._conditional,
    g.NAMED_EXPRESSION: Evaluator._named_expression,
    g.ASSIGNMENT: Evaluator._chained_assignment,
    g.DICTIONARY_COMPREHENSION: Evaluator._dictionary_comprehension,
    **dict.fromkeys(g.COMPREHENSIONS - {g.DICTIONARY_COMPREHENSION}, Evaluator._comprehension),
    **dict.fromkeys((g.LIST, g.TUPLE, g.SET, g.EXPRESSION_LIST, g.PATTERN_LIST, g.TUPLE_PATTERN), Evaluator._array),
}


def type_arguments(node: Node) -> tuple[Node | None, list[Node]]:
    """Return the base and the arguments of `base[arguments]`, as an expression or in an annotation."""
    if node.kind_id == g.SUBSCRIPT:
        return node.child_by_field_name("value"), node.children_by_field_name("subscript")
    children = g.parts(node)
    return (children[0] if children else None), (g.parts(children[1]) if len(children) > 1 else [])


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(escape: re.Match[str]) -> str:
    code = escape[1]
    if code in _ESCAPED:
        return _ESCAPED[code]
    if code[0] in "xuU":
        point = int(code[1:], 16)
        return chr(point) if point < 0x110000 and not 0xD800 <= point < 0xE000 else "\ufffd"
    if code[0] in "01234567":
        return chr(int(code, 8))
    return "" if code[-1] == "\n" else code
