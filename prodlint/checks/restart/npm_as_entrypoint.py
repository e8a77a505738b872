"""npm-as-entrypoint: a container in which npm or a shell keeps SIGTERM from the server."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prodlint.extract.deployment.commands import StartKind, split
from prodlint.facts import JAVASCRIPT
from prodlint.findings import Applicability, Finding, Fix, Severity
from prodlint.fixes.reasons import ODD_FORM
from prodlint.lazy_regex import regex
from prodlint.models.deployment_formats import format_of
from prodlint.program.services import services_in
from prodlint.program.services.signals import Between, are_lost, in_between
from prodlint.program.services.start_faults import main_fault
from prodlint.program.services.variants import command_of, in_production, place_of, whereabouts

if TYPE_CHECKING:
    from prodlint.facts import Setting
    from prodlint.fixes.text import Edits
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.program.services.launches import LaunchStep
    from prodlint.rulebook import Rule

_TRAP = regex(r"(?:^|[;&|\s])trap\s")
_SPAWNERS = frozenset({"child_process", "cross-spawn", "execa", "shelljs", "zx", "tinyexec"})
_ENVIRONMENT_READERS = frozenset({"config", "convict", "nconf", "rc"})


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for a service whose container starts it through npm, or through a shell that passes no signals on."""
    for service in services_in(program):
        found = [
            (variant, between, step)
            for variant in in_production(service)
            # What is started beside something else is not what a signal is for.
            if not main_fault(program, variant) and not variant.launch.is_background
            for between, step in [in_between(variant) or (None, None)]
            if between is not None and step is not None
            if between is Between.MANAGER or are_lost(variant, between)
        ]
        # A shell or an npm that is known to lose signals is shown before one that may.
        found.sort(key=lambda each: not are_lost(each[0], each[1]))
        if found:
            yield _finding(program, rule, service, *found[0])


def _finding(
    program: Program, rule: Rule, service: Service, variant: Variant, between: Between, step: LaunchStep
) -> Finding:
    lost = are_lost(variant, between)
    words = _words(program, variant, step) if between is Between.MANAGER else []
    said = " ".join(step.start.words)
    if between is Between.SHELL and step.start.is_piped:
        message = (
            f"A shell waits for the pipeline that `{said}` is in, and passes no SIGTERM on: {service.name} is killed "
            "after the grace period, with what it is doing. Start it without a pipe: Docker keeps what it writes."
        )
    elif between is Between.SHELL:
        message = (
            f"Docker starts `{said}` through /bin/sh, which in this image passes no SIGTERM on: {service.name} is "
            "killed after the grace period, with what it is doing. Write the command as a list of words."
        )
    else:
        tool = posixpath.basename(step.start.words[0])
        effect = (
            f"and /bin/sh in this image passes no SIGTERM on: {service.name} is killed after the grace period, with "
            "what it is doing"
            if lost
            else f"and both stand between Docker's SIGTERM and {service.name}"
        )
        instead = f"`{shlex.join(words)}`" if words else "the server itself"
        message = f"`{said}` starts {tool}, which starts a shell, {effect}. Start {instead}."
    return Finding(
        rule.name,
        message,
        place_of(program.facts, step),
        data={"place": whereabouts(step.source), "between": between.name, "words": words, "old": list(step.start.words),
              "at": step.start.at},
        severity=None if lost else Severity.ADVICE,
        no_fix_reason=_fixless(words, between, step),
        service=service.name,
    )  # fmt: skip


def _fixless(words: list[str], between: Between, step: LaunchStep) -> str:
    if between is Between.SHELL:
        return "where its output is to go instead is for a person to decide" if step.start.is_piped else ""
    return "" if words else "the script is more than the start of one program"


