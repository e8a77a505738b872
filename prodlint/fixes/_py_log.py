"""What a `print` call says, as the arguments of a log call with lazy formatting."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from prodlint.fixes._py_tree import File, dotted
from prodlint.lazy_regex import regex

if TYPE_CHECKING:
    import libcst as cst


class _Hole(NamedTuple):
    """A value in a message: how it is formatted, and its source text."""

    spec: str
    value: str


Message = list[str | _Hole]
"""What a log call says: text as it stands inside a string literal (formatting marks not doubled), and values."""

PERCENT = regex(r"%(?:(%)|([-#0 +]*+\d*+(?:\.\d++)?[diouxXeEfFgGcrsa]))")


def log_arguments(file: File, call: cst.Call, placeholder: str) -> list[str] | None:
    """The arguments of the log call that says what the `print` call says; None if a log cannot say it."""
    separator = _separator(call)
    values = [argument.value for argument in call.args if not argument.keyword]
    if separator is None or not values:
        return None
    messages = [_message(file, value, placeholder) for value in values]
    if len(values) == 1 and not any(isinstance(part, _Hole) for part in messages[0] or []):
        return [file.text(file.outer(values[0]))]
    if placeholder == "%s" and _is_format(values):
        return [file.text(file.outer(value)) for value in values]
    message: Message = []
    for value, part in zip(values, messages, strict=True):
        message += [separator] if message else []
        message += part or [_Hole(placeholder, file.text(file.outer(value)))]
    return _written(message, _quote_of(file, values), placeholder)


def _is_format(values: Sequence[cst.BaseExpression]) -> bool:
    """Whether a first argument is a text with a mark for each of the others, as `print` does not take it and a log
    does: `print("%s is gone", name)`."""
    marks = [match for match in PERCENT.finditer(_literal(values[0]) or "") if match[2]]
    never_fails = all(match[2][-1] in "sra" for match in marks)
    return len(values) > 1 and len(marks) == len(values) - 1 and never_fails


def _separator(call: cst.Call) -> str | None:
    """What `print` writes between its arguments; None if that, or another argument, cannot be kept in a log."""
    separator = " "
    for argument in call.args:
        keyword = argument.keyword.value if argument.keyword else ""
        if argument.star:
            return None
        if keyword == "sep":
            literal = _literal(argument.value)
            if literal is None or re.search(r"[\n\r\"'\\]", literal):
                return None
            separator = literal
        elif (keyword == "end" and _literal(argument.value) != "\n") or (
            keyword == "file" and dotted(argument.value) not in {"sys.stdout", "sys.stderr"}
        ):
            return None
    return separator


def _literal(node: cst.BaseExpression) -> str | None:
    import libcst as cst

    value = node.evaluated_value if isinstance(node, cst.SimpleString) else None
    return value if isinstance(value, str) else None


def _quote_of(file: File, values: Sequence[cst.BaseExpression]) -> str:
    """The quote of the first string among the values, else the one that the file uses most."""
    import libcst as cst

    for value in values:
        if isinstance(value, cst.BinaryOperation):
            value = value.left
        elif isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute):
            value = value.func.value
        if isinstance(value, cst.SimpleString):
            return value.quote[0]
        if isinstance(value, cst.FormattedString):
            return value.start[-1]
    return "'" if file.source.count(b"'") > file.source.count(b'"') else '"'


def _message(file: File, node: cst.BaseExpression, placeholder: str) -> Message | None:
    """What a printed expression says, if it is a string literal, an f-string, a `%` or a `.format` whose parts can be
    told apart; None for everything else, which is one value."""
    import libcst as cst

    if isinstance(node, cst.SimpleString):
        return _plain(node)
    if isinstance(node, cst.FormattedString):
        return _of_fstring(file, node, placeholder)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo) and placeholder == "%s":
        return _of_percent(file, node)
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "format":
        return _of_format(file, node, placeholder)
    return None


def _plain(node: cst.BaseExpression) -> Message | None:
    import libcst as cst

    if not isinstance(node, cst.SimpleString) or node.prefix not in {"", "u"} or len(node.quote) != 1:
        return None
    return None if r"\N" in node.raw_value else [node.raw_value]


def _of_fstring(file: File, node: cst.FormattedString, placeholder: str) -> Message | None:
    import libcst as cst

    if node.start.lower() not in {"f'", 'f"'}:
        return None
    message: Message = []
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            if r"\N" in part.value:
                return None
            message.append(part.value.replace("{{", "{").replace("}}", "}"))
            continue
        assert isinstance(part, cst.FormattedStringExpression)
        value = part.expression
        text = file.text(file.outer(value))
        bare = isinstance(value, cst.Tuple | cst.Yield | cst.NamedExpr) and not value.lpar
        if part.format_spec or part.equal or part.conversion not in {None, "s", "r"} or bare or "\n" in text:
            return None
        message.append(_Hole(_with_conversion(placeholder, part.conversion), text))
    return message


def _with_conversion(placeholder: str, conversion: str | None) -> str:
    if conversion != "r":
        return placeholder
    return "%r" if placeholder == "%s" else "{!r}"


def _of_percent(file: File, node: cst.BinaryOperation) -> Message | None:
    import libcst as cst

    template = _plain(node.left)
    # Anything but a tuple literal may be a tuple at run time, and then fills several places.
    if template is None or not isinstance(node.right, cst.Tuple):
        return None
    raw = str(template[0])
    elements = [element for element in node.right.elements if isinstance(element, cst.Element)]
    values = iter(file.text(file.outer(element.value)) for element in elements)
    message: Message = []
    position = count = 0
    for match in PERCENT.finditer(raw):
        text = raw[position : match.start()]
        position = match.end()
        if match[1]:
            message.append(f"{text}%")
            continue
        count += 1
        message += [text, _Hole(match[0], next(values, ""))]
    message.append(raw[position:])
    stray = any("%" in part.removesuffix("%") for part in message if isinstance(part, str)) or raw[position:] == "%"
    if stray or count != len(node.right.elements) or len(elements) != count:
        return None
    return message


def _of_format(file: File, node: cst.Call, placeholder: str) -> Message | None:
    import libcst as cst

    assert isinstance(node.func, cst.Attribute)
    template = _plain(node.func.value)
    if template is None or any(argument.keyword or argument.star for argument in node.args):
        return None
    message: Message = []
    count = 0
    try:
        fields = list(string.Formatter().parse(str(template[0])))
    except ValueError:
        return None
    for text, field, spec, conversion in fields:
        message.append(text)
        if field is None:
            continue
        if field not in {"", str(count)} or spec or conversion not in {None, "s", "r"} or count >= len(node.args):
            return None
        value = file.text(file.outer(node.args[count].value))
        message.append(_Hole(_with_conversion(placeholder, conversion), value))
        count += 1
    return message if count == len(node.args) else None


def _written(message: Message, quote: str, placeholder: str) -> list[str]:
    """The arguments of the log call that says `message`."""
    values = [part.value for part in message if isinstance(part, _Hole)]
    template = []
    for part in message:
        if isinstance(part, _Hole):
            template.append(part.spec)
            continue
        text = re.sub(rf"(\\.)|{quote}", lambda match: match[1] or f"\\{quote}", part, flags=re.DOTALL)
        if values:
            text = text.replace("%", "%%") if placeholder == "%s" else text.replace("{", "{{").replace("}", "}}")
        template.append(text)
    return [f"{quote}{''.join(template)}{quote}", *values]
