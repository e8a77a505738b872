"""Callbacks: functions handed to a call of Node.js code. When they run, and whom they can tell of an error.

Sources: Node's documentation ("Error-first callbacks", Timers, `EventEmitter`), ECMAScript.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from prodlint.facts import NONE, Function, ParamKind, Use, Value, ValueKind
from prodlint.findings import Confidence
from prodlint.lazy_regex import regex
from prodlint.models.frameworks.model import Context
from prodlint.program.code.control_flow import control_flow
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api, Fn

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

ERROR_NAME = regex(r"(?:e|er|err|error|exception)\d?|(?:err|error)[A-Z]\w*|\w+(?:Err|Error)")
LISTENS = frozenset({"on", "once", "addListener", "prependListener", "prependOnceListener"})

_EACH = frozenset(
    [
        "map",
        "forEach",
        "filter",
        "reduce",
        "reduceRight",
        "some",
        "every",
        "find",
        "findIndex",
        "findLast",
        "findLastIndex",
        "flatMap",
        "sort",
        "toSorted",
        "from",
        "replace",
        "replaceAll",
        "each",
        "eachRight",
        "forOwn",
        "forIn",
        "mapValues",
        "mapKeys",
        "keyBy",
        "groupBy",
        "sortBy",
        "uniqBy",
        "sumBy",
        "maxBy",
        "minBy",
        "partition",
        "reject",
        "times",
        "pickBy",
        "omitBy",
        "group",
        "memoize",
    ]
)
_SETTLES = frozenset({"then", "catch", "finally", "tap", "spread", "fail", "done"})
_LATER = regex(
    r"(?:timers\.)?(?:setTimeout|setInterval|setImmediate)|process\.nextTick|queueMicrotask"
    r"|(?:fs|fs-extra|graceful-fs|dns|zlib|crypto|child_process)\.(?!\w*Sync$)\w+|https?\.(?:get|request)"
    r"|(?:net|tls)\.(?:connect|createConnection)|request(?:\.\w+)?|redis\.createClient\(\)\.\w+|mysql\w*\..*\.query"
    r"|superagent\..*\.end|bcrypt(?:js)?\.\w+|jsonwebtoken\.(?:sign|verify)|nodemailer\..*\.sendMail"
)
_CALLBACK_NAME = regex(r"(?:callback|cb|done|next|fn|_?cb|_?callback|_?next|fin)\d?", re.IGNORECASE)
_INDEX = regex(r"_?(?:i|j|k|n|idx|index|key|pos|position|number)")


_DROPPED_BY = regex(
    r"(?:timers\.)?(?:setTimeout|setInterval|setImmediate)|process\.nextTick|queueMicrotask"
    r"|(?:fs|graceful-fs|dns|zlib|crypto|child_process)\.(?!\w*Sync$|promises)\w+|https?\.(?:get|request|createServer)"
    r"|http2\.create(?:Secure)?Server|(?:net|tls)\.(?:connect|createConnection|createServer)"
    r"|node-cron\.schedule|node-schedule\.scheduleJob|cron\.CronJob|croner(?:\.Cron)?"
)
"""What runs a function and throws away what it answers. Sources: Node's documentation; the schedulers' own code."""
_DELAYS = regex(r"(?:timers\.)?(?:setTimeout|setInterval)")
_EMITTERS = regex(
    r"(?:express\.(?:req|res)|(?:http|https|http2|net|tls|fs|fs-extra|graceful-fs|stream|events|child_process|cluster|worker_threads|zlib"
    r"|readline|crypto|dgram|ws|socket\.io|socket\.io-client|ioredis|redis|pg|mysql2?|mongodb|mongoose|mqtt|chokidar"
    r"|nodemailer|busboy|multiparty|formidable)\b.*)\.(?:on|once|addListener|prependListener|prependOnceListener)"
)
"""Listeners of what is known to be Node's `EventEmitter`, or to work as it does."""
_AWAITS = frozenset(
    {"async", "bluebird", "p-map", "p-each-series", "p-limit", "p-queue", "telegraf", "grammy", "probot"}
)
_ARRAYS_EACH = frozenset({"forEach", "each"})


