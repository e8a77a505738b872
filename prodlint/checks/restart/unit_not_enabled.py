"""unit-not-enabled: a unit that does not start with the machine, because nothing can enable it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Finding, Fix
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.services import services_in
from prodlint.program.services.setting_values import State
from prodlint.program.services.variants import in_production, is_known, units_of

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_INSTALLS = ("Install.WantedBy", "Install.RequiredBy", "Install.UpheldBy", "Install.Also", "Install.Alias")
_RUNLEVELS = "start on runlevel [2345]"
_STARTERS = ("Unit.Wants", "Unit.Requires", "Unit.BindsTo", "Unit.Upholds", "Unit.Requisite", "Install.Also")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each unit without anything in [Install], that nothing else starts either."""
    for service in services_in(program):
        for variant in in_production(service, "upstart"):
            if all(variant.setting(key).state is State.ABSENT for key in ("start_on", "instance", "manual")):
                yield Finding(
                    rule.name,
                    f"Nothing starts the job {variant.outer.name} when the machine starts: it has no `start on`. Add "
                    "`start on runlevel [2345]`.",
                    variant.outer.location,
                    data={"path": variant.outer.path, "target": ""},
                    service=service.name,
                )
    for service, variant, unit in units_of(program):
        values = {setting.key: setting.value or "" for setting in unit.settings}
        stem = unit.name.removesuffix(".service")
        is_installed = any(variant.setting(key).state is not State.ABSENT for key in _INSTALLS)
        is_started = "@" in stem or "Service.BusName" in values or "Service.Sockets" in values
        by_socket = any(f"{stem}.{kind}" in " ".join(values.values()) for kind in ("socket", "timer", "path"))
        if is_installed or is_started or by_socket or is_known(variant.setting("type"), "oneshot", "dbus"):
            continue
        if _is_named_elsewhere(program, variant.outer.path, unit.name):
            continue
        target = "default.target" if "/user/" in f"/{variant.outer.path}" else "multi-user.target"
        yield Finding(
            rule.name,
            f"`systemctl enable` has nothing to do for {unit.name}, so {service.name} does not start with the machine. "
            f"Add `WantedBy={target}` in [Install].",
            variant.outer.location,
            data={"path": variant.outer.path, "target": target},
            service=service.name,
        )


def _is_named_elsewhere(program: Program, path: str, name: str) -> bool:
    """Whether another unit of the project starts this one."""
    for other, facts in program.facts.items():
        if facts.kind == "systemd" and other != path:
            for artefact in facts.artefacts:
                if any(each.key in _STARTERS and name in (each.value or "").split() for each in artefact.settings):
                    return True
    return False


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The section that `systemctl enable` reads."""
    from prodlint.fixes import systemd_units as units
    from prodlint.fixes import upstart_jobs as jobs

    path, target = finding.data["path"], finding.data["target"]
    if not target:
        job = jobs.add_stanzas(path, program.read(path), _RUNLEVELS)
        return Fix(f"Add `{_RUNLEVELS}`", Applicability.SAFE, job) if job else ODD_FORM
    edits = units.set_values(path, program.read(path), "Install", {"WantedBy": target})
    return Fix(f"Add `WantedBy={target}`", Applicability.SAFE, edits) if edits else ODD_FORM
