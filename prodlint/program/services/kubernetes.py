"""Containers of pods: what manifests, and the kustomizations that change them, make of each, and what they start."""

from __future__ import annotations

import json
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import msgspec
from msgspec.structs import replace

from prodlint.facts import Artefact, Setting
from prodlint.lazy_regex import regex
from prodlint.program.services.build_contexts import context_of
from prodlint.program.services.built_images import is_foreign, repository_of
from prodlint.program.services.containers import Runner, image_variant
from prodlint.program.services.environment import Environment
from prodlint.program.services.environment_evidence import name_evidence
from prodlint.program.services.images import Image
from prodlint.program.services.layers import Layer, layer_of
from prodlint.program.services.model import Variant
from prodlint.program.services.project import Project
from prodlint.program.services.setting_values import Source, source_of
from prodlint.project.paths import joined

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_DEEPEST = 10
_VALUE = regex(r"\{\{-?\s*\.Values\.(?P<name>[\w.]+)\s*(?:\|[^}]*)?-?\}\}")

_Part = tuple[str, Artefact]


class _Set(msgspec.Struct):
    """Manifests that are applied together."""

    path: str
    """The file that brings them together, or that they are in."""
    resources: list[_Part] = []
    changes: list[tuple[str, Artefact, Setting]] = []
    """What kustomizations change, innermost first: `patch`, `replicas.NAME`, `image`, `changed`."""
    patches: list[_Part] = []
    generated: dict[str, list[tuple[str, Artefact, Setting]]] = msgspec.field(default_factory=lambda: defaultdict(list))
    """By the name of the ConfigMap."""
    unseen: list[str] = []
    """Resources that are not here."""

    def of_kind(self, *kinds: str) -> list[_Part]:
        """The resources of some kinds."""
        return [(path, artefact) for path, artefact in self.resources if artefact.kind in kinds]


def kubernetes_variants(project: Project) -> Iterator[Variant]:
    """What each container of a pod starts whose image is built here."""
    sets = _Sets(project)
    for each in sets.all():
        for path, artefact in each.of_kind("container"):
            yield from _Container(project, sets, each, path, artefact).variants()
    yield from _template_variants(project)


