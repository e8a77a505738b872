"""What images start: alone, or as a compose service or a container of a pod runs them."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

import msgspec
from msgspec.structs import replace

from prodlint.extract.deployment.commands import starts
from prodlint.facts import Setting
from prodlint.findings import Location
from prodlint.lazy_regex import regex
from prodlint.program.services.base_images import base_image, starts_of
from prodlint.program.services.build_contexts import context_of
from prodlint.program.services.environment import Environment
from prodlint.program.services.environment_evidence import TARGET_DEV, is_called_for_production, name_evidence
from prodlint.program.services.images import Image
from prodlint.program.services.launches import Launch
from prodlint.program.services.layers import layer_of
from prodlint.program.services.model import Variant
from prodlint.program.services.places import FolderPlace, MountedPlace, Place
from prodlint.program.services.project import Project
from prodlint.program.services.setting_values import Source, source_of, words_of
from prodlint.project.paths import joined


class Runner(msgspec.Struct, frozen=True, dict=True):
    """What runs an image, and what it changes about it."""

    kind: str
    source: Source
    every: tuple[Setting, ...]
    """Its settings, weakest first."""
    set_env: Callable[[Environment], None]
    """Adds the variables that it sets."""
    evidence: Callable[[str], dict[str, float]]
    """What it says of its purpose, for an image with this working directory."""
    elsewhere: tuple[tuple[Setting, str], ...] = ()
    """Those of its settings that another file says (see `Layer.elsewhere`)."""
    mounts: tuple[tuple[str, str], ...] = ()
    """The folders of the project that it mounts into the image: (path in the project, path there)."""

    @cached_property
    def settings(self) -> Mapping[str, Setting]:
        """The settings in force."""
        return {setting.key: setting for setting in self.every}

    def value(self, key: str) -> str | None:
        """The value of a setting."""
        setting = self.settings.get(key)
        return setting.value if setting is not None else None


_WITHOUT_DEVELOPERS = regex(r"--(?:production|prod|omit[= ]dev|only[= ]prod\w*|no-dev|without[= ]dev)\b")
_SOURCES = (".js", ".cjs", ".mjs", ".ts", ".py")
_WEB_SERVERS = regex(r"nginx|httpd|apache|caddy|static-web-server")


def dockerfile_variants(project: Project, others: Sequence[Variant]) -> Iterator[Variant]:
    """Dockerfiles that no compose service for production builds, or only workers, which start something else with the
    image than it does by itself."""
    built = {
        variant.image.partition("#")[0]
        for variant in others
        if variant.image and variant.dev_score < 1 and not variant.launch.is_worker
    }
    users: dict[str, list[Variant]] = defaultdict(list)
    for each in others:
        users[each.image.partition("#")[0]].append(each)
    # What is taken by its name, and not built, was published.
    for_developers = {
        path
        for path, variants in users.items()
        if path not in built and all("build.context" in variant.layers[0].settings for variant in variants)
    }
    actions = set(_of_actions(project))
    found = {
        path: variant
        for path in project.by_kind["dockerfile"]
        if path not in built and path not in actions and (variant := _dockerfile_variant(project, path)) is not None
    }
    for path, variant in found.items():
        beside = [each for other, each in found.items() if _is_beside(path, other) and other not in for_developers]
        known = [*(each for each in others if _is_same_package(each, variant)), *beside]
        twin = _production_twin(project, path, variant, known) if path in for_developers else ""
        if twin:
            weights = {**variant.dev, f"{posixpath.basename(twin)} is there for production": 1.0}
            yield replace(variant, dev=weights)
        else:
            yield variant


def _of_actions(project: Project) -> Iterator[str]:
    """The Dockerfiles of GitHub actions: what they start ends with the job that uses it."""
    for path in project.by_kind["workflow"]:
        for artefact in project.files[path].artefacts if posixpath.basename(path).startswith("action.") else ():
            for setting in artefact.settings:
                if setting.key == "build.dockerfile":
                    yield joined(posixpath.dirname(path), setting.value or "")


def _production_twin(project: Project, path: str, variant: Variant, known: Sequence[Variant]) -> str:
    """The Dockerfile that is there for production beside one that only what is for development builds; "" if there is
    none: one beside it that is called so, or that of one of `known`."""
    for other in project.by_kind["dockerfile"]:
        is_beside = other != path and posixpath.dirname(other) == posixpath.dirname(path)
        if is_beside and is_called_for_production(other):
            return other
    for each in known:
        other = each.image.partition("#")[0]
        if other not in ("", path) and each.launch.language == variant.launch.language and each.dev_score < 1:
            return other
    return ""


def _is_beside(path: str, other: str) -> bool:
    """Whether a Dockerfile stands beside another one and has its name and more: `Dockerfile-cloud`."""
    return other.startswith(path) and posixpath.dirname(other) == posixpath.dirname(path)


def _is_same_package(variant: Variant, other: Variant) -> bool:
    return variant.launch.package == other.launch.package != ""


def _dockerfile_variant(project: Project, path: str) -> Variant | None:
    """The variant of the last stage, or, if that is none for production, of the last one that is."""
    found: list[Variant] = []
    facts = project.files[path]
    for stage in reversed(facts.artefacts):
        if found and not stage.settings:
            continue
        image = Image(path, facts, stage, context_of(project, path))
        variant = image_variant(project, image)
        if variant is None:
            if stage is facts.artefacts[-1] and not TARGET_DEV.search(stage.name) and not _is_exported(image):
                return None
            continue
        found.append(variant)
        if variant.dev_score < 1:
            return variant
    return found[0] if found else None


def image_variant(project: Project, image: Image, runner: Runner | None = None) -> Variant | None:
    """What an image starts, alone or as something runs it."""
    stage = image.stage
    source = source_of(image.path, "dockerfile", stage)
    env = Environment()
    base = image.base
    known = base_image(base or "")
    if known is None:
        env.mark_unknown(source, f"the base image {base or ''} may set it".replace("  ", " "))
    for variable, said in known.env if known is not None else ():
        env.set(variable, said, source)
    for name, value, setting in image.env:
        env.set(name, value, source_of(image.path, "dockerfile", stage, setting), "it is a build argument")
    place: Place = _ImagePlace(image)
    workdir = image.workdir
    if runner is not None:
        workdir = posixpath.join(workdir, runner.value("workdir") or "")
        runner.set_env(env)
    mounts = runner.mounts if runner is not None else ()
    if mounts or workdir != image.workdir:
        place = MountedPlace(place, workdir, mounts)
    is_installed = not image.has_project_files and not mounts
    if is_installed:
        if not _installs_project(project, image):
            return None
        place = FolderPlace("", is_elsewhere=True)
    command = _container_command(image, runner)
    if command is None:
        launch = _by_base_itself(project, base or "", place, env, source)
        if launch is None:
            return None
        words: list[str] = []
    else:
        words, is_shell, arguments, by_runner = command
        by = runner.source if by_runner and runner is not None else source
        launch = project.launcher.launch(words, is_shell, place, env, by, arguments)
    if is_installed and (launch is None or not launch.entry):
        return None
    if launch is None and any(word.endswith(_SOURCES) for word in words):
        return None  # it runs to its end, as a migration does
    if launch is None and command is not None and project.launcher.is_job(words, place, is_shell=command[1]):
        return None
    if launch is None:
        launch = _by_base(project, image, words, env)
    elif not launch.language and launch.target:
        by_base = _by_base(project, image, [launch.target], launch.env)
        launch = replace(by_base, steps=launch.steps) if by_base is not None else launch
    if launch is None or (launch.language == "node" and not launch.entry and not project.launcher.has_package(place)):
        return None  # somebody else's tool
    launch = project.finished(launch)
    layers = [layer_of(source, [setting for each in image.stages for setting in each.settings])]
    evidence = name_evidence(image.path)
    if TARGET_DEV.search(stage.name) and not stage.name.isdigit():
        evidence["its stage is called so"] = 0.7 if runner is not None else 1.0
    if runner is None and _is_for_production(image):
        evidence["it leaves out what developers need"] = -1.0
    if runner is not None:
        evidence |= runner.evidence(image.workdir)
        layers.insert(0, layer_of(runner.source, runner.every, runner.elsewhere))
    evidence |= project.dev_values(launch)
    layers += project.script_layers(launch)
    kind = "dockerfile" if runner is None else runner.kind
    return Variant(kind, tuple(layers), launch, evidence, f"{image.path}#{stage.name}", image.base or "")


def _is_for_production(image: Image) -> bool:
    """Whether a Dockerfile is for production by what it does, wherever it lies."""
    if any(name == "NODE_ENV" and value == "production" for name, value, _ in image.env):
        return True
    every = (setting for stage in image.facts.artefacts for setting in stage.settings)
    runs = (setting.value or "" for setting in every if setting.key == "run.shell")
    return any(_WITHOUT_DEVELOPERS.search(text) for text in runs)


def _by_base_itself(project: Project, base: str, place: Place, env: Environment, by: Source) -> Launch | None:
    """What the base image starts by itself, if its program is in the project."""
    found = (project.launcher.launch(words, False, place, env, by) for words in starts_of(base))
    return next((launch for launch in found if launch is not None and launch.entry), None)


def _installs_project(project: Project, image: Image) -> bool:
    """Whether an image that has no file of the build context gets the project from somewhere else: as a package of its
    name, from a registry, or by a clone."""
    names = {each.replace("_", "-").lower() for each in project.launcher.distributions}
    for stage in image.stages:
        for setting in stage.settings:
            for start in starts([setting.value or ""], is_shell=True) if setting.key == "run.shell" else ():
                words = [re.split(r"[=<>~!@\[;]", word, maxsplit=1)[0] for word in start.words]
                if "install" in words[:4] and names & {word.replace("_", "-").lower() for word in words}:
                    return True
                if start.words[:2] == ("git", "clone"):
                    return True
    return False


def _by_base(project: Project, image: Image, words: list[str], env: Environment) -> Launch | None:
    """What an image starts whose command says nothing, by the language that it is made for."""
    base = (image.base or "").rpartition("/")[2].partition(":")[0]
    if base == "python":
        return Launch("python", "", words[0], "", env)
    folder = next((posixpath.dirname(path) for path in image.places("package.json") if path in project.files), None)
    if base != "node" or folder is None:
        return None
    return Launch("node", project.launcher.main_of(folder), words[0], folder, env)


class _ImagePlace(msgspec.Struct, frozen=True):
    """Inside an image."""

    image: Image

    def places(self, path: str) -> Iterator[str]:
        """Where in the project the image has a file from."""
        return self.image.places(path)

    def written(self, path: str) -> tuple[str, Source] | None:
        """A file that the Dockerfile writes by itself."""
        found = self.image.written(path)
        if found is None:
            return None
        text, setting = found
        return text, Source("heredoc", posixpath.basename(path), Location(self.image.path, setting.start, setting.end))


def _container_command(image: Image, runner: Runner | None) -> tuple[list[str], bool, list[str], bool] | None:
    """Words, whether a shell reads them, what `"$@"` is in them, and whether `runner` says so."""
    entrypoint, command = image.commands
    by_runner = False
    if runner is not None:
        own_entrypoint, own_command = runner.settings.get("entrypoint.exec"), runner.settings.get("command.exec")
        if own_entrypoint is not None:
            entrypoint, command = own_entrypoint, None
        if own_command is not None:
            command, by_runner = own_command, True
    last = words_of(command)
    if command is not None and last is None:
        return None
    known = base_image(image.base or "")
    if entrypoint is None and known is not None and known.is_entrypoint and last is not None:
        return [*known.starts[0], *last[0]], False, [], by_runner
    arguments = [] if last is None else ["/bin/sh", "-c", *last[0]] if last[1] else last[0]
    first = words_of(entrypoint)
    if first is None or not first[0]:
        return (last[0], last[1], [], by_runner) if last is not None and last[0] else None
    words, is_shell = first
    if is_shell:
        return words, True, [], by_runner
    return _with_arguments(image, words, arguments), False, [], by_runner


def _with_arguments(image: Image, words: list[str], arguments: list[str]) -> list[str]:
    """ENTRYPOINT and CMD as one command. An entrypoint script of the project's own is named by where it is."""
    if words == ["docker-entrypoint.sh"] and any(
        "entrypoint" in (setting.value or "")
        for stage in image.stages
        for setting in stage.settings
        if setting.key == "copy"
    ):
        words = ["./docker-entrypoint.sh"]
    return [*words, *arguments]


def _is_exported(image: Image) -> bool:
    """Whether a stage starts nothing: it is there to be copied out of, or to be built upon. Images of web servers start
    those by themselves."""
    base = (image.base or "").partition("@")[0].rpartition("/")[2].partition(":")[0]
    return image.commands == (None, None) and not _WEB_SERVERS.search(base)
