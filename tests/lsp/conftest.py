"""A client that talks to `prodlint lsp` as an editor does."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

PATIENCE = 30.0
HELPER = "const fs = require('fs');\nexports.load = () => fs.readFileSync('x', 'utf8');\n"
ROUTES = """\
const express = require('express');
const { load } = require('./helper');
const app = express();
app.get('/', (req, res) => res.end(load()));
app.listen(3000);
"""
T = TypeVar("T")


@dataclass
class Editor:
    """An editor with one workspace."""

    folder: Path
    client: LanguageClient
    published: dict[str, lsp.PublishDiagnosticsParams] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """What the server wrote to its standard error."""
    listening: asyncio.Task[None] | None = None
    refreshes: int = 0
    answers: lsp.InitializeResult | None = None
    _version: int = 0

    def uri(self, path: str) -> str:
        """The URI of a file of the workspace."""
        return (self.folder / path).as_uri()

    def write(self, path: str, text: str) -> None:
        """Writes a file to disk, which the server does not hear of."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def open(self, path: str, language: str, text: str | None = None) -> None:
        """Opens a document, with the text that is on disk or another."""
        content = (self.folder / path).read_text(encoding="utf-8") if text is None else text
        self._version += 1
        item = lsp.TextDocumentItem(self.uri(path), language, self._version, content)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))

    def type(self, path: str, text: str, place: lsp.Range | None = None, version: int | None = None) -> None:
        """Replaces all of a document, or what is at `place`."""
        self._version += 1
        document = lsp.VersionedTextDocumentIdentifier(uri=self.uri(path), version=version or self._version)
        whole = lsp.TextDocumentContentChangeWholeDocument(text)
        change = whole if place is None else lsp.TextDocumentContentChangePartial(place, text)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, [change]))

    def close(self, path: str) -> None:
        """Closes a document without saving it."""
        self.client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(self.uri(path))))

    def changed_on_disk(self, *paths: str) -> None:
        """Tells the server that files changed on disk."""
        changes = [lsp.FileEvent(self.uri(path), lsp.FileChangeType.Changed) for path in paths]
        self.client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams(changes))

    def found(self, path: str) -> list[str]:
        """What was published last for a file, as `line:column rule`."""
        params = self.published.get(self.uri(path))
        return [shown(diagnostic) for diagnostic in params.diagnostics] if params is not None else []

    async def sees(self, path: str, *expected: str) -> None:
        """Waits until exactly this is published for a file."""
        await self.until(lambda: self.found(path) == list(expected), lambda: f"{path}: {self.found(path)}")

    async def until(self, condition: Callable[[], bool], state: Callable[[], str] = str) -> None:
        """Waits for something that has to happen."""
        for _ in range(int(PATIENCE / 0.02)):
            if condition():
                return
            await asyncio.sleep(0.02)
        pytest.fail(f"waited in vain; {state()} {self.messages}")

    async def actions(self, path: str, line: int, only: list[str] | None = None) -> list[lsp.CodeAction]:
        """What is offered on a line (from 0), resolved."""
        place = lsp.Range(lsp.Position(line, 0), lsp.Position(line, 0))
        context = lsp.CodeActionContext([], only=[*only] if only else None)
        document = lsp.TextDocumentIdentifier(self.uri(path))
        offered = await self.client.text_document_code_action_async(lsp.CodeActionParams(document, place, context))
        actions = [action for action in offered or () if isinstance(action, lsp.CodeAction)]
        return [
            await self.client.code_action_resolve_async(action) if action.edit is None else action for action in actions
        ]

    async def hover(self, path: str, line: int, character: int) -> str:
        """What is shown at a place."""
        document = lsp.TextDocumentIdentifier(self.uri(path))
        answer = await self.client.text_document_hover_async(lsp.HoverParams(document, lsp.Position(line, character)))
        return answer.contents.value if answer is not None and isinstance(answer.contents, lsp.MarkupContent) else ""


def shown(diagnostic: lsp.Diagnostic) -> str:
    """`line:column rule`, from 0 as the protocol has them."""
    return f"{diagnostic.range.start.line}:{diagnostic.range.start.character} {diagnostic.code}"