def _words(program: Program, variant: Variant, step: LaunchStep) -> list[str]:
    """The one command that the script consists of, if nothing is lost without npm; else []."""
    inner = variant.launch.steps[variant.launch.steps.index(step) + 1 :]
    info = program.versions.packages.get(variant.launch.package)
    name = step.start.target
    if len(inner) != 1 or info is None or not inner[0].source.format.is_package_script or step.start.folder:
        return []
    script = info.scripts.get(name, "")
    commands = split(script)
    plain = re.fullmatch(r"[\w@%+=:,./ -]+", script) and len(commands) == 1 and not commands[0].env
    if not plain or f"pre{name}" in info.scripts or f"post{name}" in info.scripts or _asks_npm(program):
        return []
    words = list(commands[0].words)
    is_alone = step.start.words[-1] == name and inner[0].start.kind is StartKind.NODE
    return words if words[0] == "node" and is_alone and not commands[0].folder else []


def _asks_npm(program: Program) -> bool:
    """Whether the code reads a variable that npm sets for its scripts."""
    return any(
        file.facts.values[access.value].text.startswith("npm_")
        for file in program.files
        for access in file.facts.accesses
    )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The server itself in exec form; where a shell is needed, `exec` before the server."""
    data = finding.data
    place = data["place"]
    command = command_of(program.facts, place, data["old"][0])
    if finding.no_fix_reason or command is None:
        return "the command is not known here"
    if data["between"] == Between.MANAGER.name:
        edits = _without_manager(program, place, command, data)
        title = f"Start `{shlex.join(data['words'])}`"
        is_safe = not _may_need_npm(program)
    else:
        if _TRAP.search(command.value or ""):
            return "a trap of the shell would be lost"
        is_safe = _has_interpreter(program, command.value or "")
        edits = _without_shell(program, place, command, data)
        title = "Start it without a shell in between"
    safety = Applicability.SAFE if is_safe else Applicability.UNSAFE
    return Fix(title, safety, edits) if edits else ODD_FORM


def _may_need_npm(program: Program) -> bool:
    """Whether something may depend on what npm puts into the environment: the folder `node_modules/.bin` on the PATH,
    for programs that the code starts by name, or variables that a configuration names."""
    if any(_ENVIRONMENT_READERS & info.dependencies.keys() for info in program.versions.packages.values()):
        return True
    return any(
        request.module.removeprefix("node:") in _SPAWNERS
        for file in program.files
        if file.facts.kind in JAVASCRIPT
        for request in file.facts.imports
    ) or any(
        value.text.startswith("npm_")
        for file in program.files
        if file.facts.kind in JAVASCRIPT
        for value in file.facts.values
    )


def _has_interpreter(program: Program, text: str) -> bool:
    """Whether a command names a program, or a script of the project with a `#!` line: no shell is there to read another
    one."""
    commands = split(text)
    name = commands[-1].words[0] if commands and commands[-1].words else ""
    if "/" not in name and not name.endswith(".sh"):
        return True
    paths = [path for path in program.facts if posixpath.basename(path) == posixpath.basename(name)]
    is_system = name.startswith(("/usr/", "/bin/", "/sbin/"))
    return all(program.read(path).startswith(b"#!") for path in paths) if paths else is_system


def _without_manager(program: Program, place: Any, command: Setting, data: Any) -> Edits | None:
    from prodlint.fixes import start_commands as starts

    path, kind = place["path"], place["kind"]
    source = program.read(path)
    if command.key.endswith(".shell") and format_of(kind).is_image:
        alone = command.value == " ".join(data["old"])
        return starts.set_words(path, kind, source, command, data["words"]) if alone else None
    return starts.replace_words(path, kind, source, command, data["old"], data["words"])


def _without_shell(program: Program, place: Any, command: Setting, data: Any) -> Edits | None:
    from prodlint.fixes import start_commands as starts

    path, kind = place["path"], place["kind"]
    source, text = program.read(path), command.value or ""
    commands = split(text)
    if len(commands) == 1 and re.fullmatch(r"[\w@%+=:,./ -]+", text) and not commands[0].env:
        return starts.set_words(path, kind, source, command, commands[0].words) if not commands[0].folder else None
    if data["at"] < 0 or re.match(r"\w+=", text[data["at"] :]):
        return None  # within a word, or behind variables
    return starts.insert_in_shell(path, kind, source, command, data["at"], "exec ")
