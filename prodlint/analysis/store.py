"""Facts of files that were extracted before, by content: one SQLite file, shared by all projects of a user.

The key is a hash of content, kind and extractor; settings and rules are not in it. Beside it stands, per file, the
stamp that the file system gave it and the key it had then, so that an unchanged file is not even read. What a whole run
found is kept apart, see `stored_results`. A cache that is broken, locked or cannot be written is never an error: it is
made anew, or done without.

What is in a cache is believed: whoever can write to it can decide what is found. So one is used only where nobody else
could have written it (`distrusted`), and nothing in it is run: a layout other than ours, with views or triggers, is
made anew, values of another type are passed over, and each query has so many steps.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prodlint.analysis.keys import extractor_version
from prodlint.project.vfs import Stamp, describe

if TYPE_CHECKING:
    import sqlite3

DIRECTORY_VARIABLE = "PRODLINT_CACHE_DIR"
FILE_NAME = "facts-2.sqlite"
"""The number is the layout's: another layout is another file."""

_SETTLED_NS = 2_000_000_000
"""A file that changed less than this ago may change again without a new time stamp; its stamp is not trusted."""

_REMEMBERED = 7 * 86_400
"""Seconds until the use of a value is written down again, and until old values are looked for again."""

_FORGOTTEN = 30 * 86_400
"""Seconds until a value that nobody used is dropped."""

_CHECKSUM = 4
"""Bytes at the end of each value that tell whether it is what was put: facts are decoded long after they are loaded."""

_BATCH = 500
"""How many parameters one query has: older SQLite versions take at most 999."""

_LAYOUT = """
CREATE TABLE IF NOT EXISTS facts (key BLOB PRIMARY KEY, value BLOB NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stamps (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, key BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS results (
    place TEXT PRIMARY KEY, state BLOB NOT NULL, value BLOB NOT NULL, used INTEGER NOT NULL
);
"""


_MOST_STEPS = 200
"""Of a million instructions of SQLite each, for one statement: to tidy up ten million values takes a third of them."""


def distrusted(directory: Path, tree: Path) -> str:
    """Why a cache in `directory` is not to be believed by who analyses the files below `tree`; "" if there is no
    reason. The folder of the cache need not be there yet."""
    try:
        place = directory.resolve()
        if place.is_relative_to(tree.resolve()):
            return "it lies among the files that are linted, whose authors could have written it"
        for path in (place, place / FILE_NAME):
            try:
                info = os.lstat(path)
            except FileNotFoundError:
                continue
            if path != place and not stat.S_ISREG(info.st_mode):
                return "it is no regular file"
            if os.name == "posix" and info.st_uid != os.geteuid():
                return "it belongs to another user"
            if os.name == "posix" and info.st_mode & _OTHERS_MAY_WRITE:
                return "other users may write to it"
    except (OSError, RuntimeError, ValueError) as error:
        return describe(error)
    return ""


_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def default_directory() -> Path | None:
    """Where the cache is unless the user says otherwise; None if there is no such place."""
    if named := os.environ.get(DIRECTORY_VARIABLE):
        return Path(named)
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises where there is none
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = f"{home}/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or f"{home}/.cache"
    return Path(base, "prodlint") if Path(base).is_absolute() else None


