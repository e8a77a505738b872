"""The words everything else is said in: where something is, what was found there, and how it is mended.

Offsets are byte offsets into the file as it is on disk (or in the editor). Lines, columns and UTF-16 units
exist only at the edges, in `prodlint.output` and `prodlint.lsp`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec


class Severity(StrEnum):
    """How much a rule matters. Belongs to the rule; settings may change it."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"

    @property
    def rank(self) -> int:
        """0 for advice, 1 for warning, 2 for error: greater is worse."""
        return {"advice": 0, "warning": 1, "error": 2}[self.value]


class Confidence(StrEnum):
    """How sure prodlint is of one finding. `LIKELY` ones rest on a name alone and are shown on request."""

    CERTAIN = "certain"
    LIKELY = "likely"


def weakest(*grounds: Confidence) -> Confidence:
    """How sure a finding is that rests on all of `grounds`: as the least sure of them."""
    return Confidence.LIKELY if Confidence.LIKELY in grounds else Confidence.CERTAIN


class Applicability(StrEnum):
    """Whether a fix keeps the program's behaviour for every input (`SAFE`) or wants a person's look (`UNSAFE`)."""

    SAFE = "safe"
    UNSAFE = "unsafe"


class Span(NamedTuple):
    """Byte offsets `[start, end)` in a file that the context names."""

    start: int
    end: int


class Location(NamedTuple):
    """Byte offsets `[start, end)` in the file `path` (POSIX, relative to the project root)."""

    path: str
    start: int
    end: int


class Step(NamedTuple):
    """One hop of a call path: where, and what happens there."""

    location: Location
    message: str


class Finding(msgspec.Struct, frozen=True):
    """One thing that will hurt in production.

    `rule` is the rule's name, `location` what the reader would change, `trace` the path from the request to it
    (outermost first, empty where the rule needs none), `related` further places worth showing, `data` what the
    rule's own `fix` needs to know again (indices into facts; never text). `no_fix_reason` says why this finding has no
    fix although the rule has one, if its check knows that already; else `fix` says it. `service` names the deployable
    service, for rules that report once per service.
    """

    rule: str
    message: str
    location: Location
    confidence: Confidence = Confidence.CERTAIN
    trace: tuple[Step, ...] = ()
    related: tuple[Step, ...] = ()
    data: Mapping[str, Any] = {}
    severity: Severity | None = None
    """Overrides the rule's severity for this finding (a case the rule knows to be milder)."""
    no_fix_reason: str = ""
    service: str = ""


class Edit(NamedTuple):
    """Replace the bytes `[start, end)` of `path` by `text` (start == end inserts)."""

    path: str
    start: int
    end: int
    text: str


class ImportRequest(NamedTuple):
    """A name that the edited file must have after the fix; requests are merged as a set and realised once.

    `module` as the file would write it (`asyncio`, `node:fs`, `./logger`), `name` the imported member ("" for the
    module itself, "default" for an ES default export), `alias` the local name ("" for the natural one).
    """

    path: str
    module: str
    name: str = ""
    alias: str = ""


class Fix(msgspec.Struct, frozen=True):
    """An atomic change: all of its edits and imports are made, or none. May touch several files."""

    title: str
    applicability: Applicability
    edits: tuple[Edit, ...]
    imports: tuple[ImportRequest, ...] = ()

    def paths(self) -> list[str]:
        """The files that it changes, each as often as it changes it."""
        return [edit.path for edit in self.edits] + [request.path for request in self.imports]


class AnalysisError(NamedTuple):
    """Something that prodlint could not do as it should: an unreadable file, a syntax error, a check that failed."""

    path: str
    """POSIX, relative to the project root; "" where it is about no file."""
    line: int
    """From 1; 0 for the file as a whole."""
    message: str
    is_failure: bool = True
    """Whether something was not analysed at all that was asked for (exit code 2). A syntax error is none: the sound
    parts of the file were analysed."""
