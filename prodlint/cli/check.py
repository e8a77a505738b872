"""`prodlint check`."""

from __future__ import annotations

import json
import posixpath
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TextIO

import click
from msgspec.structs import replace

from prodlint import __version__
from prodlint.cli import CLEAN, FAILED, FOUND
from prodlint.cli.options import COLOR, CONFIG, FORMATS, cache_options, complete_names, complete_outputs, names, outputs
from prodlint.cli.sessions import display_path, is_reported, one_line, open_cache, open_session
from prodlint.cli.terminal import Clock, echo, terminal

if TYPE_CHECKING:
    from prodlint.analysis.session import Session
    from prodlint.cli.interactive import Interview
    from prodlint.findings import AnalysisError, Finding, Fix
    from prodlint.fixes.apply import FixOutcome
    from prodlint.output import Stats


_FIXING = ("fix", "interactive", "diff")
"""The options with which fixes are made, or shown as they would be made."""
_WITH_EDITS = frozenset({"json", "sarif"})
"""The formats that have all edits of the fixes in them."""
_FOR_PEOPLE = frozenset({"text", "concise"})
"""The formats that --statistics and --quiet are about."""


class _Check(click.Command):
    """The command, whose line may have been put together from names of files."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuses a line without the `--` that it says to have: any name in it could be taken for an option."""
        if _SEPARATED in args and "--" not in args:
            raise click.UsageError(
                f"{_SEPARATED}: no -- stands before the paths; in `args` of a hook it is the last", ctx
            )
        return super().parse_args(ctx, args)


_SEPARATED = "--require-separator"


@click.command(cls=_Check)
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--select",
    multiple=True,
    metavar="NAMES",
    callback=names,
    shell_complete=complete_names,
    help="Run these rules or practices only.",
)
@click.option(
    "--extend-select",
    multiple=True,
    metavar="NAMES",
    callback=names,
    shell_complete=complete_names,
    help="Run these too.",
)
@click.option(
    "--ignore", multiple=True, metavar="NAMES", callback=names, shell_complete=complete_names, help="Do not run these."
)
@click.option("--preview/--no-preview", default=None, help="Enable preview rules.")
@click.option("--likely", is_flag=True, help="Also show less certain findings.")
@click.option(
    "--advice",
    is_flag=True,
    help="Show advice too; --fail-on advice and --select do, as well.",
)
@click.option("--fix", is_flag=True, help="Apply safe fixes.")
@click.option(
    "--unsafe-fixes", is_flag=True, help="With --fix, --diff or --interactive: also apply fixes that need review."
)
@click.option(
    "--fix-only",
    multiple=True,
    metavar="NAMES",
    callback=names,
    shell_complete=complete_names,
    help="Apply fixes of these rules or practices only.",
)
@click.option("--interactive", is_flag=True, help="Show each fix, unsafe ones too, and ask before applying it.")
@click.option("--diff", is_flag=True, help="Print the fixes as a unified diff and change nothing.")
@click.option(
    "--diff-base", metavar="REV", help="Show only findings that the changes since this git revision touch or cause."
)
@click.option("--baseline", type=click.Path(dir_okay=False), help="Hide the findings that are listed in this file.")
@click.option("--no-baseline", is_flag=True, help="Ignore the project's baseline.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "advice"]),
    help="Exit with 1 only for findings of at least this severity.  [default: warning]",
)
@click.option("--watch", is_flag=True, help="Check again whenever a file changes, until Ctrl-C.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even if there are findings.")
@click.option("--output-format", type=click.Choice(FORMATS), metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.")
@click.option("-o", "--output-file", type=click.Path(dir_okay=False), help="Write the findings to this file.")
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="FORMAT[=FILE]",
    callback=outputs,
    shell_complete=complete_outputs,
    help="Write this format to FILE, or to standard output (-). Repeatable; replaces the two options above.",
)
@click.option("--statistics", is_flag=True, help="Print the number of findings per rule instead of the findings.")
@CONFIG
@click.option("--force-exclude", is_flag=True, help="Apply exclusions to files given by name, too.")
@click.option(
    _SEPARATED,
    is_flag=True,
    expose_value=False,
    help="Fail unless -- stands before PATHS, so that no file name can be an option.",
)
@click.option("--stdin-filename", metavar="PATH", help="Path to report for standard input (-).")
@click.option(
    "--facts", multiple=True, type=click.Path(dir_okay=False), help="Use facts from `prodlint facts -o FILE`."
)
@cache_options
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="Number of processes.")
@COLOR
@click.option("--show-settings", is_flag=True, help="Print the settings and the rules that would run, then exit.")
@click.option("--timings", is_flag=True, help="Print how long each stage and rule took.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only. Machine-readable formats are still written.")
def check(paths: tuple[str, ...], **options: Any) -> int:
    """Check the project that PATHS (by default the current folder) belong to.

    The whole project is analysed; findings are shown for PATHS only.
    """
    _refuse_contradictions(options)
    clock = Clock()
    with ExitStack() as stack:
        opened = open_session(paths, options, stack)
        clock.lap("discover")
        if options["show_settings"]:
            return _show_settings(opened)
        session = _looked_up(opened, options)
        clock.lap("recall")
        _ = session.analysed()
        if session is opened:
            _look_up_parts(session, options)
    clock.lap("extract")
    if session is opened:
        _analyse_parts(session, options)
    _ = session.analysis
    clock.lap("link and check", session.analysis.seconds)
    if options["watch"]:
        _watch(session, paths, options)
    code = _fix_and_report(session, options, clock)
    _keep_results(session, options)
    clock.lap("remember")
    if options["timings"]:
        click.echo(clock.table(), err=True)
    return code


