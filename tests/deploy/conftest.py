"""Reads deployment files given as text, facts passed through the codec as in a cached run."""

from __future__ import annotations

from textwrap import dedent

import msgspec

from prodlint.extract.deployment import READERS
from prodlint.facts import Artefact, FileFacts


def facts_of(kind: str, text: str | bytes, path: str = "file") -> FileFacts:
    data = dedent(text).encode() if isinstance(text, str) else text
    facts = READERS[kind].extract(data, path)
    assert facts.kind == kind
    return msgspec.msgpack.decode(msgspec.msgpack.encode(facts), type=FileFacts)


def artefact(facts: FileFacts, name: str | None = None) -> Artefact:
    """The artefact of a name, or the last one."""
    found = [each for each in facts.artefacts if name is None or each.name == name]
    return found[-1]


def values(item: Artefact, prefix: str = "") -> dict[str, str | None]:
    """The settings whose key starts with `prefix`, without it; the last one of a key."""
    return {
        setting.key.removeprefix(prefix): setting.value for setting in item.settings if setting.key.startswith(prefix)
    }
