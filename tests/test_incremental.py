"""Whatever is edited, and in whatever order: what is found with the help of earlier runs is what a cold run finds.

A state machine edits two projects that lie side by side: files are added, changed, renamed, touched, removed, taken
back, and typed into without being saved. After each step the command line with its cache and the editor's project, both
of which have seen every step before, report what a run without any past reports, to the byte.

`PRODLINT_EXAMPLES=200 pytest tests/test_incremental.py` tries more sequences than the usual few.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from prodlint.analysis import session as session_module
from prodlint.analysis import store
from prodlint.lsp.open_project import OpenProject, Preferences
from prodlint.rulebook import load_rules
from tests.incremental import cold, difference, report_of, warm
from tests.pages import ROOT, deep_case_files, read_page, rule_pages

EXAMPLES = int(os.environ.get("PRODLINT_EXAMPLES", "5"))
SHRINKS = "PRODLINT_EXAMPLES" in os.environ
"""A failing sequence is made smaller only where somebody has the time."""
STEPS = 12
LARGEST_PIECE = 3_000
OLD_NS = 1_600_000_000 * 10**9

Files = Mapping[str, str]


@cache
def pieces() -> list[Files]:
    """The small projects of all pages, and the fixtures: what the machine builds its projects from."""
    found = [section.texts() for page in (*rule_pages(), *deep_case_files()) for section in read_page(page).projects]
    for folder in sorted((ROOT / "tests" / "fixtures" / "services").iterdir()):
        files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "expected.txt")
        found.append({path.relative_to(folder).as_posix(): path.read_text() for path in files})
    return [files for files in found if sum(map(len, files.values())) < LARGEST_PIECE]


@cache
def texts(suffix: str) -> list[str]:
    """All texts of files with such a name's end."""
    return sorted({text for files in pieces() for path, text in files.items() if path.endswith(suffix)}) or [""]


def _a_line_less(text: str, number: int) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line for index, line in enumerate(lines) if index != number % max(1, len(lines)))


def _a_line_twice(text: str, number: int) -> str:
    lines = text.splitlines(keepends=True) or ["\n"]
    at = number % len(lines)
    return "".join([*lines[:at], lines[at], *lines[at:]])


def _ignoring(text: str, number: int) -> str:
    """With an ignore comment in one line, where it may stop something or nothing."""
    lines = text.splitlines() or [""]
    at = number % len(lines)
    mark = "#" if re.search(r"(?m)^(def|import|from|async def) .*[^;]$", text) else "//"
    return "\n".join([*lines[:at], f"{lines[at]} {mark} prodlint: ignore", *lines[at + 1 :]]) + "\n"


CHANGES: tuple[Callable[[str, int], str], ...] = (
    lambda text, number: f"\n{text}",
    lambda text, number: f"{text}\n",
    lambda text, number: f"// {number}\n{text}",
    lambda text, number: f"# {number}\n{text}",
    lambda text, number: "",
    lambda text, number: text + "(",
    lambda text, number: text.replace("Sync", "") if "Sync" in text else text.replace("await ", ""),
    lambda text, number: text.replace("require('./", "require('../"),
    _a_line_less,
    _a_line_less,
    _a_line_twice,
    _ignoring,
)
"""What a keystroke or two make of a text."""

TIES = {
    "a/tie.js": "require('../b/app.js');\n",
    "b/tie.py": "import sys\nsys.path.append('../a')\nimport app\n",
    "docker-compose.yml": "services:\n  a:\n    build: ./a\n  b:\n    build: ./b\n    environment: [NODE_ENV=production]\n",
    "a/docker-compose.yml": "services:\n  web:\n    build: ../b\n",
}
"""Files that join what else are two projects."""