def _refuse_contradictions(options: Mapping[str, Any]) -> None:
    """Raises a usage error for options that cannot all have their way."""
    formats = {name for name, _ in _wanted_outputs(options)}
    others = sorted(formats - _FOR_PEOPLE)
    if options["diff"] and others:
        raise click.UsageError(
            f"--diff prints a unified diff; leave out --diff to get {others[0]}, which has the edits"
        )
    if options["statistics"] and others:
        raise click.UsageError(f"--statistics prints a table for people and does not go with {others[0]}")
    if options["fix_only"] and not any(options[name] for name in _FIXING):
        raise click.UsageError("--fix-only needs --fix, --diff or --interactive")


def _only_shows(options: Mapping[str, Any]) -> bool:
    """Whether findings are only shown. Whatever else is done with them needs the whole program anyway."""
    return not any(options[name] for name in (*_FIXING, "watch"))


def _is_plain(options: Mapping[str, Any]) -> bool:
    """Whether the cache may know what is to be shown."""
    return _only_shows(options) and not any(options[name] for name in ("diff_base", "facts", "no_cache"))


def _is_sure_enough(finding: Finding, options: Mapping[str, Any]) -> bool:
    from prodlint.findings import Confidence

    return options["likely"] or finding.confidence is Confidence.CERTAIN


def _shows_advice(session: Session, options: Mapping[str, Any]) -> bool:
    """Whether advice was asked for: as such, as a reason to fail, or by rules that are chosen by hand."""
    from prodlint.findings import Severity

    least = options["fail_on"] or session.settings.fail_on
    return options["advice"] or least == Severity.ADVICE or bool(options["select"] or options["extend_select"])


def _looked_up(session: Session, options: Mapping[str, Any]) -> Session:
    """The session, with what an earlier run found if that is known."""
    cache = session.cache
    if cache is None or not _is_plain(options):
        return session
    from prodlint.analysis.stored_results import look_up

    return look_up(session, cache)


def _look_up_parts(session: Session, options: Mapping[str, Any]) -> None:
    """Takes over what an earlier run found in the parts of the project that are as they were."""
    if session.cache is not None and _is_plain(options) and len(session.parts) > 1:
        from prodlint.analysis.stored_results import look_up_parts

        look_up_parts(session, session.cache)


def _analyse_parts(session: Session, options: Mapping[str, Any]) -> None:
    """Looks into the parts of the project at the same time, if nothing but their findings is wanted."""
    if not _only_shows(options) or len(session.parts) == 1:
        return
    from prodlint.analysis.parallel_projects import Request, analyse
    from prodlint.analysis.scheduler import processors
    from prodlint.findings import Severity
    from prodlint.output import WITHOUT_ADVICE

    def is_shown(finding: Finding) -> bool:
        in_scope = session.project.reports(finding.location.path)
        is_said = with_advice or session.severity_of(finding) is not Severity.ADVICE
        return _is_reported(options) and in_scope and is_said and _is_sure_enough(finding, options)

    formats = {name for name, _ in _wanted_outputs(options)}
    with_advice = _shows_advice(session, options) or not formats <= WITHOUT_ADVICE
    request = Request(is_shown, not formats.isdisjoint(_WITH_EDITS))
    analyse(session, request, options["jobs"] or processors())


