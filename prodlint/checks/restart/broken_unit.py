"""broken-unit: a unit that systemd refuses, or lines of it that systemd passes over; a job that Upstart cannot run."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from prodlint.extract.deployment.commands import StartKind, split
from prodlint.findings import Applicability, Confidence, Finding, Fix, Location, Severity
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.services import services_in
from prodlint.program.services.environment_evidence import is_dev_path
from prodlint.program.services.setting_values import State
from prodlint.program.services.start_faults import detaches
from prodlint.program.services.variants import in_production

if TYPE_CHECKING:
    from prodlint.facts import Artefact, Setting
    from prodlint.fixes.text import Edits
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.rulebook import Rule

_SERVERS = frozenset({"node", "nodejs", "gunicorn", "uvicorn", "hypercorn", "daphne", "waitress-serve", "flask"})
"""Programs that stay in the foreground unless they are told not to."""
_SUFFIXES = (".target", ".service", ".socket", ".path", ".timer", ".device", ".mount", ".slice", ".scope", ".swap")
_CLOSE = 0.85
_MEANT = "what is meant is not known here"


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """A finding for each line that systemd passes over, and for each reason for which it refuses a unit."""
    for path, facts in sorted(program.facts.items()):
        for artefact in facts.artefacts if not is_dev_path(path) else ():
            if facts.kind == "systemd":
                yield from _unknown(rule, path, artefact)
                if artefact.kind == "unit":
                    yield from _refused(program, rule, path, artefact)
            elif facts.kind == "upstart":
                yield from _job(rule, path, artefact)
    for service in services_in(program):
        for variant in in_production(service, "systemd"):
            yield from _started(rule, service, variant)


def _finding(
    rule: Rule,
    path: str,
    span: tuple[int, int],
    message: str,
    change: Mapping[str, str] | None = None,
    severity: Severity | None = None,
    confidence: Confidence = Confidence.CERTAIN,
) -> Finding:
    return Finding(
        rule.name,
        message,
        Location(path, *span),
        confidence=confidence,
        severity=severity,
        data={"change": dict(change or {}), "start": span[0]},
        no_fix_reason="" if change else _MEANT,
    )


# ---------------------------------------------------------------------------------------------- sections, keys, values


def _unknown(rule: Rule, path: str, artefact: Artefact) -> Iterator[Finding]:
    known: dict[str, list[str]] = rule.data["keys"]
    for setting in artefact.settings:
        span = (setting.start, setting.end)
        if setting.key == "section" and setting.value not in known and not (setting.value or "").startswith("X-"):
            near = _near(setting.value or "", list(known))
            instead = f" Write `[{near}]`." if near else ""
            message = (
                f"systemd knows no section [{setting.value}] in a service's unit, and passes over all in it.{instead}"
            )
            yield _finding(rule, path, span, message, {"section": near} if near else None)
        section, _, key = setting.key.rpartition(".")
        if section not in known or key in known[section] or key.startswith("X-") or setting.value is None:
            yield from _odd_value(rule, path, setting, section, key)
            continue
        home = next((other for other, keys in known.items() if key in keys), "")
        near = _near(key, known[section])
        if home:
            message = f"systemd passes over `{key}=` in [{section}]: it belongs in [{home}]."
            yield _finding(rule, path, span, message, {"move": home, "key": key})
        else:
            message = f"systemd knows no `{key}=`, and passes over the line.{f' Write `{near}=`.' if near else ''}"
            sure = Confidence.CERTAIN if near else Confidence.LIKELY  # a newer systemd may know it
            yield _finding(rule, path, span, message, {"key": near} if near else None, confidence=sure)


def _odd_value(rule: Rule, path: str, setting: Setting, section: str, key: str) -> Iterator[Finding]:
    """A value that its key does not take."""
    name = {"type": "Type"}.get(setting.key, key if section == "Service" else "")
    allowed = rule.data["values"].get(name)
    if allowed and setting.value is not None and setting.value not in allowed:
        near = _near(setting.value, allowed)
        message = f"systemd knows no `{name}={setting.value}`, and passes over the line."
        instead = f" Write `{name}={near}`." if near else f" It takes {', '.join(allowed)}."
        yield _finding(rule, path, (setting.start, setting.end), message + instead, {"value": near} if near else None)


def _near(word: str, words: list[str]) -> str:
    """The known word that was meant: the same but for its case, or the closest one."""
    same = [each for each in words if each.lower() == word.lower()]
    return (same or get_close_matches(word, words, 1, _CLOSE) or [""])[0]


# ------------------------------------------------------------------------------------------------------ what is refused


def _refused(program: Program, rule: Rule, path: str, unit: Artefact) -> Iterator[Finding]:
    by_key = {setting.key: setting for setting in unit.settings}
    has_section = any(setting.key == "section" and setting.value == "Service" for setting in unit.settings)
    if has_section and not by_key.keys() & {"command.exec", "Service.ExecStop"} and not _is_completed(program, unit):
        message = "systemd refuses a service without `ExecStart=`: nothing here says what it starts."
        yield _finding(rule, path, (unit.anchor, unit.anchor_end), message, severity=Severity.ERROR)
    workdir = by_key.get("workdir")
    folder = (workdir.value or "").removeprefix("-") if workdir is not None else ""
    if workdir is not None and folder and not folder.startswith(("/", "~", "%")):
        message = f"systemd refuses a unit whose `WorkingDirectory={folder}` is no absolute path, and starts nothing."
        yield _finding(rule, path, (workdir.start, workdir.end), message, severity=Severity.ERROR)
    for setting in unit.settings:
        if setting.key not in ("Install.WantedBy", "Install.RequiredBy") or setting.value is None:
            continue
        for word in setting.value.split():
            near = _near(word if word.endswith(".target") else f"{word}.target", rule.data["targets"])
            if word in rule.data["targets"] or "%" in word or (word.endswith(_SUFFIXES) and not near):
                continue
            if word.endswith(_SUFFIXES) and _is_own(program, word):
                continue
            message = f"There is no `{word}`, so `systemctl enable` does not make the service start with the machine."
            instead = f" Write `{near}`." if near else ""
            span = (setting.start, setting.end)
            value = " ".join(near if each == word else each for each in setting.value.split())
            yield _finding(rule, path, span, message + instead, {"value": value} if near else None)


def _is_completed(program: Program, unit: Artefact) -> bool:
    """Whether a drop-in says what a unit starts, or a template engine may."""
    return any(setting.value is None for setting in unit.settings) or any(
        artefact.kind == "drop_in" and artefact.name == unit.name
        for facts in program.facts.values()
        for artefact in facts.artefacts
        if facts.kind == "systemd"
    )


def _is_own(program: Program, name: str) -> bool:
    """Whether the project has a unit of this name."""
    return any(posixpath.basename(path) == name for path in program.facts)


def _started(rule: Rule, service: Service, variant: Variant) -> Iterator[Finding]:
    """What does not fit the program that a unit starts."""
    steps = variant.launch.steps
    words = steps[0].start.words if steps else ()
    name = posixpath.basename(words[0]) if words else ""
    path = variant.outer.path
    kind = variant.setting("type")
    if kind.by is not None and kind.state is State.SET and name in _SERVERS and not any(map(detaches, steps)):
        at = kind.by.location
        notifies = any(package in rule.data["notifiers"] for package in service.dependencies)
        if kind.value == "forking":
            message = (
                f"`Type=forking` has systemd wait until {name} goes to the background, which it does not do: after "
            )
            message += "its timeout systemd stops it as failed. Write `Type=simple`."
            yield _finding(rule, path, (at.start, at.end), message, {"value": "simple"}, Severity.ERROR)
        elif kind.value == "notify" and name in ("node", "nodejs") and not notifies and variant.launch.entry:
            message = (
                "`Type=notify` has systemd wait until the service says that it is ready, which nothing in it does: "
            )
            message += "after its timeout systemd stops it as failed. Write `Type=simple`."
            yield _finding(rule, path, (at.start, at.end), message, {"value": "simple"}, Severity.ERROR)
    start = steps[0].start if steps else None
    if start is None or start.folder or start.kind not in (StartKind.NODE, StartKind.PYTHON):
        return
    is_rooted = variant.setting("workdir").state is not State.ABSENT or "/user/" in f"/{path}"
    if not is_rooted and start.target and not start.target.startswith(("/", "$", "%", "~")) and "-m" not in start.words:
        message = (
            f"systemd starts services in /, where there is no `{start.target}`. Add `WorkingDirectory=`, or name it "
        )
        message += "by its whole path."
        yield _finding(rule, path, variant.outer.location[1:], message, severity=Severity.ERROR)


# -------------------------------------------------------------------------------------------------------------- Upstart


def _job(rule: Rule, path: str, job: Artefact) -> Iterator[Finding]:
    by_key = {setting.key: setting for setting in job.settings}
    command = by_key.get("command.shell") or by_key.get("command.exec")
    if command is None and by_key.keys() & {"restart", "user", "workdir"}:
        message = "Upstart starts nothing by this job: it has neither `exec` nor `script`."
        yield _finding(rule, path, (job.anchor, job.anchor_end), message, severity=Severity.ERROR)
    for setting in job.settings:
        words = json.loads(setting.value or "[]") if setting.key == "environment" else []
        if len(words) == 3 and words[1] == "=" and re.fullmatch(r"[A-Za-z_]\w*", words[0]):
            written = f"env {words[0]}={words[2]}"
            message = (
                f"Upstart takes one word for `env`, and refuses the job for `env {' '.join(words)}`. Write `{written}`."
            )
            yield _finding(rule, path, (setting.start, setting.end), message, {"stanza": written}, Severity.ERROR)
    workdir = by_key.get("workdir")
    words = json.loads(command.value or "[]") if command is not None and command.key == "command.exec" else []
    relative = next((word for word in words[1:2] if re.fullmatch(r"[\w./-]+\.(?:js|py|mjs|cjs)", word)), "")
    if command is not None and workdir is None and relative and not relative.startswith("/"):
        message = (
            f"Upstart starts jobs in /, where there is no `{relative}`. Add `chdir`, or name it by its whole path."
        )
        yield _finding(rule, path, (command.start, command.end), message, severity=Severity.ERROR)
    script = by_key.get("command.shell")
    commands = split(script.value or "") if script is not None and _is_script(job, script) else []
    last = commands[-1] if commands else None
    name = posixpath.basename(last.words[0]) if last is not None and last.words else ""
    if script is not None and last is not None and name in _SERVERS and not last.is_background and last.at >= 0:
        text = script.value or ""
        start = script.start + len(text[: last.at].encode())
        line_end = text.find("\n", last.at)
        end = script.start + len(text[: line_end if line_end >= 0 else len(text)].encode())
        message = (
            f"A shell stays between Upstart and {name}, and Upstart's signals end the shell. Write `exec` before it."
        )
        yield _finding(rule, path, (start, end), message, {"exec": "1"})


def _is_script(job: Artefact, setting: Setting) -> bool:
    """Whether a shell's text is a block, and not what follows `exec`."""
    return "\n" in (setting.value or "")


# ------------------------------------------------------------------------------------------------------------------ fix


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The name, the value or the section that was meant."""
    from prodlint.findings import Edit
    from prodlint.fixes import systemd_units as units
    from prodlint.fixes import upstart_jobs as jobs

    change: dict[str, Any] = finding.data["change"]
    start, path = finding.data["start"], finding.location.path
    source = program.read(path)
    edits: Edits | None = None
    if "section" in change:
        edits = (Edit(path, start, finding.location.end, f"[{change['section']}]"),)
    elif "move" in change:
        edits = units.move_line(path, source, start, change["move"], change["key"])
    elif "key" in change:
        edits = units.rename_key(path, source, start, change["key"])
    elif "value" in change:
        edits = units.replace_value(path, source, start, change["value"])
    elif "stanza" in change:
        edits = jobs.replace_stanza(path, source, start, change["stanza"])
    elif "exec" in change:
        edits = (Edit(path, start, start, "exec "),)
    else:
        return _MEANT
    return Fix("Write what was meant", Applicability.SAFE, edits) if edits else ODD_FORM
