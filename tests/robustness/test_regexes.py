"""Every regular expression of prodlint is linear in the text that it is given, however that text is chosen.

All of them are found by reading the code, so a new one is tried as soon as it is there. Each is run over long texts made
of pieces that parts of itself match, behind beginnings that lead into it, and the steps are counted.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import prodlint
from prodlint.models.api_table import _compiled
from prodlint.models.frameworks import FRAMEWORKS
from prodlint.project.globs import compiled_glob, ignore_spec
from prodlint.rulebook import load_rules
from tests.robustness.regex_steps import Steps, TooMany, led, pieces

ROOT = Path(prodlint.__file__).parent
OF_RE = {"compile", "search", "match", "fullmatch", "split", "sub", "subn", "findall", "finditer"}
ANCHORED = {"match", "fullmatch"}


def of_rule(name: str, *keys: str) -> str:
    data: Any = load_rules()[name].data
    for key in keys:
        data = data[key]
    return data if isinstance(data, str) else "|".join(data)


def globs(*patterns: str) -> tuple[str, ...]:
    return tuple(each.regex.pattern for each in ignore_spec(patterns).patterns if each.regex is not None)


MADE_WHEN_RUN: dict[str, tuple[str | bytes, ...]] = {
    "_of_names(first, is_last=True)": tuple(_compiled(api).pattern for api in ("fs.*Sync", "*a*a*a*b")),
    "f'(?>{_of_names(first)}){middle}.*{_of_names(others[-1], is_last=True)}'": tuple(
        _compiled(api).pattern for api in ("**.query", "a.**.b*c", "**a**a**a**b", "**a*a**b", "**a*a*a")
    ),
    "exports.files": tuple(exports.files for framework in FRAMEWORKS for exports in framework.exports if exports.files),
    "rule.data['dependencies']": (of_rule("no-response-cache", "dependencies"),),
    "rule.data['names']": (of_rule("no-response-cache", "names"),),
    "known['paths']": (of_rule("static-without-max-age", "nginx", "paths"),),
    "known['patterns']": (of_rule("static-without-max-age", "nginx", "patterns"),),
    "_FLAGS.get(name, '(?!)')": ("-D|--daemon", "(?!)"),
    "f'{name}|/usr|/bin'": ("curl|/usr|/bin",),
    "f'\\\\b{name}\\\\b'": (r"\bcurl\b",),
    "'|'.join(rule.data['packages'])": (of_rule("no-graceful-shutdown", "packages"),),
    "re.escape(escape) + '[ \\\\t]*$'": (r"\\[ \t]*$", r"`[ \t]*$"),
    "b'(?<![\\\\w$])%s(?![\\\\w$])' % re.escape(name.encode())": (rb"(?<![\w$])aa\.a(?![\w$])",),
    "b'(?<![\\\\w.])%s(?!\\\\w)' % re.escape(name.encode())": (rb"(?<![\w.])aa\.a(?!\w)",),
    "pattern": (r"(prod\.a)", r"NODE_ENV=[\"']?(prod\.a)(?!\w)"),
    "form": (
        r",\s*([\"'])(?:a\.a|a)\1",
        r"\n[ \t]*-[ \t]+([\"']?)(?:a\.a|a)\1[ \t]*(?=\r?\n|$)",
        r"(?<![ \t])[ \t]++(?:a\.a|a)(?=[\s\"'&|;]|$)",
    ),
    "f'{edge[0]}{pattern}{edge[1]}'": (
        r"(?<![\w./-])a\.a[ \t]+a(?![\w./-])",
        r"(?<![\w./-])\"a\.a\"\s*,\s*\"a\"(?![\w./-])",
    ),
    "f'(?:{_STAR})+'": (r"(?:\[\^/\]\*)+",),
    "_without_backtracking(pattern.regex.pattern)": globs(
        "*.a", "a/**/b", "**/a", "*a*a*a*b", "**/a/**/a/**/a/**/b", "**/*a*/**/*a*/*b"
    ),
    "first + middle + ''.join((f'[^/]*{part}' for part in others[-1:]))": tuple(
        compiled_glob(glob).pattern for glob in ("a/*.b", "*a*a*a*b", "*?*?*a", "a?*/*b/*")
    ),
    "f\"\\\\b(?:{'|'.join(sorted(map(re.escape, names), key=len, reverse=True))})\\\\b\"": (r"\b(?:aa\-a|aa|a)\b",),
    "f\"(?m)^[^\\\\S\\\\n]*+{re.escape(match['name'])}[ \\\\t]*+$\"": (r"(?m)^[^\S\n]*+EOF[ \t]*+$",),
    "f'[-_.]{re.escape(name)}$'": (r"[-_.]a\-a$",),
    "f'{name}\\\\d+'": (r"-w\d+",),
    "b'[\\\\\"\\']%s[\\\\\"\\']' % re.escape(name)": (rb"[\"']a_a[\"']",),
    "f'(\\\\\\\\.)|{quote}'": (r"(\\.)|'", r'(\\.)|"'),
}
"""Expressions that are put together from text when they are used, as they are written in the code: what they are then,
with awkward text in them."""

FOR_WHOLE_TEXTS = frozenset(
    {
        "_of_names(first, is_last=True)",
        "f'(?>{_of_names(first)}){middle}.*{_of_names(others[-1], is_last=True)}'",
        "first + middle + ''.join((f'[^/]*{part}' for part in others[-1:]))",
    }
)
"""Those of them that are used with `fullmatch` only."""

OUR_OWN_TEXT = frozenset(
    {
        ("prodlint/output/markdown.py", None),  # the pages of rules
        ("prodlint/analysis/stage_versions.py", None),  # prodlint's own source
        ("prodlint/extract/source/javascript.py", "_NOT_WALKED"),  # names of the grammar's nodes
    }
)
"""Modules (all of them, or a constant) whose expressions never see what somebody else wrote."""

AT_MOST = {"f'(?>{_of_names(first)}){middle}.*{_of_names(others[-1], is_last=True)}'": 160}
"""Those of them that never see more than so many characters: the resolver's limit for the name of an API."""


