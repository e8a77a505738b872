"""Upstart jobs.

Source: init(5), "Upstart jobs configuration": stanzas, one a line, and blocks from `script` to `end script`. What
`exec` starts is read by a shell if any of the shell's own characters is in it.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from prodlint.extract.deployment.templates import has_parts, is_template
from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.facts import Artefact, FileFacts, Setting
from prodlint.lazy_regex import regex

KIND = "upstart"

_BEGINNING = regex(
    rb"(?m)^(?:start on\b|stop on\b|end script\b|respawn[ \t]*\r?$|respawn limit\b|expect (?:fork|daemon|stop))"
)
_TEXTS = {"setuid": "user", "setgid": "group", "chdir": "workdir", "instance": "instance", "chroot": "chroot"}
_SHELL_LETTERS = frozenset("~`!$^&*()=|\\{}[];\"'<>?")


class Stanza(NamedTuple):
    """A stanza: `name` is its first word, `value` the rest; of a block, `name` is `script`, `value` its text."""

    name: str
    value: str
    start: int
    end: int
    value_start: int


def looks_like(beginning: bytes) -> bool:
    """Whether the beginning of a file has a stanza that nothing but a job has."""
    return _BEGINNING.search(beginning) is not None


def scan(data: bytes) -> list[Stanza]:
    """The stanzas of a job. Those for what comes before and after its process are called `pre-start script` and so."""
    found: list[Stanza] = []
    at = 0
    while at < len(data):
        start = at
        end = _line_end(data, at)
        at = end + 1
        text = data[start:end].rstrip(b"\r")
        if not text.strip() or text.lstrip().startswith(b"#"):
            continue
        while text.endswith(b"\\") and at < len(data):
            end = _line_end(data, at)
            text = text[:-1] + b" " + data[at:end].rstrip(b"\r")
            at = end + 1
        words = text.decode("utf-8", "replace").split(None, 1)
        if not words:  # text knows more kinds of white space than bytes do
            continue
        name, value = words[0], words[1].strip() if len(words) > 1 else ""
        if re.match(r"(?:pre|post)-(?:start|stop)$", name):
            second, _, value = value.partition(" ")
            name = f"{name} {second}"
        if name.split()[-1] == "script" and not value.strip():
            close = re.compile(rb"(?m)^[ \t]*end script\b[^\n]*").search(data, at)
            body_end = close.start() if close else len(data)
            body = data[at:body_end].decode("utf-8", "replace").replace("\r\n", "\n")
            found.append(Stanza(name, body, start, close.end() if close else len(data), min(at, body_end)))
            at = min((close.end() if close else len(data)) + 1, len(data))
            continue
        last = start + len(data[start:end].rstrip())
        behind = start + data[start:end].find(value[:20].encode()) if value else last
        found.append(Stanza(name, value, start, last, min(max(behind, start), last)))
    return found


def _line_end(data: bytes, at: int) -> int:
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `job`, named as the file. Its process is `command.exec` or, where a shell reads it, `command.shell`;
    of several the last counts. The setting `environment` has the words of an `env`, whether it sets something or
    not."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    if MARKER in data:
        comments = ((match.start(1), match.end()) for match in re.finditer(rb"(?m)^[ \t]*(#[^\r\n]*)", data))
        found = (parse_directive(data, start, end, facts.line_starts) for start, end in comments)
        facts.directives = [directive for directive in found if directive is not None]
    stanzas = scan(data)
    if not stanzas:
        return facts
    template = is_template(data)
    settings = [setting for stanza in stanzas for setting in _settings(stanza, template)]
    anchor = next((each for each in reversed(stanzas) if each.name in ("exec", "script")), stanzas[0])
    name = re.sub(r"\.(?:conf|upstart)(?:\.\w+)?$|\.upstart\.conf$", "", path.rpartition("/")[2])
    end = _line_end(data, anchor.start)
    facts.artefacts.append(Artefact("job", name, 0, len(data), anchor.start, max(anchor.start, end), settings))
    return facts


def _settings(stanza: Stanza, template: bool) -> Iterator[Setting]:
    name, value = stanza.name, stanza.value
    place = (stanza.value_start, stanza.end)
    known = None if template and has_parts(value) else value
    if name == "exec":
        if known is not None and not set(known) & _SHELL_LETTERS:
            yield Setting("command.exec", json.dumps(known.split()), *place)
        else:
            yield Setting("command.shell", known, *place)
    elif name == "script":
        yield Setting("command.shell", known, *place)
    elif name == "env":
        variable, equals, text = value.partition("=")
        if equals:
            yield Setting(f"env.{variable.strip()}", None if known is None else _unquoted(text), *place)
        yield Setting("environment", json.dumps(value.split()), *place)
    elif name == "respawn":
        yield from _respawn(value, place)
    elif name == "limit":
        words = value.split()
        if len(words) >= 2:
            yield Setting(f"limit.{words[0]}", ":".join(words[1:3]), *place)
    elif name == "kill":
        word, _, rest = value.partition(" ")
        if word in ("signal", "timeout"):
            yield Setting("stop_signal" if word == "signal" else "stop_grace_period", rest.strip(), *place)
    elif name in ("start", "stop"):
        yield Setting(f"{name}_on", value.removeprefix("on").strip(), *place)
    elif name in ("expect", "task"):
        yield Setting("type", value or name, *place)
    elif name in _TEXTS:
        yield Setting(_TEXTS[name], known, *place)
    elif name == "manual":
        yield Setting("manual", "true", *place)


def _respawn(value: str, place: tuple[int, int]) -> Iterator[Setting]:
    """`respawn`, or `respawn limit COUNT INTERVAL`, which alone does not make a job respawn."""
    words = value.split()
    if not words:
        yield Setting("restart", "respawn", *place)
    elif words[0] == "limit":
        for key, word in zip(("restart.limit", "restart.interval"), words[1:3], strict=False):
            yield Setting(key, word, *place)


def _unquoted(text: str) -> str | None:
    """The value of an `env` stanza; None where it has variables."""
    if "$" in text:
        return None
    try:
        return " ".join(shlex.split(text))
    except ValueError:
        return text
