"""A `catch` that lets every error vanish."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from prodlint.facts import NONE, Call, Exit, ExitKind, FileFacts, Region, RegionKind, Use, ValueKind
from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix, Span, weakest
from prodlint.fixes.reasons import NO_LOGGER, ODD_FORM
from prodlint.lazy_regex import regex
from prodlint.program.code.loggers import Logger, loggers_in
from prodlint.program.linking.resolver import File
from prodlint.program.linking.targets import Api

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_EVERYTHING = frozenset({"Exception", "BaseException"})
_CONSTANTS = (ValueKind.NULL, ValueKind.BOOL)
_COLLECTIONS = (ValueKind.ARRAY, ValueKind.OBJECT)
_WRAPPERS = frozenset(
    {ValueKind.MEMBER, ValueKind.SUBSCRIPT, ValueKind.ELEMENT, ValueKind.SPREAD, ValueKind.YIELDED, ValueKind.AWAIT}
)
_LOG = regex(r"(?:^|_|(?<=[a-z])(?=L))[lL]og(?:s|[A-Z_0-9]|file|$)")
"""A name of a log: `logFile`, `access_log`; not `catalog`, `login`."""
_SPELT_LARGE = frozenset({"URL", "RegExp", "Number", "String", "BigInt"})
_WITH_PORT = 3
_WITH_LENGTH = 5
_FAREWELLS = frozenset({"__del__", "__exit__", "__aexit__"})


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Handlers of every exception, in server code, that do nothing (or, likely, answer a constant or go on)."""
    silent = _Silent(program, rule.data)
    for file in program.files:
        for number, region in enumerate(file.facts.regions):
            if region.kind is not RegionKind.CATCH or region.has_comment or not _catches_all(file, region):
                continue
            sure = _hides(file, number)
            here = program.server_code(file, number) if sure is not None else None
            if sure is None or here is None or silent.may_be(file, region):
                continue
            if region.is_empty and not silent.loses_work(file, region):
                sure = Confidence.LIKELY
            yield Finding(
                rule.name,
                _message(file, region),
                program.location(file, *_head(file, region)),
                confidence=weakest(sure, here),
                data={"file": file.index, "region": number} if region.is_empty else {},
                no_fix_reason="" if region.is_empty else "it answers something instead",
            )


def _message(file: File, region: Region) -> str:
    caught = "`except`" if file.is_python else "`catch`"
    narrower = "catch only what you expect" if file.is_python else "rethrow what you do not expect"
    return (
        f"This {caught} lets every error vanish, mistakes in the code too: nobody will know why it did not work. "
        f"Log the error, {narrower}, or say in a comment why it may be lost."
    )


def _head(file: File, region: Region) -> tuple[int, int]:
    """What a finding points at: the first line of the handler."""
    after = next((start for start in file.facts.line_starts if start > region.start), region.end)
    return region.start, min(region.end, after - 1) if after > region.start + 1 else region.end


def _catches_all(file: File, region: Region) -> bool:
    """Whether a handler takes every exception. JavaScript's always do."""
    if not file.is_python or not region.values:
        return True
    return any(
        file.facts.values[value].kind is ValueKind.GLOBAL and file.facts.values[value].text in _EVERYTHING
        for value in region.values
    )


def _hides(file: File, number: int) -> Confidence | None:
    """Whether nothing tells of the error: CERTAIN for an empty handler, LIKELY for one that only goes on with the next
    item or answers a constant, and where an `else` has what follows success."""
    facts = file.facts
    region = facts.regions[number]
    if region.is_empty:
        has_else = any(fact.kind is RegionKind.ELSE and fact.partner == region.partner for fact in facts.regions)
        return Confidence.LIKELY if has_else else Confidence.CERTAIN
    if not file.is_python or region.uses_param:
        return None
    if any(_within(region, call.start, call.end) for call in facts.calls):
        return None
    if any(_within(region, store.start, store.end) for store in facts.stores):
        return None
    exits = [exit_ for exit_ in facts.exits if _within(region, exit_.start, exit_.end)]
    only = exits[0] if len(exits) == 1 and exits[0].region == number else None
    if only is None or only.kind not in (ExitKind.RETURN, ExitKind.CONTINUE):
        return None
    return Confidence.LIKELY if only.kind is ExitKind.CONTINUE or _says_nothing(file, only.value) else None


