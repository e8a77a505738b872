"""Replays real commits that mended, or brought in, one bad practice, and says which of them prodlint tells apart.

    python benchmarks/history.py HISTORY REPOSITORIES SCRATCH

HISTORY has one JSON object a line: `repo` (owner/name), `parent` and `sha` (commits), `file`, `practice`, `direction`,
and in `before` and `after` what must be said of the parent and of the commit: `expect` ("bad", or anything else for
"nothing") and `line`, which may be null. REPOSITORIES holds git repositories, bare ones or not, as `owner+name`,
`owner/name` or `name`. The trees are laid out in SCRATCH, which later runs use again.

An entry is told apart if what is said of both commits is what must be said. Without `--all`, only the entries that are
not are listed. Exit status 1 if there are any.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from prodlint.rulebook import load_rules

RULES: Mapping[str, tuple[str, ...]] = {
    "async-handler-unwrapped": ("unhandled-async-handler",),
    "blocking-in-async": ("blocking-call",),
    "broad-except-swallow": ("swallowed-exception",),
    "callback-error-ignored": ("ignored-callback-error",),
    "catch-all-hook": ("catch-all-hook",),
    "console-logging": ("console-logging",),
    "debug-enabled": ("debug-enabled",),
    "dev-server-in-prod": ("dev-server", "debug-enabled"),
    "dropped-task": ("dropped-task",),
    "json-parse-unguarded": ("unguarded-parse", "try-around-callback"),
    "memory-session-store": ("in-memory-session",),
    "missing-compression": ("no-compression", "proxy-gzip-off"),
    "missing-error-middleware": ("missing-error-handler", "misplaced-error-handler"),
    "no-auto-restart": ("no-auto-restart",),
    "no-cluster": ("single-process",),
    "no-healthcheck": ("no-healthcheck",),
    "no-response-cache": ("no-response-cache",),
    "no-reverse-proxy": ("exposed-app-port",),
    "prod-env-missing": ("production-env-unset",),
    "runs-as-root": ("runs-as-root",),
    "stream-no-error": ("unhandled-stream-error",),
    "sync-io-in-handler": ("blocking-call", "require-in-handler", "sync-log-destination"),
    "unawaited-coroutine": ("unawaited-coroutine",),
    "unhandled-promise": ("unhandled-promise",),
}
"""The rules that are about a practice. One that is written later is picked up by itself."""

WHOLE_FILE = frozenset(
    (
        "dev-server-in-prod",
        "memory-session-store",
        "missing-compression",
        "missing-error-middleware",
        "no-auto-restart",
        "no-cluster",
        "no-healthcheck",
        "no-response-cache",
        "no-reverse-proxy",
        "prod-env-missing",
        "runs-as-root",
    )
)
"""Practices that are a matter of a whole file: the line at which one is reported says nothing."""

NEAR = 3
LARGEST_FILE = 2_000_000
LINT_TIMEOUT_SECONDS = 600

Row = dict[str, Any]


class HistoryError(Exception):
    """Something a person must mend: a repository that is not there, a commit that cannot be read."""


# --- laying out


def repository(folder: Path, name: str) -> Path:
    """Returns the git directory of `owner/name` among `folder`'s repositories."""
    owner, _, short = name.partition("/")
    for stem in (f"{owner}+{short}", name, short):
        for place in (stem, f"{stem}.git", f"{stem}/.git", f"{stem}/repo", f"{stem}/repo/.git"):
            if (folder / place / "HEAD").is_file():
                return folder / place
    raise HistoryError(f"no repository of {name} in {folder}")


def lay_out(git_dir: Path, commit: str, folder: Path) -> Path:
    """Writes the regular files of a commit to `folder`, unless that was done before. What the repository does not hold
    (a partial clone) is left out: it is not asked for elsewhere. So are `.gitignore` files: git tracks all of it."""
    done = folder.parent / f"{folder.name}.done"
    if done.is_file():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    listed = git(git_dir, "ls-tree", "-r", "-z", commit)
    blobs = [
        (path, header.split()[2])
        for header, _, path in (entry.partition("\t") for entry in listed.decode(errors="surrogateescape").split("\0"))
        if header.startswith("100") and PurePosixPath(path).name != ".gitignore"
    ]
    sizes = git(git_dir, "cat-file", "--batch-check", given="".join(f"{blob}\n" for _, blob in blobs)).decode()
    there = {
        line.split()[0]
        for line in sizes.splitlines()
        if line.split()[1] == "blob" and int(line.split()[2]) <= LARGEST_FILE
    }
    wanted = [(path, blob) for path, blob in blobs if blob in there and ".." not in PurePosixPath(path).parts]
    contents = git(git_dir, "cat-file", "--batch", given="".join(f"{blob}\n" for _, blob in wanted))
    at = 0
    for path, _ in wanted:
        line_end = contents.index(b"\n", at)
        size = int(contents[at:line_end].split()[2])
        at = line_end + 1
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(contents[at : at + size])
        at += size + 1
    done.touch()
    return folder


def git(git_dir: Path, *arguments: str, given: str | None = None) -> bytes:
    """Runs git on a repository and returns what it prints. Nothing is fetched."""
    command = ["git", f"--git-dir={git_dir}", *arguments]
    environment = {**os.environ, "GIT_NO_LAZY_FETCH": "1"}
    stdin = given.encode(errors="surrogateescape") if given is not None else None
    run = subprocess.run(command, input=stdin, capture_output=True, check=False, env=environment)
    if run.returncode:
        raise HistoryError(f"{' '.join(command)}: {run.stderr.decode(errors='replace').strip()}")
    return run.stdout


