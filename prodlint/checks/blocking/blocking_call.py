"""A blocking API that a request reaches on the event loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from prodlint.facts import NONE, Call, Function, Use, ValueKind
from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix, ImportRequest, Span, weakest
from prodlint.fixes.reasons import NO_AWAIT
from prodlint.lazy_regex import regex
from prodlint.models.api_table import ApiTable
from prodlint.models.frameworks import BY_NAME
from prodlint.models.frameworks.model import Context, Role
from prodlint.models.packages import ITS_ASYNC_FORM, Blocks, package_models
from prodlint.program.code.callers import callers_in
from prodlint.program.linking.call_graph import Registration
from prodlint.program.linking.contexts import Reach
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.routes import routes_in
from prodlint.program.linking.run_once import runs_once
from prodlint.program.linking.targets import Api, spoken
from prodlint.program.linking.traces import trace_to

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_THREAD = "asyncio.to_thread"
_OPENS = frozenset({"builtins.open", "io.open"})
_PATHS = frozenset({"pathlib.Path()", "os.path.join()", "os.path.abspath()", "builtins.str()"})
_EXISTS = "fs.existsSync"
_PROMISIFIED = regex(r"util\.promisify\((.+)\)")
_BUILT_IN = frozenset({"crypto", "fs", "fs/promises", "util", "zlib"})
"""The modules of Node that replacements are in."""


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Calls of the rule's APIs in functions that run on the event loop for a request or in the background."""
    table = ApiTable(rule.data["apis"], rule.data["except"])
    threads = ApiTable(dict.fromkeys(rule.data["in-thread"], _THREAD))
    hints = ApiTable(rule.data["hints"])
    waits = ApiTable(dict.fromkeys(rule.data["without-limit"], ""))
    of_path = ApiTable(dict.fromkeys(rule.data["of-path"], ""))
    packages = package_models()

    def derived(api: str) -> Blocks | None:
        return None if table.leaves_out(api) else packages.blocks(api)

    for site, api, sure in program.calls_of(lambda path: table.get(path) is not None or derived(path) is not None):
        reason = derived(api) if table.get(api) is None else None
        if reason is not None and not site.file.is_python:
            continue  # a package of npm that has the same name
        if waits.get(api) is not None and _has_limit(site):
            continue
        if of_path.get(api) is not None and not _is_of_path(program, site):
            continue
        if found := _on_loop(program, rule, site):
            replacement = table.get(api) or "" if reason is None else _THREAD
            remedy = _Remedy(
                api,
                replacement,
                threads.get(api) is not None,
                _advice(site.file, replacement, hints.get(api)) if reason is None else _of_library(reason),
            )
            if reason is not None and not reason.sure:
                sure = Confidence.LIKELY
            yield _finding(program, rule, site, sure, *found, remedy)


class _Remedy(NamedTuple):
    """What to do about a call of an API."""

    api: str
    replacement: str
    in_thread: bool
    """Whether the function around the call may run in a thread, although the call alone may not."""
    advice: str


# --- where it runs


def _has_limit(site: CallSite) -> bool:
    """Whether a call that waits is given an argument that may keep it from waiting for ever: `timeout=1`, `False`."""
    values = (site.file.facts.values[argument] for argument in site.call.args)
    return any(value.kind is not ValueKind.NULL and value.text != "true" for value in values)


def _is_of_path(program: Program, site: CallSite) -> bool:
    """Whether a call is surely given the path of a file first, and no file that may be one in memory."""
    if not site.call.args or len(site.call.args) == len(site.call.keywords):
        return False
    value = site.call.args[0]
    if site.file.facts.values[value].kind in (ValueKind.STRING, ValueKind.TEMPLATE):
        return True
    targets = program.resolver.resolve(site.file, value)
    return bool(targets) and all(isinstance(target, Api) and target.path in _PATHS for target in targets)


def _on_loop(program: Program, rule: Rule, site: CallSite) -> tuple[Context, Reach] | None:
    """How a call comes to run on the event loop of a service; None if it does not, or only once."""
    file, call = site.file, site.call
    if file.is_python and call.use is Use.AWAITED:
        return None  # what is awaited is a coroutine, whatever its name says
    if program.server_code(file, call.region) is None or runs_once(file.facts, call):
        return None
    return program.on_loop(file, call.region, rule.name)