def _leaves_unbound(facts: FileFacts, handler: Region) -> bool:
    """Whether a variable that has its only value from the `try` is used behind its handler: there it has none."""
    guarded = facts.regions[handler.partner]
    only_here = {
        number
        for number, binding in enumerate(facts.bindings)
        if binding.function == guarded.function
        and _within(guarded, binding.start, binding.end)
        and len(binding.values) == 1
    }
    names = {
        number
        for number, value in enumerate(facts.values)
        if value.kind is ValueKind.BINDING and value.ref in only_here
    }
    block = facts.regions[handler.partner].parent
    return bool(names) and any(
        call.start > handler.end
        and call.region == block
        and (_receiver(facts, call) in names or not names.isdisjoint(call.args))
        for call in facts.calls
    )


def _receiver(facts: FileFacts, call: Call) -> int:
    """The value that a method is called on, or NONE."""
    callee = facts.values[call.callee]
    return callee.ref if callee.kind is ValueKind.MEMBER else NONE


def _is_return_within(facts: FileFacts, exit_: Exit, guarded: Region) -> bool:
    is_inside = _within(guarded, exit_.start, exit_.end)
    return is_inside and exit_.kind is ExitKind.RETURN and facts.regions[exit_.region].function == guarded.function


def _tested_behind(facts: FileFacts, handler: Region) -> set[int]:
    """What conditions behind a handler, in the same block, ask functions about: `if exists(folder)`."""
    block = facts.regions[handler.partner].parent
    return {
        value
        for call in facts.calls
        if call.region == block and call.start > handler.end and call.use is Use.CONDITION
        for value in call.args
        if facts.values[value].kind in (ValueKind.BINDING, ValueKind.PARAM, ValueKind.ELEMENT, ValueKind.MEMBER)
    }


def _is_datagram(file: File, call: Call) -> bool:
    """Whether a call sends something over UDP, where it may get lost anyway: `socket.sendto(bytes, address)`,
    `socket.send(bytes, port, address)`, `socket.send(bytes, offset, length, port, address)`."""
    values = file.facts.values
    name = values[call.callee].text
    if name != "send":
        return name == "sendto"
    has_port = len(call.args) >= _WITH_PORT and values[call.args[1]].kind is ValueKind.NUMBER
    return has_port or len(call.args) >= _WITH_LENGTH


def _only_keeps(file: File, call: Call) -> bool:
    """Whether a call only makes an object, or puts literals into a dictionary."""
    facts = file.facts
    callee = facts.values[call.callee]
    if callee.text == "update" and file.is_python:
        return len(call.args) == 1 and facts.values[call.args[0]].kind is ValueKind.OBJECT
    return call.is_new or (file.is_python and (callee.text or _name(file, call.callee))[:1].isupper())


def _writes_log(file: File, call: Call, name: str) -> bool:
    """Whether a call writes to a log: `fs.writeSync(logFile, text)`."""
    if not name.startswith("write") or not call.args:
        return False
    first = file.facts.values[call.args[0]]
    return _LOG.search(first.text if first.kind is ValueKind.MEMBER else _name(file, call.args[0])) is not None


def _kept(facts: FileFacts) -> set[int]:
    """The calls whose awaited result something is done with."""
    values = facts.values
    used = {value for binding in facts.bindings for value in binding.values}
    used |= {value for store in facts.stores for value in (store.target, store.value)}
    used |= {exit_.value for exit_ in facts.exits}
    used |= {value for call in facts.calls for value in (call.callee, *call.args)}
    used |= {value for region in facts.regions for value in region.values}
    for fact in values:
        used.update(fact.items)
        if fact.kind in _WRAPPERS:
            used.add(fact.ref)
    return {
        values[values[value].ref].ref
        for value in used
        if value != NONE and values[value].kind is ValueKind.AWAIT and values[values[value].ref].kind is ValueKind.CALL
    }


def _says_nothing(file: File, value: int) -> bool:
    """Whether a returned value is an empty one: `None`, `False`, `[]`."""
    if value == NONE:
        return True
    fact = file.facts.values[value]
    return fact.kind in _CONSTANTS or (fact.kind in _COLLECTIONS and not fact.items)


def _within(region: Region, start: int, end: int) -> bool:
    return region.start <= start and end <= region.end


