"""Which names a file uses and does not bind: each form of binding, and the same form with the name misspelt."""

from __future__ import annotations

import pytest

from prodlint.extract.extraction import extract
from prodlint.facts import NameUse

JAVASCRIPT = {
    "var": "var BOUND; name;",
    "let, read in a function above": "function f() { return name; } let BOUND = 1;",
    "const": "const BOUND = 1; name;",
    "function below": "name(); function BOUND() {}",
    "function in a block": "if (1) { function BOUND() {} } name();",
    "class": "class BOUND {} new name();",
    "parameter": "((BOUND) => name)();",
    "default of a parameter": "function f(BOUND, b = name) { return b; }",
    "rest": "function f(...BOUND) { return name; }",
    "object pattern": "const { a: BOUND } = {}; name;",
    "shorthand pattern": "const { BOUND } = {}; name;",
    "pattern with a default": "const { BOUND = 1 } = {}; name;",
    "nested pattern": "const [{ a: [BOUND] }] = []; name;",
    "rest of a pattern": "const { a, ...BOUND } = {}; name;",
    "loop": "for (const BOUND of []) name;",
    "catch": "try {} catch (BOUND) { name; }",
    "named function expression": "(function BOUND() { name; })();",
    "import": "import BOUND from 'x'; name;",
    "named import": "import { a as BOUND } from 'x'; name;",
    "namespace import": "import * as BOUND from 'x'; name;",
    "template string": "const BOUND = 1; `${name}`;",
    "shorthand property": "const BOUND = 1; ({ name });",
    "component": "const BOUND = 1; <name.a />;",
    "tagged template": "const BOUND = 1; name`x`;",
    "using": "using BOUND = f; name;",
}
TYPESCRIPT = {
    "overloads": "function BOUND(a: string): void; function BOUND(a: any) {} name('');",
    "declared variable": "declare const BOUND: string; name;",
    "declared function": "declare function BOUND(): void; name();",
    "enum": "enum BOUND { A } name.A;",
    "namespace": "namespace BOUND { export const a = 1 } name.a;",
    "import equals": "import BOUND = require('x'); name;",
    "import alias": "declare const A: any; import BOUND = A.b; name;",
    "abstract class": "abstract class BOUND { abstract m(): void } class B extends name {}",
    "parameter property": "class A { constructor(private BOUND: string) { name; } }",
    "decorator": "const BOUND = 1 as any; @name() class A {}",
    "satisfies": "const BOUND = 1; name satisfies number;",
    "using": "using BOUND = 1 as any; name;",
}
PYTHON = {
    "assignment": "BOUND = 1\nname",
    "below, read in a function": "def f(): return name\nBOUND = 1",
    "tuple": "a, (BOUND, b) = x = 1, (2, 3)\nname",
    "starred": "a, *BOUND = 1, 2\nname",
    "for": "for BOUND in []: name",
    "with": "with open('x') as BOUND: name",
    "except": "try: pass\nexcept OSError as BOUND: name",
    "except star": "try: pass\nexcept* OSError as BOUND: name",
    "import": "import BOUND.b\nname",
    "import as": "import a.b as BOUND\nname",
    "from import": "from a import BOUND\nname",
    "from import as": "from a import b as BOUND\nname",
    "def": "name\ndef BOUND(): pass",
    "class": "name\nclass BOUND: pass",
    "parameter": "def f(BOUND): return name",
    "keyword parameter": "def f(*, BOUND=1): return name",
    "star parameters": "def f(*a, **BOUND): return name",
    "lambda": "lambda BOUND: name",
    "comprehension": "[name for BOUND in []]",
    "condition of a comprehension": "[1 for BOUND in [] if name]",
    "walrus": "(BOUND := 1)\nname",
    "walrus in a comprehension": "[(BOUND := a) for a in []]\nname",
    "global": "def f():\n    global BOUND\n    BOUND = 1\nname",
    "nonlocal": "def f():\n    BOUND = 1\n    def g():\n        nonlocal BOUND\n        BOUND = 2\n    return name",
    "capture": "match 1:\n    case BOUND: name",
    "capture in a class pattern": "match 1:\n    case int(real=BOUND): name",
    "capture of the rest": "match 1:\n    case [1, *BOUND]: name",
    "mapping": "match 1:\n    case {'a': 1, **BOUND}: name",
    "as in a pattern": "match 1:\n    case [1] as BOUND: name",
    "class pattern": "BOUND = int\nmatch 1:\n    case name(): pass",
    "value pattern": "BOUND = int\nmatch 1:\n    case name.x: pass",
    "type parameter": "def f[BOUND](a: name): pass",
    "type parameter of a class": "class A[BOUND](list[name]): pass",
    "type alias": "type BOUND = int\nname",
    "annotated": "BOUND: int\nname",
    "augmented": "BOUND = 1\nBOUND += 1\nname",
    "del": "BOUND = 1\ndel BOUND\nname",
    "f-string": "BOUND = 1\na = f'{name!r:>{name}}'",
    "slice": "BOUND = 1\n[][name:2]",
    "class body, seen from it": "class A:\n    BOUND = 1\n    b = name",
    "decorator": "BOUND = 1\n@name\ndef f(): pass",
    "conditional": "if 1: BOUND = 1\nname",
    "in try": "try: import BOUND\nexcept ImportError: BOUND = None\nname",
    "assert": "BOUND = 1\nassert name, name",
    "while": "BOUND = 1\nwhile name: pass",
    "cause": "BOUND = 1\nraise ValueError from name",
    "metaclass": "BOUND = 1\nclass A(metaclass=name): pass",
    "return type": "BOUND = int\ndef f() -> name: pass",
}


