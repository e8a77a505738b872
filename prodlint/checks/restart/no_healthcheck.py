"""no-healthcheck: a web service in a container that nobody asks whether it still answers."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Finding, Fix
from prodlint.fixes.reasons import ODD_FORM
from prodlint.models.deployment_formats import Host
from prodlint.numerals import whole_number
from prodlint.program.proxies import proxies_in
from prodlint.program.services import services_in
from prodlint.program.services.base_images import base_image
from prodlint.program.services.setting_values import State
from prodlint.program.services.variants import base_of, is_known, looked_at, on_host
from prodlint.program.web.exposure import answers_requests, get_routes, port_of

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.rulebook import Rule

_PROBES = ("healthcheck", "healthcheck.liveness", "healthcheck.readiness", "healthcheck.startup")
_NODE = "fetch('{url}').then((res) => process.exit(res.ok ? 0 : 1), () => process.exit(1))"
_PYTHON = "import urllib.request; urllib.request.urlopen('{url}', timeout=5)"
_GENERIC = frozenset({"server", "service", "app", "api", "web", "site", "backend", "frontend", "main", "node", "src"})
_FIRST_NODE_WITH_FETCH = 18


_NO_PORT = "nothing here names the port that it listens on: name it with `EXPOSE`, `ports` or `PORT`"
_NO_PATH = "no route of it looks like a health check: add one, such as `/health`"


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for a web service that is run in containers and has a health check in none of them."""
    for service in services_in(program):
        pods = on_host(service, Host.POD)
        if pods:
            yield from _in_pods(program, rule, service, pods)
            continue
        # A platform asks what it deploys itself; what a compose file runs it does not know of.
        in_docker = on_host(service, Host.DOCKER)
        variants = [variant for variant in in_docker if not (service.platforms and variant.format.is_image)]
        web = [
            variant
            for variant in variants
            if _health(variant) is State.ABSENT and answers_requests(program, service, variant)
        ]
        # What is built upon one of the images may have a check of its own, which the image itself lacks all the same.
        said = [variant.setting("healthcheck") for variant in variants]
        is_asked = any(each.state is not State.ABSENT and not is_known(each, "none") for each in said)
        if web and not is_asked and not _is_elsewhere(program, service) and not _is_asked_by_proxy(program, service):
            yield _finding(program, rule, service, web)


def _in_pods(program: Program, rule: Rule, service: Service, pods: list[Variant]) -> Iterator[Finding]:
    """Kubernetes ignores what an image says, and has probes in its place."""
    said: set[str] = set()
    for variant in pods:
        is_served = answers_requests(program, service, variant) and not is_known(
            variant.setting("type"), "job", "cronjob"
        )
        workload = f"{variant.outer.path} {variant.outer.name}"
        if workload not in said and is_served and all(variant.setting(key).state is State.ABSENT for key in _PROBES):
            path, port = _health_path(program, rule, service), _pod_port(variant)
            yield Finding(
                rule.name,
                f"Kubernetes sends requests to `{service.name}` as soon as its process runs, and goes on when it "
                "answers no more: its container has no probe, and the image's HEALTHCHECK does not count. Add a "
                "`readinessProbe`.",
                variant.outer.location,
                data={"container": variant.outer.name, "path": path, "port": port},
                no_fix_reason="" if port else _NO_PORT,
                service=service.name,
            )
            said.add(workload)


def _health(variant: Variant) -> State:
    said = variant.setting("healthcheck")
    if said.state is State.ABSENT:
        base = base_image(base_of(variant))
        return State.ABSENT if base is not None and not base.has_health_check else State.UNKNOWN
    return State.ABSENT if is_known(said, "none") else said.state


def _is_elsewhere(program: Program, service: Service) -> bool:
    """Whether a compose file runs an image that is called like the service, with a check: it may be built from here."""
    words = _name_words(service.name) | _name_words(service.package)
    artefacts = (each for facts in program.facts.values() if facts.kind == "compose" for each in facts.artefacts)
    for artefact in artefacts:
        values = {setting.key: setting.value or "" for setting in artefact.settings}
        image = values.get("image", "")
        is_published = "/" in image and "build.context" not in values
        if (
            "healthcheck" in values
            and is_published
            and words & _name_words(posixpath.basename(image).partition(":")[0])
        ):
            return True
    return False


