"""Measures prodlint on real, published web services. See benchmarks/ecosystem/README.md.

- `fetch DIR` downloads, verifies and unpacks the applications
- `count DIR` lints them all and writes counts.json
- `diff DIR` lints them all and compares with counts.json
- `sample DIR RULE` prints findings of one rule with their source, to read by hand
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

HERE = Path(__file__).resolve().parent.parent / "benchmarks" / "ecosystem"
APPS = HERE / "apps.toml"
COUNTS = HERE / "counts.json"
CONTEXT_LINES = 6
LINT_TIMEOUT_SECONDS = 1800

Counts = dict[str, dict[str, int]]


class EcosystemError(Exception):
    """Something a person must mend: a failed download, a wrong hash, an application not fetched."""


@dataclass(frozen=True)
class App:
    """One published application: where it comes from and what it is."""

    name: str
    registry: str
    version: str
    sha256: str
    language: str
    framework: str
    package: str
    omit: tuple[str, ...]

    @property
    def stamp(self) -> str:
        """What is unpacked, in one line: changes when the archive or what is left out of it does."""
        return " ".join((self.sha256, *self.omit))


def load_apps(path: Path, only: Sequence[str] = ()) -> list[App]:
    """Returns the applications of `path`, or those of them that `only` names."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["app"]
    apps = [App(**{"package": row["name"], **row, "omit": tuple(row.get("omit", ()))}) for row in rows]
    if unknown := set(only) - {app.name for app in apps}:
        raise EcosystemError(f"no such application: {', '.join(sorted(unknown))}")
    return [app for app in apps if not only or app.name in only]


# --- fetch


def fetch(app: App, root: Path) -> None:
    """Puts the application into `root/<name>`, unless that very archive is there already."""
    folder, stamp = root / app.name, root / f"{app.name}.stamp"
    if folder.is_dir() and stamp.is_file() and stamp.read_text(encoding="utf-8") == app.stamp:
        return
    stamp.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as scratch:
        archive = download(app, Path(scratch))
        verify(app, archive)
        unpacked = Path(scratch) / "unpacked"
        unpack(archive, unpacked, app.omit)
        shutil.rmtree(folder, ignore_errors=True)
        unpacked.rename(folder)
    stamp.write_text(app.stamp, encoding="utf-8")


def download(app: App, folder: Path) -> Path:
    """Downloads the application's archive into `folder` and returns its path."""
    match app.registry:
        case "npm":
            return download_npm(app, folder)
        case "pypi":
            return download_sdist(app, folder)
    raise EcosystemError(f"{app.name}: unknown registry {app.registry!r}")


def download_npm(app: App, folder: Path) -> Path:
    """Downloads a package from npm, as published; no script of it runs."""
    spec = f"{app.package}@{app.version}"
    command = ["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", str(folder), spec]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    archives = list(folder.glob("*.tgz"))
    if run.returncode or len(archives) != 1:
        raise EcosystemError(f"npm pack {spec} failed: {run.stderr.strip()}")
    return archives[0]


def download_sdist(app: App, folder: Path) -> Path:
    """Downloads a source distribution from PyPI.

    `pip download` would run the package's build back end for its metadata, so this asks pip's own finder, as pip is
    configured here, for the link only: strangers' code is read, never run.
    """
    from pip._internal.commands.download import DownloadCommand

    command = DownloadCommand("download", "download")
    options, _ = command.parse_args(["--no-deps", "--no-binary", ":all:", app.package])
    with command.main_context():
        session = command.get_default_session(options)
        candidates = command._build_package_finder(options, session).find_all_candidates(app.package)
        links = [c.link for c in candidates if str(c.version) == app.version and not c.link.is_wheel]
        if not links:
            raise EcosystemError(f"{app.name}: PyPI has no source distribution {app.version}")
        response = session.get(links[0].url_without_fragment, headers={"Accept-Encoding": "identity"})
        response.raise_for_status()
        archive = folder / PurePosixPath(links[0].filename).name
        archive.write_bytes(response.content)
        return archive


