"""Whether a place runs in production as it does in development: nothing asks first where it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from prodlint.facts import ExitKind, RegionKind
from prodlint.findings import Confidence
from prodlint.lazy_regex import regex
from prodlint.program.linking.resolver import CallSite, File, keyword_of

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

DEVELOPMENT = regex(r"(?:^|[_.\-/]|(?<=[a-z]))(?:dev\w*|local\w*|test\w*|debug\w*)", re.IGNORECASE)
"""How modules, classes and functions for development are called."""


def runs_unasked(program: Program, file: File, region: int) -> Confidence | None:
    """Whether a region is server code that runs in production as well: under no condition at all, and in no file or
    function that is for development by its name."""
    regions = [file.facts.regions[at] for at in program.regions_out(file, region)]
    if any(each.kind in (RegionKind.THEN, RegionKind.ELSE, RegionKind.CASE) for each in regions):
        return None
    if is_named_for_development(file, region):
        return None
    # `if (isProduction) { …; return; }` before it: the rest is for development.
    leaves = any(
        exit_.kind is ExitKind.RETURN
        and exit_.start < file.facts.regions[region].end
        and file.facts.regions[exit_.region].function == file.facts.regions[region].function
        and file.facts.regions[exit_.region].kind is RegionKind.THEN
        for exit_ in file.facts.exits
    )
    return None if leaves else program.server_code(file, region)


def is_named_for_development(file: File, region: int) -> bool:
    """Whether the file or the function that a region is in is called so."""
    function = file.facts.functions[file.facts.regions[region].function]
    return bool(DEVELOPMENT.search(file.path) or DEVELOPMENT.search(function.name))


def is_literally(program: Program, site: CallSite, name: str, text: str) -> bool:
    """Whether a call of Python is given a keyword argument as this literal."""
    return program.value(site.file, keyword_of(site.call, name)).text == text
