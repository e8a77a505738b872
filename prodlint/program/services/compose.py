"""Compose services: what the files that are used together make of each, and the image that it runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from prodlint.extract.deployment.commands import Command, split
from prodlint.extract.deployment.variables import Expander, expand
from prodlint.facts import Artefact, Setting
from prodlint.lazy_regex import regex
from prodlint.program.services.base_images import is_plain_base
from prodlint.program.services.build_contexts import context_of
from prodlint.program.services.containers import Runner, image_variant
from prodlint.program.services.environment import Environment
from prodlint.program.services.environment_evidence import (
    BY_CONTENT,
    COMMAND_DEV,
    DEBUG_PORT,
    DEV_WORDS,
    TARGET_DEV,
    is_called_for_production,
    name_evidence,
)
from prodlint.program.services.images import Image
from prodlint.program.services.layers import layer_of
from prodlint.program.services.model import Variant
from prodlint.program.services.places import FolderPlace, MountedPlace
from prodlint.program.services.project import Project
from prodlint.program.services.setting_values import source_of, words_of
from prodlint.project.paths import joined

_STACK_NAME = regex(r"(?:^|[-_.])(?:stack|swarm)(?:$|[-_.])", re.IGNORECASE)
_HIDDEN = regex(r"^(?:[\w.-]+:)?/[^:]*/(?:node_modules|\.venv|venv)$")
"""A volume over the packages in a mounted folder, so that the machine's own do not take their place."""
_FOR_DEVELOPMENT = regex(r"[-._](?:dev|devel|development|local)$")
"""The end of the name of a Dockerfile beside one without it, which is for production."""
_DEFAULT_COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")


class _ComposeService(msgspec.Struct):
    """A compose service with what overlays and `extends` make of it: its parts, the weakest first."""

    name: str
    parts: list[tuple[str, Artefact]]
    evidence: dict[str, float] = {}

    @property
    def top(self) -> tuple[str, Artefact]:
        """The part that is the last word."""
        return self.parts[-1]

    def setting(self, key: str) -> tuple[str, Artefact, Setting] | None:
        """The strongest setting of a key, with the file and the artefact that have it."""
        for path, artefact in reversed(self.parts):
            for setting in reversed(artefact.settings):
                if setting.key == key:
                    return path, artefact, setting
        return None

    def value(self, key: str) -> str | None:
        """The value of the strongest setting of a key."""
        found = self.setting(key)
        return found[2].value if found else None

    def all(self, key: str) -> list[tuple[str, Setting]]:
        """The settings of a key in all parts."""
        return [(path, setting) for path, part in self.parts for setting in part.settings if setting.key == key]


def compose_variants(project: Project) -> Iterator[Variant]:
    """What each service of each set of compose files that are used together starts."""
    for service in _compose_services(project):
        variant = _compose_variant(project, service)
        if variant is not None:
            yield variant


def _compose_variant(project: Project, service: _ComposeService) -> Variant | None:
    build = service.setting("build.context")
    if build is not None and service.setting("build.inline") is None:
        path, _, setting = build
        context = setting.value
        if context is None or "://" in context or context.startswith("git@"):
            return None
        folder = joined(posixpath.dirname(path), context)
        dockerfile = service.value("build.dockerfile")
        names = [dockerfile] if dockerfile else ["Dockerfile", "Containerfile", "dockerfile"]
        file = next((joined(folder, name) for name in names if joined(folder, name) in project.files), None)
        return _built_variant(project, service, file, folder) if file else None
    named = service.setting("image")
    if named is None:
        return None
    image = named[2].value or ""
    file = project.built_images.dockerfile(image) if image else None
    if file is None and ("/" in image or not image):
        file = _built_elsewhere(project, service, posixpath.basename(image).partition(":")[0])
    if file is not None:
        context = context_of(project, file)
        return _built_variant(project, service, file, context, project.built_images.target(image))
    return _plain_image_variant(project, service, image) if image else None


def _built_elsewhere(project: Project, service: _ComposeService, image: str) -> str | None:
    """The Dockerfile for an image that is not known, or has the service's name in its own, if a compose file beside
    this one builds the service of that name: the one that is called for production in the same folder, else that."""
    if image and service.name.lower() not in image.lower():
        return None
    folder = posixpath.dirname(service.top[0])
    found: set[str] = set()
    for path in project.by_kind["compose"]:
        for artefact in project.files[path].artefacts if posixpath.dirname(path) == folder else ():
            values = {setting.key: setting.value or "" for setting in artefact.settings}
            if artefact.kind == "service" and artefact.name == service.name and values.get("build.context"):
                context = joined(folder, values["build.context"])
                found.add(joined(context, values.get("build.dockerfile") or "Dockerfile"))
    folders = {posixpath.dirname(path) for path in found}
    beside = [path for path in project.by_kind["dockerfile"] if posixpath.dirname(path) in folders]
    called = {path for path in beside if is_called_for_production(path)}
    plain = {_FOR_DEVELOPMENT.sub("", path) for path in found} & {*beside}
    return next((min(paths) for paths in (called, plain) if len(paths) == 1), None)


