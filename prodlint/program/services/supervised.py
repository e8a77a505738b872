"""Jobs of Upstart and programs of supervisord, on a host."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from prodlint.facts import Artefact, Setting
from prodlint.program.services.environment import Environment
from prodlint.program.services.model import Variant
from prodlint.program.services.project import Project
from prodlint.program.services.setting_values import source_of, words_of


def supervised_variants(project: Project, used: Collection[str]) -> Iterator[Variant]:
    """What each job and program starts; not those of files that a container starts: `used`."""
    for kind, artefact_kind in (("upstart", "job"), ("supervisord", "program")):
        for path in project.by_kind[kind]:
            for artefact in project.files[path].artefacts if path not in used else ():
                if artefact.kind == artefact_kind:
                    variant = _variant(project, kind, path, artefact)
                    if variant is not None:
                        yield variant


def _variant(project: Project, kind: str, path: str, artefact: Artefact) -> Variant | None:
    env = Environment()
    for setting in artefact.settings:
        if setting.key.startswith("env."):
            by = source_of(path, kind, artefact, setting)
            env.set(setting.key.removeprefix("env."), setting.value, by)
    command = _last_command(artefact.settings)
    workdir = next((setting.value for setting in reversed(artefact.settings) if setting.key == "workdir"), None)
    source = source_of(path, kind, artefact)
    return project.started_on_host(kind, source, artefact.settings, words_of(command), workdir or "", env)


def _last_command(settings: Sequence[Setting]) -> Setting | None:
    return next((each for each in reversed(settings) if each.key in ("command.exec", "command.shell")), None)
