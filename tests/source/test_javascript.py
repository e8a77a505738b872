"""Facts of JavaScript, TypeScript and TSX: small pieces of code, and what is to be known of them."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodlint.extract.source.javascript import extract
from prodlint.facts import (
    NONE,
    BindingKind,
    Call,
    ExitKind,
    FileFacts,
    Function,
    FunctionKind,
    ImportKind,
    ParamKind,
    Region,
    RegionKind,
    Use,
    ValueKind,
)


def facts_of(code: str | bytes, kind: str = "javascript") -> FileFacts:
    """Extract, and send the facts through the codec as every run does."""
    data = code.encode() if isinstance(code, str) else code
    return msgspec.msgpack.decode(msgspec.msgpack.encode(extract(data, kind)), type=FileFacts)


def render(facts: FileFacts, index: int, depth: int = 0) -> str:
    """Write a value as text that resembles its source."""
    if index == NONE:
        return "none"
    if depth > 12:
        return "…"
    value = facts.values[index]
    kind, text = value.kind, value.text
    items = [render(facts, item, depth + 1) for item in value.items if kind is not ValueKind.PARAM]

    def ref() -> str:
        return render(facts, value.ref, depth + 1)

    match kind:
        case ValueKind.UNKNOWN:
            return "?"
        case ValueKind.IMPORT:
            return f"<{text}>"
        case ValueKind.MEMBER:
            return f"{ref()}.{text}"
        case ValueKind.CALL:
            call = facts.calls[value.ref]
            return f"{'new ' * call.is_new}{render(facts, call.callee, depth + 1)}()"
        case ValueKind.FUNCTION:
            return f"function {facts.functions[value.ref].name}".strip()
        case ValueKind.CLASS:
            return f"class {facts.classes[value.ref].name}".strip()
        case ValueKind.PARAM:
            return text or f"param {value.items[0]}"
        case ValueKind.RECEIVER:
            return "this"
        case ValueKind.SELF:
            return "this" if value.ref == NONE else f"this {facts.classes[value.ref].name}"
        case ValueKind.SUPER:
            return "super" if value.ref == NONE else f"super {facts.classes[value.ref].name}"
        case ValueKind.BINDING:
            return facts.bindings[value.ref].name
        case ValueKind.STRING:
            return repr(text)
        case ValueKind.NULL:
            return "null"
        case ValueKind.TEMPLATE:
            return f"`{text}`({', '.join(items)})"
        case ValueKind.OBJECT:
            return "{" + ", ".join(f"{name}: {item}" for name, item in zip(value.names, items, strict=True)) + "}"
        case ValueKind.ARRAY:
            return "[" + ", ".join(items) + "]"
        case ValueKind.SPREAD:
            return f"...{ref()}"
        case ValueKind.AWAIT:
            return f"await {ref()}"
        case ValueKind.OP:
            return f"({text} {' '.join(items)})"
        case ValueKind.SUBSCRIPT:
            return f"{ref()}[{items[0]}]"
        case ValueKind.ELEMENT:
            return f"each of {ref()}"
        case ValueKind.INSTANCE:
            return f"instance of {ref()}"
        case ValueKind.CATCH:
            return "caught"
        case _:
            return text


def calls_of(code: str, kind: str = "javascript") -> list[str]:
    """Write every call with its arguments, in the order of the source; `require(x)` and `import(x)` left out."""
    facts = facts_of(code, kind)
    rendered = [
        f"{'new ' * call.is_new}{render(facts, call.callee)}({', '.join(render(facts, arg) for arg in call.args)})"
        for call in facts.calls
    ]
    return [text for text in rendered if not text.startswith(("require(", "import("))]


def uses_of(code: str, kind: str = "javascript") -> dict[str, str]:
    """Write what becomes of the result of each call, by the name it is called by; the user after a blank."""
    facts, data = facts_of(code, kind), code.encode()

    def user(call: Call) -> str:
        if call.user == NONE:
            return ""
        if call.use is Use.ASSIGNED:
            return " " + facts.bindings[call.user].name
        return " " + name(facts.calls[call.user])

    def name(call: Call) -> str:
        return data[call.name_start : call.name_end].decode()

    return {name(call): call.use.name + user(call) for call in facts.calls}


def function_named(facts: FileFacts, name: str) -> Function:
    """Return the one function of that name."""
    (function,) = [function for function in facts.functions if function.name == name]
    return function


def regions_around(facts: FileFacts, callee: str) -> list[Region]:
    """Return the regions around the call of `callee`, innermost first, up to its function's body."""
    (call,) = [call for call in facts.calls if render(facts, call.callee) == callee]
    region, regions = facts.regions[call.region], []
    while region.kind is not RegionKind.BODY:
        regions.append(region)
        region = facts.regions[region.parent]
    return [*regions, region]


def nesting(code: str, callee: str = "f") -> str:
    """Write the regions around the call of `callee`, outermost first, with their values."""
    facts = facts_of(code)
    return " > ".join(
        " ".join([region.kind.name, *(render(facts, value) for value in region.values)])
        for region in reversed(regions_around(facts, callee)[:-1])
    )


# Values


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("f(a.b.c)", "f(a.b.c)"),
        ("f(a['b'], a[b], a[0])", "f(a.b, a[b], a[0])"),
        ("f('it', \"is\", 'it\\'s\\n', `so`)", "f('it', 'is', \"it's\\n\", 'so')"),
        ("f('\\u00e9\\x41\\u{1F600}')", "f('éA😀')"),
        ("f(1, true, false, null, undefined)", "f(1, true, false, null, null)"),
        ("f(`a${b}c${d.e}`)", "f(`a`(b, d.e))"),
        ("f({a, b: 1, 'c-d': g, [x]: 2, ['y']: 3, ...z})", "f({a: a, b: 1, c-d: g, []: 2, y: 3, ...: z})"),
        ("f({g() {}, k: () => 1, l: function m() {}})", "f({g: function g, k: function k, l: function l})"),
        ("f([a, ...b], ...c)", "f([a, ...b], ...c)"),
        ("f(!a, typeof b, -c)", "f((! a), (typeof b), (- c))"),
        ("f(a && b, a || b, a ?? b, a ? b : c)", "f((&& a b), (|| a b), (?? a b), (?: a b c))"),
        ("f(a + b + c + 'd')", "f((+ a b c 'd'))"),
        ("f(a - b - c)", "f((- (- a b) c))"),
        ("f(a === 1, a in b, a instanceof B)", "f((=== a 1), (in a b), (instanceof a B))"),
        ("f((a), (b, c), void d)", "f(a, c, null)"),
        ("f(/re/g, <A/>, x = y)", "f(?, ?, y)"),
        ("f(import.meta.url, this, super.x)", "f(import.meta.url, this, super.x)"),
        ("f(a?.b?.[c])", "f(a.b[c])"),
        ("new A; new a.B(c)", "new A() | new a.B(c)"),
        ("f`a${b}`", "f(`a`(b))"),
        ("(0, a.f)(x); (a.g)(y)", "a.f(x) | a.g(y)"),
        ("f?.(x); a?.f(y); a['f'](z); a[k](z)", "f(x) | a.f(y) | a.f(z) | a[k](z)"),
        ("f(x)(y)", "f()(y) | f(x)"),
        ("f().then(g).catch(h)", "f().then().catch(h) | f().then(g) | f()"),
        ("(() => {})()", "function()"),
        ("async function g() { f(await h, await import('m')) }", "f(await h, <m>)"),
    ],
)
def test_an_expression_becomes_a_value(code: str, expected: str) -> None:
    """Every form of expression has the value that it denotes."""
    assert " | ".join(calls_of(code)) == expected


