"""A `try` whose `catch` can never see what the callback inside it throws."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import ExitKind, Use, Value, ValueKind
from prodlint.findings import Confidence, Finding, Step
from prodlint.program.code.callbacks import LISTENS, Timing, timing
from prodlint.program.code.control_flow import control_flow
from prodlint.program.code.process_hooks import EXCEPTION, fate
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api, Fn

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_MANY = 5


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Guarded calls that run a function later, where that throws itself, or where the `try` guards nothing else."""
    throwing, quiet = frozenset(rule.data["throws"]), frozenset(rule.data["never-throws"])
    rethrown = tuple(f"{name}." for name in rule.data["rethrows"])
    seen: set[tuple[int, int]] = set()
    for site, targets in program.calls:
        file = site.file
        catches = [] if file.is_python else control_flow(program).catches(file, site.call.region)
        if not catches or (file.index, file.facts.regions[catches[0]].partner) in seen:
            continue
        if any(isinstance(target, Api) and target.path.startswith("process.on") for target in targets):
            continue  # what throws in a process-wide hook is meant to end the process
        if any(isinstance(target, Api) and target.path.startswith(rethrown) for target in targets):
            continue
        guarded = file.facts.regions[catches[0]].partner
        for position, argument in enumerate(site.call.args):
            handed = program.value(file, argument)
            if not _is_inside(file, guarded, handed) or timing(program, site, position) is not Timing.LATER:
                continue
            place = _throws(program, file, handed.ref, throwing)
            if place is None and not (_is_quiet(program, file, guarded, quiet) and _acts(program, file, handed.ref)):
                continue
            confidence = program.server_code(file, site.call.region)
            if confidence is not None:
                seen.add((file.index, guarded))
                if _guards_much(program, file, guarded) or any(isinstance(target, Fn) for target in targets):
                    confidence = Confidence.LIKELY
                yield _finding(program, rule, site, guarded, place, confidence)
                break


def _is_inside(file: File, guarded: int, handed: Value) -> bool:
    """Whether what is handed to a call is a function that is written inside the `try`."""
    if handed.kind is not ValueKind.FUNCTION:
        return False
    region, function = file.facts.regions[guarded], file.facts.functions[handed.ref]
    return region.start <= function.start and function.end <= region.end


def _guards_much(program: Program, file: File, guarded: int) -> bool:
    """Whether so much else happens in a `try` that it may not be about the callback at all."""
    inside = _regions_of(program, file, guarded)
    calls = [
        call for call in file.facts.calls if call.region in inside and call.use not in (Use.RECEIVER, Use.ARGUMENT)
    ]
    return len(calls) > _MANY


def _regions_of(program: Program, file: File, guarded: int) -> set[int]:
    """The regions of a `try` that run as part of it, functions inside it left out."""
    owner = file.facts.regions[guarded].function
    return {
        at
        for at, region in enumerate(file.facts.regions)
        if region.function == owner and guarded in program.regions_up(file, at)
    }


def _finding(
    program: Program, rule: Rule, site: CallSite, guarded: int, place: tuple[int, int] | None, confidence: Confidence
) -> Finding:
    file = site.file
    name = program.value(file, site.call.callee).text
    region = file.facts.regions[guarded]
    shown = f"the callback of `{name}`" if name else "the callback"
    return Finding(
        rule.name,
        f"This `try` is left before {shown} runs: what that throws is caught by nobody and "
        f"{fate(program, file, EXCEPTION)}. Catch it inside the callback, or await a promise here.",
        program.location(file, region.start, region.end),
        confidence=confidence,
        related=(Step(program.location(file, *place), "this throws"),) if place is not None else (),
    )


def _throws(program: Program, file: File, function: int, throwing: frozenset[str]) -> tuple[int, int] | None:
    """The first place of a function that throws, outside every `try` of its own."""
    for exit_ in file.facts.exits:
        throws = exit_.kind is ExitKind.THROW and file.facts.regions[exit_.region].function == function
        if throws and not control_flow(program).catches(file, exit_.region):
            return exit_.start, exit_.end
    for site in control_flow(program).calls_in(file.fn_base + function):
        if control_flow(program).catches(file, site.call.region):
            continue
        if any(isinstance(target, Api) and target.path in throwing for target in control_flow(program).targets(site)):
            first = program.value(file, site.call.args[0]) if site.call.args else None
            if first is not None and first.kind is not ValueKind.STRING:
                return site.call.start, site.call.end
    return None


def _acts(program: Program, file: File, function: int) -> bool:
    """Whether a function calls anything outside a `try` of its own."""
    return any(
        not control_flow(program).catches(file, site.call.region)
        for site in control_flow(program).calls_in(file.fn_base + function)
    )


def _is_name(program: Program, file: File, value: int) -> bool:
    """Whether an expression is a name: what it is read from cannot be missing."""
    return program.value(file, value).kind in (ValueKind.BINDING, ValueKind.PARAM, ValueKind.GLOBAL)


def _is_quiet(program: Program, file: File, guarded: int, quiet: frozenset[str]) -> bool:
    """Whether nothing in a `try` itself can throw: it only sets timers and adds listeners, under no condition."""
    facts = file.facts
    inside = _regions_of(program, file, guarded)
    if len(inside) > 1 or any(store.region in inside for store in facts.stores):
        return False
    if any(exit_.region in inside and exit_.kind is ExitKind.THROW for exit_ in facts.exits):
        return False
    if any(value.kind is ValueKind.AWAIT for value in facts.values):
        return False  # a value has no place: an `await` without a call could stand here
    for index, call in enumerate(facts.calls):
        if call.region not in inside:
            continue
        callee = facts.values[call.callee]
        listens = callee.kind is ValueKind.MEMBER and callee.text in LISTENS and _is_name(program, file, callee.ref)
        targets = program.graph.targets[file.index][index]
        if not listens and not any(isinstance(target, Api) and target.path in quiet for target in targets):
            return False
    return True
