"""Where each function can run: on the event loop for a request, in a thread, at start-up, in a script.

Roots are the functions that frameworks are handed and the module bodies; from them the contexts flow along the edges of
the call graph, shortest path first. What rests on a name alone (`certain` False) is only used where nothing better
reaches a function.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Set
from functools import cached_property

import msgspec

from prodlint.models.frameworks.model import Context
from prodlint.program.linking.call_graph import CallGraph, Edge, Registration

ON_LOOP = (Context.REQUEST, Context.BACKGROUND)
"""The contexts that run on an event loop, a request's first."""

State = tuple[int, Context]
"""A function (by id), running in a context."""


class Reach(msgspec.Struct, frozen=True, gc=False):
    """How a function comes to run in a context: `edge` from the state `predecessor`, or as a root by `registration`
    (None for a module body)."""

    predecessor: State | None
    edge: Edge | None
    registration: Registration | None
    certain: bool
    length: int


class Contexts:
    """All states that can occur, each with one shortest way to it."""

    def __init__(
        self,
        graph: CallGraph,
        modules: Mapping[int, Context],
        coroutines: Iterable[tuple[int, bool]] = (),
        barriers: Set[tuple[int, int]] = frozenset(),
        by_hand: Set[tuple[int, int]] = frozenset(),
        services: Set[int] = frozenset(),
    ) -> None:
        """`modules`: the context of module bodies, by function id; `coroutines`: functions that run on an event loop
        whoever calls them, for those that nobody is known to call, and whether a service surely does that while it
        serves; `barriers`: calls (file, index) that count as not there; `by_hand`: calls that are made only where
        somebody starts a file that is no service; `services`: the functions that serve, so that a command which runs
        one starts a service."""
        self.reach: dict[State, Reach] = {}
        self._of: dict[int, dict[Context, Reach]] = {}
        self._graph = graph
        self._barriers = barriers
        self._by_hand = by_hand
        self._services = services
        for certain in (True, False):
            self._flow(self._roots(modules, certain), certain)
        known = {function for function, _ in self.reach}
        uncalled = [(function, sure) for function, sure in coroutines if function not in known]
        uncalled.sort(key=lambda coroutine: not coroutine[1])
        roots = (((function, Context.BACKGROUND), Reach(None, None, None, sure, 0)) for function, sure in uncalled)
        self._flow(roots, certain=True)
        for (function, context), reach in self.reach.items():
            self._of.setdefault(function, {})[context] = reach

    def of(self, function: int) -> Mapping[Context, Reach]:
        """The contexts that a function can run in, each with its shortest way."""
        return self._of.get(function, {})

    def _roots(self, modules: Mapping[int, Context], certain: bool) -> Iterable[tuple[State, Reach]]:
        for registration in self._graph.entries:
            if registration.certain or not certain:
                context = registration.context
                if context is Context.SCRIPT and registration.function in self._services:
                    context = Context.STARTUP
                state = (registration.function, context)
                yield state, Reach(None, None, registration, registration.certain, 0)
        for function, context in modules.items():
            yield (function, context), Reach(None, None, None, True, 0)

    def _flow(self, roots: Iterable[tuple[State, Reach]], certain: bool) -> None:
        queue: deque[State] = deque()
        if not certain:
            queue.extend(self.reach)
        for state, reach in roots:
            if state not in self.reach:
                self.reach[state] = reach
                queue.append(state)
        while queue:
            state = queue.popleft()
            here = self.reach[state]
            for edge in self._graph.edges.get(state[0], ()):
                sure = edge.certain and not (edge.listens and state[1] is Context.STARTUP)
                if certain and not sure:
                    continue
                if (edge.file, edge.call) in self._barriers:
                    continue
                after = (edge.callee, self._after(state[1], edge))
                if after not in self.reach:
                    self.reach[after] = Reach(state, edge, here.registration, here.certain and sure, here.length + 1)
                    queue.append(after)

    def _after(self, context: Context, edge: Edge) -> Context:
        return Context.SCRIPT if (edge.file, edge.call) in self._by_hand else callee_context(context, edge)

    def path(self, state: State) -> list[Reach]:
        """The way to a state, root first."""
        hops: list[Reach] = []
        at: State | None = state
        while at is not None:
            reach = self.reach[at]
            hops.append(reach)
            at = reach.predecessor
        hops.reverse()
        return hops

    def handlers(self, state: State) -> int:
        """How many registered functions a state can be reached from."""
        before: dict[State, set[State]] = self._backwards()
        seen = {state}
        queue = deque(seen)
        roots = set()
        registered = self._registered
        while queue:
            at = queue.popleft()
            if at in registered:
                roots.add(at[0])
            for previous in before.get(at, ()):
                if previous not in seen:
                    seen.add(previous)
                    queue.append(previous)
        return len(roots)

    @cached_property
    def _registered(self) -> set[State]:
        return {(entry.function, entry.context) for entry in self._graph.entries}

    def _backwards(self) -> dict[State, set[State]]:
        if not hasattr(self, "_before"):
            self._before: dict[State, set[State]] = {}
            for state in self.reach:
                for edge in self._graph.edges.get(state[0], ()):
                    if (edge.file, edge.call) not in self._barriers:
                        self._before.setdefault((edge.callee, self._after(state[1], edge)), set()).add(state)
        return self._before


def callee_context(context: Context, edge: Edge) -> Context:
    """The context of a callee, from that of its caller."""
    if context is Context.SCRIPT:
        return context
    if edge.runs_in is Context.REQUEST_THREAD:
        return {
            Context.REQUEST: Context.REQUEST_THREAD,
            Context.BACKGROUND: Context.BACKGROUND_THREAD,
        }.get(context, context)
    if edge.runs_in is not None:
        return edge.runs_in
    if edge.listens and context is Context.STARTUP:
        return Context.BACKGROUND
    return context
