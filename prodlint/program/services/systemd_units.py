"""systemd units with their drop-ins."""

from __future__ import annotations

import json
import posixpath
from collections import defaultdict
from collections.abc import Iterator, Sequence

from prodlint.extract.deployment.commands import starts
from prodlint.facts import Artefact, Setting
from prodlint.lazy_regex import regex
from prodlint.program.services.build_contexts import context_of
from prodlint.program.services.containers import Runner, image_variant
from prodlint.program.services.environment import Environment
from prodlint.program.services.environment_evidence import name_evidence
from prodlint.program.services.images import Image
from prodlint.program.services.model import Variant
from prodlint.program.services.project import Project
from prodlint.program.services.setting_values import Source, source_of, words_of
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
                env.mark_unknown(source_of(file, "systemd", artefact, setting), "its EnvironmentFile= is not here")
    by_key = {setting.key: setting for _, _, setting in settings}
    command = words_of(by_key.get("command.exec"))
    workdir = by_key.get("workdir")
    source = source_of(path, "systemd", unit)
    every = [setting for _, _, setting in settings]
    elsewhere = [(setting, file) for file, _, setting in settings if file != path]
    folder = workdir.value or "" if workdir else ""
    found = project.started_on_host("systemd", source, every, command, folder, env, elsewhere)
    if found is None and command is not None:
        found = _container(project, source, every, command, elsewhere)
    if found is not None:
        yield found


_RUNTIMES = ("docker", "podman", "nerdctl")
_WITHOUT_VALUE = regex(
    r"--(?:rm|init|detach|privileged|read-only|interactive|tty|no-healthcheck|replace|oom-.*)|-[dit]+"
)
"""Options of `docker run` that stand alone."""


def _container(
    project: Project,
    source: Source,
    settings: Sequence[Setting],
    command: tuple[list[str], bool],
    elsewhere: Sequence[tuple[Setting, str]],
) -> Variant | None:
    """What a unit starts whose command is `docker run IMAGE`, if the image is built here. The unit restarts it; its
    user is who asks Docker, and not who runs in the container."""
    words = next((each.words for each in starts(command[0], is_shell=command[1])), ())
    if not words or posixpath.basename(words[0]) not in _RUNTIMES or "run" not in words[1:3]:
        return None
    rest = list(words[words.index("run") + 1 :])
    variables: list[str] = []
    is_open = False
    while rest and rest[0].startswith("-"):
        option, equals, value = rest.pop(0).partition("=")
        if not equals and not _WITHOUT_VALUE.fullmatch(option) and rest:
            value = rest.pop(0)
        if option in ("-e", "--env"):
            variables.append(value)
        is_open |= option == "--env-file"
    dockerfile = project.built_images.dockerfile(rest[0]) if rest else None
    if dockerfile is None:
        return None

    def set_env(env: Environment) -> None:
        if is_open:
            env.mark_unknown(source, "its env file is not here")
        for variable in variables:
            name, equals, value = variable.partition("=")
            env.set(name, value if equals else None, source)

    facts = project.files[dockerfile]
    kept = [each for each in settings if each.key not in ("user", "dynamic_user", "workdir", "command.exec")]
    if rest[1:]:
        kept.append(Setting("command.exec", json.dumps(rest[1:]), source.location.start, source.location.end))
    evidence = name_evidence(source.path)
    runner = Runner("systemd", source, tuple(kept), set_env, lambda workdir: evidence, tuple(elsewhere))
    context = context_of(project, dockerfile)
    return image_variant(project, Image(dockerfile, facts, facts.artefacts[-1], context), runner)
