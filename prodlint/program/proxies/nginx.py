"""nginx as a proxy: one for each `server` block that hands requests on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from prodlint.program.proxies.model import ADDRESS, Compression, Pass, Proxy, Target
from prodlint.program.proxies.nginx_config import Block, Directive, Nginx
from prodlint.program.services.environment_evidence import is_dev_path

PASSES = ("proxy_pass", "uwsgi_pass", "grpc_pass", "scgi_pass")
"""nginx's directives that hand a request on to a service."""


def nginx_proxies(nginx: Nginx) -> Iterator[Proxy]:
    """The proxies of all nginx configuration."""
    for server in nginx.servers():
        passes = tuple(_passes(server, nginx))
        if passes:
            names = server.own("server_name")
            name = " ".join(("server", *(names[0].args or ())[:1])) if names else "server"
            yield Proxy("nginx", name, server.anchor, passes, is_dev_path(server.path))


def _passes(server: Block, nginx: Nginx) -> Iterator[Pass]:
    for block in server.below():
        for name in PASSES:
            for directive in block.own(name):
                targets, affinity = _targets(directive, block, nginx)
                yield Pass(
                    directive.location,
                    tuple(targets),
                    _compression(block),
                    _headers(block) if name == "proxy_pass" else None,
                    _caches(block, name.removesuffix("_pass")),
                    affinity,
                    block,
                )


def _targets(directive: Directive, block: Block, nginx: Nginx) -> tuple[list[Target], bool | None]:
    """Where a pass leads, and whether a client always gets to the same place."""
    text = _without_variables(directive.value, block)
    unknown = Target("", "", "", directive.location)
    match = ADDRESS.fullmatch(text)
    if match is None:
        return [unknown], None
    upstream = nginx.upstream(match["host"] or "", block) if not match["port"] else None
    if upstream is None:
        return [Target(match["host"] or "", match["port"] or "", match["socket"] or "", directive.location)], False
    targets = []
    for each in upstream.own("server"):
        inner = ADDRESS.fullmatch(each.value)
        if inner is None:
            targets.append(unknown._replace(location=each.location))
        else:
            targets.append(Target(inner["host"] or "", inner["port"] or "", inner["socket"] or "", each.location))
    sticky = any(upstream.own(name) for name in ("ip_hash", "hash", "sticky"))
    return targets or [unknown], sticky or (None if upstream.gaps else False)


def _without_variables(text: str, block: Block) -> str:
    """A pass's address with what `set $name value` says put in place; a path behind it does not matter."""
    for _ in range(3):
        match = re.search(r"\$\{?(\w+)\}?", text)
        if match is None:
            break
        if re.fullmatch(r"\w+://[\w.-]+(?::\d+)?/?", text[: match.start()]):
            return text[: match.start()]  # the variable is in the path
        values = [
            directive.args[1]
            for around in block.around()
            for directive in around.own("set")
            if directive.args is not None and len(directive.args) == 2 and directive.args[0] == f"${match[1]}"
        ]
        if len(values) != 1:
            return ""
        text = text[: match.start()] + values[0] + text[match.end() :]
    return text


def _compression(block: Block) -> Compression:
    """What nginx compresses of the responses in a block (ngx_http_gzip_module and the modules like it)."""
    states = set()
    for module in ("gzip", "brotli", "zstd"):
        switch = block.value(module)
        if switch is None:
            states.add(Compression.UNKNOWN)
        elif switch.lower() == "on":
            types = block.in_force(f"{module}_types")
            states.add(Compression.UNKNOWN if types is None else Compression.FULL if types else Compression.HTML_ONLY)
    for state in (Compression.FULL, Compression.UNKNOWN, Compression.HTML_ONLY):
        if state in states:
            return state
    return Compression.NONE


def _headers(block: Block) -> Mapping[str, str] | None:
    """The headers that `proxy_set_header` gives to requests in a block, by lower-case name; None if not known."""
    found = block.in_force("proxy_set_header")
    if found is None:
        return None
    headers: dict[str, str] = {}
    for directive in found:
        if directive.args is None:
            return None
        if len(directive.args) == 2:
            headers[directive.args[0].lower()] = directive.args[1]
    return headers


def _caches(block: Block, protocol: str) -> bool | None:
    zone = block.value(f"{protocol}_cache")
    return None if zone is None else zone not in ("", "off")
