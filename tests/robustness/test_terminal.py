"""What is in linted files steers no terminal: neither their text, nor their names, nor what is said of them."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from tests.robustness.processes import command, environment, write

EVIL = "\x1b[31m\x1b]0;title\x07\x9b5m\x90q\x7f\u202e\x08"
"""Colours, a window's title, C1 controls, a reversal of the writing direction, a backspace."""

_STEERING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

FILES = {
    "prodlint.toml": "",
    "app.js": f"const fs = require('fs'); // {EVIL}\nconst app = require('express')();\n"
    f"app.get('/{EVIL}', (req, res) => res.send(read('{EVIL}'))); /* {EVIL} */\n"
    f"function read(a) {{ console.log('{EVIL}', a); return fs.readFileSync('{EVIL}'); }} // {EVIL}\napp.listen(3000);\n",
    "broken.py": f"def {EVIL}(:\n    pass\n",
    "broken.js": f"const {EVIL} = ;\n",
    "ignore.py": f"x = 1  # prodlint: ignore[{EVIL}]\n",
    "Dockerfile": f"FROM node:22{EVIL}\nENV A='{EVIL}'\nUSER {EVIL}\nCMD node app.js '{EVIL}'\n",
    "compose.yaml": f'services:\n  "w{EVIL.encode("unicode_escape").decode()}":\n    build: .\n    environment:\n      '
    f'"A{EVIL.encode("unicode_escape").decode()}": "{EVIL.encode("unicode_escape").decode()}"\n',
    "package.json": '{"name": "a\\u001b[31m\\u009b", "scripts": {"start": "node app.js \\u001b[31m\\u009b"}}',
    "web.service": f"[Service]\nExecStart=/usr/bin/node app.js {EVIL}\nUser={EVIL}\nEnvironment=A{EVIL}\n",
    "nginx.conf": f"http {{ upstream u {{ server {EVIL}:80; }} server {{ location /{EVIL} {{ proxy_pass http://u; }} }} }}\n",
    "Procfile": f"web: node app.js {EVIL}\n{EVIL}: x\n",
    f"name{EVIL}.js": "x();\n",
}

COMMANDS = [
    *(
        ("check", "--preview", "--likely", "--output-format", name)
        for name in ("text", "concise", "github", "json", "sarif")
    ),
    *(
        ("check", "--preview", "--output-format", name)
        for name in ("gitlab", "azure", "junit", "sonarqube", "markdown")
    ),
    ("check", "--preview", "--unsafe-fixes", "--diff"),
    ("check", "--preview", "--unsafe-fixes", "--fix", "--interactive"),
    ("check", "-q", f"name{EVIL}.js", EVIL),
    ("check", "--select", EVIL),
    ("check", "--config", EVIL),
    ("check", "--baseline", EVIL),
    ("check", "--diff-base", EVIL),
    ("check", f"--{EVIL}"),
    (EVIL,),
    ("rule", EVIL),
    ("services",),
    ("services", "--output-format", "json"),
    ("explain", "app.js:4"),
    ("explain", f"{EVIL}:4"),
    ("facts", "."),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    write(folder, FILES)
    return folder


def _shown(project: Path, *arguments: str) -> str:
    """What a run writes to a terminal, which is its standard output and its standard error."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*arguments),
        cwd=project,
        env=environment(project.parent / "cache", TERM="xterm", NO_COLOR="1", COLUMNS="200"),
        stdin=subprocess.PIPE,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(b"y\n" * 20)
        process.stdin.close()
    pieces = []
    with contextlib.suppress(OSError):  # the end of a terminal
        while piece := os.read(ours, 65536):
            pieces.append(piece)
    os.close(ours)
    process.wait()
    text = b"".join(pieces).decode()
    return re.sub("\r\x1b\\[K|\rReading files[^\r]*\x1b\\[K", "", text)  # the progress bar of a slow machine


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: ascii(" ".join(arguments)))
def test_nothing_steers_it(project: Path, arguments: tuple[str, ...]) -> None:
    text = _shown(project, *arguments)
    assert text.strip()
    assert "Traceback" not in text
    assert not (found := _STEERING.search(text)), repr(text[max(0, found.start() - 100) : found.end() + 20])
