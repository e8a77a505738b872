"""Facts outside the process: as JSON for people, and as shards for other machines.

A shard holds the encoded facts of some files by their keys. It is used for the same bytes only, and not at all if it
was made by another extractor, so shards can never make a run find anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any

import msgspec

from prodlint.analysis.keys import extractor_version, key_of
from prodlint.extract.fact_table import encode
from prodlint.facts import FileFacts
from prodlint.output.json_text import json_text
from prodlint.project.discovery import SourceFile


class ShardError(Exception):
    """A file is no shard that can be used here; the message says why."""


class _Shard(msgspec.Struct):
    extractor: bytes
    facts: dict[bytes, bytes]


def shard_of(files: Iterable[tuple[SourceFile, bytes, FileFacts]]) -> bytes:
    """The facts of these files (with their bytes) as a shard."""
    return msgspec.msgpack.encode(
        _Shard(extractor_version(), {key_of(data, file): encode(facts) for file, data, facts in files})
    )


def read_shard(path: Path) -> dict[bytes, bytes]:
    """The encoded facts in a shard, by key; raises `ShardError`."""
    try:
        shard = msgspec.msgpack.decode(path.read_bytes(), type=_Shard)
    except OSError as error:
        raise ShardError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except msgspec.MsgspecError as error:
        raise ShardError(f"{path}: not a file that `prodlint facts --output-format msgpack` wrote") from error
    if shard.extractor != extractor_version():
        raise ShardError(f"{path}: made by another version of prodlint or of its grammars; make it again")
    return shard.facts


def as_json(facts: Mapping[str, FileFacts]) -> str:
    """Facts by path as indented JSON, with the names of fields and kinds. What has its default value is left out; `#`
    is the index by which other facts refer to an item."""
    shown = {path: _named(file) for path, file in facts.items()}
    return json_text(shown)


def _named(fact: Any) -> Any:
    if isinstance(fact, msgspec.Struct):
        fields = ((field, getattr(fact, field.name)) for field in msgspec.structs.fields(fact))
        return {field.name: _named(value) for field, value in fields if not _is_default(field, value)}
    if isinstance(fact, list) and fact and isinstance(fact[0], msgspec.Struct):
        return [{"#": index, **_named(item)} for index, item in enumerate(fact)]
    return fact.name if isinstance(fact, IntEnum) else fact


def _is_default(field: msgspec.structs.FieldInfo, value: Any) -> bool:
    return value == field.default or (
        field.default_factory is not msgspec.NODEFAULT and value == field.default_factory()
    )
