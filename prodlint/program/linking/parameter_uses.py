"""What becomes of functions that are handed over: who runs them, and where.

For each parameter that a function can be passed in there is a summary, a set of `Use`s: it is called here, handed to a
thread, scheduled on the event loop, kept. The summary follows the parameter through variables, `functools.partial`,
lambdas, inner functions that capture it, collections of arguments (`*args`, `**kwargs`) and further functions;
decorators are nothing but functions that are handed a function. What a library does with a function its model says
(`prodlint.models.frameworks`).

All answers are sets that only grow while they are worked out, and each is the least one that fits, so that the order of
the questions changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from enum import IntEnum
from typing import NamedTuple, cast

from prodlint.facts import (
    NONE,
    Call,
    ExitKind,
    Function,
    ParamKind,
    RegionKind,
    ValueKind,
)
from prodlint.facts import (
    Use as ResultUse,
)
from prodlint.lazy_regex import regex
from prodlint.models.frameworks.model import Calls, Context, Framework, Offloads, When
from prodlint.program.linking.resolver import RETURN_ARGUMENT, File, Resolver
from prodlint.program.linking.targets import TOP, Api, Cls, Fn, Inst, Obj, Target, Targets

LISTENS = frozenset({"on", "once", "addListener", "addEventListener", "prependListener", "subscribe"})
"""Methods that are handed a listener."""
_TO_A_THREAD = regex(r"(?:^|_)(?:run_in_(?:executor|thread|threadpool|pool|process)|executor_job|to_thread)$")
_CALLS_ITSELF = frozenset({"call", "apply", "__call__", "next", "__next__", "send", "asend"})
"""Members of a function (or of what a generator answers) whose call runs it."""
_READS_A_KEY = frozenset({"get", "pop", "setdefault"})
_GATHERS = frozenset({"asyncio.gather", "asyncio.wait"})
_ONE_OF = frozenset({"||", "&&", "??", "?:"})
_TELLS_COROUTINES = frozenset(
    {"iscoroutinefunction", "is_async", "is_coroutine", "is_coroutine_function", "is_async_callable"}
)
_ERROR = regex(r"_?(?:e|er|err|error|exception)\d?|(?:err|error)[A-Z]\w*|\w+(?:Err|Error)")
_MOST_CALLS = 3
"""A function that answers a function that answers a function is followed no further than this."""
_DATA = frozenset({Api, Cls, Inst, Obj, type(TOP)})
"""The targets whose call runs no function that was handed over."""
_OWN_CALLABLE = frozenset({ValueKind.FUNCTION, ValueKind.BINDING, ValueKind.MEMBER, ValueKind.CALL, ValueKind.OP})


class Place(IntEnum):
    """Where something runs that is handed over, seen from the call that it is handed to."""

    HERE = 0
    """Where the call is made, before it returns."""
    LATER = 1
    """On the same event loop, because of the call."""
    LISTENER = 2
    """On the same event loop, whenever an event is emitted."""
    TASK = 3
    """On the event loop, on its own."""
    THREAD = 4
    """In a thread or process that the caller can wait for."""
    BACKGROUND_THREAD = 5
    """In a thread or process of its own."""
    KEPT = 6
    """It is kept where it cannot be followed further."""


class Only(IntEnum):
    """What a use holds for."""

    ANY = 0
    COROUTINE_FUNCTION = 1
    """Tested for: `if iscoroutinefunction(f): await f()`."""
    PLAIN_FUNCTION = 2
    AWAITED = 3
    """`await f()`: a coroutine function, or something that answers an awaitable."""
    COROUTINE = 4
    """No function: `await x`."""
    ITERATOR = 5
    """No function: `for y in x`."""


class Use(NamedTuple):
    """Something that becomes of a value that is handed over. `calls`: how many times the result of the call that it was
    handed to has to be called for it. `inside`: the function (by id) that runs it, where that is not the caller."""

    place: Place
    calls: int = 0
    sure: bool = True
    only: Only = Only.ANY
    inside: int = NONE


class Run(NamedTuple):
    """A function (by id) that is run when a value is called, and where."""

    function: int
    place: Place = Place.HERE
    sure: bool = True
    inside: int = NONE


Part = int | str | None
"""An element of a collection by its position, a member by its name, or (None) the whole."""
Slot = int | str
"""Where a call is handed an argument: a position or a keyword."""

_Key = tuple[str, int, int, Part, int]
_NO_RUNS = frozenset[Run]()
_HERE = Use(Place.HERE)
_KEPT = Use(Place.KEPT)
_UNKNOWN = Use(Place.LATER, sure=False)
_TAKEN = (Place.TASK, Place.BACKGROUND_THREAD)
_PLACES = {
    Context.REQUEST_THREAD: Place.THREAD,
    Context.BACKGROUND_THREAD: Place.BACKGROUND_THREAD,
    Context.BACKGROUND: Place.TASK,
}


class LibraryModels:
    """What the frameworks' descriptions say about APIs that are handed functions."""

    def __init__(self, frameworks: Iterable[Framework]) -> None:
        self._exact: dict[str, Calls | Offloads] = {}
        self._prefixes: list[tuple[str, Calls]] = []
        self._named: dict[tuple[bool, str], Calls | Offloads] = {}
        """By whether the file is Python and the name."""
        self._known: dict[str, Calls | Offloads | None] = {}
        for framework in frameworks:
            is_python = framework.language == "python"
            for calls in framework.calls:
                for api in calls.apis:
                    if api.endswith("*"):
                        self._prefixes.append((api[:-1], calls))
                    else:
                        self._exact[api] = calls
                self._named.update(dict.fromkeys(((is_python, name) for name in calls.names), calls))
            for offloads in framework.offloads:
                self._exact.update(dict.fromkeys(offloads.apis, offloads))
                self._named.update(dict.fromkeys(((is_python, name) for name in offloads.names), offloads))

    def of_api(self, path: str) -> Calls | Offloads | None:
        """What is known about an API by its access path."""
        if path not in self._known:
            found = self._exact.get(path)
            if found is None:
                found = next((calls for prefix, calls in self._prefixes if path.startswith(prefix)), None)
            self._known[path] = found
        return self._known[path]

    def of_name(self, is_python: bool, name: str) -> Calls | Offloads | None:
        """What is known about a method of anything by its name."""
        return self._named.get((is_python, name))


