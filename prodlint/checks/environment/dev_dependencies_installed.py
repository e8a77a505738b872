"""dev-dependencies-installed: an image with the packages in it that only developers need."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Finding, Fix, Location
from prodlint.fixes.reasons import ODD_FORM
from prodlint.lazy_regex import regex
from prodlint.numerals import whole_number
from prodlint.program.services import services_in
from prodlint.program.services.images import Image
from prodlint.program.services.npm_packages import named_in_code
from prodlint.program.services.package_installs import Install, dev_install, run_starts
from prodlint.program.services.start_faults import main_fault
from prodlint.program.services.start_texts import start_texts
from prodlint.program.services.variants import base_of, each_place_once, in_containers

if TYPE_CHECKING:
    from prodlint.extract.deployment.package_json import PackageInfo
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.rulebook import Rule

_LIFECYCLE = ("prepare", "preinstall", "install", "postinstall", "prepublish")
_OPTIONS = {"npm": "--omit=dev", "yarn": "--production", "pnpm": "--prod", "bun": "--production"}
_OLD_NPM = 16
"""Node images below have an npm that knows `--production` only."""
_RUNTIMES = frozenset(
    {"ts-node", "tsx", "@swc-node/register", "nps", "esbuild-register", "tsconfig-paths", "@nestjs/cli"}
)
"""Packages that compile or start TypeScript where the service runs."""
_COMMANDS = frozenset({"tsc", "ts-node", "tsx", "sequelize", "knex", "typeorm", "prisma", "build", "nps"})
_JOB = regex(r"\b(?:npm|yarn|pnpm|bun|npx)\b[\s\",]+(?!start\b|run[\s\",]+start\b)\w")
_DEV_REQUIREMENTS = regex(r"(?:^|[-_./])(?:dev|develop|development|tests?|testing)(?:[-_./]|$)", re.IGNORECASE)


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for a service whose image has the dependencies for development in it."""
    return each_place_once(_all(program, rule))


def _all(program: Program, rule: Rule) -> Iterator[Finding]:
    for service in services_in(program):
        for variant in in_containers(service):
            finding = _node(program, rule, service, variant) if service.language == "node" else None
            if service.language == "python":
                finding = _python(program, rule, service, variant)
            if finding is not None:
                yield finding
                break


def _node(program: Program, rule: Rule, service: Service, variant: Variant) -> Finding | None:
    info = program.versions.packages.get(service.package)
    install = dev_install(program, variant)
    if install is None or info is None or not info.dev_dependencies or main_fault(program, variant):
        return None
    if _starts_dev_tool(program, variant, info):
        return None
    path = variant.image.partition("#")[0]
    option = _option(variant, install, info)
    said = " ".join(install.words)
    count = len(info.dev_dependencies)
    is_simple = not install.builds and bool(option) and not any(name in info.scripts for name in _LIFECYCLE)
    advice = f"Add `{option}`." if is_simple else "Leave them out, or prune them when all is built."
    return Finding(
        rule.name,
        f"`{said}` installs what only developers of {service.name} need too: {count} "
        f"{'package' if count == 1 else 'packages'} and all they bring, to be downloaded, stored and searched for "
        f"holes. {advice}",
        Location(path, install.setting.start, install.setting.end),
        data={"stage": install.stage.name, "words": list(install.words), "option": option, "simple": is_simple,
              "manager": install.manager, "start": install.setting.start},
        no_fix_reason="" if option else "how this version of its package manager leaves them out is not known here",
        service=service.name,
    )  # fmt: skip


def _starts_dev_tool(program: Program, variant: Variant, info: PackageInfo) -> bool:
    """Whether the service is started by a package for development, and would not start without it."""
    words = {posixpath.basename(word) for step in variant.launch.steps for word in step.start.words}
    words |= {wrapper for step in variant.launch.steps for wrapper in step.start.wrappers}
    bare = {name.rpartition("/")[2] for name in info.dev_dependencies}
    return bool(words & (bare | set(info.dev_dependencies))) or any(
        name.partition("/")[0] in info.dev_dependencies for step in variant.launch.steps for name in step.start.words
    )


def _option(variant: Variant, install: Install, info: PackageInfo) -> str:
    """The option that leaves them out, "" where that depends on a version that is not known."""
    manager = install.manager.removesuffix("pkg")
    if manager == "yarn" and "--immutable" in install.words:
        return ""  # Yarn 2 and above have no such option
    image = re.match(r"(?:.*/)?node:([0-9]+)", base_of(variant))
    version = whole_number(image[1]) if image is not None else None
    if manager == "npm" and version is not None and version < _OLD_NPM:
        return "--production"
    return _OPTIONS.get(manager, "")


