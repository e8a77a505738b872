"""A cache that keeps nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from prodlint.facts import ValueKind
from prodlint.findings import Finding, Location, Step
from prodlint.lazy_regex import regex
from prodlint.program.code.call_options import options_of
from prodlint.program.proxies import proxies_in
from prodlint.program.proxies.nginx_config import Block, Directive
from prodlint.program.proxies.varnish import passes_everything, statements
from prodlint.program.services import services_of
from prodlint.program.services.environment_evidence import is_dev_path

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.linking.resolver import CallSite
    from prodlint.program.services import Service
    from prodlint.rulebook import Rule

_AGES = regex(r"cache-?control|cache_control|max-?age|max_age|expires|expires_in", re.IGNORECASE)
_NEVER = ("proxy_no_cache", "proxy_cache_bypass")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each zone that nothing uses, each `proxy_cache` that cannot keep anything, and each VCL file that
    passes every request."""
    trees = [tree for tree in proxies_in(program).nginx.files if not is_dev_path(tree.path)]
    used = {name for tree in proxies_in(program).nginx.files for block in tree.below() for name in _used(block)}
    for tree in trees:
        for block in tree.below():
            yield from _unused(rule, tree, block, used)
            yield from _without_effect(rule, block)
            yield from _by_the_service(program, rule, block)
    yield from _varnish_and_cookies(program, rule)
    for path, facts in sorted(program.facts.items()):
        place = passes_everything(facts) if facts.kind == "vcl" and not is_dev_path(path) else None
        if place is not None and any(artefact.kind == "backend" for artefact in facts.artefacts):
            yield Finding(
                rule.name,
                "Every request gets to this `return`, so Varnish asks the service for each of them and keeps nothing. "
                "Pass on those that must not be kept, and let the others be looked up.",
                Location(path, *place),
            )


def _used(block: Block) -> Iterator[str]:
    for module in ("proxy", "uwsgi", "fastcgi", "scgi", "grpc"):
        for directive in block.own(f"{module}_cache"):
            yield "$" if directive.args is None or "$" in directive.value else directive.value


def _unused(rule: Rule, tree: Block, block: Block, used: set[str]) -> Iterator[Finding]:
    """Zones that no location uses, where all of the configuration is here."""
    if "$" in used or any(each.gaps for each in tree.below()):
        return
    for directive in block.own("proxy_cache_path"):
        zone = next(
            (arg.partition("=")[2].partition(":")[0] for arg in directive.args or () if arg.startswith("keys_zone=")),
            "",
        )
        if zone and zone not in used:
            yield Finding(
                rule.name,
                f"Nothing uses the cache `{zone}`: it is set up, and no response gets into it. Add "
                f"`proxy_cache {zone};` where responses may be kept.",
                directive.location,
            )


def _without_effect(rule: Rule, block: Block) -> Iterator[Finding]:
    passes = block.own("proxy_pass")
    cache = block.in_force("proxy_cache")
    if not passes or not cache or cache[-1].value in ("", "off"):
        return
    culprit = _culprit(block)
    if culprit is not None:
        directive, why = culprit
        yield Finding(
            rule.name,
            f"The cache `{cache[-1].value}` keeps nothing here: {why}.",
            directive.location,
            related=(Step(cache[-1].location, "the cache is used here"),),
        )


def _by_the_service(program: Program, rule: Rule, block: Block) -> Iterator[Finding]:
    """What the service says keeps nginx from keeping it: a cookie with each answer, or nothing about how long."""
    cache = block.in_force("proxy_cache")
    if not block.own("proxy_pass") or not cache or cache[-1].value in ("", "off") or _culprit(block) is not None:
        return
    services = [
        service
        for proxy in proxies_in(program).production
        for each in proxy.passes
        if each.block is block
        for service in proxies_in(program).services_behind(proxy)
    ]
    ignored = [word.lower() for line in block.in_force("proxy_ignore_headers") or () for word in line.args or ()]
    session = next((site for service in services for site in _sessions(program, service)), None)
    if session is not None and "set-cookie" not in ignored and block.in_force("proxy_ignore_headers") is not None:
        yield Finding(
            rule.name,
            f"The cache `{cache[-1].value}` keeps nothing here: the service sets a cookie with every answer, and nginx "
            "keeps no answer that sets one. Set `saveUninitialized: false`.",
            cache[-1].location,
            related=(
                Step(program.location(session.file, session.call.start, session.call.end), "this sets the cookie"),
            ),
        )
    elif services and block.in_force("proxy_cache_valid") == [] and not _says_how_long(program, services):
        yield Finding(
            rule.name,
            f"The cache `{cache[-1].value}` keeps nothing here: neither the service nor nginx says how long. Add "
            "`proxy_cache_valid 200 1m;`.",
            cache[-1].location,
        )


def _sessions(program: Program, service: Service) -> Iterator[CallSite]:
    """The sessions of a service that are stored, with a cookie, for every visitor."""
    for site in program.api_calls.get("express-session", ()):
        options = options_of(program, site)
        if service in services_of(program, site.file.path) and options.is_bool("saveUninitialized", True):
            yield site


def _cookie(program: Program, site: CallSite) -> Step:
    return Step(program.location(site.file, site.call.start, site.call.end), "this sets the cookie")


def _says_how_long(program: Program, services: Sequence[Service]) -> bool:
    """Whether anything in the code of some services names the headers that say how long an answer holds."""
    kinds = (ValueKind.MEMBER, ValueKind.STRING, ValueKind.GLOBAL, ValueKind.OBJECT)
    return any(
        _AGES.search(" ".join((value.text, *value.names)))
        for file in program.files
        if any(service in services for service in services_of(program, file.path))
        for value in file.facts.values
        if value.kind in kinds
    )


def _varnish_and_cookies(program: Program, rule: Rule) -> Iterator[Finding]:
    """A Varnish that takes no cookie off, before a service that gives every visitor one: Varnish passes all of it."""
    for proxy in proxies_in(program).production:
        facts = program.facts.get(proxy.location.path)
        if proxy.kind != "varnish" or facts is None or passes_everything(facts) is not None:
            continue
        texts = [text.lower() for text, *_ in statements(facts)]
        if any("cookie" in text and ("unset" in text or "regsub" in text) for text in texts):
            continue
        if any(text.startswith("call ") or "return(hash)" in text for text in texts):
            continue
        session = next(
            (site for service in proxies_in(program).services_behind(proxy) for site in _sessions(program, service)),
            None,
        )
        if session is not None:
            yield Finding(
                rule.name,
                "Varnish keeps nothing here: the service gives every visitor a cookie, and Varnish passes on requests "
                "that have one. Take it off where pages are the same for everybody, or set `saveUninitialized: false`.",
                proxy.location,
                related=(_cookie(program, session),),
            )


def _culprit(block: Block) -> tuple[Directive, str] | None:
    buffering = block.in_force("proxy_buffering")
    if buffering and buffering[-1].value == "off":
        return buffering[-1], "with `proxy_buffering off` nginx hands responses through without keeping them"
    for name in _NEVER:
        found = block.in_force(name) or []
        for directive in found:
            if directive.args and any(arg and arg != "0" and "$" not in arg for arg in directive.args):
                return directive, f"a constant in `{name}` holds for every request"
    return None
