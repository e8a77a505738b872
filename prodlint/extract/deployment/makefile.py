"""Makefiles: the commands of their recipes, for what builds an image under which name.

Source: GNU make, "Writing Recipes" and "How to Use Variables", as far as a variable has one value in the file.
"""

from __future__ import annotations

import re

from prodlint.extract.ignore_comments import line_starts_of
from prodlint.facts import Artefact, FileFacts, Setting
from prodlint.lazy_regex import regex

KIND = "makefile"

_ASSIGNMENT = regex(r"(?m)^(?:export\s+)?(?P<name>\w+)[ \t]*[:?]{0,2}=[ \t]*(?P<value>[^\n#]*)")
_RECIPE = regex(r"(?m)^\t[@\-+ \t]*(?P<command>.*)$")
_REFERENCE = regex(r"\$[({](?P<name>\w+)[)}]")
_DEEPEST = 5


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `recipes` with a setting `command.shell` for each command that names a container."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    text = data.decode("latin-1")  # a character a byte
    text = text.replace("\\\r\n", "  \n").replace("\\\n", " \0")
    values = {match["name"]: match["value"].strip() for match in _ASSIGNMENT.finditer(text)}
    settings = [
        Setting("command.shell", _expanded(match["command"].replace("\0", " "), values), *match.span("command"))
        for match in _RECIPE.finditer(text)
        if re.search(r"\b(?:docker|podman|buildah)\b|\$[({]", match["command"])
    ]
    if settings:
        facts.artefacts.append(Artefact("recipes", "", 0, len(data), 0, 0, settings))
    return facts


def _expanded(text: str, values: dict[str, str]) -> str:
    for _ in range(_DEEPEST):
        found = _REFERENCE.sub(lambda match: values.get(match["name"], match.group()), text)
        if found == text:
            break
        text = found
    return text.replace("$$", "$")
