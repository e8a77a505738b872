"""What grows faster than the text that asks for it is cut, and said to be unknown."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import pytest

from prodlint.analysis.isolation import culprits
from prodlint.analysis.session import Session
from prodlint.checks.errors import swallowed_exception
from prodlint.extract.fact_table import FactTable
from prodlint.facts import FileFacts
from prodlint.program.linking import program as linking
from prodlint.program.linking.program import Program, link

PACKAGE = '{"name": "a", "scripts": {"start": "node app.js"}, "dependencies": {"express": "4"}}'
APP = "const fs = require('fs');\nrequire('express')().get('/', (req, res) => res.send(fs.readFileSync('x'))).listen(1);\n"
PROJECT = {"package.json": PACKAGE, "app.js": APP}
DOUBLED = range(1, 26)
"""More than enough to be seen, and not enough to do harm where nothing stops it."""
MOST_MEMORY = 20_000_000


def analysed(files: dict[str, str]) -> Session:
    """The project with further files, analysed within the memory that such a small one may take; app.js is linted
    whatever they are."""
    tracemalloc.start()
    try:
        session = Session.from_memory({**PROJECT, **files}, {"preview": True})
        found = {(finding.location.path, finding.rule) for finding in session.analysis.findings}
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert ("app.js", "blocking-call") in found
    assert most < MOST_MEMORY
    assert not [error for error in session.analysis.errors if "failed" in error.message]
    return session


def value(session: Session, path: str, key: str) -> str | None:
    """What a file sets, with its variables replaced; None if that is unknown."""
    return next(
        setting.value
        for artefact in session.facts[path].artefacts
        for setting in artefact.settings
        if setting.key == key
    )


def doubling(line: str, first: str) -> str:
    return first + "".join(line.format(new=f"A{number}", old=f"A{number - 1}") for number in DOUBLED)


DOUBLINGS = {
    "ENV": {"Dockerfile": "FROM node\n" + doubling("ENV {new}=${old}$" + "{old}\n", "ENV A0=xx\n") + "CMD node $A25\n"},
    "braces": {"Dockerfile": "FROM node\n" + doubling("ENV {new}=${{{old}}}${{{old}:-b}}\n", "ENV A0=xx\n")},
    "default": {"Dockerfile": "FROM node\n" + doubling("ENV {new}=${{B:-${old}${old}}}\n", "ENV A0=xx\n")},
    "ARG": {"Dockerfile": doubling("ARG {new}=${old}${old}\n", "ARG A0=xx\n") + "FROM node:$A25\n"},
    "ARG of a stage": {"Dockerfile": "FROM node\n" + doubling("ARG {new}=${old}${old}\n", "ARG A0=xx\n")},
    "Procfile": {"Procfile": "web: " + doubling("{new}=${old}${old}; ", "A0=xx; ") + "node app.js $A25\n"},
    "export": {"Procfile": "web: " + doubling("export {new}=${old}${old} && ", "A0=xx; ") + "node app.js\n"},
    "script": {"run.sh": doubling("{new}=${old}${old}\n", "A0=xx\n") + "exec node app.js $A25\n", "Procfile": "web: sh run.sh"},
    ".env": {".env": doubling("{new}=${old}${old}\n", "A0=xx\n")},
    "compose": {
        "compose.yaml": "services:\n  web:\n    build: .\n    environment:\n"
        + doubling("      {new}: ${{{old}:-xx}}${{{old}:-xx}}\n", ""),
        ".env": doubling("{new}=${old}${old}\n", "A0=xx\n"),
        "Dockerfile": "FROM node\nCMD node app.js\n",
    },
    "package script": {
        "package.json": '{"scripts": {"start": "' + doubling("{new}=${old}${old}; ", "A0=xx; ") + 'node app.js"}}',
        "Procfile": "web: npm start\n",
    },
    "unit": {"a.service": "[Service]\nEnvironment=A0=xx\n" + doubling("Environment={new}=${old}${old}\n", "") + "ExecStart=node app.js\n"},
}  # fmt: skip


@pytest.mark.parametrize("files", DOUBLINGS.values(), ids=list(DOUBLINGS))
def test_values_that_double(files: dict[str, str]) -> None:
    analysed(files)


def test_long_values_are_unknown_and_short_ones_known() -> None:
    session = analysed({"Dockerfile": DOUBLINGS["ENV"]["Dockerfile"]})
    assert value(session, "Dockerfile", "env.A5") == "xx" * 2**5
    assert value(session, "Dockerfile", "env.A25") is None


def test_many_values_of_one_long_variable() -> None:
    lines = "".join(f"ENV B{number}=x$A\n" for number in range(2_000))
    session = analysed({"Dockerfile": f"FROM node\nENV A={'x' * 4000}\n{lines}"})
    assert value(session, "Dockerfile", "env.B1") == "x" * 4001
    assert value(session, "Dockerfile", "env.B1999") is None


def test_very_long_commands_are_unknown() -> None:
    analysed({"Procfile": "web: " + "A=1;b;" * 30_000 + "node app.js\n"})


@pytest.mark.parametrize(
    "heading", ["class A(A): pass\n", "class A(A, A): pass\n", "class A(B): pass\nclass B(A): pass\n"]
)
def test_classes_of_one_name(heading: str) -> None:
    analysed({"a.py": "class A: pass\n" + heading * 12 + "A().run()\n"})


def test_classes_with_many_ways_to_one_base() -> None:
    lines = [f"class L{n}(L{n - 1}, R{n - 1}): pass\nclass R{n}(L{n - 1}, R{n - 1}): pass\n" for n in range(1, 25)]
    analysed({"a.py": "class L0: pass\nclass R0: pass\n" + "".join(lines) + "L24().run()\n"})


@pytest.mark.parametrize(
    "lines", [f"RUN {'[' * 20_000}", f"CMD {'[' * 20_000}", f"VOLUME {'[' * 20_000}", f"SHELL {'[' * 20_000}"]
)
def test_brackets_without_end(lines: str) -> None:
    analysed({"Dockerfile": f"FROM node\n{lines}\nCMD node app.js\n"})


def _breaks(monkeypatch: pytest.MonkeyPatch, *sets: set[str]) -> None:
    """Makes linking fail where all files of a set are there."""

    def faulty(files: FactTable, *rest: Any) -> Program:
        for wrong in sets:
            if wrong <= set(files):
                raise RecursionError(f"because of {' and '.join(sorted(wrong))}")
        return link(files, *rest)

    monkeypatch.setattr(linking, "link", faulty)


BLOCKING = "const fs = require('fs');\nrequire('express')().get('/', (req, res) => res.send(fs.readFileSync('x')));\n"
MANY = {f"{letter}.js": BLOCKING for letter in "abcdefg"} | {"package.json": PACKAGE}


@pytest.mark.parametrize(
    ("sets", "lost"),
    [([{"c.js"}], {"c.js"}), ([{"a.js"}, {"g.js"}], {"a.js", "g.js"}), ([{"b.js", "e.js"}], {"e.js"})],
)
def test_one_file_that_cannot_be_linked_is_left_out(
    monkeypatch: pytest.MonkeyPatch, sets: list[set[str]], lost: set[str]
) -> None:
    _breaks(monkeypatch, *sets)
    analysis = Session.from_memory(MANY).analysis
    assert {found.location.path for found in analysis.findings if found.rule == "blocking-call"} == {
        path for path in MANY if path.endswith(".js") and path not in lost
    }
    errors = {error.path: error for error in analysis.errors}
    assert set(errors) == lost
    assert all("because of" in error.message and error.is_failure for error in errors.values())


def test_what_no_single_file_is_to_blame_for_is_one_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    _breaks(monkeypatch, *({path} for path in MANY))
    analysis = Session.from_memory(MANY).analysis
    assert not analysis.findings
    assert [error.path for error in analysis.errors] == [""]


@pytest.mark.parametrize("faulty", [set[str](), {"a"}, {"h"}, {"c", "d", "e"}])
def test_culprits(faulty: set[str]) -> None:
    def failure(paths: Sequence[str]) -> str | None:
        return next((f"{path} is wrong" for path in paths if path in faulty), None)

    found = dict(culprits("abcdefgh", failure, "something is wrong")) if faulty else {}
    assert set(found) == faulty


def _lines(files: dict[str, str]) -> int:
    """How many lines of Python run for a project."""
    count = 0

    def local(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return local

    before = sys.gettrace()
    sys.settrace(lambda frame, event, argument: local)
    try:
        Session.from_memory(files, {"preview": True}).analysis  # noqa: B018
    finally:
        sys.settrace(before)
    return count


def _express(body: str) -> dict[str, str]:
    return {"package.json": PACKAGE, "app.js": f"const fs = require('fs');\nconst app = require('express')();\n{body}"}


GROWING: dict[str, Callable[[int], dict[str, str]]] = {
    "routes with comments": lambda n: _express(
        "".join(
            f"// prodlint: ignore[blocking-call] x\napp.get('/{i}', (req, res) => res.send(fs.readFileSync('x')));\n"
            for i in range(n)
        )
    ),
    "base classes": lambda n: {
        "a.py": "class A0: pass\n" + "".join(f"class A{i}(A{i - 1}):\n  def m{i}(self): self.z()\n" for i in range(1, n))
    },
}  # fmt: skip


@pytest.mark.parametrize("make", GROWING.values(), ids=list(GROWING))
def test_work_grows_with_what_there_is(make: Callable[[int], dict[str, str]]) -> None:
    """Counted in lines of Python, at sizes behind the limits of what is followed."""
    _lines(make(3))
    few, more, most = (_lines(make(size)) for size in (110, 220, 440))
    assert most - more < 2.6 * (more - few)


def test_what_is_done_with_results_is_found_once_for_all_handlers_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    kept = swallowed_exception._kept

    def counted(facts: FileFacts) -> set[int]:
        asked.append(facts)
        return kept(facts)

    monkeypatch.setattr(swallowed_exception, "_kept", counted)
    body = "".join(f"  try {{ await store.save({i}); }} catch (e) {{}}\n" for i in range(5))
    files = _express(f"const store = require('store');\napp.get('/', async (req, res) => {{\n{body}}});\n")
    Session.from_memory(files, {"preview": True}).analysis  # noqa: B018
    assert len(asked) == 1


def test_a_collection_that_is_counted_in_each_round() -> None:
    """Each round makes something else of it, and there is no last one."""
    text = "def f(rows):\n    rows = [rows]\n    while g():\n        rows = enumerate(rows)\n        rows.x()\n"
    program = Session.from_memory({**PROJECT, "a.py": text}).program
    file = next(file for file in program.files if file.path == "a.py")
    assert max(len(program.resolver.resolve(file, value)) for value in range(len(file.facts.values))) < 10