def _finding(
    program: Program,
    rule: Rule,
    site: CallSite,
    sure: Confidence,
    context: Context,
    reach: Reach,
    remedy: _Remedy,
) -> Finding:
    file, call = site.file, site.call
    state = (file.function_at(call.region), context)
    trace = trace_to(program, state, rule.name)
    is_async = program.function(state[0])[1].is_async
    is_mended = remedy.replacement or (remedy.in_thread and not is_async) or remedy.api in _OPENS
    return Finding(
        rule.name,
        f"{spoken(remedy.api)} blocks the event loop: all other requests wait. "
        f"{_reached(program, rule, *state, reach)} {remedy.advice}",
        program.location(file, call.start, call.end),
        confidence=weakest(sure, Confidence.CERTAIN if reach.certain else Confidence.LIKELY),
        trace=trace if len(trace) > 1 else (),
        data={"file": file.index, "call": site.index, "api": remedy.api, "replacement": remedy.replacement},
        no_fix_reason="" if is_mended else "it has no drop-in replacement",
    )


def _reached(program: Program, rule: Rule, function: int, context: Context, reach: Reach) -> str:
    """Who gets to a function, in a sentence."""
    registration = reach.registration
    if registration is None:
        return f"{program.name(function)} runs on the event loop."
    more = program.contexts_for(rule.name).handlers((function, context)) - 1
    named = f"{routes_in(program).said(registration)}{f', and {more} more' if more > 0 else ''}"
    who = "A request" if context is Context.REQUEST else "A background task"
    return f"{who} ({named}) gets here."


def _of_library(reason: Blocks) -> str:
    """How it is known that a function of a library blocks, and what to do instead."""
    if reason.api == ITS_ASYNC_FORM:
        return f"Use the library's async form ({reason.path}), or hand this to a thread with `{_THREAD}`."
    return f"It reaches `{reason.api.replace('()', '')}` ({reason.path}). Hand it to a thread with `{_THREAD}`."


def _advice(file: File, replacement: str, hint: str | None) -> str:
    """What to do instead, in a sentence."""
    if hint:
        return hint
    if replacement == _THREAD:
        return f"Hand it to a thread with `{_THREAD}`."
    if replacement:
        return f"Use `await {replacement}(…)`."
    if file.is_python:
        return f"Use an async library, or `{_THREAD}`."
    return "Use its asynchronous form, or do it once at start-up."


# --- fix


