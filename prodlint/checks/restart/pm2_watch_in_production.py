"""pm2-watch-in-production: PM2 restarts a service whenever a file changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Edit, Finding, Fix
from prodlint.program.services import services_in
from prodlint.program.services.variants import in_production, is_known

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each app for production that PM2 watches."""
    for service in services_in(program):
        for variant in in_production(service, "pm2"):
            said = variant.setting("watch")
            if is_known(said, "true") and said.by is not None:
                yield Finding(
                    rule.name,
                    f"PM2 restarts {service.name} whenever a file below it changes: an upload, a log, each file of a "
                    "deployment. Write `watch: false`.",
                    said.by.location,
                    service=service.name,
                )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """`false`, where `true` is written."""
    place = finding.location
    if program.read(place.path)[place.start : place.end] != b"true":
        return "it is a list of paths, or computed"
    return Fix("Write `watch: false`", Applicability.SAFE, (Edit(place.path, place.start, place.end, "false"),))
