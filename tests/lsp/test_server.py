"""The language server, with a client that talks to it over its standard input and output."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcRequestCancelled

from tests.lsp.conftest import HELPER, PATIENCE, ROUTES, Editor, applied, played, shown, start, stop

BLOCKS = "1:21 blocking-call"
CALM = ROUTES.replace("load()", "'calm'")


def scenario(shop: Path, play: Any, *folders: Path, **changes: Any) -> None:
    """Starts, plays, ends."""

    async def run() -> None:
        editor = await start(shop, *folders, **changes)
        try:
            await play(editor)
        finally:
            await stop(editor)

    played(run)


def test_what_is_found_on_disk_is_published(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        await editor.sees("helper.js", BLOCKS)
        (diagnostic,) = editor.published[editor.uri("helper.js")].diagnostics
        assert diagnostic.source == "prodlint"
        assert diagnostic.severity is lsp.DiagnosticSeverity.Error
        assert diagnostic.range.end == lsp.Position(1, 49)
        assert [item.message for item in diagnostic.related_information or ()] == [
            "GET / is handled by the function in line 4",
            "the function in line 4 calls load()",
        ]
        assert (diagnostic.related_information or [])[0].location.uri == editor.uri("app.js")
        assert diagnostic.code_description is not None
        page = Path(diagnostic.code_description.href.removeprefix("file://"))
        assert page.read_text(encoding="utf-8").startswith("# blocking-call")

    scenario(shop, play)


def test_an_edit_in_one_file_changes_what_is_found_in_another(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        await editor.sees("helper.js", BLOCKS)
        editor.open("app.js", "javascript")
        editor.type("app.js", CALM)
        await editor.sees("helper.js")
        editor.type("app.js", ROUTES)
        await editor.sees("helper.js", BLOCKS)
        editor.type("app.js", CALM)
        await editor.sees("helper.js")
        editor.close("app.js")  # not saved: what is on disk counts again
        await editor.sees("helper.js", BLOCKS)

    scenario(shop, play)


def test_an_edit_counts_in_utf_16(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        editor.open("helper.js", "javascript", "/* 𝒳é */ " + HELPER.partition("\n")[2])
        editor.type("helper.js", "🙂", lsp.Range(lsp.Position(0, 3), lsp.Position(0, 5)))
        editor.type("helper.js", "const fs = require('fs'); ", lsp.Range(lsp.Position(0, 10), lsp.Position(0, 10)))
        await editor.sees("helper.js", "0:57 blocking-call")

    scenario(shop, play)


@pytest.mark.parametrize(
    ("encoding", "column"),
    [(lsp.PositionEncodingKind.Utf8, 12), (lsp.PositionEncodingKind.Utf16, 9), (lsp.PositionEncodingKind.Utf32, 8)],
)
def test_columns_count_what_the_client_wants(shop: Path, encoding: lsp.PositionEncodingKind, column: int) -> None:
    (shop / "helper.js").write_text("const fs = require('fs');\nexports.load = () =>\n'𝒳é' + (fs.readFileSync('x'));\n")

    async def play(editor: Editor) -> None:
        assert editor.answers is not None
        assert editor.answers.capabilities.position_encoding == encoding
        await editor.sees("helper.js", f"2:{column} blocking-call")

    scenario(shop, play, general=lsp.GeneralClientCapabilities(position_encodings=[encoding]))


def test_files_that_change_on_disk(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        await editor.sees("helper.js", BLOCKS)
        assert "registered workspace/didChangeWatchedFiles" in editor.messages
        editor.write("app.js", CALM)
        editor.changed_on_disk("app.js")
        await editor.sees("helper.js")
        editor.write("new.js", ROUTES)
        editor.changed_on_disk("new.js")
        await editor.sees("helper.js", BLOCKS)
        (editor.folder / "new.js").unlink()
        editor.changed_on_disk("new.js")
        await editor.sees("helper.js")

    scenario(shop, play)


def test_the_configuration_changes_and_breaks(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        await editor.sees("helper.js", BLOCKS)
        editor.write("prodlint.toml", 'ignore = ["blocking-call"]\n')
        editor.changed_on_disk("prodlint.toml")
        await editor.sees("helper.js")
        editor.write("prodlint.toml", "selekt = []\n")
        editor.changed_on_disk("prodlint.toml")
        await editor.until(lambda: any("did you mean" in message for message in editor.messages))
        editor.write("prodlint.toml", "")
        editor.changed_on_disk("prodlint.toml")
        await editor.sees("helper.js", BLOCKS)

    scenario(shop, play)


def test_preferences_of_the_client(shop: Path) -> None:
    (shop / "other.toml").write_text('select = ["logging"]\n')

    async def play(editor: Editor) -> None:
        editor.open("app.js", "javascript", ROUTES + "console.log(1);\n")
        await editor.sees("app.js", "5:0 console-logging")
        assert editor.found("helper.js") == []
        settings = {"prodlint": {"config": str(shop / "prodlint.toml"), "likely": 1}, "other": 3}
        editor.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(settings))
        await editor.sees("helper.js", BLOCKS)
        others = {"prodlint": {"config": str(shop / "other.toml")}}
        editor.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(others))
        await editor.sees("helper.js")
        nothing = {"prodlint": {"config": None, "preview": None, "likely": None}}
        editor.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(nothing))
        await editor.sees("helper.js", BLOCKS)

    scenario(shop, play, options={"config": str(shop / "other.toml"), "preview": "yes"})


def test_diagnostics_can_be_pulled(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        document = lsp.TextDocumentIdentifier(editor.uri("helper.js"))
        params = lsp.DocumentDiagnosticParams(document)
        report = await editor.client.text_document_diagnostic_async(params)
        assert isinstance(report, lsp.RelatedFullDocumentDiagnosticReport)
        assert [shown(item) for item in report.items] == [BLOCKS]
        params.previous_result_id = report.result_id
        again = await editor.client.text_document_diagnostic_async(params)
        assert isinstance(again, lsp.RelatedUnchangedDocumentDiagnosticReport)
        editor.open("app.js", "javascript", CALM)
        after = await editor.client.text_document_diagnostic_async(params)
        assert isinstance(after, lsp.RelatedFullDocumentDiagnosticReport)
        assert list(after.items) == []
        await editor.until(lambda: editor.refreshes > 0)
        assert editor.published == {}

    pulls = lsp.TextDocumentClientCapabilities(diagnostic=lsp.DiagnosticClientCapabilities())
    scenario(shop, play, text_document=pulls)


def test_the_workspace_can_be_pulled_with_progress(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        seen: list[str] = []

        @editor.client.feature(lsp.PROGRESS)
        def _progress(params: lsp.ProgressParams) -> None:
            value = params.value
            seen.append(value["kind"] if isinstance(value, dict) else getattr(value, "kind", ""))

        report = await editor.client.workspace_diagnostic_async(
            lsp.WorkspaceDiagnosticParams([], work_done_token="token")
        )
        (item,) = report.items
        assert isinstance(item, lsp.WorkspaceFullDocumentDiagnosticReport)
        assert (item.uri, [shown(each) for each in item.items]) == (editor.uri("helper.js"), [BLOCKS])
        assert seen == ["begin", "report", "end"]
        known = [lsp.PreviousResultId(item.uri, item.result_id or "")]
        again = await editor.client.workspace_diagnostic_async(lsp.WorkspaceDiagnosticParams(known))
        assert isinstance(again.items[0], lsp.WorkspaceUnchangedDocumentDiagnosticReport)

    scenario(shop, play)


ASYNC = """\
const fs = require('fs');
const app = require('express')();
app.get('/é', async (req, res) => { res.end(fs.readFileSync('x')); });
app.listen(3000);
"""


def test_a_fix_is_offered_and_mends_it(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        editor.open("app.js", "javascript", ASYNC)
        fix, ignore = await editor.actions("app.js", 2, ["quickfix"])
        assert "unsafe" in fix.title
        assert [shown(item) for item in fix.diagnostics or ()] == ["2:44 blocking-call"]
        text = applied(ASYNC, fix, editor.uri("app.js"))
        assert "res.end(await fs.promises.readFile('x'))" in text
        editor.type("app.js", text)
        await editor.sees("app.js")
        assert ignore.title == "Ignore blocking-call on this line"

    scenario(shop, play)


def test_a_line_can_be_ignored(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        editor.open("app.js", "javascript", ASYNC)
        _, ignore = await editor.actions("app.js", 2, ["quickfix"])
        text = applied(ASYNC, ignore, editor.uri("app.js"))
        assert text.splitlines()[2] == "// prodlint: ignore[blocking-call]"
        editor.type("app.js", text)
        await editor.sees("app.js")
        assert "# blocking-call" in await editor.hover("app.js", 2, 25)

    scenario(shop, play)


def test_no_ignore_comment_inside_a_string(shop: Path) -> None:
    text = ASYNC.replace("res.end(fs.readFileSync('x'))", "res.end(`\n${fs.readFileSync('x')}`)")

    async def play(editor: Editor) -> None:
        editor.open("app.js", "javascript", text)
        titles = [action.title for action in await editor.actions("app.js", 3)]
        assert titles
        assert not any(title.startswith("Ignore") for title in titles)

    scenario(shop, play)


PYTHON = """\
from fastapi import FastAPI

