"""Which object a value is: two calls of `express()` are the same API but different apps.

An object is the call that makes it. It is followed through names, members, returned values, the parameters of the
program's own functions, and methods that return their object (`app.use(a).use(b)`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from prodlint.facts import NONE, ValueKind
from prodlint.models.frameworks.model import Role
from prodlint.program.linking.resolver import CallSite, File, argument_of
from prodlint.program.linking.targets import Api, Fn

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

Key = tuple[int, int]
"""An object: the file and the index of the call that makes it."""

_DEEPEST = 8
_ORIGINS = frozenset({ValueKind.PARAM, ValueKind.CALL})
"""What an object comes from, and what is followed further than an expression's origins."""


class Instances:
    """Answers which of some objects a value can be."""

    def __init__(self, program: Program, made: Collection[Key], prefixes: tuple[str, ...]) -> None:
        """`made`: the objects; `prefixes`: how the access paths of their members begin (`express().`)."""
        self._program = program
        self._made = made
        self._prefixes = prefixes
        self._memo: dict[tuple[int, int], frozenset[Key]] = {}

    def of(self, file: File, value: int, depth: int = 0) -> frozenset[Key]:
        """The objects that a value can be."""
        if value == NONE or depth > _DEEPEST:
            return frozenset()
        key = (file.index, value)
        known = self._memo.get(key)
        if known is None:
            self._memo[key] = frozenset()
            is_origin = file.facts.values[value].kind in _ORIGINS
            origins = ((file, value),) if is_origin else self._program.resolver.origins(file, value)
            known = self._memo[key] = frozenset(
                found
                for owner, item in origins
                if owner.facts.values[item].kind in _ORIGINS
                for found in self._origin(owner, item, depth)
            )
        return known

    def _origin(self, file: File, value: int, depth: int) -> Iterator[Key]:
        fact = file.facts.values[value]
        if fact.kind is ValueKind.PARAM:
            yield from self._parameter(file, fact.ref, fact.items[0] if fact.items else 0, depth)
        elif fact.kind is ValueKind.CALL:
            key = (file.index, fact.ref)
            if key in self._made:
                yield key
                return
            site = CallSite(file, fact.ref)
            callee = file.facts.values[site.call.callee]
            for target in self._program.targets_of(site):
                if isinstance(target, Api) and target.path.startswith(self._prefixes):
                    if callee.kind is ValueKind.MEMBER:
                        yield from self.of(file, callee.ref, depth + 1)  # `app.route('/x').get(…)`
                elif isinstance(target, Fn):
                    owner, _ = self._program.function(target.id)
                    for returned in owner.returns.get(target.id - owner.fn_base, ()):
                        yield from self.of(owner, returned, depth + 1)

    def _parameter(self, file: File, number: int, position: int, depth: int) -> Iterator[Key]:
        function = file.facts.functions[number]
        for site in self._program.resolver.callers.get(file.fn_base + number, ()):
            yield from self.of(site.file, argument_of(site.call, function, position), depth + 1)
        for registration in self._program.registrations_of.get(file.fn_base + number, ()):
            if registration.role is Role.PLUGIN and registration.call != NONE and position == 0:
                owner = self._program.files[registration.file]
                callee = owner.facts.values[owner.facts.calls[registration.call].callee]
                if (
                    callee.kind is ValueKind.MEMBER
                ):  # `app.register(plugin)` hands `app`, or a scope of it, to the plugin
                    yield from self.of(owner, callee.ref, depth + 1)
