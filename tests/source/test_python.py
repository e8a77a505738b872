"""Facts of Python files. Values are shown as text (`show`), so that a case can be read."""

from __future__ import annotations

from textwrap import dedent

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodlint.extract.source.python import extract
from prodlint.facts import (
    NONE,
    BindingKind,
    Call,
    ExitKind,
    FileFacts,
    FunctionKind,
    ImportKind,
    ParamKind,
    RegionKind,
    Use,
    ValueKind,
)


def facts_of(source: str) -> FileFacts:
    """Facts of `source`, as they come out of a cache."""
    facts = extract(dedent(source).lstrip("\n").encode())
    return msgspec.msgpack.decode(msgspec.msgpack.encode(facts), type=FileFacts)


def show(facts: FileFacts, index: int) -> str:
    """A value as text: `json.loads`, `$name` for a binding, `~name` for a global, `x[*]` for an element of x, `x[1]` for the second."""
    if index == NONE:
        return "-"
    value = facts.values[index]
    items = [show(facts, item) for item in value.items] if value.kind is not ValueKind.PARAM else []

    def ref() -> str:
        return show(facts, value.ref)

    match value.kind:
        case ValueKind.UNKNOWN:
            return "?"
        case ValueKind.IMPORT | ValueKind.NUMBER | ValueKind.BOOL:
            return value.text
        case ValueKind.MEMBER:
            return f"{ref()}.{value.text}".replace("..", ".") if ref() == "." else f"{ref()}.{value.text}"
        case ValueKind.CALL:
            return f"{show(facts, facts.calls[value.ref].callee)}()"
        case ValueKind.FUNCTION:
            return f"def {facts.functions[value.ref].name}".strip()
        case ValueKind.CLASS:
            return f"class {facts.classes[value.ref].name}"
        case ValueKind.PARAM:
            return f"{facts.functions[value.ref].name}({value.items[0]}:{value.text})"
        case ValueKind.SELF | ValueKind.SUPER:
            return f"{value.kind.name.lower()} {facts.classes[value.ref].name}"
        case ValueKind.BINDING:
            return f"${facts.bindings[value.ref].name}"
        case ValueKind.GLOBAL:
            return f"~{value.text}"
        case ValueKind.STRING:
            return repr(value.text)
        case ValueKind.NULL:
            return "null"
        case ValueKind.TEMPLATE:
            return f"template({value.text!r}, {', '.join(items)})"
        case ValueKind.OBJECT:
            return f"{{{', '.join(f'{n}: {i}' for n, i in zip(value.names, items, strict=True))}}}"
        case ValueKind.ARRAY:
            return f"[{', '.join(items)}]"
        case ValueKind.SPREAD:
            return f"*{ref()}"
        case ValueKind.AWAIT:
            return f"await {ref()}"
        case ValueKind.OP:
            return f"({value.text} {' '.join(items)})"
        case ValueKind.SUBSCRIPT:
            return f"{ref()}[{items[0]}]"
        case ValueKind.ELEMENT:
            return f"{ref()}[{value.text or '*'}]"
        case ValueKind.INSTANCE:
            return f"instance {ref()}"
        case ValueKind.YIELDED:
            return f"{'async ' if value.items[0] else ''}entered {ref()}"
        case ValueKind.CATCH:
            return f"caught {' '.join(show(facts, v) for v in facts.regions[value.ref].values)}".strip()


def calls_of(facts: FileFacts, name: str) -> list[Call]:
    """The calls whose callee's last name is `name`."""
    return [call for call in facts.calls if facts.values[call.callee].text == name]


def probed(source: str) -> list[str]:
    """The arguments of all calls of `probe` in `source`."""
    facts = facts_of(source)
    return [show(facts, argument) for call in calls_of(facts, "probe") for argument in call.args]


def binding(facts: FileFacts, name: str) -> list[str]:
    """The values of the variable `name`."""
    (found,) = [binding for binding in facts.bindings if binding.name == name]
    return [show(facts, value) for value in found.values]


def members(facts: FileFacts, cls: str) -> dict[str, str]:
    """The members of the class `cls`."""
    (found,) = [fact for fact in facts.classes if fact.name == cls]
    return {name: show(facts, value) for name, value in zip(found.names, found.members, strict=True)}


def path(facts: FileFacts, region: int) -> str:
    """The kinds of the regions around `region`, outermost first, with their values."""
    steps: list[str] = []
    while region != NONE:
        fact = facts.regions[region]
        values = " ".join(show(facts, value) for value in fact.values)
        steps.append(f"{fact.kind.name}{'*' if fact.flag else ''}{f'({values})' if values else ''}")
        region = fact.parent
    return " ".join(reversed(steps))