class Projects(RuleBasedStateMachine):
    """A folder with the projects `a` and `b`, the editor that has it open, and the cache of the command line."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp(prefix="prodlint-")).resolve()
        self.root = self.place / "projects"
        self.root.mkdir()
        self.clock = 0
        self.files: dict[str, str] = {}
        self.history: list[tuple[str, str]] = []
        self.typed: dict[str, str] = {}
        self.editor = OpenProject(self.root, Preferences(preview=True, likely=True), self.place / "editor-cache")

    def teardown(self) -> None:
        shutil.rmtree(self.place)

    # --- what is done -------------------------------------------------------------------------------------------------

    @initialize(a=strategies.integers(0, 10**6), b=strategies.integers(0, 10**6))
    def start(self, a: int, b: int) -> None:
        self.put("prodlint.toml", "preview = true\n")
        self.put("a/package.json", '{"name": "a", "dependencies": {"express": "^4.18.0"}}\n')
        self.put("b/requirements.txt", "fastapi\n")
        self.add("a", a)
        self.add("b", b)

    @rule(project=strategies.sampled_from(["a", "b"]), number=strategies.integers(0, 10**6))
    def add(self, project: str, number: int) -> None:
        for path, text in pieces()[number % len(pieces())].items():
            self.put(f"{project}/{path}", text)

    @rule(path=strategies.sampled_from(sorted(TIES)))
    def tie(self, path: str) -> None:
        self.put(path, TIES[path])

    @precondition(lambda self: self.files)
    @rule(
        which=strategies.integers(0, 10**6),
        number=strategies.integers(0, 10**6),
        change=strategies.sampled_from(CHANGES),
    )
    def change(self, which: int, number: int, change: Callable[[str, int], str]) -> None:
        path = self.path(which)
        self.put(path, change(self.files[path], number))

    @precondition(lambda self: self.files)
    @rule(which=strategies.integers(0, 10**6), other=strategies.sampled_from(["../a/app", "../b/app", "../b/other"]))
    def ask_for_the_other(self, which: int, other: str) -> None:
        path = self.path(which)
        line = (
            f"from {other.strip('./').replace('/', '.')} import x" if path.endswith(".py") else f"require('{other}');"
        )
        self.put(path, f"{line}\n{self.files[path]}")

    @precondition(lambda self: self.files)
    @rule(which=strategies.integers(0, 10**6), number=strategies.integers(0, 10**6))
    def replace(self, which: int, number: int) -> None:
        path = self.path(which)
        others = texts(Path(path).suffix or path)
        self.put(path, others[number % len(others)])

    @precondition(lambda self: self.files)
    @rule(which=strategies.integers(0, 10**6))
    def remove(self, which: int) -> None:
        path = self.path(which)
        self.history.append((path, self.files.pop(path)))
        (self.root / path).unlink()
        self.editor.disk_changed([self.root / path])

    @precondition(lambda self: self.files)
    @rule(which=strategies.integers(0, 10**6), project=strategies.sampled_from(["a", "b"]), same=strategies.booleans())
    def rename(self, which: int, project: str, same: bool) -> None:
        path = self.path(which)
        name = path.rpartition("/")[2] if same else f"other{Path(path).suffix}"
        text = self.files[path]
        self.remove(which)
        self.put(f"{project}/{name}", text)

    @precondition(lambda self: self.files)
    @rule(which=strategies.integers(0, 10**6))
    def touch(self, which: int) -> None:
        path = self.path(which)
        self.put(path, self.files[path])

    @precondition(lambda self: self.history)
    @rule(which=strategies.integers(0, 10**6))
    def take_back(self, which: int) -> None:
        self.put(*self.history[which % len(self.history)])

    @precondition(lambda self: self.files)
    @rule(
        which=strategies.integers(0, 10**6),
        number=strategies.integers(0, 10**6),
        change=strategies.sampled_from(CHANGES),
    )
    def type(self, which: int, number: int, change: Callable[[str, int], str]) -> None:
        path = self.path(which)
        self.typed[path] = change(self.typed.get(path, self.files[path]), number)
        self.editor.edit(self.root / path, self.typed[path].encode())

    @precondition(lambda self: self.typed)
    @rule(which=strategies.integers(0, 10**6), save=strategies.booleans())
    def close(self, which: int, save: bool) -> None:
        path = sorted(self.typed)[which % len(self.typed)]
        text = self.typed.pop(path)
        if save:
            self.put(path, text)
        self.editor.close(self.root / path)

    @rule(project=strategies.sampled_from(["a", "b"]), number=strategies.integers(0, 10**6))
    def type_into_new_files(self, project: str, number: int) -> None:
        for path, text in pieces()[number % len(pieces())].items():
            self.typed[f"{project}/{path}"] = text
            self.editor.edit(self.root / project / path, text.encode())

    @rule(project=strategies.sampled_from(["a", "b"]), text=strategies.sampled_from(["*.js\n", "app.*\n", "b\n", ""]))
    def ignore(self, project: str, text: str) -> None:
        self.put(f"{project}/.gitignore", text)

    @rule(text=strategies.sampled_from(["preview = true\n", 'ignore = ["logging"]\n', 'exclude = ["b/**"]\n', ""]))
    def configure(self, text: str) -> None:
        self.put("prodlint.toml", text)

    def path(self, which: int) -> str:
        paths = sorted(self.files.keys() - {"prodlint.toml"}) or sorted(self.files)
        return paths[which % len(paths)]

    def put(self, path: str, text: str) -> None:
        """Writes a file. No two writes have the same time, so that time stamps tell them apart."""
        target = self.root / path
        if path in self.files:
            self.history.append((path, self.files[path]))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        self.clock += 10**9
        os.utime(target, ns=(OLD_NS + self.clock, OLD_NS + self.clock))
        self.files[path] = text
        self.editor.disk_changed([target])

    # --- what is found ------------------------------------------------------------------------------------------------

    @invariant()
    def nothing_differs_from_a_cold_run(self) -> None:
        if not self.files:
            return
        expected = report_of(cold(self.root))
        _same(expected, warm(self.root, self.place / "cache"), "the command line")
        if self.typed:
            expected = report_of(
                cold(self.root, {self.root / path: text.encode() for path, text in self.typed.items()})
            )
        _same(expected, report_of(self.editor.update()), "the editor")


def _same(expected: str, found: str, name: str) -> None:
    if text := difference(expected, found, name):
        pytest.fail(text, pytrace=False)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The rules are read once, and all files are old enough for their time stamps to be trusted."""
    rules = load_rules()
    monkeypatch.setattr(session_module, "load_rules", lambda: rules)
    monkeypatch.setattr(store.time, "time", lambda: 4_000_000_000.0)
    yield


