"""retired-process-manager: a service in the care of a process manager that nobody cares for any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Finding, Location
from prodlint.program.services import services_in
from prodlint.program.services.variants import in_production, place_of, programs

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service
    from prodlint.rulebook import Rule


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each service that a retired process manager starts, or whose code is one."""
    for service in services_in(program):
        finding = _in_commands(program, rule, service) or _in_code(program, rule, service)
        if finding is not None:
            yield finding


def _message(rule: Rule, name: str) -> str:
    return f"{rule.data['commands'].get(name) or rule.data['modules'][name]} {rule.data['successors']}"


def _in_commands(program: Program, rule: Rule, service: Service) -> Finding | None:
    for variant in in_production(service):
        name = next((each for each in programs(variant) if each in rule.data["commands"]), "")
        if name:
            hop = next(each for each in variant.launch.hops if name in _names(each.start.wrappers, each.start.words))
            return Finding(rule.name, _message(rule, name), place_of(program.facts, hop), service=service.name)
        if variant.kind in rule.data["commands"]:
            return Finding(rule.name, _message(rule, variant.kind), variant.outer.location, service=service.name)
    return None


def _names(wrappers: tuple[str, ...], words: tuple[str, ...]) -> set[str]:
    return {*wrappers, *(word.rpartition("/")[2] for word in words[:1])}


def _in_code(program: Program, rule: Rule, service: Service) -> Finding | None:
    """A module that manages processes, loaded by what the service starts from."""
    entry = program.by_path.get(service.entry)
    for request in entry.facts.imports if entry is not None else ():
        if request.module in rule.data["modules"] and entry is not None:
            location = Location(entry.path, request.start, request.end)
            return Finding(rule.name, _message(rule, request.module), location, service=service.name)
    return None
