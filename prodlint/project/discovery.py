"""Which files there are: the project root of the given paths, and everything below it that prodlint reads.

What is analysed is not what is reported. The whole project is walked once, so that a handler finds its helpers and a
service its Dockerfile; findings are shown for the given paths only.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Sequence
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from prodlint.extract import deployment as deploy
from prodlint.findings import AnalysisError
from prodlint.lazy_regex import regex
from prodlint.project.file_roles import FileRole, role_of
from prodlint.project.globs import ignore_spec, is_glob
from prodlint.project.settings import ConfigError, Settings, find_config
from prodlint.project.vfs import FileSystem, Unreadable, describe, read_regular

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_KINDS = {
    ".js": "javascript",
    ".cjs": "javascript",
    ".mjs": "javascript",
    ".jsx": "javascript",
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".tsx": "tsx",
    ".py": "python",
}
_LANGUAGES = frozenset(_KINDS.values())
_MISSING = "no such file or folder"
_DECLARATIONS = (".d.ts", ".d.mts", ".d.cts")
_INTERPRETERS = regex(rb"#!.*\b(?:(?P<javascript>node|nodejs|bun|deno)|(?P<python>python[\d.]*|pypy[\d.]*|uv))\b")

MARKERS = ("package.json", "pyproject.toml", "setup.py", "requirements.txt", "manage.py")
"""The names of files at the top of a project."""
_WORKSPACES = ("pnpm-workspace.yaml", "lerna.json", "nx.json", "turbo.json")


class SourceFile(NamedTuple):
    """A file to analyse. `kind` says which reader understands it."""

    path: str
    kind: str
    is_explicit: bool = False
    """Whether the user named this very file: then it is analysed whatever it looks like."""
    role: FileRole = FileRole.SOURCE
    """As far as the path tells."""


class Root(NamedTuple):
    """Where a project begins."""

    folder: Path
    config: Path | None
    is_marked: bool
    """Whether something says that a project begins here. Else the folder is just where the given paths are, and nothing
    but them is walked."""


class Project(msgspec.Struct, frozen=True):
    """The files of one project (paths relative to `root`, POSIX, sorted), and which of them to report on."""

    root: Path
    files: Sequence[SourceFile]
    given: frozenset[str] = frozenset({""})
    """The files and folders that the user named; "" is the whole project."""
    errors: Sequence[AnalysisError] = ()

    def reports(self, path: str) -> bool:
        """Whether findings in the file `path` are to be shown."""
        if "" in self.given or path in self.given:
            return True
        return any(path[:at] in self.given for at, letter in enumerate(path) if letter == "/")


_ENOUGH = 20_000
"""Bytes at the beginning of a file that tell what it is."""


def kind_of(path: str, file_system: FileSystem) -> str | None:
    """The kind of a file, by its name, or by its first line if it has no suffix, or, for the few names that all sorts
    of configuration have, by what is in it; None if prodlint does not read it."""
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    suffix = name[dot:].lower() if dot > 0 else ""
    if path.startswith(".github/") or "/.github/" in path:
        # What is there is for GitHub; only its workflows say something of the services.
        return deploy.classify(path) if "/workflows/" in path else None
    if suffix in _KINDS and not deploy.is_configuration(name):
        return None if name.endswith(_DECLARATIONS) else _KINDS[suffix]
    kind = deploy.classify(path)
    if kind is not None:
        return kind
    try:
        if deploy.may_be(path):
            kind = deploy.classify_content(path, file_system.beginning(path, _ENOUGH))
        if kind is not None or dot >= 0:
            return kind
        match = _INTERPRETERS.match(file_system.first_line(path))
    except Unreadable:
        return None
    return match.lastgroup if match else None


def may_be_read(path: str) -> bool:
    """Whether prodlint reads files of this name; of some that depends on what is in them."""
    name = path.rpartition("/")[2]
    return "." not in name[1:] or deploy.may_be(path) or kind_of(path, FileSystem(None)) is not None


def source_file(
    path: str, file_system: FileSystem, settings: Settings, *, is_explicit: bool = False
) -> SourceFile | None:
    """The file `path` as it is to be analysed; None if prodlint does not read it, because of its kind or because it is
    a test that nobody asked for."""
    kind = kind_of(path, file_system)
    if kind is None:
        return None
    role = FileRole.SOURCE
    if kind in _LANGUAGES:
        role = role_of(path, settings.hints.scripts, settings.hints.tests)
    return SourceFile(path, kind, is_explicit, role) if is_explicit or role is not FileRole.TEST else None


# --- the root ---------------------------------------------------------------------------------------------------------


class Located(NamedTuple):
    """A path without symbolic links."""

    path: Path
    """What is really meant."""
    place: Path
    """What says to which project it belongs: the path itself, or the folder of the first link on the way to it that a
    project has. That may lead anywhere, so what it leads to has no say."""

    @property
    def is_linked(self) -> bool:
        """Whether a project's link is on the way."""
        return self.path != self.place


