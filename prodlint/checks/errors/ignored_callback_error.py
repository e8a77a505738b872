"""An error-first callback that does not look at its error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import NONE, Function, ParamKind, RegionKind, Use, ValueKind
from prodlint.findings import Applicability, Finding, Fix, Span
from prodlint.fixes.reasons import NO_PLACE
from prodlint.lazy_regex import regex
from prodlint.program.code.callbacks import (
    ERROR_NAME,
    LISTENS,
    Continuation,
    Timing,
    calls_inside,
    continuations,
    derived,
    encloses,
    goes_on_with,
    is_error_first,
    parameter_value,
    timing,
)
from prodlint.program.code.control_flow import control_flow
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_LOG_METHODS = frozenset(
    ["log", "info", "warn", "warning", "error", "debug", "trace", "verbose", "fatal", "notice", "dir"]
)
_EMPTY = "when the call fails, nobody will know"
_GOES_ON = "when the call fails, this goes on as if it had worked"
_ORDINARY = frozenset("access exists stat lstat mkdir rmdir rm unlink link symlink exec execFile read write".split())
"""Calls whose error is an ordinary outcome (the folder is there, the file is gone), or that give a result beside it."""
_ERROR_FIRST = regex(
    r"(?:fs|graceful-fs|fs-extra)\.(?:readFile|readdir|stat|lstat|fstat|open|readlink|realpath|mkdtemp|read|write)"
    r"|dns\.(?:lookup|reverse|resolve\w*)|crypto\.(?:randomBytes|randomInt|pbkdf2|scrypt)"
    r"|zlib\.(?:gzip|gunzip|deflate|inflate|unzip|deflateRaw|inflateRaw|brotliCompress|brotliDecompress)"
    r"|child_process\.(?:exec|execFile)"
)
"""Calls that give their callback an error first and a result behind it. Source: Node's documentation."""
_BRANCHES = (RegionKind.THEN, RegionKind.ELSE, RegionKind.CASE)


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Functions handed to calls as their last argument whose first parameter is an error that is not used, or only
    logged while the function goes on with the result."""
    exceptions = frozenset(rule.data.get("except", []))
    asks = frozenset(rule.data.get("asks", []))
    clean_up = frozenset(rule.data.get("clean-up", []))
    seen: set[tuple[int, int]] = set()
    for site, targets in program.calls:
        yield from _taken_for_result(program, rule, site)
        number = _callback(program, site)
        if number is None or (site.file.index, number) in seen:
            continue
        apis = {target.path for target in targets if isinstance(target, Api)}
        function = site.file.facts.functions[number]
        body = site.file.facts.regions[function.region]
        is_empty = body.is_empty
        if apis & exceptions or (is_empty and apis & clean_up) or body.has_comment or _is_explained(site):
            continue
        if apis & asks and _tests_result(site.file, number, function):
            continue
        seen.add((site.file.index, number))
        if control_flow(program).ends_process(site.file.fn_base + number):
            continue  # a command of the service's, which is over with this
        what = _ignores(program, site.file, number, function)
        confidence = program.server_code(site.file, site.call.region) if what else None
        if confidence is not None:
            yield Finding(
                rule.name,
                f"{what}: {_EMPTY if is_empty else _GOES_ON}. Pass the error on, or answer it, before anything else.",
                program.location(site.file, function.name_start, function.name_end),
                confidence=confidence,
                data={"file": site.file.index, "function": number},
                no_fix_reason=_fixless(program, site.file, number),
            )


def _callback(program: Program, site: CallSite) -> int | None:
    """The error-first callback that a call is given, by its index in the file."""
    file, call = site.file, site.call
    if file.is_python or not call.args:
        return None
    last = program.value(file, call.args[-1])
    if last.kind is not ValueKind.FUNCTION:
        return None
    function = file.facts.functions[last.ref]
    if not is_error_first(function) or program.registrations_of.get(file.fn_base + last.ref):
        return None
    callee = program.value(file, call.callee)
    if callee.kind is ValueKind.MEMBER and callee.text in LISTENS:
        return None  # events have the arguments that they have
    return None if timing(program, site, len(call.args) - 1) in (Timing.NOW, Timing.PROMISE) else last.ref


def _taken_for_result(program: Program, rule: Rule, site: CallSite) -> Iterator[Finding]:
    """`fs.readFile(name, (text) => …)`: the first thing that the callback is given is the error, by whatever name."""
    file, call = site.file, site.call
    handed = program.value(file, call.args[-1]) if call.args and not file.is_python else None
    if handed is None or handed.kind is not ValueKind.FUNCTION:
        return
    function = file.facts.functions[handed.ref]
    if len(function.params) != 1 or function.params[0].kind is not ParamKind.NORMAL or is_error_first(function):
        return
    param = function.params[0]
    if not param.used or param.name.startswith("_") or ERROR_NAME.fullmatch(param.name):
        return
    targets = control_flow(program).targets(site)
    if not targets or not program.is_surely(site, lambda path: _ERROR_FIRST.fullmatch(path) is not None):
        return
    made = derived(file, parameter_value(file, handed.ref, 0))
    if any(not made.isdisjoint(region.values) for region in file.facts.regions if region.kind in _BRANCHES):
        return
    confidence = program.server_code(file, call.region)
    if confidence is not None:
        yield Finding(
            rule.name,
            f"This callback takes `{param.name}` for the result, but it is the error: the result comes behind it. "
            f"Write `(err, {param.name})`, and look at `err` first.",
            program.location(file, function.name_start, function.name_end),
            confidence=confidence,
            no_fix_reason="what is done with the result has to move, too",
        )


def _is_explained(site: CallSite) -> bool:
    """Whether the call is all that a function does, and the function begins with a comment that speaks of errors."""
    facts = site.file.facts
    region = facts.regions[site.call.region]
    is_body = facts.functions[region.function].region == site.call.region
    return is_body and region.has_comment and sum(call.region == site.call.region for call in facts.calls) == 1


def _tests_result(file: File, number: int, function: Function) -> bool:
    """Whether a callback looks whether it was given a result."""
    results = [parameter_value(file, number, position) for position in range(1, len(function.params))]
    made = {value for result in results if result != NONE for value in derived(file, result)}
    return any(not made.isdisjoint(region.values) for region in file.facts.regions if region.kind in _BRANCHES)


def _ignores(program: Program, file: File, number: int, function: Function) -> str:
    """What the function does wrong with its error, or ""."""
    name = function.params[0].name
    if function.has_arguments_object:
        return ""
    if not function.params[0].used:
        return f"This callback never looks at `{name}`"
    if len(function.params) > 1 and _only_logs(program, file, number) and _goes_on(file, number, function):
        return f"This callback only logs `{name}`"
    return ""


def _only_logs(program: Program, file: File, number: int) -> bool:
    """Whether all that is done with the error is to log it, under no condition but its own, and to go on."""
    facts = file.facts
    error = parameter_value(file, number, 0)
    if error == NONE:
        return False
    made = derived(file, error)
    logged = False
    for site in calls_inside(program, file, number):
        callee = facts.values[site.call.callee]
        if site.call.callee in made:
            return False
        if not made.isdisjoint(site.call.args):
            if callee.kind is not ValueKind.MEMBER or callee.text not in _LOG_METHODS:
                return False
            logged = True
    if not logged or any(store.value in made or store.target in made for store in facts.stores):
        return False
    if any(exit_.value in made for exit_ in facts.exits):
        return False
    if any(not made.isdisjoint(binding.values) for binding in facts.bindings):
        return False
    tested = [at for at, region in enumerate(facts.regions) if not made.isdisjoint(region.values)]
    return all(facts.regions[at].kind is RegionKind.THEN and _merely_logs(program, file, at) for at in tested)


def _merely_logs(program: Program, file: File, branch: int) -> bool:
    """Whether a branch has nothing but log calls, no comment that says why, and control goes on behind it."""
    facts = file.facts
    if facts.regions[branch].has_comment:
        return False
    inside = {branch}
    for at in range(branch + 1, len(facts.regions)):  # what is inside comes later
        if facts.regions[at].parent in inside:
            inside.add(at)
    if any(exit_.region in inside for exit_ in facts.exits) or any(store.region in inside for store in facts.stores):
        return False
    return all(facts.values[call.callee].text in _LOG_METHODS for call in facts.calls if call.region in inside)


def _goes_on(file: File, number: int, function: Function) -> bool:
    """Whether a result is used that nothing has tested."""
    facts = file.facts
    for position, param in enumerate(function.params[1:], 1):
        value = parameter_value(file, number, position)
        if value == NONE or param.kind is not ParamKind.NORMAL:
            continue
        made = derived(file, value)
        tested = any(not made.isdisjoint(region.values) for region in facts.regions if region.kind in _BRANCHES)
        used = [
            call
            for call in facts.calls
            if call.callee in made or facts.values[call.callee].ref in made or not made.isdisjoint(call.args)
        ]
        if used and not tested:
            return True
    return False


# ----------------------------------------------------------------------------------------------------------------- fix


def _fixless(program: Program, file: File, number: int) -> str:
    if file.facts.functions[number].params[0].used:
        return "it is logged; whether to go on is for you to say"
    return "" if _whom(program, file, number) is not None else "there is no `next` or callback in reach"


def _whom(program: Program, file: File, number: int) -> Continuation | None:
    """Whom the error can be passed to: a callback that this function calls for its result, or Express's `next`."""
    parent = file.facts.functions[number].parent
    for found in continuations(program, file, parent):
        if found.is_next or goes_on_with(program, file, number, found):
            return found
    return None


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """`if (err) return next(err)` first in the callback; `callback(err)` where that is how the function continues."""
    from prodlint.fixes import javascript
    from prodlint.fixes.early_return import Effect, effect_of

    file = program.files[finding.data["file"]]
    number = finding.data["function"]
    function = file.facts.functions[number]
    whom = _whom(program, file, number)
    if function.params[0].used:
        return "what it does with the error is for a person to judge"
    if whom is None or _is_hidden(file, number, whom.name):
        return "there is no `next` or callback in reach"
    body = file.facts.regions[function.region]
    name = function.params[0].name
    effect = effect_of(
        file.path,
        program.read(file.path),
        Span(body.start, body.end),
        {param.name for param in function.params[1:] if param.kind is ParamKind.NORMAL},
        {param.name for param in file.facts.functions[whom.function].params},
    )
    if effect is Effect.SKIPS_OTHERS:
        return "part of the callback may have to run after an error too"
    text = f"if ({name}) return {whom.name}({name})"
    edits = javascript.prepend_to_body(file.path, program.read(file.path), Span(body.start, body.end), text)
    is_safe = effect is Effect.THROWS_ALREADY and _is_called_once(program, file, number, whom)
    safety = Applicability.SAFE if is_safe else Applicability.UNSAFE
    return Fix(f"Pass the error to `{whom.name}`", safety, edits) if edits else NO_PLACE


