"""The command line. What a command needs beyond click is imported when it runs: every command starts quickly."""

from __future__ import annotations

import gc
import io
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prodlint import __version__

if TYPE_CHECKING:
    from prodlint.cache import Cache
    from prodlint.engine import Session
    from prodlint.findings import Finding, Fix, Trouble
    from prodlint.output import Options
    from prodlint.rulebook import Rule

CLEAN, FOUND, FAILED, INTERRUPTED = 0, 1, 2, 130


def main() -> None:
    """The entry point: runs the command, and ends with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # the code shown may have what the terminal's charset has not
    gc.disable()  # facts are millions of small objects without cycles, and the process ends soon: measured, 1 s in 3
    try:
        code = cli.main(prog_name="prodlint", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = FAILED
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FOUND
    except Exception:  # a defect must not look like findings, which is what Python's own exit code 1 would mean
        import traceback

        traceback.print_exc()
        click.echo("This is a defect in prodlint. Please report it, with the lines above.", err=True)
        code = FAILED
    sys.exit(code)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="prodlint %(version)s")
def cli() -> None:
    """Finds what will hurt a Node or Python web service in production.

    Source code and deployment files are read as one program. Exit codes: 0 nothing found, 1 findings, 2 something
    went wrong.
    """


def _names(_context: click.Context, _option: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """The values of an option that can be repeated and takes lists, as one tuple."""
    return tuple(name.strip() for item in value for name in item.split(",") if name.strip())


_FORMATS = (
    *("text", "concise", "json", "sarif", "github", "gitlab", "azure", "junit", "checkstyle", "sonarqube", "markdown"),
)
"""The names of `prodlint.output.FORMATS`, which would have to be imported for every `--help`."""


def _outputs(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The formats and files of `--output`; "" is standard output."""
    found = []
    for value in values:
        name, _, file = value.partition("=")
        if name not in _FORMATS:
            from prodlint.settings import suggestion

            raise click.BadParameter(f"no format is called {name!r}{suggestion(name, _FORMATS)}")
        found.append((name, "" if file == "-" else file))
    files = [file for _, file in found]
    if len(set(files)) < len(files):
        raise click.BadParameter("two formats cannot go to the same place")
    return tuple(found)


_COLOR = click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
_Command = Callable[..., int]


def _cache_options(command: _Command) -> _Command:
    """The options of every command that extracts facts."""
    folder = click.option(
        "--cache-dir",
        type=click.Path(file_okay=False),
        envvar="PRODLINT_CACHE_DIR",
        show_envvar=True,
        help="Where the cache is.",
    )
    return click.option("--no-cache", is_flag=True, help="Neither read nor write the cache.")(folder(command))


_CONFIG = click.option("--config", type=click.Path(dir_okay=False), help="Read the settings from this file.")


# --- check ------------------------------------------------------------------------------------------------------------


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--select", multiple=True, metavar="NAMES", callback=_names, help="Run these rules or practices only.")
@click.option("--extend-select", multiple=True, metavar="NAMES", callback=_names, help="Run these too.")
@click.option("--ignore", multiple=True, metavar="NAMES", callback=_names, help="Do not run these.")
@click.option("--preview/--no-preview", default=None, help="Run rules that still have to prove themselves.")
@click.option("--likely", is_flag=True, help="Show findings that rest on a name alone, too.")
@click.option("--fix", is_flag=True, help="Make the fixes that are safe.")
@click.option("--unsafe-fixes", is_flag=True, help="Make those too that need a look.")
@click.option("--diff", is_flag=True, help="Show what the fixes would change, and change nothing.")
@click.option("--diff-base", metavar="REV", help="Show only what the change since this git revision touches or causes.")
@click.option("--baseline", type=click.Path(dir_okay=False), help="Leave out the findings that are in this file.")
@click.option("--no-baseline", is_flag=True, help="Do not look at the project's baseline.")
@click.option(
    "--fail-on", type=click.Choice(["error", "warning", "advice"]), help="The least that makes the exit code 1."
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found.")
@click.option("--output-format", type=click.Choice(_FORMATS), metavar="FORMAT", help=f"One of {', '.join(_FORMATS)}.")
@click.option("-o", "--output-file", type=click.Path(dir_okay=False), help="Write the findings to this file.")
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="FORMAT[=FILE]",
    callback=_outputs,
    help="Write this format, too, to FILE or (-) standard output. Repeatable, in place of the two above.",
)
@click.option("--statistics", is_flag=True, help="Count the findings per rule instead of showing them.")
@_CONFIG
@click.option("--force-exclude", is_flag=True, help="Leave out excluded files even if they are given by name.")
@click.option("--stdin-filename", metavar="PATH", help="What the file read from standard input (-) is called.")
@click.option(
    "--facts", multiple=True, type=click.Path(dir_okay=False), help="Use facts from `prodlint facts -o FILE`."
)
@_cache_options
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="How many processes to use.")
@_COLOR
@click.option("--show-settings", is_flag=True, help="Print the settings and the rules that would run, and stop.")
@click.option("--timings", is_flag=True, help="Say how long each stage took.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but what went wrong; the exit code says the rest.")
def check(paths: tuple[str, ...], **options: Any) -> int:
    """Lint the project that PATHS (by default the working directory) belong to.

    The whole project is analysed; findings are shown for PATHS only.
    """
    clock = _Clock()
    with ExitStack() as stack:
        session = _open(paths, options, stack)
        clock.lap("discover")
        if options["show_settings"]:
            return _show_settings(session)
        _ = session.facts
    clock.lap("extract")
    _ = session.analysis
    clock.lap("link and check")
    code = _fix_and_report(session, options, clock)
    if options["timings"]:
        click.echo(clock.table(), err=True)
    return code


