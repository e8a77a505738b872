"""A stream, socket or child process whose errors nobody listens to."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import TYPE_CHECKING

from prodlint.facts import NONE, Call, Use, ValueKind
from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix, ImportRequest, Span, weakest
from prodlint.fixes.reasons import NO_PLACE, NOT_UTF8, ODD_FORM
from prodlint.models.frameworks.model import Context
from prodlint.program.code.callbacks import LISTENS, parameter_value, whom_to_tell
from prodlint.program.code.loggers import loggers_in
from prodlint.program.code.process_hooks import EXCEPTION, fate
from prodlint.program.code.streams import Streams, Unheard
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api, Cls

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_NOBODY = "no `next`, callback or logger is in reach"
_ELSEWHERE = "it is made elsewhere, and where a listener belongs is for you to say"
_SERVES = (Context.REQUEST, Context.REQUEST_THREAD, Context.BACKGROUND, Context.BACKGROUND_THREAD)


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Calls that make one of the rule's emitters, without a listener for errors on the chain or the variable; sockets
    that a server of the program is handed. One finding for each chain of `.pipe`s."""
    streams = Streams(program, frozenset(rule.data.get("deaf", [])))
    fails_when = rule.data.get("emitters", {})
    short_lived = frozenset(rule.data.get("short-lived", []))
    chains: dict[tuple[int, int], list[tuple[str, Unheard]]] = {}
    for site, api, sure in program.calls_of(frozenset(fails_when).__contains__):
        here = program.server_code(site.file, site.call.region)
        if here is None or weakest(sure, here) is not Confidence.CERTAIN:
            continue
        found = streams.unheard(site)
        if found is None or _has_callback(program, site, api):
            continue
        if _outlives_startup(program, site) or not (api in short_lived or found.pipe != NONE):
            end = _outermost(site if found.pipe == NONE else CallSite(site.file, found.pipe))
            chains.setdefault((site.file.index, end), []).append((api, found))
    for site, api, found in _answered(program, streams, fails_when):
        chains.setdefault((site.file.index, _outermost(site)), []).append((api, found))
    for found_in_chain in chains.values():
        found_in_chain.sort(key=lambda entry: entry[1].made.call.end)
        yield _finding(program, rule, found_in_chain, fails_when)
    yield from _sockets(program, rule, streams)
    yield from _own_emitters(program, rule, streams)


def _answered(
    program: Program, streams: Streams, fails_when: dict[str, str]
) -> Iterator[tuple[CallSite, str, Unheard]]:
    """The `.pipe` calls on what functions of the program answer, or what is made in one of several branches."""
    piped = {f"{api}().pipe": api for api in fails_when}
    for site, path, sure in program.calls_of(piped.__contains__):
        here = program.server_code(site.file, site.call.region)
        if here is None or weakest(sure, here) is not Confidence.CERTAIN or not _outlives_startup(program, site):
            continue
        receiver = program.value(site.file, program.value(site.file, site.call.callee).ref)
        if receiver.kind is ValueKind.CALL and _is_emitter(program, CallSite(site.file, receiver.ref), fails_when):
            continue  # found where it is made
        if receiver.kind is ValueKind.BINDING and len(site.file.facts.bindings[receiver.ref].values) == 1:
            made = program.value(site.file, site.file.facts.bindings[receiver.ref].values[0])
            if made.kind is ValueKind.CALL and _is_emitter(program, CallSite(site.file, made.ref), fails_when):
                continue
        found = streams.unheard_pipe(site, fails_when.__contains__)
        if found is not None:
            yield site, piped[path], found


def _is_emitter(program: Program, site: CallSite, fails_when: dict[str, str]) -> bool:
    targets = program.graph.targets[site.file.index][site.index]
    return any(isinstance(target, Api) and target.path in fails_when for target in targets)


def _has_callback(program: Program, site: CallSite, api: str) -> bool:
    """`request(url, callback)`: the callback is told of the error."""
    last = program.value(site.file, site.call.args[-1]) if site.call.args else None
    return api.partition(".")[0] == "request" and last is not None and last.kind is ValueKind.FUNCTION


