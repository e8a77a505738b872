"""Links projects several times, files and calls in another order each time, and says what differs.

    python benchmarks/order.py PROJECT... [--times 3] [--show 5]

Nothing may: not what a call's callee can be, not an edge, context or registration, not a finding, not a fix. Each
project is linked with its files in the order of their paths first. `again` are calls whose callee is found to be
something else when it is asked for once more after linking. Exit status 1 if anything differs.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from prodlint.analysis.session import Session  # noqa: E402
from prodlint.findings import Fix  # noqa: E402
from prodlint.program.linking.program import Program  # noqa: E402
from tests.program.described import Names, facts_of  # noqa: E402
from tests.program.orders import resolved_again, shuffled  # noqa: E402

Pieces = Mapping[str, object]


def pieces_of(program: Program, session: Session) -> Pieces:
    """All that must not differ, by name; the first word says what kind of thing it is."""
    pieces: dict[str, object] = dict(facts_of(program))
    for number, finding in enumerate(session.findings()):
        known = (finding.location, finding.rule, finding.message, finding.confidence, finding.trace)
        pieces[f"findings {number}"] = known
        fix = session.fix_for(finding)
        pieces[f"fixes {known[:3]}"] = session.edits_of(fix) if isinstance(fix, Fix) else fix
    return pieces


def again(program: Program, seed: int) -> Iterable[str]:
    """The calls whose callee is found to be something else once everything is linked."""
    names = Names(program)
    for file, index, found in resolved_again(program, seed):
        before = frozenset(program.graph.targets[file.index][index])
        if before != found:
            words = [sorted(map(names.target, each)) for each in (before, found)]
            yield f"{file.path}@{file.facts.calls[index].start}: {_short(words[0])} then {_short(words[1])}"


def opened(folder: Path) -> Session:
    """A fresh session that shares nothing with others."""
    return Session.open([folder], preview=True)


def main() -> int:
    """Compares, prints, and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", nargs="+", type=Path, metavar="PROJECT")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--show", type=int, default=5, help="how many differences of a kind are shown")
    options = parser.parse_args()
    failed = False
    for folder in options.projects:
        session = opened(folder.resolve())
        facts = session.linked
        expected = pieces_of(session.program, session)
        kinds = Counter(name.partition(" ")[0] for name in expected)
        differ: dict[str, set[str]] = {}
        for seed in range(options.times):
            with shuffled(seed):
                other = opened(folder.resolve())
                other.__dict__["_extraction"] = session._extraction
                found = pieces_of(other.program, other)
            for name in expected.keys() | found.keys():
                if expected.get(name) != found.get(name):
                    text = f"{name}: {_short(expected.get(name))} or {_short(found.get(name))}"
                    differ.setdefault(name.partition(" ")[0], set()).add(text)
        differ["again"] = set(again(session.program, options.times))
        kinds["again"] = kinds["targets"]
        print(f"{folder.name}: {len(facts)} files")
        for kind, number in kinds.items():
            wrong = sorted(differ.get(kind, ()))
            names = {text.partition(": ")[0] for text in wrong}
            print(f"  {kind}: {len(names)} of {number} differ")
            for text in wrong[: options.show]:
                print(f"    {text}")
        failed |= any(differ.values())
    return int(failed)


def _short(piece: object) -> str:
    text = str(sorted(piece) if isinstance(piece, frozenset) else piece)
    return text if len(text) < 200 else f"{text[:200]}…"


if __name__ == "__main__":
    sys.exit(main())
