"""The settings that Django runs with in production: which module has them, and what each of them is.

Sources: Django's documentation, "Django settings" (`DJANGO_SETTINGS_MODULE`) and "How to deploy with WSGI": the
process's environment says which module it is, else the default of `wsgi.py`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from prodlint.facts import Binding, BindingKind, Import, RegionKind, Value, ValueKind
from prodlint.findings import Confidence, Location
from prodlint.lazy_regex import regex
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.services import services_in
from prodlint.program.services.environment_evidence import is_dev_path, is_for_development
from prodlint.program.services.setting_values import SettingValue, State

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant

VARIABLE = "DJANGO_SETTINGS_MODULE"
_MAKES_APP = (
    "django.core.wsgi.get_wsgi_application",
    "django.core.asgi.get_asgi_application",
    "channels.routing.get_default_application",
)
_RUNS_COMMANDS = "django.core.management.execute_from_command_line"
_IDENTIFYING = ("MIDDLEWARE", "MIDDLEWARE_CLASSES", "INSTALLED_APPS", "ROOT_URLCONF")
"""Settings that some module of every project sets."""
_PRODUCTION = regex(r"(?:^|_)(?:prod|production|live)(?:$|_)")
_SETS_NAMES = frozenset({"globals", "locals", "vars", "exec", "execfile", "setattr"})
_SETTING_PACKAGES = ("split_settings", "dynaconf", "configurations", "goodconf")
"""Packages that make settings in ways of their own."""
_ADDS = frozenset({"append", "insert", "extend"})
_READS = frozenset({"index", "count", "copy"})
_DEEPEST = 12


class Setting(msgspec.Struct, frozen=True):
    """What a setting is: `state` says whether it is set, left to Django, or not known."""

    state: State
    location: Location | None = None
    """The name that is assigned to."""
    file: File | None = None
    """The module that has the value."""
    value: Value | None = None

    @property
    def is_true(self) -> bool | None:
        """Whether Python takes it for true; None where that is not known, or it is not set."""
        return _truth(self.file, self.value) if self.file is not None and self.value is not None else None

    def is_literally(self, kind: ValueKind, text: str) -> bool | None:
        """Whether it is this literal; None where it is no literal at all, or not set."""
        if self.value is None or self.value.kind not in _LITERALS:
            return None
        return self.value.kind is kind and self.value.text == text


_LITERALS = frozenset({ValueKind.STRING, ValueKind.NUMBER, ValueKind.BOOL, ValueKind.NULL, ValueKind.ARRAY})
_UNKNOWN = Setting(State.UNKNOWN)
_ABSENT = Setting(State.ABSENT)


class _Items(msgspec.Struct, frozen=True):
    """What a list has in it: `sure` for all that is known, `possible` perhaps; `is_closed` if there is no more."""

    sure: frozenset[str] = frozenset()
    possible: frozenset[str] = frozenset()
    is_closed: bool = True

    def plus(self, other: _Items) -> _Items:
        return _Items(self.sure | other.sure, self.possible | other.possible, self.is_closed and other.is_closed)

    def perhaps(self) -> _Items:
        return _Items(frozenset(), self.sure | self.possible, self.is_closed)


_OPEN = _Items(is_closed=False)


class Settings(msgspec.Struct, frozen=True):
    """One module of settings that production uses."""

    program: Program
    file: File
    by: Location
    """What names the module."""
    confidence: Confidence
    service: Service | None = None

    @property
    def is_for_production_only(self) -> bool:
        """Whether the module is called so."""
        return _is_production(self.file.path)

    @property
    def place(self) -> Location:
        """Where something that the module does not say is best said: behind its middleware, else where it takes over
        what another module says."""
        facts = self.file.facts
        for name in _IDENTIFYING:
            binding = _binding(self.file, name)
            if (
                binding is not None
                and binding.kind is BindingKind.VARIABLE
                and not _is_conditional(self.file, binding.start)
            ):
                return Location(self.file.path, binding.start, binding.end)
        stars = [each for each in facts.imports if "*" in each.names and each.region == 0]
        if stars:
            return Location(self.file.path, stars[-1].start, stars[-1].end)
        own = [each for each in facts.bindings if each.function == 0]
        return Location(self.file.path, own[0].start, own[0].end) if own else Location(self.file.path, 0, 0)

    def get(self, name: str) -> Setting:
        """What a setting is."""
        return _get(self.program, self.file, name)

    def has(self, name: str, item: str) -> bool | None:
        """Whether the list `name` has a string in it; None where that is not known."""
        items = _items_of(self.program, self.file, self._called(name))
        if item in items.sure:
            return True
        return False if items.is_closed and item not in items.possible else None

    def _called(self, name: str) -> str:
        """What a setting is called in this module: before Django 2, middleware was in `MIDDLEWARE_CLASSES`."""
        is_old = name == "MIDDLEWARE" and self.get(name).state is State.ABSENT
        return "MIDDLEWARE_CLASSES" if is_old and self.get("MIDDLEWARE_CLASSES").state is not State.ABSENT else name

    def has_other(self, name: str, item: str) -> bool:
        """Whether the list `name` may have a class that is called as `item` is, and comes from somewhere else."""
        items = _items_of(self.program, self.file, self._called(name))
        last = item.rpartition(".")[2]
        return any(other != item and other.rpartition(".")[2] == last for other in items.sure | items.possible)


def production_settings(program: Program) -> list[Settings]:
    """The modules of settings that production uses, each once, by path."""
    found: dict[str, Settings] = {}
    for settings in _all(program):
        known = found.get(settings.file.path)
        if known is None or (known.confidence is Confidence.LIKELY and settings.confidence is Confidence.CERTAIN):
            found[settings.file.path] = settings
    return [found[path] for path in sorted(found)]


# ----------------------------------------------------------------------------------------- which module production uses


def _all(program: Program) -> Iterator[Settings]:
    starts = [
        site.file for api in _MAKES_APP for site in program.api_calls.get(api, ()) if not is_dev_path(site.file.path)
    ]
    starts = list({file.index: file for file in starts}.values())
    served: set[int] = set()
    for service in services_in(program):
        is_python = service.language == "python" and service.is_started
        own = [file for file in starts if is_python and _runs(program, service, file)]
        served |= {file.index for file in own}
        for file in own:
            for variant in service.production:
                yield from _of_variant(program, service, variant, file)
    for file in starts:
        if file.index not in served:
            yield from _of_default(program, file, None)
    if not starts:
        for site in program.api_calls.get(_RUNS_COMMANDS, ()):
            if not is_dev_path(site.file.path):
                yield from _of_default(program, site.file, None)


def _runs(program: Program, service: Service, file: File) -> bool:
    if service.entry == file.path or (service.entry and program.loads(service.entry, file)):
        return True
    entry = program.by_path.get(service.entry)
    if entry is None or posixpath.basename(entry.path) != "manage.py":
        return False
    return program.versions.package_folder(entry.path) == program.versions.package_folder(file.path)


def _of_variant(program: Program, service: Service, variant: Variant, file: File) -> Iterator[Settings]:
    answer = _by_command(variant) or variant.setting(f"env.{VARIABLE}")
    if answer.state is State.ABSENT or (answer.state is State.SET and not answer.value):
        yield from _of_default(program, file, service)
    elif answer.state is State.UNKNOWN and VARIABLE not in variant.launch.env.known:
        # Whatever may set it, there is nothing else to choose where the project has one module of settings.
        is_only = len(_modules_of_settings(program)) == 1
        for settings in _of_default(program, file, service):
            yield settings if is_only else msgspec.structs.replace(settings, confidence=Confidence.LIKELY)
    elif answer.state is State.SET and answer.by is not None:
        confidence = Confidence.CERTAIN if answer.is_final else Confidence.LIKELY
        yield from _of_module(program, file, answer.value, answer.by.location, service, confidence)


def _modules_of_settings(program: Program) -> list[File]:
    """The modules that look like Django's settings, those for tests and developers among them."""
    return [
        file
        for file in program.files
        if file.is_python
        and not any("settings" in star.module for star in _stars(file))  # it changes another one
        and sum(_binding(file, name) is not None for name in (*_IDENTIFYING, "DATABASES")) > 1
    ]


