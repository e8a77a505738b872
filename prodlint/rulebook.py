"""The rulebook: every rule's identity, documentation and data, from the pages under `rules/` or from the built index.

A rule is a page `rules/<practice>/<rule>.md`, its data `<rule>.toml` beside it, and the module
`prodlint/checks/<practice>/<rule>.py` (with underscores). A source checkout and an editable install read the pages;
a wheel carries one index made from them (`hatch_build.py`). Other packages add rules through the entry point
`prodlint.rules`, whose value is the name of a package with the same two shapes inside: `rules/` and `checks/`.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from prodlint.findings import Applicability, Severity
from prodlint.toml_text import TomlError, parse_toml

INDEX_NAME = "_rulebook.msgpack"
ENTRY_POINT = "prodlint.rules"
OWN_PACKAGE = "prodlint"
"""The package of the rules that come with prodlint. Those of others are packs, and what they do is checked."""

PRACTICES = (
    "blocking",
    "logging",
    "errors",
    "environment",
    "restart",
    "cluster",
    "compression",
    "caching",
    "load-balancing",
    "reverse-proxy",
    "comments",
)
"""In the order in which they are shown; the last one is about prodlint's own ignore comments."""

_KEYS = ("name", "summary", "severity", "languages", "fix", "since", "status")


class RulebookError(Exception):
    """A page or its data is not as it has to be; the message names file and line."""


class Rule(msgspec.Struct, frozen=True):
    """One rule, as its page and its data describe it (and the user's settings change it, see `with_settings`)."""

    name: str
    practice: str
    summary: str
    severity: Severity
    languages: tuple[str, ...]
    fix: str
    """The most that its fixes ask of the reader: `safe`, `unsafe` or `none`."""
    since: str
    status: str
    """`stable`, or `preview`: only runs when asked for."""
    page: str
    """The page's Markdown, without the front matter."""
    data: dict[str, Any] = {}
    """What the rule's `.toml` says."""
    package: str = OWN_PACKAGE
    """The package that holds the rule's module."""

    @property
    def is_preview(self) -> bool:
        """Whether the rule still has to prove itself, and only runs when asked for."""
        return self.status == "preview"

    def check_module(self) -> ModuleType:
        """The module with the rule's `check` and `fix`, imported now."""
        parts = (self.package, "checks", self.practice, self.name)
        return importlib.import_module(".".join(part.replace("-", "_") for part in parts))

    def with_settings(self, severity: Severity | None, data: Mapping[str, Any]) -> Rule:
        """The rule as a project wants it: its tables are merged with `data`, its lists are extended by it."""
        if severity is None and not data:
            return self
        return msgspec.structs.replace(self, severity=severity or self.severity, data=_merged(self.data, data))


