"""Caddy as a proxy: one for each site of a Caddyfile that has a `reverse_proxy`.

Source: Caddy's documentation, `encode`, and `reverse_proxy`, "Defaults": it sets the X-Forwarded headers and leaves
`Host` as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from prodlint.facts import Artefact, FileFacts, Setting
from prodlint.findings import Location
from prodlint.program.proxies.model import ADDRESS, Compression, Pass, Proxy, Target
from prodlint.program.services.environment_evidence import is_dev_path

_HEADERS = dict.fromkeys(("host", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"), "{}")
_STICKY = ("ip_hash", "client_ip_hash", "cookie", "header", "uri_hash")


def caddy_proxies(files: Mapping[str, FileFacts]) -> Iterator[Proxy]:
    """The proxies of all Caddyfiles."""
    for path, facts in sorted(files.items()):
        if facts.kind != "caddyfile":
            continue
        snippets = {each.name.strip("()"): each for each in facts.artefacts if each.kind == "snippet"}
        for site in facts.artefacts:
            if site.kind == "site" and (proxy := _proxy(path, site, snippets)) is not None:
                yield proxy


def _proxy(path: str, site: Artefact, snippets: Mapping[str, Artefact]) -> Proxy | None:
    settings, is_whole = _with_snippets(site, snippets)
    if not any(setting.key == "reverse_proxy" for setting in settings):
        return None
    place = Location(path, site.anchor, site.anchor_end)
    is_compressed = any(setting.key in ("encode", "gzip") for setting in settings)
    compression = Compression.FULL if is_compressed else Compression.NONE if is_whole else Compression.UNKNOWN
    headers = _HEADERS if is_whole else None
    policies = [_words(setting) for setting in settings if setting.key == "lb_policy"]
    sticky = any(words[:1] and words[0] in _STICKY for words in policies)
    is_checked = any(setting.key in ("health_uri", "health_path") for setting in settings)
    found = tuple(
        Pass(_place(path, each), tuple(_targets(path, each)), compression, headers, False, sticky, checks=is_checked)
        for each in settings
        if each.key in ("reverse_proxy", "to")
    )
    return Proxy("caddy", site.name, place, found, is_dev_path(path))


def _with_snippets(site: Artefact, snippets: Mapping[str, Artefact]) -> tuple[list[Setting], bool]:
    """The settings of a site with what it imports; and whether all of that is here."""
    found: list[Setting] = []
    is_whole = True
    for setting in site.settings:
        if setting.key != "import":
            found.append(setting)
            continue
        names = _words(setting)
        snippet = snippets.get(names[0]) if names else None
        if snippet is None:
            is_whole = False
        else:
            found += snippet.settings
    return found, is_whole


def _words(setting: Setting) -> list[str]:
    words: list[str] = json.loads(setting.value) if setting.value is not None else []
    return words


def _place(path: str, setting: Setting) -> Location:
    return Location(path, setting.start, setting.end)


def _targets(path: str, setting: Setting) -> Iterator[Target]:
    words = [word for word in _words(setting) if not word.startswith(("/", "@", "*"))]
    for word in words:
        match = ADDRESS.fullmatch(f"localhost{word}" if word.startswith(":") else word)
        host, port = (match["host"] or "", match["port"] or "") if match else ("", "")
        socket = word.partition("unix/")[2] if word.startswith("unix/") else ""
        yield Target("" if socket else host, "" if socket else port, socket, _place(path, setting))
    if not words:
        yield Target("", "", "", _place(path, setting))
