"""Changes whole projects at random, and sees whether prodlint says the same of each in every way that it can be asked.

    python benchmarks/fuzz_projects.py OUT PROJECT… [--projects 20] [--seed 1]

Of each changed project (files swapped, cut off, doubled, renamed, importing each other in circles, with other line
ends, without their `await`) these have to hold:

- one process, two processes, an empty cache, a filled cache and facts from a file give the same report;
- what `--diff` shows, applied by git, is what `--fix` writes;
- after `--fix` another `--fix` changes nothing;
- nothing fails: no rule, no file, no fix.

A project for which one does not hold is kept in OUT, with what did not hold in `fault.txt`. Nothing of it is run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = (".js", ".cjs", ".mjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".py")
LEFT_OUT = {".git", "node_modules", ".venv", "dist", "build"}
LARGEST = 200_000
MOST_FILES = 150
FAILED = re.compile(r"failed|defect|Traceback|died")
PRODLINT = """\
import sys

from prodlint.analysis import parallel_projects, scheduler

scheduler._MIN_POOL_BYTES = parallel_projects._MIN_PROCESS_BYTES = 0  # small projects, too, are worth several processes
sys.argv[0] = "prodlint"

from prodlint.__main__ import main

main()
"""

Files = dict[str, bytes]


class Fault(Exception):
    """Something that has to hold does not; the message says what."""


# --- changing a project -----------------------------------------------------------------------------------------------


def files_of(folder: Path) -> Files:
    """What is in a project, by path; large files and what others wrote are left out."""
    found: Files = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if LEFT_OUT.isdisjoint(path.relative_to(folder).parts) and path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            if len(data) <= LARGEST and b"\0" not in data:
                found[name] = data
    return found


def swap(files: Files, chance: random.Random) -> None:
    """Two files have each other's content."""
    one, other = chance.sample(sorted(files), 2)
    files[one], files[other] = files[other], files[one]


def cut_off(files: Files, chance: random.Random) -> None:
    """A file ends somewhere in it."""
    name = chance.choice(sorted(files))
    files[name] = files[name][: chance.randrange(len(files[name]) + 1)]


def double(files: Files, chance: random.Random) -> None:
    """A file is there twice, or has all its text twice."""
    name = chance.choice(sorted(files))
    if chance.random() < 0.5:
        files[f"copy/{name}"] = files[name]
    else:
        files[name] += files[name]


def rename(files: Files, chance: random.Random) -> None:
    """A file is called otherwise, which no one who uses it knows."""
    name = chance.choice(sorted(files))
    folder, _, last = name.rpartition("/")
    files[f"{folder}/other-{last}".lstrip("/")] = files.pop(name)


def import_in_circles(files: Files, chance: random.Random) -> None:
    """Some files import the next of them, the last one the first, and themselves."""
    suffix = chance.choice((".js", ".ts", ".py"))
    names = [name for name in sorted(files) if name.endswith(suffix)]
    chosen = chance.sample(names, min(len(names), 4))
    for name, other in zip(chosen, [*chosen[1:], *chosen[:1]], strict=True):
        for target in (other, name):
            if suffix == ".py":
                line = f"from {target.removesuffix('.py').replace('/', '.')} import *\n"
            else:
                line = f"export * from '{os.path.relpath(target, Path(name).parent)}';\n"
            files[name] += line.encode()


def change_line_ends(files: Files, chance: random.Random) -> None:
    """CRLF, or lone CR, in a file."""
    name = chance.choice(sorted(files))
    files[name] = files[name].replace(b"\r\n", b"\n").replace(b"\n", chance.choice((b"\r\n", b"\r")))


def drop_words(files: Files, chance: random.Random) -> None:
    """A file without some of its `await`, `async`, `return` and brackets."""
    name = chance.choice(sorted(files))
    files[name] = re.sub(
        rb"\b(?:await|async|return)\b ?|[{}()]",
        lambda found: b"" if chance.random() < 0.05 else found[0],
        files[name],
    )


def shuffle_lines(files: Files, chance: random.Random) -> None:
    """Some lines of a file in another order."""
    name = chance.choice(sorted(files))
    lines = files[name].splitlines(keepends=True)
    start = chance.randrange(len(lines) + 1)
    some = lines[start : start + 20]
    chance.shuffle(some)
    files[name] = b"".join([*lines[:start], *some, *lines[start + 20 :]])


CHANGES: tuple[Callable[[Files, random.Random], None], ...] = (
    swap,
    cut_off,
    double,
    rename,
    import_in_circles,
    change_line_ends,
    drop_words,
    shuffle_lines,
)