@pytest.mark.parametrize(
    "code",
    [
        "f(x as any)",
        "f(x!)",
        "f(<any>x)",
        "f(x satisfies T)",
        "f<T>(x)",
        "f(((x as A) as B)!)",
        "(f as any)(x)",
        "f!(x)",
        "f?.<T>(x)",
    ],
)
def test_typescript_assertions_are_looked_through(code: str) -> None:
    """A type assertion changes nothing at run time."""
    assert calls_of(code, "typescript") == ["f(x)"]


def test_equal_values_share_an_index() -> None:
    """Values are interned."""
    facts = facts_of("f(a.b, a.b, 'x', 'x')")
    first, second, third, fourth = facts.calls[0].args
    assert first == second and third == fourth


def test_a_long_string_is_cut() -> None:
    """Strings keep 200 characters."""
    facts = facts_of(f"f('{'x' * 500}')")
    assert facts.values[facts.calls[0].args[0]].text == "x" * 200


# Names


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        # CommonJS
        ("const fs = require('fs'); fs.read(x)", "<fs>.read(x)"),
        ("const {readFileSync: r} = require('node:fs'); r(p)", "<node:fs>.readFileSync(p)"),
        ("const {a, b: {c}} = require('m'); a(); c()", "<m>.a() | <m>.b.c()"),
        ("const {promises} = require('fs'); promises.f()", "<fs>.promises.f()"),
        ("const p = require('fs').promises; p.f()", "<fs>.promises.f()"),
        ("var a = require('a')\n  , b = require('b'); a.f(b)", "<a>.f(<b>)"),
        ("require('x')(app)", "<x>(app)"),
        ("require('a').b.c(d)", "<a>.b.c(d)"),
        ("function f() { fs.read() } const fs = require('fs')", "<fs>.read()"),
        ("let fs = require('fs'); fs = other; fs.f()", "fs.f()"),
        ("function g(require) { const a = require('a'); a.f() }", "a.f()"),
        ("const require = module.createRequire(u); require('x').f()", "module.createRequire(u) | <x>.f()"),
        ("const m = await import('m'); m.f()", "<m>.f()"),
        ("const {a} = await import('m'); a()", "<m>.a()"),
        ("const a = (await import('m')).default; a()", "<m>.default()"),
        ("import('m').then(g)", "<m>.then(g)"),
        # ES modules
        ("import d, * as ns from 'm'; d(ns)", "<m>.default(<m>)"),
        ("import {a, b as c, default as d} from 'm'; a(c, d)", "<m>.a(<m>.b, <m>.default)"),
        ("f(); import {f} from 'm'", "<m>.f()"),
        # Functions, classes, parameters
        ("f(g); function g() {}", "f(function g)"),
        ("const g = () => 1; f(g)", "f(function g)"),
        ("h(); const g = async function () {}; function h() { g() }", "function h() | function g()"),
        ("class A {} f(A, new A())", "f(class A, new class A()) | new class A()"),
        ("const A = class {}; f(A)", "f(class A)"),
        ("const g = function self() { self() }", "function g()"),
        ("(req, res) => req.f(res)", "req.f(res)"),
        ("({a, b: {c}, ...d}, e = 1) => f(a, c, d, e)", "f(param 0.a, param 0.b.c, param 0, e)"),
        ("([a]) => f(a)", "f(each of param 0)"),
        ("x => f(x)", "f(x)"),
        ("function g(a) { a = a || {}; a.f() }", "a.f()"),
        ("function g() {} function g() {} g()", "g()"),
        # Shadowing and hoisting
        ("const a = require('a'); function g(a) { a.f() } { const a = 1; a.f() } a.f()", "a.f() | a.f() | <a>.f()"),
        ("const f = 1; { f() } function g() { f(); var f }", "f() | f()"),
        ("try {} catch (e) { f(e) }", "f(caught)"),
        ("try {} catch ({code}) { f(code) }", "f(caught.code)"),
    ],
)
def test_a_name_is_what_it_is_bound_to(code: str, expected: str) -> None:
    """Names that are bound once to something static are that value; others are bindings."""
    assert " | ".join(calls_of(code)) == expected


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("let x = 1; x = 2; function g() { x = f() }", ["1", "2", "f()"]),
        ("let x; x ||= f(); x++", ["(|| x f())", "(+ x 1)"]),
        ("const x = a.b", ["a.b"]),
        ("const {a: x, c} = o", ["o.a"]),
        ("const {x = 5} = o", ["(?? o.x 5)"]),
        ("const {a: {b: x = 5} = {}} = o", ["(?? (?? o.a {}).b 5)"]),
        ("const [x] = o", ["each of o"]),
        ("const [, ...x] = o", ["o"]),
        ("let x; ({a: x} = o); [x] = p", ["o.a", "each of p"]),
        ("for (const x of xs) f(x)", ["each of xs"]),
        ("for (var x = 0; x < 3; x += 2) {}", ["0", "(+ x 2)"]),
        ("function g(x) { x = x || {} }", ["x", "(|| x {})"]),
        ("function x() {} x = f(x)", ["function x", "f()"]),
        ("const x = c ? require('a') : require('b')", ["(?: c <a> <b>)"]),
        ("const x = await f()", ["await f()"]),
        ("const x = y = z", ["z"]),
    ],
)
def test_a_binding_has_every_value_assigned_to_it(code: str, values: list[str]) -> None:
    """Assignments anywhere in the file count."""
    facts = facts_of(code)
    (binding,) = [binding for binding in facts.bindings if binding.name == "x"]
    assert [render(facts, value) for value in binding.values] == values


def test_bindings_say_what_kind_they_are_and_where() -> None:
    """A binding knows its declaration and the function that it belongs to."""
    code = "let a = 1; const b = f(); function g(c) { c = 1; for (const d of c) { var e = d } }"
    facts = facts_of(code)
    kinds = {binding.name: (binding.kind, facts.functions[binding.function].name) for binding in facts.bindings}
    assert kinds == {
        "a": (BindingKind.VARIABLE, ""),
        "b": (BindingKind.CONST, ""),
        "c": (BindingKind.PARAM, "g"),
        "d": (BindingKind.OTHER, "g"),
        "e": (BindingKind.VARIABLE, "g"),
    }
    assert all(code[binding.start : binding.end] == binding.name for binding in facts.bindings)


# Imports and exports


