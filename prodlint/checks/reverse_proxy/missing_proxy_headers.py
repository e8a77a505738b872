"""An nginx that does not tell the service behind it who asked for what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from prodlint.checks.wording import code_list
from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix, Severity, Step
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.proxies import Pass, Proxy, proxies_in
from prodlint.program.proxies.forwarded_headers import CLIENT, HOST, PROTOCOL, VALUES, dropped, missing
from prodlint.program.proxies.nginx_config import Block
from prodlint.program.services import services_of
from prodlint.program.services.variants import each_place_once

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_SOCKETS = (
    *("ws.Server", "ws.WebSocketServer", "socket.io", "socket.io.Server", "express-ws", "websocket.server"),
    *("fastapi.FastAPI().websocket", "fastapi.APIRouter().websocket", "starlette.routing.WebSocketRoute"),
    *("socketio.AsyncServer", "socketio.Server", "flask_socketio.SocketIO"),
)
_CONSEQUENCES = {
    HOST: "its links and redirects name the address in `proxy_pass`",
    CLIENT: "it takes nginx for the client of every request",
    PROTOCOL: "it takes every request for one by plain HTTP",
}


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each server that hands requests on to a service without the headers."""
    for proxy in proxies_in(program).production:
        if proxy.kind == "nginx":
            yield from _finding(program, rule, proxy)
            yield from _without_upgrade(program, rule, proxy)
    yield from each_place_once(_haproxy(program, rule))


def _without_upgrade(program: Program, rule: Rule, proxy: Proxy) -> Iterator[Finding]:
    """An nginx before a service with WebSockets, that hands the wish for one on nowhere."""
    if any(each.headers is None or "upgrade" in each.headers for each in proxy.passes):
        return
    service = next(
        (
            service
            for service in proxies_in(program).services_behind(proxy)
            for api in _SOCKETS
            for site in program.api_calls.get(api, ())
            if service in services_of(program, site.file.path)
            and program.server_code(site.file, site.call.region) is not None
        ),
        None,
    )
    passes = [each for each in proxy.passes if proxies_in(program).leads_to_service(each) is Confidence.CERTAIN]
    if service is None or not passes or passes[0].block is None:
        return
    paths = [(each.block.args or ("",))[-1] if each.block is not None else "" for each in passes]
    root = passes[paths.index("/")] if "/" in paths else passes[0]
    yield Finding(
        rule.name,
        f"{service.name} has WebSockets, and nginx hands no client's wish for one on to it: each attempt fails. "
        "Set `Upgrade` and `Connection` with `proxy_set_header`, and `proxy_http_version 1.1`.",
        root.location,
        data={"sockets": True},
        no_fix_reason="which paths are for WebSockets is not known here",
        service=service.name,
    )


def _haproxy(program: Program, rule: Rule) -> Iterator[Finding]:
    """Sections of HAProxy with servers of the project, that get no `X-Forwarded-For`."""
    for proxy in proxies_in(program).production:
        for each in proxy.passes if proxy.kind == "haproxy" else ():
            confidence = proxies_in(program).leads_to_service(each)
            if confidence is None or each.headers is None or {"x-forwarded-for", "forwarded"} & each.headers.keys():
                continue
            section = proxies_in(program).haproxy.section_of(each.targets[0].location)
            if section is None:
                continue
            yield Finding(
                rule.name,
                f"HAProxy does not tell the servers of `{section.title}` the client's `X-Forwarded-For`: "
                f"{_CONSEQUENCES[CLIENT].replace('nginx', 'HAProxy')}. Add `option forwardfor`.",
                section.anchor,
                confidence=confidence,
                data={"section": section.location.start},
            )


def _finding(program: Program, rule: Rule, proxy: Proxy) -> Iterator[Finding]:
    found: list[tuple[Pass, list[str]]] = []
    confidences = set()
    for each in proxy.passes:
        confidence = proxies_in(program).leads_to_service(each)
        names = _missing(each) if confidence is not None else []
        if names and confidence is not None:
            found.append((each, names))
            confidences.add(confidence)
    if not found:
        return
    all_names = [name for name in VALUES if any(name in names for _, names in found)]
    services = proxies_in(program).services_behind(proxy)
    whom = services[0].name if len(services) == 1 else "the service"
    first = found[0][0]
    yield Finding(
        rule.name,
        f"nginx does not tell {whom} the client's {code_list(all_names)}: {_CONSEQUENCES[all_names[0]]}. Set "
        f"{'it' if len(all_names) == 1 else 'them'} with `proxy_set_header`.",
        first.location,
        confidence=Confidence.CERTAIN if Confidence.CERTAIN in confidences else Confidence.LIKELY,
        related=tuple(Step(each.location, "nor does this one") for each, _ in found[1:]),
        severity=Severity.ADVICE if all_names == [PROTOCOL] else None,
        data={"places": _places(found)},
        service=services[0].name if len(services) == 1 else "",
    )


def _missing(each: Pass) -> list[str]:
    """What a pass lacks, but for what its block merely drops: that is a finding of proxy-headers-dropped."""
    lost = dropped(each.block) if each.block is not None else None
    names = {directive.value.lower() for directive in lost.lost} if lost is not None else set()
    return [name for name in missing(each) if name.lower() not in names]


def _places(found: Sequence[tuple[Pass, list[str]]]) -> list[tuple[str, int, list[str]]]:
    """The blocks that decide, with what has to be added to each: path, start, names."""
    places: dict[tuple[str, int], list[str]] = {}
    for each, names in found:
        assert each.block is not None
        block = _deciding(each.block, [other for other, _ in found])
        wanted = places.setdefault((block.path, block.location.start), [])
        wanted += [name for name in names if name not in wanted]
    return [(path, start, [name for name in VALUES if name in names]) for (path, start), names in places.items()]


def _deciding(block: Block, passes: Sequence[Pass]) -> Block:
    """Where headers have to be set to count in a block: where some are set, else in the block itself, or in the server
    if several of its locations lack them."""
    for around in block.around():
        if around.own("proxy_set_header"):
            return around
    server = block.enclosing("server")
    return server if server is not None and len(passes) > 1 else block


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Sets the headers in the block that decides."""
    from prodlint.fixes import haproxy, nginx

    if "sockets" in finding.data:
        return "which paths are for WebSockets is not known here"
    if "section" in finding.data:
        path = finding.location.path
        added = haproxy.insert(path, program.read(path), finding.data["section"], ["option forwardfor"], "option")
        return Fix("Add `option forwardfor`", Applicability.SAFE, added) if added else ODD_FORM
    edits: list[Edit] = []
    for path, start, names in finding.data["places"]:
        texts = [nginx.written("proxy_set_header", name, VALUES[name]) for name in names]
        made = nginx.insert(
            path, program.read(path), start, texts, beside="proxy_set_header", before=("proxy_pass", "location")
        )
        if made is None:
            return ODD_FORM
        edits += made
    changes_host = any(name.lower() == "host" for _, _, names in finding.data["places"] for name in names)
    safety = Applicability.UNSAFE if changes_host else Applicability.SAFE
    return Fix("Set the headers that tell the service about the client", safety, tuple(edits))
