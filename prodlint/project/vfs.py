"""Where the bytes of linted files come from. Nothing else in prodlint opens one."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

SIZE_LIMIT = 10_000_000
"""Larger files are skipped: no person wrote them, and nobody could act on what is found in them."""

# Without O_NONBLOCK, opening a FIFO that nobody writes to would wait for ever.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Unreadable(Exception):
    """The file `path` gives no bytes; `reason` says why, in words that continue "cannot read PATH: "."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class TooLarge(Unreadable):
    """The file is over the size limit: skipped on purpose; a failure only if the user asked for this very file."""


class Stamp(NamedTuple):
    """What the file system says of a file. Equal stamps mean equal content, if the older one was not taken at once
    after a change (see `Cache`)."""

    mtime_ns: int
    ctime_ns: int
    size: int
    inode: int


class FileSystem:
    """Bytes by path (POSIX, relative to the project root): from `overlay` first, then from the disk below `root`.

    Without a `root`, in memory, the overlay is all there is. Immutable: `with_overlay` gives another one.
    """

    def __init__(
        self, root: Path | None, overlay: Mapping[str, bytes] | None = None, size_limit: int = SIZE_LIMIT
    ) -> None:
        self.root = root
        self.overlay: Mapping[str, bytes] = dict(overlay or {})
        self._size_limit = size_limit
        self._prefix = "" if root is None else f"{os.fspath(root).rstrip(os.sep)}{os.sep}"

    def with_overlay(self, files: Mapping[str, bytes]) -> FileSystem:
        """The same file system, with these bytes for `files`."""
        return FileSystem(self.root, {**self.overlay, **files}, self._size_limit)

    def read(self, path: str) -> bytes:
        """The bytes of a file; raises `Unreadable`."""
        data = self.beginning(path, self._size_limit + 1)
        if len(data) > self._size_limit:
            size = self.stamp(path)
            raise TooLarge(
                path,
                f"skipped: {(size.size if size else len(data)) / 1e6:.1f} MB "
                f"is more than the limit of {self._size_limit / 1e6:.0f} MB",
            )
        return data

    def first_line(self, path: str) -> bytes:
        """The beginning of a file, up to the first line's end or 100 bytes; raises `Unreadable`."""
        return self.beginning(path, 100).split(b"\n", 1)[0]

    def beginning(self, path: str, count: int) -> bytes:
        """The first `count` bytes of a file, or all of it if it is shorter; raises `Unreadable`."""
        if (data := self.overlay.get(path)) is not None:
            return data[:count]
        if self.root is None:
            raise Unreadable(path, "no such file")
        try:
            return read_regular(self._prefix + path, count)
        except (OSError, ValueError) as error:
            raise Unreadable(path, describe(error)) from error

    def stamp(self, path: str) -> Stamp | None:
        """The stamp of a file on disk; None where the bytes come from elsewhere or cannot be had."""
        if self.root is None or path in self.overlay:
            return None
        try:
            info = os.stat(self._prefix + path)  # noqa: PTH116 - measured: pathlib doubles the time
        except (OSError, ValueError):
            return None
        return Stamp(info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino)


def read_regular(path: str | Path, count: int = SIZE_LIMIT) -> bytes:
    """The first `count` bytes of a regular file; raises `OSError` where there is none, and waits for nobody."""
    descriptor = os.open(path, _READ)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            return file.read(count)
    finally:
        os.close(descriptor)


def describe(error: Exception) -> str:
    """Why the operating system refused, in lower case and without the path: "permission denied"."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return str(error)
