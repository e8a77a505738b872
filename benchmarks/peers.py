"""Measures prodlint's time and memory against other linters, on the same files, in one run.

    python scripts/ecosystem.py fetch APPS
    python benchmarks/peers.py APPS SCRATCH

APPS is the folder of the pinned applications. In SCRATCH, outside of any repository, it lays out what is linted, and
installs the other linters in the versions that are pinned below; later runs use both again. Linux only: the figures
come from `wait4` and `/proc`.

What is linted are the source files that prodlint reads in so many applications that `--megabytes` are reached in either
language, taken by name. Files that a program wrote, which prodlint leaves out, are left out for all.

Every tool runs with its rules that are nearest to prodlint's, with as many processes as it takes by itself or can be
told to. All take turns, `--runs` times, so that what else the machine does hits all alike; a ratio is made within a
turn, and the median of the ratios is shown. Time is wall clock time; CPU time stands beside it. Memory is the largest
process (peak resident size), and all processes together (largest sum of proportional sizes, looked at 20 times a second
in a run of its own that is not timed).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import threading
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
SUFFIXES = {"js": (".js", ".cjs", ".mjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"), "py": (".py",)}
LANGUAGES = {"js": "javascript", "py": "python"}
PROCESSES = 2

PYTHON_PEERS = (
    "ruff==0.17.6",
    "flake8==7.5.0",
    "flake8-async==26.8.1",
    "pylint==4.1.4",
    "fixit==2.2.1",
    "bandit==1.9.4",
)
SEMGREP = ("semgrep==1.185.0",)  # by itself: it pins much
NODE_PEERS = (
    "oxlint@1.94.0",
    "@biomejs/biome@2.6.8",
    "eslint@10.15.0",
    "eslint-plugin-n@18.5.0",
    "eslint-plugin-promise@7.3.0",
    "@typescript-eslint/parser@8.73.0",
    "typescript@5.9.3",
)

OXLINT_CONFIG = {
    "plugins": ["promise", "node"],
    "categories": {"correctness": "off"},
    "rules": {
        "no-console": "error",
        "no-empty": "error",
        "no-useless-catch": "error",
        "no-async-promise-executor": "error",
        "node/handle-callback-err": "error",
        "node/no-process-env": "error",
        "promise/always-return": "error",
        "promise/catch-or-return": "error",
        "promise/no-multiple-resolved": "error",
    },
}

BIOME_CONFIG = {
    "root": True,
    "files": {"maxSize": 10_000_000},
    "linter": {
        "rules": {
            "recommended": False,
            "suspicious": {"noConsole": "error", "noEmptyBlockStatements": "error", "noAsyncPromiseExecutor": "error"},
            "complexity": {"noUselessCatch": "error"},
            "style": {"noProcessEnv": "error"},
        }
    },
    "formatter": {"enabled": False},
    "assist": {"enabled": False},
}

ESLINT_CONFIG = """
import n from "eslint-plugin-n";
import promise from "eslint-plugin-promise";
import typescript from "@typescript-eslint/parser";

