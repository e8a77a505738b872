"""An nginx in front of a service that compresses nothing, as the service does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix, Location, Step
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.proxies import Compression, Pass, Proxy, proxies_in
from prodlint.program.proxies.nginx_config import Block
from prodlint.program.web.compression import may_compress

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_MODULES = ("gzip", "brotli", "zstd")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each `http` block, or for each file without one, whose servers hand on to a service."""
    places: dict[Location, list[tuple[Proxy, Confidence]]] = defaultdict(list)
    for proxy in proxies_in(program).production:
        confidence = _uncompressed(program, proxy)
        if confidence is not None:
            server = _server(proxy)
            place = server.enclosing("http") or list(server.around())[-1]
            places[place.location].append((proxy, confidence))
    for found in places.values():
        yield _finding(program, rule, found)


def _server(proxy: Proxy) -> Block:
    block = proxy.passes[0].block
    server = block.enclosing("server") if block is not None else None
    assert server is not None
    return server


def _uncompressed(program: Program, proxy: Proxy) -> Confidence | None:
    """Whether what a proxy hands on stays uncompressed, because nobody thought of it."""
    if proxy.kind != "nginx":
        return None
    passes = [each for each in proxy.passes if not _is_stream(each)]
    confidences = [found for each in passes if (found := proxies_in(program).leads_to_service(each)) is not None]
    if not confidences or any(each.compression is not Compression.NONE for each in passes):
        return None
    server = _server(proxy)
    if any(block.own(name) for block in (*server.below(), *server.around()) for name in _MODULES):
        return None  # switched off by somebody who knows why
    if _is_behind_a_network(server):
        return None
    for service in proxies_in(program).candidates_behind(proxy):
        answer = proxies_in(program).compression_for(service)
        if (answer is not None and answer.state is not Compression.NONE) or may_compress(program, service):
            return None
    return Confidence.CERTAIN if Confidence.CERTAIN in confidences else Confidence.LIKELY


def _is_stream(each: Pass) -> bool:
    """Whether a pass is for connections that stay open: server-sent events, or nothing but a web socket."""
    block = each.block
    if block is None or block.value("proxy_buffering") == "off":
        return True
    path = (block.args or ("",))[-1].lower()
    return "upgrade" in (each.headers or {}) and any(word in path for word in ("ws", "socket", "hmr", "stream"))


def _is_behind_a_network(server: Block) -> bool:
    """Whether a content delivery network is in front, which compresses itself."""
    return any(
        "cf-" in directive.value.lower() for block in server.around() for directive in block.own("real_ip_header")
    )


def _finding(program: Program, rule: Rule, found: Sequence[tuple[Proxy, Confidence]]) -> Finding:
    server = _server(found[0][0])
    http = server.enclosing("http")
    anchor = http.anchor if http is not None else server.anchor
    services = sorted({service.name for proxy, _ in found for service in proxies_in(program).services_behind(proxy)})
    whose = f"What {' and '.join(services)} answers" if services else "What the service answers"
    others = [proxy for proxy, _ in found if proxy.location != anchor]
    blocks = [http] if http is not None else [_server(proxy) for proxy, _ in found]
    return Finding(
        rule.name,
        f"{whose} goes out uncompressed: neither nginx nor the service compresses it. Turn on `gzip` here, for JSON, "
        "JavaScript and CSS too.",
        anchor,
        confidence=Confidence.CERTAIN if any(each is Confidence.CERTAIN for _, each in found) else Confidence.LIKELY,
        related=tuple(Step(proxy.location, "this server hands on to the service") for proxy in others),
        data={"blocks": [(block.path, block.location.start, _present(block)) for block in blocks]},
        service=services[0] if len(services) == 1 else "",
    )


def _present(block: Block) -> list[str]:
    return sorted({directive.name for directive in block.directives if directive.name.startswith("gzip_")})


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Turns `gzip` on where the finding is, for the types that a service answers with."""
    from prodlint.fixes import nginx

    edits: list[Edit] = []
    for path, start, present in finding.data["blocks"]:
        texts = [nginx.written(name, *args) for name, args in rule.data["directives"].items() if name not in present]
        made = nginx.insert(path, program.read(path), start, texts)
        if made is None:
            return ODD_FORM
        edits += made
    return Fix("Turn on `gzip`", Applicability.SAFE, tuple(edits))
