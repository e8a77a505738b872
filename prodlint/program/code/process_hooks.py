"""Hooks of Node for errors that nobody caught, and what becomes of the process after them.

Source: Node's documentation of `process`: without a hook an uncaught exception ends the process, and so does an
unhandled rejection, which reaches the hooks for exceptions where there is none for rejections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from prodlint.facts import ValueKind
from prodlint.lazy_regex import regex
from prodlint.program.code.control_flow import control_flow
from prodlint.program.linking.queries import query
from prodlint.program.linking.resolver import CallSite, File

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

EXCEPTION = "uncaughtException"
REJECTION = "unhandledRejection"

_LISTENS = ("process.on", "process.once", "process.addListener", "process.prependListener")
_CAPTURES = "process.setUncaughtExceptionCaptureCallback"
_LOGS_ONLY = regex(r".*\.(?:log|debug|info|warn|error|fatal|trace)(?:\.bind\(\))?")
_UNLISTENS = ("off", "removeListener")


class Hook(NamedTuple):
    """A hook of server code after which the process goes on, at least on some paths."""

    site: CallSite
    event: str
    functions: tuple[int, ...]
    """The project's own functions that it is; none for a method of a logger."""
    may_end: bool
    """Whether it ends the process on some paths."""


@query
def hooks_in(program: Program) -> list[Hook]:
    """The hooks after which the process goes on."""
    found = []
    for api in (*_LISTENS, _CAPTURES):
        for site in program.api_calls.get(api, ()):
            args = site.call.args
            first = program.value(site.file, args[0]) if args else None
            if first is None or first.kind is ValueKind.NULL:
                continue
            event = EXCEPTION if api == _CAPTURES else first.text if first.kind is ValueKind.STRING else ""
            handler = args[0] if api == _CAPTURES else args[1] if len(args) > 1 else None
            if event in (EXCEPTION, REJECTION) and handler is not None:
                hook = _hook(program, site, event, handler)
                if hook is not None:
                    found.append(hook)
    return found


def _hook(program: Program, site: CallSite, event: str, handler: int) -> Hook | None:
    flow = control_flow(program)
    functions = tuple(function for function, _ in program.graph.handlers(site.file, handler))
    if not functions and not _LOGS_ONLY.fullmatch(program.resolver.api_of(site.file, handler)):
        return None  # nobody knows what it does
    if program.server_code(site.file, site.call.region) is None:
        return None
    if any(flow.ends_process(function) for function in functions) or _is_temporary(program, site):
        return None
    return Hook(site, event, functions, any(flow.may_end_process(function) for function in functions))


def _is_temporary(program: Program, site: CallSite) -> bool:
    """Whether the function that adds a listener takes it away again before it is done."""
    handler = site.call.args[-1]
    return any(
        program.value(site.file, other.call.callee).text in _UNLISTENS and handler in other.call.args
        for other in control_flow(program).calls_in(site.file.function_at(site.call.region))
    )


def fate(program: Program, file: File, event: str) -> str:
    """What an error that nobody catches does in a file's process: `ends the process`, or `only reaches the hook at
    app.js:7` where one in the same package keeps the process going."""
    events = (EXCEPTION,) if event == EXCEPTION else (REJECTION, EXCEPTION)
    home = program.versions.package_folder(file.path)
    for wanted in events:
        for hook in hooks_in(program):
            if hook.event == wanted and program.versions.package_folder(hook.site.file.path) == home:
                return f"only reaches the hook at {hook.site.file.place(hook.site.call.start)}"
    return "ends the process"
