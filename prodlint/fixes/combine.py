"""Joins fixes: which of them can be made together, and what the files look like then.

Fixes are independent changes to one base. Two of them can be made together when their edits do not touch; identical
edits are made once (two findings that both make one function `async`). Imports are requests, not text: the requests of
all the fixes are merged as a set and realised once per file, on the edited text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from prodlint.findings import Edit, Finding, Fix, ImportRequest
from prodlint.fixes.text import FixError, Text
from prodlint.lazy_regex import regex

Candidate = tuple[Finding, Fix]

PYTHON_SUFFIXES = frozenset({".py", ".pyi"})


class Combination(NamedTuple):
    """Fixes that go together, and the texts that they make."""

    taken: list[Candidate]
    postponed: list[Candidate]
    """They touch one that was taken: try them again on the new text."""
    refused: list[tuple[Candidate, str]]
    """They cannot be made at all, and why: edits overlap or lie outside the file, an import finds no place."""
    texts: dict[str, Text]
    """Per changed path, what became of it."""


_SET_UP = regex(r"(?=[^\n]*\n)\s*(?:const |let |var )?[\w$]+(?:: [^=\n]+)? = ")
"""The text of an edit that adds `logger = make()` on a line of its own."""


class _Taken:
    """The edits taken in one file, in order of their starts. They do not touch, so their ends are in order too."""

    def __init__(self) -> None:
        self.edits: list[Edit] = []

    def accepts(self, new: Sequence[Edit]) -> bool:
        return all(not self._touches(edit) and not self._sets_up_twice(edit) for edit in new)

    def _sets_up_twice(self, edit: Edit) -> bool:
        """Whether an edit adds a line that makes something (a logger), as one that was taken does in another place:
        once that is there, nobody needs it again."""
        if edit.start != edit.end or not _SET_UP.match(edit.text):
            return False
        return any(taken != edit and taken.text.strip() == edit.text.strip() for taken in self.edits)

    def add(self, new: Sequence[Edit]) -> None:
        """Adds the edits of one fix; those that another fix makes too are made once."""
        present = Counter(self.edits)
        for edit in new:
            if present[edit]:
                present[edit] -= 1
            else:
                self.edits.append(edit)
        self.edits.sort(key=lambda edit: (edit.start, edit.end))

    def _touches(self, edit: Edit) -> bool:
        position = bisect_right(self.edits, edit.end, key=lambda taken: taken.start)
        for taken in reversed(self.edits[:position]):
            if taken != edit and _touch(taken, edit):
                return True
            if taken.end < edit.start:
                return False
        return False


def combine(candidates: Sequence[Candidate], read: Callable[[str], bytes]) -> Combination:
    """Takes as many of `candidates` as go together, earlier ones first. `read` gives the present bytes of a path."""
    taken: list[Candidate] = []
    postponed: list[Candidate] = []
    refused: list[tuple[Candidate, str]] = []
    edited: defaultdict[str, _Taken] = defaultdict(_Taken)
    for candidate in candidates:
        by_path = _by_path(candidate[1].edits)
        if all(edited[path].accepts(edits) for path, edits in by_path.items()):
            for path, edits in by_path.items():
                edited[path].add(edits)
            taken.append(candidate)
        else:
            postponed.append(candidate)
    while True:
        try:
            return Combination(taken, postponed, refused, _realise([fix for _, fix in taken], read))
        except FixError:
            hopeless = [(candidate, reason) for candidate in taken if (reason := _why_not(candidate[1], read))]
            refused += hopeless
            if hopeless:
                # What touched only these is free again; it gets its turn in the next pass.
                taken = [candidate for candidate in taken if not _why_not(candidate[1], read)]
            else:
                postponed.append(taken.pop())


def _why_not(fix: Fix, read: Callable[[str], bytes]) -> str:
    """Why a fix cannot be made even alone; "" if it can."""
    try:
        _realise([fix], read)
    except FixError as error:
        return str(error)
    return ""


def resolve(fix: Fix, read: Callable[[str], bytes]) -> tuple[Edit, ...] | str:
    """The edits of one fix with its imports realised, sorted, against the present bytes: what JSON, SARIF and an
    editor's code action show. Or why it cannot be made."""
    try:
        apart = _apart(fix, read)
        if apart is not None:
            return apart
        texts = _realise([fix], read)
        return tuple(edit for path in sorted(texts) for edit in texts[path].edits(path))
    except FixError as error:
        return str(error)


def _apart(fix: Fix, read: Callable[[str], bytes]) -> tuple[Edit, ...] | None:
    """The edits of a fix whose imports go elsewhere than its own edits, as they nearly always do. It saves parsing the
    text with the edits made, which no other fix has: most of the time that a report with many fixes took."""
    edits = [*fix.edits]
    for path in sorted({request.path for request in fix.imports}):
        granted = _import_edits(path, read(path), {request for request in fix.imports if request.path == path})
        if granted is None or any(_touch(one, own) for one in granted for own in fix.edits if own.path == path):
            return None
        edits += granted
    found: list[Edit] = []
    for path, own in sorted(_by_path(edits).items()):
        text = Text(read(path))
        text.apply(own)
        found += text.edits(path)
    return tuple(found)


def _realise(fixes: Iterable[Fix], read: Callable[[str], bytes]) -> dict[str, Text]:
    """The texts after all the edits and imports of `fixes`, whose edits do not touch (identical ones are made once)."""
    edits: defaultdict[str, _Taken] = defaultdict(_Taken)
    imports: defaultdict[str, set[ImportRequest]] = defaultdict(set)
    for fix in fixes:
        for path, own in _by_path(fix.edits).items():
            edits[path].add(own)
        for request in fix.imports:
            imports[request.path].add(request)
    texts = {path: Text(read(path)) for path in sorted(edits.keys() | imports.keys())}
    for path, text in texts.items():
        text.apply(edits[path].edits)
        if path in imports:
            granted = _import_edits(path, text.content, imports[path])
            if granted is None:
                names = ", ".join(sorted(request.name or request.module for request in imports[path]))
                raise FixError(f"no import of {names} can be added to {path}")
            text.apply(granted)
    return texts


def _import_edits(path: str, source: bytes, requests: set[ImportRequest]) -> tuple[Edit, ...] | None:
    # The toolboxes import libcst or tree-sitter grammars: only when an import is really asked for.
    if PurePosixPath(path).suffix in PYTHON_SUFFIXES:
        from prodlint.fixes import python

        return python.import_edits(path, source, requests)
    from prodlint.fixes import javascript

    return javascript.import_edits(path, source, requests)


def _by_path(edits: Iterable[Edit]) -> dict[str, list[Edit]]:
    by_path: defaultdict[str, list[Edit]] = defaultdict(list)
    for edit in edits:
        by_path[edit.path].append(edit)
    return by_path


def _touch(first: Edit, second: Edit) -> bool:
    """Whether two edits overlap, or one inserts at a border of the other, where the order would decide."""
    if first.start == first.end or second.start == second.end:
        return first.start <= second.end and second.start <= first.end
    return first.start < second.end and second.start < first.end
