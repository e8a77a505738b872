"""Links and checks the parts of a project in several processes at once.

Each process is a fork that decodes the facts of a part, links and checks them, makes the fixes that are going to be
shown, sends what it found and ends. So no process ever holds the whole program, and what one has used is given back.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from prodlint.analysis.scheduler import can_fork, grouped
from prodlint.analysis.stored_results import StoredSession, decode_result, encode_result
from prodlint.findings import AnalysisError, Finding, Fix

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

    from prodlint.analysis.session import Session

_MIN_PROCESS_BYTES = 300_000
"""Bytes of source; less than this is linked and checked before another process has started."""


class Request(NamedTuple):
    """What is going to be asked of a session."""

    fixes: Callable[[Finding], bool]
    """Of which findings the fixes."""
    edits: bool
    """Whether all edits of those."""


class _Outcome(msgspec.Struct, array_like=True):
    """What a process found in a part."""

    part: int
    result: bytes
    fix_errors: list[AnalysisError]
    seconds: dict[str, float]


def analyse(session: Session, request: Request, jobs: int) -> None:
    """Finds out what is to be found in all parts of `session` that nothing is known of, if that is worth several
    processes; else it is done when somebody asks."""
    if jobs < 2 or not can_fork():
        return  # anything but a fork would have to read all facts anew
    sizes = {number: part.size() for number, part in enumerate(session.parts) if not isinstance(part, StoredSession)}
    if len(sizes) < 2 or sum(sizes.values()) - max(sizes.values()) < _MIN_PROCESS_BYTES:
        return
    largest_first = sorted(sizes.items(), key=lambda item: -item[1])
    bundles = list(grouped(largest_first, sum(sizes.values()) // (8 * jobs)))
    for outcome in _run(session, request, bundles, jobs):
        known = StoredSession(session.parts[outcome.part], decode_result(outcome.result), outcome.seconds, is_new=True)
        known.fix_errors = outcome.fix_errors
        session.adopt(outcome.part, known)


def _run(session: Session, request: Request, bundles: list[list[int]], jobs: int) -> Iterator[_Outcome]:
    """What the processes find, in any order. What a process that dies has not sent is missing, and what no process
    could be started for."""
    import multiprocessing
    from multiprocessing.connection import wait

    context = multiprocessing.get_context("fork")
    running: dict[Connection, ForkProcess] = {}
    waiting = bundles[::-1]
    sys.stdout.flush()  # else each child would write it, too
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(session, request, waiting.pop(), sender), daemon=True)
                try:
                    process.start()
                except OSError:  # there is no room for another one
                    waiting.clear()
                    receiver.close()
                else:
                    running[receiver] = process
                sender.close()
            ready = wait(list(running))
            for receiver in [each for each in running if each in ready]:
                try:
                    yield _DECODER.decode(receiver.recv_bytes())
                except (EOFError, OSError, msgspec.MsgspecError):
                    running.pop(receiver).join()
                    receiver.close()
    finally:
        for process in running.values():
            process.terminate()


def _work(session: Session, request: Request, bundle: list[int], sender: Connection) -> None:
    """What a process does. Where it has too little memory, the main process tries, and says so."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C goes to all: the children end quietly
    with suppress(MemoryError, ImportError, SystemError):
        _send(session, request, bundle, sender)


def _send(session: Session, request: Request, bundle: list[int], sender: Connection) -> None:
    for number in bundle:
        part = session.parts[number]
        for finding in part.findings():
            if request.fixes(finding):
                fix = part.fix_for(finding)
                if request.edits and isinstance(fix, Fix):
                    part.edits_of(fix)
        outcome = _Outcome(number, encode_result(part), part.fix_errors, dict(part.analysis.seconds))
        sender.send_bytes(_ENCODER.encode(outcome))
        session.parts[number] = session  # to forget it
    sender.close()


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Outcome)
