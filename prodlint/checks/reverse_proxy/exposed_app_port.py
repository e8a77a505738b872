"""An app that listens on the ports of the web itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import NONE, Setting, Value, ValueKind
from prodlint.findings import Confidence, Finding, Location
from prodlint.models.deployment_formats import Host, format_of
from prodlint.program.code.call_options import options_of
from prodlint.program.linking.resolver import CallSite
from prodlint.program.proxies import proxies_in
from prodlint.program.services import services_in, services_of
from prodlint.program.services.variants import in_production, is_opaque, programs
from prodlint.program.web.exposure import answers_requests
from prodlint.program.web.web_apps import fronts_of, web_apps_in

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Variant
    from prodlint.rulebook import Rule

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
_PROXIES = frozenset({"nginx", "caddy", "haproxy", "traefik", "varnishd", "apachectl", "httpd", "supervisord"})
"""Programs that answer in front of an app in the same container, or start who does."""
_IN_CONTAINERS = (Host.DOCKER, Host.POD)


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """The first place in each package at which its app listens on port 80 or 443 of a host, and the containers that are
    published there, with no proxy before them."""
    seen: set[str] = set()
    for site, port, confidence in sorted(
        _listening(program, rule), key=lambda each: (each[1] != "443", each[0].file.path)
    ):
        home = web_apps_in(program).home(site.file)
        if home not in seen and not _is_elsewhere(program, rule, site):
            seen.add(home)
            yield _finding(program, rule, site, port, confidence)
    yield from _published(program, rule)


def _listening(program: Program, rule: Rule) -> Iterator[tuple[CallSite, str, Confidence]]:
    for api, position in rule.data["apis"].items():
        for site in program.api_calls.get(api, ()):
            port = _port(program, site, position)
            confidence = program.server_code(site.file, site.call.region)
            if port in rule.data["ports"] and confidence is not None:
                yield site, port, confidence


def _port(program: Program, site: CallSite, position: int) -> str:
    """The port that a call surely listens on, on all addresses; "" where that is not known."""
    args = site.call.args[: len(site.call.args) - len(site.call.keywords)]
    options = options_of(program, site)
    ports = options.all("port")
    if 0 <= position < len(args) and not ports:
        ports = [owner.facts.values[item] for owner, item in program.resolver.origins(site.file, args[position])]
    hosts = [value.text for name in ("host", "hostname") for value in options.all(name)]
    hosts += [value.text for argument in args if (value := _literal(program, site, argument)) is not None]
    literal = len({value.text for value in ports}) == 1 and all(_is_literal(value) for value in ports)
    return ports[0].text if literal and not _LOCAL & {*hosts} else ""


def _literal(program: Program, site: CallSite, argument: int) -> Value | None:
    value = program.value(site.file, argument) if argument != NONE else None
    return value if value is not None and value.kind is ValueKind.STRING else None


def _is_literal(value: Value) -> bool:
    return value.kind in (ValueKind.NUMBER, ValueKind.STRING)


def _is_elsewhere(program: Program, rule: Rule, site: CallSite) -> bool:
    """Whether the port is that of a container, a platform gives it, or a proxy is before it."""
    if fronts_of(program, site.file):
        return True
    services = services_of(program, site.file.path)
    sources = [source for service in services for source in (*service.artefacts, *service.platforms)]
    if any(source.format.host in _IN_CONTAINERS or source.format.is_console for source in sources):
        return True
    # Where nothing says how the app is deployed, an image in the project may be its own.
    is_started = any(service.is_started for service in services)
    return not is_started and any(format_of(facts.kind).host in _IN_CONTAINERS for facts in program.facts.values())


def _finding(program: Program, rule: Rule, site: CallSite, port: str, confidence: Confidence) -> Finding:
    work = "TLS, slow clients and files" if port == "443" else "slow clients and files"
    return Finding(
        rule.name,
        f"The app itself listens on port {port}, with no proxy before it: it has to be started as root for that, "
        f"and {work} keep it from its work. Put a proxy there, and let the app listen on a port above 1023.",
        program.location(site.file, site.call.start, site.call.end),
        confidence=confidence,
    )


def _published(program: Program, rule: Rule) -> Iterator[Finding]:
    """The containers of apps that are published on the ports of the web themselves."""
    for service in services_in(program):
        if proxies_in(program).in_front_of(service):
            continue
        for variant in in_production(service, "compose"):
            found = [] if is_opaque(variant) or _PROXIES & {*programs(variant)} else list(_ports(rule, variant))
            if found and answers_requests(program, service, variant):
                setting = found[0]
                port = (setting.value or "").split(":")[-2]
                yield Finding(
                    rule.name,
                    f"{service.name} is published on port {port} itself, with no proxy before it: slow clients and "
                    "files keep it from its work, nothing else can answer while it restarts, and it does TLS itself or "
                    "has none. Put a proxy there.",
                    Location(variant.outer.path, setting.start, setting.end),
                    service=service.name,
                )
                break


def _ports(rule: Rule, variant: Variant) -> Iterator[Setting]:
    """The settings that publish a port of the web, on all addresses."""
    for setting in variant.layers[0].all("ports"):
        parts = (setting.value or "").partition("/")[0].split(":")
        is_local = len(parts) > 2 and parts[0] in _LOCAL
        if len(parts) > 1 and parts[-2] in rule.data["ports"] and not is_local:
            yield setting