# --- judging


def lint(folder: Path) -> list[Row]:
    """Returns what prodlint finds in a folder, preview rules included."""
    command = [sys.executable, "-m", "prodlint", "check", ".", "--preview", "--output-format", "json", "--exit-zero"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LINT_TIMEOUT_SECONDS, check=False)
    try:
        findings: list[Row] = json.loads(run.stdout)["findings"]
    except (ValueError, KeyError) as error:
        raise HistoryError(f"{folder}: no JSON, exit {run.returncode}: {run.stderr.strip()[-500:]}") from error
    return findings


def said(findings: Sequence[Row], row: Row, line: int | None) -> int:
    """Returns how many findings there are of the practice of an entry, in its file, near `line` (None: anywhere)."""
    practice = row["practice"]
    anywhere = line is None or practice in WHOLE_FILE
    return sum(
        finding["rule"] in RULES[practice]
        and any(path == row["file"] and (anywhere or abs(at - (line or 0)) <= NEAR) for path, at in places(finding))
        for finding in findings
    )


def places(finding: Row) -> Iterator[tuple[str, int]]:
    """Yields where a finding is, and where its trace starts and ends."""
    yield finding["path"], finding["line"]
    trace = finding.get("trace") or []
    for step in (*trace[:1], *trace[-1:]):
        yield step["path"], step["line"]


def verdict(row: Row, parent: Sequence[Row], commit: Sequence[Row]) -> str:
    """Returns "" if the two commits are told apart, or what is wrong. Where only one of them is bad, findings are
    counted: a second bad line near by may stay as it was."""
    before, after = row["before"], row["after"]
    bad_before, bad_after = before["expect"] == "bad", after["expect"] == "bad"
    lines = (before["line"], after["line"])
    if bad_before != bad_after and None in lines:
        lines = (None, None)
        if not said(parent if bad_before else commit, row, (before if bad_before else after)["line"]):
            return "missed"
    count = said(parent, row, lines[0]), said(commit, row, lines[1])
    if bad_before == bad_after:
        wrong = [name for name, number in zip(("before", "after"), count, strict=True) if bool(number) != bad_before]
        return f"{'missed' if bad_before else 'false'} {' and '.join(wrong)}" if wrong else ""
    bad, good = count if bad_before else count[::-1]
    if not bad:
        return "missed"
    return "" if good < bad else "still said" if bad_before else "said before"


# --- running


def main() -> int:
    """Replays all; returns the exit status."""
    parser = argparse.ArgumentParser(description="Replay commits that mended or brought in one bad practice.")
    parser.add_argument("history", type=Path, metavar="HISTORY", help="the entries, one JSON object a line")
    parser.add_argument("repositories", type=Path, metavar="REPOSITORIES", help="a folder of git repositories")
    parser.add_argument("scratch", type=Path, metavar="SCRATCH", help="where trees are laid out and kept")
    parser.add_argument("--practice", action="append", default=[], help="only this practice; repeatable")
    parser.add_argument("--all", action="store_true", help="list every entry, not only those that are not told apart")
    args = parser.parse_args()
    rules = load_rules()
    rows = [json.loads(line) for line in args.history.read_text(encoding="utf-8").splitlines() if line.strip()]
    rows = [row for row in rows if not args.practice or row["practice"] in args.practice]
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    linted: dict[tuple[str, str], list[Row]] = {}
    for row in sorted(rows, key=lambda row: row["practice"]):
        practice = row["practice"]
        if not any(rule in rules for rule in RULES.get(practice, ())):
            tally[practice]["no rule yet"] += 1
            continue
        try:
            for commit in (row["parent"], row["sha"]):
                if (row["repo"], commit) not in linted:
                    place = args.scratch / f"{row['repo'].replace('/', '+')}-{commit}"
                    linted[row["repo"], commit] = lint(
                        lay_out(repository(args.repositories, row["repo"]), commit, place)
                    )
        except HistoryError as error:
            print(f"error: {error}", file=sys.stderr)
            tally[practice]["not read"] += 1
            continue
        wrong = verdict(row, linted[row["repo"], row["parent"]], linted[row["repo"], row["sha"]])
        tally[practice]["no" if wrong else "told apart"] += 1
        if wrong or args.all:
            lines = f"{row['before']['line']} -> {row['after']['line']}"
            entry = f"{row['repo']} {row['sha'][:10]} {row['file']} {lines} ({row['confidence']})"
            print(f"{wrong or 'ok':20} {practice:26} {row['direction']:10} {entry} {row.get('note', '')}")
    return summary(tally)


def summary(tally: Mapping[str, Counter[str]]) -> int:
    """Prints how many entries of each practice are told apart; returns the exit status."""
    columns = ("told apart", "no", "no rule yet", "not read")
    print(f"{'practice':26}", *(f"{column:>12}" for column in columns))
    for practice, counts in sorted(tally.items()):
        print(f"{practice:26}", *(f"{counts[column] or '':>12}" for column in columns))
    total = sum(tally.values(), Counter())
    print(f"{'all':26}", *(f"{total[column] or '':>12}" for column in columns))
    return 1 if total["no"] or total["not read"] else 0


if __name__ == "__main__":
    sys.exit(main())
