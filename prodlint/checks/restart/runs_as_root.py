"""runs-as-root: a service whose process has every right on the machine or in the container."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Edit, Finding, Fix
from prodlint.fixes.reasons import ODD_FORM
from prodlint.lazy_regex import regex
from prodlint.models.deployment_formats import Host
from prodlint.program.services import services_in
from prodlint.program.services.base_images import base_image
from prodlint.program.services.setting_values import SettingValue, State
from prodlint.program.services.start_faults import dev_server, only_reloads
from prodlint.program.services.variants import (
    base_of,
    each_place_once,
    in_production,
    is_known,
    is_opaque,
    looked_at,
    programs,
    script_text,
    whereabouts,
)
from prodlint.program.web.exposure import port_of

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.rulebook import Rule

_NEVER_ROOT = ("heroku",)
"""Platforms that run each image as a user of their own. Source: Heroku, "Container Registry & Runtime"."""
_FIRST_FREE_PORT = 1024
_ROOT = regex(r"(?:root|0)(?::.*)?")
_SETTINGS = regex(r"\.(?:ini|conf|ya?ml)$")
"""A file that a server takes its settings from, as an argument of its own."""
_SETUID = ("process.setuid", "process.setgid", "process.initgroups", "os.setuid", "os.setgid")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for a service that runs as root in some variant for production."""
    return each_place_once(_all(program, rule))


def _all(program: Program, rule: Rule) -> Iterator[Finding]:
    if any(program.api_calls.get(api) for api in _SETUID):
        return  # it gives up its rights by itself
    for service in services_in(program):
        variants = [
            variant
            for variant in in_production(service)
            if _is_on_machine(variant) or (variant.in_container and variant.platform not in _NEVER_ROOT)
        ]
        if any(variant.format.host is Host.POD for variant in variants):
            variants = [variant for variant in variants if not variant.format.is_image]
        roots = [
            variant
            for variant in variants
            if _is_root(program, rule, variant) and not _is_for_one_developer(program, variant)
        ]
        if roots:
            yield _finding(rule, service, roots)


def _is_for_one_developer(program: Program, variant: Variant) -> bool:
    """Whether a server for development is started, which has to go before its user matters. A server that merely
    watches its files (`--reload`) stays."""
    step = dev_server(program, variant)
    return step is not None and not only_reloads(step)


def _finding(rule: Rule, service: Service, roots: list[Variant]) -> Finding:
    first = roots[0]
    said = first.setting("user")
    place = first.outer if _is_on_machine(first) else (first.image_layer or first.layers[0]).source
    location = said.by.location if said.by is not None else place.location
    if said.by is not None:
        message = f"`{said.value}` is root: whoever finds a hole in {service.name} owns all of its {_box(first)}."
    else:
        message = (
            f"Nothing gives `{service.name}` a user of its own: it runs as root, and whoever finds a hole in it owns "
            f"all of its {_box(first)}."
        )
    node = [variant for variant in roots if _is_node(variant) and not _said_by_compose(variant.setting("user"))]
    return Finding(
        rule.name,
        f"{message} {_advice(first, bool(node))}",
        location,
        related=looked_at(
            ((variant.image_layer or variant.layers[0]).source for variant in roots[1:]),
            place.location,
            "runs it as root too",
        ),
        data={"places": [_place(variant) for variant in node]},
        no_fix_reason=_obstacle(first, bool(node) and node[0] is first),
        service=service.name,
    )


def _obstacle(variant: Variant, is_node: bool) -> str:
    if not is_node:
        return "which user may read and write its files is not known here"
    port = port_of(variant)
    if port is not None and port < _FIRST_FREE_PORT:
        return f"it listens on port {port}, which another user may open in Docker, and not everywhere"
    return ""


def _box(variant: Variant) -> str:
    return "machine" if _is_on_machine(variant) else "container"


def _is_on_machine(variant: Variant) -> bool:
    return variant.format.host is Host.MACHINE and not variant.image


