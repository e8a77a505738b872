"""What a git repository holds, read by git from object ids, without anything that the repository configures.

The repository may come from anybody, and a git configuration can name programs in a hundred places. So git does not get
to see this one: it works in a temporary folder that is made here, with a configuration of its own, in which refs and
objects are those of the repository. The files of the working copy are read by prodlint, never by git.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import NamedTuple

import msgspec

from prodlint.lazy_regex import regex
from prodlint.project.vfs import SIZE_LIMIT, describe, read_regular

_TIMEOUT_SECONDS = 120
_MOST_BYTES = 300_000_000
"""Of all files of a revision together that are read at once: packed, they can be a thousand times smaller."""
_MOST_LISTED = 100_000_000
"""Bytes of any other answer. Folders that hold the same folder ten times each list more files than there can be."""
_LARGEST_REF = 100_000
"""Bytes of a file with one ref, which git reads whole."""
_LARGEST_LOG = 100_000_000
"""Bytes of a file with many refs, or with what they were."""
_MOST_OBJECT_FOLDERS = 100

_CLOSED = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
"""The variables of git that are set, besides where the repository is. None is taken over from the environment."""
_CONFIG = f"""\
[core]
	bare = true
	attributesFile = {os.devnull}
	excludesFile = {os.devnull}
	fsmonitor = false
	hooksPath = {os.devnull}
[protocol]
	allow = never
