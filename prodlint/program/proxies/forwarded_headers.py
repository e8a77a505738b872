"""The headers by which nginx tells a service who asked it for what.

Without them a service takes the proxy for its client: all requests come from one address, by HTTP, and the `Host` is
the name in `proxy_pass`. Source: ngx_http_proxy_module, `proxy_set_header`.
"""

from __future__ import annotations

import msgspec

from prodlint.lazy_regex import regex
from prodlint.program.proxies import Pass
from prodlint.program.proxies.nginx_config import Block, Directive

HOST, CLIENT, PROTOCOL = "Host", "X-Forwarded-For", "X-Forwarded-Proto"

VALUES = {HOST: "$host", CLIENT: "$proxy_add_x_forwarded_for", PROTOCOL: "$scheme"}
"""What each is usually set to."""

_SAME = {
    HOST: ("host", "x-forwarded-host", "x-original-host", "forwarded"),
    CLIENT: ("x-forwarded-for", "forwarded"),
    PROTOCOL: (
        "x-forwarded-proto",
        "x-forwarded-protocol",
        "x-forwarded-ssl",
        "x-forwarded-scheme",
        "x-forwarded-port",
        "x-url-scheme",
        "x-scheme",
        "front-end-https",
        "forwarded",
    ),
}
"""The headers that say the same, in lower case."""


_HEALTH = regex(r"/(?:api/)?_?(?:health(?:z|check|-check|_check)?|livez|readyz|ping|heartbeat)(?:/\w+)?/?\$?$")


def missing(each: Pass) -> list[str]:
    """Which of the headers a pass of nginx does not set. The protocol counts only where clients come by TLS: a server
    without it stands behind somebody who knows better. Empty where it is not known what is set."""
    if each.headers is None or each.block is None or is_for_checks(each.block):
        return []
    wanted = [HOST, CLIENT, *([PROTOCOL] if has_tls(each.block) else [])]
    return [name for name in wanted if not any(other in each.headers for other in _SAME[name])]


def is_for_checks(block: Block) -> bool:
    """Whether a block hands on nothing but health checks, of which nobody asks who made them."""
    location = block.enclosing("location")
    path = location.args[-1] if location is not None and location.args else ""
    return _HEALTH.search(path) is not None


def has_tls(block: Block) -> bool:
    """Whether the server around a block takes connections by TLS."""
    server = block.enclosing("server")
    if server is None:
        return False
    listens = [directive.args or () for directive in server.own("listen")]
    return any("ssl" in args or args[:1] == ("443",) or (args and args[0].endswith(":443")) for args in listens) or (
        bool(server.own("ssl")) and server.own("ssl")[-1].value == "on"
    )


class Dropped(msgspec.Struct, frozen=True):
    """The headers that a block loses because it sets one of its own."""

    block: Block
    first: Directive
    """Its first own `proxy_set_header`."""
    lost: tuple[Directive, ...]
    """What the blocks around it set, and it does not."""


def dropped(block: Block) -> Dropped | None:
    """What is lost at the innermost block around a pass that sets headers of its own. None where nothing is lost, or
    where a file that is not here may set it."""
    for each in block.around():
        own = each.own("proxy_set_header")
        if each.gaps:
            return None
        if own:
            outer = each.parent.in_force("proxy_set_header") if each.parent is not None else []
            if not outer or any(directive.args is None for directive in own):
                return None
            names = {directive.value.lower() for directive in own}
            lost = tuple(
                directive
                for directive in outer
                if directive.args is not None and len(directive.args) == 2 and directive.value.lower() not in names
            )
            return Dropped(each, own[0], lost) if lost else None
    return None


def is_about_the_client(directive: Directive) -> bool:
    """Whether a `proxy_set_header` tells who asked for what."""
    name = directive.value.lower()
    return name == "x-real-ip" or any(name in same for same in _SAME.values())
