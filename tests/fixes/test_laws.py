"""The laws of fixing, on sources that nobody wrote by hand: the examples of the rule pages, changed in their syntax trees and
their layout, and with generated code around them.

Whatever a file looks like, after all fixes it parses, a second run changes nothing, every comment is still there, line
ends, byte order mark and the last line end are the file's own, and the diff is one that `git apply` takes and that gives
the very bytes that `--fix` writes.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path, PurePosixPath

import hypothesmith
import pytest
import tree_sitter_python
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tree_sitter import Language, Node, Parser

from prodlint.analysis.session import Session
from prodlint.extract.source._js_grammar import language
from prodlint.fixes._js_tree import KINDS
from prodlint.fixes.apply import fix_all
from prodlint.fixes.diff import unified_diff
from prodlint.fixes.text import BOM
from tests.pages import deep_case_files, read_page, rule_pages, settings_of

Files = dict[str, bytes]
Change = Callable[[bytes, str, float], bytes]

SCRIPTS = frozenset({".js", ".cjs", ".mjs", ".ts", ".tsx"})


def _projects(suffixes: frozenset[str]) -> list[tuple[str, Files, dict[str, object]]]:
    """The projects of all sections with an `after` fence that have source files of a language."""
    found = []
    for path in (*rule_pages(), *deep_case_files()):
        for section in read_page(path).projects:
            if section.after and any(PurePosixPath(name).suffix in suffixes for name in section.files):
                texts = {name: text.encode() for name, text in section.texts().items()}
                found.append((section.where, texts, settings_of(section)))
    return found


JAVASCRIPT, PYTHON = _projects(SCRIPTS), _projects(frozenset({".py"}))

# --- the laws


def _hold(files: Mapping[str, bytes], chosen: dict[str, object]) -> None:
    session = Session.from_memory({path: data.decode() for path, data in files.items()}, chosen)
    outcome = fix_all(session, lambda *_: True)
    after = session.with_overlay({path: new for path, (_, new) in outcome.changed.items()})
    assert session.fix_errors == after.fix_errors == []
    for path, (old, new) in outcome.changed.items():
        assert after.problems(path) <= session.problems(path), f"{path} parses worse\n{new.decode()}"
        assert not (path.endswith(".py") and _compiles(old)) or _compiles(new), (
            f"{path} does not compile\n{new.decode()}"
        )
        assert _line_ends(new) <= _line_ends(old) or not _line_ends(old), f"{path} has other line ends"
        assert old.startswith(BOM) == new.startswith(BOM), f"{path}: the byte order mark"
        assert old.endswith(b"\n") == new.endswith(b"\n"), f"{path}: the last line end"
        lost = Counter(_comments(path, old)) - Counter(_comments(path, new))
        assert not [text for text in lost if b"prodlint:" not in text], (
            f"{path} has lost comments: {lost}\n{new.decode()}"
        )
    again = fix_all(after, lambda *_: True)
    assert again.changed == {}, f"a second run changes it:\n{unified_diff(again.changed).decode()}"
    if outcome.changed:
        _is_a_patch(outcome.changed)


def _compiles(data: bytes) -> bool:
    try:
        compile(data, "module", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _line_ends(data: bytes) -> set[bytes]:
    return set(re.findall(rb"\r\n|\n", data))


def _is_a_patch(changed: Mapping[str, tuple[bytes, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, (old, _) in changed.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(old)
        run = subprocess.run(
            ["git", "apply", "--whitespace=nowarn", "-"], input=unified_diff(changed), cwd=folder, capture_output=True
        )
        assert run.returncode == 0, run.stderr.decode()
        assert {path: (folder / path).read_bytes() for path in changed} == {
            path: new for path, (_, new) in changed.items()
        }


# --- syntax trees


def _root(path: str, data: bytes) -> Node | None:
    suffix = PurePosixPath(path).suffix
    if suffix == ".py":
        return Parser(Language(tree_sitter_python.language())).parse(data).root_node
    return Parser(language(KINDS.get(suffix, "javascript"))).parse(data).root_node if suffix in SCRIPTS else None


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _comments(path: str, data: bytes) -> Iterator[bytes]:
    root = _root(path, data)
    for node in _walk(root) if root is not None else ():
        if node.type == "comment":
            yield b" ".join((node.text or b"").split())


_BODIES = frozenset({"program", "module", "block", "statement_block"})


def _statements(data: bytes, path: str) -> list[Node]:
    """The statements that have whole lines for themselves."""
    root = _root(path, data)
    found = []
    for node in _walk(root) if root is not None else ():
        if node.parent is not None and node.parent.type in _BODIES and node.is_named:
            before = data[data.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte]
            end = data.find(b"\n", node.end_byte)
            behind = data[node.end_byte : len(data) if end < 0 else end].strip()
            if not before.strip() and behind in (b"", b";"):
                found.append(node)
    return found


def _lines_of(data: bytes, node: Node) -> tuple[int, int]:
    end = data.find(b"\n", node.end_byte)
    return data.rfind(b"\n", 0, node.start_byte) + 1, len(data) if end < 0 else end + 1


# --- changes. Each takes a number between 0 and 1, which says where.


def _picked(data: bytes, path: str, where: float) -> tuple[int, int] | None:
    statements = _statements(data, path)
    return _lines_of(data, statements[int(where * (len(statements) - 1))]) if statements else None


def _without(data: bytes, path: str, where: float) -> bytes:
    place = _picked(data, path, where)
    return data[: place[0]] + data[place[1] :] if place else data


def _twice(data: bytes, path: str, where: float) -> bytes:
    place = _picked(data, path, where)
    return data[: place[1]] + data[place[0] :] if place and data.endswith(b"\n") else data


def _commented(data: bytes, path: str, where: float) -> bytes:
    """Comments above and behind a statement, with letters of several bytes."""
    place = _picked(data, path, where)
    if place is None:
        return data
    mark = b"#" if path.endswith(".py") else b"//"
    line = data[place[0] : place[1]]
    indent = line[: len(line) - len(line.lstrip())]
    above = indent + mark + " größer 🙂\n".encode()
    end = line.rstrip(b"\n")
    tail = line[len(end) :]
    return data[: place[0]] + above + end + b"  " + mark + " später".encode() + tail + data[place[1] :]


def _wrapped(data: bytes, path: str, where: float) -> bytes:
    """A statement inside an `if`."""
    place = _picked(data, path, where)
    if place is None or not data.endswith(b"\n"):
        return data
    line = data[place[0] : place[1]]
    indent = line[: len(line) - len(line.lstrip())]
    deeper = b"".join(b"    " + each if each.strip() else each for each in line.splitlines(keepends=True))
    is_python = path.endswith(".py")
    head, tail = (b"if ready:\n", b"") if is_python else (b"if (ready) {\n", indent + b"}\n")
    return data[: place[0]] + indent + head + deeper + tail + data[place[1] :]


def _on_one_line(data: bytes, path: str, where: float) -> bytes:
    """Two statements on a line."""
    statements = _statements(data, path)
    pairs = [
        (first, second)
        for first, second in pairwise(statements)
        if first.next_named_sibling == second and not path.endswith(".py")
    ]
    if not pairs:
        return data
    first, second = pairs[int(where * (len(pairs) - 1))]
    between = data[first.end_byte : second.start_byte].strip()
    if between not in (b"", b";"):
        return data
    return data[: first.end_byte] + b"; " + data[second.start_byte :]


def _with_tabs(data: bytes, path: str, where: float) -> bytes:
    step = b"    " if path.endswith(".py") else b"  "
    return re.sub(rb"(?m)^(?: {%d})+" % len(step), lambda match: b"\t" * (len(match[0]) // len(step)), data)


def _with_windows_ends(data: bytes, path: str, where: float) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _with_mark(data: bytes, path: str, where: float) -> bytes:
    return data if data.startswith(BOM) else BOM + data


def _without_last_end(data: bytes, path: str, where: float) -> bytes:
    return data.rstrip(b"\r\n")


def _without_semicolons(data: bytes, path: str, where: float) -> bytes:
    return data if path.endswith(".py") else re.sub(rb"(?m);$", b"", data)


TREE = (_without, _twice, _commented, _wrapped, _on_one_line)
LAYOUT = (_with_tabs, _without_semicolons, _without_last_end, _with_windows_ends, _with_mark)

changes = st.tuples(
    st.lists(st.tuples(st.sampled_from(TREE), st.floats(0, 1)), max_size=3),
    st.lists(st.sampled_from(LAYOUT), max_size=3, unique=True),
)


def _changed(files: Files, suffixes: frozenset[str], tree: list[tuple[Change, float]], layout: list[Change]) -> Files:
    """The project with its sources changed; a change after which a file does not parse any more is left out."""
    found = dict(files)
    for path in found:
        if PurePosixPath(path).suffix in suffixes:
            for change, where in tree:
                new = change(found[path], path, where)
                root = _root(path, new)
                if root is not None and not root.has_error and (not path.endswith(".py") or _compiles(new)):
                    found[path] = new
            for shape in sorted(layout, key=LAYOUT.index):
                new = shape(found[path], path, 0)
                root = _root(path, new)
                if root is not None and not root.has_error and (not path.endswith(".py") or _compiles(new)):
                    found[path] = new
    return found


quick = settings(max_examples=60, suppress_health_check=list(HealthCheck))


@pytest.mark.needs("git")
@quick
@given(st.sampled_from(JAVASCRIPT), changes)
def test_the_laws_hold_for_javascript(project, made):
    _, files, chosen = project
    _hold(_changed(files, SCRIPTS, *made), chosen)


@pytest.mark.needs("git")
@quick
@given(st.sampled_from(PYTHON), changes)
def test_the_laws_hold_for_python(project, made):
    _, files, chosen = project
    _hold(_changed(files, frozenset({".py"}), *made), chosen)


@pytest.mark.needs("git")
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(PYTHON), hypothesmith.from_grammar(), st.booleans())
def test_the_laws_hold_beside_generated_code(project, generated, is_above):
    _, files, chosen = project
    changed = dict(files)
    for path, data in files.items():
        if path.endswith(".py"):
            other = generated.encode("utf-8", "replace")
            other += b"" if other.endswith(b"\n") else b"\n"
            changed[path] = other + data if is_above else data + other
            assume(_compiles(changed[path]))
    _hold(changed, chosen)
