"""Python source → facts.

The tree-sitter parser takes any bytes and always answers with a tree; what it could not make sense of is in that tree
as an error node. One query (`python.scm`) picks the nodes that matter. The outline pass notes functions, regions and
names; the events pass evaluates and records calls, stores and exits.
"""

from __future__ import annotations

from collections.abc import Sequence

from tree_sitter import Node

from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.extract.source import _py_grammar as grammar
from prodlint.extract.source._build import Values
from prodlint.extract.source._py_events import Events
from prodlint.extract.source._py_outline import outline
from prodlint.extract.source._py_unbound import makes_names, unbound_names
from prodlint.facts import Directive, FileFacts, SyntaxProblem

_MOST_PROBLEMS = 20
_LONGEST_EXCERPT = 30


def extract(data: bytes, kind: str = "python") -> FileFacts:
    """Return all facts about the Python source `data`; broken code gives `problems` and facts of its sound parts."""
    root = grammar.parse(data)
    nodes, comments, broken = grammar.captures(root)
    line_starts = line_starts_of(data)
    values = Values()
    found = outline(data, root, nodes, values)
    events = Events(data, found, [comment.start_byte for comment in comments])
    events.run()
    unbound = unbound_names(data, root, found, events.evaluator.missed)
    return FileFacts(
        kind=kind,
        functions=found.functions,
        classes=found.classes,
        exports=events.exports(),
        values=values.facts,
        bindings=found.bindings,
        regions=found.regions,
        calls=found.calls,
        stores=events.stores,
        exits=events.exits,
        imports=found.imports,
        directives=_directives(data, comments, line_starts),
        problems=_problems(data, broken),
        shebang=_shebang(data),
        line_starts=line_starts,
        accesses=events.accesses,
        unbound=unbound,
        makes_names=bool(unbound) and makes_names(data),
        reads=events.evaluator.reads,
    )


def _directives(data: bytes, comments: Sequence[Node], line_starts: Sequence[int]) -> list[Directive]:
    if MARKER not in data:
        return []
    parsed = (parse_directive(data, comment.start_byte, comment.end_byte, line_starts) for comment in comments)
    return [directive for directive in parsed if directive is not None]


def _problems(data: bytes, broken: Sequence[Node]) -> list[SyntaxProblem]:
    """Return the outermost stretches that could not be parsed, each cut at the end of its line."""
    problems: list[SyntaxProblem] = []
    covered = -1
    for node in broken:
        start, end = node.start_byte, node.end_byte
        if start < covered:
            continue
        covered = end
        if node.is_missing:
            message = f"missing {node.type}"
        else:
            line = data[start:end].split(b"\n", 1)[0].rstrip()
            end = start + len(line)
            excerpt = line[:_LONGEST_EXCERPT].decode(errors="replace")
            message = f"invalid syntax: {excerpt}" if excerpt else "invalid syntax"
        problems.append(SyntaxProblem(message, start, end))
        if len(problems) == _MOST_PROBLEMS:
            break
    return problems


def _shebang(data: bytes) -> str:
    line = data.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]
    return line.rstrip().decode(errors="replace") if line.startswith(b"#!") else ""
