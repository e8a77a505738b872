"""HAProxy as a proxy: one for each `frontend` and `listen` section that speaks HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from prodlint.program.proxies.haproxy_config import HAProxy, Section
from prodlint.program.proxies.model import ADDRESS, Compression, Pass, Proxy, Target
from prodlint.program.proxies.nginx_config import Directive
from prodlint.program.services.environment_evidence import is_dev_path


def haproxy_proxies(haproxy: HAProxy) -> Iterator[Proxy]:
    """The proxies of all HAProxy configuration."""
    for section in haproxy.sections:
        if section.kind in ("frontend", "listen") and section.mode == "http":
            passes = tuple(_passes(section, haproxy))
            if passes:
                path = section.location.path
                yield Proxy("haproxy", section.title, section.anchor, passes, is_dev_path(path))


def servers_of(section: Section) -> list[Directive]:
    """The lines of a section that name a server: `server web1 10.0.0.1:3000 check`."""
    return [line for line in section.lines if line.name in ("server", "server-template")]


def _passes(front: Section, haproxy: HAProxy) -> Iterator[Pass]:
    if servers_of(front):
        yield _pass(front, front, front.anchor.path, servers_of(front)[0])
    for line in (*front.own("use_backend"), *front.in_force("default_backend")):
        backend = haproxy.backend(line.value, front)
        if backend is not None:
            yield _pass(front, backend, line.location.path, line)
        else:
            target = Target("", "", "", line.location)
            yield Pass(line.location, (target,), _compression([front]), None, None, None)


def _pass(front: Section, backend: Section, path: str, line: Directive) -> Pass:
    sections = [front] if front is backend else [front, backend]
    targets = tuple(_target(server) for server in servers_of(backend) for _ in range(_addresses(server)))
    unknown = any(section.is_unknown for section in sections)
    caches = any(section.in_force("http-request", "cache-use") for section in sections)
    return Pass(
        line.location,
        targets or (Target("", "", "", line.location),),
        _compression(sections),
        None if unknown else _headers(sections),
        None if unknown and not caches else caches,
        is_sticky(backend),
        checks=any("check" in (server.args or ()) for server in servers_of(backend)),
    )


def _addresses(server: Directive) -> int:
    """How many addresses a line takes at most: a template as many as it says, of which more than two do not matter."""
    is_template = server.name == "server-template" and server.args is not None and server.args[1:2] != ("1",)
    return 2 if is_template else 1


def _target(server: Directive) -> Target:
    address = server.args[1] if server.args is not None and len(server.args) > 1 else ""
    if server.name == "server-template":
        address = server.args[2] if server.args is not None and len(server.args) > 2 else ""
    address = re.sub(r"^\w+@", "", address)
    if address.startswith("/"):
        return Target("", "", address, server.location)
    match = ADDRESS.fullmatch(address)
    if match is None:
        return Target("", "", "", server.location)
    return Target(match["host"] or "", match["port"] or "", match["socket"] or "", server.location)


def _compression(sections: list[Section]) -> Compression:
    """Without `compression type`, HAProxy compresses whatever it can."""
    if any(section.in_force("compression", "algo") for section in sections):
        return Compression.FULL
    if any(section.in_force("filter", "compression") for section in sections):
        return Compression.FULL
    return Compression.UNKNOWN if any(section.is_unknown for section in sections) else Compression.NONE


def _headers(sections: list[Section]) -> Mapping[str, str]:
    """The headers that requests get. `Host` stays what the client sent."""
    headers = {"host": "%[req.hdr(host)]"}
    for section in sections:
        if section.in_force("option", "forwardfor"):
            headers["x-forwarded-for"] = "%[src]"
        if section.in_force("option", "forwarded"):
            headers["forwarded"] = "%[src]"
        for around in section.around():
            for action in ("set-header", "add-header"):
                for line in around.own("http-request", action):
                    if line.args is not None and len(line.args) > 2:
                        headers[line.args[1].lower()] = line.args[2]
    return headers


def is_sticky(backend: Section) -> bool:
    """Whether a backend sends a client to the same server each time."""
    balance = backend.in_force("balance")
    if balance and balance[-1].value in ("source", "hash", "hdr(cookie)", "rdp-cookie"):
        return True
    cookies = backend.in_force("cookie")
    servers = servers_of(backend)
    if cookies and any("cookie" in (server.args or ()) for server in servers):
        return True
    is_dynamic = bool(cookies) and "dynamic" in (cookies[-1].args or ())
    return is_dynamic or bool(backend.in_force("stick"))
