"""An asyncio task that nobody keeps: it can be collected before it is done, and nobody waits for its error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import NONE, FunctionKind, Use, ValueKind
from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix, ImportRequest, Span, weakest
from prodlint.program.code.control_flow import control_flow
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api, Fn

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_SPAWNS = frozenset({"create_task", "ensure_future"})
_KEPT_IN = "_background_tasks"


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Calls in server code that start a task whose handle is dropped."""
    apis, loops = frozenset(rule.data["apis"]), frozenset(rule.data["loops"])
    forgetful = frozenset(rule.data["forgetful"])
    for site, _ in program.calls:
        if not site.file.is_python or program.value(site.file, site.call.callee).text not in _SPAWNS:
            continue
        is_statement = site.call.use is Use.STATEMENT
        if not is_statement and not _answers_nobody(program, site, forgetful):
            continue
        known = _starts_task(program, site, apis, loops)
        here = program.server_code(site.file, site.call.region)
        if known is None or here is None:
            continue
        yield Finding(
            rule.name,
            "Nobody keeps this task: asyncio holds it weakly, so it can vanish in the middle of its work, and an "
            "error in it is seen by nobody. Keep it until it is done, or await it.",
            program.location(site.file, site.call.start, site.call.end),
            confidence=weakest(known, here),
            data={"file": site.file.index, "call": site.index} if is_statement else {},
            no_fix_reason="" if is_statement else "a lambda cannot keep it: make it a function first",
        )


def _starts_task(program: Program, site: CallSite, apis: frozenset[str], loops: frozenset[str]) -> Confidence | None:
    """Whether the call starts an asyncio task: by what it resolves to, or (on something unknown) by the name of an
    event loop; what is given to that and is a coroutine of the program makes it certain."""
    targets = control_flow(program).targets(site)
    if targets:
        if not all(isinstance(target, Api) and target.path in apis for target in targets):
            return None
        is_sure = program.completeness.is_complete(site.file, site.call.callee)
        return Confidence.CERTAIN if is_sure else Confidence.LIKELY
    callee = program.value(site.file, site.call.callee)
    if callee.kind is not ValueKind.MEMBER or callee.text != "create_task":
        return None
    if _name(program, site.file, callee.ref) not in loops:
        return None
    return Confidence.CERTAIN if _is_given_coroutine(program, site) else Confidence.LIKELY


def _name(program: Program, file: File, value: int) -> str:
    """The last name of an expression: `loop` of `self.loop`, of a parameter or a variable."""
    fact = program.value(file, value)
    return file.facts.bindings[fact.ref].name if fact.kind is ValueKind.BINDING else fact.text


def _is_given_coroutine(program: Program, site: CallSite) -> bool:
    """Whether the first argument is a call of an `async def` of the program."""
    given = program.value(site.file, site.call.args[0]) if site.call.args else None
    if given is None or given.kind is not ValueKind.CALL:
        return False
    targets = control_flow(program).targets(CallSite(site.file, given.ref))
    return bool(targets) and all(
        isinstance(target, Fn) and control_flow(program).is_async(target.id) for target in targets
    )


def _answers_nobody(program: Program, site: CallSite, forgetful: frozenset[str]) -> bool:
    """Whether the call is all of a lambda that is handed to what throws a function's answer away."""
    facts = site.file.facts
    local = facts.regions[site.call.region].function
    if site.call.use is not Use.RETURNED or facts.functions[local].kind is not FunctionKind.EXPRESSION:
        return False
    fact = facts.functions[local]
    return any(
        facts.values[argument].kind is ValueKind.FUNCTION and facts.values[argument].ref == local
        for call in facts.calls
        if call.start <= fact.start and fact.end <= call.end and facts.values[call.callee].text in forgetful
        for argument in call.args
    )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The task in a set of the module until it is done."""
    if not finding.data:
        return "nothing would keep it as long as it runs"
    from prodlint.fixes import python

    file = program.files[finding.data["file"]]
    call = file.facts.calls[finding.data["call"]]
    source, span = program.read(file.path), Span(call.start, call.end)
    request = ImportRequest(file.path, "asyncio")
    module = python.local_name(source, request)
    name = _free_name(file, file.facts.regions[call.region].function)
    if module is None or not name or python.statement_of(source, span) != span:
        return "it is a part of another statement"
    kept = f"{_KEPT_IN}: set[{module}.Task] = set()"
    added = python.ensure_statement_after_imports(file.path, source, kept)
    handled = f"{_KEPT_IN}.add({name})\n{name}.add_done_callback({_KEPT_IN}.discard)"
    after = python.insert_statement_after(file.path, source, span, handled)
    if added is None or after is None:
        return f"the name `{_KEPT_IN}` is taken, or no statement can be added there"
    edits = (*added, Edit(file.path, span.start, span.start, f"{name} = "), *after)
    return Fix(f"Keep it in `{_KEPT_IN}` until it is done", Applicability.UNSAFE, edits, (request,))


def _free_name(file: File, function: int) -> str:
    """A name for the task that means nothing yet in the file's function and in those around it."""
    facts = file.facts
    around = set()
    at = function
    while at != NONE:
        around.add(at)
        at = facts.functions[at].parent
    taken = {binding.name for binding in facts.bindings if binding.function in around}
    taken.update(name for request in facts.imports for name in request.locals)
    taken.update(fact.name for fact in facts.functions)
    taken.update(cls.name for cls in facts.classes)
    taken.update(param.name for number in around for param in facts.functions[number].params)
    names = ("task", "background_task", *(f"task_{number}" for number in range(2, 10)))
    return next((name for name in names if name not in taken), "")
