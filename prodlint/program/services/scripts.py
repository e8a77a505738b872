"""Procfiles, and the scripts of packages that nothing else starts."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from prodlint.facts import Setting
from prodlint.program.services.environment import Environment
from prodlint.program.services.environment_evidence import is_dev_path, name_evidence
from prodlint.program.services.layers import layer_of
from prodlint.program.services.model import Variant
from prodlint.program.services.places import FolderPlace
from prodlint.program.services.project import Project
from prodlint.program.services.setting_values import Source, source_of, words_of
from prodlint.project.paths import joined

_SCRIPTS = ("start:prod", "start:production", "start-prod", "production", "prod", "serve:prod", "start")


def procfile_variants(project: Project) -> Iterator[Variant]:
    """What each line of a Procfile starts."""
    for path in project.by_kind["procfile"]:
        for artefact in project.files[path].artefacts:
            if artefact.name == "release":
                continue
            command = words_of(artefact.settings[0])
            place = FolderPlace(posixpath.dirname(path))
            variant = project.started(
                "procfile", source_of(path, "procfile", artefact), artefact.settings, command, place
            )
            if variant is not None and path.lower().endswith(".windows"):
                # Heroku runs Linux: this one is for `heroku local` on a developer's machine.
                variant = replace(variant, dev={**variant.dev, "it is for Windows": 1.0})
            if variant is not None:
                yield variant


def script_variants(project: Project, package: str) -> Iterator[Variant]:
    """The scripts of a package that start its server, if it has one."""
    servers = [path for path in project.view.servers if project.owns(package, path)]
    if not servers:
        return
    for name in _SCRIPTS:
        script = project.launcher.script(package, name) or (_default(project, package) if name == "start" else None)
        if script is None:
            continue
        source, setting = script
        launch = project.launcher.launch([setting.value or ""], True, FolderPlace(package), Environment(), source)
        if launch is None or launch.language != "node" or launch.package != package:
            continue
        if not (launch.entry or launch.is_tool):
            continue
        launch = project.finished(launch)
        layers = (layer_of(source, [setting]), *project.script_layers(launch))
        evidence = name_evidence(joined(package, "package.json")) | project.dev_values(launch)
        if launch.is_dev:
            evidence["it starts a server for development"] = 1.0
        yield Variant("package_json", layers, launch, evidence)


def _default(project: Project, package: str) -> tuple[Source, Setting] | None:
    """What `npm start` runs in a package without a `start` script: `node server.js`, if there is that file."""
    path = joined(package, "package.json")
    facts = project.files.get(path)
    if facts is None or not facts.artefacts or joined(package, "server.js") not in project.view.paths:
        return None
    source = source_of(path, "package_json", facts.artefacts[0])
    return source, Setting("command.shell", "node server.js", source.location.start, source.location.end)


_LEAVES_IT = frozenset({"nohup", "setsid", "disown", "daemonize"})
_STARTERS = frozenset({"pm2", "forever"})


def shell_variants(project: Project, started: Sequence[Variant]) -> Iterator[Variant]:
    """What the scripts of a host leave running in the background that nothing else deploys: `nohup node app.js &` in a
    script that deploys, `/etc/rc.local`."""
    used = {layer.source.path for variant in started for layer in variant.layers}
    deployed = {variant.launch.entry for variant in started if not variant.format.is_package_script}
    for path in project.by_kind["shell"]:
        artefact = next(iter(project.files[path].artefacts), None)
        if path in used or artefact is None or is_dev_path(path):
            continue
        source = source_of(path, "shell", artefact)
        command = words_of(artefact.settings[0])
        text = artefact.settings[0].value or ""
        if not any(word in text for word in (*_LEAVES_IT, *_STARTERS)) and not path.endswith("rc.local"):
            continue
        found = project.started_on_host("shell", source, (), command, "", Environment())
        if found is None or not found.launch.entry or found.launch.entry in deployed or found.launch.is_dev:
            continue
        step = found.launch.steps[0]
        stays = bool({*_LEAVES_IT, *_STARTERS} & {*step.start.wrappers, posixpath.basename(step.start.words[0])})
        if stays or (path.endswith("rc.local") and step.start.is_background):
            yield found