def _merged(base: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in extra.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _merged(old, value)
        elif isinstance(old, list) and isinstance(value, list):
            merged[key] = [*old, *(item for item in value if item not in old)]
        else:
            merged[key] = value
    return merged


# --- loading ----------------------------------------------------------------------------------------------------------


def load_rules() -> dict[str, Rule]:
    """All rules by name, in the order of their practices: prodlint's own and those of installed packs."""
    rules = [*_own_rules(), *_pack_rules()]
    by_name: dict[str, Rule] = {}
    for rule in sorted(rules, key=_order):
        if rule.name in by_name:
            raise RulebookError(f"the rule {rule.name} is in {by_name[rule.name].package} and in {rule.package}")
        by_name[rule.name] = rule
    return by_name


def _order(rule: Rule) -> tuple[int, str, str]:
    known = rule.practice in PRACTICES
    return PRACTICES.index(rule.practice) if known else len(PRACTICES), rule.practice, rule.name


def _own_rules() -> list[Rule]:
    package = Path(__file__).parent
    try:
        index = (package / INDEX_NAME).read_bytes()
    except FileNotFoundError:
        return read_pages(package.parent / "rules")
    return msgspec.msgpack.decode(index, type=list[Rule])


def _pack_rules() -> Iterator[Rule]:
    if not any(map(_declares_packs, sys.path)):
        return
    from importlib.metadata import entry_points
    from importlib.util import find_spec

    for entry in entry_points(group=ENTRY_POINT):
        try:
            spec = find_spec(entry.value)
        except KeyboardInterrupt:
            raise
        except BaseException:  # the packages around it are imported for that
            spec = None
        if spec is None or not spec.submodule_search_locations:
            raise RulebookError(f"the rule pack {entry.name!r} is no package: {entry.value}")
        yield from read_pages(Path(spec.submodule_search_locations[0]) / "rules", entry.value)


def _declares_packs(folder: str) -> bool:
    """Whether a distribution installed in `folder` has rules: importlib.metadata takes ten times as long to say so."""
    marker = f"[{ENTRY_POINT}]".encode()
    try:
        installed = [entry.path for entry in os.scandir(folder or ".") if entry.name.endswith(".dist-info")]
    except OSError:
        return False
    for path in installed:
        with contextlib.suppress(OSError):
            if marker in Path(path, "entry_points.txt").read_bytes():
                return True
    return False


def encode_index(rules: Iterable[Rule]) -> bytes:
    """The rules as the one file that a wheel carries."""
    return msgspec.msgpack.encode(list(rules))


def read_pages(folder: Path, package: str = OWN_PACKAGE) -> list[Rule]:
    """The rules whose pages are in `folder/<practice>/`; raises `RulebookError`."""
    pages = sorted(folder.glob("*/*.md"))
    if not pages:
        raise RulebookError(f"no rule pages in {folder}")
    return [read_page(page, package) for page in pages if page.name != "README.md"]


def read_page(path: Path, package: str = OWN_PACKAGE) -> Rule:
    """The rule of one page and the data beside it; raises `RulebookError`."""
    try:
        matter, text = _front_matter(path, path.read_text(encoding="utf-8"))
        return Rule(
            name=_checked(path, "name", matter["name"], [path.stem]),
            practice=path.parent.name,
            summary=matter["summary"],
            severity=Severity(_checked(path, "severity", matter["severity"], list(Severity))),
            languages=_items(path, "languages", matter["languages"]),
            fix=_checked(path, "fix", matter["fix"], [*Applicability, "none"]),
            since=matter["since"],
            status=_checked(path, "status", matter["status"], ["stable", "preview"]),
            page=text,
            data=_data(path.with_suffix(".toml")),
            package=package,
        )
    except OSError as error:
        raise RulebookError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RulebookError(f"{path}: is not UTF-8") from error


def _data(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except TomlError as error:
        raise RulebookError(f"{path}:{error.line or 1}: not valid TOML: {error.message}") from error
    except UnicodeDecodeError as error:
        raise RulebookError(f"{path}: is not UTF-8") from error


def _front_matter(path: Path, text: str) -> tuple[dict[str, str], str]:
    """The `key: value` lines between the two `---`, and the text after them."""
    head, separator, rest = text.removeprefix("---\n").partition("\n---\n")
    if not text.startswith("---\n") or not separator:
        raise RulebookError(f"{path}:1: a page starts with front matter between two lines `---`")
    matter: dict[str, str] = {}
    for number, line in enumerate(head.splitlines(), 2):
        key, colon, value = line.partition(":")
        if not colon or key not in _KEYS or key in matter or not value.strip():
            raise RulebookError(f"{path}:{number}: expected one `key: value` for each of {', '.join(_KEYS)}")
        matter[key] = _unquoted(value.strip())
    if missing := [key for key in _KEYS if key not in matter]:
        raise RulebookError(f"{path}:1: the front matter has no {', '.join(missing)}")
    return matter, rest.lstrip("\n")


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


def _items(path: Path, key: str, value: str) -> tuple[str, ...]:
    if not (value.startswith("[") and value.endswith("]")):
        raise RulebookError(f"{path}: `{key}` is a list: [a, b]")
    return tuple(_unquoted(item.strip()) for item in value[1:-1].split(",") if item.strip())


def _checked(path: Path, key: str, value: str, allowed: Iterable[str]) -> str:
    if value not in allowed:
        raise RulebookError(f"{path}: `{key}` is {value!r}, expected {' or '.join(allowed)}")
    return value


def page_uri(rule: Rule, folder: Path) -> str:
    """The URI of a rule's page, which is written into `folder` if it is not there."""
    path = folder / f"{rule.name}.md"
    text = f"{rule.page}\n"
    try:
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError:  # a link that leads nowhere does less harm than no findings
        pass
    return path.absolute().as_uri()