class _Index:
    """Where the values of one file are used."""

    def __init__(self, file: File) -> None:
        facts = file.facts
        self.called: dict[int, list[int]] = defaultdict(list)
        self.passed: dict[int, list[tuple[int, int]]] = defaultdict(list)
        """By value: calls, with the position among their arguments."""
        self.bound: dict[int, list[int]] = defaultdict(list)
        """By value: the values of the variables that it is assigned to."""
        self.stored: set[int] = set()
        self.exits: dict[int, list[tuple[ExitKind, int]]] = defaultdict(list)
        """By value: how it leaves a function, and the region."""
        self.iterated: dict[int, list[int]] = defaultdict(list)
        """By value: the regions whose loop goes through it."""
        self.call_value: dict[int, int] = {}
        self.function_value: dict[int, int] = {}
        self.defaults: dict[int, list[tuple[int, int]]] = defaultdict(list)
        """By value: the functions that have it as a default, with the parameter."""
        self.decorates: dict[int, list[int]] = defaultdict(list)
        """By value: the functions that it decorates."""
        bindings: dict[int, int] = {}
        tables = {
            ValueKind.CALL: self.call_value,
            ValueKind.FUNCTION: self.function_value,
            ValueKind.BINDING: bindings,
        }
        for number, value in enumerate(facts.values):
            table = tables.get(value.kind)
            if table is not None:
                table[value.ref] = number
        for number, call in enumerate(facts.calls):
            self.called[call.callee].append(number)
            for position, argument in enumerate(call.args):
                self.passed[argument].append((number, position))
        for number, binding in enumerate(facts.bindings):
            if number in bindings:
                for assigned in binding.values:
                    self.bound[assigned].append(bindings[number])
        for store in facts.stores:
            self.stored.add(store.value)
        for exported in facts.exports:
            self.stored.add(exported.value)
        for cls in facts.classes:
            self.stored.update(cls.members)
        for exit_ in facts.exits:
            if exit_.value != NONE and exit_.kind in (ExitKind.RETURN, ExitKind.YIELD):
                self.exits[exit_.value].append((exit_.kind, exit_.region))
        for number, region in enumerate(facts.regions):
            if region.kind is RegionKind.LOOP:
                for looped in region.values:
                    self.iterated[looped].append(number)
        for number, function in enumerate(facts.functions):
            for decorator in function.decorators:
                self.decorates[decorator].append(number)
            for position, param in enumerate(function.params):
                if param.default != NONE:
                    self.defaults[param.default].append((number, position))


