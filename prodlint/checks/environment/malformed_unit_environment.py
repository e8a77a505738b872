"""malformed-unit-environment: `Environment=` lines of which systemd takes only a part, or nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Finding, Fix, Location
from prodlint.fixes.reasons import ODD_FORM
from prodlint.lazy_regex import regex
from prodlint.program.services.variants import units_of

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_ASSIGNMENT = regex(r"[A-Za-z_]\w*=.*", re.DOTALL)
_NAME = regex(r"[A-Za-z_]\w*")
_EXPANSION = regex(r"\$(?:\{(?:HOME|USER|PATH|PWD|HOSTNAME|SHELL)\}|(?:HOME|USER|PATH|PWD|HOSTNAME|SHELL)\b)")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each `Environment=` line with words that are no assignment, or with a shell's variable."""
    yield from _jobs(program, rule)
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
                no_fix_reason="" if mended else "what is meant is not known here",
                service=service.name,
            )


def _jobs(program: Program, rule: Rule) -> Iterator[Finding]:
    """Upstart: `env` without `=`, and a variable that is `exec`uted as if it were a program."""
    for path, facts in program.facts.items():
        for setting in (each for job in facts.artefacts for each in job.settings if facts.kind == "upstart"):
            words = json.loads(setting.value or "[]") if setting.key in ("environment", "command.exec") else []
            is_pair = len(words) == 2 and all(re.fullmatch(r"[\w./:-]+", word) for word in words)
            if setting.key == "environment" and words and "=" not in " ".join(words):
                mended = f"env {words[0]}={words[1]}" if is_pair and _NAME.fullmatch(words[0]) else ""
                message = f"Upstart sets no variable by `env {' '.join(words)}`: there is no `=` in it."
            elif setting.key == "command.exec" and len(words) == 1 and _ASSIGNMENT.fullmatch(words[0]):
                mended = f"env {words[0]}"
                message = (
                    f"`exec {words[0]}` starts a program of this name, and takes the place of what the job starts."
                )
            else:
                continue
            yield Finding(
                rule.name,
                f"{message} Write `{mended}`." if mended else message,
                Location(path, setting.start, setting.end),
                data={"stanza": mended, "start": setting.start, "value": ""},
                no_fix_reason="" if mended else "what is meant is not known here",
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


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The line as it must have been meant."""
    from prodlint.fixes import systemd_units as units
    from prodlint.fixes import upstart_jobs as jobs

    path, value = finding.location.path, finding.data["value"]
    if finding.data.get("stanza"):
        stanza = finding.data["stanza"]
        job = jobs.replace_stanza(path, program.read(path), finding.data["start"], stanza)
        return Fix(f"Write `{stanza}`", Applicability.SAFE, job) if job else ODD_FORM
    if not value:
        return "what is meant is not known here"
    edits = units.replace_value(path, program.read(path), finding.data["start"], value)
    return Fix(f"Write `Environment={value}`", Applicability.SAFE, edits) if edits else ODD_FORM
