"""A program of which a check goes through some files only, so that one on which it fails costs none of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from copy import copy
from typing import Any

from prodlint.facts import FileFacts
from prodlint.program.linking.program import Program
from prodlint.program.linking.resolver import File
from prodlint.program.services import services_in


def shown_in_part(program: Program, shown: Set[str]) -> Program:
    """The program with what it knows of all its files; but who goes through its files, calls, registrations or services
    comes by those alone that are of `shown` files."""
    part = copy(program)
    part.facts = _Facts(program.facts, shown)
    part.files = _Files(program.files, shown)
    part.answers = _Answers(program, shown)
    part.graph = copy(program.graph)
    paths = [file.path for file in program.files]
    part.graph.registrations = [each for each in program.graph.registrations if paths[each.file] in shown]
    part.__dict__["calls"] = [(site, targets) for site, targets in program.calls if site.file.path in shown]
    part.__dict__["api_calls"] = {
        api: [site for site in sites if site.file.path in shown] for api, sites in program.api_calls.items()
    }
    return part


class _Facts(Mapping[str, FileFacts]):
    def __init__(self, facts: Mapping[str, FileFacts], shown: Set[str]) -> None:
        self._facts = facts
        self._shown = shown

    def __getitem__(self, path: str) -> FileFacts:
        return self._facts[path]

    def __iter__(self) -> Iterator[str]:
        return (path for path in self._facts if path in self._shown)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, path: object) -> bool:
        return path in self._facts


class _Files(list[File]):
    def __init__(self, files: list[File], shown: Set[str]) -> None:
        super().__init__(files)
        self._shown = shown

    def __iter__(self) -> Iterator[File]:
        return (file for file in super().__iter__() if file.path in self._shown)


class _Answers(dict[Callable[[Program], Any], Any]):
    """Answers about the whole program."""

    def __init__(self, program: Program, shown: Set[str]) -> None:
        super().__init__()
        self._program = program
        self._shown = shown

    def __missing__(self, question: Callable[[Program], Any]) -> Any:
        answer = question(self._program)
        if question is services_in:
            answer = [each for each in answer if all(source.path in self._shown for source in each.artefacts)]
        self[question] = answer
        return answer
