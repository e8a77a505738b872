"""The apps of the process files of PM2 and forever, where those run on a host."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator

from msgspec.structs import replace

from prodlint.extract.deployment.commands import StartKind, starts
from prodlint.facts import Artefact
from prodlint.program.services.environment import Environment
from prodlint.program.services.environment_evidence import name_evidence
from prodlint.program.services.model import Variant
from prodlint.program.services.places import FolderPlace, Place
from prodlint.program.services.process_files import DEFAULT, environments_in, environments_of, names, set_env
from prodlint.program.services.project import Project
from prodlint.program.services.setting_values import source_of, words_of
from prodlint.project.paths import joined

_ACTIONS = frozenset({"start", "startOrReload", "startOrRestart", "startOrGracefulReload", "reload", "restart"})


def pm2_variants(project: Project, used: Collection[str]) -> Iterator[Variant]:
    """What each app starts; not those of files that a container starts: `used`."""
    for path in (*project.by_kind["pm2"], *project.by_kind["forever"]):
        if path in used:
            continue
        environments = _environments(project, path)
        for artefact in project.files[path].artefacts:
            if artefact.kind == "app":
                variant = _variant(project, path, artefact, environments)
                if variant is not None:
                    yield variant


def _variant(project: Project, path: str, artefact: Artefact, environments: list[str]) -> Variant | None:
    settings = {setting.key: setting for setting in artefact.settings}
    workdir = settings.get("workdir")
    folder = posixpath.dirname(path)
    place: Place = FolderPlace(folder)
    if workdir is not None:
        is_elsewhere = workdir.value is None or workdir.value.startswith("/")
        place = FolderPlace(folder if is_elsewhere else joined(folder, workdir.value or ""), is_elsewhere=is_elsewhere)
    env = Environment()
    kind = project.files[path].kind
    set_env(env, path, kind, artefact, _chosen(environments))
    source = source_of(path, kind, artefact)
    if not environments:
        # Nothing here starts PM2, so whoever does may choose any of them.
        for name, variables in environments_in(artefact).items():
            for variable in sorted(variables):
                env.set(variable, None, source, f"it depends on whether PM2 is started with `--env {name}`")
    if "unknown" in settings:
        env.mark_unknown(source, "what is spread into it is not known")
    variant = project.started(kind, source, artefact.settings, words_of(settings.get("command.exec")), place, env)
    if variant is None:
        return None
    return replace(variant, dev={**variant.dev, **name_evidence("", artefact.name)})


def _chosen(environments: list[str]) -> str:
    """The environment that a command of the project asks for: the one for production, if several do."""
    for name in ("production", "prod", "live"):
        if name in environments:
            return name
    return environments[0] if environments else ""


def _environments(project: Project, path: str) -> list[str]:
    """What is behind `--env` wherever a command of the project starts a process file, "" for no such option."""
    found: list[str] = []
    for facts in project.files.values():
        for artefact in facts.artefacts:
            for setting in artefact.settings:
                if setting.key.partition(".")[0] in ("command", "entrypoint") and "pm2" in (setting.value or ""):
                    words = words_of(setting)
                    for start in starts(words[0], is_shell=words[1]) if words is not None else ():
                        is_start = start.kind is StartKind.PROCESS_FILE
                        if is_start and names(start.target or DEFAULT, path):
                            found.append(environments_of(start.words))
    return found