def _open(paths: Sequence[str], options: Mapping[str, Any], stack: ExitStack) -> Session:
    """The session that a command's paths and options ask for. What it holds open is closed by `stack`."""
    from prodlint.engine import Extracting, Session
    from prodlint.rulebook import RulebookError
    from prodlint.settings import Choice, ConfigError

    overlay = _standard_input(paths, options.get("stdin_filename"))
    given = [_absolute(path) for path in paths or (".",) if path != "-"]
    extracting = Extracting(
        cache=_cache(options, stack),
        shard=_shards(options.get("facts", ())),
        jobs=options.get("jobs"),
        progress=stack.enter_context(_ProgressBar()).update if _shows_progress(options) else None,
    )
    choice = Choice(options.get("select") or None, options.get("extend_select", ()), options.get("ignore", ()))
    try:
        return Session.open(
            [*given, *overlay],
            config=_absolute(options["config"]) if options["config"] else None,
            overlay=overlay,
            choice=choice,
            preview=options.get("preview"),
            force_exclude=options.get("force_exclude", False),
            extracting=extracting,
        )
    except (ConfigError, RulebookError) as error:
        raise click.ClickException(str(error)) from error


def _absolute(path: str) -> Path:
    """The path as the walk will meet it: symbolic links on the way to it are followed."""
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise click.ClickException(f"{path!r} is no path: {error}") from error


def _standard_input(paths: Sequence[str], name: str | None) -> dict[Path, bytes]:
    if "-" not in paths:
        return {}
    if name is None:
        raise click.UsageError("reading from standard input (-) needs --stdin-filename")
    return {_absolute(name): sys.stdin.buffer.read()}


def _cache(options: Mapping[str, Any], stack: ExitStack) -> Cache | None:
    if options["no_cache"]:
        return None
    from prodlint.cache import Cache, default_directory

    directory = Path(options["cache_dir"]) if options["cache_dir"] else default_directory()
    return None if directory is None else stack.enter_context(Cache(directory))


def _shards(files: Sequence[str]) -> dict[bytes, bytes]:
    if not files:
        return {}
    from prodlint.factfiles import ShardError, read_shard

    shards: dict[bytes, bytes] = {}
    for file in files:
        try:
            shards |= read_shard(Path(file))
        except ShardError as error:
            raise click.ClickException(str(error)) from error
    return shards


