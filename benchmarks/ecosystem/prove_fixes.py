"""Fixes on real code: makes all of them in copies of the pinned applications, and holds the result to the laws.

    python benchmarks/ecosystem/prove_fixes.py DIR [--app NAME] [--folders] [--safe] [--preview] [--json FILE]
                                               [--diffs DIR]
    python benchmarks/ecosystem/prove_fixes.py --table FILE...     # the numbers of such files as a table in Markdown

DIR is where `scripts/ecosystem.py fetch` has unpacked the applications, or with `--folders` any folder of projects;
nothing in it is changed. `--diffs` keeps what the fixes did, for reading. The laws:

- a changed file still parses: `node --check` for JavaScript, TypeScript's own parser (npm's `typescript`, found through
  NODE_PATH), `compile()` for Python, and each format's own reader for the rest
- what is said to be fixed is gone, nothing new is found by any rule, and a fresh run finds what the fix loop said
- a second run changes nothing
- every line that no edit touches is the same, byte by byte; every comment is still there
- line ends, byte order mark and the file's mode are as they were
- new lines are indented like the file, and its strings have the file's quotes

Prints a table by rule (offered, made, withheld and why), and each law that was broken. Exit code 1 if any was.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tree_sitter_javascript
import tree_sitter_python
import tree_sitter_typescript
from tree_sitter import Language, Parser, Query, QueryCursor

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from prodlint.analysis.session import Session  # noqa: E402
from prodlint.findings import Applicability, Confidence, Finding, Fix  # noqa: E402
from prodlint.fixes.apply import FixOutcome, fix_all, write  # noqa: E402
from prodlint.fixes.diff import unified_diff  # noqa: E402
from scripts.ecosystem import APPS, EcosystemError, load_apps, say  # noqa: E402

_TYPESCRIPT = """
const ts = require('typescript'), fs = require('fs');
for (const path of JSON.parse(fs.readFileSync(0, 'utf8'))) {
  const source = ts.createSourceFile(path, fs.readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, false);
  const [first] = source.parseDiagnostics;
  if (first) console.log(JSON.stringify([path, String(first.messageText)]));
}
"""
_SCRIPTS = (".js", ".cjs", ".mjs", ".jsx", ".ts", ".mts", ".cts", ".tsx")


@dataclass
class Proof:
    """What came of one application."""

    offered: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    withheld: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    fixless: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    files: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    diff: bytes = b""


def prove(folder: Path, *, unsafe: bool, preview: bool) -> Proof:
    """Fixes the application in `folder`, which is changed, and checks the laws."""
    proof = Proof()
    before = _opened(folder, preview)
    for finding in before.findings():
        if finding.confidence is not Confidence.CERTAIN:
            continue
        fix = before.fix_for(finding)
        if isinstance(fix, Fix):
            proof.offered[finding.rule] += 1
        elif fix:
            proof.fixless[finding.rule][_of_a_kind(fix)] += 1

    def choose(finding: Finding, fix: Fix) -> bool:
        is_sure = finding.confidence is Confidence.CERTAIN
        return is_sure and (unsafe or fix.applicability is Applicability.SAFE)

    outcome = fix_all(before, choose)
    proof.diff = b"".join(_explained(outcome))
    modes = {path: (folder / path).stat().st_mode for path in outcome.changed}
    proof.broken += write(outcome, folder)
    _count(proof, outcome)
    problems = {path: before.problems(path) for path in outcome.changed}
    after = _opened(folder, preview)
    proof.broken += _laws_of_findings(before, after, outcome)
    proof.broken += _laws_of_files(folder, outcome, modes)
    proof.broken += (f"{path} does not parse any more" for path, was in problems.items() if after.problems(path) > was)
    proof.broken += _parsed(folder, outcome.changed)
    again = fix_all(after, choose)
    proof.broken += (f"{path} is changed again by a second run" for path in again.changed)
    return proof


def _explained(outcome: FixOutcome) -> Iterator[bytes]:
    """The changes file by file, each after the rules that made them."""
    rules: dict[str, set[str]] = defaultdict(set)
    for finding, fix in outcome.applied:
        for edit in fix.edits:
            rules[edit.path].add(finding.rule)
    for path, change in outcome.changed.items():
        yield f"# {', '.join(sorted(rules[path]))}\n".encode() + unified_diff({path: change})


def _opened(folder: Path, preview: bool) -> Session:
    session = Session.open([folder], preview=preview)
    for error in session.analysis.errors:
        if "failed" in error.message:
            raise EcosystemError(f"{error.path}: {error.message}")
    return session


def _count(proof: Proof, outcome: FixOutcome) -> None:
    for finding, fix in outcome.applied:
        proof.made[finding.rule] += 1
        proof.files.update({f"{finding.rule} {edit.path}": 1 for edit in fix.edits})
    for finding, reason in outcome.withheld:
        proof.withheld[finding.rule][_of_a_kind(reason)] += 1


def _of_a_kind(reason: str) -> str:
    """A reason without the names and places in it, so that it can be counted."""
    return re.sub(r"`(?![\w ]*`)[^`]*`|\S+\.\w+:\d+|[\w.$]+\(\)|\b\d+\b|an anonymous function", "…", reason)


def _laws_of_findings(before: Session, after: Session, outcome: FixOutcome) -> Iterator[str]:
    """A fresh run finds what the loop said, and no rule has more findings than before, less those that were fixed."""
    said = Counter((finding.rule, *finding.location) for finding in outcome.remaining)
    found = Counter((finding.rule, *finding.location) for finding in after.findings())
    for rule, path, start, _ in sorted((said - found).keys()):
        yield f"{path}: a {rule} at byte {start} that the fix loop saw is not there in a fresh run"
    for rule, path, start, _ in sorted((found - said).keys()):
        yield f"{path}: a {rule} at byte {start} that the fix loop did not see is there in a fresh run"
    then = Counter(finding.rule for finding in before.findings())
    now = Counter(finding.rule for finding in after.findings())
    fixed = Counter(finding.rule for finding, _ in outcome.applied)
    for rule in sorted({*then, *now}):
        if now[rule] > then[rule] - fixed[rule]:
            yield f"{rule}: {then[rule]} findings, {fixed[rule]} fixed, and {now[rule]} are left"


# --- files


def _laws_of_files(folder: Path, outcome: FixOutcome, modes: Mapping[str, int]) -> Iterator[str]:
    for path, (old, new) in outcome.changed.items():
        if (folder / path).read_bytes() != new:
            yield f"{path} is not on disk as it was made"
        if (folder / path).stat().st_mode != modes[path]:
            yield f"{path} has another mode"
        if old.startswith(b"\xef\xbb\xbf") != new.startswith(b"\xef\xbb\xbf"):
            yield f"{path}: the byte order mark came or went"
        if old.endswith(b"\n") != new.endswith(b"\n") and old:
            yield f"{path}: the last line end came or went"
        yield from _line_ends(path, old, new)
        yield from _comments(path, old, new)
        yield from _new_lines(path, old, new)


def _line_ends(path: str, old: bytes, new: bytes) -> Iterator[str]:
    def kinds(data: bytes) -> set[bytes]:
        return {match.group() for match in re.finditer(rb"\r\n|\n|\r", data)}

    if kinds(old) and kinds(new) - kinds(old):
        yield f"{path}: other line ends than the file's"


def _comments(path: str, old: bytes, new: bytes) -> Iterator[str]:
    """Every comment is still there, but for the ignore comments that a fix is about."""
    grammar = _grammar(path)
    if grammar is None:
        return
    lost = Counter(_comments_in(old, grammar)) - Counter(_comments_in(new, grammar))
    for text in lost:
        if b"prodlint:" not in text:
            yield f"{path}: the comment {text[:60].decode(errors='replace')!r} is gone"


def _grammar(path: str) -> Language | None:
    suffix = Path(path).suffix
    if suffix == ".py":
        return Language(tree_sitter_python.language())
    if suffix in (".js", ".cjs", ".mjs", ".jsx"):
        return Language(tree_sitter_javascript.language())
    if suffix == ".tsx":
        return Language(tree_sitter_typescript.language_tsx())
    return Language(tree_sitter_typescript.language_typescript()) if suffix in _SCRIPTS else None


def _comments_in(data: bytes, grammar: Language) -> Iterator[bytes]:
    captures = QueryCursor(Query(grammar, "(comment) @comment")).captures(Parser(grammar).parse(data).root_node)
    for node in captures.get("comment", ()):
        yield b" ".join((node.text or b"").split())


def _new_lines(path: str, old: bytes, new: bytes) -> Iterator[str]:
    """New lines are indented with what the file is indented with; their plain strings have the file's quotes."""
    before, after = old.splitlines(), new.splitlines()
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    added = [line for tag, *_, j1, j2 in matcher.get_opcodes() if tag != "equal" for line in after[j1:j2]]
    tabs, blanks = (sum(line.startswith(text) for line in before) for text in (b"\t", b"  "))
    for line in added:
        if line.startswith(b"\t") and blanks and not tabs:
            yield f"{path}: a tab in a file that is indented with blanks: {line[:60]!r}"
        if line.startswith(b"  ") and tabs and not blanks and not line.lstrip().startswith(b"*"):
            yield f"{path}: blanks in a file that is indented with tabs: {line[:60]!r}"
    if Path(path).suffix not in _SCRIPTS:
        return
    single, double = (len(re.findall(pattern, old)) for pattern in (rb"'[^'\"`\n]*'", rb'"[^\'"`\n]*"'))
    for line in added:
        if line in before or min(single, double) * 10 > max(single, double):
            continue
        other = rb"require\('" if double > single else rb'require\("'
        if re.search(other, line):
            yield f"{path}: other quotes than the file's: {line[:80]!r}"