def _by_command(variant: Variant) -> SettingValue | None:
    """The variable as an option of Gunicorn sets it: `--env NAME=value`, `-e NAME=value`."""
    for step in variant.launch.steps:
        for word, following in zip(step.start.words, (*step.start.words[1:], ""), strict=False):
            text = following if word in ("-e", "--env") else word.removeprefix("--env=")
            name, _, value = text.partition("=")
            if name == VARIABLE and value:
                return SettingValue(State.SET, value, step.source)
    return None


def _of_default(program: Program, file: File, service: Service | None) -> Iterator[Settings]:
    """The module that a file names unless the environment does. A module beside it that is called `production` is more
    likely the one that is used there."""
    for text, start, end in _defaults(program, file):
        by = Location(file.path, start, end)
        path = program.resolver.module(file, text)
        likelier = _production_beside(program, path) if path is not None else None
        if likelier is not None:
            yield Settings(program, likelier, by, Confidence.LIKELY, service)
        else:
            yield from _of_module(program, file, text, by, service, Confidence.CERTAIN)


def _defaults(program: Program, file: File) -> Iterator[tuple[str, int, int]]:
    calls = [CallSite(file, index) for index in range(len(file.facts.calls))]
    for site in calls:
        call = site.call
        if program.resolver.api_of(file, call.callee) == "os.environ.setdefault" and len(call.args) == 2:
            name, value = (program.value(file, argument) for argument in call.args)
            if name.text == VARIABLE and value.kind is ValueKind.STRING:
                yield value.text, call.start, call.end
    for store in file.facts.stores:
        value = program.value(file, store.value)
        if store.name == VARIABLE and value.kind is ValueKind.STRING:
            yield value.text, store.start, store.end


