"""What a value means once all files are known.

`Resolver.resolve(file, value)` follows imports, exports, members, calls, parameters and classes through the whole
program and answers a tuple of `Target`s: empty where it does not know. Nothing is executed; where control flow
decides, all possibilities are in the answer (capped).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property

from prodlint.facts import NONE, Call, Class, ExitKind, FileFacts, Function, FunctionKind, Value, ValueKind
from prodlint.program.linking.modules import NodeModules, PythonModules
from prodlint.program.linking.targets import Api, Cls, Fn, FnMember, Inst, Module, New, Obj, Target, Targets

_MOST_MODULES = 1_000
"""How many modules are asked for a name that they pass on to each other."""
_MOST = 64
"""More possibilities than this say nothing about any one of them."""
_MOST_BASES = 100
_LONGEST_API = 160
_COMPUTED = "[]"
"""The name under which what is stored by a computed key is kept."""
_DEEPEST = 100

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
    "typing.cast": 1,
    "util.promisify": 0,
    "util.callbackify": 0,
    "bluebird.promisify": 0,
    "bluebird.promisifyAll": 0,
    "Array.from": 0,
    "Promise.resolve": 0,
    "lodash.merge": 0,
    "lodash.extend": 0,
    "lodash.partial": 0,
    **dict.fromkeys(MEMOISERS - {"functools.lru_cache"}, 0),  # `lru_cache(maxsize=8)` is given no function
}
"""Calls whose result stands for one of their arguments."""

_JS_ROOTS = frozenset({"globalThis", "global", "window", "self"})


class File:
    """One source file of the program: its facts and what linking derives from them."""

    def __init__(self, index: int, path: str, facts: FileFacts, fn_base: int, cls_base: int) -> None:
        self.index = index
        self.path = path
        self.facts = facts
        self.fn_base = fn_base
        self.cls_base = cls_base
        self.is_python = facts.kind == "python"
        self.memo: list[Targets | None] = [None] * len(facts.values)
        """What values were found to be, for good."""
        self.passing: list[Targets | None] = [None] * len(facts.values)
        """The same as far as is known: linking may learn more."""
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
    def made_of(self) -> Mapping[int, Sequence[int]]:
        """The values that each value is a part of: its members, operators over it, what holds it. What a call makes of
        its arguments is not meant, nor what a function does with its parameters."""
        found: dict[int, list[int]] = defaultdict(list)
        for number, value in enumerate(self.facts.values):
            if value.kind in _MADE_OF_REF:
                found[value.ref].append(number)
            if value.items and value.kind is not ValueKind.PARAM:
                for item in value.items:
                    found[item].append(number)
        return found


_MADE_OF_REF = frozenset(
    {ValueKind.MEMBER, ValueKind.SUBSCRIPT, ValueKind.SPREAD, ValueKind.AWAIT, ValueKind.ELEMENT, ValueKind.INSTANCE}
)


Definition = tuple[File, int]
"""A value, with the file that it is written in."""


class CallSite:
    """A call, by file and index."""

    __slots__ = ("call", "file", "index")

    def __init__(self, file: File, index: int) -> None:
        self.file = file
        self.index = index
        self.call: Call = file.facts.calls[index]


class Resolver:
    """Answers what values mean. Grows as linking learns call sites (`callers`) and the parameters that frameworks fill
    (`parameters`); `forget` drops what was answered before such news.

    An answer that asked for a parameter whose callers may not all be known, or for one that was being worked out, is
    `passing`, and so is every answer that rests on it. All others are kept."""

    def __init__(self, files: list[File], node: NodeModules, python: PythonModules, aliases: Mapping[str, str]) -> None:
        self.files = files
        self.by_path = {file.path: file for file in files}
        self._node = node
        self._python = python
        self._aliases = aliases
        self.functions: list[tuple[File, Function]] = [
            (file, function) for file in files for function in file.facts.functions
        ]
        self.classes: list[tuple[File, Class]] = [(file, cls) for file in files for cls in file.facts.classes]
        self.callers: dict[int, list[CallSite]] = defaultdict(list)
        self.parameters: dict[tuple[int, int], Target] = {}
        self._properties: dict[Target, dict[str, list[tuple[File, int]]]] = defaultdict(dict)
        self._class_members: dict[int, dict[str, int]] = {}
        self._definitions: dict[tuple[Target, str], list[Definition]] = {}
        self._passing_definitions: dict[tuple[Target, str], list[Definition]] = {}
        self._is_passing = False
        """Whether what is being worked out is passing."""
        self._is_settled = False
        self._depth = 0

    # ------------------------------------------------------------------ files and names

    def module(self, importer: File, specifier: str) -> File | None:
        """The program's file that `specifier` means in `importer`."""
        table: NodeModules | PythonModules = self._python if importer.is_python else self._node
        path = table.resolve(importer.path, specifier)
        return self.by_path.get(path) if path is not None else None

    def lasts(self, file: File, value: int) -> bool:
        """Whether what `resolve` answered for a value is so for good."""
        return value == NONE or file.memo[value] is not None

    def settle(self) -> None:
        """Take all callers and parameters for known from now on."""
        self._is_settled = True

    def forget(self) -> None:
        """Drop the passing answers: something was learnt that may change them."""
        for file in self.files:
            file.passing = [None] * len(file.facts.values)
        self._passing_definitions.clear()

    def learn_properties(self) -> None:
        """Take note of what is stored in members of the program's own objects, functions and classes."""
        for file in self.files:
            for store in file.facts.stores:
                if store.value != NONE and store.op == "=":
                    for target in self.resolve(file, store.target):
                        if isinstance(target, (Obj, Fn, FnMember, Cls, Inst, New)):
                            name = store.name or _COMPUTED
                            self._properties[target].setdefault(name, []).append((file, store.value))
        for file in self.files:
            file.memo = [None] * len(file.facts.values)
        self._definitions.clear()
        self.forget()

    def origins(self, file: File, value: int) -> list[Definition]:
        """The expressions that a value comes from: names, members and imports are followed to what they stand for, a
        call stays a call. Ends at the value itself where it does not know."""
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

    def _defined_by(self, file: File, fact: Value) -> list[Definition]:
        """One step of `origins`: what a name, member or import stands for."""
        if fact.kind is ValueKind.BINDING:
            return [(file, assigned) for assigned in file.facts.bindings[fact.ref].values]
        if fact.kind is ValueKind.MEMBER:
            bases = self.resolve(file, fact.ref)
            return [defined for target in bases for defined in self.definitions(target, fact.text)]
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
            return self._methods(target, name)
        if isinstance(target, Inst):
            return self._methods(target, "__call__")
        return []

    def _methods(self, target: Target, name: str) -> list[int]:
        found = (hit for file, value in self.definitions(target, name) for hit in self.resolve(file, value))
        return [hit.id for hit in found if isinstance(hit, Fn)]

    # ------------------------------------------------------------------ values

    def resolve(self, file: File, value: int) -> Targets:
        """All that values[`value`] of `file` can be, as far as is known; () if nothing is."""
        if value == NONE:
            return ()
        known = file.memo[value]
        if known is not None:
            return known
        known = file.passing[value]
        if known is not None:
            self._is_passing = True
            return known
        if self._depth > _DEEPEST:
            self._is_passing = True
            return ()
        around = self._is_passing
        self._is_passing = False
        file.passing[value] = ()  # the answer for a value that depends on itself
        self._depth += 1
        fact = file.facts.values[value]
        found = _RESOLVE[fact.kind](self, file, fact, value)
        answer = found if type(found) is tuple and len(found) < 2 else _distinct(found)
        self._depth -= 1
        if self._is_passing:
            file.passing[value] = answer
        else:
            file.memo[value] = answer
            self._is_passing = around
        return answer

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
        return (self._api(value.text.removeprefix("node:")),)

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
                return (self._api(value.text),)
        return [hit for target in self.resolve(file, value.ref) for hit in self.member(target, value.text)]

    def member(self, target: Target, name: str) -> Targets:
        """What the member `name` of a target can be."""
        if isinstance(target, Api):
            return (target,) if name == "default" else (self._api(f"{target.path}.{name}"),)
        defined = self.definitions(target, name)
        if defined:
            return _distinct(hit for file, value in defined for hit in self.resolve(file, value))
        if isinstance(target, Module):
            return self._undefined_export(self.files[target.file], name)
        if isinstance(target, (Cls, Inst)):
            return self._inherited_api(target, name)
        if isinstance(target, Fn):
            return (FnMember(target.id, name),)
        return ()

    def definitions(self, target: Target, name: str) -> list[Definition]:
        """Where the program itself defines the member `name` of a target: the values it is given, with their files."""
        key = (target, name)
        known = self._definitions.get(key)
        if known is not None:
            return known
        known = self._passing_definitions.get(key)
        if known is not None:
            self._is_passing = True
            return known
        if self._depth > _DEEPEST:
            self._is_passing = True
            return []
        around = self._is_passing
        self._is_passing = False
        self._passing_definitions[key] = []  # the answer for a member that is defined by itself
        self._depth += 1
        known = self._define(target, name)[:_MOST]
        self._depth -= 1
        if self._is_passing:
            self._passing_definitions[key] = known
        else:
            self._definitions[key] = known
            self._is_passing = around
        return known

    def _define(self, target: Target, name: str) -> list[Definition]:
        if isinstance(target, Module):
            return self._exported(self.files[target.file], name)
        if isinstance(target, (Cls, Inst)):
            return self._class_member(target, name)
        stored = self._properties.get(target, {}).get(name, [])
        if isinstance(target, New) and not stored:
            return self._properties.get(FnMember(target.id, "prototype"), {}).get(name, [])
        if isinstance(target, Obj) and not stored:
            return self._property(target, name)
        return stored

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
        return found or self._passed_on(file, name)

    def _passed_on(self, file: File, name: str) -> list[Definition]:
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

    def members_of(self, cls: int) -> dict[str, int]:
        """The members that a class of the program declares itself: name → value in its file."""
        if cls not in self._class_members:
            fact = self.classes[cls][1]
            self._class_members[cls] = dict(zip(fact.names, fact.members, strict=False))
        return self._class_members[cls]

    def _class_member(self, target: Cls | Inst, name: str) -> list[Definition]:
        file, fact = self.classes[target.id]
        own: list[Definition] = [(file, member)] if (member := self._declared(target, name)) != NONE else []
        for owner in (Inst(target.id), Cls(target.id)):
            own += self._properties.get(owner, {}).get(name, [])
        if own:
            return own
        found: list[Definition] = []
        for base in fact.bases:
            for parent in self._whole(self.resolve(file, base)):
                if isinstance(parent, Cls) and parent.id != target.id:
                    found += self.definitions(type(target)(parent.id), name)
        return found

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

    def _whole(self, targets: Targets) -> Iterator[Target]:
        """The targets, with what a module is as a whole (`module.exports = class …`) in its place, if that is set."""
        for target in targets:
            whole = self.definitions(target, "=") if isinstance(target, Module) else []
            if whole:
                yield from (hit for file, value in whole for hit in self.resolve(file, value))
            else:
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
        file, fact = self.classes[cls]
        for base in fact.bases:
            for parent in self._whole(self.resolve(file, base)):
                if isinstance(parent, (Cls, Api)):
                    yield parent

    def _called(self, path: str) -> str:
        path = f"{path}()"
        return self._aliases.get(path, path)

    def _api(self, path: str) -> Api:
        return Api(self._aliases.get(path, path) if len(path) <= _LONGEST_API else "?")

    def _call(self, file: File, value: Value, _: int) -> Iterable[Target]:
        call = file.facts.calls[value.ref]
        found: list[Target] = []
        for target in self.resolve(file, call.callee):
            found += self.result(file, call, target)
        return found

    def result(self, file: File, call: Call, target: Target) -> Targets:
        """What `call` answers when its callee is `target`."""
        if isinstance(target, Api):
            position = RETURN_ARGUMENT.get(target.path)
            if position is not None and position < len(call.args):
                return self.resolve(file, call.args[position])
            if target.path in ("require", "require.main.require", "module.require") and call.args:
                return self._computed_require(file, call)
            return (self._api(f"{target.path}()"),)
        if isinstance(target, Fn):
            return (New(target.id),) if call.is_new else self._returned(file, call, target)
        if isinstance(target, Cls):
            return (Inst(target.id),)
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
        return ()

    def _computed_require(self, file: File, call: Call) -> Targets:
        argument = file.facts.values[call.args[0]]
        if argument.kind is not ValueKind.STRING:
            return ()
        path = self._node.from_package_root(file.path, argument.text)
        return (Module(self.by_path[path].index),) if path is not None and path in self.by_path else ()

    def _returned(self, file: File, call: Call, target: Fn) -> Targets:
        owner, function = self.functions[target.id]
        found: list[Target] = []
        for value in owner.returns.get(target.id - owner.fn_base, ()):
            fact = owner.facts.values[value]
            if fact.kind is ValueKind.PARAM and fact.ref == target.id - owner.fn_base and fact.items:
                argument = argument_of(call, function, fact.items[0])
                found += self.resolve(file, argument)
            else:
                found += self.resolve(owner, value)
        return _distinct(found)

    def _function(self, file: File, value: Value, _: int) -> Iterable[Target]:
        return (Fn(file.fn_base + value.ref),)

    def _class(self, file: File, value: Value, _: int) -> Iterable[Target]:
        return (Cls(file.cls_base + value.ref),)

    def _self(self, file: File, value: Value, _: int) -> Iterable[Target]:
        return (Inst(file.cls_base + value.ref),) if value.ref != NONE else ()

    def _super(self, file: File, value: Value, _: int) -> Iterable[Target]:
        if value.ref == NONE:
            return ()
        owner, fact = self.classes[file.cls_base + value.ref]
        return [
            Inst(parent.id) if isinstance(parent, Cls) else Api(self._called(parent.path))
            for base in fact.bases
            for parent in self._whole(self.resolve(owner, base))
            if isinstance(parent, (Cls, Api))
        ]

    def _param(self, file: File, value: Value, _: int) -> Iterable[Target]:
        function = file.fn_base + value.ref
        position = value.items[0] if value.items else 0
        given = self.parameters.get((function, position))
        if given is not None:
            return (given,)
        fact = file.facts.functions[value.ref]
        if position >= len(fact.params):
            return ()
        param = fact.params[position]
        if param.annotation != NONE:
            declared = self._instance_of(file, param.annotation)
            if declared:
                return declared
        if not self._is_settled:
            self._is_passing = True
        found: list[Target] = []
        for site in self.callers.get(function, ()):
            found += self.resolve(site.file, argument_of(site.call, fact, position))
            if len(found) > 4 * _MOST:
                break
        if param.default != NONE:
            found += self._default(file, param.default)
        return found

    def _default(self, file: File, value: int) -> Targets:
        """A default value; of FastAPI's `Depends(f)` what `f` returns or yields."""
        fact = file.facts.values[value]
        if fact.kind is ValueKind.CALL:
            call = file.facts.calls[fact.ref]
            if call.args and self.api_of(file, call.callee) in ("fastapi.Depends", "fastapi.Security"):
                return _distinct(
                    hit for target in self.resolve(file, call.args[0]) for hit in self.result(file, call, target)
                )
        return self.resolve(file, value)

    def _binding(self, file: File, value: Value, _: int) -> Iterable[Target]:
        binding = file.facts.bindings[value.ref]
        found = [hit for assigned in binding.values for hit in self.resolve(file, assigned)]
        if not found and binding.annotation != NONE:
            return self._instance_of(file, binding.annotation)
        return found

    def _global(self, file: File, value: Value, _: int) -> Iterable[Target]:
        if file.is_python:
            return self._starred(file, value.text) or (Api(f"builtins.{value.text}"),)
        if value.text == "exports":
            return (Module(file.index),)
        return (self._api(value.text),)

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
        return self.resolve(file, value.ref)

    def _op(self, file: File, value: Value, _: int) -> Iterable[Target]:
        if value.text in ("||", "??"):
            operands = value.items
        elif value.text == "?:":
            operands = value.items[1:]
        elif value.text == "&&":
            operands = value.items[-1:]
        else:
            return ()
        return [hit for operand in operands for hit in self.resolve(file, operand)]

    def _element(self, file: File, value: Value, _: int) -> Iterable[Target]:
        found: list[Target] = []
        for target in self.resolve(file, value.ref):
            item = self.item_at(target, value.text) if value.kind is ValueKind.ELEMENT else None
            found += self.resolve(*item) if item is not None else self.elements(target)
        return found

    def item_at(self, target: Target, position: str) -> Definition | None:
        """The item of an array literal that is destructured from `position` (a number, or "": not known which)."""
        if not position or not isinstance(target, Obj) or self._properties.get(target):
            return None
        file = self.files[target.file]
        literal = file.facts.values[target.value]
        items = literal.items[: int(position) + 1] if literal.kind is ValueKind.ARRAY else ()
        if len(items) <= int(position) or any(file.facts.values[item].kind is ValueKind.SPREAD for item in items):
            return None
        return file, items[-1]

    def elements(self, target: Target, depth: int = 0) -> Targets:
        """What an element of a collection can be: every item of a literal."""
        if isinstance(target, Api):
            return (self._api(f"{target.path}[]"),)
        if not isinstance(target, Obj) or depth > 4:
            return ()
        file = self.files[target.file]
        found: list[Target] = []
        for item in file.facts.values[target.value].items[:_MOST]:
            if file.facts.values[item].kind is ValueKind.SPREAD:
                inner = self.resolve(file, file.facts.values[item].ref)
                found += [hit for base in inner for hit in self.elements(base, depth + 1)]
            else:
                found += self.resolve(file, item)
        for stored in self._properties.get(target, {}).values():
            found += [hit for owner, item in stored for hit in self.resolve(owner, item)]
        return _distinct(found)

    def _instance(self, file: File, value: Value, _: int) -> Iterable[Target]:
        return self._instance_of(file, value.ref)

    def _instance_of(self, file: File, annotation: int) -> Targets:
        """Instances of a declared type. A type that the program does not have (`str`, an interface) says nothing."""
        found: list[Target] = []
        for target in self.resolve(file, annotation):
            if isinstance(target, Cls):
                found.append(Inst(target.id))
            elif (
                isinstance(target, Api) and "." in target.path and not target.path.startswith(("builtins.", "typing."))
            ):
                found.append(Api(self._called(target.path)))
        return _distinct(found)

    def _yielded(self, file: File, value: Value, _: int) -> Iterable[Target]:
        found: list[Target] = []
        for target in self.resolve(file, value.ref):
            if isinstance(target, Inst):
                enter = "__aenter__" if value.items and value.items[0] else "__enter__"
                methods = [hit for hit in self.member(target, enter) if isinstance(hit, Fn)]
                returned = [
                    hit
                    for method in methods
                    for item in self.functions[method.id][0].returns.get(
                        method.id - self.functions[method.id][0].fn_base, ()
                    )
                    for hit in self.resolve(self.functions[method.id][0], item)
                ]
                found += returned or [target]
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
}


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


def is_module_function(function: Function) -> bool:
    """Whether a function is a file's module body."""
    return function.kind is FunctionKind.MODULE


def _distinct(targets: Iterable[Target]) -> Targets:
    if not isinstance(targets, (tuple, list)):
        targets = list(targets)
    if len(targets) < 2:
        return tuple(targets)
    answer = tuple(dict.fromkeys(targets))
    return answer if len(answer) <= _MOST else ()
