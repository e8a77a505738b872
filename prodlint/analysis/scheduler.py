"""Extraction of many files: what the store has is taken from there, and the rest is done here or in other processes."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from prodlint.analysis.keys import SKIPPED, key_of
from prodlint.analysis.store import Cache
from prodlint.extract.extraction import extract, is_left_out
from prodlint.extract.fact_table import FactTable, decode, encode
from prodlint.facts import FileFacts
from prodlint.findings import AnalysisError
from prodlint.project.discovery import SourceFile
from prodlint.project.file_roles import FileRole
from prodlint.project.vfs import FileSystem, Stamp, TooLarge, Unreadable

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

Progress = Callable[[int, int], None]
"""Called with how many bytes are dealt with, and how many there are."""

_MIN_POOL_BYTES = 400_000
"""Bytes; less than this is extracted before a second process has started."""

_BATCH = 200_000
"""Bytes that a worker gets at a time."""

_CHUNK = 50_000_000
"""Bytes that are held in memory at a time."""

_GARBAGE_COLLECTED_EVERY = 20_000
"""New containers in a worker; the only cycles that extraction makes are the scopes of JavaScript's functions."""

_T = TypeVar("_T")


class _Task(NamedTuple):
    """One file to extract, as a worker gets it."""

    file: SourceFile
    data: bytes


class _Failure(NamedTuple):
    """Why a file has no facts."""

    message: str


_Outcome = bytes | _Failure


class Extraction(msgspec.Struct):
    """The facts of those files that have some, and what went wrong with the others."""

    facts: FactTable = msgspec.field(default_factory=FactTable)
    left_out: list[str] = []
    """Files with generated code, and the scripts of web pages."""
    errors: list[AnalysisError] = []
    from_cache: int = 0
    stamps: dict[str, Stamp] = {}
    """What the file system said of each file before it was read: facts and fixes are about the file as it was then."""


