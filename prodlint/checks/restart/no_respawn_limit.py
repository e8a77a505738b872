"""no-respawn-limit: a service that is started again and again without a pause."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Finding, Fix
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.services import services_in
from prodlint.program.services.setting_values import State
from prodlint.program.services.supervision import after_crash, start_limit
from prodlint.program.services.variants import in_production, is_known

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.rulebook import Rule

_SHORTEST = 1
"""Seconds between two starts that a machine bears for ever."""


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each unit that has neither a start limit nor a delay."""
    for service in services_in(program):
        for variant in in_production(service, "upstart"):
            finding = _upstart(rule, service, variant)
            if finding is not None:
                yield finding
        for variant in in_production(service, "systemd"):
            limit = start_limit(variant)
            said = variant.setting("restart")
            if said.by is None or after_crash(variant) is not State.SET or limit.is_on or limit.delay is None:
                continue
            if limit.burst is not None and limit.interval is not None and limit.delay < _SHORTEST:
                yield Finding(
                    rule.name,
                    f"If {service.name} cannot start, systemd tries {1 / max(limit.delay, 0.01):.0f} times a second "
                    "for ever: its start limit is switched off. Add `RestartSec=2`.",
                    said.by.location,
                    data={"path": variant.outer.path},
                    service=service.name,
                )


def _upstart(rule: Rule, service: Service, variant: Variant) -> Finding | None:
    """A job that respawns and says nothing of how often, or for ever."""
    said, limit = variant.setting("restart"), variant.setting("restart.limit")
    if said.by is None or said.state is not State.SET or limit.state is State.UNKNOWN:
        return None
    if limit.state is State.SET and not is_known(limit, "unlimited", "0"):
        return None
    is_off = limit.state is State.SET
    by = limit.by if limit.by is not None else said.by
    return Finding(
        rule.name,
        f"If {service.name} cannot start, Upstart "
        f"{'tries again for ever' if is_off else 'gives up after its default of 10 starts within 5 seconds'}. Say how "
        "often it may: `respawn limit 10 5`.",
        by.location,
        data={"path": variant.outer.path, "upstart": True, "start": by.location.start if is_off else -1},
        service=service.name,
    )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """A delay before each start."""
    from prodlint.fixes import systemd_units as units
    from prodlint.fixes import upstart_jobs as jobs

    path = finding.data["path"]
    if finding.data.get("upstart"):
        text, start = "respawn limit 10 5", finding.data["start"]
        source = program.read(path)
        job = jobs.add_stanzas(path, source, text) if start < 0 else jobs.replace_stanza(path, source, start, text)
        return Fix("Limit the respawns", Applicability.SAFE, job) if job else ODD_FORM
    edits = units.set_values(path, program.read(path), "Service", {"RestartSec": "2"})
    return Fix("Wait 2 s before each start", Applicability.SAFE, edits) if edits else ODD_FORM