VALUES = [
    # imports
    ("import json\nprobe(json.loads)", "json.loads"),
    ("import os.path\nprobe(os.path.join)", "os.path.join"),
    ("import os.path\nimport os.abc\nprobe(os)", "os"),
    ("import a.b.c as m\nprobe(m.f)", "a.b.c.f"),
    ("import a as m\nprobe(m)", "a"),
    ("from a.b import c as d\nprobe(d)", "a.b.c"),
    ("from . import x\nprobe(x.y)", ".x.y"),
    ("from .crud import get\nprobe(get)", ".crud.get"),
    ("from ..a . b import (c, # why\n d)\nprobe(d)", "..a.b.d"),
    ("import importlib\nprobe(importlib.import_module('a.b'))", "a.b"),
    ("from importlib import import_module as im\nprobe(im(name))", "importlib.import_module()"),
    ("probe(__import__('a.b'))", "a"),
    # names
    ("probe(open)", "~open"),
    ("def f(): ...\nprobe(f)", "def f"),
    ("class C: ...\nprobe(C)", "class C"),
    ("x = 1\nprobe(x)", "$x"),
    ("probe(later)\ndef later(): ...", "def later"),
    ("def f(): ...\nf = wrap(f)\nprobe(f)", "$f"),
    ("try: import ujson as json\nexcept ImportError: import json\nprobe(json.loads)", "$json.loads"),
    ("import json\ndef f():\n  import json\n  probe(json)", "json"),
    ("def f(a, b): probe(b)", "f(1:b)"),
    ("def f(a):\n  a = a or 1\n  probe(a)", "$a"),
    ("def f(a):\n  def g(): probe(a)", "f(0:a)"),
    ("x = 1\ndef f():\n  probe(x)\n  global x", "$x"),
    ("x = open\ndef f():\n  x: int\n  def g(): probe(x)", "$x"),
    ("class C:\n  open = 1\n  def m(self): probe(open)", "~open"),
    ("class C:\n  a = 1\n  probe(a)", "$a"),
    ("class C:\n  a = 1\n  b = [probe(a) for _ in x]", "~a"),
    ("class C:\n  a = 1\n  b = [y for y in probe(a)]", "$a"),
    ("import x\ndel x\nprobe(x)", "x"),
    ("@typing.overload\ndef f(a): ...\n@overload\ndef f(): ...\ndef f(*a): ...\nprobe(f)", "def f"),
    ("type X = dict\nprobe(X)", "$X"),
    ("def f[T](a: T): probe(T)", "$T"),
    ("from typing import TypeVar as 変\nprobe(変)", "typing.TypeVar"),
    # self
    ("class C:\n  def m(self): probe(self.db.get)", "self C.db.get"),
    ("class C:\n  def m(self): return lambda: probe(self)", "self C"),
    ("class C:\n  @classmethod\n  def m(cls, a): probe(cls, a)", "self C", "m(0:a)"),
    ("class C:\n  @staticmethod\n  def m(a): probe(a)", "m(0:a)"),
    ("class C:\n  def m(*args): probe(args)", "m(0:args)"),
    ("class C:\n  def m(self): probe(super().m)", "super C.m"),
    ("class C:\n  def m(self):\n    self = wrap(self)\n    probe(self)", "$self"),
    ("class C:\n  if x:\n    def m(self): probe(self)", "self C"),
    # literals
    ("probe('a\\n\\x41\\u00e9\\101\\q', r'\\n', b'x', 'a' \"b\")", r"'a\nAéA\\q'", r"'\\n'", "'x'", "'ab'"),
    ("probe('''a\\\n'b''')", '''"a'b"'''),
    ("probe('x' * 3, -1, 1_0.5e3, not a)", "(* 'x' 3)", "-1", "1_0.5e3", "(! ~a)"),
    ("probe(True, False, None, ...)", "true", "false", "null", "?"),
    ("probe(f'a{{{b}c{d!r:>{w}}')", "template('a{', ~b, ~d)"),
    ("probe(f'plain', 'a' f'b{c}' 'd')", "'plain'", "template('ab', ~c)"),
    ("probe({'a': 1, b: 2, **c}, {})", "{a: 1, []: 2, ...: *~c}", "{}"),
    ("probe([1, *a], (2,), {3}, (4))", "[1, *~a]", "[2]", "[3]", "4"),
    ("probe([f(x) for x in xs], {k: 1 for k in x})", "[~f()]", "{[]: 1}"),
    ("probe(x for x in xs)", "[$x]"),
    # operators
    ("probe(a or b and c, a if b else c)", "(|| ~a (&& ~b ~c))", "(?: ~b ~a ~c)"),
    ("probe(a is not None, a not in b)", "(is not ~a null)", "(not in ~a ~b)"),
    ("probe(a < b <= c)", "(&& (< ~a ~b) (<= ~b ~c))"),
    ("probe('%s' % a, ~a, (b := 2))", "(% '%s' ~a)", "(~ ~a)", "2"),
    ("async def f(): probe(await g(), (await g()).x)", "await ~g()", "await ~g().x"),
    ("probe(a['k'], a[0], a[k])", "~a.k", "~a[0]", "~a[~k]"),
    ("probe(a[1:2], a[1, 2], a[f'{k}'])", "~a[?]", "~a[[1, 2]]", "~a[template('', ~k)]"),
    ("probe(getattr(a, 'b'), getattr(a, b))", "~a.b", "~getattr()"),
    ("probe(f().g.h(1)(2), [1].x)", "~f().g.h()()", "[1].x"),
    ("probe(lambda x: x)", "def"),
    ("probe([*f(x)], (1, *a.b[0].f()(1)))", "[*~f()]", "[1, *~a.b[0].f()()]"),
    ("probe(1, *a.f(), *b.c, *d)", "1", "*~a.f()", "*~b.c", "*~d"),
    ("probe(a.\\\n  b, (a\n  .c\n  .d))", "~a.b", "~a.c.d"),
    ("probe(\\\n  1, (\\\n 2 if \\\n a \\\n else # why\n 3))", "1", "(?: ~a 2 3)"),
    ("type(x).y = z\nprobe(x)", "~x"),
]


@pytest.mark.parametrize(("source", "expected"), [(case[0], list(case[1:])) for case in VALUES])
def test_values(source: str, expected: list[str]) -> None:
    assert probed(source) == expected


