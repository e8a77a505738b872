"""How many files and sockets a process may have open, as far as deployment files say."""

from __future__ import annotations

import msgspec

from prodlint.program.services import Variant
from prodlint.program.services.setting_values import SettingValue, State

_KEY = "limit.nofile"
_ENDLESS = ("infinity", "unlimited", "-1")


class FileLimit(msgspec.Struct, frozen=True):
    """The soft and the hard limit; infinity for none."""

    soft: float
    hard: float
    said: SettingValue


def file_limit(variant: Variant) -> FileLimit | None:
    """The limit that a variant sets; None where it sets none, or one that cannot be read."""
    said = variant.setting(_KEY)
    numbers = [number for part in said.value.split(":") if (number := _number(part)) is not None]
    if said.state is not State.SET or len(numbers) != len(said.value.split(":")):
        return None
    return FileLimit(numbers[0], numbers[-1], said)


def sets_file_limit(variant: Variant) -> bool:
    """Whether a variant sets a limit, known or not."""
    return variant.setting(_KEY).state is not State.ABSENT


def _number(text: str) -> float | None:
    text = text.strip()
    if text in _ENDLESS:
        return float("inf")
    return float(text) if text.isdecimal() else None
