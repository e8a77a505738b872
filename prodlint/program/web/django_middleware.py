"""The middleware that Django's settings list.

Source: Django's documentation, "Middleware": the setting `MIDDLEWARE`, its order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from prodlint.facts import BindingKind, ValueKind
from prodlint.findings import Location
from prodlint.program.linking.resolver import File
from prodlint.program.services.environment_evidence import name_evidence

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program


class MiddlewareList(msgspec.Struct, frozen=True):
    """`MIDDLEWARE = […]` of one settings module; `place` is the name. What is not a literal is None among `classes`."""

    file: File
    place: Location
    classes: tuple[str | None, ...]


def middleware_lists(program: Program) -> Iterator[MiddlewareList]:
    """The lists of middleware in settings modules that are not for development or tests."""
    for file in program.files:
        if not file.is_python:
            continue
        if sum(name_evidence(file.path).values()) >= 1:
            continue
        for binding in file.facts.bindings:
            if binding.name != "MIDDLEWARE" or binding.function != 0 or binding.kind is not BindingKind.VARIABLE:
                continue
            for value in binding.values[:1]:
                fact = file.facts.values[value]
                items = [program.value(file, item) for item in fact.items] if fact.kind is ValueKind.ARRAY else []
                classes = tuple(item.text if item.kind is ValueKind.STRING else None for item in items)
                if any(name is not None and name.startswith("django.") for name in classes):
                    place = Location(file.path, binding.start, binding.end)
                    yield MiddlewareList(file, place, classes)
