"""logs-thrown-away: what a service writes goes nowhere, so nobody learns why it failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Edit, Finding, Fix, Location
from prodlint.fixes.reasons import ODD_FORM
from prodlint.lazy_regex import regex
from prodlint.program.services import services_in
from prodlint.program.services.setting_values import State
from prodlint.program.services.variants import each_place_once, in_production

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service
    from prodlint.rulebook import Rule

_STREAMS = ("StandardOutput", "StandardError")
_QUOTE = '"'
_NOWHERE = regex(r"(?<![\d&>])(?:1?>>?|&>>?)\s*/dev/null")
"""Standard output to nowhere: errors alone (`2>/dev/null`) may be what somebody wants of a probe."""
_COMMANDS = ("command.exec", "command.shell", "entrypoint.exec", "entrypoint.shell")
_FILES = frozenset(
    {"winston", "pino", "bunyan", "log4js", "rotating-file-stream", "file-stream-rotator", "loguru", "structlog"}
)
"""Loggers of packages, which may write to a file or a socket of their own."""
_HANDLERS = (
    *("logging.FileHandler", "logging.handlers.RotatingFileHandler", "logging.handlers.TimedRotatingFileHandler"),
    *("logging.handlers.SysLogHandler", "logging.handlers.WatchedFileHandler", "logging.config.dictConfig"),
    *("logging.config.fileConfig", "fs.createWriteStream"),
)


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each place that throws away what a service in production writes."""
    return each_place_once(_all(program, rule))


def _all(program: Program, rule: Rule) -> Iterator[Finding]:
    for service in services_in(program):
        if service.dependencies & _FILES or any(program.api_calls.get(api) for api in _HANDLERS):
            continue
        for variant in in_production(service):
            for stream in _STREAMS:
                said = variant.setting(f"Service.{stream}")
                if said.state is State.SET and said.value.strip() == "null" and said.by is not None:
                    yield _finding(rule, service, said.by.location, f"`{stream}=null`", "journal")
                    break
            driver = variant.setting("logging_driver")
            if driver.state is State.SET and driver.value.strip() == "none" and driver.by is not None:
                yield _finding(rule, service, driver.by.location, "the logging driver `none`", "")
            for layer in variant.layers:
                yield from _redirected(program, rule, service, layer.source.path, layer.source.name)


def _redirected(program: Program, rule: Rule, service: Service, path: str, name: str) -> Iterator[Finding]:
    facts = program.facts.get(path)
    for artefact in facts.artefacts if facts is not None and facts.kind != "shell" else ():
        for setting in artefact.settings if artefact.name == name else ():
            match = _NOWHERE.search(setting.value or "") if setting.key in _COMMANDS else None
            if match is not None:
                place = Location(path, setting.start, setting.end)
                yield _finding(rule, service, place, f"`{match.group().replace(_QUOTE, '')}`", "")


def _finding(rule: Rule, service: Service, place: Location, what: str, value: str) -> Finding:
    return Finding(
        rule.name,
        f"{what[0].upper() + what[1:]} throws away what {service.name} writes: when it fails, nobody learns why. "
        "Let the journal, or whatever runs it, keep it.",
        place,
        data={"value": value},
        no_fix_reason="" if value else "where it is to go instead is for a person to decide",
        service=service.name,
    )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The journal in place of nothing."""
    from prodlint.fixes import systemd_units as units

    value, path = finding.data["value"], finding.location.path
    if not value:
        return "where it is to go instead is for a person to decide"
    edits: list[Edit] = []
    source = program.read(path)
    edits += units.replace_value(path, source, finding.location.start, value) or ()
    return Fix(f"Write to the {value}", Applicability.SAFE, tuple(edits)) if edits else ODD_FORM
