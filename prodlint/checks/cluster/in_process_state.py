"""State of requests in a collection of a module, in a service that runs in several processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Confidence, Finding, Step
from prodlint.program.code.shared_state import shared_states_in
from prodlint.program.services.worker_counts import Count
from prodlint.program.web.process_counts import processes_of, said_by

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Collections that requests change and read: for sure where several processes are known to run, else perhaps."""
    for state in shared_states_in(program):
        processes = processes_of(program, state.file)
        if processes.state is Count.ONE:
            continue
        binding = state.file.facts.bindings[state.binding]
        several = processes.state is Count.MANY
        where = "the service runs in several" if several else "a second one would not know of it"
        by = f" ({state.by})" if state.by else ""
        file, start, end, _ = state.changes[0]
        yield Finding(
            rule.name,
            f"Requests{by} keep their state in `{state.name}`, in the memory of one process, and {where}: what one "
            "stores, another does not find. Keep it in a database or in Redis.",
            program.location(state.file, binding.start, binding.end),
            confidence=state.confidence if several else Confidence.LIKELY,
            related=(Step(program.location(file, start, end), "a request changes it here"), *said_by(processes)),
        )
