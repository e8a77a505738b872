"""no-response-cache: a proxy that asks the service for the same page again and again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import ValueKind
from prodlint.findings import Confidence, Finding, Step
from prodlint.lazy_regex import regex
from prodlint.models.frameworks.model import Context
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.proxies import proxies_in
from prodlint.program.services import services_in, services_of
from prodlint.project.file_roles import FileRole

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.proxies import Front, Pass, Proxy
    from prodlint.program.services import Service
    from prodlint.rulebook import Rule

_IDLE = regex(r"health|live|ready|ping|status|metrics|version", re.IGNORECASE)
_HANDLERS = (Context.REQUEST, Context.REQUEST_THREAD)


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each service whose pages are the same for everybody and are kept by nobody."""
    if any(proxy.caches is not False or proxy.kind == "varnish" for proxy in proxies_in(program).production):
        return  # one that keeps responses may stand before any other; of one that does not, cache-defeated tells
    for service in services_in(program):
        front = next(iter(proxies_in(program).in_front_of(service)), None)
        finding = _finding(program, rule, front, service) if front is not None else None
        if finding is not None:
            yield finding


def _finding(program: Program, rule: Rule, front: Front, service: Service) -> Finding | None:
    page = next(_pages(program, rule, service), None) or next(_same_for_all(program, rule, service), None)
    packages = re.compile(rule.data["dependencies"])
    if page is None or any(packages.search(name) for name in service.dependencies):
        return None
    names = re.compile(rule.data["names"], re.IGNORECASE)
    if any(_speaks_of_clients(file, packages, names) for file in program.files if _is_part(program, file, service)):
        return None
    place = _root(front.proxy)
    return Finding(
        rule.name,
        f"Every request for a page gets to {service.name}, which makes it again: nobody keeps it, although it seems to "
        "be the same for everybody. Let the proxy keep such responses for a while, if only for a second under load.",
        place.location,
        confidence=Confidence.CERTAIN if front.is_certain else Confidence.LIKELY,
        related=(Step(program.location(page.file, page.call.start, page.call.end), "it is made here"),),
        service=service.name,
    )


def _is_part(program: Program, file: File, service: Service) -> bool:
    roles = (FileRole.BROWSER, FileRole.SCRIPT)
    return program.roles[file.index] not in roles and service in services_of(program, file.path)


def _pages(program: Program, rule: Rule, service: Service) -> Iterator[CallSite]:
    """The calls that render a page for a request, file by file."""
    sites = [site for api in rule.data["renders"] for site in program.api_calls.get(api, ())]
    for site in sorted(sites, key=lambda site: (site.file.index, site.index)):
        reached = program.contexts.of(site.file.function_at(site.call.region))
        for_request = any(context in reached and reached[context].certain for context in _HANDLERS)
        if for_request and _is_part(program, site.file, service):
            yield site


def _same_for_all(program: Program, rule: Rule, service: Service) -> Iterator[CallSite]:
    """The calls that answer a GET in a handler which never looks at its request, health checks left out."""
    for api in rule.data["answers"]:
        for site in program.api_calls.get(api, ()):
            function = site.file.function_at(site.call.region)
            reached = program.contexts.of(function)
            registration = (
                program.contexts.path((function, Context.REQUEST))[0].registration
                if Context.REQUEST in reached
                else None
            )
            params = site.file.facts.functions[site.file.facts.regions[site.call.region].function].params
            is_blind = registration is not None and len(params) > 1 and not params[0].used
            label = registration.label if registration is not None and is_blind else ""
            if label.startswith("GET ") and not _IDLE.search(label) and _is_part(program, site.file, service):
                yield site


def _speaks_of_clients(file: File, packages: re.Pattern[str], names: re.Pattern[str]) -> bool:
    """Whether anything in a file looks as if answers differed from client to client, or said how long they hold."""
    kinds = (ValueKind.MEMBER, ValueKind.STRING, ValueKind.GLOBAL, ValueKind.PARAM)
    return any(packages.search(request.module) for request in file.facts.imports) or any(
        value.kind in kinds and names.search(value.text) for value in file.facts.values
    )


def _root(proxy: Proxy) -> Pass:
    """The place at which a proxy hands on most: the pass for `/`, else the first."""
    for each in proxy.passes:
        if each.block is not None and (each.block.args or ("",))[-1] == "/":
            return each
    return proxy.passes[0]