def _built_variant(
    project: Project, service: _ComposeService, path: str, context: str, stage_name: str = ""
) -> Variant | None:
    facts = project.files[path]
    if facts.kind != "dockerfile" or not facts.artefacts:
        return None
    target = service.value("build.target") or stage_name
    stage = next((each for each in facts.artefacts if target and each.name.lower() == target.lower()), None)
    variables = _interpolation(project, posixpath.dirname(service.top[0]))
    args = {
        setting.key.removeprefix("build.arg."): (
            expand(setting.template, variables) if setting.template else setting.value
        )
        for _, part in service.parts
        for setting in part.settings
        if setting.key.startswith("build.arg.")
    }
    image = Image(path, facts, stage or facts.artefacts[-1], context, args)
    return image_variant(project, image, _runner(project, service))


def _plain_image_variant(project: Project, service: _ComposeService, image: str) -> Variant | None:
    """A service that runs the project's code, mounted into somebody else's image."""
    mounts = tuple(_mounts(project, service))
    found = service.setting("command.exec")
    command = words_of(found[2]) if found else None
    if not mounts or found is None or command is None or not is_plain_base(image):
        return None
    runner = _runner(project, service)
    env = Environment()
    runner.set_env(env)
    workdir = runner.value("workdir") or "/"
    place = MountedPlace(FolderPlace(posixpath.dirname(service.top[0])), workdir, mounts)
    launch = project.launcher.launch(*command, place, env, runner.source)
    if launch is None or not launch.entry:
        return None
    launch = project.finished(launch)
    evidence = runner.evidence(workdir) | project.dev_values(launch)
    layers = (layer_of(runner.source, runner.every, runner.elsewhere), *project.script_layers(launch))
    return Variant("compose", layers, launch, evidence)


def _runner(project: Project, service: _ComposeService) -> Runner:
    path, artefact = service.top
    mounts = tuple(_mounts(project, service))
    settings = [setting for _, part in service.parts for setting in part.settings]
    if any(_is_stack(project, each) for each, _ in service.parts):
        settings.append(Setting("stack", "", artefact.anchor, artefact.anchor_end))
    return Runner(
        "compose",
        source_of(path, "compose", artefact),
        tuple(settings),
        lambda env: _apply_service_env(project, service, env),
        lambda workdir: _service_evidence(service, workdir, mounts),
        tuple((setting, file) for file, part in service.parts if file != path for setting in part.settings),
        mounts,
    )


def _mounts(project: Project, service: _ComposeService) -> Iterator[tuple[str, str]]:
    """The folders of the project that hold source code and are mounted: (path in the project, path there)."""
    for path, setting in service.all("volume"):
        source, colon, rest = (setting.value or "").partition(":")
        target = rest.partition(":")[0]
        if not colon or not source.startswith(".") or not target.startswith("/"):
            continue
        folder = joined(posixpath.dirname(path), source)
        inside = folder + "/" if folder else ""
        if any(known.startswith(inside) for known in project.view.paths):
            yield folder, posixpath.normpath(target)


def _apply_service_env(project: Project, service: _ComposeService, env: Environment) -> None:
    files = [each for key in ("env_file", "optional_env_file") for each in service.all(key)]
    for path, setting in files:
        artefact = service.top[1]
        name = setting.value
        if name is None or not project.load_env_file(env, joined(posixpath.dirname(path), name)):
            env.mark_unknown(source_of(path, "compose", artefact, setting), f"the env_file {name or ''} is not here")
    expanded = Expander()
    for path, artefact in service.parts:
        variables = _interpolation(project, posixpath.dirname(path))
        for setting in artefact.settings:
            if setting.key.startswith("env."):
                name = setting.key.removeprefix("env.")
                value = expanded(setting.template, variables) if setting.template else setting.value
                # A name without a value takes it from `.env` or from whoever runs compose.
                value = variables.get(name) if value is None and not setting.template else value
                env.set(name, value, source_of(path, "compose", artefact, setting))


def _interpolation(project: Project, folder: str) -> dict[str, str | None]:
    """The variables that the `.env` file beside a compose file gives to it."""
    facts = project.files.get(joined(folder, ".env"))
    if facts is None or facts.kind != "dotenv":
        return {}
    return {setting.key.removeprefix("env."): setting.value for setting in facts.artefacts[0].settings}


