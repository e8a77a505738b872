"""The Python toolbox: what it writes, and what it refuses."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from prodlint.findings import Edit, ImportRequest, Span
from prodlint.fixes import python
from prodlint.fixes.text import BOM, edited

PATH = "app.py"


def span_of(source: bytes, target: str) -> Span:
    """Where `target`, which must stand there once, is."""
    raw = target.encode()
    assert source.count(raw) == 1, target
    start = source.index(raw)
    return Span(start, start + len(raw))


def change(tool: Callable[..., Any], source: str, target: str, *args: Any, **options: Any) -> str | None:
    """`source` after `tool` was used on `target`; None if it refused. The result parses, and is the same with a BOM and
    with other line endings."""
    raw = source.encode()
    edits = tool(PATH, raw, span_of(raw, target), *args, **options)
    assert (edits is None) == (tool(PATH, BOM + raw, span_of(BOM + raw, target), *args, **options) is None), (
        "the BOM matters"
    )
    if edits is None:
        return None
    result = edited(raw, edits)
    ast.parse(result)
    with_bom = BOM + raw
    assert edited(with_bom, tool(PATH, with_bom, span_of(with_bom, target), *args, **options)) == BOM + result
    if "\n" in source and "\\" not in source:
        windows = raw.replace(b"\n", b"\r\n")
        place = span_of(windows, target.replace("\n", "\r\n"))
        assert edited(windows, tool(PATH, windows, place, *args, **options)) == result.replace(b"\n", b"\r\n")
    return result.decode()


def in_async(body: str) -> str:
    return "async def f():\n" + "".join(f"    {line}\n" for line in body.splitlines())


# --- await, callees, wrappers


@pytest.mark.parametrize(
    ("body", "target", "expected"),
    [
        ("time.sleep(1)", "time.sleep(1)", "await asyncio.sleep(1)"),
        ("é = 'ü', time.sleep(1)", "time.sleep(1)", "é = 'ü', await asyncio.sleep(1)"),
        ("x = time.sleep(1).real", "time.sleep(1)", "x = (await asyncio.sleep(1)).real"),
        ("x = time.sleep(1)[0]", "time.sleep(1)", "x = (await asyncio.sleep(1))[0]"),
        ("x = time.sleep(1)()", "time.sleep(1)", "x = (await asyncio.sleep(1))()"),
        ("x = (time.sleep(1)).real", "time.sleep(1)", "x = (await asyncio.sleep(1)).real"),
        ("x = time.sleep(1) ** 2", "time.sleep(1)", "x = await asyncio.sleep(1) ** 2"),
        ("x = not time.sleep(1) or -time.time()", "time.sleep(1)", "x = not await asyncio.sleep(1) or -time.time()"),
        ("x = [time.sleep(i) for i in y]", "time.sleep(i)", "x = [await asyncio.sleep(i) for i in y]"),
        ("x = sum(i for i in time.sleep(1))", "time.sleep(1)", "x = sum(i for i in await asyncio.sleep(1))"),
        ("x = f'{time.sleep(1)}'", "time.sleep(1)", "x = f'{await asyncio.sleep(1)}'"),
        ("time.sleep(  # why\n  1)", "time.sleep(  # why\n      1)", "await asyncio.sleep(  # why\n  1)"),
    ],
)
def test_replace_callee_awaits_where_it_stands(body: str, target: str, expected: str):
    assert change(python.replace_callee, in_async(body), target, "asyncio.sleep", awaited=True) == in_async(expected)


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    time.sleep(1)\n",
        "time.sleep(1)\n",
        "async def f():\n    g(lambda: time.sleep(1))\n",
        "async def f():\n    any(time.sleep(1) for i in x)\n",
        "async def f():\n    def g():\n        time.sleep(1)\n",
        "async def f():\n    class A:\n        time.sleep(1)\n",
        "async def f(a=time.sleep(1)):\n    pass\n",
        "@time.sleep(1)\nasync def f():\n    pass\n",
        "async def f():\n    def g() -> time.sleep(1): ...\n",
        "async def f():\n    [[time.sleep(1) for i in x] for j in y]\n",
    ],
)
def test_await_is_refused_where_python_does_not_allow_it(source: str):
    raw = source.encode()
    span = span_of(raw, "time.sleep(1)")
    assert not python.can_await(raw, span)
    assert python.insert_await(PATH, raw, span) is None
    assert python.replace_callee(PATH, raw, span, "asyncio.sleep", awaited=True) is None
    assert python.call_through(PATH, raw, span, "asyncio.to_thread", awaited=True) is None
    assert python.replace_expression(PATH, raw, span, "g()", awaited=True) is None


def test_insert_await_in_a_function_that_the_same_fix_makes_async():
    source = b"class A:\n    @d\n    def f(self):\n        return g().x\n"
    function = span_of(source, "def f(self):\n        return g().x")
    call = span_of(source, "g()")
    assert python.insert_await(PATH, source, call) is None
    edits = python.insert_await(PATH, source, call, making_async=function)
    made_async = python.make_async(PATH, source, function)
    assert edits is not None and made_async is not None
    assert edited(source, [*made_async, *edits]) == (
        b"class A:\n    @d\n    async def f(self):\n        return (await g()).x\n"
    )


def test_insert_await_leaves_what_is_awaited():
    source = b"async def f():\n    await g()\n"
    assert python.insert_await(PATH, source, span_of(source, "g()")) == ()


@pytest.mark.parametrize(
    ("body", "target", "expected"),
    [
        (
            "r = requests.get(u, timeout=3)",
            "requests.get(u, timeout=3)",
            "r = await asyncio.to_thread(requests.get, u, timeout=3)",
        ),
        ("r = requests.get(u).json()", "requests.get(u)", "r = (await asyncio.to_thread(requests.get, u)).json()"),
        ("r = os.getcwd()", "os.getcwd()", "r = await asyncio.to_thread(os.getcwd)"),
        ("r = run(*a, **k)", "run(*a, **k)", "r = await asyncio.to_thread(run, *a, **k)"),
        (
            "r = requests.get(\n    u,  # where\n    timeout=3,\n)",
            "requests.get(\n        u,  # where\n        timeout=3,\n    )",
            "r = await asyncio.to_thread(\n    requests.get,\n    u,  # where\n    timeout=3,\n)",
        ),
    ],
)
def test_call_through_hands_the_call_to_a_runner(body: str, target: str, expected: str):
    result = change(python.call_through, in_async(body), target, "asyncio.to_thread", awaited=True)
    assert result == in_async(expected)


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ("r = client(u).get(v)", "client(u).get(v)"),
        ("r = list(i for i in x)", "list(i for i in x)"),
        ("r = get(  # why\n    u)", "get(  # why\n        u)"),
    ],
)
def test_call_through_refuses_what_it_would_change_or_lose(body: str, target: str):
    assert change(python.call_through, in_async(body), target, "asyncio.to_thread", awaited=True) is None


def test_nested_calls_get_edits_that_do_not_touch():
    source = b"async def f():\n    g(requests.get(url(time.sleep(1))))\n"
    outer = python.call_through(PATH, source, span_of(source, "requests.get(url(time.sleep(1)))"), "r", awaited=True)
    inner = python.replace_callee(PATH, source, span_of(source, "time.sleep(1)"), "asyncio.sleep", awaited=True)
    assert outer is not None and inner is not None
    assert edited(source, [*outer, *inner]) == (
        b"async def f():\n    g(await r(requests.get, url(await asyncio.sleep(1))))\n"
    )


@pytest.mark.parametrize(
    ("source", "new", "expected"),
    [
        ("x = f() + 1\n", "a or b", "x = (a or b) + 1\n"),
        ("x = f()\n", "a or b", "x = a or b\n"),
        ("g(f())\n", "a or b", "g(a or b)\n"),
        ("x = f().y\n", "g(1)", "x = g(1).y\n"),
        ("f()\n", "g(\n    1\n)", "g(\n    1\n)\n"),
    ],
)
def test_replace_expression_keeps_precedence(source: str, new: str, expected: str):
    raw = source.encode()
    edits = python.replace_expression(PATH, raw, span_of(raw, "f()"), new)
    assert edits is not None
    assert edited(raw, edits).decode() == expected


def test_edits_take_no_byte_that_stays():
    source = b"async def f():\n    time.sleep(1)\n"
    edits = python.replace_callee(PATH, source, span_of(source, "time.sleep(1)"), "asyncio.sleep", awaited=True)
    assert edits == (Edit(PATH, 19, 23, "await asyncio"),)


@pytest.mark.parametrize("source", [b"def f(:\n  g()\n", "é = g()\n".encode("latin-1")])
def test_a_file_that_cannot_be_read_is_refused(source: bytes):
    span = span_of(source, "g()")
    assert python.replace_callee(PATH, source, span, "h") is None
    assert python.insert_statement_before(PATH, source, span, "h()") is None
    assert python.import_edits(PATH, source, [ImportRequest(PATH, "os")]) is None
    assert python.local_name(source, ImportRequest(PATH, "os")) is None
    assert python.ensure_statement_after_imports(PATH, source, "x = 1") is None
    assert python.statement_of(source, span) is None
    assert not python.can_await(source, span)


def test_a_span_that_is_no_call_is_refused():
    source = b"g(1)\n"
    assert python.replace_callee(PATH, source, Span(0, 1), "h") is None
    assert python.set_keyword(PATH, source, Span(0, 3), "a", "1") is None


# --- arguments


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("run()\n", "run()", "run(debug=False)\n"),
        ("run( )\n", "run( )", "run(debug=False)\n"),
        ("run(a)\n", "run(a)", "run(a, debug=False)\n"),
        ("run(a, )\n", "run(a, )", "run(a, debug=False, )\n"),
        ("run(debug = True, b=1)\n", "run(debug = True, b=1)", "run(debug = False, b=1)\n"),
        ("run(debug=(True))\n", "run(debug=(True))", "run(debug=False)\n"),
        ("run(*a)\n", "run(*a)", "run(*a, debug=False)\n"),
        (
            "run(\n    a,  # x\n    b=1,  # y\n)\n",
            "run(\n    a,  # x\n    b=1,  # y\n)",
            "run(\n    a,  # x\n    b=1,  # y\n    debug=False,\n)\n",
        ),
        (
            "run(\n    a,  # x\n    b=1  # y\n)\n",
            "run(\n    a,  # x\n    b=1  # y\n)",
            "run(\n    a,  # x\n    b=1,  # y\n    debug=False\n)\n",
        ),
    ],
)
def test_set_keyword(source: str, target: str, expected: str):
    assert change(python.set_keyword, source, target, "debug", "False") == expected


@pytest.mark.parametrize("call", ["run(**options)", "run(i for i in x)", "run(  # nothing\n)"])
def test_set_keyword_refuses(call: str):
    assert change(python.set_keyword, call + "\n", call, "debug", "False") is None


def test_set_keyword_that_is_set_changes_nothing():
    assert (
        change(python.set_keyword, "run(debug=False)\n", "run(debug=False)", "debug", "False") == "run(debug=False)\n"
    )


# --- print


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('print("x")', 'logger.info("x")'),
        ("print('50% {x}')", "logger.info('50% {x}')"),
        ("print(x)", "logger.info(x)"),
        ('print("x", y)', 'logger.info("x %s", y)'),
        ('print("%s of %r: 5%%", x, y)', 'logger.info("%s of %r: 5%%", x, y)'),
        ('print("%s", x, y)', 'logger.info("%%s %s %s", x, y)'),
        ('print("%d", x)', 'logger.info("%%d %s", x)'),
        ("print('x', y, \"it's\")", "logger.info('x %s it\\'s', y)"),
        ("print('50%', y)", "logger.info('50%% %s', y)"),
        ("print(x, y)", 'logger.info("%s %s", x, y)'),
        ('print("a", "b")', 'logger.info("a b")'),
        ("print('a', b, sep='')", "logger.info('a%s', b)"),
        ("print('a', b, sep='%')", "logger.info('a%%%s', b)"),
        ("print('a', file=sys.stderr, flush=True)", "logger.info('a')"),
        ("print('a', end='\\n')", "logger.info('a')"),
        ("print(f'a {b} {c!r} 5%')", "logger.info('a %s %r 5%%', b, c)"),
        ("print(f'{{a}} {b}')", "logger.info('{a} %s', b)"),
        ("print(f'{b[\"k\"]}')", "logger.info('%s', b[\"k\"])"),
        ("print(f'{b:.2f}')", "logger.info(f'{b:.2f}')"),
        ("print(f'{b=}')", "logger.info(f'{b=}')"),
        ("print('n', f'{b:.2f}')", "logger.info('n %s', f'{b:.2f}')"),
        ("print('%s is %d%%' % (a, b))", "logger.info('%s is %d%%', a, b)"),
        ("print('%s' % a)", "logger.info('%s' % a)"),
        ("print('%(a)s' % a)", "logger.info('%(a)s' % a)"),
        ("print('%s %s' % (a,))", "logger.info('%s %s' % (a,))"),
        ("print('{} {!r}'.format(a, b))", "logger.info('%s %r', a, b)"),
        ("print('{0} {1}'.format(a, b))", "logger.info('%s %s', a, b)"),
        ("print(\"{}\".format(', '.join(a)))", "logger.info(\"%s\", ', '.join(a))"),
        ("print('{1} {0}'.format(a, b))", "logger.info('{1} {0}'.format(a, b))"),
        ("print('{a}'.format(a=1))", "logger.info('{a}'.format(a=1))"),
        ("print('{:>3}'.format(a))", "logger.info('{:>3}'.format(a))"),
        ("print(r'\\d', y)", "logger.info('%s %s', r'\\d', y)"),
        ("print('a\\n', y)", "logger.info('a\\n %s', y)"),
        ("print((a, b))", "logger.info((a, b))"),
        ("print('t', (a, b))", "logger.info('t %s', (a, b))"),
        ("print(  # why\n    x)", "logger.info(  # why\n    x)"),
        ("print(i for i in x)", "logger.info(i for i in x)"),
        ("print (x)", "logger.info(x)"),
        ("print ('a', x)", "logger.info('a %s', x)"),
        (
            f"print('{'a' * 40}',\n      {'b' * 30},\n      {'c' * 20})",
            f"logger.info(\n    '{'a' * 40} %s %s',\n    {'b' * 30},\n    {'c' * 20},\n)",
        ),
    ],
)
def test_print_to_log(call: str, expected: str):
    assert change(python.print_to_log, call + "\n", call, "logger.info") == expected + "\n"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("print('x', y)", "logger.info('x {}', y)"),
        ("print('{x}', y)", "logger.info('{{x}} {}', y)"),
        ("print(f'{a!r} {{b}} 5%')", "logger.info('{!r} {{b}} 5%', a)"),
        ("print('%s' % (a,))", "logger.info('%s' % (a,))"),
        ("print('{} {}'.format(a, b))", "logger.info('{} {}', a, b)"),
    ],
)
def test_print_to_log_with_braces(call: str, expected: str):
    assert change(python.print_to_log, call + "\n", call, "logger.info", "{}") == expected + "\n"


@pytest.mark.parametrize(
    "call",
    [
        "print()",
        "print(*a)",
        "print(**k)",
        "print(a, end='')",
        "print(a, sep=s)",
        "print(a, b, sep='\\n')",
        "print(a, file=f)",
        "print(a,  # why\n      b)",
    ],
)
def test_print_to_log_refuses_what_a_log_cannot_say(call: str):
    assert change(python.print_to_log, call + "\n", call, "logger.info") is None


VALUES = {"a": 7, "b": "it's 5%", "c": {"k": "{v}"}, "t": (1, 2), "n": None}

printed = st.one_of(
    st.sampled_from(["'x'", '"y\'s"', "'50%'", "'{q}'", "'%s'", "r'\\d'", "'''m'''", "'\\n'"]),
    st.sampled_from(sorted(VALUES)),
    st.sampled_from(["f'{a} {b!r}'", "f'{{}} {c[\"k\"]}%'", "f'{a:03d}'", "'%s|%5.1f%%' % (b, a)", "'%s' % a"]),
    st.sampled_from(["'{} {}'.format(a, t)", "'{0!r}{1}'.format(n, b)", "str(a) + b"]),
)


@settings(max_examples=150)
@given(st.lists(printed, min_size=1, max_size=4), st.sampled_from(["", ", sep='-'", ", sep='%'"]), st.booleans())
def test_the_log_says_what_was_printed(arguments: list[str], options: str, braces: bool):
    assume(len(arguments) != 2 or arguments[0] != "'%s'")  # what `print` says there was hardly meant
    call = f"print({', '.join(arguments)}{options})"
    said: list[str] = []

    def logged(message: object, *values: object) -> None:
        # As `logging` and loguru do it: no values, no formatting.
        said.append((str(message).format(*values) if braces else str(message) % values) if values else str(message))

    def printed(*values: object, sep: str = " ") -> None:
        said.append(sep.join(map(str, values)))

    source = call.encode()
    edits = python.print_to_log(PATH, source, Span(0, len(source)), "logged", "{}" if braces else "%s")
    assert edits is not None
    names = {**VALUES, "logged": logged, "print": printed}
    exec(call, names)
    exec(edited(source, edits).decode(), names)
    assert said[0] == said[1]


# --- statements


def test_statement_of_is_the_line_of_code_around():
    source = b"if x:\n    y = (f(\n        1), 2)\n"
    assert python.statement_of(source, span_of(source, "1")) == span_of(source, "y = (f(\n        1), 2)")
    decorated = b"@d\ndef f(a=g()): pass\n"
    assert python.statement_of(decorated, span_of(decorated, "g()")) == Span(0, len(decorated) - 1)
    assert python.statement_of(b"if x: f()\n", Span(6, 9)) is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f()\n", "g()\nf()\n"),
        ("if x:\n\tf()\n", "if x:\n\tg()\n\tf()\n"),
        ("if f():\n    pass\n", "g()\nif f():\n    pass\n"),
        ("for i in f():\n    pass\n", "g()\nfor i in f():\n    pass\n"),
        ("@f()\ndef a(): pass\n", "g()\n@f()\ndef a(): pass\n"),
        ("x = 1\nreturn_ = f()  # c", "x = 1\ng()\nreturn_ = f()  # c"),
    ],
)
def test_insert_statement_before(source: str, expected: str):
    assert change(python.insert_statement_before, source, "f()", "g()") == expected


@pytest.mark.parametrize(
    "source",
    ["if a:\n    pass\nelif f():\n    pass\n", "while f():\n    pass\n", "a(); f()\n", "if x: f()\n"],
)
def test_insert_statement_before_refuses_where_it_would_run_otherwise(source: str):
    assert change(python.insert_statement_before, source, "f()", "g()") is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f()\n", "f()\ng()\n"),
        ("f()", "f()\ng()"),
        ("if x:\n\tf(\n\t)  # c\n\ty\n", None),
        ("if x:\n\ta = f()  # c\n\ty\n", "if x:\n\ta = f()  # c\n\tg()\n\ty\n"),
        ("a(); f()\n", "a(); f()\ng()\n"),
        ("for i in f():\n    pass  # c\nx\n", "for i in f():\n    pass  # c\ng()\nx\n"),
    ],
)
def test_insert_statement_after(source: str, expected: str | None):
    if expected is not None:
        assert change(python.insert_statement_after, source, "f()", "g()") == expected
    else:
        assert change(python.insert_statement_after, source, "f(\n\t)", "g()") == "if x:\n\tf(\n\t)  # c\n\tg()\n\ty\n"


@pytest.mark.parametrize("source", ["def a():\n    return f()\n", "raise f()\n", "f(); a()\n", "if x: f()\n"])
def test_insert_statement_after_refuses(source: str):
    assert change(python.insert_statement_after, source, "f()", "g()") is None


def test_several_lines_are_indented_together():
    source = "if x:\n    f()\n"
    expected = "if x:\n    try:\n        g()\n    finally: pass\n    f()\n"
    assert change(python.insert_statement_before, source, "f()", "try:\n    g()\nfinally: pass") == expected


@pytest.mark.parametrize(
    "function",
    [
        "def f():\n    yield 1",
        "def f():\n    x = [(yield)]",
        "def __call__(self):\n    pass",
    ],
)
def test_make_async_refuses(function: str):
    assert change(python.make_async, function + "\n", function) is None


def test_make_async_refuses_properties():
    assert change(python.make_async, "class A:\n    @property\n    def f(self): pass\n", "def f(self): pass") is None


def test_make_async():
    assert change(python.make_async, "@d\ndef f(): pass\n", "def f(): pass") == "@d\nasync def f(): pass\n"
    assert change(python.make_async, "async def f(): pass\n", "async def f(): pass") == "async def f(): pass\n"
    inner = "def f():\n    def g():\n        yield\n    return g"
    assert change(python.make_async, inner + "\n", inner) == f"async {inner}\n"


# --- imports


def request(written: str) -> ImportRequest:
    """`asyncio`, `a.b as c` or `module:name as alias`."""
    target, _, alias = written.partition(" as ")
    module, _, name = target.partition(":")
    return ImportRequest(PATH, module, name, alias)


@pytest.mark.parametrize(
    ("source", "wanted", "expected"),
    [
        pytest.param("", "asyncio", "import asyncio\n", id="empty file"),
        pytest.param("x = 1\n", "asyncio", "import asyncio\n\nx = 1\n", id="no imports"),
        pytest.param("def f(): pass\n", "asyncio", "import asyncio\n\n\ndef f(): pass\n", id="two lines before a def"),
        pytest.param('"""doc"""\nx = 1\n', "asyncio", '"""doc"""\n\nimport asyncio\n\nx = 1\n', id="docstring"),
        pytest.param('"""doc"""', "asyncio", '"""doc"""\n\nimport asyncio', id="docstring alone, no newline"),
        pytest.param(
            "#!/usr/bin/env python\n# coding: utf-8\nx = 1\n",
            "asyncio",
            "#!/usr/bin/env python\n# coding: utf-8\nimport asyncio\n\nx = 1\n",
            id="comments at the top stay there",
        ),
        pytest.param(
            "# license\n\n# about x\nx = 1\n",
            "asyncio",
            "# license\n\nimport asyncio\n\n# about x\nx = 1\n",
            id="a statement keeps its comment",
        ),
        pytest.param(
            "from __future__ import annotations\n\nimport fastapi\n",
            "asyncio",
            "from __future__ import annotations\n\nimport asyncio\n\nimport fastapi\n",
            id="after __future__, before third party",
        ),
        pytest.param("import os\nimport sys\n", "asyncio", "import asyncio\nimport os\nimport sys\n", id="sorted"),
        pytest.param("import os  # c\nimport z\n", "re", "import os  # c\nimport re\nimport z\n", id="comment kept"),
        pytest.param("import sys\nimport os\n", "re", "import sys\nimport os\nimport re\n", id="unsorted: at the end"),
        pytest.param(
            "import os\nfrom abc import ABC\n", "re", "import os\nimport re\nfrom abc import ABC\n", id="by kind"
        ),
        pytest.param(
            "from abc import ABC\nimport os\n", "re", "from abc import ABC\nimport os\nimport re\n", id="by module"
        ),
        pytest.param(
            "import os\n\nimport fastapi\n\nfrom . import x\n",
            "structlog",
            "import os\n\nimport fastapi\nimport structlog\n\nfrom . import x\n",
            id="third party",
        ),
        pytest.param(
            "import os\n\nfrom . import x\n", "structlog", "import os\n\nimport structlog\n\nfrom . import x\n",
            id="a group of its own",
        ),
        pytest.param("from . import x\n", "os", "import os\n\nfrom . import x\n", id="before the first"),
        pytest.param(
            "# mine\nfrom . import x\n", "os", "# mine\nimport os\n\nfrom . import x\n", id="below the file's comment"
        ),
        pytest.param(
            "import os\nimport fastapi\nfrom app.db import d\nfrom app.web import w\n",
            "app.log:logger",
            "import os\nimport fastapi\nfrom app.db import d\nfrom app.log import logger\nfrom app.web import w\n",
            id="with its own package",
        ),
        pytest.param("from . import x\n", ".log:logger", "from . import x\nfrom .log import logger\n", id="relative"),
        pytest.param("from m import a, c\n", "m:b", "from m import a, b, c\n", id="into a sorted list"),
        pytest.param("from m import c, a\n", "m:b", "from m import c, a, b\n", id="into an unsorted list"),
        pytest.param("from m import A, Z, b\n", "m:C", "from m import A, C, Z, b\n", id="isort's order"),
        pytest.param("from m import a as x\n", "m:b as y", "from m import a as x, b as y\n", id="alias"),
        pytest.param("from m import (a, b,)\n", "m:c", "from m import (a, b, c,)\n", id="trailing comma"),
        pytest.param(
            "from m import (\n    a,  # 1\n    c,  # 2\n)\n",
            "m:b",
            "from m import (\n    a,  # 1\n    b,\n    c,  # 2\n)\n",
            id="one a line, in the middle",
        ),
        pytest.param(
            "from m import (\n    a,  # 1\n    b,  # 2\n)\n",
            "m:c",
            "from m import (\n    a,  # 1\n    b,  # 2\n    c,\n)\n",
            id="one a line, last",
        ),
        pytest.param("from m import a\nfrom m import b\n", "m:c", "from m import a\nfrom m import b\nfrom m import c\n",
                     id="one statement a name"),
        pytest.param("from m import *\n", "m:a", "from m import *\nfrom m import a\n", id="star"),
        pytest.param(
            "if TYPE_CHECKING:\n    import asyncio\n", "asyncio",
            "import asyncio\n\nif TYPE_CHECKING:\n    import asyncio\n", id="for type checkers only",
        ),
        pytest.param(
            "import os\n\ndef f():\n    import asyncio\n", "asyncio",
            "import asyncio\nimport os\n\ndef f():\n    import asyncio\n", id="hoisted",
        ),
        pytest.param("if x:\n    import asyncio\n", "asyncio", "import asyncio\n\nif x:\n    import asyncio\n",
                     id="under a condition"),
        pytest.param("start(asyncio)\nimport os\n", "asyncio", "import asyncio\nstart(asyncio)\nimport os\n",
                     id="before its first use"),
        pytest.param("import os", "re", "import os\nimport re", id="no newline at the end"),
        pytest.param("import numpy as np\n", "pandas as pd", "import numpy as np\nimport pandas as pd\n", id="renamed"),
        pytest.param("import os; import sys\n", "re", "import os; import sys\nimport re\n", id="two on a line"),
    ],
)  # fmt: skip
def test_imports_go_where_they_belong(source: str, wanted: str, expected: str):
    for newline in ("\n", "\r\n"):
        raw = source.replace("\n", newline).encode()
        result = expected.replace("\n", newline).encode()
        if newline == "\n" or b"\n" in raw:
            assert python.ensure_imports(raw, [request(wanted)]) == result
            assert python.ensure_imports(result, [request(wanted)]) == result
            assert python.ensure_imports(BOM + raw, [request(wanted)]) == BOM + result


@pytest.mark.parametrize(
    ("source", "wanted", "name"),
    [
        ("import asyncio\n", "asyncio", "asyncio"),
        ("import asyncio as aio\n", "asyncio", "aio"),
        ("import os.path\n", "os", "os"),
        ("import os.path\n", "os.path", "os.path"),
        ("from os import path\n", "os.path", "path"),
        ("from os import path as p\n", "os:path", "p"),
        ("from . import log\n", ".log", "log"),
        ("try:\n    import asyncio\nexcept ImportError:\n    asyncio = None\n", "asyncio", "asyncio"),
    ],
)
def test_an_import_that_is_there_is_used(source: str, wanted: str, name: str):
    assert python.local_name(source.encode(), request(wanted)) == name
    assert python.import_edits(PATH, source.encode(), [request(wanted)]) == ()


@pytest.mark.parametrize(
    ("source", "wanted", "name"),
    [
        ("", "asyncio", "asyncio"),
        ("", "a.b", "a.b"),
        ("import a\n", "a.b", "a.b"),
        ("", "m:f as g", "g"),
        ("x.asyncio = 1; f(asyncio=1)  # asyncio\n", "asyncio", "asyncio"),
        ("def f():\n    import asyncio\n    asyncio.run(x)\n", "asyncio", "asyncio"),
        ("asyncio = 1\n", "asyncio", None),
        ("def f(asyncio): pass\n", "asyncio", None),
        ("import x as asyncio\n", "asyncio", None),
        ("def f():\n    from x import asyncio\n", "asyncio", None),
        ("open('f')\n", "aiofiles:open", None),
        ("", ".log", None),
        ("if x:\n    import a\n", "a", "a"),
        ("if x:\n    from m import a\nelse:\n    from n import a\n", "n:a", None),
        ("try:\n    import ujson as json\nexcept ImportError:\n    import json\n", "json", None),
    ],
)
def test_the_local_name_never_means_two_things(source: str, wanted: str, name: str | None):
    assert python.local_name(source.encode(), request(wanted)) == name


def test_an_import_never_takes_the_name_of_another():
    assert python.ensure_imports(b"from x import sleep\n", [request("asyncio:sleep")]) is None


def test_a_statement_goes_after_the_imports():
    text = "logger = logging.getLogger(__name__)"

    def ensured(source: str) -> str | None:
        edits = python.ensure_statement_after_imports(PATH, source.encode(), text)
        return None if edits is None else edited(source.encode(), edits).decode()

    assert ensured("import a\n\n\ndef f(): pass\n") == f"import a\n\n{text}\n\n\ndef f(): pass\n"
    assert ensured("import a\nx = 1\n") == f"import a\n\n{text}\n\nx = 1\n"
    assert ensured('"""doc"""\n') == f'"""doc"""\n\n{text}\n'
    assert ensured("x = 1\n") == f"{text}\n\nx = 1\n"
    tried = "try:\n    import a\nexcept ImportError:\n    a = None\n\nx = 1\n"
    assert ensured(tried) == tried.replace("\nx", f"\n{text}\n\nx")
    busy = "import a\nif x:\n    import b\n    print(b)\n"
    assert ensured(busy) == busy.replace("if", f"\n{text}\n\nif")
    assert ensured(f"import a\n\n{text}\n") == f"import a\n\n{text}\n"
    assert ensured("def f(logger): pass\n") is None
    assert ensured("from loguru import logger\n") is None


def test_a_statement_goes_before_its_first_use():
    source = b"import a\nuse()\nimport b\n"
    edits = python.ensure_statement_after_imports(PATH, source, "log = a.log()", before=10)
    assert edits is not None
    assert edited(source, edits) == b"import a\nlog = a.log()\nuse()\nimport b\n"


def test_a_name_is_bound_below_its_statement_and_in_functions():
    source = b"use(1)\ndef f(): use(2)\nx = lambda: use(3)\nif y:\n    log, z = 1, 2\nlog: int = use(4)\nuse(5)\n"
    bound = [python.is_bound_at(source, "log", source.index(b"use(%d)" % at)) for at in range(1, 6)]
    assert bound == [False, True, True, False, True]
    assert python.is_bound_at(b"from a import b as log\nuse\n", "log", 24)
    assert not python.is_bound_at(b"from a import log as b\nuse\n", "log", 24)


def test_the_statement_of_a_fix_and_its_import_come_in_order():
    source = b"import os\n\n\ndef f():\n    print(1)\n"
    edits = python.ensure_statement_after_imports(PATH, source, "logger = logging.getLogger(__name__)")
    assert edits is not None
    assert (
        python.ensure_imports(edited(source, edits), [request("logging")])
        == dedent(
            """\
        import logging
        import os

        logger = logging.getLogger(__name__)


        def f():
            print(1)
        """
        ).encode()
    )


LINES = [
    '"""Doc é."""',
    "from __future__ import annotations",
    "import os",
    "import sys  # c",
    "import os.path as osp",
    "from typing import Any",
    "from typing import (\n    Dict,\n    List,  # x\n)",
    "from fastapi import FastAPI, Request",
    "from .db import d",
    "from app.db import (a, b)",
    "if TYPE_CHECKING:\n    import asyncio",
    "try:\n    import ujson\nexcept ImportError:\n    ujson = None",
    "def f():\n\timport asyncio\n\treturn 'ü'",
    "x = 1",
    "# comment",
    "",
]
WANTED = [
    "asyncio",
    "re",
    "typing:Optional",
    "fastapi:Depends",
    "structlog",
    ".log:logger",
    "app.db:c",
    "a.b",
    "m as n",
]


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(LINES), max_size=7),
    st.lists(st.sampled_from(WANTED), min_size=1, max_size=4),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.booleans(),
)
def test_laws_of_imports(lines: list[str], wanted: list[str], newline: str, bom: bool, ended: bool):
    text = "\n".join(lines) + ("\n" if ended and lines else "")
    assume(compiles(text))
    source = BOM * bom + text.replace("\n", newline).encode()
    requests = [request(one) for one in wanted]
    result = python.ensure_imports(source, requests)
    assert result is not None
    assert compiles(result.decode("utf-8-sig")), "it parses, and __future__ is still first"
    assert python.ensure_imports(result, requests) == result, "a second time changes nothing"
    assert result.startswith(BOM) == source.startswith(BOM)
    if "\n" in text:
        assert result.count(b"\r\n") == (result.count(b"\n") if newline == "\r\n" else 0)
    kept = result.removeprefix(BOM).splitlines()
    for line in filter(None, source.removeprefix(BOM).splitlines()):
        words = set(re.findall(rb"\w+", line))
        extended = b" import " in line and any(words <= set(re.findall(rb"\w+", other)) for other in kept)
        assert line in kept or extended, line
    bound = {name for one in requests if (name := python.local_name(result, one))}
    assert len(bound) == len(set(requests)), "every request is granted"


def compiles(text: str) -> bool:
    try:
        compile(text, PATH, "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True
