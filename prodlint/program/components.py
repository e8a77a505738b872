"""Which files of a project can have to do with each other. A folder may hold several projects, each with its own
manifest and nothing around them: they are linked and checked apart, and only what changed is done again.

Whatever may tie files together does: an import, a path that leads out of a project, the name of another project's
folder or package in a deployment file, and any deployment file that lies in none of the projects.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from prodlint.extraction import SOURCE, FactTable
from prodlint.facts import FileFacts, Import, ImportKind
from prodlint.files import MARKERS
from prodlint.patterns import regex
from prodlint.program.modules import NodeModules, PythonModules, aliases_in
from prodlint.program.versions import Versions

_MANIFESTS = frozenset({"package_json", "python_requirements"})
_OUTSIDE = regex(r"\.\./[\w./@+-]*|\.\.$")


def components(table: FactTable) -> list[list[str]]:
    """The paths in groups, each sorted, in the order of their first paths."""
    return _Components(table).groups()


class _Components:
    """The projects of a folder, and which of them belong together."""

    def __init__(self, table: FactTable) -> None:
        self._outlines = {path: table.outline(path) for path in table}
        manifests = {
            posixpath.dirname(path)
            for path, each in self._outlines.items()
            if each.kind in _MANIFESTS or posixpath.basename(path) in MARKERS
        }
        self._homes = {folder for folder in manifests if not any(above in manifests for above in _above(folder))}
        self._leader = {home: home for home in self._homes}
        self._deployment = {path: table[path] for path, each in self._outlines.items() if each.kind not in SOURCE}
        self._packages = Versions(self._deployment).packages

    def groups(self) -> list[list[str]]:
        """See `components`."""
        if len(self._homes) < 2 or any(not self._home(path) for path in self._deployment):
            return [sorted(self._outlines)]
        self._leader[""] = ""  # the sources that lie in no project
        self._join_by_deployment()
        self._join_by_imports()
        found: dict[str, list[str]] = {}
        for path in sorted(self._outlines):
            found.setdefault(self._find(self._home(path)), []).append(path)
        return list(found.values())

    def _home(self, path: str) -> str:
        return next((folder for folder in _above(path) if folder in self._homes), "")

    # --- what joins them

    def _join_by_deployment(self) -> None:
        names = self._names()
        word = re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, names), key=len, reverse=True))})\b")
        for path, facts in self._deployment.items():
            home = self._home(path)
            for text in _texts(facts):
                for way in _OUTSIDE.findall(text):
                    to = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), way))[1:]
                    is_above = not to or home == to or home.startswith(f"{to}/")
                    if not (is_above and facts.kind == "shell"):  # scripts change folders in order to come back
                        self._join_with(home, to)
                if facts.kind not in _MANIFESTS and facts.kind != "shell":
                    for name in word.findall(text):
                        self._join(home, names[name])

    def _names(self) -> dict[str, str]:
        """What deployment files may call a project: its folder, or what an image is called that is built in it."""
        names = {posixpath.basename(home): home for home in self._homes}
        for path, facts in self._deployment.items():
            if facts.kind == "dockerfile":
                folder = posixpath.dirname(path)
                package = self._packages.get(folder)
                for name in (posixpath.basename(folder), package.name.rpartition("/")[2] if package else ""):
                    if name:
                        names.setdefault(name, self._home(path))
        return names

    def _join_with(self, home: str, path: str) -> None:
        """Joins a project with the one in which `path` is, or with all that are in it."""
        for other in self._homes:
            if not path or path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/"):
                self._join(home, other)

    def _join_by_imports(self) -> None:
        paths = [path for path, each in self._outlines.items() if each.kind in SOURCE]
        python = PythonModules(path for path in paths if path.endswith(".py"))
        node = NodeModules(
            (path for path in paths if not path.endswith(".py")), self._packages, aliases_in(self._deployment)
        )
        for path in paths:
            home = self._home(path)
            modules = python if path.endswith(".py") else node
            for module in _modules(self._outlines[path].imports, path.endswith(".py")):
                found = modules.resolve(path, module)
                if found is not None and not (home and found.startswith(f"{home}/")):
                    self._join(home, self._home(found))

    # --- union and find

    def _find(self, home: str) -> str:
        while self._leader[home] != home:
            home = self._leader[home]
        return home

    def _join(self, one: str, other: str) -> None:
        self._leader[self._find(one)] = self._find(other)


def _above(path: str) -> Iterator[str]:
    """The folders above a path, the outermost first."""
    parts = path.split("/")[:-1]
    yield ""
    for end in range(1, len(parts) + 1):
        yield "/".join(parts[:end])


def _texts(facts: FileFacts) -> Iterator[str]:
    """Whatever a deployment file says."""
    for artefact in facts.artefacts:
        yield artefact.name
        yield from artefact.refs
        for setting in artefact.settings:
            yield setting.value or ""


def _modules(imports: Iterable[Import], is_python: bool) -> Iterator[str]:
    for request in imports:
        if request.kind is not ImportKind.TYPE:
            yield request.module
            if is_python:
                dot = "" if request.module.endswith(".") else "."
                yield from (f"{request.module}{dot}{name}" for name in request.names if name)
