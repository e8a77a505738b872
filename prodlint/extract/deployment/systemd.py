"""systemd service units and their drop-ins.

Sources: systemd.syntax(7), systemd.service(5) "Command lines", systemd.exec(5) "Environment", systemd.unit(5).
`scan` finds the lines with their bytes, `extract` what is in force after the last of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from prodlint.extract.deployment.templates import has_parts, is_template
from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.facts import Artefact, FileFacts, Setting, SyntaxProblem
from prodlint.lazy_regex import regex

KIND = "systemd"


class Line(NamedTuple):
    """One line of a unit, its continuation lines included: `[section]` (with an empty key) or `key=value`."""

    section: str
    key: str
    value: str
    start: int
    end: int
    """Before the line break."""
    value_start: int


_SECTION = regex(rb"\[([^\]\n]+)\]\s*$")
_LIST_KEYS = frozenset(
    {"Environment", "EnvironmentFile", "PassEnvironment", "UnsetEnvironment", "ExecStart", "ExecStartPre",
     "ExecStartPost", "ExecStop", "ExecReload", "WantedBy", "RequiredBy", "Also", "Alias", "After", "Wants", "Requires"}
)  # fmt: skip
_ALSO = {
    "RestartSec": "restart.delay", "StartLimitBurst": "restart.limit", "StartLimitIntervalSec": "restart.interval",
    "StartLimitInterval": "restart.interval", "LimitNOFILE": "limit.nofile", "KillSignal": "stop_signal",
    "TimeoutStopSec": "stop_grace_period",
}  # fmt: skip
"""Keys that there are under the name that other formats share, too."""
_NAMES = {
    "ExecStart": "command.exec", "User": "user", "DynamicUser": "dynamic_user", "Restart": "restart",
    "WorkingDirectory": "workdir", "EnvironmentFile": "env_file", "Type": "type",
}  # fmt: skip


def scan(data: bytes) -> list[Line]:
    """The lines of a unit that say something, in order."""
    found: list[Line] = []
    section = ""
    at = 0
    while at < len(data):
        start = at
        end = _line_end(data, at)
        at = end + 1
        text = data[start:end]
        bare = text.lstrip()
        if not bare.strip() or bare[:1] in b"#;":
            continue
        if match := _SECTION.match(bare):
            section = match.group(1).decode("utf-8", "replace")
            found.append(Line(section, "", "", start, _trimmed(data, start, end), start))
            continue
        parts = [text.rstrip(b"\r")]
        while parts[-1].endswith(b"\\") and at < len(data):
            parts[-1] = parts[-1][:-1] + b" "
            following = _line_end(data, at)
            line = data[at:following].rstrip(b"\r")
            at = following + 1
            if line.lstrip()[:1] in (b"#", b";"):  # comments may stand between continued lines
                parts.append(b"\\")
                continue
            end = following
            parts.append(line)
        key, equals, value = b"".join(part for part in parts if part != b"\\").partition(b"=")
        if equals:
            behind = start + text.index(b"=") + 1 if b"=" in text else start
            blanks = len(value) - len(value.lstrip())
            name, said = (part.strip().decode("utf-8", "replace") for part in (key, value))
            end = _trimmed(data, start, end)
            found.append(Line(section, name, said, start, end, min(behind + blanks, end)))
    return found


def _line_end(data: bytes, at: int) -> int:
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end


def _trimmed(data: bytes, start: int, end: int) -> int:
    return start + len(data[start:end].rstrip())


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `unit` (of a drop-in: `drop_in`, named as its unit), if the file has a section for a service, were
    it misspelt; the line of each section is a setting `section`. What an empty assignment takes back is gone; a drop-in
    that takes back what the unit says has a setting `reset`."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    if MARKER in data:
        comments = ((match.start(1), match.end()) for match in re.finditer(rb"(?m)^[ \t]*([#;][^\r\n]*)", data))
        found = (parse_directive(data, start, end, facts.line_starts) for start, end in comments)
        facts.directives = [directive for directive in found if directive is not None]
    lines = scan(data)
    service = [line for line in lines if line.section == "Service"]
    service = service or [line for line in lines if line.section.lower() == "service"]
    if not service:
        return facts
    folder, _, name = path.rpartition("/")
    is_drop_in = name.endswith(".conf")
    anchor = next((line for line in reversed(service) if line.key == "ExecStart" and line.value), service[0])
    settings = list(_settings(lines, is_template(data), facts.problems))
    kind = "drop_in" if is_drop_in else "unit"
    name = folder.rpartition("/")[2].removesuffix(".d") if is_drop_in else re.sub(r"(\.service)\.\w+$", r"\1", name)
    facts.artefacts.append(Artefact(kind, name, 0, len(data), anchor.start, anchor.end, settings))
    return facts


def _settings(lines: list[Line], template: bool, problems: list[SyntaxProblem]) -> Iterator[Setting]:
    settings: list[Setting] = []
    for line in lines:
        if not line.key:
            settings.append(Setting("section", line.section, line.start, line.end))
            continue
        name = _name(line)
        if not line.value:
            settings = [setting for setting in settings if not _belongs(setting.key, name)]
            settings.append(Setting("reset", name, line.start, line.end))
            continue
        if name == "env":
            settings += _environment(line, template)
            continue
        if line.key not in _LIST_KEYS:
            settings = [setting for setting in settings if setting.key != name]
        settings.append(_setting(name, line, template, problems))
        if line.key in _ALSO and line.section in ("Service", "Unit"):
            settings = [setting for setting in settings if setting.key != _ALSO[line.key]]
            settings.append(_setting(_ALSO[line.key], line, template, problems))
    yield from settings


def _name(line: Line) -> str:
    if line.section == "Service":
        return "env" if line.key == "Environment" else _NAMES.get(line.key, f"Service.{line.key}")
    return f"{line.section}.{line.key}"


def _belongs(key: str, name: str) -> bool:
    """Whether a setting is one of those that an empty assignment takes back."""
    if name == "env_file":
        return key in ("env_file", "optional_env_file")
    return key == name or (name == "env" and (key == "environment" or key.startswith("env.")))


def _setting(name: str, line: Line, template: bool, problems: list[SyntaxProblem]) -> Setting:
    value: str | None = line.value
    if template and has_parts(line.value):
        value = None
    elif name == "command.exec":
        words = split_words(line.value.lstrip("@-:+!|"))
        if words is None:
            problems.append(SyntaxProblem("a quote is not closed", line.value_start, line.end))
        value = json.dumps(words) if words else None
    elif name == "env_file":
        if line.value.startswith("-"):
            name, value = "optional_env_file", line.value[1:]
        if value and "%" in value:
            value = None
    return Setting(name, value, line.value_start, line.end)


def _environment(line: Line, template: bool) -> Iterator[Setting]:
    """The variables of an `Environment=` line. What is no assignment systemd passes over, and so does this; the
    setting `environment` has all words of the line."""
    words = split_words(line.value) or []
    yield Setting("environment", json.dumps(words), line.value_start, line.end)
    for word in words:
        name, equals, value = word.partition("=")
        if equals and re.fullmatch(r"[A-Za-z_]\w*", name):
            unknown = (template and has_parts(value)) or re.search(r"(?<!%)(?:%%)*%(?!%)", value)
            yield Setting(f"env.{name}", None if unknown else value.replace("%%", "%"), line.value_start, line.end)


_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}


def split_words(text: str) -> list[str] | None:
    """The words of a line as systemd splits it: quotes and C escapes, no shell. None where a quote is not closed."""
    words: list[str] = []
    word: list[str] = []
    quote = ""
    in_word = False
    at = 0
    while at < len(text):
        letter = text[at]
        if letter == "\\" and at + 1 < len(text):
            following = text[at + 1]
            word.append(_ESCAPES.get(following, following))
            in_word = True
            at += 2
            continue
        if quote:
            if letter == quote:
                quote = ""
            else:
                word.append(letter)
        elif letter in "'\"" and not in_word:
            quote, in_word = letter, True
        elif letter.isspace():
            if in_word:
                words.append("".join(word))
            word, in_word = [], False
        else:
            word.append(letter)
            in_word = True
        at += 1
    if in_word:
        words.append("".join(word))
    return None if quote else words