def extract_all(
    files: Sequence[SourceFile],
    file_system: FileSystem,
    *,
    cache: Cache | None = None,
    shard: Mapping[bytes, bytes] | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Extraction:
    """The facts of all `files`. `shard` holds encoded facts by key, as `prodlint facts` writes them; `jobs` is the
    number of processes (None: as many as there are processors)."""
    run = _Run(file_system, cache, shard or {}, progress or (lambda done, total: None))
    remaining = run.unchanged(files)
    jobs = jobs or processors()
    parallel = jobs > 1 and sum(size for _, size in remaining) > _MIN_POOL_BYTES
    extractor = _Pool(jobs) if parallel else _Here()
    with extractor:
        for chunk in grouped(remaining, _CHUNK):
            for file, outcome in extractor.outcomes(run.changed(chunk)):
                run.finish(file, outcome)
    return run.result


class _Run:
    """One extraction of many files: what is known already, and what becomes of the rest."""

    def __init__(
        self, file_system: FileSystem, cache: Cache | None, shard: Mapping[bytes, bytes], progress: Progress
    ) -> None:
        self.result = Extraction()
        self._file_system = file_system
        self._cache = cache
        self._shard = shard
        self._progress = progress
        self._done = self._total = 0
        self._stamps = self.result.stamps
        self._keys: dict[str, bytes] = {}

    def unchanged(self, files: Sequence[SourceFile]) -> list[tuple[SourceFile, int]]:
        """Takes the files that the cache knows by their stamps; returns the others with their sizes."""
        for file in files:
            stamp = self._file_system.stamp(file.path)
            if stamp is not None:
                self._stamps[file.path] = stamp
        self._total = sum(self._size(file.path) for file in files)
        if self._cache is not None:
            by_place = {self._place(path): stamp for path, stamp in self._stamps.items()}
            known = self._cache.keys_of(by_place)
            places = {file: known[place] for file in files if (place := self._place(file.path)) in known}
            files = [*(file for file in files if file not in places), *self._take(places)]
        return [(file, self._size(file.path)) for file in files]

    def changed(self, files: Iterable[SourceFile]) -> list[_Task]:
        """Reads the files and takes those whose content the cache or the shard knows; returns the others."""
        tasks: dict[SourceFile, _Task] = {}
        keys: dict[SourceFile, bytes] = {}
        for file in files:
            try:
                data = self._file_system.read(file.path)
            except Unreadable as error:
                self._error(file, error.reason, is_failure=file.is_explicit or not isinstance(error, TooLarge))
            else:
                tasks[file] = _Task(file, data)
                if self._cache is not None or self._shard:
                    keys[file] = key_of(data, file)
        self._keys.update((file.path, key) for file, key in keys.items())
        self._remember_stamps(keys)
        if keys:
            tasks = {file: tasks[file] for file in self._take(keys)}
        return list(tasks.values())

    def finish(self, file: SourceFile, outcome: FileFacts | _Outcome) -> None:
        """Takes what came of a file's extraction."""
        if isinstance(outcome, _Failure):
            self._error(file, outcome.message)
            return
        if self._cache is not None and (key := self._keys.get(file.path)) is not None:
            self._cache.put(key, encode(outcome) if isinstance(outcome, FileFacts) else outcome)
        self._accept(file, outcome)

    def _take(self, keys: Mapping[SourceFile, bytes]) -> list[SourceFile]:
        """Takes the files whose key has a value; returns the others."""
        values: dict[bytes, FileFacts | bytes] = {}
        for key in self._shard.keys() & keys.values():
            with contextlib.suppress(msgspec.MsgspecError):  # who knows where a shard comes from
                values[key] = decode(self._shard[key])
        if self._cache is not None:
            values.update(self._cache.load(key for key in keys.values() if key not in values))
        others = []
        for file, key in keys.items():
            value = values.get(key)
            if value is None or (value == SKIPPED and file.is_explicit):
                others.append(file)
                continue
            self._accept(file, value)
            self.result.from_cache += 1
        return others

    def _accept(self, file: SourceFile, facts: FileFacts | bytes) -> None:
        if facts == SKIPPED:
            self.result.left_out.append(file.path)
        else:
            self.result.facts.put(file.path, facts)
        self._count(file)

    def _error(self, file: SourceFile, message: str, is_failure: bool = True) -> None:
        self.result.errors.append(AnalysisError(file.path, 0, message, is_failure))
        self._count(file)

    def _count(self, file: SourceFile) -> None:
        self._done += self._size(file.path)
        self._progress(self._done, self._total)

    def _remember_stamps(self, keys: Mapping[SourceFile, bytes]) -> None:
        if self._cache is not None:
            for file, key in keys.items():
                if file.path in self._stamps:
                    self._cache.put_key(self._place(file.path), self._stamps[file.path], key)

    def _place(self, path: str) -> str:
        """The file's name for the cache, which is shared by all projects."""
        return f"{self._file_system.root}/{path}"

    def _size(self, path: str) -> int:
        return self._stamps[path].size if path in self._stamps else len(self._file_system.overlay.get(path, b""))


def grouped(items: Iterable[tuple[_T, int]], least: int) -> Iterator[list[_T]]:
    """The items, each with its size, in groups that have at least `least` together, but for the last; in order."""
    group: list[_T] = []
    total = 0
    for item, size in items:
        group.append(item)
        total += size
        if total >= least:
            yield group
            group, total = [], 0
    if group:
        yield group


def processors() -> int:
    """How many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def can_fork() -> bool:
    """Whether this process may fork. It costs next to nothing, but is not sound beside other threads (the language
    server's)."""
    return sys.platform == "linux" and threading.active_count() == 1


# --- here, and elsewhere ----------------------------------------------------------------------------------------------


def _facts_of(task: _Task) -> FileFacts | _Outcome:
    file, data = task
    if not file.is_explicit and is_left_out(data, file.kind, is_for_browsers=file.role is FileRole.BROWSER):
        return SKIPPED
    try:
        return extract(data, file.kind, file.path)
    except Exception as error:  # one file's misfortune must not take the others with it
        return _Failure(f"prodlint failed on this file: {describe_crash(error)}")


def describe_crash(error: BaseException) -> str:
    """An unexpected exception in one line, with the place that it comes from: what a bug report needs."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    try:
        text = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    except Exception:  # a rule pack's own exceptions may be as faulty as what raised them
        text = type(error).__name__
    if traceback is None:
        return text
    code = traceback.tb_frame.f_code
    return f"{text} ({os.path.basename(code.co_filename)}:{traceback.tb_lineno} in {code.co_name})"  # noqa: PTH119


class _Here:
    """Extraction in this process."""

    def __enter__(self) -> _Here:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""

    def outcomes(self, tasks: Iterable[_Task]) -> Iterator[tuple[SourceFile, FileFacts | _Outcome]]:
        """Each file with its facts."""
        for task in tasks:
            yield task.file, _facts_of(task)


_LOOK_AFTER_SECONDS = 1.0


class _Pool:
    """Extraction in worker processes, in batches of about the same size, the largest files first."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._executor = _executor(jobs)
        self._crash: BaseException | None = None
        """What ended a thread of the executor, with which its futures are never done."""

    def __enter__(self) -> _Pool:
        self._hook, threading.excepthook = threading.excepthook, self._note
        return self

    def __exit__(self, *_: object) -> None:
        threading.excepthook = self._hook
        self._end()

    def _note(self, crash: threading.ExceptHookArgs) -> None:
        self._crash = crash.exc_value or MemoryError()

    def _end(self) -> None:
        try:
            if self._crash is None:
                # After Ctrl-C there may be work left; a worker ends with the batch that it is at.
                self._executor.shutdown(wait=True, cancel_futures=True)
                return
        except RuntimeError:  # its thread was never started
            pass
        import multiprocessing

        for worker in multiprocessing.active_children():
            worker.kill()

    def _submit(self, batch: Sequence[_Task]) -> Future[list[_Outcome]]:
        try:
            return self._executor.submit(_extract_batch, batch)
        except RuntimeError as error:
            from concurrent.futures.process import BrokenProcessPool

            if isinstance(error, BrokenProcessPool):
                raise
            raise MemoryError from error  # there is none for another thread

    def _done(self, futures: Iterable[Future[list[_Outcome]]]) -> Iterator[Future[list[_Outcome]]]:
        """The futures as they are done. Raises `MemoryError` where they will never be."""
        from concurrent.futures import FIRST_COMPLETED, wait

        left = set(futures)
        while left:
            done, left = wait(left, _LOOK_AFTER_SECONDS, FIRST_COMPLETED)
            if not done and self._crash is not None:
                raise MemoryError from self._crash
            yield from done

    def outcomes(self, tasks: Iterable[_Task]) -> Iterator[tuple[SourceFile, _Outcome]]:
        """Each file with its encoded facts, in any order."""
        from concurrent.futures.process import BrokenProcessPool

        batches: dict[Future[list[_Outcome]], list[_Task]] = {}
        lost: list[_Task] = []
        largest_first = sorted(tasks, key=lambda task: -len(task.data))
        for batch in grouped(((task, len(task.data)) for task in largest_first), _BATCH):
            try:
                batches[self._submit(batch)] = batch
            except BrokenProcessPool:
                lost += batch
        for future in self._done(batches):
            try:
                outcomes = future.result()
            except BrokenProcessPool:
                lost += batches[future]
            else:
                yield from zip((task.file for task in batches[future]), outcomes, strict=True)
        if lost:
            for task in lost:
                yield task.file, self._alone(task)
            self._renew(self._jobs)

    def _alone(self, task: _Task) -> _Outcome:
        """What becomes of a file that was lost when a worker died, in a process of its own: it is the culprit, or has
        facts."""
        from concurrent.futures.process import BrokenProcessPool

        self._renew(1)
        try:
            (future,) = self._done([self._submit([task])])
            return future.result()[0]
        except BrokenProcessPool:
            return _Failure("prodlint failed on this file: the process that read it died")

    def _renew(self, jobs: int) -> None:
        self._end()
        self._executor = _executor(jobs)


def _executor(workers: int) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    method = "fork" if can_fork() else "spawn"
    if method == "spawn":
        os.environ["PYTHONSAFEPATH"] = "1"  # else they would import what lies in the working directory
    return ProcessPoolExecutor(workers, multiprocessing.get_context(method), initializer=_start_worker)


def _start_worker() -> None:
    # Ctrl-C goes to all processes of the terminal: the workers end quietly, the main process says so.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.enable()  # whatever the main process does about it: a worker lives for many files
    gc.freeze()  # what it has from the main process stays
    gc.set_threshold(_GARBAGE_COLLECTED_EVERY)


def _extract_batch(tasks: Sequence[_Task]) -> list[_Outcome]:
    outcomes = map(_facts_of, tasks)
    return [encode(outcome) if isinstance(outcome, FileFacts) else outcome for outcome in outcomes]