BINDINGS = [
    ("x = f()\nx = 2", "x", "~f()", "2"),
    ("a = x = f()", "x", "~f()"),
    ("x, y = f()", "x", "~f()[0]"),
    ("x, y = f(), g()", "y", "~g()"),
    ("x, y = z, *g()", "y", "[~z, *~g()][1]"),
    ("a, (x, b) = f(), (g(), h())", "x", "~g()"),
    ("a, (x, *y) = f()", "y", "~f()[1]"),
    ("x = 1\nx += 2", "x", "1", "(+ $x 2)"),
    ("x: int = 3", "x", "3"),
    ("x: int", "x"),
    ("for x in f(): pass", "x", "~f()[*]"),
    ("for i, x in f(): pass", "x", "~f()[*][1]"),
    ("with f() as x: pass", "x", "entered ~f()"),
    ("with (f() as x, g()): pass", "x", "entered ~f()"),
    ("with (f() as x): pass", "x", "entered ~f()"),
    ("with (yield) as x: pass", "x", "entered ?"),
    ("with f() if a else g() as x: pass", "x", "entered (?: ~a ~f() ~g())"),
    ("with (f() if a else g()) as x: pass", "x", "entered (?: ~a ~f() ~g())"),
    ("async def m():\n  async with f() as (x, y): pass", "y", "async entered ~f()[1]"),
    ("try: pass\nexcept (A, b.C) as x: pass", "x", "caught ~A ~b.C"),
    ("try: pass\nexcept* A as x: pass", "x", "caught ~A"),
    ("print((x := f()))", "x", "~f()"),
    ("[y for y in z if (x := f())]", "x", "~f()"),
    ("[x for x in y]", "x", "~y[*]"),
    ("def f():\n  x = 1\n  def g():\n    nonlocal x\n    x = 2", "x", "1", "2"),
    ("def f():\n  def g():\n    nonlocal x\n    x = 2\n  x = 1", "x", "2", "1"),
    ("x = 1\ndef f():\n  global x\n  x = g()", "x", "1", "~g()"),
    ("import x\nx = None", "x", "x", "null"),
    ("def f(x):\n  x = 1", "x", "f(0:x)", "1"),
    ("class C:\n  def m(s):\n    s = 1", "s", "self C", "1"),
    ("@overload\ndef x(): ...\n@overload\ndef x(a): ...", "x", "def x", "def x"),
    ("match f():\n  case x: pass", "x", "~f()"),
    ("match y:\n  case [1, *x]: pass", "x", "~y[*]"),
    ("match y:\n  case a.B(c=x): pass", "x", "~y[*]"),
    ("match y:\n  case a.B() as x: pass", "x", "instance ~a.B"),
    ("match y:\n  case 1 | 2 as x: pass", "x", "~y"),
    ("match y:\n  case {'k': x}: pass", "x", "~y[*]"),
    ("type x = int | None", "x", "~int"),
]


@pytest.mark.parametrize(("source", "name", "expected"), [(case[0], case[1], list(case[2:])) for case in BINDINGS])
def test_bindings(source: str, name: str, expected: list[str]) -> None:
    assert binding(facts_of(source), name) == expected


def test_binding_kinds_and_places() -> None:
    facts = facts_of("""
        import a
        a: "Client" = 1
        def f():
            for b in c: pass
            with d as e: pass
            try: pass
            except E as g: pass
    """)
    found = {binding.name: (binding.kind, binding.function, binding.start) for binding in facts.bindings}
    assert found == {
        "a": (BindingKind.IMPORT, 0, 7),
        "b": (BindingKind.OTHER, 1, 42),
        "e": (BindingKind.OTHER, 1, 69),
        "g": (BindingKind.CATCH, 1, 107),
    }
    assert [show(facts, binding.annotation) for binding in facts.bindings if binding.name == "a"] == ["~Client"]


IMPORTS = [
    ("import a.b", ImportKind.IMPORT, "a.b", [""], ["a"]),
    ("import a.b as m", ImportKind.IMPORT, "a.b", [""], ["m"]),
    ("from ..a import b as c, d", ImportKind.IMPORT, "..a", ["b", "d"], ["c", "d"]),
    ("from . import b", ImportKind.IMPORT, ".", ["b"], ["b"]),
    ("from m import *", ImportKind.IMPORT, "m", ["*"], ["*"]),
    ("from __future__ import annotations", ImportKind.IMPORT, "__future__", ["annotations"], ["annotations"]),
    ("if TYPE_CHECKING:\n  from a import b", ImportKind.TYPE, "a", ["b"], ["b"]),
    ("try: pass\nexcept ImportError:\n  import x", ImportKind.IMPORT, "x", [""], ["x"]),
    ("__import__('x.y')", ImportKind.DYNAMIC, "x.y", [""], [""]),
    ("__import__(name)", ImportKind.DYNAMIC, "", [""], [""]),
]


@pytest.mark.parametrize(("source", "kind", "module", "names", "local_names"), IMPORTS)
def test_imports(source: str, kind: ImportKind, module: str, names: list[str], local_names: list[str]) -> None:
    (fact,) = facts_of(source).imports
    assert (fact.kind, fact.module, fact.names, fact.locals) == (kind, module, names, local_names)


def test_import_places() -> None:
    facts = facts_of("""
        import typing
        import a, b
        if typing.TYPE_CHECKING:
            import c
        else:
            import d
        def f():
            import importlib
            importlib.import_module("e")
    """)
    assert [(fact.module, fact.kind.name, path(facts, fact.region)) for fact in facts.imports] == [
        ("typing", "IMPORT", "BODY"),
        ("a", "IMPORT", "BODY"),
        ("b", "IMPORT", "BODY"),
        ("c", "TYPE", "BODY THEN(typing.TYPE_CHECKING)"),
        ("d", "IMPORT", "BODY ELSE(typing.TYPE_CHECKING)"),
        ("importlib", "IMPORT", "BODY BODY"),
        ("e", "DYNAMIC", "BODY BODY"),
    ]


def test_exports() -> None:
    facts = facts_of("""
        import os.path
        from .a import b as c
        from .star import *
        _private = 1
        def f(): global made; made = 2; local = 3
        class C: field = 1
        if x:
            for i in y: pass
        try: pass
        except E as e: pass
    """)
    assert {fact.name: show(facts, fact.value) for fact in facts.exports} == {
        "os": "os",
        "c": ".a.b",
        "*": ".star",
        "_private": "$_private",
        "f": "def f",
        "made": "$made",
        "C": "class C",
        "i": "$i",
        "e": "$e",
    }


