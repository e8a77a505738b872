"""What a value means once all files are known.

`Resolver.resolve(file, value)` follows imports, exports, members, calls, parameters and classes through the whole
program and answers a tuple of `Target`s: empty where it does not know, with `TOP` in it where more is possible than it
says. Nothing is executed; where control flow decides, all possibilities are in the answer.

What is answered does not depend on the order of questions. Values that depend on each other (a strongly connected
component of the graph of who asks for what, found as by Tarjan, SIAM J. Comput. 1972) are solved together: from
nothing, each is worked out again until no answer grows, so what they get is the least fixpoint. Two things see to it
that there is one, and that it is small:

- *widening* (Cousot and Cousot, POPL 1977): within a component, an access path that was lengthened there is not taken
  on where values flow together. `s = s.replace(…)` would make it longer for ever; `TOP` is answered in its place.
- a second choice (a declared type where no assigned value is known, a module's default where it does not export a name)
  is only taken once the component's answers are complete without it, by all at once that still have none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Any

from prodlint.facts import (
    NONE,
    Call,
    Class,
    ExitKind,
    FileFacts,
    Function,
    FunctionKind,
    Param,
    Value,
    ValueKind,
)
from prodlint.models.frameworks import INJECTS
from prodlint.models.frameworks.model import Slots
from prodlint.program.linking.literal_paths import literal_path
from prodlint.program.linking.modules import NodeModules, PythonModules
from prodlint.program.linking.targets import (
    TOP,
    Api,
    Bound,
    Cls,
    Fn,
    FnMember,
    Generated,
    Grown,
    Inst,
    Module,
    New,
    Obj,
    Target,
    Targets,
    Typed,
)

_MOST_MODULES = 1_000
"""How many modules are asked for a name that they pass on to each other."""
_MOST = 64
"""More possibilities than this say nothing about any one of them: they are `TOP`."""
_MOST_IN_CYCLE = 4096
"""As long as values that depend on each other are worked out, each may have this many."""
_MOST_BASES = 100
_FEW = 3
"""More classes than this that a value of a declared type can be of say nothing about which it is."""
_LONGEST_API = 160
_COMPUTED = "[]"
"""The name under which what is stored by a computed key is kept."""
_DEEPEST = 80
"""How many questions may be open on Python's own stack. Those that are asked further down are put first."""
_SHALLOW = 16
"""How many may be, for another to be answered without being opened."""
_NEVER = 1 << 60
_TOO_MANY: Targets = (TOP,)
"""What a value is found to be that has more than `_MOST` possibilities, as long as it is being worked out; told from
other answers by its identity."""
_UNKNOWN: Targets = (TOP,)

MEMOISERS = frozenset(
    {
        *("functools.cache", "functools.lru_cache", "functools.lru_cache()"),
        *("once", "memoizee", "mem", "memoize", "memoize-one"),
        *("ramda.once", "rambda.once", "remeda.once", "es-toolkit.once", "es-toolkit.memoize"),
        *(f"{package}.{name}" for package in ("lodash", "lodash-es", "underscore") for name in ("once", "memoize")),
        *("lodash/once", "lodash/memoize", "lodash/fp.once", "lodash/fp.memoize"),
    }
)
"""What keeps the answer of the function that it is given, and calls it again only for other arguments."""

RETURN_ARGUMENT = {
    "Object.freeze": 0,
    "Object.assign": 0,
    "Object.seal": 0,
    "Object.create": 0,
    "functools.partial": 0,
    "copy.copy": 0,
    "copy.deepcopy": 0,
    "typing.cast": 1,
    "contextlib.contextmanager": 0,
    "contextlib.asynccontextmanager": 0,
    "util.promisify": 0,
    "util.callbackify": 0,
    "bluebird.promisify": 0,
    "bluebird.promisifyAll": 0,
    "Array.from": 0,
    "Promise.resolve": 0,
    "@graphql-tools/merge.mergeResolvers": 0,
    "lodash.merge": 0,
    "lodash.extend": 0,
    "lodash.partial": 0,
    **dict.fromkeys(MEMOISERS - {"functools.lru_cache"}, 0),  # `lru_cache(maxsize=8)` is given no function
}
"""Calls whose result stands for one of their arguments."""

_LOADERS = frozenset({"require", "require.main.require", "module.require", "import"})
RECEIVER = -1
"""The position of `this` among the parameters of a function."""
_INJECTS = INJECTS | {"taskiq.TaskiqDepends", "fast_depends.Depends"}
_TYPED_KEYS = frozenset(
    f"aiohttp.{module}.{name}" for module in ("web", "helpers") for name in ("AppKey", "RequestKey")
)
_PATH = Api("pathlib.Path()")
_TYPING = frozenset({"typing", "typing_extensions", "collections", "abc", "builtins", "contextlib", "asyncio", "queue"})
"""What the declared types of the standard library come from."""
_SAME_TYPE = frozenset({"Annotated", "ClassVar", "Final", "InitVar", "NotRequired", "Optional", "ReadOnly", "Required"})
_MAPPINGS = frozenset(
    {
        *("dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "DefaultDict", "OrderedDict", "ChainMap"),
        *("ItemsView", "ValuesView", "WeakValueDictionary"),
    }
)
_GENERATORS = frozenset({"Generator", "AsyncGenerator"})
_AWAITABLES = frozenset({"Awaitable", "Coroutine", "Future", "Task"})
_CALLABLES = frozenset({"Callable", "type", "Type"})
_FIELDS = frozenset(
    {
        *("dataclasses.field", "pydantic.Field", "pydantic.fields.Field", "pydantic.PrivateAttr", "sqlmodel.Field"),
        *("attrs.field", "attr.ib", "attr.field", "attr.attrib", "msgspec.field"),
    }
)
"""What tells how a field of a class of data gets its value."""
_SAME_ELEMENTS = frozenset(
    f"builtins.{name}" for name in ("list", "tuple", "set", "frozenset", "sorted", "reversed", "iter", "aiter", "dict")
)
"""What makes a collection of the elements of another one."""
_ONE_ELEMENT = frozenset(
    {"builtins.next", "builtins.anext", "builtins.min", "builtins.max", "random.choice", "secrets.choice"}
)
_GIVES_ELEMENT = frozenset(
    {"get", "pop", "popleft", "setdefault", "get_nowait", "result", "__getitem__", "__next__", "__anext__"}
)
"""Methods of Python's collections, and of what holds one thing, that answer an element."""
_GIVES_PAIRS = frozenset({"items", "popitem"})
_GIVES_SAME = frozenset({"values", "copy", "union", "intersection", "difference"})
_ADDS = frozenset({"append", "appendleft", "add", "insert", "setdefault", "put", "put_nowait"})
"""Methods whose last argument becomes an element."""
_ADDED = frozenset(
    {ValueKind.CALL, ValueKind.BINDING, ValueKind.PARAM, ValueKind.SELF, ValueKind.MEMBER, ValueKind.AWAIT}
)
_OF_COLLECTIONS = _GIVES_ELEMENT | _GIVES_PAIRS | _GIVES_SAME
OPERATORS = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "truediv",
    "//": "floordiv",
    "%": "mod",
    "@": "matmul",
    "|": "or",
    "&": "and",
    "^": "xor",
    "<<": "lshift",
    ">>": "rshift",
    "**": "pow",
}
"""Python's operators, by the name of the method that each runs."""
_ANSWERS_OTHERWISE = (
    RETURN_ARGUMENT.keys()
    | _LOADERS
    | _FIELDS
    | _SAME_ELEMENTS
    | _ONE_ELEMENT
    | {"builtins.type", "builtins.enumerate"}
)
"""Of them, those of the languages themselves."""
_JS_ROOTS = frozenset({"globalThis", "global", "window", "self"})
_JS_NAMESPACES = _JS_ROOTS | {"module"}
"""Globals whose members are not named after them."""


class File:
    """One source file of the program: its facts and what linking derives from them."""

    def __init__(self, index: int, path: str, facts: FileFacts, fn_base: int, cls_base: int) -> None:
        self.index = index
        self.path = path
        self.facts = facts
        self.fn_base = fn_base
        self.cls_base = cls_base
        self.is_python = facts.kind == "python"
        self.final: list[Targets | None] = [None] * len(facts.values)
        """What values were found to be, for good."""
        self.provisional: list[Targets | int | None] = [None] * len(facts.values)
        """The same as far as is known: linking may learn more. A number where it is still being worked out."""
        self.exports: dict[str, int] = {}
        self.star_exports: list[int] = []
        for export in facts.exports:
            if export.name == "*":
                self.star_exports.append(export.value)
            else:
                self.exports.setdefault(export.name, export.value)
        self.returns: dict[int, list[int]] = defaultdict(list)
        for exit_ in facts.exits:
            if exit_.kind in (ExitKind.RETURN, ExitKind.YIELD) and exit_.value != NONE:
                self.returns[facts.regions[exit_.region].function].append(exit_.value)

    def place(self, offset: int) -> str:
        """`path:line` of an offset."""
        return f"{self.path}:{bisect_right(self.facts.line_starts, offset)}"

    def function_at(self, region: int) -> int:
        """The program-wide id of the function that a region of this file is in."""
        return self.fn_base + self.facts.regions[region].function

    @cached_property
    def parameters(self) -> Mapping[tuple[int, int], int]:
        """The value of each parameter that is read, by function and position."""
        found: dict[tuple[int, int], int] = {}
        for number, value in enumerate(self.facts.values):
            if value.kind is ValueKind.PARAM and value.items:
                found.setdefault((value.ref, value.items[0]), number)
        return found

    @cached_property
    def literals_with(self) -> Mapping[int, Sequence[int]]:
        """The object literals that each function is a member of."""
        found: dict[int, list[int]] = defaultdict(list)
        for number, value in enumerate(self.facts.values):
            if value.kind is ValueKind.OBJECT:
                for item in value.items:
                    if self.facts.values[item].kind is ValueKind.FUNCTION:
                        found[self.facts.values[item].ref].append(number)
        return found

    @cached_property
    def holders_of(self) -> Mapping[int, Sequence[int]]:
        """The values in whose members each function is stored: `F.prototype.f = function …`."""
        found: dict[int, list[int]] = defaultdict(list)
        for store in self.facts.stores:
            if store.value != NONE and self.facts.values[store.value].kind is ValueKind.FUNCTION:
                found[self.facts.values[store.value].ref].append(store.target)
        return found

    def is_exported(self, function: int) -> bool:
        """Whether a function is a member of `module.exports`: `exports.f = function …`."""
        return function in self._exported

    @cached_property
    def _exported(self) -> Set[int]:
        values = (self.facts.values[export.value] for export in self.facts.exports if export.name != "=")
        functions = (value.ref for value in values if value.kind is ValueKind.FUNCTION)
        return {ref for ref in functions if self.facts.functions[ref].kind is FunctionKind.EXPRESSION}

    def has_prototype(self, function: int) -> bool:
        """Whether a function's prototype is spoken of, which makes it a constructor."""
        return function in self._constructors

    @cached_property
    def _constructors(self) -> Set[int]:
        bases = (self.facts.values[value.ref] for value in self.facts.values if _is_prototype(value))
        stored = (self.facts.values[store.target] for store in self.facts.stores if store.name == "prototype")
        return {base.ref for base in (*bases, *stored) if base.kind is ValueKind.FUNCTION}

    @cached_property
    def calls_by_place(self) -> Sequence[int]:
        """The calls in the order in which they start."""
        return sorted(range(len(self.facts.calls)), key=lambda index: self.facts.calls[index].start)

    @cached_property
    def globals(self) -> Set[str]:
        """The names that no scope of the file binds."""
        return {value.text for value in self.facts.values if value.kind is ValueKind.GLOBAL}

    @cached_property
    def members(self) -> Mapping[str, Sequence[int]]:
        """The members that are spoken of, by name."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, value in enumerate(self.facts.values):
            if value.kind is ValueKind.MEMBER:
                found[value.text].append(number)
        return found

    @cached_property
    def users_of(self) -> Mapping[int, Sequence[int]]:
        """The values that each value is a part of: its members, operators over it, what holds it. What a call makes of
        its arguments is not meant, nor what a function does with its parameters."""
        found: dict[int, list[int]] = defaultdict(list)
        for number, value in enumerate(self.facts.values):
            if value.kind in _USERS_BY_REF:
                found[value.ref].append(number)
            if value.items and value.kind is not ValueKind.PARAM:
                for item in value.items:
                    found[item].append(number)
        return found


_USERS_BY_REF = frozenset(
    {ValueKind.MEMBER, ValueKind.SUBSCRIPT, ValueKind.SPREAD, ValueKind.AWAIT, ValueKind.ELEMENT, ValueKind.INSTANCE}
)


Definition = tuple[File, int]
"""A value, with the file that it is written in."""
_NOTHING: Mapping[str, Sequence[Definition]] = {}


class CallSite:
    """A call, by file and index."""

    __slots__ = ("call", "file", "index")

    def __init__(self, file: File, index: int) -> None:
        self.file = file
        self.index = index
        self.call: Call = file.facts.calls[index]


class _StoreSite:
    """A store, or a call that stores a value under a name; they come in the order of `place`. `target`: what it is
    stored in, or the callee."""

    __slots__ = ("file", "is_call", "name", "place", "target", "value")

    def __init__(self, file: File, index: int, target: int, name: str, value: int, *, is_call: bool = False) -> None:
        self.file = file
        self.place = (file.path, is_call, index)
        self.target = target
        self.name = name
        self.value = value
        self.is_call = is_call


Asked = tuple[File, int] | tuple[Target, str]
"""A question: what a value of a file is, or what defines a member of a target."""
Site = CallSite | _StoreSite


class _TooDeepError(Exception):
    """Too many questions are open on Python's stack."""


