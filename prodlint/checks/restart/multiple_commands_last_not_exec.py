"""multiple-commands-last-not-exec: a shell script that stays between the container's signals and the server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from prodlint.extract.deployment.commands import StartKind
from prodlint.findings import Applicability, Finding, Fix, Step
from prodlint.fixes.reasons import ODD_FORM
from prodlint.lazy_regex import regex
from prodlint.program.services import services_in
from prodlint.program.services.signals import signals_all, signals_group
from prodlint.program.services.start_faults import main_fault
from prodlint.program.services.variants import (
    command_of,
    in_containers,
    place_of,
    script_text,
    whereabouts,
)

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.program.services.launches import LaunchStep
    from prodlint.rulebook import Rule

_ARGUMENTS = regex(r"\"?\$(?:\{)?[@*](?:\})?\"?")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for a service whose container starts a script that runs the server as its child."""
    for service in services_in(program):
        for variant in in_containers(service):
            step = _waiting(program, variant)
            if step is not None and not signals_all(variant) and not main_fault(program, variant):
                yield _finding(program, rule, service, variant, step)
                break


def _waiting(program: Program, variant: Variant) -> LaunchStep | None:
    """The last command of the script that the container starts, if the script waits for it."""
    for step in variant.launch.steps:
        if signals_group(step) or (step.start.kind is StartKind.PACKAGE_SCRIPT and not step.source.format.is_shell):
            return None
        if step.source.format.is_shell:
            is_server = bool(variant.launch.language) and step.start.at >= 0 and not step.start.is_background
            waits = step.is_last and "exec" not in step.start.wrappers and not _handles_signals(program, step)
            return step if is_server and waits else None
    return None


def _handles_signals(program: Program, step: LaunchStep) -> bool:
    text = script_text(program.facts, step.source)
    return re.search(r"(?m)^[^\S\n]*+(?:trap|wait)\b|\bkill -", text) is not None


def _finding(program: Program, rule: Rule, service: Service, variant: Variant, step: LaunchStep) -> Finding:
    said = _said(step.start.words)
    return Finding(
        rule.name,
        f"{step.source.path} stays in front of `{said}` and passes no SIGTERM on: {service.name} is killed after the "
        f"grace period, with what it is doing. Write `exec {said}`.",
        place_of(program.facts, step),
        related=(Step(place_of(program.facts, variant.launch.steps[0]), "this starts the script"),),
        data={"place": whereabouts(step.source), "at": step.start.at, "word": step.start.words[0]},
        service=service.name,
    )


def _said(words: Sequence[str]) -> str:
    return '"$@"' if _ARGUMENTS.fullmatch(words[0]) else " ".join(words)


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """`exec` before the script's last command."""
    from prodlint.fixes import start_commands as starts

    place, at = finding.data["place"], finding.data["at"]
    command = command_of(program.facts, place, finding.data["word"])
    if command is None or re.match(r"\w+=", (command.value or "")[at:]):
        return ODD_FORM if command is None else "the command begins with a variable"
    edits = starts.insert_in_shell(place["path"], place["kind"], program.read(place["path"]), command, at, "exec ")
    return Fix("Replace the shell by the server", Applicability.SAFE, edits) if edits else ODD_FORM
