"""Collections of modules that requests change and read back: state that is in one process only."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from prodlint.facts import NONE, RegionKind, ValueKind
from prodlint.findings import Confidence
from prodlint.lazy_regex import regex
from prodlint.models.frameworks.model import Context, Role
from prodlint.program.linking.queries import query
from prodlint.program.linking.resolver import File
from prodlint.program.linking.routes import routes_in
from prodlint.program.linking.targets import Api

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_MADE = frozenset(
    {
        *("Map", "Set", "Array", "Object.create", "builtins.dict", "builtins.list", "builtins.set"),
        *("collections.defaultdict", "collections.OrderedDict", "collections.deque"),
    }
)
_ADDS = frozenset({"set", "add", "push", "unshift", "append", "appendleft", "insert", "extend", "update", "setdefault"})
_REMOVES = frozenset({"delete", "clear", "remove", "discard", "splice"})
_PER_PROCESS = regex(
    r"cache|memo|pool|socket|client|conn|peer|subscri|listener|emitter|stream|timer|timeout|interval|metric|stats?$|histogram"
    r"|lock|mutex|thread|worker|flight|promise|controller|warn|deprecat|handler|plugin|regist|route|template|config|settings|proc(?:ess)?(?:es)?$",
    re.IGNORECASE,
)
"""Names of what is about the process itself, or may differ between processes."""
_OWN_THINGS = regex(
    r"express\.res|http\.ServerResponse|ws\b|[sS]ocket|fastify\.reply|koa\.ctx|Promise|setTimeout|setInterval|asyncio"
)
"""APIs whose results belong to the process: connections, timers, promises."""
_DEEPEST = 8

_Key = tuple[int, int]


class SharedState(msgspec.Struct):
    """A collection of a module, bound to `binding` of `file`, that requests change and read."""

    file: File
    binding: int
    changes: list[tuple[File, int, int, int]] = []
    """Where requests change it: file, start, end, region."""
    confidence: Confidence = Confidence.LIKELY
    by: str = ""
    """The registration that comes to the first of the changes, for a reader."""

    @property
    def name(self) -> str:
        """The name that the module has for it."""
        return self.file.facts.bindings[self.binding].name


@query
def shared_states_in(program: Program) -> list[SharedState]:
    """All of them."""
    return _Finder(program).found()


class _Finder:
    def __init__(self, program: Program) -> None:
        self._program = program
        self._states: dict[_Key, SharedState] = {
            (file.index, number): SharedState(file, number)
            for file in program.files
            if program.is_loaded(file) is not None
            for number in self._collections(file)
        }
        self._all = frozenset(self._states)
        self._mentions: dict[int, _Mentions] = {}

    def _collections(self, file: File) -> Iterator[int]:
        """The bindings of a module's top level that are collections from the beginning and stay the same ones."""
        for number, binding in enumerate(file.facts.bindings):
            if binding.function == 0 and len(binding.values) == 1 and not _PER_PROCESS.search(binding.name):
                value = file.facts.values[binding.values[0]]
                if value.kind in (ValueKind.OBJECT, ValueKind.ARRAY):
                    if not value.items:
                        yield number
                elif value.kind is ValueKind.CALL:
                    call = file.facts.calls[value.ref]
                    if self._program.resolver.api_of(file, call.callee) in _MADE and len(call.args) <= 1:
                        yield number

    def found(self) -> list[SharedState]:
        if not self._states:
            return []
        for file in self._program.files:
            if self._program.is_loaded(file) is not None:
                self._find_changes(file)
        changed = {key: state for key, state in self._states.items() if state.changes}
        read = self._read(changed) if changed else set()
        return [state for key, state in changed.items() if key in read]

    # --- changes

    def _find_changes(self, file: File) -> None:
        facts = file.facts
        for store in facts.stores:
            key, depth = self._collection(file, store.target)
            is_nested = depth > 0 or store.op not in ("=", "del")
            if key and store.op != "del" and (depth > 0 or not store.name):
                self._change(key, file, store.start, store.end, store.region, [store.value], is_nested)
        for call in facts.calls:
            callee = facts.values[call.callee]
            if callee.kind is ValueKind.MEMBER and callee.text in _ADDS:
                key, depth = self._collection(file, callee.ref)
                if key:
                    self._change(key, file, call.start, call.end, call.region, call.args, depth > 0)

    def _change(
        self, key: _Key, file: File, start: int, end: int, region: int, values: Sequence[int], is_nested: bool
    ) -> None:
        if not is_nested and self._is_looked_up(key, file, region):
            return  # kept so as not to be computed again
        if any(self._is_own_thing(file, value) for value in values if value != NONE):
            self._states.pop(key, None)
            return
        state = self._states.get(key)
        reached = self._request(file, region)
        if state is not None and reached is not None:
            certain, label = reached
            if not state.changes or (certain and state.confidence is Confidence.LIKELY):
                state.by = label
                state.confidence = Confidence.CERTAIN if certain else Confidence.LIKELY
                state.changes.insert(0, (file, start, end, region))
            else:
                state.changes.append((file, start, end, region))

    def _is_own_thing(self, file: File, value: int) -> bool:
        fact = file.facts.values[value]
        if fact.kind is ValueKind.FUNCTION:
            return True
        if fact.kind is ValueKind.OBJECT:
            return any(self._is_own_thing(file, item) for item in fact.items)
        targets = self._program.resolver.resolve(file, value)
        return any(isinstance(target, Api) and _OWN_THINGS.search(target.path) for target in targets)

    def _is_looked_up(self, key: _Key, file: File, region: int) -> bool:
        """Whether the function tests what is in the collection, or keeps what it finds in a variable that it tests."""
        facts = file.facts
        function = facts.regions[region].function
        mentions = self._mentions.get(file.index)
        if mentions is None:
            mentions = self._mentions[file.index] = _Mentions(file, self._named(file, self._all))
        return any(
            key in mentions.of(value)
            for fact in facts.regions
            if fact.function == function and fact.kind in (RegionKind.THEN, RegionKind.ELSE)
            for value in fact.values
        )

    def _request(self, file: File, region: int) -> tuple[bool, str] | None:
        """Whether a request comes to a region, by a handler and not by an event of a connection; how surely, and by
        which registration."""
        if self._program.server_code(file, region) is None:
            return None
        contexts = self._program.contexts
        function = file.function_at(region)
        reached = contexts.of(function)
        for context in (Context.REQUEST, Context.REQUEST_THREAD):
            if context in reached:
                first = contexts.path((function, context))[0].registration
                if first is not None and first.role in (Role.HANDLER, Role.MIDDLEWARE, Role.DEPENDENCY):
                    return reached[context].certain, routes_in(self._program).said(first)
        return None

    # --- reads

    def _read(self, changed: dict[_Key, SharedState]) -> set[_Key]:
        found: set[_Key] = set()
        for file in self._program.files:
            if self._program.is_loaded(file) is None:
                continue
            mentions = _Mentions(file, self._named(file, changed.keys()))
            for region, value in _expressions(file) if mentions.named else ():
                for key in mentions.of(value) - found:
                    if self._request(file, region) is not None:
                        found.add(key)
        return found

    def _named(self, file: File, keys: Collection[_Key]) -> dict[int, _Key]:
        """The values of a file that are one of some collections, or an element of one."""
        return {
            number: key
            for number, value in enumerate(file.facts.values)
            if value.kind in _NAMES and (key := self._collection(file, number)[0]) is not None and key in keys
        }

    # --- names

    def _collection(self, file: File, value: int, depth: int = 0) -> tuple[_Key | None, int]:
        """The collection that an expression is (0) or that it is an element of (more)."""
        if value == NONE or depth > 4:
            return None, 0
        fact = file.facts.values[value]
        if fact.kind is ValueKind.BINDING:
            key = (file.index, fact.ref)
            return (key, depth) if key in self._states else (None, 0)
        if fact.kind in (ValueKind.SUBSCRIPT, ValueKind.ELEMENT):
            return self._collection(file, fact.ref, depth + 1)
        if fact.kind is ValueKind.MEMBER and not depth:
            return self._exported(file, fact.ref, fact.text), 0
        return None, 0

    def _exported(self, file: File, base: int, name: str) -> _Key | None:
        """The collection that a module of the program exports under a name."""
        module = file.facts.values[base]
        if module.kind is not ValueKind.IMPORT:
            return None
        owner = self._program.resolver.module(file, module.text)
        value = owner.exports.get(name, NONE) if owner is not None else NONE
        if owner is None or value == NONE:
            return None
        fact = owner.facts.values[value]
        key = (owner.index, fact.ref)
        return key if fact.kind is ValueKind.BINDING and key in self._states else None


