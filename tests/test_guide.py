"""The Express production guide's ways of keeping a service running, as a unit and as an Upstart job: complete they are
clean, and each line that is taken away is missed by the one rule that is about it, whose fix puts it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodlint.analysis.session import Session
from prodlint.fixes.apply import fix_all

FIXTURE = Path(__file__).parent / "fixtures" / "guide"
SERVER = "require('express')().listen(3000);\n"
PACKAGE = '{ "name": "shop", "dependencies": { "express": "^5.0.0" } }\n'
RULES = [
    "daemonizes-in-foreground", "dev-server", "low-file-limit", "malformed-unit-environment", "no-auto-restart",
    "no-respawn-limit", "obsolete-unit-setting", "production-env-misspelt", "production-env-unset", "restart-gives-up",
    "runs-as-root", "unbounded-file-limit", "unit-not-enabled",
]  # fmt: skip
LINES = [
    ("shop.service", "Environment=NODE_ENV=production", "production-env-unset"),
    ("shop.service", "DynamicUser=yes", "runs-as-root"),
    ("shop.service", "Restart=always", "no-auto-restart"),
    ("shop.service", "RestartSec=2", "restart-gives-up"),
    ("shop.service", "WantedBy=multi-user.target", "unit-not-enabled"),
    ("shop.conf", "env NODE_ENV=production", "production-env-unset"),
    ("shop.conf", "setuid shop", "runs-as-root"),
    ("shop.conf", "respawn", "no-auto-restart"),
    ("shop.conf", "respawn limit 10 5", "no-respawn-limit"),
    ("shop.conf", "limit nofile 65535 65535", "low-file-limit"),
    ("shop.conf", "start on filesystem and started networking", "unit-not-enabled"),
]
WITHOUT_FIX = ("runs-as-root",)


def _session(name: str, text: str) -> Session:
    files = {name: text, "server.js": SERVER, "package.json": PACKAGE}
    return Session.from_memory(files, {"select": RULES})


def _text(name: str, *, without: str = "") -> str:
    lines = (FIXTURE / name).read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if line.strip() != without)


@pytest.mark.parametrize("name", ["shop.service", "shop.conf"])
def test_complete_it_is_clean(name: str) -> None:
    assert [finding.rule for finding in _session(name, _text(name)).findings()] == []


@pytest.mark.parametrize(("name", "line", "rule"), LINES)
def test_a_line_that_is_missing_is_found_and_put_back(name: str, line: str, rule: str) -> None:
    text = _text(name, without=line)
    assert text != _text(name)
    assert [finding.rule for finding in _session(name, text).findings()] == [rule]
    outcome = fix_all(_session(name, text), lambda finding, fix: True)
    mended = outcome.changed[name][1].decode() if name in outcome.changed else text
    left = [finding.rule for finding in _session(name, mended).findings()]
    assert left == ([rule] if rule in WITHOUT_FIX else [])
