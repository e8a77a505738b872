"""Which command of a Dockerfile installs the Node packages that an image has in the end, and whether it leaves those
for development out."""

from __future__ import annotations

import itertools
import json
import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from prodlint.extract.deployment.commands import Start, StartKind, starts
from prodlint.facts import Artefact, Setting
from prodlint.lazy_regex import regex
from prodlint.program.services.images import Image

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Variant

_MANAGERS = frozenset({"npm", "yarn", "pnpm", "bun", "yarnpkg"})
_INSTALLS = frozenset({"install", "ci", "i", "clean-install", "install-clean", "add", "isntall"})
_LEAVE_OUT = regex(r"--omit=dev|--production(?:=true)?|--prod|-P|--only=prod(?:uction)?|--no-dev")
_NEXT_WORD = {"--omit": ("dev",), "--only": ("prod", "production")}
_DEEPEST = 5


class Install(msgspec.Struct, frozen=True):
    """A command that installs everything that package.json names."""

    stage: Artefact
    setting: Setting
    manager: str
    words: tuple[str, ...]
    builds: bool
    """Whether a later command of the stage, or of those built on it, needs what it installs."""


def dev_install(program: Program, variant: Variant) -> Install | None:
    """The command that leaves packages for development in a variant's image; None if none does, as far as is known."""
    path, _, name = variant.image.partition("#")
    facts = program.facts.get(path)
    stage = next((each for each in facts.artefacts if each.name == name), None) if facts is not None else None
    if facts is None or stage is None:
        return None
    return _of_image(Image(path, facts, stage, ""), 0)


def _of_image(image: Image, depth: int) -> Install | None:
    """The last word on an image's packages: its own installation, or that of the stage that it copies them from."""
    found: Install | None = None
    production = False
    has_own = False
    for stage in image.stages:
        for setting in stage.settings:
            if setting.key in ("env.NODE_ENV", "arg.NODE_ENV"):
                production = setting.value == "production"
            elif setting.key == "copy" and setting.value and depth < _DEEPEST:
                other = _copied_packages(image, setting.value)
                if _was_set_aside(setting.value):
                    found, has_own = None, True
                elif other is not None:
                    found, has_own = _of_image(other, depth + 1), True
            elif setting.key.startswith("run."):
                for start in run_starts(setting):
                    kind = _effect(start, production=production)
                    if kind == "all" and start.is_conditional:
                        found, has_own = None, True  # who builds the image decides
                    elif kind == "all":
                        found, has_own = Install(stage, setting, _manager(start), start.words, builds=False), True
                    elif kind == "production":
                        found, has_own = None, True
                    elif found is not None and _needs_packages(start):
                        found = Install(found.stage, found.setting, found.manager, found.words, builds=True)
    return found if has_own else None


def run_starts(setting: Setting) -> list[Start]:
    """The commands of a RUN."""
    value = setting.value or ""
    if setting.key.endswith(".exec"):
        return starts(json.loads(value))
    return starts([re.sub(r"^(?:--\S+\s+)+", "", value)], is_shell=True)


def _manager(start: Start) -> str:
    return posixpath.basename(start.words[0])


def _effect(start: Start, *, production: bool) -> str:
    """What a command does to the packages: `all`, `production`, or "" for nothing."""
    words = start.words
    if start.kind is not StartKind.OTHER or not words or _manager(start) not in _MANAGERS:
        return "production" if words[:1] == ("rm",) and any("node_modules" in word for word in words) else ""
    verb = next((word for word in words[1:] if not word.startswith("-")), "")
    leaves_out = production or dict(start.env).get("NODE_ENV") == "production" or _leaves_out(words)
    if "--include=dev" in words or "--production=false" in words:
        leaves_out = False
    if verb in ("prune", "deploy", "workspaces"):
        return "production" if leaves_out else ""
    if not verb:
        return ("production" if leaves_out else "all") if _manager(start).startswith("yarn") else ""
    named = [word for word in words[2:] if not word.startswith("-")]
    if verb not in _INSTALLS or {"-g", "--global"} & set(words) or (named and not _leaves_out(words)):
        return ""
    return "production" if leaves_out else "all"


def _leaves_out(words: Sequence[str]) -> bool:
    pairs = itertools.pairwise(words)
    return any(_LEAVE_OUT.fullmatch(word) for word in words) or any(
        second in _NEXT_WORD.get(first, ()) for first, second in pairs
    )


def _needs_packages(start: Start) -> bool:
    """Whether a command may run what was installed: a script, a tool of node_modules, anything but the shell's own."""
    name = posixpath.basename(start.words[0]) if start.words else ""
    if start.kind is StartKind.OTHER:
        return (
            "npx" in start.wrappers
            or "node_modules" in (start.words[0] if start.words else "")
            or name in ("npx", "tsc")
        )
    return True


def _copied_packages(image: Image, copied: str) -> Image | None:
    """The stage that a COPY takes node_modules from, alone or with all of the application."""
    what = json.loads(copied)
    origin = what["from"].lower()
    if not origin:
        return None
    for number, stage in enumerate(image.facts.artefacts):
        if origin in (stage.name.lower(), str(number)) and stage is not image.stage:
            other = Image(image.path, image.facts, stage, "")
            folders = {other.workdir.rstrip("/"), *_above(other.workdir)}
            if any("node_modules" in source or _absolute(other, source) in folders for source in what["sources"]):
                return other
    return None


def _was_set_aside(copied: str) -> bool:
    """Whether a COPY takes packages that another stage keeps under a name of their own: `prod_node_modules`."""
    what = json.loads(copied)
    names = [posixpath.basename(source.rstrip("/")) for source in what["sources"]]
    return bool(what["from"]) and any("node_modules" in name and name != "node_modules" for name in names)


def _absolute(image: Image, source: str) -> str:
    return posixpath.normpath(posixpath.join(image.workdir, source)).rstrip("/")


def _above(folder: str) -> Iterator[str]:
    while len(folder) > 1:
        yield folder
        folder = posixpath.dirname(folder)
