"""static-through-app: files that a proxy could serve by itself, for which it asks the service each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Finding, Step
from prodlint.program.proxies import Pass, Proxy, proxies_in
from prodlint.program.proxies.nginx_config import Block
from prodlint.program.services import services_in, services_of

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.linking.resolver import CallSite
    from prodlint.program.services import Service
    from prodlint.rulebook import Rule


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each service whose files are served by its code, behind an nginx that serves none."""
    for service in services_in(program):
        fronts = [front for front in proxies_in(program).in_front_of(service) if front.is_certain]
        proxies = [front.proxy for front in fronts]
        if not proxies or any(not _asks_for_files(proxy) for proxy in proxies):
            continue
        site = _site(program, rule, service)
        if site is not None:
            yield Finding(
                rule.name,
                f"nginx asks {service.name} for each of its files, which it could serve by itself, and faster. Give it "
                "a location with their folder as its `root` or `alias`.",
                _root(proxies[0]).location,
                related=(Step(program.location(site.file, site.call.start, site.call.end), "this serves the files"),),
                service=service.name,
            )


def _asks_for_files(proxy: Proxy) -> bool:
    """Whether an nginx hands everything on: it keeps nothing, and has no location for files."""
    block = next((each.block for each in proxy.passes if each.block is not None), None)
    server = block.enclosing("server") if block is not None else None
    if proxy.kind != "nginx" or server is None or proxy.caches is not False:
        return False
    blocks = [*server.below(), *server.around()]
    if any(each.gaps or each.own("try_files") or each.own("real_ip_header") for each in blocks):
        return False
    return not any(each is not server and _is_for_files(each) for each in server.below())


def _is_for_files(block: Block) -> bool:
    own = any(block.own(name) for name in ("root", "alias", "proxy_cache"))
    return block.name == "location" and own and not block.own("proxy_pass")


def _site(program: Program, rule: Rule, service: Service) -> CallSite | None:
    for api in rule.data["apis"]:
        for site in program.api_calls.get(api, ()):
            is_part = service in services_of(program, site.file.path)
            if is_part and program.server_code(site.file, site.call.region) is not None:
                return site
    return None


def _root(proxy: Proxy) -> Pass:
    """The place at which a proxy hands on most: the pass for `/`, else the first."""
    for each in proxy.passes:
        if each.block is not None and (each.block.args or ("",))[-1] == "/":
            return each
    return proxy.passes[0]
