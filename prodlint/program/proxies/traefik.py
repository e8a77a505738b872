"""Traefik as a proxy: one for each compose service whose labels make a router for it.

Source: Traefik's documentation, "Docker" provider (labels), "Compress" middleware; it sets the X-Forwarded headers and
leaves `Host` as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from prodlint.facts import Artefact, FileFacts
from prodlint.findings import Location
from prodlint.lazy_regex import regex
from prodlint.program.proxies.model import Compression, Pass, Proxy, Target
from prodlint.program.services.environment_evidence import is_dev_path

_HEADERS = dict.fromkeys(("host", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"), "{}")
_ROUTER = regex(r"traefik\.http\.routers\.([^.]+)\.(\w+)", re.IGNORECASE)
_PORT = regex(r"traefik\.http\.services\.[^.]+\.loadbalancer\.server\.port", re.IGNORECASE)
_STICKY = regex(r"traefik\.http\.services\.[^.]+\.loadbalancer\.sticky(?:\.cookie)?(?:\..*)?", re.IGNORECASE)
_CHECK = regex(r"traefik\.http\.services\.[^.]+\.loadbalancer\.healthcheck\.path", re.IGNORECASE)
_COMPRESS = regex(r"traefik\.http\.middlewares\.([^.]+)\.compress(?:\..*)?", re.IGNORECASE)


def traefik_proxies(files: Mapping[str, FileFacts]) -> Iterator[Proxy]:
    """The proxies that the labels in all compose files make."""
    composes = {path: facts for path, facts in sorted(files.items()) if facts.kind == "compose"}
    compressing = {
        match[1].lower()
        for facts in composes.values()
        for artefact in facts.artefacts
        for name, value, _ in _labels("", artefact)
        if (match := _COMPRESS.fullmatch(name)) and value != "false"
    }
    for path, facts in composes.items():
        for artefact in facts.artefacts:
            proxy = _proxy(path, artefact, compressing)
            if proxy is not None:
                yield proxy


def _labels(path: str, artefact: Artefact) -> list[tuple[str, str | None, Location]]:
    return [
        (setting.key.removeprefix("label."), setting.value, Location(path, setting.start, setting.end))
        for setting in artefact.settings
        if setting.key.startswith("label.")
    ]


def _proxy(path: str, artefact: Artefact, compressing: set[str]) -> Proxy | None:
    labels = _labels(path, artefact)
    routers = [(match, value, place) for name, value, place in labels if (match := _ROUTER.fullmatch(name))]
    disabled = any(name.lower() == "traefik.enable" and value == "false" for name, value, _ in labels)
    if not routers or disabled:
        return None
    middlewares = [value for match, value, _ in routers if match[2].lower() == "middlewares"]
    names = {name.strip().lower() for value in middlewares for name in (value or "").split(",") if name.strip()}
    if any(name.partition("@")[0] in compressing for name in names):
        state = Compression.FULL
    elif names or None in middlewares:
        state = Compression.UNKNOWN  # a chain, or a middleware of a file that is not read
    else:
        state = Compression.NONE
    port = next((value or "" for name, value, _ in labels if _PORT.fullmatch(name)), "")
    sticky = any(_STICKY.fullmatch(name) and value != "false" for name, value, _ in labels)
    place = routers[0][2]
    checked = any(_CHECK.fullmatch(name) and value for name, value, _ in labels)
    each = Pass(place, (Target(artefact.name, port, "", place),), state, _HEADERS, False, sticky, checks=checked)
    return Proxy("traefik", f"router {routers[0][0][1]}", place, (each,), is_dev_path(path, artefact.name))
