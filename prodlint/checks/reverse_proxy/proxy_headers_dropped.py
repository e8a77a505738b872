"""A block whose `proxy_set_header` takes all inherited ones away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.checks.wording import code_list
from prodlint.findings import Applicability, Finding, Fix, Location, Step
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.proxies import proxies_in
from prodlint.program.proxies.forwarded_headers import dropped, is_about_the_client, missing

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each block that loses what tells a service about its client."""
    seen: set[Location] = set()
    for proxy in proxies_in(program).production:
        for each in proxy.passes:
            confidence = proxies_in(program).leads_to_service(each)
            found = dropped(each.block) if each.block is not None and confidence is not None else None
            if found is None or confidence is None or found.block.location in seen:
                continue
            lost = [directive for directive in found.lost if is_about_the_client(directive)]
            wanted = {name.lower() for name in missing(each)}
            needed = [directive for directive in lost if directive.value.lower() in wanted]
            if not needed:
                continue
            seen.add(found.block.location)
            names = code_list([directive.value for directive in needed])
            yield Finding(
                rule.name,
                f"A block that sets one header for the service loses all that it would inherit: here {names}. "
                "Repeat what should stay.",
                found.first.location,
                confidence=confidence,
                related=tuple(Step(directive.location, "this is lost") for directive in needed),
                data={
                    "path": found.block.path,
                    "block": found.block.location.start,
                    "lines": [directive.args for directive in lost],
                },
            )


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Repeats in the block what it loses of what is about the client."""
    from prodlint.fixes import nginx

    path = finding.data["path"]
    texts = [nginx.written("proxy_set_header", *args) for args in finding.data["lines"]]
    edits = nginx.insert(
        path, program.read(path), finding.data["block"], texts, beside="proxy_set_header", before=("proxy_pass",)
    )
    return Fix("Repeat the headers that are lost", Applicability.SAFE, edits) if edits else ODD_FORM
