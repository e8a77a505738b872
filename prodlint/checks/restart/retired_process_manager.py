"""retired-process-manager: a process manager that nobody cares for any more, wherever a project still uses it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.extract.deployment.commands import Start, starts
from prodlint.findings import Finding, Location
from prodlint.program.services import services_in
from prodlint.program.services.environment_evidence import is_dev_path
from prodlint.program.services.launches import LaunchStep
from prodlint.program.services.package_installs import run_starts
from prodlint.program.services.setting_values import Source
from prodlint.program.services.variants import each_place_once, in_production, place_of, programs

if TYPE_CHECKING:
    from prodlint.facts import FileFacts
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service
    from prodlint.rulebook import Rule

_INSTALLERS = frozenset({"npm", "yarn", "pnpm", "bun"})


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each service that a retired process manager starts, or whose code is one; for each command of a
    script or an image that uses one; and for each that a package requires."""
    return each_place_once(_all(program, rule))


def _all(program: Program, rule: Rule) -> Iterator[Finding]:
    said: set[str] = set()
    for service in services_in(program):
        finding = _in_commands(program, rule, service) or _in_code(program, rule, service)
        if finding is not None:
            said.add(program.versions.package_folder(finding.location.path))
            yield finding
    for path, facts in sorted(program.facts.items()):
        if is_dev_path(path):
            continue
        if facts.kind == "shell":
            yield from _in_script(program, rule, path, facts)
        elif facts.kind == "dockerfile":
            yield from _in_image(rule, path, facts)
        elif facts.kind == "package_json" and posixpath.dirname(path) not in said:
            yield from _in_dependencies(rule, path, facts)


def _message(rule: Rule, name: str) -> str:
    return f"{rule.data['commands'].get(name) or rule.data['modules'][name]} {rule.data['successors']}"


def _in_commands(program: Program, rule: Rule, service: Service) -> Finding | None:
    for variant in in_production(service):
        name = next((each for each in programs(variant) if each in rule.data["commands"]), "")
        if name:
            step = next(each for each in variant.launch.steps if name in _names(each.start))
            return Finding(rule.name, _message(rule, name), place_of(program.facts, step), service=service.name)
        if variant.kind in rule.data["commands"]:
            return Finding(rule.name, _message(rule, variant.kind), variant.outer.location, service=service.name)
    return None


def _names(start: Start) -> set[str]:
    return {*start.wrappers, *(word.rpartition("/")[2] for word in start.words[:1])}


def _in_code(program: Program, rule: Rule, service: Service) -> Finding | None:
    """A module that manages processes, loaded by what the service starts from."""
    entry = program.by_path.get(service.entry)
    for request in entry.facts.imports if entry is not None else ():
        if request.module in rule.data["modules"] and entry is not None:
            location = Location(entry.path, request.start, request.end)
            return Finding(rule.name, _message(rule, request.module), location, service=service.name)
    return None


def _in_script(program: Program, rule: Rule, path: str, facts: FileFacts) -> Iterator[Finding]:
    for setting in (setting for artefact in facts.artefacts for setting in artefact.settings):
        for start in starts([setting.value or ""], is_shell=True):
            for name in _names(start) & rule.data["commands"].keys():
                step = LaunchStep(Source.of_file("shell", path), start, True, False)
                yield Finding(rule.name, _message(rule, name), place_of(program.facts, step))


def _in_image(rule: Rule, path: str, facts: FileFacts) -> Iterator[Finding]:
    """What the images are made with, and what they start."""
    for setting in (setting for artefact in facts.artefacts for setting in artefact.settings):
        if not setting.key.startswith(("run.", "command.", "entrypoint.")):
            continue
        for start in run_starts(setting):
            names = _names(start) & rule.data["commands"].keys()
            if posixpath.basename(start.words[0] if start.words else "") in _INSTALLERS:
                names |= {word.partition("@")[0] for word in start.words[2:]} & _packages(rule)
            if names:
                yield Finding(rule.name, _message(rule, min(names)), Location(path, setting.start, setting.end))
                break


def _in_dependencies(rule: Rule, path: str, facts: FileFacts) -> Iterator[Finding]:
    for setting in (setting for artefact in facts.artefacts for setting in artefact.settings):
        name = setting.key.removeprefix("dependency.")
        if setting.key.startswith("dependency.") and name in _packages(rule):
            yield Finding(rule.name, _message(rule, name), Location(path, setting.start, setting.end))


def _packages(rule: Rule) -> set[str]:
    """The packages that are process managers, by their names on npm."""
    return {*rule.data["modules"], *rule.data["packages"]}