app = FastAPI()


async def send(): ...


@app.get("/")
async def index():
    send()
    send()
"""


def test_all_safe_fixes_at_once(shop: Path) -> None:
    (shop / "prodlint.toml").write_text('select = ["debug-enabled", "unawaited-coroutine"]\n')
    debugged = PYTHON.replace("FastAPI()", "FastAPI(debug=True)")

    async def play(editor: Editor) -> None:
        editor.open("api.py", "python", debugged)
        (action,) = await editor.actions("api.py", 0, ["source.fixAll"])
        assert action.kind == "source.fixAll.prodlint"
        text = applied(debugged, action, editor.uri("api.py"))
        assert text == PYTHON.replace("FastAPI()", "FastAPI(debug=False)")
        assert await editor.actions("api.py", 0, ["source.organizeImports"]) == []
        edit = action.edit
        assert edit is not None and edit.document_changes
        assert isinstance(edit.document_changes[0], lsp.TextDocumentEdit)
        assert edit.document_changes[0].text_document.version == 1

    scenario(shop, play)


def test_an_editor_hears_why_there_is_no_fix(shop: Path) -> None:
    able = lsp.TextDocumentClientCapabilities(code_action=lsp.CodeActionClientCapabilities(disabled_support=True))
    text = "require('express')().get('/', (req, res) => {\n  try {\n    work(req);\n  } catch {}\n  res.end();\n});\n"
    (shop / "prodlint.toml").write_text("preview = true\n")

    async def play(editor: Editor) -> None:
        editor.open("quiet.js", "javascript", text)
        missing = next(each for each in await editor.actions("quiet.js", 3, ["quickfix"]) if each.disabled)
        assert missing.title == "Fix swallowed-exception"
        assert missing.disabled == lsp.CodeActionDisabled("there is no logger in reach")
        assert missing.edit is None
        shown = await editor.hover("quiet.js", 3, 11)
        assert shown.startswith("*No fix here: there is no logger in reach.*\n\n# swallowed-exception")

    scenario(shop, play, text_document=able)


def test_hover_shows_the_page_of_the_rule(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        editor.open("helper.js", "javascript")
        assert "# blocking-call" in await editor.hover("helper.js", 1, 25)
        assert await editor.hover("helper.js", 0, 0) == ""

    scenario(shop, play)


def test_several_folders_are_several_projects(shop: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(shop, other)
    (other / "prodlint.toml").write_text('ignore = ["blocking-call"]\n')

    async def play(editor: Editor) -> None:
        await editor.sees("helper.js", BLOCKS)
        folder = lsp.WorkspaceFolder(other.as_uri(), "other")
        change = lsp.WorkspaceFoldersChangeEvent(added=[], removed=[lsp.WorkspaceFolder(shop.as_uri(), "shop")])
        editor.client.workspace_did_change_workspace_folders(lsp.DidChangeWorkspaceFoldersParams(change))
        await editor.sees("helper.js")
        assert (other / "helper.js").as_uri() not in editor.published
        (other / "prodlint.toml").write_text("")
        back = lsp.WorkspaceFoldersChangeEvent(added=[folder], removed=[folder])
        editor.client.workspace_did_change_workspace_folders(lsp.DidChangeWorkspaceFoldersParams(back))
        await editor.until(lambda: (other / "helper.js").as_uri() in editor.published)

    scenario(shop, play, shop, other)


def test_a_document_outside_of_all_folders(shop: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone" / "app.js"
    alone.parent.mkdir()
    alone.write_text(ASYNC)

    async def play(editor: Editor) -> None:
        editor.folder = alone.parent
        editor.open("app.js", "javascript")
        await editor.until(lambda: "2:44 blocking-call" in editor.found("app.js"))

    scenario(shop, play)


# --- how it starts and ends


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_over_tcp(shop: Path) -> None:
    port = _free_port()
    server = subprocess.Popen([sys.executable, "-m", "prodlint", "lsp", "--tcp", str(port)], stderr=subprocess.PIPE)

    async def run() -> None:
        editor = await start(shop, port=port)
        await editor.sees("helper.js", BLOCKS)
        editor.open("app.js", "javascript", CALM)
        await editor.sees("helper.js")
        await stop(editor)

    try:
        played(run)
        _, complaints = server.communicate(timeout=PATIENCE)
        assert (server.returncode, complaints) == (0, b"")
    finally:
        server.kill()


def test_a_port_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "prodlint", "lsp", "--tcp", str(port)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith(f"Error: cannot listen on 127.0.0.1:{port}: ")


def _message(method: str, number: int | None = None) -> bytes:
    params: dict[str, Any] = {"capabilities": {}} if method == "initialize" else {}
    message = {"jsonrpc": "2.0", "method": method, "params": params} | ({"id": number} if number is not None else {})
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize(("has_shutdown", "code"), [(True, 0), (False, 1)])
def test_the_exit_code_is_the_protocols(has_shutdown: bool, code: int) -> None:
    talk = [_message("initialize", 1), _message("initialized")]
    talk += [_message("shutdown", 2)] * has_shutdown + [_message("exit")]
    command = [sys.executable, "-m", "prodlint", "lsp"]
    run = subprocess.run(command, input=b"".join(talk), capture_output=True, timeout=PATIENCE, check=False)
    assert run.returncode == code
    assert b"Traceback" not in run.stderr


# --- what must not end it


BREAKER = """\
import prodlint.extract.source.python as python