@pytest.mark.parametrize(
    ("code", "kind", "module", "names"),
    [
        ("import 'm'", ImportKind.IMPORT, "m", {}),
        ("import d, {a, b as c} from 'm'", ImportKind.IMPORT, "m", {"default": "d", "a": "a", "b": "c"}),
        ("import * as ns from 'm'", ImportKind.IMPORT, "m", {"*": "ns"}),
        ("require('m')", ImportKind.REQUIRE, "m", {}),
        ("const x = require('m')", ImportKind.REQUIRE, "m", {"*": "x"}),
        ("const x = require('m').y", ImportKind.REQUIRE, "m", {"y": "x"}),
        ("const {a: b, c, ...r} = require('m')", ImportKind.REQUIRE, "m", {"a": "b", "c": "c", "*": "r"}),
        ("x = require('m')", ImportKind.REQUIRE, "m", {"*": "x"}),
        ("const x = require('m')(y)", ImportKind.REQUIRE, "m", {}),
        ("const x = require(`m`)", ImportKind.REQUIRE, "m", {"*": "x"}),
        ("require(path)", ImportKind.REQUIRE, "", {}),
        ("const {a} = await import('m')", ImportKind.DYNAMIC, "m", {"a": "a"}),
        ("import(`./${x}`)", ImportKind.DYNAMIC, "", {}),
        ("export {a as b} from 'm'", ImportKind.REEXPORT, "m", {"a": "b"}),
        ("export * from 'm'", ImportKind.REEXPORT, "m", {}),
    ],
)
def test_imports(code: str, kind: ImportKind, module: str, names: dict[str, str]) -> None:
    """Each way of asking for a module, with the names that it binds."""
    (request,) = facts_of(code).imports
    found = dict(zip(request.names, request.locals, strict=True))
    assert (request.kind, request.module, found) == (kind, module, names)


@pytest.mark.parametrize(
    ("code", "kind", "names"),
    [
        ("import type {A} from 'm'", ImportKind.TYPE, {"A": "A"}),
        ("import {type A, b} from 'm'", ImportKind.IMPORT, {"A": "A", "b": "b"}),
        ("import x = require('m')", ImportKind.REQUIRE, {"*": "x"}),
        ("export type {A} from 'm'", ImportKind.TYPE, {"A": "A"}),
    ],
)
def test_typescript_imports(code: str, kind: ImportKind, names: dict[str, str]) -> None:
    """The forms that only TypeScript has."""
    (request,) = facts_of(code, "typescript").imports
    assert (request.kind, request.module, dict(zip(request.names, request.locals, strict=True))) == (kind, "m", names)


def test_require_is_a_call_too() -> None:
    """So that a rule can see where it stands."""
    facts = facts_of("function g() { return require('m') }")
    (call,) = facts.calls
    assert render(facts, call.callee) == "require"
    assert facts.regions[call.region].function == 1
    assert facts.imports[0].region == call.region


@pytest.mark.parametrize(
    ("code", "exports"),
    [
        ("module.exports = x", {"=": "x"}),
        (
            "module.exports = {a, b: c, ...require('./d')}",
            {"=": "{a: a, b: c, ...: <./d>}", "a": "a", "b": "c", "*": "<./d>"},
        ),
        ("module.exports.a = x", {"a": "x"}),
        ("exports.a = async () => {}", {"a": "function a"}),
        ("exports['a'] = x", {"a": "x"}),
        ("exports = module.exports = x", {"=": "x"}),
        ("module.exports = exports = x", {"=": "x"}),
        ("exports.a = exports.b = x", {"a": "x", "b": "x"}),
        ("Object.assign(module.exports, {a: x})", {"a": "x"}),
        ("Object.defineProperty(exports, 'a', {enumerable: true, get: function () { return m.b }})", {"a": "m.b"}),
        ("Object.defineProperty(exports, 'a', {value: x})", {"a": "x"}),
        ("Object.defineProperty(exports, '__esModule', {value: true})", {}),
        ("const G = module.exports = {}; G.a = () => {}", {"=": "{}", "a": "function a"}),
        ("module.exports = async function () {}", {"=": "function"}),
        ("const G = module.exports; G.a = function () {}", {"a": "function a"}),
        ("exports.a.b = x", {}),
        ("function g(exports) { exports.a = 1 }", {}),
        ("export default x", {"default": "x"}),
        ("export default {a: 1}", {"default": "{a: 1}"}),
        ("export default async function g() {}", {"default": "function g"}),
        ("export default () => {}", {"default": "function"}),
        ("export default class A {}", {"default": "class A"}),
        ("export const a = () => {}, {b} = x", {"a": "function a", "b": "b"}),
        ("export let a", {"a": "a"}),
        ("export function g() {} export class A {}", {"g": "function g", "A": "class A"}),
        ("import {a} from 'm'; export {a, b as c}; const b = 1", {"a": "<m>.a", "c": "b"}),
        ("function g() {} export {g as default}", {"default": "function g"}),
        ("export {default as a, b} from 'm'", {"a": "<m>.default", "b": "<m>.b"}),
        ("export * from 'm'", {"*": "<m>"}),
        ("export * as ns from 'm'", {"ns": "<m>"}),
    ],
)
def test_exports(code: str, exports: dict[str, str]) -> None:
    """CommonJS and ES modules, declarations and re-exports."""
    facts = facts_of(code)
    assert {export.name: render(facts, export.value) for export in facts.exports} == exports


@pytest.mark.parametrize(
    ("code", "exports"),
    [
        ("export = x", {"=": "x"}),
        ("export enum E {A = 'a', B}", {"E": "E"}),
        ("export abstract class A {}", {"A": "class A"}),
        ("export interface I {}; export type T = string", {"I": "class I"}),
        ("@D() export class A {}", {"A": "class A"}),
        ("@D() export default class A {}", {"default": "class A"}),
    ],
)
def test_typescript_exports(code: str, exports: dict[str, str]) -> None:
    """Types are no exports, being gone at run time, but for interfaces, which tell what implements them."""
    facts = facts_of(code, "typescript")
    assert {export.name: render(facts, export.value) for export in facts.exports} == exports


def test_exports_are_not_repeated_in_stores() -> None:
    """Only a store through an alias is both."""
    facts = facts_of("exports.a = 1; module.exports.b = 2; module.exports = 3; const G = module.exports; G.c = 4")
    assert [store.name for store in facts.stores] == ["c"]


# Functions


@pytest.mark.parametrize(
    ("code", "name", "kind"),
    [
        ("function f() {}", "f", FunctionKind.FUNCTION),
        ("const f = function () {}", "f", FunctionKind.EXPRESSION),
        ("const f = () => {}", "f", FunctionKind.ARROW),
        ("f = x => x", "f", FunctionKind.ARROW),
        ("o.f = function () {}", "f", FunctionKind.EXPRESSION),
        ("o['f'] = function () {}", "f", FunctionKind.EXPRESSION),
        ("exports.f = async () => {}", "f", FunctionKind.ARROW),
        ("({f: function () {}})", "f", FunctionKind.EXPRESSION),
        ("({f() {}})", "f", FunctionKind.METHOD),
        ("({get f() { return 1 }})", "f", FunctionKind.ACCESSOR),
        ("class A { f() {} }", "f", FunctionKind.METHOD),
        ("class A { #f() {} }", "#f", FunctionKind.METHOD),
        ("class A { 'f'() {} }", "f", FunctionKind.METHOD),
        ("class A { constructor() {} }", "constructor", FunctionKind.CONSTRUCTOR),
        ("class A { set f(v) {} }", "f", FunctionKind.ACCESSOR),
        ("class A { f = () => {} }", "f", FunctionKind.ARROW),
        ("({constructor() {}})", "constructor", FunctionKind.METHOD),
        ("g(() => {})", "", FunctionKind.ARROW),
        ("const {f = () => {}} = o", "f", FunctionKind.ARROW),
        ("export default function f() {}", "f", FunctionKind.FUNCTION),
    ],
)
def test_functions_have_names_and_kinds(code: str, name: str, kind: FunctionKind) -> None:
    """A function is called by what it is bound to, if it has no name of its own."""
    function = facts_of(code).functions[1]
    assert (function.name, function.kind) == (name, kind)