class Timing(Enum):
    """When a function that is handed to a call runs."""

    NOW = "now"
    """Before the call returns: what it throws goes to the caller."""
    LATER = "later"
    """From the event loop: what it throws is an uncaught exception."""
    PROMISE = "promise"
    """What it throws becomes a rejection."""
    UNKNOWN = "unknown"


def is_error_first(function: Function) -> bool:
    """Whether the first parameter is named like an error. `e` alone is an event as often as an error."""
    if not function.params or function.params[0].kind is not ParamKind.NORMAL:
        return False
    name = function.params[0].name
    return ERROR_NAME.fullmatch(name) is not None and (name not in ("e", "er") or len(function.params) > 1)


def takes_callback(program: Program, site: CallSite) -> bool:
    """Whether the last argument of a call (but of none of a promise's own methods) is a callback, by its name or by its
    first parameter."""
    if not site.call.args or program.value(site.file, site.call.callee).text in _SETTLES:
        return False
    last = program.value(site.file, site.call.args[-1])
    if last.kind is ValueKind.FUNCTION:
        return is_error_first(site.file.facts.functions[last.ref])
    name = site.file.facts.bindings[last.ref].name if last.kind is ValueKind.BINDING else last.text
    return last.kind in (ValueKind.BINDING, ValueKind.PARAM) and _CALLBACK_NAME.fullmatch(name) is not None


def timing(program: Program, site: CallSite, position: int) -> Timing:
    """When the function runs that is argument `position` of a call."""
    call = site.call
    callee = program.value(site.file, call.callee)
    paths = [target.path for target in control_flow(program).targets(site) if isinstance(target, Api)]
    if call.is_new and any(path in ("Promise", "bluebird") for path in paths):
        return Timing.PROMISE
    if any(_LATER.fullmatch(path) for path in paths):
        return Timing.LATER
    if callee.kind is ValueKind.MEMBER:
        first = program.value(site.file, call.args[0]) if call.args else Value(ValueKind.UNKNOWN)
        if callee.text in LISTENS and first.kind is ValueKind.STRING:
            return Timing.LATER
        if callee.text in _SETTLES:
            return Timing.PROMISE
        if callee.text in _EACH and not _is_query(program, site, position, callee.text, paths):
            return Timing.NOW
    if position == len(call.args) - 1 and any(
        is_error_first(program.function(each)[1]) for each in functions_of(program, site.file, call.args[position])
    ):
        return Timing.LATER
    return Timing.UNKNOWN


def functions_of(program: Program, file: File, value: int) -> Sequence[int]:
    """The functions of the program that an argument can be: written there, by the name of a variable, an import or a
    member, or bound (`f.bind(this)`). () where a wrapper may stand between, or nothing is known."""
    fact = program.value(file, value)
    if fact.kind is ValueKind.FUNCTION:
        return (file.fn_base + fact.ref,)
    if fact.kind is ValueKind.CALL:
        callee = file.facts.values[file.facts.calls[fact.ref].callee]
        if callee.kind is not ValueKind.MEMBER or callee.text != "bind":
            return ()
    elif fact.kind not in (ValueKind.BINDING, ValueKind.MEMBER, ValueKind.IMPORT):
        return ()
    found = list(program.graph.handlers(file, value))
    return () if any(wrappers for _, wrappers in found) else tuple(function for function, _ in found)