class _Sets:
    """The manifests of a project, as they are applied together."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._kustomizations = {
            posixpath.dirname(path): path
            for path in project.by_kind["kubernetes"]
            if any(artefact.kind == "kustomization" for artefact in project.files[path].artefacts)
        }
        self._used: set[str] = set()

    def all(self) -> Iterator[_Set]:
        """What each kustomization that is no part of another makes; and the manifests that none takes up."""
        found = {folder: self._of(folder, 0) for folder in self._kustomizations}
        for folder, each in found.items():
            if self._kustomizations[folder] not in self._used:
                yield each
        rest = [path for path in self._project.by_kind["kubernetes"] if path not in self._used]
        for folder in sorted({posixpath.dirname(path) for path in rest}):
            each = _Set(folder)
            for path in rest:
                if posixpath.dirname(path) == folder and path not in self._kustomizations.values():
                    each.resources += [(path, artefact) for artefact in self._project.files[path].artefacts]
            yield each

    @cached_property
    def every(self) -> list[_Part]:
        """All resources of the project."""
        return [
            (path, artefact)
            for path in self._project.by_kind["kubernetes"]
            for artefact in self._project.files[path].artefacts
        ]

    def _of(self, folder: str, depth: int) -> _Set:
        path = self._kustomizations[folder]
        found = _Set(path)
        for artefact in self._project.files[path].artefacts:
            if artefact.kind != "kustomization":
                found.patches.append((path, artefact))
                continue
            for setting in artefact.settings:
                self._take(found, folder, artefact, setting, depth)
        return found

    def _take(self, found: _Set, folder: str, artefact: Artefact, setting: Setting, depth: int) -> None:
        path = found.path
        value = setting.value or ""
        if setting.key == "resource":
            self._take_resource(found, joined(folder, value), depth)
        elif setting.key == "patch":
            file = joined(folder, value)
            facts = self._project.files.get(file)
            self._used.add(file)
            if facts is not None and facts.kind == "kubernetes":
                found.patches += [(file, each) for each in facts.artefacts]
            else:
                found.unseen.append(value)
        elif setting.key.startswith("generated"):
            found.generated[setting.key.partition(".")[2]].append((path, artefact, setting))
        else:
            found.changes.append((path, artefact, setting))

    def _take_resource(self, found: _Set, target: str, depth: int) -> None:
        if target in self._kustomizations and depth < _DEEPEST:
            inner = self._of(target, depth + 1)
            self._used.add(inner.path)
            found.resources += inner.resources
            found.patches[:0] = inner.patches
            found.changes[:0] = inner.changes
            found.unseen += inner.unseen
            for name, settings in inner.generated.items():
                found.generated[name][:0] = settings
            return
        facts = self._project.files.get(target)
        self._used.add(target)
        if facts is not None and facts.kind == "kubernetes":
            found.resources += [(target, artefact) for artefact in facts.artefacts]


class _Container:
    """A container, with what patches and the like make of it."""

    def __init__(self, project: Project, sets: _Sets, around: _Set, path: str, artefact: Artefact) -> None:
        self._project = project
        self._sets = sets
        self._set = around
        self._path = path
        self._artefact = artefact
        self._workload = _workload_of(artefact)
        self._values = {setting.key: setting.value for setting in artefact.settings}

    def variants(self) -> Iterator[Variant]:
        """What it starts, if its image is built here; if it may be, what each image starts that it may be."""
        image = self._image()
        dockerfile = self._project.built_images.dockerfile(image) if image else None
        if dockerfile is not None:
            variant = self._variant(dockerfile)
            if variant is not None:
                yield variant
        elif image and self._project.built_images.is_open(image):
            for path in self._project.built_images.unclaimed:
                variant = _open_variant(
                    self._project, self._path, self._artefact, path, f"{image} may be built from it"
                )
                if variant is not None:
                    yield variant

    def _variant(self, dockerfile: str) -> Variant | None:
        facts = self._project.files[dockerfile]
        context = context_of(self._project, dockerfile)
        variant = image_variant(self._project, Image(dockerfile, facts, facts.artefacts[-1], context), self._runner())
        if variant is None:
            return None
        reason = self._open()
        if reason:
            variant.launch.env.mark_unknown(self._source(), reason)
        return replace(variant, fronts=tuple(self._fronts()), opaque=reason)

    def _source(self) -> Source:
        return source_of(self._path, "kubernetes", self._artefact)

    def _image(self) -> str:
        """The name of its image, changed as kustomizations say."""
        setting = next((each for each in reversed(self._artefact.settings) if each.key == "image"), None)
        image = (setting.value or setting.template) if setting is not None else ""
        for _, _, change in self._set.changes:
            if change.key == "image":
                name, new = json.loads(change.value or "[]")
                if new and repository_of(name) == repository_of(image):
                    image = new
        return image

    @cached_property
    def _patches(self) -> list[_Part]:
        """The patches for its workload that are for it or for all containers of the pod."""
        own = self._values.get("name")
        found = []
        for path, patch in self._set.patches:
            if patch.kind == "container" and _workload_of(patch) == self._workload:
                names = [setting.value for setting in patch.settings if setting.key == "name"]
                if not names or names[0] == own:
                    found.append((path, patch))
        return found

    @cached_property
    def _every(self) -> list[tuple[str, Artefact, Setting]]:
        """All settings with where they stand, weakest first."""
        found = [
            (path, artefact, setting)
            for path, artefact in [(self._path, self._artefact), *self._patches]
            for setting in artefact.settings
        ]
        kind, _, name = self._workload.partition("/")
        for path, artefact, change in self._set.changes:
            if change.key == f"replicas.{name}":
                found.append((path, artefact, _renamed(change, "replicas", change.value)))
            elif change.key == "changed":
                target, at, value = json.loads(change.value or "[]")
                if target in (self._workload, f"{kind}/") and at == "/spec/replicas":
                    found.append((path, artefact, _renamed(change, "replicas", value)))
        for path, artefact in self._around("autoscaler"):
            target = [setting for setting in artefact.settings if setting.key == "target"]
            if target and target[0].value == self._workload:
                found += [(path, artefact, _renamed(each, "autoscale", each.value)) for each in target]
        return found

    def _around(self, kind: str) -> list[_Part]:
        """The resources of a kind that are applied with it, or, as nobody knows what is applied together, that the
        project has."""
        own = self._set.of_kind(kind)
        return own or [(path, artefact) for path, artefact in self._sets.every if artefact.kind == kind]

    def _open(self) -> str:
        """Why it is not known what the workload is in the end, "" if it is."""
        if self._set.unseen:
            return f"the patch {self._set.unseen[0]} is not here"
        for _, _, change in self._set.changes:
            if change.key == "changed":
                target, at, _ = json.loads(change.value or "[]")
                if at != "/spec/replicas" and (target == self._workload or target.endswith("/") or not target):
                    return "a JSON patch changes it"
        names = {_workload_of(artefact) for _, artefact in self._set.of_kind("container")}
        for _, patch in self._set.patches:
            if patch.kind == "container" and _workload_of(patch) not in names:
                return "a patch may change it"
        return ""

    def _fronts(self) -> Iterator[Layer]:
        """The Services that select the pod, and the Ingresses that lead to those."""
        labels = {key.removeprefix("label."): value for key, value in self._values.items() if key.startswith("label.")}
        names = set()
        for path, artefact in self._around("service"):
            selector = {
                each.key.removeprefix("selector."): each.value
                for each in artefact.settings
                if each.key.startswith("selector.")
            }
            if selector and selector.items() <= labels.items():
                names.add(artefact.name)
                yield layer_of(source_of(path, "kubernetes", artefact), artefact.settings)
        for path, artefact in self._around("ingress"):
            if any(each.key == "backend" and each.value in names for each in artefact.settings):
                yield layer_of(source_of(path, "kubernetes", artefact), artefact.settings)

    def _runner(self) -> Runner:
        names = [self._workload.partition("/")[2], self._values.get("namespace") or ""]
        evidence = _evidence(self._path, *names) | _evidence(self._set.path)
        return Runner(
            "kubernetes",
            self._source(),
            tuple(setting for _, _, setting in self._every),
            self._set_env,
            lambda workdir: evidence,
            tuple((setting, path) for path, _, setting in self._every if path != self._source().path),
        )

    def _set_env(self, env: Environment) -> None:
        for path, artefact, setting in self._every:
            by = source_of(path, "kubernetes", artefact, setting)
            if setting.key == "env_from.config_map":
                if not self._load(env, setting.value or ""):
                    env.mark_unknown(by, f"the ConfigMap {setting.value} is not here")
            elif setting.key == "env_from.secret":
                env.mark_unknown(by, f"the Secret {setting.value} may set it")
        for path, artefact, setting in self._every:
            if setting.key.startswith("env."):
                by = source_of(path, "kubernetes", artefact, setting)
                env.set(setting.key.removeprefix("env."), setting.value, by)
            elif setting.key.startswith("env_ref."):
                name, _, key = (setting.value or "").partition("/")
                inner = Environment()
                answer = inner.get(key) if self._load(inner, name) else None
                if answer is not None and answer.value and answer.by is not None:
                    env.set(setting.key.removeprefix("env_ref."), answer.value, answer.by)

    def _load(self, env: Environment, name: str) -> bool:
        """Sets what a ConfigMap has; whether it is here."""
        found = False
        for path, artefact in self._around("config_map"):
            if artefact.name == name:
                found = True
                for setting in artefact.settings:
                    by = source_of(path, "kubernetes", artefact, setting)
                    env.set(setting.key.removeprefix("env."), setting.value, by)
        for path, artefact, setting in self._set.generated.get(name, ()):
            found = True
            if setting.key.startswith("generated_file."):
                file = joined(posixpath.dirname(path), setting.value or "")
                if not self._project.load_env_file(env, file):
                    env.mark_unknown(source_of(path, "kubernetes", artefact, setting), f"{setting.value} is not here")
            else:
                key, _, value = (setting.value or "").partition("=")
                env.set(key, value, source_of(path, "kubernetes", artefact, setting))
        return found


def _workload_of(artefact: Artefact) -> str:
    """`kind/name`."""
    return "/".join(artefact.name.partition("#")[0].split("/")[:2])


def _evidence(path: str, *names: str) -> dict[str, float]:
    """What names say of a manifest's purpose. That it deploys something says nothing: all of them do."""
    return name_evidence(re.sub(r"deploy(?:ments?)?", "", path), *names)