const rules = {
  "no-console": "error", "no-empty": "error", "no-useless-catch": "error", "no-async-promise-executor": "error",
  "n/no-sync": "error", "n/handle-callback-err": "error", "n/no-process-env": "error", "n/no-process-exit": "error",
  "promise/always-return": "error", "promise/catch-or-return": "error", "promise/no-multiple-resolved": "error",
};
const linterOptions = {noInlineConfig: true, reportUnusedDisableDirectives: "off"};
export default [
  {files: ["**/*.{js,cjs,mjs,jsx}"], plugins: {n, promise}, rules, linterOptions,
   languageOptions: {parserOptions: {ecmaFeatures: {jsx: true}}}},
  {files: ["**/*.{ts,mts,cts,tsx}"], plugins: {n, promise}, rules, linterOptions,
   languageOptions: {parser: typescript}},
];
"""

SEMGREP_RULES = """
rules:
  - id: sync-in-handler
    languages: [javascript, typescript]
    severity: ERROR
    message: blocking call in a handler
    patterns:
      - pattern-inside: $APP.$METHOD($PATH, ..., ($REQ, $RES, ...) => { ... })
      - pattern: $FS.readFileSync(...)
  - id: console-logging
    languages: [javascript, typescript]
    severity: ERROR
    message: console
    pattern-either:
      - pattern: console.log(...)
      - pattern: console.error(...)
  - id: callback-error-ignored
    languages: [javascript, typescript]
    severity: ERROR
    message: the error is dropped
    patterns:
      - pattern: "$FUNC(..., function ($ERR, ...) { ... })"
      - pattern-not: "$FUNC(..., function ($ERR, ...) { <... $ERR ...> })"
      - metavariable-regex: {metavariable: $ERR, regex: "^(e|err|error)$"}
  - id: blocking-in-coroutine
    languages: [python]
    severity: ERROR
    message: blocking call in a coroutine
    patterns:
      - pattern-inside: "async def $F(...): ..."
      - pattern-either:
          - pattern: time.sleep(...)
          - pattern: requests.$METHOD(...)
          - pattern: subprocess.run(...)
  - id: print-logging
    languages: [python]
    severity: ERROR
    message: print
    pattern: print(...)
  - id: swallowed-exception
    languages: [python]
    severity: ERROR
    message: swallowed
    pattern: |
      try:
          ...
      except $E:
          pass
"""

PARSE = """
import os, sys
import tree_sitter_javascript, tree_sitter_python, tree_sitter_typescript
from tree_sitter import Language, Parser
made = {}
def parser(suffix):
    if suffix == ".py":
        language = tree_sitter_python.language
    elif suffix == ".tsx":
        language = tree_sitter_typescript.language_tsx
    elif suffix in (".ts", ".mts", ".cts"):
        language = tree_sitter_typescript.language_typescript
    else:
        language = tree_sitter_javascript.language
    return made.setdefault(language, Parser(Language(language())))
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        suffix = os.path.splitext(name)[1]
        if suffix in sys.argv[2].split(","):
            with open(os.path.join(folder, name), "rb") as file:
                parser(suffix).parse(file.read())
"""

SMALL = """'use strict';

const fs = require('node:fs');
const express = require('express');

const app = express();
app.use(express.json());

app.get('/orders/:id', async (req, res) => {
  const orders = JSON.parse(fs.readFileSync('orders.json', 'utf8'));
  const order = orders.find((candidate) => candidate.id === req.params.id);
  if (!order) {
    return res.status(404).json({ error: 'no such order' });
  }
  console.log('found', order.id);
  res.json(order);
});

app.post('/orders', (req, res, next) => {
  fs.writeFile('orders.json', JSON.stringify(req.body), (err) => {
    res.status(201).end();
  });
});

app.listen(process.env.PORT || 3000);
"""


# --- running and measuring --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """One run of one command."""

    seconds: float
    cpu: float
    largest: float
    """Peak memory of its largest process, in MB."""
    code: int


@dataclass
class Task:
    """A command that is measured."""

    name: str
    command: Sequence[str | Path]
    cwd: Path
    before: Callable[[], object] = lambda: None
    """What is done before each run, and not measured."""
    good: frozenset[int] = frozenset({0, 1})
    """Exit codes that mean that it did its work."""
    slow: bool = False
    """Whether it is measured in the first turns only (`--slow-runs`)."""
    runs: list[Measured] = field(default_factory=list)
    together: float = 0.0
    """Peak memory of all its processes, in MB."""

    def run(self) -> None:
        """Runs it once."""
        self.before()
        self.runs.append(measure(self.command, self.cwd))
        if self.runs[-1].code not in self.good:
            raise SystemExit(f"{self.name} failed with {self.runs[-1].code}: {' '.join(map(str, self.command))}")

    def watch(self) -> None:
        """Runs it once more to see the memory of all its processes."""
        self.before()
        process = spawn(self.command, self.cwd)
        peak = Peak(process.pid)
        process.wait()
        self.together = peak.stop()

    def median(self, what: str) -> float:
        """The median of an attribute of its runs."""
        return statistics.median(getattr(run, what) for run in self.runs)


def spawn(command: Sequence[str | Path], cwd: Path) -> subprocess.Popen[bytes]:
    """Starts a command whose output nobody reads."""
    environment = {**os.environ, "SEMGREP_SEND_METRICS": "off", "SEMGREP_ENABLE_VERSION_CHECK": "0"}
    for name in ("PRODLINT_CACHE_DIR", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    return subprocess.Popen(
        list(map(str, command)), cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def measure(command: Sequence[str | Path], cwd: Path) -> Measured:
    """Runs a command. What its processes used is counted if it waits for them, which all of these do."""
    start = time.perf_counter()
    process = spawn(command, cwd)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode)


class Peak:
    """Watches how much memory a process and all below it take together."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> float:
        """Ends watching; returns the peak in MB."""
        self._stop.set()
        self._thread.join()
        return self._peak / 1024

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self._peak = max(self._peak, sum(map(_proportional, _tree(self._pid))))


