"""A service that runs in one process, where it could use all cores and outlive a crash."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Confidence, Finding, Fix, Severity
from prodlint.fixes.reasons import ODD_FORM
from prodlint.models.deployment_formats import Host
from prodlint.program.services import services_in
from prodlint.program.services.start_faults import main_fault
from prodlint.program.services.variants import (
    artefact_of,
    command_of,
    in_production,
    is_opaque,
    is_tool,
    place_of,
    whereabouts,
)
from prodlint.program.services.worker_counts import Count, manager_of
from prodlint.program.web.exposure import is_worker
from prodlint.program.web.process_counts import answers_one_at_a_time, needs_one_process, proxied_apart, serves

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.program.services.launches import LaunchStep
    from prodlint.rulebook import Rule

"""Options of Gunicorn that make one worker answer several requests at a time."""


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for a service that surely runs in one process and has nothing against several."""
    for service in services_in(program):
        if service.processes.state is Count.MANY or service.platforms or is_tool(program, service):
            continue
        if not serves(program, service) or needs_one_process(program, service) or proxied_apart(program, service):
            continue
        found = [
            finding
            for variant in in_production(service)
            if not main_fault(program, variant) and not is_opaque(variant) and not is_worker(variant)
            if (finding := _of_variant(program, rule, service, variant)) is not None
        ]
        if found:
            yield max(
                found,
                key=lambda finding: (
                    finding.confidence is Confidence.CERTAIN,
                    (finding.severity or rule.severity).rank,
                ),
            )


def _of_variant(program: Program, rule: Rule, service: Service, variant: Variant) -> Finding | None:
    if variant.workers.state is not Count.ONE or variant.format.platform:
        return None
    is_one = variant.copies.state is Count.ONE and (
        variant.format.host is not Host.POD or variant.copies.by is not None
    )
    manager = manager_of(variant.launch)
    if manager is None:
        return _plain(program, rule, service, variant) if is_one else None
    name, step = manager
    if name == "gunicorn" and answers_one_at_a_time(variant):
        text = (
            "Gunicorn starts one worker, which answers one request at a time: all others wait. Give it more, by "
            "`--workers` or the variable `WEB_CONCURRENCY`."
        )
        return _of_command(program, rule, service, step, text, Severity.WARNING)
    if name.startswith("pm2"):
        severity = Severity.ADVICE if variant.format.host is Host.DOCKER else Severity.WARNING
        text = (
            "PM2 starts this service once: it uses one core, and answers nobody while it restarts. Start it with "
            "`-i max`."
        )
        return _of_command(program, rule, service, step, text, severity)
    if not is_one:
        return None
    text = (
        f"{name.capitalize()} starts one process, and nothing starts another: it uses one core, and answers nobody "
        "while it restarts. Give it `--workers`, or run several replicas."
    )
    # One such process may be all that it needs.
    return _of_command(program, rule, service, step, text, Severity.ADVICE, Confidence.LIKELY)


def _of_command(
    program: Program,
    rule: Rule,
    service: Service,
    step: LaunchStep,
    text: str,
    severity: Severity,
    confidence: Confidence = Confidence.CERTAIN,
) -> Finding:
    return Finding(
        rule.name,
        text,
        place_of(program.facts, step),
        confidence=confidence,
        data={"place": whereabouts(step.source), "words": list(step.start.words), "target": step.start.target},
        severity=severity,
        no_fix_reason=_fixless(step),
        service=service.name,
    )


def _plain(program: Program, rule: Rule, service: Service, variant: Variant) -> Finding | None:
    """A service that is one process by itself, in a variant that runs it once."""
    outer = variant.outer
    artefact = artefact_of(program.facts, outer.path, outer.name)
    if artefact is None:
        return None
    engine = "Node uses" if service.language == "node" else "Python uses"
    return Finding(
        rule.name,
        f"{service.name} runs in one process: {engine} one core for it, and nobody is answered while it restarts. Run "
        "several replicas behind a proxy, or a cluster of workers.",
        outer.location._replace(start=artefact.anchor, end=artefact.anchor_end),
        # PM2 is there to start several; one container or unit may be all that a service needs.
        confidence=Confidence.CERTAIN if variant.format.multiplies else Confidence.LIKELY,
        no_fix_reason="how it is to be multiplied is for you to choose",
        service=service.name,
    )


# --- fix


def _fixless(step: LaunchStep) -> str:
    if step.source.format.is_shell:
        return "the command is in a shell script"
    return (
        ""
        if _replacement(step.start.words, step.start.target, step.is_shell)
        else "how many it needs only its machine tells"
    )


def _replacement(words: tuple[str, ...], target: str, is_shell: bool) -> tuple[list[str], list[str]] | None:
    """The words of a command that say how many there are, and what they should be."""
    name = posixpath.basename(words[0])
    for at, word in enumerate(words[:-1]):
        if word in ("-w", "--workers", "-i", "--instances") and words[at + 1] == "1":
            if name.startswith("pm2"):
                return [word, "1"], [word, "max"]
            return ([word, "1"], [word, "${WEB_CONCURRENCY:-2}"]) if name == "gunicorn" and is_shell else None
    return ([target], [target, "-i", "max"]) if name.startswith("pm2") and target in words else None


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """PM2: as many instances as there are cores. Gunicorn in a shell: what `WEB_CONCURRENCY` says, else two workers."""
    from prodlint.fixes import start_commands as starts

    place, words = finding.data["place"], tuple(finding.data["words"])
    command = command_of(program.facts, place, words[0])
    change = _replacement(words, finding.data["target"], is_shell=True)
    if command is None or change is None:
        return "the command is not known here"
    edits = starts.replace_words(place["path"], place["kind"], program.read(place["path"]), command, *change)
    return Fix("Start several processes", Applicability.UNSAFE, edits) if edits else ODD_FORM