def changed(files: Mapping[str, bytes], chance: random.Random) -> Files:
    """A part of the files, with one to six changes."""
    names = sorted(files)
    start = chance.randrange(max(len(names) - MOST_FILES, 0) + 1)
    some = {name: files[name] for name in names[start : start + MOST_FILES]}
    for _ in range(chance.randrange(1, 7)):
        if len(some) > 1:
            chance.choice(CHANGES)(some, chance)
    return some


# --- asking -----------------------------------------------------------------------------------------------------------


def prodlint(folder: Path, *arguments: str) -> tuple[bytes, str]:
    """What a run says on standard output, and on standard error. It must not fail."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PRODLINT_CACHE_DIR": str(folder.parent / "cache-0")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", PRODLINT, *arguments], cwd=folder, env=environment, capture_output=True
    )
    said = done.stderr.decode(errors="replace")
    if done.returncode not in (0, 1, 2) or FAILED.search(said):
        raise Fault(f"{' '.join(arguments)}: {done.returncode}\n{said}")
    return done.stdout, said


def report(folder: Path, *arguments: str) -> Any:
    """All that is found, with all fixes."""
    shown = ("--preview", "--likely", "--output-format", "json", "--exit-zero")
    document = json.loads(prodlint(folder, "check", ".", *shown, *arguments)[0])
    failures = [error["message"] for error in document.get("errors", ()) if FAILED.search(error["message"])]
    if failures:
        raise Fault(f"{' '.join(arguments)}: {failures}")
    return {key: value for key, value in document.items() if key != "stats"}


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Lays the files out. Their repository begins here."""
    for name, data in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    (folder / ".git").mkdir(parents=True)


def examine(files: Mapping[str, bytes], scratch: Path) -> None:
    """Raises `Fault` for the first thing that does not hold."""
    project, cache, shard = scratch / "project", scratch / "cache", scratch / "facts"
    write(files, project)
    first = report(project, "-j1", "--no-cache")
    prodlint(project, "facts", ".", "--output-format", "msgpack", "-o", str(shard))
    for way in (
        ("-j2", "--no-cache"),
        ("-j1", "--cache-dir", str(cache)),
        ("-j2", "--cache-dir", str(cache)),
        ("-j1", "--no-cache", "--facts", str(shard)),
    ):
        if report(project, *way) != first:
            raise Fault(f"another report with {' '.join(way)}")
    fixes = ("--preview", "--likely", "--fix", "--unsafe-fixes", "--exit-zero", "--no-cache", "-q")
    patch = prodlint(project, "check", ".", *fixes, "--diff")[0]
    by_git = scratch / "by-git"
    write(files, by_git)
    if patch:
        git = ("git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "-")
        environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(scratch)}
        shutil.rmtree(by_git / ".git")  # what is no repository is patched as it is
        done = subprocess.run(git, cwd=by_git, input=patch, capture_output=True, env=environment)
        if done.returncode:
            raise Fault(f"git does not take the patch: {done.stderr.decode(errors='replace')}")
    prodlint(project, "check", ".", *fixes, "--fix")
    once = files_of(project)
    if once != files_of(by_git):
        raise Fault("--diff shows another change than --fix makes")
    prodlint(project, "check", ".", *fixes, "--fix")
    if files_of(project) != once:
        raise Fault("a second --fix changes something")


def faults(projects: list[Path], count: int, seed: int, out: Path) -> Iterator[str]:
    """Examines so many changed projects; yields what did not hold, with where the project is kept."""
    originals = [files for project in projects if (files := files_of(project))]
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        files = changed(chance.choice(originals), chance)
        with tempfile.TemporaryDirectory() as scratch:
            try:
                examine(files, Path(scratch).resolve())
            except Fault as fault:
                kept = out / f"{seed}-{number}"
                shutil.rmtree(kept, ignore_errors=True)
                write(files, kept / "project")
                (kept / "fault.txt").write_text(f"{fault}\n", encoding="utf-8")
                yield f"{kept}: {str(fault).splitlines()[0]}"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("projects", nargs="+", type=Path, metavar="PROJECT")
    parser.add_argument("--projects", type=int, default=20, dest="count", help="how many to make")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    found = 0
    for fault in faults(arguments.projects, arguments.count, arguments.seed, arguments.out):
        found += 1
        print(fault, flush=True)
    print(f"{arguments.count} projects, {found} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
