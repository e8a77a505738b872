"""A reverse proxy, whatever program it is: where it hands requests on to, and what it does for the services there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import NamedTuple

import msgspec

from prodlint.findings import Location
from prodlint.lazy_regex import regex
from prodlint.program.proxies.nginx_config import Block

ADDRESS = regex(
    r"(?:\w+://)?(?:unix:(?P<socket>[^:;]+)|(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(?P<port>\d+))?)(?:[:/?].*)?"
)
"""An address with or without a protocol and a path: a host and a port, or a socket."""

_INSIDE = regex(
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


class Pass(msgspec.Struct, frozen=True):
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
    checks: bool = False
    """Whether it asks its targets by itself whether they still answer."""


class Proxy(msgspec.Struct, frozen=True):
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


def _any(states: Iterator[bool | None]) -> bool | None:
    found = set(states)
    return True if True in found else None if None in found else False