class Resolver:
    """Answers what values mean. While linking learns call sites (`callers`) and what frameworks pass (`parameters`),
    `learn` drops the answers that this changes, and tells whose questions are to be asked again; all others are kept.

    An answer that asked for a parameter is `provisional` until `freeze` says that all is known, and so is every answer
    that rests on it."""

    def __init__(
        self,
        files: list[File],
        node: NodeModules,
        python: PythonModules,
        aliases: Mapping[str, str],
        slots: Iterable[Slots] = (),
        instantiates: Iterable[str] = (),
    ) -> None:
        """`aliases`: access paths that are the same under another name. `slots`: objects of frameworks in which a
        program keeps things. `instantiates`: APIs that answer an instance of the class that they are given."""
        self.files = files
        self._holders: dict[str, Set[str]] = {}
        self._setters: dict[str, str] = {}
        self._getters: dict[str, str] = {}
        self._instantiates = frozenset(instantiates)
        for each in slots:
            self._holders.update(dict.fromkeys(each.holders, each.own))
            self._setters.update(dict.fromkeys(each.sets, each.holders[0]))
            self._getters.update(dict.fromkeys(each.gets, each.holders[0]))
        self._answers_otherwise = _ANSWERS_OTHERWISE | self._getters.keys() | self._instantiates
        """APIs whose answer is not always named after them."""
        self._setter_names = {api.rpartition(".")[2] for api in self._setters}
        self._global_names: set[str] = set()
        """What the program stores in members of the global object."""
        self.by_path = {file.path: file for file in files}
        self._node = node
        self._python = python
        self._aliases = aliases
        self.functions: list[tuple[File, Function]] = [
            (file, function) for file in files for function in file.facts.functions
        ]
        self.classes: list[tuple[File, Class]] = [(file, cls) for file in files for cls in file.facts.classes]
        self.callers: dict[int, list[CallSite]] = defaultdict(list)
        """The calls of each function, by path and place once they are frozen."""
        self.parameters: dict[tuple[int, int], Targets] = {}
        """What frameworks pass, by function and position."""
        self._properties: dict[Target, dict[str, Sequence[Definition]]] = defaultdict(dict)
        self._has_properties = False
        self._late: dict[Target, dict[str, Sequence[Definition]]] = defaultdict(dict)
        """What is stored in members of what parameters and `this` turn out to be."""
        self._late_names: set[str] = set()
        self._store_sites: dict[tuple[Target, str], set[_StoreSite]] = defaultdict(set)
        self._elements: dict[Obj, Sequence[Definition]] = {}
        self._class_members: dict[int, dict[str, int]] = {}
        self._ancestries: dict[int, tuple[Sequence[Cls | Api], int]] = {}
        """What classes derive from themselves, with the steps to the last that these derive from, as far as that is
        known for good."""
        self._derived: dict[int, list[int]] = {}
        """The classes that derive from each class, or implement it, directly."""
        self._declaring: dict[str, list[int]] = {}
        """The classes of Python by the names that they declare, where a protocol asks for them."""
        self._definitions: dict[Asked, Sequence[Definition]] = {}
        self._provisional_definitions: dict[Asked, Sequence[Definition] | int] = {}
        self._is_frozen = False
        # Who is to be told when something is learnt.
        self.site: Site | None = None
        """The call or store that the outermost questions are asked for."""
        self._readers: dict[Asked, list[Asked | Site]] = {}
        """Who asked for each provisional answer."""
        self._parameter_readers: dict[int, list[Asked | Site]] = defaultdict(list)
        """Who asked for what the parameters of each function are given."""
        self._property_readers: dict[Target, list[Asked | Site]] = defaultdict(list)
        """Who asked for what is stored in the members of each target, until all of that is known."""
        self._calls: set[tuple[int, CallSite]] = set()
        # What is being worked out.
        self._open: list[Asked] = []
        """The questions without an answer yet, by number: those that are being worked out, and those worked out as far
        as that goes without one that is."""
        self._at = -1
        """The question that is being worked out, by number."""
        self._low = _NEVER
        """The least number of an open question on which the answer to the present one depends."""
        self._is_provisional = False
        """Whether the answer to the present question is provisional."""
        self._depth = 0
        self._unwound: list[int] = []
        self._lows: dict[int, int] = {}
        self._so_far: dict[int, Any] = {}
        """The answers to open questions, as far as they are known."""
        self._waiting: dict[int, set[int]] = defaultdict(set)
        """Which open questions asked for an open one."""
        self._provisional_open: set[int] = set()
        self._lengthened: set[int] = set()
        """The open questions that have a lengthened access path among their answers."""
        self._plain: dict[Any, Targets] = {}
        """Their answers without those."""
        self._second: dict[int, set[object]] = {}
        """The second choices that open questions take."""
        self._wanted: dict[int, set[object]] = {}
        """Those that they would have taken."""
        self._overflowing = range(0)
        """The open questions that are answered by TOP."""

    # ------------------------------------------------------------------ files and names

    def module(self, importer: File, specifier: str) -> File | None:
        """The program's file that `specifier` means in `importer`."""
        table: NodeModules | PythonModules = self._python if importer.is_python else self._node
        path = table.resolve(importer.path, specifier)
        return self.by_path.get(path) if path is not None else None

    def freeze(self) -> None:
        """Take all callers and parameters for known from now on."""
        self._is_frozen = True
        for sites in self.callers.values():
            sites.sort(key=lambda site: (site.file.path, site.index))
        for owner, what in self._readers:
            if isinstance(owner, File):
                assert isinstance(what, int)
                known = owner.provisional[what]
                assert isinstance(known, tuple)
                owner.final[what], owner.provisional[what] = known, None
        for asked, definitions in self._provisional_definitions.items():
            assert not isinstance(definitions, int)
            self._definitions[asked] = definitions
        self._provisional_definitions.clear()
        self._readers.clear()
        self._parameter_readers.clear()
        self._property_readers.clear()
        self._calls.clear()

    def learn(self, calls: Iterable[tuple[int, CallSite]], parameters: Iterable[tuple[int, int, Api]]) -> set[CallSite]:
        """Take note of who calls which function, and of what frameworks pass (function, position, what). The calls
        whose questions this may answer otherwise than it was done."""
        changed: set[int] = set()
        for function, site in calls:
            if (function, site) not in self._calls:
                self._calls.add((function, site))
                self.callers[function].append(site)
                changed.add(function)
        for function, position, given in parameters:
            known = self.parameters.get((function, position), ())
            if given not in known:
                self.parameters[function, position] = tuple(sorted((*known, given), key=self._rank))
                changed.add(function)
        dropped = self._drop(asked for function in changed for asked in self._parameter_readers.pop(function, ()))
        again = self._take_stores([site for site in dropped if isinstance(site, _StoreSite)])
        return again.union(site for site in dropped if isinstance(site, CallSite))

    def _drop(self, questions: Iterable[Asked | Site]) -> set[Site]:
        """Drop the answers to questions, and all that rests on them. The calls and stores that are among that."""
        found: set[Site] = set()
        stack = list(questions)
        while stack:
            asked = stack.pop()
            if not isinstance(asked, tuple):
                found.add(asked)
                continue
            readers = self._readers.pop(asked, None)
            if readers is not None:
                owner, what = asked
                if isinstance(owner, File):
                    owner.provisional[what] = None  # type: ignore[index]
                else:
                    del self._provisional_definitions[asked]
                stack += readers
        return found

    def callers_of(self, function: int) -> Sequence[CallSite]:
        """The calls of a function, as far as is known. Who asks is told of others."""
        if not self._is_frozen:
            reader = self._open[self._at] if self._at >= 0 else self.site
            self._is_provisional = True
            if reader is not None:
                self._parameter_readers[function].append(reader)
        return self.callers.get(function, ())

    def learn_properties(self) -> None:
        """Take note of what is stored in members of the program's own objects, functions and classes. Where that is may
        depend on what is stored elsewhere, so it is looked for until there is no more."""
        self._derived = self._derivations()
        sites = [site for file in self.files for site in self._stores_of(file)]
        self._late_names = {site.name for site in sites if site.name and _is_late(site)}
        self._take_stores(sites)
        self._has_properties = True
        self._property_readers.clear()

    def _stores_of(self, file: File) -> Iterator[_StoreSite]:
        for number, store in enumerate(file.facts.stores):
            if store.value != NONE and store.op == "=":
                yield _StoreSite(file, number, store.target, store.name, store.value)
                base = file.facts.values[store.target]
                if base.kind is ValueKind.GLOBAL and base.text in _JS_ROOTS and not file.is_python and store.name:
                    self._global_names.add(store.name)
        for number, call in enumerate(file.facts.calls if file.is_python else ()):
            if self._adds(file, call):  # `jobs.append(Job())` stores by a key that is not known
                target = file.facts.values[call.callee].ref
                yield _StoreSite(file, len(file.facts.stores) + number, target, "", call.args[-1])
        for number, call in enumerate(() if file.is_python else file.facts.calls):
            callee = file.facts.values[call.callee]
            if callee.text in self._setter_names and callee.kind is ValueKind.MEMBER and len(call.args) >= 2:
                name = file.facts.values[call.args[0]]
                if name.kind is ValueKind.STRING:
                    yield _StoreSite(file, number, call.callee, name.text, call.args[1], is_call=True)

    def _adds(self, file: File, call: Call) -> bool:
        callee = file.facts.values[call.callee]
        is_added = bool(call.args) and not call.keywords and file.facts.values[call.args[-1]].kind in _ADDED
        return is_added and callee.kind is ValueKind.MEMBER and callee.text in _ADDS

    def _take_stores(self, pending: Iterable[_StoreSite]) -> set[CallSite]:
        """Take note of what is stored where. The calls whose questions this may answer otherwise than it was done."""
        calls: set[CallSite] = set()
        while pending:
            found: list[tuple[Target, _StoreSite]] = []
            for site in pending:
                self.site = site
                found += ((target, site) for target in self._holders_of(site))
            self.site = None
            grown: dict[tuple[Target, str], None] = {}
            for target, site in found:
                name = site.name or _COMPUTED
                is_wanted = not self._has_properties or name in self._late_names
                if is_wanted and site not in self._store_sites[target, name]:
                    self._store_sites[target, name].add(site)
                    grown[target, name] = None
            table = self._late if self._has_properties else self._properties
            for target, name in grown:
                there = sorted(self._store_sites[target, name], key=lambda site: site.place)
                table[target][name] = [(site.file, site.value) for site in there]
            dropped = self._drop(asked for target, _ in grown for asked in self._property_readers.pop(target, ()))
            calls.update(site for site in dropped if isinstance(site, CallSite))
            pending = [site for site in dropped if isinstance(site, _StoreSite)]
        return calls

    def _holders_of(self, site: _StoreSite) -> Iterator[Target]:
        """What keeps that which is stored at `site`."""
        for target in self.resolve(site.file, site.target):
            if isinstance(target, Api):
                if site.is_call:
                    if target.path in self._setters:
                        yield Api(self._setters[target.path])
                elif site.name not in self._holders.get(target.path, (site.name,)):
                    yield Api(target.path)
            elif not site.is_call and isinstance(target, (Obj, Fn, FnMember, Cls, Inst, New)):
                yield target

    def _derivations(self) -> dict[int, list[int]]:
        derived: dict[int, list[int]] = defaultdict(list)
        for number, (file, cls) in enumerate(self.classes):
            for base in (*cls.bases, *cls.implements):
                for parent in self._module_object(self.resolve(file, base)):
                    if isinstance(parent, Cls) and parent.id != number and number not in derived[parent.id]:
                        derived[parent.id].append(number)
        for protocol, (file, cls) in enumerate(self.classes):
            if file.is_python and cls.is_abstract and not derived[protocol] and self._is_protocol(protocol):
                derived[protocol] += self._with_methods_of(protocol)
        return derived

    def _is_protocol(self, cls: int) -> bool:
        return any(isinstance(base, Api) and base.path.endswith(".Protocol") for base in self._parents(cls))

    def _with_methods_of(self, protocol: int) -> list[int]:
        """The classes of Python that have all the methods of a protocol, which need not say so."""
        wanted = [name for name in self.members_of(protocol) if not name.startswith("__")]
        if not wanted:
            return []
        self._declaring = self._declaring or self._by_member()
        having = set(self._declaring.get(wanted[0], ()))
        return sorted(cls for cls in having - {protocol} if all(name in self.members_of(cls) for name in wanted))

    def _by_member(self) -> dict[str, list[int]]:
        """The classes of Python by the names that they declare."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, (file, cls) in enumerate(self.classes):
            for name in cls.names if file.is_python else ():
                found[name].append(number)
        return found

    def concrete(self, cls: int) -> Sequence[int]:
        """The classes that can be constructed where a value is declared to be of class `cls`: itself, or those that
        derive from it, if it is abstract. Nothing where these are many."""
        if not self.classes[cls][1].is_abstract:
            return (cls,)
        found: dict[int, None] = {}
        waiting, seen = [cls], {cls}
        while waiting and len(found) <= _FEW:
            for derived in self._derived.get(waiting.pop(), ()):
                if derived not in seen:
                    seen.add(derived)
                    waiting.append(derived)
                    if not self.classes[derived][1].is_abstract:
                        found[derived] = None
        return sorted(found) if len(found) <= _FEW else ()

    def _stored(self, target: Target) -> Mapping[str, Sequence[Definition]]:
        """What is stored in the members of a target."""
        if not self._has_properties:
            self._is_provisional = True
            reader = self._open[self._at] if self._at >= 0 else self.site
            if reader is not None:
                self._property_readers[target].append(reader)
        return self._properties.get(target, _NOTHING)

    def _stored_as(self, target: Target, name: str) -> Sequence[Definition]:
        """What is stored in the member `name` of a target."""
        early = self._stored(target).get(name, ())
        if name not in self._late_names:
            return early
        if not self._is_frozen:
            self._is_provisional = True
            reader = self._open[self._at] if self._at >= 0 else self.site
            if reader is not None:
                self._property_readers[target].append(reader)
        return self._late.get(target, _NOTHING).get(name, early)  # which has the early ones, too

    def origins(self, file: File, value: int) -> list[Definition]:
        """The expressions that a value comes from: names, members and imports are followed to what they stand for, a
        call stays a call. Ends at the value itself where it does not know."""
        values = file.facts.values
        fact = values[value]
        if fact.kind not in _DEFINED_ELSEWHERE:
            return [(file, value)]
        if fact.kind is ValueKind.BINDING:
            assigned = file.facts.bindings[fact.ref].values
            if 0 < len(assigned) < _MOST and not any(values[item].kind in _DEFINED_ELSEWHERE for item in assigned):
                return [(file, item) for item in dict.fromkeys(assigned)]
        found: list[Definition] = []
        seen: set[tuple[int, int]] = set()
        stack = [(file, value)]
        while stack and len(found) < _MOST:
            owner, item = stack.pop()
            if (owner.index, item) in seen:
                continue
            seen.add((owner.index, item))
            defined = self._defined_by(owner, owner.facts.values[item])
            if defined:
                stack += reversed(defined)
            else:
                found.append((owner, item))
        return found

    def _defined_by(self, file: File, fact: Value) -> Sequence[Definition]:
        """One step of `origins`: what a name, member or import stands for."""
        if fact.kind is ValueKind.BINDING:
            return [(file, assigned) for assigned in file.facts.bindings[fact.ref].values]
        if fact.kind is ValueKind.MEMBER:
            bases = self.resolve(file, fact.ref)
            return [
                read
                for target in bases
                for defined in self.definitions(target, fact.text)
                for read in self.values_read(*defined)
            ]
        if fact.kind is ValueKind.IMPORT:
            found = self.module(file, fact.text)
            return self.definitions(Module(found.index), "=") if found is not None else []
        if fact.kind is ValueKind.AWAIT:
            return [(file, fact.ref)]
        if fact.kind is ValueKind.OP and fact.text in ("||", "??", "?:", "&&"):
            return [(file, item) for item in (fact.items[1:] if fact.text in ("?:", "&&") else fact.items)]
        return []

    def callables(self, target: Target) -> list[int]:
        """The functions of the program that run when `target` is called."""
        if isinstance(target, Fn):
            return [target.id]
        if isinstance(target, FnMember):
            return [target.id] if target.name in ("call", "apply") else []
        if isinstance(target, Module):
            found = [hit for file, value in self.definitions(target, "=") for hit in self.resolve(file, value)]
            return [fn for hit in found if not isinstance(hit, Module) for fn in self.callables(hit)]
        if isinstance(target, Cls):
            file = self.classes[target.id][0]
            name = "__init__" if file.is_python else "constructor"
            return self.methods(target, name)
        if isinstance(target, Inst):
            return self.methods(target, "__call__")
        return []

    def methods(self, target: Target, name: str) -> list[int]:
        """The functions that a member of a target is."""
        found = (hit for file, value in self.definitions(target, name) for hit in self.resolve(file, value))
        return [hit.id for hit in found if isinstance(hit, Fn)]

    # ------------------------------------------------------------------ values

    def resolve(self, file: File, value: int) -> Targets:
        """All that values[`value`] of `file` can be, as far as is known; () if nothing is. In an order that depends on
        nothing but what is in it."""
        if value == NONE:
            return ()
        known = file.final[value]
        if known is not None:
            return known
        known = self._look_up(file, value)
        return self._taken_on(file.provisional[value], known) if self._lengthened else known

    def _taken_on(self, number: Targets | int | None, known: Targets) -> Targets:
        """What is taken on, where values flow together, of what is known of an open question."""
        if number not in self._lengthened or known is not self._so_far.get(number):
            return known
        taken_on = self._plain.get(number)
        if taken_on is None:
            taken_on = self._plain[number] = (*(target for target in known if type(target) is not Grown), TOP)
        return taken_on

    def _part(self, file: File, value: int) -> Targets:
        """As `resolve`, for a value that is written as a part of the one that is being worked out: what was lengthened
        there is taken on, too, since an expression's parts come to an end."""
        if value == NONE:
            return ()
        known = file.final[value]
        return known if known is not None else self._look_up(file, value)

    def _look_up(self, file: File, value: int) -> Targets:
        answer: Targets
        known = file.provisional[value]
        if known is None:
            fact = file.facts.values[value]
            kind = fact.kind
            if kind in _LEAVES:
                answer = file.final[value] = tuple(_RESOLVE[kind](self, file, fact, value))
                return answer
            at_once = _AT_ONCE.get(kind)
            if at_once is not None:
                plain = at_once(self, file, fact)
                answered = file.final[value]  # where what it rests on rests on it
                if answered is not None:
                    return answered
                known = file.provisional[value]
                if known is None and plain is not None:
                    file.final[value] = plain
                    return plain
        if known is None:
            asked = (file, value)
            answer = self._begin(asked) if self._at < 0 else self._work_out(asked)
            return answer
        if isinstance(known, int):
            answer = self._of_open(known, _UNKNOWN)
            return answer
        self._note_reader((file, value))
        return known

    # What a value is can be said without opening a question where it rests only on what is known for good. The methods
    # `…_at_once` answer None where it does not, or where that takes more than a look.

    def _for_good(self, file: File, value: int) -> Targets | None:
        """What a value is that the one in question always asks for, if that is known for good."""
        if value == NONE:
            return ()
        known = file.final[value]
        if known is None and self._depth < _SHALLOW and file.provisional[value] is None:
            depth = self._depth
            self._depth = depth + 1
            self._look_up(file, value)
            self._depth = depth
            known = file.final[value]
        return known

    def _api_at_once(self, path: str) -> Api:
        known = self._aliases.get(path)
        if known is not None:
            return Api(known)
        return Api(path if len(path) <= _LONGEST_API else "?")

    def _member_at_once(self, file: File, fact: Value) -> Targets | None:
        base = file.facts.values[fact.ref]
        name = fact.text
        if base.kind is ValueKind.IMPORT:
            if file.is_python:
                return None
        elif base.kind is ValueKind.GLOBAL and not file.is_python and base.text in _JS_NAMESPACES:
            return None
        bases = self._for_good(file, fact.ref)
        if not bases:
            return bases
        found: list[Target] = []
        for target in bases:
            if type(target) is Api:
                if target.path in self._holders:
                    return None
                found.append(target if name == "default" else self._api_at_once(f"{target.path}.{name}"))
            elif target is TOP:
                found.append(TOP)
            else:
                return None
        return tuple(found) if len(found) == 1 else self._final(_distinct(found))

    def _call_at_once(self, file: File, fact: Value) -> Targets | None:
        callees = self._for_good(file, file.facts.calls[fact.ref].callee)
        if not callees:
            return callees
        found: list[Target] = []
        for target in callees:
            if type(target) is Api:
                if target.path in self._answers_otherwise:
                    return None
                found.append(self._api_at_once(f"{target.path}()"))
            elif target is TOP:
                found.append(TOP)
            else:
                return None
        return tuple(found) if len(found) == 1 else self._final(_distinct(found))

    def _binding_at_once(self, file: File, fact: Value) -> Targets | None:
        binding = file.facts.bindings[fact.ref]
        if binding.annotation != NONE:
            return None
        for value in binding.values:
            if value != NONE and file.final[value] is None and file.facts.values[value].kind not in _LEAVES:
                return None  # it may lead back here
        return self._joined_at_once(file, binding.values)

    def _joined_at_once(self, file: File, values: Sequence[int]) -> Targets | None:
        if len(values) == 1:
            return self._for_good(file, values[0])
        found: list[Target] = []
        for value in values:
            known = self._for_good(file, value)
            if known is None:
                return None
            found += known
        return self._final(_distinct(found))

    def _op_at_once(self, file: File, fact: Value) -> Targets | None:
        operands = _operands(fact)
        if operands:
            return self._joined_at_once(file, operands)
        return None if file.is_python and fact.text in OPERATORS else ()

    def _same_at_once(self, file: File, fact: Value) -> Targets | None:
        return self._for_good(file, fact.ref)

    def _global_at_once(self, file: File, fact: Value) -> Targets | None:
        name = fact.text
        if file.is_python:
            return None if file.star_exports else (Api(f"builtins.{name}"),)
        if name == "exports":
            return (Module(file.index),)
        if name in self._global_names:
            return None
        return (Api("globalThis"),) if name in _JS_ROOTS else (self._api_at_once(name),)

    def _note_reader(self, asked: Asked) -> None:
        """Take note of who got the provisional answer to a question."""
        self._is_provisional = True
        reader = self._open[self._at] if self._at >= 0 else self.site
        if reader is not None:
            self._readers[asked].append(reader)

    def _of_open(self, number: int, overflow: Any) -> Any:
        """The answer to an open question, as far as it is known."""
        self._low = min(self._low, self._lows.get(number, number))
        if self._at >= 0:
            self._waiting[number].add(self._at)
        return overflow if number in self._overflowing else self._so_far.get(number, ())

    def _begin(self, asked: Asked) -> Any:
        """The answer to a question that no other one asks."""
        try:
            try:
                return self._work_out(asked)
            except _TooDeepError:
                return self._go_deeper(asked)
        except BaseException:
            for owner, what in self._open:
                if isinstance(owner, File):
                    owner.provisional[what] = None  # type: ignore[index]
                else:
                    del self._provisional_definitions[owner, what]  # type: ignore[arg-type]
            self._open.clear()
            self._close_all(0)
            self._at, self._low, self._depth, self._overflowing = -1, _NEVER, 0, range(0)
            raise

    def _go_deeper(self, asked: Asked) -> Any:
        """Work out the questions that were left open for want of stack, the last ones first, each on an empty one."""
        suspended = self._unwound[::-1]
        while suspended:
            self._unwound = []
            self._at, self._low, self._depth = -1, _NEVER, 0
            try:
                self._work_out(self._open[suspended[-1]], suspended[-1])
            except _TooDeepError:
                suspended += self._unwound[-2::-1]
            else:
                suspended.pop()
        self._unwound = []
        self._low, self._depth = _NEVER, 0
        return self._known(asked)

    def _work_out(self, asked: Asked, number: int = NONE) -> Any:
        """Answer a question, if only as far as that goes without the open ones that it depends on. `number`: it is open
        already, under this number."""
        owner, what = asked
        opened = self._open
        if number == NONE:
            if self._depth > _DEEPEST:
                raise _TooDeepError
            number = len(opened)
            opened.append(asked)
            if type(owner) is File:
                owner.provisional[what] = number  # type: ignore[index]
            else:
                self._provisional_definitions[asked] = number
        at, low, is_provisional = self._at, self._low, self._is_provisional
        self._at, self._low, self._is_provisional = number, _NEVER, False
        self._depth += 1
        try:
            answer = self._answer(asked)
            if self._low == _NEVER and len(opened) == number + 1:
                opened.pop()
                is_complete = True
                self._keep(asked, answer, self._is_provisional)
            else:
                self._take_note(number, answer)
                self._lows[number] = self._low
                if self._is_provisional:
                    self._provisional_open.add(number)
                is_complete = self._low >= number and self._solve(number)
                if is_complete:
                    answer = self._known(asked)
        except _TooDeepError:
            self._unwound.append(number)
            raise
        self._depth -= 1
        self._at, self._low = at, low
        if is_complete:
            if self._is_provisional:
                reader = opened[at] if at >= 0 else self.site
                if reader is not None:
                    self._readers[asked].append(reader)
            else:
                self._is_provisional = is_provisional
            return answer
        self._is_provisional = is_provisional
        return self._of_open(number, _UNKNOWN if type(owner) is File else ())

    def _take_note(self, number: int, answer: Any) -> None:
        """Take note of the answer to an open question, as far as it is known."""
        self._so_far[number] = answer
        self._plain.pop(number, None)
        if any(type(each) is Grown for each in answer):
            self._lengthened.add(number)

    def _answer(self, asked: Asked) -> Any:
        owner, what = asked
        if type(owner) is not File:
            return self._define(owner, what)  # type: ignore[arg-type]
        fact = owner.facts.values[what]  # type: ignore[index]
        found = _RESOLVE[fact.kind](self, owner, fact, what)  # type: ignore[arg-type]
        answer = tuple(found)
        if len(answer) < 2:
            return answer
        answer = tuple(dict.fromkeys(answer))
        if self._low == _NEVER:
            return self._final(answer)
        return answer if len(answer) <= _MOST_IN_CYCLE else _TOO_MANY

    def _final(self, targets: Targets) -> Targets:
        if len(targets) < 2:
            return targets
        return tuple(sorted(targets, key=self._rank)) if len(targets) <= _MOST else _UNKNOWN

    def _keep(self, asked: Asked, answer: Any, is_provisional: bool) -> None:
        """Close a question with its answer."""
        owner, what = asked
        if is_provisional:
            self._readers[asked] = []
            if type(owner) is File:
                owner.provisional[what] = answer  # type: ignore[index]
            else:
                self._provisional_definitions[asked] = answer
        elif type(owner) is File:
            owner.final[what] = answer  # type: ignore[index]
            owner.provisional[what] = None  # type: ignore[index]
        else:
            self._definitions[asked] = answer
            del self._provisional_definitions[asked]

    def _known(self, asked: Asked) -> Any:
        """The answer to a question that is closed."""
        owner, what = asked
        if isinstance(owner, File):
            assert isinstance(what, int)
            known = owner.final[what]
            return known if known is not None else owner.provisional[what]
        definitions = self._definitions.get(asked)
        return definitions if definitions is not None else self._provisional_definitions[asked]

    def _solve(self, root: int) -> bool:
        """Answer the open questions from number `root` on, which depend on each other. False if they turn out to
        depend on one before as well, and are to be answered with that."""
        waiting = set(range(root, len(self._open)))
        while waiting:
            # What is asked for usually has a higher number than who asks: it is worked out first.
            now, later = [-number for number in waiting], set[int]()
            heapify(now)
            while now:
                number = -heappop(now)
                waiting.discard(number)
                before = self._so_far.get(number, ())
                answer = self._again(number)
                if self._lows[number] < root:
                    self._lows[root] = self._lows[number]
                    return False
                if answer is _TOO_MANY or before is _TOO_MANY:
                    return self._overflow(root)
                joined = tuple(dict.fromkeys((*before, *answer)))
                if len(joined) > len(before):
                    self._take_note(number, joined)
                    for reader in self._waiting.get(number, ()):
                        if reader >= number:
                            later.add(reader)
                        elif reader >= root and reader not in waiting:
                            waiting.add(reader)
                            heappush(now, -reader)
            waiting = later
            if not waiting:
                waiting = {wants for wants in self._wanted if wants >= root}
                for wants in waiting:
                    self._second.setdefault(wants, set()).update(self._wanted.pop(wants))
        self._complete(root)
        return True

    def _again(self, number: int) -> Any:
        """The answer to an open question from what is known by now."""
        self._at, self._low, self._is_provisional = number, _NEVER, False
        self._wanted.pop(number, None)
        answer = self._answer(self._open[number])
        self._lows[number] = min(number, self._low)
        if self._is_provisional:
            self._provisional_open.add(number)
        return answer

    def _overflow(self, root: int) -> bool:
        """As `_solve`, where one of the questions has too many answers: each is answered from what is known without the
        others, and TOP."""
        around, end = self._overflowing, root
        try:
            while end < len(self._open):
                end = len(self._open)
                self._overflowing = range(root, end)
                for number in self._overflowing:
                    answer = self._again(number)
                    if self._lows[number] < root:
                        self._lows[root] = self._lows[number]
                        self._so_far[root] = _TOO_MANY
                        return False
                    if type(self._open[number][0]) is File and answer is not _TOO_MANY and TOP not in answer:
                        answer = (*answer, TOP)
                    self._take_note(number, answer)
        finally:
            self._overflowing = around
        self._complete(root)
        return True

    def _complete(self, root: int) -> None:
        """Close the open questions from number `root` on with what is known by now."""
        is_provisional = any(number >= root for number in self._provisional_open)
        closed = self._open[root:]
        for number, asked in enumerate(closed, root):
            answer = self._so_far.get(number, ())
            if answer is _TOO_MANY:
                answer = _UNKNOWN
            elif type(asked[0]) is File:
                plain = dict.fromkeys(Api(each.path) if type(each) is Grown else each for each in answer)
                answer = self._final(tuple(plain))
            else:
                answer = sorted(answer, key=_place)
            self._keep(asked, answer, is_provisional)
        if is_provisional:
            for number, asked in enumerate(closed, root):
                self._readers[asked] += [self._open[each] for each in self._waiting.get(number, ()) if each >= root]
        del self._open[root:]
        self._close_all(root)
        self._is_provisional = is_provisional

    def _close_all(self, root: int) -> None:
        tables: list[dict[int, Any]] = [
            self._so_far,
            self._plain,
            self._lows,
            self._waiting,
            self._second,
            self._wanted,
        ]
        for table in tables:
            for number in [number for number in table if number >= root]:
                del table[number]
        for numbers in (self._provisional_open, self._lengthened):
            numbers.difference_update([number for number in numbers if number >= root])

    def _falls_back(self, found: Sequence[object], *what: object) -> bool:
        """Whether the second choice belongs to the answer that is being worked out, where the first one, `found`, is
        nothing. While that may still change it does not, until all others are known."""
        if self._low == _NEVER or self._at in self._overflowing:
            return not found
        if what in self._second.get(self._at, ()):
            return True
        if not found:
            self._wanted.setdefault(self._at, set()).add(what)
        return False

    def _rank(self, target: Target) -> tuple[int, str, int, str]:
        """What targets are sorted by."""
        kind = _KINDS[type(target)]
        if isinstance(target, Api):
            return kind, target.path, 0, ""
        if isinstance(target, (Fn, New, FnMember, Generated)):
            file = self.functions[target.id][0]
            return kind, file.path, target.id - file.fn_base, target.name if isinstance(target, FnMember) else ""
        if isinstance(target, (Cls, Inst)):
            file = self.classes[target.id][0]
            return kind, file.path, target.id - file.cls_base, ""
        if isinstance(target, Module):
            return kind, self.files[target.file].path, 0, ""
        if isinstance(target, (Obj, Typed)):
            return kind, self.files[target.file].path, target.value, ""
        if isinstance(target, Bound):
            of = self._rank(target.of)
            return kind, of[1], of[2], f"{of[0]} {target.name}"
        return kind, "", 0, ""

    def api_of(self, file: File, value: int) -> str:
        """The access path of an API that a value surely is, or ""."""
        targets = self.resolve(file, value)
        return targets[0].path if len(targets) == 1 and isinstance(targets[0], Api) else ""

    def _import(self, file: File, value: Value, _: int) -> Iterable[Target]:
        found = self.module(file, value.text)
        if found is not None:
            return (Module(found.index),)
        if value.text.startswith(".") or (file.is_python and not value.text):
            return ()
        name = value.text.removeprefix("node:")
        return (Api(self._aliases.get(name, name)),)

    def _member(self, file: File, value: Value, _: int) -> Iterable[Target]:
        base = file.facts.values[value.ref]
        if file.is_python and base.kind is ValueKind.IMPORT:
            submodule = f"{base.text}{'' if base.text.endswith('.') else '.'}{value.text}"
            found = self.module(file, submodule)
            owner = self.module(file, base.text)
            # `from . import x` in the package's own `__init__` is what makes `x` a name there.
            if found is not None and (owner is None or owner is file or value.text not in owner.exports):
                return (Module(found.index),)
        if base.kind is ValueKind.GLOBAL and not file.is_python:
            if base.text == "module" and value.text == "exports":
                return (Module(file.index),)
            if base.text in _JS_ROOTS:
                return self._of_global_object(value.text)
        return [hit for target in self._part(file, value.ref) for hit in self.member(target, value.text)]

    def member(self, target: Target, name: str) -> Targets:
        """What the member `name` of a target can be."""
        if isinstance(target, Api):
            if name not in self._holders.get(target.path, (name,)):
                return self._kept(Api(target.path), name, f"{target.path}.{name}")
            return (target,) if name == "default" else (self._api(f"{target.path}.{name}"),)
        if target is TOP:
            return (TOP,)
        if isinstance(target, (Typed, Generated)):
            return self._of_typed(target, name)
        defined = self.definitions(target, name)
        found = [hit for file, value in defined for hit in self._read(target, self.resolve(file, value))]
        if self._falls_back(defined, target, name):
            if isinstance(target, Module):
                found += self._undefined_export(self.files[target.file], name)
            elif isinstance(target, (Cls, Inst)):
                if name == "__class__" and isinstance(target, Inst):
                    return (Cls(target.id),)
                found += self._inherited_api(target, name)
            elif isinstance(target, Obj) and self.files[target.file].is_python and name in _OF_COLLECTIONS:
                found.append(Bound(target, name))
            elif isinstance(target, Fn):
                found.append(FnMember(target.id, name))
        return _distinct(found)

    def values_read(self, file: File, value: int) -> Sequence[Definition]:
        """The values that reading a member gives that is defined by a value."""
        getter = self.getter(file, value)
        if getter is None:
            return ((file, value),)
        return [(file, returned) for returned in file.returns.get(getter, ())]

    def getter(self, file: File, value: int) -> int | None:
        """The function of a file that a value is, if that is a getter."""
        fact = file.facts.values[value]
        if file.is_python or fact.kind is not ValueKind.FUNCTION:
            return None
        is_accessor = file.facts.functions[fact.ref].kind is FunctionKind.ACCESSOR
        return fact.ref if is_accessor else None

    def _kept(self, holder: Api, name: str, path: str) -> Targets:
        """What a program keeps under a name in an object of a framework; the framework's own, `path`, where it is not
        known to keep anything there."""
        found = [hit for file, value in self.definitions(holder, name) for hit in self.resolve(file, value)]
        found = [hit for hit in found if hit is not TOP]
        if self._falls_back(found, holder, name):
            found.append(self._api(path))
        return _distinct(found)

    def _read(self, target: Target, hits: Targets) -> Iterator[Target]:
        """What is got by reading a member that is found to be `hits`: of a property, what its function answers."""
        for hit in hits:
            if isinstance(hit, Fn) and self._may_get(target, hit) and self.is_getter(hit.id):
                yield from self._answered(hit, (target,))
            elif isinstance(hit, Inst) and "__get__" in self.members_of(hit.id):
                yield from (each for got in self.methods(hit, "__get__") for each in self._answered(Fn(got), (hit,)))
            else:
                yield hit

    def _may_get(self, target: Target, hit: Fn) -> bool:
        """Whether reading a function from a target can run it: in Python, from an instance only."""
        return isinstance(target, Inst) or not self.functions[hit.id][0].is_python

    def is_getter(self, function: int) -> bool:
        """Whether a function of the program is run by reading the member that it is: a property."""
        return self.functions[function][1].kind is FunctionKind.ACCESSOR

    def _of_typed(self, target: Typed | Generated, name: str) -> Targets:
        """A member of what is declared to be a container; a key, where it is none of a container's own."""
        if name in _OF_COLLECTIONS:
            return (Bound(target, name),)
        is_mapping = isinstance(target, Typed) and self._is_mapping(target)
        return tuple(self.elements(target, is_value=True)) if is_mapping else ()

    def definitions(self, target: Target, name: str) -> Sequence[Definition]:
        """Where the program itself defines the member `name` of a target: the values it is given, with their files."""
        if isinstance(target, Api):
            if target.path not in self._holders:
                return ()
        elif target is TOP:
            return ()
        asked = (target, name)
        known = self._definitions.get(asked)
        if known is not None:
            return known
        provisional = self._provisional_definitions.get(asked)
        if provisional is None:
            plain = self._defined_at_once(target, name)
            if plain is not None:
                self._definitions[asked] = plain
                return plain
            answer: Sequence[Definition] = self._begin(asked) if self._at < 0 else self._work_out(asked)
            return answer
        if isinstance(provisional, int):
            answer = self._of_open(provisional, ())
            return answer
        self._note_reader(asked)
        return provisional

    def _defined_at_once(self, target: Target, name: str) -> Sequence[Definition] | None:
        if type(target) is Module:
            file = self.files[target.file]
            value = file.exports.get(name)
            if value is not None:
                return [(file, value)]
            return None if file.star_exports or "=" in file.exports else []
        if not self._has_properties or name in self._late_names:
            return None
        if type(target) is Inst or type(target) is Cls:
            own = self._own_member(target, name)
            if own:
                return own
            parents = self._ancestry(target.id)
            if parents is None:
                return None
            kind = type(target)
            return [
                each
                for parent in parents
                if isinstance(parent, Cls)
                for each in self.definitions(kind(parent.id), name)
            ]
        if type(target) is Obj:
            stored = self._stored(target).get(name, ())
            if stored:
                return stored
            file = self.files[target.file]
            literal = file.facts.values[target.value]
            if name in literal.names:
                return [(file, literal.items[literal.names.index(name)])]
            return None if "..." in literal.names else []
        if type(target) is Fn or type(target) is FnMember:
            return self._stored(target).get(name, ())
        return None

    def _ancestry(self, cls: int, depth: int = 0) -> Sequence[Cls | Api] | None:
        """The classes that a class derives from itself, if they are known for good, and theirs, too, there are few
        steps to the last, and none of them is abstract or implements another; else None. `depth`: the steps to this
        class from the one that was asked for."""
        known = self._ancestries.get(cls)
        if known is not None:
            return known[0] if known[1] < _SHALLOW else None
        if depth >= _SHALLOW:
            return None
        file, fact = self.classes[cls]
        if fact.is_abstract or fact.implements:
            self._ancestries[cls] = (), _SHALLOW
            return None
        self._ancestries[cls] = (), _SHALLOW  # as long as it is looked for
        parents: list[Cls | Api] = []
        steps = 0
        for base in fact.bases:
            bases = self._for_good(file, base)
            if bases is None or any(isinstance(parent, Module) for parent in bases):
                steps = _SHALLOW
                break
            for parent in bases:
                if isinstance(parent, Cls):
                    if self._ancestry(parent.id, depth + 1) is None:
                        steps = _SHALLOW
                        break
                    steps = max(steps, self._ancestries[parent.id][1] + 1)
                    parents.append(parent)
                elif isinstance(parent, Api):
                    parents.append(Api(parent.path.removesuffix("[]")))  # `Generic[T]`
        if steps < _SHALLOW:
            self._ancestries[cls] = parents, steps
            return parents
        del self._ancestries[cls]
        return None

    def _define(self, target: Target, name: str) -> Sequence[Definition]:
        if isinstance(target, Module):
            return self._exported(self.files[target.file], name)
        if isinstance(target, (Cls, Inst)):
            return self._class_member(target, name)
        stored = self._stored_as(target, name)
        if isinstance(target, New) and not stored:
            return self._of_prototype(target, name)
        if isinstance(target, Obj) and not stored:
            return self._property(target, name)
        return stored

    def _of_prototype(self, target: New, name: str) -> Sequence[Definition]:
        """A member that a constructor function gives to what it constructs: `F.prototype.name = …`, `F.prototype =
        {…}`, `F.prototype = Object.create(G.prototype)`."""
        found = list(self._stored_as(FnMember(target.id, "prototype"), name))
        for file, value in () if found else self._stored_as(Fn(target.id), "prototype"):
            for base in self.resolve(file, value):
                if isinstance(base, FnMember) and base.id != target.id:
                    found += self.definitions(New(base.id), name)
                elif isinstance(base, (Obj, New)):
                    found += self.definitions(base, name)
        return found

    def _property(self, target: Obj, name: str) -> list[Definition]:
        file = self.files[target.file]
        literal = file.facts.values[target.value]
        for key, item in zip(literal.names, literal.items, strict=False):
            if key == name:
                return [(file, item)]
        found: list[Definition] = []
        for key, item in zip(literal.names, literal.items, strict=False):
            if key == "...":
                spread = file.facts.values[item]
                inner = spread.ref if spread.kind is ValueKind.SPREAD else item
                for base in self.resolve(file, inner):
                    found += self.definitions(base, name)
        return found

    def _exported(self, file: File, name: str) -> list[Definition]:
        if name in file.exports:
            return [(file, file.exports[name])]
        found: list[Definition] = []
        if "=" in file.exports:
            if name == "default":
                return [(file, file.exports["="])]
            for base in self.resolve(file, file.exports["="]):
                if base != Module(file.index):
                    found += self.definitions(base, name)
        if self._falls_back(found, file.path, name):
            found += self._reexported(file, name)
        return found

    def _reexported(self, file: File, name: str) -> list[Definition]:
        """Where a name comes from that a module exports with all others of another module, the nearest places first."""
        found: list[Definition] = []
        files = [file]
        seen = {file.index}
        for at in files:
            for star in at.star_exports:
                for base in self.resolve(at, star):
                    if not isinstance(base, Module):
                        found += self.definitions(base, name)
                    elif base.file not in seen and len(seen) < _MOST_MODULES:
                        seen.add(base.file)
                        other = self.files[base.file]
                        if name in other.exports or "=" in other.exports:
                            found += self.definitions(base, name)
                        else:
                            files.append(other)
        return found

    def _undefined_export(self, file: File, name: str) -> Targets:
        """A member that a module does not define: a Python submodule, the default of a module that only sets
        `exports.a`, or one that a foreign module provides through it."""
        if file.is_python:
            submodule = self._python.submodule(file.path, name)
            if submodule is not None and submodule in self.by_path:
                return (Module(self.by_path[submodule].index),)
        elif name == "default" and file.exports:
            return (Module(file.index),)
        sources = [file.exports["="]] if "=" in file.exports else file.star_exports
        return _distinct(
            hit
            for source in sources
            for base in self.resolve(file, source)
            if isinstance(base, Api)
            for hit in self.member(base, name)
        )

    def member_names(self, target: Target) -> Iterator[str]:
        """The names of the members that the program itself defines for a target."""
        names: dict[str, None] = {}
        if isinstance(target, Module):
            names.update(dict.fromkeys(self.files[target.file].exports))
            for whole in self.module_object_of(target):
                names.update(dict.fromkeys(self.member_names(whole)))
        elif isinstance(target, Obj):
            literal = self.files[target.file].facts.values[target.value]
            names.update(dict.fromkeys((*literal.names, *self._stored(target))))
            for key, item in zip(literal.names, literal.items, strict=False):
                if key == "...":
                    spread = self.files[target.file].facts.values[item]
                    inner = spread.ref if spread.kind is ValueKind.SPREAD else item
                    for base in self.resolve(self.files[target.file], inner):
                        names.update(dict.fromkeys(() if base == target else self.member_names(base)))
        elif isinstance(target, (Cls, Inst)):
            names.update(dict.fromkeys(self.classes[target.id][1].names))
        yield from (name for name in names if name not in ("...", "=", _COMPUTED))

    def module_object_of(self, target: Module) -> Iterator[Target]:
        """What a module is as a whole, where it sets that: `module.exports = …`."""
        for file, value in self.definitions(target, "="):
            yield from (hit for hit in self.resolve(file, value) if not isinstance(hit, Module))

    def members_of(self, cls: int) -> dict[str, int]:
        """The members that a class of the program declares itself: name → value in its file."""
        if cls not in self._class_members:
            fact = self.classes[cls][1]
            self._class_members[cls] = dict(zip(fact.names, fact.members, strict=False))
        return self._class_members[cls]

    def _class_member(self, target: Cls | Inst, name: str) -> list[Definition]:
        file, fact = self.classes[target.id]
        own = self._own_member(target, name)
        if own:
            return own
        found: list[Definition] = []
        for base in fact.bases:
            for parent in self._module_object(self.resolve(file, base)):
                if isinstance(parent, Cls) and parent.id != target.id:
                    found += self.definitions(type(target)(parent.id), name)
        for interface in fact.implements:
            for parent in self.resolve(file, interface):
                if isinstance(parent, Cls) and (member := self._declared(Inst(parent.id), name)) != NONE:
                    found.append((self.classes[parent.id][0], member))
        if fact.is_abstract and self._falls_back(found, target, "derived"):
            found += self._of_derived(target, name)
        return found

    def _of_derived(self, target: Cls | Inst, name: str) -> list[Definition]:
        """A member that an abstract class leaves to those that derive from it."""
        found: dict[Definition, None] = {}
        for derived in self.concrete(target.id):
            member = self._declared(Inst(derived), name)
            if member != NONE:
                found[self.classes[derived][0], member] = None
        return list(found)

    def _own_member(self, target: Cls | Inst, name: str) -> list[Definition]:
        """Where a class defines a member itself."""
        file = self.classes[target.id][0]
        own: list[Definition] = [(file, member)] if (member := self._declared(target, name)) != NONE else []
        for owner in (Inst(target.id), Cls(target.id)):
            own += self._stored_as(owner, name)
        return own

    def _declared(self, target: Cls | Inst, name: str) -> int:
        """The member that a class declares itself: of two with one name, the static one is the class's."""
        file, fact = self.classes[target.id]
        member = self.members_of(target.id).get(name, NONE)
        if member != NONE and fact.names.count(name) > 1:
            for other_name, other in zip(fact.names, fact.members, strict=False):
                value = file.facts.values[other]
                is_static = value.kind is ValueKind.FUNCTION and file.facts.functions[value.ref].is_static
                if other_name == name and is_static is isinstance(target, Cls):
                    return other
        return member

    def _inherited_api(self, target: Cls | Inst, name: str) -> Targets:
        """A member that a class can only have from a foreign base."""
        return _distinct(
            self._api(f"{parent.path if isinstance(target, Cls) else self._called(parent.path)}.{name}")
            for parent in self.bases_of(target.id)
            if isinstance(parent, Api)
        )

    def _module_object(self, targets: Targets) -> Iterator[Target]:
        """The targets, with what a module is as a whole (`module.exports = class …`) in its place, if that is set."""
        for target in targets:
            whole = self.definitions(target, "=") if isinstance(target, Module) else ()
            yield from (hit for file, value in whole for hit in self.resolve(file, value))
            if not isinstance(target, Module) or self._falls_back(whole, target):
                yield target

    def bases_of(self, cls: int) -> Iterator[Target]:
        """All classes that a class derives from, nearest first: the program's own (`Cls`, each once) and foreign ones
        (`Api`). Of more than `_MOST_BASES` the first."""
        seen = {cls}
        waiting = [self._parents(cls)]
        while waiting:
            parent = next(waiting[-1], None)
            if parent is None:
                waiting.pop()
            elif isinstance(parent, Api):
                yield parent
            elif parent.id not in seen and len(seen) <= _MOST_BASES:
                seen.add(parent.id)
                yield parent
                waiting.append(self._parents(parent.id))

    def _parents(self, cls: int) -> Iterator[Cls | Api]:
        known = self._ancestry(cls)
        if known is not None:
            yield from known
            return
        file, fact = self.classes[cls]
        for base in fact.bases:
            for parent in self._module_object(self.resolve(file, base)):
                if isinstance(parent, Api):
                    yield Api(parent.path.removesuffix("[]"))  # `Generic[T]`
                elif isinstance(parent, Cls):
                    yield parent

    def _called(self, path: str) -> str:
        path = f"{path}()"
        return self._aliases.get(path, path)

    def _api(self, path: str) -> Api:
        known = self._aliases.get(path)
        if known is not None:
            return Api(known)
        path = path if len(path) <= _LONGEST_API else "?"
        return Api(path) if self._low == _NEVER else Grown(path)

    def _call(self, file: File, value: Value, _: int) -> Iterable[Target]:
        call = file.facts.calls[value.ref]
        found: list[Target] = []
        for target in self._part(file, call.callee):
            found += self.result(file, call, target)
        return found

    def result(self, file: File, call: Call, target: Target) -> Targets:
        """What `call` answers when its callee is `target`."""
        if isinstance(target, Api):
            position = RETURN_ARGUMENT.get(target.path)
            if position is not None and position < len(call.args):
                return self._part(file, call.args[position])
            if target.path in self._getters and call.args:
                return self._got(file, call, target.path)
            if target.path in self._instantiates and call.args:
                made = [each for each in self._part(file, call.args[0]) if isinstance(each, Cls)]
                return tuple(Inst(cls) for each in made for cls in self.concrete(each.id) or (each.id,))
            if target.path in _LOADERS and call.args:
                return self._computed_require(file, call)
            own = self._made_of_own(file, call, target.path) if file.is_python and call.args else None
            return own if own is not None else (self._api(f"{target.path}()"),)
        if isinstance(target, Fn):
            return (New(target.id),) if call.is_new else self._returned(file, call, target)
        if isinstance(target, Cls):
            return (Inst(target.id),)
        if isinstance(target, Inst):
            return _distinct(
                hit for called in self.methods(target, "__call__") for hit in self._returned(file, call, Fn(called))
            )
        if isinstance(target, Bound):
            return self._of_bound(file, call, target)
        if isinstance(target, Typed):
            is_callable = self._type_name(target) == "Callable"
            return self._arguments_as(target, -1) if is_callable else (target,)
        if isinstance(target, FnMember) and target.name in ("bind", "__get__"):
            return (Fn(target.id),)
        if isinstance(target, Module):
            whole = self.definitions(target, "=")
            return _distinct(
                hit
                for owner, value in whole
                for base in self.resolve(owner, value)
                for hit in self.result(file, call, base)
            )
        return (TOP,) if target is TOP else ()

    def _got(self, file: File, call: Call, path: str) -> Targets:
        """What a call answers that asks an object of a framework for what is kept under a name."""
        name = file.facts.values[call.args[0]]
        if name.kind is not ValueKind.STRING or len(call.args) > 1:
            return (self._api(f"{path}()"),)
        return self._kept(Api(self._getters[path]), name.text, f"{path}()")

    def asked_of(self, path: str) -> str:
        """The object of a framework that calling an API asks for what is kept in it, or ""."""
        return self._getters.get(path, "")

    def _computed_require(self, file: File, call: Call) -> Targets:
        argument = file.facts.values[call.args[0]]
        if argument.kind is ValueKind.STRING:
            path = self._node.from_package_root(file.path, argument.text)
            return (Module(self.by_path[path].index),) if path is not None and path in self.by_path else ()
        known = literal_path(file.facts, file.path, call.args[0], lambda value: self.api_of(file, value))
        if known is None:
            return ()
        paths = self._node.at(known.text) if known.is_whole else self._node.starting_with(known.text)
        return tuple(Module(self.by_path[path].index) for path in paths if path != file.path)

    def computed_modules(self, file: File) -> Iterator[File]:
        """The files that a file loads by paths that it puts together."""
        if file.is_python or not any(not request.module for request in file.facts.imports):
            return
        for call in file.facts.calls:
            callee = file.facts.values[call.callee]
            if callee.kind is not ValueKind.GLOBAL or callee.text not in _LOADERS or not call.args:
                continue
            if file.facts.values[call.args[0]].kind is not ValueKind.STRING:
                for target in self._computed_require(file, call):
                    if isinstance(target, Module):
                        yield self.files[target.file]

    def _made_of_own(self, file: File, call: Call, api: str) -> Targets | None:
        """What Python's own functions make of a collection or a class of the program; None for anything else."""
        if api in _FIELDS:
            for keyword in ("default_factory", "factory"):
                factory = keyword_of(call, keyword)
                if factory != NONE:
                    made = _distinct(hit for each in self._part(file, factory) for hit in self.result(file, call, each))
                    return tuple(each for each in made if not isinstance(each, Api) or "builtins." not in each.path)
            default = keyword_of(call, "default")
            return self._part(file, default) if default != NONE else ()
        if api not in _SAME_ELEMENTS and api not in _ONE_ELEMENT and api not in ("builtins.type", "builtins.enumerate"):
            return None
        given = [each for each in self._part(file, call.args[0]) if self._has_elements(each)]
        if not given:
            return None
        if api == "builtins.type":
            return tuple(Cls(each.id) for each in given if isinstance(each, Inst))
        if api in _ONE_ELEMENT:
            return _distinct(hit for each in given for hit in self.elements(each))
        if api == "builtins.enumerate":
            # what is counted again and again, `rows = enumerate(rows)` in a loop, has to come to an end
            is_deep = any(isinstance(each, Bound) and isinstance(each.of, Bound) for each in given)
            return (TOP,) if is_deep else tuple(Bound(each, "items()") for each in given)
        return tuple(given)

    def _has_elements(self, target: Target) -> bool:
        """Whether something of Python's is known of what a target's elements are, or its class is."""
        if isinstance(target, Api):
            return f"{target.path}[]" in self._aliases
        return isinstance(target, (Obj, Typed, Generated, Inst, Bound))

    def _of_bound(self, file: File, call: Call, target: Bound) -> Targets:
        """What a method of a collection answers."""
        if target.name in _GIVES_ELEMENT:
            default = call.args[1] if target.name in ("get", "pop", "setdefault") and len(call.args) > 1 else NONE
            return _distinct((*self.elements(target.of, is_value=True), *self._part(file, default)))
        if target.name in _GIVES_PAIRS:
            return (Bound(target.of, "items()" if target.name == "items" else "()"),)
        return (target.of if target.name != "values" else Bound(target.of, "values()"),)

    def _returned(self, file: File, call: Call, target: Fn) -> Targets:
        owner, function = self.functions[target.id]
        if function.is_generator and owner.is_python and not function.decorators:
            return (Generated(target.id),)
        found: list[Target] = []
        receivers: Targets | None = None
        for value in owner.returns.get(target.id - owner.fn_base, ()):
            fact = owner.facts.values[value]
            if fact.kind is ValueKind.PARAM and fact.ref == target.id - owner.fn_base and fact.items:
                argument = argument_of(call, function, fact.items[0])
                found += self._part(file, argument)
            elif owner.is_python and self._is_own_kind(owner, fact):
                receivers = self._receivers(file, call, target) if receivers is None else receivers
                found += self._of_own_kind(fact, receivers) or self.resolve(owner, value)
            else:
                found += self.resolve(owner, value)
        return self._as_declared(target, found)

    def _answered(self, target: Fn, receivers: Targets) -> Targets:
        """What a function of the program answers that is run by reading a member of `receivers`."""
        owner = self.functions[target.id][0]
        found: list[Target] = []
        for value in owner.returns.get(target.id - owner.fn_base, ()):
            fact = owner.facts.values[value]
            own = self._of_own_kind(fact, receivers) if owner.is_python and self._is_own_kind(owner, fact) else ()
            found += own or self.resolve(owner, value)
        return self._as_declared(target, found)

    def answered(self, function: int, receivers: Targets) -> Targets:
        """What a method of the program answers that runs without arguments on `receivers`."""
        return self._answered(Fn(function), receivers)

    def declares(self, receiver: Inst, name: str, function: int) -> bool:
        """Whether a member of an object is a function of the program."""
        return function in self.methods(receiver, name)

    def _as_declared(self, target: Fn, found: list[Target]) -> Targets:
        """What a function answers, of which `found` is known, with regard to what it is declared to answer."""
        owner, function = self.functions[target.id]
        declared = self._instance_of(owner, function.result) if function.result != NONE else ()
        if any(isinstance(each, Inst) for each in declared):
            found = [each for each in found if not isinstance(each, Api) and each is not TOP]
        if declared and self._falls_back(found, target):
            if function.is_generator:
                declared = _distinct(hit for each in declared for hit in self.elements(each))
            found += declared
        return _distinct(found)

    def _yields(self, function: int) -> Targets:
        """What a generator function yields."""
        return self._answered(Fn(function), ())

    def _is_own_kind(self, file: File, fact: Value) -> bool:
        """Whether a value is what a method was called on (`self`), or makes one of its class (`cls()`)."""
        if fact.kind is ValueKind.CALL:
            fact = file.facts.values[file.facts.calls[fact.ref].callee]
            return fact.kind is ValueKind.SELF and fact.text == "cls"
        return fact.kind is ValueKind.SELF

    def _of_own_kind(self, fact: Value, receivers: Targets) -> Targets:
        if fact.kind is ValueKind.SELF:
            return receivers
        return tuple(Inst(each.id) for each in receivers if isinstance(each, (Cls, Inst)))

    def _receivers(self, file: File, call: Call, target: Fn) -> Targets:
        """What a method of the program is called on, as far as it is known by its class."""
        callee = file.facts.values[call.callee]
        if callee.kind is not ValueKind.MEMBER:
            return ()
        return tuple(
            each
            for each in self._part(file, callee.ref)
            if isinstance(each, (Cls, Inst)) and target in self.member(each, callee.text)
        )

    def _function(self, file: File, value: Value, _: int) -> Iterable[Target]:
        return (Fn(file.fn_base + value.ref),)

    def _class(self, file: File, value: Value, _: int) -> Iterable[Target]:
        return (Cls(file.cls_base + value.ref),)

    def _self(self, file: File, value: Value, _: int) -> Iterable[Target]:
        if value.ref == NONE:
            return ()
        return (Cls(file.cls_base + value.ref),) if value.text == "cls" else (Inst(file.cls_base + value.ref),)

    def _receiver(self, file: File, value: Value, _: int) -> Iterable[Target]:
        """`this` in a function: what a framework calls it on; the object, prototype or module that it is a member of;
        what is made of it by `new`."""
        function = file.fn_base + value.ref
        sites = self.callers_of(function)
        given = self.parameters.get((function, RECEIVER))
        if given is not None:
            return given
        found: list[Target] = [Obj(file.index, literal) for literal in file.literals_with.get(value.ref, ())]
        if file.is_exported(value.ref):
            found.append(Module(file.index))
        for holder in file.holders_of.get(value.ref, ()):
            for target in self.resolve(file, holder):
                if isinstance(target, FnMember) and target.name == "prototype":
                    found.append(New(target.id))
                else:
                    found.append(target)
        if not found and (file.has_prototype(value.ref) or any(site.call.is_new for site in sites)):
            found.append(New(function))
        return found

    def _super(self, file: File, value: Value, _: int) -> Iterable[Target]:
        if value.ref == NONE:
            return ()
        owner, fact = self.classes[file.cls_base + value.ref]
        return [
            Inst(parent.id) if isinstance(parent, Cls) else self._api(self._called(parent.path.removesuffix("[]")))
            for base in fact.bases
            for parent in self._module_object(self.resolve(owner, base))
            if isinstance(parent, (Cls, Api))
        ]

    def _param(self, file: File, value: Value, _: int) -> Iterable[Target]:
        function = file.fn_base + value.ref
        position = value.items[0] if value.items else 0
        sites = self.callers_of(function)
        given = self.parameters.get((function, position))
        if given is not None:
            return given
        fact = file.facts.functions[value.ref]
        if position >= len(fact.params):
            return ()
        param = fact.params[position]
        found: list[Target] = []
        if param.annotation != NONE:
            found += self.declared(file, param.annotation)
        if self._falls_back(found):
            for site in sites:
                argument = argument_of(site.call, fact, position)
                if argument != NONE:
                    known = site.file.final[argument]
                    found += known if known is not None else self.resolve(site.file, argument)
            if param.default != NONE:
                found += self._default(file, param.default)
            if file.is_python:
                for owner, metadata in self._metadata(file, param):
                    found += self._injected(owner, metadata)
            if param.annotation != NONE and self._falls_back(found, "declared"):
                found += self._instance_of(file, param.annotation)
        return found

    def _metadata(self, file: File, param: Param) -> Iterator[Definition]:
        """The metadata of `Annotated[T, …]`, if that is what a parameter is declared to be, if only by an alias."""
        yield from ((file, each) for each in param.metadata)
        fact = file.facts.values[param.annotation] if param.annotation != NONE else None
        if fact is None or fact.kind not in (ValueKind.BINDING, ValueKind.MEMBER, ValueKind.SUBSCRIPT):
            return
        for owner, value in self.origins(file, param.annotation):
            alias = owner.facts.values[value]
            if alias.kind is ValueKind.SUBSCRIPT and self.type_name(owner, alias) == "Annotated":
                yield from ((owner, each) for each in self._type_arguments(owner, alias)[1:])

    def _injected(self, file: File, value: int) -> Targets:
        """What FastAPI's `Depends(f)` stands for, if a value is one."""
        fact = file.facts.values[value]
        if fact.kind is not ValueKind.CALL:
            return ()
        call = file.facts.calls[fact.ref]
        return _distinct(
            hit
            for target in (self.resolve(file, call.callee) if call.args else ())
            if isinstance(target, Api) and target.path in _INJECTS
            for hit in self._default_of(file, call, target)
        )

    def _default(self, file: File, value: int) -> Targets:
        """A default value; of FastAPI's `Depends(f)` what `f` returns or yields."""
        fact = file.facts.values[value]
        if fact.kind is ValueKind.CALL:
            call = file.facts.calls[fact.ref]
            if call.args:
                return _distinct(
                    hit for target in self.resolve(file, call.callee) for hit in self._default_of(file, call, target)
                )
        return self.resolve(file, value)

    def _default_of(self, file: File, call: Call, callee: Target) -> Iterable[Target]:
        if isinstance(callee, Api) and callee.path in _INJECTS:
            return (
                hit
                for target in self.resolve(file, call.args[0])
                for made in self.result(file, call, target)
                for hit in (self.elements(made) if isinstance(made, Generated) else (made,))
            )
        return self.result(file, call, callee)

    def _binding(self, file: File, value: Value, _: int) -> Iterable[Target]:
        binding = file.facts.bindings[value.ref]
        found = [hit for assigned in binding.values for hit in self.resolve(file, assigned)]
        if binding.annotation != NONE:
            if self._falls_back(found):
                found += self._instance_of(file, binding.annotation)
            elif file.is_python and found:
                found += [each for each in self._instance_of(file, binding.annotation) if isinstance(each, Typed)]
        return found

    def _global(self, file: File, value: Value, _: int) -> Iterable[Target]:
        if file.is_python:
            found = self._starred(file, value.text) if file.star_exports else ()
            if self._falls_back(found):
                return (*found, Api(f"builtins.{value.text}"))
            return found
        if value.text == "exports":
            return (Module(file.index),)
        return self._of_global_object(value.text)

    def _of_global_object(self, name: str) -> Targets:
        if name in self._global_names and name not in self._holders.get("globalThis", (name,)):
            return self._kept(Api("globalThis"), name, name)
        if name in _JS_ROOTS:
            return (Api("globalThis"),)
        return (self._api(name),)

    def _starred(self, file: File, name: str) -> Targets:
        """A Python name that only a `from m import *` can have brought."""
        return _distinct(
            hit
            for star in file.star_exports
            for base in self.resolve(file, star)
            if isinstance(base, Module)
            for hit in self.member(base, name)
        )

    def _same(self, file: File, value: Value, _: int) -> Iterable[Target]:
        return self._part(file, value.ref)

    def _op(self, file: File, value: Value, _: int) -> Iterable[Target]:
        operands = _operands(value)
        if not operands:
            return self._operated(file, value) if file.is_python else ()
        return [hit for operand in operands for hit in self._part(file, operand)]

    def _operated(self, file: File, value: Value) -> Iterator[Target]:
        """What Python's operators make of paths, of collections and of objects of the program's own."""
        name = OPERATORS.get(value.text)
        if name is None:
            return
        for position, operand in enumerate(value.items):
            method = f"__{'r' if position else ''}{name}__"
            for target in self._part(file, operand):
                if target == _PATH and value.text == "/":
                    yield target
                elif isinstance(target, Inst):
                    for called in self.methods(target, method):
                        yield from self._answered(Fn(called), (target,))
                elif isinstance(target, (Obj, Typed)) and value.text in ("+", "|"):
                    yield target

    def type_name(self, file: File, value: Value) -> str:
        """The name of the type of the standard library that a value takes arguments of (`List[Job]`), or ""."""
        for target in self._part(file, value.ref):
            if isinstance(target, Api):
                module, _, name = target.path.rpartition(".")
                if module.partition(".")[0] in _TYPING:
                    return name
        return ""

    def _type_arguments(self, file: File, value: Value) -> Sequence[int]:
        index = file.facts.values[value.items[0]] if value.items else None
        if index is None:
            return ()
        return index.items if index.kind is ValueKind.ARRAY else value.items

    def _type_name(self, target: Typed) -> str:
        file = self.files[target.file]
        return self.type_name(file, file.facts.values[target.value])

    def _is_mapping(self, target: Typed) -> bool:
        return self._type_name(target) in _MAPPINGS

    def _arguments_as(self, target: Typed, position: int | None) -> Targets:
        """Instances of an argument of a declared type, of each where `position` is None."""
        file = self.files[target.file]
        arguments = self._type_arguments(file, file.facts.values[target.value])
        if position is not None:
            arguments = arguments[position:][:1]
        return _distinct(hit for argument in arguments for hit in self._instance_of(file, argument))

    def _elements_as(self, target: Typed, position: str, is_value: bool) -> Targets:
        name = self._type_name(target)
        if name in _MAPPINGS:
            return self._arguments_as(target, 1 if is_value else 0)
        if name in _GENERATORS:
            return self._arguments_as(target, 0)
        if name in ("tuple", "Tuple"):
            return self._arguments_as(target, int(position) if position else None)
        return self._arguments_as(target, -1)

    def _with_arguments(self, file: File, value: Value, index: int) -> Targets | None:
        """What a type with arguments stands for (`Repo[Job]`, `Annotated[Job, …]`, `list[Job]`); None for what is no
        type."""
        found: list[Target] = []
        for target in self._part(file, value.ref):
            if isinstance(target, Cls):
                found.append(target)
            elif isinstance(target, Api):
                name = self.type_name(file, value)
                if not name or "()" in target.path:
                    return None
                arguments = self._type_arguments(file, value)
                if name in _SAME_TYPE or name == "Union":
                    for argument in arguments if name == "Union" else arguments[:1]:
                        found += self._type(file, argument)
                else:
                    found.append(Typed(file.index, index))
            else:
                return None
        return _distinct(found)

    def _type(self, file: File, value: int) -> Targets:
        """What a type stands for; in quotes it is the name of one."""
        fact = file.facts.values[value]
        if fact.kind is not ValueKind.STRING:
            return self._part(file, value)
        return _distinct(hit for owner, each in self._exported(file, fact.text) for hit in self.resolve(owner, each))

    def _element(self, file: File, value: Value, index: int) -> Iterable[Target]:
        if file.is_python and value.kind is ValueKind.SUBSCRIPT:
            types = self._with_arguments(file, value, index)
            if types:
                return types
        bases = self._part(file, value.ref)
        is_part = self._low != _NEVER
        found: list[Target] = []
        for target in bases:
            if isinstance(target, (Typed, Generated, Inst, Bound)):
                found += self.elements(target, value.text, is_value=value.kind is ValueKind.SUBSCRIPT)
                continue
            is_held = file.is_python and isinstance(target, Api) and target.path in self._holders
            if is_held and (typed := self._of_typed_key(file, value)):
                found += typed
                continue
            item = self.item_at(target, value.text) if value.kind is ValueKind.ELEMENT else None
            if item is not None:
                found += self.resolve(*item)
            elif is_part and not isinstance(target, Api):
                found.append(TOP)  # what is taken from a collection goes into it: there would be no end
            else:
                found += self.elements(target)
        return found

    def _of_typed_key(self, file: File, value: Value) -> Targets:
        """What is kept under a key that says of what type it is: aiohttp's `AppKey("name", Store)`."""
        found: list[Target] = []
        for owner, key in self.origins(file, value.items[0]) if value.items else ():
            fact = owner.facts.values[key]
            call = owner.facts.calls[fact.ref] if fact.kind is ValueKind.CALL else None
            for target in self.resolve(owner, call.callee) if call is not None else ():
                if call is not None and isinstance(target, Api) and target.path.removesuffix("[]") in _TYPED_KEYS:
                    if len(call.args) > 1:
                        found += self._instance_of(owner, call.args[1])
                    callee = owner.facts.values[call.callee]
                    if callee.kind is ValueKind.SUBSCRIPT:
                        found += self._instance_of(owner, callee.items[0])
        return _distinct(found)

    def item_at(self, target: Target, position: str) -> Definition | None:
        """The item of an array literal that is destructured from `position` (a number, or "": not known which)."""
        if not position or not isinstance(target, Obj) or self._stored(target):
            return None
        file = self.files[target.file]
        literal = file.facts.values[target.value]
        items = literal.items[: int(position) + 1] if literal.kind is ValueKind.ARRAY else ()
        if len(items) <= int(position) or any(file.facts.values[item].kind is ValueKind.SPREAD for item in items):
            return None
        return file, items[-1]

    def elements(
        self, target: Target, position: str = "", depth: int = 0, *, is_value: bool = False
    ) -> Sequence[Target]:
        """What an element of a collection can be: every item of a literal. `position`: which one is destructured, ""
        where that is not known; `is_value`: it is taken by a key, not by going through a mapping's keys."""
        if isinstance(target, Api):
            return (self._api(f"{target.path}[]"),)
        if target is TOP:
            return (TOP,)
        if isinstance(target, Typed):
            return self._elements_as(target, position, is_value)
        if isinstance(target, Generated):
            return self._yields(target.id)
        if isinstance(target, Inst):
            return self._elements_of_own(target, depth, is_value) if depth <= 4 else ()
        if isinstance(target, Bound):
            if target.name == "items()":
                return (Bound(target.of, "()"),)
            if target.name == "values()":
                return self.elements(target.of, depth=depth + 1, is_value=True)
            return self.elements(target.of, depth=depth + 1, is_value=True) if position in ("1", "") else ()
        if not isinstance(target, Obj) or depth > 4:
            return ()
        stored = self._stored(target)
        elements = self._elements.get(target)
        if elements is None:
            elements = self._elements_of(target, stored)
            if self._has_properties:
                self._elements[target] = elements
        if len(elements) > _MOST:
            return (TOP,)
        found: list[Target] = []
        for file, item in elements:
            if file.facts.values[item].kind is ValueKind.SPREAD:
                inner = self.resolve(file, file.facts.values[item].ref)
                found += [hit for base in inner for hit in self.elements(base, depth=depth + 1)]
            else:
                known = file.final[item]
                found += known if known is not None else self.resolve(file, item)
        return found

    def _elements_of_own(self, target: Inst, depth: int, is_value: bool) -> Targets:
        """What is taken from an object of the program by going through it, or by a key."""
        if is_value:
            methods = self.methods(target, "__getitem__")
            return _distinct(hit for method in methods for hit in self._answered(Fn(method), (target,)))
        found: list[Target] = []
        for name, step in (("__iter__", "__next__"), ("__aiter__", "__anext__")):
            for method in self.methods(target, name):
                if self.functions[method][1].is_generator:
                    found += self._yields(method)
                    continue
                for each in self._answered(Fn(method), (target,)):
                    if isinstance(each, Inst):
                        steps = self.methods(each, step)
                        found += [hit for called in steps for hit in self._answered(Fn(called), (each,))]
                    else:
                        found += self.elements(each, depth=depth + 1)
        return _distinct(found)

    def added(self, collection: Obj) -> Iterator[Definition]:
        """What the program puts into a collection after it is made."""
        for definitions in self._stored(collection).values():
            yield from definitions

    def _elements_of(self, target: Obj, stored: Mapping[str, Sequence[Definition]]) -> Sequence[Definition]:
        """The elements of a collection that can be something."""
        file = self.files[target.file]
        found = dict.fromkeys((file, item) for item in file.facts.values[target.value].items)
        found.update((definition, None) for definitions in stored.values() for definition in definitions)
        return [(owner, item) for owner, item in found if owner.facts.values[item].kind not in _NOTHING_ELSE]

    def _instance(self, file: File, value: Value, _: int) -> Iterable[Target]:
        return self._instance_of(file, value.ref)

    def declared(self, file: File, annotation: int) -> Targets:
        """Instances of a declared type, if that says what is constructed: an abstract one does not."""
        return tuple(
            target
            for target in self._instance_of(file, annotation)
            if not isinstance(target, Inst) or not self._is_abstract(file, annotation)
        )

    def _is_abstract(self, file: File, annotation: int) -> bool:
        return any(
            isinstance(target, Cls) and self.classes[target.id][1].is_abstract
            for target in self.resolve(file, annotation)
        )

    def _instance_of(self, file: File, annotation: int) -> Targets:
        """Instances of a declared type; of an abstract one, of what derives from it, where that is known. A type that
        the program does not have (`str`) says nothing."""
        found: list[Target] = []
        for target in self._type(file, annotation) if file.is_python else self.resolve(file, annotation):
            if isinstance(target, Typed):
                if self._type_name(target) in ("type", "Type"):
                    made = self._arguments_as(target, 0)
                    found += [Cls(each.id) for each in made if isinstance(each, Inst)]
                elif self._type_name(target) in _AWAITABLES:
                    found += self._arguments_as(target, -1)
                else:
                    found.append(target)
            elif isinstance(target, Cls):
                found += [Inst(concrete) for concrete in self.concrete(target.id) or (target.id,)]
            elif (
                isinstance(target, Api) and "." in target.path and not target.path.startswith(("builtins.", "typing."))
            ):
                found.append(self._api(self._called(target.path.removesuffix("[]"))))
        return _distinct(found)

    def _yielded(self, file: File, value: Value, _: int) -> Iterable[Target]:
        found: list[Target] = []
        for target in self.resolve(file, value.ref):
            if isinstance(target, Inst):
                enter = "__aenter__" if value.items and value.items[0] else "__enter__"
                entered = [
                    hit for method in self.methods(target, enter) for hit in self._answered(Fn(method), (target,))
                ]
                found += entered
                if self._falls_back(entered, target):
                    found.append(target)
            elif isinstance(target, Generated):
                found += self._yields(target.id)
            elif isinstance(target, Typed):
                found += self._arguments_as(target, 0)
            else:
                found.append(target)
        return found

    def _literal(self, file: File, _: Value, index: int) -> Iterable[Target]:
        return (Obj(file.index, index),)

    def _nothing(self, _file: File, _value: Value, _index: int) -> Iterable[Target]:
        return ()


