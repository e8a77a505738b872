"""Functions that Python runs without a call being written: properties, context managers, iterators, operators,
constructors and what a class hooks into them.

Source: the Python reference, section 3.3, "Special method names"; the documentation of `dataclasses` (`__post_init__`),
attrs (`__attrs_post_init__`) and pydantic (validators, `model_post_init`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from typing import NamedTuple

from prodlint.facts import NONE, FunctionKind, RegionKind, Value, ValueKind
from prodlint.program.linking.resolver import OPERATORS, File, Resolver
from prodlint.program.linking.targets import Api, Cls, Fn, Inst, Target, Targets

_COMPARISONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_CHAIN = frozenset({ValueKind.MEMBER, ValueKind.SUBSCRIPT, ValueKind.AWAIT})
_ITERATORS = (("__iter__", "__next__"), ("__aiter__", "__anext__"))
_GO_THROUGH = frozenset(
    f"builtins.{name}"
    for name in "list tuple set frozenset dict sorted sum min max any all enumerate zip map filter iter".split()
)
_ASK = {
    "builtins.len": "__len__",
    "builtins.str": "__str__",
    "builtins.print": "__str__",
    "builtins.repr": "__repr__",
    "builtins.bool": "__bool__",
    "builtins.int": "__int__",
    "builtins.float": "__float__",
    "builtins.bytes": "__bytes__",
    "builtins.hash": "__hash__",
    "builtins.next": "__next__",
    "builtins.anext": "__anext__",
    "builtins.reversed": "__reversed__",
}
_ENTERS = {"enter_context": ("__enter__", "__exit__"), "enter_async_context": ("__aenter__", "__aexit__")}
_VALIDATES = frozenset(
    {"model_validate", "model_validate_json", "model_validate_strings", "parse_obj", "parse_raw", "from_orm"}
)
_VALIDATORS = frozenset(
    f"{module}.{name}{called}"
    for module, names in (
        ("pydantic", "validator root_validator field_validator model_validator"),
        ("pydantic.v1", "validator root_validator"),
        ("sqlmodel", "field_validator model_validator"),
    )
    for name in names.split()
    for called in ("", "()")
)
_MAKING = ("__new__", "__post_init__", "__attrs_post_init__")
_DATA = frozenset(
    {"pydantic.BaseModel", "pydantic.main.BaseModel", "pydantic_settings.BaseSettings", "sqlmodel.SQLModel"}
)
_CACHED = frozenset(
    {"functools.cached_property", "django.utils.functional.cached_property", "werkzeug.utils.cached_property"}
)
_WITHOUT_METHODS = frozenset(
    {"abc", "builtins", "enum", "multiprocessing", "pydantic", "threading", "typing", "typing_extensions"}
)
"""Modules whose classes call nothing that those which derive from them add, or of which a model says what they do."""
_MOST_FIELDS = 200


class ImplicitCall(NamedTuple):
    """That `callee` is run at `[start, end)` in a region. `call`: the call that does so, or NONE."""

    callee: int
    region: int
    start: int
    end: int
    call: int = NONE
    is_sure: bool = True


class ImplicitCalls:
    """Answers what the files of a linked program run implicitly."""

    def __init__(self, resolver: Resolver, targets: Sequence[Sequence[Targets]]) -> None:
        """`targets`: what each call's callee can be, by file and call."""
        self._resolver = resolver
        self._targets = targets

    def of(self, file: File) -> Iterator[ImplicitCall]:
        """Yield what a file runs without a call being written, and what its calls run beside what they call."""
        if not file.is_python:
            return
        yield from self._of_reads(file)
        yield from self._of_stores(file)
        yield from self._of_regions(file)
        yield from self._of_calls(file)

    # ------------------------------------------------------------------ what is there at all

    @cached_property
    def _getters(self) -> Set[str]:
        """The names of the properties that classes of Python have."""
        return {
            function.name
            for file, function in self._resolver.functions
            if file.is_python and function.kind is FunctionKind.ACCESSOR
        }

    @cached_property
    def _special(self) -> Set[str]:
        """The special methods that classes of Python have."""
        return {
            function.name
            for file, function in self._resolver.functions
            if file.is_python and function.cls != NONE and function.name.startswith("__")
        }

    @cached_property
    def _descriptors(self) -> Set[str]:
        """The names of the members that objects with a `__get__` are made for."""
        if "__get__" not in self._special:
            return frozenset()
        return {
            name
            for file, cls in self._resolver.classes
            if file.is_python
            for name, member in zip(cls.names, cls.members, strict=False)
            if file.facts.values[member].kind in (ValueKind.CALL, ValueKind.OP)
            for target in self._resolver.resolve(file, member)
            if isinstance(target, Inst) and "__get__" in self._resolver.members_of(target.id)
        }

    def _methods(self, target: Target, name: str) -> list[int]:
        return self._resolver.methods(target, name) if name in self._special and isinstance(target, Inst) else []

    # ------------------------------------------------------------------ members, keys, operators

    def _of_reads(self, file: File) -> Iterator[ImplicitCall]:
        facts = file.facts
        done: set[tuple[int, int]] = set()
        for at in range(0, len(facts.reads), 3):
            value, start, end = facts.reads[at : at + 3]
            for callee, is_sure in self._read(file, value):
                region = _region_at(file, start)
                yield ImplicitCall(callee, region, start, end, is_sure=is_sure)
        for call in facts.calls:
            fact = facts.values[call.callee]
            key = (call.callee, facts.regions[call.region].function)
            if fact.kind is ValueKind.MEMBER and key not in done:
                done.add(key)
                for callee, is_sure in self._read(file, call.callee):
                    yield ImplicitCall(callee, call.region, call.start, call.end, is_sure=is_sure)

    def _read(self, file: File, value: int) -> Iterator[tuple[int, bool]]:
        """What is run by evaluating a value, its parts that are members or taken by a key included."""
        fact = file.facts.values[value]
        while fact.kind in _CHAIN:
            if fact.kind is ValueKind.MEMBER:
                yield from self._member(file, fact)
            elif fact.kind is ValueKind.SUBSCRIPT and "__getitem__" in self._special:
                for target in self._resolver.resolve(file, fact.ref):
                    yield from ((method, True) for method in self._methods(target, "__getitem__"))
            fact = file.facts.values[fact.ref]
        if fact.kind is ValueKind.OP:
            yield from self._operator(file, fact)

    def _member(self, file: File, fact: Value) -> Iterator[tuple[int, bool]]:
        is_known = fact.text in self._getters or fact.text in self._descriptors
        if not is_known and "__getitem__" not in self._special and "__getattr__" not in self._special:
            return
        for target in self._resolver.resolve(file, fact.ref):
            if not isinstance(target, Inst):
                continue
            definitions = self._resolver.definitions(target, fact.text)
            for owner, value in definitions if is_known else ():
                for hit in self._resolver.resolve(owner, value):
                    if isinstance(hit, Fn) and self._resolver.is_getter(hit.id):
                        yield hit.id, not self._is_cached(hit.id) or self._is_made_here(file, fact.ref)
                    elif isinstance(hit, Inst):
                        yield from ((method, True) for method in self._methods(hit, "__get__"))
            if not definitions:
                for name in ("__getattr__", "__getitem__"):
                    yield from ((method, True) for method in self._methods(target, name))

    def _is_cached(self, function: int) -> bool:
        file, fact = self._resolver.functions[function]
        return any(self._resolver.api_of(file, decorator) in _CACHED for decorator in fact.decorators)

    def _is_made_here(self, file: File, value: int) -> bool:
        """Whether an object is made by a function, so that what it keeps is not kept for long."""
        origins = self._resolver.origins(file, value)
        return all(
            fact.kind is ValueKind.CALL and owner.facts.regions[owner.facts.calls[fact.ref].region].function > 0
            for owner, fact in ((owner, owner.facts.values[item]) for owner, item in origins)
        )

    def _operator(self, file: File, fact: Value) -> Iterator[tuple[int, bool]]:
        if fact.text in ("in", "not in"):
            for target in self._resolver.resolve(file, fact.items[-1]) if "__contains__" in self._special else ():
                yield from ((method, True) for method in self._methods(target, "__contains__"))
            return
        name = OPERATORS.get(fact.text) or _COMPARISONS.get(fact.text)
        if name is None:
            return
        for position, operand in enumerate(fact.items):
            method = f"__{'r' if position and fact.text in OPERATORS else ''}{name}__"
            if method in self._special and not (position and fact.text in _COMPARISONS):
                for target in self._resolver.resolve(file, operand):
                    yield from ((found, True) for found in self._methods(target, method))

    def _of_stores(self, file: File) -> Iterator[ImplicitCall]:
        if self._special.isdisjoint(("__setitem__", "__delitem__")):
            return
        for store in file.facts.stores:
            name = "__delitem__" if store.op == "del" else "__setitem__"
            if name not in self._special or store.op.startswith("global"):
                continue
            for target in self._resolver.resolve(file, store.target):
                if not store.name or not self._resolver.definitions(target, store.name):
                    for method in self._methods(target, name):
                        yield ImplicitCall(method, store.region, store.start, store.end)

    # ------------------------------------------------------------------ with and for

    def _of_regions(self, file: File) -> Iterator[ImplicitCall]:
        for region in file.facts.regions:
            if region.kind is RegionKind.WITH:
                names: Iterable[str] = ("__aenter__", "__aexit__") if region.flag else ("__enter__", "__exit__")
                for value in region.values:
                    start, end = _span(file, value, region.start)
                    for target in self._resolver.resolve(file, value):
                        for name in names:
                            for method in self._methods(target, name):
                                yield ImplicitCall(method, region.parent, start, end)
            elif region.kind is RegionKind.LOOP:
                for value in region.values:
                    start, end = _span(file, value, region.start)
                    for method in self._iterated(self._resolver.resolve(file, value)):
                        yield ImplicitCall(method, region.parent, start, end)

    def _iterated(self, targets: Targets) -> Iterator[int]:
        """What going through something runs."""
        for target in targets:
            for begin, step in _ITERATORS:
                for method in self._methods(target, begin):
                    yield method
                    for each in self._resolver.answered(method, (target,)):
                        yield from self._methods(each, step)

    # ------------------------------------------------------------------ calls

    def _of_calls(self, file: File) -> Iterator[ImplicitCall]:
        for index, call in enumerate(file.facts.calls):
            callees: list[int] = []
            likely: list[int] = []
            callee = file.facts.values[call.callee]
            targets = self._targets[file.index][index]
            for target in targets:
                if isinstance(target, Cls):
                    callees += self.constructed(target.id)
                elif isinstance(target, Api) and call.args:
                    callees += self._asked(file, target.path, call.args)
            if callee.kind is ValueKind.MEMBER:
                if callee.text in _VALIDATES:
                    for target in self._resolver.resolve(file, callee.ref):
                        callees += self.constructed(target.id) if isinstance(target, Cls) else []
                elif callee.text in _ENTERS and call.args:
                    for target in self._resolver.resolve(file, call.args[0]):
                        for name in _ENTERS[callee.text]:
                            callees += self._methods(target, name)
                callees += self._overridden(file, callee, targets)
                likely = self._called_by_library(file, callee, targets)
            for callee_id in callees:
                yield ImplicitCall(callee_id, call.region, call.start, call.end, index)
            for callee_id in likely:
                yield ImplicitCall(callee_id, call.region, call.start, call.end, index, is_sure=False)

    def _asked(self, file: File, api: str, arguments: Sequence[int]) -> Iterator[int]:
        """What a function of Python's own asks the objects that it is given."""
        if api in _GO_THROUGH and not self._special.isdisjoint(("__iter__", "__next__")):
            for argument in arguments:
                yield from self._iterated(self._resolver.resolve(file, argument))
        elif api in _ASK and _ASK[api] in self._special:
            for argument in arguments:
                for target in self._resolver.resolve(file, argument):
                    yield from self._methods(target, _ASK[api])

    def constructed(self, cls: int) -> list[int]:
        """The functions that making an object of a class runs, beside `__init__`."""
        found: dict[int, None] = {}
        instance = Inst(cls)
        for name in _MAKING:
            found.update(dict.fromkeys(self._methods(instance, name)))
        bases = list(self._resolver.bases_of(cls))
        if any(isinstance(base, Api) and base.path in _DATA for base in bases):
            found.update(dict.fromkeys(self._resolver.methods(instance, "model_post_init")))
            for owner in (cls, *(base.id for base in bases if isinstance(base, Cls))):
                found.update(dict.fromkeys(self._validators(owner)))
        return list(found)

    def _validators(self, cls: int) -> Iterator[int]:
        file, fact = self._resolver.classes[cls]
        for member in fact.members:
            value = file.facts.values[member]
            if value.kind is ValueKind.FUNCTION:
                for decorator in file.facts.functions[value.ref].decorators:
                    if self._resolver.api_of(file, decorator) in _VALIDATORS:
                        yield file.fn_base + value.ref

    def validated(self, cls: int) -> Iterator[int]:
        """The validators that run when a request's body is read as an object of a class of pydantic's."""
        seen = {cls}
        waiting = [cls]
        while waiting and len(seen) < _MOST_FIELDS:
            at = waiting.pop()
            yield from self.constructed(at)
            file = self._resolver.classes[at][0]
            for member in self._resolver.members_of(at).values():
                if file.facts.values[member].kind is ValueKind.INSTANCE:
                    for target in self._resolver.resolve(file, member):
                        inner = [target] if isinstance(target, Inst) else self._resolver.elements(target)
                        for each in inner:
                            if isinstance(each, Inst) and each.id not in seen:
                                seen.add(each.id)
                                waiting.append(each.id)

    # ------------------------------------------------------------------ overrides

    @cached_property
    def _own_calls(self) -> Mapping[int, Set[str]]:
        """The methods that each function calls of the object that it is a method of, and the members it reads."""
        found: dict[int, set[str]] = defaultdict(set)
        for file in self._resolver.files:
            for call in file.facts.calls if file.is_python else ():
                callee = file.facts.values[call.callee]
                if callee.kind is ValueKind.MEMBER and file.facts.values[callee.ref].kind is ValueKind.SELF:
                    found[file.function_at(call.region)].add(callee.text)
        return found

    def _overridden(self, file: File, callee: Value, targets: Targets) -> Iterator[int]:
        """The methods of a class that an inherited method calls in their bases' place: what `Local().build()` runs by
        `self.url()` in `Base.build`."""
        functions = [target.id for target in targets if isinstance(target, Fn)]
        if not functions:
            return
        receivers: Iterable[Target] | None = None
        for function in functions:
            owner, fact = self._resolver.functions[function]
            if fact.cls == NONE or not self._own_calls.get(function):
                continue
            home = owner.cls_base + fact.cls
            if receivers is None:
                receivers = self._resolver.resolve(file, callee.ref)
            for receiver in receivers:
                if (
                    isinstance(receiver, Inst)
                    and receiver.id != home
                    and self._resolver.declares(receiver, callee.text, function)
                ):
                    yield from self._of_receiver(receiver, function)

    def _of_receiver(self, receiver: Inst, function: int) -> Iterator[int]:
        seen = {function}
        waiting = [function]
        while waiting:
            at = waiting.pop()
            owner, fact = self._resolver.functions[at]
            home = Inst(owner.cls_base + fact.cls)
            if home == receiver:
                continue  # what it calls of itself is known
            for name in sorted(self._own_calls.get(at, ())):
                for method in self._resolver.methods(receiver, name):
                    if method not in seen:
                        seen.add(method)
                        waiting.append(method)
                        if method not in self._resolver.methods(home, name):
                            yield method

    def _has_foreign_base(self, target: Target) -> bool:
        """Whether a class of a library's is among the bases of an object's."""
        return isinstance(target, Inst) and any(
            isinstance(base, Api) and base.path.partition(".")[0] not in _WITHOUT_METHODS
            for base in self._resolver.bases_of(target.id)
        )

    def _called_by_library(self, file: File, callee: Value, targets: Targets) -> list[int]:
        """The methods of a class that a method of its foreign base may call: those that nobody else calls."""
        if len(targets) != 1 or not isinstance(targets[0], Api):
            return []
        found = []
        for receiver in self._resolver.resolve(file, callee.ref):
            if self._has_foreign_base(receiver) and not self._resolver.definitions(receiver, callee.text):
                assert isinstance(receiver, Inst)
                owner = self._resolver.classes[receiver.id][0]
                for name, member in self._resolver.members_of(receiver.id).items():
                    value = owner.facts.values[member]
                    if value.kind is ValueKind.FUNCTION and not name.startswith("__"):
                        function = owner.fn_base + value.ref
                        if not self._resolver.callers.get(function) and not self._resolver.is_getter(function):
                            found.append(function)
        return found


def _region_at(file: File, offset: int) -> int:
    """The innermost region around an offset."""
    found = 0
    for number, region in enumerate(file.facts.regions):
        if region.start <= offset < region.end and region.end - region.start <= (
            file.facts.regions[found].end - file.facts.regions[found].start
        ):
            found = number
    return found


def _span(file: File, value: int, otherwise: int) -> tuple[int, int]:
    """Where a value stands: of a call its own place, else just before `otherwise`."""
    fact = file.facts.values[value]
    if fact.kind is ValueKind.CALL:
        call = file.facts.calls[fact.ref]
        return call.start, call.end
    return otherwise, otherwise