def _renamed(setting: Setting, key: str, value: str | None) -> Setting:
    return Setting(key, value, setting.start, setting.end)


# --- Helm -------------------------------------------------------------------------------------------------------------


def _template_variants(project: Project) -> Iterator[Variant]:
    """The workloads of a chart: which image they run may be known, and nothing else is. A chart of which that is not
    known either may deploy any of the images that are built here."""
    for path in project.by_kind["kubernetes"]:
        for artefact in project.files[path].artefacts:
            if artefact.kind == "template":
                for dockerfile in _deployed_by(project, path, artefact):
                    variant = _open_variant(project, path, artefact, dockerfile, "a Helm template decides")
                    if variant is not None:
                        yield variant


def _deployed_by(project: Project, path: str, artefact: Artefact) -> Sequence[str]:
    """The Dockerfiles of the images that a template runs: its own if they are known, none if all of them are somebody
    else's, else any."""
    values = _values_of(project, path)
    said = {setting.key.removeprefix("value."): setting.value or "" for setting in values}
    images = [_filled(setting.template, said) for setting in artefact.settings if setting.key == "image"]
    known = [image for image in images if repository_of(image)]
    if not known:
        known = [setting.value or "" for setting in values if setting.key == "image"]
    elif len(known) == len(images) and all(is_foreign(image) for image in known):
        return ()
    own = {file for image in known if (file := project.built_images.dockerfile(image)) is not None}
    return sorted(own) or [file for file in project.by_kind["dockerfile"] if not name_evidence(file)]