"""
_KEPT = regex(
    r"core\.repositoryformatversion|extensions\.(objectformat|refstorage)"
    r"|branch\..*\.(remote|merge)|remote\..*\.fetch",
    re.DOTALL,
)
"""The settings of the repository that count: how objects and refs are stored, and what `@{upstream}` means."""


_FOUND_OR_NOT = (0, 1)
"""The exit codes of commands that look for something."""
_NO_NAMES = frozenset({b"", b".", b".."})


class GitError(Exception):
    """git is not there, the folder is in no repository, or something is not in it."""


class Tree(NamedTuple):
    """The files of a folder as a commit has them, by their paths below the folder."""

    files: dict[str, str]
    """The object ids of regular files."""
    submodules: frozenset[str]
    """Where other repositories begin."""


class Difference(msgspec.Struct):
    """How texts differ, by their numbers."""

    lines: dict[int, list[range]] = {}
    """The lines (from 1) of a new text that the old one has not."""
    renamed: dict[int, int] = {}
    """Old texts without a new one of the same number, and the new text without an old one that they became."""


@contextmanager
def open_repository(folder: Path) -> Iterator[Repository]:
    """The repository in whose working copy `folder` lies; raises `GitError`."""
    folder = Path(os.path.realpath(folder))
    top = next((above for above in (folder, *folder.parents) if os.path.lexists(above / ".git")), None)
    if top is None:
        raise GitError("this is not a git repository")
    own = _git_folder(top)
    git = _executable(top)
    with TemporaryDirectory(prefix="prodlint-git-") as place:
        yield Repository(top, own, git, Path(place))


class Repository:
    """A repository, for as long as the temporary folder `place` is there."""

    def __init__(self, top: Path, own: Path, git: str, place: Path) -> None:
        """`own` is the git folder of the working copy at `top`."""
        self.top = top
        self.is_sparse = os.path.lexists(own / "info" / "sparse-checkout")
        """Whether files of the commit may have been left out of the working copy."""
        self._git = git
        self._place = place
        common = _common_folder(own)
        _check_files(common)
        kept = (name for name in os.environ if not name.upper().startswith("GIT_"))
        self._environment = {
            **{name: os.environ[name] for name in kept},
            **_CLOSED,
            **{"GIT_DIR": str(place), "GIT_OBJECT_DIRECTORY": str(common / "objects")},
            **{"HOME": str(place), "XDG_CONFIG_HOME": str(place)},
        }
        (place / "config").write_text(_CONFIG)
        for name in ("refs", "packed-refs", "reftable", "shallow"):
            _lend(common / name, place / name)
        (place / "logs").mkdir()
        _lend(common / "logs" / "refs", place / "logs" / "refs")
        _lend(own / "logs" / "HEAD", place / "logs" / "HEAD")
        for head in (own / "HEAD", *own.glob("*_HEAD")):
            (place / head.name).write_bytes(_read(head))
        config = common / "config"
        settings = self._settings(_read(config) if os.path.lexists(config) else b"")
        self._hash = settings.get("extensions.objectformat", ["sha1"])[-1]
        (place / "config").write_text(_CONFIG + _as_config(settings), "utf-8", "surrogateescape")

    def commit(self, revision: str) -> str:
        """The id of the commit that a revision means."""
        given = ("--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        found = self._run("rev-parse", *given, codes=_FOUND_OR_NOT).decode().strip()
        if not found:
            raise GitError(f"git knows no revision {revision!r} here")
        return found

    def merge_base(self, one: str, other: str) -> str | None:
        """The commit at which the histories of two commits parted, if they have one in common."""
        return self._run("merge-base", one, other, codes=_FOUND_OR_NOT).decode().strip() or None

    def tree(self, commit: str, folder: Path) -> Tree:
        """What a commit has below `folder`, which is in the working copy."""
        inside = Path(os.path.realpath(folder)).relative_to(self.top).as_posix()
        top = f"{commit}:{'' if inside == '.' else inside}"
        if not self._run("rev-parse", "--verify", "--quiet", "--end-of-options", top, codes=_FOUND_OR_NOT):
            return Tree({}, frozenset())
        files = {}
        submodules = set()
        for entry in self._run("ls-tree", "-r", "-z", "--full-tree", top).split(b"\0")[:-1]:
            kind, _, path = entry.partition(b"\t")
            mode, _, object_id = kind.split(b" ")
            if not _NO_NAMES.isdisjoint(path.split(b"/")):  # git itself would not check it out
                continue
            if mode.startswith(b"100"):
                files[os.fsdecode(path)] = object_id.decode()
            elif mode == b"160000":
                submodules.add(os.fsdecode(path))
        return Tree(files, frozenset(submodules))

    def id_of(self, data: bytes) -> str:
        """The id of a file with these bytes."""
        return hashlib.new(self._hash, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

    def read(self, ids: Iterable[str]) -> dict[str, bytes]:
        """The bytes of files by their ids. Those that are larger than prodlint reads are left out."""
        wanted = dict.fromkeys(ids)
        asked = self._run("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin="\n".join(wanted).encode())
        sizes = dict(line.split(" ") for line in asked.decode().splitlines())
        if lost := next((name for name, size in sizes.items() if not size.isdecimal()), None):
            raise GitError(f"the object {lost} is not in this repository, which is a partial clone or damaged")
        small = [name for name in wanted if int(sizes[name]) <= SIZE_LIMIT]
        if sum(int(sizes[name]) for name in small) > _MOST_BYTES:
            raise GitError("too much has changed since then to be compared")
        output = self._run("cat-file", "--batch", stdin="\n".join(small).encode(), most=2 * _MOST_BYTES)
        found = {}
        at = 0
        for name in small:
            at = output.index(b"\n", at) + 1
            found[name] = output[at : at + int(sizes[name])]
            at += int(sizes[name]) + 1
        return found

    def compare(self, old: Mapping[int, bytes], new: Mapping[int, bytes]) -> Difference:
        """How texts differ, whose ends of lines may be either kind. A text that is only old and one that is only new
        are the same one, renamed, if they are like each other."""
        for name, texts in (("a", old), ("b", new)):
            (self._place / name).mkdir()
            for number, text in texts.items():
                (self._place / name / str(number)).write_bytes(text.replace(b"\r\n", b"\n"))
        try:
            return _read_patch(self._run(*_COMPARE, "a", "b", codes=_FOUND_OR_NOT, most=4 * _MOST_BYTES))
        finally:
            for name in ("a", "b"):
                shutil.rmtree(self._place / name)

    def _settings(self, config: bytes) -> dict[str, list[str]]:
        """The settings in the repository's configuration that count, without those of files which that includes."""
        listed = os.fsdecode(self._run("config", "--file", "-", "--no-includes", "--null", "--list", stdin=config))
        found: dict[str, list[str]] = {}
        for item in listed.split("\0")[:-1]:
            name, _, value = item.partition("\n")
            if _KEPT.fullmatch(name):
                found.setdefault(name, []).append(value)
        return found

    def _run(
        self, *arguments: str, stdin: bytes = b"", codes: tuple[int, ...] = (0,), most: int | None = None
    ) -> bytes:
        """What git prints; raises `GitError` if it ends with none of `codes`, or prints more than `most` bytes."""
        most = _MOST_LISTED if most is None else most
        with TemporaryFile(dir=self._place) as question, TemporaryFile(dir=self._place) as complaint:
            question.write(stdin)
            question.seek(0)
            try:
                process = subprocess.Popen(
                    [self._git, *arguments],
                    cwd=self._place,
                    env=self._environment,
                    stdin=question,
                    stdout=subprocess.PIPE,
                    stderr=complaint,
                )
            except OSError as error:
                raise GitError(f"git cannot be started: {describe(error)}") from error
            output = _limited_output(process, arguments[0], most)
            if process.returncode in codes:
                return output
            complaint.seek(0)
            reason = complaint.read(1_000).decode(errors="replace")
        reason = reason.strip().removeprefix("fatal: ").partition("\n")[0]
        raise GitError(f"git {arguments[0]} failed: {reason}")