@pytest.mark.parametrize(
    ("code", "is_async", "is_generator"),
    [
        ("function f() {}", False, False),
        ("async function f() {}", True, False),
        ("function* f() {}", False, True),
        ("async function* f() {}", True, True),
        ("const f = async x => x", True, False),
        ("class A { async f() {} }", True, False),
        ("class A { *f() {} }", False, True),
        ("({async *f() {}})", True, True),
        ("({async() {}})", False, False),
    ],
)
def test_async_functions_and_generators(code: str, is_async: bool, is_generator: bool) -> None:
    """The keyword counts, not a method of that name."""
    function = facts_of(code).functions[1]
    assert (function.is_async, function.is_generator) == (is_async, is_generator)


def test_a_function_knows_where_it_stands() -> None:
    """Its spans, the function around it, its body and the region around that."""
    code = "const a = async (x, y) => { if (x) { function b() {} } }"
    facts = facts_of(code)
    arrow, inner = facts.functions[1:]
    assert code[arrow.start : arrow.end] == "async (x, y) => { if (x) { function b() {} } }"
    assert code[arrow.name_start : arrow.name_end] == "(x, y)"
    assert code[inner.name_start : inner.name_end] == "b"
    assert inner.parent == 1 and arrow.parent == 0 and facts.functions[0].parent == NONE
    body = facts.regions[inner.region]
    assert body.kind is RegionKind.BODY and facts.regions[body.parent].kind is RegionKind.THEN
    assert body.is_empty and not facts.regions[arrow.region].is_empty


def test_the_keyword_stands_for_a_function_without_a_name() -> None:
    """A finding about `async function () {}` points at `function`."""
    code = "g(async function () {})"
    function = facts_of(code).functions[1]
    assert code[function.name_start : function.name_end] == "function"


def test_parameters() -> None:
    """All ways to write one."""
    code = "function f(a, b = g(), {c, d: [e]}, ...rest) { a; e; rest }"
    facts = facts_of(code)
    params = facts.functions[1].params
    assert [(param.name, param.kind) for param in params] == [
        ("a", ParamKind.NORMAL),
        ("b", ParamKind.NORMAL),
        ("", ParamKind.PATTERN),
        ("rest", ParamKind.REST),
    ]
    assert params[2].names == ["c", "e"]
    assert render(facts, params[1].default) == "g()"
    assert [param.used for param in params] == [True, False, True, True]
    assert code[params[1].start : params[1].end] == "b = g()"


@pytest.mark.parametrize(
    "body",
    [
        "err",
        "x = {err}",
        "x = {[err]: 1}",
        "return () => () => err",
        "err.message += 1",
        "`${err}`",
        "class A { [err]() {} }",
        "typeof err",
        "x = <B err={err}/>",
        "x = <B {...err}/>",
        "x = <err.B/>",
        "delete err.x",
        "for (const k in err) {}",
        "switch (err) {}",
        "label: while (err) break label",
        "const {[err]: a} = b",
        "const {a = err} = b",
        "class C { static { err } x = err }",
        "if (a) throw err",
        "x = y ? z : err",
        "new err",
        "err++",
        "export { err }",
        "with (err) {}",
        "do {} while (err)",
        "x = (err, 1)",
        "f(...err)",
        "x = a?.[err]",
        "err`x`",
    ],
)
@pytest.mark.parametrize("kind", ["javascript", "tsx"])
def test_a_parameter_that_is_read_is_used(body: str, kind: str) -> None:
    """Wherever the name stands."""
    assert facts_of(f"function g(err) {{ {body} }}", kind).functions[1].params[0].used


@pytest.mark.parametrize(
    "body", ["", "err = 1", "x.err", "x = {err: 1}", "(err) => err", "const {err: a} = b", "'err'"]
)
def test_a_parameter_that_is_not_read_is_unused(body: str) -> None:
    """Writing to it, shadowing it, or the same word for something else."""
    assert not facts_of(f"function g(err) {{ {body} }}").functions[1].params[0].used


def test_the_arguments_object() -> None:
    """Arrows have none: they read that of the function around them."""
    facts = facts_of("function f() { return () => arguments } function g(arguments) { arguments } arguments")
    assert [function.has_arguments_object for function in facts.functions] == [False, True, False, False]


# Classes


def test_classes() -> None:
    """Bases, members, methods and what `this` is."""
    facts = facts_of(
        "class A extends ns.B {"
        "  x = new X(); handler = async () => this.f();"
        "  static s() { return this } #p = 1; y;"
        "  constructor() { super(1) } m() { super.m(); [].map(() => this.g()); function h() { this.i() } }"
        "  get z() { return {k() { this.j() }} }"
        "}"
    )
    (cls,) = facts.classes
    assert cls.name == "A"
    assert [render(facts, base) for base in cls.bases] == ["ns.B"]
    members = {name: render(facts, value) for name, value in zip(cls.names, cls.members, strict=True)}
    assert members == {
        "x": "new X()",
        "handler": "function handler",
        "s": "function s",
        "#p": "1",
        "y": "?",
        "constructor": "function constructor",
        "m": "function m",
        "z": "function z",
    }
    assert {f.name: f.cls for f in facts.functions if f.cls != NONE}.keys() == {"handler", "s", "constructor", "m", "z"}
    assert function_named(facts, "s").is_static
    callees = {render(facts, call.callee) for call in facts.calls}
    assert callees >= {"this A.f", "super A", "super A.m", "this A.g", "this.i", "this.j"}


def test_this_in_a_prototype_method_belongs_to_no_class() -> None:
    """The store says which prototype it is."""
    facts = facts_of("function A() {} A.prototype.m = function () { this.n() }")
    assert render(facts, facts.calls[0].callee) == "this.n"
    (store,) = facts.stores
    assert (render(facts, store.target), store.name, render(facts, store.value)) == (
        "function A.prototype",
        "m",
        "function m",
    )


def test_a_static_block_runs_where_the_class_stands() -> None:
    """It is a scope of its own for `var`."""
    facts = facts_of("function g() { class A { static { var x = f() } } x }")
    (around, body) = regions_around(facts, "f")
    assert around.kind is RegionKind.CLASS and facts.functions[body.function].name == "g"
    assert [binding.name for binding in facts.bindings] == ["x"]


NEST = """
import {Svc, Dto} from './svc';
import type {Foo} from './foo';
@Controller('cats')
export class Cats<T> extends Base<T> implements I {
  private readonly log = new Logger(Cats.name);
  foo?: Foo | null;
  @Column() count: number;
  constructor(private readonly svc: Svc, @Inject(TOKEN) public other: ns.Other<T>, plain: Svc) { super() }
  @Get(':id') @Roles('a')
  async find(@Body() dto: Dto, @Param('id') id?: string, ...rest: Model<Dto>[]): Promise<Dto> {
    return this.svc.find(dto)
  }
  abstract later(): void;
}
"""


