"""What a request reaches: the question of every rule about code that must not run for each request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from prodlint.facts import FunctionKind
from prodlint.findings import Confidence, Step
from prodlint.models.frameworks.model import Context
from prodlint.program.linking.resolver import File
from prodlint.program.linking.routes import routes_in
from prodlint.program.linking.traces import trace_to

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_REQUESTS = (Context.REQUEST, Context.REQUEST_THREAD)


class Reached(msgspec.Struct, frozen=True):
    """How a request comes to a place. `trace` is empty where the place is in the handler itself; `label` is what
    the registering call says (`GET /users`), `route` the whole route and its handler (`GET /api/users, list_users()`),
    `names` has the functions on the way, outermost first."""

    confidence: Confidence
    trace: tuple[Step, ...]
    label: str
    route: str
    names: tuple[str, ...]

    @property
    def by(self) -> str:
        """` (GET /users, list_users())`."""
        return f" ({self.route})"


def request_path_to(program: Program, file: File, region: int, rule: str) -> Reached | None:
    """How a request reaches a region of server code, on the event loop or in a thread; None if none is known to."""
    if program.server_code(file, region) is None:
        return None
    function = file.function_at(region)
    contexts = program.contexts_for(rule)
    reached = contexts.of(function)
    for context in _REQUESTS:
        if context not in reached:
            continue
        path = contexts.path((function, context))
        if path[0].registration is None:
            continue
        edges = [reach.edge for reach in path if reach.edge is not None]
        functions = (path[0].registration.function, *(edge.callee for edge in edges))
        trace = trace_to(program, (function, context), rule)
        sure = reached[context].certain and not _is_anothers_callback(program, functions)
        return Reached(
            Confidence.CERTAIN if sure else Confidence.LIKELY,
            trace if len(trace) > 1 else (),
            path[0].registration.label,
            routes_in(program).said(path[0].registration),
            tuple(program.function(number)[1].name for number in functions),
        )
    return None


def _is_anothers_callback(program: Program, functions: tuple[int, ...]) -> bool:
    """Whether the way goes through a callback that another caller handed over: `hash(password, fn)` runs each `fn` that
    anybody gives it, and only the one that was written on this way is run for this request."""
    seen = set(functions[:1])
    for number in functions[1:]:
        file, fact = program.function(number)
        is_handed_over = fact.kind in (FunctionKind.EXPRESSION, FunctionKind.ARROW) and not fact.name
        if is_handed_over and fact.parent > 0 and file.fn_base + fact.parent not in seen:
            return True
        seen.add(number)
    return False
