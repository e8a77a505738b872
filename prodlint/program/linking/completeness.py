"""Whether what a value was found to be is all that it can be.

`Resolver.resolve` answers the possibilities that it knows. `const log = plain ? console : options.logger` is `console`
to it, since nobody knows what the option is; a finding that rests on `console` is then no more than likely.
"""

from __future__ import annotations

from collections.abc import Iterable

from prodlint.facts import NONE, Value, ValueKind
from prodlint.program.linking.resolver import RETURN_ARGUMENT, Definition, File, Resolver, argument_of
from prodlint.program.linking.targets import Api, Bound, Fn, Inst, Obj, Target

_MOST = 1_000
"""Values that are looked at for one answer; what rests on more is not complete."""
_OF_REF = frozenset(
    {ValueKind.AWAIT, ValueKind.SPREAD, ValueKind.YIELDED, ValueKind.ELEMENT, ValueKind.SUBSCRIPT, ValueKind.INSTANCE}
)


class Completeness:
    """Answers, memoised, about the values of a program whose linking is done."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._memo: dict[tuple[int, int], bool] = {}

    def is_complete(self, file: File, value: int) -> bool:
        """Whether values[`value`] of `file` is surely one of what `Resolver.resolve` answers: every assignment,
        operand, return and argument that it can come from is known. What cannot be called (`null`, a flag that is
        false before the real value is there) does not count; a value that depends on itself adds nothing."""
        key = (file.index, value)
        if key not in self._memo:
            self._memo[key] = self._work_out(file, value)
        return self._memo[key]

    def _work_out(self, file: File, value: int) -> bool:
        seen = {(file.index, value)}
        waiting: list[Definition] = [(file, value)]
        while waiting:
            owner, item = waiting.pop()
            if item == NONE or not self._resolver.resolve(owner, item):
                return False
            for other, source in self._sources(owner, owner.facts.values[item]):
                key = (other.index, source)
                if key not in seen and not _is_nothing(other, source):
                    if len(seen) > _MOST:
                        return False
                    seen.add(key)
                    waiting.append((other, source))
        return True

    def _sources(self, file: File, fact: Value) -> Iterable[Definition]:
        """The values that a value comes from, one step back."""
        if fact.kind is ValueKind.BINDING:
            return [(file, assigned) for assigned in file.facts.bindings[fact.ref].values]
        if fact.kind is ValueKind.MEMBER:
            return self._of_member(file, fact)
        if fact.kind is ValueKind.CALL:
            return self._of_call(file, fact)
        if fact.kind is ValueKind.PARAM:
            return self._of_parameter(file, fact)
        if fact.kind is ValueKind.OP:
            if fact.text in ("||", "??", "?:", "&&"):
                items = fact.items if fact.text in ("||", "??") else fact.items[1:]
            else:  # an operator of Python: what it makes is told by one side, which decides
                items = tuple(item for item in fact.items if self._resolver.resolve(file, item))[:1]
            return [(file, item) for item in items]
        if fact.kind in _OF_REF:
            return [(file, fact.ref), *self._elements(file, fact)]
        return ()

    def _of_member(self, file: File, fact: Value) -> Iterable[Definition]:
        base = file.facts.values[fact.ref]
        if base.kind is ValueKind.GLOBAL:
            return ()
        found: list[Definition] = [] if base.kind is ValueKind.IMPORT else [(file, fact.ref)]
        for target in self._resolver.resolve(file, fact.ref):
            found += self._of_definitions(target, self._resolver.definitions(target, fact.text))
            if not isinstance(target, Api) and not self._resolver.member(target, fact.text):
                found.append((file, NONE))
        return found

    def _of_definitions(self, target: Target, definitions: Iterable[Definition]) -> Iterable[Definition]:
        """What a member comes from that is defined so: of a property, what its function answers. A field of a declared
        type holds what that says."""
        definitions = list(definitions)
        for file, value in definitions:
            fact = file.facts.values[value]
            if fact.kind is ValueKind.OP and fact.text == "||" and file.is_python:
                typed = [item for item in fact.items if file.facts.values[item].kind is ValueKind.INSTANCE]
                if any(self._resolver.declared(file, file.facts.values[item].ref) for item in typed):
                    return [(file, item) for item in typed]
        return [each for file, value in definitions for each in self._of_definition(target, file, value)]

    def _of_definition(self, target: Target, file: File, value: int) -> Iterable[Definition]:
        fact = file.facts.values[value]
        if fact.kind is not ValueKind.FUNCTION or not (isinstance(target, Inst) or not file.is_python):
            return [(file, value)]
        function = file.facts.functions[fact.ref]
        if not self._resolver.is_getter(file.fn_base + fact.ref):
            return [(file, value)]
        if function.result != NONE and self._resolver.declared(file, function.result):
            return ()
        return [(file, each) for each in file.returns.get(fact.ref, (NONE,))]

    def _of_call(self, file: File, fact: Value) -> Iterable[Definition]:
        call = file.facts.calls[fact.ref]
        found: list[Definition] = [(file, call.callee)]
        for target in self._resolver.resolve(file, call.callee):
            if isinstance(target, Api):
                position = RETURN_ARGUMENT.get(target.path, NONE)
                if position != NONE and position < len(call.args):
                    found.append((file, call.args[position]))
                holder = self._resolver.asked_of(target.path)
                if holder and call.args:
                    name = file.facts.values[call.args[0]].text
                    found += self._resolver.definitions(Api(holder), name)
            elif isinstance(target, Fn) and not call.is_new:
                owner, function = self._resolver.functions[target.id]
                local = target.id - owner.fn_base
                if function.result != NONE and self._resolver.declared(owner, function.result):
                    continue
                for value in owner.returns.get(local, ()):
                    returned = owner.facts.values[value]
                    if returned.kind is ValueKind.PARAM and returned.ref == local and returned.items:
                        found.append((file, argument_of(call, function, returned.items[0])))
                    else:
                        found.append((owner, value))
            elif isinstance(target, Bound) and isinstance(target.of, Obj):
                owner = self._resolver.files[target.of.file]
                found += ((owner, each) for each in owner.facts.values[target.of.value].items)
                found += self._resolver.added(target.of)
            elif not self._resolver.result(file, call, target):
                found.append((file, NONE))
        return found

    def _of_parameter(self, file: File, fact: Value) -> Iterable[Definition]:
        """The arguments of all calls, unless a framework or a declared type says what the parameter is."""
        function = file.fn_base + fact.ref
        position = fact.items[0] if fact.items else 0
        params = file.facts.functions[fact.ref].params
        if (function, position) in self._resolver.parameters or position >= len(params):
            return ()
        if params[position].annotation != NONE and self._resolver.declared(file, params[position].annotation):
            return ()
        found: list[Definition] = []
        for site in self._resolver.callers.get(function, ()):
            argument = argument_of(site.call, file.facts.functions[fact.ref], position)
            if argument != NONE:
                found.append((site.file, argument))
        return found

    def _elements(self, file: File, fact: Value) -> Iterable[Definition]:
        """The items of the literals that an element is taken from."""
        if fact.kind not in (ValueKind.ELEMENT, ValueKind.SUBSCRIPT):
            return ()
        found: list[Definition] = []
        for literal in self._resolver.resolve(file, fact.ref):
            if isinstance(literal, Obj):
                owner = self._resolver.files[literal.file]
                item = self._resolver.item_at(literal, fact.text) if fact.kind is ValueKind.ELEMENT else None
                items = owner.facts.values[literal.value].items
                found += (
                    [item] if item is not None else [*((owner, each) for each in items), *self._resolver.added(literal)]
                )
        return found


def _is_nothing(file: File, value: int) -> bool:
    """Whether a value only holds the place of one that comes later: `let client = null`."""
    fact = file.facts.values[value] if value != NONE else None
    return fact is not None and (fact.kind is ValueKind.NULL or (fact.kind is ValueKind.BOOL and fact.text == "false"))
