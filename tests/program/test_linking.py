"""What the pages in `tests/program/linking` say of calls, edges and contexts is what linking finds.

A page is Markdown, and each `##` section with code one small project, as in rule pages (see `tests/pages.py`). A comment
at the end of a line says what linking finds there, and all of it:

* `calls: a.js:load | fs.readFileSync; ?` for the calls whose parentheses open in this line, in that order: what each
  can reach, `?` if that is not known. Own functions are named by file and name (`a.js:Cart.add` for methods, `a.js:7`
  for one without a name that starts in line 7 of the file), those of libraries by the way to them.
* `edges: a.js:load; a.js:save (background)` for the function that starts in this line: whom it runs, and in brackets
  where to that is moved. `module edges:` is about the module's body, in whatever line it stands.
* `runs: request; startup` for the function that starts in this line: the contexts that it can run in. `module runs:`
  is about the module's body.

`-` stands for nothing at all. What stands in a line without a comment is not looked at.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodlint.program.linking.program import Program
from prodlint.program.linking.resolver import File
from tests.pages import Section, read_page
from tests.program.conftest import Linker
from tests.program.described import Names

PAGES = sorted(Path(__file__).with_name("linking").glob("*.md"))
MARK = re.compile(r"(?://|#) ?(?P<kind>(?:module )?(?:edges|runs)|calls): (?P<said>.+?)(?= (?://|#) |$)")


def _linked(section: Section, link: Linker) -> Iterator[tuple[str, str, str]]:
    """Each comment of a section: where it is, what it says, and what is true."""
    program = link(section.texts())
    for path, text in section.texts().items():
        for number, line in enumerate(text.splitlines(), 1):
            for mark in MARK.finditer(line):
                truth = _truth(program, program.by_path[path], number, mark["kind"])
                where = f"{section.page.name}:{section.files[path].page_line + number - 1}: {mark['kind']}"
                yield where, _in_order(mark["said"], mark["kind"]), _in_order(truth, mark["kind"])


def _truth(program: Program, file: File, line: int, kind: str) -> str:
    names = Names(program)
    if kind == "calls":
        calls = sorted(
            (max(call.args_start, call.start), index)
            for index, call in enumerate(file.facts.calls)
            if _line_of(file, max(call.args_start, call.start)) == line
        )
        found = (program.graph.targets[file.index][index] for _, index in calls)
        return "; ".join(" | ".join(map(names.target, targets)) or "?" for targets in found)
    function = 0 if kind.startswith("module") else _function_in(file, line)
    if kind.endswith("runs"):
        contexts = program.contexts.of(file.fn_base + function)
        return "; ".join(context.name.lower().replace("_", "-") for context in contexts)
    edges = program.graph.edges.get(file.fn_base + function, ())
    return "; ".join(dict.fromkeys(map(names.edge, edges)))


def _in_order(said: str, kind: str) -> str:
    """What is said with its parts in an order of no meaning: that of calls has one."""
    parts = [" | ".join(sorted(part.strip().split(" | "))) for part in said.split(";")]
    return "; ".join(parts if kind == "calls" else sorted(parts)) or "-"


def _function_in(file: File, line: int) -> int:
    found = (
        number
        for number, function in enumerate(file.facts.functions)
        if number and _line_of(file, function.start) == line
    )
    return next(found)


def _line_of(file: File, offset: int) -> int:
    return bisect_right(file.facts.line_starts, offset)


SECTIONS = [section for page in PAGES for section in read_page(page).projects]


@pytest.mark.parametrize("section", SECTIONS, ids=[f"{each.rule}: {each.title}" for each in SECTIONS])
def test_sections(section: Section, linked: Linker) -> None:
    stated = list(_linked(section, linked))
    assert stated, f"{section.where}: nothing is said of it"
    wrong = [f"{where}: {truth}\n    and not {said}" for where, said, truth in stated if said != truth]
    assert not wrong, "\n".join(["", *wrong])
