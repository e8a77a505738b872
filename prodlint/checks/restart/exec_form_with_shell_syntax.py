"""exec-form-with-shell-syntax: a list of words in which somebody expects a shell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Edit, Finding, Fix, Location
from prodlint.fixes.reasons import ODD_FORM
from prodlint.lazy_regex import regex

if TYPE_CHECKING:
    from prodlint.facts import Setting
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_OPERATORS = frozenset({"&&", "||", "|", ";", ">", ">>", "2>&1"})
_IN_UNITS = regex(r"&&|\|\|?|\d?>>?.*|&>>?.*")
_REDIRECTED = "Leave its output to the journal, or set `StandardOutput=append:FILE`."
_LOOKS_LIKE_A_LIST = regex(
    r"\[\s*(?:'[^'\"]*'|[“”][^“”\"]*[“”])(?:\s*+,\s*+(?:'[^'\"]*'|[“”][^“”\"]*[“”]))*+\s*+(?:,\s*+)?\]"
)
_LOOKS_LIKE_A_COMMAND = regex(r"\s*+[^\sA-Za-z]*+[A-Za-z]\S*+\s++\S")
"""A program and an argument; not what an entrypoint reads as it likes, as the line of a crontab."""
_SHELLS = regex(r"(?:^|/)(?:ba|da|a|z|k)?sh$|(?:^|/)(?:cmd|powershell|pwsh)(?:\.exe)?$")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """A finding for each command that is a list and reads like shell, or shell that was meant to be a list."""
    for path, facts in program.facts.items():
        if facts.kind not in ("dockerfile", "compose", "systemd"):
            continue
        for artefact in facts.artefacts:
            behind_shell = any(each.key == "entrypoint.exec" and _ends_in_a_shell(each) for each in artefact.settings)
            for setting in artefact.settings:
                if behind_shell and setting.key.startswith("command."):
                    continue
                if setting.key in ("command.exec", "entrypoint.exec", "command.shell", "entrypoint.shell"):
                    message = _fault(setting, facts.kind)
                    if message:
                        is_quotes = setting.key.endswith(".shell")
                        yield Finding(
                            rule.name,
                            message,
                            Location(path, setting.start, setting.end),
                            data={"quotes": is_quotes},
                            no_fix_reason="" if is_quotes else "whether a shell is wanted is for a person to decide",
                        )


def _fault(setting: Setting, kind: str) -> str:
    if setting.key.endswith(".shell"):
        if _LOOKS_LIKE_A_LIST.fullmatch((setting.value or "").strip()):
            return "This is no JSON, whose quotes are double ones: /bin/sh gets it as text and looks for a program `[`."
        return ""
    words = json.loads(setting.value or "[]")
    if not words or _SHELLS.search(words[0]):
        return ""
    name = {"dockerfile": "Docker", "compose": "Compose"}.get(kind, "systemd")
    if kind == "systemd":
        operator = next((word for word in words[1:] if _IN_UNITS.fullmatch(word)), "")
        if not operator:
            return ""
        return f"systemd starts no shell: `{words[0]}` gets `{operator}` as an argument. " + (
            _REDIRECTED if ">" in operator else "Start it with `/bin/sh -c`."
        )
    if len(words) == 1 and _LOOKS_LIKE_A_COMMAND.match(words[0]):
        return (
            f"{name} starts no shell for a list, and looks for one program of the name `{words[0]}`. Make each word "
            "an item of its own, or start a shell."
        )
    operator = next((word for word in words[1:] if word in _OPERATORS), "")
    if operator:
        return f"{name} starts no shell here: `{words[0]}` gets `{operator}` as an argument. Start it with `sh -c`."
    return ""


def _ends_in_a_shell(setting: Setting) -> bool:
    """Whether an entrypoint is a shell that reads what comes next: `["bash", "-c"]`."""
    words = json.loads(setting.value or "[]")
    return any(map(_SHELLS.search, words)) and re.fullmatch(r"-\w*c", words[-1]) is not None


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Double quotes, where single ones make the list text."""
    from prodlint.fixes.start_commands import instruction_at

    if not finding.data["quotes"]:
        return "whether a shell is wanted is for a person to decide"
    path = finding.location.path
    source = program.read(path)
    instruction = instruction_at(source, finding.location.start)
    if instruction is None:
        return ODD_FORM
    start, end = instruction.offset(0), instruction.end
    old = source[start:end].decode("utf-8", "replace")
    new = re.sub(r"['“”]", '"', old)
    return (
        Fix("Write double quotes", Applicability.SAFE, (Edit(path, start, end, new),))
        if "\n" not in old
        else "the list goes over several lines"
    )