def _fix_and_report(session: Session, options: Mapping[str, Any], clock: _Clock) -> int:
    """What remains to be done when everything is analysed. Returns the exit code."""
    from prodlint.findings import Confidence

    changed = False
    if options["fix"] or options["unsafe_fixes"] or options["diff"]:
        session, changed = _fix(session, options)
        clock.lap("fix")
    wanted, known = _wanted(session, options)
    found = [finding for finding in wanted if session.project.reports(finding.location.path)]
    shown = [finding for finding in found if options["likely"] or finding.confidence is Confidence.CERTAIN]
    troubles = [trouble for trouble in session.analysis.troubles if not trouble.path or _is_ours(session, trouble)]
    if options["quiet"] or options["diff"]:
        for trouble in troubles:
            click.echo(_one_line(session, trouble), err=True)
    if not options["quiet"] and not options["diff"]:
        _report(session, shown, troubles, len(found) - len(shown), known, options, clock.seconds)
        clock.lap("output")
    for trouble in session.fix_troubles:  # known only when all fixes were asked for
        click.echo(_one_line(session, trouble), err=True)
    if not (options["quiet"] or any(map(session.project.reports, session.facts)) or troubles):
        click.echo("There is nothing to check here: no file that prodlint reads.", err=True)
    if any(trouble.is_failure for trouble in (*troubles, *session.fix_troubles)):
        return FAILED
    if options["exit_zero"]:
        return CLEAN
    if options["diff"]:
        return FOUND if changed else CLEAN
    return FOUND if any(_counts(session, finding, options["fail_on"]) for finding in shown) else CLEAN


def _wanted(session: Session, options: Mapping[str, Any]) -> tuple[list[Finding], int]:
    """The findings that are not in the baseline and, with --diff-base, that a change caused; and how many the baseline
    has in the given paths."""
    from prodlint.output import in_order

    findings = in_order(session.findings())
    known: list[Finding] = []
    path = _baseline_path(session, options)
    if path is not None:
        from prodlint.baseline import BaselineError, read_baseline, split

        try:
            findings, known, _ = split(findings, session.read, read_baseline(path))
        except BaselineError as error:
            raise click.ClickException(str(error)) from error
    if options["diff_base"]:
        from prodlint.changes import GitError, caused, changes_since

        try:
            findings = caused(session, findings, changes_since(session.project.root, options["diff_base"]))
        except GitError as error:
            raise click.ClickException(f"--diff-base: {error}") from error
    return findings, sum(session.project.reports(finding.location.path) for finding in known)


def _baseline_path(session: Session, options: Mapping[str, Any]) -> Path | None:
    """The baseline that counts: the one that is named, else the project's own, if it has one."""
    if options["no_baseline"]:
        return None
    if options["baseline"]:
        return Path(options["baseline"])
    from prodlint.baseline import BASELINE_NAME

    path = session.project.root / BASELINE_NAME
    return path if path.is_file() else None


def _is_ours(session: Session, trouble: Trouble) -> bool:
    return session.project.reports(trouble.path) or trouble in session.project.troubles


def _counts(session: Session, finding: Finding, fail_on: str | None) -> bool:
    """Whether a finding is reason enough for the exit code 1."""
    from prodlint.findings import Severity

    least = Severity(fail_on) if fail_on else session.settings.fail_on
    return session.severity_of(finding).rank >= least.rank


def _from_here(session: Session, path: str) -> str:
    """A path of the project as seen from the working directory, with forward slashes."""
    return Path(os.path.relpath(session.project.root / path)).as_posix()


def _one_line(session: Session, trouble: Trouble) -> str:
    """A trouble as grep would write it."""
    path = _from_here(session, trouble.path) if trouble.path else "prodlint"
    return f"{path}:{trouble.line}: {trouble.message}" if trouble.line else f"{path}: {trouble.message}"


def _fix(session: Session, options: Mapping[str, Any]) -> tuple[Session, bool]:
    """Makes the fixes that are asked for, or shows them. Returns the state after them, and whether it is another."""
    from prodlint.findings import Applicability, Confidence
    from prodlint.fixes.apply import FixLoopError, fix_all, write

    from_stdin = set(session.sources.overlay)
    narrowed = bool(options["diff_base"]) or _baseline_path(session, options) is not None
    wanted = {id(finding) for finding in _wanted(session, options)[0]} if narrowed else set()

    def choose(finding: Finding, fix: Fix) -> bool:
        if not session.project.reports(finding.location.path) or (narrowed and id(finding) not in wanted):
            return False
        if from_stdin and {edit.path for edit in fix.edits} != from_stdin:
            return False  # only what was read can be written back
        if finding.confidence is not Confidence.CERTAIN and not options["likely"]:
            return False
        return fix.applicability is Applicability.SAFE or options["unsafe_fixes"]

    try:
        outcome = fix_all(session, choose)
    except FixLoopError as error:
        raise click.ClickException(f"{error}. This is a defect in prodlint; nothing was changed.") from error
    messages = list(outcome.messages)
    if options["diff"]:
        from prodlint.fixes.diff import unified_diff

        here = {_from_here(session, path): change for path, change in outcome.changed.items()}
        sys.stdout.buffer.write(unified_diff(here))
    elif from_stdin:
        for path in from_stdin:
            data = outcome.changed[path][1] if path in outcome.changed else session.read(path)
            sys.stdout.buffer.write(data)
    else:
        messages += write(outcome, session.project.root)
    for message in messages:
        click.echo(message, err=True)
    if not options["quiet"]:
        click.echo(_fixed(len(outcome.applied), len(outcome.changed), options["diff"]), err=True)
    after = session.with_overlay({path: new for path, (_, new) in outcome.changed.items()})
    return after, bool(outcome.changed)


