"""Replays the last commits of git repositories, and compares what is found with and without a past at each.

    python benchmarks/replay.py SCRATCH REPOSITORY... [--commits 30]

REPOSITORY is a git directory or a clone. The tree of the first commit is laid out in SCRATCH, and the changes of each
commit are written over that of the one before, as a checkout does. After each, three reports have to be equal to the
byte, with all findings, fixes and edits: that of a cold run, that of a run of the command line with the cache of the
runs before, and that of a session that was told of the files that changed, as the editor and `--watch` do it.
Nothing is fetched, and nothing of a repository is run. Exit status 1 if anything differs.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from prodlint.analysis.session import Session  # noqa: E402
from tests.incremental import cold, difference, report_of, warm  # noqa: E402

LARGEST_FILE = 2_000_000
CONFIGURATION = ("prodlint.toml", "pyproject.toml")
Tree = Mapping[str, str]
"""Blobs by path."""


class Repository:
    """A git repository that is only read."""

    def __init__(self, place: Path) -> None:
        self.git_dir = place / ".git" if (place / ".git").exists() else place
        self.name = (place.parent if place.name in ("repo", ".git") else place).name.removesuffix(".git")

    def commits(self, number: int) -> list[str]:
        """The last commits of the main line, oldest first."""
        listed = self._git("rev-list", "--first-parent", f"--max-count={number}", "HEAD").decode().split()
        return listed[::-1]

    def tree(self, commit: str) -> Tree:
        """The plain files of a commit."""
        listed = self._git("ls-tree", "-r", "-z", "--full-tree", commit).decode(errors="surrogateescape")
        entries = (entry.split("\t", 1) for entry in listed.split("\0") if entry)
        return {path: header.split()[2] for header, path in entries if header.startswith("100")}

    def contents(self, blobs: list[str]) -> Iterator[bytes]:
        """The bytes of each of `blobs`; b"" for one that is not there or too large."""
        given = "".join(f"{blob}\n" for blob in blobs)
        sizes = self._git("cat-file", "--batch-check", given=given).decode().splitlines()
        fine = [not line.endswith("missing") and int(line.split()[2]) <= LARGEST_FILE for line in sizes]
        found = self._git(
            "cat-file",
            "--batch",
            given="".join(f"{blob}\n" for blob, is_fine in zip(blobs, fine, strict=True) if is_fine),
        )
        at = 0
        for is_fine in fine:
            if not is_fine:
                yield b""
                continue
            end = found.index(b"\n", at)
            size = int(found[at:end].split()[2])
            yield found[end + 1 : end + 1 + size]
            at = end + size + 2

    def _git(self, *arguments: str, given: str = "") -> bytes:
        command = ["git", f"--git-dir={self.git_dir}", *arguments]
        environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_NO_LAZY_FETCH": "1", "GIT_CONFIG_NOSYSTEM": "1"}
        return subprocess.run(command, input=given.encode(), capture_output=True, check=True, env=environment).stdout


def check_out(repository: Repository, before: Tree, after: Tree, folder: Path) -> set[str]:
    """Makes the files in `folder`, which are those of `before`, those of `after`; returns the paths that changed."""
    changed = [path for path, blob in after.items() if before.get(path) != blob]
    for path in before.keys() - after.keys():
        (folder / path).unlink()
    for path, data in zip(changed, repository.contents([after[path] for path in changed]), strict=True):
        target = folder / path
        if target.is_dir():
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return {*changed, *(before.keys() - after.keys())}


def replay(repository: Repository, number: int, scratch: Path) -> int:
    """Replays a repository, prints what it finds out, and returns at how many commits something differed."""
    folder = scratch / repository.name / "tree"
    cache = scratch / repository.name / "cache"
    shutil.rmtree(scratch / repository.name, ignore_errors=True)
    folder.mkdir(parents=True)
    tree: Tree = {}
    watched: Session | None = None
    wrong = files = findings = 0
    seconds = dict.fromkeys(("cold", "command line", "session"), 0.0)
    commits = repository.commits(number)
    for commit in commits:
        after = repository.tree(commit)
        changed = check_out(repository, tree, after, folder)
        tree = after
        files += len(changed)
        start = time.process_time()
        expected_session = cold(folder)
        expected = report_of(expected_session)
        findings += len(expected_session.findings())
        seconds["cold"] += time.process_time() - start
        start = time.process_time()
        found = {"command line": warm(folder, cache)}
        seconds["command line"] += time.process_time() - start
        start = time.process_time()
        if watched is None or any(path.rpartition("/")[2] in CONFIGURATION for path in changed):
            watched = cold(folder)  # the settings may be others
        else:
            watched = watched.with_disk_changes(changed, {})
        found["session"] = report_of(watched)
        seconds["session"] += time.process_time() - start
        differences = [text for name, report in found.items() if (text := difference(expected, report, name))]
        for text in differences:
            print(f"{repository.name} {commit}: differs\n{text}", flush=True)
        wrong += bool(differences)
    times = ", ".join(f"{name} {spent:.1f} s" for name, spent in seconds.items())
    seen = f"{files} files changed, {findings} findings seen; {times}"
    print(f"{repository.name}: {wrong} of {len(commits)} commits differ; {seen}", flush=True)
    return wrong


def main() -> int:
    """Replays all, and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scratch", type=Path, metavar="SCRATCH")
    parser.add_argument("repositories", nargs="+", type=Path, metavar="REPOSITORY")
    parser.add_argument("--commits", type=int, default=30)
    options = parser.parse_args()
    scratch = options.scratch.resolve()
    wrong = [replay(Repository(place.resolve()), options.commits, scratch) for place in options.repositories]
    return int(any(wrong))


if __name__ == "__main__":
    sys.exit(main())