def drops_promise(program: Program, site: CallSite, position: int) -> Confidence | None:
    """Whether a call runs the function that is its argument `position` and throws away the promise that it answers:
    timers, emitters, Node's callbacks, `forEach`, the executor of `new Promise`. LIKELY for what is an emitter by its
    form alone, and where a server only begins to listen; None for what may look at it."""
    call = site.call
    callee = program.value(site.file, call.callee)
    targets = control_flow(program).targets(site)
    paths = [target.path for target in targets if isinstance(target, Api)]
    if any(path.split(".")[0].split("(")[0] in _AWAITS or path.startswith("process.on") for path in paths):
        return None
    if call.is_new and paths == ["Promise"]:
        return Confidence.CERTAIN if position == 0 else None
    if paths and len(paths) == len(targets):
        if all(_DROPPED_BY.fullmatch(path) for path in paths):
            return Confidence.CERTAIN
        if all(_EMITTERS.fullmatch(path) for path in paths) and position == 1:
            return Confidence.CERTAIN
    if callee.kind is not ValueKind.MEMBER:
        return None
    if callee.text in _ARRAYS_EACH or (callee.text == "map" and call.use is Use.STATEMENT):
        return Confidence.CERTAIN if not any(isinstance(target, Fn) for target in targets) else None
    if targets and len(paths) != len(targets):
        return None
    first = program.value(site.file, call.args[0])
    if callee.text in LISTENS and first.kind is ValueKind.STRING and position == 1:
        return Confidence.LIKELY
    return Confidence.LIKELY if callee.text == "listen" and paths == ["express().listen"] else None


def runs_later(program: Program, site: CallSite, position: int) -> Confidence | None:
    """Whether the function that is argument `position` of a call runs from the event loop, when nothing around it can
    catch what it throws. LIKELY where only the form says so: an error-first callback, a listener of what is unknown."""
    targets = control_flow(program).targets(site)
    paths = [target.path for target in targets if isinstance(target, Api)]
    if any(path.startswith("process.on") for path in paths):
        return None
    if timing(program, site, position) is not Timing.LATER:
        is_dropped = bool(paths) and all(_DROPPED_BY.fullmatch(path) for path in paths)
        return Confidence.CERTAIN if is_dropped and len(paths) == len(targets) else None
    known = (_LATER, _EMITTERS, _DROPPED_BY)
    is_known = bool(paths) and all(any(each.fullmatch(path) for each in known) for path in paths)
    return Confidence.CERTAIN if is_known and len(paths) == len(targets) else Confidence.LIKELY


_OUTLIVE_STARTUP = (Context.REQUEST, Context.REQUEST_THREAD, Context.BACKGROUND, Context.BACKGROUND_THREAD)


def while_serving(program: Program, site: CallSite, function: int) -> Confidence | None:
    """Whether a function that is handed to a call, and that the call runs later, runs while a service serves."""
    here = program.server_code(site.file, site.call.region)
    if here is None or is_delayed(program, site):
        return here
    within = site.file.function_at(site.call.region)
    for id_ in (function, within) if within != site.file.fn_base else (function,):
        reached = program.contexts.of(id_)
        for context in _OUTLIVE_STARTUP:
            if context in reached:
                edge = reached[context].edge
                is_heard = edge is not None and edge.listens and edge.certain
                return here if reached[context].certain or is_heard else Confidence.LIKELY
    is_listening = program.value(site.file, site.call.callee).text == "listen"
    return Confidence.LIKELY if is_listening or not program.contexts.of(function) else None


def is_delayed(program: Program, site: CallSite) -> bool:
    """Whether a call sets a timer, so that what it is handed runs while the service runs, wherever the call stands."""
    return any(
        isinstance(target, Api) and _DELAYS.fullmatch(target.path) is not None
        for target in control_flow(program).targets(site)
    )


def _is_query(program: Program, site: CallSite, position: int, method: str, paths: list[str]) -> bool:
    """Whether `x.find((err, row) => …)` asks a database: an array's gives its function an element and an index."""
    if any(path.startswith("async.") for path in paths):
        return True
    handed = program.value(site.file, site.call.args[position])
    if method not in ("find", "each", "group") or handed.kind is not ValueKind.FUNCTION:
        return False
    function = site.file.facts.functions[handed.ref]
    return len(function.params) > 1 and is_error_first(function) and not _INDEX.fullmatch(function.params[1].name)


_MAY_BE_NEXT = frozenset({ValueKind.PARAM, ValueKind.BINDING, ValueKind.FUNCTION, ValueKind.MEMBER})


