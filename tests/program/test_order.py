"""Linking gives the same whatever is asked first: neither the order of the files nor that of the calls matters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from prodlint.analysis import session as engine
from prodlint.analysis.session import Session
from prodlint.findings import Fix
from prodlint.program.linking.targets import TOP
from prodlint.rulebook import load_rules
from tests.pages import ROOT, deep_case_files, read_page, rule_pages
from tests.program.conftest import Linker
from tests.program.described import Names, facts_of
from tests.program.orders import resolved_again, shuffled

FIXTURES = ROOT / "tests" / "fixtures"
SOURCE = (".js", ".mjs", ".ts", ".tsx", ".py")
SEEDS = (1, 2)


@pytest.fixture(autouse=True)
def rules_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = load_rules()
    monkeypatch.setattr(engine, "load_rules", lambda: rules)


def _projects() -> Iterator[tuple[str, Mapping[str, str]]]:
    """The fixtures, and those sections of pages that have several files."""
    for folder in sorted(path for path in FIXTURES.iterdir() if path.is_dir()):
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        yield folder.name, {path.relative_to(folder).as_posix(): path.read_text() for path in files}
    for page in (*rule_pages(), *deep_case_files()):
        for section in read_page(page).projects:
            if sum(path.endswith(SOURCE) for path in section.files) > 2:
                yield section.where, section.texts()


def _found(files: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """All findings with all that is said of them, and their fixes with all edits."""
    session = Session.from_memory(files, {"preview": True})
    found = []
    for finding in session.findings():
        fix = session.fix_for(finding)
        edits = session.edits_of(fix) if isinstance(fix, Fix) else ()
        found.append((finding.location, finding.rule, finding.message, finding.confidence, finding.trace, fix, edits))
    return [*found, session.analysis.errors, session.fix_errors]


def test_findings_and_fixes() -> None:
    number = 0
    for name, files in _projects():
        expected = _found(files)
        number += len(expected) - 2
        for seed in SEEDS:
            with shuffled(seed):
                assert _found(files) == expected, f"{name}, with seed {seed}"
    assert number > 80


PROGRAMS = {
    "imports in a circle": {
        "a.js": "const b = require('./b');\nexports.f = () => b.g();\nexports.h = (x) => x();\n",
        "b.js": "const a = require('./a');\nexports.g = () => a.h(exports.g);\n",
    },
    "a value that grows in a loop": {
        "a.js": """
            const fs = require('fs');
            function clean(s) { while (s.length) { s = s.replace('a', 'b'); s = s.trim(); } return s.split(' '); }
            exports.read = () => clean(fs.readFileSync('x'));
        """
    },
    "a query that is built in a loop": {
        "a.py": """
            from peewee import Model

            def find(words, skip):
                query = Model.select()
                for word in words:
                    query = query.where(word)
                    if skip:
                        query = query.offset(skip).limit(1)
                return query.execute()
        """
    },
    "functions that call each other with what they are given": {
        "a.js": """
            const fs = require('fs');
            const even = (f, n) => (n ? odd(f, n - 1) : f());
            const odd = (f, n) => (n ? even(f, n - 1) : f());
            even(fs.readFileSync, 4);
            odd(() => fs.statSync('x'), 3);
        """
    },
    "functions that answer each other": {
        "a.js": "const { b } = require('./b');\nexports.a = (x) => (x ? b(x) : () => 1);\nexports.a(1)();\n",
        "b.js": "const { a } = require('./a');\nexports.b = (y) => (y ? a(y) : () => 2);\nexports.b(1)();\n",
    },
    "an object whose members are set from each other": {
        "a.js": """
            const registry = {};
            registry.first = () => registry.second();
            registry.second = registry.third;
            registry.third = registry.second || registry.first;
            registry.third();
        """
    },
    "a node that leads to the next": {
        "a.py": """
            class Node:
                def __init__(self, after):
                    self.after = after

                def visit(self):
                    return self.after.visit() if self.after else last()


            def last():
                node = Node(Node(None))
                while node:
                    node = node.after
                return node.visit()
        """
    },
    "names that modules pass on to each other": {
        "pkg/__init__.py": "from pkg.a import *\nfrom pkg.b import *\n",
        "pkg/a.py": "from pkg.b import *\n\ndef one():\n    return two()\n",
        "pkg/b.py": "from pkg.a import *\n\ndef two():\n    return one()\n",
        "main.py": "import pkg\n\npkg.one()\npkg.two()\n",
    },
    "a default, and what a caller passes": {
        "a.py": "def one(): ...\ndef two(): ...\n\ndef run(task=one):\n    task()\n\nrun(two)\n",
    },
    "a chain that is longer than Python's stack": {
        "a.js": "const fs = require('fs');\n"
        + "const f0 = fs.readFileSync;\n"
        + "".join(f"let f{number} = f{number - 1}; f{number} = f{number};\n" for number in range(1, 700))
        + "f699('x');\n",
    },
    "a circle that is longer than Python's stack": {
        "a.js": "let f0 = require('fs').statSync;\n"
        + "".join(f"let f{number} = f{number - 1};\n" for number in range(1, 300))
        + "f0 = f299; f150('x');\n",
    },
    "a declared type, where nothing else is known in a circle": {
        "a.ts": """
            class Store { load() { return 1; } }
            class Other { load() { return 2; } }
            export function pick(n: number) {
                let store: Store = again(n);
                store.load();
                return store;
            }
            export function again(n: number) {
                let other: Other = pick(n);
                other.load();
                return n ? other : pick(n);
            }
        """
    },
    "stores into what was stored": {
        "a.js": "require('./b'); const app = require('./c'); app.x.y.z();\n",
        "b.js": "const app = require('./c'); app.x.y = {}; app.x.y.z = () => 1;\n",
        "c.js": "const app = {}; module.exports = app; app.x = {};\n",
    },
    "a handler whose shape tells what hands on": {
        "a.js": "module.exports = (r) => { r.get('/a', (req, res) => { require('./b')(res); }); };\n",
        "b.js": "module.exports = (out) => { out.render('x'); };\n",
    },
    "items that are taken from a collection and put into it": {
        "a.js": """
            const jobs = [() => 1, () => 2];
            function next(all) { const one = all[all.length - 1]; const rest = [one].concat(all); next(rest); one(); }
            next(jobs);
        """
    },
    "apps that are handed around": {
        "app.js": "const app = require('express')();\nrequire('./routes')(app);\nrequire('./more').add(app);\n",
        "routes.js": "module.exports = (app) => { app.get('/', (req, res) => res.send('')); };\n",
        "more.js": """
            const routes = require('./routes');
            exports.add = (app) => { routes(app); app.use('/x', require('express').Router().get('/', show)); };
            function show(req, res) { res.render('x'); }
        """,
    },
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_targets_edges_and_contexts(linked: Linker, name: str) -> None:
    expected = dict(facts_of(linked(PROGRAMS[name])))
    for seed in range(6):
        with shuffled(seed):
            found = dict(facts_of(linked(PROGRAMS[name])))
        assert found == expected


@pytest.mark.parametrize("name", PROGRAMS)
def test_asking_again_changes_nothing(linked: Linker, name: str) -> None:
    program = linked(PROGRAMS[name])
    names = Names(program)
    for file, index, found in resolved_again(program, 1):
        before = program.graph.targets[file.index][index]
        assert {*map(names.target, found)} == {*map(names.target, before)}, (file.path, index)


def test_widened(linked: Linker) -> None:
    """What a path could be that is lengthened in a loop is `TOP`, beside what it was at first."""
    program = linked(PROGRAMS["a value that grows in a loop"])
    (file,) = program.files
    found = {
        file.facts.values[call.callee].text: [*map(Names(program).target, targets)]
        for call, targets in zip(file.facts.calls, program.graph.targets[0], strict=True)
    }
    assert found["split"] == ["fs.readFileSync().split", "Top()"]


def test_more_possibilities_than_say_anything(linked: Linker) -> None:
    """Of 64 functions that a parameter may be all are told, of 65 none: it is `TOP`, which nothing calls."""
    for number, expected in ((64, 64), (65, 1)):
        callers = "".join(f"run(() => {item});\n" for item in range(number))
        program = linked({"a.js": f"function run(f) {{ f(); }}\n{callers}"})
        assert len(program.graph.targets[0][0]) == expected
        assert (program.graph.targets[0][0] == (TOP,)) is (number == 65)


def test_all_that_frameworks_pass(linked: Linker) -> None:
    """A function that two frameworks call is given what both pass."""
    program = linked(
        {
            "a.js": """
                const app = require('express')();
                const koa = new (require('koa'))();
                function both(one, two) { one.x(); }
                koa.use(both);
                app.get('/', both);
            """
        }
    )
    (file,) = program.files
    calls = [file.facts.values[call.callee].text for call in file.facts.calls]
    names = [*map(Names(program).target, program.graph.targets[0][calls.index("x")])]
    assert names == ["express.req.x", "koa.ctx.x"]
