"""Which version of a framework a source file runs on, as the project's manifests say."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from prodlint.extract.deployment.package_json import PackageInfo, read_package
from prodlint.facts import FileFacts
from prodlint.lazy_regex import regex
from prodlint.numerals import whole_number

_NUMBER = regex(r"(\d+)(?:\.(\d+))?")
_REQUIREMENT = regex(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(.*)$")


class Versions:
    """The manifests of a project: every `package.json`, and what Python's say is required."""

    def __init__(self, files: Mapping[str, FileFacts]) -> None:
        """`files`: the facts of all files by path, manifests among them."""
        self.packages: dict[str, PackageInfo] = {}
        self._python: dict[str, dict[str, str]] = {}
        for path, facts in sorted(files.items()):
            folder = posixpath.dirname(path)
            if facts.kind == "package_json":
                self.packages[folder] = read_package(facts)
            elif facts.kind == "python_requirements":
                required = self._python.setdefault(folder, {})
                for artefact in facts.artefacts:
                    for setting in artefact.settings:
                        name, version = split_requirement(setting.value or "")
                        if name:
                            required.setdefault(name, version)

    def package_folder(self, path: str) -> str:
        """The nearest folder above `path` that has a manifest of the file's language; "" if none has."""
        table: Mapping[str, object] = self._python if path.endswith(".py") else self.packages
        folder = path.rpartition("/")[0]
        while folder and folder not in table:
            folder = folder.rpartition("/")[0]
        return folder

    def required(self, path: str, package: str) -> str | None:
        """The version range of `package` that holds for the source file `path` ("" for any), or None where it is
        not required."""
        folder = posixpath.dirname(path)
        while True:
            found = self._required_in(folder, path, package)
            if found is not None or not folder:
                return found
            folder = posixpath.dirname(folder)

    def _required_in(self, folder: str, path: str, package: str) -> str | None:
        if path.endswith(".py"):
            return self._python.get(folder, {}).get(package.lower().replace("_", "-"))
        info = self.packages.get(folder)
        if info is None:
            return None
        return info.dependencies.get(package, info.dev_dependencies.get(package))

    def major(self, path: str, package: str) -> int | None:
        """The major version of `package` that the source file `path` surely has, or None where that is open."""
        declared = self.required(path, package)
        if declared is None:
            return None
        declared = declared.rpartition("@")[2]  # `npm:express@4`
        if "||" in declared or declared.lstrip().startswith((">", "*", "latest")):
            return None
        number = _NUMBER.search(declared)
        return whole_number(number.group(1)) if number else None


def split_requirement(line: str) -> tuple[str, str]:
    """`("flask", ">=3.0")` of a requirement as PEP 508 writes it; `("", "")` for what is none (options, URLs)."""
    found = _REQUIREMENT.match(line.partition("#")[0].partition(";")[0].strip())
    if found is None or line.startswith("-"):
        return "", ""
    return found.group(1).lower().replace("_", "-"), found.group(2).strip().strip("()")