def _service_evidence(service: _ComposeService, workdir: str, mounts: Sequence[tuple[str, str]]) -> dict[str, float]:
    path, artefact = service.top
    found = name_evidence(path, artefact.name)
    is_named_so = sum(found.values()) >= 1  # what developers and tests use may restart, too
    found |= service.evidence
    if any(target == workdir or _is_around(target, workdir) or _is_around(workdir, target) for _, target in mounts):
        found["it mounts the source code"] = 0.7
        if any(_HIDDEN.search(setting.value or "") for _, setting in service.all("volume")):
            found["it keeps the installed packages apart from the source code"] = 0.5
    if TARGET_DEV.search(service.value("build.target") or ""):
        found["it builds a stage for development"] = 0.7
    if service.setting("watch") is not None:
        found["it watches the source code"] = 0.7
    command = service.value("command.exec") or service.value("command.shell") or ""
    if COMMAND_DEV.search(command):
        found["its command is called dev"] = 0.7
    if any(DEBUG_PORT.search(setting.value or "") for _, setting in service.all("ports")):
        found["it publishes a debugger's port"] = BY_CONTENT
    if service.value("restart") not in (None, "no", "false") and not is_named_so:
        found["it restarts"] = -0.3
    if service.setting("replicas") is not None and not is_named_so:
        found["it has replicas"] = -0.5
    if any(profile.value in DEV_WORDS for _, profile in service.all("profile")):
        found["its profile is called so"] = 1.0
    return found


def _compose_services(project: Project) -> Iterator[_ComposeService]:
    """Every service of every set of compose files that are used together."""
    lists = list(_file_lists(project))
    laid_over = {path for each in lists for path in each[1:]}
    overlays = [path for path in project.by_kind["compose"] if _is_overlay(project, path)]
    for path in project.by_kind["compose"]:
        if path in overlays or path in laid_over:
            continue
        automatic = _override_of(path)
        yield from _merged(project, lists, [path, automatic] if automatic in overlays else [path])
    for each in lists:
        yield from _merged(project, lists, each)
    for path in overlays:
        base = _base_of(project, path) if path not in laid_over else None
        if base is not None and path != _override_of(base):
            yield from _merged(project, lists, [base, path])


def _file_lists(project: Project) -> Iterator[Sequence[str]]:
    """The compose files that commands of the project (`docker compose -f a -f b`), and `COMPOSE_FILE` in `.env`, name
    together. Each list once."""
    found: dict[tuple[str, ...], None] = {}
    for path, command in _commands(project, "compose"):
        names = _files_named(command.words)
        for folder in (joined(posixpath.dirname(path), command.folder), ""):
            found[tuple(joined(folder, name) for name in names)] = None
    for path in project.by_kind["dotenv"]:
        for setting in (setting for artefact in project.files[path].artefacts for setting in artefact.settings):
            if setting.key == "env.COMPOSE_FILE" and setting.value:
                names = re.split("[:;]", setting.value)
                found[tuple(joined(posixpath.dirname(path), name) for name in names)] = None
    known = set(project.by_kind["compose"])
    yield from (each for each in found if len(each) > 1 and known.issuperset(each))


def _commands(project: Project, word: str) -> Iterator[tuple[str, Command]]:
    """The commands with a word in them that the scripts of the project have, each with the script's path."""
    for kind in ("shell", "package_json"):
        for path in project.by_kind[kind]:
            for setting in (setting for artefact in project.files[path].artefacts for setting in artefact.settings):
                if setting.key == "command.shell" and word in (setting.value or ""):
                    for command in split(setting.value or ""):
                        yield path, command


