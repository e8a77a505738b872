"""What the user asked for: `[tool.prodlint]` in `pyproject.toml` or `prodlint.toml`, found upwards from the files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from prodlint.findings import Severity
from prodlint.lazy_regex import regex
from prodlint.project.globs import is_glob
from prodlint.project.hints import Hints
from prodlint.project.vfs import describe, read_regular
from prodlint.rulebook import Rule
from prodlint.toml_text import TomlError, parse_toml

CONFIG_NAME = "prodlint.toml"
PYPROJECT = "pyproject.toml"

_LARGEST = 1_000_000
"""Bytes of a configuration."""

_SHOWN = 200
"""Characters of a name in a message."""

DEFAULT_EXCLUDE = (
    "__pycache__/",
    ".cache/",
    ".devcontainer/",
    ".eggs/",
    ".git/",
    ".hg/",
    ".idea/",
    ".jj/",
    ".mypy_cache/",
    ".next/",
    ".nox/",
    ".nuxt/",
    ".output/",
    ".parcel-cache/",
    ".pnpm-store/",
    ".pytest_cache/",
    ".ruff_cache/",
    ".serverless/",
    ".svelte-kit/",
    ".svn/",
    ".terraform/",
    ".tox/",
    ".turbo/",
    ".venv/",
    ".vercel/",
    ".vscode/",
    ".vscode-test/",
    ".yarn/",
    "bower_components/",
    "coverage/",
    "htmlcov/",
    "jspm_packages/",
    "node_modules/",
    "site-packages/",
    "third-party/",
    "third_party/",
    "vendor/",
    "vendored/",
    "*.min.js",
    "*.min.mjs",
    "*.min.cjs",
    "*-min.js",
    "*.bundle.js",
    "*.pack.js",
)
"""What nobody of the project wrote. Virtual environments and generated files are known by what they contain."""


class ConfigError(Exception):
    """The configuration is not as it has to be. `line` counts from 1; 0 means the file as a whole."""

    def __init__(self, path: Path | None, line: int, message: str) -> None:
        super().__init__(path, line, message)
        self.path = path
        self.line = line
        self.message = message

    def __str__(self) -> str:
        where = "" if self.path is None else f"{self.path}:{self.line}: " if self.line else f"{self.path}: "
        return f"{where}{self.message}"


class Choice(msgspec.Struct, frozen=True):
    """Which rules one place (the configuration, the command line) asks for, by name or by practice.

    `select` None leaves what was chosen before; any other value replaces it. In one choice the more exact name wins,
    and of two equally exact ones `ignore`.
    """

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True):
    """The configuration of one project, checked and complete. Globs are as in `.gitignore`, from the project root."""

    path: Path | None = None
    """The file that it was read from; None for the defaults."""
    choice: Choice = Choice()
    preview: bool = False
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    severity: Mapping[str, Severity] = {}
    fail_on: Severity = Severity.WARNING
    rule_data: Mapping[str, Mapping[str, Any]] = {}
    """Per rule, what to add to its data."""
    hints: Hints = msgspec.field(default_factory=Hints)


# --- choosing rules ---------------------------------------------------------------------------------------------------

ALL = "all"


def chosen_rules(rules: Mapping[str, Rule], settings: Settings, choice: Choice | None = None) -> dict[str, Rule]:
    """The rules to run, with the severities and data that the settings give them.

    All stable rules, changed by the settings' choice and then by `choice` (the command line's). Preview rules run if
    the settings say so, or if they are selected by their exact name. Raises `ConfigError` if `choice` names no rule.
    """
    if choice is not None:
        for name in (*(choice.select or ()), *choice.extend_select, *choice.ignore):
            if message := unknown_rule_message(name, rules):
                raise ConfigError(None, 0, message)
    chosen: dict[str, Rule] = {}
    for name, rule in rules.items():
        wanted = not rule.is_preview or settings.preview
        for layer in (settings.choice, choice or Choice()):
            wanted = _is_wanted(rule, layer, wanted, settings.preview)
        if wanted:
            chosen[name] = rule.with_settings(settings.severity.get(name), settings.rule_data.get(name, {}))
    return chosen


def _is_wanted(rule: Rule, choice: Choice, before: bool, preview: bool) -> bool:
    selected = _exactness(rule, (*(choice.select or ()), *choice.extend_select))
    if rule.is_preview and not preview and selected < 3:
        selected = 0
    ignored = _exactness(rule, choice.ignore)
    if ignored and ignored >= selected:
        return False
    return selected > 0 or (before and choice.select is None)


def _exactness(rule: Rule, names: Iterable[str]) -> int:
    """How exactly the rule is named: 3 by its name, 2 by its practice, 1 by "all", 0 not at all."""
    return max(((name == rule.name) * 3 or (name == rule.practice) * 2 or (name == ALL) for name in names), default=0)


def unknown_rule_message(name: str, rules: Mapping[str, Rule]) -> str | None:
    """Why `name` names no rule and no practice, with the nearest name; None if it does."""
    known = {ALL, *rules, *(rule.practice for rule in rules.values())}
    if name in known:
        return None
    return f'no rule or practice is called "{shortened(name)}"{suggestion(name, known)}'


def shortened(text: str) -> str:
    """What is shown of a name that may be of any length."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean "…"?` with the nearest of the known names, or ""."""
    near = nearest(name, known)
    return f'; did you mean "{near}"?' if near else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that a misspelt one is most like, or ""."""
    import difflib

    return next(iter(difflib.get_close_matches(name, sorted(known), 1, cutoff=0.6)), "")


# --- finding and reading ----------------------------------------------------------------------------------------------


def find_config(start: Path, stop: Path | None = None) -> Path | None:
    """The nearest configuration in `start` or above it, not above `stop`."""
    for folder in (start, *start.parents):
        if os.path.isfile(folder / CONFIG_NAME):  # noqa: PTH113 - pathlib's own raises where it may not look
            return folder / CONFIG_NAME
        if has_table(folder / PYPROJECT):
            return folder / PYPROJECT
        if folder == stop:
            break
    return None


def has_table(path: Path) -> bool:
    """Whether a `pyproject.toml` has a table of ours."""
    try:
        return (
            re.search(rb"^[ \t]*+\[[ \t]*+tool[ \t]*+\.[ \t]*+[\"']?prodlint\b", read_regular(path), re.MULTILINE)
            is not None
        )
    except OSError:
        return False


def read_settings(path: Path, rules: Mapping[str, Rule]) -> Settings:
    """The settings in a file; raises `ConfigError`."""
    return _Reader(rules).settings(path, _read_extended(path, rules, ()))


def parse_settings(table: Mapping[str, Any], rules: Mapping[str, Rule]) -> Settings:
    """The settings in a table that is already parsed, as tests and editors have it; raises `ConfigError`."""
    reader = _Reader(rules)
    reader.check(table, None)
    return reader.settings(None, table)


def _read_extended(path: Path, rules: Mapping[str, Rule], above: tuple[Path, ...]) -> dict[str, Any]:
    """The file's table, laid over the one that it extends."""
    document = _Document.read(path)
    _Reader(rules).check(document.table, document)
    parent = document.table.get("extend")
    if parent is None:
        return document.table
    try:
        target = (path.parent / Path(parent).expanduser()).resolve()
        is_there = target.is_file()
    except (OSError, RuntimeError, ValueError):  # a name that is too long, nobody's home, links in a circle, NUL
        is_there = False
    if not is_there:
        raise document.error(("extend",), f"no such file: {shortened(parent)}")
    if target in (*above, path):
        raise document.error(("extend",), f'"{shortened(parent)}" extends this file again')
    return _laid_over(_read_extended(target, rules, (*above, path)), document.table)


