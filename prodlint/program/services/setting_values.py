"""What is known of a setting (set, absent or unknown) and which artefact says so."""

from __future__ import annotations

import json
import posixpath
from enum import Enum

import msgspec

from prodlint.facts import Artefact, Setting
from prodlint.findings import Location
from prodlint.models.deployment_formats import Format, format_of


class State(Enum):
    """What is known of a setting."""

    SET = "set"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Source(msgspec.Struct, frozen=True):
    """An artefact that says something, and where: `kind` is the kind of its file, `name` its name in it."""

    kind: str
    name: str
    location: Location

    @classmethod
    def of_file(cls, kind: str, path: str) -> Source:
        """A file as a whole."""
        return cls(kind, posixpath.basename(path), Location(path, 0, 0))

    @property
    def path(self) -> str:
        """The file that it is in."""
        return self.location.path

    @property
    def format(self) -> Format:
        """What is known of files of its kind."""
        return format_of(self.kind)


class SettingValue(msgspec.Struct, frozen=True):
    """What is known of one setting. `by` set it, or made it unknown; `is_final` tells whether nothing that comes later
    may change it."""

    state: State
    value: str = ""
    by: Source | None = None
    reason: str = ""
    """Why it is unknown."""
    is_final: bool = True


ABSENT = SettingValue(State.ABSENT)


def words_of(setting: Setting | None) -> tuple[list[str], bool] | None:
    """The words of a command setting, and whether a shell reads them. None where they are not known."""
    if setting is None or setting.value is None:
        return None
    if setting.key.endswith(".exec"):
        words = json.loads(setting.value)
        return list(words), False
    return [setting.value], True


def source_of(path: str, kind: str, artefact: Artefact, setting: Setting | None = None) -> Source:
    """An artefact as the one who sets something, at a setting of it or at its anchor."""
    if setting is not None:
        return Source(kind, artefact.name, Location(path, setting.start, setting.end))
    return Source(kind, artefact.name, Location(path, artefact.anchor, artefact.anchor_end))
