"""Links a program with its files, and the calls in them, taken in another order.

This is the one place that knows where linking takes an order from.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any
from unittest.mock import patch

from prodlint.facts import FileFacts
from prodlint.program.linking.call_graph import CallGraph
from prodlint.program.linking.program import Program
from prodlint.program.linking.resolver import File


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

    def calls_in_any_order(graph: CallGraph, pending: list[tuple[File, int]]) -> bool:
        return resolve(graph, random.sample(pending, len(pending)))

    with (
        patch.object(linking, "_source_files", files_in_any_order),
        patch.object(CallGraph, "_resolve", calls_in_any_order),
    ):
        yield


def resolved_again(program: Program, seed: int) -> Iterator[tuple[File, int, frozenset[Any]]]:
    """What each call's callee is found to be when all are asked for again, in an order that `seed` decides, with
    nothing known but what linking learnt."""
    resolver = program.resolver
    for file in program.files:
        file.memo = [None] * len(file.facts.values)
    resolver._definitions.clear()
    resolver.forget()
    calls = [(file, index) for file in program.files for index in range(len(file.facts.calls))]
    for file, index in Random(seed).sample(calls, len(calls)):
        yield file, index, frozenset(resolver.resolve(file, file.facts.calls[index].callee))
