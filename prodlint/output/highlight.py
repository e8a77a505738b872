"""Colours for code, by pygments. Imported only when there is colour."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import PurePosixPath

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_by_name
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Token, _TokenType
from pygments.util import ClassNotFound

from prodlint.output.terminal import Styled

_STYLES = {
    Comment: "comment",
    Keyword: "keyword",
    Keyword.Constant: "constant",
    Operator.Word: "keyword",
    String: "string",
    String.Interpol: "",
    Number: "number",
    Name.Function: "name",
    Name.Class: "name",
    Name.Decorator: "name",
    Name.Tag: "name",
    Name.Attribute: "name",
    Token: "",
}

_LEXERS = {
    ".js": "javascript",
    ".jsx": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".ts": "typescript",
    ".tsx": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".py": "python",
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
    ".conf": "nginx",
    ".sh": "bash",
    ".service": "ini",
    ".socket": "ini",
    ".timer": "ini",
    ".ini": "ini",
}

# Delimiters of what may have begun above the first line shown, per language: (as it begins, as it ends).
_SPANNING = {
    "javascript": (("/*", "*/"), ("`", "`")),
    "typescript": (("/*", "*/"), ("`", "`")),
    "python": (('"""', '"""'), ("'''", "'''")),
}


def language_of(path: str) -> str:
    """The pygments name of the language that a file is written in, by its name; "" if none is known."""
    name = PurePosixPath(path).name
    if name.lower().startswith(("dockerfile", "containerfile")) or name.lower().endswith(".dockerfile"):
        return "docker"
    return _LEXERS.get(PurePosixPath(name).suffix.lower(), "")


def highlight(lines: Sequence[str], language: str, first_code: int = 0) -> list[list[Styled]]:
    """The lines with their styles. They are lexed alone, without the file around them, which is what keeps a thousand
    frames quick; a comment or string that ends in the lines before `first_code` (an index) has begun above."""
    lexer = _lexer(language)
    if lexer is None:
        return [[("", line)] for line in lines]
    opening = _opening(lines[:first_code], language)
    styled: list[list[Styled]] = [[]]
    for _, token, text in lexer.get_tokens_unprocessed(f"{opening}\n" + "\n".join(lines)):
        style = _style(token)
        for number, piece in enumerate(text.split("\n")):
            if number:
                styled.append([])
            if piece:
                styled[-1].append((style, piece))
    return styled[1:]


def _opening(lines: Sequence[str], language: str) -> str:
    """What must have stood above the lines, if something ends in them that does not begin there."""
    for begin, end in _SPANNING.get(language, ()):
        for line in lines:
            closing = line.count(end) % 2 == 1 if begin == end else end in line and begin not in line.split(end)[0]
            if closing:
                return begin
    return ""


@cache
def _lexer(language: str) -> Lexer | None:
    try:
        return find_lexer_class_by_name(language)() if language else None
    except ClassNotFound:
        return None


@cache
def _style(token: _TokenType) -> str:
    return next(_STYLES[kind] for kind in reversed(token.split()) if kind in _STYLES)
