"""Versions of stages: what a stored result depends on besides the input that it was made from.

The version of a stage is a hash of every module that the stage can import, of the data files beside those modules, and
of the versions of the installed packages that they import. The modules are found by their import statements, so that no
list has to be kept up to date.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from prodlint.lazy_regex import regex

_PACKAGE = Path(__file__).parent.parent
_IMPORT = regex(rb"\n[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n(]+)|import[ \t]+([^\n]+))")
_FOR_TYPES_ONLY = regex(rb"\nif TYPE_CHECKING:\n(?:[ \t]+[^\n]*\n|\n)+")
_NAME = regex(rb"[\w.]+")
_BY_NAME = b"import_module("
"""In a package: it imports modules below it whose names it puts together."""


@cache
def stage_version(stage: str, package: Path = _PACKAGE) -> bytes:
    """The version of the stage whose outermost module is `stage` ("prodlint.extract.extraction"). `package` is the
    folder of the package `prodlint`. Raises `ModuleNotFoundError` where it has no such module."""
    closure = _Closure(stage, package)
    digest = hashlib.blake2b(digest_size=16)
    for path, data in sorted(closure.files.items()):
        digest.update(f"{path}\0{len(data)}\0".encode())
        digest.update(data)
    digest.update("\0".join(_installed(closure.packages)).encode())
    return digest.digest()


def files_of(stage: str, package: Path = _PACKAGE) -> list[str]:
    """The files that are in the version of a stage, sorted, each as its path in `package`."""
    return sorted(_Closure(stage, package).files)


class _Closure:
    """All that a stage can import."""

    def __init__(self, stage: str, package: Path) -> None:
        self.files: dict[str, bytes] = {}
        """The modules of the stage and the data files beside them, by their paths in `package`."""
        self.packages: set[str] = set()
        """The names of the packages from elsewhere."""
        self._package = package.name
        self._root = str(package)
        self._names: dict[str, frozenset[str]] = {}
        self._seen: set[str] = set()
        self._waiting: list[str] = []
        if self._file_of(stage) is None:
            raise ModuleNotFoundError(f"prodlint has no module {stage}", name=stage)
        self._add([stage])
        while self._waiting:
            self._follow(self._waiting.pop())
        for folder, names in self._names.items():
            for name in names:
                if f"{folder}__init__.py" in self.files and "." in name and not name.endswith((".py", ".pyc")):
                    self._read(folder + name)

    def _add(self, modules: Iterable[str]) -> None:
        for module in modules:
            if module not in self._seen:
                self._seen.add(module)
                self._waiting.append(module)

    def _follow(self, module: str) -> None:
        top = module.partition(".")[0]
        if top != self._package:
            if top not in sys.stdlib_module_names:
                self.packages.add(top)
            return
        path = self._file_of(module)
        if path is None:
            return  # not all that is imported from a module is a module
        text = self._read(path)
        self._add([module.rpartition(".")[0] or module])
        self._add(_imported(text))
        if path.endswith("__init__.py") and _BY_NAME in text:
            self._add(self._below(module))

    def _file_of(self, module: str) -> str | None:
        """The path of a module in the package."""
        _, *folders, name = f"{module}.__init__".split(".")
        folder = "".join(f"{each}/" for each in folders)
        if "__init__.py" in self._names_in(folder):
            return f"{folder}{name}.py"
        above, _, file = f"/{folder[:-1]}.py".rpartition("/")
        above = f"{above[1:]}/" if above else ""
        return above + file if file in self._names_in(above) else None

    def _names_in(self, folder: str) -> frozenset[str]:
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(os.listdir(f"{self._root}/{folder}"))  # noqa: PTH208 - much faster
            except OSError:
                self._names[folder] = frozenset()
        return self._names[folder]

    def _below(self, package: str) -> Iterator[str]:
        """The modules in a package, at any depth."""
        folder = "".join(f"{each}/" for each in package.split(".")[1:])
        for name in self._names_in(folder):
            if name.endswith(".py"):
                yield f"{package}.{name[:-3]}"
            elif "." not in name and "__init__.py" in self._names_in(f"{folder}{name}/"):
                yield f"{package}.{name}"
                yield from self._below(f"{package}.{name}")

    def _read(self, path: str) -> bytes:
        with open(f"{self._root}/{path}", "rb") as file:  # noqa: PTH123 - much faster
            data = self.files[path] = file.read()
        return data


def _imported(text: bytes) -> Iterator[str]:
    """The modules that a module with this text imports, wherever in it; and the names that it imports from them, which
    may be modules, too."""
    for origin, names, modules in _IMPORT.findall(_FOR_TYPES_ONLY.sub(b"\n", b"\n" + text)):
        for each in modules.split(b","):
            yield from (name.decode() for name in _NAME.findall(each)[:1])
        if origin:
            yield origin.decode()
            if origin.startswith(b"prodlint"):
                yield from (f"{origin.decode()}.{name.decode()}" for name in _NAME.findall(names))


def _installed(packages: Iterable[str]) -> list[str]:
    """The distributions of these packages with their versions, from the names of their metadata's folders."""
    wanted = frozenset(packages)
    specs = (find_spec(name) for name in wanted)
    folders = {Path(spec.origin).parent.parent for spec in specs if spec is not None and spec.origin is not None}
    names = (name for folder in folders for name in os.listdir(folder))  # noqa: PTH208 - names are all that is wanted
    return sorted({name for name in names if name.endswith(".dist-info") and name.partition("-")[0].lower() in wanted})
