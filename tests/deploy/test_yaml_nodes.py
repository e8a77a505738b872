"""The YAML layer against PyYAML, which reads every scalar as a string here too."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from prodlint.extract.deployment.nodes import List, Map, Node, Scalar
from prodlint.extract.deployment.yaml_nodes import parse


class _Strings(yaml.SafeLoader):
    """Knows merge keys, and takes every other plain scalar for a string."""

    yaml_implicit_resolvers = {
        letter: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:merge"]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def plain(node: Node | None) -> Any:
    if isinstance(node, Map):
        return {key: plain(pair.value) for key, pair in node.merged.items()}
    if isinstance(node, List):
        return [plain(item) for item in node.items]
    return node.text if isinstance(node, Scalar) else ""


def root_of(text: str) -> Map:
    root = parse(text.encode()).documents[0]
    assert isinstance(root, Map)
    return root


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb: [x, 'y', \"z\\n\\u00e9\\x41\"]\nc: {d: e, f: }\n",
        "a: it's\nb: 'it''s'\nc: \"say \\\"hi\\\"\"\n",
        "a:\n- b\n- c: d\n  e: f\n-\n- - g\n",
        "a: |\n  one\n   two\n\n  three\n\nb: x\n",
        "a: |-\n  one\n\n\nb: |+\n  one\n",
        "a: >\n  one\n  two\n\n  three\n   four\n  five\n",
        "a: >-\n  one\n  two\nb: x\n",
        'a: one\n  two\n\n  three\nb: "one\n  two\\\n  three"\n',
        "x: &x\n  a: 1\n  b: 2\ny:\n  <<: *x\n  b: 3\nz:\n  <<: [*x, {c: 4, a: 5}]\n",
        "a: &a v\nb: *a\n",
        "a: 1\na: 2\n",
        "%YAML 1.2\n---\na: b # comment\n# more\n",
        "a: b:c\nurl: http://x/y#z\n? k\n: v\n",
        "{a: b, c: [d, e]}\n",
        "a: ä\nb: ö # ü\nc: 'ß'\n",
    ],
)
def test_values_are_those_that_pyyaml_reads(text: str) -> None:
    assert plain(parse(text.encode()).documents[0]) == yaml.load(text, _Strings)


_SCALARS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co", "Zl", "Zp")), max_size=12)
_DOCUMENTS = st.dictionaries(
    st.text("abcdefg", min_size=1, max_size=4),
    st.recursive(
        _SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz", min_size=1), inner, max_size=3),
        max_leaves=8,
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150)
@given(_DOCUMENTS, st.booleans())
def test_what_pyyaml_writes_is_read_back(document: dict[str, Any], flow: bool) -> None:
    text = yaml.safe_dump(document, allow_unicode=True, default_flow_style=True if flow else None)
    stream = parse(text.encode())
    assert plain(stream.documents[0]) == yaml.load(text, _Strings)


def test_offsets_are_bytes() -> None:
    data = "ä: {b: 'ö'}\nc:\n  - ü\n".encode()
    root = parse(data).documents[0]
    assert isinstance(root, Map)
    inner, items = root.get("ä"), root.get("c")
    assert isinstance(inner, Map) and isinstance(items, List)
    value = inner.get("b")
    assert value is not None and data[value.start : value.end].decode() == "'ö'"
    assert data[items.items[0].start : items.items[0].end].decode() == "ü"  # type: ignore[union-attr]


def test_several_documents() -> None:
    documents = parse(b"a: 1\n---\nb: 2\n---\n").documents
    assert [plain(document) for document in documents[:2]] == [{"a": "1"}, {"b": "2"}]


def test_a_bomb_is_read_as_what_it_is_in_the_file() -> None:
    text = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for letter, before in zip("bcdefghijklmnopq", "abcdefghijklmnop", strict=True):
        text += f"{letter}: &{letter} [{', '.join([f'*{before}'] * 9)}]\n"
    root = root_of(text)
    last, first = root.get("q"), root.get("p")
    assert isinstance(last, List)
    assert all(item is first for item in last.items)


def test_merge_bombs_and_maps_inside_themselves() -> None:
    text = "a: &a\n  k: v\n"
    for letter, before in zip("bcdefghijk", "abcdefghij", strict=True):
        text += f"{letter}: &{letter}\n  <<: [{', '.join([f'*{before}'] * 9)}]\n"
    assert root_of(text).map("k").text("k") == "v"  # type: ignore[union-attr]
    root = root_of("a: &a\n  <<: *a\n  b: c\n")
    assert root.map("a").text("b") == "c"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("services:\n  web:\n    image: x\n  \tbroken\n", "services"),
        ("a: b\nc: [d\n", "a"),
        ("a: b\n  c: d\n", "a"),
    ],
)
def test_what_is_broken_is_said_and_the_rest_is_read(text: str, key: str) -> None:
    stream = parse(text.encode())
    assert len(stream.problems) == 1
    documents = [document for document in stream.documents if isinstance(document, Map)]
    assert any(key in document.own for document in documents)


def test_tabs_are_named() -> None:
    (problem,) = parse(b"a:\n\tb: c\n").problems
    assert "tabs" in problem.message


def test_nesting_without_end() -> None:
    root = root_of("a: " + "[" * 5000 + "]" * 5000)
    assert isinstance(root.get("a"), List)
