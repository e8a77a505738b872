"""compressed-twice: middleware that compresses what the proxy in front compresses anyway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Finding, Step
from prodlint.program.proxies import Compression, proxies_in
from prodlint.program.services import services_of
from prodlint.program.services.variants import in_production

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service
    from prodlint.rulebook import Rule


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each compression middleware of a service that every request reaches through such a proxy."""
    for api in rule.data["apis"]:
        for site in program.api_calls.get(api, ()):
            services = services_of(program, site.file.path)
            confidence = program.server_code(site.file, site.call.region)
            if confidence is None or not services or any(_is_asked_directly(program, each) for each in services):
                continue
            front = proxies_in(program).in_front_of(services[0])[0]
            yield Finding(
                rule.name,
                f"{front.proxy.kind} in front compresses JSON, scripts and styles already, in a process of its own: "
                "here it takes time from the event loop for nothing. Leave it to the proxy.",
                program.location(site.file, site.call.start, site.call.end),
                confidence=confidence,
                related=(Step(front.proxy.location, "this compresses what it hands on"),),
            )


def _is_asked_directly(program: Program, service: Service) -> bool:
    """Whether some requests reach a service by no proxy that surely compresses them."""
    fronts = proxies_in(program).in_front_of(service)
    is_open = any(setting for variant in in_production(service) for setting in variant.layers[0].all("ports"))
    return (
        is_open
        or bool(service.platforms)
        or not fronts
        or any(not front.is_certain or front.proxy.compression is not Compression.FULL for front in fronts)
    )