def _filled(template: str, values: Mapping[str, str]) -> str:
    """An image's name with the values of the chart in it that it takes plainly: `{{ .Values.image.repository }}`."""
    return _VALUE.sub(lambda match: values.get(match["name"], match.group()), template)


def _values_of(project: Project, path: str) -> list[Setting]:
    """The values of the chart that a template belongs to."""
    folder = posixpath.dirname(path)
    while folder:
        for name in ("values.yaml", "values.yml"):
            facts = project.files.get(joined(folder, name))
            if facts is not None:
                return [setting for each in facts.artefacts for setting in each.settings]
        folder = posixpath.dirname(folder)
    return []


def _open_variant(project: Project, path: str, artefact: Artefact, dockerfile: str, reason: str) -> Variant | None:
    """A workload of which it is not known whether it runs an image, or what it sets."""
    facts = project.files[dockerfile]
    if not facts.artefacts:
        return None
    source = source_of(path, "kubernetes", artefact)
    settings = tuple(setting for setting in artefact.settings if setting.key == "type")
    evidence = _evidence(path)
    runner = Runner(
        "kubernetes", source, settings, lambda env: env.mark_unknown(source, reason), lambda workdir: evidence
    )
    context = context_of(project, dockerfile)
    variant = image_variant(project, Image(dockerfile, facts, facts.artefacts[-1], context), runner)
    return replace(variant, opaque=reason) if variant is not None else None
