"""HAProxy without timeouts, which keeps dead connections for ever."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.checks.wording import code_list
from prodlint.findings import Applicability, Edit, Finding, Fix, Location, Step
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.proxies import proxies_in
from prodlint.program.proxies.haproxy_config import Section
from prodlint.program.services.environment_evidence import is_dev_path

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_NEEDED = {
    "frontend": ("client",),
    "backend": ("connect", "server"),
    "listen": ("connect", "client", "server"),
}
"""The timeouts that HAProxy warns of when a section of each kind has none."""
_TUNNEL = "tunnel"


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each `defaults` section, or each section without one, in which timeouts are missing."""
    places: dict[Location, list[tuple[Section, Section, list[str]]]] = defaultdict(list)
    for section in proxies_in(program).haproxy.sections:
        names = _missing(program, section)
        if names and not is_dev_path(section.location.path):
            place = section.defaults or section
            places[place.location].append((place, section, names))
    for found in places.values():
        yield _finding(rule, found)


def _missing(program: Program, section: Section) -> list[str]:
    haproxy = proxies_in(program).haproxy
    if section.is_unknown or (section.defaults is None and haproxy.may_have_other_defaults(section)):
        return []
    return [name for name in _NEEDED.get(section.kind, ()) if not section.in_force("timeout", name)]


def _finding(rule: Rule, found: list[tuple[Section, Section, list[str]]]) -> Finding:
    place = found[0][0]
    names = [name for name in ("connect", "client", "server") if any(name in each for _, _, each in found)]
    missing = code_list([f"timeout {name}" for name in names])
    sections = [section for _, section, _ in found if section is not place]
    where = "here" if place.kind == "defaults" else f"in `{place.title}`"
    return Finding(
        rule.name,
        f"Nothing sets {missing}: HAProxy keeps connections whose other end is gone for ever, until it has no more "
        f"left. Set {'it' if len(names) == 1 else 'them'} {where}.",
        place.anchor,
        related=tuple(Step(section.anchor, "applies here") for section in sections),
        data={"section": place.location.start, "names": [*names, *_tunnel(place, names)]},
    )


def _tunnel(place: Section, names: list[str]) -> list[str]:
    """The timeout of web sockets, which otherwise would be ended as soon as nobody says anything for a while."""
    return [_TUNNEL] if "server" in names and not place.in_force("timeout", _TUNNEL) else []


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Adds the timeouts to the section."""
    from prodlint.fixes import haproxy

    path = finding.location.path
    texts = [f"timeout {name} {rule.data['timeouts'][name]}" for name in finding.data["names"]]
    edits: tuple[Edit, ...] | None = haproxy.insert(
        path, program.read(path), finding.data["section"], texts, beside="timeout"
    )
    return Fix("Set the timeouts", Applicability.SAFE, edits) if edits else ODD_FORM
