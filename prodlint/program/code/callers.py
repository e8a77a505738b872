"""Who calls a function, as far as everybody has to be known: to make it async, or to hand it to a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from prodlint.facts import NONE, Function, Use
from prodlint.models.frameworks.model import Role
from prodlint.program.linking.contexts import ON_LOOP, callee_context
from prodlint.program.linking.queries import query
from prodlint.program.linking.resolver import CallSite

if TYPE_CHECKING:
    from prodlint.program.linking.call_graph import Edge, Registration
    from prodlint.program.linking.program import Program

MOST = 8
"""So many calls a fix may change; a larger change is for a person."""

Waits = Callable[["Registration", Function], bool]
"""Whether what runs a registered function waits for the promise that it would return."""


class Callers:
    """Answers about the functions of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def boundary(self, function: int, rule: str) -> list[CallSite] | str:
        """Python: the calls in coroutines by which a function that is none comes to run on the event loop. Or why they
        are not all known."""
        found: dict[tuple[int, int], CallSite] = {}
        seen = {function}
        waiting = [function]
        while waiting:
            at = waiting.pop()
            fact = self._program.function(at)[1]
            if fact.is_generator:
                return f"{self._program.name(at)} is a generator, which runs where it is iterated over"
            if any(each.context in ON_LOOP for each in self._program.registrations_of.get(at, ())):
                return (
                    f"{self._program.name(at)} is no coroutine, and what runs it on the event loop would not await it"
                )
            for edge in self._program.graph.edges_to.get(at, ()):
                if not self._on_loop(edge, rule):
                    continue
                if edge.call == NONE:
                    return f"{self._program.name(at)} is run without a call"
                site = CallSite(self._program.files[edge.file], edge.call)
                if not self._is_direct(site, at) or site.call.use is Use.AWAITED:
                    return f"{self._program.name(at)} is handed on as a callback"
                if self._program.function(edge.caller)[1].is_async:
                    found[edge.file, edge.call] = site
                elif edge.caller not in seen:
                    seen.add(edge.caller)
                    waiting.append(edge.caller)
        if len(found) > MOST:
            return f"{len(found)} coroutines would have to hand it to a thread"
        return list(found.values()) or "what runs it on the event loop is not known here"

    def _on_loop(self, edge: Edge, rule: str) -> bool:
        reached = self._program.contexts_for(rule).of(edge.caller)
        return any(callee_context(context, edge) in ON_LOOP for context in reached)

    def _is_direct(self, site: CallSite, callee: int) -> bool:
        targets = self._program.graph.targets[site.file.index][site.index]
        return any(callee in self._program.resolver.callables(target) for target in targets)

    def to_await(self, function: int, waits: Waits) -> tuple[list[int], list[CallSite]] | str:
        """JavaScript: the functions that have to become async so that this one can, itself first, and the calls to
        await for that. Or why it cannot."""
        functions = [function]
        sites: dict[tuple[int, int], CallSite] = {}
        for at in functions:
            obstacle = self._obstacle(at, waits)
            if obstacle:
                return obstacle
            for site in self._program.resolver.callers.get(at, ()):
                sites[site.file.index, site.index] = site
                caller = site.file.function_at(site.call.region)
                fact = self._program.function(caller)[1]
                if (
                    site.call.use is not Use.AWAITED
                    and not fact.is_async
                    and fact.parent != NONE
                    and caller not in functions
                ):
                    functions.append(caller)
            if len(sites) > MOST or len(functions) > MOST:
                return "too many calls would have to be awaited"
        return functions, list(sites.values())

    def _obstacle(self, function: int, waits: Waits) -> str:
        fact = self._program.function(function)[1]
        name = self._program.name(function)
        if fact.is_generator:
            return f"{name} is a generator"
        registrations = self._program.registrations_of.get(function, ())
        deaf = next((each for each in registrations if not waits(each, fact)), None)
        if deaf is not None and deaf.role in (Role.HANDLER, Role.MIDDLEWARE):
            runs = deaf.framework.capitalize()
            return f"{runs} does not wait for promises here: with a wrapper that passes errors on, {name} can be async"
        if deaf is not None:
            return f"nobody would see an error in {name} if it were async"
        called = self._program.resolver.callers.get(function, ())
        if any(site.call.is_new for site in called):
            return f"{name} is called with `new`"
        for edge in self._program.graph.edges_to.get(function, ()):
            if edge.call == NONE or not self._is_direct(CallSite(self._program.files[edge.file], edge.call), function):
                return f"{name} is handed on as a callback, which would have to be awaited"
        return "" if called or registrations else f"who calls {name} is not known here"


@query
def callers_in(program: Program) -> Callers:
    """Who calls which function."""
    return Callers(program)
