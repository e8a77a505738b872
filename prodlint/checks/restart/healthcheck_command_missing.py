"""healthcheck-command-missing: a health check whose program is not in the image."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.extract.deployment.commands import split
from prodlint.extract.deployment.dockerfile import json_form
from prodlint.findings import Finding
from prodlint.program.services import services_in
from prodlint.program.services.images import Image
from prodlint.program.services.setting_values import ABSENT, SettingValue, State
from prodlint.program.services.variants import base_of, in_containers, shell_of

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Variant
    from prodlint.rulebook import Rule

_CHECKS = ("healthcheck", "healthcheck.liveness", "healthcheck.readiness", "healthcheck.startup")
_ASKED = ("curl", "wget")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each check of a service that asks with a program which its image has not."""
    for service in services_in(program):
        for variant in in_containers(service):
            asked = [(said, _program(said)) for said in map(variant.setting, _CHECKS)]
            said, name = next((each for each in asked if each[1]), (ABSENT, ""))
            if name and said.by is not None and _lacks(program, variant, name):
                yield Finding(
                    rule.name,
                    f"The image has no `{name}`: the check fails each time, and {service.name} counts as unhealthy. "
                    f"Install it, or ask with {'Node' if service.language == 'node' else 'Python'} itself.",
                    said.by.location,
                    service=service.name,
                )
                break


def _program(said: SettingValue) -> str:
    """`curl` or `wget`, if a check starts with it."""
    if said.state is not State.SET or not said.value:
        return ""
    text = re.sub(r"^(?:CMD(?:-SHELL)?)\s+", "", said.value.strip())
    words = json_form(text)
    if words is not None and words[:1] in (["CMD"], ["CMD-SHELL"]):
        words = words[1:] if words[0] == "CMD" else None
    first = words[0] if words else next((each.words[0] for each in split(text)), "")
    return first if first in _ASKED else ""


def _lacks(program: Program, variant: Variant, name: str) -> bool:
    """Whether an image is known not to have a program: its base has not, and nothing installs or copies it."""
    base = base_of(variant)
    shell, tag = shell_of(base), base.rpartition(":")[2]
    is_bare = (shell == "dash" and "slim" in tag) or (shell == "ash" and name == "curl")
    path, _, stage_name = variant.image.partition("#")
    facts = program.facts.get(path)
    stage = next((each for each in facts.artefacts if each.name == stage_name), None) if facts is not None else None
    if not is_bare or facts is None or stage is None:
        return is_bare and not variant.image  # the image itself is run
    for each in Image(path, facts, stage, "").stages:
        for setting in each.settings:
            value = setting.value or ""
            if setting.key.startswith("run.") and (re.search(rf"\b{name}\b", value) or re.search(r"\.sh\b|\$", value)):
                return False
            if setting.key == "copy" and re.search(rf"{name}|/usr|/bin", value):
                return False
    return True