class Regex(NamedTuple):
    """An expression, and how it is used."""

    place: str
    pattern: str | bytes
    flags: int
    methods: frozenset[str]
    longest: int | None = None
    """Bytes of the text, if that has a limit."""


class Written(NamedTuple):
    """A place in the code that makes an expression."""

    module: str
    line: int
    name: str
    """The module's constant that it is kept in, or ""."""
    argument: ast.expr
    flags: int
    method: str


@cache
def modules() -> dict[str, ast.Module]:
    return {
        path.relative_to(ROOT.parent).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(ROOT.rglob("*.py"))
    }


def written() -> Iterator[Written]:
    """Every call that makes an expression of a text."""
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert node.module != "re", f"{module}:{node.lineno}: say `re.{node.names[0].name}`"
        names = {id(node.value): target.id for node in tree.body if isinstance(node, ast.Assign)
                 for target in node.targets if isinstance(target, ast.Name)}  # fmt: skip
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            is_ours = isinstance(node.func, ast.Name) and node.func.id == "regex"
            is_re = (
                isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.func.attr in OF_RE
            )
            if not is_ours and not is_re:
                continue
            method = "compile" if is_ours else node.func.attr  # type: ignore[union-attr]
            if not node.args or isinstance(node.args[0], ast.Starred):
                assert module == "prodlint/lazy_regex.py", f"{module}:{node.lineno}: what expression is this?"
                continue
            places = {"compile": 1, "sub": 4, "subn": 4, "split": 3}
            at = places.get(method, 2)
            given = [*node.args[at : at + 1], *(word.value for word in node.keywords if word.arg == "flags")]
            flags = eval(ast.unparse(given[0]), {"re": re}) if given else 0
            yield Written(module, node.lineno, names.get(id(node), ""), node.args[0], int(flags), method)