def test_typescript_classes() -> None:
    """Parameter properties, which are the parameters, declared types and decorators."""
    facts = facts_of(NEST, "typescript")
    (cls,) = facts.classes
    assert [render(facts, value) for value in cls.decorators] == ["Controller()"]
    assert NEST[cls.start :].startswith("export class") or NEST[cls.start :].startswith("class Cats")
    members = {name: render(facts, value) for name, value in zip(cls.names, cls.members, strict=True)}
    assert members == {
        "log": "new Logger()",
        "foo": "instance of <./foo>.Foo",
        "count": "?",
        "constructor": "function constructor",
        "svc": "svc",
        "other": "other",
        "find": "function find",
    }
    find = function_named(facts, "find")
    assert all(param.used for param in function_named(facts, "constructor").params[:2])
    assert not function_named(facts, "constructor").params[2].used
    assert [render(facts, value) for value in find.decorators] == ["Get()", "Roles()"]
    assert NEST[find.start :].startswith("async find")
    assert [render(facts, param.annotation) for param in find.params] == ["<./svc>.Dto", "none", "none"]
    assert [render(facts, value) for value in find.params[0].metadata] == ["Body()"]
    constructor = function_named(facts, "constructor")
    assert [render(facts, value) for value in constructor.params[1].metadata] == ["Inject()"]
    decorating = {render(facts, call.callee) for call in facts.calls if call.use is Use.DECORATOR}
    assert decorating == {"Controller", "Column", "Inject", "Get", "Roles", "Body", "Param"}
    assert render(facts, find.result) == "<./svc>.Dto"
    assert "this Cats.svc.find" in {render(facts, call.callee) for call in facts.calls}


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("Foo", "class Foo"),
        ("Foo | null", "class Foo"),
        ("null | Foo | undefined", "class Foo"),
        ("(Foo)", "class Foo"),
        ("readonly Foo", "class Foo"),
        ("Model<Foo>", "<m>.Model"),
        ("Promise<Foo>", "Promise"),
        ("ns.Foo", "<n>.Foo"),
        ("string", "none"),
        ("Foo[]", "none"),
        ("Foo | Bar", "none"),
        ("{a: Foo}", "none"),
        ("() => Foo", "none"),
        ("'x'", "none"),
        ("I", "class I"),
        ("T", "none"),
        ("typeof x", "none"),
    ],
)
def test_declared_types(declared: str, expected: str) -> None:
    """A reference to a class, an interface or an import; nothing for other types."""
    names = "import {Model} from 'm'; import * as ns from 'n'; class Foo {} interface I {}"
    facts = facts_of(f"{names} function f<T>(x: {declared}) {{}}", "typescript")
    assert render(facts, function_named(facts, "f").params[0].annotation) == expected


def test_the_declared_type_of_a_variable() -> None:
    """With or without a value."""
    facts = facts_of("let a: A; const b: B = f(); let c: string = 'x'", "typescript")
    assert {b.name: render(facts, b.annotation) for b in facts.bindings} == {"a": "A", "b": "B", "c": "none"}


def test_a_this_parameter_is_no_parameter() -> None:
    """TypeScript's `this: T` takes no argument."""
    facts = facts_of("function f(this: Foo, a: string) {}", "typescript")
    assert [param.name for param in facts.functions[1].params] == ["a"]


def test_other_typescript() -> None:
    """Enums, namespaces, overloads, ambient declarations."""
    code = (
        "enum E {A = 'a', B = g()} namespace N { export const x = h() } declare module 'm' { const y: string }"
        "function f(a: string): void; function f(a: any) { k() } declare function d(): void; f(E.A);"
        "import S = N.x; S()"
    )
    facts = facts_of(code, "typescript")
    assert not facts.problems
    assert calls_of(code, "typescript") == ["g()", "h()", "k()", "function f(E.A)", "S()"]
    assert {b.name: [render(facts, v) for v in b.values] for b in facts.bindings if b.name in "ES"} == {
        "E": ["{A: 'a', B: g()}"],
        "S": ["N.x"],
    }


# Calls


@pytest.mark.parametrize(
    ("code", "uses"),
    [
        ("f()", {"f": "STATEMENT"}),
        ("(f())", {"f": "STATEMENT"}),
        ("async () => { await f() }", {"f": "AWAITED"}),
        ("function g() { return f() }", {"f": "RETURNED"}),
        ("() => f()", {"f": "RETURNED"}),
        ("() => { f() }", {"f": "STATEMENT"}),
        ("() => ({a: f()})", {"f": "RETURNED"}),
        ("const x = f()", {"f": "ASSIGNED x"}),
        ("let x; x = f()", {"f": "ASSIGNED x"}),
        ("o.x = f()", {"f": "ASSIGNED"}),
        ("x = [f(), {a: h()}]", {"f": "ASSIGNED", "h": "ASSIGNED"}),
        ("const {x} = f()", {"f": "ASSIGNED"}),
        ("class A { x = f() }", {"f": "ASSIGNED"}),
        ("g(f())", {"g": "STATEMENT", "f": "ARGUMENT g"}),
        ("new G(f())", {"G": "STATEMENT", "f": "ARGUMENT G"}),
        ("await Promise.all([f(), h()])", {"all": "AWAITED", "f": "ARGUMENT all", "h": "ARGUMENT all"}),
        ("g({a: [f()]})", {"g": "STATEMENT", "f": "ARGUMENT g"}),
        ("f().then(g)", {"then": "STATEMENT", "f": "RECEIVER then"}),
        ("f()['then'](g)", {"'then'": "STATEMENT", "f": "RECEIVER 'then'"}),
        ("f().x", {"f": "OTHER"}),
        ("f().x.g()", {"g": "STATEMENT", "f": "OTHER"}),
        ("f()(1)", {"f()": "STATEMENT", "f": "CALLEE f()"}),
        ("void f()", {"f": "VOIDED"}),
        ("if (f()) {}", {"f": "CONDITION"}),
        ("while (!f()) {}", {"f": "CONDITION"}),
        ("for (f(); g(); h()) {}", {"f": "STATEMENT", "g": "CONDITION", "h": "STATEMENT"}),
        ("f() && g()", {"f": "TESTED", "g": "STATEMENT"}),
        ("x = f() || g()", {"f": "ASSIGNED", "g": "ASSIGNED"}),
        ("await (a ? f() : g())", {"f": "AWAITED", "g": "AWAITED"}),
        ("await (f())", {"f": "AWAITED"}),
        ("async () => { await (await import('m')).f() }", {"f": "AWAITED", "import": "AWAITED"}),
        ("await (0, o.f)()", {"f": "AWAITED"}),
        ("await (f()).g().h()", {"h": "AWAITED", "g": "RECEIVER h", "f": "RECEIVER g"}),
        ("awaiter(f())", {"awaiter": "STATEMENT", "f": "ARGUMENT awaiter"}),
        ("f() ? g() : h()", {"f": "CONDITION", "g": "STATEMENT", "h": "STATEMENT"}),
        ("f(), g()", {"f": "STATEMENT", "g": "STATEMENT"}),
        ("x = (f(), g())", {"f": "STATEMENT", "g": "ASSIGNED"}),
        ("for (const x of f()) {}", {"f": "ITERATED"}),
        ("for await (const x of f()) {}", {"f": "ITERATED"}),
        ("g(...f())", {"g": "STATEMENT", "f": "ITERATED"}),
        ("function* g() { yield f() }", {"f": "YIELDED"}),
        ("`${f()}`", {"f": "OTHER"}),
        ("f() + 1", {"f": "OTHER"}),
        ("throw f()", {"f": "OTHER"}),
        ("switch (f()) {}", {"f": "CONDITION"}),
        ("x ||= f()", {"f": "ASSIGNED"}),
        ("export default f()", {"f": "ASSIGNED"}),
        ("<A b={f()}/>", {"f": "OTHER"}),
    ],
)
def test_what_becomes_of_a_result(code: str, uses: dict[str, str]) -> None:
    """`use` and `user` of each call."""
    assert uses_of(code) == uses


