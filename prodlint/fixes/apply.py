"""The fix loop: applies fixes in memory, analyses again, keeps what is proven, and writes the files once at the end.

A pass takes the fixes that do not touch and analyses the result as an overlay. It is kept if no file parses worse,
each finding that was fixed is gone and no finding of any rule is new; else the guilty fixes are found, withheld, and
said so. So every pass leaves fewer findings, and the loop ends.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, Self, TypeVar

import msgspec

from prodlint.findings import Finding, Fix
from prodlint.fixes.combine import Candidate, Combination, combine
from prodlint.fixes.text import Text
from prodlint.project.file_writing import replace_file
from prodlint.project.vfs import Unreadable, read_regular

Choose = Callable[[Finding, Fix], bool]


class SessionLike(Protocol):
    """One analysed state of a project. `prodlint.analysis.session.Session` is the real one."""

    def findings(self) -> Sequence[Finding]:
        """Every finding of this state (all selected rules, all files)."""
        ...

    def fix_for(self, finding: Finding) -> Fix | str:
        """The fix for a finding of this state, or why it has none."""
        ...

    def read(self, path: str) -> bytes:
        """The bytes of a file in this state, overlay first."""
        ...

    def problems(self, path: str) -> int:
        """How many stretches of the file could not be parsed (`FileFacts.problems`)."""
        ...

    def with_overlay(self, files: Mapping[str, bytes]) -> Self:
        """The state in which `files` have these bytes, on top of what this state already overlays. Pure."""
        ...


S = TypeVar("S", bound=SessionLike)


class FixLoopError(Exception):
    """The loop came back to a state that it had been in, or did not end. The message names the rules."""


class FixOutcome(msgspec.Struct, frozen=True):
    """What became of the fixes. Nothing is on disk before `write`."""

    changed: dict[str, tuple[bytes, bytes]]
    """Per path the bytes that were read and the bytes to write."""
    applied: list[tuple[Finding, Fix]]
    """In the order in which they were made; offsets are those of the state that each was made in."""
    withheld: list[tuple[Finding, str]]
    """Findings of `remaining` whose fix was tried and failed the proof, and why."""
    messages: list[str]
    """One sentence per withheld fix, with rule, path and line."""
    remaining: list[Finding]
    """The findings of the last state."""


class _Place(NamedTuple):
    """Where a finding is, for telling whether two states have it in common."""

    rule: str
    path: str
    position: int
    """A line number when states are compared, an offset where one finding is followed."""


def fix_all(session: SessionLike, choose: Choose) -> FixOutcome:
    """Applies every fix that `choose` says yes to, until nothing changes any more.

    `choose` is asked once per finding, however many passes the finding lives through.
    """
    return _Loop(session, choose).run()


class _Loop(Generic[S]):
    """The state of one run of the loop."""

    def __init__(self, session: S, choose: Choose) -> None:
        self._first = session
        self._session = session
        self._choose = choose
        self._findings = list(session.findings())
        self._history: defaultdict[str, list[Text]] = defaultdict(list)
        self._answers: dict[_Place, bool] = {}
        self._withheld: dict[_Place, str] = {}
        self._applied: list[Candidate] = []

    def run(self) -> FixOutcome:
        """Passes until no fix is left that was chosen and not withheld."""
        # Every pass removes a finding or withholds a fix, so more passes than findings prove a defect.
        limit = len(self._findings) + 1
        seen = {self._checksum(): 0}
        rules: list[list[str]] = []
        while candidates := self._candidates():
            if len(rules) == limit:
                names = _listed(finding.rule for finding, _ in candidates)
                raise FixLoopError(f"fixing did not end after {limit} passes; the rules still at it: {names}")
            taken = self._pass(candidates)
            rules.append([finding.rule for finding, _ in taken])
            if not taken:
                continue
            state = self._checksum()
            if state in seen:
                names = _listed(rule for names in rules[seen[state] :] for rule in names)
                raise FixLoopError(f"the fixes of these rules undo one another: {names}")
            seen[state] = len(rules)
        return self._outcome()

    def _candidates(self) -> list[Candidate]:
        candidates = []
        for finding in self._findings:
            origin = self._origin(finding)
            if origin in self._withheld or not self._answers.get(origin, True):
                continue
            fix = self._session.fix_for(finding)
            if isinstance(fix, str):
                continue
            if origin not in self._answers:
                self._answers[origin] = self._choose(finding, fix)
            if self._answers[origin]:
                candidates.append((finding, fix))
        return candidates

    def _pass(self, candidates: list[Candidate]) -> list[Candidate]:
        """Makes what can be made together and is proven; returns it."""
        combination = combine(candidates, self._session.read)
        for (finding, _), reason in combination.refused:
            self._withhold(finding, reason)
        proof = self._proven(None, combination.taken)
        if proof is None:
            return []
        self._session = proof.state
        self._findings = list(proof.state.findings())
        for path, text in proof.made.texts.items():
            self._history[path].append(text)
        self._applied += proof.made.taken
        return proof.made.taken

    def _proven(self, good: _Proof[S] | None, batch: list[Candidate]) -> _Proof[S] | None:
        """As much of `batch` as passes the proof together with what is `good` already; withholds the rest."""
        if not batch:
            return good
        trial = combine([*(good.made.taken if good else []), *batch], self._session.read)
        state = self._session.with_overlay({path: text.content for path, text in trial.texts.items()})
        faults = self._faults(trial, state)
        if not faults:
            return _Proof(trial, state)
        if len(batch) == 1:
            self._withhold(batch[0][0], faults[0].message)
            return good
        rest = []
        for finding, fix in batch:
            own = [fault.message for fault in faults if fault.place == self._line(finding)]
            if own:
                self._withhold(finding, own[0])
            else:
                rest.append((finding, fix))
        if len(rest) < len(batch):
            return self._proven(good, rest)
        half = len(batch) // 2
        return self._proven(self._proven(good, batch[:half]), batch[half:])

    def _faults(self, trial: Combination, state: S) -> list[_Fault]:
        """What speaks against a composition, which gives `state`: nothing, if it may be kept."""
        faults = [
            _Fault(None, f"{path} would not parse any more")
            for path in sorted(trial.texts)
            if state.problems(path) > self._session.problems(path)
        ]
        fixed = Counter(self._line(finding) for finding, _ in trial.taken)
        before = Counter(self._line(finding) for finding in self._findings)
        unexpected: list[Finding] = []
        expected = before - fixed
        for finding in state.findings():
            line = self._line(finding, trial)
            if expected[line]:
                expected[line] -= 1
            elif fixed[line]:
                faults.append(_Fault(line, "the finding would still be there"))
            else:
                unexpected.append(finding)
        if unexpected:
            gone = Counter(
                (finding.rule, finding.location.path, finding.message)
                for finding in self._findings
                if expected[self._line(finding)]
            )
            for finding in unexpected:
                moved = (finding.rule, finding.location.path, finding.message)
                if gone[moved]:
                    gone[moved] -= 1
                else:
                    where = _where(finding, state)
                    faults.append(_Fault(None, f"it would bring about {finding.rule} at {where}"))
        return faults

    def _withhold(self, finding: Finding, reason: str) -> None:
        self._withheld[self._origin(finding)] = reason

    def _line(self, finding: Finding, trial: Combination | None = None) -> _Place:
        """The finding's line in the present state; that of a trial's finding is followed back to it."""
        path, offset, _ = finding.location
        if trial is not None and path in trial.texts:
            offset = trial.texts[path].origin(offset)
        return _Place(finding.rule, path, _line_number(self._session, path, offset))

    def _origin(self, finding: Finding) -> _Place:
        """The finding's offset in the first state: the same through all passes."""
        path, offset, _ = finding.location
        for text in reversed(self._history[path]):
            offset = text.origin(offset)
        return _Place(finding.rule, path, offset)

    def _changed(self) -> dict[str, tuple[bytes, bytes]]:
        edited = sorted(path for path, texts in self._history.items() if texts)
        pairs = {path: (self._first.read(path), self._session.read(path)) for path in edited}
        return {path: (old, new) for path, (old, new) in pairs.items() if old != new}

    def _checksum(self) -> bytes:
        digest = hashlib.blake2b()
        for path, (_, new) in self._changed().items():
            digest.update(f"{path}\0{len(new)}\0".encode())
            digest.update(new)
        return digest.digest()

    def _outcome(self) -> FixOutcome:
        withheld = [
            (finding, self._withheld[origin])
            for finding in self._findings
            if (origin := self._origin(finding)) in self._withheld
        ]
        messages = [
            f"{_where(finding, self._session)}: the fix of {finding.rule} is withheld: {reason}."
            for finding, reason in withheld
        ]
        return FixOutcome(self._changed(), self._applied, withheld, messages, self._findings)


