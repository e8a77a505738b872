"""How many processes a service runs in: what its commands, settings and code say of workers and replicas.

Sources: the references of Gunicorn, Uvicorn, Hypercorn, Granian, uWSGI and PM2 (`--workers`, `WEB_CONCURRENCY`,
`instances`), the Compose specification (`scale`, `deploy.replicas`), the Kubernetes API reference (`replicas`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum

import msgspec

from prodlint.extract.deployment.variables import expand, has_variables
from prodlint.numerals import whole_number
from prodlint.program.services.launches import Launch, LaunchStep
from prodlint.program.services.layers import Layer
from prodlint.program.services.setting_values import Source, State


class Count(Enum):
    """How many there are."""

    ONE = "one"
    MANY = "many"
    UNKNOWN = "unknown"


class Processes(msgspec.Struct, frozen=True):
    """How many processes there are."""

    state: Count
    text: str = "1"
    """The number as it is written, `max` or the like for as many as there are processors, "" where it is not known."""
    by: Source | None = None
    """What says so; None for a default."""
    reason: str = ""
    """Why it is unknown, or how it comes to be."""


ONE = Processes(Count.ONE)

_SHOWN = 30
"""Characters of a value in a reason."""


def unknown(reason: str, by: Source | None = None) -> Processes:
    """A number that cannot be known, and why."""
    return Processes(Count.UNKNOWN, "", by, reason)


def counted(text: str | None, by: Source | None) -> Processes:
    """The number that a setting gives: a whole number, or a word for as many as there are processors."""
    if text is None:
        return unknown("its value comes from outside", by)
    text = text.strip()
    number = whole_number(text.removeprefix("-"))
    if number is not None:
        # PM2 takes 0 for as many as there are processors, and -1 for one less. Nobody deploys no replica at all.
        return Processes(Count.ONE if number == 1 and text[0] != "-" else Count.MANY, text, by)
    if text.lower() in ("max", "auto", "true"):
        return Processes(Count.MANY, text, by)
    return unknown(f"`{text[:_SHOWN]}` is no number that it can have", by)


def product(factors: Iterable[Processes]) -> Processes:
    """So many times so many: many if anything makes it many, else unknown if anything is."""
    factors = list(factors)
    for state in (Count.MANY, Count.UNKNOWN):
        found = [each for each in factors if each.state is state]
        if found:
            text = " x ".join(each.text for each in found) if state is Count.MANY else ""
            return Processes(state, text, found[0].by, found[0].reason)
    return next((each for each in factors if each.by is not None), ONE)


def together(alternatives: Iterable[Processes]) -> Processes:
    """What holds of a service that is deployed in several ways: many if any is, else unknown if any is."""
    found = list(alternatives)
    for state in (Count.MANY, Count.UNKNOWN, Count.ONE):
        for each in found:
            if each.state is state:
                return each
    return unknown("nothing says how it is deployed")


# --- how often it is deployed -----------------------------------------------------------------------------------------


def copies_of(layers: Sequence[Layer]) -> Processes:
    """How often a variant with these layers runs, next to each other."""
    outer = layers[0]
    scaled = outer.settings.get("autoscale")
    if scaled is not None:
        return Processes(Count.MANY, "several", outer.at(scaled))
    kind_of_workload = outer.settings.get("type")
    if kind_of_workload is not None and kind_of_workload.value == "DaemonSet":
        return Processes(Count.MANY, "one a node", outer.at(kind_of_workload))
    mode = outer.settings.get("mode")
    if mode is not None and mode.value == "global":
        return Processes(Count.MANY, "one a node", outer.at(mode))
    replicas = outer.settings.get("replicas")
    if replicas is not None:
        return counted(replicas.value, outer.at(replicas))
    if outer.source.format.copies:
        return unknown(outer.source.format.copies, outer.source)
    if "@" in outer.source.name or "instance" in outer.settings:
        return unknown("it is started once for each instance", outer.source)
    return ONE


# --- how many workers a command starts --------------------------------------------------------------------------------


class _Server(msgspec.Struct, frozen=True):
    """How a server is told the number of its workers."""

    options: tuple[str, ...]
    variables: tuple[str, ...] = ()


_SERVERS = {
    "gunicorn": _Server(("-w", "--workers"), ("WEB_CONCURRENCY",)),
    "uvicorn": _Server(("--workers",), ("WEB_CONCURRENCY", "UVICORN_WORKERS")),
    "fastapi": _Server(("--workers",), ("WEB_CONCURRENCY",)),
    "hypercorn": _Server(("-w", "--workers"), ()),
    "granian": _Server(("--workers",), ("GRANIAN_WORKERS",)),
    "uwsgi": _Server(("-p", "--processes", "--workers"), ("UWSGI_PROCESSES", "UWSGI_WORKERS")),
    "sanic": _Server(("-w", "--workers"), ("SANIC_WORKERS",)),
    "robyn": _Server(("--processes",), ()),
    "litestar": _Server(("--wc", "--web-concurrency"), ("WEB_CONCURRENCY",)),
    "pm2": _Server(("-i", "--instances")),
    "pm2-runtime": _Server(("-i", "--instances")),
    "pm2-docker": _Server(("-i", "--instances")),
}
_DEFAULT = "nothing says more"
_CONFIGURATIONS = ("gunicorn", "uwsgi")
"""Kinds of files that a command line and the environment overrule."""
_BY_DEFAULT_MANY = frozenset({"celery", "dramatiq", "mod_wsgi-express", "circusd"})


def workers_of(launch: Launch, layers: Sequence[Layer], forks: Mapping[str, str]) -> Processes:
    """How many processes one start of a variant makes. `forks`: the source files that start workers, with how many: a
    number, or "" where that is not known."""
    found = list(_by_commands(launch))
    is_said = any(each.reason != _DEFAULT for each in found)
    for layer in layers:
        setting = layer.settings.get("workers")
        if setting is not None and not (is_said and layer.source.kind in _CONFIGURATIONS):
            found.append(counted(setting.value, layer.at(setting)))
    for path, count in sorted(forks.items()):
        source = Source.of_file("source", path)
        found.append(counted(count, source) if count else Processes(Count.MANY, "several", source))
    if not launch.language:
        found.append(unknown("what it starts is not known"))
    return product(found)


def _by_commands(launch: Launch) -> Iterator[Processes]:
    for step in launch.steps:
        name, words = _named(step.start.words)
        if name in _BY_DEFAULT_MANY:
            yield unknown(f"{name} decides how many it starts", step.source)
        server = _SERVERS.get(name)
        if server is None:
            continue
        said = _option(words, server.options)
        if said is None and name == "gunicorn":
            said = _option(_words_in(launch, "GUNICORN_CMD_ARGS"), server.options)
        if said is not None:
            values = {other: answer.value for other, answer in launch.env.known.items() if answer.state is State.SET}
            yield counted(expand(said, values) if has_variables(said) else said, step.source)
            continue
        for variable in server.variables:
            answer = launch.env.get(variable)
            if answer.state is State.SET:
                yield counted(answer.value, answer.by)
                break
            if answer.state is State.UNKNOWN:
                yield unknown(answer.reason, answer.by)
                break
        else:
            is_read = any(source.kind in _CONFIGURATIONS for source in launch.through)
            if name == "gunicorn" and _option(words, ("-c", "--config")) is not None and not is_read:
                yield unknown("its configuration may say it", step.source)
            yield Processes(Count.ONE, "1", step.source, _DEFAULT)


def manager_of(launch: Launch) -> tuple[str, LaunchStep] | None:
    """The server or process manager on the way to what is started that decides how many processes there are: its name
    and its command."""
    for step in launch.steps:
        name, _ = _named(step.start.words)
        if name in _SERVERS:
            return name, step
    return None


def _named(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The program that a command runs, also as `python -m program`, and the words behind it."""
    if not words:
        return "", ()
    name = posixpath.basename(words[0])
    if name.startswith("python") and "-m" in words[:-1]:
        at = words.index("-m") + 1
        return words[at], words[at + 1 :]
    return name, words[1:]


def _option(words: Sequence[str], names: Sequence[str]) -> str | None:
    """The last value that an option is given: `--workers 4`, `--workers=4`, `-w 4`, `-w4`."""
    found = None
    for at, word in enumerate(words):
        for name in names:
            if word == name and at + 1 < len(words):
                found = words[at + 1]
            elif word.startswith(f"{name}="):
                found = word[len(name) + 1 :]
            elif len(name) == 2 and re.fullmatch(rf"{name}\d+", word):
                found = word[2:]
    return found


def _words_in(launch: Launch, variable: str) -> Sequence[str]:
    answer = launch.env.get(variable)
    return answer.value.split() if answer.state is State.SET else ()