def _is_asked_by_proxy(program: Program, service: Service) -> bool:
    """Whether a load balancer in front asks the service by itself, and sends nothing to what does not answer."""
    return any(each.checks for front in proxies_in(program).in_front_of(service) for each in front.proxy.passes)


def _name_words(name: str) -> set[str]:
    return set(re.findall(r"[a-z]{3,}", name.lower())) - _GENERIC


def _finding(program: Program, rule: Rule, service: Service, variants: list[Variant]) -> Finding:
    first = variants[0]
    layer = first.image_layer or first.layers[0]
    command, why_not = _command(program, rule, service, first)
    if not first.format.is_image and _shares_image(program, service, first):
        return Finding(
            rule.name,
            f"`{service.name}` has no health check, so Docker cannot tell that it hangs: its compose service has none, "
            "and its image starts other services, too. Add a `healthcheck`.",
            first.outer.location,
            related=looked_at((each.outer for each in variants), first.outer.location, "has none either"),
            no_fix_reason="its image starts other services, too",
            service=service.name,
        )
    stage = layer.source.name if layer.source.format.is_image else ""
    return Finding(
        rule.name,
        f"`{service.name}` has no health check, so Docker cannot tell that it hangs: neither its image nor a compose "
        "file has one. Add a `HEALTHCHECK`.",
        layer.source.location,
        related=looked_at(
            (each.source for variant in variants for each in variant.layers if each.source.format.host is Host.DOCKER),
            layer.source.location,
            "has none either",
        ),
        data={"stage": stage, "command": command},
        no_fix_reason=why_not,
        service=service.name,
    )


def _shares_image(program: Program, service: Service, variant: Variant) -> bool:
    """Whether other services are started from the image of a variant."""
    image = variant.image.partition("#")[0]
    others = (other for other in services_in(program) if other is not service)
    return any(each.image.partition("#")[0] == image for other in others for each in other.production)


def _health_path(program: Program, rule: Rule, service: Service) -> str:
    """A path of the service that is there to be asked; "" if none is known."""
    routes = set(get_routes(program, service))
    return next((path for path in rule.data["paths"] if path in routes), "")


def _pod_port(variant: Variant) -> str:
    said = variant.setting("ports")
    port = port_of(variant)
    return said.value if said.state is State.SET and said.value.isdigit() else str(port or "")


def _command(program: Program, rule: Rule, service: Service, variant: Variant) -> tuple[str, str]:
    """The command of a health check, or why there is none."""
    port = port_of(variant)
    path = _health_path(program, rule, service)
    if port is None or not path:
        return "", _NO_PORT if port is None else _NO_PATH
    url = f"http://127.0.0.1:{port}{path}"
    base = base_of(variant).rpartition("/")[2]
    image = re.match(r"node(?::([0-9]+))?", base)
    version = whole_number(image[1]) if image is not None and image[1] else _FIRST_NODE_WITH_FETCH
    if image is not None and version is not None and version >= _FIRST_NODE_WITH_FETCH:
        words = ["node", "-e", _NODE.format(url=url)]
    elif base.startswith("python"):
        words = ["python", "-c", _PYTHON.format(url=url)]
    else:
        return "", "what could ask it in this image is not known here"
    return json.dumps(words), ""


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """A HEALTHCHECK, or a readiness probe, that asks a route of the service."""
    from prodlint.fixes import kubernetes
    from prodlint.fixes.lines import insert_instruction

    data, path = finding.data, finding.location.path
    name = data["container"] if "container" in data else data["stage"]
    stage = next((stage for stage in program.facts[path].artefacts if stage.name == name), None)
    if stage is None:
        return "which stage of the image is run is not known here"
    if "container" in data:
        probe = kubernetes.add_probe(path, program.read(path), stage, data["path"], data["port"])
        return Fix("Add a readiness probe", Applicability.UNSAFE, probe) if probe else ODD_FORM
    text = f"HEALTHCHECK CMD {finding.data['command']}"
    edits = insert_instruction(path, program.read(path), stage.start, text)
    return Fix("Add a health check", Applicability.UNSAFE, edits) if edits else ODD_FORM