class _Proof(NamedTuple, Generic[S]):
    """Fixes that passed the proof together, and the state that they give."""

    made: Combination
    state: S


class _Fault(NamedTuple):
    """What is wrong with a trial; `place` is the fixed finding that it is about, if it is about one."""

    place: _Place | None
    message: str


def _line_number(state: SessionLike, path: str, offset: int) -> int:
    try:
        return state.read(path).count(b"\n", 0, offset) + 1
    except Unreadable:
        return 1  # nothing in it is fixed


def _where(finding: Finding, state: SessionLike) -> str:
    path, offset, _ = finding.location
    return f"{path}:{_line_number(state, path, offset)}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))


def write(outcome: FixOutcome, root: Path) -> list[str]:
    """Writes the changed files below `root`, each atomically, keeping its mode and owner.

    A file that is no longer as it was read is left alone, and so is what a link leads to, and the files that share a
    fix with one of them. Returns one sentence per file that was not written.
    """
    messages = []
    obstacles = {
        path: obstacle for path, (old, _) in outcome.changed.items() if (obstacle := _obstacle(root, path, old))
    }
    for group in _groups(outcome):
        blocked = [path for path in group if path in obstacles]
        for path in group:
            if blocked:
                reason = obstacles.get(path) or f"it shares a fix with {blocked[0]}, which was not written"
                messages.append(f"{path} was not written: {reason}.")
                continue
            try:
                replace_file(root / path, outcome.changed[path][1])
            except OSError as error:
                messages.append(f"{path} was not written: {error.strerror or error}.")
    return messages


def _groups(outcome: FixOutcome) -> list[list[str]]:
    """The changed paths, those joined that one fix changes together: they are written all or none."""
    leader = {path: path for path in outcome.changed}

    def find(path: str) -> str:
        while leader[path] != path:
            path = leader[path]
        return path

    for _, fix in outcome.applied:
        paths = [path for path in fix.paths() if path in leader]
        for path in paths[1:]:
            leader[find(path)] = find(paths[0])
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(leader):
        groups[find(path)].append(path)
    return sorted(groups.values())


def _obstacle(root: Path, path: str, old: bytes) -> str:
    """Why a file may not be written; "" if it may."""
    target = root / path
    real = os.path.realpath(target)
    if real != os.path.join(os.path.realpath(root), *path.split("/")):  # noqa: PTH118 - beside realpath
        return f"it is a link to {real}"
    try:
        if read_regular(target, len(old) + 1) != old:
            return "it has changed on disk since it was read"
    except OSError as error:
        return error.strerror or str(error)
    return "" if os.access(target, os.W_OK) else "it is read-only"
