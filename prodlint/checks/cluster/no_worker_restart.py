"""A cluster whose workers are not replaced when they die."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import NONE, FunctionKind, RegionKind, ValueKind
from prodlint.findings import Applicability, Confidence, Finding, Fix, Span, Step
from prodlint.fixes.reasons import NO_PLACE
from prodlint.lazy_regex import regex
from prodlint.program.code.control_flow import control_flow
from prodlint.program.code.event_listeners import Listener, calls_from, listeners
from prodlint.program.code.loggers import loggers_in
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api
from prodlint.project.file_roles import FileRole

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_FORK = "cluster.fork"
_DEATHS = ("exit", "disconnect")
_STARTS_OR_STOPS = regex(r"fork|spawn|start|worker|launch|create|boot|run|exit|kill|shut|stop|emit|send", re.IGNORECASE)
"""What a function may be called that takes care of a worker's death, where it cannot be seen what it does."""


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """The first fork of each file, in a project where no death of a worker leads to another fork."""
    forks = [site for site in program.api_calls.get(_FORK, ()) if _is_server(program, site) is not None]
    if not forks:
        return
    deaths = [found for found in listeners(program, ("cluster", f"{_FORK}()")) if found.hears(*_DEATHS)]
    if any(_replaces(program, death) for death in deaths):
        return
    seen: set[int] = set()
    for fork in forks:
        confidence = _is_server(program, fork)
        if fork.file.index not in seen and confidence is not None:
            seen.add(fork.file.index)
            yield _finding(program, rule, fork, deaths, confidence)


def _is_server(program: Program, fork: CallSite) -> Confidence | None:
    """Whether a fork starts workers of a service. The file that does needs to import nothing of the service."""
    file, region = fork.file, fork.call.region
    if program.roles[file.index] is FileRole.BROWSER or program.dev_only(file, region):
        return None
    known = program.server_code(file, region)
    if known is None and program.roles[file.index] is FileRole.SOURCE:
        return Confidence.LIKELY
    return known


def _replaces(program: Program, death: Listener) -> bool:
    """Whether a listener forks again, ends the process for its manager to start anew, or does what nobody can see."""
    file = death.site.file
    if not death.functions:
        return not program.resolver.api_of(file, death.handler).startswith("console.")
    for site in calls_from(program, death.functions):
        targets = control_flow(program).targets(site)
        if any(program.resolver.api_of(site.file, argument) == _FORK for argument in site.call.args):
            return True
        name = site.file.facts.values[site.call.callee].text
        if any(isinstance(target, Api) and target.path == _FORK for target in targets):
            return True
        if not targets and _STARTS_OR_STOPS.search(name):
            return True
    return any(control_flow(program).may_end_process(function) for function in death.functions)


def _finding(program: Program, rule: Rule, fork: CallSite, deaths: list[Listener], confidence: Confidence) -> Finding:
    related = tuple(
        Step(program.location(death.site.file, death.site.call.start, death.site.call.end), "this starts no new worker")
        for death in deaths
    )
    here = next((death for death in deaths if death.site.file is fork.file), None)
    region = _level(fork.file, fork.call.region)
    return Finding(
        rule.name,
        "Nobody replaces a worker of this cluster that dies: after each crash one fewer answers, until none is left. "
        "Log the death and fork again in `cluster.on('exit', …)`.",
        program.location(fork.file, fork.call.start, fork.call.end),
        confidence=confidence,
        related=related,
        data={"file": fork.file.index, "fork": fork.index, "region": region}
        | ({"listener": here.functions[0]} if here is not None and here.functions else {}),
        no_fix_reason="" if fork.file.facts.regions[region].parent != NONE else "no block of code starts the workers",
    )


def _level(file: File, region: int) -> int:
    """The region that a fork stands in, apart from the loop that repeats it."""
    facts = file.facts
    while True:
        fact = facts.regions[region]
        function = facts.functions[fact.function]
        repeats = fact.kind is RegionKind.BODY and function.kind in (FunctionKind.ARROW, FunctionKind.EXPRESSION)
        if fact.kind is RegionKind.LOOP or (repeats and _is_looped(file, fact.function)):
            region = fact.parent
        else:
            return region


def _is_looped(file: File, function: int) -> bool:
    """Whether a function is written into a call, as that of `forEach` is, and not kept under a name."""
    return any(
        file.facts.values[argument].kind is ValueKind.FUNCTION and file.facts.values[argument].ref == function
        for call in file.facts.calls
        for argument in call.args
    )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Forks again in the listener that is there, or adds one where the workers are started."""
    from prodlint.fixes import javascript

    file = program.files[finding.data["file"]]
    fork = file.facts.calls[finding.data["fork"]]
    source = program.read(file.path)
    style = javascript.style_of(file.path, source)
    cluster = source[fork.start : fork.name_start].decode().rstrip(". \n\t")
    if style is None or not cluster.isidentifier():
        return "how the file calls `cluster` is not known here"
    if "listener" in finding.data:
        owner, fact = program.function(finding.data["listener"])
        body = owner.facts.regions[fact.region]
        edits = javascript.append_to_body(
            owner.path, program.read(owner.path), Span(body.start, body.end), f"{cluster}.fork()"
        )
        return Fix("Fork again when a worker dies", Applicability.UNSAFE, edits) if edits else NO_PLACE
    logger = loggers_in(program).of(file)
    said = "`worker ${worker.process.pid} died (${signal || code})`"
    log = f"{logger.name}.error({said})" if logger is not None else f"process.stderr.write({said[:-1]}\\n`)"
    text = f"{cluster}.on({style.string('exit')}, (worker, code, signal) => {{\n\t{log}\n\t{cluster}.fork()\n}})"
    level = file.facts.regions[finding.data["region"]]
    edits = javascript.append_to_body(file.path, source, Span(level.start, level.end), text)
    requests = (logger.request,) if logger is not None and logger.request is not None else ()
    return Fix("Log the death of a worker and fork again", Applicability.UNSAFE, edits, requests) if edits else NO_PLACE
