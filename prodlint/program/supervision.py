"""Who starts a service again: after a crash, and after the machine was started."""

from __future__ import annotations

import re

from prodlint.program.launches import State
from prodlint.program.operations import is_known, is_opaque, programs
from prodlint.program.services import Variant

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
_ONE_SHOT = re.compile(
    r"(?:^|[-_.])(?:migrat\w*|seed\w*|setup|init|backup\w*|bootstrap|cron\w*|job\w*)(?:$|[-_.])", re.I
)


def after_crash(variant: Variant) -> State:
    """Whether something starts the variant again when its process ends with an error: SET, ABSENT, or UNKNOWN where a
    platform or a script that is not here decides. What is meant to end counts as SET."""
    if _ends_by_itself(variant) or set(programs(variant)) & SUPERVISORS:
        return State.SET
    if variant.kind == "systemd":
        answer = variant.setting("restart")
        if answer.state is State.SET:
            return State.SET if answer.value.lower() in _RESTARTING else State.ABSENT
        return answer.state
    if variant.kind == "compose":
        policies = [variant.setting("restart"), variant.setting("restart_policy")]
        for policy in policies:
            if policy.state is State.UNKNOWN:
                return State.UNKNOWN
            if policy.state is State.SET and not is_known(policy, "no", "none", "false"):
                return State.SET
        return State.UNKNOWN if is_opaque(variant) else State.ABSENT
    return State.ABSENT if variant.kind == "package_json" else State.UNKNOWN


def _ends_by_itself(variant: Variant) -> bool:
    if is_known(variant.setting("type"), "oneshot") or variant.setting("profile").state is not State.ABSENT:
        return True
    return variant.kind in ("compose", "systemd") and bool(
        _ONE_SHOT.search(variant.outer.name.removesuffix(".service"))
    )
