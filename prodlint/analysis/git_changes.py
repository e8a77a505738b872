"""What a change touches: the lines that differ from a revision of the git repository, and the files as they were."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from prodlint.analysis.git_repository import Repository, Tree, open_repository
from prodlint.findings import Finding, Location
from prodlint.output import in_order
from prodlint.output.fingerprints import fingerprints
from prodlint.output.places import Places
from prodlint.project.discovery import may_be_read
from prodlint.project.vfs import Unreadable

if TYPE_CHECKING:
    from prodlint.analysis.session import Session


class Changes(msgspec.Struct):
    """How the files of a project differ from a revision; paths are relative to its root."""

    lines: dict[str, list[range]] = {}
    """The changed lines (from 1) of each file as it is now."""
    before: dict[str, bytes] = {}
    """Each changed file as it was; b"" for one that was not there."""
    renamed: dict[str, str] = {}
    """The former paths of files, and what they are called now."""


def changes_since(session: Session, revision: str) -> Changes:
    """What differs, of what prodlint reads, from where the history left `revision`; raises `GitError`."""
    project = session.project
    with open_repository(project.root) as repository:
        base = repository.commit(revision)
        # What others have done on the branch since is none of this change's.
        base = repository.merge_base(base, "HEAD") or base
        tree = repository.tree(base, project.root)
        now = _differing(session, repository, tree)
        there = {file.path for file in project.files}
        gone = [path for path in tree.files if path not in there and _is_gone(project.root, path)]
        if gone and repository.is_sparse:  # what the last commit still has was left out of the working copy
            last = repository.tree("HEAD", project.root).files
            gone = [path for path in gone if path not in last]
        return _compared(repository, tree, now, gone)


def _differing(session: Session, repository: Repository, tree: Tree) -> dict[str, bytes]:
    """The files of the project that are not as `tree` has them. Their lines may have ends of either kind."""
    found = {}
    for path in (file.path for file in session.project.files):
        if any(path[:at] in tree.submodules for at, letter in enumerate(path) if letter == "/"):
            continue
        try:
            data = session.file_system.read(path)
        except Unreadable:
            continue
        known = tree.files.get(path)
        if known is None or known not in (repository.id_of(data), repository.id_of(data.replace(b"\r\n", b"\n"))):
            found[path] = data
    return found


def _is_gone(root: Path, path: str) -> bool:
    return may_be_read(path) and not os.path.lexists(root / path)


def _compared(repository: Repository, tree: Tree, now: Mapping[str, bytes], gone: Sequence[str]) -> Changes:
    """What has changed in the files `now`, and by what is `gone`."""
    paths = [*now, *gone]
    ids = {path: tree.files[path] for path in paths if path in tree.files}
    contents = repository.read(ids.values())
    changes = Changes(before={path: contents.get(ids.get(path, ""), b"") for path in paths})
    changes.lines = {path: [range(1, 1 << 31)] for path in now if path not in tree.files}
    old = {number: changes.before[path] for number, path in enumerate(paths) if path in ids}
    # New files are compared, too, where they may be old ones under another name.
    new = {number: now[path] for number, path in enumerate(paths) if path in now and (path in ids or gone)}
    difference = repository.compare(old, new)
    for was, became in difference.renamed.items():
        changes.renamed[paths[was]] = paths[became]
        del changes.lines[paths[became]]
    for number, lines in difference.lines.items():
        changes.lines.setdefault(paths[number], lines)
    return changes


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
