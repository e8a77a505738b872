"""What a change touches: the lines that differ from a revision of the git repository, and the files as they were there.

git runs none of the repository's own programs here: no external diff, no text conversion, no file system monitor, no
filter and no hook.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from prodlint.findings import Finding, Location
from prodlint.lazy_regex import regex
from prodlint.output import in_order
from prodlint.output.fingerprints import fingerprints
from prodlint.output.places import Places

if TYPE_CHECKING:
    from prodlint.analysis.session import Session

_SAFE = (
    *("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
)
_HUNK = regex(rb"@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")
_TIMEOUT_SECONDS = 120


class GitError(Exception):
    """git is not there, the folder is no repository, or it does not know the revision."""


class Changes(msgspec.Struct):
    """How the files below a folder differ from a revision; paths are relative to that folder."""

    lines: dict[str, list[range]] = {}
    """The changed lines (from 1) of each file as it is now."""
    before: dict[str, bytes] = {}
    """Each changed file as it was; b"" for one that was not there."""
    renamed: dict[str, str] = {}
    """The former paths of files, and what they are called now."""


def changes_since(folder: Path, revision: str) -> Changes:
    """What differs, below `folder`, from where the history left `revision`; raises `GitError`."""
    verified = _git(
        folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", may_fail=True
    )
    base = verified.decode().strip()
    if not base:
        raise GitError(f"git knows no revision {revision!r} here")
    # What others have done on the branch since is none of this change's.
    base = _git(folder, "merge-base", base, "HEAD", may_fail=True).decode().strip() or base
    changes = Changes()
    for status, old, new in _changed_files(folder, base):
        changes.before[new] = b""
        if status != "A":
            changes.before[old] = _git(folder, "cat-file", "blob", f"{base}:./{old}", may_fail=True)
        if old != new:
            changes.renamed[old] = new
    _read_hunks(changes, _git(folder, *_DIFF, "--unified=0", base, "--", "."))
    untracked = _git(folder, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")
    for path in _paths(untracked):
        changes.before[path] = b""
        changes.lines[path] = [range(1, 1 << 31)]
    return changes


_DIFF = (
    *("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--relative", "--find-renames"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)


def _changed_files(folder: Path, base: str) -> list[tuple[str, str, str]]:
    """Status, old path and new path of each file that differs."""
    fields = _paths(_git(folder, *_DIFF, "--name-status", "-z", base, "--", "."))
    found = []
    while fields:
        status = fields.pop(0)[0]
        old = fields.pop(0)
        found.append((status, old, fields.pop(0) if status in "RC" else old))
    return found


def _paths(output: bytes) -> list[str]:
    return [os.fsdecode(part) for part in output.split(b"\0") if part]


def _read_hunks(changes: Changes, diff: bytes) -> None:
    path = ""
    for line in diff.split(b"\n"):
        if line.startswith(b"+++ "):
            path = _unquoted(line[4:].rstrip(b"\t"))
        elif path and (match := _HUNK.match(line)):
            first, count = int(match[1]), int(match[2] or 1)
            if count:
                changes.lines.setdefault(path, []).append(range(first, first + count))


def _unquoted(name: bytes) -> str:
    """The path of a `+++` line: git quotes one with control characters as C does. "" for `/dev/null`."""
    if name.startswith(b'"'):
        name = name[1:-1].decode("unicode_escape").encode("latin-1")
    return os.fsdecode(name[2:]) if name.startswith(b"b/") else ""


_FILTER = regex(r"(?:local|worktree)\0(filter\.[^\n]*)\.(?:clean|smudge|process)\n", re.DOTALL)


@cache
def _without_filters(folder: Path) -> Mapping[str, str]:
    """The environment in which git does not run the filters that the repository itself brings along."""
    listed = _run(folder, "config", "-z", "--show-scope", "--get-regexp", r"^filter\.", environment=None).stdout
    filters = {match[1] for item in _pairs(listed.decode(errors="surrogateescape")) if (match := _FILTER.match(item))}
    values = [(f"{name}.{key}", "") for name in sorted(filters) for key in ("clean", "smudge", "process")]
    values += [(f"{name}.required", "false") for name in sorted(filters)]
    given = os.environ.get("GIT_CONFIG_COUNT", "")
    first = int(given) if given.isdecimal() else 0
    numbered = {f"GIT_CONFIG_KEY_{number}": key for number, (key, _) in enumerate(values, first)}
    numbered |= {f"GIT_CONFIG_VALUE_{number}": value for number, (_, value) in enumerate(values, first)}
    return {**os.environ, **numbered, "GIT_CONFIG_COUNT": str(first + len(values))}


def _pairs(output: str) -> list[str]:
    """Scope and setting of each entry, with the zero byte between them."""
    fields = output.split("\0")
    return [f"{scope}\0{setting}" for scope, setting in zip(fields[::2], fields[1::2], strict=False)]


def _git(folder: Path, *arguments: str, may_fail: bool = False) -> bytes:
    run = _run(folder, *arguments, environment=_without_filters(folder))
    if run.returncode and not may_fail:
        reason = run.stderr.decode(errors="replace").strip().removeprefix("fatal: ").partition("\n")[0]
        raise GitError(f"git {arguments[0]} failed: {reason}")
    return run.stdout if not run.returncode else b""


def _run(folder: Path, *arguments: str, environment: Mapping[str, str] | None) -> subprocess.CompletedProcess[bytes]:
    command = ["git", *_SAFE, *arguments]
    try:
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise GitError("git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {arguments[0]} took longer than {_TIMEOUT_SECONDS} s") from error


def caused(session: Session, findings: Sequence[Finding], changes: Changes) -> list[Finding]:
    """Those of `findings` that stand on changed lines, or that were not there before the change, wherever it was made:
    a handler that now calls a helper, a setting that was taken away."""
    before = session.with_overlay(changes.before)
    known = Counter(_identities(before.findings(), before, changes.renamed))
    places = Places(session.read, Path(), Path())
    every = in_order(session.findings())
    fresh = set()
    for finding, identity in zip(every, _identities(every, session, {}), strict=True):
        if known[identity]:
            known[identity] -= 1
        else:
            fresh.add(id(finding))
    return [finding for finding in findings if id(finding) in fresh or _is_touched(finding, changes.lines, places)]


def _identities(findings: Sequence[Finding], session: Session, renamed: Mapping[str, str]) -> list[str]:
    """The fingerprints of findings, under the names that their files have now."""
    now = [_moved(finding, renamed) for finding in in_order(findings)]
    names = {new: old for old, new in renamed.items()}
    return fingerprints(now, Places(lambda path: session.read(names.get(path, path)), Path(), Path()))


def _moved(finding: Finding, renamed: Mapping[str, str]) -> Finding:
    path, start, end = finding.location
    if path not in renamed:
        return finding
    return Finding(finding.rule, finding.message, Location(renamed[path], start, end))


def _is_touched(finding: Finding, lines: Mapping[str, Sequence[range]], places: Places) -> bool:
    path = finding.location.path
    if path not in lines:
        return False
    first, last = places.start(finding.location).line, places.end(finding.location).line
    return any(changed.start <= last and first < changed.stop for changed in lines[path])
