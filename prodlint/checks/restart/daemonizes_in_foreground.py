"""daemonizes-in-foreground: a command that goes to the background where somebody waits for it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prodlint.findings import Applicability, Finding, Fix, Step
from prodlint.fixes.reasons import ODD_FORM
from prodlint.models.deployment_formats import format_of
from prodlint.program.services import services_in
from prodlint.program.services.start_faults import detaching, main_fault
from prodlint.program.services.variants import command_of, in_production, place_of, shown, whereabouts

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.program.services.launches import LaunchStep
    from prodlint.rulebook import Rule

_FLAGS = {"gunicorn": "-D|--daemon", "hypercorn": "--daemon", "celery": "-D|--detach"}


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for a service that some variant for production starts in the background."""
    for service in services_in(program):
        for variant in in_production(service):
            step = detaching(variant)
            if step is not None and main_fault(program, variant) == rule.name:
                yield _finding(program, rule, service, variant, step)
                break


def _finding(program: Program, rule: Rule, service: Service, variant: Variant, step: LaunchStep) -> Finding:
    outer = variant.launch.steps[0]
    change = _change(step)
    said = " ".join(step.start.words) + (" &" if step.start.is_background else "")
    ends = variant.format.when_it_returns
    advice = f" {change['advice']}" if change else " Start it in the foreground."
    return Finding(
        rule.name,
        f"`{said}` goes to the background and returns, so {ends}.{advice}",
        place_of(program.facts, outer),
        trace=tuple(
            Step(inner.source.location, f"{shown(inner.source)} runs `{' '.join(inner.start.words)}`")
            for inner in variant.launch.steps[1:]
            if inner.start.words
        ),
        data={"change": change, "place": whereabouts(step.source)},
        no_fix_reason="" if change else "how this is started in the foreground is not known here",
        service=service.name,
    )


def _change(step: LaunchStep) -> dict[str, Any]:
    """Which words to replace by which; {} where that is not known."""
    words = step.start.words
    name = posixpath.basename(words[0])
    if step.start.is_background:
        return {}
    if name == "pm2" and "start" in words:
        return {
            "old": [words[0]], "new": [words[0][: -len("pm2")] + "pm2-runtime"],
            "advice": "`pm2-runtime` does the same in the foreground.",
        }  # fmt: skip
    if name == "forever" and words[1] == "start":
        return {"old": [words[0], "start"], "new": [words[0]], "advice": "Without `start` it stays in the foreground."}
    flag = next((word for word in words[1:] if re.fullmatch(_FLAGS.get(name, "(?!)"), word)), "")
    return {"old": [flag], "new": [], "advice": f"Take `{flag}` away."} if flag else {}


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The same in the foreground. A script of package.json may be meant for a machine as well."""
    from prodlint.fixes import start_commands as starts

    change, place = finding.data["change"], finding.data["place"]
    command = command_of(program.facts, place, change["old"][0]) if change else None
    if command is None:
        return "the command is not known here"
    path, kind = place["path"], place["kind"]
    if change["new"]:
        edits = starts.replace_words(path, kind, program.read(path), command, change["old"], change["new"])
    else:
        edits = starts.drop_word(path, kind, program.read(path), command, re.escape(change["old"][0]))
    safety = Applicability.UNSAFE if format_of(kind).is_package_script else Applicability.SAFE
    return Fix("Start it in the foreground", safety, edits) if edits else ODD_FORM