def _advice(variant: Variant, is_node: bool) -> str:
    if is_node:
        return "Add `USER node`."
    if variant.format.own_user and not variant.image:
        return variant.format.own_user
    return "Make an account and name it with `USER`."


def _place(variant: Variant) -> dict[str, object]:
    layer = variant.image_layer
    source = layer.source if layer is not None else variant.outer
    by = variant.setting("user").by
    return {**whereabouts(source), "start": by.location.start if by is not None else -1}


def _said_by_compose(answer: SettingValue) -> bool:
    return answer.by is not None and not answer.by.format.is_image


def _is_node(variant: Variant) -> bool:
    """Whether the image is made from one of Node's own, which have a user `node`."""
    return variant.image_layer is not None and bool(
        re.fullmatch(r"(?:docker\.io/)?(?:library/)?node(?:[:@].*)?", base_of(variant))
    )


def _is_root(program: Program, rule: Rule, variant: Variant) -> bool:
    if _drops_rights(program, rule, variant):
        return False
    said = variant.setting("user")
    if (
        is_known(variant.setting("run_as_non_root"), "true")
        or variant.setting("run_as_non_root").state is State.UNKNOWN
    ):
        return False
    if _is_on_machine(variant):
        if variant.setting("dynamic_user").state is not State.ABSENT:
            return False
        return said.state is State.ABSENT or _is_set_to_root(said)
    if said.state is State.ABSENT:
        base = base_image(base_of(variant))
        return base is not None and base.user == "root"
    return _is_set_to_root(said)


def _is_set_to_root(said: SettingValue) -> bool:
    return said.state is State.SET and _ROOT.fullmatch(said.value.strip()) is not None


def _drops_rights(program: Program, rule: Rule, variant: Variant) -> bool:
    """Whether something on the way may change the user: a tool or an option for that, a script that is not here."""
    tools = set(rule.data["tools"])
    if is_opaque(variant) or tools & set(programs(variant)):
        return True
    if any(name in variant.launch.env.known for name in rule.data["user-variables"]):
        return True
    for step in variant.launch.steps:
        words = step.start.words
        name = words[0].rpartition("/")[2] if words else ""
        options, files = rule.data["options"].get(name, ()), rule.data["files"].get(name, ())
        if any(word.partition("=")[0] in options for word in words[1:]):
            return True
        is_file = any(word.partition("=")[0] in files or (files and _SETTINGS.search(word)) for word in words[1:])
        if is_file and not _is_read(program, variant, name):
            return True
        if step.source.format.is_shell and tools & set(re.findall(r"[\w.-]+", script_text(program.facts, step.source))):
            return True
    return False


def _is_read(program: Program, variant: Variant, server: str) -> bool:
    """Whether the file that a server takes its settings from is here, and says nothing of a user."""
    found = [source for source in variant.launch.through if source.kind == server]
    return bool(found) and not any(
        setting.key == "user"
        for source in found
        for artefact in program.facts[source.path].artefacts
        for setting in artefact.settings
    )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """`USER node` where an image of Node's own starts the service."""
    from prodlint.fixes import lines
    from prodlint.fixes.start_commands import instruction_at

    found: list[Edit] = []
    places = [] if finding.no_fix_reason else finding.data["places"]
    for place in {(place["path"], place["start"], place["name"]): place for place in places}.values():
        path, source = place["path"], program.read(place["path"])
        if place["start"] >= 0:
            instruction = instruction_at(source, place["start"])
            if instruction is not None and instruction.name == "USER":
                found.append(Edit(path, instruction.offset(0), instruction.end, "node"))
            continue
        stage = next((each for each in program.facts[path].artefacts if each.name == place["name"]), None)
        found += (lines.insert_instruction(path, source, stage.start, "USER node") or ()) if stage else ()
    return Fix("Run it as the user `node`", Applicability.UNSAFE, tuple(found)) if found else ODD_FORM
