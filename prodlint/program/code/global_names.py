"""The names that a project defines for all of its files: properties of the global object, and of `builtins`."""

from __future__ import annotations

from collections.abc import Iterator

from prodlint.facts import NONE, Call, FunctionKind, NameUse, Value, ValueKind
from prodlint.program.linking.resolver import File

_GLOBAL_OBJECTS = frozenset({"global", "globalThis", "window", "self", "root", "GLOBAL"})
_SERVER_OBJECTS = frozenset({"global", "globalThis", "GLOBAL"})
_BUILTINS = frozenset({"builtins", "__builtin__", "__builtins__"})
_ASKS = frozenset(
    {
        "keys",
        "values",
        "entries",
        "getOwnPropertyNames",
        "getOwnPropertyDescriptor",
        "hasOwnProperty",
        "hasOwn",
        "has",
        "call",
    }
    | {"apply", "bind", "reflectApply", "Reflect", "Boolean", "is", "isObject", "log", "inspect", "String", "get"}
)
"""Functions that leave the object alone which is their argument."""
_FILLS = frozenset({"assign", "extend", "merge", "defaults", "mixin", "defineProperty", "defineProperties"})
"""Functions that give properties to the object that is their first argument."""


class GlobalNames:
    """What the files of one language define for each other."""

    def __init__(self, files: list[File]) -> None:
        """Read the facts of `files`."""
        self.known: set[str] = set()
        self.is_open = False
        """Whether there are others, whose names are computed."""
        for file in files:
            self._read(file)

    def _read(self, file: File) -> None:
        facts = file.facts
        self.known.update(facts.ambient)
        for unbound in facts.unbound:
            if any(use is NameUse.WRITE for _, _, use in unbound.uses()):
                self.known.add(unbound.name)
        for store in facts.stores:
            if _is_global_object(file, store.target) and store.op != "del":
                self._add(store.name)
        if file.is_python or not _GLOBAL_OBJECTS.isdisjoint(file.globals):
            for call in facts.calls:
                for name in _filled(file, call):
                    self._add(name)

    def _add(self, name: str) -> None:
        self.known.add(name)
        if not name:
            self.is_open = True


def _value(file: File, index: int) -> Value | None:
    return file.facts.values[index] if index != NONE else None


def _is_global_object(file: File, index: int) -> bool:
    """Whether a value is the global object, or the module `builtins` or its dictionary."""
    fact = _value(file, index)
    if fact is None:
        return False
    if fact.kind is ValueKind.MEMBER and fact.text in ("__dict__", "globalThis", "window"):
        return _is_global_object(file, fact.ref)
    if file.is_python:
        return fact.kind in (ValueKind.IMPORT, ValueKind.GLOBAL) and fact.text in _BUILTINS
    return fact.kind is ValueKind.GLOBAL and fact.text in _GLOBAL_OBJECTS


def _filled(file: File, call: Call) -> Iterator[str]:
    """The names that a call gives to the global object; "" for names that cannot be told."""
    callee = _value(file, call.callee)
    if callee is None or not call.args:
        return
    if file.is_python:
        if callee.text == "setattr" and len(call.args) > 1 and _is_global_object(file, call.args[0]):
            yield _text(file, call.args[1])
        elif callee.text in ("update", "setdefault") and _is_global_object(file, callee.ref):
            yield _text(file, call.args[0]) if callee.text == "setdefault" else ""
    elif callee.text in _FILLS and _is_global_object(file, call.args[0]):
        for given in call.args[1:]:
            fact = file.facts.values[given]
            if fact.kind is ValueKind.OBJECT:
                yield from ("" if name in ("...", "[]") else name for name in fact.names)
            elif fact.kind is ValueKind.STRING:
                yield fact.text
                return
            else:
                yield ""
    elif callee.kind is ValueKind.MEMBER and callee.text not in _ASKS:
        given_values = (file.facts.values[given] for given in call.args)
        if any(fact.kind is ValueKind.GLOBAL and fact.text in _SERVER_OBJECTS for fact in given_values):
            yield ""


def _text(file: File, index: int) -> str:
    fact = file.facts.values[index]
    return fact.text if fact.kind is ValueKind.STRING else ""


def names_in(file: File) -> set[str]:
    """Return every name that is bound in some scope of the file."""
    facts = file.facts
    names = {binding.name for binding in facts.bindings}
    names.update(cls.name for cls in facts.classes)
    names.update(name for request in facts.imports for name in request.locals)
    for function in facts.functions:
        if function.kind in (FunctionKind.FUNCTION, FunctionKind.EXPRESSION):
            names.add(function.name)
        for param in function.params:
            names.update(param.names or [param.name])
    return names - {""}
