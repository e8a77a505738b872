"""restart-gives-up: a unit whose restarts are used up within seconds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Finding, Fix
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.services import services_in
from prodlint.program.services.setting_values import State
from prodlint.program.services.supervision import after_crash, seconds, start_limit
from prodlint.program.services.variants import in_production

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service
    from prodlint.rulebook import Rule

_FEW = 5


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each unit, and each app of PM2, that restarts and whose limit a crash loop reaches."""
    for service in services_in(program):
        yield from _by_pm2(rule, service)
        for variant in in_production(service, "systemd"):
            limit = start_limit(variant)
            said = variant.setting("restart")
            if said.by is None or after_crash(variant) is not State.SET or not limit.gives_up or not limit.burst:
                continue
            if not math.isfinite(limit.interval or 0):
                continue  # each start counts for ever, and no delay is long enough
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


def _by_pm2(rule: Rule, service: Service) -> Iterator[Finding]:
    """PM2 counts starts that did not last, and stops at `max_restarts`; a delay that grows switches the limit off."""
    for variant in in_production(service, "pm2"):
        limit, delays = variant.setting("restart.limit"), variant.setting("restart.delay")
        number = seconds(limit.value) if limit.state is State.SET else None
        waits = delays.state is not State.ABSENT or after_crash(variant) is not State.SET
        if number is None or number > _FEW or waits or limit.by is None:
            continue
        yield Finding(
            rule.name,
            f"After {number:g} restart{'s' if number != 1 else ''} that do not last PM2 gives up, and {service.name} "
            "gets there while its database restarts. Leave `max_restarts` out, or set `exp_backoff_restart_delay`.",
            limit.by.location,
            data={"pm2": True},
            no_fix_reason="how long its database may be away is not known here",
            service=service.name,
        )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """A delay at which the limit is not reached."""
    from prodlint.fixes import systemd_units as units

    path, delay = finding.data["path"], finding.data["delay"]
    edits = units.set_values(path, program.read(path), "Service", {"RestartSec": delay})
    return Fix(f"Wait {delay} s before each start", Applicability.SAFE, edits) if edits else ODD_FORM
