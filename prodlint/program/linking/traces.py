"""The way on which a function is reached, as a finding shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prodlint.facts import NONE
from prodlint.findings import Location, Step
from prodlint.program.linking.contexts import State
from prodlint.program.linking.routes import routes_in
from prodlint.program.linking.targets import Api

if TYPE_CHECKING:
    from prodlint.facts import Call
    from prodlint.program.linking.call_graph import Edge
    from prodlint.program.linking.program import Program
    from prodlint.program.linking.resolver import File


def trace_to(program: Program, state: State, rule: str) -> tuple[Step, ...]:
    """The way from the registration to a function, one step a hop: where each call is made."""
    steps = []
    for reach in program.contexts_for(rule).path(state):
        if reach.edge is not None:
            file = program.files[reach.edge.file]
            caller, callee = (program.name(function, file) for function in (reach.edge.caller, reach.edge.callee))
            place, verb = Location(file.path, reach.edge.start, reach.edge.end), "runs"
            if reach.edge.call != NONE:
                call = file.facts.calls[reach.edge.call]
                place = Location(file.path, call.start, call.end)
                verb = "calls" if _is_direct(program, file, call, reach.edge) else "runs"
            steps.append(Step(place, f"{caller} {verb} {callee}"))
        elif reach.registration is not None:
            registration = reach.registration
            file = program.files[registration.file]
            location = Location(file.path, registration.start, registration.end)
            steps.append(Step(location, routes_in(program).handled(registration)))
    return tuple(steps)


def _is_direct(program: Program, file: File, call: Call, edge: Edge) -> bool:
    return any(
        edge.callee in program.resolver.callables(target)
        for target in program.graph.targets[file.index][edge.call]
        if not isinstance(target, Api)
    )
