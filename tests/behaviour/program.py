"""A program that is both analysed and run: what a rule says about it and what it does belong together."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.pages import find, fix, take_marks

HERE = Path(__file__).parent
NODE_SETS = HERE / "node"


@dataclass(frozen=True)
class Program:
    """What runs, and with what."""

    rule: str
    stack: str
    """A folder of `node/`, or a Python framework."""
    files: Mapping[str, str]

    def fixed(self) -> Program:
        """The program as the rule's own fixes leave it, in which the rule finds nothing any more."""
        files, withheld = fix(self.files, {"select": [self.rule]}, self.rule)
        assert not withheld
        assert files != self.files, "the fix changes nothing"
        left = find(files, {"select": [self.rule]})[0]
        assert not left, f"still found after the fix: {left}"
        return replace(self, files=files)

    def write(self, folder: Path) -> None:
        """Puts the files there."""
        for path, text in self.files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)


def program(rule: str, stack: str, files: str | Mapping[str, str]) -> Program:
    """A program whose lines are marked as on a rule page: `// flagged: rule`. Fails unless the rule finds exactly them.

    `files` may be the text of the only file. The stack adds its package.json, so that the versions that
    prodlint reads are those that run.
    """
    is_node = (NODE_SETS / stack).is_dir()
    texts = {("app.js" if is_node else "app.py"): files} if isinstance(files, str) else dict(files)
    expected = []
    for path, text in texts.items():
        texts[path], marks = take_marks(path, textwrap.dedent(text).strip("\n").splitlines())
        expected += [(mark.path, mark.line, mark.kind, mark.rule) for mark in marks]
    if is_node:
        texts.setdefault("package.json", (NODE_SETS / stack / "package.json").read_text())
    found, errors = find(texts, {"select": [rule]})
    assert not errors, errors
    if sorted(expected) != sorted((item.path, item.line, item.kind, item.rule) for item in found):
        pytest.fail(f"marked: {expected}\nfound: {found}", pytrace=False)
    return Program(rule, stack, texts)


def express(handler: str, before: str = "") -> str:
    """The text of an app of Express: `handler` is that of the route `/`, there is another at `/alive`, and error middleware."""
    return f"""
const fs = require('node:fs');
const express = require('express');

{textwrap.dedent(before).strip()}

const app = express();
app.get('/alive', (req, res) => res.send('yes'));
app.get('/', {textwrap.dedent(handler).strip()});
app.use((err, req, res, next) => {{
  console.error('handled:', err.message);
  res.status(503).send(`handled: ${{err.message}}`);
}});
app.listen(process.env.PORT);
"""
