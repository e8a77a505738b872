"""Changed files as a patch that `git apply` takes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

NO_NEWLINE = b"\n\\ No newline at end of file\n"


def unified_diff(changed: Mapping[str, tuple[bytes, bytes]], context: int = 3) -> bytes:
    """A unified diff of `path → (old, new)` with `a/` and `b/` prefixes, in the order of the paths.

    Bytes, not text: the files' own encodings and line endings are in it.
    """
    return b"".join(line for path in sorted(changed) for line in _file_diff(path, *changed[path], context))


def _file_diff(path: str, old: bytes, new: bytes, context: int) -> Iterator[bytes]:
    before, after = _quoted(f"a/{path}"), _quoted(f"b/{path}")
    lines = difflib.diff_bytes(difflib.unified_diff, _lines(old), _lines(new), before, after, n=context)
    for line in lines:
        yield line if line.endswith(b"\n") else line + NO_NEWLINE


def _lines(content: bytes) -> list[bytes]:
    """Lines with their ends. Only `\\n` ends a line for git; `bytes.splitlines` would split at a lone `\\r` too."""
    lines = content.split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


def _quoted(name: str) -> bytes:
    """A file name as git writes it in a header: quoted where it has to be, and ended by a tab after a blank."""
    raw = name.encode("utf-8", "surrogateescape")
    if all(32 <= byte < 127 and byte not in b'"\\' for byte in raw):
        return raw + (b"\t" if b" " in raw else b"")
    escaped = (
        b"\\" + bytes([byte]) if byte in b'"\\' else bytes([byte]) if 32 <= byte < 127 else b"\\%03o" % byte
        for byte in raw
    )
    return b'"' + b"".join(escaped) + b'"'
