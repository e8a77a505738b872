"""Which source files something deployed starts by their names, as far as that takes no more than reading the words of
commands. What a service is, and how it is started, is worked out from this program (`prodlint.program.services`)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Set

from prodlint.facts import FileFacts
from prodlint.lazy_regex import regex

_STARTS = frozenset(
    {"dockerfile", "compose", "procfile", "systemd", "upstart", "pm2", "kubernetes", "supervisord", "platform"}
)
_WORD = regex(r"[^\s\"'\[\],;&|()=]++")
_MODULE = regex(r"[A-Za-z_][\w.]*+(?::[\w.]++(?:\(\))?)?")
_SCRIPTS = ("start", "prod", "production", "serve", "start:prod", "start:production", "serve:prod")


def started_files(files: Mapping[str, FileFacts], paths: Iterable[str]) -> Set[str]:
    """Those of the source files `paths` that a command starts: one of a deployment file among the facts of `files`, or
    the script that starts a package."""
    words = [(posixpath.dirname(path), word) for path, facts in files.items() for word in _words(facts)]
    return {path for path in paths if any(_is_meant(path, folder, word) for folder, word in words)}


def _words(facts: FileFacts) -> Iterator[str]:
    for artefact in facts.artefacts:
        is_script = facts.kind == "package_json" and artefact.kind == "script" and artefact.name in _SCRIPTS
        if is_script or facts.kind in _STARTS:
            for setting in artefact.settings:
                yield from _WORD.findall(setting.value or "")


def _is_meant(path: str, folder: str, word: str) -> bool:
    """Whether a word of a command that stands in a file of `folder` is a source file's path or module."""
    inner = path[len(folder) :].lstrip("/") if path.startswith(f"{folder}/") or not folder else path
    stem = inner.rpartition(".")[0]
    if path.endswith(".py"):
        module = stem.removesuffix("/__main__").removesuffix("/__init__").replace("/", ".")
        if _MODULE.fullmatch(word) is not None and word.partition(":")[0] == module:
            return "." in module or ":" in word or inner.endswith("/__main__.py")
    name = word.removeprefix("./")
    is_path = "/" in name or "." in name
    return is_path and (name in (inner, stem) or f"/{name}".endswith(f"/{inner}"))
