"""Links small projects held in memory, facts passed through the codec as in a cached run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from textwrap import dedent

import msgspec
import pytest

from prodlint.extract.deployment import package_json, python_requirements, tsconfig
from prodlint.extract.source import javascript, python
from prodlint.facts import FileFacts
from prodlint.program.linking.program import Program, link
from prodlint.project.hints import Hints

Linker = Callable[..., Program]


def facts_of(path: str, text: str) -> FileFacts:
    data = dedent(text).encode()
    name = path.rpartition("/")[2]
    if name == "package.json":
        facts = package_json.extract(data, path)
    elif name == "tsconfig.json":
        facts = tsconfig.extract(data, path)
    elif name in ("requirements.txt", "pyproject.toml"):
        facts = python_requirements.extract(data, path)
    elif path.endswith(".py"):
        facts = python.extract(data)
    else:
        kinds = {".ts": "typescript", ".mts": "typescript", ".tsx": "tsx"}
        facts = javascript.extract(data, kinds.get("." + path.rpartition(".")[2], "javascript"))
    return msgspec.msgpack.decode(msgspec.msgpack.encode(facts), type=FileFacts)


@pytest.fixture
def linked() -> Linker:
    def make(files: Mapping[str, str], hints: Hints | None = None) -> Program:
        texts = {path: dedent(text).encode() for path, text in files.items()}
        facts = {path: facts_of(path, text) for path, text in files.items()}
        return link(facts, hints or Hints(), texts.__getitem__)

    return make


def contexts(program: Program, name: str) -> set[str]:
    """The names of the contexts of the only function called `name`."""
    found = [number for number, (_, fact) in enumerate(program.resolver.functions) if fact.name == name]
    assert len(found) == 1, f"{len(found)} functions are called {name}"
    return {context.name for context in program.contexts.of(found[0])}
