"""Workflows of GitHub and GitLab: which images they build from what, under which names.

Sources: "Workflow syntax for GitHub Actions" and "Metadata syntax for GitHub Actions"; the inputs of
docker/build-push-action and docker/metadata-action; GitLab's "CI/CD YAML syntax reference".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from prodlint.extract.deployment.nodes import List, Map, Node, Scalar
from prodlint.extract.deployment.yaml_nodes import parse
from prodlint.extract.ignore_comments import line_starts_of
from prodlint.facts import Artefact, FileFacts, Setting
from prodlint.lazy_regex import regex

KIND = "workflow"

_BUILDS = "docker/build-push-action@"
_NAMES = "docker/metadata-action@"
_EXPRESSION = regex(r"\$\{\{(?P<what>[^{}]*+)\}\}")


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `job` for each job that builds images: `artifact` for each image of a step (`image context
    dockerfile` as a JSON list), `command.shell` for what it runs. Of an action, one artefact `action` with the
    `build.dockerfile` that its image is built from."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    if not re.search(rb"\b(?:docker|podman|buildah)\b", data):
        return facts
    for root in parse(data).documents:
        if not isinstance(root, Map):
            continue
        runs = root.map("runs")
        if runs is not None:
            facts.artefacts += _action(runs, data)
            continue
        jobs = root.map("jobs")
        shared = _variables(root)
        for name, pair in (jobs or root).merged.items():
            if isinstance(pair.value, Map):
                settings = list(_job(pair.value, {**shared, **_variables(pair.value)}))
                if settings:
                    facts.artefacts.append(
                        Artefact("job", name, pair.start, pair.end, pair.key.start, pair.key.end, settings)
                    )
    return facts


def _action(runs: Map, data: bytes) -> Iterator[Artefact]:
    """An action whose image is built from a Dockerfile, or that is run by `docker run` in its steps."""
    image = runs.get("image")
    is_file = isinstance(image, Scalar) and "://" not in image.text
    name = image.text if isinstance(image, Scalar) and is_file else "Dockerfile"
    if is_file or (runs.text("using") == "composite" and re.search(rb"\bdocker run\b", data)):
        place = image if is_file and image is not None else runs
        setting = Setting("build.dockerfile", name, place.start, place.end)
        yield Artefact("action", "", runs.start, runs.end, runs.start, runs.start, [setting])


def _variables(table: Map) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in ("env", "variables"):
        inner = table.map(key)
        for name, pair in inner.merged.items() if inner is not None else ():
            if isinstance(pair.value, Scalar):
                found[name] = pair.value.text
    return found


def _job(job: Map, variables: Mapping[str, str]) -> Iterator[Setting]:
    steps = job.get("steps")
    named: list[str] = []
    for step in steps.items if isinstance(steps, List) else ():
        if not isinstance(step, Map):
            continue
        uses, inputs = step.text("uses") or "", step.map("with")
        if uses.startswith(_NAMES) and inputs is not None:
            named += _lines(inputs.get("images"), variables)
        elif uses.startswith(_BUILDS) and inputs is not None:
            images = [*_lines(inputs.get("tags"), variables), *_lines(inputs.get("images"), variables)]
            images = [image for image in images if image] or named
            context = _filled(inputs.text("context") or ".", variables)
            dockerfile = _filled(inputs.text("file") or "", variables)
            for image in images:
                said = [image, context, dockerfile]
                yield Setting("artifact", json.dumps(said), step.start, step.end)
        elif (run := step.get("run")) is not None:
            yield from _commands(run, variables)
    for key in ("before_script", "script"):
        script = job.get(key)
        for line in script.items if isinstance(script, List) else [script]:
            yield from _commands(line, variables)


def _commands(node: Node | None, variables: Mapping[str, str]) -> Iterator[Setting]:
    if isinstance(node, Scalar) and re.search(r"\b(?:docker|podman|buildah)\b", node.text):
        yield Setting("command.shell", _filled(node.text, variables), node.start, node.end)


def _lines(node: Node | None, variables: Mapping[str, str]) -> list[str]:
    """The lines of an input that takes several values; what an expression alone stands for is left out."""
    if not isinstance(node, Scalar):
        return []
    values = re.split(r"[\n,]", node.text)
    filled = (_filled(value.strip(), variables) for value in values)
    return [value for value in filled if value and not re.fullmatch(r"\$\{\{[^}]*\}\}", value)]


def _filled(text: str, variables: Mapping[str, str]) -> str:
    """The text with the variables of the file in it: `${{ env.NAME }}`, `$NAME`."""

    def value(match: re.Match[str]) -> str:
        return variables.get(match["what"].strip().removeprefix("env."), match.group())

    text = _EXPRESSION.sub(value, text)
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda match: variables.get(match[1] or match[2], match.group()), text)
