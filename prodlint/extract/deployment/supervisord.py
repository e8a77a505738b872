"""supervisord's configuration: its programs.

Source: Supervisor's documentation, "Configuration File". `autorestart` is `unexpected` where it is not said.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator

from prodlint.extract.deployment.ini import Line, facts_for, scan
from prodlint.extract.deployment.templates import has_parts, is_template
from prodlint.facts import Artefact, FileFacts, Setting
from prodlint.lazy_regex import regex

KIND = "supervisord"

_NAMES = {
    "autorestart": "restart", "startretries": "restart.limit", "user": "user", "directory": "workdir",
    "numprocs": "workers", "stopsignal": "stop_signal", "stopwaitsecs": "stop_grace_period", "autostart": "autostart",
    "nodaemon": "nodaemon", "stopasgroup": "stopasgroup", "killasgroup": "killasgroup", "minfds": "limit.nofile",
    "files": "include",
}  # fmt: skip
_BEGINNING = regex(rb"(?m)^\[(?:(?:program|fcgi-program|eventlistener|group):[^\]\n]+|supervisord|supervisorctl)\]")
_VARIABLE = regex(
    r"(?<!\w)(?P<name>[A-Za-z_]\w*+)\s*+=\s*+(?P<value>\"(?:\\.|[^\"\\])*+\"|'[^']*+'|[^,\n]*+)[^\S\n]*+(?:,|\n|$)"
)


def looks_like(beginning: bytes) -> bool:
    """Whether the beginning of a file has a section of supervisord's."""
    return _BEGINNING.search(beginning) is not None


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `program` for each program, and `supervisord` for what is said of supervisord itself."""
    facts = facts_for(KIND, data)
    template = is_template(data)
    sections: dict[str, list[Line]] = {}
    for line in scan(data):
        sections.setdefault(line.section, []).append(line)
    for section, lines in sections.items():
        kind, _, name = section.partition(":")
        if kind not in ("program", "fcgi-program", "supervisord", "include"):
            continue
        settings = [setting for line in lines for setting in _settings(line, template)]
        anchor = next((line for line in lines if line.key == "command"), lines[0])
        artefact = "program" if "program" in kind else kind
        facts.artefacts.append(
            Artefact(artefact, name, lines[0].start, lines[-1].end, anchor.start, anchor.end, settings)
        )
    return facts


def _settings(line: Line, template: bool) -> Iterator[Setting]:
    unknown = template and has_parts(line.value)
    place = (line.value_start, line.end)
    if line.key == "command":
        value = None if unknown else _words(line.value)
        yield Setting("command.exec", value, *place)
    elif line.key == "environment":
        for match in _VARIABLE.finditer(line.value):
            text = match["value"]
            text = text[1:-1] if text[:1] in ("'", '"') else text.strip()
            yield Setting(f"env.{match['name']}", None if unknown or "%(" in text else text, *place)
    elif line.key in _NAMES:
        yield Setting(_NAMES[line.key], None if unknown or "%(" in line.value else line.value, *place)


def _words(text: str) -> str | None:
    """The words of a command. No shell reads it; `%(ENV_NAME)s` is a variable of supervisord's own environment."""
    try:
        words = shlex.split(re.sub(r"%\(ENV_(\w+)\)s", r"$\1", text).replace("\n", " "))
    except ValueError:
        return None
    return json.dumps(words) if words else None