def test_functions() -> None:
    source = dedent("""
        def plain(): yield 1
        async def coroutine():
            def inner(): pass
            return lambda: 0
        class C:
            def __init__(self): pass
            def method(self): pass
            @property
            def prop(self): pass
            @prop.setter
            def prop(self, value): pass
            @functools.cached_property
            def cached(self): pass
            @staticmethod
            def static(a): pass
            @classmethod
            def made(cls): [(yield) for x in y]
    """)
    facts = facts_of(source)
    found = [
        (fact.name, fact.kind.name, fact.parent, fact.cls, fact.is_async, fact.is_generator, fact.is_static)
        for fact in facts.functions
    ]
    assert found == [
        ("", "MODULE", -1, -1, False, False, False),
        ("plain", "FUNCTION", 0, -1, False, True, False),
        ("coroutine", "FUNCTION", 0, -1, True, False, False),
        ("inner", "FUNCTION", 2, -1, False, False, False),
        ("", "EXPRESSION", 2, -1, False, False, False),
        ("__init__", "CONSTRUCTOR", 0, 0, False, False, False),
        ("method", "METHOD", 0, 0, False, False, False),
        ("prop", "ACCESSOR", 0, 0, False, False, False),
        ("prop", "ACCESSOR", 0, 0, False, False, False),
        ("cached", "ACCESSOR", 0, 0, False, False, False),
        ("static", "METHOD", 0, 0, False, False, True),
        ("made", "METHOD", 0, 0, False, True, False),
    ]
    text = source.lstrip("\n")
    assert [text[fact.name_start : fact.name_end] for fact in facts.functions[1:5]] == [
        "plain",
        "coroutine",
        "inner",
        "lambda",
    ]
    assert text[facts.functions[3].start : facts.functions[3].end] == "def inner(): pass"
    for index, fact in enumerate(facts.functions):
        body = facts.regions[fact.region]
        assert (body.kind, body.function) == (RegionKind.BODY, index)


def test_decorators() -> None:
    facts = facts_of("""
        @app.get("/")
        # a comment between
        @cached
        async def handler(): pass
        @register(lambda x: x)
        class C: pass
        def outer():
            if x:
                @app.get("/2")
                def inner(): pass
    """)
    assert [show(facts, value) for value in facts.functions[1].decorators] == ["~app.get()", "~cached"]
    assert [show(facts, value) for value in facts.classes[0].decorators] == ["~register()"]
    assert [(call.use.name, path(facts, call.region)) for call in facts.calls] == [
        ("DECORATOR", "BODY"),
        ("DECORATOR", "BODY"),
        ("DECORATOR", "BODY BODY THEN(~x)"),
    ]


PARAMS = [
    ("a", ParamKind.NORMAL, "-", "-"),
    ("a=1", ParamKind.NORMAL, "1", "-"),
    ("a: orm.Session = Depends(get_db)", ParamKind.NORMAL, "~Depends()", "~orm.Session"),
    ("a: Optional[T] = None", ParamKind.NORMAL, "null", "~T"),
    ("a: typing.Optional['pkg.T']", ParamKind.NORMAL, "-", "~pkg.T"),
    ("a: T | None", ParamKind.NORMAL, "-", "~T"),
    ("a: None | T | U", ParamKind.NORMAL, "-", "(|| ~T ~U)"),
    ("a: Union[T, None]", ParamKind.NORMAL, "-", "~T"),
    ("a: 'T'", ParamKind.NORMAL, "-", "~T"),
    ("a: 'T | None'", ParamKind.NORMAL, "-", "~T"),
    ("a: 'Optional[T]'", ParamKind.NORMAL, "-", "~T"),
    ("a: 'dict[str, T]'", ParamKind.NORMAL, "-", "?"),
    ("a: list[T]", ParamKind.NORMAL, "-", "~list[~T]"),
    ("a: m.Map[str, T]", ParamKind.NORMAL, "-", "~m.Map[[~str, ~T]]"),
    ("a: None", ParamKind.NORMAL, "-", "null"),
    ("*a: int", ParamKind.REST, "-", "~int"),
    ("**a", ParamKind.KEYWORDS, "-", "-"),
    ("*, a=2", ParamKind.KEYWORD_ONLY, "2", "-"),
]


@pytest.mark.parametrize(("source", "kind", "default", "annotation"), PARAMS)
def test_params(source: str, kind: ParamKind, default: str, annotation: str) -> None:
    facts = facts_of(f"def f({source}): pass")
    (param,) = facts.functions[1].params
    assert (param.name, param.kind, show(facts, param.default), show(facts, param.annotation)) == (
        "a",
        kind,
        default,
        annotation,
    )


def test_annotated_params() -> None:
    facts = facts_of("""
        from typing import Annotated
        def f(db: Annotated[Session | None, Depends(get), "doc"], g: Optional[Annotated[T, Header()]] = None): pass
    """)
    found = [
        (show(facts, param.annotation), [show(facts, value) for value in param.metadata])
        for param in facts.functions[1].params
    ]
    assert found == [("~Session", ["~Depends()", "'doc'"]), ("~T", ["~Header()"])]


def test_param_lists() -> None:
    facts = facts_of("""
        def a(x, /, y, *rest, z, **more): pass
        class C:
            def b(self: "C", x): pass
            def c(*, x): pass
            @staticmethod
            def d(x): pass
            @classmethod
            def e(cls, x): pass
        f = lambda x, *y, z=1: x
        def g((x, y), z): pass
    """)
    assert {fact.name: [param.name for param in fact.params] for fact in facts.functions[1:]} == {
        "a": ["x", "y", "rest", "z", "more"],
        "b": ["x"],
        "c": ["x"],
        "d": ["x"],
        "e": ["x"],
        "": ["x", "y", "z"],
        "g": ["", "z"],
    }
    assert [param.kind for param in facts.functions[1].params] == [
        ParamKind.NORMAL,
        ParamKind.NORMAL,
        ParamKind.REST,
        ParamKind.KEYWORD_ONLY,
        ParamKind.KEYWORDS,
    ]
    assert facts.functions[7].params[0].names == ["x", "y"]


