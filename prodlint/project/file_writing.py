"""How files are written: never through a link that a project brings along, and never as another owner's."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path

from prodlint.project.discovery import exists, find_root, is_in_project, kind_of, locate
from prodlint.project.settings import CONFIG_NAME, PYPROJECT
from prodlint.project.vfs import FileSystem

_OWN = (CONFIG_NAME, PYPROJECT, ".gitignore", ".gitattributes", ".gitmodules")
"""Files that are no sources, and yet say what is done with them."""


def replace_file(path: Path, content: bytes) -> None:
    """Puts `content` in place of a file in one step, with the same mode and owner: whoever reads sees the old or the
    new bytes, never a part. Raises `OSError`, also where the owner cannot be kept."""
    before = path.stat()
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _give(temporary, before)
        temporary.chmod(stat.S_IMODE(before.st_mode))
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _give(path: Path, before: os.stat_result) -> None:
    now = path.stat()
    if (now.st_uid, now.st_gid) == (before.st_uid, before.st_gid):
        return
    try:
        os.chown(path, before.st_uid, before.st_gid)
    except OSError as error:
        raise OSError(error.errno, "it belongs to another user or group, which cannot be kept") from error


def write_file(path: Path, content: bytes) -> None:
    """Writes a file that the user named, or one of prodlint's own in a project. Raises `OSError` if it cannot be
    written, and where it is a link of the project, is behind one, or is no file."""
    absolute = Path.cwd() / path
    located = locate(absolute)
    if located.is_linked:
        reason = f"it is a link to {located.path}, and prodlint does not write through links"
        raise OSError(errno.ELOOP, reason, str(path))
    if exists(absolute) and not absolute.is_file() and is_in_project(located.path.parent):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    absolute.write_bytes(content)


def write_report(path: Path, content: bytes) -> None:
    """Writes a report to a file that the user named. Raises `OSError` like `write_file`, and where that is a source."""
    located = locate(Path.cwd() / path)
    if located.path.is_file() and _is_source(located.path):
        reason = "it is a source file, and prodlint does not write reports over those"
        raise OSError(errno.EEXIST, reason, str(path))
    write_file(path, content)


def _is_source(path: Path) -> bool:
    """Whether a file is one that prodlint reads, or of git's own."""
    root = find_root([path.parent]).folder
    inside = path.relative_to(root)
    return path.name in _OWN or ".git" in inside.parts or kind_of(inside.as_posix(), FileSystem(root)) is not None
