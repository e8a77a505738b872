"""Who starts a service again: after a crash, and after the machine was started."""

from __future__ import annotations

import re

import msgspec

from prodlint.lazy_regex import regex
from prodlint.program.services import Variant
from prodlint.program.services.setting_values import State
from prodlint.program.services.variants import is_known, is_opaque, programs

_RESTARTING = frozenset({"always", "on-failure", "on-abnormal"})
"""Values of systemd's `Restart=` that cover a crash; the others cover single signals or clean exits only."""
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
    if variant.kind == "systemd":
        answer = variant.setting("restart")
        if answer.state is State.SET:
            return State.SET if answer.value.lower() in _RESTARTING else State.ABSENT
        return answer.state
    if variant.kind == "compose" and variant.setting("stack").state is State.SET:
        # Swarm restarts what ends unless it is told not to, and does not read `restart`.
        return State.ABSENT if is_known(variant.setting("restart_policy"), "none") else State.SET
    if variant.kind == "compose":
        policies = [variant.setting("restart"), variant.setting("restart_policy")]
        for policy in policies:
            if policy.state is State.UNKNOWN:
                return State.UNKNOWN
            if policy.state is State.SET and not is_known(policy, "no", "none", "false"):
                return State.SET
        return State.UNKNOWN if is_opaque(variant) else State.ABSENT
    return _HOSTS[variant.kind](variant) if variant.kind in _HOSTS else State.UNKNOWN


def _by_upstart(variant: Variant) -> State:
    return State.ABSENT if variant.setting("restart").state is State.ABSENT else State.SET


def _unless_false(variant: Variant) -> State:
    """Of supervisord and PM2, which restart unless they are told not to."""
    return State.ABSENT if is_known(variant.setting("restart"), "false") else State.SET


def _by_kubernetes(variant: Variant) -> State:
    """A workload restarts its pods whatever they say; a pod alone does as it says."""
    if is_known(variant.setting("type"), "pod") and is_known(variant.setting("restart"), "never"):
        return State.ABSENT
    return State.SET


def _never(variant: Variant) -> State:
    return State.ABSENT


_HOSTS = {
    "upstart": _by_upstart,
    "supervisord": _unless_false,
    "pm2": _unless_false,
    "forever": _unless_false,
    "kubernetes": _by_kubernetes,
    "package_json": _never,
    "shell": _never,
}


def ends_by_itself(variant: Variant) -> bool:
    """Whether a variant is meant to end: a job, a migration, one of many instances."""
    if (
        is_known(variant.setting("type"), "oneshot", "task", "job", "cronjob")
        or variant.setting("profile").state is not State.ABSENT
    ):
        return True
    if variant.setting("instance").state is not State.ABSENT:
        return True
    return variant.kind in ("compose", "systemd", "upstart") and bool(
        _ONE_SHOT.search(variant.outer.name.removesuffix(".service"))
    )


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