def _files_named(words: Sequence[str]) -> list[str]:
    """What is behind `-f` and `--file` of a compose command."""
    if not any(posixpath.basename(word) in ("docker-compose", "compose") for word in words[:2]):
        return []
    found = [word.partition("=")[2] for word in words if word.startswith("--file=")]
    return found or [words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-f", "--file")]


def _is_stack(project: Project, path: str) -> bool:
    """Whether a compose file is for Docker Swarm: it is called so, has what only Swarm reads, or a command of the
    project deploys it there."""
    if _STACK_NAME.search(posixpath.basename(path)):
        return True
    settings = [setting for artefact in project.files[path].artefacts for setting in artefact.settings]
    return any(setting.key == "stack" for setting in settings) or path in _deployed_stacks(project)


def _deployed_stacks(project: Project) -> set[str]:
    """The files that commands of the project hand to `docker stack deploy`."""
    found = set()
    for path, command in _commands(project, "stack"):
        if list(command.words[1:3]) == ["stack", "deploy"]:
            for at, word in enumerate(command.words[:-1]):
                if word in ("-c", "--compose-file"):
                    for folder in (joined(posixpath.dirname(path), command.folder), ""):
                        found.add(joined(folder, command.words[at + 1]))
    return found


def _override_of(path: str) -> str:
    stem, extension = posixpath.splitext(path)
    return f"{stem}.override{extension}"


def _base_of(project: Project, overlay: str) -> str | None:
    folder = posixpath.dirname(overlay)
    files = (joined(folder, name) for name in _DEFAULT_COMPOSE)
    return next((path for path in files if path in project.files and path != overlay), None)


def _is_overlay(project: Project, path: str) -> bool:
    """Whether a compose file only makes sense on top of another one: a service in it neither builds nor names an
    image, or a command in the project says so."""
    artefacts = [artefact for artefact in project.files[path].artefacts if artefact.kind == "service"]
    if ".override." in path and _base_of(project, path):
        return True
    keys = ("image", "build.context", "build.inline", "extends.service")
    partial = [artefact for artefact in artefacts if not any(setting.key in keys for setting in artefact.settings)]
    return bool(partial) and _base_of(project, path) is not None


def _merged(project: Project, lists: Sequence[Sequence[str]], paths: Sequence[str]) -> Iterator[_ComposeService]:
    """The services of compose files that are merged in this order."""
    parts: dict[str, list[tuple[str, Artefact]]] = {}
    for path in paths:
        for artefact in project.files[path].artefacts:
            if artefact.kind == "service":
                found = _extended(project, path, artefact)
                parts.setdefault(artefact.name, []).extend(_interpolated(project, *part) for part in found)
    for name, own in parts.items():
        if all(path != paths[-1] for path, _ in own):
            continue  # the last file does not touch it
        service = _ComposeService(name, own)
        if own[-1][0] == paths[0] and len(paths) == 1 and _has_production_overlay(project, lists, paths[0], name):
            # What an overlay for production is laid over is not how the service is deployed.
            service.evidence["an overlay for production exists"] = 1.0
        elif len(paths) == 1 and (twin := _production_twin(project, paths[0], name)):
            service.evidence[f"{posixpath.basename(twin)} has it for production"] = 1.0
        yield service


def _production_twin(project: Project, path: str, name: str) -> str:
    """The file beside a `docker-compose.yml` that is called for production, and has a service of the same name whole;
    "" if there is none."""
    folder, _, file = path.rpartition("/")
    if file not in _DEFAULT_COMPOSE:
        return ""
    for other in project.by_kind["compose"]:
        if posixpath.dirname(other) == folder and is_called_for_production(other):
            for artefact in project.files[other].artefacts:
                keys = {setting.key for setting in artefact.settings}
                if artefact.kind == "service" and artefact.name == name and keys & {"image", "build.context"}:
                    return other
    return ""


def _has_production_overlay(project: Project, lists: Sequence[Sequence[str]], path: str, name: str) -> bool:
    files = project.by_kind["compose"]
    overlays = {other for other in files if _base_of(project, other) == path and _is_overlay(project, other)}
    overlays |= {other for each in lists if each[0] == path for other in each[1:]}
    return any(
        any(score < 0 for score in name_evidence(other).values())
        and any(artefact.name == name for artefact in project.files[other].artefacts)
        for other in overlays
    )


def _extended(project: Project, path: str, artefact: Artefact, depth: int = 0) -> list[tuple[str, Artefact]]:
    """An artefact after those that it `extends`."""
    values = {setting.key: setting.value for setting in artefact.settings}
    name = values.get("extends.service")
    file = values.get("extends.file")
    other_path = joined(posixpath.dirname(path), file) if file else path
    facts = project.files.get(other_path)
    if name is None or facts is None or depth > 8:
        return [(path, artefact)]
    for other in facts.artefacts:
        if other.kind == "service" and other.name == name and other is not artefact:
            return [*_extended(project, other_path, other, depth + 1), (path, artefact)]
    return [(path, artefact)]


def _interpolated(project: Project, path: str, artefact: Artefact) -> tuple[str, Artefact]:
    """An artefact with what the `.env` file beside it says in place of the variables."""
    variables = _interpolation(project, posixpath.dirname(path))
    if not variables or not any(setting.template for setting in artefact.settings):
        return path, artefact
    expanded = Expander()
    settings = [
        replace(setting, value=expanded(setting.template, variables)) if setting.template else setting
        for setting in artefact.settings
    ]
    return path, replace(artefact, settings=settings)


def _is_around(folder: str, path: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")
