"""debug-enabled: a debugger, or an option for debugging, in what runs in production."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Finding, Fix
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.faults import dev_server
from prodlint.program.operations import command_of, in_production, place_of, whereabouts

if TYPE_CHECKING:
    from prodlint.program import Program
    from prodlint.program.launches import Hop
    from prodlint.program.services import Service, Variant
    from prodlint.rulebook import Rule

_NODE_PROGRAMS = frozenset({"node", "nodejs", "ts-node", "tsx", "babel-node"})
_INSPECTS = re.compile(r"--(?:inspect(?:-brk|-wait)?|debug(?:-brk)?)(?:=.*)?")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for a service that some variant for production starts for debugging."""
    for service in program.services:
        for variant in in_production(service):
            # A server for development is worse, and says so itself.
            found = None if dev_server(program, variant) else _in_command(variant)
            if found is not None:
                yield _finding(program, rule, service, variant, *found)
                break


def _in_command(variant: Variant) -> tuple[Hop, str, str] | None:
    """The command, the word of it that is for debugging, and what that does."""
    for hop in reversed(variant.launch.hops):
        words = hop.start.words
        name = posixpath.basename(words[0]) if words else ""
        if name in _NODE_PROGRAMS:
            for word in words[1:]:
                if not word.startswith("-"):
                    break  # what follows is for the program
                if _INSPECTS.fullmatch(word):
                    return hop, word, "opens a port on which whoever reaches it runs code in the service"
        if name.startswith("python") and words[1:2] == ("-m",) and words[2:3] in (("pdb",), ("debugpy",)):
            return hop, f"-m {words[2]}", "stops the service for a debugger"
        if hop.start.is_dev and "--debug" in words:
            return hop, "--debug", "makes it show its insides to visitors"
    return None


def _finding(
    program: Program, rule: Rule, service: Service, variant: Variant, hop: Hop, word: str, effect: str
) -> Finding:
    can_drop = not word.startswith("-m")
    return Finding(
        rule.name,
        f"{service.name} is started with `{word}`, which {effect}. Take it away.",
        place_of(program.facts, hop if hop.source.kind != "shell" else variant.launch.hops[0]),
        data={"place": whereabouts(hop.source), "word": word},
        fixless="" if can_drop else "how it is started without its debugger is not known here",
        service=service.name,
    )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The command without the option. A script of package.json may be used by developers."""
    from prodlint.fixes import starts

    place, word = finding.data["place"], finding.data["word"]
    command = None if finding.fixless else command_of(program.facts, place, word)
    if command is None:
        return "the command is not known here"
    edits = starts.drop_word(place["path"], place["kind"], program.read(place["path"]), command, re.escape(word))
    safety = Applicability.UNSAFE if place["kind"] == "package_json" else Applicability.SAFE
    return Fix(f"Take `{word}` away", safety, edits) if edits else ODD_FORM
