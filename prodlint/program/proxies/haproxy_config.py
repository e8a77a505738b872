"""HAProxy configuration as HAProxy sees it: sections with the defaults that are in force in them.

Source: HAProxy's configuration manual, 4 "Proxies" (what `defaults` hands down), 4.2 "Alphabetically sorted keywords".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import msgspec

from prodlint.extract.deployment.haproxy import PROXIES
from prodlint.facts import Artefact, FileFacts
from prodlint.findings import Location
from prodlint.program.proxies.nginx_config import Directive


class Section(msgspec.Struct, eq=False):
    """A `frontend`, `backend`, `listen` or `defaults` section."""

    kind: str
    name: str
    """What it is called, "" for nothing."""
    location: Location
    anchor: Location
    """Its first line."""
    lines: list[Directive] = []
    defaults: Section | None = None

    @property
    def title(self) -> str:
        """The section as it is written: `backend app`."""
        return f"{self.kind} {self.name}".rstrip()

    def around(self) -> Iterator[Section]:
        """The section itself, then the defaults that it takes from."""
        section: Section | None = self
        seen: list[Section] = []
        while section is not None and section not in seen:
            seen.append(section)
            yield section
            section = section.defaults

    def own(self, *words: str) -> list[Directive]:
        """The lines of the section that start with some words: `own("timeout", "client")`."""
        return [line for line in self.lines if _starts(line, words)]

    def in_force(self, *words: str) -> list[Directive]:
        """The lines that start with some words, here or in the defaults; a `no …` takes them back."""
        for section in self.around():
            if section.own("no", *words):
                return []
            if found := section.own(*words):
                return found
        return []

    @property
    def is_unknown(self) -> bool:
        """Whether a template fills in lines of it, or of its defaults."""
        return any(line.args is None for section in self.around() for line in section.lines)

    @property
    def mode(self) -> str:
        """`http`, or `tcp` where nothing is said."""
        found = self.in_force("mode")
        return found[-1].value if found else "tcp"


def _starts(line: Directive, words: tuple[str, ...]) -> bool:
    return line.name == words[0] and (line.args or ())[: len(words) - 1] == words[1:]


class HAProxy:
    """All HAProxy configuration of a project."""

    def __init__(self, files: Mapping[str, FileFacts]) -> None:
        """`files`: all facts by path; those of other formats are left alone."""
        self.sections: list[Section] = []
        """All sections that are about proxying, file by file."""
        for path, facts in sorted(files.items()):
            if facts.kind == "haproxy":
                self.sections += _sections(path, facts)

    def may_have_other_defaults(self, section: Section) -> bool:
        """Whether the `defaults` of another file may count in a section: several files can be read as one."""
        path = section.location.path
        return any(each.kind == "defaults" and each.location.path != path for each in self.sections)

    def section_of(self, place: Location) -> Section | None:
        """The section that a line stands in."""
        return next((each for each in self.sections if any(line.location == place for line in each.lines)), None)

    def backend(self, name: str, near: Section) -> Section | None:
        """The backend of a name: of the same file if there is one, else of any other file of the project."""
        found = [each for each in self.sections if each.kind in ("backend", "listen") and each.name == name]
        same = [each for each in found if each.location.path == near.location.path]
        return next(iter(same or found), None)


def _sections(path: str, facts: FileFacts) -> list[Section]:
    by_name: dict[str, Section] = {}
    for artefact in facts.artefacts:
        if artefact.kind in PROXIES:
            section = _section(path, artefact)
            section.defaults = by_name.get(artefact.parent)
            by_name[artefact.name] = section
    return list(by_name.values())


def _section(path: str, artefact: Artefact) -> Section:
    name = artefact.name.partition(" ")[2].partition("#")[0]
    section = Section(
        artefact.kind,
        name,
        Location(path, artefact.start, artefact.end),
        Location(path, artefact.anchor, artefact.anchor_end),
    )
    for setting in artefact.settings:
        args = None if setting.value is None else tuple(json.loads(setting.value))
        section.lines.append(Directive(setting.key, args, Location(path, setting.start, setting.end)))
    return section
