"""`gzip on` without `gzip_types`: only HTML is compressed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Applicability, Finding, Fix, Location
from prodlint.fixes.reasons import ODD_FORM
from prodlint.program.proxies import Compression, Pass, Proxy, proxies_in
from prodlint.program.proxies.nginx_config import Block, Directive
from prodlint.program.web.compression import may_compress

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """One finding for each `gzip on` that counts where requests are handed on to a service."""
    seen: set[Location] = set()
    for proxy in proxies_in(program).production:
        for each in proxy.passes:
            place = _switch(each)
            confidence = proxies_in(program).leads_to_service(each)
            if place is None or confidence is None or place[1].location in seen or _is_done_inside(program, proxy):
                continue
            block, switch = place
            seen.add(switch.location)
            yield Finding(
                rule.name,
                "`gzip on` alone compresses HTML and nothing else: JSON, JavaScript and CSS go out as they are. "
                "Name their types in `gzip_types`.",
                switch.location,
                confidence=confidence,
                data={"block": block.location.start},
                no_fix_reason=""
                if block.path == switch.location.path
                else "the directive is in a file that others include",
            )


def _switch(each: Pass) -> tuple[Block, Directive] | None:
    """The `gzip on` that counts at a pass, with its block, if nothing says which types."""
    if each.block is None or each.compression is not Compression.HTML_ONLY or each.block.value("gzip") != "on":
        return None
    for block in each.block.around():
        if own := block.own("gzip"):
            return block, own[-1]
    return None


def _is_done_inside(program: Program, proxy: Proxy) -> bool:
    return any(may_compress(program, service) for service in proxies_in(program).candidates_behind(proxy))


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """Names the types behind the switch."""
    from prodlint.fixes import nginx

    path = finding.location.path
    texts = [nginx.written("gzip_types", *rule.data["types"])]
    edits = nginx.insert(path, program.read(path), finding.data["block"], texts, beside="gzip")
    return Fix("Compress other types than HTML too", Applicability.SAFE, edits) if edits else ODD_FORM