class ParameterUses:
    """Answers what becomes of the functions that a program's calls are handed."""

    def __init__(
        self,
        resolver: Resolver,
        targets: Sequence[Sequence[Targets]],
        models: LibraryModels,
        registered: Set[int],
        registers: Callable[[File, Call, str], bool],
        offloaders: Sequence[str],
    ) -> None:
        """`targets`: what each call's callee can be, by file and call. `registered`: functions that a framework runs.
        `registers`: whether a call of an API hands its arguments to a framework. `offloaders`: dotted names of
        functions that run what they are given in a thread, by the user's word."""
        self._resolver = resolver
        self._targets = targets
        self._models = models
        self._registered = registered
        self._registers = registers
        self._offloaders = tuple(offloaders)
        self._own_offloaders = frozenset(
            function
            for function, (file, fact) in enumerate(resolver.functions if offloaders else ())
            if self._is_offloader(_dotted(file, fact))
        )
        self._indices: dict[int, _Index] = {}
        self._answers: dict[_Key, frozenset[Use] | frozenset[Run]] = {}
        self._asked_by: dict[_Key, set[_Key]] = defaultdict(set)
        self._waiting: dict[_Key, None] = {}
        """Questions to be worked out (anew), each once; the last one first."""
        self._asking: _Key | None = None

    # ------------------------------------------------------------------ questions

    def of_argument(self, file: File, index: int, position: int, part: Part = None) -> frozenset[Use]:
        """What a call does with its argument `position` (or with a part of it) itself, its results left aside."""
        uses = self._solve(("taken", file.index, index, part, position))
        return frozenset(use for use in uses if isinstance(use, Use) and not use.calls and use.place is not Place.KEPT)

    def of_default(self, function: int, position: int) -> frozenset[Use]:
        """What a function does with the default of a parameter."""
        file = self._resolver.functions[function][0]
        value = file.parameters.get((function - file.fn_base, position))
        uses = self._solve(("uses", file.index, value, None, 1)) if value is not None else ()
        return frozenset(use for use in uses if isinstance(use, Use) and not use.calls and use.place is not Place.KEPT)

    def of_result(self, file: File, index: int) -> frozenset[Use]:
        """What becomes of what a call answers, a coroutine or an iterator."""
        value = self._index(file).call_value.get(index)
        if value is None:
            return frozenset()
        return frozenset(use for use in self._solve(("uses", file.index, value, None, 1)) if isinstance(use, Use))

    def runs(self, file: File, value: int) -> frozenset[Run]:
        """The functions of the program that are run when a value is called."""
        known = self._answers.get(("runs", file.index, value, None, 0))
        if known is None:
            fact = file.facts.values[value]
            if fact.kind is ValueKind.FUNCTION:
                return self.runs_of(file.fn_base + fact.ref)
            if self._runs_nothing(file, value):
                return _NO_RUNS
        return cast("frozenset[Run]", self._solve(("runs", file.index, value, None, 0)))

    def _runs_nothing(self, file: File, value: int, depth: int = 0) -> bool:
        """Whether it is plain that calling a value runs no function of the program. Most that calls are handed is data,
        which is told from functions without a summary."""
        resolver = self._resolver
        values = file.facts.values
        fact = values[value]
        kind = fact.kind
        if kind is ValueKind.FUNCTION:
            return False
        for target in resolver.resolve(file, value):
            if type(target) not in _DATA:
                return False
        if kind not in _OWN_CALLABLE:
            return True
        for owner, item in resolver.origins(file, value):
            origin = owner.facts.values[item]
            if origin.kind is not ValueKind.CALL:
                continue
            if depth == _MOST_CALLS:
                return False
            call = owner.facts.calls[origin.ref]
            values = owner.facts.values
            if values[call.callee].kind in _OWN_CALLABLE:
                for inner, made in resolver.origins(owner, call.callee):
                    if inner.facts.values[made].kind is ValueKind.CALL:
                        return False
            for argument in call.args:
                if values[argument].kind in _OWN_CALLABLE and not self._runs_nothing(owner, argument, depth + 1):
                    return False
        return True

    def runs_of(self, function: int, above: int = 0) -> frozenset[Run]:
        """The functions that are run when a function of the program is called, its decorators taken into account, all
        but the first `above`."""
        file, fact = self._resolver.functions[function]
        if not file.is_python or len(fact.decorators) <= above:
            return frozenset((Run(function),))
        return cast("frozenset[Run]", self._solve(("called", function, 0, None, above)))

    # ------------------------------------------------------------------ the least fixpoint

    def _solve(self, key: _Key) -> frozenset[Use] | frozenset[Run]:
        self._ask(key)
        while self._waiting:
            at, _ = self._waiting.popitem()
            self._asking = at
            found = frozenset(map(_bounded, self._work_out(at)))
            self._asking = None
            if not found <= self._answers[at]:
                self._answers[at] = self._answers[at] | found  # type: ignore[operator]
                self._waiting.update(dict.fromkeys(self._asked_by[at]))
        return self._answers[key]

    def _ask(self, key: _Key) -> frozenset[Use] | frozenset[Run]:
        if self._asking is not None:
            self._asked_by[key].add(self._asking)
        if key not in self._answers:
            self._answers[key] = frozenset()
            self._waiting[key] = None
        return self._answers[key]

    def _work_out(self, key: _Key) -> Iterator[Use] | Iterator[Run]:
        kind, first, second, part, number = key
        if kind == "called":
            return self._called(first, number)
        file = self._resolver.files[first]
        if kind == "uses":
            return self._uses(file, second, part, number)
        if kind == "taken":
            return self._taken(file, second, number, part, 1)
        return self._runs(file, second, number)

    def _uses_of(self, file: File, value: int, part: Part = None, calls: int = 1) -> Iterator[Use]:
        if calls <= _MOST_CALLS:
            for use in self._ask(("uses", file.index, value, part, calls)):
                assert isinstance(use, Use)
                yield use

    # ------------------------------------------------------------------ what a value runs

    def _called(self, function: int, above: int) -> Iterator[Run]:
        """What is run by calling a function as its decorators make it, without the first `above` of them."""
        file, fact = self._resolver.functions[function]
        runs = {Run(function)}
        if file.is_python:
            for decorator in reversed(fact.decorators[above:]):
                runs = self._decorated(file, decorator, runs)
        yield from runs

    def _decorated(self, file: File, decorator: int, runs: set[Run]) -> set[Run]:
        found: set[Run] = set()
        for target in self._resolver.resolve(file, decorator):
            if isinstance(target, Api):
                found.update(self._decorated_by_api(target.path.removesuffix("()"), runs))
            elif isinstance(target, Cls):
                found.update(self._decorated_by_class(target, runs))
            else:
                found.update(self._decorated_by_own(target, runs))
        return found or runs

    def _decorated_by_api(self, path: str, runs: set[Run]) -> Iterator[Run]:
        model = self._models.of_api(path)
        place = _PLACES[model.context] if isinstance(model, Offloads) and model.wraps else Place.HERE
        if self._is_offloader(path):
            place = Place.THREAD
        return (_within(run, place) for run in runs)

    def _decorated_by_own(self, target: Target, runs: set[Run]) -> Iterator[Run]:
        for id_ in self._resolver.callables(target):
            owner, _ = self._resolver.functions[id_]
            wrappers = [
                hit.id
                for value in owner.returns.get(id_ - owner.fn_base, ())
                if owner.facts.values[value].kind is not ValueKind.PARAM
                for hit in self._resolver.resolve(owner, value)
                if isinstance(hit, Fn)
            ]
            uses = [use for use in self._given_to_own(id_, 0, None, 1) if use.calls == 1 and use.only <= Only.AWAITED]
            yield from (Run(wrapper) for wrapper in wrappers)
            for use in uses:
                yield from (_compose_run(use, run) for run in runs)

    def _decorated_by_class(self, target: Cls, runs: set[Run]) -> Iterator[Run]:
        """Calling an instance runs `__call__`, and what that does with the member that holds the decorated function."""
        for called in self._resolver.callables(Inst(target.id)):
            yield Run(called)
            file = self._resolver.functions[called][0]
            index = self._index(file)
            at_all = False
            for member in self._members_of_first_argument(target):
                for value in file.members.get(member, ()):
                    if file.facts.values[file.facts.values[value].ref].kind is not ValueKind.SELF:
                        continue
                    followed = self._followed(file, index, value, None, 1)
                    for use in self._out_to(file, followed, called - file.fn_base):
                        if use.place is not Place.KEPT and not use.calls and use.only <= Only.AWAITED:
                            at_all = True
                            yield from (_compose_run(use, run) for run in runs)
            if not at_all:
                yield from (run._replace(sure=False) for run in runs)

    def _members_of_first_argument(self, target: Cls) -> set[str]:
        """The members in which a class keeps the first argument of its constructor."""
        found: set[str] = set()
        for id_ in self._resolver.callables(target):
            file = self._resolver.functions[id_][0]
            value = file.parameters.get((id_ - file.fn_base, 0))
            found.update(store.name for store in file.facts.stores if value is not None and store.value == value)
        return found

    def _runs(self, file: File, value: int, calls: int) -> Iterator[Run]:
        """What calling a value runs; `calls`: after calling its result as often."""
        if calls == 0:
            for target in self._resolver.resolve(file, value):
                if not isinstance(target, (Api, Cls, Inst)):
                    for function in self._resolver.callables(target):
                        yield from self._runs_from("called", function)
        if calls >= _MOST_CALLS or file.facts.values[value].kind not in _OWN_CALLABLE:
            return
        for owner, item in self._resolver.origins(file, value):
            fact = owner.facts.values[item]
            if fact.kind is not ValueKind.CALL:
                continue
            call = owner.facts.calls[fact.ref]
            for position, argument in enumerate(call.args):
                if owner.facts.values[argument].kind not in _OWN_CALLABLE:
                    continue
                inner = set(self._runs_from("runs", owner.index, argument))
                for use in self._taken(owner, fact.ref, position, None, 1) if inner else ():
                    if use.calls == calls + 1 and use.only <= Only.AWAITED:
                        yield from (_compose_run(use, run) for run in inner)
            yield from self._runs_from("runs", owner.index, call.callee, calls + 1)

    def _runs_from(self, kind: str, first: int, second: int = 0, number: int = 0) -> Iterator[Run]:
        for run in self._ask((kind, first, second, None, number)):
            assert isinstance(run, Run)
            yield run

    # ------------------------------------------------------------------ what a call does with an argument

    def _taken(self, file: File, index: int, position: int, part: Part, calls: int) -> Iterator[Use]:
        """What a call does with its argument `position`."""
        call = file.facts.calls[index]
        positional = len(call.args) - len(call.keywords)
        slot: Slot = position if position < positional else call.keywords[position - positional]
        if slot == "**":
            return
        if any(
            file.facts.values[argument].kind is ValueKind.SPREAD for argument in call.args[: min(position, positional)]
        ):
            yield _UNKNOWN  # behind `*rest`: which parameter it is cannot be told
            return
        yield from self._by_call(file, index, slot, part, calls)

    def _by_call(self, file: File, index: int, slot: Slot, part: Part, calls: int) -> Iterator[Use]:
        call = file.facts.calls[index]
        targets = self._targets[file.index][index]
        is_passed_in = file.facts.values[call.callee].kind is ValueKind.PARAM
        for use in self._given(file, index, call.callee, targets, slot, part, calls):
            yield use._replace(sure=False) if is_passed_in else use

    def _coroutine(self, file: File, index: int) -> Iterator[Use]:
        """Where the body of a coroutine function runs that a call calls: where what the call answers is awaited or made
        a task. One that is kept is awaited by somebody."""
        call = file.facts.calls[index]
        result = self._index(file).call_value.get(index)
        if not _hands_coroutine_on(file, call) or result is None:
            yield _HERE
            return
        for use in self._uses_of(file, result):
            if use.place is Place.KEPT:
                yield _HERE
            elif not use.calls and use.only in (Only.ANY, Only.COROUTINE):
                yield use._replace(only=Only.ANY)

    def _iterator(self, file: File, index: int) -> Iterator[Use]:
        """Where the body of a generator function runs that a call calls: where what the call answers is iterated."""
        result = self._index(file).call_value.get(index)
        for use in () if result is None else self._uses_of(file, result):
            if use.place is not Place.KEPT and not use.calls and use.only in (Only.ANY, Only.ITERATOR):
                yield use._replace(only=Only.ANY)

    def _given(
        self, file: File, index: int, callee: int, targets: Targets, slot: Slot, part: Part, calls: int
    ) -> Iterator[Use]:
        """What calling a value does with the argument `slot`. `index`: the call, NONE where the value is handed on and
        called by what it is handed to (`to_thread(callee, argument)`)."""
        if isinstance(slot, int) and self._is_offload_by_name(file, callee) and slot == 0:
            yield Use(Place.THREAD)
            return
        for target in targets:
            for function in () if isinstance(target, Api) else self._resolver.callables(target):
                for run in self._runs_from("called", function):
                    if run.function == function:
                        around = Use(run.place, 0, run.sure, Only.ANY, run.inside)
                        yield from self._given_to_called(file, index, function, around, slot, part, calls)
            if isinstance(target, Api):
                yield from self._given_to_api(file, index, callee, target.path, slot, part, calls)
        if not targets:
            yield from self._given_to_unknown(file, index, callee, slot, part, calls)

    def _given_to_called(
        self, file: File, index: int, function: int, around: Use, slot: Slot, part: Part, calls: int
    ) -> Iterator[Use]:
        fact = self._resolver.functions[function][1]
        bodies = [_HERE]
        if index != NONE and fact.is_generator and not fact.is_async and not fact.decorators:
            bodies = list(self._iterator(file, index))
        elif index != NONE and fact.is_async:
            bodies = list(self._coroutine(file, index))
        for use in self._given_to_own(function, slot, part, calls):
            if use.calls or use.place is Place.KEPT:
                yield _after_unless_kept(around, use)
            else:
                yield from (_after(_after(around, body), use) for body in bodies)

    def _is_offload_by_name(self, file: File, callee: int) -> bool:
        """Whether a function is called like one that runs its first argument in a thread: `self.sys_run_in_executor`,
        whose own path to the executor is seldom seen."""
        fact = file.facts.values[callee]
        if not file.is_python or fact.kind not in (ValueKind.MEMBER, ValueKind.BINDING, ValueKind.GLOBAL):
            return False
        name = file.facts.bindings[fact.ref].name if fact.kind is ValueKind.BINDING else fact.text
        return _TO_A_THREAD.search(name) is not None and self._models.of_name(True, name) is None

    def _given_to_own(self, function: int, slot: Slot, part: Part, calls: int) -> Iterator[Use]:
        """What a function of the program does with an argument."""
        if function in self._own_offloaders:
            yield Use(Place.THREAD)
            yield Use(Place.THREAD, 1)
            return
        file, fact = self._resolver.functions[function]
        found = _parameter(fact, slot, part)
        if found is None:
            return
        position, inner = found
        value = file.parameters.get((function - file.fn_base, position))
        if value is None:
            return
        yield from self._uses_of(file, value, inner, calls)

    def _given_to_api(
        self, file: File, index: int, callee: int, path: str, slot: Slot, part: Part, calls: int
    ) -> Iterator[Use]:
        if self._is_offloader(path):
            yield Use(Place.THREAD)
            yield Use(Place.THREAD, 1)
            return
        call = None if index == NONE else file.facts.calls[index]
        model = self._models.of_api(path)
        position = RETURN_ARGUMENT.get(path)
        if position is not None:
            yield from self._given_to_partial(file, call, position, slot, part, calls)
            if model is None:
                return
        if call is not None and self._registers(file, call, path):
            return  # found as a handler
        if call is not None and call.use is ResultUse.STATEMENT and path in _GATHERS:
            yield Use(Place.TASK)  # nobody waits for them
            return
        if _is_listening(file, callee):
            yield from self._listening(file, callee)
            return
        if model is None:
            yield from self._given_to_unknown(file, index, callee, slot, part, calls)
        else:
            yield from self._by_model(file, index, model, slot, part, calls)

    def _given_to_partial(
        self, file: File, call: Call | None, position: int, slot: Slot, part: Part, calls: int
    ) -> Iterator[Use]:
        """What becomes of an argument of a call whose result stands for its argument `position`: `partial(run, f)`,
        when called, calls `run(f)`."""
        if slot == position:
            yield Use(Place.HERE, calls)
        elif call is not None and position < len(call.args) - len(call.keywords):
            inner: Slot = slot if isinstance(slot, str) else slot - position - 1
            if isinstance(inner, str) or inner >= 0:
                for use in self._given_to_value(file, call.args[position], inner, part, calls):
                    yield use._replace(calls=use.calls + 1)

    def _given_to_value(self, file: File, value: int, slot: Slot, part: Part, calls: int) -> Iterator[Use]:
        """What a function does with an argument that is handed over together with it."""
        yield from self._given(file, NONE, value, self._resolver.resolve(file, value), slot, part, calls)

    def _by_model(
        self, file: File, index: int, model: Calls | Offloads, slot: Slot, part: Part, calls: int
    ) -> Iterator[Use]:
        position: int | None = model.position
        if isinstance(model, Offloads):
            place = _PLACES[model.context]
        elif model.when is When.NEVER:
            yield _KEPT
            return
        elif model.when is When.ITERATES:
            yield Use(Place.HERE, only=Only.ITERATOR)
            return
        else:
            place = Place.LATER if model.when is When.LATER else Place.HERE
        if position is None or slot == (model.keyword if isinstance(slot, str) else position):
            if part is None or isinstance(part, str) or place is not Place.HERE:
                yield Use(place, calls if model.wraps else calls - 1)
            return
        if index == NONE or position is None:
            return
        run = self._handed_function(file, file.facts.calls[index], model)
        if run == NONE:
            return
        inner: Part = slot
        if slot in ("args", "kwargs"):
            inner, part = part, None  # `Thread(target=run, args=(f,))`
        elif isinstance(slot, int):
            inner = slot - position - 1 if slot > position else None
        if inner is not None:
            for use in self._given_to_value(file, run, inner, part, calls):
                yield _after_unless_kept(Use(place), use)

    def _handed_function(self, file: File, call: Call, model: Calls | Offloads) -> int:
        positional = len(call.args) - len(call.keywords)
        for offset, keyword in enumerate(call.keywords):
            if model.keyword and keyword == model.keyword:
                return call.args[positional + offset]
        assert model.position is not None
        return call.args[model.position] if model.position < positional else NONE

    def _given_to_unknown(
        self, file: File, index: int, callee: int, slot: Slot, part: Part, calls: int
    ) -> Iterator[Use]:
        """What something does that the program does not have and no model describes."""
        fact = file.facts.values[callee]
        model = self._models.of_name(file.is_python, fact.text) if fact.kind is ValueKind.MEMBER else None
        if model is not None:
            yield from self._by_model(file, index, model, slot, part, calls)
            return
        if _is_listening(file, callee):
            yield from self._listening(file, callee)
        else:
            is_callback = (
                not file.is_python and index != NONE and self._is_error_first(file, file.facts.calls[index], slot)
            )
            yield Use(Place.LATER, sure=is_callback)

    def _listening(self, file: File, callee: int) -> Iterator[Use]:
        """What `x.on("event", f)` does with `f`."""
        is_process = file.facts.values[file.facts.values[callee].ref].text == "process"
        yield Use(Place.LATER if is_process else Place.LISTENER, sure=not file.is_python)

    def _is_error_first(self, file: File, call: Call, slot: Slot) -> bool:
        """Whether an argument is a callback as Node's convention has it: the last one, and told of an error first."""
        if not isinstance(slot, int) or slot != len(call.args) - 1:
            return False
        fact = file.facts.values[call.args[slot]]
        if fact.kind is not ValueKind.FUNCTION:
            return False
        params = file.facts.functions[fact.ref].params
        return bool(params) and _ERROR.fullmatch(params[0].name) is not None

    # ------------------------------------------------------------------ what becomes of a value

    def _uses(self, file: File, value: int, part: Part, calls: int) -> Iterator[Use]:
        """What becomes of a value, seen from the function that it belongs to. `part`: of that element or member of it;
        `calls`: called so many times in a row."""
        owner = self._owner(file, value)
        index = self._index(file)
        fact = file.facts.values[value]
        found = set(self._followed(file, index, value, part, calls))
        if part is None and fact.kind is ValueKind.PARAM:
            found |= {
                (Use(Place.HERE, calls - 1), file.facts.functions[decorated].parent)
                for decorated in index.decorates.get(value, ())
            }
        yield from self._out_to(file, found, owner)

    def _followed(self, file: File, index: _Index, value: int, part: Part, calls: int) -> Iterator[tuple[Use, int]]:
        """What becomes of a value, each with the function of the file in which that is so."""
        facts = file.facts
        if part is None:
            for number in index.called.get(value, ()):
                yield from self._at_call(file, index, number, calls)
            for region in index.iterated.get(value, ()):
                yield Use(Place.HERE, only=Only.ITERATOR), facts.regions[region].function
        elif isinstance(part, str):
            yield from self._read_by_key(file, index, value, part, calls)
        for number, position in index.passed.get(value, ()):
            at = facts.regions[facts.calls[number].region].function
            for use in self._taken(file, number, position, part, calls):
                if use.calls and use.place is not Place.KEPT:
                    yield from self._results(file, index, number, use, at)
                else:
                    yield use, at
        for bound in index.bound.get(value, ()):
            yield from self._elsewhere(file, bound, part, calls)
        for function, position in index.defaults.get(value, ()):
            parameter = file.parameters.get((function, position))
            if parameter is not None:
                yield from self._elsewhere(file, parameter, part, calls)
        if value in index.stored:
            yield _KEPT, self._owner(file, value)
        for kind, region in index.exits.get(value, ()):
            at = facts.regions[region].function
            if kind is ExitKind.YIELD:
                yield Use(Place.HERE, only=Only.ITERATOR), at
            else:
                yield (Use(Place.HERE, calls) if part is None else _KEPT), at
        for number in file.users_of.get(value, ()):
            yield from self._user_of(file, index, value, number, part, calls)

    def _at_call(self, file: File, index: _Index, number: int, calls: int) -> Iterator[tuple[Use, int]]:
        """A value is called."""
        call = file.facts.calls[number]
        at = file.facts.regions[call.region].function
        if calls > 1:
            result = index.call_value.get(number)
            if result is not None:
                yield from self._elsewhere(file, result, None, calls - 1)
            return
        asked_for = self._asked_for(file, call)
        if not _hands_coroutine_on(file, call):
            yield Use(Place.HERE, only=asked_for), at
            return
        if asked_for is not Only.PLAIN_FUNCTION:
            for use in self._coroutine(file, number):
                yield use._replace(only=Only.COROUTINE_FUNCTION), at
        if asked_for is not Only.COROUTINE_FUNCTION:
            yield Use(Place.HERE, only=Only.PLAIN_FUNCTION), at

    def _asked_for(self, file: File, call: Call) -> Only:
        """What a called value has been tested for."""
        facts = file.facts
        region = call.region
        while file.is_python and facts.regions[region].kind is not RegionKind.BODY:
            fact = facts.regions[region]
            if fact.kind in (RegionKind.THEN, RegionKind.ELSE) and fact.values:
                test = facts.values[fact.values[0]]
                is_negated = test.kind is ValueKind.OP and test.text == "!"
                if is_negated:
                    test = facts.values[test.items[0]]
                if test.kind is ValueKind.CALL:
                    asked = facts.values[facts.calls[test.ref].callee]
                    if asked.text in _TELLS_COROUTINES:
                        is_plain = is_negated is (fact.kind is RegionKind.THEN)
                        return Only.PLAIN_FUNCTION if is_plain else Only.COROUTINE_FUNCTION
            region = fact.parent
        return Only.AWAITED if call.use is ResultUse.AWAITED and file.is_python else Only.ANY

    def _results(self, file: File, index: _Index, number: int, use: Use, at: int) -> Iterator[tuple[Use, int]]:
        """What becomes of a value that is run by calling the result of call `number`."""
        result = index.call_value.get(number)
        if result is None:
            return
        for found, where in self._elsewhere(file, result, None, use.calls):
            yield _after_unless_kept(found._replace(calls=0), use._replace(calls=0))._replace(calls=found.calls), where

    def _elsewhere(self, file: File, value: int, part: Part, calls: int) -> Iterator[tuple[Use, int]]:
        """What becomes of another value of the file, seen from the function that this one belongs to."""
        at = self._owner(file, value)
        for use in self._uses_of(file, value, part, calls):
            yield use, at

    def _read_by_key(self, file: File, index: _Index, value: int, part: str, calls: int) -> Iterator[tuple[Use, int]]:
        """`kwargs.get("callback")`."""
        for number in file.users_of.get(value, ()):
            fact = file.facts.values[number]
            if fact.kind is not ValueKind.MEMBER or fact.text not in _READS_A_KEY:
                continue
            for call_number in index.called.get(number, ()):
                call = file.facts.calls[call_number]
                key = file.facts.values[call.args[0]] if call.args else None
                result = index.call_value.get(call_number)
                if key is not None and key.kind is ValueKind.STRING and key.text == part and result is not None:
                    yield from self._elsewhere(file, result, None, calls)

    def _user_of(
        self, file: File, index: _Index, value: int, number: int, part: Part, calls: int
    ) -> Iterator[tuple[Use, int]]:
        """What becomes of a value through `number`, of which it is a part."""
        facts = file.facts
        fact = facts.values[number]
        if fact.kind is ValueKind.AWAIT:
            if part is None:
                yield Use(Place.HERE, only=Only.COROUTINE), self._owner(file, value)
        elif fact.kind is ValueKind.OP:
            if fact.text in _ONE_OF and (fact.text not in ("?:", "&&") or value in fact.items[1:]):
                yield from self._elsewhere(file, number, part, calls)
        elif fact.kind is ValueKind.MEMBER:
            if isinstance(part, int) and not file.is_python:
                yield from self._given_elements(file, index, number, calls)
            elif part is None and fact.text in _CALLS_ITSELF:
                for called in index.called.get(number, ()):
                    yield Use(Place.HERE), facts.regions[facts.calls[called].region].function
            elif part is None and fact.text == "bind":
                for called in index.called.get(number, ()):
                    result = index.call_value.get(called)
                    if result is not None:
                        yield from self._elsewhere(file, result, None, calls)
            elif part == fact.text:
                yield from self._elsewhere(file, number, None, calls)
        elif fact.kind is ValueKind.ELEMENT:
            if isinstance(part, int):
                yield from self._elsewhere(file, number, None, calls)
        elif fact.kind is ValueKind.SUBSCRIPT:
            key = facts.values[fact.items[0]] if fact.items else None
            is_other = key is not None and key.kind is ValueKind.NUMBER and key.text != str(part)
            if isinstance(part, int) and fact.ref == value and not is_other:
                yield from self._elsewhere(file, number, None, calls)
        elif fact.kind is ValueKind.SPREAD:
            yield from self._spread(file, index, number, part, calls)
        elif fact.kind in (ValueKind.ARRAY, ValueKind.OBJECT) and part is None:
            yield _KEPT, self._owner(file, value)
            for position, item in enumerate(fact.items):
                if item == value:
                    held = position if fact.kind is ValueKind.ARRAY else fact.names[position]
                    yield from self._elsewhere(file, number, held, calls)

    def _given_elements(self, file: File, index: _Index, method: int, calls: int) -> Iterator[tuple[Use, int]]:
        """`jobs.forEach((job) => job())`."""
        facts = file.facts
        if not isinstance(self._models.of_name(False, facts.values[method].text), Calls):
            return
        for number in index.called.get(method, ()):
            args = facts.calls[number].args
            handed = facts.values[args[0]] if args else None
            if handed is not None and handed.kind is ValueKind.FUNCTION:
                parameter = file.parameters.get((handed.ref, 0))
                if parameter is not None:
                    yield from self._elsewhere(file, parameter, None, calls)

    def _spread(self, file: File, index: _Index, value: int, part: Part, calls: int) -> Iterator[tuple[Use, int]]:
        """`f(*args)`, `f(**kwargs)`: the parts of a collection become arguments of a call."""
        facts = file.facts
        for number, position in index.passed.get(value, ()):
            call = facts.calls[number]
            at = facts.regions[call.region].function
            if part is None:
                yield Use(Place.HERE, only=Only.ITERATOR), at
                continue
            positional = len(call.args) - len(call.keywords)
            slot: Slot
            if isinstance(part, int):
                if position >= positional:
                    continue
                slot = position + part
            else:
                if position < positional and file.is_python:
                    continue
                slot = part
            for use in self._by_call(file, number, slot, None, calls):
                if use.calls and use.place is not Place.KEPT:
                    yield from self._results(file, index, number, use, at)
                else:
                    yield use, at
        for number in file.users_of.get(value, ()):
            fact = facts.values[number]
            if fact.kind is ValueKind.ARRAY and isinstance(part, int) and value in fact.items:
                yield from self._elsewhere(file, number, fact.items.index(value) + part, calls)
            elif fact.kind is ValueKind.ARRAY and part is None:
                yield Use(Place.HERE, only=Only.ITERATOR), self._owner(file, value)
            elif fact.kind is ValueKind.OBJECT and isinstance(part, str):
                yield from self._elsewhere(file, number, part, calls)

    def _out_to(self, file: File, found: Iterable[tuple[Use, int]], owner: int) -> set[Use]:
        """Uses inside functions of the file, seen from functions[`owner`] around them."""
        seen = set(found)
        waiting = list(seen)
        answer: set[Use] = set()
        while waiting:
            use, at = waiting.pop()
            if at == owner:
                answer.add(use)
            elif use.place is Place.KEPT or owner == 0 or not self._is_inside(file, at, owner):
                answer.add(_KEPT)
            else:
                for outer in self._out_of(file, use, at, owner, answer):
                    further = (outer, file.facts.functions[at].parent)
                    if further not in seen:
                        seen.add(further)
                        waiting.append(further)
        return answer

    def _out_of(self, file: File, use: Use, at: int, owner: int, answer: set[Use]) -> Iterator[Use]:
        """A use inside functions[`at`], seen from the function around it. What is seen from everywhere is added to
        `answer`."""
        id_ = file.fn_base + at
        if id_ in self._registered and not use.calls:
            answer.add(use._replace(inside=id_ if use.inside == NONE else use.inside))
        if file.facts.functions[at].cls != NONE:
            answer.add(self._run_inside(file, use, id_, owner))
        value = self._index(file).function_value.get(at)
        if value is None:
            return
        for run in self._runs_from("called", id_):
            if run.function != id_:
                continue
            around = _after(Use(run.place, 0, run.sure, Only.ANY, run.inside), use._replace(calls=0))
            for outer in self._uses_of(file, value, None, 1 + use.calls):
                if outer.place is Place.KEPT:
                    answer.add(self._run_inside(file, use, id_, owner))
                else:
                    yield _after(outer, around)

    def _run_inside(self, file: File, use: Use, id_: int, owner: int) -> Use:
        """The use of a captured value in a function that is kept: whenever that runs, surely so if only one value is
        ever captured."""
        if use.calls:
            return _KEPT
        is_only = len(self._resolver.callers.get(file.fn_base + owner, ())) <= 1
        return use._replace(inside=id_ if use.inside == NONE else use.inside, sure=use.sure and is_only)

    # ------------------------------------------------------------------ facts

    def _is_offloader(self, name: str) -> bool:
        return any(name == own or name.endswith("." + own) for own in self._offloaders)

    def _is_inside(self, file: File, inner: int, outer: int) -> bool:
        while inner != NONE and inner != outer:
            inner = file.facts.functions[inner].parent
        return inner == outer

    def _owner(self, file: File, value: int) -> int:
        """The function of the file to whose run a value belongs."""
        facts = file.facts
        fact = facts.values[value]
        if fact.kind is ValueKind.PARAM:
            return fact.ref
        if fact.kind is ValueKind.BINDING:
            return facts.bindings[fact.ref].function
        if fact.kind is ValueKind.CALL:
            return facts.regions[facts.calls[fact.ref].region].function
        if fact.kind is ValueKind.FUNCTION:
            return max(facts.functions[fact.ref].parent, 0)
        if fact.kind in (ValueKind.MEMBER, ValueKind.SUBSCRIPT, ValueKind.ELEMENT, ValueKind.SPREAD, ValueKind.AWAIT):
            return self._owner(file, fact.ref) if fact.ref != NONE else 0
        if fact.kind in (ValueKind.OP, ValueKind.ARRAY, ValueKind.OBJECT):
            return max((self._owner(file, item) for item in fact.items if item != NONE), default=0)
        return 0

    def _index(self, file: File) -> _Index:
        if file.index not in self._indices:
            self._indices[file.index] = _Index(file)
        return self._indices[file.index]


