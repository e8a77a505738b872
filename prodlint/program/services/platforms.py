"""What the files of platforms start: a command in a folder, or an image that is built here."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec.structs import replace

from prodlint.facts import Artefact
from prodlint.program.services.build_contexts import context_of
from prodlint.program.services.containers import Runner, image_variant
from prodlint.program.services.environment import Environment
from prodlint.program.services.environment_evidence import name_evidence
from prodlint.program.services.images import Image
from prodlint.program.services.model import Variant
from prodlint.program.services.places import FolderPlace
from prodlint.program.services.project import Project
from prodlint.program.services.setting_values import source_of, words_of
from prodlint.project.paths import joined


def platform_variants(project: Project) -> Iterator[Variant]:
    """What each service of a platform's file starts, if that is said: the platform decides about the others."""
    for path in project.by_kind["platform"]:
        artefacts = project.files[path].artefacts
        for artefact in artefacts:
            if artefact.kind == "platform_service":
                variant = _variant(project, path, artefacts[0].name, artefact)
                if variant is not None:
                    yield variant


def _variant(project: Project, path: str, platform: str, artefact: Artefact) -> Variant | None:
    settings = {setting.key: setting for setting in artefact.settings}
    folder = posixpath.dirname(path)
    if "folder" in settings:
        folder = joined(folder, settings["folder"].value or "")
    source = source_of(path, "platform", artefact)
    command = words_of(settings.get("command.shell"))
    dockerfile = settings.get("build.dockerfile")
    file = joined(folder, dockerfile.value if dockerfile is not None and dockerfile.value else "Dockerfile")
    is_image = dockerfile is not None or (platform == "fly" and "image" not in settings)
    facts = project.files.get(file)
    if is_image and facts is not None and facts.kind == "dockerfile" and facts.artefacts:
        context = context_of(project, file)
        evidence = name_evidence(path)

        def set_env(env: Environment) -> None:
            _set_env(env, path, artefact)

        runner = Runner("platform", source, tuple(artefact.settings), set_env, lambda workdir: evidence)
        image = Image(file, facts, facts.artefacts[-1], context)
        found = image_variant(project, image, runner)
    else:
        env = Environment()
        _set_env(env, path, artefact)
        found = project.started("platform", source, artefact.settings, command, FolderPlace(folder), env)
    if found is None:
        return None
    found = replace(found, platform=platform)
    if platform == "fly":
        return found
    # Variables are set in the platform's console as well.
    found.launch.env.mark_unknown(source, f"it may be set at {platform}")
    return replace(found, opaque=f"{platform} has settings of its own")


def _set_env(env: Environment, path: str, artefact: Artefact) -> None:
    for setting in artefact.settings:
        if setting.key.startswith("env."):
            env.set(setting.key.removeprefix("env."), setting.value, source_of(path, "platform", artefact, setting))
