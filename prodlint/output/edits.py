"""Fixes as programs take them: edits only."""

from __future__ import annotations

import msgspec

from prodlint.findings import Finding, Fix
from prodlint.output import Report


def realised_fix(report: Report, finding: Finding) -> Fix | str:
    """The finding's fix, with the imports that it asks for among its edits; or why it has none that can be made."""
    fix = report.fix_for(finding)
    if isinstance(fix, str):
        return fix
    edits = report.edits_of(fix)
    return edits if isinstance(edits, str) else msgspec.structs.replace(fix, edits=edits, imports=())