_NAMES = frozenset({ValueKind.BINDING, ValueKind.SUBSCRIPT, ValueKind.ELEMENT, ValueKind.MEMBER})


class _Mentions:
    """Which of some collections the expressions of one file have in them. `named`: the values that are one."""

    def __init__(self, file: File, named: dict[int, _Key]) -> None:
        self._facts = file.facts
        self.named = named
        self._memo: dict[tuple[int, int], frozenset[_Key]] = {}

    def of(self, value: int, depth: int = 0) -> frozenset[_Key]:
        """The collections in an expression."""
        if value == NONE or depth > _DEEPEST:
            return frozenset()
        found = self._memo.get((value, depth))
        if found is None:
            own = {self.named[value]} if value in self.named else set()
            found = self._memo[value, depth] = frozenset(own.union(*self._inner(value, depth)))
        return found

    def _inner(self, value: int, depth: int) -> Iterator[frozenset[_Key]]:
        fact = self._facts.values[value]
        if fact.kind is ValueKind.BINDING and self._facts.bindings[fact.ref].function != 0:
            for each in self._facts.bindings[fact.ref].values:
                yield self.of(each, depth + 2)
            return
        inner = list(fact.items)
        if fact.kind is ValueKind.CALL:
            call = self._facts.calls[fact.ref]
            inner += [call.callee, *call.args]
        elif fact.ref != NONE and fact.kind in _NESTED:
            inner.append(fact.ref)
        for each in inner:
            yield self.of(each, depth + 1)


_NESTED = frozenset(
    {ValueKind.MEMBER, ValueKind.AWAIT, ValueKind.SUBSCRIPT, ValueKind.ELEMENT, ValueKind.SPREAD, ValueKind.YIELDED}
)


def _expressions(file: File) -> Iterator[tuple[int, int]]:
    """(region, value) of what code reads: arguments, receivers of other calls than those that add or remove, returned
    and stored values, tests and what loops run over."""
    facts = file.facts
    for call in facts.calls:
        callee = facts.values[call.callee]
        if callee.kind is ValueKind.MEMBER and callee.text not in _ADDS | _REMOVES:
            yield call.region, callee.ref
        for argument in call.args:
            yield call.region, argument
    for exit_ in facts.exits:
        yield exit_.region, exit_.value
    for store in facts.stores:
        yield store.region, store.value
    for region in facts.regions:
        for value in region.values:
            yield region.parent if region.parent != NONE else 0, value
