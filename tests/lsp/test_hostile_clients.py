"""Odd requests get an answer, odd folders are not walked, memory is bounded, and the end comes at once."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prodlint.analysis.session import Session
from prodlint.lsp.convert import path_of
from prodlint.lsp.garbage import Garbage
from prodlint.lsp.open_project import OpenProject, Preferences
from tests.lsp.conftest import HELPER, ROUTES
from tests.lsp.wire import Wire


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "helper.js").write_text(HELPER)
    (shop / "routes.js").write_text(ROUTES)
    return shop


@pytest.fixture
def wire(folder: Path) -> Iterator[Wire]:
    with Wire(folder, folder.as_uri()) as connection:
        yield connection


def _place(line: int, character: int) -> dict[str, int]:
    return {"line": line, "character": character}


POSITIONS = [(-1, 0), (0, -1), (10**6, 10**6), (2**31 - 1, 2**31 - 1), (2**80, 0), (0, 1.5), (None, 0), ("1", 0)]


def test_odd_positions(wire: Wire, folder: Path) -> None:
    document = {"textDocument": {"uri": (folder / "helper.js").as_uri()}}
    for line, character in POSITIONS:
        place: Any = _place(line, character)  # type: ignore[arg-type]
        context = {"diagnostics": []}
        actions = {**document, "range": {"start": place, "end": place}, "context": context}
        for answer in (
            wire.ask("textDocument/codeAction", actions),
            wire.ask("textDocument/hover", {**document, "position": place}),
        ):
            assert "result" in answer or answer["error"]["code"] == -32602, answer
    assert wire.leave() == 0


URIS = [
    "file:///%00.js",
    "file:///a%00/../b.js",
    "file://",
    "file:",
    "",
    "file:///",
    "file://[::1/x.js",
    "file:///" + "a" * 5_000,
    "file:///%ff%fe.js",
    "file:///../../etc/passwd",
    "untitled:Untitled-1",
    "git:/a.js?ref=x",
    "http://[",
    "\0",
]


def test_odd_uris(wire: Wire) -> None:
    for uri in URIS:
        document = {"uri": uri, "languageId": "javascript", "version": 1, "text": ROUTES}
        place = {"start": _place(0, 0), "end": _place(0, 0)}
        wire.tell("textDocument/didOpen", {"textDocument": document})
        wire.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 2}]})
        actions = {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": []}}
        assert wire.ask("textDocument/codeAction", actions).get("result") is not None, uri
        assert "result" in wire.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": _place(0, 0)}), uri
        assert "result" in wire.ask("textDocument/diagnostic", {"textDocument": {"uri": uri}}), uri
        previous = {"previousResultIds": [{"uri": uri, "value": "x"}]}
        assert "result" in wire.ask("workspace/diagnostic", previous), uri
        wire.tell("textDocument/didClose", {"textDocument": {"uri": uri}})
    for config in ("\0", "~nobody-of-that-name/x", "a" * 5_000, "/", "/dev/null/x"):
        wire.tell("workspace/didChangeConfiguration", {"settings": {"prodlint": {"config": config}}})
        assert "result" in wire.ask("workspace/diagnostic", {"previousResultIds": []}), config
    assert wire.leave() == 0
    wire.__exit__()
    assert b"Traceback" not in wire.said, wire.said.decode()


@pytest.mark.parametrize("uri", ["file:///%00.js", "file://", "relative.js", "file:relative.js", "file://[", "x:/a"])
def test_a_uri_that_is_no_file(uri: str) -> None:
    assert path_of(uri) is None


@pytest.mark.parametrize("length", ["-5", "x", "", "9" * 5_000, "1000000000000", "1.5", "0x10"])
def test_odd_lengths(wire: Wire, length: str) -> None:
    wire.raw(f"Content-Length: {length}\r\n\r\n".encode())
    assert wire.answer(None)["error"]["code"] == -32700
    body = b'{"jsonrpc": "2.0", "id": "odd", "method": "shutdown"}'
    wire.raw(b"content-length:%d\r\nContent-Type: x\r\n\r\n%s" % (len(body), body))
    assert wire.answer("odd")["result"] is None  # type: ignore[arg-type]


def test_a_folder_with_everything_in_it_is_not_walked(folder: Path, tmp_path: Path) -> None:
    """The root, the home folder and what it lies in; but a document in there is a project of its own, while it is
    open."""
    for uri in ("file:///", tmp_path.as_uri(), tmp_path.parent.as_uri()):
        with Wire(folder, uri, HOME=str(tmp_path), PRODLINT_CACHE_DIR=str(tmp_path / "cache")) as wire:
            assert wire.ask("workspace/diagnostic", {"previousResultIds": []})["result"] == {"items": []}
            said = [
                message["params"]["message"] for message in wire.others if message["method"] == "window/showMessage"
            ]
            assert ["holds more than a project" in text for text in said] == [True]
            own = (folder / "helper.js").as_uri()
            document = {"uri": own, "languageId": "javascript", "version": 1, "text": HELPER}
            wire.tell("textDocument/didOpen", {"textDocument": document})
            found = wire.ask("textDocument/diagnostic", {"textDocument": {"uri": own}})["result"]["items"]
            assert [each["code"] for each in found] == ["blocking-call"]
            wire.tell("textDocument/didClose", {"textDocument": {"uri": own}})
            assert wire.ask("workspace/diagnostic", {"previousResultIds": []})["result"] == {"items": []}
            assert wire.leave() == 0


def test_without_a_home_nothing_is_written_into_the_project(folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    with Wire(folder, folder.as_uri(), HOME="", XDG_CACHE_HOME="", PRODLINT_CACHE_DIR="") as wire:
        uri = (folder / "helper.js").as_uri()
        (found,) = wire.ask("textDocument/diagnostic", {"textDocument": {"uri": uri}})["result"]["items"]
        assert found["code"] == "blocking-call"
        assert wire.leave() == 0
    assert sorted(folder.rglob("*")) == before


SLEEPER = """\
import time

