"""The deployment files of a project beside its source files: which there are, and where."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property

from prodlint.facts import FileFacts
from prodlint.program.services.model import SourceView
from prodlint.project.globs import compiled_glob
from prodlint.project.paths import folders_of


class DeploymentFiles:
    """The facts of a project's deployment files, with what is known of its source code."""

    def __init__(self, files: Mapping[str, FileFacts], view: SourceView) -> None:
        """`files`: the facts of the deployment files by path."""
        self.files = files
        self.view = view
        self.by_kind: dict[str, list[str]] = defaultdict(list)
        """The paths of the files of each kind, in order."""
        for path, facts in sorted(files.items()):
            self.by_kind[facts.kind].append(path)

    def package_above(self, folder: str) -> str:
        """The nearest folder with a package.json."""
        while folder and folder not in self.view.packages:
            folder = posixpath.dirname(folder)
        return folder

    @cached_property
    def known_paths(self) -> frozenset[str]:
        """All files and folders that are known."""
        paths = {*self.view.paths, *self.files}
        return frozenset(paths) | folders_of(paths)

    def has_code(self, folder: str) -> bool:
        """Whether a folder is that of a package, or has source files in it."""
        return folder in self.view.packages or folder in self._folders_with_code

    @cached_property
    def _folders_with_code(self) -> frozenset[str]:
        return frozenset(posixpath.dirname(path) for path in self.view.paths)

    def exists(self, path: str) -> bool:
        """Whether a file or folder is known; `path` may be a glob."""
        if path in self.known_paths:
            return True
        if "*" not in path:
            return False
        matches = compiled_glob(path).fullmatch
        return any(matches(known) for known in self.known_paths)
