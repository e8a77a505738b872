"""The reverse proxies of a project: what each hands on to whom, and what it does for the services behind it.

`program.proxies` answers from the service's side: `in_front_of(service)`, `compression_for(service)`. A proxy that
names a service (by its name in the compose file) is surely in front of it; one that names an address, a socket or
something unknown is taken to be in front of the only service that there is. Proxies for development or tests
(`nginx.dev.conf`) are known as such, and provide nothing.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from prodlint.facts import FileFacts
from prodlint.findings import Confidence, Location
from prodlint.program.nginx import Block, Directive, Nginx
from prodlint.program.services import Service
from prodlint.program.services.evidence import is_dev_path

PASSES = ("proxy_pass", "uwsgi_pass", "grpc_pass", "scgi_pass")
"""nginx's directives that hand a request on to a service."""

_INSIDE = re.compile(
    r"[a-z0-9_-]+|[\w.-]+\.(?:local|internal|lan|localdomain|svc)|10\.[\d.]+|192\.168\.[\d.]+|172\.(?:1[6-9]|2\d|3[01])\.[\d.]+",
    re.IGNORECASE,
)


class Compression(Enum):
    """What of a service's responses a proxy compresses."""

    NONE = "none"
    HTML_ONLY = "html only"
    """What nginx's `gzip on` does alone: JSON, JavaScript and CSS stay as they are."""
    FULL = "full"
    UNKNOWN = "unknown"
    """A file that is not here, or a template, decides."""


class Target(NamedTuple):
    """Where a proxy hands requests on to. `host` is "" for a socket, `port` "" for the protocol's own; both are ""
    where it is not known."""

    host: str
    port: str
    socket: str
    location: Location

    @property
    def is_known(self) -> bool:
        """Whether anything says where requests go."""
        return bool(self.host or self.socket)

    @property
    def is_inside(self) -> bool:
        """Whether it is in the project's own network: a name without a domain, or a private address."""
        return self.is_local or bool(self.host and _INSIDE.fullmatch(self.host))

    @property
    def is_local(self) -> bool:
        """Whether that is the machine (or the container) that the proxy itself runs on."""
        return bool(self.socket) or self.host in ("localhost", "127.0.0.1", "[::1]", "0.0.0.0")


@dataclass(frozen=True)
class Pass:
    """One place at which a proxy hands requests on."""

    location: Location
    """The directive that does it: `proxy_pass http://app;`."""
    targets: tuple[Target, ...]
    compression: Compression
    headers: Mapping[str, str] | None
    """The request headers that are set, by lower-case name; None where that is not known."""
    caches: bool | None
    """Whether responses are kept; None where that is not known."""
    affinity: bool | None = False
    """Whether a client's requests all go to the same target."""
    block: Block | None = None
    """nginx: the block that the directive stands in."""


@dataclass(frozen=True)
class Proxy:
    """One virtual server of a proxy (nginx's `server`, HAProxy's `frontend`, a site of a Caddyfile, a VCL file)."""

    kind: str
    """`nginx`, `haproxy`, `varnish`, `caddy` or `traefik`."""
    name: str
    """As a message would call it: `server api.example.org`."""
    location: Location
    """Where it begins, as a finding about it would point at."""
    passes: tuple[Pass, ...]
    is_dev: bool = False
    """Whether it is for development or tests."""

    @property
    def targets(self) -> tuple[Target, ...]:
        """All that it hands requests on to."""
        return tuple(target for each in self.passes for target in each.targets)

    @property
    def compression(self) -> Compression:
        """The least that it does at any of its passes; unknown if that is so of any."""
        found = {each.compression for each in self.passes}
        for state in (Compression.UNKNOWN, Compression.NONE, Compression.HTML_ONLY):
            if state in found:
                return state
        return Compression.FULL

    @property
    def headers(self) -> Mapping[str, str] | None:
        """The request headers that it sets wherever it hands requests on; None where that is not known."""
        shared: dict[str, str] | None = None
        for each in self.passes:
            if each.headers is None:
                return None
            if shared is None:
                shared = dict(each.headers)
            shared = {name: value for name, value in shared.items() if name in each.headers}
        return shared or {}

    @property
    def caches(self) -> bool | None:
        """Whether it keeps responses anywhere; None where that is not known."""
        return _any(each.caches for each in self.passes)

    @property
    def affinity(self) -> bool | None:
        """Whether it sends a client to the same target each time, wherever it has a choice."""
        return _any(each.affinity for each in self.passes)


class Front(NamedTuple):
    """A proxy in front of a service. `is_certain` tells whether it names the service, or is merely the only one that
    could be meant."""

    proxy: Proxy
    is_certain: bool


class Compressed(NamedTuple):
    """What proxies do about the compression of a service's responses, and the proxy that decides."""

    state: Compression
    by: Proxy
    is_certain: bool


