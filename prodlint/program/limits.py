"""How many files and sockets a process may have open, as far as deployment files say."""

from __future__ import annotations

from dataclasses import dataclass

from prodlint.program.launches import Answer, State
from prodlint.program.services import Variant

_KEYS = ("limit.nofile", "Service.LimitNOFILE")
_ENDLESS = ("infinity", "unlimited", "-1")


@dataclass(frozen=True)
class FileLimit:
    """The soft and the hard limit; infinity for none."""

    soft: float
    hard: float
    said: Answer


def file_limit(variant: Variant) -> FileLimit | None:
    """The limit that a variant sets; None where it sets none, or one that cannot be read."""
    for key in _KEYS:
        said = variant.setting(key)
        if said.state is State.SET:
            parts = [_number(part) for part in said.value.split(":")]
            if len(parts) in (1, 2) and None not in parts:
                numbers = [part for part in parts if part is not None]
                return FileLimit(numbers[0], numbers[-1], said)
    return None


def sets_file_limit(variant: Variant) -> bool:
    """Whether a variant sets a limit, known or not."""
    return any(variant.setting(key).state is not State.ABSENT for key in _KEYS)


def _number(text: str) -> float | None:
    text = text.strip()
    if text in _ENDLESS:
        return float("inf")
    return float(text) if text.isdigit() else None