def _limited_output(process: subprocess.Popen[bytes], command: str, most: int) -> bytes:
    """What a process prints until it ends. It is ended, and `GitError` raised, where that is more than `most` bytes, or
    takes too long."""
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        process.kill()

    clock = threading.Timer(_TIMEOUT_SECONDS, end)
    clock.start()
    output = bytearray()
    try:
        with process:
            assert process.stdout is not None
            try:
                while len(output) <= most and (piece := process.stdout.read(1 << 16)):
                    output += piece
            except BaseException:
                process.kill()
                raise
            if len(output) > most:
                process.kill()
    finally:
        clock.cancel()
    if is_late.is_set():
        raise GitError(f"git {command} took longer than {_TIMEOUT_SECONDS} s")
    if len(output) > most:
        raise GitError(f"git {command} answers with more than {most / 1e6:.0f} MB, which is too much to be compared")
    return bytes(output)


# --- where it is ------------------------------------------------------------------------------------------------------


def _git_folder(top: Path) -> Path:
    """The git folder of the working copy at `top`. A `.git` file leads to one elsewhere: to that of a linked worktree,
    which leads back, or to that of a submodule, which is inside the git folder of the working copy around it."""
    entry = top / ".git"
    if stat.S_ISDIR(entry.lstat().st_mode):
        return entry
    if entry.is_symlink():
        raise GitError(f"{entry} is a link, which prodlint does not follow")
    own = _written_in(entry)
    if os.path.lexists(own / "gitdir"):
        if _written_in(own / "gitdir") == Path(os.path.realpath(entry)):
            return own
    else:
        around = next((above for above in top.parents if os.path.lexists(above / ".git")), None)
        if around is not None and own.is_relative_to(os.path.realpath(_git_folder(around))):
            return own
    raise GitError(f"{entry} leads to {own}, which is not the git folder of this working copy")


def _common_folder(own: Path) -> Path:
    """The folder with what all worktrees of a repository share: `own` itself, or one that it is in."""
    if not os.path.lexists(own / "commondir"):
        return own
    common = _written_in(own / "commondir")
    if not Path(os.path.realpath(own)).is_relative_to(common):
        raise GitError(f"{own / 'commondir'} leads to {common}, which is another repository")
    return common


def _check_files(common: Path) -> None:
    """Raises `GitError` if git would wait for a pipe, read a device, or follow a link somewhere, in what it is lent."""
    for top in _object_folders(common / "objects"):
        _check_folder(top, None)
    _check_folder(common / "reftable", None)
    _check_folder(common / "refs", _LARGEST_REF)
    _check_folder(common / "logs" / "refs", _LARGEST_LOG)


def _check_folder(top: Path, largest: int | None) -> None:
    """Looks at all that is below `top`. Of objects, where `largest` is None, files may be links to files."""
    ahead = [top]
    while ahead:
        try:
            entries = list(os.scandir(ahead.pop()))
        except OSError:  # git cannot read it either
            continue
        for entry in entries:
            path = Path(entry.path)
            if entry.is_symlink() and (largest is not None or entry.is_dir()):
                raise GitError(f"{path} is a link, which prodlint does not follow")
            if entry.is_dir():
                ahead.append(path)
            elif not (largest is None and entry.is_file(follow_symlinks=False)):
                _check_file(path, largest)