class Cache:
    """The cache in `directory`. What is put is written when it closes."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / FILE_NAME
        self._now = time.time()
        self._new_facts: dict[bytes, bytes] = {}
        self._new_stamps: dict[str, tuple[Stamp, bytes]] = {}
        self._new_results: dict[str, tuple[bytes, bytes]] = {}
        self._used: list[bytes] = []
        self._connection = self._open()

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def keys_of(self, stamps: Mapping[str, Stamp]) -> dict[str, bytes]:
        """The keys of those files (absolute path → stamp) that have not changed since their key was put."""
        rows = self._select("SELECT path, stamp, key FROM stamps WHERE path IN", list(stamps), (str, str, bytes))
        return {path: key for path, stamp, key in rows if stamp == _text(stamps[path])}

    def put_key(self, path: str, stamp: Stamp, key: bytes) -> None:
        """Remembers the key of a file. The stamp must have been taken before the content was read."""
        if self._now * 1e9 - max(stamp.mtime_ns, stamp.ctime_ns) > _SETTLED_NS:
            self._new_stamps[path] = (stamp, key)

    def load(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The values of those keys that it has."""
        found: dict[bytes, bytes] = {}
        query = "SELECT key, value, used FROM facts WHERE key IN"
        for key, value, used in self._select(query, list(keys), (bytes, bytes, int)):
            if zlib.crc32(value[:-_CHECKSUM]) != int.from_bytes(value[-_CHECKSUM:]):
                continue  # the file was damaged
            found[key] = value[:-_CHECKSUM]
            if used < self._now - _REMEMBERED:
                self._used.append(key)
        return found

    def put(self, key: bytes, value: bytes) -> None:
        """Remembers the encoded facts of a key."""
        self._new_facts[key] = value + zlib.crc32(value).to_bytes(_CHECKSUM)

    def result(self, place: str) -> tuple[bytes, bytes] | None:
        """The state of the project, and the result that was put for it."""
        rows = self._select("SELECT state, value FROM results WHERE place IN", [place], (bytes, bytes))
        return next(((state, value) for state, value in rows), None)

    def put_result(self, place: str, state: bytes, value: bytes) -> None:
        """Remembers a result in place of the one that was there."""
        self._new_results[place] = (state, value)

    def close(self) -> None:
        """Writes what was put. Another process that is writing just now is waited for, but not for long."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        import sqlite3

        try:
            with contextlib.closing(connection), connection:
                if self._new_facts or self._new_stamps or self._new_results or self._used:
                    self._write(connection)
        except sqlite3.OperationalError:
            return  # locked, read-only or no room left
        except sqlite3.DatabaseError:
            self._remove()

    def _write(self, connection: sqlite3.Connection) -> None:
        self._steps = 0
        now = int(self._now)
        facts = ((key, value, now) for key, value in self._new_facts.items())
        connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", facts)
        stamps = ((path, _text(stamp), key) for path, (stamp, key) in self._new_stamps.items())
        connection.executemany("INSERT OR REPLACE INTO stamps VALUES (?, ?, ?)", stamps)
        results = ((place, state, value, now) for place, (state, value) in self._new_results.items())
        connection.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", results)
        connection.executemany("UPDATE facts SET used = ? WHERE key = ?", ((now, key) for key in self._used))
        (cleaned,) = connection.execute("PRAGMA user_version").fetchone()
        self._steps = 0
        if now - cleaned > _REMEMBERED:
            connection.execute("DELETE FROM facts WHERE used < ?", (now - _FORGOTTEN,))
            connection.execute("DELETE FROM results WHERE used < ?", (now - _FORGOTTEN,))
            connection.execute("DELETE FROM stamps WHERE key NOT IN (SELECT key FROM facts)")
            connection.execute(f"PRAGMA user_version = {now}")

    def _select(self, query: str, values: Sequence[object], types: tuple[type, ...]) -> Iterator[tuple[Any, ...]]:
        """The rows of `query` for any number of `values` whose columns have these types; none from a database that
        turns out to be broken."""
        if self._connection is None:
            return
        import sqlite3

        try:
            for start in range(0, len(values), _BATCH):
                batch = values[start : start + _BATCH]
                self._steps = 0
                for row in self._connection.execute(f"{query} ({','.join('?' * len(batch))})", batch):
                    if tuple(map(type, row)) == types:
                        yield row
        except sqlite3.OperationalError:
            return
        except sqlite3.DatabaseError:
            self._connection.close()
            self._remove()
            self._connection = self._open()

    def _open(self) -> sqlite3.Connection | None:
        import sqlite3

        for _ in range(2):
            connection = None
            try:
                self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                connection = sqlite3.connect(self._file, timeout=1)
                self._steps = 0
                connection.set_progress_handler(self._is_too_long, 1_000_000)
                # Losing the cache in a power cut is no loss, waiting for the disk is one.
                connection.executescript(
                    f"PRAGMA trusted_schema = OFF; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; {_LAYOUT}"
                )
                if _layout_of(connection) != _own_layout():
                    raise sqlite3.DatabaseError("it has another layout")
            except (OSError, sqlite3.OperationalError):
                if connection is not None:
                    connection.close()
                return None
            except sqlite3.DatabaseError:
                if connection is not None:
                    connection.close()
                self._remove()
            else:
                return connection
        return None

    def _is_too_long(self) -> bool:
        self._steps += 1
        return self._steps > _MOST_STEPS

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                Path(f"{self._file}{suffix}").unlink()


def _layout_of(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()


@cache
def _own_layout() -> list[tuple[Any, ...]]:
    import sqlite3

    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_LAYOUT)
        return _layout_of(connection)


def _text(stamp: Stamp) -> str:
    """A stamp as it is stored: a key is remembered for what the extractor was, too."""
    return " ".join([*map(str, stamp), extractor_version().hex()])
