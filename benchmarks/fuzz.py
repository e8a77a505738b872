"""Feeds prodlint broken and odd files, made from real ones, and keeps those on which it fails or takes too long.

    python benchmarks/fuzz.py OUT --corpus FOLDER [--corpus FOLDER] [--seconds 60] [TARGET ...]

A target is a kind of file (`python`, `nginx`, …), `classify` (what kind a file is), `config` (a prodlint.toml), or
`program` (small projects: linking, all rules, all fixes, all outputs). Seeds are the files below the FOLDERs and the
examples of the rule pages. libFuzzer, through atheris (`pip install atheris`), says which inputs are worth keeping.

OUT gets a folder a target: `corpus` grows from run to run, `failures` has one input a kind of failure, with its
traceback beside it. An input that takes longer than --timeout is kept as `timeout-…`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import pkgutil
import random
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.robustness.odd import ODD, TOKEN  # noqa: E402

SOURCE_PATHS = {"javascript": "app.js", "typescript": "app.ts", "tsx": "app.tsx", "python": "app.py"}
DEPLOY_PATHS = {
    "caddyfile": "Caddyfile",
    "compose": "compose.yaml",
    "dockerfile": "Dockerfile",
    "dotenv": ".env",
    "forever": "forever.json",
    "gunicorn": "gunicorn.conf.py",
    "haproxy": "haproxy.cfg",
    "kubernetes": "web.yaml",
    "makefile": "Makefile",
    "nginx": "nginx.conf",
    "package_json": "package.json",
    "platform": "fly.toml",
    "pm2": "ecosystem.config.js",
    "procfile": "Procfile",
    "python_requirements": "requirements.txt",
    "shell": "start.sh",
    "supervisord": "supervisord.conf",
    "systemd": "web.service",
    "tsconfig": "tsconfig.json",
    "upstart": "web.conf",
    "uwsgi": "uwsgi.ini",
    "vcl": "default.vcl",
    "workflow": ".github/workflows/deploy.yml",
}
OTHER_PATHS = {
    "pm2": ("pm2.json", "pm2.yml"),
    "platform": ("app.json", "render.yaml"),
    "systemd": ("x.service.d/a.conf",),
}
TARGETS = (*SOURCE_PATHS, *DEPLOY_PATHS, "classify", "config", "program")
LARGEST_SEED = 5_000
MOST_SEEDS = 300
MOST_PROJECTS = 150
"""The seeds of `program`, each of which takes as long as a hundred files."""
SEPARATOR = b"\n==== "
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
CONFIG_SEEDS = (
    'select = ["blocking", "errors"]\nextend-select = ["all"]\nignore = ["no-healthcheck"]\npreview = true\n',
    'exclude = ["/x/**/y", "*.gen.js", "!a", "[a-z]/"]\nextend-exclude = ["a/"]\nfail-on = "error"\n',
    '[per-file-ignores]\n"tests/**" = ["all"]\n[severity]\nblocking-call = "advice"\n[blocking-call.apis]\n"a" = "c"\n',
    'extend = "prodlint.toml"\n[project]\nhandlers = ["a.js"]\n',
    'extend = "\\u0000"\n[blocking-call.apis]\n"a.b" = 1\n',
    'extend = "~nobody/x"\n[[tool.prodlint]]\na.b.c = 0xffffffffffffffffff\n',
)


# --- what is tried ----------------------------------------------------------------------------------------------------


def try_file(kind: str, path: str) -> Callable[[bytes], None]:
    """Extraction of one file: nothing is raised, and every place is in the file."""
    from prodlint.extract.extraction import extract
    from prodlint.extract.fact_table import decode, encode

    def run(data: bytes) -> None:
        for name in (path, *OTHER_PATHS.get(kind, ())):
            facts = extract(data, kind, name)
            assert decode(encode(facts)) == facts
            for fact in (*facts.problems, *facts.directives, *facts.calls):
                assert 0 <= fact.start <= fact.end <= len(data), fact
            for artefact in facts.artefacts:
                for setting in artefact.settings:
                    assert 0 <= setting.start <= setting.end <= len(data) + 1, setting

    return run


def try_classify(data: bytes) -> None:
    """What kind of file this is: the first line is its name."""
    from prodlint.project.discovery import kind_of
    from prodlint.project.vfs import FileSystem

    name, _, content = data.partition(b"\n")
    path = name.decode(errors="replace")
    kind_of(path, FileSystem(None, {path: content}))


def try_config(scratch: Path) -> Callable[[bytes], None]:
    """The settings: they are read, or one message says what is wrong with them."""
    from prodlint.project.discovery import Root, discover
    from prodlint.project.settings import ConfigError, chosen_rules, read_settings
    from prodlint.project.vfs import FileSystem
    from prodlint.rulebook import load_rules

    rules = load_rules()
    path = scratch / "prodlint.toml"

    def run(data: bytes) -> None:
        path.write_bytes(data)
        try:
            settings = read_settings(path, rules)
        except ConfigError as error:
            assert "\n" not in str(error), str(error)
            return
        chosen_rules(rules, settings)
        discover([scratch], Root(scratch, path, True), settings, FileSystem(scratch))

    return run


def files_of(data: bytes) -> dict[str, bytes]:
    """The project that an input of the target `program` stands for."""
    files = {}
    for part in (b"\n" + data).split(SEPARATOR):
        name, _, content = part.partition(b"\n")
        path = name.decode(errors="replace").strip().lstrip("/")
        if path and path.isprintable() and ".." not in path:
            files[path] = content
    return files


def try_program(data: bytes) -> None:
    """Everything that `prodlint check` does with a small project."""
    from msgspec.structs import replace

    from prodlint.analysis.session import ExtractOptions, Session
    from prodlint.fixes.apply import fix_all
    from prodlint.output import FORMATS, Options, Report, Stats, render
    from prodlint.output.services import as_json
    from prodlint.output.services import render as render_services
    from prodlint.project.discovery import Project, source_file
    from prodlint.project.settings import Settings, chosen_rules
    from prodlint.project.vfs import FileSystem
    from prodlint.rulebook import load_rules

    files = files_of(data)
    file_system = FileSystem(None, files)
    settings = Settings(preview=True)
    found = [file for path in sorted(files) if (file := source_file(path, file_system, settings)) is not None]
    known = load_rules()
    session = Session(
        Project(Path(), found), file_system, settings, chosen_rules(known, settings), known, ExtractOptions(jobs=1)
    )
    outcome = fix_all(session, lambda finding, fix: True)
    failures = [error for error in session.analysis.errors if error.is_failure] + session.fix_errors
    assert not failures, failures[0].message
    report = Report(
        findings=session.findings(),
        rules=session.rules,
        severity_of=session.severity_of,
        fix_for=session.fix_for,
        edits_of=session.edits_of,
        read=session.read,
        root=Path("/project"),
        cwd=Path("/project"),
        version="0",
        errors=[],
        stats=Stats(files=len(files), seconds=None, hidden_likely=0, suppressed=0),
    )
    for name in FORMATS:
        text = "".join(render(report, name, replace(Options(), color=False, width=80)))
        assert not CONTROL.search(text.replace("\t", "")), name
    assert not CONTROL.search("\n".join(render_services(session.program)))
    as_json(session.program)
    assert set(outcome.changed) <= set(files)


def body_of(target: str, scratch: Path) -> Callable[[bytes], None]:
    """The function that a target feeds."""
    if target == "classify":
        return try_classify
    if target == "config":
        return try_config(scratch)
    if target == "program":
        return try_program
    return try_file(target, (SOURCE_PATHS | DEPLOY_PATHS)[target])


TSX_SEED = b"export default function Page({ items }: { items: string[] }) {\n  return <ul>{items.map(one)}</ul>;\n}\n"
REACHES = {
    "classify": ("project/discovery.py", "extract/deployment/__init__.py"),
    "config": ("project/settings.py", "toml_text.py", "project/discovery.py"),
    "program": (
        "program/linking/program.py",
        "checks/blocking/blocking_call.py",
        "fixes/apply.py",
        "output/services.py",
        *(f"output/{name}.py" for name in ("text", "json", "sarif", "digest")),
    ),
}
"""The modules, below the package, that a target runs; that of a kind of file runs the module that reads it."""


# --- seeds and mutations ----------------------------------------------------------------------------------------------


def seeds(target: str, folders: Iterable[Path]) -> Iterator[bytes]:
    """Real inputs of a target: of the rule pages, and of the folders."""
    from prodlint.project.discovery import kind_of
    from prodlint.project.vfs import FileSystem
    from tests.deploy.test_bad_input import SAMPLES
    from tests.pages import DEEP_CASES, RULES, read_page

    pages = [*RULES.glob("*/*.md"), *DEEP_CASES.glob("*.md")]
    for page in sorted(page for page in pages if page.name != "README.md"):
        for section in read_page(page).sections:
            files = {path: file.text.encode() for path, file in section.files.items()}
            if target == "program" and files:
                yield b"".join(SEPARATOR + path.encode() + b"\n" + data for path, data in files.items())
            file_system = FileSystem(None, files)
            yield from (data for path, data in files.items() if kind_of(path, file_system) == target)
            yield from (path.encode() + b"\n" + data for path, data in files.items() if target == "classify")
            if target == "config" and section.settings:
                yield section.settings.encode()
    yield from (text.encode() for kind, _, text in SAMPLES if kind == target)
    if target == "tsx":
        yield TSX_SEED
    if target == "config":
        yield from map(str.encode, CONFIG_SEEDS)
    if target in ("config", "program"):
        return
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.is_symlink() or path.stat().st_size > LARGEST_SEED:
                continue
            name = path.relative_to(folder).as_posix()
            kind = kind_of(name, FileSystem(folder))
            if kind == target or (target == "classify" and kind not in SOURCE_PATHS and kind is not None):
                yield (name.encode(errors="replace") + b"\n" if target == "classify" else b"") + path.read_bytes()


def write_seeds(folder: Path, inputs: Iterable[bytes], most: int) -> None:
    """A file for each of at most so many inputs, the same choice every time."""
    by_name = {hashlib.sha1(data).hexdigest(): data for data in inputs}
    for name in sorted(by_name)[:most]:
        (folder / name).write_bytes(by_name[name])


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The input with tokens or lines left out, twice, elsewhere, many times, or odd ones among them."""
    parts = TOKEN.findall(data) if chance.random() < 0.6 else data.splitlines(keepends=True)
    for _ in range(chance.randrange(1, 4)):
        if not parts:
            return chance.choice(ODD)
        start = chance.randrange(len(parts))
        end = min(len(parts), start + 1 + int(chance.expovariate(0.3)))
        piece = parts[start:end]
        what = chance.randrange(6)
        if what == 0:
            del parts[start:end]
        elif what == 1:
            at = chance.randrange(len(parts) + 1)
            parts[at:at] = piece
        elif what == 2:
            parts[start:end] = [chance.choice(ODD)]
        elif what == 3:
            parts.insert(start, chance.choice(ODD))
        elif what == 4:
            parts[start:end] = piece * chance.choice((2, 3, 50, 1000))
        else:
            del parts[end:]
    return b"".join(parts)


