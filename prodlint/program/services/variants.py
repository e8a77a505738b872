"""What rules about processes ask of the services: where each variant for production says how it is run, which command
that is, and which shell stands between."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prodlint.facts import Artefact, FileFacts, Setting
from prodlint.findings import Finding, Location, Step
from prodlint.models.deployment_formats import Host, rank
from prodlint.program.services import Service, Variant, services_in
from prodlint.program.services.base_images import base_image
from prodlint.program.services.launches import LaunchStep
from prodlint.program.services.setting_values import SettingValue, Source, State

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_COMMANDS = ("command.exec", "command.shell", "entrypoint.exec", "entrypoint.shell")


def in_production(service: Service, *kinds: str) -> list[Variant]:
    """The variants for production, of `kinds` if any are given: what a reader would look at first comes first."""
    variants = [variant for variant in service.production if not kinds or variant.kind in kinds]
    return sorted(variants, key=lambda variant: (rank(variant.kind), len(variant.outer.path), variant.outer.path))


def on_host(service: Service, host: Host) -> list[Variant]:
    """The variants for production that `host` starts, in the same order."""
    return [variant for variant in in_production(service) if variant.format.host is host]


def in_containers(service: Service) -> list[Variant]:
    """The variants for production that run in a container, whoever starts it: compose, a pod, a platform that builds
    the image, a unit that runs `docker run`."""
    return [variant for variant in in_production(service) if variant.in_container]


def each_place_once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings without those at a place that has one already: services that share an image have its faults once."""
    seen: set[Location] = set()
    for finding in findings:
        if finding.location not in seen:
            seen.add(finding.location)
            yield finding


def is_tool(program: Program, service: Service) -> bool:
    """Whether a package that only its own scripts start is a command that others install and run in their way."""
    info = program.versions.packages.get(service.package)
    return info is not None and bool(info.bin) and all(each.format.is_package_script for each in service.variants)


def shown(source: Source) -> str:
    """An artefact as a message names it."""
    if source.format.is_shown_by_part and source.name:
        return f"the {source.format.part} {source.name}"
    return posixpath.basename(source.path)


def looked_at(sources: Iterable[Source], but: Location, message: str) -> tuple[Step, ...]:
    """Steps to artefacts that were looked at too, each once."""
    found: dict[tuple[str, str], Step] = {}
    for source in sources:
        if source.location != but:
            found.setdefault((source.path, source.name), Step(source.location, f"{shown(source)} {message}"))
    return tuple(found.values())


def whereabouts(source: Source) -> dict[str, Any]:
    """A source as the data of a finding."""
    return {"kind": source.kind, "name": source.name, "path": source.path}


def artefact_of(files: Mapping[str, FileFacts], path: str, name: str) -> Artefact | None:
    """The artefact of a file by its name."""
    facts = files.get(path)
    found = [artefact for artefact in facts.artefacts if artefact.name == name] if facts else []
    return found[0] if found else None


def command_of(files: Mapping[str, FileFacts], place: Mapping[str, Any], word: str) -> Setting | None:
    """The setting of an artefact (see `whereabouts`) that holds the command with `word` in it: CMD or ENTRYPOINT,
    `command:`, ExecStart=, a script."""
    facts = files.get(place["path"])
    for artefact in facts.artefacts if facts is not None else ():
        if artefact.name == place["name"] or place["kind"] == "shell":
            for setting in reversed(artefact.settings):
                if setting.key in _COMMANDS and word in (setting.value or ""):
                    return setting
    return None


def place_of(files: Mapping[str, FileFacts], step: LaunchStep) -> Location:
    """Where a command is written; of one that a Dockerfile writes into a script, where it does so."""
    if step.source.kind == "shell":
        return _place_in_script(files, step)
    command = command_of(files, whereabouts(step.source), step.start.words[0] if step.start.words else "")
    if command is None or step.source.format.is_shell:
        return step.source.location
    return Location(step.source.path, command.start, command.end)


def script_text(files: Mapping[str, FileFacts], source: Source) -> str:
    """The text of a shell script that leads to what is started."""
    for artefact in files[source.path].artefacts:
        for setting in artefact.settings:
            if source.kind == "shell":
                return setting.value or ""
            if (setting.start, setting.end) == source.location[1:]:
                return setting.value or ""
    return ""


def _place_in_script(files: Mapping[str, FileFacts], step: LaunchStep) -> Location:
    """The line of a shell script that has a command; the script where that is not known."""
    settings = [each for artefact in files[step.source.path].artefacts for each in artefact.settings]
    text = (settings[0].value if settings else None) or ""
    is_as_written = bool(settings) and len(text.encode()) == settings[0].end - settings[0].start
    if step.start.at < 0 or not is_as_written:
        return step.source.location
    start = len(text[: step.start.at].encode())
    line = re.split(r"\n|(?<=\S)[ \t]*(?:#|;|&&|\|\|)", text[step.start.at :], maxsplit=1)[0]
    return Location(step.source.path, start, start + len(line.encode()))


def place_of_fault(files: Mapping[str, FileFacts], steps: Sequence[LaunchStep], step: LaunchStep) -> Location:
    """Where a fault of a command is shown: in the shell script that has it, else where all of it begins."""
    return place_of(files, step if step.source.format.is_shell else steps[0])


def is_known(answer: SettingValue, *values: str) -> bool:
    """Whether a setting is one of `values` for sure."""
    return answer.state is State.SET and answer.value.strip().lower() in values


def shell_of(base: str) -> str:
    """What /bin/sh is in an image that starts from `base`: `dash`, `ash` (busybox), `bash`, or "" where that is not
    known or there is none."""
    known = base_image(base)
    return known.shell if known is not None else ""


def base_of(variant: Variant) -> str:
    """The image that a container starts from: the base of the one that is built, or the one that is run as it is."""
    if variant.base or variant.image:
        return variant.base
    answer = variant.setting("image")
    return answer.value if answer.state is State.SET else ""


def is_opaque(variant: Variant) -> bool:
    """Whether something on the way to what is started cannot be looked into."""
    return not variant.launch.language or any(_is_unseen(step, variant.launch.steps) for step in variant.launch.steps)


def _is_unseen(step: LaunchStep, steps: Sequence[LaunchStep]) -> bool:
    from prodlint.extract.deployment.commands import StartKind

    if step.start.kind is StartKind.SHELL_SCRIPT:
        return not any(other.source.format.is_shell for other in steps)
    return step.start.kind is StartKind.OPAQUE and not re.fullmatch(r"\$\{?[@*]\}?", step.start.target)


def programs(variant: Variant) -> list[str]:
    """The names of all programs on the way to what is started, what merely hands on included."""
    found: list[str] = []
    for step in variant.launch.steps:
        found += step.start.wrappers
        found += (posixpath.basename(word) for word in step.start.words[:1])
        if step.start.words[:2] and posixpath.basename(step.start.words[0]).startswith("python"):
            found += step.start.words[2:3] if step.start.words[1] == "-m" else ()
    return found


def units_of(program: Program) -> Iterator[tuple[Service, Variant, Artefact]]:
    """The systemd units that start services in production, each once, with all that they say."""
    seen: set[str] = set()
    for service in services_in(program):
        for variant in in_production(service, "systemd"):
            unit = artefact_of(program.facts, variant.outer.path, variant.outer.name)
            if unit is not None and variant.outer.path not in seen:
                seen.add(variant.outer.path)
                yield service, variant, unit
