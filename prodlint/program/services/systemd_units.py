"""systemd units with their drop-ins."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from prodlint.facts import Artefact, Setting
from prodlint.program.services.answers import source_of, words_of
from prodlint.program.services.environment import Environment
from prodlint.program.services.model import Variant
from prodlint.program.services.project import Project
from prodlint.project.paths import joined


def unit_variants(project: Project) -> Iterator[Variant]:
    """What each unit starts."""
    drop_ins: dict[str, list[tuple[str, Artefact]]] = defaultdict(list)
    for path in project.by_kind["systemd"]:
        for artefact in project.files[path].artefacts:
            if artefact.kind == "drop_in":
                drop_ins[artefact.name].append((path, artefact))
    for path in project.by_kind["systemd"]:
        for artefact in project.files[path].artefacts:
            if artefact.kind == "unit":
                yield from _unit(project, path, artefact, drop_ins[artefact.name])


def _unit(project: Project, path: str, unit: Artefact, drop_ins: list[tuple[str, Artefact]]) -> Iterator[Variant]:
    settings: list[tuple[str, Artefact, Setting]] = []
    for file, artefact in [(path, unit), *drop_ins]:
        for setting in artefact.settings:
            if setting.key == "reset":
                settings = [each for each in settings if not f"{each[2].key}.".startswith(f"{setting.value}.")]
            else:
                settings.append((file, artefact, setting))
    env = Environment()
    for file, artefact, setting in settings:
        if setting.key.startswith("env."):
            source = source_of(file, "systemd", artefact, setting)
            env.set(setting.key.removeprefix("env."), setting.value, source, "a specifier is in its value")
    for file, artefact, setting in settings:
        if setting.key in ("env_file", "optional_env_file"):
            name = posixpath.basename(setting.value or "")
            beside = joined(posixpath.dirname(path), name)
            if not name or not project.load_env_file(env, beside):
                env.opened(source_of(file, "systemd", artefact, setting), "its EnvironmentFile= is not here")
    by_key = {setting.key: setting for _, _, setting in settings}
    command = words_of(by_key.get("command.exec"))
    workdir = by_key.get("workdir")
    source = source_of(path, "systemd", unit)
    every = [setting for _, _, setting in settings]
    elsewhere = [(setting, file) for file, _, setting in settings if file != path]
    folder = workdir.value or "" if workdir else ""
    found = project.started_on_host("systemd", source, every, command, folder, env, elsewhere)
    if found is not None:
        yield found
