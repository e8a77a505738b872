"""env-in-shell-profile: the settings of a service in a file that only a person's shell reads."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Finding, Location
from prodlint.lazy_regex import regex
from prodlint.program.services import services_in

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_PROFILES = frozenset(
    {".bash_profile", ".bash_login", ".bashrc", ".profile", ".zshrc", ".zprofile", ".zshenv", "bashrc", "bash_profile"}
)
_EXPORT = regex(r"(?m)^[ \t]*export[ \t]+(?P<name>NODE_ENV|FLASK_ENV|DJANGO_SETTINGS_MODULE|RAILS_ENV)=")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each variable that a profile of the project exports, if the project has a service."""
    if not services_in(program):
        return
    used = {layer.source.path for service in services_in(program) for each in service.variants for layer in each.layers}
    for path, facts in program.facts.items():
        name = posixpath.basename(path)
        is_profile = name in _PROFILES or f"/{posixpath.dirname(path)}/".endswith("/profile.d/")
        if facts.kind != "shell" or not is_profile or path in used or ".devcontainer" in path:
            continue
        text = facts.artefacts[0].settings[0].value or ""
        for match in _EXPORT.finditer(text):
            start = len(text[: match.start("name")].encode())
            yield Finding(
                rule.name,
                f"`{match['name']}` is set for people who log in, and not for what an init system, Docker or cron "
                "starts. Set it where the service is started.",
                Location(path, start, start + len(match["name"])),
            )
