"""The findings that a project has decided to live with for now: a file that `prodlint baseline` writes.

A finding in it is known by its fingerprint (see `prodlint.output.fingerprints`), so it stays known while lines above it
come and go, and becomes a new one when its own line is changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from prodlint.findings import Finding
from prodlint.output.fingerprints import fingerprints
from prodlint.output.places import Places
from prodlint.project.file_writing import write_report

BASELINE_NAME = ".prodlint-baseline.json"
"""Where it is, in the project root, if nothing else is said."""

_VERSION = 1


class BaselineError(Exception):
    """The file is no baseline, or cannot be read or written."""


class Entry(NamedTuple):
    """One known finding. Path and rule are there for people and for `prune`; the fingerprint tells it."""

    path: str
    rule: str
    fingerprint: str


class Split(NamedTuple):
    """The findings of a run, held against a baseline."""

    new: list[Finding]
    known: list[Finding]
    stale: list[Entry]
    """Entries that no finding answers to any more."""


def entries_of(findings: Sequence[Finding], read: Callable[[str], bytes]) -> list[Entry]:
    """The entries of findings, in their order; that has to be the one of `in_order`."""
    hashes = fingerprints(findings, Places(read, Path(), Path()))
    return [
        Entry(finding.location.path, finding.rule, fingerprint)
        for finding, fingerprint in zip(findings, hashes, strict=True)
    ]


def split(findings: Sequence[Finding], read: Callable[[str], bytes], baseline: Iterable[Entry]) -> Split:
    """Which of all findings of a project (in the order of `in_order`) are in the baseline."""
    known = {entry.fingerprint: entry for entry in baseline}
    new: list[Finding] = []
    old: list[Finding] = []
    for finding, entry in zip(findings, entries_of(findings, read), strict=True):
        (new if known.pop(entry.fingerprint, None) is None else old).append(finding)
    return Split(new, old, sorted(known.values()))


def read_baseline(path: Path) -> list[Entry]:
    """The entries of a baseline file; raises `BaselineError`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["prodlint-baseline"] != _VERSION:
            raise BaselineError(f"{path}: written by another version of prodlint; write it anew: prodlint baseline")
        return [Entry(*(str(row[name]) for name in Entry._fields)) for row in document["findings"]]
    except OSError as error:
        raise BaselineError(f"{path}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BaselineError(f"{path}: not a baseline; write it anew: prodlint baseline") from error


def write_baseline(path: Path, entries: Iterable[Entry]) -> None:
    """Writes a baseline file: sorted, a line per finding, so that it merges well. Raises `BaselineError`."""
    rows = ",\n".join("    " + json.dumps(entry._asdict()) for entry in sorted(entries))
    body = f"\n{rows}\n  " if rows else ""
    try:
        write_report(path, f'{{\n  "prodlint-baseline": {_VERSION},\n  "findings": [{body}]\n}}\n'.encode())
    except OSError as error:
        raise BaselineError(f"{path}: {error.strerror}") from error
