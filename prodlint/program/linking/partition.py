"""Which files of a project can have to do with each other. A folder may hold several projects, each with its own
manifest and nothing around them: they are linked and checked apart, and only what changed is done again.

Whatever may tie files together does: an import, a path that leads out of a project, the name of another project's
folder or package in a deployment file, and any deployment file that lies in none of the projects.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Set
from functools import cache

from prodlint.extract.fact_table import FactTable
from prodlint.facts import SOURCE, FileFacts
from prodlint.lazy_regex import regex
from prodlint.program.linking.manifests import Versions
from prodlint.program.linking.modules import NodeModules, PythonModules, aliases_in, requested
from prodlint.project.discovery import MARKERS, SourceFile
from prodlint.project.paths import folders_of

_MANIFESTS = frozenset({"package_json", "python_requirements"})
_OUTSIDE = regex(r"\.\./[\w./@+-]*|\.\.$")


def components(files: Iterable[SourceFile], table: FactTable) -> list[list[str]]:
    """The paths of those `files` that have facts in groups, each sorted, in the order of their first paths."""
    there = [file for file in files if file.path in table]
    marked = (file for file in there if file.kind in _MANIFESTS or posixpath.basename(file.path) in MARKERS)
    manifests = {posixpath.dirname(file.path) for file in marked}
    homes = {folder for folder in manifests if manifests.isdisjoint(folders_of([folder]))}
    if len(homes) < 2:
        return [sorted(file.path for file in there)]
    return _Components(there, table, homes).groups()


class _Components:
    """The projects of a folder, and which of them belong together."""

    def __init__(self, files: Iterable[SourceFile], table: FactTable, homes: Set[str]) -> None:
        self._homes = homes
        self._home = cache(self._find_home)
        self._sources = {file.path: table.outline(file.path) for file in files if file.kind in SOURCE}
        self._deployment = {file.path: table[file.path] for file in files if file.kind not in SOURCE}
        self._packages = Versions(self._deployment).packages
        self._leader = {home: home for home in (*homes, "")}  # the last for the sources that lie in no project

    def groups(self) -> list[list[str]]:
        """See `components`."""
        paths = sorted((*self._sources, *self._deployment))
        if not all(map(self._home, self._deployment)):
            return [paths]
        self._join_by_deployment()
        self._join_by_imports()
        found: dict[str, list[str]] = {}
        for path in paths:
            found.setdefault(self._find(self._home(path)), []).append(path)
        return list(found.values())

    def _find_home(self, path: str) -> str:
        """The project that a path lies in; "" for none."""
        return next(iter(self._homes & folders_of([path])), "")

    # --- what joins them

    def _join_by_deployment(self) -> None:
        names = self._names()
        word = re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, names), key=len, reverse=True))})\b")
        for path, facts in self._deployment.items():
            home = self._home(path)
            for text in _texts(facts):
                for way in _OUTSIDE.findall(text):
                    to = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), way))[1:]
                    # Scripts change folders in order to come back.
                    if facts.kind != "shell" or to not in folders_of([f"{home}/"]):
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
            if other == self._home(f"{path}/") or path in folders_of([other]):
                self._join(home, other)

    def _join_by_imports(self) -> None:
        python = PythonModules(path for path in self._sources if path.endswith(".py"))
        node = NodeModules(
            (path for path in self._sources if not path.endswith(".py")), self._packages, aliases_in(self._deployment)
        )
        for path, outline in self._sources.items():
            modules = python if path.endswith(".py") else node
            for module in requested(outline):
                found = modules.resolve(path, module)
                if found is not None:
                    self._join(self._home(path), self._home(found))

    # --- union and find

    def _find(self, home: str) -> str:
        while self._leader[home] != home:
            home = self._leader[home]
        return home

    def _join(self, one: str, other: str) -> None:
        self._leader[self._find(one)] = self._find(other)


def _texts(facts: FileFacts) -> Iterator[str]:
    """Whatever a deployment file says."""
    for artefact in facts.artefacts:
        yield artefact.name
        yield from artefact.refs
        for setting in artefact.settings:
            yield setting.value or ""