whole = python.extract


def extract(data, kind):
    if b"break the extractor" in data:
        raise RecursionError("broken on purpose")
    return whole(data, kind)


python.extract = extract
"""


def test_a_crash_in_one_file_leaves_the_others_alone(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(BREAKER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    (shop / "tool.py").write_text("x = 1\n")

    async def play(editor: Editor) -> None:
        await editor.sees("helper.js", BLOCKS)
        editor.open("tool.py", "python", "# break the extractor\n")
        editor.open("app.js", "javascript", CALM)
        await editor.sees("helper.js")
        editor.type("app.js", ROUTES)
        await editor.sees("helper.js", BLOCKS)
        await editor.until(lambda: any("broken on purpose" in line for line in editor.said))

    scenario(shop, play)


def test_edits_out_of_order_and_of_nothing(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        editor.type("app.js", CALM, version=7)  # never opened
        editor.open("app.js", "javascript")
        editor.type("app.js", "}", lsp.Range(lsp.Position(900, 5), lsp.Position(901, 9)), version=3)
        editor.type("app.js", CALM, version=2)
        editor.close("nowhere.js")
        await editor.sees("helper.js")

    scenario(shop, play)


def test_a_lone_surrogate(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        editor.open("helper.js", "javascript", HELPER.replace("'x'", "'\ud800'"))
        await editor.sees("helper.js", BLOCKS)
        assert await editor.hover("helper.js", 1, 25) != ""

    scenario(shop, play)


def test_a_broken_document_and_one_that_is_no_file(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        await editor.sees("helper.js", BLOCKS)
        editor.open("app.js", "javascript", "const = }}}} (((( `")
        await editor.sees("helper.js")
        item = lsp.TextDocumentItem("untitled:Untitled-1", "javascript", 1, ASYNC)
        editor.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        params = lsp.DocumentDiagnosticParams(lsp.TextDocumentIdentifier("untitled:Untitled-1"))
        report = await editor.client.text_document_diagnostic_async(params)
        assert list(report.items) == []
        editor.type("app.js", ROUTES)
        await editor.sees("helper.js", BLOCKS)

    scenario(shop, play)


def test_the_workspace_is_deleted(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        await editor.sees("helper.js", BLOCKS)
        files = [path.name for path in shop.iterdir()]
        shutil.rmtree(shop)
        editor.changed_on_disk(*files)
        await editor.sees("helper.js")
        shop.mkdir()
        editor.write("app.js", ASYNC)
        editor.changed_on_disk("app.js")
        await editor.until(lambda: "2:44 blocking-call" in editor.found("app.js"))

    scenario(shop, play)


def test_a_file_is_renamed_while_it_is_open(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        editor.open("helper.js", "javascript")
        await editor.sees("helper.js", BLOCKS)
        (shop / "helper.js").rename(shop / "other.js")
        editor.changed_on_disk("helper.js", "other.js")
        editor.close("helper.js")
        editor.open("other.js", "javascript")
        await editor.sees("helper.js")
        editor.write("app.js", ROUTES.replace("./helper", "./other"))
        editor.changed_on_disk("app.js")
        await editor.sees("other.js", BLOCKS)

    scenario(shop, play)


def test_a_request_can_be_cancelled(shop: Path) -> None:
    async def play(editor: Editor) -> None:
        document = lsp.TextDocumentIdentifier(editor.uri("helper.js"))
        params = lsp.DocumentDiagnosticParams(document)
        editor.open("app.js", "javascript", CALM)
        known = set(editor.client.protocol._request_futures)
        pending = asyncio.ensure_future(editor.client.text_document_diagnostic_async(params))
        await asyncio.sleep(0)
        (number,) = set(editor.client.protocol._request_futures) - known
        editor.client.cancel_request(lsp.CancelParams(number))
        with pytest.raises(JsonRpcRequestCancelled):
            await pending
        report = await editor.client.text_document_diagnostic_async(params)
        assert list(report.items) == []

    scenario(shop, play)