def _tree(pid: int) -> list[int]:
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text(encoding="latin-1").rpartition(")")[2].split()
        except OSError:
            continue
        children[int(fields[1])].append(int(entry.parent.name))
    found = [pid]
    for one in found:
        found += children[one]
    return found


def _proportional(pid: int) -> int:
    """The memory of a process in KB; what several share is counted once in all."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


# --- what is linted ---------------------------------------------------------------------------------------------------


def lay_out(apps: Path, folder: Path, megabytes: float) -> None:
    """Copies what is linted into `folder`: `js` and `py`, a folder per application in each."""
    from prodlint.analysis.session import Session

    stamp = folder / "stamp"
    wanted = f"{megabytes} {(HERE / 'ecosystem' / 'apps.toml').read_text(encoding='utf-8')}"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    rows = tomllib.loads((HERE / "ecosystem" / "apps.toml").read_text(encoding="utf-8"))["app"]
    for language, suffixes in SUFFIXES.items():
        total = 0
        for row in sorted(rows, key=lambda row: str(row["name"])):
            app = apps / row["name"]
            if row["language"] == LANGUAGES[language] and app.is_dir() and total < megabytes * 1e6:
                session = Session.open([app])
                others = set().union(*(SUFFIXES[other] for other in SUFFIXES if other != language))
                for path in session.facts:
                    suffix = Path(path).suffix
                    if suffix in others:
                        continue
                    target = folder / language / app.name / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(app / path, target)
                    total += target.stat().st_size if suffix in suffixes else 0
        if total < megabytes * 1e6:
            raise SystemExit(
                f"{apps} has {total / 1e6:.1f} MB of {LANGUAGES[language]} only: fetch more, or --megabytes"
            )
    for root in (folder, folder / "js", folder / "py"):
        (root / "prodlint.toml").write_text("")  # what is measured is one project, wherever it lies
    stamp.write_text(wanted, encoding="utf-8")
    time.sleep(3)  # no tool trusts the time stamp of a file that has just been written


def sizes(folder: Path, suffixes: Sequence[str]) -> tuple[int, int, int]:
    """How many files, bytes and lines there are."""
    files = [path for path in folder.rglob("*") if path.suffix in suffixes and path.is_file()]
    data = [path.read_bytes() for path in files]
    return len(files), sum(map(len, data)), sum(text.count(b"\n") for text in data)


def changed_file(folder: Path) -> Path:
    """The file that is changed: the one of middle size."""
    suffixes = sum(SUFFIXES.values(), ())
    files = sorted(path for path in folder.rglob("*") if path.suffix in suffixes and path.is_file())
    return sorted(files, key=lambda path: path.stat().st_size)[len(files) // 2]


# --- the tools --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tools:
    """Where the tools are, and what they need."""

    folder: Path

    @property
    def node(self) -> Path:
        """The folder of the linters from npm."""
        return self.folder / "node"

    @property
    def python(self) -> Path:
        """The folder of the programs from PyPI."""
        return self.folder / "python" / "bin"

    @property
    def semgrep(self) -> Path:
        """The folder that semgrep is in."""
        return self.folder / "semgrep" / "bin"

    def install(self) -> None:
        """Installs what is not there in the pinned version."""
        for name, packages in (("python", PYTHON_PEERS), ("semgrep", SEMGREP)):
            if self._is_new(name, packages):
                subprocess.run([sys.executable, "-m", "venv", self.folder / name], check=True)
                pip = self.folder / name / "bin" / "pip"
                subprocess.run([pip, "install", "--quiet", "--disable-pip-version-check", *packages], check=True)
                self._is_installed(name, packages)
        if self._is_new("node", NODE_PEERS):
            self.node.mkdir(parents=True, exist_ok=True)
            command = ["npm", "install", "--no-save", "--no-package-lock", "--ignore-scripts", "--silent", *NODE_PEERS]
            subprocess.run(command, cwd=self.node, check=True)
            self._is_installed("node", NODE_PEERS)
        (self.node / "oxlint.json").write_text(json.dumps(OXLINT_CONFIG), encoding="utf-8")
        (self.node / "biome.json").write_text(json.dumps(BIOME_CONFIG), encoding="utf-8")
        (self.node / "eslint.config.mjs").write_text(ESLINT_CONFIG, encoding="utf-8")
        (self.folder / "semgrep.yml").write_text(SEMGREP_RULES, encoding="utf-8")
        (self.folder / "fixit.toml").write_text("[tool.fixit]\nroot = true\n", encoding="utf-8")
        (self.folder / "parse.py").write_text(PARSE, encoding="utf-8")

    def _stamp(self, name: str) -> Path:
        return self.folder / f"{name}.stamp"

    def _is_new(self, name: str, packages: Iterable[str]) -> bool:
        stamp = self._stamp(name)
        return not (stamp.is_file() and stamp.read_text(encoding="utf-8") == " ".join(packages))

    def _is_installed(self, name: str, packages: Iterable[str]) -> None:
        self._stamp(name).write_text(" ".join(packages), encoding="utf-8")

    def peers(self, corpus: Path, caches: Path) -> Iterator[Task]:
        """The other linters, each on the folder of its language."""
        js, py = corpus / "js", corpus / "py"
        bin_ = self.node / "node_modules" / ".bin"
        jobs = str(PROCESSES)
        ruff = [self.python / "ruff", "check", "--isolated", "--no-respect-gitignore", "--preview", "--exit-zero"]
        ruff += ["--quiet", "--select", "ASYNC,T20,BLE,S110,RUF006", "--output-format", "json"]
        ruff += ["--cache-dir", caches / "ruff", "."]
        yield Task("ruff", ruff, py, lambda: shutil.rmtree(caches / "ruff", ignore_errors=True))
        yield Task("ruff, warm", ruff, py)
        oxlint = [bin_ / "oxlint", "-c", self.node / "oxlint.json", "--no-ignore", "--format", "json"]
        yield Task("oxlint", [*oxlint, "--disable-nested-config", "--threads", jobs, "."], js)
        biome = ["lint", f"--config-path={self.node / 'biome.json'}", "--max-diagnostics=none", "--reporter=github"]
        yield Task("Biome", [bin_ / "biome", *biome, "--skip-parse-errors", "--files-ignore-unknown=true", "."], js)
        eslint = ["--config", self.node / "eslint.config.mjs", "--no-ignore", "--format", "json"]
        eslint += ["--no-error-on-unmatched-pattern", "--concurrency", jobs, "."]
        yield Task("ESLint", [bin_ / "eslint", *eslint], js, good=frozenset({0, 1, 2}), slow=True)
        flake8 = [self.python / "flake8", "--isolated", "-j", jobs, "--select", "ASYNC,E722", "."]
        yield Task("flake8", flake8, py, slow=True)
        bandit = [self.python / "bandit", "-q", "-r", "-t", "B110,B112,B105,B201,B602", "-f", "json", "."]
        yield Task("bandit", bandit, py, slow=True)
        rules = "broad-exception-caught,bare-except,lost-exception,try-except-raise,consider-using-sys-exit"
        pylint = [self.python / "pylint", "--rcfile=/dev/null", "--disable=all", f"--enable={rules}", "-j", jobs]
        yield Task("pylint", [*pylint, "--recursive=y", "."], py, good=frozenset(range(32)), slow=True)
        rule = "fixit.rules.use_async_sleep_in_async_def"
        fixit = [self.python / "fixit", "--quiet", "-c", self.folder / "fixit.toml", "--rules", rule, "lint", "."]
        yield Task("Fixit", fixit, py, slow=True)
        semgrep = ["scan", "--config", self.folder / "semgrep.yml", "--metrics", "off", "--disable-version-check"]
        semgrep += ["--no-git-ignore", "--max-target-bytes", "0", "--jobs", jobs, "--json", "--quiet", "."]
        command = [f"PATH={self.semgrep}:{os.environ['PATH']}", self.semgrep / "semgrep", *semgrep]
        for folder in (js, py):
            yield Task(f"semgrep, {folder.name}", ["/usr/bin/env", *command], folder, slow=True)

    def versions(self) -> Iterator[str]:
        """What is compared, with versions."""
        yield from PYTHON_PEERS
        yield from SEMGREP
        yield from NODE_PEERS


def prodlint(*options: str | Path) -> list[str | Path]:
    """The command that lints the working directory."""
    return [Path(sys.executable).parent / "prodlint", "check", ".", "--preview", "--exit-zero", *options]


def own_tasks(tools: Tools, corpus: Path, caches: Path) -> Iterator[Task]:
    """prodlint in all circumstances, and tree-sitter alone."""
    for name in ("js", "py", "all"):
        folder = corpus if name == "all" else corpus / name
        cache = caches / f"prodlint-{name}"
        command = prodlint("--output-format", "json", "-j", str(PROCESSES), "--cache-dir", cache)
        yield Task(f"prodlint, {name}", command, folder, lambda cache=cache: shutil.rmtree(cache, ignore_errors=True))
        yield Task(f"prodlint, {name}, warm", command, folder)
        suffixes = ",".join(sum(SUFFIXES.values(), ()) if name == "all" else SUFFIXES[name])
        yield Task(f"parsing, {name}", [sys.executable, tools.folder / "parse.py", ".", suffixes], folder)
    file = changed_file(corpus)
    text = file.read_bytes()
    cache = caches / "prodlint-all"

    def change() -> None:
        addition = b"\nfunction added%d() {}\n" if file.suffix in SUFFIXES["js"] else b"\n\ndef added%d(): pass\n"
        file.write_bytes(text + addition % time.time_ns())

    yield Task(
        "prodlint, all, one file changed", prodlint("--output-format", "json", "--cache-dir", cache), corpus, change
    )


def small_tasks(tools: Tools, folder: Path) -> Iterator[Task]:
    """One small file, the whole process."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "server.js").write_text(SMALL, encoding="utf-8")
    (folder / "prodlint.toml").write_text("")
    node = tools.node / "node_modules" / ".bin"
    yield Task("prodlint, small, no cache", prodlint("--no-cache"), folder)
    yield Task("prodlint, small, warm", prodlint("--cache-dir", folder.parent / "caches" / "small"), folder)
    yield Task("ESLint, small", [node / "eslint", "--config", tools.node / "eslint.config.mjs", "."], folder)
    yield Task("python, small", [sys.executable, "-c", "pass"], folder)


