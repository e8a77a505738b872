"""The deployable services of a project: everything that starts, builds and feeds one of them, joined.

A *variant* is one way in which a service is deployed: a unit on a host, a compose service with the image that it
builds, a Dockerfile alone, a line of a Procfile. Each is followed to what it starts in the end; variants that start the
same source file, or are built from the same image, are one *service*. Variants for development or tests are known as
such: they provide nothing and are blamed for nothing.

Every question has three answers: set, absent, and unknown, where a file that is not here or a value from outside
decides.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from prodlint.deploy.package_json import PackageInfo
from prodlint.deploy.variables import expand
from prodlint.facts import Artefact, FileFacts, Setting
from prodlint.findings import Location
from prodlint.program.images import Image, is_plain_base
from prodlint.program.launches import (
    ABSENT,
    Answer,
    Environment,
    FolderPlace,
    Launch,
    Launcher,
    MountedPlace,
    Place,
    Source,
    State,
    folders_of,
    joined,
    source_of,
    words_of,
)


@dataclass(frozen=True)
class SourceView:
    """What services need to know of the source code. Paths are POSIX, relative to the project root.

    `paths`: all source files; `servers`: those that create an app or listen; `reads_node_env`: those that read
    `process.env.NODE_ENV`; `sets_node_env`: those that set it in code, with the value ("" where it is no literal);
    `packages`: folder → its package.json.
    """

    paths: frozenset[str]
    servers: frozenset[str]
    reads_node_env: frozenset[str]
    sets_node_env: Mapping[str, str]
    packages: Mapping[str, PackageInfo]


@dataclass(frozen=True)
class Layer:
    """An artefact's part in a variant, and its settings as they are in force."""

    source: Source
    settings: Mapping[str, Setting]


@dataclass(frozen=True)
class Variant:
    """One way in which a service is deployed."""

    kind: str
    """The kind of the outermost artefact's file: `systemd`, `compose`, `dockerfile`, `procfile`, `package_json`."""
    layers: tuple[Layer, ...]
    """What it is made of, outermost first: unit or compose service, then the image's stage, then the scripts."""
    launch: Launch
    dev: Mapping[str, float]
    """What speaks for (or, below 0, against) its being for development, and how much."""
    image: str = ""
    """What identifies the image that is built for it."""
    base: str = ""
    """The image that this one starts from, "" where that is not known."""

    @property
    def outer(self) -> Source:
        """The artefact that starts it."""
        return self.layers[0].source

    @property
    def dev_score(self) -> float:
        """1 or more for a variant that is for development or tests."""
        return sum(self.dev.values())

    def setting(self, key: str) -> Answer:
        """What is known of a setting: of `env.NAME` what the process gets, of others what the outermost artefact
        that has it says."""
        if key.startswith("env."):
            return self.launch.env.get(key.removeprefix("env."))
        for layer in self.layers:
            setting = layer.settings.get(key)
            if setting is not None:
                by = replace(
                    layer.source, location=layer.source.location._replace(start=setting.start, end=setting.end)
                )
                if setting.value is None:
                    return Answer(State.UNKNOWN, by=by, reason="its value comes from outside")
                return Answer(State.SET, setting.value, by)
        return ABSENT

    def layer(self, kind: str) -> Layer | None:
        """The outermost layer whose file is of a kind."""
        return next((layer for layer in self.layers if layer.source.kind == kind), None)


@dataclass(frozen=True)
class Service:
    """One deployable service."""

    id: str
    """Its entry file, else the folder or the file that it is built from: stable while lines move."""
    name: str
    language: str
    """`node` or `python`."""
    entry: str
    """The source file that it starts from, "" where that is not known."""
    package: str
    """The folder of its package."""
    variants: tuple[Variant, ...]
    dependencies: frozenset[str] = frozenset()
    """What its package.json requires at run time."""
    reads_node_env: bool = False
    """Whether its own code reads `process.env.NODE_ENV`."""
    platforms: tuple[Source, ...] = ()
    """The platforms that files of the project hand it to, each named as `prodlint.deploy.platform` does."""

    @property
    def production(self) -> tuple[Variant, ...]:
        """The variants that are not for development or tests."""
        return tuple(variant for variant in self.variants if variant.dev_score < 1)

    @property
    def artefacts(self) -> tuple[Source, ...]:
        """All that it is described by, each once."""
        found: dict[tuple[str, str], Source] = {}
        for variant in self.variants:
            for layer in variant.layers:
                found.setdefault((layer.source.path, layer.source.name), layer.source)
        return tuple(found.values())

    def setting(self, key: str) -> Answer:
        """What is known of a setting over all variants for production: set if any sets it, else unknown if that is
        known of any, else absent."""
        answers = [variant.setting(key) for variant in self.production]
        for state in (State.SET, State.UNKNOWN):
            for answer in answers:
                if answer.state is state:
                    return answer
        return ABSENT

    def __str__(self) -> str:
        """The service as a tree."""
        lines = [f"{self.name} ({self.language}{f', {self.entry}' if self.entry else ''})"]
        for variant in self.variants:
            dev = " - for development" if variant.dev_score >= 1 else ""
            lines.append(f"  {_shown(variant.outer)}{dev}")
            lines += (f"    {_shown(layer.source)}" for layer in variant.layers[1:])
            lines.append(f"    starts {variant.launch.target}")
        return "\n".join(lines)