def verify(app: App, archive: Path) -> None:
    """Raises unless the archive is the one that was pinned."""
    with archive.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != app.sha256:
        raise EcosystemError(f"{app.name} {app.version}: sha256 is {actual}, expected {app.sha256}")


def unpack(archive: Path, folder: Path, omit: Sequence[str]) -> None:
    """Unpacks the archive's regular files into `folder`, without its top folder and the folders in `omit`."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, members=wanted_members(tar, omit), filter="data")


def wanted_members(tar: tarfile.TarFile, omit: Sequence[str]) -> Iterator[tarfile.TarInfo]:
    """Yields the regular files to unpack, named from the archive's top folder. Links are left out."""
    for member in tar:
        path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
        if member.isfile() and path.parts and not any(path.is_relative_to(folder) for folder in omit):
            yield member.replace(name=str(path), deep=False)


# --- lint


def prodlint_command() -> str:
    """Returns the prodlint that is installed beside this Python, or else the one on the path."""
    beside = shutil.which("prodlint", path=str(Path(sys.executable).parent))
    found = beside or shutil.which("prodlint")
    if not found:
        raise EcosystemError("prodlint is not installed here: pip install -e .")
    return found


def lint(app: App, root: Path, *options: str) -> list[dict[str, Any]]:
    """Lints one application and returns its findings as the JSON output has them."""
    folder = root / app.name
    if not folder.is_dir():
        raise EcosystemError(f"{app.name} is not in {root}: run fetch first")
    command = [prodlint_command(), "check", ".", "--output-format", "json", "--exit-zero", "--no-cache", *options]
    started = time.monotonic()
    try:
        run = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=LINT_TIMEOUT_SECONDS, check=False
        )
        report = json.loads(run.stdout)
    except subprocess.TimeoutExpired as error:
        raise EcosystemError(f"{app.name}: not done after {LINT_TIMEOUT_SECONDS} s") from error
    except ValueError as error:
        raise EcosystemError(f"{app.name}: no JSON, exit {run.returncode}: {run.stderr.strip()[-500:]}") from error
    for problem in report["errors"]:
        say(f"{app.name}: {problem}")
    findings: list[dict[str, Any]] = report["findings"]
    say(f"{app.name}: {len(findings)} findings, {time.monotonic() - started:.1f} s")
    return findings


def say(text: str) -> None:
    """Prints progress, apart from the result."""
    print(text, file=sys.stderr, flush=True)


# --- count and diff


def count_findings(apps: Sequence[App], root: Path) -> Counts:
    """Lints all applications and returns app -> rule -> number of findings, both sorted."""
    return {
        app.name: dict(sorted(Counter(str(finding["rule"]) for finding in lint(app, root)).items()))
        for app in sorted(apps, key=lambda app: app.name)
    }