@pytest.mark.usefixtures("quick")
def test_a_run_with_a_past_finds_what_a_cold_run_finds() -> None:
    health: list[Any] = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    phases = [Phase.generate, *([Phase.shrink] * SHRINKS)]
    chosen = settings(max_examples=EXAMPLES, stateful_step_count=STEPS, suppress_health_check=health, phases=phases)
    run_state_machine_as_test(Projects, settings=chosen)


# --- what it found ----------------------------------------------------------------------------------------------------

BLOCKING = "const app = require('express')();\napp.get('/', (q, s) => s.send(require('fs').readFileSync('a')));\n"
MANIFEST = """\
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec: {restartPolicy: Never, containers: [{name: shop, image: shop, ports: [{containerPort: 80}]}]}
"""


def _written(folder: Path, files: Files) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder.resolve()


def test_typing_may_change_what_kind_of_file_it_is(tmp_path: Path) -> None:
    root = _written(tmp_path, {"package.json": "{}", "app.js": BLOCKING, "shop.yaml": "a: 1\n", "run": "exit\n"})
    session = cold(root)
    for path, text in (("shop.yaml", MANIFEST), ("shop.yaml", "a: 2\n"), ("run", f"#!/usr/bin/env node\n{BLOCKING}")):
        session.findings()
        session = session.with_overlay({path: text.encode()})
        _same(report_of(cold(root, {root / path: text.encode()})), report_of(session), "the editor")
    assert [file.kind for file in session.project.files if file.path == "run"] == ["javascript"]


def test_a_file_that_was_never_saved_stays(tmp_path: Path) -> None:
    root = _written(tmp_path, {"package.json": "{}", "app.js": BLOCKING, ".gitignore": "build/\n*.gen.js\n"})
    new = {path: BLOCKING.encode() for path in ("new/more/a.js", "b.js", "build/c.js", "new/d.gen.js")}
    overlay = {root / path: data for path, data in new.items()}
    editor = cold(root).with_overlay(new)
    assert {finding.location.path for finding in editor.findings()} == {"app.js", "b.js", "new/more/a.js"}
    _same(report_of(cold(root, overlay)), report_of(editor), "the editor")
    (root / "app.js").write_text(f"\n{BLOCKING}")
    _same(report_of(cold(root, overlay)), report_of(editor.with_disk_changes(["app.js"], new)), "the editor")


def test_what_could_not_be_read_is_still_said(tmp_path: Path) -> None:
    root = _written(tmp_path, {"package.json": "{}", "app.js": BLOCKING, "a\nb.js": ""})
    session = cold(root)
    assert (
        [error.message for error in session.with_overlay({"app.js": b"f()\n"}).analysis.errors]
        == [error.message for error in session.analysis.errors]
        != []
    )


def test_an_edit_may_join_two_projects_and_part_them(tmp_path: Path) -> None:
    helper = "exports.load = () => require('fs').readFileSync('a');\n"
    files = {"a/package.json": "{}", "a/app.js": BLOCKING, "b/package.json": "{}", "b/load.js": helper}
    root = _written(tmp_path, {**files, "prodlint.toml": ""})
    asking = "const app = require('express')();\napp.get('/', (q, s) => s.send(require('../b/load').load()));\n"
    session = cold(root)
    found = [{finding.location.path for finding in session.findings()}]
    for text in (asking, BLOCKING):
        session = session.with_overlay({"a/app.js": text.encode()})
        found.append({finding.location.path for finding in session.findings()})
        _same(report_of(cold(root, {root / "a/app.js": text.encode()})), report_of(session), "the editor")
    assert found == [{"a/app.js"}, {"a/app.js", "b/load.js"}, {"a/app.js"}]


def test_what_a_deployment_file_says_may_lie_in_its_name(tmp_path: Path) -> None:
    unit = "[Service]\nExecStart=/usr/bin/node server.js\n\n[Install]\nWantedBy=multi-user.target\n"
    root = _written(tmp_path / "projects", {"package.json": "{}", "server.js": BLOCKING, "one.service": unit})
    warm(root, tmp_path / "cache")
    (root / "one.service").rename(root / "two.service")
    _same(report_of(cold(root)), warm(root, tmp_path / "cache"), "the command line")
