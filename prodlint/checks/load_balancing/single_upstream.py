"""A load balancer that knows one server, where the service runs on several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.checks.wording import code_list
from prodlint.findings import Finding, Step
from prodlint.program.proxies import Pass, Proxy, Target, proxies_in
from prodlint.program.services import Count, Service, Variant, services_in

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each server that gets all requests while others of the same service get none."""
    for service in services_in(program):
        fronts = [front.proxy for front in proxies_in(program).in_front_of(service)]
        named = {target.host.lower() for proxy in fronts for target in proxy.targets}
        for proxy in fronts:
            for each in proxy.passes:
                if len(each.targets) == 1:
                    yield from _finding(rule, service, proxy, each, named)


def _finding(rule: Rule, service: Service, proxy: Proxy, each: Pass, named: set[str]) -> Iterator[Finding]:
    target = each.targets[0]
    variant = next((variant for variant in _containers(service) if _is(variant, target)), None)
    if variant is None:
        return
    others = [
        other
        for other in _containers(service)
        if other.outer.path == variant.outer.path
        and other.launch.target == variant.launch.target
        and other.launch.entry == variant.launch.entry
        and _command(other) == _command(variant)
        and not {other.outer.name.lower(), other.setting("name").value.lower()} & named
    ]
    if others:
        names = code_list([other.outer.name for other in others])
        yield Finding(
            rule.name,
            f"All requests go to `{target.host}`, and {names}, which {'runs' if len(others) == 1 else 'run'} the same, "
            f"{'gets' if len(others) == 1 else 'get'} none. Name {'it' if len(others) == 1 else 'them'} beside it.",
            target.location,
            related=tuple(Step(other.outer.location, "this gets no requests") for other in others),
            service=service.name,
        )
    elif proxy.kind == "haproxy" and variant.copies.state is Count.MANY and variant.copies.by is not None:
        yield Finding(
            rule.name,
            f"HAProxy takes one address for `{target.host}` and keeps to it, and there are {variant.copies.text} of "
            "it. Use `server-template` with a `resolvers` section.",
            target.location,
            related=(Step(variant.copies.by.location, "this says how many there are"),),
            service=service.name,
        )


def _command(variant: Variant) -> tuple[str, ...]:
    """The words of what is started in the end: `celery worker` and `celery flower` are not the same."""
    return variant.launch.steps[-1].start.words if variant.launch.steps else ()


def _containers(service: Service) -> list[Variant]:
    return [variant for variant in service.production if variant.kind == "compose"]


def _is(variant: Variant, target: Target) -> bool:
    return target.host.lower() in (variant.outer.name.lower(), variant.setting("name").value.lower())