def differences(old: Mapping[str, Mapping[str, int]], new: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Yields one line for every application and rule of `new` whose number of findings is not that of `old`."""
    for app, rules in new.items():
        before = old.get(app, {})
        for rule in sorted({*before, *rules}):
            was, now = before.get(rule, 0), rules.get(rule, 0)
            if was != now:
                yield f"{app:22} {rule:28} {was:5} -> {now:5}  {now - was:+}"


def totals(counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Yields one line for every rule: its findings over all applications, and in how many of them it has any."""
    total: Counter[str] = Counter()
    apps: Counter[str] = Counter()
    for rules in counts.values():
        total.update(rules)
        apps.update(rules.keys())
    for rule, number in sorted(total.items(), key=lambda item: (-item[1], item[0])):
        yield f"{rule:28} {number:6} in {apps[rule]} applications"


# --- sample


def sample(findings: Mapping[str, Sequence[dict[str, Any]]], number: int) -> list[tuple[str, dict[str, Any]]]:
    """Returns up to `number` of (application, finding), chosen by hash: the same ones for the same findings."""

    def key(item: tuple[str, dict[str, Any]]) -> str:
        app, finding = item
        place = (app, finding["rule"], finding["path"], finding["line"], finding["column"])
        return hashlib.sha256(repr(place).encode()).hexdigest()

    every = [(app, finding) for app, found in findings.items() for finding in found]
    return sorted(every, key=key)[:number]


def show(app: str, finding: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Yields the lines that show one finding: what is said, its call path, and the source around it."""
    place = f"{app}/{finding['path']}:{finding['line']}:{finding['column']}"
    yield f"== {place}  {finding['rule']} ({finding['confidence']})"
    yield f"   {finding['message']}"
    for step in finding.get("trace") or ():
        yield f"   - {step['path']}:{step['line']}: {step['message']}"
    yield from excerpt(folder / finding["path"], finding["line"])
    yield ""


def excerpt(path: Path, line: int) -> Iterator[str]:
    """Yields the numbered source lines around `line`, which is marked."""
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    first = max(line - CONTEXT_LINES, 1)
    for number, text in enumerate(lines[first - 1 : line + CONTEXT_LINES], first):
        yield f"{'>' if number == line else ' '}{number:6} {text.rstrip()[:200]}"


# --- commands


def run_fetch(args: argparse.Namespace, apps: Sequence[App]) -> int:
    args.directory.mkdir(parents=True, exist_ok=True)
    for app in apps:
        say(f"{app.name} {app.version}")
        fetch(app, args.directory)
    return 0


def run_count(args: argparse.Namespace, apps: Sequence[App]) -> int:
    counts = count_findings(apps, args.directory)
    merged = {**read_counts(), **counts} if args.app else counts
    COUNTS.write_text(json.dumps(merged, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(*totals(counts), sep="\n")
    return 0


def run_diff(args: argparse.Namespace, apps: Sequence[App]) -> int:
    lines = list(differences(read_counts(), count_findings(apps, args.directory)))
    print(*lines or ["no differences"], sep="\n")
    return 1 if lines else 0


def run_sample(args: argparse.Namespace, apps: Sequence[App]) -> int:
    options = ["--preview", "--select", args.rule, *(["--likely"] if args.likely else [])]
    findings = {
        app.name: [finding for finding in lint(app, args.directory, *options) if finding["rule"] == args.rule]
        for app in apps
    }
    for app, finding in sample(findings, args.number):
        print(*show(app, finding, args.directory / app), sep="\n")
    say(f"{sum(map(len, findings.values()))} findings of {args.rule} in all")
    return 0


def read_counts() -> Counts:
    """Returns what counts.json holds; nothing where there is none yet."""
    if not COUNTS.is_file():
        return {}
    counts: Counts = json.loads(COUNTS.read_text(encoding="utf-8"))
    return counts


def parser() -> argparse.ArgumentParser:
    """Returns the command line of this script."""
    result = argparse.ArgumentParser(description="Measure prodlint on real, published web services.")
    commands = result.add_subparsers(required=True)
    for name, run, text in (
        ("fetch", run_fetch, "download, verify and unpack the applications"),
        ("count", run_count, "lint them and write counts.json"),
        ("diff", run_diff, "lint them and compare with counts.json; exit 1 where they differ"),
        ("sample", run_sample, "print findings of one rule with their source"),
    ):
        command = commands.add_parser(name, help=text)
        command.set_defaults(run=run)
        command.add_argument("directory", type=Path, metavar="DIR", help="where the applications are unpacked")
        command.add_argument("--app", action="append", default=[], metavar="NAME", help="only this one; repeatable")
        if run is run_sample:
            command.add_argument("rule", metavar="RULE")
            command.add_argument("-n", dest="number", type=int, default=30, help="how many findings (30)")
            command.add_argument("--likely", action="store_true", help="with findings that are only likely")
    return result


def main() -> int:
    """Runs one command; returns its exit status, 2 for an error."""
    args = parser().parse_args()
    try:
        status: int = args.run(args, load_apps(APPS, args.app))
    except EcosystemError as error:
        say(f"error: {error}")
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