def locate(path: Path) -> Located:
    """Where `path` (absolute) is. Links of the system and of the user are followed: those that are neither in a project
    nor in the working directory."""
    real = Path(path.anchor)
    parts = path.parts[1:]
    for number, part in enumerate(parts):
        here = real.parent if part == ".." else real / part
        if os.path.islink(here):  # noqa: PTH114 - pathlib's own can raise
            if is_in_project(real):
                return Located(_followed(real.joinpath(*parts[number:])), real)
            here = _followed(here)
        real = here
    return Located(real, real)


def is_in_project(folder: Path) -> bool:
    """Whether a project may have made what is in `folder`: that is in one, or in the working directory."""
    is_here = not _is_nobodys(folder) and folder.is_relative_to(Path.cwd())
    return is_here or find_root([folder]).is_marked


def _followed(path: Path) -> Path:
    """What `path` leads to. Of links in a circle that is one of them."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return path


def find_root(paths: Sequence[Path], config: Path | None = None) -> Root:
    """The project that all of `paths` (absolute) belong to.

    The folder of the nearest configuration; without one the top of the git repository, because Dockerfiles and compose
    files often lie above the package that they deploy; without that the nearest folder with a `package.json`,
    `pyproject.toml` or the like, or the workspace around it. The home folder and the file system's root are never it:
    what lies there belongs together by chance.

    A link in a project belongs to that project, whatever it leads to. `config` is the file that the user named, if any;
    it makes its folder the root if that is above all of `paths`.
    """
    start = _common_folder([locate(path).place for path in paths])
    above = list(takewhile(lambda folder: not _is_nobodys(folder), (start, *start.parents)))
    repository = next((folder for folder in above if exists(folder / ".git")), None)
    if above and config is None:
        config = find_config(start, repository or above[-1])
    if config is not None and config.parent in above:
        return Root(config.parent, config, True)
    if repository is not None:
        return Root(repository, config, True)
    package = next((folder for folder in above if _has_any(folder, MARKERS)), None)
    if package is None:
        return Root(start, config, False)
    workspace = next((folder for folder in package.parents if folder in above and _is_workspace(folder)), package)
    return Root(workspace, config, True)


def _mode(path: Path) -> int:
    """What the file system says that `path` is; 0 for what is not there or cannot be seen."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return 0


def exists(path: Path) -> bool:
    """Whether there is anything at `path` that can be seen. Unlike pathlib's own it raises nothing."""
    return _mode(path) != 0


def is_folder(path: Path) -> bool:
    """Whether a folder that can be seen is at `path`. Unlike pathlib's own it raises nothing."""
    return stat.S_ISDIR(_mode(path))


def _common_folder(paths: Sequence[Path]) -> Path:
    folders = [path if is_folder(path) else path.parent for path in paths]
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # on different drives
        return folders[0]


def _is_nobodys(folder: Path) -> bool:
    return folder.parent == folder or str(folder) == os.path.expanduser("~")  # noqa: PTH111 - Path.home() can raise


def holds_more_than_a_project(folder: Path) -> bool:
    """Whether a folder is the root of the file system, the home folder, or has that in it: what lies there belongs
    together by chance, and to walk it takes for ever."""
    return folder.parent == folder or Path(os.path.expanduser("~")).is_relative_to(folder)  # noqa: PTH111 - as above


def _has_any(folder: Path, names: Iterable[str]) -> bool:
    return any(stat.S_ISREG(_mode(folder / name)) for name in names)


def _is_workspace(folder: Path) -> bool:
    if _has_any(folder, _WORKSPACES):
        return True
    try:
        return b'"workspaces"' in read_regular(folder / "package.json")
    except OSError:
        return False


# --- the walk ---------------------------------------------------------------------------------------------------------

_MOST_FILES = 100_000
"""That are read. The facts of so many take some gigabytes of memory."""
_MOST_ENTRIES = 2_000_000


