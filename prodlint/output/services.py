"""What prodlint understood of a project's deployment, as a tree that a person can check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prodlint.program.launches import Source
    from prodlint.program.services import Service, Variant

_ENVIRONMENT = {"node": "NODE_ENV", "python": "DJANGO_SETTINGS_MODULE"}
"""The variable that says development or production, by language."""


def render(services: Sequence[Service]) -> Iterator[str]:
    """Lines: each service with its entry file, and under it every way in which it is deployed."""
    for service in services:
        yield f"{service.name} ({service.language})"
        yield f"  starts {service.entry or 'nothing that is in this project'}"
        for source in service.platforms:
            yield f"  handed to {source.name} by {source.path}"
        for variant in service.variants:
            yield from _variant(variant, _ENVIRONMENT[service.language])


def _variant(variant: Variant, environment: str) -> Iterator[str]:
    purpose = "for development" if variant.dev_score >= 1 else "for production"
    chain = " -> ".join(_named(layer.source) for layer in variant.layers)
    yield f"  {purpose}: {chain}"
    for key in (f"env.{environment}", "restart", "user"):
        answer = variant.setting(key)
        said = answer.value if answer.state.name == "SET" else answer.state.name.lower()
        by = f", by {_named(answer.by)}" if answer.by is not None else ""
        yield f"    {key.removeprefix('env.')}: {said}{by}"


def _named(source: Source) -> str:
    return f"{source.path} [{source.name}]" if source.name else source.path