def _python(program: Program, rule: Rule, service: Service, variant: Variant) -> Finding | None:
    path, _, name = variant.image.partition("#")
    facts = program.facts.get(path)
    stage = next((each for each in facts.artefacts if each.name == name), None) if facts is not None else None
    if facts is None or stage is None or main_fault(program, variant):
        return None
    for each in Image(path, facts, stage, "").stages:
        for setting in each.settings:
            for start in run_starts(setting) if setting.key.startswith("run.") else ():
                if not start.is_conditional and _installs_for_development(list(start.words)):
                    return Finding(
                        rule.name,
                        f"`{' '.join(start.words)}` installs what only developers of {service.name} need. Install "
                        "what it needs in production alone.",
                        Location(path, setting.start, setting.end),
                        no_fix_reason="which packages it needs in production is not known here",
                        service=service.name,
                    )
    return None


def _installs_for_development(words: list[str]) -> bool:
    name = posixpath.basename(words[0]) if words else ""
    if name.startswith("python") and words[1:3] == ["-m", "pip"]:
        words, name = words[2:], "pip"
    if name == "uv" and words[1:2] == ["pip"]:
        words, name = words[1:], "pip"
    if re.fullmatch(r"pip[\d.]*", name) and "install" in words:
        files = [second for first, second in itertools.pairwise(words) if first in ("-r", "--requirement")]
        return any(_DEV_REQUIREMENTS.search(posixpath.splitext(file)[0]) for file in files)
    return name == "pipenv" and "install" in words and bool({"--dev", "-d"} & set(words))


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The option that leaves them out; where they are needed to build, they are pruned at the end of the stage."""
    from prodlint.fixes import lines
    from prodlint.fixes import start_commands as starts

    data, path = finding.data, finding.location.path
    source = program.read(path)
    stage = next(stage for stage in program.facts[path].artefacts if stage.name == data["stage"])
    setting = next(each for each in stage.settings if each.key.startswith("run.") and each.start == data["start"])
    if data["simple"]:
        words = data["words"]
        edits = starts.replace_words(path, "dockerfile", source, setting, words, [*words, data["option"]])
        safety = Applicability.SAFE if _is_safe(program, rule, path) else Applicability.UNSAFE
        return Fix(f"Add `{data['option']}`", safety, edits) if edits else ODD_FORM
    prune = {"npm": f"npm prune {data['option']}", "pnpm": "pnpm prune --prod"}.get(data["manager"])
    edits = lines.insert_instruction(path, source, stage.start, f"RUN {prune}") if prune else None
    return (
        Fix(f"Run `{prune}` at the end", Applicability.UNSAFE, edits)
        if edits
        else "its package manager cannot take them away again"
        if prune is None
        else ODD_FORM
    )


def _is_safe(program: Program, rule: Rule, path: str) -> bool:
    """Whether nothing that is started from a Dockerfile's images needs a package for development: all of them are known
    tools, neither code nor a start command names one, and no other command is run in these images."""
    prefixes = tuple(rule.data.get("tools", ()))
    services = [(service, variant) for service in services_in(program) for variant in service.variants]
    users = [(service, variant) for service, variant in services if variant.image.partition("#")[0] == path]
    for service, variant in users:
        info = program.versions.packages.get(service.package)
        if info is None or not variant.launch.entry.endswith((".js", ".cjs", ".mjs")):
            return False
        if not all(name.startswith(prefixes) for name in info.dev_dependencies):
            return False
        packages = set(info.dev_dependencies)
        commands = {name for name in packages if not name.startswith("@types/")}
        words = {word for name in commands for word in (name, name.rpartition("/")[2])}
        if any(_names_one(text, words) for text in start_texts(program, variant)):
            return False
        is_typed = any(name.startswith("@types/") for name in packages)
        if (is_typed and _RUNTIMES & info.dependencies.keys()) or named_in_code(program, packages, packages):
            return False
    return bool(users) and not _has_jobs(program)


def _names_one(text: str, words: set[str]) -> bool:
    """Whether a command runs a package for development, by its own name or that of a tool that it brings."""
    said = set(re.split(r"[^\w@.-]+", text))
    return bool(said & (words | _COMMANDS)) or "npx" in said


def _has_jobs(program: Program) -> bool:
    """Whether something else than a service is run in an image: a compose service or a workflow with a command for a
    test, a migration or the like."""
    return any(
        _JOB.search(setting.value or "")
        for facts in program.facts.values()
        if facts.kind in ("compose", "workflow", "kubernetes", "makefile", "shell", "package_json")
        for artefact in facts.artefacts
        for setting in artefact.settings
        if facts.kind == "compose" or "docker" in (setting.value or "")
    )
