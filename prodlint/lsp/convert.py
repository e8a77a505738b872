"""Findings, places and edits as the Language Server Protocol has them.

Source: LSP 3.17, "Position": lines count from 0, columns count the units of the encoding that client and server have
agreed on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from lsprotocol import types as lsp

from prodlint.analysis.suppressions import UNUSED_RULE
from prodlint.findings import Edit, Finding, Location, Severity, Step
from prodlint.output.places import SourceText
from prodlint.project.vfs import Unreadable

_SEVERITIES: Mapping[Severity, lsp.DiagnosticSeverity] = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.ADVICE: lsp.DiagnosticSeverity.Information,
}
_ENCODINGS = {
    lsp.PositionEncodingKind.Utf8: "utf-8",
    lsp.PositionEncodingKind.Utf16: "utf-16-le",
    lsp.PositionEncodingKind.Utf32: "utf-32-le",
}
_UNIT_BYTES = {"utf-8": 1, "utf-16-le": 2, "utf-32-le": 4}


def path_of(uri: str) -> Path | None:
    """The file that a URI names; None for what is no file (an untitled document, a revision of git), and for a name
    that no file can have."""
    try:
        parts = urlsplit(uri)
        if parts.scheme != "file":
            return None
        name = url2pathname(parts.path) if os.name == "nt" else unquote(parts.path, errors="surrogateescape")
        path = Path(f"//{parts.netloc}{name}" if parts.netloc not in ("", "localhost") else name)
    except ValueError:
        return None
    return path if path.is_absolute() and "\0" not in name else None


class Converter:
    """Converts what is in one state of one project."""

    def __init__(
        self, root: Path, read: Callable[[str], bytes], encoding: str | None, names: Mapping[str, str]
    ) -> None:
        """`names` has the URIs of open documents, as the client wrote them, by path."""
        self._root = root
        self._read = read
        self._codec = _ENCODINGS.get(lsp.PositionEncodingKind(encoding or "utf-16"), "utf-16-le")
        self._names = names
        self._texts: dict[str, SourceText] = {}

    def uri(self, path: str) -> str:
        """The URI of a file of the project."""
        return self._names.get(path) or (self._root / path).as_uri()

    def text(self, path: str) -> SourceText:
        """The text of a file; empty for one that cannot be read."""
        if path not in self._texts:
            try:
                self._texts[path] = SourceText(self._read(path))
            except Unreadable:
                self._texts[path] = SourceText(b"")
        return self._texts[path]

    def position(self, path: str, offset: int) -> lsp.Position:
        """Where a byte offset is."""
        text = self.text(path)
        line, column = text.position(offset)
        return self._position(text, line, column)

    def _position(self, text: SourceText, line: int, column: int) -> lsp.Position:
        before = text.line(line)[: column - 1]
        units = len(before.encode(self._codec, "surrogatepass")) // _UNIT_BYTES[self._codec]
        return lsp.Position(line - 1, units)

    def range(self, location: Location) -> lsp.Range:
        """Where something is; a stretch that ends with a line end ends before it."""
        text = self.text(location.path)
        end = text.end_position(location.start, location.end)
        return lsp.Range(self.position(location.path, location.start), self._position(text, *end))

    def diagnostic(self, finding: Finding, severity: Severity, page: str) -> lsp.Diagnostic:
        """A finding. Its call path and what else is worth seeing become related information; `page` is the URI of the
        rule's page, or ""."""
        steps: Iterable[Step] = (*finding.trace, *finding.related)
        is_unused = finding.rule == UNUSED_RULE
        return lsp.Diagnostic(
            range=self.range(finding.location),
            message=finding.message,
            severity=_SEVERITIES[severity],
            code=finding.rule,
            code_description=lsp.CodeDescription(href=page) if page else None,
            source="prodlint",
            tags=[lsp.DiagnosticTag.Unnecessary] if is_unused else None,
            related_information=[
                lsp.DiagnosticRelatedInformation(
                    lsp.Location(self.uri(step.location.path), self.range(step.location)), step.message
                )
                for step in steps
            ]
            or None,
        )

    def edit(self, edit: Edit) -> lsp.TextEdit:
        """One edit. Unlike a finding's, its end is exact: a line end may be what it deletes."""
        place = lsp.Range(self.position(edit.path, edit.start), self.position(edit.path, edit.end))
        return lsp.TextEdit(place, edit.text)

    def workspace_edit(
        self, edits: Iterable[Edit], versions: Mapping[str, int | None], with_versions: bool
    ) -> lsp.WorkspaceEdit:
        """Edits of any number of files. With versions a client refuses them for a document that has moved on."""
        by_path: dict[str, list[lsp.TextEdit]] = {}
        for edit in edits:
            by_path.setdefault(edit.path, []).append(self.edit(edit))
        if not with_versions:
            return lsp.WorkspaceEdit(changes={self.uri(path): own for path, own in by_path.items()})
        return lsp.WorkspaceEdit(
            document_changes=[
                lsp.TextDocumentEdit(
                    lsp.OptionalVersionedTextDocumentIdentifier(self.uri(path), versions.get(path)), list(own)
                )
                for path, own in by_path.items()
            ]
        )
