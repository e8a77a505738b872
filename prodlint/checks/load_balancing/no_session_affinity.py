"""no-session-affinity: socket.io in several processes, where nothing leads a client to the one that knows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import Value, ValueKind
from prodlint.findings import Finding, Step
from prodlint.program.code.call_options import Options, options_of
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.proxies import proxies_in
from prodlint.program.services import services_of
from prodlint.program.services.worker_counts import Count
from prodlint.program.web.process_counts import processes_of, said_by

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.rulebook import Rule

_SERVERS = ("socket.io", "socket.io.Server")
_CLIENTS = ("socket.io-client", "socket.io-client.io", "socket.io-client.connect", "io", "io.connect")
_PYTHON_SERVERS = ("socketio.AsyncServer", "socketio.Server", "flask_socketio.SocketIO")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each server of socket.io that surely runs in several processes."""
    if any(_only_by_websocket(program, options_of(program, site)) for site in _calls(program, _CLIENTS)):
        return
    for site in _calls(program, (*_SERVERS, *_PYTHON_SERVERS)):
        confidence = program.server_code(site.file, site.call.region)
        options = options_of(program, site, len(site.call.args)) if site.file.is_python else _options(program, site)
        if confidence is None or options.is_open or _only_by_websocket(program, options):
            continue
        steps = _several(program, rule, site.file)
        if steps is None or _is_shared(program, rule, site.file):
            continue
        yield Finding(
            rule.name,
            "This runs in several processes, and nothing leads a client's requests to the one that knows its session: "
            'where it uses HTTP long-polling, as every client does at first, it is answered 400, "Session ID unknown". '
            "Make sessions sticky, or allow WebSocket only.",
            program.location(site.file, site.call.start, site.call.end),
            confidence=confidence,
            related=steps,
        )


def _calls(program: Program, apis: tuple[str, ...]) -> Iterator[CallSite]:
    return (site for api in apis for site in program.api_calls.get(api, ()))


def _options(program: Program, site: CallSite) -> Options:
    """What a server is told: behind the HTTP server or the port that it is handed, if there is one."""
    args = site.call.args
    first = program.resolver.origins(site.file, args[0]) if args else []
    is_object = any(file.facts.values[value].kind is ValueKind.OBJECT for file, value in first)
    return options_of(program, site, 0 if is_object else 1)


def _only_by_websocket(program: Program, options: Options) -> bool:
    """Whether `transports: ['websocket']` is said: then there is one connection, and no session to be found again."""
    found = options.values.get("transports", [])
    return bool(found) and all(_is_websocket(program, file, file.facts.values[value]) for file, value in found)


def _is_websocket(program: Program, file: File, value: Value) -> bool:
    items = [program.value(file, item) for item in value.items] if value.kind is ValueKind.ARRAY else []
    return bool(items) and all(item.kind is ValueKind.STRING and item.text == "websocket" for item in items)


def _is_shared(program: Program, rule: Rule, file: File) -> bool:
    """Whether the code of the package has sticky sessions of its own. An adapter shares events, and no sessions."""
    home = program.versions.package_folder(file.path)
    packages = frozenset(rule.data["packages"])
    return any(
        request.module in packages
        for other in program.files
        if program.versions.package_folder(other.path) == home
        for request in other.facts.imports
    )


def _several(program: Program, rule: Rule, file: File) -> tuple[Step, ...] | None:
    """What says that a file runs in several processes between which nobody chooses by the client; None if nothing."""
    services = services_of(program, file.path)
    if not services:
        processes = processes_of(program, file)
        return said_by(processes) if processes.state is Count.MANY else None
    for service in services:
        for variant in service.production:
            if variant.workers.state is Count.MANY:
                return said_by(variant.workers)
            is_many = variant.copies.state is Count.MANY and not variant.opaque
            if is_many and not _is_sticky(program, rule, service, variant):
                return said_by(variant.copies)
        for front in proxies_in(program).in_front_of(service):
            for each in front.proxy.passes:
                if len(each.targets) > 1 and each.affinity is False:
                    return (Step(each.location, "this shares the requests among several servers"),)
    return None


def _is_sticky(program: Program, rule: Rule, service: Service, variant: Variant) -> bool:
    """Whether a proxy in front keeps a client at one copy, or may."""
    if any(front.proxy.affinity is not False for front in proxies_in(program).in_front_of(service)):
        return True
    for layer in variant.fronts:
        for setting in layer.every:
            is_kept = setting.key == "session_affinity" and setting.value != "None"
            name = setting.key.rpartition("/")[2]
            if is_kept or (setting.key.startswith("annotation.") and name in rule.data["annotations"]):
                return True
    return False