def applied(text: str, action: lsp.CodeAction, uri: str) -> str:
    """A document after an action, as an editor that counts in UTF-16 applies it."""
    edit = action.edit
    assert edit is not None
    edits: list[Any] = []
    if edit.changes:
        edits = list(edit.changes.get(uri, []))
    for change in edit.document_changes or ():
        if isinstance(change, lsp.TextDocumentEdit) and change.text_document.uri == uri:
            edits += change.edits
    lines = text.splitlines(keepends=True) or [""]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode("utf-16-le")))
    data = text.encode("utf-16-le")

    def offset(position: lsp.Position) -> int:
        return starts[min(position.line, len(starts) - 1)] + 2 * position.character

    for each in sorted(edits, key=lambda each: offset(each.range.start), reverse=True):
        data = data[: offset(each.range.start)] + each.new_text.encode("utf-16-le") + data[offset(each.range.end) :]
    return data.decode("utf-16-le")


def capabilities(**changes: Any) -> lsp.ClientCapabilities:
    """What an editor can do that wants its diagnostics pushed."""
    values: dict[str, Any] = {
        "workspace": lsp.WorkspaceClientCapabilities(
            workspace_edit=lsp.WorkspaceEditClientCapabilities(document_changes=True),
            did_change_watched_files=lsp.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True),
            diagnostics=lsp.DiagnosticWorkspaceClientCapabilities(refresh_support=True),
        ),
        "text_document": lsp.TextDocumentClientCapabilities(
            code_action=lsp.CodeActionClientCapabilities(
                resolve_support=lsp.ClientCodeActionResolveOptions(properties=["edit"])
            )
        ),
    }
    return lsp.ClientCapabilities(**{**values, **changes})


Start = Callable[..., Awaitable[Editor]]


async def start(folder: Path, *folders: Path, **changes: Any) -> Editor:
    """Starts a server with an editor."""
    client = LanguageClient("tests", "1")
    editor = Editor(folder, client)

    @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def _published(params: lsp.PublishDiagnosticsParams) -> None:
        editor.published[params.uri] = params

    @client.feature(lsp.WINDOW_SHOW_MESSAGE)
    def _message(params: lsp.ShowMessageParams) -> None:
        editor.messages.append(params.message)

    @client.feature(lsp.WORKSPACE_DIAGNOSTIC_REFRESH)
    def _refresh(*_: Any) -> None:
        editor.refreshes += 1

    @client.feature(lsp.CLIENT_REGISTER_CAPABILITY)
    def _register(params: lsp.RegistrationParams) -> None:
        editor.messages.append(f"registered {params.registrations[0].method}")

    options, port = changes.pop("options", None), changes.pop("port", None)
    if port is None:
        await client.start_io(sys.executable, "-m", "prodlint", "lsp")
        assert client._server is not None and client._server.stderr is not None
        editor.listening = asyncio.ensure_future(_listen(client._server.stderr, editor.said))
    else:
        await _connected(client, port)
    workspace = [lsp.WorkspaceFolder(each.as_uri(), each.name) for each in folders or (folder,)]
    parameters = lsp.InitializeParams(
        capabilities=capabilities(**changes), workspace_folders=workspace, initialization_options=options
    )
    editor.answers = await asyncio.wait_for(client.initialize_async(parameters), PATIENCE)
    client.initialized(lsp.InitializedParams())
    return editor


async def _listen(stream: asyncio.StreamReader, into: list[str]) -> None:
    while line := await stream.readline():
        into.append(line.decode())


async def _connected(client: LanguageClient, port: int) -> None:
    """Connects as soon as the server listens."""
    for _ in range(int(PATIENCE / 0.1)):
        try:
            return await client.start_tcp("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.1)
    pytest.fail(f"nobody listens on port {port}")


async def stop(editor: Editor) -> None:
    """Ends the server as an editor does."""
    await asyncio.wait_for(editor.client.shutdown_async(None), PATIENCE)
    editor.client.exit(None)
    await editor.client.stop()


def played(scenario: Callable[[], Awaitable[None]]) -> None:
    """Runs a scenario in an event loop of its own."""
    asyncio.run(asyncio.wait_for(scenario(), 4 * PATIENCE))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service whose handler calls a helper that blocks."""
    monkeypatch.setenv("PRODLINT_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "shop é"
    folder.mkdir()
    (folder / "package.json").write_text('{"name": "shop", "dependencies": {"express": "^4.18.0"}}\n')
    (folder / "helper.js").write_text(HELPER)
    (folder / "app.js").write_text(ROUTES)
    (folder / "prodlint.toml").write_text('select = ["blocking-call", "console-logging", "unused-ignore"]\n')
    return folder