# --- running ----------------------------------------------------------------------------------------------------------


def modules_of(target: str) -> Iterator[str]:
    """The modules whose branches guide the search."""
    import prodlint

    parts = ("extract",) if target in SOURCE_PATHS | DEPLOY_PATHS else ("",)
    for module in pkgutil.walk_packages(prodlint.__path__, "prodlint."):
        name = module.name.removeprefix("prodlint.")
        if name.startswith(parts) and not name.startswith(("cli", "lsp", "__main__")):
            yield module.name


def fuzz(target: str, folder: Path, seconds: int, timeout: int, corpus: Path) -> None:
    """One libFuzzer run in this process; it ends the process."""
    import atheris

    with atheris.instrument_imports(include=["prodlint"]):
        for module in modules_of(target):
            importlib.import_module(module)
        body = body_of(target, folder)
    failures = folder / "failures"

    def one(data: bytes) -> None:
        try:
            body(data)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            name = f"{type(error).__name__}-{Path(place.filename).stem}-{place.lineno}"
            if isinstance(error, AssertionError):
                name += "-" + re.sub(r"\W+", "-", str(error)[:20]).strip("-")
            known = failures / name
            if not known.exists() or known.stat().st_size > len(data):
                known.write_bytes(data)
                known.with_suffix(".txt").write_text(traceback.format_exc())

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.3:
            changed: bytes = atheris.Mutate(data, most)
            return changed
        return mutated(data, chance)[:most]

    options: dict[str, Any] = {"custom_mutator": mutate}
    flags = [
        f"-max_total_time={seconds}",
        f"-timeout={timeout}",
        "-max_len=20000",
        "-rss_limit_mb=3000",
        "-verbosity=0",
    ]
    atheris.Setup(
        [sys.argv[0], *flags, f"-artifact_prefix={failures}/", "-print_final_stats=1", str(corpus)], one, **options
    )
    atheris.Fuzz()


