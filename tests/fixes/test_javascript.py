"""The JavaScript toolbox: what it writes, in whose style, and what it refuses."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tree_sitter import Parser

from prodlint.extract.source._js_grammar import language
from prodlint.findings import Edit, ImportRequest, Span
from prodlint.fixes import javascript
from prodlint.fixes._js_tree import KINDS
from prodlint.fixes.text import BOM, edited

JS, TS = "app.js", "app.ts"


def parses(path: str, source: bytes) -> bool:
    return not Parser(language(KINDS.get(Path(path).suffix, "javascript"))).parse(source).root_node.has_error


def span_of(source: bytes, target: str) -> Span:
    """Where `target`, which must stand there once, is."""
    raw = target.encode()
    assert source.count(raw) == 1, target
    start = source.index(raw)
    return Span(start, start + len(raw))


def change(
    tool: Callable[..., Any], source: str, target: str, *args: Any, path: str = JS, **options: Any
) -> str | None:
    """`source` after `tool` was used on `target`; None if it refused. The result parses, and is the same with a BOM and
    with other line endings."""
    raw = source.encode()
    assert parses(path, raw)
    edits = tool(path, raw, span_of(raw, target), *args, **options)
    if edits is None:
        return None
    result = edited(raw, edits)
    assert parses(path, result), result
    with_bom = BOM + raw
    assert edited(with_bom, tool(path, with_bom, span_of(with_bom, target), *args, **options)) == BOM + result
    if "\n" in source:
        windows = raw.replace(b"\n", b"\r\n")
        place = span_of(windows, target.replace("\n", "\r\n"))
        assert edited(windows, tool(path, windows, place, *args, **options)) == result.replace(b"\n", b"\r\n")
    return result.decode()


# --- await, callees


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("f(p)", "await g(p)"),
        ("const é = 'ü' + f(p)", "const é = 'ü' + await g(p)"),
        ("const s = f(p).toString()", "const s = (await g(p)).toString()"),
        ("const s = (f(p)).toString()", "const s = (await g(p)).toString()"),
        ("const s = f(p)[0]", "const s = (await g(p))[0]"),
        ("f(p)()", "(await g(p))()"),
        ("new (f(p))()", "new (await g(p))()"),
        ("f(p) ** 2", "(await g(p)) ** 2"),
        ("2 ** f(p)", "2 ** await g(p)"),
        ("!f(p) || -f", "!await g(p) || -f"),
        ("return `${f(p)}`", "return `${await g(p)}`"),
        ("class A extends f(p) {}", "class A extends (await g(p)) {}"),
        ("const a = 1\nf(p).x", "const a = 1\n;(await g(p)).x"),
        ("const a = 1\n// c\nf(p).x", "const a = 1\n// c\n;(await g(p)).x"),
        ("const a = 1;\nf(p).x", "const a = 1;\n(await g(p)).x"),
        ("if (a) { b() }\nf(p).x", "if (a) { b() }\n(await g(p)).x"),
        ("f(p).x", "(await g(p)).x"),
    ],
)
def test_replace_callee_awaits_where_it_stands(body: str, expected: str):
    for frame in (
        "async function h() {{\n{}\n}}\n",
        "x = async () => {{\n{}\n}}\n",
        "x = {{ async m() {{\n{}\n}} }}\n",
    ):
        result = change(javascript.replace_callee, frame.format(body), "f(p)", "g", awaited=True)
        assert result == frame.format(expected)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (JS, "f(p)\n"),
        (JS, "function h() { f(p) }\n"),
        (JS, "async function h() { x.map(y => f(p)) }\n"),
        (JS, "async function h(a = f(p)) {}\n"),
        (JS, "async function h() { class A { a = f(p) } }\n"),
        (JS, "async function h() { class A { static { f(p) } } }\n"),
        (JS, "async function h() { a?.f(p).x }\n"),
        (TS, "import a from 'a'\nf(p)\n"),
        (TS, "class A { @d(f(p)) async m() {} }\n"),
    ],
)
def test_await_is_refused_where_it_may_not_stand(path: str, source: str):
    raw = source.encode()
    assert parses(path, raw)
    span = span_of(raw, "a?.f(p)" if "?." in source else "f(p)")
    assert javascript.insert_await(path, raw, span) is None
    assert javascript.replace_callee(path, raw, span, "g", awaited=True) is None
    assert javascript.replace_expression(path, raw, span, "g()", awaited=True) is None
    assert javascript.can_await(path, raw, span) == ("?." in source)


def test_await_may_stand_at_the_top_level_of_an_es_module():
    assert change(javascript.insert_await, "import a from 'a'\nf(p)\n", "f(p)") == "import a from 'a'\nawait f(p)\n"
    assert change(javascript.insert_await, "f(p)\n", "f(p)", path="a.mjs") == "await f(p)\n"
    assert change(javascript.insert_await, "f(p)\n", "f(p)", path="a.mts") == "await f(p)\n"


def test_insert_await_in_a_function_that_the_same_fix_makes_async():
    source = b"app.get('/', (req, res) => {\n  f(p).x\n})\n"
    function, call = span_of(source, "(req, res) => {\n  f(p).x\n}"), span_of(source, "f(p)")
    assert javascript.insert_await(JS, source, call) is None
    made_async = javascript.make_async(JS, source, function)
    edits = javascript.insert_await(JS, source, call, making_async=function)
    assert edits is not None and made_async is not None
    assert edited(source, [*made_async, *edits]) == b"app.get('/', async (req, res) => {\n  (await f(p)).x\n})\n"


def test_insert_await_leaves_what_is_awaited():
    source = b"async () => await f(p)\n"
    assert javascript.insert_await(JS, source, span_of(source, "f(p)")) == ()


@pytest.mark.parametrize(
    ("path", "source", "target"),
    [
        (JS, "new F(p)\n", "new F(p)"),
        (JS, "f?.(p)\n", "f?.(p)"),
        (JS, "f`p`\n", "f`p`"),
        (TS, "f<T>(p)\n", "f<T>(p)"),
        (JS, "// f(p)\n", "f(p)"),
        (JS, "'f(p)'\n", "f(p)"),
        (JS, "`f(p)`\n", "f(p)"),
    ],
)
def test_replace_callee_refuses_what_is_no_plain_call(path: str, source: str, target: str):
    assert change(javascript.replace_callee, source, target, "g", path=path) is None


def test_broken_code_and_other_encodings_are_refused():
    for source in (b"f(p) }}} (\n", "é = f(p)\n".encode("latin-1")):
        span = span_of(source, "f(p)")
        if b"\xe9" in source:
            assert javascript.replace_callee(JS, source, span, "g") is None
            assert javascript.local_name(JS, source, ImportRequest(JS, "node:fs")) is None
            assert javascript.import_edits(JS, source, [ImportRequest(JS, "node:fs")]) is None
            assert javascript.style_of(JS, source) is None
    broken = b"f(p,, ]);\n"
    assert javascript.replace_callee(JS, broken, Span(0, 8), "g") is None
    assert javascript.append_argument(JS, broken, Span(0, 8), "g") is None


@pytest.mark.parametrize(
    ("source", "new", "expected"),
    [
        ("x = f() + 1\n", "a ? b : c", "x = (a ? b : c) + 1\n"),
        ("x = f()\n", "a ? b : c", "x = a ? b : c\n"),
        ("const x = f()\n", "a ? b : c", "const x = a ? b : c\n"),
        ("g(f())\n", "a || b", "g(a || b)\n"),
        ("x = f().y\n", "g(1)", "x = g(1).y\n"),
        ("x = f()\n", "a b", None),
        ("a()\nf().x\n", "b || c", "a()\n;(b || c).x\n"),
    ],
)
def test_replace_expression_keeps_precedence(source: str, new: str, expected: str | None):
    assert change(javascript.replace_expression, source, "f()", new) == expected


def test_replace_expression_with_await():
    source = "async () => { x = f().y }\n"
    result = change(javascript.replace_expression, source, "f()", "g(1)", awaited=True)
    assert result == "async () => { x = (await g(1)).y }\n"


def test_edits_take_no_byte_that_stays():
    source = b"async () => fs.readFileSync(p)\n"
    edits = javascript.replace_callee(
        JS, source, span_of(source, "fs.readFileSync(p)"), "fs.promises.readFile", awaited=True
    )
    assert edits == (Edit(JS, 12, 27, "await fs.promises.readFile"),)


# --- chains and arguments


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("p.then(f);\n", "p.then(f)", "p.then(f).catch(next);\n"),
        ("p\n  .then(f)\n  .then(g)\n", "p\n  .then(f)\n  .then(g)", "p\n  .then(f)\n  .then(g)\n  .catch(next)\n"),
        ("p.then(\n  f\n)\n", "p.then(\n  f\n)", "p.then(\n  f\n).catch(next)\n"),
        ("new P(f)\n", "new P(f)", "(new P(f)).catch(next)\n"),
        ("a || b\n", "a || b", "(a || b).catch(next)\n"),
        ("x = (a || b)\n", "a || b", "x = (a || b).catch(next)\n"),
        ("const x = 1\na || b\n", "a || b", "const x = 1\n;(a || b).catch(next)\n"),
        ("a?.f()\n", "a?.f()", "a?.f().catch(next)\n"),
    ],
)
def test_append_call(source: str, target: str, expected: str):
    assert change(javascript.append_call, source, target, ".catch(next)") == expected


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("f()\n", "f()", "f(x)\n"),
        ("f(a)\n", "f(a)", "f(a, x)\n"),
        ("f(a,)\n", "f(a,)", "f(a, x,)\n"),
        ("new F(a)\n", "new F(a)", "new F(a, x)\n"),
        ("f(\n\ta,\n\tb // b\n)\n", "f(\n\ta,\n\tb // b\n)", "f(\n\ta,\n\tb, // b\n\tx\n)\n"),
        ("f(\n  a, // a\n)\n", "f(\n  a, // a\n)", "f(\n  a, // a\n  x,\n)\n"),
        ("f(a, () => {\n  b()\n})\n", "f(a, () => {\n  b()\n})", "f(a, () => {\n  b()\n}, x)\n"),
        ("f(...a)\n", "f(...a)", None),
        ("f(/* none */)\n", "f(/* none */)", None),
        ("new F\n", "new F", None),
        ("f`a`\n", "f`a`", None),
    ],
)
def test_append_argument(source: str, target: str, expected: str | None):
    assert change(javascript.append_argument, source, target, "x") == expected


def test_wrap_expression():
    source = "app.get('/', async (req, res) => {\n  f()\n})\n"
    target = "async (req, res) => {\n  f()\n}"
    expected = "app.get('/', wrap(async (req, res) => {\n  f()\n}))\n"
    assert change(javascript.wrap_expression, source, target, "wrap(", ")") == expected
    assert change(javascript.wrap_expression, "function f() {}\n", "function f() {}", "wrap(", ")") is None
    assert change(javascript.wrap_expression, "class A { m() {} }\n", "m() {}", "wrap(", ")") is None


# --- functions


@pytest.mark.parametrize(
    ("path", "source", "target", "expected"),
    [
        (JS, "function f() {}\n", "function f() {}", "async function f() {}\n"),
        (JS, "export default function () {}\n", "function () {}", "export default async function () {}\n"),
        (JS, "x = y => y\n", "y => y", "x = async y => y\n"),
        (JS, "x = { m() {} }\n", "m() {}", "x = { async m() {} }\n"),
        (JS, "x = { 'm-m'() {} }\n", "'m-m'() {}", "x = { async 'm-m'() {} }\n"),
        (JS, "class A { static m() {} }\n", "static m() {}", "class A { static async m() {} }\n"),
        (JS, "class A { #m() {} }\n", "#m() {}", "class A { async #m() {} }\n"),
        (TS, "class A { private static m(): T {} }\n", "private static m(): T {}",
         "class A { private static async m(): Promise<T> {} }\n"),
        (TS, "x = (): void => {}\n", "(): void => {}", "x = async (): Promise<void> => {}\n"),
        (TS, "function f(): Promise<T> {}\n", "function f(): Promise<T> {}", "async function f(): Promise<T> {}\n"),
        (JS, "async () => {}\n", "async () => {}", "async () => {}\n"),
    ],
)  # fmt: skip
def test_make_async(path: str, source: str, target: str, expected: str):
    assert change(javascript.make_async, source, target, path=path) == expected


@pytest.mark.parametrize(
    ("path", "source", "target"),
    [
        (JS, "function* f() {}\n", "function* f() {}"),
        (JS, "x = { *m() {} }\n", "*m() {}"),
        (JS, "x = { get m() {} }\n", "get m() {}"),
        (JS, "class A { set m(v) {} }\n", "set m(v) {}"),
        (JS, "class A { constructor() {} }\n", "constructor() {}"),
        (TS, "function f(a): a is T { return a }\n", "function f(a): a is T { return a }"),
    ],
)
def test_make_async_refuses(path: str, source: str, target: str):
    assert change(javascript.make_async, source, target, path=path) is None


# --- statements


@pytest.mark.parametrize(
    ("source", "target", "statement"),
    [
        ("if (a) { x = f(1) }\n", "f(1)", "x = f(1)"),
        ("export const a = f(1);\n", "f(1)", "export const a = f(1);"),
        ("switch (a) { case 1: f(1); break }\n", "f(1)", "f(1);"),
        ("for (const a of f(1)) {}\n", "f(1)", "for (const a of f(1)) {}"),
        ("for (let a = f(1); ;) {}\n", "f(1)", "for (let a = f(1); ;) {}"),
        ("a: f(1)\n", "f(1)", "a: f(1)"),
        ("if (a) f(1)\n", "f(1)", None),
        ("if (a) {} else if (f(1)) {}\n", "f(1)", None),
        ("switch (a) { case f(1): break }\n", "f(1)", None),
        ("x(() => f(1))\n", "f(1)", None),
        ("class A { a = f(1) }\n", "f(1)", None),
        ("function g(a = f(1)) {}\n", "f(1)", None),
    ],
)
def test_statement_of(source: str, target: str, statement: str | None):
    raw = source.encode()
    span = javascript.statement_of(JS, raw, span_of(raw, target))
    assert span == (None if statement is None else span_of(raw, statement))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f();\n", "g();\nf();\n"),
        ("f()\n", "g()\nf()\n"),
        ("if (a) {\n\tf()\n}\n", "if (a) {\n\tg()\n\tf()\n}\n"),
        ("a(); f();\n", "a(); g(); f();\n"),
        ("if (a) { f() }\n", "if (a) { g(); f() }\n"),
        ("while (a) { f() }\n", "while (a) { g(); f() }\n"),
        ("while (f()) {}\n", None),
        ("for (;f();) {}\n", None),
        ("do {} while (f())\n", None),
        ("for (const a of f()) {}\n", "g();\nfor (const a of f()) {}\n"),
        ("a()\n;[f()].x\n", "a()\n;g(); [f()].x\n"),
        ("[f()].x()\n", "g();\n[f()].x()\n"),
    ],
)
def test_insert_statement_before(source: str, expected: str | None):
    assert change(javascript.insert_statement_before, source, "f()", "g()") == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f();\n", "f();\ng();\n"),
        ("f()", "f()\ng()"),
        ("if (a) {\n    f() // c\n}\n", "if (a) {\n    f() // c\n    g()\n}\n"),
        ("f(); a();\n", "f(); g(); a();\n"),
        ("if (a) { f() }\n", "if (a) { f(); g() }\n"),
        ("a()\nif (a){f();b()}\n", "a()\nif (a){f(); g(); b()}\n"),
        ("f()\n;[a].x\n", "f()\n; g(); [a].x\n"),
        ("f();\n[a].x();\n", "f();\ng();\n[a].x();\n"),
        ("function a() { return f() }\n", None),
        ("throw f()\n", None),
        ("f() /* c\n */\n", "f(); g(); /* c\n */\n"),
        ("f() /* c */\n", "f() /* c */\ng()\n"),
    ],
)
def test_insert_statement_after(source: str, expected: str | None):
    assert change(javascript.insert_statement_after, source, "f()", "g()") == expected


@pytest.mark.parametrize(
    ("source", "body", "expected"),
    [
        ("on(e => {\n  log(e)\n})\n", "{\n  log(e)\n}", "on(e => {\n  log(e)\n  exit(1)\n})\n"),
        ("on(e => { log(e); })\n", "{ log(e); }", "on(e => { log(e); exit(1) })\n"),
        ("on(e => {});\n", "{}", "on(e => { exit(1); });\n"),
        ("on(e => {\n\t// why\n});\n", "{\n\t// why\n}", "on(e => {\n\t// why\n\texit(1);\n});\n"),
        ("on(e => log(e));\n", "log(e)", "on(e => { log(e); exit(1); });\n"),
        ("on(e => {\n  return log(e)\n})\n", "{\n  return log(e)\n}", None),
        ("on(e => log(e));\n", "e", None),
    ],
)
def test_append_to_body(source: str, body: str, expected: str | None):
    raw = source.encode()
    span = Span(3, 4) if body == "e" else span_of(raw, body)
    edits = javascript.append_to_body(JS, raw, span, "exit(1)")
    assert expected == (None if edits is None else edited(raw, edits).decode())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "a(function (err) {\n    f();\n});\n",
            "a(function (err) {\n    if (err) {\n        return next(err);\n    }\n    f();\n});\n",
        ),
        ("a(err => {\n\tf()\n})\n", "a(err => {\n\tif (err) {\n\t\treturn next(err)\n\t}\n\tf()\n})\n"),
    ],
)
def test_statements_are_written_in_the_style_of_the_file(source: str, expected: str):
    text = "if (err) {\n\treturn next(err)\n}"
    assert change(javascript.insert_statement_before, source, "f()", text) == expected


# --- style


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        (JS, "const a = require('a');\nfunction f() {\n    g();\n}\n", ("'", True, "    ", "\n", False, "const")),
        (JS, 'import a from "a"\r\nf(() => {\r\n\tg()\r\n})\r\n', ('"', False, "\t", "\r\n", True, "const")),
        (JS, "var a = require('a')\nvar b = require('b')\n", ("'", False, "  ", "\n", False, "var")),
        (JS, "export const a = () => {\n  b()\n}\n", ("'", False, "  ", "\n", True, "const")),
        (TS, "f();\n", ("'", True, "  ", "\n", True, "const")),
        (TS, "const a = require('a');\n", ("'", True, "  ", "\n", False, "const")),
        ("a.mjs", "f();\n", ("'", True, "  ", "\n", True, "const")),
        ("a.cjs", "", ("'", True, "  ", "\n", False, "const")),
    ],
)
def test_style_of(path: str, source: str, expected: tuple[object, ...]):
    style = javascript.style_of(path, source.encode())
    assert style is not None
    assert (style.quote, style.semicolons, style.indent, style.newline, style.esm, style.declare) == expected


def test_strings_are_escaped():
    style = javascript.style_of(JS, b"const a = require('a')")
    assert style is not None
    assert style.string("it's\n\\") == "'it\\'s\\n\\\\'"


# --- imports


def request(written: str, path: str = JS) -> ImportRequest:
    """`fs`, `module:name`, `module:name as alias`; a `node:` prefix is part of the module."""
    target, _, alias = written.partition(" as ")
    prefix = "node:" if target.startswith("node:") else ""
    module, _, name = target.removeprefix("node:").partition(":")
    return ImportRequest(path, prefix + module, name, alias)


@pytest.mark.parametrize(
    ("path", "source", "wanted", "expected"),
    [
        pytest.param(JS, "", "node:fs", "const fs = require('node:fs');\n", id="empty file"),
        pytest.param("a.mjs", "", "node:fs", "import fs from 'node:fs';\n", id="empty ES module"),
        pytest.param(JS, "f()\n", "node:fs", "const fs = require('node:fs')\n\nf()\n", id="no imports"),
        pytest.param(
            JS,
            "#!/usr/bin/env node\n'use strict';\nf();\n",
            "node:fs",
            "#!/usr/bin/env node\n'use strict';\n\nconst fs = require('node:fs');\n\nf();\n",
            id="after hash-bang and use strict",
        ),
        pytest.param(
            JS,
            "/* Copyright */\nf()\n",
            "node:fs",
            "/* Copyright */\nconst fs = require('node:fs')\n\nf()\n",
            id="after the licence",
        ),
        pytest.param(
            JS,
            "// @ts-check\n\n/** About f. */\nfunction f() {}\n",
            "node:fs",
            "// @ts-check\n\nconst fs = require('node:fs');\n\n/** About f. */\nfunction f() {}\n",
            id="a function keeps its comment",
        ),
        pytest.param(
            JS,
            "const a = require('a')\nconst b = require('./b')\nf()\n",
            "c",
            "const a = require('a')\nconst c = require('c')\nconst b = require('./b')\nf()\n",
            id="package after packages",
        ),
        pytest.param(
            JS,
            "const a = require('a')\n",
            "node:fs",
            "const fs = require('node:fs')\nconst a = require('a')\n",
            id="built-in before packages",
        ),
        pytest.param(
            JS, "var a = require('./a'); // c\n", "./b", "var a = require('./a'); // c\nvar b = require('./b');\n",
            id="var and semicolons",
        ),
        pytest.param(
            JS,
            "var http = require('http'), a = require('a');\n",
            "node:fs",
            "var http = require('http'), a = require('a');\nvar fs = require('fs');\n",
            id="unprefixed as the others",
        ),
        pytest.param(
            JS, "const { a } = require('m')\n", "m:b", "const { a, b } = require('m')\n", id="into a destructuring"
        ),
        pytest.param(
            JS, "const {a} = require('m')\n", "m:b as c", "const {a, b: c} = require('m')\n", id="renamed"
        ),
        pytest.param(
            JS,
            "const {\n  a,\n  b // b\n} = require('m')\n",
            "m:c",
            "const {\n  a,\n  b, // b\n  c\n} = require('m')\n",
            id="one a line",
        ),
        pytest.param(
            JS,
            "const {a, ...rest} = require('m')\n",
            "m:b",
            "const {a, ...rest} = require('m')\nconst {b} = require('m')\n",
            id="not after a rest",
        ),
        pytest.param(
            JS, "const m = require('m')\n", "m:b", "const m = require('m')\nconst { b } = require('m')\n", id="beside"
        ),
        pytest.param(
            JS,
            "log.x\nconst a = require('a')\n",
            "./log",
            "const log = require('./log')\nlog.x\nconst a = require('a')\n",
            id="before its first use",
        ),
        pytest.param(
            JS,
            'import a from "a";\nimport b from "./b.js";\n',
            "c:default",
            'import a from "a";\nimport c from "c";\nimport b from "./b.js";\n',
            id="default import",
        ),
        pytest.param(JS, "import a from 'm'\n", "m:b", "import a, { b } from 'm'\n", id="beside a default"),
        pytest.param(JS, "import {a} from 'm'\n", "m:b as c", "import {a, b as c} from 'm'\n", id="into named"),
        pytest.param(JS, "import {} from 'm'\n", "m:b", "import { b } from 'm'\n", id="into none"),
        pytest.param(
            JS, "import * as m from 'm'\n", "m:b", "import * as m from 'm'\nimport { b } from 'm'\n",
            id="beside a namespace",
        ),
        pytest.param(JS, "import 'm'\n", "m:b", "import 'm'\nimport { b } from 'm'\n", id="beside an effect"),
        pytest.param(
            TS, "import type { A } from 'm'\n", "m:b", "import type { A } from 'm'\nimport { b } from 'm'\n",
            id="types stay types",
        ),
        pytest.param(TS, "import { type A } from 'm'\n", "m:b", "import { type A, b } from 'm'\n", id="beside a type"),
        pytest.param(
            TS, "import * as os from 'os'\n", "node:fs", "import * as os from 'os'\nimport * as fs from 'fs'\n",
            id="namespace as the others",
        ),
        pytest.param(
            TS, "import os from 'node:os'\n", "node:fs", "import os from 'node:os'\nimport fs from 'node:fs'\n",
            id="default as the others",
        ),
        pytest.param(TS, "import x from 'x'\n", "./a", "import x from 'x'\nimport * as a from './a'\n", id="local"),
        pytest.param(JS, "(function () {})()\n", "a", "const a = require('a');\n\n(function () {})()\n",
                     id="a line that would go on"),
        pytest.param(JS, "/* licence\n*/ f()\n", "a", "/* licence\n*/ \nconst a = require('a')\n\nf()\n",
                     id="a comment that ends on the line"),
        pytest.param(JS, "const a = require('a') /* x\n*/\n", "b",
                     "const a = require('a')\nconst b = require('b')\n /* x\n*/\n",
                     id="a comment that begins on the line"),
        pytest.param(JS, "import x from 'x'\n", "node:test", "import test from 'node:test'\nimport x from 'x'\n",
                     id="prefix that is needed"),
        pytest.param(JS, "const a = require('a')", "b", "const a = require('a')\nconst b = require('b')",
                     id="no newline at the end"),
    ],
)  # fmt: skip
def test_imports_go_where_they_belong(path: str, source: str, wanted: str, expected: str):
    for newline in ("\n", "\r\n"):
        raw = source.replace("\n", newline).encode()
        result = expected.replace("\n", newline).encode()
        if newline == "\n" or b"\n" in raw:
            assert parses(path, result)
            assert javascript.ensure_imports(path, raw, [request(wanted)]) == result
            assert javascript.ensure_imports(path, result, [request(wanted)]) == result
            assert javascript.ensure_imports(path, BOM + raw, [request(wanted)]) == BOM + result


@pytest.mark.parametrize(
    ("path", "source", "wanted", "name"),
    [
        (JS, "const fs = require('fs')\n", "node:fs", "fs"),
        (JS, "const f = require('node:fs'), x = 1\n", "fs", "f"),
        (JS, "const { a: b } = require('m')\n", "m:a", "b"),
        (JS, "const a = require('m').a\n", "m:a", "a"),
        (JS, "import m from 'm'\n", "m:default", "m"),
        (JS, "import m from 'm'\n", "m", "m"),
        (JS, "import * as m from 'm'\n", "m", "m"),
        (JS, "import { a as b } from 'm'\n", "m:a", "b"),
        (TS, "import fs = require('fs')\n", "node:fs", "fs"),
    ],
)
def test_an_import_that_is_there_is_used(path: str, source: str, wanted: str, name: str):
    assert javascript.local_name(path, source.encode(), request(wanted)) == name
    assert javascript.import_edits(path, source.encode(), [request(wanted)]) == ()


@pytest.mark.parametrize(
    ("source", "wanted", "name"),
    [
        ("", "node:fs", "fs"),
        ("", "node:fs/promises", "fsPromises"),
        ("", "express-async-handler", "expressAsyncHandler"),
        ("", "@scope/my-lib", "myLib"),
        ("", "../lib/logger.js", "logger"),
        ("", "m:a as b", "b"),
        ("x.fs = 1; y = { fs: 2 } // fs\n", "node:fs", "fs"),
        ("const fs = 1\n", "node:fs", None),
        ("function f(fs) {}\n", "node:fs", None),
        ("y = { fs }\n", "node:fs", None),
        ("fs.x()\n", "node:fs", None),
        ("import * as m from 'm'\n", "m:default", None),
    ],
)
def test_the_local_name_never_means_two_things(source: str, wanted: str, name: str | None):
    assert javascript.local_name(JS, source.encode(), request(wanted)) == name


def test_an_import_never_takes_a_name_of_the_top_level():
    for taken in (
        "const fs = 1\n",
        "export function fs() {}\n",
        "class fs {}\n",
        "import fs from './fs'\n",
        "let { fs } = x\n",
    ):
        assert javascript.ensure_imports(JS, taken.encode(), [request("node:fs")]) is None


def test_a_statement_goes_after_the_imports():
    def ensured(source: str, before: int | None = None) -> str | None:
        text = "const log = createLog('x')"
        edits = javascript.ensure_statement_after_imports(JS, source.encode(), text, before=before)
        return None if edits is None else edited(source.encode(), edits).decode()

    assert ensured("const a = require('a');\n\nf();\n") == (
        "const a = require('a');\n\nconst log = createLog('x');\n\nf();\n"
    )
    assert ensured("'use strict'\n\nf()\n") == "'use strict'\n\nconst log = createLog('x')\n\nf()\n"
    assert ensured("const a = require('a')\nconst log = createLog('x')\n") == (
        "const a = require('a')\nconst log = createLog('x')\n"
    )
    assert ensured("const log = 1\n") is None
    late = "const a = require('a')\nuse()\nconst b = require('b')\n"
    assert ensured(late) == late + "\nconst log = createLog('x')\n"
    assert ensured(late, before=late.index("use")) == late.replace("use", "const log = createLog('x')\nuse")


def test_a_name_is_bound_below_its_statement_and_in_functions():
    source = b"use(1)\nf(() => use(2))\nexport const { log } = use(3)\nuse(4)\n"
    bound = [javascript.is_bound_at(JS, source, "log", source.index(b"use(%d)" % at)) for at in range(1, 5)]
    assert bound == [False, True, False, True]
    assert javascript.is_bound_at(JS, b"use(1)\nimport log from 'log'\n", "log", 0)
    assert not javascript.is_bound_at(JS, b"use(1)\nconst log = require('log')\n", "log", 0)


LINES = [
    "'use strict'",
    "// comment é",
    "/* Copyright */",
    "const a = require('a')",
    "const { b } = require('./b');",
    "var http = require('http'), c = 1;",
    "const {\n\td, // d\n} = require('m')",
    "app.use(x)",
    "function f() {\n\tconst fs = require('fs')\n}",
    "",
]
ES_LINES = [
    "'use strict'",
    "// comment é",
    'import a from "a";',
    "import { b } from './b.js'",
    "import {\n\td, // d\n} from 'm'",
    "import * as os from 'node:os'",
    "import 'effect'",
    "export const x = 1",
    "class A {}",
    "",
]
WANTED = ["node:fs", "node:path", "m:e", "pino", "./log:log", "a:g", "m:h as i", "node:fs/promises:readFile"]


@settings(max_examples=200)
@given(
    st.one_of(
        st.lists(st.sampled_from(LINES), max_size=7, unique=True),
        st.lists(st.sampled_from(ES_LINES), max_size=7, unique=True),
    ),
    st.lists(st.sampled_from(WANTED), min_size=1, max_size=4),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from([JS, TS, "a.tsx"]),
)
def test_laws_of_imports(lines: list[str], wanted: list[str], newline: str, bom: bool, path: str):
    text = "\n".join(lines)
    source = BOM * bom + text.replace("\n", newline).encode()
    requests = [request(one, path) for one in wanted]
    result = javascript.ensure_imports(path, source, requests)
    assert result is not None
    assert parses(path, result)
    assert javascript.ensure_imports(path, result, requests) == result, "a second time changes nothing"
    assert result.startswith(BOM) == source.startswith(BOM)
    if "\n" in text:
        assert result.count(b"\r\n") == (result.count(b"\n") if newline == "\r\n" else 0)
    kept = result.removeprefix(BOM).splitlines()
    for line in filter(None, source.removeprefix(BOM).splitlines()):
        named = line.startswith((b"import {", b"const {", b"import a", b"\td"))
        assert line in kept or named, line
    if "'use strict'" in lines[:1]:
        assert kept[0] == b"'use strict'"
    for one in requests:
        assert javascript.local_name(path, result, one) is not None


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_node_takes_the_result(tmp_path: Path):
    file = tmp_path / "a.js"
    source = dedent(
        """\
        #!/usr/bin/env node
        'use strict'
        const http = require('http')
        run()
        function run () {
          console.log(fs === require('fs'))
        }
        """
    ).encode()
    result = javascript.ensure_imports(JS, source, [request("node:fs"), request("node:fs/promises:readFile")])
    assert result is not None
    file.write_bytes(result)
    done = subprocess.run(["node", file], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("true\n", "")