def discover(
    paths: Sequence[Path],
    root: Root,
    settings: Settings,
    file_system: FileSystem,
    *,
    force_exclude: bool = False,
) -> Project:
    """Everything below `root` that prodlint reads, and `paths` (absolute) as what is reported.

    A file that only the overlay of `file_system` has is found where it would lie. `.gitignore` files and the settings'
    excludes are honoured; what is given by name is analysed all the same, unless `force_exclude` says otherwise.
    Whatever cannot be walked or read is one `AnalysisError`; too much for a project is a `ConfigError`.
    """
    walk = _Walk(root, file_system, settings, _Excludes(settings.exclude))
    located = {path: locate(path) for path in paths}
    inside = {path: found.path for path, found in located.items() if found.path.is_relative_to(root.folder)}
    given = frozenset("/".join(path.relative_to(root.folder).parts) for path in inside.values())
    if root.is_marked and given:
        walk.below("", walk.outer_ignores())
    if not (root.is_marked and force_exclude):
        for name in sorted(given):
            walk.add_given(name)
    project = Project(root.folder, sorted(walk.files.values()), given)
    outside = [_outside(path, located[path]) for path in paths if path not in inside]
    ours = (error for error in dict.fromkeys(walk.errors) if project.reports(error.path))
    errors = [error._replace(path=_printable(error.path)) for error in ours]
    return replace(project, errors=[*outside, *errors])


def _outside(path: Path, located: Located) -> AnalysisError:
    message = "not in the project of the other paths" if exists(path) else _MISSING
    if located.is_linked and exists(path):
        message = f"left alone: it is a link to {_printable(str(located.path))}, outside the project"
    return AnalysisError(_printable(str(path)), 0, message)


class _Walk(msgspec.Struct):
    """One walk over the project's folders."""

    root: Root
    file_system: FileSystem
    settings: Settings
    excludes: _Excludes
    files: dict[str, SourceFile] = {}
    errors: list[AnalysisError] = []
    """With paths as the file system has them, printable or not."""
    _seen: set[str] = set()
    _overlaid: dict[str, dict[str, bool]] = {}
    """The names in each folder as the overlay has them, and whether they are folders."""
    _unsaved: set[str] = set()
    """Folders that only the overlay has."""
    _walked: int = 0
    """How many files and folders there were by now."""

    def __post_init__(self) -> None:
        for path in self.file_system.overlay:
            *folders, name = path.split("/")
            for at, folder in enumerate(folders):
                self._overlaid.setdefault("/".join(folders[:at]), {})[folder] = True
            self._overlaid.setdefault("/".join(folders), {})[name] = False

    def below(self, folder: str, ignores: tuple[_Ignore, ...] = ()) -> None:
        """Adds every file at any depth below `folder`. Symbolic links are not followed: what they lead to is walked
        itself if it belongs to the project, and there can be no loops."""
        stack = [(folder, ignores)]
        while stack:
            folder, ignores = stack.pop()
            if folder in self._seen:
                continue
            self._seen.add(folder)
            entries = [] if folder in self._unsaved else self._entries(folder)
            self._walked += len(entries)
            if self._walked > _MOST_ENTRIES or len(self.files) > _MOST_FILES:
                raise ConfigError(
                    None,
                    0,
                    f"{_printable(str(self.root.folder))} holds too much to be one project, with more than "
                    f"{_MOST_FILES:,} files to read or {_MOST_ENTRIES:,} in all. Name the folder of one project, or "
                    "`exclude` folders in its configuration",
                )
            if folder and any(entry.name == "pyvenv.cfg" for entry in entries):
                continue
            if any(entry.name == ".gitignore" for entry in entries):
                file = self.root.folder / folder / ".gitignore"
                ignores = (*ignores, *_read_ignore(file, cut=len(folder) + 1 if folder else 0))
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if not self.excludes.folder(path, entry.name) and not _is_ignored(f"{path}/", ignores):
                        stack.append((path, ignores))
                elif entry.is_file(follow_symlinks=False) and not self.excludes.file(path, entry.name):
                    self._add(path, ignores)
            for name in self._overlaid.get(folder, {}).keys() - {entry.name for entry in entries}:
                path = f"{folder}/{name}" if folder else name
                if self._overlaid[folder][name]:
                    if not self.excludes.folder(path, name) and not _is_ignored(f"{path}/", ignores):
                        self._unsaved.add(path)
                        stack.append((path, ignores))
                elif not self.excludes.file(path, name):
                    self._add(path, ignores)

    def add_given(self, path: str) -> None:
        """Adds what the user named, whether it is excluded or not."""
        absolute = self.root.folder / path
        if not self.root.is_marked and not is_folder(absolute):
            self._beside(path)
        if is_folder(absolute):
            self.below(path)
        elif path in self.files:
            self.files[path] = self.files[path]._replace(is_explicit=True)
        elif not exists(absolute) and path not in self.file_system.overlay:
            self.errors.append(AnalysisError(path, 0, _MISSING))
        elif exists(absolute) and not stat.S_ISREG(_mode(absolute)):
            self.errors.append(AnalysisError(path, 0, "not a regular file"))
        elif self._has_sound_name(path):
            file = source_file(path, self.file_system, self.settings, is_explicit=True)
            if file is None:
                self.errors.append(AnalysisError(path, 0, "not a kind of file that prodlint reads", is_failure=False))
            else:
                self.files[path] = file

    def outer_ignores(self) -> tuple[_Ignore, ...]:
        """The ignore files of the git repository that the root lies in, above the root (its own is not among them)."""
        root = self.root.folder
        top = next((folder for folder in (root, *root.parents) if exists(folder / ".git")), None)
        if top is None:
            return ()
        outer = [folder for folder in reversed(root.parents) if folder.is_relative_to(top)]
        files = [(top, ".git/info/exclude"), *((folder, ".gitignore") for folder in outer)]
        found: list[_Ignore] = []
        for folder, name in files:
            inside = root.relative_to(folder).as_posix()
            found += _read_ignore(folder / name, prefix="" if inside == "." else f"{inside}/")
        return tuple(found)

    def _beside(self, path: str) -> None:
        """Adds the files in the folder of `path`, but not what lies deeper."""
        folder = path.rpartition("/")[0]
        for entry in self._entries(folder):
            beside = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_file(follow_symlinks=False) and not self.excludes.file(beside, entry.name):
                self._add(beside)

    def _add(self, path: str, ignores: tuple[_Ignore, ...] = ()) -> None:
        file = source_file(path, self.file_system, self.settings)
        if file is not None and not _is_ignored(path, ignores) and self._has_sound_name(path):
            self.files[path] = file

    def _has_sound_name(self, path: str) -> bool:
        message = _complaint_about(path)
        if message:
            self.errors.append(AnalysisError(path, 0, message))
        return not message

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root.folder / folder) as entries:
                return sorted(islice(entries, _MOST_ENTRIES + 1), key=lambda entry: entry.name)
        except OSError as error:
            self.errors.append(AnalysisError(folder, 0, f"cannot be read: {describe(error)}"))
            return []