def doubled(corpus: Path, folder: Path) -> None:
    """Puts what is linted into `folder` twice."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("one", "two"):
        for language in SUFFIXES:
            shutil.copytree(corpus / language, folder / name / language)
    (folder / "prodlint.toml").write_text("")
    time.sleep(3)


# --- the figures ------------------------------------------------------------------------------------------------------


def ratio(above: Sequence[Task], below: Sequence[Task]) -> float:
    """The median, over the turns that all took part in, of how many times as long `above` takes as `below`."""
    turns = min(len(task.runs) for task in (*above, *below))
    return statistics.median(
        sum(task.runs[turn].seconds for task in above) / sum(task.runs[turn].seconds for task in below)
        for turn in range(turns)
    )


def findings(corpus: Path, *options: str | Path) -> str:
    """What prodlint finds in `corpus`, as text that can be compared."""
    command = prodlint("--output-format", "json", *options)
    found = json.loads(subprocess.run(command, cwd=corpus, capture_output=True, check=True).stdout)
    return json.dumps([found["findings"], found["errors"]], sort_keys=True)


def figures(tasks: Mapping[str, Task], peers: Sequence[str], same: bool | None) -> Iterator[tuple[str, str, str, bool]]:
    """The rows of the table: what, the aim, what was measured, and whether the aim is reached."""
    for peer in ("ESLint", "semgrep, js", "semgrep, py", "pylint", "Fixit", "flake8", "Biome", "bandit"):
        if peer in peers:
            own = tasks["prodlint, js" if peer in ("ESLint", "semgrep, js", "Biome") else "prodlint, py"]
            times = ratio([tasks[peer]], [own])
            aimed = peer not in ("Biome", "bandit")
            yield (
                f"cold, against {peer}",
                "10 times faster" if aimed else "-",
                f"{times:.2f} times",
                times >= 10 or not aimed,
            )
    both = [tasks[name] for name in ("ruff", "oxlint") if name in tasks]
    if len(both) == 2:
        times = ratio([tasks["prodlint, all"]], both)
        yield "cold, against ruff + oxlint", "within 4 times", f"{times:.2f} times", times <= 4
        times = ratio([tasks["prodlint, all, warm"]], [tasks["ruff, warm"], tasks["oxlint"]])
        yield "warm, against ruff warm + oxlint", "no slower", f"{times:.2f} times", times <= 1
    times = ratio([tasks["prodlint, all, one file changed"]], [tasks["prodlint, all"]])
    yield "warm with one file changed, against cold", "under a quarter", f"{times:.2f}", times < 0.25
    if same is not None:
        yield "the same, findings", "those of a cold run", "the same" if same else "OTHERS", same
    small = tasks["prodlint, small, warm"].median("seconds") * 1000
    yield "one small file, whole process", "under 150 ms", f"{small:.0f} ms", small < 150
    small = tasks["prodlint, small, no cache"].median("seconds") * 1000
    yield "the same, without a cache", "under 150 ms", f"{small:.0f} ms", small < 150
    if "ESLint, small" in tasks:
        times = ratio([tasks["ESLint, small"]], [tasks["prodlint, small, warm"]])
        yield "one small file, against ESLint", "4 times faster", f"{times:.2f} times", times >= 4
    for name in ("js", "py", "all"):
        times = ratio([tasks[f"prodlint, {name}"]], [tasks[f"parsing, {name}"]])
        yield (
            f"cold, {PROCESSES} workers, against mere parsing in one process ({name})",
            "under 1.5",
            f"{times:.2f}",
            times < 1.5,
        )
    largest = tasks["prodlint, all"].median("largest")
    yield "peak memory of one process, cold", "under 400 MB", f"{largest:.0f} MB", largest < 400
    largest = tasks["prodlint, all, warm"].median("largest")
    yield "the same, warm", "under 400 MB", f"{largest:.0f} MB", largest < 400
    if "prodlint, doubled" in tasks:
        times = ratio([tasks["prodlint, doubled"]], [tasks["prodlint, all"]])
        yield "twice the source, cold", "at most 2.1 times", f"{times:.2f} times", times <= 2.1


def machine() -> Iterator[str]:
    """What this was measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    yield f"Machine: {model}, {len(os.sched_getaffinity(0))} processors, {memory:.0f} GB, Linux {platform.release()}."
    load = os.getloadavg()[1]
    yield f"Load of the last five minutes at the end: {load:.1f}. Python {platform.python_version()}."
    git = ["git", "-C", str(HERE), "describe", "--always", "--dirty", "--abbrev=10"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    yield f"prodlint: commit {commit or 'unknown'}."


def report(
    tasks: Mapping[str, Task], rows: Iterable[tuple[str, str, str, bool]], corpus: Path, tools: Tools
) -> Iterator[str]:
    """The whole output, in Markdown."""
    yield "| what | aim | measured | reached |"
    yield "|---|---|---|---|"
    for what, aim, measured, reached in rows:
        yield f"| {what} | {aim} | {measured} | {'-' if aim == '-' else 'yes' if reached else 'no'} |"
    yield ""
    yield "| command | runs | wall, s | CPU, s | largest process, MB | all processes, MB |"
    yield "|---|---|---|---|---|---|"
    for task in tasks.values():
        together = f"{task.together:.0f}" if task.together else ""
        yield (
            f"| {task.name} | {len(task.runs)} | {task.median('seconds'):.2f} | {task.median('cpu'):.2f} "
            f"| {task.median('largest'):.0f} | {together} |"
        )
    yield ""
    for language, suffixes in SUFFIXES.items():
        files, size, lines = sizes(corpus / language, suffixes)
        apps = ", ".join(sorted(path.name for path in (corpus / language).iterdir() if path.is_dir()))
        yield f"`{language}`: {files} files, {size / 1e6:.1f} MB, {lines} lines of {apps}. `all`: both as one project."
        yield ""
    yield " ".join(machine())
    yield ""
    yield f"Compared: {', '.join(tools.versions())}."


def main() -> int:
    """Runs everything that was asked for, and prints it."""
    parser = argparse.ArgumentParser(description="Measure prodlint against other linters on the same files.")
    parser.add_argument("apps", type=Path, metavar="APPS", help="the applications that scripts/ecosystem.py fetched")
    parser.add_argument(
        "scratch", type=Path, metavar="SCRATCH", help="a folder to work in; what is in it is used again"
    )
    parser.add_argument("--runs", type=int, default=5, help="how often each tool runs (5)")
    parser.add_argument("--slow-runs", type=int, default=1, help="how often the slow ones do (1)")
    parser.add_argument("--megabytes", type=float, default=20, help="how much is linted in either language (20)")
    parser.add_argument(
        "--only", action="append", metavar="TOOL", help="compare with this one only; repeatable; `none`"
    )
    parser.add_argument("--no-doubling", action="store_true", help="do not look at the source twice its size")
    parser.add_argument("--no-sum", action="store_true", help="do not look at the memory of all processes together")
    parser.add_argument("-o", "--output", type=Path, help="write the result to this file, too")
    args = parser.parse_args()
    scratch: Path = args.scratch.resolve()
    corpus, caches = scratch / f"corpus-{args.megabytes:g}", scratch / "caches"
    tools = Tools(scratch / "tools")
    tools.folder.mkdir(parents=True, exist_ok=True)
    caches.mkdir(exist_ok=True)
    say("installing")
    tools.install()
    say("laying out")
    lay_out(args.apps.resolve(), corpus, args.megabytes)
    every = [*tools.peers(corpus, caches)]
    wanted = {name.lower() for name in args.only or ()}
    peers = [task for task in every if not wanted or task.name.partition(",")[0].lower() in wanted]
    small = [*small_tasks(tools, scratch / "small")]
    tasks = [*own_tasks(tools, corpus, caches), *peers]
    if not args.no_doubling:
        twice = scratch / "twice"
        doubled(corpus, twice)
        cache = caches / "twice"
        command = prodlint("--output-format", "json", "-j", str(PROCESSES), "--cache-dir", cache)
        tasks.append(Task("prodlint, doubled", command, twice, lambda: shutil.rmtree(cache, ignore_errors=True)))
    changed = changed_file(corpus)
    text = changed.read_bytes()
    same = None
    try:
        for turn in range(args.runs):
            for task in tasks:
                if not task.slow or turn < args.slow_runs:
                    task.run()
                    say(f"{turn + 1}/{args.runs} {task.name}: {task.runs[-1].seconds:.2f} s")
                if task.name.endswith("changed"):
                    if turn == 0:
                        warm = findings(corpus, "--cache-dir", caches / "prodlint-all")
                        same = warm == findings(corpus, "--no-cache")
                    changed.write_bytes(text)
            for _ in range(3):
                for task in small:
                    task.run()
        for task in () if args.no_sum else tasks:
            say(f"memory of {task.name}")
            task.watch()
    finally:
        changed.write_bytes(text)
    by_name = {task.name: task for task in (*tasks, *small)}
    rows = figures(by_name, [task.name for task in peers], same)
    text_out = "\n".join(report(by_name, rows, corpus, tools)) + "\n"
    sys.stdout.write(text_out)
    if args.output:
        args.output.write_text(text_out, encoding="utf-8")
    return 0


def say(text: str) -> None:
    """Prints progress, apart from the result."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
