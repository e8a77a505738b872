"""Who starts a service again: after a crash, and after the machine was started."""

from __future__ import annotations

import re

import msgspec

from prodlint.lazy_regex import regex
from prodlint.models.deployment_formats import SWARM, Host, Restarts
from prodlint.program.services import Variant
from prodlint.program.services.setting_values import State
from prodlint.program.services.variants import is_known, is_opaque, programs

SUPERVISORS = frozenset(
    {
        "pm2",
        "pm2-runtime",
        "pm2-docker",
        "forever",
        "supervisord",
        "s6-svscan",
        "runsvdir",
        "circusd",
        "monit",
        "naught",
    }
)
"""Programs that start what they run again when it ends."""
_ONE_SHOT = regex(r"(?:^|[-_.])(?:migrat\w*|seed\w*|setup|init|backup\w*|bootstrap|cron\w*|job\w*)(?:$|[-_.])", re.I)


def after_crash(variant: Variant) -> State:
    """Whether something starts the variant again when its process ends with an error: SET, ABSENT, or UNKNOWN where a
    platform or a script that is not here decides. What is meant to end counts as SET."""
    if ends_by_itself(variant) or set(programs(variant)) & SUPERVISORS:
        return State.SET
    restarts = restarts_of(variant)
    if restarts is None:
        return State.UNKNOWN
    if restarts.workloads and not is_known(variant.setting("type"), *restarts.workloads):
        return State.SET
    for key in restarts.keys:
        answer = variant.setting(key)
        if answer.state is State.UNKNOWN and not restarts.by_default:
            return State.UNKNOWN
        if answer.state is State.SET:
            value = answer.value.strip().lower()
            if value in restarts.when if restarts.when else value not in restarts.unless:
                return State.SET
            if restarts.by_default:
                return State.ABSENT
    if restarts.by_default:
        return State.SET
    return State.UNKNOWN if variant.format.host is Host.DOCKER and is_opaque(variant) else State.ABSENT


def restarts_of(variant: Variant) -> Restarts | None:
    """When a variant is started again, by its format; None where a platform or somebody else decides."""
    return SWARM if variant.setting("stack").state is State.SET else variant.format.restarts


def ends_by_itself(variant: Variant) -> bool:
    """Whether a variant is meant to end: a job, a migration, one of many instances."""
    if (
        is_known(variant.setting("type"), "oneshot", "task", "job", "cronjob")
        or variant.setting("profile").state is not State.ABSENT
    ):
        return True
    if variant.setting("instance").state is not State.ABSENT:
        return True
    return variant.format.names_jobs and bool(_ONE_SHOT.search(variant.outer.name.removesuffix(".service")))


_UNITS = {
    "us": 1e-6, "ms": 1e-3, "s": 1, "sec": 1, "second": 1, "seconds": 1, "m": 60, "min": 60, "minute": 60,
    "minutes": 60, "h": 3600, "hr": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400, "days": 86400, "": 1,
}  # fmt: skip


def seconds(text: str) -> float | None:
    """A span of time as systemd writes it ("500ms", "1min 30s", "5"), in seconds; None where it is not one."""
    text = text.strip()
    if text == "infinity":
        return float("inf")
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text)
    if (
        not parts
        or re.sub(r"(\d+(?:\.\d+)?)\s*([a-z]*)", "", text).strip()
        or any(unit not in _UNITS for _, unit in parts)
    ):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


class StartLimit(msgspec.Struct, frozen=True):
    """How often a unit may be started within how many seconds, and how many seconds pass before it is started again;
    None for a value that cannot be read. Defaults: systemd-system.conf(5)."""

    burst: float | None = 5
    interval: float | None = 10
    delay: float | None = 0.1

    @property
    def gives_up(self) -> bool:
        """Whether a service that ends at once uses up its starts, and is not started again."""
        if self.burst is None or self.interval is None or self.delay is None:
            return False
        return self.is_on and self.burst * self.delay < self.interval

    @property
    def is_on(self) -> bool:
        """Whether there is a limit."""
        return bool(self.burst) and bool(self.interval)


_DEFAULT = StartLimit()


def start_limit(variant: Variant) -> StartLimit:
    """The start limit of a unit."""
    return StartLimit(
        _seconds(variant, "restart.limit", _DEFAULT.burst),
        _seconds(variant, "restart.interval", _DEFAULT.interval),
        _seconds(variant, "restart.delay", _DEFAULT.delay),
    )


def _seconds(variant: Variant, key: str, default: float | None) -> float | None:
    answer = variant.setting(key)
    if answer.state is State.ABSENT:
        return default
    return seconds(answer.value) if answer.state is State.SET else None