def run_target(target: str, out: Path, folders: list[Path], seconds: int, timeout: int) -> int:
    """Fuzzes one target for so many seconds, beginning again after a hang; returns how many failures are known."""
    folder = out / target
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    (folder / "failures").mkdir(exist_ok=True)
    if not any((folder / "corpus").iterdir()):
        write_seeds(folder / "corpus", seeds(target, folders), MOST_PROJECTS if target == "program" else MOST_SEEDS)
    end = time.monotonic() + seconds
    runs = 0
    while (left := int(end - time.monotonic())) > 0:
        command = [
            sys.executable,
            __file__,
            str(out),
            target,
            "--child",
            "--seconds",
            str(left),
            "--timeout",
            str(timeout),
        ]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        counted = re.search(r"number_of_executed_units: *(\d+)", done.stderr)
        runs += int(counted[1]) if counted else 0
        if done.returncode == 0:
            break
        (folder / "last-log.txt").write_text(done.stderr[-20_000:])
    kept = sorted(
        path.name
        for path in (folder / "failures").iterdir()
        if path.suffix != ".txt" and not path.name.startswith("slow-")
    )
    print(f"{target:20} {runs:8} runs  {len(kept)} failures  {' '.join(kept)}", flush=True)
    return len(kept)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--corpus", type=Path, action="append", default=[])
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--timeout", type=int, default=20, help="seconds that one input may take")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_intermixed_args()
    out = arguments.out.resolve()
    if arguments.child:
        (target,) = arguments.targets
        fuzz(target, out / target, arguments.seconds, arguments.timeout, out / target / "corpus")
        return 0
    folders = [folder.resolve() for folder in arguments.corpus]
    targets = arguments.targets or TARGETS
    failures = [run_target(target, out, folders, arguments.seconds, arguments.timeout) for target in targets]
    return 1 if any(failures) else 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    sys.exit(main())
