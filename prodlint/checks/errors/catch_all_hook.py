"""A hook for uncaught errors after which the process goes on in an unknown state, or which hides them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import NONE, Function, FunctionKind, ParamKind
from prodlint.findings import Applicability, Finding, Fix, Severity, Span
from prodlint.fixes.logcalls import set_up
from prodlint.fixes.reasons import NO_LOGGER, NO_PLACE
from prodlint.lazy_regex import regex
from prodlint.models.frameworks import BY_NAME, FRAMEWORKS
from prodlint.models.frameworks.model import Role
from prodlint.program.code.control_flow import control_flow
from prodlint.program.code.loggers import Logger, loggers_in
from prodlint.program.code.process_hooks import EXCEPTION, REJECTION, Hook, hooks_in
from prodlint.program.linking.resolver import File

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_EVENTS = {
    EXCEPTION: "an exception that nobody caught",
    REJECTION: "a rejection that nobody handled",
}
_PYTHON_HOOKS = ("sys.excepthook", "threading.excepthook", "sys.unraisablehook")
_COMMENT = regex(rb"(?:/[/*]|\*)([^\n]*+)")
_MEANT = (
    (
        regex(rb"\b(?:don'?t|do not|never|without|not)\b", re.IGNORECASE),
        regex(rb"\b(?:exit|crash|stop|die|end|quit)", re.IGNORECASE),
    ),
    (regex(rb"\bkeep\b", re.IGNORECASE), regex(rb"\b(?:running|alive|up|going)\b", re.IGNORECASE)),
)
"""Words of a comment by which the process is not to end, and those that have to follow."""
_LOOP_HOOK = "set_exception_handler"
_EVERYTHING = frozenset({"Exception", "BaseException"})

_LOGGED = {
    "sys.excepthook": ("Uncaught exception", 3, "({0}, {1}, {2})"),
    "threading.excepthook": ("Uncaught exception in a thread", 1, "{0}.exc_value"),
    "sys.unraisablehook": ("Unraisable exception", 1, "{0}.exc_value"),
    _LOOP_HOOK: ("Unhandled exception in the event loop", 2, '{1}.get("exception")'),
    **{
        each.name: ("Unhandled exception", each.caught.parameters, each.caught.error)
        for each in FRAMEWORKS
        if each.caught is not None
    },
}
"""By hook or framework: what to log, how many parameters the function has, and the error in terms of them."""


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Hooks whose handler goes on (JavaScript) or hides the error (Python)."""
    for hook in hooks_in(program):
        yield _node_hook(program, rule, hook)
    yield from _python_hooks(program, rule)
    yield from _loop_handlers(program, rule)
    yield from _framework_handlers(program, rule)


# --- Node: the process goes on


def _node_hook(program: Program, rule: Rule, hook: Hook) -> Finding:
    no_fix_reason = "" if hook.functions else "the hook is no function of the project"
    if hook.may_end:
        no_fix_reason = "it ends the process on some paths already"
    some = " on some paths" if hook.may_end else ""
    call = hook.site.call
    return Finding(
        rule.name,
        f"After {_EVENTS[hook.event]} the process goes on in an unknown state{some}. Log the error, then end the "
        "process and let its manager start a new one.",
        program.location(hook.site.file, call.start, call.end),
        data={"function": hook.functions[0]} if hook.functions else {},
        no_fix_reason=no_fix_reason,
    )


# --- Python: the error vanishes


def _python_hooks(program: Program, rule: Rule) -> Iterator[Finding]:
    for file in program.files:
        for store in file.facts.stores if file.is_python else ():
            hook = f"{program.resolver.api_of(file, store.target)}.{store.name}"
            if hook in _PYTHON_HOOKS and program.server_code(file, store.region) is not None:
                yield from _hiding(program, rule, file, store.value, Span(store.start, store.end), hook)


def _loop_handlers(program: Program, rule: Rule) -> Iterator[Finding]:
    for site, targets in program.calls:
        file, call = site.file, site.call
        if not file.is_python or not call.args or program.value(file, call.callee).text != _LOOP_HOOK:
            continue
        is_own = any(program.resolver.callables(target) for target in targets)
        if not is_own and program.server_code(file, call.region) is not None:
            yield from _hiding(program, rule, file, call.args[0], Span(call.start, call.end), _LOOP_HOOK)


