"""A `throw` in a callback that runs from the event loop: nothing can catch it, and the process ends."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import TYPE_CHECKING

from prodlint.facts import NONE, Exit, ExitKind, RegionKind, ValueKind
from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix, weakest
from prodlint.program.code.callbacks import (
    LISTENS,
    Timing,
    derived,
    encloses,
    functions_of,
    parameter_value,
    runs_later,
    timing,
    while_serving,
    whom_to_tell,
)
from prodlint.program.code.control_flow import control_flow
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Cls, Fn

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_LITERALS = frozenset(
    {ValueKind.STRING, ValueKind.NUMBER, ValueKind.BOOL, ValueKind.NULL, ValueKind.FUNCTION, ValueKind.ARRAY}
)
_NESTED = 3
"""How deep functions are followed that a callback hands on to `forEach` and its kin."""


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Each `throw`, and each call of a function of the project that throws, in what runs later while a service serves.
    What stands inside a `try` around the call is `try-around-callback`'s."""
    seen: set[tuple[int, int]] = set()
    for site, _ in program.calls:
        if site.file.is_python or not site.call.args or control_flow(program).catches(site.file, site.call.region):
            continue
        for position, argument in enumerate(site.call.args):
            functions = functions_of(program, site.file, argument)
            later = runs_later(program, site, position) if functions else None
            if later is None or _is_for_errors(program, site):
                continue
            for function in functions:
                here = while_serving(program, site, function)
                if here is not None:
                    for finding in _in_callback(program, rule, site, function, weakest(later, here), 0):
                        key = (finding.data["file"], finding.location.start)
                        if key not in seen:
                            seen.add(key)
                            yield finding


def _is_for_errors(program: Program, site: CallSite) -> bool:
    """Whether a call listens to `'error'`: whoever throws what that tells wants the process to end."""
    callee = program.value(site.file, site.call.callee)
    first = program.value(site.file, site.call.args[0])
    return callee.text in LISTENS and first.kind is ValueKind.STRING and first.text in ("error", "exit")


def _in_callback(
    program: Program, rule: Rule, site: CallSite, function: int, confidence: Confidence, depth: int
) -> Iterator[Finding]:
    """What throws in a function that runs later: in itself, or in what it hands on to be run at once."""
    flow = control_flow(program)
    file, fact = program.function(function)
    if fact.is_async or fact.is_generator:
        return
    for index, exit_ in enumerate(file.facts.exits):
        if exit_.kind is not ExitKind.THROW or file.function_at(exit_.region) != function:
            continue
        if not flow.catches(file, exit_.region) and not _is_meant(file, function, exit_):
            yield _finding(program, rule, site, file, (exit_.start, exit_.end), confidence, exit_=index, depth=depth)
    for inner in flow.calls_in(function):
        if flow.catches(file, inner.call.region):
            continue
        called = _thrower(program, inner)
        if called:
            yield _finding(program, rule, site, file, (inner.call.start, inner.call.end), confidence, called=called)
        for position, argument in enumerate(inner.call.args):
            handed = program.value(file, argument)
            is_function = handed.kind is ValueKind.FUNCTION and depth < _NESTED
            if is_function and timing(program, inner, position) is Timing.NOW:
                within = file.fn_base + handed.ref
                yield from _in_callback(program, rule, site, within, confidence, depth + 1)


def _thrower(program: Program, site: CallSite) -> str:
    """The name of the function of the project that a call surely runs, if that throws whatever it is given, or because
    of an argument that is no literal; else ""."""
    flow = control_flow(program)
    targets = flow.targets(site)
    if not targets or not program.completeness.is_complete(site.file, site.call.callee):
        return ""
    own = [fn for target in targets if isinstance(target, (Fn, Cls)) for fn in program.resolver.callables(target)]
    is_all = len(own) == len(targets) and all(_throws_for(program, site, fn) for fn in own)
    return program.name(own[0]) if is_all else ""