@cache
def uses() -> dict[tuple[str, str], frozenset[str]]:
    """What is done with each constant of each module: the methods that are called, `scan` for what is not seen."""
    found: dict[tuple[str, str], set[str]] = {}
    for module, tree in modules().items():
        origins = {
            name.asname or name.name: (f"{node.module.replace('.', '/')}.py", name.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("prodlint")
            for name in node.names
        }
        seen: set[int] = set()
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
            ):
                name = node.func.value.id
                seen.add(id(node.func.value))
                is_anchored = node.func.attr in ANCHORED and len(node.args) == 1 and not node.keywords
                method = node.func.attr if is_anchored else "tokens" if node.func.attr in ANCHORED else "scan"
                found.setdefault(origins.get(name, (module, name)), set()).add(method)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in seen:
                found.setdefault(origins.get(node.id, (module, node.id)), set()).add("scan")
    return {key: frozenset(methods) for key, methods in found.items()}


def regexes() -> Iterator[Regex]:
    """All expressions; fails at one whose text cannot be known."""
    for each in written():
        if {(each.module, None), (each.module, each.name)} & OUR_OWN_TEXT:
            continue
        place = f"{each.module}:{each.line}"
        if each.method == "compile":
            methods = uses().get((each.module, each.name), frozenset({"scan"}))
        else:
            methods = frozenset({each.method if each.method in ANCHORED else "scan"})
        if isinstance(each.argument, ast.Constant):
            yield Regex(place, each.argument.value, each.flags, methods)
        elif each.name:
            module = importlib.import_module(each.module.removesuffix(".py").replace("/", "."))
            kept = getattr(module, each.name)
            pattern, flags = kept._source if hasattr(kept, "_source") else (kept.pattern, each.flags)
            yield Regex(place, pattern, int(flags), methods)
        else:
            key = ast.unparse(each.argument)
            assert key in MADE_WHEN_RUN, f"{place}: say in MADE_WHEN_RUN what `{key}` can be"
            methods = frozenset({"fullmatch"}) if key in FOR_WHOLE_TEXTS else methods
            for number, pattern in enumerate(MADE_WHEN_RUN[key]):
                yield Regex(f"{place}-{number}", pattern, each.flags, methods, AT_MOST.get(key))


SIZES = (32, 160, 800)
"""Characters of the texts. What looks more than linear is tried at the next size: a window of some hundred characters
is none."""
SLACK = 60
MOST = 400_000


def texts(steps: Steps) -> Iterator[tuple[str, str, str]]:
    """Beginnings, pieces to be repeated, and ends."""
    found = list(dict.fromkeys(pieces(steps)))
    letters = [text for text in found if len(text) == 1]
    longer = [text for text in found if 1 < len(text) <= 24]
    mixed = [*letters[:4], *longer[:5]]
    pumps = dict.fromkeys([*letters[:16], *longer[:12], *(a + b for a in mixed for b in mixed if a != b), *found])
    beginnings = ["", *longer, *letters][:3]
    for beginning, pump in islice(dict.fromkeys(led(steps)), 120):
        if pump:
            yield beginning, pump, ""
    for pump in islice(pumps, 40):
        for beginning in beginnings:
            yield beginning, pump, ""
        yield "", pump, "\0"
        yield found[-1], pump, "\n!"


def run(steps: Steps, method: str, text: str) -> int:
    """The steps that a text takes; raises `TooMany`."""
    subject: str | bytes = text.encode("utf-8", "replace") if steps.is_bytes else text
    if method in ("scan", "tokens"):
        return steps.scan(subject, MOST, in_a_row=method == "tokens")[0]
    return steps.match(subject, full=method == "fullmatch", limit=MOST)[0]


def is_linear(counts: Sequence[int]) -> bool:
    return counts[2] - counts[1] <= 2.6 * (counts[1] - counts[0]) + SLACK


