"""The reverse proxies of a project: what each hands on to whom, and what it does for the services behind it.

`proxies_in(program)` answers from the service's side: `in_front_of(service)`, `compression_for(service)`. A proxy that
names a service (by its name in the compose file) is surely in front of it; one that names an address, a socket or
something unknown is taken to be in front of the only service that there is. Proxies for development or tests
(`nginx.dev.conf`) are known as such, and provide nothing.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from prodlint.facts import FileFacts
from prodlint.findings import Confidence
from prodlint.program.linking.queries import query
from prodlint.program.proxies.caddy import caddy_proxies
from prodlint.program.proxies.haproxy import haproxy_proxies
from prodlint.program.proxies.haproxy_config import HAProxy
from prodlint.program.proxies.model import Compressed, Compression, Front, Pass, Proxy, Target
from prodlint.program.proxies.nginx import nginx_proxies
from prodlint.program.proxies.nginx_config import Nginx
from prodlint.program.proxies.traefik import traefik_proxies
from prodlint.program.proxies.varnish import varnish_proxies
from prodlint.program.services import Service, services_in

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

__all__ = ["Compressed", "Compression", "Front", "Pass", "Proxies", "Proxy", "Target", "proxies_in"]


_DEEPEST = 3
_KINDS = ("nginx", "haproxy", "varnish", "caddy")


class Proxies:
    """All reverse proxies of a project."""

    def __init__(self, files: Mapping[str, FileFacts], services: Sequence[Service]) -> None:
        """`files`: all facts by path; `services`: the project's services."""
        self._files = files
        self._services = services
        self.nginx = Nginx(files)
        """The nginx configuration, for questions that only nginx answers."""
        self.haproxy = HAProxy(files)
        """The same for HAProxy."""

    @cached_property
    def all(self) -> list[Proxy]:
        """All proxies, by place."""
        found = [
            *nginx_proxies(self.nginx),
            *haproxy_proxies(self.haproxy),
            *varnish_proxies(self._files),
            *caddy_proxies(self._files),
            *traefik_proxies(self._files),
        ]
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
        may_mean = any(self._may_mean(target, proxy.location.path) for target in proxy.targets)
        return found or (self._web_services if may_mean else [])

    def leads_to_service(self, each: Pass) -> Confidence | None:
        """Whether requests get to a service of the project by this pass: CERTAIN if it names one, or leads to this
        machine or the only service there is; LIKELY if it names some container that no file describes. None for other
        projects' services and other people's servers."""
        best: Confidence | None = None
        path = each.location.path
        for target in self._last(each.targets, path):
            named = [each for each in self._services if self._is_named(each, target, path)]
            if any(service.production for service in named) or (named and not self._has_production):
                return Confidence.CERTAIN
            if named:
                continue  # developers' own: in production something else answers there
            if self._web_services and self._may_mean(target, path):
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
        targets = self._last(proxy.targets, proxy.location.path)
        if any(self._is_named(service, target, proxy.location.path) for target in targets):
            return Front(proxy, True)
        if not any(self._may_mean(target, proxy.location.path) for target in targets):
            return None
        likely = self._web_services
        return Front(proxy, False) if len(likely) == 1 and likely[0] is service else None

    def _last(self, targets: Sequence[Target], path: str, depth: int = 0) -> list[Target]:
        """Where requests get to in the end: what another proxy of the project stands at hands them on."""
        found: list[Target] = []
        for target in targets:
            inner = self._inner(target, path) if depth < _DEEPEST else None
            found += [target] if inner is None else self._last(inner.targets, path, depth + 1)
        return found

    def _inner(self, target: Target, path: str) -> Proxy | None:
        """The proxy of the project that a target is: the only one of its kind, where a compose service is named so."""
        kinds = self._proxy_containers.get(target.host.lower(), set())
        found = [proxy for proxy in self.production if proxy.kind in kinds and proxy.location.path != path]
        return found[0] if len(found) == 1 else None

    @cached_property
    def _proxy_containers(self) -> dict[str, set[str]]:
        """The compose services that are proxies by their image, each with the kinds of proxy that it may be."""
        found: dict[str, set[str]] = {}
        for facts in self._files.values():
            for artefact in facts.artefacts if facts.kind == "compose" else ():
                said = [artefact.name, *(each.value or "" for each in artefact.settings if each.key == "image")]
                kinds = {kind for kind in _KINDS for text in said if kind in text.lower()}
                if kinds:
                    found.setdefault(artefact.name.lower(), set()).update(kinds)
        return found

    @cached_property
    def _has_production(self) -> bool:
        """Whether anything is deployed for production, as far as is known."""
        return any(service.production for service in self._services)

    @cached_property
    def _web_services(self) -> list[Service]:
        """The services that answer requests, and are deployed for production if any is."""
        found = [service for service in self._services if not _is_worker(service)]
        return [service for service in found if service.production] or found

    def _is_named(self, service: Service, target: Target, path: str) -> bool:
        """Whether a target, in the proxy's file `path`, is a service by its name: that of the compose file that is
        nearest, as each of several in a project has names of its own."""
        name = target.host.lower()
        files = self._names[service.id].get(name, set())
        return bool(files) and not files.isdisjoint(_nearest(self._compose_names.get(name, set()) | files, path))

    @cached_property
    def _names(self) -> dict[str, dict[str, set[str]]]:
        """The names that other containers know each service by, each with the compose files that give it."""
        found: dict[str, dict[str, set[str]]] = {}
        for service in self._services:
            names = found.setdefault(service.id, {})
            for variant in service.variants:
                if variant.kind == "compose":
                    for name in (variant.outer.name, variant.setting("name").value):
                        if name:
                            names.setdefault(name.lower(), set()).add(variant.outer.path)
        return found

    @cached_property
    def _compose_names(self) -> dict[str, set[str]]:
        """The names of all compose services of the project, each with the files that have one."""
        found: dict[str, set[str]] = {}
        for path, facts in self._files.items():
            for artefact in facts.artefacts if facts.kind == "compose" else ():
                if artefact.kind == "service":
                    found.setdefault(artefact.name.lower(), set()).add(path)
        return found

    def _may_mean(self, target: Target, path: str) -> bool:
        """Whether a target, in the proxy's file `path`, may be any service: its name is not that of another container,
        and if it is on the proxy's own machine, that is no container without a service."""
        if target.is_local and path in self._apart:
            return False
        return not target.host or target.host.lower() not in self._compose_names

    @cached_property
    def _apart(self) -> set[str]:
        """The files that are copied into images of the project, and into none that a service is in."""
        ours = {layer.source.path for each in self._services for variant in each.variants for layer in variant.layers}
        found: dict[bool, set[str]] = {True: set(), False: set()}
        for path, facts in self._files.items():
            for artefact in facts.artefacts if facts.kind == "dockerfile" else ():
                for setting in artefact.settings:
                    if setting.key == "copy" and setting.value:
                        found[path in ours] |= set(self._copied(posixpath.dirname(path), json.loads(setting.value)))
        return found[False] - found[True]

    def _copied(self, folder: str, copied: Mapping[str, Any]) -> Iterator[str]:
        """The proxies' files beside a Dockerfile, or below it, that a COPY names, alone or by their folder."""
        sources = [] if copied["from"] else [posixpath.normpath(source.lstrip("/")) for source in copied["sources"]]
        for source in sources:
            path = posixpath.join(folder, source)
            known = {each.path for each in self.nginx.files}
            if source != ".":
                yield from (each for each in known if each == path or each.startswith(f"{path}/"))


def _nearest(paths: set[str], path: str) -> set[str]:
    """Those of some files that share the most folders with another one."""
    folders = path.split("/")[:-1]

    def shared(other: str) -> int:
        pairs = zip(folders, other.split("/")[:-1], strict=False)
        return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))

    most = max(map(shared, paths))
    return {each for each in paths if shared(each) == most}


def _is_worker(service: Service) -> bool:
    """Whether a service takes its work from a queue, and no requests."""
    return all(variant.launch.is_worker for variant in service.variants)


@query
def proxies_in(program: Program) -> Proxies:
    """The reverse proxies that the project's files describe, and what each does for the services behind it."""
    return Proxies(program.facts, services_in(program))
