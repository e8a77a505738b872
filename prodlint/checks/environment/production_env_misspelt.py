"""production-env-misspelt: NODE_ENV has a value that was meant to be `production`, and is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import ValueKind
from prodlint.findings import Applicability, Edit, Finding, Fix, Location, Severity
from prodlint.fixes.reasons import ODD_FORM
from prodlint.lazy_regex import regex
from prodlint.program.services import services_in
from prodlint.program.services.setting_values import State
from prodlint.program.services.variants import artefact_of, in_production

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.program.services.launches import LaunchStep
    from prodlint.rulebook import Rule

_NAME, _VALUE = "NODE_ENV", "production"
_MEANT = frozenset({"production", "prod", "prd", "produktion", "produccion", "prodution", "producton", "prodcution"})
_TWO = regex(r"production\s+[A-Za-z_]\w*=.*", re.DOTALL)
_PLAIN = regex(r"\w+=[\w./:@,-]*(?: \w+=[\w./:@,-]*)*")
_WINDOWS = regex(r"\bset\s+NODE_ENV=production(?P<blank>\s+)(?=&&)")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each place that gives a service such a value."""
    for service in services_in(program):
        seen: set[Location] = set()
        for variant in in_production(service) if service.language == "node" else ():
            for finding in (_value(program, rule, service, variant), _blank(program, rule, service, variant)):
                if finding is not None and finding.location not in seen:
                    seen.add(finding.location)
                    yield finding


def _value(program: Program, rule: Rule, service: Service, variant: Variant) -> Finding | None:
    said = variant.setting(f"env.{_NAME}")
    quoted = _TWO.fullmatch(said.value) if said.by is not None and said.by.kind == "systemd" else None
    if quoted is not None and said.by is not None:
        return _two_in_one(rule, service, said.value, said.by.location)
    bare = said.value.strip().strip("\"'").strip().lower()
    if (
        said.by is None
        or said.state is not State.SET
        or not said.is_final
        or said.value == _VALUE
        or bare not in _MEANT
    ):
        return None
    is_compared = _is_compared(program, said.value)
    by = said.by
    return Finding(
        rule.name,
        f"`{_NAME}` is {said.value!r} and not `{_VALUE}`: Express and everything else that asks whether this is "
        f"production takes it for development. Write `{_VALUE}`.",
        by.location,
        data={"kind": by.kind, "name": by.name, "start": by.location.start, "end": by.location.end,
              "variable": _NAME, "old": said.value},
        severity=Severity.ADVICE if is_compared else None,
        no_fix_reason="the code asks for this very value" if is_compared else "",
        service=service.name,
    )  # fmt: skip


def _two_in_one(rule: Rule, service: Service, value: str, place: Location) -> Finding:
    """`Environment="NODE_ENV=production PORT=3000"`: what is in quotes is one value."""
    rest = value.split(maxsplit=1)[1]
    written = f"{_NAME}={_VALUE} {rest}" if _PLAIN.fullmatch(rest) else ""
    instead = f"`Environment={written}`" if written else "each assignment on a line of its own"
    return Finding(
        rule.name,
        f"systemd takes all that is in one pair of quotes for one value: `{_NAME}` is {value!r}, which is not "
        f"`{_VALUE}`. Write {instead}.",
        place,
        data={"unit": written, "start": place.start},
        no_fix_reason="" if written else "how its values are to be quoted is not known here",
        service=service.name,
    )


def _is_compared(program: Program, text: str) -> bool:
    """Whether code of the project compares NODE_ENV with a value."""
    for file in program.files:
        values = file.facts.values
        for value in values:
            if value.kind is ValueKind.OP and len(value.items) > 1:
                operands = [values[item] for item in value.items]
                named = any(operand.kind is ValueKind.MEMBER and operand.text == _NAME for operand in operands)
                if named and any(operand.kind is ValueKind.STRING and operand.text == text for operand in operands):
                    return True
    return False


def _blank(program: Program, rule: Rule, service: Service, variant: Variant) -> Finding | None:
    """`set NODE_ENV=production && …`, as Windows says it: the blank before `&&` is part of the value."""
    for step in variant.launch.steps:
        found = _in_script(program, step)
        if found is not None:
            return Finding(
                rule.name,
                "On Windows the value is `production ` with a blank at its end, which is not production; elsewhere "
                f"`set` sets no variable at all. Write `set {_NAME}={_VALUE}&&`, or use cross-env.",
                found,
                data={"blank": True},
                service=service.name,
            )
    return None


def _in_script(program: Program, step: LaunchStep) -> Location | None:
    artefact = (
        artefact_of(program.facts, step.source.path, step.source.name) if step.source.format.is_package_script else None
    )
    setting = artefact.settings[0] if artefact is not None and artefact.settings else None
    if setting is None or not _WINDOWS.search(setting.value or ""):
        return None
    return Location(step.source.path, setting.start, setting.end)


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The right spelling; no blank before `&&`."""
    from prodlint.fixes import variables

    location = finding.location
    if "unit" in finding.data:
        from prodlint.fixes import systemd_units as units

        source = program.read(location.path)
        unit = units.replace_value(location.path, source, finding.data["start"], finding.data["unit"])
        return Fix("Take the quotes away", Applicability.SAFE, unit) if unit and finding.data["unit"] else ODD_FORM
    if finding.data.get("blank"):
        text = program.read(location.path)[location.start : location.end].decode("utf-8", "replace")
        match = _WINDOWS.search(text)
        if match is None or not text.isascii():
            return ODD_FORM
        start, end = (location.start + at for at in match.span("blank"))
        return Fix("Take the blank away", Applicability.SAFE, (Edit(location.path, start, end, ""),))
    edits = variables.change(program, location.path, finding.data, _VALUE)
    return Fix(f"Write `{_VALUE}`", Applicability.SAFE, edits) if edits else ODD_FORM
