"""Where a command runs: which file of the project a path means there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from prodlint.program.services.setting_values import Source
from prodlint.project.paths import joined


class Place(Protocol):
    """Where a command runs: it knows which file of the project a path means there."""

    def places(self, path: str) -> Iterable[str]:
        """The paths in the project that `path` may stand for, likeliest first."""
        ...

    def written(self, path: str) -> tuple[str, Source] | None:
        """The text of a file that is in no file of the project, as what makes the place writes it, and what does."""
        ...


class FolderPlace(msgspec.Struct, frozen=True):
    """A folder of the project itself; with `is_elsewhere`, a copy of it on some machine: then absolute paths mean
    what they end in."""

    folder: str
    is_elsewhere: bool = False

    def places(self, path: str) -> Iterator[str]:
        """The path below the folder; of an absolute one every end of it."""
        if not path.startswith("/"):
            yield joined(self.folder, path)
        if self.is_elsewhere or path.startswith("/"):
            parts = [part for part in path.split("/") if part not in ("", ".")]
            for at in range(len(parts)):
                yield joined(self.folder, "/".join(parts[at:]))
                yield "/".join(parts[at:])
            yield self.folder

    def written(self, path: str) -> None:
        """Nothing is."""


class MountedPlace(msgspec.Struct, frozen=True):
    """A place with folders of the project mounted over it: (path in the project, path there)."""

    under: Place
    workdir: str
    mounts: tuple[tuple[str, str], ...]

    def places(self, path: str) -> Iterator[str]:
        """What is mounted there, then what lies under it."""
        absolute = posixpath.normpath(posixpath.join(self.workdir, path))
        for source, target in self.mounts:
            if absolute == target or absolute.startswith(target.rstrip("/") + "/"):
                yield joined(source, absolute[len(target) :].lstrip("/"))
        yield from self.under.places(path)

    def written(self, path: str) -> tuple[str, Source] | None:
        """What is written under the mounted folders."""
        return self.under.written(posixpath.normpath(posixpath.join(self.workdir, path)))


class MovedPlace(msgspec.Struct, frozen=True):
    """A place after `cd folder`."""

    place: Place
    folder: str

    def places(self, path: str) -> Iterable[str]:
        """Where `path` is, from the folder."""
        return self.place.places(posixpath.join(self.folder, path))

    def written(self, path: str) -> tuple[str, Source] | None:
        """The file that is written to `path`, from the folder."""
        return self.place.written(posixpath.join(self.folder, path))