def _outlives_startup(program: Program, site: CallSite) -> bool:
    """Whether a service is running when the emitter is made. At start-up, a copy that fails may end the process."""
    reached = program.contexts.of(site.file.function_at(site.call.region))
    return any(context in reached for context in _SERVES)


def _outermost(site: CallSite) -> int:
    """The last call of the chain that a call is part of, as receiver or as what is piped to."""
    while site.call.user != NONE and site.call.use in (Use.RECEIVER, Use.ARGUMENT):
        site = CallSite(site.file, site.call.user)
    return site.index


def _finding(program: Program, rule: Rule, chain: list[tuple[str, Unheard]], fails_when: dict[str, str]) -> Finding:
    api, found = chain[0]
    file = found.made.file
    pipe = file.facts.calls[found.pipe] if found.pipe != NONE else None
    start, end = (pipe.name_start, pipe.end) if pipe is not None else (found.made.call.start, found.made.call.end)
    function = file.facts.regions[found.made.call.region].function
    heard = whom_to_tell(program, file, function) is not None
    return Finding(
        rule.name,
        f"`{api}` emits 'error' when {fails_when[api]}, and nobody listens: that "
        f"{fate(program, file, EXCEPTION)}. Add `.on('error', …)`"
        + (", or use `stream.pipeline`." if pipe is not None else "."),
        program.location(file, start, end),
        confidence=Confidence.LIKELY if found.is_member else Confidence.CERTAIN,
        data={
            "file": file.index,
            "calls": [entry.made.index for _, entry in chain],
            "is_elsewhere": found.made.index == found.pipe,
        },
        no_fix_reason=_obstacle(program, found) if not heard or found.made.index == found.pipe else "",
    )


def _obstacle(program: Program, found: Unheard) -> str:
    """Why no listener can be added."""
    if found.made.index == found.pipe:
        return _ELSEWHERE
    return _without_logger(program, found.made.file, found.made.call.region)


def _without_logger(program: Program, file: File, region: int) -> str:
    return "" if loggers_in(program).for_errors(file, region) is not None else _NOBODY


def _sockets(program: Program, rule: Rule, streams: Streams) -> Iterator[Finding]:
    """Functions that a TCP server hands its connections to."""
    for (function, position), given in program.resolver.parameters.items():
        if Api("net.Socket()") not in given:
            continue
        file, fact = program.function(function)
        value = parameter_value(file, function - file.fn_base, position)
        if value == NONE or position >= len(fact.params) or not fact.params[position].used:
            continue
        if program.server_code(file, fact.region) is Confidence.CERTAIN and not streams.is_heard(file, {value}):
            param = fact.params[position]
            yield Finding(
                rule.name,
                f"`{param.name}` emits 'error' when the client resets the connection, and nobody listens: that ends "
                "the process. Add `.on('error', …)`.",
                program.location(file, param.start, param.end),
                data={"file": file.index, "function": function - file.fn_base, "position": position},
                no_fix_reason=_without_logger(program, file, fact.region),
            )


def _own_emitters(program: Program, rule: Rule, streams: Streams) -> Iterator[Finding]:
    """What the program makes of `EventEmitter`, or of a class that extends it, where its own code emits `'error'`."""
    for site, targets in program.calls:
        if site.file.is_python or not site.call.is_new or len(targets) != 1:
            continue
        made = targets[0]
        name = program.value(site.file, site.call.callee).text or "This"
        if isinstance(made, Cls):
            owner, cls = program.resolver.classes[made.id]
            name = cls.name
            if not any(base in _EMITTER for base in program.resolver.bases_of(made.id)):
                continue
            emits = _emits_error(owner, made.id - owner.cls_base)
        else:
            emits = made in _EMITTER and _emits_on(site)
        here = program.server_code(site.file, site.call.region) if emits else None
        if here is None or streams.unheard(site) is None:
            continue
        yield Finding(
            rule.name,
            f"`{name}` emits 'error', and nobody listens to this one: that ends the process. Add `.on('error', …)`.",
            program.location(site.file, site.call.start, site.call.end),
            confidence=here,
            data={"file": site.file.index, "calls": [site.index]},
            no_fix_reason=""
            if whom_to_tell(program, site.file, site.file.facts.regions[site.call.region].function) is not None
            else _without_logger(program, site.file, site.call.region),
        )


