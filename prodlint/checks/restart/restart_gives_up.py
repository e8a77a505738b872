"""restart-gives-up: a unit whose restarts are used up within seconds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Finding, Fix
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.services import services_in
from prodlint.program.services.setting_values import State
from prodlint.program.services.supervision import after_crash, start_limit
from prodlint.program.services.variants import in_production

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each unit that restarts, and whose start limit a crash loop reaches."""
    for service in services_in(program):
        for variant in in_production(service, "systemd"):
            limit = start_limit(variant)
            said = variant.setting("restart")
            if said.by is None or after_crash(variant) is not State.SET or not limit.gives_up or not limit.burst:
                continue
            delay = max(1, math.ceil((limit.interval or 0) / limit.burst))
            yield Finding(
                rule.name,
                f"After {limit.burst:g} starts within {limit.interval:g} seconds systemd gives up, and at one start "
                f"every {limit.delay:g} seconds {service.name} gets there while its database restarts. Add "
                f"`RestartSec={delay}`.",
                said.by.location,
                data={"path": variant.outer.path, "delay": str(delay)},
                service=service.name,
            )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """A delay at which the limit is not reached."""
    from prodlint.fixes import systemd_units as units

    path, delay = finding.data["path"], finding.data["delay"]
    edits = units.set_values(path, program.read(path), "Service", {"RestartSec": delay})
    return Fix(f"Wait {delay} s before each start", Applicability.SAFE, edits) if edits else ODD_FORM
