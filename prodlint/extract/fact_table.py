"""Facts as they are held, stored and shipped: encoded, until somebody looks at them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from prodlint.facts import FileFacts, Outline

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(FileFacts)
_OUTLINES = msgspec.msgpack.Decoder(Outline)


def encode(facts: FileFacts) -> bytes:
    """Facts as they are stored and shipped."""
    return _ENCODER.encode(facts)


def decode(value: bytes) -> FileFacts:
    """What `encode` made; raises `msgspec.MsgspecError`."""
    return _DECODER.decode(value)


class FactTable(Mapping[str, FileFacts]):
    """Facts by path, decoded when they are first looked at: encoded they take a tenth of the memory."""

    def __init__(self, entries: Mapping[str, FileFacts | bytes] = {}) -> None:
        self._entries = dict(entries)
        self._outlines: dict[str, Outline] = {}

    def __getitem__(self, path: str) -> FileFacts:
        entry = self._entries[path]
        if isinstance(entry, bytes):
            entry = self._entries[path] = decode(entry)
        return entry

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, path: object) -> bool:
        return path in self._entries

    def put(self, path: str, facts: FileFacts | bytes) -> None:
        """Takes the facts of a file, encoded or not."""
        self._entries[path] = facts

    def outline(self, path: str) -> FileFacts | Outline:
        """What is needed of the facts of every file."""
        entry = self._entries[path]
        if not isinstance(entry, bytes):
            return entry
        if path not in self._outlines:
            self._outlines[path] = _OUTLINES.decode(entry)
        return self._outlines[path]

    def part(self, paths: Iterable[str]) -> FactTable:
        """The facts of some of the files, as they are held, in the order of `paths`."""
        return FactTable({path: self._entries[path] for path in paths if path in self._entries})

    def joined(self, other: FactTable) -> FactTable:
        """The facts of the files here and in `other`, whose are taken where both have some."""
        return FactTable({**self._entries, **other._entries})