_EMITTER = frozenset(Api(path) for path in ("events", "events.EventEmitter", "events.default"))


def _is_error_event(file: File, call: Call, methods: Set[str]) -> bool:
    facts = file.facts
    first = facts.values[call.args[0]] if call.args else None
    return (
        facts.values[call.callee].text in methods
        and first is not None
        and first.kind is ValueKind.STRING
        and first.text == "error"
    )


def _emits_error(file: File, cls: int) -> bool:
    """Whether methods of a class emit `'error'` of the instance, and none listens to it."""
    facts = file.facts
    of_itself = [
        call
        for call in facts.calls
        if facts.values[call.callee].kind is ValueKind.MEMBER
        and (base := facts.values[facts.values[call.callee].ref]).kind is ValueKind.SELF
        and base.ref == cls
    ]
    return any(_is_error_event(file, call, {"emit"}) for call in of_itself) and not any(
        _is_error_event(file, call, LISTENS) for call in of_itself
    )


def _emits_on(site: CallSite) -> bool:
    """Whether the variable that an emitter is kept in emits `'error'` in the same file."""
    facts, user = site.file.facts, site.call.user
    return site.call.use is Use.ASSIGNED and any(
        (callee := facts.values[call.callee]).kind is ValueKind.MEMBER
        and (base := facts.values[callee.ref]).kind is ValueKind.BINDING
        and base.ref == user
        and _is_error_event(site.file, call, {"emit"})
        for call in facts.calls
    )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """`.on('error', next)` behind every call that makes an unheard emitter of the chain; a callback, or a listener that
    logs, where no `next` is in reach."""
    from prodlint.fixes import javascript
    from prodlint.fixes.logcalls import error_listener

    file: File = program.files[finding.data["file"]]
    source = program.read(file.path)
    style = javascript.style_of(file.path, source)
    if style is None:
        return NOT_UTF8
    if finding.data.get("is_elsewhere"):
        return _ELSEWHERE
    if "function" in finding.data:
        return _listen_to_socket(program, file, finding, style.string("error"))
    edits: list[Edit] = []
    requests: dict[ImportRequest, None] = {}
    said = ""
    for index in finding.data["calls"]:
        call = file.facts.calls[index]
        whom = whom_to_tell(program, file, file.facts.regions[call.region].function)
        name = whom.name if whom is not None else ""
        if not name:
            listener = error_listener(program, file, source, call.region, before=call.start)
            if listener is None:
                return _NOBODY
            name = listener.text
            edits += listener.edits
            requests.update(dict.fromkeys(listener.requests))
        added = javascript.append_call(
            file.path, source, Span(call.start, call.end), f".on({style.string('error')}, {name})"
        )
        if added is None:
            return ODD_FORM
        edits += added
        said = "Log its errors" if whom is None else f"Pass its errors to `{name}`"
    return Fix(said, Applicability.UNSAFE, tuple(dict.fromkeys(edits)), tuple(requests))


def _listen_to_socket(program: Program, file: File, finding: Finding, event: str) -> Fix | str:
    """A listener first in the function that a server hands its connections to."""
    from prodlint.fixes import javascript
    from prodlint.fixes.logcalls import error_listener

    source, function = program.read(file.path), file.facts.functions[finding.data["function"]]
    body = file.facts.regions[function.region]
    listener = error_listener(program, file, source, function.region, before=function.start)
    if listener is None:
        return _NOBODY
    text = f"{function.params[finding.data['position']].name}.on({event}, {listener.text})"
    edits = javascript.prepend_to_body(file.path, source, Span(body.start, body.end), text)
    if edits is None:
        return NO_PLACE
    return Fix("Log its errors", Applicability.UNSAFE, (*listener.edits, *edits), listener.requests)
