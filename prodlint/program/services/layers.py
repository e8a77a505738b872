"""The artefacts that a variant of a service is made of, each with its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from prodlint.facts import Setting
from prodlint.findings import Location
from prodlint.program.services.setting_values import Source


class Layer(msgspec.Struct, frozen=True):
    """An artefact's part in a variant, and its settings as they are in force."""

    source: Source
    settings: Mapping[str, Setting]
    """By key; of a key that is there several times (`ports`), the last."""
    every: tuple[Setting, ...] = ()
    """All settings in their order, those of a key that is there several times too."""
    elsewhere: tuple[tuple[Setting, str], ...] = ()
    """Those that another file says than the artefact's own (an overlay, a drop-in), each with its path."""

    def all(self, key: str) -> list[Setting]:
        """The settings of a key."""
        found = [setting for setting in self.every if setting.key == key]
        return found or ([self.settings[key]] if key in self.settings else [])

    def at(self, setting: Setting) -> Source:
        """The artefact as the one who says a setting, at its place."""
        path = next((path for other, path in self.elsewhere if other is setting), self.source.path)
        return replace(self.source, location=Location(path, setting.start, setting.end))


def layer_of(source: Source, settings: Sequence[Setting], elsewhere: Sequence[tuple[Setting, str]] = ()) -> Layer:
    """An artefact with its settings, the weakest first."""
    return Layer(source, {setting.key: setting for setting in settings}, tuple(settings), tuple(elsewhere))
