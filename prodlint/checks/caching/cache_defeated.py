"""A cache that keeps nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Finding, Location, Step
from prodlint.program.proxies import proxies_in
from prodlint.program.proxies.nginx_config import Block, Directive
from prodlint.program.proxies.varnish import passes_everything
from prodlint.program.services.environment_evidence import is_dev_path

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

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
