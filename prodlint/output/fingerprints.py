"""What a finding is known by when the file around it changes: for code scanning services, baselines and editors."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

from prodlint.findings import Finding
from prodlint.output.places import Places

FINGERPRINT_NAME = "prodlintFindingHash/v1"


def fingerprints(findings: Iterable[Finding], places: Places) -> list[str]:
    """One hash per finding, in their order, made of the rule, the path below the project root, and the line's text.

    White space does not count, so that a reformatted or moved line stays the same finding; of several that
    are alike, the first in the file is the first again. `findings` has to be in the order of `in_order`.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    hashes = []
    for finding in findings:
        identity = (finding.rule, finding.location.path, "".join(places.source_line(finding.location).split()))
        seen[identity] += 1
        text = "\0".join((*identity, str(seen[identity])))
        hashes.append(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32])
    return hashes