_Resolve = Callable[[Resolver, File, Value, int], Iterable[Target]]
_RESOLVE: dict[ValueKind, _Resolve] = dict.fromkeys(ValueKind, Resolver._nothing) | {
    ValueKind.IMPORT: Resolver._import,
    ValueKind.MEMBER: Resolver._member,
    ValueKind.CALL: Resolver._call,
    ValueKind.FUNCTION: Resolver._function,
    ValueKind.CLASS: Resolver._class,
    ValueKind.PARAM: Resolver._param,
    ValueKind.SELF: Resolver._self,
    ValueKind.SUPER: Resolver._super,
    ValueKind.BINDING: Resolver._binding,
    ValueKind.GLOBAL: Resolver._global,
    ValueKind.OBJECT: Resolver._literal,
    ValueKind.ARRAY: Resolver._literal,
    ValueKind.SPREAD: Resolver._element,
    ValueKind.AWAIT: Resolver._same,
    ValueKind.OP: Resolver._op,
    ValueKind.SUBSCRIPT: Resolver._element,
    ValueKind.ELEMENT: Resolver._element,
    ValueKind.INSTANCE: Resolver._instance,
    ValueKind.YIELDED: Resolver._yielded,
    ValueKind.RECEIVER: Resolver._receiver,
}