def _hiding(program: Program, rule: Rule, file: File, handler: int, span: Span, hook: str) -> Iterator[Finding]:
    functions = [function for function, _ in program.graph.handlers(file, handler)]
    if functions and not any(_tells(program, function) for function in functions):
        yield Finding(
            rule.name,
            f"This `{hook}` neither logs the error nor passes it on: errors that nobody caught leave no trace. "
            "Log them with their traceback.",
            program.location(file, *span),
            data={"function": functions[0], "hook": hook},
            no_fix_reason=_obstacle(program, functions[0], hook),
        )


def _framework_handlers(program: Program, rule: Rule) -> Iterator[Finding]:
    """`@app.errorhandler(Exception)` and the like that hide the error."""
    for registration in program.graph.registrations:
        file = program.files[registration.file]
        if registration.role is not Role.ERROR_HANDLER or registration.call == NONE or not file.is_python:
            continue
        call = file.facts.calls[registration.call]
        caught = program.resolver.api_of(file, call.args[0]).removeprefix("builtins.") if call.args else ""
        given = BY_NAME[registration.framework].caught
        if caught in _EVERYTHING and not _tells(program, registration.function):
            yield Finding(
                rule.name,
                f"This answers every `{caught}` and neither logs nor re-raises it: why a request failed is lost. "
                "Log it with its traceback.",
                program.location(file, registration.start, registration.end),
                severity=Severity.ADVICE if given is not None and given.is_logged else None,
                data={"function": registration.function, "hook": registration.framework},
                no_fix_reason=_obstacle(program, registration.function, registration.framework),
            )


def _tells(program: Program, function: int) -> bool:
    return control_flow(program).logs(function) or control_flow(program).may_end_process(function)


# --- fix


def _obstacle(program: Program, function: int, hook: str) -> str:
    """Why a Python function cannot be made to log; "" if it can."""
    file, fact = program.function(function)
    if fact.kind not in (FunctionKind.FUNCTION, FunctionKind.METHOD):
        return "the handler is no function with a body of its own"
    if hook not in _LOGGED or len(_parameters(fact)) != _LOGGED[hook][1]:
        return "the handler does not take the error by name"
    return "" if _logger(program, file) is not None else "the file's logger is not in reach"


def _parameters(fact: Function) -> list[str]:
    return [param.name for param in fact.params if param.kind is ParamKind.NORMAL]


def _logger(program: Program, file: File) -> Logger | None:
    return loggers_in(program).of(file) or loggers_in(program).to_set_up(file)


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Node: ends the process at the end of the hook. Python: logs the error at the beginning of the handler."""
    file, fact = program.function(finding.data["function"])
    body = file.facts.regions[fact.region]
    span = Span(body.start, body.end)
    if file.is_python:
        return _log(program, file, fact, span, finding.data["hook"])
    from prodlint.fixes import javascript

    comments = (match[1] for match in _COMMENT.finditer(program.read(file.path), body.start, body.end))
    if any(map(_is_meant, comments)):
        return "a comment says that the process is to go on"
    edits = javascript.append_to_body(file.path, program.read(file.path), span, "process.exit(1)")
    return Fix("End the process after logging", Applicability.UNSAFE, edits) if edits else NO_PLACE


def _is_meant(comment: bytes) -> bool:
    return any((said := first.search(comment)) and then.search(comment, said.end()) for first, then in _MEANT)


def _log(program: Program, file: File, fact: Function, body: Span, hook: str) -> Fix | str:
    from prodlint.fixes import python

    logger, source = _logger(program, file), program.read(file.path)
    if logger is None:
        return NO_LOGGER
    message, _, error = _LOGGED[hook]
    error = error.format(*_parameters(fact))
    if logger.library == "loguru":
        text = f'{logger.name}.opt(exception={error}).error("{message}")'
    else:
        text = f'{logger.name}.error("{message}", exc_info={error})'
    has_docstring = source[body.start : body.start + 1] in (b'"', b"'")
    insert = python.insert_statement_after if has_docstring else python.insert_statement_before
    edits = insert(file.path, source, Span(body.start, body.start), text)
    added = set_up(file, source, logger)
    if edits is None or added is None:
        return NO_PLACE
    requests = (logger.request,) if logger.request is not None else ()
    return Fix(f"Log it with `{logger.name}`", Applicability.UNSAFE, (*added, *edits), requests)