def _shown(source: Source) -> str:
    names = {"compose": "service", "dockerfile": "stage", "package_json": "script", "procfile": "process"}
    label = names.get(source.kind, "")
    return f"{source.path}: {label} {source.name}" if label else source.path


def build_services(files: Mapping[str, FileFacts], view: SourceView) -> list[Service]:
    """The services that the deployment files (facts by path) describe, by id."""
    builder = _Builder(files, view)
    return sorted(builder.services(), key=lambda service: service.id)


# --- which artefacts are for production -------------------------------------------------------------------------------

_DEV_WORDS = frozenset(
    {
        *("dev", "develop", "development", "local", "test", "tests", "testing", "e2e", "ci", "debug", "devcontainer"),
        *("example", "examples", "sample", "samples", "fixtures", "fixture", "playwright", "cypress", "smoke", "docs"),
        *("demo", "demos", "override", "spec", "bench", "benchmark", "benchmarks", "gitpod", "testbed", "build"),
    }
)
_PRODUCTION_WORDS = frozenset({"prod", "production", "deploy", "deployment", "release", "live"})
_NOT_IN_FOLDERS = frozenset({"build", "override", "ci", "local"})
_DEV_VALUES = frozenset({"dev", "develop", "development", "local", "test", "testing", "debug"})
_DEV_VARIABLES = ("NODE_ENV", "FLASK_ENV", "FLASK_DEBUG", "DJANGO_SETTINGS_MODULE")
_BY_CONTENT = 0.5
"""What a command or a value weighs that is meant for development."""
_DEBUG_PORT = re.compile(r"(?:^|:)(?:9229|5678)(?:/tcp)?$")
_TARGET_DEV = re.compile(r"(?:^|[-_.])(?:dev\w*|test\w*|debug\w*|local|ci|pr)(?:$|[-_.\d])|dev$", re.IGNORECASE)


def _words(text: str) -> set[str]:
    return {word for word in re.split(r"[^a-z0-9]+", text.lower()) if word}


def _name_evidence(path: str, *names: str) -> dict[str, float]:
    """What an artefact's path and names say of its purpose."""
    folder, _, file = path.rpartition("/")
    words = {word for part in folder.split("/") for word in _folder_words(part)}
    words |= {word for text in (file, *names) for word in _words(text)}
    found: dict[str, float] = {}
    for word in sorted(words & _DEV_WORDS):
        found[f"it is called {word}"] = 1.0
    for word in sorted(words & _PRODUCTION_WORDS):
        found[f"it is called {word}"] = -1.5
    return found


def _folder_words(folder: str) -> set[str]:
    whole = _words(folder)
    return (whole & _DEV_WORDS) - _NOT_IN_FOLDERS if len(whole) <= 2 else set()


# --- joining ----------------------------------------------------------------------------------------------------------

_SCRIPTS = ("start:prod", "start:production", "start-prod", "production", "prod", "serve:prod", "start")
_DEFAULT_COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_COMPOSE_FILES = re.compile(r"(?:-f|--file)[ =]([^\s]+\.ya?ml)")
_PRODUCTION_ENV_FILES = (".env", ".env.production", ".env.prod")


@dataclass
class _ComposeService:
    """A compose service with what overlays and `extends` make of it: its parts, the weakest first."""

    name: str
    parts: list[tuple[str, Artefact]]
    evidence: dict[str, float] = field(default_factory=dict)

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