def _is_called_once(program: Program, file: File, number: int, whom: Continuation) -> bool:
    """Whether the callback is called once for each time that `whom` is given, with an error or a result, and nothing
    else answers or hands on: no loop, no `forEach`, no use of `res` or `next` beside the call."""
    facts = file.facts
    answers = {parameter_value(file, whom.function, at) for at in range(len(facts.functions[whom.function].params))}
    while number != whom.function:
        call = next(
            (
                call
                for call in facts.calls
                if any(
                    facts.values[each].kind is ValueKind.FUNCTION and facts.values[each].ref == number
                    for each in call.args
                )
            ),
            None,
        )
        callee = facts.values[call.callee] if call is not None else None
        if call is None or callee is None or callee.text in _ORDINARY or not is_error_first(facts.functions[number]):
            return False
        regions = [facts.regions[at] for at in program.regions_up(file, call.region)]
        parent = facts.functions[number].parent
        if any(region.kind is RegionKind.LOOP for region in regions):
            return False
        beside = [
            other for other in facts.calls if facts.regions[other.region].function == parent and other is not call
        ]
        if any(
            _root(file, other.callee) in answers and not (other.use is Use.RETURNED and other.start < call.start)
            for other in beside
        ):
            return False
        number = parent
    return True


def _root(file: File, value: int) -> int:
    """What a chain of members and calls begins with: `res` of `res.status(200).json`."""
    facts = file.facts
    while (fact := facts.values[value]).kind in (ValueKind.MEMBER, ValueKind.CALL):
        value = fact.ref if fact.kind is ValueKind.MEMBER else facts.calls[fact.ref].callee
    return value


def _is_hidden(file: File, number: int, name: str) -> bool:
    """Whether the callback, or a block in it, uses the name for something else."""
    return any(
        binding.name == name and encloses(file, number, binding.function) for binding in file.facts.bindings
    ) or any(param.name == name for param in file.facts.functions[number].params)