def _waits(program: Program, registration: Registration, function: Function) -> bool:
    """Whether a framework waits for the promise of a handler that was registered so."""
    if registration.wrappers or registration.role is Role.EVENT:
        return False
    framework = BY_NAME[registration.framework]
    if framework.awaits_since is None or (framework.callback_at and len(function.params) >= framework.callback_at):
        return False
    major = program.versions.major(program.files[registration.file].path, framework.package)
    return (major or 0) >= framework.awaits_since


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The awaited replacement. Where the function around it is not async, it becomes so in JavaScript, and those who
    call it with it; in Python the coroutine that calls it hands it to a thread."""
    file = program.files[finding.data["file"]]
    call = file.facts.calls[finding.data["call"]]
    around = file.function_at(call.region)
    if not file.is_python:
        return _javascript_fix(program, file, call, finding.data["api"], finding.data["replacement"])
    if not program.function(around)[1].is_async:
        return _in_thread(program, around, rule.name)
    if finding.data["replacement"]:
        return _python_fix(program.read(file.path), file, call, finding.data["api"], finding.data["replacement"])
    return _open_in_thread(program.read(file.path), file, call)


def _open_in_thread(source: bytes, file: File, call: Call) -> Fix | str:
    """A file that is read or written whole in one statement: with a method of `Path`, in a thread."""
    from prodlint.fixes import python
    from prodlint.fixes.python_files import in_thread

    requests = (ImportRequest(file.path, "asyncio"), ImportRequest(file.path, "pathlib", "Path"))
    module, path_class = (python.local_name(source, request) for request in requests)
    if module is None or path_class is None:
        return "the name of the module is taken there"
    edits = in_thread(file.path, source, Span(call.start, call.end), f"{module}.to_thread", path_class)
    if edits is None:
        return "more is done with the file than to read or write it whole"
    return Fix("Read or write it in a thread", Applicability.UNSAFE, edits, requests)


def _in_thread(program: Program, function: int, rule: str) -> Fix | str:
    """The calls by which coroutines come to a function that is none, handed to a thread."""
    from prodlint.fixes import python

    sites = callers_in(program).boundary(function, rule)
    if isinstance(sites, str):
        return sites
    edits: list[Edit] = []
    requests: list[ImportRequest] = []
    for site in sites:
        path, source = site.file.path, program.read(site.file.path)
        request = ImportRequest(path, "asyncio")
        local = python.local_name(source, request)
        runner = f"{local}.to_thread"
        made = python.call_through(path, source, Span(site.call.start, site.call.end), runner, awaited=True)
        if local is None or made is None:
            line = sum(start <= site.call.start for start in site.file.facts.line_starts)
            return f"{path}:{line} calls it in a way that cannot be handed to a thread"
        edits += made
        requests.append(request)
    names = " and ".join(dict.fromkeys(program.name(site.file.function_at(site.call.region)) for site in sites[:2]))
    title = f"Hand it to a thread in {names}" if len(sites) < 3 else f"Hand it to a thread in {len(sites)} coroutines"
    return Fix(title, Applicability.UNSAFE, tuple(edits), tuple(dict.fromkeys(requests)))


def _python_fix(source: bytes, file: File, call: Call, api: str, replacement: str) -> Fix | str:
    from prodlint.fixes import python

    module, _, name = replacement.rpartition(".")
    request = ImportRequest(file.path, module)
    local = python.local_name(source, request)
    if local is None:
        return "the name of the module is taken there"
    callee, span = f"{local}.{name}", Span(call.start, call.end)
    if replacement != _THREAD:
        edits = python.replace_callee(file.path, source, span, callee, awaited=True)
    elif api.startswith("pathlib."):
        edits = _path_method_in_thread(source, file, call, callee)
    else:
        edits = python.call_through(file.path, source, span, callee, awaited=True)
    title = "Hand it to a thread" if replacement == _THREAD else f"Await `{callee}`"
    return Fix(title, Applicability.UNSAFE, edits, (request,)) if edits else NO_AWAIT


def _path_method_in_thread(source: bytes, file: File, call: Call, runner: str) -> tuple[Edit, ...] | None:
    """`Path(p).read_text()` → `await asyncio.to_thread(Path(p).read_text)`: making the path does not block."""
    from prodlint.fixes import python

    method = source[call.start : call.args_start].decode()
    arguments = source[call.args_start + 1 : call.end - 1].decode().strip()
    text = f"{runner}({method}{', ' if arguments else ''}{arguments})"
    return python.replace_expression(file.path, source, Span(call.start, call.end), text, awaited=True)


def _javascript_fix(program: Program, file: File, call: Call, api: str, replacement: str) -> Fix | str:
    from prodlint.fixes import javascript
    from prodlint.fixes.propagate import make_async_with_callers

    source = program.read(file.path)
    promisified = _PROMISIFIED.fullmatch(replacement)
    named = _callee(source, file, call, api, promisified[1] if promisified else replacement)
    if named is None:
        return "the name of the function is not known here"
    callee, requests = named
    if promisified:
        promisify = _imported(source, file, "util", "promisify")
        if promisify is None:
            return "`util` cannot be required there"
        callee, requests = f"{promisify[0]}({callee})", (*requests, *promisify[1])
    function = file.facts.functions[file.facts.regions[call.region].function]
    around = Span(function.start, function.end)
    edits = javascript.replace_callee(
        file.path, source, Span(call.start, call.end), callee, awaited=True, making_async=around
    )
    if edits is None:
        return NO_AWAIT
    if api == _EXISTS:
        edits = (edits[0], Edit(file.path, call.end, call.end, ".then(() => true, () => false)"), *edits[1:])
    title = f"Await `{''.join(callee.split())}`"
    if function.is_async or function.parent == NONE:
        return Fix(title, Applicability.UNSAFE, edits, requests)
    asynchronous = make_async_with_callers(
        program, file.function_at(call.region), lambda registration, each: _waits(program, registration, each)
    )
    if isinstance(asynchronous, str):
        return asynchronous
    return Fix(title, Applicability.UNSAFE, (*asynchronous, *edits), requests)


_Named = tuple[str, tuple[ImportRequest, ...]]
"""An expression, and the imports that it needs."""


def _callee(source: bytes, file: File, call: Call, api: str, replacement: str) -> _Named | None:
    """How the file would write `replacement` in the place of `api`: as a member of the object that it takes the
    blocking function from, or imported by name as the blocking function is."""
    module, _, member = replacement.partition(".")
    if module == api.partition(".")[0] and api.count(".") == 1:
        before = source[call.start : call.name_start].decode()
        if file.facts.values[call.callee].kind is ValueKind.MEMBER and before.endswith(".") and "?" not in before:
            return before + member, ()
    *folders, name = member.split(".")
    return _imported(source, file, "/".join((module, *folders)), name)


def _imported(source: bytes, file: File, module: str, name: str) -> _Named | None:
    from prodlint.fixes import javascript

    request = ImportRequest(file.path, f"node:{module}" if module in _BUILT_IN else module, name)
    local = javascript.local_name(file.path, source, request)
    return (local, (request,)) if local is not None else None