def _parsed(folder: Path, changed: Mapping[str, object]) -> Iterator[str]:
    """What the languages' own parsers say against the changed files, if they could read them before."""
    typed = []
    for path in sorted(changed):
        suffix = Path(path).suffix
        if suffix == ".py":
            yield from _compiled(folder, path, changed)
        elif suffix in (".js", ".cjs", ".mjs"):
            yield from _node_checked(folder, path, changed)
        elif suffix in _SCRIPTS:
            typed.append(str(folder / path))
    if typed:
        run = subprocess.run(["node", "-e", _TYPESCRIPT], input=json.dumps(typed), capture_output=True, text=True)
        if run.returncode:
            raise EcosystemError(f"TypeScript's parser does not run: {run.stderr.strip()[-300:]}")
        for line in run.stdout.splitlines():
            path, message = json.loads(line)
            yield f"{path}: TypeScript says: {message}"


def _compiled(folder: Path, path: str, changed: Mapping[str, object]) -> Iterator[str]:
    old, new = changed[path]  # type: ignore[misc]
    if _compiles(old) is None and (error := _compiles(new)) is not None:
        yield f"{path}: {error}"


def _compiles(data: bytes) -> str | None:
    try:
        compile(data, "module", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return str(error)
    return None


def _node_checked(folder: Path, path: str, changed: Mapping[str, object]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as scratch:
        errors = []
        for data in changed[path]:  # type: ignore[attr-defined]
            message = ""
            for suffix in (".cjs", ".mjs"):  # which of the two a .js file is, its package.json says; one will do
                file = Path(scratch) / f"module{suffix}"
                file.write_bytes(data)
                run = subprocess.run(["node", "--check", str(file)], capture_output=True, text=True)
                message = run.stderr.strip()
                if not run.returncode:
                    message = ""
                    break
            errors.append(message)
    if errors[1] and not errors[0]:
        yield f"{path}: node says: {errors[1].splitlines()[-1]}"


# --- all applications


def main() -> int:
    """Proves the fixes of all applications; returns 1 if a law was broken."""
    parser = argparse.ArgumentParser(description="Hold the fixes of real applications to the laws.")
    parser.add_argument("directory", type=Path, nargs="?", metavar="DIR")
    parser.add_argument("--app", action="append", default=[], metavar="NAME")
    parser.add_argument("--folders", action="store_true", help="take every folder of DIR, not the pinned applications")
    parser.add_argument("--safe", action="store_true", help="make the safe fixes only")
    parser.add_argument("--preview", action="store_true", help="with rules in preview")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to a file, too")
    parser.add_argument("--diffs", type=Path, metavar="DIR", help="write each application's changes to a file in DIR")
    parser.add_argument(
        "--table", type=Path, nargs="+", metavar="FILE", help="show the numbers of files, prove nothing"
    )
    args = parser.parse_args()
    if args.table:
        print(*_markdown([json.loads(path.read_text(encoding="utf-8")) for path in args.table]), sep="\n")
        return 0
    if args.directory is None:
        parser.error("DIR is missing")
    proofs = {}
    folders = sorted(path.name for path in args.directory.iterdir() if path.is_dir())
    chosen = [name for name in folders if not args.app or name in args.app]
    for name in chosen if args.folders else [app.name for app in load_apps(APPS, args.app)]:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / name
            shutil.copytree(args.directory / name, folder, symlinks=True)
            proofs[name] = proof = prove(folder, unsafe=not args.safe, preview=args.preview)
        if args.diffs:
            args.diffs.mkdir(parents=True, exist_ok=True)
            (args.diffs / f"{name}.diff").write_bytes(proof.diff)
        say(f"{name}: {proof.offered.total()} offered, {proof.made.total()} made, {len(proof.broken)} laws broken")
        for law in proof.broken:
            say(f"  {law}")
        if args.json:
            args.json.write_text(json.dumps(_numbers(proofs), indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(*_table(proofs), sep="\n")
    return 1 if any(proof.broken for proof in proofs.values()) else 0


_COLUMNS = ("findings", "offered", "made", "withheld", "no fix", "files", "applications")


def _numbers(proofs: Mapping[str, Proof]) -> dict[str, dict[str, Any]]:
    """By rule: how many, and why not; under "" the applications and the laws that were broken."""
    numbers: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for proof in proofs.values():
        for rule in {*proof.offered, *proof.made, *proof.withheld, *proof.fixless}:
            found = numbers[rule]
            found["offered"] += proof.offered[rule]
            found["made"] += proof.made[rule]
            found["withheld"] += proof.withheld[rule].total()
            found["no fix"] += proof.fixless[rule].total()
            found["findings"] += proof.offered[rule] + proof.fixless[rule].total()
            found["files"] += sum(key.startswith(f"{rule} ") for key in proof.files)
            found["applications"] += bool(proof.made[rule])
            reasons[rule].update(proof.fixless[rule] + proof.withheld[rule])
    whole = {"applications": len(proofs), "broken": sum(len(proof.broken) for proof in proofs.values())}
    return {"": whole} | {rule: {**found, "why not": dict(reasons[rule])} for rule, found in sorted(numbers.items())}


def _table(proofs: Mapping[str, Proof]) -> Iterator[str]:
    numbers = _numbers(proofs)
    whole = numbers.pop("")
    yield f"{'rule':28}" + "".join(f"{column:>14}" for column in _COLUMNS)
    for rule, counts in numbers.items():
        yield f"{rule:28}" + "".join(f"{counts[column]:>14}" for column in _COLUMNS)
    yield "\nno fix, because:"
    for rule, counts in numbers.items():
        for reason, number in Counter(counts["why not"]).most_common(6):
            yield f"  {rule:26} {number:5}  {reason}"
    yield f"\nlaws broken: {whole['broken']}"


def _markdown(parts: list[dict[str, dict[str, Any]]]) -> Iterator[str]:
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for part in parts:
        for rule, counts in part.items():
            sums[rule].update({key: value for key, value in counts.items() if key != "why not"})
            reasons[rule].update(counts.get("why not", {}))
    whole = sums.pop("")
    yield f"{whole['applications']} applications, {whole['broken']} laws broken.\n"
    yield f"| rule | {' | '.join(_COLUMNS)} | why there was none |"
    yield f"|---|{'---:|' * len(_COLUMNS)}---|"
    for rule in sorted(sums):
        said = "; ".join(f"{reason} ({number})" for reason, number in reasons[rule].most_common(4))
        more = len(reasons[rule]) - 4
        others = f"; {more} other{'s' * (more > 1)}" if more > 0 else ""
        cells = (str(sums[rule][column]) for column in _COLUMNS)
        yield f"| `{rule}` | {' | '.join(cells)} | {said}{others} |".replace("|  |", "| |")


if __name__ == "__main__":
    sys.exit(main())
