"""What a run has to say, and the formats that say it: one module per format, each with `render(report, options)`.

Formats are imported when they are asked for: none of them costs the others their start-up time.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from prodlint.findings import Applicability, Edit, Finding, Fix, Severity

if TYPE_CHECKING:
    from prodlint.rulebook import Rule

FORMATS: Mapping[str, str] = {
    "text": "prodlint.output.text",
    "concise": "prodlint.output.concise",
    "json": "prodlint.output.json",
    "sarif": "prodlint.output.sarif",
    "github": "prodlint.output.github",
    "gitlab": "prodlint.output.gitlab",
    "azure": "prodlint.output.azure",
    "junit": "prodlint.output.junit",
    "checkstyle": "prodlint.output.checkstyle",
    "sonarqube": "prodlint.output.sonarqube",
    "markdown": "prodlint.output.digest",
}
"""The module of each format that `--output-format` takes."""

STATISTICS = "prodlint.output.statistics"
"""The module that answers `--statistics`, in place of the formats for people."""


class ErrorMessage(NamedTuple):
    """Something that could not be done, so that the report may be incomplete: a file that cannot be read, a check
    that failed. `path` is relative to the project root; None where it is about no file."""

    path: str | None
    line: int | None
    message: str


class Stats(NamedTuple):
    """Numbers of a run that the findings do not tell. `seconds` None leaves the time out."""

    files: int = 0
    seconds: float | None = None
    hidden_likely: int = 0
    """Findings that were left out because they are only likely."""
    hidden_advice: int = 0
    """Findings that were left out because they are only advice."""
    suppressed: int = 0
    """Findings that an ignore comment or the baseline stopped."""
    in_baseline: int = 0
    """Findings that the baseline stopped."""
    gone_from_baseline: int = 0
    """Entries of the baseline that no finding has any more."""


class Report(msgspec.Struct, frozen=True):
    """Everything that a format may show. Paths are as in findings: POSIX, relative to `root`."""

    findings: Sequence[Finding]
    """In the order in which they are shown; see `in_order`."""
    rules: Mapping[str, Rule]
    """By name: every rule that ran, with the project's settings."""
    severity_of: Callable[[Finding], Severity]
    fix_for: Callable[[Finding], Fix | str]
    """The fix, or why there is none ("" if none of the rule's findings has one). Asked at most once per finding and
    rendering, and not at all by formats that show no fixes."""
    edits_of: Callable[[Fix], tuple[Edit, ...] | str]
    """All edits of a fix, those of its imports too; or why it cannot be made."""
    read: Callable[[str], bytes]
    """The bytes that the offsets are about; raises `prodlint.project.vfs.Unreadable`."""
    root: Path
    """Absolute, as is `cwd`, and both with or both without symbolic links resolved."""
    cwd: Path
    version: str
    errors: Sequence[ErrorMessage] = ()
    stats: Stats = msgspec.field(default_factory=Stats)


class Options(msgspec.Struct, frozen=True):
    """How to show it. `unicode` False keeps to ASCII where prodlint draws; the code itself is shown as it is."""

    color: bool = False
    width: int = 80
    unicode: bool = True
    statistics: bool = False
    pages: Path | None = None
    """Where the pages of rules are put so that their names can be links to them; None for no links."""

    def page_of(self, rule: Rule) -> str:
        """The URI of a rule's page, or ""."""
        from prodlint.rulebook import page_uri

        return "" if self.pages is None else page_uri(rule, self.pages)


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """By path, place, rule and message: the order of every format."""
    return sorted(findings, key=lambda finding: (finding.location, finding.rule, finding.message))


WITHOUT_ADVICE = frozenset({"text", "concise", "markdown"})
"""The formats that leave advice out unless it is asked for."""


def without_advice(report: Report) -> Report:
    """The report without the findings that are only advice, which are counted."""
    shown = [finding for finding in report.findings if report.severity_of(finding) is not Severity.ADVICE]
    hidden = len(report.findings) - len(shown)
    return replace(report, findings=shown, stats=report.stats._replace(hidden_advice=hidden)) if hidden else report


def render(report: Report, output_format: str, options: Options) -> Iterator[str]:
    """The report as text, in pieces. `output_format` is one of `FORMATS`."""
    for_people = output_format in ("text", "concise")
    module = importlib.import_module(STATISTICS if options.statistics and for_people else FORMATS[output_format])
    pieces: Iterator[str] = module.render(report, options)
    return pieces


class Tally(NamedTuple):
    """The findings, counted."""

    findings: int
    severities: Mapping[Severity, int]
    """The worst first."""
    rules: Mapping[str, int]
    files: int
    safe: int
    """With a fix that `--fix` makes."""
    unsafe: int
    """With a fix that only `--unsafe-fixes` makes."""


def tally(report: Report, fixes: Sequence[Fix | str]) -> Tally:
    """Counts the findings; `fixes` has the fix of each, or why there is none, in their order."""
    applicabilities = Counter(fix.applicability for fix in fixes if isinstance(fix, Fix))
    severities = Counter(report.severity_of(finding) for finding in report.findings)
    return Tally(
        findings=len(report.findings),
        severities={severity: severities[severity] for severity in Severity},
        rules=dict(sorted(Counter(finding.rule for finding in report.findings).items())),
        files=len({finding.location.path for finding in report.findings}),
        safe=applicabilities[Applicability.SAFE],
        unsafe=applicabilities[Applicability.UNSAFE],
    )
