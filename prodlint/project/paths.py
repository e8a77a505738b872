"""Paths in a project: POSIX, relative to its root, which is ""."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable


def joined(folder: str, path: str) -> str:
    """`folder/path` in the project, normalised; "" is the project's root."""
    result = posixpath.normpath(posixpath.join(folder, path))
    return "" if result == "." else result


def folders_of(paths: Iterable[str]) -> frozenset[str]:
    """All folders that have any of the paths in them, at any depth; the project's root is ""."""
    folders = {""}
    for path in paths:
        folder = posixpath.dirname(path)
        while folder not in folders:
            folders.add(folder)
            folder = posixpath.dirname(folder)
    return frozenset(folders)
