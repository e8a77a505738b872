"""Ending the process for one request: all others end with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import NONE, ExitKind, ValueKind
from prodlint.findings import Confidence, Finding, Severity
from prodlint.program.code.control_flow import control_flow
from prodlint.program.code.request_paths import Reached, request_path_to
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_HOOKS = ("process.on", "process.once", "process.addListener", "signal.signal", "atexit.register")
_FORKS = ("os.fork", "os.forkpty")
_RAISES = frozenset(["sys.exit", "exit", "quit", "raise SystemExit"])
"""What raises `SystemExit`. Servers differ in what they do with it (tests/behaviour/test_error_answers.py): aiohttp and
hypercorn end, gunicorn with threads loses its worker, uvicorn and gunicorn's synchronous workers answer 500."""


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Calls that end the process, and `raise SystemExit`, that a request reaches."""
    purposes = tuple(rule.data["purposes"])
    for site, api, sure in program.calls_of(frozenset(rule.data["apis"]).__contains__):
        if _of_language(site.file, api) and sure is Confidence.CERTAIN:
            span, name = (site.call.start, site.call.end), api.removeprefix("builtins.")
            yield from _judge(program, rule, purposes, site.file, site.call.region, span, name)
    for file in program.files:
        for exit_ in file.facts.exits if file.is_python else ():
            if exit_.kind is ExitKind.THROW and exit_.value != NONE and _is_system_exit(program, file, exit_.value):
                yield from _judge(
                    program, rule, purposes, file, exit_.region, (exit_.start, exit_.end), "raise SystemExit"
                )


def _of_language(file: File, api: str) -> bool:
    return file.is_python != api.startswith("process.")


def _is_system_exit(program: Program, file: File, value: int) -> bool:
    fact = program.value(file, value)
    if fact.kind is ValueKind.CALL:
        fact = program.value(file, file.facts.calls[fact.ref].callee)
    return fact.kind is ValueKind.GLOBAL and fact.text == "SystemExit"


def _judge(
    program: Program, rule: Rule, purposes: tuple[str, ...], file: File, region: int, span: tuple[int, int], what: str
) -> Iterator[Finding]:
    reached = request_path_to(program, file, region, rule.name)
    if reached is None or _is_meant(reached, purposes) or _elsewhere(program, file, region):
        return
    is_raised = what in _RAISES
    does = (
        "raises `SystemExit`, which no `except Exception` catches and which ends the process under some servers. Raise"
        if is_raised
        else f"ends the process, and all other requests in it. {'Raise' if file.is_python else 'Throw'}"
    )
    yield Finding(
        rule.name,
        f"`{what}` is reached from a request{reached.by}: it {does} an error that the framework answers.",
        program.location(file, *span),
        confidence=reached.confidence,
        trace=reached.trace,
        severity=Severity.WARNING if is_raised else None,
    )


def _is_meant(reached: Reached, purposes: tuple[str, ...]) -> bool:
    """Whether a route or function on the way is there to end the process, as its name says."""
    return any(part in name.lower() for name in (reached.label, *reached.names) for part in purposes)


def _elsewhere(program: Program, file: File, region: int) -> bool:
    """Whether the code runs for a signal, or in a process of its own."""
    local = file.facts.regions[region].function
    if any(_is(program, site, _FORKS) for site in control_flow(program).calls_in(file.fn_base + local)):
        return True
    while local not in (NONE, 0):
        for index, call in enumerate(file.facts.calls):
            handed = any(
                file.facts.values[argument].kind is ValueKind.FUNCTION and file.facts.values[argument].ref == local
                for argument in call.args
            )
            if handed and _is(program, CallSite(file, index), _HOOKS):
                return True
        local = file.facts.functions[local].parent
    return False


def _is(program: Program, site: CallSite, apis: tuple[str, ...]) -> bool:
    return any(isinstance(target, Api) and target.path in apis for target in control_flow(program).targets(site))
