"""Fixes as programs take them: edits only."""

from __future__ import annotations

import msgspec

from prodlint.findings import Finding, Fix
from prodlint.fixes.compose import resolve
from prodlint.output import Report


def realised_fix(report: Report, finding: Finding) -> Fix | None:
    """The finding's fix, with the imports that it asks for among its edits; None if it has none that can be made."""
    fix = report.fix_for(finding)
    edits = None if fix is None else resolve(fix, report.read)
    if fix is None or not edits:
        return None
    return msgspec.structs.replace(fix, edits=edits, imports=())
