"""How long it takes from an edit to its diagnostics: `python benchmarks/latency.py APP… [--lines N] [--edits N]`.

Copies applications side by side into one workspace until it has enough lines, opens it in `prodlint lsp`, and types
into files that have findings, so that each edit is answered. The time is from writing the edit to the server's input
until the diagnostics of that version of the document have been read from its output, with nothing else on the way.
Each edit is taken back, which is an edit, too. Last comes the memory of the server (Linux): when it had opened the
workspace, after each quarter of the edits, and at most.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = {".py": "python", ".ts": "typescript", ".tsx": "typescriptreact"}
CODE = {*LANGUAGES, ".js", ".mjs", ".cjs", ".jsx"}
_LONGEST_OPENING = 300
LEFT_OUT = {"node_modules", ".git", ".venv", "dist", "build"}


def copied(apps: list[Path], lines: int, workspace: Path) -> int:
    """Copies applications until there are enough lines of code. Returns how many there are."""
    found = 0
    for app in apps:
        if found >= lines:
            break
        target = workspace / app.name
        shutil.copytree(app, target, ignore=lambda _, names: LEFT_OUT & {*names}, symlinks=True)
        found += sum(
            path.read_bytes().count(b"\n") for path in target.rglob("*") if path.suffix in CODE and path.is_file()
        )
    if found < lines:
        raise SystemExit(f"these applications have {found:,} lines only")
    return found


class Client:
    """As little of a client as the measurement needs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._number = 0

    def send(self, method: str, params: Any, is_request: bool = False) -> int:
        """Writes a message. Returns the number of a request."""
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if is_request:
            self._number += 1
            message["id"] = self._number
        self._write(message)
        return self._number

    def _write(self, message: Any) -> None:
        body = json.dumps(message).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def read(self) -> Any:
        """The next message; requests of the server are answered."""
        assert self._process.stdout is not None
        length = 0
        while (line := await self._process.stdout.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        message = json.loads(await self._process.stdout.readexactly(length))
        if "id" in message and "method" in message:
            self._write({"jsonrpc": "2.0", "id": message["id"], "result": None})
        return message

    async def answer(self, number: int) -> Any:
        """Waits for the answer to a request."""
        while True:
            message = await self.read()
            if message.get("id") == number and "method" not in message:
                return message.get("result")

    async def told(self, method: str) -> Any:
        """Waits for a notification."""
        while (message := await self.read()).get("method") != method:
            pass
        return message

    def change(self, uri: str, version: int, change: Any) -> None:
        """Types."""
        document = {"uri": uri, "version": version}
        self.send("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    async def version(self, uri: str, version: int) -> None:
        """Waits for the diagnostics of a version of a document."""
        while True:
            told = (await self.read()).get("params") or {}
            if told.get("uri") == uri and told.get("version") == version:
                return

    async def published(self, seconds: float) -> Iterator[Any]:
        """What is published until nothing comes for some time."""
        found = []
        while True:
            try:
                message = await asyncio.wait_for(self.read(), seconds)
            except TimeoutError:
                return iter(found)
            if message.get("method") == "textDocument/publishDiagnostics":
                found.append(message["params"])


def resident(pid: int) -> float:
    """The megabytes of memory that a process takes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def typed(path: Path, text: str, rng: random.Random) -> tuple[str, dict[str, Any]]:
    """The text after a small edit somewhere, and the edit: a comment, a call or a broken line, as somebody types it."""
    mark = "#" if path.suffix == ".py" else "//"
    line = rng.choice([f"{mark} note {rng.random()}\n", "later()\n", "x = (\n" if rng.random() < 0.3 else "x = 1\n"])
    lines = text.splitlines(keepends=True)
    at = rng.randrange(len(lines) + 1)
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip(" \t"))] if at < len(lines) else ""
    place = {"line": at, "character": 0}
    change = {"range": {"start": place, "end": place}, "text": indent + line}
    return "".join([*lines[:at], indent + line, *lines[at:]]), change


def processor_time(pid: int) -> float:
    """The milliseconds of processor time that a process has taken, where the system tells it (Linux); else 0."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measured(workspace: Path, edits: int, seed: int) -> list[tuple[float, float]]:
    """The latencies in milliseconds, each with the server's processor time."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "prodlint", "lsp", cwd=ROOT, limit=2**26,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    client, rng = Client(process), random.Random(seed)
    folder = {"uri": workspace.as_uri(), "name": "workspace"}
    start = time.perf_counter()
    options = {"processId": os.getpid(), "rootUri": folder["uri"], "workspaceFolders": [folder], "capabilities": {}}
    await client.answer(client.send("initialize", options, is_request=True))
    client.send("initialized", {})
    try:
        first = await asyncio.wait_for(client.told("textDocument/publishDiagnostics"), _LONGEST_OPENING)
    except TimeoutError:
        process.kill()
        raise SystemExit(f"nothing was found within {_LONGEST_OPENING} s, so no edit would be answered") from None
    print(f"opened in {time.perf_counter() - start:.1f} s")
    params = [first["params"], *await client.published(3.0)]
    uris = sorted(each["uri"] for each in params if Path(urlsplit(each["uri"]).path).suffix in CODE)
    print(f"{len(params)} files with findings, {sum(len(each['diagnostics']) for each in params)} findings")
    memory = [resident(process.pid)]
    texts: dict[str, str] = {}
    taken: list[tuple[float, float]] = []
    for number in range(1, edits + 1):
        uri = rng.choice(uris)
        path = Path(unquote(urlsplit(uri).path))
        if uri not in texts:
            texts[uri] = path.read_text(encoding="utf-8", errors="replace")
            item = {
                "uri": uri,
                "languageId": LANGUAGES.get(path.suffix, "javascript"),
                "version": 0,
                "text": texts[uri],
            }
            client.send("textDocument/didOpen", {"textDocument": item})
            await client.version(uri, 0)
        before = texts[uri]
        texts[uri], change = typed(path, before, rng)
        used = processor_time(process.pid)
        start = time.perf_counter()
        client.change(uri, 2 * number, change)
        await client.version(uri, 2 * number)
        taken.append((1000 * (time.perf_counter() - start), processor_time(process.pid) - used))
        texts[uri] = before  # taken back, so that broken lines do not pile up
        client.change(uri, 2 * number + 1, {"text": before})
        await client.version(uri, 2 * number + 1)
        memory.append(resident(process.pid))
    await client.answer(client.send("shutdown", None, is_request=True))
    client.send("exit", None)
    await process.wait()
    quarters = ", ".join(
        f"after {2 * at} edits {memory[at]:.0f} MB" for at in (edits * part // 4 for part in (1, 2, 3, 4))
    )
    print(f"memory: {memory[0]:.0f} MB, {quarters}, at most {max(memory):.0f} MB")
    return taken


def main() -> None:
    """Copies, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("apps", nargs="+", type=Path)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--edits", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        workspace = Path(scratch).resolve() / "workspace"
        lines = copied([app.resolve() for app in options.apps], options.lines, workspace)
        print(f"{lines:,} lines of code")
        taken = asyncio.run(measured(workspace, options.edits, options.seed))
    for name, values in zip(("from edit to diagnostics", "processor time"), zip(*taken, strict=True), strict=True):
        ordered = sorted(values)
        last = ordered[min(round(0.95 * len(ordered)), len(ordered) - 1)]
        middle = statistics.median(ordered)
        print(f"{name}: median {middle:.0f} ms, 95th percentile {last:.0f} ms, worst {ordered[-1]:.0f} ms")


if __name__ == "__main__":
    main()
