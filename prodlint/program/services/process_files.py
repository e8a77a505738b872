"""Files that list processes, as commands use them: PM2's process files (`pm2 start ecosystem.config.js --env live`) and
supervisord's configuration."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence

from prodlint.extract.deployment.commands import Start
from prodlint.facts import Artefact, FileFacts
from prodlint.program.services.environment import Environment
from prodlint.program.services.places import Place
from prodlint.program.services.setting_values import Source, source_of

PROCESSES = ("app", "program", "server")
"""Kinds of the artefacts that are processes in such files."""
DEFAULT = "ecosystem.config.js"
"""What PM2 reads if nothing is named."""


def environments_of(words: Sequence[str]) -> str:
    """The name behind `--env`, "" for none."""
    return _value(words, "--env")


def apps_of(words: Sequence[str], path: str, facts: FileFacts) -> Iterator[tuple[Source, Artefact]]:
    """The apps of a process file that a command starts."""
    only = {name.strip() for name in _value(words, "--only").split(",")} - {""}
    for artefact in facts.artefacts:
        if artefact.kind in PROCESSES and (not only or artefact.name in only):
            yield source_of(path, facts.kind, artefact), artefact


def set_env(env: Environment, path: str, kind: str, artefact: Artefact, name: str) -> None:
    """Sets what an app has in `env`, and in `env_NAME` if it is started with that."""
    for prefix in ("env.", f"env_{name}."):
        for setting in artefact.settings:
            if name or prefix == "env.":
                source = source_of(path, kind, artefact, setting)
                if setting.key == f"{prefix}..." or (prefix == "env." and setting.key in ("env_file", "unknown")):
                    env.mark_unknown(source, "what is spread into it is not known")
                elif setting.key.startswith(prefix):
                    env.set(setting.key.removeprefix(prefix), setting.value, source)


def environments_in(artefact: Artefact) -> Mapping[str, set[str]]:
    """The variables of each `env_NAME` of an app."""
    found: dict[str, set[str]] = {}
    for setting in artefact.settings:
        head, dot, name = setting.key.partition(".")
        if dot and head.startswith("env_"):
            found.setdefault(head.removeprefix("env_"), set()).add(name)
    return found


def configuration_of(start: Start, place: Place) -> Iterator[str]:
    """Where the configuration may be that Gunicorn or uWSGI is started with."""
    words = start.words
    names = [posixpath.basename(word) for word in words]
    if "gunicorn" in names:
        said = _value(words, "-c") or _value(words, "--config") or "gunicorn.conf.py"
        yield from place.places(said.removeprefix("file:"))
    elif "uwsgi" in names:
        said = _value(words, "--ini") or next((word for word in words if word.endswith(".ini")), "")
        if said:
            yield from place.places(said)


def names(target: str, path: str) -> bool:
    """Whether a command that names `target` may mean the file `path`."""
    return posixpath.basename(target or DEFAULT) == posixpath.basename(path)


def _value(words: Sequence[str], option: str) -> str:
    for at, word in enumerate(words):
        if word == option and at + 1 < len(words):
            return words[at + 1]
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return ""
