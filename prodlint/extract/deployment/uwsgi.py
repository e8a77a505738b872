"""uWSGI's configuration as an INI file.

Source: uWSGI's documentation, "Options". An option may be written with `-` or `_`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from prodlint.extract.deployment.ini import Line, facts_for, scan
from prodlint.extract.deployment.templates import has_parts, is_template
from prodlint.facts import Artefact, FileFacts, Setting

KIND = "uwsgi"

_NAMES = {
    "processes": "workers", "workers": "workers", "daemonize": "daemon", "uid": "user", "chdir": "workdir",
    "module": "app", "wsgi": "app", "wsgi-file": "app", "file": "app", "http": "ports", "http-socket": "ports",
    "socket": "ports", "master": "master", "threads": "threads", "max-requests": "max_requests",
    "die-on-term": "die_on_term", "enable-threads": "enable_threads", "gevent": "gevent", "async": "async",
    "asyncio": "asyncio",
}  # fmt: skip


def looks_like(beginning: bytes) -> bool:
    """Whether the beginning of a file has uWSGI's section."""
    return re.search(rb"(?m)^\[uwsgi\]", beginning) is not None


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `server` with the settings of the section `[uwsgi]`; `app` is the module or the file."""
    facts = facts_for(KIND, data)
    lines = [line for line in scan(data) if line.section == "uwsgi"]
    if lines:
        template = is_template(data)
        settings = [setting for line in lines for setting in _settings(line, template)]
        facts.artefacts.append(
            Artefact("server", "", lines[0].start, lines[-1].end, lines[0].start, lines[0].end, settings)
        )
    return facts


def _settings(line: Line, template: bool) -> Iterator[Setting]:
    unknown = (template and has_parts(line.value)) or re.search(r"%[a-zA-Z(]|\$\(", line.value)
    value = None if unknown else line.value
    key = line.key.replace("_", "-")
    if key == "env":
        name, equals, text = line.value.partition("=")
        if equals:
            yield Setting(f"env.{name.strip()}", None if unknown else text.strip(), line.value_start, line.end)
    elif key in _NAMES:
        yield Setting(_NAMES[key], value, line.value_start, line.end)
