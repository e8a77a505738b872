"""Code that says which environment it runs in, whatever the deployment says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from prodlint.facts import NONE, Region, RegionKind, Store, Value, ValueKind
from prodlint.findings import Confidence, Finding, weakest
from prodlint.program.linking.resolver import File
from prodlint.program.linking.run_once import names_in
from prodlint.program.services import services_of
from prodlint.program.services.setting_values import State

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Stores to the environment variables of the rule, in server code, but for those that mean production."""
    variables = frozenset(rule.data["variables"])
    for file in program.files:
        for store in file.facts.stores:
            if store.name not in variables or store.op != "=" or not _is_environment(program, file, store.target):
                continue
            known = _overrides(rule.data, file, store.name, store.value)
            here = program.server_code(file, store.region)
            if known is None and here is not None and _is_late(program, file, store):
                yield _late(program, file, store, here)
            if known is None or here is None or _is_tested(file, store):
                continue
            sure = weakest(known, here)
            yield _finding(program, rule, file, store.name, (store.start, store.end), sure)
    for site in program.api_calls.get("os.environ.setdefault", ()):
        if len(site.call.args) != 2:
            continue
        name, value = (program.value(site.file, argument) for argument in site.call.args)
        here = program.server_code(site.file, site.call.region)
        if (
            name.text in variables
            and value.kind is ValueKind.STRING
            and _is_development(rule.data, value.text)
            and here
            and not _is_said(program, site.file, name.text)
        ):
            yield Finding(
                rule.name,
                f"Unless the deployment sets `{name.text}`, the service runs with the settings of a developer's "
                "machine. Let the default be production's, and set the other one where you develop.",
                program.location(site.file, site.call.start, site.call.end),
                confidence=here,
            )


def _is_late(program: Program, file: File, store: Store) -> bool:
    """Whether `NODE_ENV` is set behind the call that makes the Express app, in the same module: Express has read it."""
    value = program.value(file, store.value)
    return (
        store.name == "NODE_ENV"
        and value.kind is ValueKind.STRING
        and file.function_at(store.region) == file.function_at(0)
        and any(
            site.file is file
            and site.call.start < store.start
            and file.function_at(site.call.region) == file.function_at(0)
            for site in program.api_calls.get("express", ())
        )
    )


def _late(program: Program, file: File, store: Store, confidence: Confidence) -> Finding:
    return Finding(
        rule="env-overridden-in-code",
        message="Express read `NODE_ENV` when `express()` made the app, so this comes too late: it stays in "
        "development mode. Set the variable where the service is started.",
        location=program.location(file, store.start, store.end),
        confidence=confidence,
    )


def _is_said(program: Program, file: File, name: str) -> bool:
    """Whether whatever starts the file in production sets a variable, or may."""
    services = [service for service in services_of(program, file.path) if service.is_started]
    found = [each for service in services for each in service.production]
    return bool(found) and all(each.setting(f"env.{name}").state is not State.ABSENT for each in found)


def _finding(
    program: Program, rule: Rule, file: File, name: str, span: tuple[int, int], confidence: Confidence
) -> Finding:
    return Finding(
        rule.name,
        f"This sets `{name}` in code, against what the deployment says, and too late for what was loaded before. Set "
        "it where the service is started.",
        program.location(file, *span),
        confidence=confidence,
    )


def _is_environment(program: Program, file: File, target: int) -> bool:
    if file.is_python:
        return program.resolver.api_of(file, target) == "os.environ"
    return program.resolver.api_of(file, target) == "process.env"


def _overrides(data: Mapping[str, Any], file: File, name: str, value: int) -> Confidence | None:
    """Whether a value replaces what the deployment says: CERTAIN for a literal, LIKELY for what is not known here; None
    for production, and for a default beside the variable itself."""
    fact = file.facts.values[value] if value != NONE else Value(ValueKind.UNKNOWN)
    if fact.kind is ValueKind.STRING:
        if name == "DJANGO_SETTINGS_MODULE":
            return Confidence.CERTAIN if _is_development(data, fact.text) else None
        return None if fact.text.strip().lower() in data["production"] else Confidence.CERTAIN
    if name in names_in(file.facts, value) or fact.kind in (ValueKind.CALL, ValueKind.NULL):
        return None
    return Confidence.LIKELY


def _is_development(data: Mapping[str, Any], text: str) -> bool:
    return text.rpartition(".")[2].lower() in data["development"]


def _is_tested(file: File, store: Store) -> bool:
    """Whether the store stands under a test of the variable itself: `if (!process.env.NODE_ENV) …`."""
    at = store.region
    while at != NONE:
        region: Region = file.facts.regions[at]
        is_branch = region.kind in (RegionKind.THEN, RegionKind.ELSE)
        if is_branch and any(store.name in names_in(file.facts, value) for value in region.values):
            return True
        at = region.parent
    return False