@pytest.mark.parametrize(
    ("body", "used"),
    [
        ("return a", True),
        ("def g(): return a.b", True),
        ("f'{a}'", True),
        ("x[a] = 1", True),
        ("a.b = 1", True),
        ("a += 1", True),
        ("f(k=a)", True),
        ("x.a, 'a', aa, a_a  # a", False),
        ("a = 1", False),
        ("f(a=1)", False),
        ("x: int = 1", False),
        ("for a in b: pass", False),
        ("for b in a: pass", True),
        ("import a", False),
    ],
)
def test_used_params(body: str, used: bool) -> None:
    assert facts_of(f"def f(a):\n  {body}").functions[1].params[0].used is used


def test_classes() -> None:
    facts = facts_of("""
        class C(Base, mixins.M, metaclass=Meta):
            field = 1
            declared: Service
            optional: Service | None = None
            quoted: "ClassVar[Service]" = f()
            def __init__(self, db):
                self.db = db
                self.one, self.two = 1, get()
                self.typed: Client = None
                self.only: Client
                self.count += 1
            def later(self):
                self.db = connect()
                other.x = 1
                def helper(): self.nested = 2
            @property
            def prop(self): pass
            @prop.setter
            def prop(self, v): pass
            class Inner: pass
            from m import thing
    """)
    assert [show(facts, value) for value in facts.classes[0].bases] == ["~Base", "~mixins.M"]
    assert members(facts, "C") == {
        "field": "1",
        "declared": "instance ~Service",
        "optional": "(|| null instance ~Service)",
        "quoted": "~f()",
        "__init__": "def __init__",
        "later": "def later",
        "prop": "def prop",
        "Inner": "class Inner",
        "thing": "m.thing",
        "db": "(|| __init__(0:db) ~connect())",
        "one": "1",
        "two": "~get()",
        "typed": "(|| null instance ~Client)",
        "only": "instance ~Client",
        "nested": "2",
    }
    prop = dict(zip(facts.classes[0].names, facts.classes[0].members, strict=True))["prop"]
    assert facts.functions[facts.values[prop].ref].params == []


CALLS = [
    ("f(1, *a, k=2, **o)", ["1", "*~a", "2", "*~o"], ["k", "**"]),
    ("f(k=1, *a)", ["*~a", "1"], ["k"]),
    ("f(x for x in y)", ["[$x]"], []),
    ("f(\n  1,  # one\n  k=2,\n)", ["1", "2"], ["k"]),
    ("f()", [], []),
]


@pytest.mark.parametrize(("source", "args", "keywords"), CALLS)
def test_call_arguments(source: str, args: list[str], keywords: list[str]) -> None:
    facts = facts_of(source)
    (call,) = facts.calls
    assert [show(facts, value) for value in call.args] == args
    assert [*call.keywords] == keywords
    assert len(call.arg_spans) == 2 * len(args)
    assert source[call.args_start] == "("


def test_call_spans() -> None:
    source = "x = a . b (1, k = 2)(*c)"
    facts = facts_of(source)
    outer, inner = facts.calls
    assert source[outer.start : outer.end] == "a . b (1, k = 2)(*c)"
    assert source[outer.name_start : outer.name_end] == "a . b (1, k = 2)"
    assert source[inner.name_start : inner.name_end] == "b"
    assert source[inner.args_start : inner.end] == "(1, k = 2)"
    spans = [source[a:b] for a, b in zip(inner.arg_spans[::2], inner.arg_spans[1::2], strict=True)]
    assert spans == ["1", "k = 2"]
    assert [source[a:b] for a, b in [outer.arg_spans]] == ["*c"]


def test_starred_call_spans() -> None:
    source = "[*f(x)]"
    (call,) = facts_of(source).calls
    assert (source[call.start : call.end], source[call.name_start : call.name_end]) == ("f(x)", "f")


USES = [
    ("f()", Use.STATEMENT),
    ("a and f()", Use.STATEMENT),
    ("[f() for x in y]", Use.STATEMENT),
    ("x = f()", Use.ASSIGNED),
    ("x = (1, f())", Use.ASSIGNED),
    ("x = a if b else f()", Use.ASSIGNED),
    ("x = f() or 1", Use.ASSIGNED),
    ("x = f() and 1", Use.CONDITION),
    ("x.y = f()", Use.ASSIGNED),
    ("x += f()", Use.ASSIGNED),
    ("x = y = f()", Use.ASSIGNED),
    ("if (x := f()): pass", Use.ASSIGNED),
    ("g(f())", Use.ARGUMENT),
    ("g(k=f())", Use.ARGUMENT),
    ("g(*[f()])", Use.ARGUMENT),
    ("g(1, *f())", Use.ARGUMENT),
    ("g(1, *f().x())", Use.RECEIVER),
    ("g(*(f(x) for x in y))", Use.ARGUMENT),
    ("g(f(x) for x in y)", Use.ARGUMENT),
    ("g({'k': [f()]})", Use.ARGUMENT),
    ("g(x if y else f())", Use.ARGUMENT),
    ("g(f'{f()}')", Use.OTHER),
    ("g(f() + 1)", Use.OTHER),
    ("g(f()[0])", Use.OTHER),
    ("f().g()", Use.RECEIVER),
    ("(f() or x).g()", Use.RECEIVER),
    ("[f()].g()", Use.OTHER),
    ("f().a.g()", Use.OTHER),
    ("f()()", Use.CALLEE),
    ("async def m(): await f()", Use.AWAITED),
    ("async def m(): x = (await f()).y()", Use.AWAITED),
    ("async def m(): g(await f())", Use.AWAITED),
    ("def m(): return f()", Use.RETURNED),
    ("def m(): return [f(), 1]", Use.RETURNED),
    ("lambda: f()", Use.RETURNED),
    ("def m(): yield f()", Use.YIELDED),
    ("def m(): yield from f()", Use.YIELDED),
    ("if f(): pass", Use.CONDITION),
    ("if a and not f(): pass", Use.CONDITION),
    ("if a: pass\nelif f(): pass", Use.CONDITION),
    ("while f(): pass", Use.CONDITION),
    ("x = 1 if f() else 2", Use.CONDITION),
    ("[x for x in y if f()]", Use.CONDITION),
    ("assert f(), 'no'", Use.CONDITION),
    ("match x:\n  case 1 if f(): pass", Use.CONDITION),
    ("with f(): pass", Use.CONTEXT),
    ("with (a, f() as x): pass", Use.CONTEXT),
    ("with a if b else f() as x: pass", Use.CONTEXT),
    ("for x in f(): pass", Use.ITERATED),
    ("[x for x in f()]", Use.ITERATED),
    ("@f()\ndef g(): pass", Use.DECORATOR),
    ("def g(x=f()): pass", Use.OTHER),
    ("raise f()", Use.OTHER),
    ("class C(f()): pass", Use.OTHER),
]


