"""A project as those see it who find out what its deployment files start."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import msgspec
from msgspec.structs import replace

from prodlint.facts import FileFacts, Setting
from prodlint.program.services.built_images import BuiltImages
from prodlint.program.services.deployment_files import DeploymentFiles
from prodlint.program.services.environment import Environment
from prodlint.program.services.environment_evidence import (
    BY_CONTENT,
    DEV_VARIABLES,
    DEV_WORDS,
    folder_words,
    is_for_development,
    name_evidence,
)
from prodlint.program.services.launches import Launch, Launcher
from prodlint.program.services.layers import Layer, layer_of
from prodlint.program.services.model import SourceView, Variant
from prodlint.program.services.places import FolderPlace, Place
from prodlint.program.services.process_files import PROCESSES
from prodlint.program.services.setting_values import Source, State, source_of
from prodlint.project.paths import joined

_PRODUCTION_ENV_FILES = (".env", ".env.production", ".env.prod")


class Project(DeploymentFiles):
    """The deployment files of a project, joined to what their commands start."""

    def __init__(self, files: Mapping[str, FileFacts], view: SourceView) -> None:
        """`files`: the facts of the deployment files by path."""
        super().__init__(files, view)
        self.launcher = Launcher(files, view.paths, view.packages)

    @cached_property
    def built_images(self) -> BuiltImages:
        """The images that are built here."""
        return BuiltImages(self)

    def platforms(self, package: str) -> Iterator[Source]:
        """The platforms of a package: their files lie in its folder or in the project's."""
        for path in self.by_kind["platform"]:
            if posixpath.dirname(path) in (package, ""):
                for artefact in self.files[path].artefacts[:1]:
                    yield source_of(path, "platform", artefact)

    def owns(self, package: str, path: str) -> bool:
        """Whether a source file belongs to the package in a folder, and not to one further down, nor to its tests."""
        if package and not path.startswith(package + "/"):
            return False
        folder = posixpath.dirname(path)
        while folder != package and folder:
            if folder in self.view.packages:
                return False
            folder = posixpath.dirname(folder)
        inside = path[len(package) :].lower().split("/")
        return not DEV_WORDS & {word for part in inside[:-1] for word in folder_words(part)} and not re.search(
            r"(?:^|[._-])(?:test|spec|config)[._-]", inside[-1]
        )

    def finished(self, launch: Launch) -> Launch:
        """What the code itself, and an env file that it may load, add to the environment."""
        env = launch.env.copy()
        if launch.language != "node":
            for source in self.platforms(launch.package):
                for setting in self.files[source.path].artefacts[0].settings:
                    name = setting.key.removeprefix("env.")
                    if name in DEV_VARIABLES and env.get(name).state is State.ABSENT:
                        env.set(name, setting.value, source)
            return replace(launch, env=env)
        if env.get("NODE_ENV").state is State.ABSENT:
            for name in _PRODUCTION_ENV_FILES:
                self.load_env_file(env, joined(launch.package, name), only_absent=True)
            for source in self.platforms(launch.package):
                for setting in self.files[source.path].artefacts[0].settings:
                    if setting.key == "env.NODE_ENV":
                        env.set("NODE_ENV", setting.value, source)
        for path, value in sorted(self.view.sets_node_env.items()):
            if self.owns(launch.package, path) and (value in ("production", "") or path == launch.entry):
                source = Source.of_file("source", path)
                if env.get("NODE_ENV").state is State.ABSENT:
                    env.set("NODE_ENV", value or None, source, "the code sets it to something")
        return replace(launch, env=env)

    def load_env_file(self, env: Environment, path: str, *, only_absent: bool = False) -> bool:
        """Sets what an env file of the project has; whether there is such a file."""
        facts = self.files.get(path)
        if facts is None or facts.kind != "dotenv":
            return False
        artefact = facts.artefacts[0]
        for setting in artefact.settings:
            name = setting.key.removeprefix("env.")
            if not only_absent or env.get(name).state is State.ABSENT:
                env.set(name, setting.value, source_of(path, "dotenv", artefact, setting))
        return True

    def dev_values(self, launch: Launch) -> dict[str, float]:
        """What the command and its environment say of their purpose."""
        found: dict[str, float] = {}
        if launch.is_dev:
            found["it starts a server for development"] = BY_CONTENT
        for name in DEV_VARIABLES:
            answer = launch.env.get(name)
            if answer.state is State.SET and is_for_development(name, answer.value):
                found[f"it sets {name} for development"] = BY_CONTENT
        return found

    def belongs(self, launch: Launch) -> bool:
        """Whether what is started is this project's: a file of it, or a server in a package of it."""
        if launch.entry:
            return True
        if launch.language == "node":
            return launch.package in self.view.packages
        return launch.language == "python" and bool(launch.target)

    def started(
        self,
        kind: str,
        source: Source,
        settings: Sequence[Setting],
        command: tuple[list[str], bool] | None,
        place: Place,
        env: Environment | None = None,
        elsewhere: Sequence[tuple[Setting, str]] = (),
    ) -> Variant | None:
        """The variant of an artefact that starts a process itself, in a folder of the project. `command` as `words_of`
        gives it."""
        if command is None:
            return None
        launch = self.launcher.launch(*command, place, env or Environment(), source)
        if launch is None or not self.belongs(launch):
            return None
        launch = self.finished(launch)
        layers = (layer_of(source, settings, elsewhere), *self.script_layers(launch))
        return Variant(kind, layers, launch, name_evidence(source.path) | self.dev_values(launch))

    def started_on_host(
        self,
        kind: str,
        source: Source,
        settings: Sequence[Setting],
        command: tuple[list[str], bool] | None,
        workdir: str,
        env: Environment,
        elsewhere: Sequence[tuple[Setting, str]] = (),
    ) -> Variant | None:
        """The same on a machine, to which some folder of the project was copied."""
        folder = posixpath.dirname(source.path)
        found = None
        for start in dict.fromkeys([self.package_above(folder), folder, ""]):
            place = _HostPlace(FolderPlace(start, is_elsewhere=True), workdir)
            found = self.started(kind, source, settings, command, place, env, elsewhere) or found
            if found is not None and found.launch.entry:
                break
        return found

    def script_layers(self, launch: Launch) -> Iterator[Layer]:
        """The scripts, and the configurations that list processes, that lead to what is started."""
        for source in launch.through:
            facts = self.files.get(source.path)
            own = [each for each in facts.artefacts if each.kind in PROCESSES] if facts is not None else []
            yield layer_of(source, next((each.settings for each in own if each.name == source.name), ()))


class _HostPlace(msgspec.Struct, frozen=True):
    """On a host: relative paths start from where the process starts, which is the project's folder or in it."""

    place: FolderPlace
    workdir: str

    def places(self, path: str) -> Iterator[str]:
        """The ends of the path, longest first."""
        if path.startswith("/") or not self.workdir:
            return self.place.places(path)
        return self.place.places(posixpath.normpath(posixpath.join("/", self.workdir.lstrip("~/"), path)))

    def written(self, path: str) -> None:
        """Nothing is."""