class _Silent:
    """Knows what a `try` may do without a word when it fails: asking, converting, tidying up, saying something to a
    client that may be gone, and looking for an optional module."""

    def __init__(self, program: Program, data: Mapping[str, Any]) -> None:
        """The rule's data: names of functions and methods (`asks`, `tidies`, `says`) and of clients (`peers`)."""
        self._program = program
        self._quiet = _Names([*data["asks"], *data["tidies"]])
        self._tidies = _Names(data["tidies"])
        self._says = _Names(data["says"])
        self._peers = _Names(data["peers"])
        self._kept: dict[int, set[int]] = {}

    def may_be(self, file: File, handler: Region) -> bool:
        """Whether the `try` of a handler does nothing else."""
        facts = file.facts
        guarded = facts.regions[handler.partner]
        if facts.functions[handler.function].name in _FAREWELLS or self._is_a_loggers(file, handler):
            return True
        if any(_within(guarded, request.start, request.end) for request in facts.imports):
            return True
        if any(_says_yes_or_no(file, exit_.value) for exit_ in facts.exits if exit_.region == handler.partner):
            return True
        calls = [call for call in facts.calls if _within(guarded, call.start, call.end)]
        messages = [call for call in calls if self._is_message(file, call)]
        return all(
            self._is_quiet(file, call) or any(_is_told_later(file, message, call) for message in messages)
            for call in calls
        )

    def loses_work(self, file: File, handler: Region) -> bool:
        """Whether the `try` of a handler does something besides finding out a value: a call that is a statement of its
        own, `mail.send()`. A value that could not be had has its default, or is tested afterwards, as is a folder that
        could not be made."""
        facts = file.facts
        guarded = facts.regions[handler.partner]
        calls = [(number, call) for number, call in enumerate(facts.calls) if _within(guarded, call.start, call.end)]
        if any(_is_datagram(file, call) for _, call in calls):
            return False
        loud = [call for _, call in calls if not self._is_quiet(file, call) and not _only_keeps(file, call)]
        if file.is_python and _leaves_unbound(facts, handler):
            return True
        if any(exit_.value != NONE for exit_ in facts.exits if _is_return_within(facts, exit_, guarded)):
            return False
        kept = self._kept_in(file) if loud else set()
        tested = _tested_behind(facts, handler)
        return any(
            facts.regions[inner.region].function == facts.regions[call.region].function
            for number, call in calls
            if call.use in (Use.STATEMENT, Use.VOIDED) or (call.use is Use.AWAITED and number not in kept)
            if not self._is_tidying(file, call) and not self._is_message(file, call) and tested.isdisjoint(call.args)
            for inner in loud
            if call.start <= inner.start and inner.end <= call.end
        )

    def _kept_in(self, file: File) -> set[int]:
        """`_kept`, found once for all handlers of a file."""
        if file.index not in self._kept:
            self._kept[file.index] = _kept(file.facts)
        return self._kept[file.index]

    def _is_tidying(self, file: File, call: Call) -> bool:
        return _called(file, call) in self._tidies

    def _is_quiet(self, file: File, call: Call) -> bool:
        name = _called(file, call)
        return name in self._quiet or self._is_message(file, call) or _writes_log(file, call, name)

    def _is_message(self, file: File, call: Call) -> bool:
        """Whether a call says something to the other end of a connection."""
        facts = file.facts
        callee = facts.values[call.callee]
        if callee.kind is not ValueKind.MEMBER or callee.text not in self._says:
            return False
        if _is_datagram(file, call) or self._is_peer(file, callee.ref):
            return True
        if facts.functions[facts.regions[call.region].function].name in self._says:
            return True  # `function send(data) { try { tunnel.write(data); } catch {} }`
        if callee.text == "write" and (facts.values[callee.ref].text or _name(file, callee.ref)).endswith("client"):
            return True
        is_text = bool(call.args) and _is_made_by(file, call.args[0], "stringify")
        return is_text and callee.text == "send" and facts.values[callee.ref].kind is not ValueKind.CALL

    def _is_peer(self, file: File, value: int) -> bool:
        """Whether a value is the other end of a connection: by its name, `res.status(…)` as `res` itself, and
        `sessions[id]` as one of them."""
        fact = file.facts.values[value]
        if fact.kind is ValueKind.SUBSCRIPT and not fact.text:
            fact, value = file.facts.values[fact.ref], fact.ref
            return (fact.text or _name(file, value)).lower().removesuffix("s") in self._peers
        if fact.kind is ValueKind.CALL:
            inner = file.facts.values[file.facts.calls[fact.ref].callee]
            return inner.kind is ValueKind.MEMBER and self._is_peer(file, inner.ref)
        return (fact.text or _name(file, value)).lower() in self._peers

    def _is_a_loggers(self, file: File, handler: Region) -> bool:
        """Whether a handler stands in a logging handler's own `emit`, which has nobody to tell."""
        function = file.facts.functions[handler.function]
        return (
            function.name == "emit"
            and function.cls != NONE
            and any(
                isinstance(base, Api) and base.path.startswith("logging.")
                for base in self._program.resolver.bases_of(file.cls_base + function.cls)
            )
        )