def _of_module(
    program: Program, near: File, text: str, by: Location, service: Service | None, confidence: Confidence
) -> Iterator[Settings]:
    file = program.resolver.module(near, text)
    if file is None or is_for_development(VARIABLE, text):
        return
    settings = Settings(program, file, by, confidence, service)
    if any(settings.get(name).state is not State.ABSENT for name in _IDENTIFYING):
        yield settings


def _production_beside(program: Program, file: File) -> File | None:
    """A module beside a module of settings, or in its package, whose name says that it is for production."""
    if _is_production(file.path):
        return None
    folder = posixpath.dirname(file.path)
    names = {"settings"} | ({posixpath.splitext(posixpath.basename(file.path))[0]} - {"__init__"})
    found = []
    for other in program.files:
        stem = posixpath.splitext(posixpath.basename(other.path))[0]
        if other.is_python and posixpath.dirname(other.path) == folder and _PRODUCTION.search(stem):
            is_alone = posixpath.basename(folder) in ("settings", "config", "conf", "configs")
            if is_alone or any(name in stem for name in names) or stem in ("production", "prod", "live"):
                found.append(other)
    return found[0] if len(found) == 1 else None


def _is_production(path: str) -> bool:
    return _PRODUCTION.search(posixpath.splitext(posixpath.basename(path))[0]) is not None


# ---------------------------------------------------------------------------------------------------- what settings are


def _get(program: Program, file: File, name: str, seen: frozenset[int] = frozenset()) -> Setting:
    if file.index in seen or len(seen) > _DEEPEST or _is_open(file):
        return _UNKNOWN
    seen |= {file.index}
    binding = _binding(file, name)
    for star in reversed(_stars(file)):
        if binding is not None and star.start < binding.start:
            break
        module = program.resolver.module(file, star.module)
        found = _get(program, module, name, seen) if module is not None else _of_missing(star)
        if found.state is not State.ABSENT:
            return found if star.region == 0 else _UNKNOWN
    if binding is None:
        return _ABSENT
    origins = program.resolver.origins(file, binding.values[0]) if len(binding.values) == 1 else []
    if len(origins) != 1 or _is_conditional(file, binding.start):
        return _UNKNOWN
    owner, item = origins[0]
    return Setting(State.SET, Location(file.path, binding.start, binding.end), owner, owner.facts.values[item])


def _binding(file: File, name: str) -> Binding | None:
    """The name in the module's own scope."""
    return next((each for each in file.facts.bindings if each.function == 0 and each.name == name), None)


def _of_missing(star: Import) -> Setting:
    """What a module that is not here may set: anything, unless it is a package's own."""
    return _ABSENT if star.module.startswith("django.") else _UNKNOWN


def _stars(file: File) -> list[Import]:
    return sorted((each for each in file.facts.imports if "*" in each.names), key=lambda each: each.start)


def _is_open(file: File) -> bool:
    """Whether a module makes settings in a way that cannot be read, or is no Python yet: a template of some."""
    if file.facts.problems:
        return True
    if any(each.module.partition(".")[0] in _SETTING_PACKAGES for each in file.facts.imports):
        return True
    return any(value.kind is ValueKind.GLOBAL and value.text in _SETS_NAMES for value in file.facts.values)


def _is_conditional(file: File, offset: int) -> bool:
    return any(
        region.kind is not RegionKind.BODY
        and region.kind is not RegionKind.WITH
        and region.start <= offset < region.end
        for region in file.facts.regions
    )


def _truth(file: File | None, value: Value, depth: int = 0) -> bool | None:
    if file is None or depth > _DEEPEST:
        return None
    if value.kind is ValueKind.BOOL:
        return value.text == "true"
    if value.kind is ValueKind.NULL:
        return False
    if value.kind is ValueKind.STRING:
        return bool(value.text)
    if value.kind is ValueKind.NUMBER:
        return bool(value.text.strip("0_.")) if not value.text.lower().startswith("0x") else None
    if value.kind is ValueKind.ARRAY:
        spread = any(file.facts.values[item].kind is ValueKind.SPREAD for item in value.items)
        return None if spread else bool(value.items)
    if value.kind is ValueKind.OP and value.text == "*":
        parts = {_truth(file, file.facts.values[item], depth + 1) for item in value.items}
        return None if None in parts else parts == {True}
    return None


