"""Parsing what came from outside where nothing is ready for text that is no JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import NONE, RegionKind, Use, ValueKind
from prodlint.findings import Applicability, Finding, Fix, ImportRequest, Severity, Span, weakest
from prodlint.fixes.reasons import ODD_FORM
from prodlint.models.frameworks import BY_NAME
from prodlint.models.frameworks.model import Role
from prodlint.program.code import process_hooks
from prodlint.program.code.callbacks import continuations
from prodlint.program.code.client_input import Clients
from prodlint.program.code.control_flow import control_flow
from prodlint.program.code.exceptions import Fate, Throws
from prodlint.program.code.process_hooks import EXCEPTION
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api, Fn

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_CAUGHT_BY = frozenset({"ValueError", "JSONDecodeError", "Exception", "BaseException"})
_SENT = tuple(f"express.req.{part}" for part in ("query", "body", "params", "headers", "cookies"))
_TEXTS = (ValueKind.STRING, ValueKind.TEMPLATE, ValueKind.NUMBER)


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """JavaScript: parsing where an exception ends the process or leaves a request without an answer. Python: parsing
    what a client sent where the exception becomes an internal error."""
    yield from _javascript(program, rule)
    yield from _python(program, rule)


# ---------------------------------------------------------------------------------------------------------- JavaScript


def _javascript(program: Program, rule: Rule) -> Iterator[Finding]:
    throws = Throws(program)
    for site, api, sure in program.calls_of(frozenset(rule.data["javascript"]).__contains__):
        file, region = site.file, site.call.region
        if file.is_python or not site.call.args or control_flow(program).catches(file, region):
            continue
        confidence = program.server_code(file, region)
        if confidence is None or not _comes_from_outside(program, file, site.call.args[0]):
            continue
        if _is_own_record(program, rule, file, site.call.args[0]):
            continue
        fate = throws.fate(file.function_at(region))
        if fate is None and not _is_part_of_request(program, site):
            continue
        if fate is None:
            message = (
                f"`{api}` throws when what the client sent is no JSON, and Express answers 500, as if the fault were "
                "yours. Catch it and answer 400."
            )
        else:
            what = (
                process_hooks.fate(program, file, EXCEPTION)
                if fate is Fate.UNCAUGHT
                else "leaves the request without an answer"
            )
            message = (
                f"`{api}` throws when the text is no JSON, and nothing catches it here: that {what}. "
                "Put it into `try` and answer the error."
            )
        yield Finding(
            rule.name,
            message,
            program.location(file, site.call.start, site.call.end),
            confidence=weakest(sure, confidence),
            data={"file": file.index, "call": site.index},
            severity=Severity.WARNING if fate is None else None,
            no_fix_reason="" if _handler_text(program, site) else "there is nobody in reach to pass the error to",
        )


def _is_part_of_request(program: Program, site: CallSite) -> bool:
    """Whether a call stands in a handler of Express itself, and is given a part of its request."""
    function = site.file.function_at(site.call.region)
    path = program.resolver.api_of(site.file, site.call.args[0])
    return path.startswith(_SENT) and any(
        each.framework == "express" and each.certain for each in program.registrations_of.get(function, ())
    )


def _comes_from_outside(program: Program, file: File, value: int, depth: int = 0) -> bool:
    """Whether a value is anything but a literal, a copy made with `JSON.stringify`, or a setting."""
    if depth > 6:
        return True
    fact = program.value(file, value)
    if fact.kind in _TEXTS:
        return False
    if fact.kind is ValueKind.CALL:
        call = file.facts.calls[fact.ref]
        if program.resolver.api_of(file, call.callee) == "JSON.stringify":
            return False
        callee = program.value(file, call.callee)
        if callee.kind is ValueKind.MEMBER and callee.text in ("replace", "toString", "trim", "slice"):
            return _comes_from_outside(program, file, callee.ref, depth + 1)
        return True
    if fact.kind is ValueKind.BINDING:
        values = file.facts.bindings[fact.ref].values
        return (
            not values or any(_comes_from_outside(program, file, item, depth + 1) for item in values) or len(values) > 1
        )
    if fact.kind is ValueKind.OP:
        return any(_comes_from_outside(program, file, item, depth + 1) for item in fact.items)
    return not program.resolver.api_of(file, value).startswith("process.env")


def _is_own_record(program: Program, rule: Rule, file: File, value: int) -> bool:
    """Whether a value is what a database answers, or hands to the callback of a query: the service itself wrote it
    there."""
    facts = file.facts
    fact = program.value(file, value)
    while fact.kind in (ValueKind.MEMBER, ValueKind.SUBSCRIPT, ValueKind.ELEMENT):
        fact = program.value(file, fact.ref)
    known = program.resolver.resolve(file, value)
    if any(isinstance(each, Api) and re.split(r"[.(]", each.path)[0] in rule.data["databases"] for each in known):
        return True
    if fact.kind is not ValueKind.PARAM:
        return False
    for call in facts.calls:
        if call.args and (given := facts.values[call.args[-1]]).kind is ValueKind.FUNCTION and given.ref == fact.ref:
            api = program.resolver.api_of(file, call.callee)
            return facts.values[call.callee].text == "query" or re.split(r"[.(]", api)[0] in rule.data["databases"]
    return False


# -------------------------------------------------------------------------------------------------------------- Python


def _python(program: Program, rule: Rule) -> Iterator[Finding]:
    if _is_answered_everywhere(program):
        return
    clients = Clients(program, lambda site: _is_guarded(program, site))
    for site, api, sure in program.calls_of(frozenset(rule.data["python"]).__contains__):
        if not site.file.is_python or not site.call.args or _is_guarded(program, site):
            continue
        confidence = program.server_code(site.file, site.call.region)
        if _is_parser(program, site, api):
            continue
        if confidence is None or _is_wrapped(program, site) or not clients.sends(site.file, site.call.args[0]):
            continue
        yield Finding(
            rule.name,
            f"`{api}` raises when what the client sent is no JSON, and nothing catches it: the answer is an "
            "internal error (500), as if the fault were yours. Catch `ValueError` and answer 400.",
            program.location(site.file, site.call.start, site.call.end),
            confidence=weakest(sure, confidence),
            data={"file": site.file.index, "call": site.index},
            no_fix_reason="" if _answer(program, site) else "only you know how this part answers a client",
        )


def _is_parser(program: Program, site: CallSite, api: str) -> bool:
    """Whether a call is all that a function of the project's own does, which stands for the API by its very name: its
    callers know what the text is."""
    function = site.file.facts.functions[site.file.facts.regions[site.call.region].function]
    if site.call.use is not Use.RETURNED or function.name != api.rpartition(".")[2]:
        return False
    fact = program.value(site.file, site.call.args[0])
    while fact.kind in (ValueKind.CALL, ValueKind.MEMBER):
        inner = site.file.facts.calls[fact.ref].callee if fact.kind is ValueKind.CALL else fact.ref
        fact = program.value(site.file, inner)
    return fact.kind is ValueKind.PARAM


def _is_guarded(program: Program, site: CallSite) -> bool:
    """Whether a `ValueError` that the call raises is caught in its function, or around the function's definition, where
    a local function is mostly used."""
    file = site.file
    for at in program.regions_out(file, site.call.region):
        region = file.facts.regions[at]
        if region.kind is RegionKind.TRY:
            for other in file.facts.regions:
                if other.kind is RegionKind.CATCH and other.partner == at and _catches(program, file, other.values):
                    return True
        if region.kind is RegionKind.WITH and any(_suppresses(program, file, value) for value in region.values):
            return True
    return False


def _catches(program: Program, file: File, types: list[int]) -> bool:
    """Whether an `except` takes a `ValueError`; one with a type that is not known may."""
    names = [program.value(file, item) for item in types]
    names = (
        [program.value(file, part) for fact in names for part in fact.items]
        if any(fact.kind is ValueKind.ARRAY for fact in names)
        else names
    )
    builtin = [fact.text for fact in names if fact.kind is ValueKind.GLOBAL]
    return not names or len(builtin) < len(names) or not _CAUGHT_BY.isdisjoint(builtin)


def _suppresses(program: Program, file: File, value: int) -> bool:
    fact = program.value(file, value)
    return fact.kind is ValueKind.CALL and program.value(file, file.facts.calls[fact.ref].callee).text in (
        "suppress",
        "raises",
    )


def _is_answered_everywhere(program: Program) -> bool:
    """Whether an error handler of the app takes `ValueError` or `JSONDecodeError`."""
    for registration in program.graph.registrations:
        file = program.files[registration.file]
        if registration.role is Role.ERROR_HANDLER and registration.call != NONE and file.is_python:
            call = file.facts.calls[registration.call]
            if any(program.value(file, item).text in ("ValueError", "JSONDecodeError") for item in call.args):
                return True
    return False


def _is_wrapped(program: Program, site: CallSite) -> bool:
    """Whether the function has a decorator of the program's own that catches exceptions."""
    function = site.file.facts.functions[site.file.facts.regions[site.call.region].function]
    for decorator in function.decorators:
        fact = program.value(site.file, decorator)
        value = site.file.facts.calls[fact.ref].callee if fact.kind is ValueKind.CALL else decorator
        for target in program.resolver.resolve(site.file, value):
            if isinstance(target, Fn):
                owner, wrapper = program.function(target.id)
                for region in owner.facts.regions:
                    if region.kind is RegionKind.CATCH and wrapper.start <= region.start < wrapper.end:
                        return True
    return False


