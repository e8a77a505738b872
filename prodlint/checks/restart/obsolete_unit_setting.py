"""obsolete-unit-setting: what systemd takes for something else today, ignores, or refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prodlint.findings import Applicability, Finding, Fix, Location, Severity
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.services.variants import is_known, units_of

if TYPE_CHECKING:
    from prodlint.facts import Artefact, Setting
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.rulebook import Rule

_REFUSED_FOR_ONESHOT = ("always", "on-success")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """A finding for each setting of a unit that means something else today, or nothing."""
    for service, variant, unit in units_of(program):
        for setting in unit.settings:
            found = _value(rule, setting) or _renamed(rule, setting) or _unsafe(rule, setting)
            if found is not None:
                yield _finding(rule, service, variant, setting, found)
        yield from _refused(rule, service, variant, unit)


def _finding(rule: Rule, service: Service, variant: Variant, setting: Setting, found: dict[str, Any]) -> Finding:
    return Finding(
        rule.name,
        found["message"],
        Location(variant.outer.path, setting.start, setting.end),
        data={"change": found.get("change", {}), "start": setting.start},
        severity=found.get("severity"),
        no_fix_reason="" if "change" in found else found["no_fix_reason"],
        service=service.name,
    )


def _key(setting: Setting) -> tuple[str, str]:
    """The section and the key of a setting as they are written in a unit."""
    section, _, key = setting.key.rpartition(".")
    return (section, key) if section else ("Service", {"user": "User"}.get(setting.key, setting.key))


def _value(rule: Rule, setting: Setting) -> dict[str, Any] | None:
    section, key = _key(setting)
    new = rule.data["values"].get(f"{key}={(setting.value or '').strip()}") if section == "Service" else None
    if new is None:
        return None
    return {
        "message": f"systemd writes no more to {setting.value}: it takes `{key}={setting.value}` for `{new}` and says "
        f"so at each start. Write `{key}={new}`.",
        "change": {"value": new},
    }


def _renamed(rule: Rule, setting: Setting) -> dict[str, Any] | None:
    section, key = _key(setting)
    for entry in rule.data["renamed"]:
        if entry["key"] == key and section in entry["in"]:
            new, home = entry["new"], entry.get("section", section)
            is_ignored = section in entry.get("ignored-in", ())
            effect = "is ignored there" if is_ignored else "is an old name that systemd will not know for ever"
            where = f" in [{home}]" if home != section else ""
            change = {"key": new, "section": home if home != section else ""}
            return {
                "message": f"`{key}=` in [{section}] {effect}. Write `{new}=`{where}.",
                "severity": Severity.WARNING if is_ignored else None,
                **(
                    {"change": change}
                    if entry.get("same-value", True)
                    else {"no_fix_reason": "its values mean something else"}
                ),
            }
    return None


def _unsafe(rule: Rule, setting: Setting) -> dict[str, Any] | None:
    _, key = _key(setting)
    message = rule.data["unsafe"].get(f"{key}={(setting.value or '').strip()}")
    if message is None:
        return None
    return {"message": message, "no_fix_reason": "what to put in its place is for a person to decide"}


def _refused(rule: Rule, service: Service, variant: Variant, unit: Artefact) -> Iterator[Finding]:
    """What makes systemd refuse the whole unit."""
    commands = [setting for setting in unit.settings if setting.key == "command.exec"]
    is_oneshot = is_known(variant.setting("type"), "oneshot")
    found: list[tuple[Setting, str]] = []
    if len(commands) > 1 and not is_oneshot:
        found.append((commands[-1], "systemd refuses a unit with two `ExecStart=` unless it is of `Type=oneshot`."))
    for setting in unit.settings:
        if setting.key == "restart" and is_oneshot and setting.value in _REFUSED_FOR_ONESHOT:
            found.append((setting, f"systemd refuses `Restart={setting.value}` in a unit of `Type=oneshot`."))
    for setting, message in found:
        problem = {
            "message": message,
            "severity": Severity.ERROR,
            "no_fix_reason": "which of both is meant is not known here",
        }
        yield _finding(rule, service, variant, setting, problem)


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Today's name or value, in the section that it belongs to."""
    from prodlint.fixes import systemd_units as units

    change, start, path = finding.data["change"], finding.data["start"], finding.location.path
    source = program.read(path)
    if "value" in change:
        edits = units.replace_value(path, source, start, change["value"])
    elif change.get("section"):
        edits = units.move_line(path, source, start, change["section"], change["key"])
    elif "key" in change:
        edits = units.rename_key(path, source, start, change["key"])
    else:
        return "what to put in its place is for a person to decide"
    return Fix("Write it as systemd does today", Applicability.SAFE, edits) if edits else ODD_FORM