def _check_file(path: Path, largest: int | None) -> None:
    found = path.stat() if path.exists() else None
    if found is None:
        return
    if not stat.S_ISREG(found.st_mode):
        raise GitError(f"{path} is neither a file nor a folder")
    if largest is not None and found.st_size > largest:
        raise GitError(f"{path} is larger than such a file can be")


def _object_folders(first: Path) -> list[Path]:
    """The folder with the objects of a repository, and those of others that it shares."""
    found = [first]
    for folder in found:  # which grows
        alternates = folder / "info" / "alternates"
        if not os.path.lexists(alternates):
            continue
        for line in _read(alternates).partition(b"\0")[0].split(b"\n"):
            if line.startswith(b'"') or len(found) > _MOST_OBJECT_FOLDERS:
                raise GitError(f"{alternates} cannot be read: there is too much in it, or it has quotes")
            other = Path(os.path.realpath(folder / os.fsdecode(line)))
            if line and not line.startswith(b"#") and other not in found:
                found.append(other)
    return found


def _written_in(file: Path) -> Path:
    """The place that a file names."""
    name = os.fsdecode(_read(file)).removeprefix("gitdir:").strip()
    try:
        return Path(os.path.realpath(file.parent / name))
    except ValueError as error:
        raise GitError(f"{file} cannot be read: it names no file") from error


def _read(path: Path) -> bytes:
    try:
        return read_regular(path)
    except (OSError, ValueError) as error:
        raise GitError(f"{path} cannot be read: {describe(error)}") from error


def _executable(top: Path) -> str:
    """git, from a folder of PATH that the working copy has no say in."""
    for folder in os.get_exec_path():
        found = shutil.which("git", path=folder)
        if found is None or not Path(folder).is_absolute() or Path(found).parent != Path(folder):
            continue
        if not Path(os.path.realpath(folder)).is_relative_to(top):
            return found
    raise GitError("git is not installed")


def _lend(theirs: Path, ours: Path) -> None:
    """Makes a file or folder of the repository, if it is there, one of ours, too."""
    if theirs.is_dir():
        try:
            ours.symlink_to(theirs)
        except OSError:  # not everybody may make links on Windows
            shutil.copytree(theirs, ours)
    elif theirs.exists():
        _check_file(theirs, _LARGEST_LOG)
        shutil.copyfile(theirs, ours)  # git takes a link for no log


def _as_config(settings: Mapping[str, Iterable[str]]) -> str:
    """Settings as a configuration file has them."""
    lines = []
    for name, values in settings.items():
        section, _, rest = name.partition(".")
        subsection, _, key = rest.rpartition(".")
        lines.append(f"[{section} {_quoted(subsection)}]" if subsection else f"[{section}]")
        lines += [f"\t{key} = {_quoted(value)}" for value in values]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


# --- patches ----------------------------------------------------------------------------------------------------------

_COMPARE = (
    *("diff", "--no-index", "--no-ext-diff", "--no-textconv", "--no-color", "--text", "--find-renames"),
    *("--unified=0", "--src-prefix=", "--dst-prefix="),
)
_HUNK = regex(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def _read_patch(patch: bytes) -> Difference:
    """What a patch between the folders `a` and `b`, without context, says."""
    found = Difference()
    number = source = left = 0
    for line in patch.split(b"\n"):
        if left:  # a line of a text, which may look like anything
            left -= line[:1] in (b"+", b"-")
        elif line.startswith(b"rename from a/"):
            source = int(line[14:])
        elif line.startswith(b"rename to b/"):
            found.renamed[source] = int(line[12:])
        elif line.startswith(b"+++ b/"):
            number = int(line[6:])
        elif match := _HUNK.match(line):
            first, count = int(match[2]), int(match[3] or 1)
            left = int(match[1] or 1) + count
            if count:
                found.lines.setdefault(number, []).append(range(first, first + count))
    return found
