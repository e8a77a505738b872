"""Log calls: how a logger says what a `console` call says (decided on facts, written from the source), and how a file
comes to its logger."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from prodlint.facts import Call, Value, ValueKind
from prodlint.findings import ImportRequest
from prodlint.fixes.text import Edits
from prodlint.lazy_regex import regex
from prodlint.program.code.loggers import Logger, loggers_in
from prodlint.program.linking.resolver import File

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_LIKE_CONSOLE = frozenset({"bunyan", "consola", "debug", "log4js", "loglevel"})
"""Libraries that take the arguments of `console.log` as they are."""

_TEXTS = (ValueKind.STRING, ValueKind.TEMPLATE)
_PLACEHOLDER = regex(r"%[sdifjoOc]")
_ERROR = regex(r"(?:e|er|err|error|ex|exception|reason)\d?|\w*(?:Err|Error)")

Fields = tuple[tuple[str, int], ...]
"""An object of named arguments: (key, position)."""


_SAYS_LEVEL = regex(rb"""[\s(]*+[rRfFuU]{0,2}(?:\"{3}|'{3}|["'`])\W*+(?:(warn(?:ing)?)|error|fatal)\b""", re.IGNORECASE)


def level_said(source: bytes, call: Call) -> str:
    """The level that a message names itself: "warn" for `print("Warning: …")`, "error" for `console.log('ERROR: …')`;
    "" for most."""
    if not call.arg_spans:
        return ""
    match = _SAYS_LEVEL.match(source, call.arg_spans[0])
    return ("warn" if match[1] else "error") if match is not None else ""


class LogCall(NamedTuple):
    """The arguments of a log call: positions of the console call's arguments, and objects made of such."""

    parts: tuple[int | Fields, ...]

    def written(self, source: bytes, call: Call) -> str:
        """The arguments as source text."""
        texts = [
            source[call.arg_spans[2 * at] : call.arg_spans[2 * at + 1]].decode("utf-8", "replace")
            for at in range(len(call.args))
        ]
        written = []
        for part in self.parts:
            if isinstance(part, int):
                written.append(texts[part])
            else:
                pairs = (key if texts[at] == key else f"{key}: {texts[at]}" for key, at in part)
                written.append(f"{{ {', '.join(pairs)} }}")
        return ", ".join(written)


def log_call(file: File, call: Call, library: str) -> LogCall | str:
    """How a logger of `library` would say what the console call says, or why it cannot."""
    values = [file.facts.values[argument] for argument in call.args]
    if not values:
        return "it writes an empty line"
    if any(value.kind is ValueKind.SPREAD for value in values):
        return "nobody can tell how many arguments `...` stands for"
    errors = [at for at, value in enumerate(values) if is_error(file, value)]
    as_it_is = tuple(range(len(values)))
    is_text = values[0].kind in _TEXTS
    if library == "bunyan" and is_text and len(values) == 2 and errors == [1]:
        return LogCall((1, 0))
    if library in _LIKE_CONSOLE:
        return LogCall(as_it_is)
    if len(values) == 1:
        return LogCall(as_it_is)
    if library == "pino" and (errors == [0] or (is_text and _placeholders(values[0]) == len(values) - 1)):
        return LogCall(as_it_is)
    if is_text and _placeholders(values[0]):
        return "this logger does not fill `%s` as `console` does"
    if not is_text:
        return "its first argument is no text"
    if library == "winston" and errors == [1] and len(values) == 2:
        return LogCall(as_it_is)
    if library not in ("pino", "winston"):
        return "this logger takes one argument"
    fields = _fields(file, values)
    if fields is None:
        return "its arguments have no names to log them under"
    return LogCall((fields, 0) if library == "pino" else (0, fields))


def is_error(file: File, value: Value) -> bool:
    """Whether a value is an error: what `catch` binds, or what is named like one."""
    return value.kind is ValueKind.CATCH or (
        value.kind in (ValueKind.PARAM, ValueKind.BINDING) and _ERROR.fullmatch(_name(file, value)) is not None
    )


def _placeholders(value: Value) -> int:
    return len(_PLACEHOLDER.findall(value.text.replace("%%", ""))) if value.kind is ValueKind.STRING else 0


def _fields(file: File, values: list[Value]) -> Fields | None:
    """A key for each value after the first; an error is `err`. None where a value has no name, or two have the same."""
    fields = []
    for at, value in enumerate(values[1:], 1):
        name = "err" if is_error(file, value) else _name(file, value)
        if not name.isidentifier():
            return None
        fields.append((name, at))
    return tuple(fields) if len({name for name, _ in fields}) == len(fields) else None


def _name(file: File, value: Value) -> str:
    if value.kind is ValueKind.BINDING:
        return file.facts.bindings[value.ref].name
    return value.text if value.kind in (ValueKind.MEMBER, ValueKind.PARAM) else ""


class Listener(NamedTuple):
    """A function that logs the error it is given, as source text, and what it needs besides."""

    text: str
    edits: Edits
    requests: tuple[ImportRequest, ...]


def error_listener(program: Program, file: File, source: bytes, region: int, *, before: int) -> Listener | None:
    """`(err) => logger.error(err)` for a use in a region, at `before`; None where there is no logger, or its name is
    taken."""
    logger = loggers_in(program).for_errors(file, region)
    if logger is None:
        return None
    added = set_up(file, source, logger, before=before)
    method = logger.name if logger.library == "debug" else f"{logger.name}.error"
    requests = (logger.request,) if logger.request is not None else ()
    return Listener(f"(err) => {method}(err)", added, requests) if added is not None else None


def set_up(file: File, source: bytes, logger: Logger, *, before: int | None = None) -> Edits | None:
    """The edits, besides the import, that give the file its logger (in time for a use at `before`); None where its name
    is taken."""
    from prodlint.fixes import javascript, python

    if logger.request is None:
        return ()
    local = (
        python.local_name(source, logger.request)
        if file.is_python
        else javascript.local_name(file.path, source, logger.request)
    )
    if local is None or (not logger.statement and local != logger.name):
        return None
    if not logger.statement:
        return ()
    statement = logger.statement.format(local)
    if file.is_python:
        return python.ensure_statement_after_imports(file.path, source, statement, before=before)
    style = javascript.style_of(file.path, source)
    if style is not None and style.quote == '"':
        statement = statement.replace("'", '"')
    return javascript.ensure_statement_after_imports(file.path, source, statement, before=before)
