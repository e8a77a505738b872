"""What an earlier run found in the same state of a project, so that it need not be found again.

A result is taken only if nothing is different that it depends on: prodlint itself and all packages beside it, the
rules that run with their data, the settings, and the path, kind and content of every file. It is kept in the cache
beside the facts, one for each project and way to look at it. Whatever is asked beyond it is worked out as ever.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import msgspec

from prodlint import __version__
from prodlint.analysis.analysed_state import Analysis
from prodlint.analysis.keys import key_of
from prodlint.analysis.session import Session
from prodlint.analysis.store import Cache
from prodlint.findings import AnalysisError, Edit, Finding, Fix
from prodlint.project.vfs import Unreadable
from prodlint.rulebook import OWN_PACKAGE


class Result(msgspec.Struct, array_like=True):
    """What a run found, as it is stored."""

    findings: list[Finding]
    fixes: list[Fix | str | None]
    """The fix of each finding, or why it has none; None where nobody asked."""
    edits: list[tuple[Edit, ...] | str | None]
    """All edits of each fix, or why it cannot be made; None where nobody asked."""
    suppressed: list[Finding]
    syntax_errors: list[AnalysisError]
    left_out: list[str]


class StoredSession(Session):
    """A session that knows from the beginning what will be found."""

    def __init__(
        self, session: Session, result: Result, seconds: Mapping[str, float] = {}, is_new: bool = False
    ) -> None:
        """`is_new` says that the cache does not have the result."""
        self.__dict__.update(session.__dict__)
        errors = [*self.project.errors, *result.syntax_errors]
        self.__dict__["analysis"] = Analysis(result.findings, result.suppressed, errors, seconds)
        self.fixes = {
            id(finding): (finding, fix)
            for finding, fix in zip(result.findings, result.fixes, strict=True)
            if fix is not None
        }
        self.edits = {
            fix: edits
            for fix, edits in zip(result.fixes, result.edits, strict=True)
            if isinstance(fix, Fix) and edits is not None
        }
        self._known = None if is_new else (len(self.fixes), len(self.edits))
        self._left_out = frozenset(result.left_out)
        self._verified(lambda verifier: verifier.analysis(self.analysis))

    def has_new_results(self) -> bool:
        """Whether more is known now than the cache has."""
        return self._known != (len(self.fixes), len(self.edits))

    def analysed(self) -> Collection[str]:
        """As `Session.analysed`."""
        return [file.path for file in self.project.files if file.path not in self._left_out]

    def left_out(self) -> list[str]:
        """As `Session.left_out`."""
        return [file.path for file in self.project.files if file.path in self._left_out]


def look_up(session: Session, cache: Cache) -> Session:
    """The session with what an earlier run found, if `cache` has that; else the session as it is."""
    if not _can_be_kept(session):
        return session
    kept = cache.result(_place(session))
    if kept is None or kept[0] != _state(session, cache):
        return session
    try:
        return StoredSession(session, decode_result(kept[1]))
    except (msgspec.MsgspecError, ValueError):
        return session


def has_new_results(session: Session) -> bool:
    """Whether `session` found anything that could be kept and is not."""
    if isinstance(session, StoredSession) and not session.has_new_results():
        return False
    failed = session.fix_errors or any(error.is_failure for error in session.analysis.errors)
    return _can_be_kept(session) and not failed


def look_up_parts(session: Session, cache: Cache) -> None:
    """Lets `session` take over what an earlier run found in those of its parts that are as they were."""
    for number, part in enumerate(session.parts):
        known = look_up(part, cache)
        if known is not part:
            session.adopt(number, known)


def keep_results(session: Session, cache: Cache) -> None:
    """Keeps what `session` found in `cache`, as a whole and part by part, with the fixes that were asked for."""
    for part in (session, *session.parts) if len(session.parts) > 1 else (session,):
        if has_new_results(part) and (state := _state(part, cache)) is not None:
            result = encode_result(part)
            if not part.fix_errors:
                cache.put_result(_place(part), state, result)


def encode_result(session: Session) -> bytes:
    """What `session` found, as `decode_result` takes it."""
    encoded = _ENCODER.encode(_result(session))
    pairs = zip(session.findings(), decode_result(encoded).findings, strict=True)
    lost = [finding for finding, decoded in pairs if finding != decoded]
    for finding in lost:
        session.fix_for(finding)  # what its rule needs to know for that does not survive: now or never
    return _ENCODER.encode(_result(session)) if lost else encoded


def decode_result(encoded: bytes) -> Result:
    """What `encode_result` made; raises `msgspec.MsgspecError` and `ValueError`."""
    return _DECODER.decode(encoded)


def _result(session: Session) -> Result:
    fixes = [session.fixes[id(finding)][1] if id(finding) in session.fixes else None for finding in session.findings()]
    return Result(
        session.findings(),
        fixes,
        [session.edits.get(fix) if isinstance(fix, Fix) else None for fix in fixes],
        session.analysis.suppressed,
        [error for error in session.analysis.errors if error not in session.project.errors],
        session.left_out(),
    )


_ENCODER = msgspec.msgpack.Encoder(enc_hook=str, order="deterministic")
_DECODER = msgspec.msgpack.Decoder(Result)


def _can_be_kept(session: Session) -> bool:
    """Whether all that the result depends on is known here: not the text in an editor, nor the code of rule packs."""
    return not session.file_system.overlay and all(rule.package == OWN_PACKAGE for rule in session.known.values())


def _place(session: Session) -> str:
    """The project, and everything about the way to look at it."""
    digest = hashlib.blake2b(_program(), digest_size=16)
    digest.update(_ENCODER.encode([[*session.rules.values()], sorted(session.known), session.settings]))
    part = f" {session.project.files[0].path}" if session.is_part else ""
    return f"{session.project.root}{part} {digest.hexdigest()}"


def _state(session: Session, cache: Cache) -> bytes | None:
    """The project's files with their contents; None if one cannot be read."""
    file_system, files = session.file_system, session.project.files
    stamps = {
        f"{file_system.root}/{file.path}": stamp
        for file in files
        if (stamp := file_system.stamp(file.path)) is not None
    }
    known = cache.keys_of(stamps)
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        key = known.get(f"{file_system.root}/{file.path}")
        if key is None:
            try:
                key = key_of(file_system.read(file.path), file)
            except Unreadable:
                return None
        digest.update(f"{file.path}\0{file.kind}\0{file.is_explicit}\0".encode(errors="surrogateescape") + key)
    return digest.digest()


@cache
def _program() -> bytes:
    """prodlint as it is installed, and the versions of all that is installed beside it."""
    package = Path(__file__).parent.parent
    digest = hashlib.blake2b(f"{__version__} {sys.version} {package}".encode(), digest_size=16)
    for folder, folders, names in os.walk(package):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            info = os.stat(f"{folder}/{name}")  # noqa: PTH116 - a tenth of the time of Path
            digest.update(f"{folder}/{name} {info.st_size} {info.st_mtime_ns}\n".encode())
    beside = Path(msgspec.__file__).parent.parent
    digest.update("\n".join(sorted(path for path in os.listdir(beside) if path.endswith("-info"))).encode())  # noqa: PTH208
    return digest.digest()
