"""Sessions, limits and caches in the memory of one process of several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Finding, Severity
from prodlint.program.code.memory_stores import Kept, MemoryStore, memory_stores_in
from prodlint.program.services.worker_counts import Count
from prodlint.program.web.process_counts import copies_of, processes_of, said_by

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_APART = {
    Kept.SESSIONS: "none of them knows the sessions of the others: users are logged out at random",
    Kept.LIMITS: "each of them counts on its own: a client gets the limit as often as there are processes",
    Kept.CACHE: "each of them has a cache of its own: what one deletes or renews, the others go on serving",
}
_SHARED = {
    Kept.SESSIONS: "Keep them in Redis",
    Kept.LIMITS: "Count in Redis",
    Kept.CACHE: "Cache in Redis",
}


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """What libraries keep in memory: sessions always, the rest in a service that surely has several processes."""
    for store in memory_stores_in(program):
        processes = (copies_of if store.is_on_disk else processes_of)(program, store.file)
        if processes.state is not Count.MANY and not store.leaks:
            continue
        several = processes.state is Count.MANY
        yield Finding(
            rule.name,
            f"{_said(store, several)} {_SHARED[store.kept]}: {store.instead}.",
            program.location(store.file, store.start, store.end),
            confidence=store.confidence,
            related=said_by(processes) if several else (),
            severity=Severity.ERROR if several and store.kept is Kept.SESSIONS else None,
        )


def _said(store: MemoryStore, several: bool) -> str:
    where = "files of one machine" if store.is_on_disk else "the memory of the process"
    what = f"{store.library} keeps {store.kept.value} in {where}"
    if several:
        return f"{what}. The service runs in several, and {_APART[store.kept]}."
    return f"{what}: each restart logs everybody out, the memory fills up, and a second process knows none of them."
