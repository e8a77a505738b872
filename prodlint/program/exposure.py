"""Which services answer requests over the network, on which port, and on which paths."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.program.launches import State
from prodlint.program.operations import programs

if TYPE_CHECKING:
    from prodlint.program import Program
    from prodlint.program.services import Service, Variant

_SERVERS = frozenset(
    {
        *("gunicorn", "uvicorn", "hypercorn", "daphne", "granian", "waitress-serve", "uwsgi", "flask", "fastapi"),
        *("litestar", "quart", "sanic", "robyn", "next", "nuxt", "remix-serve", "react-router-serve", "strapi"),
    }
)
_WORKERS = frozenset({"celery", "rq", "arq", "dramatiq", "huey_consumer", "moleculer-runner"})
_WORKER_NAME = re.compile(
    r"(?:^|[-_.])(?:workers?|consumers?|schedulers?|queues?|beat|cron\w*|bots?)(?:$|[-_.])", re.IGNORECASE
)
_PORT_OPTION = re.compile(r"(?:--port|-p|--bind|-b|--listen)(?:=|$)")


def answers_requests(program: Program, service: Service, variant: Variant) -> bool:
    """Whether a variant of a service is there to answer requests: it has a port, starts a web server by name, or starts
    a file that makes one. Workers are not, even where they share the image."""
    names = set(programs(variant))
    if names & _WORKERS or _WORKER_NAME.search(variant.outer.name):
        return False
    entry = program.by_path.get(service.entry)
    is_server = entry is not None and entry.index in program.serving
    return is_server or bool(names & _SERVERS) or variant.setting("ports").state is not State.ABSENT


def port_of(variant: Variant) -> int | None:
    """The port that a variant listens on, as far as one is named: by its command, by `PORT`, by EXPOSE."""
    for hop in reversed(variant.launch.hops):
        words = hop.start.words
        for at, word in enumerate(words):
            if _PORT_OPTION.match(word):
                text = word.partition("=")[2] or (words[at + 1] if at + 1 < len(words) else "")
                if (match := re.search(r"(?:^|:)(\d{2,5})$", text)) is not None:
                    return int(match.group(1))
    answer = variant.launch.env.get("PORT")
    if answer.state is State.SET and answer.value.isdigit():
        return int(answer.value)
    layer = variant.layer("dockerfile")
    exposed = layer.settings.get("ports") if layer is not None else None
    text = (exposed.value or "").removesuffix("/tcp") if exposed is not None else ""
    return int(text) if text.isdigit() else None


def get_routes(program: Program, service: Service) -> Iterator[str]:
    """The paths that the apps of a service answer a GET on without parameters, as they are written where they are
    registered."""
    folder = service.package or posixpath.dirname(service.entry)
    for registration in program.graph.registrations:
        method, _, path = registration.label.partition(" ")
        if method == "GET" and re.fullmatch(r"/[\w./-]*", path):
            file = program.files[registration.file].path
            if not folder or file.startswith(folder + "/"):
                yield path