def _is_made_by(file: File, value: int, method: str) -> bool:
    """Whether a value is what a method of this name returns."""
    fact = file.facts.values[value]
    return fact.kind is ValueKind.CALL and file.facts.values[file.facts.calls[fact.ref].callee].text == method


def _is_told_later(file: File, message: Call, call: Call) -> bool:
    """Whether a call stands in a callback that a message is sent with: what it throws the `try` does not see."""
    inside = message.args_start <= call.start and call.end <= message.end
    return inside and file.facts.regions[call.region].function != file.facts.regions[message.region].function


def _says_yes_or_no(file: File, value: int) -> bool:
    """Whether a returned value is `True` or `False`: then failing is the other answer."""
    return value != NONE and file.facts.values[value].kind is ValueKind.BOOL


class _Names:
    """Names; `*` at the end or at the beginning stands for anything."""

    def __init__(self, names: list[str]) -> None:
        self._exact = frozenset(names)
        self._prefixes = tuple(name[:-1] for name in names if name.endswith("*"))
        self._suffixes = tuple(name[1:] for name in names if name.startswith("*"))

    def __contains__(self, name: str) -> bool:
        return name in self._exact or name.startswith(self._prefixes) or name.endswith(self._suffixes)


def _called(file: File, call: Call) -> str:
    """The name of what a call calls; in JavaScript as it would be spelt small."""
    name = file.facts.values[call.callee].text or _name(file, call.callee)
    return name if file.is_python or name in _SPELT_LARGE else name[:1].lower() + name[1:]


def _name(file: File, value: int) -> str:
    """The name of a called function or class of the file."""
    fact = file.facts.values[value]
    if fact.kind is ValueKind.FUNCTION:
        return file.facts.functions[fact.ref].name
    if fact.kind is ValueKind.CLASS:
        return file.facts.classes[fact.ref].name
    return file.facts.bindings[fact.ref].name if fact.kind is ValueKind.BINDING else ""


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Logs the error: with the project's logger, else with one for the module."""
    from prodlint.fixes.logcalls import set_up

    if not finding.data:
        return "it answers something instead"
    file, number = program.files[finding.data["file"]], finding.data["region"]
    region = file.facts.regions[number]
    logger = loggers_in(program).of(file, region=number) or loggers_in(program).to_set_up(file, region=number)
    if logger is None:
        return NO_LOGGER
    added = set_up(file, program.read(file.path), logger, before=region.start)
    if added is None:
        return f"the name `{logger.name}` is taken in the file"
    log = _python_log if file.is_python else _javascript_log
    edits = log(program.read(file.path), file, region, logger)
    requests = (logger.request,) if logger.request is not None else ()
    return Fix(f"Log it with `{logger.name}`", Applicability.UNSAFE, (*added, *edits), requests) if edits else ODD_FORM


def _python_log(source: bytes, file: File, region: Region, logger: Logger) -> tuple[Edit, ...] | None:
    from prodlint.fixes import python

    function = file.facts.functions[region.function]
    where = f" in {function.name}" if function.name else ""
    logged = f'{logger.name}.exception("Ignored an error{where}")'
    return python.fill_handler(file.path, source, Span(region.start, region.end), logged)


def _javascript_log(source: bytes, file: File, region: Region, logger: Logger) -> tuple[Edit, ...] | None:
    from prodlint.fixes import javascript

    method = logger.name if logger.library == "debug" else f"{logger.name}.error"
    bound = () if region.param else (Edit(file.path, region.start, region.start, "(err) "),)
    logged = f"{method}({region.param or 'err'})"
    edits = javascript.append_to_body(file.path, source, Span(region.start, region.end), logged)
    return (*bound, *edits) if edits is not None else None
