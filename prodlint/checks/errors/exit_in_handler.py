"""Ending the process for one request: all others end with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prodlint.facts import NONE, ExitKind, ValueKind
from prodlint.findings import Confidence, Finding, Severity
from prodlint.lazy_regex import regex
from prodlint.program.code.control_flow import control_flow
from prodlint.program.code.request_paths import Reached, request_path_to
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_HOOKS = ("process.on", "process.once", "process.addListener", "signal.signal", "atexit.register")
_FORKS = ("os.fork", "os.forkpty")
_WORD = regex(r"[A-Z]?[a-z]++|[A-Z]++(?![a-z])|\d++")
_ENDINGS = frozenset(("", "s", "ed", "ing", "er", "d", "r"))
_RAISES = frozenset(["sys.exit", "exit", "quit", "raise SystemExit"])
"""What raises `SystemExit`. Servers differ in what they do with it (tests/behaviour/test_error_answers.py): aiohttp and
hypercorn end, gunicorn with threads loses its worker, uvicorn and gunicorn's synchronous workers answer 500."""


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Calls that end the process, and `raise SystemExit`, that a request reaches."""
    purposes = _Purposes(rule.data)
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
    program: Program, rule: Rule, purposes: _Purposes, file: File, region: int, span: tuple[int, int], what: str
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


def _is_meant(reached: Reached, purposes: _Purposes) -> bool:
    """Whether a route or function on the way is there to end the process, as the words of its name say. That what exits
    is called `die` says what it does, and not that a request should."""
    *way, last = (reached.label, *reached.names)
    return any(purposes.has(name) for name in way) or purposes.has(last, is_last=bool(reached.trace))


class _Purposes:
    """What functions and routes are called that are there to end the process."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._all = [purpose.split("_") for purpose in data["purposes"]]
        self._fatal = frozenset(data["fatal"])
        self._objects = frozenset(data["objects"])

    def has(self, name: str, *, is_last: bool = False) -> bool:
        """Whether a name says so; `is_last`: that of a helper that exits."""
        words = [word.lower() for word in _WORD.findall(name)]
        for purpose in self._all:
            at = next((start for start in range(len(words)) if _starts_with(words[start:], purpose)), None)
            if at is not None and not (is_last and purpose[0] in self._fatal):
                rest = {*words[:at], *words[at + len(purpose) :]}
                if all(word in self._objects or word.isdigit() for word in rest):
                    return True
        return False


def _starts_with(words: Sequence[str], purpose: Sequence[str]) -> bool:
    """Whether the words of a purpose come first; `restarting` and `exits` are `restart` and `exit`, too."""
    pairs = list(zip(words, purpose, strict=False))
    return len(pairs) == len(purpose) and all(
        word.startswith(part) and word[len(part) :] in _ENDINGS for word, part in pairs
    )


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
