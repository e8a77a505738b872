"""no-error-page: a proxy that answers with its own bare page when the service behind it does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Confidence, Finding
from prodlint.lazy_regex import regex
from prodlint.program.proxies import Proxy, proxies_in
from prodlint.program.proxies.nginx_config import Block

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_MACHINES = regex(r"\A[~^=* ]*+/?+(?:api|v\d++|graphql|rpc|ws|socket\.io)\b.*+|\A[^$]*+\$.*+")
"""Paths that programs ask for, and not people."""
_FOR_MACHINES = regex(r"api[.-].*")
_NAMES = {"nginx": "nginx", "haproxy": "HAProxy", "caddy": "Caddy"}
_REMEDIES = {
    "nginx": "`error_page 502 503 504 /unavailable.html;`",
    "haproxy": "`errorfile 503 FILE`",
    "caddy": "`handle_errors`",
}


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each file of a proxy in front of a service for people that has no page for its failure."""
    seen: set[str] = set()
    for proxy in proxies_in(program).production:
        path = proxy.location.path
        if proxy.kind not in _REMEDIES or path in seen or _has_page(program, proxy) is not False:
            continue
        sure = [proxies_in(program).leads_to_service(each) for each in proxy.passes]
        if Confidence.CERTAIN not in sure or _is_for_machines(proxy):
            continue
        seen.add(path)
        yield Finding(
            rule.name,
            f"When the service does not answer, visitors get {_NAMES[proxy.kind]}'s own bare "
            f"page for 502 to 504. Say what they get instead: {_REMEDIES[proxy.kind]}.",
            proxy.location,
        )


def _has_page(program: Program, proxy: Proxy) -> bool | None:
    """Whether anything is said about answers that fail; None where that is not known."""
    if proxy.kind == "nginx":
        block = next((each.block for each in proxy.passes if each.block is not None), None)
        server = block.enclosing("server") if block is not None else None
        if server is None:
            return None
        blocks: list[Block] = [*server.below(), *server.around()]
        found = any(each.own("error_page") or each.own("proxy_intercept_errors") for each in blocks)
        return True if found else None if any(each.gaps for each in blocks) else False
    if proxy.kind == "haproxy":
        sections = [each for each in proxies_in(program).haproxy.sections if each.location.path == proxy.location.path]
        words = [line.name for section in sections for line in section.lines]
        found = any(word.startswith(("errorfile", "errorloc", "http-error")) for word in words)
        return True if found else None if any(section.is_unknown for section in sections) else False
    settings = [
        setting.key
        for artefact in program.facts[proxy.location.path].artefacts
        if artefact.name == proxy.name or artefact.kind == "snippet"
        for setting in artefact.settings
    ]
    return True if "handle_errors" in settings else None if "import" in settings else False


def _is_for_machines(proxy: Proxy) -> bool:
    """Whether a proxy hands on nothing but what programs ask for."""
    paths = []
    for each in proxy.passes:
        location = each.block.enclosing("location") if each.block is not None else None
        paths.append(" ".join(location.args or ()) if location is not None else "/")
    server = proxy.passes[0].block.enclosing("server") if proxy.passes[0].block is not None else None
    names = [name for line in server.own("server_name") for name in line.args or ()] if server is not None else []
    return all(map(_MACHINES.fullmatch, paths)) or any(map(_FOR_MACHINES.fullmatch, names))