@pytest.mark.parametrize(("source", "use"), USES)
def test_uses(source: str, use: Use) -> None:
    (call,) = calls_of(facts_of(source), "f")
    assert call.use is use


def test_users() -> None:
    facts = facts_of("x = f1()\ny, z = 1, f2()\nawait_all(f3())\nf4().then()")
    users = {facts.values[call.callee].text: call.user for call in facts.calls}
    assert facts.bindings[users["f1"]].name == "x"
    assert facts.bindings[users["f2"]].name == "z"
    assert facts.values[facts.calls[users["f3"]].callee].text == "await_all"
    assert facts.values[facts.calls[users["f4"]].callee].text == "then"


REGIONS = [
    ("f()", "BODY"),
    ("def g(): f()", "BODY BODY"),
    ("def g(a=f()): pass", "BODY"),
    ("lambda: f()", "BODY BODY"),
    ("lambda a=f(): 1", "BODY"),
    ("class C:\n  x = f()", "BODY CLASS"),
    ("class C(f()): pass", "BODY"),
    ("if f(): pass", "BODY"),
    ("if a: f()", "BODY THEN(~a)"),
    ("if a: pass\nelse: f()", "BODY ELSE(~a)"),
    ("if a: pass\nelif f(): pass", "BODY ELSE(~a)"),
    ("if a: pass\nelif b: f()", "BODY ELSE(~a) THEN(~b)"),
    ("if a: pass\nelif b: pass\nelse: f()", "BODY ELSE(~a) ELSE(~b)"),
    ("if a: pass\nelif b: pass\nelif c: pass\nelse: pass\nf()", "BODY"),
    ("f() if a else b", "BODY THEN(~a)"),
    ("a if b else f()", "BODY ELSE(~b)"),
    ("a if f() else b", "BODY"),
    ("a and f()", "BODY THEN(~a)"),
    ("a or f()", "BODY ELSE(~a)"),
    ("f() or a", "BODY"),
    ("for x in y: f()", "BODY LOOP(~y)"),
    ("for x in f(): pass", "BODY"),
    ("for x in y: pass\nelse: f()", "BODY ELSE"),
    ("async def g():\n  async for x in y: f()", "BODY BODY LOOP*(~y)"),
    ("while a: f()", "BODY LOOP"),
    ("while f(): pass", "BODY LOOP"),
    ("[f() for x in y]", "BODY LOOP(~y)"),
    ("[x for x in f()]", "BODY"),
    ("[x for x in y for z in f()]", "BODY LOOP(~y ~f())"),
    ("{k: f() async for k in y if k}", "BODY LOOP*(~y)"),
    ("g(1, *(f() for x in y))", "BODY LOOP(~y)"),
    ("try: f()\nfinally: pass", "BODY TRY"),
    ("try: pass\nexcept: f()", "BODY CATCH"),
    ("try: pass\nexcept (A, (b.C)): f()", "BODY CATCH(~A ~b.C)"),
    ("try: pass\nexcept* A: f()", "BODY CATCH(~A)"),
    ("try: pass\nexcept A: pass\nelse: f()", "BODY ELSE"),
    ("try: pass\nfinally: f()", "BODY FINALLY"),
    ("with a, b() as c: f()", "BODY WITH(~a ~b())"),
    ("async def g():\n  async with a: f()", "BODY BODY WITH*(~a)"),
    ("with f(): pass", "BODY"),
    ("match x:\n  case 1: f()", "BODY CASE"),
    ("match f():\n  case 1: pass", "BODY"),
    ("if __name__ == '__main__': f()", "BODY THEN((== ~__name__ '__main__'))"),
    ("def g():\n  while a:\n    try: pass\n    except E:\n      if b: f()", "BODY BODY LOOP CATCH(~E) THEN(~b)"),
]


@pytest.mark.parametrize(("source", "expected"), REGIONS)
def test_regions(source: str, expected: str) -> None:
    facts = facts_of(source)
    (call,) = calls_of(facts, "f")
    assert path(facts, call.region) == expected
    region = facts.regions[call.region]
    assert region.start <= call.start <= call.end <= region.end


def test_region_partners() -> None:
    facts = facts_of("""
        if a: pass
        elif b: pass
        else: pass
        try: pass
        except A: pass
        except B: pass
        else: pass
        finally: pass
        for x in y: pass
        else: pass
    """)
    assert [(region.kind.name, region.partner) for region in facts.regions[1:]] == [
        ("THEN", 1),
        ("ELSE", 1),
        ("THEN", 3),
        ("ELSE", 3),
        ("TRY", NONE),
        ("CATCH", 5),
        ("CATCH", 5),
        ("ELSE", 5),
        ("FINALLY", 5),
        ("LOOP", NONE),
        ("ELSE", 10),
    ]