class _Builder:
    """Joins the artefacts of one project."""

    def __init__(self, files: Mapping[str, FileFacts], view: SourceView) -> None:
        self._files = files
        self._view = view
        self._launcher = Launcher(files, view.paths, view.packages)
        self._by_kind: dict[str, list[str]] = defaultdict(list)
        for path, facts in sorted(files.items()):
            self._by_kind[facts.kind].append(path)

    def services(self) -> Iterator[Service]:
        """All services."""
        variants = [*self._units(), *self._compose_variants()]
        variants += self._dockerfile_variants(variants)
        variants += self._procfile_variants()
        groups = _grouped(variants)
        for package in sorted(self._view.packages):
            scripts = list(self._script_variants(package))
            if scripts and not self._is_served(package, groups):
                groups = _grouped([*scripts, *(variant for group in groups for variant in group)])
        for group in groups:
            service = self._service(group)
            if service is not None:
                yield service

    def _is_served(self, package: str, groups: list[list[Variant]]) -> bool:
        """Whether something else than its scripts starts what is in a package."""
        return any(
            variant.launch.package == package and variant.launch.language != "python" and variant.dev_score < 1
            for group in groups
            for variant in group
        )

    def _service(self, group: list[Variant]) -> Service | None:
        launches = [variant.launch for variant in group]
        launch = next((launch for launch in launches if launch.language and launch.entry), None)
        launch = launch or next((launch for launch in launches if launch.language), None)
        if launch is None:
            return None
        package = launch.package
        info = self._view.packages.get(package)
        names = [variant.outer.name for variant in group if variant.kind in ("compose", "systemd")]
        folder = posixpath.basename(package)
        name = (info.name if info and launch.language == "node" else "") or (names[0] if names else "") or folder
        group = [variant if variant.launch.language else _as_unknown(variant, launch) for variant in group]
        if len(group) == 1:
            group = [_only_one(group[0])]
        return Service(
            id=launch.entry or f"{package or '.'} {launch.target}",
            name=name or posixpath.basename(launch.entry or launch.target),
            language=launch.language,
            entry=launch.entry,
            package=package,
            variants=tuple(group),
            dependencies=frozenset(info.dependencies) | self._hoisted(package) if info else frozenset(),
            reads_node_env=any(self._owns(package, path) for path in self._view.reads_node_env),
            platforms=tuple(self._platforms(package)),
        )

    def _platforms(self, package: str) -> Iterator[Source]:
        """The platforms of a package: their files lie in its folder or in the project's."""
        for path in self._by_kind["platform"]:
            if posixpath.dirname(path) in (package, ""):
                for artefact in self._files[path].artefacts:
                    yield source_of(path, "platform", artefact)

    def _hoisted(self, package: str) -> frozenset[str]:
        """What the packages of the project that `package` requires require themselves."""
        by_name = {info.name: info for info in self._view.packages.values() if info.name}
        seen: set[str] = set()
        found: set[str] = set()
        stack = list(self._view.packages[package].dependencies)
        while stack:
            name = stack.pop()
            if name in by_name and name not in seen:
                seen.add(name)
                found |= by_name[name].dependencies.keys()
                stack += by_name[name].dependencies
        return frozenset(found)

    def _owns(self, package: str, path: str) -> bool:
        """Whether a source file belongs to the package in a folder, and not to one further down, nor to its tests."""
        if package and not path.startswith(package + "/"):
            return False
        folder = posixpath.dirname(path)
        while folder != package and folder:
            if folder in self._view.packages:
                return False
            folder = posixpath.dirname(folder)
        inside = path[len(package) :].lower().split("/")
        return not _DEV_WORDS & {word for part in inside[:-1] for word in _folder_words(part)} and not re.search(
            r"(?:^|[._-])(?:test|spec|config)[._-]", inside[-1]
        )

    # ------------------------------------------------------------------ what surrounds a process

    def _finished(self, launch: Launch) -> Launch:
        """What the code itself, and an env file that it may load, add to the environment."""
        if launch.language != "node":
            return launch
        env = launch.env.copy()
        if env.get("NODE_ENV").state is State.ABSENT:
            for name in _PRODUCTION_ENV_FILES:
                self._load_env_file(env, joined(launch.package, name), only_absent=True)
            for source in self._platforms(launch.package):
                for setting in self._files[source.path].artefacts[0].settings:
                    if setting.key == "env.NODE_ENV":
                        env.set("NODE_ENV", setting.value, source)
        for path, value in sorted(self._view.sets_node_env.items()):
            if self._owns(launch.package, path) and (value in ("production", "") or path == launch.entry):
                source = Source("source", posixpath.basename(path), _start_of(path))
                if env.get("NODE_ENV").state is State.ABSENT:
                    env.set("NODE_ENV", value or None, source, "the code sets it to something")
        return replace(launch, env=env)

    def _load_env_file(self, env: Environment, path: str, *, only_absent: bool = False) -> bool:
        facts = self._files.get(path)
        if facts is None or facts.kind != "dotenv":
            return False
        artefact = facts.artefacts[0]
        for setting in artefact.settings:
            name = setting.key.removeprefix("env.")
            if not only_absent or env.get(name).state is State.ABSENT:
                env.set(name, setting.value, source_of(path, "dotenv", artefact, setting))
        return True

    def _dev_values(self, launch: Launch) -> dict[str, float]:
        found: dict[str, float] = {}
        if launch.is_dev:
            found["it starts a server for development"] = _BY_CONTENT
        for name in _DEV_VARIABLES:
            answer = launch.env.get(name)
            if answer.state is State.SET and is_for_development(name, answer.value):
                found[f"it sets {name} for development"] = _BY_CONTENT
        return found

    # ------------------------------------------------------------------ units

    def _units(self) -> Iterator[Variant]:
        drop_ins: dict[str, list[tuple[str, Artefact]]] = defaultdict(list)
        for path in self._by_kind["systemd"]:
            for artefact in self._files[path].artefacts:
                if artefact.kind == "drop_in":
                    drop_ins[artefact.name].append((path, artefact))
        for path in self._by_kind["systemd"]:
            for artefact in self._files[path].artefacts:
                if artefact.kind == "unit":
                    yield from self._unit(path, artefact, drop_ins[artefact.name])

    def _unit(self, path: str, unit: Artefact, drop_ins: list[tuple[str, Artefact]]) -> Iterator[Variant]:
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
                if not name or not self._load_env_file(env, beside):
                    env.opened(source_of(file, "systemd", artefact, setting), "its EnvironmentFile= is not here")
        by_key = {setting.key: setting for _, _, setting in settings}
        command = words_of(by_key.get("command.exec"))
        if command is None:
            return
        workdir = by_key.get("workdir")
        folder = posixpath.dirname(path)
        place: Place = FolderPlace(folder, is_elsewhere=True)
        source = source_of(path, "systemd", unit)
        words = command[0]
        launch = None
        for start in dict.fromkeys([self._package_above(folder), folder, ""]):
            place = _UnitPlace(FolderPlace(start, is_elsewhere=True), (workdir.value or "" if workdir else ""))
            launch = self._launcher.launch(words, False, place, env, source)
            if launch is not None and launch.entry:
                break
        if launch is None or not self._belongs(launch):
            return
        launch = self._finished(launch)
        layers = (Layer(source, by_key), *self._script_layers(launch))
        dev = _name_evidence(path) | self._dev_values(launch)
        yield Variant("systemd", layers, launch, dev)

    def _package_above(self, folder: str) -> str:
        while folder and folder not in self._view.packages:
            folder = posixpath.dirname(folder)
        return folder

    def _belongs(self, launch: Launch) -> bool:
        """Whether what is started is this project's: a file of it, or a server in a package of it."""
        if launch.entry:
            return True
        if launch.language == "node":
            return launch.package in self._view.packages
        return launch.language == "python" and bool(launch.target)

    def _script_layers(self, launch: Launch) -> Iterator[Layer]:
        for source in launch.through:
            yield Layer(source, {})

    # ------------------------------------------------------------------ images

    def _dockerfile_variants(self, others: Sequence[Variant]) -> Iterator[Variant]:
        """Dockerfiles that no compose service for production builds."""
        built = {variant.image.partition("#")[0] for variant in others if variant.image and variant.dev_score < 1}
        for path in self._by_kind["dockerfile"]:
            if path in built:
                continue
            variant = self._dockerfile_variant(path)
            if variant is not None:
                yield variant

    def _dockerfile_variant(self, path: str) -> Variant | None:
        """The variant of the last stage, or, if that is none for production, of the last one that is."""
        found: list[Variant] = []
        facts = self._files[path]
        for stage in reversed(facts.artefacts):
            if found and not stage.settings:
                continue
            image = Image(path, facts, stage, self._context_of(path, stage))
            variant = self._image_variant(image)
            if variant is None:
                if stage is facts.artefacts[-1] and not _TARGET_DEV.search(stage.name) and not _is_exported(image):
                    return None
                continue
            found.append(variant)
            if variant.dev_score < 1:
                return variant
        return found[0] if found else None

    def _context_of(self, path: str, stage: Artefact) -> str:
        """The folder that a Dockerfile is most likely built in: its own, or one above with more of what it copies."""
        folder = posixpath.dirname(path)
        candidates = [folder]
        while candidates[-1]:
            candidates.append(posixpath.dirname(candidates[-1]))
        wanted = [
            source
            for setting in (setting for artefact in self._files[path].artefacts for setting in artefact.settings)
            if setting.key == "copy" and setting.value
            for source in _context_sources(setting.value)
        ]
        return max(
            candidates, key=lambda each: (sum(self._exists(joined(each, source)) for source in wanted), len(each))
        )

    def _exists(self, path: str) -> bool:
        if path in self._known_paths:
            return True
        pattern = re.escape(path).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
        return "*" in path and any(re.fullmatch(pattern, known) for known in self._known_paths)

    @cached_property
    def _known_paths(self) -> frozenset[str]:
        """All files and folders that are known."""
        paths = {*self._view.paths, *self._files}
        return frozenset(paths) | folders_of(paths)

    def _image_variant(self, image: Image, service: _ComposeService | None = None) -> Variant | None:
        """What an image starts, alone or as a compose service has it."""
        stage = image.stage
        source = source_of(image.path, "dockerfile", stage)
        env = Environment()
        base = image.base
        if base is None or not is_plain_base(base):
            env.opened(source, f"the base image {base or ''} may set it".replace("  ", " "))
        for name, value, setting in image.env:
            env.set(name, value, source_of(image.path, "dockerfile", stage, setting), "it is a build argument")
        place: Place = _ImagePlace(image)
        workdir = image.workdir
        if service is not None:
            workdir = posixpath.join(workdir, service.value("workdir") or "")
            self._apply_service_env(service, env)
        mounts = tuple(self._mounts(service)) if service is not None else ()
        if mounts or workdir != image.workdir:
            place = MountedPlace(place, workdir, mounts)
        if not image.has_project_files and not mounts:
            return None
        command = _container_command(image, service)
        if command is None:
            return None
        words, is_shell, arguments, by_service = command
        by = source
        if by_service and service is not None:
            path, artefact = service.top
            by = source_of(path, "compose", artefact)
        launch = self._launcher.launch(words, is_shell, place, env, by, arguments)
        if launch is None:
            launch = self._by_base(image, words, env)
        elif not launch.language and launch.target:
            launch = self._by_base(image, [launch.target], launch.env) or launch
        if launch is None or (launch.language == "node" and not launch.entry and not self._launcher.has_package(place)):
            return None  # somebody else's tool
        launch = self._finished(launch)
        layers = [Layer(source, {setting.key: setting for each in image.stages for setting in each.settings})]
        evidence = _name_evidence(image.path)
        if _TARGET_DEV.search(stage.name) and not stage.name.isdigit():
            evidence["its stage is called so"] = 0.7 if service is not None else 1.0
        if service is not None:
            evidence |= self._service_evidence(service, image, mounts)
            path, artefact = service.top
            settings = {setting.key: setting for _, part in service.parts for setting in part.settings}
            layers.insert(0, Layer(source_of(path, "compose", artefact), settings))
        evidence |= self._dev_values(launch)
        layers += self._script_layers(launch)
        kind = "dockerfile" if service is None else "compose"
        return Variant(kind, tuple(layers), launch, evidence, f"{image.path}#{stage.name}", image.base or "")

    def _by_base(self, image: Image, words: list[str], env: Environment) -> Launch | None:
        """What an image starts whose command says nothing, by the language that it is made for."""
        base = (image.base or "").rpartition("/")[2].partition(":")[0]
        if base == "python":
            return Launch("python", "", words[0], "", env)
        folder = next((posixpath.dirname(path) for path in image.places("package.json") if path in self._files), None)
        if base != "node" or folder is None:
            return None
        return Launch("node", self._launcher.main_of(folder), words[0], folder, env)

    # ------------------------------------------------------------------ compose

    def _compose_variants(self) -> Iterator[Variant]:
        for service in self._compose_services():
            variant = self._compose_variant(service)
            if variant is not None:
                yield variant

    def _compose_variant(self, service: _ComposeService) -> Variant | None:
        build = service.setting("build.context")
        if build is not None and service.setting("build.inline") is None:
            path, _, setting = build
            context = setting.value
            if context is None or "://" in context or context.startswith("git@"):
                return None
            folder = joined(posixpath.dirname(path), context)
            dockerfile = service.value("build.dockerfile")
            names = [dockerfile] if dockerfile else ["Dockerfile", "Containerfile", "dockerfile"]
            file = next((joined(folder, name) for name in names if joined(folder, name) in self._files), None)
            return self._built_variant(service, file, folder) if file else None
        image = service.value("image")
        if image is None:
            return None
        file = self._own_image(image)
        if file is not None:
            facts = self._files[file]
            return self._built_variant(service, file, self._context_of(file, facts.artefacts[-1]))
        return self._plain_image_variant(service, image)

    def _built_variant(self, service: _ComposeService, path: str, context: str) -> Variant | None:
        facts = self._files[path]
        if facts.kind != "dockerfile" or not facts.artefacts:
            return None
        target = service.value("build.target")
        stage = next((each for each in facts.artefacts if target and each.name.lower() == target.lower()), None)
        variables = self._interpolation(posixpath.dirname(service.top[0]))
        args = {
            setting.key.removeprefix("build.arg."): (
                expand(setting.template, variables) if setting.template else setting.value
            )
            for _, part in service.parts
            for setting in part.settings
            if setting.key.startswith("build.arg.")
        }
        return self._image_variant(Image(path, facts, stage or facts.artefacts[-1], context, args), service)

    def _own_image(self, image: str) -> str | None:
        """The Dockerfile that an image of this project is built from, by the image's name."""
        if "/" not in image:
            return None  # an official image
        name = image.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()
        matching = []
        for path in self._by_kind["dockerfile"]:
            facts = self._files[path]
            if not facts.artefacts or _name_evidence(path):
                continue
            folder = self._context_of(path, facts.artefacts[-1])
            info = self._view.packages.get(folder)
            names = {posixpath.basename(folder).lower()} | ({info.name.lower()} if info else set())
            if name in names:
                matching.append(path)
        return matching[0] if len(matching) == 1 else None

    def _plain_image_variant(self, service: _ComposeService, image: str) -> Variant | None:
        """A service that runs the project's code, mounted into somebody else's image."""
        mounts = tuple(self._mounts(service))
        found = service.setting("command.exec")
        command = words_of(found[2]) if found else None
        if not mounts or found is None or command is None or not is_plain_base(image):
            return None
        env = Environment()
        self._apply_service_env(service, env)
        workdir = service.value("workdir") or "/"
        path, artefact = service.top
        source = source_of(path, "compose", artefact)
        place = MountedPlace(FolderPlace(posixpath.dirname(path)), workdir, mounts)
        launch = self._launcher.launch(*command, place, env, source)
        if launch is None or not launch.entry:
            return None
        launch = self._finished(launch)
        settings = {setting.key: setting for _, part in service.parts for setting in part.settings}
        evidence = self._service_evidence(service, None, mounts) | self._dev_values(launch)
        layers = (Layer(source, settings), *self._script_layers(launch))
        return Variant("compose", layers, launch, evidence)

    def _mounts(self, service: _ComposeService) -> Iterator[tuple[str, str]]:
        """The folders of the project that hold source code and are mounted: (path in the project, path there)."""
        for path, setting in service.all("volume"):
            source, colon, rest = (setting.value or "").partition(":")
            target = rest.partition(":")[0]
            if not colon or not source.startswith(".") or not target.startswith("/"):
                continue
            folder = joined(posixpath.dirname(path), source)
            inside = folder + "/" if folder else ""
            if any(known.startswith(inside) for known in self._view.paths):
                yield folder, posixpath.normpath(target)

    def _apply_service_env(self, service: _ComposeService, env: Environment) -> None:
        files = [each for key in ("env_file", "optional_env_file") for each in service.all(key)]
        for path, setting in files:
            artefact = service.top[1]
            name = setting.value
            if name is None or not self._load_env_file(env, joined(posixpath.dirname(path), name)):
                env.opened(source_of(path, "compose", artefact, setting), f"the env_file {name or ''} is not here")
        for path, artefact in service.parts:
            variables = self._interpolation(posixpath.dirname(path))
            for setting in artefact.settings:
                if setting.key.startswith("env."):
                    name = setting.key.removeprefix("env.")
                    value = expand(setting.template, variables) if setting.template else setting.value
                    # A name without a value takes it from `.env` or from whoever runs compose.
                    value = variables.get(name) if value is None and not setting.template else value
                    env.set(name, value, source_of(path, "compose", artefact, setting))

    def _interpolation(self, folder: str) -> dict[str, str | None]:
        """The variables that the `.env` file beside a compose file gives to it."""
        facts = self._files.get(joined(folder, ".env"))
        if facts is None or facts.kind != "dotenv":
            return {}
        return {setting.key.removeprefix("env."): setting.value for setting in facts.artefacts[0].settings}

    def _service_evidence(
        self, service: _ComposeService, image: Image | None, mounts: Sequence[tuple[str, str]]
    ) -> dict[str, float]:
        path, artefact = service.top
        found = _name_evidence(path, artefact.name) | service.evidence
        workdir = image.workdir if image is not None else service.value("workdir") or "/"
        if any(target == workdir or _is_around(target, workdir) or _is_around(workdir, target) for _, target in mounts):
            found["it mounts the source code"] = 0.7
        if _TARGET_DEV.search(service.value("build.target") or ""):
            found["it builds a stage for development"] = 0.7
        if service.setting("watch") is not None:
            found["it watches the source code"] = 0.7
        if any(_DEBUG_PORT.search(setting.value or "") for _, setting in service.all("port")):
            found["it publishes a debugger's port"] = _BY_CONTENT
        if service.value("restart") not in (None, "no", "false"):
            found["it restarts"] = -0.3
        if service.setting("replicas") is not None:
            found["it has replicas"] = -0.5
        if any(profile.value in _DEV_WORDS for _, profile in service.all("profile")):
            found["its profile is called so"] = 1.0
        return found

    def _compose_services(self) -> Iterator[_ComposeService]:
        """Every service of every set of compose files that are used together."""
        overlays = [path for path in self._by_kind["compose"] if self._is_overlay(path)]
        for path in self._by_kind["compose"]:
            if path in overlays:
                continue
            automatic = self._override_of(path)
            yield from self._merged([path, automatic] if automatic in overlays else [path])
        for path in overlays:
            base = self._base_of(path)
            if base is not None and path != self._override_of(base):
                yield from self._merged([base, path])

    def _override_of(self, path: str) -> str:
        stem, extension = posixpath.splitext(path)
        return f"{stem}.override{extension}"

    def _base_of(self, overlay: str) -> str | None:
        folder = posixpath.dirname(overlay)
        files = (joined(folder, name) for name in _DEFAULT_COMPOSE)
        return next((path for path in files if path in self._files and path != overlay), None)

    def _is_overlay(self, path: str) -> bool:
        """Whether a compose file only makes sense on top of another one: a service in it neither builds nor names an
        image, or a command in the project says so."""
        artefacts = [artefact for artefact in self._files[path].artefacts if artefact.kind == "service"]
        if ".override." in path and self._base_of(path):
            return True
        keys = ("image", "build.context", "build.inline", "extends.service")
        partial = [artefact for artefact in artefacts if not any(setting.key in keys for setting in artefact.settings)]
        return bool(partial) and self._base_of(path) is not None

    def _merged(self, paths: Sequence[str]) -> Iterator[_ComposeService]:
        """The services of compose files that are merged in this order."""
        parts: dict[str, list[tuple[str, Artefact]]] = {}
        for path in paths:
            for artefact in self._files[path].artefacts:
                if artefact.kind == "service":
                    parts.setdefault(artefact.name, []).extend(self._extended(path, artefact))
        for name, own in parts.items():
            if all(path != paths[-1] for path, _ in own):
                continue  # the last file does not touch it
            service = _ComposeService(name, own)
            if own[-1][0] == paths[0] and len(paths) == 1 and self._has_production_overlay(paths[0], name):
                # What an overlay for production is laid over is not how the service is deployed.
                service.evidence["an overlay for production exists"] = 1.0
            yield service

    def _has_production_overlay(self, path: str, name: str) -> bool:
        return any(
            self._base_of(other) == path
            and self._is_overlay(other)
            and any(score < 0 for score in _name_evidence(other).values())
            and any(artefact.name == name for artefact in self._files[other].artefacts)
            for other in self._by_kind["compose"]
        )

    def _extended(self, path: str, artefact: Artefact, depth: int = 0) -> list[tuple[str, Artefact]]:
        """An artefact after those that it `extends`."""
        values = {setting.key: setting.value for setting in artefact.settings}
        name = values.get("extends.service")
        file = values.get("extends.file")
        other_path = joined(posixpath.dirname(path), file) if file else path
        facts = self._files.get(other_path)
        if name is None or facts is None or depth > 8:
            return [(path, artefact)]
        for other in facts.artefacts:
            if other.kind == "service" and other.name == name and other is not artefact:
                return [*self._extended(other_path, other, depth + 1), (path, artefact)]
        return [(path, artefact)]

    # ------------------------------------------------------------------ Procfiles and scripts

    def _procfile_variants(self) -> Iterator[Variant]:
        for path in self._by_kind["procfile"]:
            for artefact in self._files[path].artefacts:
                command = words_of(artefact.settings[0])
                if command is None or artefact.name == "release":
                    continue
                source = source_of(path, "procfile", artefact)
                place = FolderPlace(posixpath.dirname(path))
                launch = self._launcher.launch(*command, place, Environment(), source)
                if launch is None or not self._belongs(launch):
                    continue
                launch = self._finished(launch)
                settings = {setting.key: setting for setting in artefact.settings}
                layers = (Layer(source, settings), *self._script_layers(launch))
                yield Variant("procfile", layers, launch, _name_evidence(path) | self._dev_values(launch))

    def _script_variants(self, package: str) -> Iterator[Variant]:
        """The scripts of a package that start its server, if it has one."""
        servers = [path for path in self._view.servers if self._owns(package, path)]
        if not servers:
            return
        for name in _SCRIPTS:
            script = self._launcher.script(package, name)
            if script is None:
                continue
            source, setting = script
            launch = self._launcher.launch([setting.value or ""], True, FolderPlace(package), Environment(), source)
            if launch is None or launch.language != "node" or launch.package != package:
                continue
            if not (launch.entry or launch.is_tool):
                continue
            launch = self._finished(launch)
            layers = (Layer(source, {setting.key: setting}), *self._script_layers(launch))
            evidence = _name_evidence(joined(package, "package.json")) | self._dev_values(launch)
            if launch.is_dev:
                evidence["it starts a server for development"] = 1.0
            yield Variant("package_json", layers, launch, evidence)