class Continuation(msgspec.Struct, frozen=True):
    """A function to hand an error to: the parameter `name` of functions[`function`], Express's `next` or a callback."""

    name: str
    function: int
    value: int
    """The parameter's value in the file (NONE if nothing reads it)."""
    is_next: bool


def continuations(program: Program, file: File, function: int) -> Iterator[Continuation]:
    """What functions[`function`] of a JavaScript file and those around it can hand an error to, nearest first. A
    parameter whose name a nearer function uses for something else is left out."""
    hidden: set[str] = set()
    while function != NONE:
        fact = file.facts.functions[function]
        for position in reversed(range(len(fact.params))):
            name = fact.params[position].name
            if not name or name in hidden:
                continue
            is_next = _is_next(program, file, function, position)
            is_last = position == len(fact.params) - 1
            if is_next or (is_last and _CALLBACK_NAME.fullmatch(name)):
                yield Continuation(name, function, parameter_value(file, function, position), is_next)
        hidden.update(name for param in fact.params for name in (param.name, *param.names))
        function = fact.parent


def _is_next(program: Program, file: File, function: int, position: int) -> bool:
    """Whether Express gives its `next` to a parameter, and nobody else, who calls the function, something else."""
    id_ = file.fn_base + function
    if Api("express.next") not in program.resolver.parameters.get((id_, position), ()):
        return False
    sites = program.resolver.callers.get(id_, ())
    return all(
        position < len(site.call.args) and program.value(site.file, site.call.args[position]).kind in _MAY_BE_NEXT
        for site in sites
    )


def goes_on_with(program: Program, file: File, within: int, found: Continuation) -> bool:
    """Whether functions[`within`] calls a callback with a result behind an error (`callback(null, user)`), or hands it
    on."""
    for site in calls_inside(program, file, within):
        if found.value in site.call.args:
            return True
        if site.call.callee == found.value and found.value != NONE:
            first = program.value(file, site.call.args[0]) if site.call.args else None
            return first is None or first.kind is ValueKind.NULL
    return False


def whom_to_tell(program: Program, file: File, function: int) -> Continuation | None:
    """Whom functions[`function`] can hand an error to, nearest first: Express's `next`, or a callback that is surely
    told of errors, because it is called with `null` or an error first."""
    return next(
        (
            found
            for found in continuations(program, file, function)
            if found.is_next or _is_told_of_errors(program, file, found)
        ),
        None,
    )


def _is_told_of_errors(program: Program, file: File, found: Continuation) -> bool:
    for site in calls_inside(program, file, found.function):
        if site.call.callee == found.value and found.value != NONE and site.call.args:
            first = program.value(file, site.call.args[0])
            is_error = first.kind is ValueKind.PARAM and ERROR_NAME.fullmatch(first.text) is not None
            if first.kind in (ValueKind.NULL, ValueKind.CATCH) or is_error:
                return True
    return False


def calls_inside(program: Program, file: File, number: int) -> Iterator[CallSite]:
    """The calls of a function and of those written inside it."""
    for inner in range(number, len(file.facts.functions)):
        if encloses(file, number, inner):
            yield from control_flow(program).calls_in(file.fn_base + inner)


def parameter_value(file: File, function: int, position: int) -> int:
    """The value that is the parameter `position` of functions[`function`], or NONE where nothing reads it."""
    return file.parameters.get((function, position), NONE)


def derived(file: File, root: int) -> set[int]:
    """`root` and all values that are made of it: its members, operators over it, texts and objects that hold it."""
    found = {root}
    stack = [root]
    while stack:
        part = stack.pop()
        for number in file.users_of.get(part, ()):
            # Parts come before what is made of them; a variable that a loop feeds to itself ends there.
            if number not in found and (number > part or part == root):
                found.add(number)
                stack.append(number)
    return found


def encloses(file: File, outer: int, inner: int) -> bool:
    """Whether functions[`inner`] is functions[`outer`] or written inside it."""
    while inner != NONE:
        if inner == outer:
            return True
        inner = file.facts.functions[inner].parent
    return False
