"""Keys of what is stored: a digest of everything that the stored value was made from."""

from __future__ import annotations

import hashlib

from prodlint.analysis.stage_versions import stage_version
from prodlint.facts import SOURCE
from prodlint.project.discovery import SourceFile
from prodlint.project.file_roles import FileRole

EXTRACTION = "prodlint.extract.extraction"
"""The module that makes facts."""

SKIPPED = b""
"""Stored in place of facts for a file that is left out because of what is in it (generated code, a page's script)."""


def extractor_version() -> bytes:
    """The version of all that facts depend on besides the file."""
    return stage_version(EXTRACTION)


def content_key(data: bytes, kind: str) -> bytes:
    """The key of the facts of a file of this kind with these bytes."""
    digest = hashlib.blake2b(extractor_version(), digest_size=16)
    digest.update(kind.encode() + b"\0")
    digest.update(data)
    return digest.digest()


def key_of(data: bytes, file: SourceFile) -> bytes:
    """The key that the file's facts have in the cache and in shards: all that `extract` looks at is in it."""
    if file.kind not in SOURCE:
        return content_key(data, f"{file.kind} {file.path}")
    return content_key(data, f"{file.kind} browser" if file.role is FileRole.BROWSER else file.kind)
