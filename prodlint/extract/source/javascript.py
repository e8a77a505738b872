"""Facts of JavaScript, TypeScript and their JSX forms, from the tree-sitter syntax tree.

Two passes: `_js_scopes` runs the query over the tree and declares every name in its scope; `_js_walk` goes down the
tree once and records the facts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import cache

from tree_sitter import Node

from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.extract.source._js_definitions import DEFINITIONS
from prodlint.extract.source._js_expressions import EXPRESSIONS
from prodlint.extract.source._js_grammar import ERROR_KIND_ID, Source, language, syntax_of
from prodlint.extract.source._js_modules import MODULES, bind_imports
from prodlint.extract.source._js_scopes import Scopes, read_scopes
from prodlint.extract.source._js_statements import STATEMENTS, children
from prodlint.extract.source._js_walk import Handler, Walk
from prodlint.facts import Directive, FileFacts, NameUse, SyntaxProblem, Unbound
from prodlint.lazy_regex import regex

_MOST_PROBLEMS = 20

_MODULE_NAMES = frozenset({"require", "module", "exports", "define"})
_ANNOUNCEMENT = regex(r"/\*\s*(globals?|exported|eslint-env|jshint|jslint)\s((?:[^*]|\*(?!/))*)\*/")

_SILENCE = regex(r"eslint-disable(-line|-next-line)?\b[ \t]*([^\n*]*)")
_FAR = 1 << 62

_SHEBANG = regex(rb"(?:\xef\xbb\xbf)?(#![^\r\n]*)")

# What denotes nothing at run time, or is read by the handler of the node around it.
_NOT_WALKED = regex(
    r".*(?:_type|_signature|_predicate|type_\w+|_annotation|_modifier|_identifier|_fragment)"
    r"|ambient_declaration|type_alias_declaration|implements_clause|comment|html_comment"
    r"|hash_bang_line|jsx_text|jsx_namespace_name|jsx_closing_element|escape_sequence|optional_chain|import|asserts|constraint"
)


def extract(data: bytes, kind: str) -> FileFacts:
    """Return the facts of a file.

    Takes its bytes and its kind: `javascript` (JSX included), `typescript` or `tsx`. Never raises for what is in the
    file: where it cannot be parsed, the facts say so in `problems`, and the sound parts still give facts.
    """
    root, grammar = syntax_of(data, kind)
    source = Source(data)
    scopes = read_scopes(root, grammar, source)
    facts = FileFacts(kind=kind, line_starts=line_starts_of(data))
    walk = Walk(facts, source, scopes, _handlers(grammar))
    bind_imports(walk, root)
    walk.run(root)
    facts.unbound = _not_silenced(facts, source)
    facts.ambient = _ambient(facts, scopes)
    facts.announced = _announced(source)
    facts.makes_names = any(unbound.name == "eval" for unbound in facts.unbound)
    facts.problems = _problems(scopes.problems, source)
    facts.directives = _directives(data, root, facts.line_starts)
    shebang = _SHEBANG.match(data)
    facts.shebang = shebang[1].decode(errors="replace") if shebang is not None else ""
    return facts


@cache
def _handlers(grammar_name: str) -> dict[int, Handler]:
    """Return the handler of each kind of node, by its id in the grammar; what has none is not walked."""
    grammar = language(grammar_name)
    named = EXPRESSIONS | DEFINITIONS | STATEMENTS | MODULES
    handlers: dict[int, Handler] = {ERROR_KIND_ID: children}
    for kind_id in range(grammar.node_kind_count):
        name = grammar.node_kind_for_id(kind_id)
        if name is None or not grammar.node_kind_is_named(kind_id):
            continue
        if name in named:
            handlers[kind_id] = named[name]
        elif _NOT_WALKED.fullmatch(name) is None:
            handlers[kind_id] = children
    return handlers


def _ambient(facts: FileFacts, scopes: Scopes) -> list[str]:
    """What the file makes known to all: a script that is no module shares its top level with the other scripts."""
    is_script = (
        not facts.imports and not facts.exports and _MODULE_NAMES.isdisjoint(fact.name for fact in facts.unbound)
    )
    return [*scopes.ambient, *(scopes.root.names if is_script else ())]


def _not_silenced(facts: FileFacts, source: Source) -> list[Unbound]:
    """The names without those uses of which a comment for ESLint says that they are meant."""
    silent = list(_silenced(facts.line_starts, source)) if facts.unbound else []
    for start, end in silent:
        for fact in facts.unbound:
            fact.places = [
                item for use in fact.uses() if not start <= use[0] < end or use[2] is NameUse.TESTED for item in use
            ]
    return [fact for fact in facts.unbound if fact.places]


def _silenced(line_starts: list[int], source: Source) -> Iterator[tuple[int, int]]:
    for comment in source.all(_SILENCE):
        if comment[2] and "no-undef" not in comment[2].split("--")[0]:
            continue
        line = bisect_right(line_starts, comment.start())
        following = [*line_starts[line : line + 2], _FAR, _FAR]
        if comment[1] == "-line":
            yield line_starts[line - 1], following[0]
        elif comment[1]:
            yield following[0], following[1]
        else:
            yield comment.start(), _FAR


def _announced(source: Source) -> list[str]:
    """The names and environments that comments declare, as ESLint, JSHint and JSLint read them."""
    found: list[str] = []
    for comment in source.all(_ANNOUNCEMENT):
        environments = comment[1] not in ("global", "globals", "exported")
        for entry in comment[2].split(","):
            name, _, value = entry.partition("--")[0].partition(":")
            if value.strip() not in ("false", "off") or not environments:
                found += (f":{word}" if environments else word for word in name.split())
    return found


def _problems(nodes: list[Node], source: Source) -> list[SyntaxProblem]:
    problems: list[SyntaxProblem] = []
    end = -1
    for node in nodes:
        if node.start_byte < end or len(problems) == _MOST_PROBLEMS:
            continue
        end = node.end_byte
        if node.is_missing:
            message = f"syntax error: missing `{node.type}`"
        else:
            lines = source.between(node.start_byte, min(end, node.start_byte + 40)).strip().splitlines()
            message = f"syntax error near `{lines[0].strip()}`" if lines else "syntax error"
        problems.append(SyntaxProblem(message, node.start_byte, end))
    return problems


def _directives(data: bytes, root: Node, line_starts: list[int]) -> list[Directive]:
    directives: list[Directive] = []
    position = data.find(MARKER)
    while position >= 0:
        node = root.descendant_for_byte_range(position, position + len(MARKER))
        end = position + len(MARKER)
        if node is not None and node.type in ("comment", "html_comment"):
            end = max(end, node.end_byte)
            directive = parse_directive(data, node.start_byte, node.end_byte, line_starts)
            if directive is not None:
                directives.append(directive)
        position = data.find(MARKER, end)
    return directives