_AtOnce = Callable[[Resolver, File, Value], Targets | None]
_AT_ONCE: dict[ValueKind, _AtOnce] = {
    ValueKind.MEMBER: Resolver._member_at_once,
    ValueKind.CALL: Resolver._call_at_once,
    ValueKind.BINDING: Resolver._binding_at_once,
    ValueKind.GLOBAL: Resolver._global_at_once,
    ValueKind.OP: Resolver._op_at_once,
    ValueKind.AWAIT: Resolver._same_at_once,
}
_LEAVES = frozenset(
    {kind for kind, resolve in _RESOLVE.items() if resolve is Resolver._nothing}
    | {ValueKind.IMPORT, ValueKind.FUNCTION, ValueKind.CLASS, ValueKind.SELF, ValueKind.OBJECT, ValueKind.ARRAY}
)
"""The kinds of values that rest on no others."""
_DEFINED_ELSEWHERE = frozenset({ValueKind.BINDING, ValueKind.MEMBER, ValueKind.IMPORT, ValueKind.AWAIT, ValueKind.OP})
"""The kinds of values that can stand for others."""
_NOTHING_ELSE = frozenset(kind for kind, resolve in _RESOLVE.items() if resolve is Resolver._nothing)
"""The kinds of values that are no target."""


def argument_of(call: Call, function: Function, position: int) -> int:
    """The value that `call` passes for parameter `position` of `function`, or NONE; keywords are matched by name."""
    positional = len(call.args) - len(call.keywords)
    if position < positional:
        return call.args[position]
    if call.keywords and position < len(function.params):
        name = function.params[position].name
        for offset, keyword in enumerate(call.keywords):
            if keyword == name:
                return call.args[positional + offset]
    return NONE


