"""A deployable service, and the ways in which it is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import msgspec

from prodlint.extract.deployment.package_json import PackageInfo
from prodlint.facts import Setting
from prodlint.models.deployment_formats import Format, Host, format_of
from prodlint.program.services.launches import Launch
from prodlint.program.services.layers import Layer
from prodlint.program.services.setting_values import ABSENT, SettingValue, Source, State
from prodlint.program.services.worker_counts import Processes, copies_of, product, together, unknown, workers_of


class SourceView(msgspec.Struct, frozen=True):
    """What services need to know of the source code. Paths are POSIX, relative to the project root.

    `paths`: all source files; `servers`: those that create an app or listen; `reads_node_env`: those that read
    `process.env.NODE_ENV`; `sets_node_env`: those that set it in code, with the value ("" where it is no literal);
    `packages`: folder → its package.json; `forks`: those that start worker processes, with how many ("" for several).
    """

    paths: frozenset[str]
    servers: frozenset[str]
    reads_node_env: frozenset[str]
    sets_node_env: Mapping[str, str]
    packages: Mapping[str, PackageInfo]
    forks: Mapping[str, str] = {}


_SAID_BY_IMAGES = frozenset({"user", "run_as_non_root", "shell", "stop_signal"})
"""Settings that an image has and a platform's console has not."""


class Variant(msgspec.Struct, frozen=True, dict=True):
    """One way in which a service is deployed."""

    kind: str
    """The kind of the outermost artefact's file: `systemd`, `kubernetes`, `compose`, `dockerfile`, `procfile`,
    `package_json`."""
    layers: tuple[Layer, ...]
    """What it is made of, outermost first: unit or compose service, then the image's stage, then the scripts."""
    launch: Launch
    dev: Mapping[str, float]
    """What speaks for (or, below 0, against) its being for development, and how much."""
    image: str = ""
    """What identifies the image that is built for it."""
    base: str = ""
    """The image that this one starts from, "" where that is not known."""

    fronts: tuple[Layer, ...] = ()
    """What stands in front of it: the Services of Kubernetes that select its pod, the Ingresses that lead to those."""
    opaque: str = ""
    """Why its settings are not known, apart from those that are there; "" if they are."""
    platform: str = ""
    """The platform that starts it, as `prodlint.extract.deployment.platform` names it."""
    forks: Mapping[str, str] = {}
    """The source files of the service that start worker processes, with how many: a number, or "" where that is not
    known."""

    @property
    def outer(self) -> Source:
        """The artefact that starts it."""
        return self.layers[0].source

    @property
    def format(self) -> Format:
        """What is known of files of its kind."""
        return format_of(self.kind)

    @property
    def image_layer(self) -> Layer | None:
        """What its image says, if that is built here."""
        return next((layer for layer in self.layers if layer.source.format.is_image), None)

    @property
    def in_container(self) -> bool:
        """Whether it runs in a container."""
        return self.format.host in (Host.DOCKER, Host.POD) or bool(self.image)

    @property
    def dev_score(self) -> float:
        """1 or more for a variant that is for development or tests."""
        return sum(self.dev.values())

    def setting(self, key: str) -> SettingValue:
        """What is known of a setting: of `env.NAME` what the process gets, of others what the outermost artefact
        that has it says."""
        if key.startswith("env."):
            return self.launch.env.get(key.removeprefix("env."))
        for layer in self.layers:
            setting = layer.settings.get(key)
            if setting is not None:
                by = layer.at(setting)
                if setting.value is None:
                    return SettingValue(State.UNKNOWN, by=by, reason="its value comes from outside")
                return SettingValue(State.SET, setting.value, by)
        is_open = self.opaque and not (self.format.is_console and self.image and key in _SAID_BY_IMAGES)
        return SettingValue(State.UNKNOWN, by=self.outer, reason=self.opaque) if is_open else ABSENT

    def settings(self, key: str) -> list[tuple[Layer, Setting]]:
        """All settings of a key in all layers, outermost first, each with the layer that has it."""
        return [(layer, setting) for layer in self.layers for setting in layer.all(key)]

    @cached_property
    def workers(self) -> Processes:
        """How many processes one start of it makes."""
        return workers_of(self.launch, self.layers, self.forks)

    @cached_property
    def copies(self) -> Processes:
        """How often it runs, next to each other."""
        return copies_of(self.layers)

    @cached_property
    def processes(self) -> Processes:
        """How many processes there are in all: its workers, as often as it runs."""
        factors = [self.workers, self.copies]
        return product([*factors, unknown(self.opaque, self.outer)] if self.opaque else factors)


class Service(msgspec.Struct, frozen=True, dict=True):
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
    """The platforms that files of the project hand it to, each named as `prodlint.extract.deployment.platform` does."""

    @property
    def is_started(self) -> bool:
        """Whether anything in the project starts it."""
        return any(variant.kind != "source" for variant in self.variants)

    @property
    def production(self) -> tuple[Variant, ...]:
        """The variants that are not for development or tests."""
        return tuple(variant for variant in self.variants if variant.dev_score < 1)

    @cached_property
    def processes(self) -> Processes:
        """How many processes it has in production: many if any variant says so, else unknown if that is so of any."""
        return together(variant.processes for variant in self.production)

    @property
    def artefacts(self) -> tuple[Source, ...]:
        """All that it is described by, each once."""
        found: dict[tuple[str, str], Source] = {}
        for variant in self.variants:
            for layer in variant.layers:
                found.setdefault((layer.source.path, layer.source.name), layer.source)
        return tuple(found.values())

    def setting(self, key: str) -> SettingValue:
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
    label = source.format.part
    return f"{source.path}: {label} {source.name}" if label else source.path
