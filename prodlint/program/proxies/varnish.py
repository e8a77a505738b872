"""Varnish as a proxy: one for each VCL file with backends.

Source: the Varnish reference manual, "VCL variables", and the built-in VCL, which runs behind what a file says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from prodlint.facts import Artefact, FileFacts
from prodlint.findings import Location
from prodlint.lazy_regex import regex
from prodlint.program.proxies.model import Compression, Pass, Proxy, Target
from prodlint.program.services.environment_evidence import is_dev_path

_PASS = regex(r"return\((?:pass|pipe)\)")


def varnish_proxies(files: Mapping[str, FileFacts]) -> Iterator[Proxy]:
    """The proxies of all VCL files."""
    for path, facts in sorted(files.items()):
        if facts.kind != "vcl":
            continue
        targets = tuple(_target(path, backend) for backend in facts.artefacts if backend.kind == "backend")
        if targets:
            place = targets[0].location
            each = Pass(place, targets, _compression(facts), _headers(facts), _caches(facts), _affinity(facts))
            yield Proxy("varnish", path.rpartition("/")[2], place, (each,), is_dev_path(path))


def _target(path: str, backend: Artefact) -> Target:
    values = {setting.key: setting.value or "" for setting in backend.settings}
    place = Location(path, backend.anchor, backend.anchor_end)
    return Target(values.get("host", ""), values.get("port", ""), values.get("path", ""), place)


def statements(facts: FileFacts, sub: str = "") -> list[tuple[str, bool, int, int]]:
    """The statements of a subroutine (of all, if none is named) in order: text, whether it always runs, its place."""
    return [
        (setting.value or "", setting.key == "statement", setting.start, setting.end)
        for artefact in facts.artefacts
        if artefact.kind == "sub" and (not sub or artefact.name.partition("#")[0] == f"sub {sub}")
        for setting in artefact.settings
    ]


def passes_everything(facts: FileFacts) -> tuple[int, int] | None:
    """The statement by which a file keeps Varnish from caching anything: a `return (pass)` in `vcl_recv` that every
    request gets to, with nothing before it that lets some be looked up."""
    for text, always, start, end in statements(facts, "vcl_recv"):
        if text.startswith("call ") or re.match(r"return\((?:hash|lookup|purge)\)", text):
            return None
        if always and text.startswith("return"):
            return (start, end) if _PASS.fullmatch(text) else None
    return None


def _caches(facts: FileFacts) -> bool | None:
    return passes_everything(facts) is None


def _compression(facts: FileFacts) -> Compression:
    found = [text for text, *_ in statements(facts) if re.fullmatch(r"set beresp\.do_gzip = true", text)]
    if found:
        return Compression.FULL
    return Compression.UNKNOWN if _is_open(facts) else Compression.NONE


def _headers(facts: FileFacts) -> Mapping[str, str] | None:
    """Varnish sets X-Forwarded-For itself and leaves `Host` as it is."""
    if _is_open(facts):
        return None
    headers = {"host": "req.http.host", "x-forwarded-for": "client.ip"}
    for text, *_ in statements(facts):
        if match := re.fullmatch(r"set (?:req|bereq)\.http\.([\w-]+) = (.+)", text):
            headers[match[1].lower()] = match[2]
    return headers


def _affinity(facts: FileFacts) -> bool:
    return any(re.search(r"directors\.(?:hash|shard)\(", text) for text, *_ in statements(facts))


def _is_open(facts: FileFacts) -> bool:
    """Whether the file includes others, which may say anything."""
    return any(setting.key == "include" for artefact in facts.artefacts for setting in artefact.settings)