def _hands_coroutine_on(file: File, call: Call) -> bool:
    """Whether what a Python call answers, perhaps a coroutine, is handed to another call or assigned."""
    return file.is_python and call.use in (ResultUse.ARGUMENT, ResultUse.ASSIGNED)


def _is_listening(file: File, callee: int) -> bool:
    """Whether a callee is called like what adds a listener for an event."""
    fact = file.facts.values[callee]
    return fact.kind is ValueKind.MEMBER and fact.text in LISTENS


def _dotted(file: File, function: Function) -> str:
    """The name of a function as a file would import it, `package.module.Class.name`."""
    stem = file.path.rsplit(".", 1)[0].removesuffix("/__init__").replace("/", ".")
    cls = f"{file.facts.classes[function.cls].name}." if function.cls != NONE else ""
    return f"{stem}.{cls}{function.name}"


def _parameter(function: Function, slot: Slot, part: Part) -> tuple[int, Part] | None:
    """The parameter that takes an argument, by position, and the part of it that the argument is."""
    params = function.params
    if isinstance(slot, int):
        for position, param in enumerate(params):
            if param.kind is ParamKind.REST:
                return (position, slot - position) if part is None else None
            if param.kind in (ParamKind.KEYWORD_ONLY, ParamKind.KEYWORDS):
                continue
            if position == slot:
                return position, part
        return None
    for position, param in enumerate(params):
        if param.name == slot and param.kind not in (ParamKind.REST, ParamKind.KEYWORDS):
            return position, part
    for position, param in enumerate(params):
        if param.kind is ParamKind.KEYWORDS:
            return (position, slot) if part is None else None
    return None


def _after(outer: Use, inner: Use) -> Use:
    """A use `inner` in something that itself runs as `outer` says."""
    if inner.inside != NONE:
        return inner._replace(sure=inner.sure and outer.sure)
    return Use(
        inner.place if inner.place is not Place.HERE else outer.place,
        outer.calls + inner.calls,
        outer.sure and inner.sure,
        inner.only or outer.only,
        outer.inside,
    )


def _bounded(answer: Use | Run) -> Use | Run:
    """An answer that is one of finitely many: a function that answers a partial of itself has to be called once more in
    each round."""
    if isinstance(answer, Use) and answer.calls and (answer.place is Place.KEPT or answer.calls > _MOST_CALLS):
        return _KEPT
    return answer


def _after_unless_kept(outer: Use, inner: Use) -> Use:
    return inner if inner.place is Place.KEPT else _after(outer, inner)


def _compose_run(use: Use, run: Run) -> Run:
    """A function that a value runs, where the value is used as `use` says."""
    place = run.place if run.place is not Place.HERE else use.place
    return Run(run.function, place, use.sure and run.sure, run.inside if run.inside != NONE else use.inside)


def _within(run: Run, place: Place) -> Run:
    return run._replace(place=place) if run.place is Place.HERE else run
