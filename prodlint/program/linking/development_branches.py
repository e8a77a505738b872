"""Branches that run in development or in tests only, as their condition says."""

from __future__ import annotations

from collections.abc import Sequence

from prodlint.facts import NONE, RegionKind, Value, ValueKind
from prodlint.program.linking.resolver import File

_UNKNOWN = Value(ValueKind.UNKNOWN)
_DEVELOPMENT = frozenset(
    {
        *("dev", "isdev", "is_dev", "isdevelopment", "is_development", "__dev__"),
        *("ci", "verbose", "_verbose", "debug", "_debug", "isdebug", "is_debug"),
    }
)
"""Names of flags that are off in production."""

_PRODUCTION = frozenset({"isprod", "is_prod", "isproduction", "is_production", "production"})


class Branches:
    """Answers, memoised, for the regions of all files."""

    def __init__(self) -> None:
        self._memo: dict[int, list[bool]] = {}

    def dev_only(self, file: File, region: int) -> bool:
        """Whether a region, or one around it, is a branch for development or tests:
        `if (process.env.NODE_ENV !== 'production')`, the `else` of `if (isProduction)`, `if settings.DEBUG`."""
        return region != NONE and self.dev_regions(file)[region]

    def dev_regions(self, file: File) -> Sequence[bool]:
        """The same of each region of a file."""
        known = self._memo.get(file.index)
        if known is None:
            known = self._memo[file.index] = []
            for number, fact in enumerate(file.facts.regions):  # a region stands behind the one that it is in
                known.append((fact.parent != NONE and known[fact.parent]) or self._is_dev_branch(file, number))
        return known

    def _is_dev_branch(self, file: File, at: int) -> bool:
        region = file.facts.regions[at]
        if region.kind not in (RegionKind.THEN, RegionKind.ELSE) or not region.values:
            return False
        verdict = self._means_dev(file, region.values[0])
        return verdict is (region.kind is RegionKind.THEN) if verdict is not None else False

    def _means_dev(self, file: File, test: int, depth: int = 0) -> bool | None:
        """Whether a test holds in development only (True), in production only (False), or says nothing of it."""
        value = _value(file, test)
        if depth > 4:
            return None
        if value.kind is ValueKind.OP:
            if value.text == "!" and value.items:
                inner = self._means_dev(file, value.items[0], depth + 1)
                return None if inner is None else not inner
            if value.text == "&&":
                parts = [self._means_dev(file, item, depth + 1) for item in value.items]
                return True if True in parts else (False if False in parts else None)
            if value.text in ("===", "==", "!==", "!=") and len(value.items) == 2:
                return self._compares_environment(file, value)
            return None
        if value.kind is ValueKind.MEMBER and value.text in ("DEBUG", "debug") and self._is_settings(file, value):
            return True
        if value.kind in (ValueKind.BINDING, ValueKind.GLOBAL, ValueKind.MEMBER):
            return self._named_environment(file, value, depth)
        return None

    def _named_environment(self, file: File, value: Value, depth: int) -> bool | None:
        name = file.facts.bindings[value.ref].name if value.kind is ValueKind.BINDING else value.text
        if name.lower() in _DEVELOPMENT:
            return True
        if name.lower() in _PRODUCTION:
            return False
        if value.kind is ValueKind.BINDING:
            values = file.facts.bindings[value.ref].values
            return self._means_dev(file, values[0], depth + 1) if len(values) == 1 else None
        return None

    def _is_settings(self, file: File, value: Value) -> bool:
        base = _value(file, value.ref)
        return base.text in ("settings", "app", "config") or (
            base.kind is ValueKind.BINDING and file.facts.bindings[base.ref].name in ("settings", "app", "config")
        )

    def _compares_environment(self, file: File, value: Value) -> bool | None:
        left, right = (_value(file, item) for item in value.items)
        if left.kind is ValueKind.STRING:
            left, right = right, left
        if right.kind is not ValueKind.STRING or not self._is_environment(file, left):
            return None
        equal = value.text in ("===", "==")
        if right.text in ("production", "prod"):
            return not equal
        if right.text in ("development", "dev", "test", "testing", "local"):
            return equal
        return None

    def _is_environment(self, file: File, value: Value, depth: int = 0) -> bool:
        if depth > 4:
            return False
        if value.kind is ValueKind.BINDING:
            binding = file.facts.bindings[value.ref]
            return binding.name.lower() in ("env", "node_env", "environment") or any(
                self._is_environment(file, _value(file, item), depth + 1) for item in binding.values
            )
        if value.kind is ValueKind.MEMBER:
            return value.text.lower() in ("node_env", "env", "environment", "app_env", "flask_env")
        if value.kind is ValueKind.CALL:
            call = file.facts.calls[value.ref]
            first = _value(file, call.args[0]) if call.args else _UNKNOWN
            return first.kind is ValueKind.STRING and first.text.lower() in ("node_env", "env", "app_env", "flask_env")
        if value.kind is ValueKind.OP and value.text in ("||", "??"):
            return any(self._is_environment(file, _value(file, item), depth + 1) for item in value.items)
        return False


def _value(file: File, index: int) -> Value:
    return file.facts.values[index] if index != NONE else _UNKNOWN
