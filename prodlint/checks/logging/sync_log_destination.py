"""A logger that waits for the disk with every line."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from prodlint.facts import NONE, Value, ValueKind
from prodlint.findings import Applicability, Finding, Fix, Span
from prodlint.fixes.reasons import ODD_FORM
from prodlint.lazy_regex import regex
from prodlint.models.frameworks.model import Context
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Obj

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_DESTINATIONS = ("pino.destination", "sonic-boom", "sonic-boom.SonicBoom", "pino.pino.destination")
_LOG_NAME = regex(r"^(?:write_?)?log(?:ger|s|ging)?(?:[A-Z_]\w*)?$|(?:[a-z]|_)(?:Log|Logger|_log|_logger)$")
_LOG_FILE = regex(r"\.log$|\blogs?/", re.IGNORECASE)
_SERVES = (Context.REQUEST, Context.REQUEST_THREAD, Context.BACKGROUND, Context.BACKGROUND_THREAD)


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Pino destinations that are told to be synchronous, and log lines that are written with `*Sync`."""
    if _is_function(program, frozenset(rule.data["functions"])):
        return
    for api in _DESTINATIONS:
        for site in program.api_calls.get(api, ()):
            if site.file.is_python or program.server_code(site.file, site.call.region) is None:
                continue
            if _option(program, site, "sync"):
                yield _finding(program, rule, site, "`sync: true` makes every log call wait for the disk", fixable=True)
    for api in rule.data["writes"]:
        for site in program.api_calls.get(api, ()):
            if not site.file.is_python and _is_sink(program, site):
                yield _finding(program, rule, site, f"`{api}` makes every log line wait for the disk", fixable=False)


def _finding(program: Program, rule: Rule, site: CallSite, what: str, *, fixable: bool) -> Finding:
    return Finding(
        rule.name,
        f"{what}, and all requests with it. Write logs asynchronously, and flush them when the process ends.",
        program.location(site.file, site.call.start, site.call.end),
        data={"file": site.file.index, "call": site.index} if fixable else {},
        no_fix_reason="" if fixable else "a stream or a logger has to take its place",
    )


def _is_function(program: Program, packages: frozenset[str]) -> bool:
    """Whether the service runs as a function, which is frozen after its answer."""
    return any(
        request.module in packages for file in program.files if not file.is_python for request in file.facts.imports
    )


def _option(program: Program, site: CallSite, name: str) -> bool:
    """Whether an options object of the call has the member `name` with the value `true`."""
    for argument in site.call.args:
        for target in program.resolver.resolve(site.file, argument):
            if isinstance(target, Obj):
                owner = program.files[target.file]
                literal = owner.facts.values[target.value]
                for key, item in zip(literal.names, literal.items, strict=False):
                    fact = owner.facts.values[item]
                    if key == name and fact.kind is ValueKind.BOOL and fact.text == "true":
                        return True
    return False


def _is_sink(program: Program, site: CallSite) -> bool:
    """Whether a synchronous write is that of a log line, while the service serves: by the file that is written, and the
    function or module that writes."""
    if program.server_code(site.file, site.call.region) is None:
        return False
    function = site.file.function_at(site.call.region)
    reached = program.contexts.of(function)
    if not any(context in reached and reached[context].certain for context in _SERVES):
        return False
    path = program.value(site.file, site.call.args[0]) if site.call.args else Value(ValueKind.UNKNOWN)
    if _LOG_FILE.search(_texts(site.file, path)):
        return True
    callee = program.value(site.file, site.call.callee).text
    names = (program.function(function)[1].name, posixpath.basename(site.file.path).split(".")[0])
    return callee != "writeFileSync" and any(_LOG_NAME.search(name) for name in names)


def _texts(file: File, value: Value, depth: int = 0) -> str:
    """The literal pieces of a path: of a template, a sum, `path.join(…)`, or the one value of a variable."""
    if depth > 3:
        return ""
    if value.kind is ValueKind.STRING:
        return value.text
    items: Sequence[int] = value.items if value.kind in (ValueKind.TEMPLATE, ValueKind.OP) else ()
    if value.kind is ValueKind.CALL:
        items = file.facts.calls[value.ref].args
    elif value.kind is ValueKind.BINDING:
        items = file.facts.bindings[value.ref].values
    inner = "/".join(_texts(file, file.facts.values[item], depth + 1) for item in items if item != NONE)
    return f"{value.text if value.kind is ValueKind.TEMPLATE else ''}{inner}"


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """`sync: false`."""
    if not finding.data:
        return "a stream or a logger has to take its place"
    from prodlint.fixes import javascript

    file = program.files[finding.data["file"]]
    call = file.facts.calls[finding.data["call"]]
    edits = javascript.set_property(file.path, program.read(file.path), Span(call.start, call.end), "sync", "false")
    return Fix("Write asynchronously", Applicability.SAFE, edits) if edits else ODD_FORM