def _is_reported(options: Mapping[str, Any]) -> bool:
    """Whether findings are written anywhere."""
    if options["diff"]:
        return False
    return not options["quiet"] or any(name not in _FOR_PEOPLE or file for name, file in _wanted_outputs(options))


def _keep_results(session: Session, options: Mapping[str, Any]) -> None:
    """Keeps what was found for the next run."""
    if session.cache is None or not _is_plain(options):
        return
    from prodlint.analysis.stored_results import has_new_results, keep_results

    if has_new_results(session):
        with ExitStack() as stack:
            cache = open_cache(session, options, stack)
            if cache is not None:
                keep_results(session, cache)


def _watch(session: Session, paths: Sequence[str], options: Mapping[str, Any]) -> NoReturn:
    from prodlint.cli.watch import watch

    if session.file_system.overlay or any(options[name] for name in _FIXING):
        raise click.UsageError("--watch only shows findings: it goes neither with fixing nor with standard input")

    def reopened() -> Session:
        with ExitStack() as stack:
            opened = open_session(paths, options, stack)
            _ = opened.facts
        return opened

    watch(session, reopened, lambda state: _fix_and_report(state, options, Clock()))


def _fix_and_report(session: Session, options: Mapping[str, Any], clock: Clock) -> int:
    """What remains to be done when everything is analysed. Returns the exit code."""
    changed = False
    prints_text = bool(session.file_system.overlay) and options["fix"] and not options["diff"]
    if any(options[name] for name in _FIXING):
        session, changed = _fix(session, options)
        clock.lap("fix")
    wanted, baseline = _wanted(session, options)
    found = [finding for finding in wanted if session.project.reports(finding.location.path)]
    shown = [finding for finding in found if _is_sure_enough(finding, options)]
    errors = [error for error in session.analysis.errors if not error.path or is_reported(session, error)]
    if options["quiet"] or options["diff"]:
        for error in errors:
            echo(one_line(session, error), err=True)
    if _is_reported(options):
        from prodlint.output import Stats

        stats = Stats(
            files=sum(map(session.project.reports, session.analysed())),
            seconds=clock.seconds,
            hidden_likely=len(found) - len(shown),
            suppressed=baseline.hidden
            + sum(session.project.reports(finding.location.path) for finding in session.analysis.suppressed),
            in_baseline=baseline.hidden,
            gone_from_baseline=baseline.gone,
        )
        _report(session, shown, errors, stats, options, sys.stderr if prints_text else sys.stdout)
        clock.lap("output")
    for error in session.fix_errors:  # known only when all fixes were asked for
        echo(one_line(session, error), err=True)
    if any(error.is_failure for error in (*errors, *session.fix_errors)):
        return FAILED
    if options["exit_zero"]:
        return CLEAN
    if options["diff"]:
        return FOUND if changed else CLEAN
    return FOUND if any(_counts(session, finding, options["fail_on"]) for finding in shown) else CLEAN


class _Baseline(NamedTuple):
    """What the baseline does, in the given paths."""

    hidden: int = 0
    """Findings that it hides."""
    gone: int = 0
    """Entries of it without a finding."""


def _wanted(session: Session, options: Mapping[str, Any]) -> tuple[list[Finding], _Baseline]:
    """The findings that are not in the baseline and, with --diff-base, that a change caused; and what the baseline
    does."""
    from prodlint.output import in_order

    findings = in_order(session.findings())
    baseline = _Baseline()
    path = _baseline_path(session, options)
    if path is not None:
        from prodlint.analysis.baseline import BaselineError, read_baseline, split

        try:
            findings, known, stale = split(findings, session.read, read_baseline(path))
        except BaselineError as error:
            raise click.ClickException(str(error)) from error
        reports = session.project.reports
        baseline = _Baseline(
            sum(reports(finding.location.path) for finding in known), sum(reports(entry.path) for entry in stale)
        )
    if options["diff_base"]:
        from prodlint.analysis.git_changes import caused, changes_since
        from prodlint.analysis.git_repository import GitError

        try:
            findings = caused(session, findings, changes_since(session, options["diff_base"]))
        except GitError as error:
            raise click.ClickException(f"--diff-base: {error}") from error
    return findings, baseline


