"""Links a program with its files, and the calls in them, taken in another order, after values were asked for by chance.

This is the one place that knows where linking takes an order from.

    python -m tests.program.orders FOLDER...

links the projects in folders in several orders and says where they differ.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from prodlint.analysis.session import Session
from prodlint.facts import FileFacts
from prodlint.program.linking.call_graph import CallGraph
from prodlint.program.linking.program import Program, link
from prodlint.program.linking.resolver import CallSite, File, Resolver
from tests.program.described import Names, facts_of


class _Ranked(str):
    """A path that sorts by chance."""

    rank: float

    def __lt__(self, other: Any) -> bool:
        return self.rank < other.rank


@contextmanager
def shuffled(seed: int) -> Iterator[None]:
    """Whatever is linked in here is linked in an order that `seed` decides."""
    random = Random(seed)
    linking = sys.modules[Program.__module__]
    source_files, resolve = linking._source_files, CallGraph._resolve  # type: ignore[attr-defined]
    learn_properties = Resolver.learn_properties

    def files_in_any_order(facts: Mapping[str, FileFacts]) -> list[File]:
        ranked: dict[str, FileFacts] = {}
        for path in sorted(facts):
            key = _Ranked(path)
            key.rank = random.random()
            ranked[key] = facts[path]
        files: list[File] = source_files(ranked)
        for file in files:
            file.path = "".join(file.path)
        return files

    def asked_by_chance(resolver: Resolver) -> None:
        learn_properties(resolver)
        values = [(file, value) for file in resolver.files for value in range(len(file.facts.values))]
        for file, value in random.sample(values, len(values) // 3):
            resolver.resolve(file, value)

    def calls_in_any_order(graph: CallGraph, sites: Iterable[CallSite], *learnt: list[Any]) -> None:
        pending = sorted(sites, key=lambda site: (site.file.path, site.index))
        resolve(graph, random.sample(pending, len(pending)), *learnt)

    with (
        patch.object(linking, "_source_files", files_in_any_order),
        patch.object(Resolver, "learn_properties", asked_by_chance),
        patch.object(CallGraph, "_resolve", calls_in_any_order),
    ):
        yield


def resolved_again(program: Program, seed: int) -> Iterator[tuple[File, int, frozenset[Any]]]:
    """What each call's callee is found to be when all are asked for again, in an order that `seed` decides, with
    nothing known but what linking learnt."""
    resolver = program.resolver
    for file in program.files:
        file.final = [None] * len(file.facts.values)
    resolver._definitions.clear()
    calls = [(file, index) for file in program.files for index in range(len(file.facts.calls))]
    for file, index in Random(seed).sample(calls, len(calls)):
        yield file, index, frozenset(resolver.resolve(file, file.facts.calls[index].callee))


def main(folders: Iterable[str], seeds: int = 3) -> int:
    """Link the projects in each folder as usual and in other orders; 1 if that makes a difference."""
    total = 0
    for folder in folders:
        for part in Session.open([Path(folder).resolve()]).parts:
            facts = {path: part.linked[path] for path in part.linked}
            program = link(facts, part.settings.hints, part.read)
            expected = dict(facts_of(program))
            names = Names(program, exact=True)
            found = {
                f"{file.path} call {index}"
                for file, index, targets in resolved_again(program, 0)
                if {*map(names.target, targets)} != {*map(names.target, program.graph.targets[file.index][index])}
            }
            for seed in range(seeds):
                with shuffled(seed):
                    other = dict(facts_of(link(facts, part.settings.hints, part.read)))
                found.update(name for name in {*expected, *other} if expected.get(name) != other.get(name))
            print(
                f"{folder}: {len(facts)} files, {len(found)} differences", *sorted(found)[:5], sep="\n    ", flush=True
            )
            total += len(found)
    return min(total, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