import prodlint.extract.source.python as python


def extract(data, kind):
    time.sleep(600)


python.extract = extract
"""


@pytest.mark.parametrize("has_shutdown", [True, False])
def test_it_leaves_at_once_when_it_is_busy(folder: Path, tmp_path: Path, has_shutdown: bool) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SLEEPER)
    (folder / "app.py").write_text("import time\n")
    site = {"PYTHONPATH": f"{tmp_path / 'site'}:{Path(__file__).parents[2]}"}
    with Wire(folder, folder.as_uri(), **site, PRODLINT_CACHE_DIR=str(tmp_path / "cache")) as wire:
        start = time.monotonic()
        if has_shutdown:
            assert wire.leave() == 0
        else:
            assert wire.process.stdin is not None
            wire.process.stdin.close()
            assert wire.process.wait(60) == 1
        assert time.monotonic() - start < 30  # the analysis takes ten minutes


# --- memory


def _alive(kind: type) -> int:
    return sum(isinstance(each, kind) for each in gc.get_objects())


def test_memory_is_bounded_by_what_is_in_use(folder: Path) -> None:
    """Counted in objects: sessions of the past are there until as much was made as is in use, and no longer."""
    (folder / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    project = OpenProject(folder, Preferences())
    garbage = Garbage(fewest=20_000)
    gc.collect()
    gc.disable()
    try:
        project.update()
        garbage.collect()
        alone = _alive(Session)
        least = len(gc.get_objects())
        most = 0
        for number in range(150):
            project.edit(folder / "helper.js", f"{HELPER}exports.more{number} = () => {number};\n".encode())
            project.update()
            garbage.collect_if_due()
            if number % 10 == 0:
                most = max(most, len(gc.get_objects()))
        assert most < 2.2 * least + 20_000
        garbage.collect()
        assert _alive(Session) <= alone + 2
        assert len(gc.get_objects()) < 1.2 * least + 2_000
    finally:
        gc.enable()


def test_without_collecting_it_would_grow(folder: Path) -> None:
    """The test above can fail: sessions of the past are cycles."""
    project = OpenProject(folder, Preferences())
    gc.collect()
    gc.disable()
    try:
        project.update()
        before = _alive(Session)
        for number in range(20):
            project.edit(folder / "helper.js", f"{HELPER}exports.more{number} = () => {number};\n".encode())
            project.update()
        assert _alive(Session) >= before + 15
    finally:
        gc.enable()
        gc.collect()
