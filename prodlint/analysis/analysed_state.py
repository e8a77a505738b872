"""What is known of one analysed state of a project, whoever found it out: this run, an earlier one, another process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from prodlint.facts import FileFacts
from prodlint.findings import AnalysisError, Edit, Finding, Fix
from prodlint.project.discovery import Project


class Analysis(msgspec.Struct, frozen=True):
    """What the checks found in one state of a project."""

    findings: list[Finding]
    """In all files, likely ones too; without those that an ignore comment or the settings stopped."""
    suppressed: list[Finding]
    """The findings that ignore comments stopped."""
    errors: list[AnalysisError]
    """What went wrong on the way, in all files."""
    seconds: Mapping[str, float] = {}
    """How long each rule took; what several of them ask of the program counts for the one that asked first."""


class AnalysedState(Protocol):
    """A state of a project with everything that follows from it. `prodlint.analysis.session.Session` is one."""

    @property
    def project(self) -> Project:
        """The files."""

    @property
    def facts(self) -> Mapping[str, FileFacts]:
        """The facts of every file that has some."""

    @property
    def analysis(self) -> Analysis:
        """What the checks found."""

    def left_out(self) -> Sequence[str]:
        """The files that were not analysed."""

    def findings(self) -> Sequence[Finding]:
        """Every finding, in all files."""

    def fix_for(self, finding: Finding) -> Fix | str:
        """The fix of a finding, or why it has none."""

    def edits_of(self, fix: Fix) -> tuple[Edit, ...] | str:
        """All edits of a fix, or why it cannot be made."""
