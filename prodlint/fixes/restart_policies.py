"""Restarts after a crash, set in each format that has a policy for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from prodlint.fixes import systemd_units, upstart_jobs, yaml

if TYPE_CHECKING:
    from prodlint.facts import Artefact
    from prodlint.fixes.text import Edits


def restart(kind: str, path: str, source: bytes, artefact: Artefact | None, name: str, start: int) -> Edits | None:
    """Has the artefact `name` of a file of a kind started again after a crash; `start` is where it says something else.
    None where the file is not written in a way that can be edited, or its format cannot say it."""
    return _SET[kind](path, source, artefact, name, start) if kind in _SET else None


def _in_unit(path: str, source: bytes, unit: Artefact | None, name: str, start: int) -> Edits | None:
    values = {"Restart": "on-failure"}
    if unit is not None and not any(setting.key == "Service.RestartSec" for setting in unit.settings):
        values["RestartSec"] = "5"
    return systemd_units.set_values(path, source, "Service", values)


_SET: Mapping[str, Callable[[str, bytes, Artefact | None, str, int], Edits | None]] = {
    "systemd": _in_unit,
    "upstart": lambda path, source, job, name, start: upstart_jobs.add_stanzas(
        path, source, "respawn", "respawn limit 10 5"
    ),
    "supervisord": lambda path, source, program, name, start: systemd_units.replace_value(
        path, source, start, "unexpected"
    ),
    "compose": lambda path, source, service, name, start: yaml.set_key(path, source, name, "restart", "unless-stopped"),
}
