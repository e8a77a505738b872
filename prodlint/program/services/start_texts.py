"""What is run when a service starts, as text: its command, and the scripts that this runs in turn."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from prodlint.lazy_regex import regex

if TYPE_CHECKING:
    from prodlint.extract.deployment.package_json import PackageInfo
    from prodlint.program.linking.program import Program
    from prodlint.program.services.model import Variant

_COMMANDS = ("command", "entrypoint", "args", "lifecycle", "hook", "pre", "post", "Exec")
_SCRIPT = regex(
    r"\b(?:npm|yarn|yarnpkg|pnpm|bun)[\s\",]++(?:-[^\s\",]++[\s\",]++)*+(?:run(?:-script)?[\s\",]++)?(?P<name>[\w:.-]++)"
)
_MOST = 60


def start_texts(program: Program, variant: Variant) -> list[str]:
    """The commands of a variant, the package scripts that they run (with what npm runs before and behind those), and
    the shell scripts of the project that they name, each as it is written."""
    info = program.versions.packages.get(variant.launch.package)
    pending = [
        setting.value or setting.template
        for layer in variant.layers
        for setting in layer.settings.values()
        if setting.key.startswith(_COMMANDS) or any(each in setting.key for each in (".Exec", "command", "entrypoint"))
    ]
    pending += [" ".join((*step.start.wrappers, *step.start.words)) for step in variant.launch.steps]
    found: list[str] = []
    shells = {path: posixpath.basename(path) for path, facts in program.facts.items() if facts.kind == "shell"}
    while pending and len(found) < _MOST:
        text = pending.pop()
        if not text or text in found:
            continue
        found.append(text)
        pending += _scripts(text, info)
        pending += [program.read(path).decode(errors="replace") for path, name in shells.items() if name in text]
    return found


def _scripts(text: str, info: PackageInfo | None) -> list[str]:
    if info is None:
        return []
    names = [match["name"] for match in _SCRIPT.finditer(text)]
    return [
        info.scripts[each] for name in names for each in (f"pre{name}", name, f"post{name}") if each in info.scripts
    ]
