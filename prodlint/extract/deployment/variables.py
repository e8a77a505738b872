"""Variables in the values of deployment files: `$NAME`, `${NAME}`, `${NAME:-default}`.

The shell, Dockerfiles, compose files and `.env` files share this notation. Sources: POSIX, 2.6.2 "Parameter Expansion";
the Dockerfile reference, "Environment replacement"; the Compose specification, "Interpolation".
"""

from __future__ import annotations

from collections.abc import Mapping

from prodlint.lazy_regex import regex

_VARIABLE = regex(r"\\\$|\$\$|\$(?P<name>[A-Za-z_]\w*)|\$\{(?P<braced>[A-Za-z_]\w*)(?P<colon>:?)(?P<op>[-+?=#%/])?")
_DEEPEST = 20
_MOST = 1_000_000
_LONGEST = 4_096
"""Characters; a longer value is unknown. Variables that hold others double with each line otherwise."""


def has_variables(text: str) -> bool:
    """Whether `text` has anything in it that is replaced when it is used."""
    return "$" in text or "`" in text


def expand(text: str, variables: Mapping[str, str | None], depth: int = 0) -> str | None:
    """`text` with its variables replaced; None if that takes one which nobody here knows, or gets very long.

    `variables` are those that are known, None for those that are set to something unknown. A variable that is not
    among them may still be set where the program runs, so only its default, if it has one, says anything.
    """
    if "$(" in text or "`" in text or depth > _DEEPEST:
        return None
    out: list[str] = []
    length = at = 0
    while found := _VARIABLE.search(text, at):
        out.append(text[at : found.start()])
        at = found.end()
        if found.group() in ("$$", "\\$"):
            out.append("$")
            continue
        name = found.group("name") or found.group("braced")
        value = variables.get(name)
        if found.group("braced"):
            end = _closing_brace(text, at)
            operator = found.group("op")
            # `${A-b}` is b only where A is not set, `${A:-b}` where it is empty, too.
            if value is None or found.group("colon") or operator not in ("-", "="):
                value = _braced(operator, text[at:end], name, variables, depth)
            at = end + 1
        if value is None:
            return None
        out.append(value)
        length += len(value)
        if length > _LONGEST:
            return None
    out.append(text[at:])
    return "".join(out)


class Expander:
    """`expand` for the values of one file or service: together they do not get longer than `_MOST` characters. Those
    after that are unknown."""

    def __init__(self) -> None:
        self._left = _MOST

    def __call__(self, text: str, variables: Mapping[str, str | None]) -> str | None:
        """What `expand` answers, while there is room."""
        value = expand(text, variables) if self._left > 0 else None
        self._left -= len(value or "")
        return value


def _closing_brace(text: str, at: int) -> int:
    open_braces = 1
    for place in range(at, len(text)):
        if text[place] == "{":
            open_braces += 1
        elif text[place] == "}":
            open_braces -= 1
            if not open_braces:
                return place
    return len(text)


def _braced(operator: str | None, rest: str, name: str, variables: Mapping[str, str | None], depth: int) -> str | None:
    value = variables.get(name)
    if operator in ("-", "="):
        if name in variables and value is None:
            return None
        return value or expand(rest, variables, depth + 1)
    if operator == "+":
        return None if value is None else expand(rest, variables, depth + 1)
    if operator == "?" or (operator is None and not rest):
        return value
    return None