def _laid_over(base: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of `table` win, tables are merged, `extend-…` lists add up."""
    merged = dict(base)
    for key, value in table.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _laid_over(old, value)
        elif key.startswith("extend-") and isinstance(old, list):
            merged[key] = [*old, *value]
        else:
            merged[key] = value
    return merged


class _Document(msgspec.Struct, frozen=True):
    """One file with a table of ours, and where in its text things are."""

    path: Path
    text: str
    prefix: tuple[str, ...]
    """The table's place in the file."""
    table: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> _Document:
        try:
            with path.open("rb") as file:
                encoded = file.read(_LARGEST + 1)
        except (OSError, ValueError) as error:
            raise ConfigError(path, 0, f"cannot be read: {describe(error)}") from error
        if len(encoded) > _LARGEST:
            raise ConfigError(path, 0, f"is larger than {_LARGEST // 1_000_000} MB")
        try:
            text = encoded.decode("utf-8-sig")
            data: Any = parse_toml(text)
        except UnicodeDecodeError as error:
            raise ConfigError(path, error.object[: error.start].count(b"\n") + 1, "is not UTF-8") from error
        except TomlError as error:
            raise ConfigError(path, error.line, f"not valid TOML: {error.message}") from error
        prefix = ("tool", "prodlint") if path.name == PYPROJECT or "prodlint" in data.get("tool", {}) else ()
        for key in prefix:
            data = data.get(key, {})
        if not isinstance(data, dict):
            raise ConfigError(path, locate(text, prefix), f"`{'.'.join(prefix)}` must be a table")
        return cls(path, text, prefix, data)

    def error(self, keys: Sequence[str], message: str) -> ConfigError:
        """An error about the value at `keys` of the table."""
        return ConfigError(self.path, locate(self.text, (*self.prefix, *keys)), message)


def locate(text: str, keys: Sequence[str]) -> int:
    """The line of a TOML text that holds the value at `keys`, or that opens the innermost table around it; 1 if
    neither is written out. tomllib keeps no positions, so headers and keys are read again, one line at a time."""
    best, best_depth = 1, 0
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("[") and (header := _keys_of(line)):
            table = place = header
        elif found := _ASSIGNMENT.match(line):
            place = (*table, *_keys_of(f"{found[1]} = 0"))
        else:
            continue
        if len(place) > best_depth and place == tuple(keys[: len(place)]):
            best, best_depth = number, len(place)
    return best


_ASSIGNMENT = regex(r"""\s*+((?:[\w.\-]++|[ \t]++|"[^"]*+"|'[^']*+')++)=""")


def _keys_of(line: str) -> tuple[str, ...]:
    """The keys of one TOML line, from the outermost in; () if the line is none by itself."""
    try:
        data: Any = parse_toml(line)
    except TomlError:
        return ()
    keys = []
    while data and isinstance(data, dict | list):
        if isinstance(data, list):
            data = data[0]
        else:
            key, data = next(iter(data.items()))
            keys.append(key)
    return tuple(keys)


# --- checking ---------------------------------------------------------------------------------------------------------


class _Reader:
    """Checks a table against what settings can be, and turns it into `Settings`."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = rules

    def check(self, table: Mapping[str, Any], document: _Document | None) -> None:
        """Raises `ConfigError` for the first key that is unknown or has a value that cannot be."""
        for key, value in table.items():
            if key in _CHECKS:
                complaint = _CHECKS[key](self, value)
            elif key in self._rules:
                complaint = self._rule_table(self._rules[key], value)
            else:
                known = {*_CHECKS, *self._rules}
                complaint = _Complaint((), f'unknown key "{shortened(key)}"{suggestion(key, known)}')
            if complaint is not None:
                keys = (key, *complaint.keys)
                message = (
                    complaint.message if complaint.is_whole else f"`{shortened('.'.join(keys))}` {complaint.message}"
                )
                raise ConfigError(None, 0, message) if document is None else document.error(keys, message)

    def settings(self, path: Path | None, table: Mapping[str, Any]) -> Settings:
        """The settings of a table that was checked."""
        project = table.get("project", {})
        return Settings(
            path=path,
            choice=Choice(
                select=tuple(table["select"]) if "select" in table else None,
                extend_select=tuple(table.get("extend-select", ())),
                ignore=tuple(table.get("ignore", ())),
            ),
            preview=table.get("preview", False),
            exclude=(*table.get("exclude", DEFAULT_EXCLUDE), *table.get("extend-exclude", ())),
            per_file_ignores=tuple((glob, tuple(names)) for glob, names in table.get("per-file-ignores", {}).items()),
            severity={name: Severity(value) for name, value in table.get("severity", {}).items()},
            fail_on=Severity(table.get("fail-on", Severity.WARNING)),
            rule_data={name: value for name, value in table.items() if name in self._rules},
            hints=Hints(**{key: tuple(value) for key, value in project.items()}),
        )

    def strings(self, value: Any) -> _Complaint | None:
        if not isinstance(value, list):
            return _Complaint((), f"must be a list of strings, not {_kind(value)}")
        wrong = next((item for item in value if not isinstance(item, str)), None)
        return None if wrong is None else _Complaint((), f"must be a list of strings, but has {_kind(wrong)}")

    def globs(self, value: Any) -> _Complaint | None:
        complaint = self.strings(value)
        wrong = None if complaint else next((glob for glob in value if not is_glob(glob)), None)
        return complaint if wrong is None else _Complaint((), f'has a glob that is none: "{shortened(wrong)}"')

    def rule_names(self, value: Any) -> _Complaint | None:
        if complaint := self.strings(value):
            return complaint
        messages = (unknown_rule_message(name, self._rules) for name in value)
        message = next((message for message in messages if message), None)
        return None if message is None else _Complaint((), f"is wrong: {message}")

    def boolean(self, value: Any) -> _Complaint | None:
        return None if isinstance(value, bool) else _Complaint((), f"must be true or false, not {_kind(value)}")

    def string(self, value: Any) -> _Complaint | None:
        return None if isinstance(value, str) else _Complaint((), f"must be a string, not {_kind(value)}")

    def severity(self, value: Any) -> _Complaint | None:
        if isinstance(value, str) and value in list(Severity):
            return None
        got = f'"{shortened(value)}"{suggestion(value, list(Severity))}' if isinstance(value, str) else _kind(value)
        return _Complaint((), f'must be "error", "warning" or "advice", not {got}')

    def severities(self, value: Any) -> _Complaint | None:
        if not isinstance(value, dict):
            return _Complaint((), f"must be a table, not {_kind(value)}")
        for name, severity in value.items():
            if name not in self._rules:
                return _Complaint(
                    (name,), f'is wrong: no rule is called "{shortened(name)}"{suggestion(name, self._rules)}'
                )
            if complaint := self.severity(severity):
                return complaint.inside(name)
        return None

    def per_file_ignores(self, value: Any) -> _Complaint | None:
        if not isinstance(value, dict):
            return _Complaint((), f"must be a table, not {_kind(value)}")
        for glob, names in value.items():
            if complaint := self.globs([glob]) or self.rule_names(names):
                return complaint.inside(glob)
        return None

    def project(self, value: Any) -> _Complaint | None:
        if not isinstance(value, dict):
            return _Complaint((), f"must be a table, not {_kind(value)}")
        known = Hints.__struct_fields__
        for key, item in value.items():
            if key not in known:
                return _Complaint(
                    (key,), f'is unknown: `project` has no key "{shortened(key)}"{suggestion(key, known)}'
                )
            if complaint := self.strings(item):
                return complaint.inside(key)
        return None

    def _rule_table(self, rule: Rule, value: Any) -> _Complaint | None:
        if not isinstance(value, dict):
            return _Complaint((), f"must be a table, not {_kind(value)}")
        for key, item in value.items():
            if key not in rule.data:
                has = f"; it has {', '.join(rule.data)}" if rule.data else ""
                hint = suggestion(key, rule.data) or has
                return _Complaint((key,), f'is unknown: the rule {rule.name} has no key "{shortened(key)}"{hint}')
            if complaint := _same_shape(item, rule.data[key]):
                return complaint.inside(key)
        return None


class _Complaint(msgspec.Struct, frozen=True):
    """What is wrong with the value at `keys` below the one that was checked."""

    keys: tuple[str, ...]
    message: str

    @property
    def is_whole(self) -> bool:
        """Whether the message names the key itself."""
        return self.message.startswith("unknown key")

    def inside(self, key: str) -> _Complaint:
        """The same, seen from the table that holds the value under `key`."""
        return _Complaint((key, *self.keys), self.message)


_CHECKS = {
    "extend": _Reader.string,
    "select": _Reader.rule_names,
    "extend-select": _Reader.rule_names,
    "ignore": _Reader.rule_names,
    "preview": _Reader.boolean,
    "exclude": _Reader.globs,
    "extend-exclude": _Reader.globs,
    "per-file-ignores": _Reader.per_file_ignores,
    "severity": _Reader.severities,
    "fail-on": _Reader.severity,
    "project": _Reader.project,
}


def _same_shape(value: Any, example: Any) -> _Complaint | None:
    """A user's value must be of the rule's own type; so must the items, where the rule's are all of one type."""
    if type(value) is not type(example):
        return _Complaint((), f"must be {_kind(example)}, not {_kind(value)}")
    if isinstance(value, list):
        types = {type(item) for item in example}
        wrong = next((item for item in value if len(types) == 1 and type(item) not in types), None)
        return None if wrong is None else _Complaint((), f"must hold what is {_kind(example[0])}, not {_kind(wrong)}")
    if isinstance(value, dict):
        types = {type(item) for item in example.values()}
        for key, item in value.items():
            if len(types) == 1 and type(item) not in types:
                wanted = _kind(next(iter(example.values())))
                return _Complaint((key,), f"must be {wanted}, not {_kind(item)}")
    return None


def _kind(value: Any) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "a table"}
    return names.get(type(value), "a date or time")