CATCHES = [
    # clause, param, uses_param, has_comment, is_empty
    ("except E: pass", "", False, False, True),
    ("except E: ...", "", False, False, True),
    ("except E: 'ignored'", "", False, False, True),
    ("except E as e: log(e)", "e", True, False, False),
    ("except E as e: log(x.e, e=1)", "e", False, False, False),
    ("except E as e:\n  raise X from e", "e", True, False, False),
    ("except E:  # why\n  pass", "", False, True, True),
    ("except E:\n  # why\n  pass", "", False, True, True),
    ("except E:\n  pass  # why", "", False, True, True),
    ("except E:\n  pass\n  # why", "", False, True, True),
    ("except E: pass  # why", "", False, True, True),
    ("except E: pass\n# not mine", "", False, False, True),
]


@pytest.mark.parametrize(("clause", "param", "uses_param", "has_comment", "is_empty"), CATCHES)
def test_catches(clause: str, param: str, uses_param: bool, has_comment: bool, is_empty: bool) -> None:
    facts = facts_of(f"try:  # mine\n  x\n{clause}\ndone()\n")
    (region,) = [region for region in facts.regions if region.kind is RegionKind.CATCH]
    assert (region.param, region.uses_param, region.has_comment, region.is_empty) == (
        param,
        uses_param,
        has_comment,
        is_empty,
    )


@pytest.mark.parametrize(
    ("body", "empty"),
    [("pass", True), ("...", True), ('"""Doc."""', True), ("'doc'\n  pass", True), ("return", False), ("x", False)],
)
def test_empty_bodies(body: str, empty: bool) -> None:
    facts = facts_of(f"def f():\n  {body}")
    assert facts.regions[facts.functions[1].region].is_empty is empty


STORES = [
    ("a.b = 1", "~a", "b", "1", "="),
    ("a['b'] = 1", "~a", "b", "1", "="),
    ("a[0] = 1", "~a", "", "1", "="),
    ("a[k] = 1", "~a", "", "1", "="),
    ("a.b.c += 1", "~a.b", "c", "1", "+="),
    ("a.b |= x", "~a", "b", "~x", "|="),
    ("del a.b", "~a", "b", "-", "del"),
    ("del a['b']", "~a", "b", "-", "del"),
    ("a.b: int = 1", "~a", "b", "1", "="),
    ("x, a.b = f()", "~a", "b", "~f()[1]", "="),
    ("for a.b in c: pass", "~a", "b", "~c[*]", "="),
    ("with c as a.b: pass", "~a", "b", "entered ~c", "="),
    ("x = 1\ndef f():\n  global x\n  x = 2", "$x", "", "2", "global="),
    ("x = 1\ndef f():\n  global x\n  x += 2", "$x", "", "2", "global+="),
    ("class C:\n  def m(self): self.x = 1", "self C", "x", "1", "="),
    ("import os\nos.environ['A'] = 'b'", "os.environ", "A", "'b'", "="),
]


@pytest.mark.parametrize(("source", "target", "name", "value", "operator"), STORES)
def test_stores(source: str, target: str, name: str, value: str, operator: str) -> None:
    facts = facts_of(source)
    (store,) = facts.stores
    found = (show(facts, store.target), store.name, show(facts, store.value), store.op)
    assert found == (target, name, value, operator)
    assert facts.accesses == []


def test_plain_assignments_are_no_stores() -> None:
    assert facts_of("x = 1\nx += 2\ny, z = x\ndel x\nself.x: int").stores == []


ACCESSES = [
    ("import os\nos.environ['A']", "os.environ.A"),
    ("import os\nf(os.environ.get('A', 1))", "os.environ.get()"),
    ("import os\nos.getenv('A')", "os.getenv()"),
    ("from os import environ\nenviron['A']", "os.environ.A"),
    ("from os import environ as e, getenv as g\ng('A')", "os.getenv()"),
    ("from os import environ as e, getenv as g\ne['A']", "os.environ.A"),
    ("import os\nos.environ[k]", "os.environ[~k]"),
    ("import os\nx.y = os.environ['A']", "os.environ.A"),
]


@pytest.mark.parametrize(("source", "value"), ACCESSES)
def test_accesses(source: str, value: str) -> None:
    facts = facts_of(source)
    assert [show(facts, access.value) for access in facts.accesses] == [value]


def test_no_accesses() -> None:
    facts = facts_of("environ['A']\nrequest.environ['A']\nos.getenv('A')\nimport json\njson.environ.get('a')")
    assert facts.accesses == []


EXITS = [
    ("def f(): return", ExitKind.RETURN, "-"),
    ("def f(): return 1, 2", ExitKind.RETURN, "[1, 2]"),
    ("lambda x: x.y", ExitKind.RETURN, "(0:x).y"),
    ("raise", ExitKind.THROW, "-"),
    ("raise E('x') from None", ExitKind.THROW, "~E()"),
    ("def f(): yield", ExitKind.YIELD, "-"),
    ("def f(): x = yield 1", ExitKind.YIELD, "1"),
    ("while 1: break", ExitKind.BREAK, "-"),
    ("while 1: continue", ExitKind.CONTINUE, "-"),
]


@pytest.mark.parametrize(("source", "kind", "value"), EXITS)
def test_exits(source: str, kind: ExitKind, value: str) -> None:
    facts = facts_of(source)
    assert [(fact.kind, show(facts, fact.value)) for fact in facts.exits] == [(kind, value)]


