"""Where an exception ends up that leaves a JavaScript function: answered, rejected, or caught by nobody."""

from __future__ import annotations

from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from prodlint.facts import NONE, FunctionKind, ValueKind
from prodlint.models.frameworks import BY_NAME, PATCHES
from prodlint.models.frameworks.model import Context, Role
from prodlint.program.code.callbacks import Timing, timing
from prodlint.program.code.control_flow import control_flow
from prodlint.program.linking.call_graph import Edge, Registration
from prodlint.program.linking.resolver import CallSite
from prodlint.program.linking.targets import Api

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_EMITTING = frozenset({"node", "websockets"})
_TIMERS = frozenset({"setInterval", "timers.setInterval"})
_SERVING = (Context.REQUEST, Context.BACKGROUND)
_FARTHEST = 6


class Fate(Enum):
    """What becomes of an exception."""

    UNCAUGHT = "uncaught"
    """It ends the process."""
    HANGS = "hangs"
    """It rejects the promise of a handler that nobody looks at: the request is never answered."""


class Throws:
    """Answers about the functions of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def fate(self, function: int) -> Fate | None:
        """The worst that surely becomes of what leaves a function while a service runs; None if it is caught, answered,
        turned into a rejection that somebody may handle, or if that cannot be seen."""
        return self._fate(function, frozenset())

    def _fate(self, function: int, seen: frozenset[int]) -> Fate | None:
        if function in seen or len(seen) > _FARTHEST:
            return None
        fact = self._program.function(function)[1]
        if fact.kind is FunctionKind.MODULE or not self._serves(function):
            return None
        registrations = self._program.registrations_of.get(function, ())
        if fact.is_async or fact.is_generator:
            return Fate.HANGS if any(self._hangs(registration) for registration in registrations) else None
        if registrations:
            return Fate.UNCAUGHT if all(self._is_emitted(registration) for registration in registrations) else None
        fates = [
            self._through(edge, seen | {function})
            for edge in self._program.graph.edges_to.get(function, ())
            if edge.certain
        ]
        return next((fate for fate in fates if fate is not None), None)

    def _serves(self, function: int) -> bool:
        reached = self._program.contexts.of(function)
        return any(context in reached and reached[context].certain for context in _SERVING)

    def _through(self, edge: Edge, seen: frozenset[int]) -> Fate | None:
        """What becomes of an exception that leaves a function by one of its callers."""
        file = self._program.files[edge.file]
        if edge.call == NONE:
            return None
        site = CallSite(file, edge.call)
        position = self._handed_as(site, edge.callee)
        when = timing(self._program, site, position) if position is not None else Timing.NOW
        if when is Timing.LATER:
            return Fate.UNCAUGHT
        if when is not Timing.NOW or control_flow(self._program).catches(file, site.call.region):
            return None
        return self._fate(edge.caller, seen)

    def _handed_as(self, site: CallSite, function: int) -> int | None:
        """The position of the argument that a function is, or None where it is called itself."""
        for position, argument in enumerate(site.call.args):
            value = self._program.value(site.file, argument)
            if value.kind is ValueKind.FUNCTION and site.file.fn_base + value.ref == function:
                return position
        return None

    def _is_emitted(self, registration: Registration) -> bool:
        """Whether a function is called by an event emitter or a timer, which let exceptions pass."""
        if registration.framework not in _EMITTING or not registration.certain or registration.call == NONE:
            return False
        if registration.role is Role.TASK:
            return any(isinstance(target, Api) and target.path in _TIMERS for target in self._targets(registration))
        return registration.role in (Role.HANDLER, Role.EVENT)

    def _hangs(self, registration: Registration) -> bool:
        """Whether Express 4 is handed an async function as it is."""
        file = self._program.files[registration.file]
        framework = BY_NAME[registration.framework]
        if not framework.awaits_since or registration.wrappers or self._is_patched:
            return False
        if registration.call == NONE or not registration.certain or registration.role is Role.ERROR_HANDLER:
            return False
        apis = [target.path for target in self._targets(registration) if isinstance(target, Api)]
        major = self._program.versions.major(file.path, framework.package)
        is_older = major is not None and major < framework.awaits_since
        return is_older and all(api.startswith(f"{framework.package}()") for api in apis)

    def _targets(self, registration: Registration) -> tuple[object, ...]:
        return self._program.graph.targets[registration.file][registration.call]

    @cached_property
    def _is_patched(self) -> bool:
        return any(request.module in PATCHES for file in self._program.files for request in file.facts.imports)
