"""no-auto-restart: a service that nothing starts again after a crash."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix, Severity
from prodlint.fixes.reasons import ODD_FORM
from prodlint.models.deployment_formats import Host
from prodlint.program.services import services_in
from prodlint.program.services.environment_evidence import is_called_for_production
from prodlint.program.services.setting_values import State
from prodlint.program.services.supervision import after_crash, restarts_of
from prodlint.program.services.variants import (
    artefact_of,
    in_production,
    is_known,
    is_tool,
    looked_at,
    place_of,
    whereabouts,
)
from prodlint.program.web.exposure import answers_requests

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.rulebook import Rule

_POLICIES = frozenset({"restart", "restart_policy", "autorestart"})


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for a service that some variant for production does not start again."""
    for service in services_in(program):
        variants = in_production(service)
        deployed = [variant for variant in variants if not variant.format.is_package_script]
        if not deployed and (service.platforms or is_tool(program, service)):
            continue
        if not deployed and any(not variant.format.is_package_script for variant in service.variants):
            continue  # what developers run it in shows that the script is not all
        if not deployed and _may_be_deployed(program, service):
            continue
        bare = [
            variant
            for variant in deployed or variants
            if after_crash(variant) is State.ABSENT and not _runs_once(program, service, variant)
        ]
        if bare:
            yield _finding(program, rule, service, bare, variants)


def _may_be_deployed(program: Program, service: Service) -> bool:
    """Whether an artefact that could not be followed names an image or a folder as the package is called."""
    names = {posixpath.basename(service.package).lower(), posixpath.basename(service.name).lower()} - {""}
    for facts in program.facts.values():
        for artefact in facts.artefacts if facts.kind in ("compose", "kubernetes") else ():
            for setting in artefact.settings:
                if setting.key in ("image", "build.context", "build.dockerfile"):
                    said = set(re.split(r"[^a-z0-9]+", (setting.value or setting.template).lower()))
                    if any(set(re.split(r"[^a-z0-9]+", name)) <= said for name in names):
                        return True
    return False


def _runs_once(program: Program, service: Service, variant: Variant) -> bool:
    """Whether a pod or a container that answers nobody says itself that it is not to be started again."""
    is_told = variant.format.host is Host.POD or is_known(variant.setting("restart"), "no", "false")
    return is_told and not answers_requests(program, service, variant)


def _finding(program: Program, rule: Rule, service: Service, bare: list[Variant], variants: list[Variant]) -> Finding:
    first = bare[0]
    location = first.outer.location
    if first.format.is_shell and first.launch.steps:
        location = place_of(program.facts, first.launch.steps[0])
    restarts = restarts_of(first)
    assert restarts is not None
    said = first.setting(restarts.keys[0] if restarts.keys else "restart")
    if said.by is not None and said.state is State.SET and said.by.path == location.path:
        location = said.by.location
    if restarts.by:
        whom = f"the {first.format.part} `{first.outer.name}`" if first.format.part else service.name
        what = f"{restarts.by} leaves {whom} stopped after a crash: {restarts.fault}. {restarts.remedy}"
    else:
        what = f"Nothing starts {service.name} again after a crash: {restarts.fault}. {restarts.remedy}"
    others = [variant for variant in variants if variant not in bare and after_crash(variant) is State.SET]
    return Finding(
        rule.name,
        f"{what}.",
        location,
        related=(
            *looked_at((variant.outer for variant in bare), first.outer.location, "does not restart it either"),
            *looked_at((variant.outer for variant in others), first.outer.location, "restarts it"),
        ),
        data={"places": [whereabouts(variant.outer) for variant in bare], "explicit": said.state is State.SET},
        # Where it is deployed may just not be in the project.
        confidence=Confidence.LIKELY if first.format.is_package_script else Confidence.CERTAIN,
        severity=None if any(_is_oversight(program, variant) for variant in bare) else Severity.ADVICE,
        no_fix_reason=restarts.obstacle,
        service=service.name,
    )


def _is_oversight(program: Program, variant: Variant) -> bool:
    """Whether others in the same compose file do restart, or it is called for production; a unit is there to keep
    something running anyway."""
    if variant.format.host is not Host.DOCKER:
        return not variant.format.is_package_script
    return is_called_for_production(variant.outer.path) or any(
        setting.key == "restart" and setting.value not in (None, "no", "false")
        for artefact in program.facts[variant.outer.path].artefacts
        for setting in artefact.settings
    )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """A restart policy, in each format's own syntax and wherever one is missing."""
    from prodlint.fixes.restart_policies import restart

    found: list[Edit] = []
    start = finding.location.start
    for place in finding.data["places"]:
        path, name = place["path"], place["name"]
        artefact = artefact_of(program.facts, path, name)
        edits = restart(place["kind"], path, program.read(path), artefact, name, start)
        if edits:
            found += edits
        elif place is finding.data["places"][0]:
            return ODD_FORM
    is_meant = finding.data["explicit"] or any(_says_no(program, place) for place in finding.data["places"])
    applicability = Applicability.UNSAFE if is_meant else Applicability.SAFE
    return Fix("Restart it after a crash", applicability, tuple(found))


def _says_no(program: Program, place: Any) -> bool:
    """Whether an artefact says itself what is done after a crash: `Restart=no`."""
    artefact = artefact_of(program.facts, place["path"], place["name"])
    return artefact is not None and any(
        setting.key.rpartition(".")[2].lower() in _POLICIES for setting in artefact.settings
    )