class _Ignore(NamedTuple):
    """The patterns of one ignore file, for paths from which `cut` characters are taken and `prefix` put before."""

    spec: GitIgnoreSpec
    cut: int
    prefix: str


_LONGEST_IGNORE_FILE = 100_000
"""Bytes that are read of a `.gitignore`: each pattern is tried on each path."""


def _read_ignore(file: Path, cut: int = 0, prefix: str = "") -> tuple[_Ignore, ...]:
    try:
        lines = read_regular(file, _LONGEST_IGNORE_FILE).decode(errors="replace").splitlines()
    except OSError:
        return ()
    patterns = [line for line in lines if line.strip() and not line.startswith("#")]
    return (_Ignore(_spec(patterns), cut, prefix),) if patterns else ()


def _spec(patterns: Sequence[str]) -> GitIgnoreSpec:
    """The patterns, without those that are none: git passes over them too."""
    try:
        return ignore_spec(patterns)
    except ValueError:
        return ignore_spec(pattern for pattern in patterns if is_glob(pattern))


def _is_ignored(path: str, ignores: tuple[_Ignore, ...]) -> bool:
    """Whether git would ignore `path` (a folder ends with a slash): the innermost file that says anything decides."""
    for ignore in reversed(ignores):
        verdict = ignore.spec.check_file(ignore.prefix + path[ignore.cut :]).include
        if verdict is not None:
            return verdict
    return False


class _Excludes:
    """The settings' excludes. Plain folder names and suffixes, which most are, need no pattern library."""

    def __init__(self, globs: Iterable[str]) -> None:
        patterns: list[str] = []
        self._folders: set[str] = set()
        suffixes: list[str] = []
        for glob in globs:
            if re.fullmatch(r"[\w.-]+/", glob):
                self._folders.add(glob[:-1])
            elif re.fullmatch(r"\*[\w.-]+", glob):
                suffixes.append(glob[1:])
            else:
                patterns.append(glob)
        self._suffixes = tuple(suffixes)
        self._spec = _spec(patterns) if patterns else None

    def folder(self, path: str, name: str) -> bool:
        return name in self._folders or name.endswith(self._suffixes) or self._matches(f"{path}/")

    def file(self, path: str, name: str) -> bool:
        return name.endswith(self._suffixes) or self._matches(path)

    def _matches(self, path: str) -> bool:
        return self._spec is not None and self._spec.match_file(path)


def _complaint_about(path: str) -> str:
    """Why a file of this name cannot be analysed, or ""."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return "skipped: its name is not valid UTF-8"
    return "" if path.isprintable() else "skipped: its name has line breaks or control characters"


def _printable(path: str) -> str:
    """The path as it can be shown on one line."""
    text = path.encode(errors="backslashreplace").decode()
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