def test_the_spans_of_a_call() -> None:
    """The whole, the name, the parenthesis and each argument."""
    code = "/* é */ await a.b(c, ...d)"
    data = code.encode()
    (call,) = facts_of(code).calls
    assert data[call.start : call.end] == b"a.b(c, ...d)"
    assert data[call.name_start : call.name_end] == b"b"
    assert data[call.args_start :].startswith(b"(c")
    spans = zip(call.arg_spans[::2], call.arg_spans[1::2], strict=True)
    assert [data[start:end] for start, end in spans] == [b"c", b"...d"]


def test_await_is_no_part_of_a_call() -> None:
    """Not even where the grammar takes it for a function."""
    code = "await (0, a.f)(await (g()).h())"
    facts = facts_of(code)
    assert [code[call.start : call.end] for call in facts.calls] == [
        "(0, a.f)(await (g()).h())",
        "(g()).h()",
        "g()",
    ]


@pytest.mark.parametrize(
    ("code", "kind", "expected"),
    [
        ("f?.()", "javascript", True),
        ("a?.f()", "javascript", True),
        ("f?.()", "typescript", True),
        ("a?.f()", "typescript", True),
        ("f<T>()", "typescript", False),
        ("a.f(b?.c)", "javascript", False),
    ],
)
def test_optional_calls(code: str, kind: str, expected: bool) -> None:
    """`?.` before the parenthesis or before the name."""
    assert facts_of(code, kind).calls[0].is_optional is expected


def test_new_without_parentheses() -> None:
    """There is no offset of arguments then."""
    (call,) = facts_of("new A").calls
    assert call.is_new and call.args_start == NONE


# Regions


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("f()", ""),
        ("if (a) { f() } else {}", "THEN a"),
        ("if (a) f()", "THEN a"),
        ("if (a) {} else f()", "ELSE a"),
        ("if (a) {} else if (b) f()", "ELSE a > THEN b"),
        ("a && f()", "THEN a"),
        ("a || f()", "ELSE a"),
        ("a ?? f()", "ELSE a"),
        ("x ||= f()", "ELSE x"),
        ("o.x ??= f()", "ELSE o.x"),
        ("a ? f() : b", "THEN a"),
        ("a ? b : f()", "ELSE a"),
        ("while (a) f()", "LOOP"),
        ("while (f()) {}", "LOOP"),
        ("do { f() } while (a)", "LOOP"),
        ("for (const x of xs) { f() }", "LOOP xs"),
        ("for (const x of f()) {}", ""),
        ("for (const x in xs) f()", "LOOP xs"),
        ("for (;;) f()", "LOOP"),
        ("for (f();;) {}", ""),
        ("for (; f();) {}", "LOOP"),
        ("for (;; f()) {}", "LOOP"),
        ("try { f() } finally {}", "TRY"),
        ("try {} catch (e) { f() }", "CATCH"),
        ("try {} catch { f() } finally {}", "CATCH"),
        ("try {} finally { f() }", "FINALLY"),
        ("switch (a) { case 1: f() }", "CASE a 1"),
        ("switch (a) { default: f() }", "CASE a"),
        ("class A { x = f() }", "CLASS"),
        ("if (a) { for (;;) { try { f() } catch {} } }", "THEN a > LOOP > TRY"),
        ("label: { f() }", ""),
    ],
)
def test_regions(code: str, expected: str) -> None:
    """Where a call stands."""
    assert nesting(code) == expected


def test_branches_and_handlers_know_their_partners() -> None:
    """THEN and ELSE name the first of them, CATCH and FINALLY their TRY."""
    facts = facts_of("if (a) {} else {} try {} catch {} finally {}")
    _, then, otherwise, guarded, catch, last = facts.regions
    assert then.partner == otherwise.partner == 1
    assert guarded.partner == NONE and catch.partner == last.partner == 3


@pytest.mark.parametrize(
    ("handler", "param", "uses_param", "has_comment", "is_empty"),
    [
        ("catch {}", "", False, False, True),
        ("catch (e) {}", "e", False, False, True),
        ("catch (e) { /* why */ }", "e", False, True, True),
        ("catch (e) { log(e) }", "e", True, False, False),
        ("catch (e) { e = 1 }", "e", False, False, False),
        ("catch (e) { f('http://x') }", "e", False, False, False),
        ("catch (e) { if (x) { // why\n } }", "e", False, True, False),
        ("catch ({code}) { f(code) }", "", True, False, False),
    ],
)
def test_catch(handler: str, param: str, uses_param: bool, has_comment: bool, is_empty: bool) -> None:
    """What is known of a handler."""
    facts = facts_of(f"try {{}} {handler}")
    (catch,) = [region for region in facts.regions if region.kind is RegionKind.CATCH]
    assert (catch.param, catch.uses_param, catch.has_comment, catch.is_empty) == (
        param,
        uses_param,
        has_comment,
        is_empty,
    )


def test_for_await_is_flagged() -> None:
    """Its loop suspends the function."""
    facts = facts_of("for await (const x of xs) {} for (const x of xs) {}")
    assert [region.flag for region in facts.regions if region.kind is RegionKind.LOOP] == [1, 0]


# Stores, exits, reads of the environment


@pytest.mark.parametrize(
    ("code", "stores"),
    [
        ("a.b = c", ["a.b = c"]),
        ("a['b'] = c", ["a.b = c"]),
        ("a[b] = c", ["a. = c"]),
        ("a.b.c += d", ["a.b.c += d"]),
        ("a.b ||= d", ["a.b ||= d"]),
        ("a.b++; --a.c", ["a.b ++ none", "a.c -- none"]),
        ("delete a.b", ["a.b del none"]),
        ("[a.b, {c: d.e}] = f", ["a.b = each of f", "d.e = each of f.c"]),
        ("({x: a.b, ...a.c} = f)", ["a.b = f.x", "a.c = f"]),
        ("process.env.X = 'y'", ["process.env.X = 'y'"]),
        ("for (a.b of c) {}", ["a.b = each of c"]),
    ],
)
def test_stores(code: str, stores: list[str]) -> None:
    """Every way to write to a member."""
    facts = facts_of(code)
    written = [f"{render(facts, s.target)}.{s.name} {s.op} {render(facts, s.value)}" for s in facts.stores]
    assert written == stores


def test_exits() -> None:
    """Every way out, with its value."""
    facts = facts_of(
        "function g() { if (a) return; return b } function h() { throw new E() } function* i() { yield c }"
        "const j = () => d; for (;;) { if (e) break; continue }"
    )
    assert [(exit_.kind, render(facts, exit_.value)) for exit_ in facts.exits] == [
        (ExitKind.RETURN, "none"),
        (ExitKind.RETURN, "b"),
        (ExitKind.THROW, "new E()"),
        (ExitKind.YIELD, "c"),
        (ExitKind.RETURN, "d"),
        (ExitKind.BREAK, "none"),
        (ExitKind.CONTINUE, "none"),
    ]