# ----------------------------------------------------------------------------------------------------------------- fix


def _handler_text(program: Program, site: CallSite) -> str:
    """What the `catch` of a JavaScript fix does: it passes the error on, or answers it; "" if it can do neither."""
    file = site.file
    function = file.facts.regions[site.call.region].function
    for whom in continuations(program, file, function):
        if whom.is_next:
            return f"err.status = 400\nreturn {whom.name}(err)"
    while function != NONE:
        for position, param in enumerate(file.facts.functions[function].params):
            given = program.resolver.parameters.get((file.fn_base + function, position), ())
            if Api("express.res") in given and param.name:
                return f"return {param.name}.sendStatus(400)"
        function = file.facts.functions[function].parent
    return ""


def _answer(program: Program, site: CallSite) -> tuple[str, ImportRequest | None]:
    """What the `except` of a Python fix does, and what it imports; ("", None) where no framework is known to answer."""
    for registration in program.registrations_of.get(site.file.function_at(site.call.region), ()):
        answer = BY_NAME[registration.framework].bad_request
        if answer is not None:
            module, name, text = answer.module, answer.name, answer.statement
            return text, ImportRequest(site.file.path, module, name)
    return "", None


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """A `try` around the statement, that passes the error on with status 400."""
    file = program.files[finding.data["file"]]
    site = CallSite(file, finding.data["call"])
    span = Span(site.call.start, site.call.end)
    source = program.read(file.path)
    if not file.is_python:
        from prodlint.fixes import javascript

        text = _handler_text(program, site)
        if not text:
            return "there is no `next` or `res` in reach"
        edits = javascript.guard_statement(file.path, source, span, "err", text)
        return Fix("Catch what it throws and answer 400", Applicability.UNSAFE, edits) if edits else ODD_FORM
    from prodlint.fixes import python

    answer, request = _answer(program, site)
    local = python.local_name(source, request) if request is not None else None
    if request is None or local is None:
        return "how the framework answers 400 is not known here"
    head = "except ValueError as error:" if "from error" in answer else "except ValueError:"
    edits = python.guard_statement(file.path, source, span, head, answer.format(local))
    return Fix("Catch what it raises and answer 400", Applicability.UNSAFE, edits, (request,)) if edits else ODD_FORM
