"""unbounded-file-limit: a limit of file descriptors that is none, for which some programs pay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Finding, Fix
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.services import services_in
from prodlint.program.services.file_limits import file_limit
from prodlint.program.services.variants import in_production

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_MOST = 1_048_576
_ENOUGH = "65535"


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each place that takes the limit away."""
    for service in services_in(program):
        for variant in in_production(service):
            limit = file_limit(variant)
            if limit is not None and limit.said.by is not None and limit.soft > _MOST:
                yield Finding(
                    rule.name,
                    f"`{limit.said.value}` is up to a thousand million file descriptors, and programs that close all "
                    f"of them before they start another one take minutes for that. {_ENOUGH} are enough.",
                    limit.said.by.location,
                    data={"path": limit.said.by.path},
                    no_fix_reason=""
                    if limit.said.by.kind == "systemd"
                    else "how much its machine bears is not known here",
                    service=service.name,
                )
                break


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """A bounded limit in the unit."""
    from prodlint.fixes import systemd_units as units

    path = finding.data["path"]
    edits = units.set_values(path, program.read(path), "Service", {"LimitNOFILE": _ENOUGH})
    return Fix(f"Set `LimitNOFILE={_ENOUGH}`", Applicability.UNSAFE, edits) if edits else ODD_FORM
