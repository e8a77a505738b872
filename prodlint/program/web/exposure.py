"""Which services answer requests over the network, on which port, and on which paths."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.lazy_regex import regex
from prodlint.models.frameworks.model import Role
from prodlint.numerals import whole_number
from prodlint.program.linking.routes import routes_in
from prodlint.program.services.setting_values import State
from prodlint.program.services.variants import programs

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.linking.resolver import File
    from prodlint.program.services import Service, Variant

_SERVERS = frozenset(
    {
        *("gunicorn", "uvicorn", "hypercorn", "daphne", "granian", "waitress-serve", "uwsgi", "flask", "fastapi"),
        *("litestar", "quart", "sanic", "robyn", "next", "nuxt", "remix-serve", "react-router-serve", "strapi"),
    }
)
_WORKER_NAME = regex(
    r"(?:^|[-_.])(?:workers?|consumers?|schedulers?|queues?|beat|cron\w*|bots?)(?:$|[-_.])", re.IGNORECASE
)
_PLAIN_PATH = regex(r"/[\w./-]*")
_PORT_OPTION = regex(r"(?:--port|-p|--bind|-b|--listen)(?:=|$)")


def answers_requests(program: Program, service: Service, variant: Variant) -> bool:
    """Whether a variant of a service is there to answer requests: it has a port, starts a web server by name, or starts
    a file that makes one. Workers are not, even where they share the image."""
    if is_worker(variant):
        return False
    names = set(programs(variant))
    entry = program.by_path.get(service.entry)
    is_server = entry is not None and _serves(program, entry)
    return is_server or bool(names & _SERVERS) or variant.setting("ports").state is not State.ABSENT


def _serves(program: Program, entry: File) -> bool:
    """Whether a file makes a server, or, in Node, loads one: what a Python file loads may be there for its models."""
    if entry.index in program.serving or entry.is_python:
        return entry.index in program.serving
    return any(program.loads(entry.path, program.files[index]) for index in program.serving)


def is_worker(variant: Variant) -> bool:
    """Whether a variant takes its work from a queue or a clock, as what it starts or its name says."""
    return variant.launch.is_worker or _WORKER_NAME.search(variant.outer.name) is not None


def port_of(variant: Variant) -> int | None:
    """The port that a variant listens on, as far as one is named: by its command, by `PORT`, by EXPOSE."""
    for step in reversed(variant.launch.steps):
        words = step.start.words
        for at, word in enumerate(words):
            if _PORT_OPTION.match(word):
                text = word.partition("=")[2] or (words[at + 1] if at + 1 < len(words) else "")
                if (match := re.search(r"(?:^|:)([0-9]{2,5})$", text)) is not None:
                    return int(match.group(1))
    answer = variant.launch.env.get("PORT")
    if answer.state is State.SET and (port := whole_number(answer.value)) is not None:
        return port
    layer = variant.image_layer
    exposed = layer.settings.get("ports") if layer is not None else None
    text = (exposed.value or "").removesuffix("/tcp") if exposed is not None else ""
    return whole_number(text)


def get_routes(program: Program, service: Service) -> Iterator[str]:
    """The whole paths on which a service answers a GET without parameters, as far as it is known where each app and
    router is mounted."""
    folder = service.package or posixpath.dirname(service.entry)
    routes = routes_in(program)
    for registration in program.graph.registrations:
        file = program.files[registration.file]
        if registration.role is not Role.HANDLER or (folder and not file.path.startswith(f"{folder}/")):
            continue
        method, _, path = routes.route(registration).partition(" ")
        if method == "GET" and _PLAIN_PATH.fullmatch(path) and routes.prefixes(file, registration.call):
            yield path