def test_directives_lines_and_shebang() -> None:
    facts = facts_of("""
        #!/usr/bin/env python3
        x = "# prodlint: ignore[not-a-comment]"
        f()  # prodlint: ignore[blocking-call] start-up only
        # prodlint: ignore
        g()
    """)
    assert facts.shebang == "#!/usr/bin/env python3"
    assert [(fact.rules, fact.reason, fact.line) for fact in facts.directives] == [
        (["blocking-call"], "start-up only", 3),
        ([], "", 5),
    ]
    assert extract(b"a\r\nb\rc\n").line_starts == [0, 3, 5, 7]


# ------------------------------------------------------------------ files that are not as they should be


def test_broken_code_keeps_the_sound_parts() -> None:
    facts = facts_of("""
        import json
        def good(): return json.loads(x)
        def bad(:
            x = = 2
        class C(
        def also_good(): probe(json)
    """)
    assert facts.problems
    assert all(problem.message and problem.start <= problem.end for problem in facts.problems)
    assert "json.loads" in [show(facts, call.callee) for call in facts.calls]
    assert [show(facts, argument) for call in calls_of(facts, "probe") for argument in call.args] == ["json"]


def test_problems_say_where() -> None:
    facts = extract(b"def f(:\n  pass\n")
    assert [(fact.message, fact.start, fact.end) for fact in facts.problems] == [("missing )", 6, 6)]
    facts = extract(b"x = 1\ny = f(1,\n\n")
    assert [(fact.message, fact.start, fact.end) for fact in facts.problems] == [("invalid syntax: y = f(1,", 6, 14)]
    assert len(extract(b"x = = 1\ny = 2\n" * 50).problems) == 20
    assert extract(b"x = 1\n").problems == []


def test_bytes_that_are_no_text() -> None:
    facts = extract(b"import json\nx = '\xff\xfe'\njson.loads(x)\nd\xe9f = 1\n\x00\x01")
    assert "json.loads" in [show(facts, call.callee) for call in facts.calls]
    assert binding(facts, "x") == ["'\ufffd\ufffd'"]
    assert extract(b"").functions[0].kind is FunctionKind.MODULE


def test_byte_order_mark_and_carriage_returns() -> None:
    source = b"import json\ndef f(a):\n    if a:\n        return json.loads(a)\n"
    marked = b"\xef\xbb\xbf" + source.replace(b"\n", b"\r\n")
    plain, facts = extract(source), extract(marked)
    assert facts.problems == []
    (before,), (after,) = plain.calls, facts.calls
    assert marked[after.start : after.end] == source[before.start : before.end]
    assert (path(facts, after.region), show(facts, after.callee)) == ("BODY BODY THEN(f(0:a))", "json.loads")
    assert extract(b"\xef\xbb\xbf#!/bin/python\r\n").shebang == "#!/bin/python"


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "[" * 10_000 + "f()" + "]" * 10_000,
        "x = " + "(" * 10_000 + "f()" + ")" * 10_000,
        "f(" * 10_000 + "1" + ")" * 10_000,
        "[" * 10_000,
        "x = f()" + " + 1" * 10_000,
        "x = f()" + ".a" * 10_000,
        "f()" + ".a()" * 3_000,
        "x = " + "not " * 10_000 + "f()",
        "x = f()" + " or 1" * 3_000,
        "x = f()" + " if 1 else 2" * 2_000,
        "x = " + "lambda: " * 500 + "f()",
        "x: " + "a[" * 5_000 + "f()" + "]" * 5_000,
        "x: " + "a | " * 5_000 + "f()",
        "x = " + "{'a': " * 5_000 + "f()" + "}" * 5_000,
        "(" * 5_000 + "x" + ")" * 5_000 + " = f()",
        "(" * 5_000 + "x" + ",)" * 5_000 + " = " + "(" * 5_000 + "f()" + ",)" * 5_000,
        "a = " * 5_000 + "f()",
        "f()\nmatch x:\n case " + "[" * 3_000 + "y" + "]" * 3_000 + ": pass",
        "".join(" " * depth + "if x:\n" for depth in range(300)) + " " * 300 + "f()",
    ],
    ids=lambda source: source[:12],
)
def test_deep_nesting(source: str) -> None:
    facts = extract(source.encode())
    if not facts.problems:
        assert calls_of(facts, "f")


SAMPLE = b"""\
from typing import TYPE_CHECKING, Annotated
import a.b as m, os
@app.get("/{x}", **o)
async def handler(self, x: Annotated[int | None, Depends(f)] = 1, *a, k="s", **kw) -> "T":
    global counter
    try:
        async with m.open(x) as (f, g.h), other():
            counter += await f.read()[0]["k"]
    except (A, b.C) as e:  # why
        raise E(f"a{x!r:>{k}}") from e
    except* D: pass
    else: del x.y, z["k"]
    finally:
        return [y async for y in x if (w := y) for _ in z] or {**o, "k": lambda q, *r: (yield)}
class C[T](Base, metaclass=M):
    x: ClassVar["T"] = os.environ["K"]
    @property
    def p(self): self.q, *self.r = super().p, 1 if not a < b else -2
match x, y:
    case [A(b=c), *rest] | {"k": v, **r} if g(): print(x)
    case str() as s: nonlocal t
while True:
    for i, (j, k) in x: break
    else: continue
"""


@given(at=st.integers(0, len(SAMPLE)))
def test_truncated_files(at: int) -> None:
    extract(SAMPLE[:at])
    extract(SAMPLE[at:])


@given(changes=st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_damaged_files(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(SAMPLE)
    for at, byte in changes:
        damaged[at] = byte
    facts = extract(bytes(damaged))
    for call in facts.calls:
        assert 0 <= call.start <= call.name_start <= call.end <= len(SAMPLE)
    for region in facts.regions[1:]:
        assert 0 <= region.parent < len(facts.regions)


def test_extraction_is_pure() -> None:
    assert extract(SAMPLE) == extract(SAMPLE)
    assert extract(SAMPLE).problems == []