def keyword_of(call: Call, name: str) -> int:
    """The value of the keyword argument `name` of a Python call, or NONE."""
    for offset, keyword in enumerate(call.keywords):
        if keyword == name:
            return call.args[len(call.args) - len(call.keywords) + offset]
    return NONE


def _operands(value: Value) -> Sequence[int]:
    """What an operator answers one of."""
    if value.text in ("||", "??"):
        return value.items
    if value.text == "?:":
        return value.items[1:]
    return value.items[-1:] if value.text == "&&" else ()


def is_module_function(function: Function) -> bool:
    """Whether a function is a file's module body."""
    return function.kind is FunctionKind.MODULE


def _is_prototype(value: Value) -> bool:
    return value.kind is ValueKind.MEMBER and value.text == "prototype"


def _is_late(site: _StoreSite) -> bool:
    """Whether it takes callers or frameworks to know what is stored in."""
    fact = site.file.facts.values[site.target]
    while fact.kind in _PARTS:
        fact = site.file.facts.values[fact.ref]
    return fact.kind in (ValueKind.PARAM, ValueKind.RECEIVER)


_PARTS = (ValueKind.MEMBER, ValueKind.ELEMENT, ValueKind.SUBSCRIPT, ValueKind.AWAIT)


def _distinct(targets: Iterable[Target]) -> Targets:
    if not isinstance(targets, (tuple, list)):
        targets = list(targets)
    return tuple(targets) if len(targets) < 2 else tuple(dict.fromkeys(targets))


def _place(definition: Definition) -> tuple[str, int]:
    return definition[0].path, definition[1]


_KINDS = {
    kind: number
    for number, kind in enumerate((Api, Fn, FnMember, Cls, Inst, New, Module, Obj, Typed, Generated, Bound, type(TOP)))
}
_KINDS[Grown] = _KINDS[Api]