@pytest.mark.parametrize(
    ("code", "accesses"),
    [
        ("process.env.X", ["process.env.X"]),
        ("process.env['X']", ["process.env.X"]),
        ("const {X, Y: z = 1} = process.env", ["process.env.X", "process.env.Y"]),
        ("const {env} = process; env.X", ["env.X"]),
        ("const env = process.env; env.X", ["env.X"]),
        ("import {env} from 'node:process'; env.X", ["<node:process>.env.X"]),
        ("import process from 'process'; process.env.X", ["<process>.default.env.X"]),
        ("process.env.X.split(',')", ["process.env.X"]),
        ("process.env.X = 1", []),
        ("process.argv; env.X", []),
        ("function g(process) { process.env.X }", []),
    ],
)
def test_reads_of_the_environment(code: str, accesses: list[str]) -> None:
    """However the environment is reached; writes are stores."""
    facts = facts_of(code)
    assert [render(facts, access.value) for access in facts.accesses] == accesses


# The file


def test_directives() -> None:
    """Ignore comments of all forms, and nothing that merely resembles one."""
    code = (
        "f() // prodlint: ignore[a, b] because\n"
        "/* prodlint: ignore[c] */\n"
        "g('prodlint: ignore[x]')\n"
        "// prodlint: ignore-file\n"
        "x = <A>{/* prodlint: ignore[d] */}</A>\n"
    )
    found = [(d.rules, d.reason, d.line, d.own_line) for d in facts_of(code).directives]
    assert found == [
        (["a", "b"], "because", 1, False),
        (["c"], "", 3, True),
        ([], "", 0, True),
        (["d"], "", 5, False),
    ]


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("// prodlint: ignore", ([], "")),
        ("//prodlint:ignore[a]", (["a"], "")),
        ("// prodlint: ignore[a , b,] -- why: so", (["a", "b"], "why: so")),
        ("// eslint-disable-line prodlint: ignore[a]", (["a"], "")),
        ("/**\n * prodlint: ignore[a] why\n */", (["a"], "why")),
        ("// prodlint: ignore [a] why", (["a"], "why")),
        ("// prodlint: ignored", None),
        ("// prodlint: ignore[a", None),
        ("// prodlint: ignore[]", None),
        ("// prodlint: ignore-files", None),
        ("// `prodlint: ignore[a]` is how", None),
        ("// myprodlint: ignore[a]", None),
        ("// prodlint: fine", None),
    ],
)
def test_the_form_of_a_directive(comment: str, expected: tuple[list[str], str] | None) -> None:
    """What is almost one ignores nothing."""
    found = [(directive.rules, directive.reason) for directive in facts_of(f"f()\n{comment}\n").directives]
    assert found == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("f() // prodlint: ignore", 1),
        ("// prodlint: ignore\nf()", 2),
        ("\n  /* prodlint:\n  ignore */\nf()", None),
        ("/* prodlint: ignore\n because */\nf()", 3),
        ("/* prodlint: ignore */ f()", 1),
        ("f( /* prodlint: ignore */\n)", 1),
        ("x = <A>\n  {/* prodlint: ignore */}\n</A>", 3),
        ("\ufeff// prodlint: ignore\r\nf()", 2),
    ],
)
def test_the_line_of_a_directive(code: str, line: int | None) -> None:
    """Its own, or the next one where the comment stands alone."""
    assert [directive.line for directive in facts_of(code).directives] == ([] if line is None else [line])


def test_a_shebang_and_lines() -> None:
    """The first line, and where each line starts."""
    facts = facts_of("#!/usr/bin/env node\r\nf()\n\ng()")
    assert facts.shebang == "#!/usr/bin/env node"
    assert facts.line_starts == [0, 21, 25, 26]
    assert len(facts.calls) == 2 and not facts.problems


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf", "/* ü€😀 */".encode(), b"\r\n\r\n"])
def test_offsets_are_those_of_the_file(prefix: bytes) -> None:
    """A byte order mark, CRLF and other alphabets move nothing."""
    data = prefix + "const é = 'ü';\r\nfoo.bär(é, x)".encode()
    facts = facts_of(data)
    assert not facts.problems
    (call,) = facts.calls
    assert data[call.start : call.end] == "foo.bär(é, x)".encode()
    assert data[call.name_start : call.name_end] == "bär".encode()
    assert render(facts, call.callee) == "foo.bär" and render(facts, call.args[0]) == "é"


def test_invalid_utf8() -> None:
    """Bytes that are no text become replacement characters."""
    facts = facts_of(b"f('a\xffb'); g(x)")
    assert {render(facts, call.callee) for call in facts.calls} >= {"g"}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("f(); if (", "syntax error"),
        ("f(); let = = 3; g()", "syntax error near"),
        ("f(); <<<<<<< HEAD\ng()\n=======\nh()\n>>>>>>> x\n", "syntax error near"),
        ("f(); {", "missing `}`"),
    ],
)
def test_broken_code(code: str, message: str) -> None:
    """The problem is named and the sound parts still give facts."""
    facts = facts_of(code)
    assert message in facts.problems[0].message
    assert "f" in {render(facts, call.callee) for call in facts.calls}


def test_types_of_flow() -> None:
    """JavaScript with types in it is read as if a type checker had taken them out; real mistakes are still seen."""
    code = """
        // @flow
        import type { Request } from 'express';
        export type Page = { name: string, size?: number };
        class Pages { pages: Array<Page>; find(name: ?string): ?Page { return find(this.pages, name); } }
        export const show = (req: Request, count: number = 1): Promise<Page> => load(req, count);
    """
    facts = facts_of(code)
    assert not facts.problems and facts.kind == "javascript"
    assert [render(facts, call.callee) for call in facts.calls] == ["find", "load"]
    assert {unbound.name for unbound in facts.unbound} == {"find", "load"}
    assert facts_of(code + "; let = = 3").problems


def test_problems_are_few() -> None:
    """A file that is no JavaScript at all does not flood the output."""
    assert 0 < len(facts_of("@ # % \n) } ; " * 500).problems) <= 20


@pytest.mark.parametrize("code", ["", "\n", "// nothing", "\0", "'use strict'"])
def test_files_with_nothing_in_them(code: str) -> None:
    """There is always the module."""
    facts = facts_of(code)
    assert [function.kind for function in facts.functions] == [FunctionKind.MODULE]
    assert facts.regions[0].function == 0 and not facts.calls


@pytest.mark.parametrize(
    "code",
    [
        "[" * 10_000,
        "(" * 10_000 + ")" * 10_000,
        "{" * 5_000 + "f()" + "}" * 5_000,
        "f(" * 5_000 + ")" * 5_000,
        "f" + ".g()" * 5_000,
        "a" + " + b()" * 5_000,
        "a" + " || b()" * 5_000,
        "const " + "[" * 3_000 + "x" + "]" * 3_000 + " = y",
        "({" + "a: {" * 3_000 + "}" * 3_000 + "}) => 1",
        "x = " + "() => " * 3_000 + "f()",
        "!" * 5_000 + "f()",
        "if (a) f(); else " * 3_000 + "g()",
        "x = " + "a ? b : " * 3_000 + "f()",
        "x" + " = y" * 3_000,
        "class A { m() { " * 1_000 + "f()" + "}}" * 1_000,
        "`${" * 2_000 + "f()" + "}`" * 2_000,
        "<A>" * 2_000 + "</A>" * 2_000,
    ],
    ids=lambda code: code[:16],
)
@pytest.mark.parametrize("kind", ["javascript", "tsx"])
def test_deep_nesting(code: str, kind: str) -> None:
    """No nesting exhausts the stack, and the calls in it are still found."""
    facts = facts_of(code, kind)
    if not facts.problems:
        assert len(facts.calls) == len(re.findall(r"\b[fgb]\(", code))