class Proxies:
    """All reverse proxies of a project."""

    def __init__(self, files: Mapping[str, FileFacts], services: Sequence[Service]) -> None:
        """`files`: all facts by path; `services`: the project's services."""
        self._files = files
        self._services = services
        self.nginx = Nginx(files)
        """The nginx configuration, for questions that only nginx answers."""

    @cached_property
    def all(self) -> list[Proxy]:
        """All proxies, by place."""
        found = [proxy for server in self.nginx.servers() if (proxy := _nginx_proxy(server, self.nginx)) is not None]
        return sorted(found, key=lambda proxy: proxy.location)

    @property
    def production(self) -> list[Proxy]:
        """The proxies that are not for development or tests."""
        return [proxy for proxy in self.all if not proxy.is_dev]

    def in_front_of(self, service: Service) -> list[Front]:
        """The proxies, for production, that requests to a service come through."""
        return [front for proxy in self.production if (front := self._front(proxy, service)) is not None]

    def services_behind(self, proxy: Proxy) -> list[Service]:
        """The services that a proxy hands requests on to."""
        return [service for service in self._services if self._front(proxy, service) is not None]

    def candidates_behind(self, proxy: Proxy) -> list[Service]:
        """The services that a proxy may hand requests on to, for all that is known: those that it surely does, else
        all that answer requests."""
        found = self.services_behind(proxy)
        return found or (self._web_services if any(map(self._may_mean, proxy.targets)) else [])

    def leads_to_service(self, each: Pass) -> Confidence | None:
        """Whether requests get to a service of the project by this pass: CERTAIN if it names one, or leads to this
        machine or the only service there is; LIKELY if it names some container that no file describes. None for other
        projects' services and other people's servers."""
        best: Confidence | None = None
        for target in each.targets:
            if any(target.host.lower() in names for names in self._names.values()):
                return Confidence.CERTAIN
            if self._web_services and self._may_mean(target):
                if target.is_local or (target.is_inside and len(self._web_services) == 1):
                    return Confidence.CERTAIN
                if target.is_inside:
                    best = Confidence.LIKELY
        return best

    def compression_for(self, service: Service) -> Compressed | None:
        """What the proxies in front of a service compress: the most that any of them does, where it is not known that
        of any. None where there is no proxy."""
        fronts = self.in_front_of(service)
        for state in (Compression.FULL, Compression.UNKNOWN, Compression.HTML_ONLY, Compression.NONE):
            for front in fronts:
                if front.proxy.compression is state:
                    return Compressed(state, front.proxy, front.is_certain)
        return None

    # ------------------------------------------------------------------ who is behind

    def _front(self, proxy: Proxy, service: Service) -> Front | None:
        names = self._names[service.id]
        if any(target.host.lower() in names for target in proxy.targets):
            return Front(proxy, True)
        if not any(self._may_mean(target) for target in proxy.targets):
            return None
        likely = self._web_services
        return Front(proxy, False) if len(likely) == 1 and likely[0] is service else None

    @cached_property
    def _web_services(self) -> list[Service]:
        """The services that answer requests, and are deployed for production if any is."""
        found = [service for service in self._services if not _is_worker(service)]
        return [service for service in found if service.production] or found

    @cached_property
    def _names(self) -> dict[str, set[str]]:
        """The names that other containers know each service by."""
        found: dict[str, set[str]] = {}
        for service in self._services:
            names = found.setdefault(service.id, set())
            for variant in service.variants:
                if variant.kind == "compose":
                    names.add(variant.outer.name.lower())
                    if (given := variant.setting("name").value) != "":
                        names.add(given.lower())
        return found

    @cached_property
    def _compose_names(self) -> frozenset[str]:
        """The names of all compose services of the project."""
        return frozenset(
            artefact.name.lower()
            for facts in self._files.values()
            if facts.kind == "compose"
            for artefact in facts.artefacts
            if artefact.kind == "service"
        )

    def _may_mean(self, target: Target) -> bool:
        """Whether a target may be any service: its name is not that of another container."""
        return not target.host or target.host.lower() not in self._compose_names


_WORKERS = frozenset({"arq", "celery", "dramatiq", "huey", "huey_consumer", "huey_consumer.py", "rq", "rqworker"})


def _is_worker(service: Service) -> bool:
    """Whether a service takes its work from a queue, and no requests."""
    return all(
        any(posixpath.basename(word) in _WORKERS for hop in variant.launch.hops for word in hop.start.words[:4])
        for variant in service.variants
    )


def _any(states: Iterator[bool | None]) -> bool | None:
    found = set(states)
    return True if True in found else None if None in found else False


# --- nginx ------------------------------------------------------------------------------------------------------------

_ADDRESS = re.compile(
    r"(?:\w+://)?(?:unix:(?P<socket>[^:;]+)|(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(?P<port>\d+))?)(?:[:/?].*)?"
)


def _nginx_proxy(server: Block, nginx: Nginx) -> Proxy | None:
    passes = tuple(_nginx_passes(server, nginx))
    if not passes:
        return None
    names = server.own("server_name")
    name = " ".join(("server", *(names[0].args or ())[:1])) if names else "server"
    return Proxy("nginx", name, server.anchor, passes, is_dev_path(server.path))


def _nginx_passes(server: Block, nginx: Nginx) -> Iterator[Pass]:
    for block in server.below():
        for name in PASSES:
            for directive in block.own(name):
                targets, affinity = _nginx_targets(directive, block, nginx)
                yield Pass(
                    directive.location,
                    tuple(targets),
                    nginx_compression(block),
                    nginx_headers(block) if name == "proxy_pass" else None,
                    _nginx_caches(block, name.removesuffix("_pass")),
                    affinity,
                    block,
                )


def _nginx_targets(directive: Directive, block: Block, nginx: Nginx) -> tuple[list[Target], bool | None]:
    """Where a pass leads, and whether a client always gets to the same place."""
    text = _without_variables(directive.value, block)
    unknown = Target("", "", "", directive.location)
    match = _ADDRESS.fullmatch(text)
    if match is None:
        return [unknown], None
    upstream = nginx.upstream(match["host"] or "", block) if not match["port"] else None
    if upstream is None:
        return [Target(match["host"] or "", match["port"] or "", match["socket"] or "", directive.location)], False
    targets = []
    for each in upstream.own("server"):
        inner = _ADDRESS.fullmatch(each.value)
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


def nginx_compression(block: Block) -> Compression:
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


def nginx_headers(block: Block) -> Mapping[str, str] | None:
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


def _nginx_caches(block: Block, protocol: str) -> bool | None:
    zone = block.value(f"{protocol}_cache")
    return None if zone is None else zone not in ("", "off")
