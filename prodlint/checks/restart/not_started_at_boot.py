"""not-started-at-boot: a service that is restarted after a crash, and not after the machine was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Finding
from prodlint.models.deployment_formats import Host
from prodlint.program.services import services_in
from prodlint.program.services.supervision import SUPERVISORS
from prodlint.program.services.variants import in_production, is_tool, programs

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Variant
    from prodlint.rulebook import Rule


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for a service of which nothing is known but a process manager in somebody's terminal."""
    for service in services_in(program):
        variants = in_production(service)
        if service.platforms or is_tool(program, service) or not all(_is_by_hand(each) for each in variants):
            continue
        managed = [each for each in variants if each.format.host is Host.MANAGER or set(programs(each)) & SUPERVISORS]
        if managed and not _is_set_up(program):
            yield Finding(
                rule.name,
                f"A process manager restarts {service.name} after a crash, but nothing here starts that when the "
                "machine starts. Run `pm2 startup` and `pm2 save` there, or write a unit.",
                managed[0].outer.location,
                service=service.name,
            )


def _is_by_hand(variant: Variant) -> bool:
    return variant.format.host is Host.MANAGER or variant.format.is_package_script


def _is_set_up(program: Program) -> bool:
    """Whether a script of the project has PM2 set itself up for the next start of the machine."""
    return any(
        "pm2 startup" in (setting.value or "")
        or "pm2 save" in (setting.value or "")
        or "pm2 resurrect" in (setting.value or "")
        for facts in program.facts.values()
        for artefact in facts.artefacts
        for setting in artefact.settings
        if setting.key.startswith(("command.", "run."))
    )