def is_for_development(name: str, value: str) -> bool:
    """Whether a value of one of the variables that tell development from production says development."""
    value = value.strip().lower()
    if name == "FLASK_DEBUG":
        return value not in ("", "0", "false", "no", "off")
    if name == "DJANGO_SETTINGS_MODULE":
        return bool(_words(value.rpartition(".")[2].replace("_", " ")) & _DEV_VALUES)
    return value in _DEV_VALUES


@dataclass(frozen=True)
class _ImagePlace:
    """Inside an image."""

    image: Image

    def places(self, path: str) -> Iterator[str]:
        """Where in the project the image has a file from."""
        return self.image.places(path)


@dataclass(frozen=True)
class _UnitPlace:
    """On a host: relative paths start from the unit's WorkingDirectory=, which is the project's folder or in it."""

    place: FolderPlace
    workdir: str

    def places(self, path: str) -> Iterator[str]:
        """The ends of the path, longest first."""
        if path.startswith("/") or not self.workdir:
            return self.place.places(path)
        return self.place.places(posixpath.normpath(posixpath.join("/", self.workdir.lstrip("~/"), path)))


def _container_command(image: Image, service: _ComposeService | None) -> tuple[list[str], bool, list[str], bool] | None:
    """Words, whether a shell reads them, what `"$@"` is in them, and whether the compose file says so."""
    entrypoint, command = image.commands
    by_service = False
    if service is not None:
        own_entrypoint, own_command = service.setting("entrypoint.exec"), service.setting("command.exec")
        if own_entrypoint is not None:
            entrypoint, command = own_entrypoint[2], None
        if own_command is not None:
            command, by_service = own_command[2], True
    last = words_of(command)
    if command is not None and last is None:
        return None
    arguments = [] if last is None else ["/bin/sh", "-c", *last[0]] if last[1] else last[0]
    first = words_of(entrypoint)
    if first is None or not first[0]:
        return (last[0], last[1], [], by_service) if last is not None and last[0] else None
    words, is_shell = first
    if is_shell:
        return words, True, [], by_service
    return _with_arguments(image, words, arguments), False, [], by_service


