"""A load balancer that does not notice when a server is down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Edit, Finding, Fix, Step
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.proxies import proxies_in
from prodlint.program.proxies.haproxy import servers_of
from prodlint.program.proxies.haproxy_config import Section
from prodlint.program.proxies.nginx_config import Block, Directive
from prodlint.program.services.environment_evidence import is_dev_path

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_CHECKED = frozenset({"check", "track", "no-check", "agent-check", "disabled"})
_QUESTIONS = (
    *("httpchk", "tcp-check", "external-check", "ldap-check", "mysql-check", "pgsql-check", "redis-check", "smtpchk"),
    *("spop-check", "ssl-hello-chk"),
)
"""Options that say what a check asks: a server that does not answer it so is taken for one that is down."""
_NOT_IN_USE = frozenset({"disabled", "backup"})


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each HAProxy backend, and for each nginx upstream, with several servers that nobody checks."""
    for section in proxies_in(program).haproxy.sections:
        if section.kind in ("backend", "listen") and not is_dev_path(section.location.path):
            yield from _haproxy(rule, section)
    for tree in proxies_in(program).nginx.files:
        for block in tree.below():
            if block.name == "upstream" and not is_dev_path(block.path):
                yield from _nginx(rule, block)


def _haproxy(rule: Rule, section: Section) -> Iterator[Finding]:
    servers = servers_of(section)
    words = [set(server.args or ()) for server in servers]
    if section.is_unknown or any("check" in (line.args or ()) for line in _default_servers(section)):
        return
    in_use = [each for each in words if not each & _NOT_IN_USE]
    unchecked = [server for server, each in zip(servers, words, strict=True) if not each & _CHECKED]
    # HAProxy sends requests to a spare server when it knows that the others are down, and not before.
    has_spare = any("backup" in each for each in words) and any(not each & _CHECKED for each in in_use)
    many = len(in_use) > 1 or has_spare or any(server.name == "server-template" for server in servers)
    if not unchecked or not many:
        return
    effect = (
        "and goes on to send it its share of the requests when it is down"
        if not has_spare or len(in_use) > 1
        else "so it never turns to the spare one"
    )
    has_request = bool(section.in_force("option", "httpchk"))
    why = "`option httpchk` only says how" if has_request else "nothing does so by itself"
    yield Finding(
        rule.name,
        f"HAProxy does not check whether this server of `{section.title}` is up ({why}), {effect}. Add `check`.",
        unchecked[0].location,
        related=tuple(Step(server.location, "nor this one") for server in unchecked[1:]),
        data={
            "format": "haproxy",
            "lines": [server.location.start for server in unchecked],
            "asks": any(section.in_force("option", kind) for kind in _QUESTIONS),
        },
    )


def _default_servers(section: Section) -> list[Directive]:
    return [line for around in section.around() for line in around.own("default-server")]


def _nginx(rule: Rule, block: Block) -> Iterator[Finding]:
    servers = block.own("server")
    off = [server for server in servers if "max_fails=0" in (server.args or ())]
    if len(servers) < 2 or len(off) < len(servers) or block.gaps:
        return
    yield Finding(
        rule.name,
        f"`max_fails=0` keeps nginx from noticing that a server of `{block.title}` is down, and it goes on to send it "
        "its share of the requests. Leave it out.",
        off[0].location,
        related=tuple(Step(server.location, "here too") for server in off[1:]),
        data={"format": "nginx", "places": [(server.location.path, server.location.start) for server in off]},
    )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Has the servers checked; takes away what switches nginx's own way of noticing off."""
    path = finding.location.path
    if finding.data["format"] == "haproxy":
        from prodlint.fixes import haproxy

        made = haproxy.append_words(path, program.read(path), finding.data["lines"], "check")
        safety = Applicability.UNSAFE if finding.data["asks"] else Applicability.SAFE
        return Fix("Check whether the servers are up", safety, made) if made else ODD_FORM
    from prodlint.fixes import nginx

    edits: list[Edit] = []
    for file, start in finding.data["places"]:
        deleted = nginx.delete_argument(file, program.read(file), start, "max_fails=0")
        if deleted is None:
            return ODD_FORM
        edits += deleted
    return Fix("Leave `max_fails=0` out", Applicability.UNSAFE, tuple(edits))