def _throws_for(program: Program, site: CallSite, function: int) -> bool:
    file, fact = program.function(function)
    if fact.is_async or fact.is_generator:
        return False
    local = function - file.fn_base
    given = {
        value
        for position, argument in enumerate(site.call.args)
        if program.value(site.file, argument).kind not in _LITERALS
        and (root := parameter_value(file, local, position)) != NONE
        for value in derived(file, root)
    }
    return any(
        exit_.kind is ExitKind.THROW
        and file.facts.regions[exit_.region].function == local
        and not control_flow(program).catches(file, exit_.region)
        and _depends_on(program, file, exit_.region, given)
        for exit_ in file.facts.exits
    )


def _depends_on(program: Program, file: File, region: int, given: Set[int]) -> bool:
    """Whether a region runs always, or because of some values alone."""
    tests = []
    for at in program.regions_up(file, region):
        fact = file.facts.regions[at]
        if fact.kind in (RegionKind.CASE, RegionKind.LOOP, RegionKind.CATCH):
            return False
        if fact.kind in (RegionKind.THEN, RegionKind.ELSE):
            tests.append(fact.values)
    return all(not given.isdisjoint(values) for values in tests)


def _is_meant(file: File, function: int, exit_: Exit) -> bool:
    """Whether all that a function does is to throw what another one caught: `setImmediate(() => { throw err })` is how
    to end the process on purpose."""
    facts = file.facts
    value = facts.values[exit_.value] if exit_.value != NONE else None
    if value is None or facts.regions[exit_.region].kind is not RegionKind.BODY:
        return False
    is_outer = value.kind is ValueKind.CATCH or (
        value.kind is ValueKind.PARAM and not encloses(file, function - file.fn_base, value.ref)
    )
    return is_outer and not any(file.function_at(call.region) == function for call in facts.calls)


def _finding(
    program: Program,
    rule: Rule,
    site: CallSite,
    file: File,
    span: tuple[int, int],
    confidence: Confidence,
    *,
    exit_: int = NONE,
    depth: int = 0,
    called: str = "",
) -> Finding:
    name = program.value(site.file, site.call.callee).text
    what = f"{called} throws, and nothing" if called else "Nothing"
    whom = _whom(program, file, exit_) if exit_ != NONE and depth == 0 else ""
    how = f"Pass the error on: `return {whom}(…)`." if whom else "Catch it inside the callback, and pass the error on."
    return Finding(
        rule.name,
        f"{what} can catch it here: the callback of `{name}` runs when the code around it has returned, so the process "
        f"ends. {how}",
        program.location(file, *span),
        confidence=confidence,
        data={"file": file.index, "exit": exit_, "whom": whom},
        no_fix_reason="" if whom else "there is no `next`, callback or `reject` in reach to pass the error to",
    )


def _whom(program: Program, file: File, exit_: int) -> str:
    """What to call with the error instead: Express's `next`, a callback, or the `reject` of the promise around."""
    function = file.facts.regions[file.facts.exits[exit_].region].function
    told = whom_to_tell(program, file, function)
    facts = file.facts
    at = function
    while at != NONE and (told is None or at != told.function):
        for call in facts.calls:
            if not call.is_new or not call.args or facts.values[call.args[0]].kind is not ValueKind.FUNCTION:
                continue
            executor = facts.values[call.args[0]].ref
            params = facts.functions[executor].params
            has_reject = executor == at and len(params) > 1 and bool(params[1].name)
            if has_reject and program.resolver.api_of(file, call.callee) == "Promise":
                return params[1].name
        at = facts.functions[at].parent
    return told.name if told is not None else ""


# ----------------------------------------------------------------------------------------------------------------- fix


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """`return next(err)` in the place of `throw err`; a callback, or the `reject` of the promise around, likewise."""
    file = program.files[finding.data["file"]]
    exit_, whom = file.facts.exits[finding.data["exit"]], finding.data["whom"]
    written = program.read(file.path)[exit_.start : exit_.end].decode(errors="replace")
    thrown = written.removeprefix("throw").strip()
    end = ";" if thrown.endswith(";") else ""
    text = f"return {whom}({thrown.removesuffix(';').strip()}){end}"
    edit = Edit(file.path, exit_.start, exit_.end, text)
    return Fix(f"Pass the error to `{whom}`", Applicability.UNSAFE, (edit,))