def _baseline_path(session: Session, options: Mapping[str, Any]) -> Path | None:
    """The baseline that counts: the one that is named, else the project's own, if it has one."""
    if options["no_baseline"]:
        return None
    if options["baseline"]:
        return Path(options["baseline"])
    from prodlint.analysis.baseline import BASELINE_NAME

    path = session.project.root / BASELINE_NAME
    return path if path.is_file() else None


def _counts(session: Session, finding: Finding, fail_on: str | None) -> bool:
    """Whether a finding is reason enough for the exit code 1."""
    from prodlint.findings import Severity

    least = Severity(fail_on) if fail_on else session.settings.fail_on
    return session.severity_of(finding).rank >= least.rank


def _fix(session: Session, options: Mapping[str, Any]) -> tuple[Session, bool]:
    """Makes the fixes that are asked for, or shows them. Returns the state after them, and whether it is another."""
    from prodlint.findings import Applicability
    from prodlint.fixes.apply import FixLoopError, fix_all, write

    from_stdin = set(session.file_system.overlay)
    narrowed = bool(options["diff_base"]) or _baseline_path(session, options) is not None
    wanted = {id(finding) for finding in _wanted(session, options)[0]} if narrowed else set()

    only = _fixed_rules(session, options["fix_only"])
    interview = _interview(session, options) if options["interactive"] else None

    def choose(finding: Finding, fix: Fix) -> bool:
        if finding.rule not in only or not session.project.reports(finding.location.path):
            return False
        if narrowed and id(finding) not in wanted:
            return False
        if from_stdin and {edit.path for edit in fix.edits} != from_stdin:
            return False  # only what was read can be written back
        if not _is_sure_enough(finding, options):
            return False
        if interview is not None:
            return interview.asks(finding, fix)
        return fix.applicability is Applicability.SAFE or options["unsafe_fixes"]

    try:
        outcome = fix_all(session, choose)
    except FixLoopError as error:
        raise click.ClickException(f"{error}. This is a defect in prodlint; nothing was changed.") from error
    messages = list(outcome.messages)
    if options["diff"]:
        from prodlint.fixes.diff import unified_diff

        here = {display_path(session, path): change for path, change in outcome.changed.items()}
        patch = unified_diff(here)
        if sys.stdout.isatty():
            for line in patch.decode(errors="replace").split("\n")[:-1]:
                echo(line)
        else:
            sys.stdout.buffer.write(patch)
    elif from_stdin:
        for path in from_stdin:
            data = outcome.changed[path][1] if path in outcome.changed else session.read(path)
            sys.stdout.buffer.write(data)
    else:
        messages += write(outcome, session.project.root)
    for message in messages:
        echo(message, err=True)
    if not options["quiet"]:
        for line in _fixed(outcome, options["diff"]):
            echo(line, err=True)
    after = session.with_overlay({path: new for path, (_, new) in outcome.changed.items()})
    return after, bool(outcome.changed)


def _fixed_rules(session: Session, names: Sequence[str]) -> frozenset[str]:
    """The rules whose fixes are to be made: of those that run, all, or those that `names` (rules, practices) choose."""
    known = {*session.rules, *(rule.practice for rule in session.rules.values())}
    for name in names:
        if name not in known:
            from prodlint.project.settings import suggestion

            hint = suggestion(name, known) or "; see --show-settings"
            raise click.UsageError(f'--fix-only: no rule or practice that runs is called "{name}"{hint}')
    chosen = {rule.name for rule in session.rules.values() if not names or {rule.name, rule.practice} & {*names}}
    return frozenset(chosen)


def _interview(session: Session, options: Mapping[str, Any]) -> Interview:
    from prodlint.cli.interactive import Interview

    if session.file_system.overlay:
        raise click.UsageError("--interactive needs standard input for the answers")
    return Interview(session, terminal(options["color"]), lambda path: display_path(session, path))


