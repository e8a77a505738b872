"""In how many processes a source file runs: what its services say, code and deployment together."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import TYPE_CHECKING

from prodlint.facts import ValueKind
from prodlint.findings import Step
from prodlint.program.code.memory_stores import memory_stores_in
from prodlint.program.code.shared_state import shared_states_in
from prodlint.program.proxies import proxies_in
from prodlint.program.services import forks, services_of
from prodlint.program.services.setting_values import Source, State
from prodlint.program.services.worker_counts import Count, Processes, together

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.linking.resolver import File
    from prodlint.program.services import Service, Variant

_SOCKETS = ("socket.io", "socket.io.Server", "@nestjs/websockets.WebSocketGateway", "flask_socketio.SocketIO")
_CONCURRENT = ("-k", "--worker-class", "--threads")
"""Options that let a worker of Gunicorn answer several requests at a time."""
_UWSGI_CONCURRENT = frozenset(
    {"threads", "enable-threads", "enable_threads", "gevent", "asyncio", "async", "ugreen", "greenlet"}
)
"""Options that let a process of uWSGI answer several requests at a time."""
_EMBEDDED = frozenset(
    {"sqlite3", "better-sqlite3", "sqlite", "aiosqlite", "@databases/sqlite", "node:sqlite", "nedb", "lowdb"}
)
"""Packages of databases that are a file, which one process writes."""


def processes_of(program: Program, file: File) -> Processes:
    """In how many processes a file runs. Of a file of several services it is known only if all say the same."""
    found = [service.processes for service in services_of(program, file.path)]
    if not found:
        found = [
            Processes(Count.MANY, count, Source.of_file("source", path))
            for path, count in forks(program)
            if program.versions.package_folder(path) == program.versions.package_folder(file.path)
        ]
    if len({processes.state for processes in found}) > 1:
        return together(processes for processes in found if processes.state is not Count.MANY)
    return together(found)


def answers_one_at_a_time(variant: Variant) -> bool:
    """Whether each process of a variant is a worker of Gunicorn or uWSGI that answers one request at a time, as their
    default is, as far as its command and its configuration say."""
    if any("uwsgi" in map(posixpath.basename, step.start.words[:3]) for step in variant.launch.steps):
        words = {word.lstrip("-").partition("=")[0] for step in variant.launch.steps for word in step.start.words}
        is_read = any(source.kind == "uwsgi" for source in variant.launch.through)
        is_closed = is_read or not any(word.endswith((".ini", ".yml", ".yaml", ".json", ".xml")) for word in words)
        settings = {key for layer in variant.layers for key in layer.settings}
        return is_closed and not _UWSGI_CONCURRENT & (words | settings)
    gunicorn = next(
        (step for step in variant.launch.steps if "gunicorn" in map(posixpath.basename, step.start.words)), None
    )
    if gunicorn is None or any(variant.setting(key).state is not State.ABSENT for key in ("worker_class", "threads")):
        return False
    return not any(word.partition("=")[0] in _CONCURRENT or word.startswith("-k") for word in gunicorn.start.words)


def copies_of(program: Program, file: File) -> Processes:
    """How often a file's service is deployed, next to each other and perhaps on several machines."""
    services = services_of(program, file.path)
    return together(variant.copies for service in services for variant in service.production)


def said_by(processes: Processes) -> tuple[Step, ...]:
    """What says how many processes there are, for a reader."""
    if processes.by is None:
        return ()
    number = f": {processes.text}" if processes.text not in ("", "several") else ""
    return (Step(processes.by.location, f"this starts several processes{number}"),)


def serves(program: Program, service: Service) -> bool:
    """Whether a service answers requests, by code that can be seen or as a server's command says."""
    if any(variant.launch.is_tool for variant in service.variants):
        return True
    return any(service in services_of(program, program.files[index].path) for index in program.serving)


def proxied_apart(program: Program, service: Service) -> bool:
    """Whether a proxy shares the requests to a service among several servers."""
    fronts = proxies_in(program).in_front_of(service)
    return any(len(each.targets) > 1 for front in fronts for each in front.proxy.passes)


def needs_one_process(program: Program, service: Service) -> bool:
    """Whether something would break if a service ran in several processes, or may: it keeps sessions or other state in
    memory, has sockets that belong to a process, or a database that is a file."""
    stateful = [store.file for store in memory_stores_in(program) if store.leaks]
    stateful += [state.file for state in shared_states_in(program)]
    stateful += [site.file for api in _SOCKETS for site in program.api_calls.get(api, ())]
    return any(service in services_of(program, file.path) for file in stateful) or (
        bool(_EMBEDDED & service.dependencies) or _has_embedded_database(program, _files_of(program, service))
    )


def _files_of(program: Program, service: Service) -> Iterable[File]:
    return (file for file in program.files if service in services_of(program, file.path))


def _has_embedded_database(program: Program, files: Iterable[File]) -> bool:
    """Whether code imports such a database, or names one by its address or by Django's engine. What is only there in
    case that a variable of the environment names no other says nothing of production."""
    for file in files:
        if any(request.module in _EMBEDDED for request in file.facts.imports):
            return True
        fallbacks = _fallbacks(file)
        for number, value in enumerate(file.facts.values):
            if value.kind in (ValueKind.STRING, ValueKind.TEMPLATE) and number not in fallbacks:
                is_address = value.text.startswith(("sqlite:", "sqlite+"))
                if is_address or value.text in ("sqlite", "django.db.backends.sqlite3"):
                    return True
    return False


def _fallbacks(file: File) -> set[int]:
    """The values that stand behind `or`, `||` and `??`, or are the default of `environ.get`, with what is in them."""
    facts = file.facts
    stack = [
        item
        for value in facts.values
        if value.kind is ValueKind.OP and value.text in ("||", "??")
        for item in value.items[1:]
    ]
    for call in facts.calls:
        if facts.values[call.callee].text in ("get", "getenv", "env", "config"):
            stack += call.args[1:]
    found: set[int] = set()
    while stack:
        number = stack.pop()
        if number not in found:
            found.add(number)
            stack += facts.values[number].items
    return found
