"""no-reverse-proxy: a web service that takes connections from the network itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Finding, Location
from prodlint.models.deployment_formats import Host
from prodlint.program.code.call_options import options_of
from prodlint.program.proxies import proxies_in
from prodlint.program.services import services_in, services_of
from prodlint.program.services.variants import in_production, is_opaque, programs
from prodlint.program.web.exposure import answers_requests

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.rulebook import Rule

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
_CONFIGURATIONS = ("nginx", "caddyfile", "haproxy", "vcl")
_PROXIES = frozenset({"nginx", "caddy", "haproxy", "traefik", "varnishd", "apachectl", "httpd", "supervisord"})


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each service that is published on a port of its own, in a project without any proxy."""
    if proxies_in(program).all or any(facts.kind in _CONFIGURATIONS for facts in program.facts.values()):
        return
    for service in services_in(program):
        variants = in_production(service)
        if service.platforms or any(variant.format.host in (Host.POD, Host.PLATFORM) for variant in variants):
            continue
        for variant in variants:
            place = _published(program, rule, service, variant)
            if place is not None:
                yield Finding(
                    rule.name,
                    f"{service.name} takes connections from the network itself: slow clients, TLS, files and error "
                    "pages are work that a reverse proxy in front does better. Put nginx, Caddy or HAProxy before it.",
                    place,
                    service=service.name,
                )
                break


def _published(program: Program, rule: Rule, service: Service, variant: Variant) -> Location | None:
    """Where a variant says that it takes connections from other machines; None if it does not, or that is not known."""
    if is_opaque(variant) or _PROXIES & {*programs(variant)} or not answers_requests(program, service, variant):
        return None
    if variant.format.host is Host.DOCKER:
        for setting in variant.layers[0].all("ports"):
            parts = (setting.value or "").partition("/")[0].split(":")
            is_local = len(parts) > 2 and parts[0] in _LOCAL
            if len(parts) > 1 and parts[-2] not in rule.data["elsewhere"] and not is_local:
                return Location(variant.outer.path, setting.start, setting.end)
        return None
    if variant.format.host not in (Host.MACHINE, Host.MANAGER) or not _listens(program, rule, service, variant):
        return None
    return variant.outer.location


def _listens(program: Program, rule: Rule, service: Service, variant: Variant) -> bool:
    """Whether a service on a machine listens on all of its addresses: a server for Python if it is told to, one of Node
    unless it is told otherwise."""
    if service.language == "python":
        words = [word for step in variant.launch.steps for word in step.start.words]
        return any(word.partition("=")[2].startswith("0.0.0.0") or word.startswith("0.0.0.0") for word in words)
    for api, ports in rule.data["listens"].items():
        for site in program.api_calls.get(api, ()):
            if service not in services_of(program, site.file.path):
                continue
            args = [program.value(site.file, argument) for argument in site.call.args]
            options = options_of(program, site)
            texts = {value.text for value in args} | {
                value.text for name in ("host", "path") for value in options.all(name)
            }
            if texts & _LOCAL or any(text.startswith("/") or text.endswith(".sock") for text in texts):
                return False
            if not texts & {*rule.data["elsewhere"]}:
                return bool(ports)
    return False
