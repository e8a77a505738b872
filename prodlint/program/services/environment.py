"""The environment that a process starts with, as far as files say."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from prodlint.extract.deployment.commands import Assignments
from prodlint.extract.deployment.variables import expand, has_variables
from prodlint.program.services.setting_values import ABSENT, SettingValue, Source, State


class Environment(msgspec.Struct):
    """The variables that a process starts with, as far as files say. What comes later wins."""

    known: dict[str, SettingValue] = {}
    open: SettingValue | None = None
    """The last thing that may have set anything."""

    def copy(self) -> Environment:
        """The same, to be changed on its own."""
        return Environment(dict(self.known), self.open)

    def set(self, name: str, value: str | None, by: Source, reason: str = "its value comes from outside") -> None:
        """A variable is set; `value` None is an unknown one."""
        if value is None:
            before = self.known.get(name)
            if before is not None and before.state is State.SET:
                self.known[name] = replace(before, is_final=False)
            else:
                self.known[name] = SettingValue(State.UNKNOWN, by=by, reason=reason)
        else:
            self.known[name] = SettingValue(State.SET, value, by)

    def assign(self, assignments: Assignments, by: Source) -> None:
        """Variables as a command sets them, whose values may have others in them."""
        for name, template in assignments:
            values = {other: answer.value for other, answer in self.known.items() if answer.state is State.SET}
            self.set(name, expand(template, values) if has_variables(template) else template, by)

    def mark_unknown(self, by: Source, reason: str) -> None:
        """Something that cannot be looked into may set any variable from here on."""
        self.open = SettingValue(State.UNKNOWN, by=by, reason=reason)
        self.known = {name: replace(answer, is_final=False) for name, answer in self.known.items()}

    def get(self, name: str) -> SettingValue:
        """What is known of a variable when the process starts."""
        return self.known.get(name) or self.open or ABSENT
