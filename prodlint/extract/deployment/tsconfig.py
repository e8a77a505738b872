"""tsconfig.json and jsconfig.json: `paths` and `baseUrl`, which decide what a specifier means, and whether a module of
CommonJS has a default export.

Source: the TSConfig reference (`baseUrl`, `paths`). The files may hold comments and trailing commas.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator

import msgspec

from prodlint.facts import Artefact, FileFacts, Setting, SyntaxProblem
from prodlint.lazy_regex import regex

_NOISE = regex(r'("(?:\\.|[^"\\])*+"?)|//[^\n]*+|/\*.*?(?:\*/|\Z)|,(?=\s*+[}\]])', re.DOTALL)


_WITH_INTEROP = ("node16", "node18", "node20", "nodenext", "preserve")
"""The kinds of modules that have it without asking."""


class PathAlias(msgspec.Struct, frozen=True):
    """One entry of tsconfig's `paths`: specifiers that match `pattern` are looked for at `targets`, which are relative
    to the project root. `scope` is the folder of the tsconfig: only files below it are affected."""

    scope: str
    pattern: str
    targets: tuple[str, ...]


def extract(data: bytes, path: str) -> FileFacts:
    """The facts of a tsconfig file: one setting per entry of `paths` (its targets joined by newlines), `baseUrl`, and
    `esModuleInterop`, unless a file that this one extends decides it."""
    text = _NOISE.sub(lambda match: match.group(1) or "", data.decode("utf-8-sig", "replace"))
    try:
        whole = json.loads(text)
        options = whole.get("compilerOptions", {})
        base = options.get("baseUrl")
        paths = {key: [str(item) for item in value] for key, value in (options.get("paths") or {}).items()}
    except (ValueError, AttributeError, TypeError, RecursionError):
        return FileFacts(
            "tsconfig", problems=[SyntaxProblem("this is no JSON object that TypeScript could read", 0, 0)]
        )
    settings = [Setting(f"paths.{key}", "\n".join(targets), 0, 0) for key, targets in paths.items()]
    if isinstance(base, str):
        settings.append(Setting("baseUrl", base, 0, 0))
    said = options.get("esModuleInterop")
    is_implied = str(options.get("module", "")).lower() in _WITH_INTEROP
    if isinstance(said, bool) or is_implied or "extends" not in whole:
        settings.append(Setting("esModuleInterop", "true" if said or (said is None and is_implied) else "false", 0, 0))
    return FileFacts("tsconfig", artefacts=[Artefact("tsconfig", "", 0, len(data), 0, 0, settings)])


def path_aliases(path: str, facts: FileFacts) -> Iterator[PathAlias]:
    """The aliases that the tsconfig file `path` gives to the files of its folder."""
    folder = posixpath.dirname(path)
    settings = {setting.key: setting.value or "" for artefact in facts.artefacts for setting in artefact.settings}
    base = posixpath.normpath(posixpath.join(folder, settings.get("baseUrl", "."))).removeprefix(".")
    for key, value in settings.items():
        if key.startswith("paths."):
            targets = tuple(posixpath.normpath(posixpath.join(base, target)) for target in value.split("\n"))
            yield PathAlias(folder, key.removeprefix("paths."), targets)
    if "baseUrl" in settings:
        yield PathAlias(folder, "*", (posixpath.join(base, "*"),))