def _fixed(findings: int, files: int, is_diff: bool) -> str:
    verb = "Would fix" if is_diff else "Fixed"
    return f"{verb} {findings} finding{'s' * (findings != 1)} in {files} file{'s' * (files != 1)}."


def _report(
    session: Session,
    findings: Sequence[Finding],
    troubles: Iterable[Trouble],
    hidden: int,
    known: int,
    options: Mapping[str, Any],
    seconds: float,
) -> None:
    from prodlint.output import ErrorMessage, Report, Stats, in_order, render

    fixes: dict[int, Fix | None] = {}

    def fix_for(finding: Finding) -> Fix | None:
        """Every format asks, and making a fix takes longer than showing it."""
        if id(finding) not in fixes:
            fixes[id(finding)] = session.fix_for(finding)
        return fixes[id(finding)]

    report = Report(
        findings=in_order(findings),
        rules=session.rules,
        severity_of=session.severity_of,
        fix_for=fix_for,
        read=session.read,
        root=session.project.root,
        cwd=Path.cwd(),
        version=__version__,
        errors=[ErrorMessage(trouble.path or None, trouble.line or None, trouble.message) for trouble in troubles],
        stats=Stats(
            files=sum(map(session.project.reports, session.facts)),
            seconds=seconds,
            hidden_likely=hidden,
            suppressed=known
            + sum(session.project.reports(finding.location.path) for finding in session.analysis.suppressed),
        ),
    )
    terminal = replace(_terminal(options["color"]), statistics=options["statistics"])
    for output_format, file in _wanted_outputs(options):
        if file:
            pieces = render(report, output_format, replace(terminal, color=False, unicode=True))
            try:
                Path(file).write_text("".join(pieces), encoding="utf-8")
            except OSError as error:
                raise click.FileError(file, error.strerror) from error
        else:
            is_second = bool(session.sources.overlay) and (options["fix"] or options["unsafe_fixes"])
            stream = sys.stderr if is_second else sys.stdout
            for piece in render(report, output_format, terminal):
                stream.write(piece)


def _wanted_outputs(options: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """The formats that are asked for, each with its file ("" for standard output)."""
    outputs: Sequence[tuple[str, str]] = options["outputs"]
    if not outputs:
        return [(options["output_format"] or "text", options["output_file"] or "")]
    if options["output_format"] or options["output_file"]:
        raise click.UsageError("--output does the work of --output-format and --output-file: use one or the other")
    return outputs


def _terminal(color: str) -> Options:
    """How to write to the terminal, or whatever standard output is."""
    import shutil

    from prodlint.output import Options

    return Options(
        color=_wants_color(color),
        width=min(shutil.get_terminal_size((80, 24)).columns, 120),
        unicode="utf" in (sys.stdout.encoding or "").lower(),
    )


def _wants_color(choice: str) -> bool:
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _show_settings(session: Session) -> int:
    import msgspec

    settings = session.settings
    shown = {
        "root": str(session.project.root),
        "config": None if settings.path is None else str(settings.path),
        "fail-on": settings.fail_on,
        "preview": settings.preview,
        "exclude": settings.exclude,
        "per-file-ignores": dict(settings.per_file_ignores),
        "project": settings.knowledge,
        "rules": {
            name: {"severity": rule.severity, **settings.rule_data.get(name, {})}
            for name, rule in session.rules.items()
        },
    }
    click.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2))
    return CLEAN


# --- progress and time ------------------------------------------------------------------------------------------------


