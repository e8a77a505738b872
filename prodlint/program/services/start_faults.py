"""What is wrong with how a variant is started, the gravest first: several rules see the same command, and the one that
names the cause speaks for all.

The order is: a server for development, a command that detaches, what npm and shells do to signals, and at last how many
processes there are.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from prodlint.extract.deployment.commands import PYTHON_SERVERS, StartKind
from prodlint.facts import ValueKind
from prodlint.models.frameworks import FRAMEWORKS
from prodlint.program.linking.resolver import keyword_of
from prodlint.program.services.launches import LaunchStep
from prodlint.program.services.variants import is_known

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Variant

_PM2_STARTS = frozenset({"start", "startOrRestart", "startOrReload", "startOrGracefulReload", "restart", "reload"})
_DETACHING_OPTIONS = {
    "gunicorn": ("-D", "--daemon"),
    "uwsgi": ("--daemonize", "-d"),
    "celery": ("--detach", "-D"),
    "hypercorn": ("--daemon",),
}
_OWN_SERVERS = (*(api for each in FRAMEWORKS for api in each.own_servers), "bottle.run", "bottle.Bottle().run")
"""APIs that run a framework's own server, which is made for development."""


def main_fault(program: Program, variant: Variant) -> str:
    """The rule that speaks for the way in which a variant is started, "" if it is started as it should be."""
    if dev_server(program, variant) is not None:
        return "dev-server"
    return "daemonizes-in-foreground" if detaching(variant) is not None else ""


def dev_server(program: Program, variant: Variant) -> LaunchStep | None:
    """The command that starts a server or a watcher for development, or the file that does so by code; where a script's
    name is all that says so, the command that runs the script."""
    steps = variant.launch.steps
    if not steps or any(step.start.conditions for step in steps):
        return None  # a variable decides whether it is run
    last = steps[-1]
    if last.start.is_dev and not _only_debugs(last):
        return last
    if last.start.kind is StartKind.PYTHON and _serves_for_development(program, variant):
        return last
    return next((step for step in steps if step.start.is_dev and step.start.kind is StartKind.PACKAGE_SCRIPT), None)


def _only_debugs(step: LaunchStep) -> bool:
    """Whether a server for production is started with an option for debugging, and nothing else is wrong with it."""
    words = step.start.words
    return _is_for_production(step) and "--debug" in words and not {"--reload", "dev"} & set(words)


def only_reloads(step: LaunchStep) -> bool:
    """Whether a server for production is started that merely watches its files, too."""
    return _is_for_production(step) and "--reload" in step.start.words and "dev" not in step.start.words


def _is_for_production(step: LaunchStep) -> bool:
    name = posixpath.basename(step.start.words[0]) if step.start.words else ""
    return name in PYTHON_SERVERS - {"flask", "quart"} or name.startswith("python")


def _serves_for_development(program: Program, variant: Variant) -> bool:
    """Whether the Python file that is started runs its framework's own server, or a server that reloads."""
    entry = program.by_path.get(variant.launch.entry)
    start = variant.launch.steps[-1].start
    if entry is None or not posixpath.basename(start.words[0]).startswith("python"):
        return False
    words = start.words
    if "-m" in words[:-1] and words[words.index("-m") + 1] in PYTHON_SERVERS:
        return False  # `python -m uvicorn app:app` imports the file, and runs no main guard
    for api in (*_OWN_SERVERS, "uvicorn.run"):
        for site in program.api_calls.get(api, ()):
            if site.file is entry and not program.dev_only(entry, site.call.region):
                reload = program.value(entry, keyword_of(site.call, "reload"))
                if api != "uvicorn.run" or (reload.kind is ValueKind.BOOL and reload.text == "true"):
                    return True
    return False


def detaching(variant: Variant) -> LaunchStep | None:
    """The command that goes to the background and ends, where a container, a unit or a platform waits for it."""
    if not _is_waited_for(variant):
        return None
    for step in variant.launch.steps:
        if not step.is_last or step.start.conditions:
            return None  # something else stays in the foreground, or may
        if detaches(step):
            return step
    return None


def _is_waited_for(variant: Variant) -> bool:
    return variant.format.is_waited_for and not is_known(variant.setting("type"), *variant.format.background_types)


def detaches(step: LaunchStep) -> bool:
    """Whether a command goes to the background."""
    words = step.start.words
    name = posixpath.basename(words[0]) if words else ""
    rest = [word for word in words[1:] if not word.startswith("-")]
    if step.start.is_background:
        return True
    if name == "pm2":
        return bool(_PM2_STARTS & set(rest)) and not {"--no-daemon", "--attach"} & set(words)
    if name == "forever":
        return rest[:1] in (["start"], ["restart"])
    if name == "celery" and rest[:1] == ["multi"]:
        return True
    return any(word.partition("=")[0] in _DETACHING_OPTIONS.get(name, ()) for word in words[1:])