def worst(regex: Regex) -> str:
    """A text for which an expression takes more than linearly many steps, "" if there is none among those tried."""
    steps = Steps(regex.pattern, regex.flags)
    for method in sorted(regex.methods):
        for beginning, pump, end in texts(steps):
            said = f"{method} of {beginning!r} + {pump!r} * n + {end!r}"
            try:
                if regex.longest is not None:
                    run(steps, method, f"{beginning}{pump * (regex.longest // len(pump))}{end}")
                    continue
                for size in SIZES:
                    counts = [
                        run(steps, method, f"{beginning}{pump * max(3, factor * size // len(pump))}{end}")
                        for factor in (1, 2, 4)
                    ]
                    if is_linear(counts):
                        break
                else:
                    return f"{said}: {counts} steps"
            except TooMany:
                return f"{said}: more than {MOST} steps"
    return ""


@pytest.mark.parametrize("regex", [pytest.param(each, id=each.place) for each in regexes()])
def test_linear(regex: Regex) -> None:
    found = worst(regex)
    assert not found, f"{regex.place}: {regex.pattern!r}: {found}"


def test_all_are_found() -> None:
    assert len(list(regexes())) > 300
    written_so = {ast.unparse(each.argument) for each in written()}
    assert {*MADE_WHEN_RUN, *FOR_WHOLE_TEXTS, *AT_MOST} <= written_so
    assert {key for key in OUR_OWN_TEXT if key[1]} <= {(each.module, each.name) for each in written()}
    assert {module for module, _ in OUR_OWN_TEXT} <= {each.module for each in written()}


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"\d*<<", "scan"),
        (r"^\s*\[", "match"),
        (r"(?m)^\s*\[", "scan"),
        (r"\s+$", "scan"),
        (r"(?:a|a)*b", "match"),
        (r"(\w+)*!", "fullmatch"),
        (r"(?:[._-][\w-]+)*\.py", "fullmatch"),
        (r"\{\{.*?\}\}", "scan"),
        (r'"(?:\\.|[^"\\])*"', "scan"),
        (r"x[^\n]*y[^\n]*z", "match"),
        (r"(?=\w*;)\w", "scan"),
        (r"(?<![a-z])[a-z ]*1", "scan"),
        (rb"[ \t]*\r?\n(?:[ \t]*\r?\n)*", "scan"),
        (r"(a+)\1b", "match"),
    ],
)
def test_what_is_not_linear_is_told(pattern: str | bytes, method: str) -> None:
    """All but one of these take quadratic or exponential time in `re`."""
    is_one = pattern != r"^\s*\["
    assert bool(worst(Regex("", pattern, 0, frozenset({method})))) is is_one


@pytest.mark.parametrize(
    "pattern",
    [r"(?<![ \t])[ \t]++x", r"(?<!\d)\d++<<", r'"(?:[^"\\]|\\.)*+"?', r"(?i)\bstra(?:ss|\xdf)e\b"],
)  # fmt: skip
def test_what_is_linear_is_left_alone(pattern: str) -> None:
    assert worst(Regex("", pattern, 0, frozenset({"scan"}))) == ""


@pytest.mark.parametrize("regex", [pytest.param(each, id=each.place) for each in regexes()][::4])
def test_steps_are_counted_of_what_re_does(regex: Regex) -> None:
    """The matcher that counts finds what `re` finds."""
    steps = Steps(regex.pattern, regex.flags)
    compiled: re.Pattern[Any] = re.compile(regex.pattern, regex.flags)
    for beginning, pump, end in islice(texts(steps), 0, 120, 4):
        text = f"{beginning}{pump * 3} {pump}{end}"
        subject: Any = text.encode("utf-8", "replace") if steps.is_bytes else text
        assert steps.scan(subject)[1] == [match.span() for match in compiled.finditer(subject)]
        for is_full, match in ((False, compiled.match(subject)), (True, compiled.fullmatch(subject))):
            assert steps.match(subject, full=is_full)[1] == (match and match.span())
