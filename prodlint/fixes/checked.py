"""Whether an edit of a deployment file did what it should: the file is read again, and says one thing more."""

from __future__ import annotations

from collections.abc import Callable

from prodlint.facts import Artefact, FileFacts
from prodlint.fixes.text import Edits, edited

Extract = Callable[[bytes, str], FileFacts]
"""A format's `extract(data, path)`."""


def adds_only(extract: Extract, path: str, source: bytes, edits: Edits, artefact: Artefact, *keys: str) -> bool:
    """Whether the file says after the edits what it said before, and of the artefact the settings `keys` besides."""
    before, after = (_said(extract(data, path)) for data in (source, edited(source, edits)))
    added = [each for each in after if each not in before]
    is_meant = [(name, key) for name, key, _ in added] == [(artefact.name, key) for key in keys]
    return is_meant and len(after) == len(before) + len(added)


def _said(facts: FileFacts) -> list[tuple[str, str, str | None]]:
    return [
        (artefact.name, setting.key, setting.value) for artefact in facts.artefacts for setting in artefact.settings
    ]
