"""Deployment files that are written in TOML."""

from __future__ import annotations

from typing import Any

from prodlint.extract.ignore_comments import line_starts_of
from prodlint.facts import FileFacts, SyntaxProblem
from prodlint.toml_text import TomlError, parse_toml


def read_document(data: bytes, facts: FileFacts) -> dict[str, Any] | None:
    """The document in `data`. None if there is none: then `facts` says why, and where."""
    try:
        return parse_toml(data.decode("utf-8-sig", "replace"))
    except TomlError as error:
        facts.line_starts = line_starts_of(data)
        start = facts.line_starts[min(max(error.line, 1), len(facts.line_starts)) - 1]
        facts.problems.append(SyntaxProblem(f"this is no valid TOML: {error.message}", start, start))
        return None