# --------------------------------------------------------------------------------------------------------------- lists


def _items_of(program: Program, file: File, name: str, seen: frozenset[int] = frozenset()) -> _Items:
    if file.index in seen or len(seen) > _DEEPEST or _is_open(file):
        return _OPEN
    binding = _binding(file, name)
    found = _inherited(program, file, name, seen | {file.index}, binding.start if binding is not None else None)
    if binding is None:
        return _changed(program, file, name, found)
    for number, value in enumerate(binding.values):
        items = _items(program, file, value, name, found)
        if number == 0 and not _is_conditional(file, binding.start):
            found = items
        else:
            sure = found.sure if _extends_itself(file, value, name) else found.sure & items.sure
            is_closed = found.is_closed and items.is_closed
            found = _Items(sure, found.perhaps().possible | items.perhaps().possible, is_closed)
    if any(_sets(program, file, star, name) for star in _stars(file) if star.start > binding.start):
        return found.perhaps().plus(_OPEN)
    return _changed(program, file, name, found)


def _sets(program: Program, file: File, star: Import, name: str) -> bool:
    """Whether a star import brings a name, or may."""
    module = program.resolver.module(file, star.module)
    found = _get(program, module, name) if module is not None else _of_missing(star)
    return found.state is not State.ABSENT


def _extends_itself(file: File, value: int, name: str) -> bool:
    fact = file.facts.values[value]
    return fact.kind is ValueKind.OP and any(_names(file, item) == name for item in fact.items)


def _names(file: File, value: int) -> str:
    fact = file.facts.values[value]
    if fact.kind is ValueKind.BINDING:
        return file.facts.bindings[fact.ref].name
    return fact.text if fact.kind is ValueKind.GLOBAL else ""


def _inherited(program: Program, file: File, name: str, seen: frozenset[int], before: int | None) -> _Items:
    """What the last star import (in front of the module's own assignment) brings."""
    for star in reversed(_stars(file)):
        if (before is None or star.start < before) and _sets(program, file, star, name):
            module = program.resolver.module(file, star.module)
            if module is None:
                return _OPEN
            items = _items_of(program, module, name, seen)
            return items if star.region == 0 else items.perhaps().plus(_OPEN)
    return _Items()


def _items(program: Program, file: File, value: int, name: str, before: _Items, depth: int = 0) -> _Items:
    """What an expression for a list has in it; `before` is what the list `name` was up to here."""
    fact = file.facts.values[value]
    if depth > _DEEPEST:
        return _OPEN
    if fact.kind is ValueKind.STRING:
        return _Items(frozenset({fact.text}))
    if fact.kind is ValueKind.ARRAY:
        found = _Items()
        for item in fact.items:
            inner = file.facts.values[item]
            if inner.kind is ValueKind.SPREAD:
                found = found.plus(_items(program, file, inner.ref, name, before, depth + 1))
            elif inner.kind is ValueKind.STRING:
                found = found.plus(_Items(frozenset({inner.text})))
            else:
                found = found.plus(_OPEN)
        return found
    if fact.kind is ValueKind.OP and fact.text == "+":
        found = _Items()
        for item in fact.items:
            found = found.plus(_items(program, file, item, name, before, depth + 1))
        return found
    if _names(file, value) == name:
        return before
    if fact.kind is ValueKind.GLOBAL:
        return _inherited(program, file, fact.text, frozenset({file.index}), None)
    if fact.kind is ValueKind.BINDING:
        values = file.facts.bindings[fact.ref].values
        if len(values) == 1 and not _is_conditional(file, file.facts.bindings[fact.ref].start):
            own = file.facts.bindings[fact.ref].name
            return _changed(program, file, own, _items(program, file, values[0], own, _OPEN, depth + 1))
        return _OPEN
    if fact.kind is ValueKind.CALL and file.facts.values[file.facts.calls[fact.ref].callee].text in ("list", "tuple"):
        args = file.facts.calls[fact.ref].args
        return _items(program, file, args[0], name, before, depth + 1) if len(args) == 1 else _Items()
    return _OPEN


def _changed(program: Program, file: File, name: str, found: _Items) -> _Items:
    """A list after what `NAME.append("x")` and the like do to it in a module."""
    for call in file.facts.calls:
        callee = file.facts.values[call.callee]
        if callee.kind is not ValueKind.MEMBER or _names(file, callee.ref) != name or callee.text in _READS:
            continue
        if callee.text not in _ADDS or not call.args:
            return found.perhaps().plus(_OPEN)
        added = _items(program, file, call.args[-1], name, found)
        found = found.plus(added if call.region == 0 else added.perhaps())
    if any(_names(file, store.target) == name for store in file.facts.stores):
        return found.perhaps().plus(_OPEN)
    return found
