"""The state of one project while it is being edited. Knows no protocol.

What happens in the editor may be told from any thread; `update` and what follows from it belong to one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from threading import Lock

import msgspec

from prodlint.analysis.session import ExtractOptions, Session
from prodlint.analysis.store import Cache, distrusted
from prodlint.findings import Confidence, Finding
from prodlint.project.discovery import exists
from prodlint.project.settings import CONFIG_NAME, PYPROJECT
from prodlint.project.vfs import Unreadable


class Preferences(msgspec.Struct, frozen=True):
    """What the editor's user wants beside the project's own settings."""

    preview: bool | None = None
    likely: bool = False
    config: Path | None = None


class OpenProject(msgspec.Struct):
    """A project, opened at `folder` (or at a single file), with the documents that are open in the editor."""

    folder: Path
    preferences: Preferences
    cache_directory: Path | None = None
    open_documents: dict[Path, bytes] = {}
    session: Session | None = None
    _edited: dict[str, bytes] = {}
    _on_disk: set[str] = set()
    _is_stale: bool = True
    """Whether it has to be opened anew: never opened, or its settings changed."""
    _lock: Lock = msgspec.field(default_factory=Lock)

    @property
    def root(self) -> Path:
        """The project's root; the folder itself where there is no project, or none any more."""
        root = self.session.project.root if self.session is not None else self.folder
        return root if _resolved(self.folder).is_relative_to(root) else self.folder

    def relative(self, path: Path) -> str | None:
        """The path of a file in the project, as findings name it; None if it lies outside."""
        for candidate in (path, _resolved(path)):
            if candidate.is_relative_to(self.root):
                return candidate.relative_to(self.root).as_posix()
        return None

    # --- what happens in the editor

    def reopen(self) -> None:
        """Everything is to be read anew with the next `update`."""
        self._is_stale = True

    def edit(self, path: Path, data: bytes) -> None:
        """A document was opened or changed."""
        with self._lock:
            self.open_documents[path] = data
            if (name := self.relative(path)) is not None:
                self._edited[name] = data
            if path.name in (CONFIG_NAME, PYPROJECT):
                self._is_stale = True

    def close(self, path: Path) -> None:
        """A document was closed: what is on disk counts again."""
        with self._lock:
            self.open_documents.pop(path, None)
        self.disk_changed([path])

    def disk_changed(self, paths: Iterable[Path]) -> None:
        """Files came, went or changed on disk. Open documents are not concerned: the editor has the last word."""
        with self._lock:
            for path in paths:
                if path.name in (CONFIG_NAME, PYPROJECT):
                    self._is_stale = True
                if path not in self.open_documents and (name := self.relative(path)) is not None:
                    self._edited.pop(name, None)
                    self._on_disk.add(name)

    # --- what follows from it

    def update(self) -> Session:
        """The analysed state after all that has happened. Only what changed is extracted again. Raises `ConfigError`
        and `RulebookError`; then the state from before stays."""
        with self._lock:
            edited, on_disk, is_stale = self._edited, self._on_disk, self._is_stale
            overlay = self._overlay()
            self._edited, self._on_disk, self._is_stale = {}, set(), False
        try:
            if self.session is None or is_stale:
                session = self._opened()
            elif on_disk:
                session = self.session.with_disk_changes(on_disk, overlay)
            elif edited:
                session = self.session.with_overlay(edited)
            else:
                session = self.session
            _ = session.analysis
        except Exception:
            with self._lock:  # not lost: the next update is told of it again
                self._edited = {**edited, **self._edited}
                self._on_disk |= on_disk
                self._is_stale |= is_stale
            raise
        self.session = session
        if not exists(self.folder):  # it may come back
            self.reopen()
        return session

    def _opened(self) -> Session:
        """The project as it is on disk and in the editor, its facts taken from the cache where it has them."""
        with ExitStack() as stack:
            session = Session.open(
                [self.folder],
                config=self.preferences.config,
                overlay={_resolved(path): data for path, data in list(self.open_documents.items())},
                preview=self.preferences.preview,
                extract_options=ExtractOptions(jobs=1),  # forking beside a running event loop is asking for trouble
            )
            if self.cache_directory is not None and not distrusted(self.cache_directory, session.tree()):
                session.use_cache(stack.enter_context(Cache(self.cache_directory)))
            _ = session.facts
        return session

    def _overlay(self) -> Mapping[str, bytes]:
        named = ((self.relative(path), data) for path, data in self.open_documents.items())
        return {name: data for name, data in named if name is not None}

    def findings(self) -> dict[str, list[Finding]]:
        """What is to be shown, by path: in the files of the project that the editor opened."""
        found: dict[str, list[Finding]] = {}
        if self.session is not None:
            for finding in self._shown(self.session):
                found.setdefault(finding.location.path, []).append(finding)
        return found

    def _shown(self, session: Session) -> Iterator[Finding]:
        opened = self._overlay()
        for finding in session.findings():
            if finding.confidence is not Confidence.CERTAIN and not self.preferences.likely:
                continue
            if session.project.reports(finding.location.path) or finding.location.path in opened:
                yield finding

    def read(self, path: str) -> bytes:
        """The bytes of a file in the analysed state; raises `Unreadable`."""
        if self.session is None:
            raise Unreadable(path, "not yet read")
        return self.session.read(path)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path