def _fixed(outcome: FixOutcome, is_diff: bool) -> Iterator[str]:
    """What was fixed, in all and by rule, and what is to be done now."""
    findings, files = len(outcome.applied), len(outcome.changed)
    verb = "Would fix" if is_diff else "Fixed"
    yield f"{verb} {findings} finding{'s' * (findings != 1)} in {files} file{'s' * (files != 1)}."
    by_rule: dict[str, list[str]] = defaultdict(list)
    for finding, _ in outcome.applied:
        by_rule[finding.rule].append(finding.location.path)
    for rule, paths in sorted(by_rule.items()):
        shown = sorted(set(paths))
        more = f" and {len(shown) - _MOST_NAMES} more" if len(shown) > _MOST_NAMES else ""
        yield f"  {len(paths)} {rule}: {', '.join(shown[:_MOST_NAMES])}{more}"
    for path, (old, new) in sorted(outcome.changed.items()):
        if not is_diff and posixpath.basename(path) == "package.json" and _dependencies(old) != _dependencies(new):
            yield f"{path} has other dependencies now: run `npm install`, or what your package manager calls it, there."


def _dependencies(manifest: bytes) -> object:
    """The dependencies in a package.json; None where there are none, or it cannot be read."""
    try:
        data = json.loads(manifest)
    except (ValueError, RecursionError):
        return None
    return data.get("dependencies") if isinstance(data, dict) else None


_MOST_NAMES = 3
"""So many files are named for each rule."""


def _report(
    session: Session,
    findings: Sequence[Finding],
    errors: Iterable[AnalysisError],
    stats: Stats,
    options: Mapping[str, Any],
    stream: TextIO,
) -> None:
    from prodlint.output import WITHOUT_ADVICE, ErrorMessage, Report, in_order, render, tally, without_advice
    from prodlint.output.text import painter_of, summary
    from prodlint.project.file_writing import write_report

    report = Report(
        findings=in_order(findings),
        rules=session.rules,
        severity_of=session.severity_of,
        fix_for=session.fix_for,
        edits_of=session.edits_of,
        read=session.file_system.read,
        root=session.project.root,
        cwd=Path.cwd(),
        version=__version__,
        errors=[ErrorMessage(error.path or None, error.line or None, error.message) for error in errors],
        stats=stats,
    )
    look = replace(terminal(options["color"]), statistics=options["statistics"])
    for_people = report if _shows_advice(session, options) else without_advice(report)
    for output_format, file in _wanted_outputs(options):
        view = for_people if output_format in WITHOUT_ADVICE else report
        if file:
            pieces = render(view, output_format, replace(look, color=False, unicode=True, pages=None))
            try:
                write_report(Path(file), "".join(pieces).encode())
            except OSError as error:
                raise click.FileError(file, error.strerror) from error
        elif not options["quiet"] or output_format not in _FOR_PEOPLE:
            for piece in render(view, output_format, look):
                stream.write(piece)
    if not options["quiet"] and all(file for _, file in _wanted_outputs(options)):
        counts = tally(for_people, [session.fix_for(finding) for finding in for_people.findings])
        for line in summary(for_people, counts, painter_of(replace(look, color=False))):
            echo(line, err=True)


def _wanted_outputs(options: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """The formats that are asked for, each with its file ("" for standard output)."""
    outputs: Sequence[tuple[str, str]] = options["outputs"]
    if not outputs:
        return [(options["output_format"] or "text", options["output_file"] or "")]
    if options["output_format"] or options["output_file"]:
        raise click.UsageError("--output does the work of --output-format and --output-file: use one or the other")
    return outputs


def _show_settings(session: Session) -> int:
    from prodlint.output.json_text import json_text

    settings = session.settings
    shown = {
        "root": str(session.project.root),
        "config": None if settings.path is None else str(settings.path),
        "fail-on": settings.fail_on,
        "preview": settings.preview,
        "exclude": settings.exclude,
        "per-file-ignores": dict(settings.per_file_ignores),
        "project": settings.hints,
        "rules": {
            name: {"severity": rule.severity, **settings.rule_data.get(name, {})}
            for name, rule in session.rules.items()
        },
    }
    click.echo(json_text(shown))
    return CLEAN
