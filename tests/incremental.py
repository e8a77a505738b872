"""What is found with the help of earlier runs, and what a cold run finds, in a form that can be compared."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from prodlint.analysis.session import ExtractOptions, Session
from prodlint.analysis.store import Cache
from prodlint.analysis.stored_results import keep_results, look_up, look_up_parts
from prodlint.output import Options, Report, in_order, render

NOTHING: Mapping[Path, bytes] = {}


def cold(root: Path, overlay: Mapping[Path, bytes] = NOTHING) -> Session:
    """A session without a past."""
    return Session.open([root], overlay=overlay, preview=True, extract_options=ExtractOptions(jobs=1))


def warm(root: Path, cache_directory: Path) -> str:
    """The report of a run of the command line, which leaves in the cache what it found."""
    with Cache(cache_directory) as cache:
        opened = Session.open([root], preview=True, extract_options=ExtractOptions(cache=cache, jobs=1))
        session = look_up(opened, cache)
        if session is opened and len(session.parts) > 1:
            look_up_parts(session, cache)
        text = report_of(session)
        keep_results(session, cache)
    return text


def report_of(session: Session) -> str:
    """All that a session finds, likely ones and all fixes with their edits too, as JSON, and what went wrong."""
    report = Report(
        findings=in_order(session.findings()),
        rules=session.rules,
        severity_of=session.severity_of,
        fix_for=session.fix_for,
        edits_of=session.edits_of,
        read=session.read,
        root=session.project.root,
        cwd=session.project.root,
        version="",
    )
    errors = [*session.analysis.errors, *session.fix_errors]
    rest = [session.project.files, session.analysis.suppressed, session.left_out(), errors]
    return "\n".join(["".join(render(report, "json", Options())), *map(str, rest)])


def difference(expected: str, found: str, name: str) -> str:
    """What differs in the report `found`, which is called `name`, from that of a cold run; "" if nothing does."""
    if expected == found:
        return ""
    lines = difflib.unified_diff(expected.splitlines(), found.splitlines(), "a cold run", name, lineterm="", n=6)
    return "\n".join(lines)
