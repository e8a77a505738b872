"""malformed-unit-environment: `Environment=` lines of which systemd takes only a part, or nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Finding, Fix, Location
from prodlint.program.operations import units_of

if TYPE_CHECKING:
    from prodlint.program import Program
    from prodlint.rulebook import Rule

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*")
_EXPANSION = re.compile(r"\$(?:\{(?:HOME|USER|PATH|PWD|HOSTNAME|SHELL)\}|(?:HOME|USER|PATH|PWD|HOSTNAME|SHELL)\b)")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each `Environment=` line with words that are no assignment, or with a shell's variable."""
    for service, variant, unit in units_of(program):
        for setting in unit.settings:
            if setting.key != "environment":
                continue
            words = json.loads(setting.value or "[]")
            lost = [word for word in words if not _ASSIGNMENT.fullmatch(word)]
            expansion = next((match.group() for word in words if (match := _EXPANSION.search(word))), "")
            if not lost and not expansion:
                continue
            if lost:
                message = f"systemd passes over `{' '.join(lost)}`: it is no assignment of the form `NAME=value`."
            else:
                message = f"systemd knows no shell: {service.name} gets `{expansion}` as it stands here."
            mended = _mended(words) if lost else ""
            yield Finding(
                rule.name,
                f"{message} Write `Environment={mended}`." if mended else f"{message} Write the value itself.",
                Location(variant.outer.path, setting.start, setting.end),
                data={"value": mended, "start": setting.start},
                fixless="" if mended else "what is meant is not known here",
                service=service.name,
            )


def _mended(words: Sequence[str]) -> str:
    """The line as it must have been meant: without `export`, values with blanks in quotes; "" if that is not clear."""
    if words[:1] == ["export"]:
        words = words[1:]
    if len(words) == 2 and _NAME.fullmatch(words[0]) and not _ASSIGNMENT.fullmatch(words[1]):
        words = [f"{words[0]}={words[1]}"]
    joined: list[str] = []
    for word in words:
        if _ASSIGNMENT.fullmatch(word):
            joined.append(word)
        elif joined:
            joined[-1] += f" {word}"
        else:
            return ""
    if any(re.search(r"[\"'\\]", word) for word in joined):
        return ""
    return " ".join(f'"{word}"' if re.search(r"\s", word) else word for word in joined)


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | None:
    """The line as it must have been meant."""
    from prodlint.fixes import units

    path, value = finding.location.path, finding.data["value"]
    if not value:
        return None
    edits = units.replace_value(path, program.read(path), finding.data["start"], value)
    return Fix(f"Write `Environment={value}`", Applicability.SAFE, edits) if edits else None