def _with_arguments(image: Image, words: list[str], arguments: list[str]) -> list[str]:
    """ENTRYPOINT and CMD as one command. An entrypoint script of the project's own is named by where it is."""
    if words == ["docker-entrypoint.sh"] and any(
        "entrypoint" in (setting.value or "")
        for stage in image.stages
        for setting in stage.settings
        if setting.key == "copy"
    ):
        words = ["./docker-entrypoint.sh"]
    base = (image.base or "").rpartition("/")
    if not words and "distroless" in base[0] and "nodejs" in base[2]:
        words = ["node"]
    return [*words, *arguments]


def _context_sources(copied: str) -> Iterator[str]:
    """What a COPY takes from the build context, as far as it tells one folder from another."""
    what = json.loads(copied)
    if not what["from"]:
        for source in what["sources"]:
            path = posixpath.normpath(source.lstrip("/"))
            if path not in (".", "") and "$" not in path:
                yield path


def _is_around(folder: str, path: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")


def _is_exported(image: Image) -> bool:
    """Whether a stage starts nothing: it is there to be copied out of, or to be built upon."""
    return image.commands == (None, None)


def _as_unknown(variant: Variant, launch: Launch) -> Variant:
    """A variant that cannot be followed to its end, as one of a service that others can be followed to."""
    own = replace(launch, env=variant.launch.env, through=variant.launch.through, target=variant.launch.target)
    return replace(variant, launch=own)


def _only_one(variant: Variant) -> Variant:
    """The only variant of a service: what it runs does not make it one for development, as nothing else is there for
    production. Its name and the source code mounted into it still do."""
    return replace(variant, dev={reason: weight for reason, weight in variant.dev.items() if weight != _BY_CONTENT})


def _start_of(path: str) -> Location:
    return Location(path, 0, 0)


def _grouped(variants: Sequence[Variant]) -> list[list[Variant]]:
    """The variants that start the same file, or run the same image, together."""
    groups: list[list[Variant]] = []
    keys: list[set[str]] = []
    for variant in variants:
        launch = variant.launch
        own = {variant.image.partition("#")[0]} if variant.image else set()
        if variant.kind == "package_json":
            own.add(f"scripts of {launch.package}")
        own.add(f"{launch.language} {launch.entry or f'{launch.package} {launch.target}'}")
        joint = [at for at, known in enumerate(keys) if known & own]
        group = [other for at in joint for other in groups[at]] + [variant]
        own = own.union(*(keys[at] for at in joint))
        groups = [each for at, each in enumerate(groups) if at not in joint] + [group]
        keys = [each for at, each in enumerate(keys) if at not in joint] + [own]
    return _with_opaque(groups)


def _with_opaque(groups: list[list[Variant]]) -> list[list[Variant]]:
    """Variants of which nobody can see what they start belong to the services of the package that they are in."""
    opaque = [group for group in groups if not any(variant.launch.language for variant in group)]
    seen = [group for group in groups if group not in opaque]
    for group in opaque:
        for other in seen:
            if other[0].launch.package == group[0].launch.package:
                other += group
    return seen + [group for group in opaque if not any(group[0] in other for other in seen)]
