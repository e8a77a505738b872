"""low-file-limit: a service that runs out of file descriptors before it runs out of anything else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Finding, Fix
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.services import services_in
from prodlint.program.services.file_limits import file_limit, sets_file_limit
from prodlint.program.services.variants import in_production
from prodlint.program.web.exposure import answers_requests
from prodlint.program.web.process_counts import answers_one_at_a_time

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service, Variant
    from prodlint.rulebook import Rule

_LOW = 4096
_ENOUGH = "65535"
_RAISES = ("resource.setrlimit", "posix.setrlimit")


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for a web service that has a low limit set, or keeps systemd's default of 1024."""
    raises = any(program.api_calls.get(api) for api in _RAISES)
    for service in services_in(program):
        for variant in in_production(service):
            if not answers_requests(program, service, variant):
                continue
            finding = _low(rule, service, variant) or (None if raises else _default(rule, service, variant))
            if finding is not None:
                yield finding
                break


def _low(rule: Rule, service: Service, variant: Variant) -> Finding | None:
    limit = file_limit(variant)
    if limit is None or limit.said.by is None:
        return None
    # Node raises its soft limit to the hard one by itself.
    number = limit.hard if service.language == "node" else limit.soft
    if number >= _LOW:
        return None
    return Finding(
        rule.name,
        f"Each connection takes a file descriptor, and {service.name} gets {number:g}: the next connections fail with "
        f"EMFILE. Set {_ENOUGH}.",
        limit.said.by.location,
        data={"path": limit.said.by.path, "kind": limit.said.by.kind, "start": limit.said.by.location.start},
        no_fix_reason=""
        if limit.said.by.kind in ("systemd", "upstart")
        else "how much its machine bears is not known here",
        service=service.name,
    )


def _default(rule: Rule, service: Service, variant: Variant) -> Finding | None:
    if answers_one_at_a_time(variant):
        return None  # so it has one connection at a time
    if variant.kind == "upstart" and not sets_file_limit(variant):
        return Finding(
            rule.name,
            f"Upstart gives {service.name} 1024 file descriptors, or 4096 if it asks: with each connection taking one "
            f"or two, the next ones fail with EMFILE. Add `limit nofile {_ENOUGH} {_ENOUGH}`.",
            variant.outer.location,
            data={"path": variant.outer.path, "kind": "upstart"},
            service=service.name,
        )
    if variant.kind != "systemd" or service.language == "node" or sets_file_limit(variant):
        return None
    return Finding(
        rule.name,
        f"systemd gives {service.name} 1024 file descriptors if it does not ask for more, and Python does not: with "
        f"each connection taking one or two, the next ones fail with EMFILE. Add `LimitNOFILE={_ENOUGH}`.",
        variant.outer.location,
        data={"path": variant.outer.path, "kind": "systemd"},
        service=service.name,
    )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """A bounded limit in the unit."""
    from prodlint.fixes import systemd_units as units
    from prodlint.fixes import upstart_jobs as jobs

    path = finding.data["path"]
    if finding.data["kind"] == "upstart":
        text, source = f"limit nofile {_ENOUGH} {_ENOUGH}", program.read(path)
        start = finding.data.get("start", -1)
        job = jobs.add_stanzas(path, source, text) if start < 0 else jobs.replace_stanza(path, source, start, text)
        return Fix(f"Add `{text}`", Applicability.UNSAFE, job) if job else ODD_FORM
    edits = units.set_values(path, program.read(path), "Service", {"LimitNOFILE": _ENOUGH})
    return Fix(f"Set `LimitNOFILE={_ENOUGH}`", Applicability.UNSAFE, edits) if edits else ODD_FORM
