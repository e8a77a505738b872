"""JavaScript that another engine than Node runs: an agent's, a device's, a load tester's. It has modules of its own,
which no package.json knows."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence

from prodlint.extract.deployment.package_json import PackageInfo
from prodlint.facts import ImportKind, NameUse, ValueKind
from prodlint.models.frameworks import FRAMEWORKS
from prodlint.models.frameworks.node import BUILTIN_MODULES
from prodlint.program.linking.resolver import File, Resolver
from prodlint.program.linking.targets import Api

_UNKNOWN_MODULES = 3
"""A file with so many modules that nobody declares, and none that somebody does, was not written for this package."""

_NODE = BUILTIN_MODULES | {"sys"}  # what `util` was called once

_FRAMEWORKS = frozenset(framework.package for framework in FRAMEWORKS if framework.package)
"""Packages that only Node runs: who asks for one is at home there, declared or not."""

_FRONT_ENDS = frozenset(
    {"react", "react-dom", "react-native", "expo", "vue", "@angular/core", "svelte", "preact", "solid-js", "jquery"}
)
"""Packages that draw on screens."""


def draws(file: File, packages: Mapping[str, PackageInfo]) -> bool:
    """Whether a JavaScript file is a front end's, as far as that can be told: its package depends on what draws on
    screens, and it asks for nothing of Node's."""
    manifest = next(_manifests(file.path, packages), None)
    if file.is_python or manifest is None or not _FRONT_ENDS & manifest.dependencies.keys():
        return False
    return not any(name.removeprefix("node:") in _NODE or name.startswith("node:") for name, _ in _packages_of(file))


def is_front_end(file: File, packages: Mapping[str, PackageInfo]) -> bool:
    """Whether a file is a front end's, and its package is no server's besides: what a server takes from such a package
    is hardly all of it."""
    manifest = next(_manifests(file.path, packages), None)
    return manifest is not None and not _FRAMEWORKS & manifest.dependencies.keys() and draws(file, packages)


_BROWSERS = frozenset(
    {"document", "window", "localStorage", "sessionStorage", "HTMLElement", "customElements", "alert"}
)
_EVENTS = frozenset({"e", "ev", "evt", "event"})
_OF_EVENTS = frozenset({"target", "currentTarget", "preventDefault", "stopPropagation"})
"""What listeners of elements ask an event for; the event itself is their first parameter."""
_COMPONENTS = ("react.", "preact.", "react-native.")
"""Classes of components, whose methods run where they are drawn, unless a request is seen to run them."""


def drawn_functions(file: File, resolver: Resolver) -> set[int]:
    """The functions of a JavaScript file that use what only browsers have: their globals, the events of elements, a
    component's lifecycle. A name that is asked for first (`typeof window`) says that the file knows others, too."""
    facts = file.facts
    found: set[int] = set()
    for unbound in facts.unbound:
        if unbound.name in _BROWSERS and not unbound.is_tested:
            found.update(facts.regions[region].function for _, region, use in unbound.uses() if use is NameUse.READ)
    found.update(
        facts.values[value.ref].ref
        for value in facts.values
        if value.kind is ValueKind.MEMBER and value.text in _OF_EVENTS and _is_first_parameter(file, value.ref)
    )
    for number, cls in enumerate(facts.classes):
        if cls.bases and any(
            isinstance(base, Api) and base.path.startswith(_COMPONENTS)
            for base in resolver.bases_of(file.cls_base + number)
        ):
            values = (facts.values[member] for member in cls.members)
            found.update(value.ref for value in values if value.kind is ValueKind.FUNCTION)
    return found


def _is_first_parameter(file: File, value: int) -> bool:
    fact = file.facts.values[value]
    return fact.kind is ValueKind.PARAM and fact.items[:1] == (0,) and fact.text in _EVENTS


def is_desktop(packages: Mapping[str, PackageInfo], path: str) -> bool:
    """Whether a file belongs to a package that is a program for desktops: Electron starts it."""
    manifest = next(_manifests(path, packages), None)
    return manifest is not None and "electron" in {*manifest.dependencies, *manifest.dev_dependencies}


def foreign_files(
    files: Sequence[File], resolver: Resolver, packages: Mapping[str, PackageInfo], importers: Mapping[int, set[int]]
) -> set[int]:
    """The files that are written for another engine: they ask for modules that are neither Node's nor the project's nor
    declared by a package.json above them, and only such files import them."""
    found = {file.index for file in files if not file.is_python and _asks_for_unknown(file, resolver, packages)}
    while True:
        used = {index for index in found if importers.get(index, set()) - found}
        if not used:
            return found
        found -= used


def _asks_for_unknown(file: File, resolver: Resolver, packages: Mapping[str, PackageInfo]) -> bool:
    names: set[str] = set(_FRAMEWORKS)
    declared: set[str] = set()
    for info in _manifests(file.path, packages):
        names.add(info.name)
        declared |= {*info.dependencies, *info.dev_dependencies}
    unknown = set()
    for name, request in _packages_of(file):
        if name in declared or name in names:
            return False
        if name.removeprefix("node:") not in _NODE and resolver.module(file, request) is None:
            unknown.add(name)
    return bool(declared) and len(unknown) >= _UNKNOWN_MODULES


def _manifests(path: str, packages: Mapping[str, PackageInfo]) -> Iterator[PackageInfo]:
    folder = posixpath.dirname(path)
    while True:
        if folder in packages:
            yield packages[folder]
        if not folder:
            return
        folder = posixpath.dirname(folder)


def _packages_of(file: File) -> Iterator[tuple[str, str]]:
    """The packages that a file asks for by name: (package, specifier)."""
    for request in file.facts.imports:
        module = request.module
        if request.kind is ImportKind.TYPE or not module or not (module[0].isalpha() or module[0] in "@_"):
            continue
        if not module.startswith("@/") and "!" not in module:
            yield "/".join(module.split("/")[: 2 if module.startswith("@") else 1]), module