class _Clock:
    """How long each stage took."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._laps: list[tuple[str, float]] = []

    @property
    def seconds(self) -> float:
        """The time since the start."""
        return time.perf_counter() - self._start

    def lap(self, stage: str) -> None:
        """Ends a stage."""
        now = time.perf_counter()
        self._laps.append((stage, now - self._last))
        self._last = now

    def table(self) -> str:
        """One line a stage."""
        return "\n".join(f"{seconds:8.3f} s  {stage}" for stage, seconds in [*self._laps, ("in all", self.seconds)])


def _shows_progress(options: Mapping[str, Any]) -> bool:
    return sys.stderr.isatty() and not options.get("quiet") and os.environ.get("TERM") != "dumb"


class _ProgressBar:
    """A bar on standard error for runs that take longer than a second; it leaves nothing behind."""

    _PATIENCE = 1.0
    _INTERVAL = 0.1

    def __init__(self) -> None:
        self._next = time.monotonic() + self._PATIENCE
        self._is_drawn = False

    def __enter__(self) -> _ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_drawn:
            self._write("\r\x1b[K")

    def update(self, done: int, total: int) -> None:
        """Draws the bar, if it is time to."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self._INTERVAL
        self._is_drawn = True
        share = done / total if total else 1.0
        full = int(30 * share)
        self._write(f"\rReading files  [{'#' * full}{'.' * (30 - full)}]  {share:.0%}\x1b[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


# --- rules ------------------------------------------------------------------------------------------------------------


def _rules() -> dict[str, Rule]:
    from prodlint.rulebook import RulebookError, load_rules

    try:
        return load_rules()
    except RulebookError as error:
        raise click.ClickException(str(error)) from error


@cli.command()
@click.argument("name")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@_COLOR
def rule(name: str, output_format: str, color: str) -> int:
    """Explain the rule NAME: why it is there, what it flags, what it leaves alone."""
    rules = _rules()
    if name not in rules:
        from prodlint.settings import suggestion

        raise click.UsageError(f'no rule is called "{name}"{suggestion(name, rules) or "; see prodlint rules"}')
    if output_format == "json":
        click.echo(_rules_json([rules[name]])[1:-1].strip())
    else:
        for row in _page(rules[name], _terminal(color)):
            click.echo(row, nl=False, color=True)
    return CLEAN


def _page(rule: Rule, options: Options) -> Iterator[str]:
    from prodlint.output.markdown import render_page

    facts = [rule.practice, rule.severity, ", ".join(rule.languages), f"since {rule.since}"]
    facts.append("no fix" if rule.fix == "none" else f"{rule.fix} fix")
    if rule.is_preview:
        facts.append("preview: runs only with --preview or if selected by name")
    head, _, rest = rule.page.partition("\n")
    yield from render_page(f"{head}\n\n{rule.summary}\n\n{' · '.join(facts)}\n{rest}", options)


@cli.command()
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@_COLOR
def rules(output_format: str, color: str) -> int:
    """List all rules by practice."""
    known = list(_rules().values())
    if output_format == "json":
        click.echo(_rules_json(known))
        return CLEAN
    from itertools import groupby

    from prodlint.output.terminal import UNICODE, Painter

    painter = Painter(_wants_color(color), UNICODE)
    widest = max(len(rule.name) for rule in known)
    for practice, group in groupby(known, key=lambda rule: rule.practice):
        click.echo(painter.paint("strong", practice), color=True)
        for rule in group:
            status = " (preview)" if rule.is_preview else ""
            click.echo(f"  {rule.name:<{widest}}  {rule.summary}{painter.paint('faint', status)}", color=True)
    return CLEAN


def _rules_json(rules: Sequence[Rule]) -> str:
    import msgspec

    keys = ("name", "practice", "summary", "severity", "languages", "fix", "since", "status", "page")
    shown = [{key: getattr(rule, key) for key in keys} for rule in rules]
    return msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()


# --- what the engine sees ---------------------------------------------------------------------------------------------


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option("--output-format", type=click.Choice(["json", "msgpack"]), default="json", show_default=True)
@click.option("-o", "--output-file", type=click.Path(dir_okay=False), help="Write the facts to this file.")
@_CONFIG
@_cache_options
def facts(paths: tuple[str, ...], output_format: str, output_file: str | None, **options: Any) -> int:
    """Print what prodlint sees in PATHS, before any rule judges it.

    With --output-format msgpack the facts are a shard for `prodlint check --facts`: the files of a large project can be
    read on several machines, and checked together on one.
    """
    from prodlint.factfiles import as_json, shard_of

    with ExitStack() as stack:
        session = _open(paths, options, stack)
        found = {path: facts for path, facts in session.facts.items() if session.project.reports(path)}
    files = [file for file in session.project.files if file.path in found]
    if output_format == "json":
        data = as_json(found) + b"\n"
    else:
        data = shard_of((file, session.read(file.path), found[file.path]) for file in files)
    if output_file is None:
        sys.stdout.buffer.write(data)
    else:
        Path(output_file).write_bytes(data)
    troubles = [trouble for trouble in session.troubles() if _is_ours(session, trouble)]
    for trouble in troubles:
        click.echo(_one_line(session, trouble), err=True)
    return FAILED if any(trouble.is_failure for trouble in troubles) else CLEAN


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path())
@_CONFIG
@_cache_options
def services(paths: tuple[str, ...], **options: Any) -> int:
    """Print the services that prodlint found in the project, and what it knows about them."""
    with ExitStack() as stack:
        session = _open(paths, options, stack)
        _ = session.facts
    found = session.program.services
    from prodlint.output.services import render

    for line in render(found):
        click.echo(line)
    if not found:
        click.echo("No service found: nothing in the project says what is deployed.", err=True)
    return CLEAN