def _read(source: str, kind: str) -> set[str]:
    facts = extract(source.encode(), kind, "file")
    assert not facts.problems, facts.problems
    return {fact.name for fact in facts.unbound for _, _, use in fact.uses() if use is NameUse.READ}


@pytest.mark.parametrize(
    ("kind", "template"),
    [
        pytest.param(kind, template, id=f"{kind}: {title}")
        for kind, cases in (("javascript", JAVASCRIPT), ("typescript", TYPESCRIPT), ("python", PYTHON))
        for title, template in cases.items()
    ],
)
def test_bound_and_misspelt(kind: str, template: str) -> None:
    assert "name" not in _read(template.replace("BOUND", "name"), kind)
    assert "name" in _read(template.replace("BOUND", "nmae"), kind)


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("javascript", "typeof name; typeof (name);"),
        ("javascript", "name: for (;;) break name;"),
        ("javascript", "({ name: 1 }).name; class A { name() {} }"),
        ("javascript", "const a = <name b={1}></name>;"),
        ("javascript", "with (a) { name; }"),
        ("typescript", "let a: name; type B = typeof name; let c = <name>1;"),
        ("typescript", "interface name {} export default name;"),
        ("typescript", "function f(a: unknown): a is name { return true; }"),
        ("typescript", "enum A { name = 1, b = name | 2 }"),
        ("typescript", "namespace A { export const b = name; }"),
        ("python", "try: name\nexcept NameError: pass"),
        ("python", "from __future__ import annotations\ndef f(a: name) -> name: b: name = 1"),
        ("python", "def f(): a: name = 1"),
        ("python", "def f(a: 'name'): pass"),
        ("python", "f(name=1).name; a.name = 1"),
        ("python", "name  # noqa"),
        ("python", "def f():\n    global name\n    return name"),
    ],
)
def test_no_read(kind: str, source: str) -> None:
    assert "name" not in _read(source, kind)


def test_a_class_is_not_around_its_methods_and_comprehensions() -> None:
    assert _read("class A:\n    name = 1\n    def f(self): return name", "python") == {"name"}
    assert _read("class A:\n    name = 1\n    a = [name for _ in ()]", "python") == {"name"}
    assert _read("class A:\n    name = ()\n    a = [_ for _ in name]", "python") == set()
    assert _read("class A:\n    name = int\n    def f[T](self, a: name): pass", "python") == set()


@pytest.mark.parametrize(
    ("source", "use"),
    [
        ("name = 1", NameUse.WRITE),
        ("[name] = a", NameUse.WRITE),
        ("export {}; name = 1", NameUse.STRICT_WRITE),
        ("'use strict'; name = 1", NameUse.STRICT_WRITE),
        ("function f() { 'use strict'; name = 1 }", NameUse.STRICT_WRITE),
        ("class A { f() { name = 1 } }", NameUse.STRICT_WRITE),
        ("name += 1", NameUse.READ),
    ],
)
def test_an_assignment_to_an_undeclared_name(source: str, use: NameUse) -> None:
    facts = extract(source.encode(), "javascript", "file")
    assert use in [use for fact in facts.unbound if fact.name == "name" for _, _, use in fact.uses()]
