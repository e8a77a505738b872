"""Whether SIGTERM reaches what serves, through shells and package managers.

Measured with a server that handles SIGTERM: dash starts a child even for a single command and passes no signal on;
busybox's sh and bash become the last command of `-c` themselves. npm and yarn start scripts through /bin/sh, so the
same holds for them. pnpm passes signals on.
"""

from __future__ import annotations

import posixpath
from enum import Enum
from typing import TYPE_CHECKING

from prodlint.extract.deployment.commands import StartKind
from prodlint.program.services.setting_values import State
from prodlint.program.services.variants import base_of, shell_of

if TYPE_CHECKING:
    from prodlint.program.services import Variant
    from prodlint.program.services.launches import LaunchStep

_SIGNALS_ALL = frozenset({"heroku"})
"""Platforms that send SIGTERM to every process. Source: Heroku, "Dyno shutdown behavior"."""
_STARTS_CHILDREN = frozenset({"npm", "yarn", "yarnpkg"})


class Between(Enum):
    """What stands between the container's first process and the server."""

    MANAGER = "a package manager"
    SHELL = "a shell"


def in_between(variant: Variant) -> tuple[Between, LaunchStep] | None:
    """What may keep signals from the server of a container, and the command that puts it there; None if nothing does,
    or something passes them on to the whole process group."""
    if not variant.in_container or not variant.launch.steps or signals_all(variant):
        return None
    for step in variant.launch.steps:
        if signals_group(step):
            return None
        name = posixpath.basename(step.start.words[0]) if step.start.words else ""
        if step.start.kind is StartKind.PACKAGE_SCRIPT and not step.source.format.is_package_script:
            return (Between.MANAGER, step) if name in _STARTS_CHILDREN else None
    outer = variant.launch.steps[0]
    if outer.start.is_piped:
        return Between.SHELL, outer
    is_direct = outer.source.format.is_image and outer.is_shell and outer.is_last
    if is_direct and "exec" not in outer.start.wrappers and outer.start.kind is not StartKind.OPAQUE:
        return Between.SHELL, outer
    return None


def are_lost(variant: Variant, between: Between) -> bool:
    """Whether the shell there is known to pass no signal on: every shell that waits for a pipeline. A SHELL of the
    Dockerfile takes the place of the image's for its own commands."""
    if between is Between.SHELL and variant.launch.steps[0].start.is_piped:
        return True
    if between is Between.SHELL and variant.setting("shell").state is not State.ABSENT:
        return False
    return shell_of(base_of(variant)) == "dash"


def signals_all(variant: Variant) -> bool:
    """Whether the platform that starts a variant signals all of its processes."""
    return variant.platform in _SIGNALS_ALL


def signals_group(step: LaunchStep) -> bool:
    """Whether an init that signals all processes runs the command: `dumb-init`, `tini -g`."""
    return bool({"dumb-init", "tini -g"} & set(step.start.wrappers))