@cli.command()
@click.argument("place", metavar="PATH:LINE")
@_CONFIG
@_cache_options
def explain(place: str, **options: Any) -> int:
    """Say who gets to a line of code: a request, start-up, a script, and on which way."""
    from prodlint.explain import explain as explained

    path, _, line = place.rpartition(":")
    if not path or not line.isascii() or not line.isdigit():
        raise click.UsageError(f"expected PATH:LINE, not {place!r}")
    with ExitStack() as stack:
        session = _open([path], options, stack)
        _ = session.facts
    (given,) = session.project.given or {path}
    try:
        for row in explained(session, given, int(line)):
            click.echo(row)
    except LookupError as error:
        raise click.ClickException(str(error.args[0])) from error
    return CLEAN


# --- baseline -------------------------------------------------------------------------------------------------------


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--check", "mode", flag_value="check", help="Write nothing; exit with 1 if the file would change.")
@click.option("--prune", "mode", flag_value="prune", help="Only take out what is found no longer.")
@click.option("-o", "--output-file", type=click.Path(dir_okay=False), help="The file, if it is not the project's own.")
@click.option("--preview/--no-preview", default=None, help="With rules that still have to prove themselves.")
@_CONFIG
@_cache_options
def baseline(paths: tuple[str, ...], mode: str | None, output_file: str | None, **options: Any) -> int:
    """Write down today's findings, so that `prodlint check` shows only new ones.

    The file is .prodlint-baseline.json in the project's root; commit it. With PATHS only their findings are written
    anew.
    """
    from prodlint.baseline import BASELINE_NAME, BaselineError, entries_of, read_baseline, split, write_baseline
    from prodlint.findings import Confidence
    from prodlint.output import in_order

    with ExitStack() as stack:
        session = _open(paths, options, stack)
        findings = in_order(session.findings())
        troubles = [trouble for trouble in session.analysis.troubles if trouble.is_failure]
    path = Path(output_file) if output_file else session.project.root / BASELINE_NAME
    reports = session.project.reports
    try:
        old = read_baseline(path) if path.exists() else []
        stale = {entry for entry in split(findings, session.read, old).stale if reports(entry.path)}
        new = [entry for entry in old if entry not in stale]
        if mode != "prune":
            today = [
                entry
                for finding, entry in zip(findings, entries_of(findings, session.read), strict=True)
                if reports(entry.path) and finding.confidence is Confidence.CERTAIN
            ]
            new = sorted({*today, *new})
        added = len(set(new) - set(old))
        if mode != "check" and (new != old or not path.exists()):
            write_baseline(path, new)
    except BaselineError as error:
        raise click.ClickException(str(error)) from error
    for trouble in troubles:
        click.echo(_one_line(session, trouble), err=True)
    verb = "would be " if mode == "check" else ""
    click.echo(
        f"{len(new)} finding{'s' * (len(new) != 1)} in {path.name}: {added} {verb}added, {len(stale)} {verb}taken out."
    )
    if troubles:
        return FAILED
    return FOUND if mode == "check" and (added or stale) else CLEAN


# --- init -------------------------------------------------------------------------------------------------------------


@cli.command()
@click.argument("folder", default=".", type=click.Path(file_okay=False, exists=True))
def init(folder: str) -> int:
    """Write a commented configuration to start from, into FOLDER's pyproject.toml or a new prodlint.toml."""
    from prodlint.init import write_config
    from prodlint.settings import ConfigError

    try:
        path = write_config(Path(folder))
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Wrote {path}")
    return CLEAN