def test_deep_types() -> None:
    """Declared types nest, too."""
    code = f"let x: {'(' * 3000}A{')' * 3000}; let y: {' | '.join(['B'] * 2000)}; let z: {'P<' * 500}A{'>' * 500}"
    assert facts_of(code, "typescript").bindings[0].name == "x"


SAMPLE = (
    NEST
    + """
import express, {Router as R} from 'express';
const {promises: fs, existsSync = () => true} = require('fs');
export const app = express();
app.get('/:id', async (req, res, next) => {
  try { for await (const line of read(req.params.id)) res.write(`${line}\\n`) }
  catch (e) { next(e) } finally { res.end() }
});
function* gen({a, b: [c] = []}, ...rest) { yield a?.b ?? c; switch (a) { case 1: return x++; default: delete a.b } }
label: for (let i = 0; i < 10; i++) { if (i) continue label; else break }
export default class extends Foo { static #x = 1; static { init() } get y() { return super.y } }
module.exports = {gen, ...require('./other')};
"""
).encode()


@settings(max_examples=150)
@given(
    end=st.integers(0, len(SAMPLE)),
    flips=st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), max_size=6),
    kind=st.sampled_from(["javascript", "typescript", "tsx"]),
)
def test_nothing_raises(end: int, flips: list[tuple[int, int]], kind: str) -> None:
    """Cut anywhere, with any bytes changed, every index in the facts still points at something."""
    data = bytearray(SAMPLE)
    for position, byte in flips:
        data[position] = byte
    facts = facts_of(bytes(data[:end]), kind)
    for value in facts.values:
        limit = {
            ValueKind.CALL: len(facts.calls),
            ValueKind.FUNCTION: len(facts.functions),
            ValueKind.PARAM: len(facts.functions),
            ValueKind.CLASS: len(facts.classes),
            ValueKind.BINDING: len(facts.bindings),
            ValueKind.CATCH: len(facts.regions),
        }.get(value.kind, len(facts.values))
        assert NONE <= value.ref < limit
    for call in facts.calls:
        assert 0 <= call.callee < len(facts.values) and 0 <= call.region < len(facts.regions)
        assert 0 <= call.name_start <= call.name_end <= end
    for function in facts.functions:
        assert facts.regions[function.region].kind is RegionKind.BODY


def test_interfaces_and_what_implements_them() -> None:
    """An interface is a class that nobody constructs, with its properties of known types; several of one name are one."""
    code = """
        interface I extends Base<string> { svc: Svc; count: number; run(): void }
        interface I { other: Svc }
        class Svc implements I, Api.J {}
        abstract class A implements K {}
    """
    facts = facts_of(code, "typescript")
    classes = {cls.name: cls for cls in facts.classes}
    assert list(classes) == ["I", "Svc", "A"]
    interface = classes["I"]
    assert [render(facts, base) for base in interface.bases] == ["Base"]
    assert dict(zip(interface.names, (render(facts, value) for value in interface.members), strict=True)) == {
        "svc": "instance of class Svc",
        "other": "instance of class Svc",
    }
    assert [cls.is_abstract for cls in facts.classes] == [True, False, True]
    assert [render(facts, value) for value in classes["Svc"].implements] == ["class I", "Api.J"]


NEWER = [
    ("javascript", "export { x } from './b.js' with { type: 'json' }; f()"),
    ("javascript", "export * as ns from './b.js' with {\n type: 'json',\n}; f()"),
    ("javascript", "import a from './b.json' assert { type: 'json' }; f()"),
    ("javascript", "const a = await import('./b.json', { with: { type: 'json' } }); f()"),
    ("javascript", "class A { @dec accessor x = f(); static accessor #y = 1; accessor = 2; accessor; accessor() {} }"),
    ("javascript", "import defer * as ns from './x.js'; ns.y; f()"),
    ("javascript", "import source mod from './x.wasm'; f(mod)"),
    ("javascript", "const m = await import.source('./y.wasm'), n = await import.defer('./z.js'); f()"),
    ("javascript", "String.raw`\\unicode and \\xerxes`; f()"),
    ("javascript", "{ using a = f(); await using b = g(); for (using x of xs) {} }"),
    ("javascript", "const r = /[\\p{L}--[a-z]]/v, s = /(?i:a)/, t = /(?<y>a)|(?<y>b)/; f()"),
    ("javascript", "import { 'a-b' as c } from './d.js'; export { c as 'd e' }; f()"),
    ("javascript", "<!-- start\nf()\n--> end\n"),
    ("javascript", "#!/usr/bin/env node\nf()"),
    ("javascript", "const a = <svg:rect xlink:href='x' />; f()"),
    ("typescript", "class A<in out T> {} interface B<out T, in U> {} f()"),
    ("typescript", "export type * from './y'; export type * as Z from './z'; f()"),
    ("typescript", "type H = import('./x').Y<string, Map<a, b>>; f()"),
    ("typescript", "abstract class A { abstract accessor x: number; static accessor y: number = f() }"),
    ("typescript", "for (using x of f()) {} for await (await using y of ys) {}"),
    ("typescript", "export * as ns from './b.js' with { type: 'json' }; f()"),
    ("typescript", "import type { T } from './t' with { 'resolution-mode': 'import' }; f()"),
    ("typescript", "import defer * as ns from './x.js'; f()"),
    ("typescript", "const a = { b: 1 } satisfies R; function g<const T>(x: T) {} const c = x as const; f()"),
    ("typescript", "import fs = require('fs'); import A = B.C; export import E = F.G; f()"),
    ("typescript", "type C = abstract new (...args: any[]) => object; type T = `on${Capitalize<string>}`; f()"),
    ("typescript", "declare const enum B { X } const enum A { Y = 'a' } f()"),
    ("tsx", "const g = <T,>(x: T) => x; const a = <Foo<string> x='1' />; f()"),
]


@pytest.mark.parametrize(("kind", "code"), NEWER)
def test_todays_syntax_is_no_error(kind: str, code: str) -> None:
    """Neither is it said to be one, nor is what stands around it lost."""
    facts = facts_of(code, kind)
    assert facts.problems == []
    assert "f" in {render(facts, call.callee) for call in facts.calls}


def test_newer_syntax_keeps_offsets_and_names() -> None:
    """What is put in its place is as long."""
    code = "export { x } from './b.js' with { type: 'json' };\nclass A { @dec accessor name = load(1) }"
    facts = facts_of(code, "javascript")
    (call,) = [call for call in facts.calls if render(facts, call.callee) == "load"]
    assert code[call.start : call.end] == "load(1)"
    assert [cls.names for cls in facts.classes] == [["name"]]


def test_what_is_broken_stays_broken() -> None:
    """And is named where it is."""
    facts = facts_of("accessor accessor x = ;\nf()", "javascript")
    assert facts.problems
    assert "f" in {render(facts, call.callee) for call in facts.calls}
