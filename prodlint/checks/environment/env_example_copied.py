"""env-example-copied: a service in production that takes its settings from the example for developers."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import Setting
from prodlint.findings import Finding, Location, Step
from prodlint.lazy_regex import regex
from prodlint.program.services import is_for_development, services_in
from prodlint.program.services.images import Image
from prodlint.program.services.package_installs import run_starts
from prodlint.program.services.variants import in_containers
from prodlint.project.paths import joined

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Variant
    from prodlint.rulebook import Rule

_EXAMPLE = regex(
    r"\.?env[._-].*(?:example|sample|template|dist)|(?:example|sample|template)\.env|env[._-](?:example|sample).*"
)
_MODES = ("NODE_ENV", "FLASK_ENV", "FLASK_DEBUG", "DJANGO_SETTINGS_MODULE", "APP_ENV")
_SWITCHES = ("DEBUG", "APP_DEBUG", "DJANGO_DEBUG")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for a service that gets an example's values for development, in an image or by `env_file`."""
    for service in services_in(program):
        for variant in in_containers(service):
            found = next(_uses(program, variant), None)
            if found is not None:
                location, example, bad = found
                yield Finding(
                    rule.name,
                    f"{service.name} gets its settings from {posixpath.basename(example)}, which is for developers: "
                    f"`{bad.key.removeprefix('env.')}={bad.value}`. Give it a file of its own, or variables from where "
                    "it is deployed.",
                    location,
                    related=(Step(Location(example, bad.start, bad.end), "this is for development"),),
                    service=service.name,
                )
                break


def _uses(program: Program, variant: Variant) -> Iterator[tuple[Location, str, Setting]]:
    for layer, setting in variant.settings("env_file"):
        folder = posixpath.dirname(layer.source.path)
        yield from _bad(program, layer.source.path, setting, [joined(folder, setting.value or "")])
    path, _, name = variant.image.partition("#")
    facts = program.facts.get(path)
    stage = next((each for each in facts.artefacts if each.name == name), None) if facts is not None else None
    if facts is None or stage is None:
        return
    image = Image(path, facts, stage, posixpath.dirname(path))
    for each in image.stages:
        for setting in each.settings:
            if setting.key == "copy" and setting.value:
                what = json.loads(setting.value)
                if not what["from"] and posixpath.basename(what["to"]).startswith(".env"):
                    sources = [joined(image.context, source.lstrip("/")) for source in what["sources"]]
                    yield from _bad(program, path, setting, sources)
            elif setting.key.startswith("run."):
                for start in run_starts(setting):
                    words = [word for word in start.words[1:] if not word.startswith("-")]
                    if (
                        start.words[:1] in (("cp",), ("mv",))
                        and posixpath.basename(words[-1] if words else "") == ".env"
                    ):
                        yield from _bad(
                            program, path, setting, [found for word in words[:-1] for found in image.places(word)]
                        )


def _bad(program: Program, path: str, setting: Setting, files: list[str]) -> Iterator[tuple[Location, str, Setting]]:
    """The first value for development in an example that is used."""
    for file in dict.fromkeys(files):
        facts = program.facts.get(file)
        if facts is None or facts.kind != "dotenv" or not _EXAMPLE.fullmatch(posixpath.basename(file).lower()):
            continue
        for each in facts.artefacts[0].settings:
            name, value = each.key.removeprefix("env."), (each.value or "").strip()
            is_mode = name in _MODES and is_for_development(name, value)
            if is_mode or (name in _SWITCHES and value.lower() in ("1", "true", "yes", "on")):
                yield Location(path, setting.start, setting.end), file, each
                break
