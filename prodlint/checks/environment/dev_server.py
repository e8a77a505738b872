"""dev-server: a server or a watcher for development that starts a service in production."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from prodlint.extract.deployment.commands import StartKind
from prodlint.findings import Applicability, Confidence, Finding, Fix, Severity, Step
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.services import services_in
from prodlint.program.services.start_faults import dev_server
from prodlint.program.services.variants import command_of, in_production, is_tool, place_of_fault, shown, whereabouts

if TYPE_CHECKING:
    from prodlint.fixes.text import Edits
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.program.services.launches import LaunchStep
    from prodlint.rulebook import Rule

_START_SCRIPTS = ("start", "start:prod", "start:production", "serve:prod", "production", "prod")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for a service that some variant for production starts with a tool for development."""
    for service in services_in(program):
        variants = in_production(service)
        if not variants and all(variant.format.is_package_script for variant in service.variants):
            variants = [variant for variant in service.variants if variant.outer.name in _START_SCRIPTS]
            if is_tool(program, service) or not all(variant.launch.is_dev for variant in variants):
                continue
        for variant in variants:
            step = dev_server(program, variant)
            if step is not None and variant.format.is_package_script and _tool(step) in rule.data["bundlers"]:
                continue  # what is deployed is its build: developers alone start such a package
            if step is not None:
                yield _finding(program, rule, service, variant, step)
                break


def _finding(program: Program, rule: Rule, service: Service, variant: Variant, step: LaunchStep) -> Finding:
    by_name = step.start.kind is StartKind.PACKAGE_SCRIPT
    change = _change(program, variant, step)
    return Finding(
        rule.name,
        f"{service.name} is started {_how(rule, step, by_name=by_name)}",
        place_of_fault(program.facts, variant.launch.steps, step),
        confidence=Confidence.LIKELY if by_name else Confidence.CERTAIN,
        trace=tuple(
            Step(inner.source.location, f"{shown(inner.source)} runs `{' '.join(inner.start.words)}`")
            for inner in variant.launch.steps[1:]
        ),
        data={"changes": change},
        severity=Severity.WARNING if variant.format.is_package_script else None,
        no_fix_reason="" if change else "what starts it in production is not known here",
        service=service.name,
    )


def _how(rule: Rule, step: LaunchStep, *, by_name: bool) -> str:
    words = step.start.words
    name = posixpath.basename(words[0])
    said = " ".join(words)
    if by_name:
        return f"by the script `{step.start.target}`, whose name says that it is for development."
    if "--reload" in words:
        return f"with `--reload`: {name} then watches its files, and serves with one process only. Take it away."
    if not step.start.is_dev:
        return (
            f"by `{said}`, which runs the server that its framework has for development. Start it with "
            "a server for production, such as gunicorn or uvicorn."
        )
    known = rule.data["tools"].get(_tool(step), "is made for development")
    return f"by `{said}`, which {known}. Start what it is for production."


def _tool(step: LaunchStep) -> str:
    words = step.start.words
    name = posixpath.basename(words[0])
    return "python" if re.fullmatch(r"python[\d.]*", name) else name


# --- fixes ------------------------------------------------------------------------------------------------------------


def _change(program: Program, variant: Variant, step: LaunchStep) -> dict[str, Any]:
    """Which words of which command to replace by which, {} where nothing is known to do."""
    twin = _twin(program, variant)
    if twin is not None:
        return twin
    if any(each.start.is_dev and each.start.kind is StartKind.PACKAGE_SCRIPT for each in variant.launch.steps):
        return {}  # a script for development is right as it is
    # Developers may start a script too.
    return _plain(step, safe=not step.source.format.is_package_script)


def _plain(step: LaunchStep, *, safe: bool) -> dict[str, Any]:
    """The same command without what makes it one for development."""
    words = list(step.start.words)
    name = posixpath.basename(words[0])
    old: list[str] = []
    new: list[str] = []
    if "--reload" in words:
        old = ["--reload"]
    elif name in ("nodemon", "node-dev") and all(not word.startswith("-") for word in words):
        old, new = words[:2], ["node", *words[1:2]]
    elif name in ("node", "bun", "deno") and "--watch" in words:
        old = ["--watch"]
    elif words[:2] == ["tsx", "watch"]:
        old, new = words[:2], ["tsx"]
    elif words[:2] == ["nest", "start"] and "--watch" in words:
        old = ["--watch"]
    elif words[:2] == ["fastapi", "dev"]:
        old, new = words[:2], ["fastapi", "run"]
    if len(old) + len(new) == 0 or (new and len(old) < 2):
        return {}
    return {"place": whereabouts(step.source), "old": old, "new": new, "safe": safe, "words": words}


def _twin(program: Program, variant: Variant) -> dict[str, Any] | None:
    """`npm run dev` where the package has just one script that starts the same server for production."""
    outer = variant.launch.steps[0]
    if (
        outer.start.kind is not StartKind.PACKAGE_SCRIPT
        or outer.source.format.is_package_script
        or outer.start.workspace
    ):
        return None
    info = program.versions.packages.get(variant.launch.package)
    scripts = [
        name for name in _START_SCRIPTS if info is not None and name in info.scripts and name != outer.start.target
    ]
    plain = [name for name in scripts if info is not None and _is_plain(info.scripts[name], variant.launch.entry)]
    words = outer.start.words
    verb = ["run", outer.start.target] if words[1:3] == ("run", outer.start.target) else [outer.start.target]
    if len(plain) != 1 or tuple(words[1 : 1 + len(verb)]) != tuple(verb):
        return None
    new = ["start"] if plain[0] == "start" else ["run", plain[0]]
    return {"place": whereabouts(outer.source), "old": [words[0], *verb], "new": [words[0], *new], "safe": True,
            "words": list(words)}  # fmt: skip


def _is_plain(script: str, entry: str) -> bool:
    """Whether a script is `node` with the very file that the service starts from: then nothing has to be built."""
    match = re.fullmatch(r"(?:(?:cross-env )?\w+=\S+ )*node (?:\./)?(\S+)", script.strip())
    return match is not None and bool(entry) and (entry == match[1] or entry.endswith(f"/{match[1]}"))


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The command without its option or its tool for development, or the script for production in its place."""
    change = finding.data["changes"]
    if not change:
        return "what starts it in production is not known here"
    edits = _edits(program, change)
    title = f"Start it with `{' '.join(_replaced(change['words'], change['old'], change['new']))}`"
    return Fix(title, Applicability.SAFE if change["safe"] else Applicability.UNSAFE, edits) if edits else ODD_FORM


def _replaced(words: Sequence[str], old: Sequence[str], new: Sequence[str]) -> list[str]:
    for at in range(len(words)):
        if list(words[at : at + len(old)]) == list(old):
            return [*words[:at], *new, *words[at + len(old) :]]
    return list(words)


def _edits(program: Program, change: Any) -> Edits | None:
    from prodlint.fixes import start_commands as starts

    path, kind = change["place"]["path"], change["place"]["kind"]
    command = command_of(program.facts, change["place"], change["words"][0])
    if command is None:
        return None
    source = program.read(path)
    if not change["new"]:
        return starts.drop_word(path, kind, source, command, re.escape(change["old"][0]))
    return starts.replace_words(path, kind, source, command, change["old"], change["new"])
