"""The five stages in order: the file to read first.

    discover (files) → extract (extraction) → link (program) → check (checks) → fix (checks, fixes) and output

A `Session` is one state of one project with everything that follows from it. The command line, the language server, the
fix loop and the tests are its callers.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec.structs import replace

from prodlint.analysis.analysed_state import Analysis
from prodlint.analysis.isolation import culprits
from prodlint.analysis.scheduler import Extraction, Progress, describe_crash, extract_all
from prodlint.analysis.suppressions import UNUSED_RULE, suppress, unused
from prodlint.extract.fact_table import FactTable, encode
from prodlint.facts import SOURCE, FileFacts
from prodlint.findings import AnalysisError, Edit, Finding, Fix, Location, Severity
from prodlint.project.discovery import Project, Root, SourceFile, discover, exists, find_root, locate, source_file
from prodlint.project.file_roles import FileRole
from prodlint.project.settings import Choice, Settings, chosen_rules, parse_settings, read_settings
from prodlint.project.vfs import FileSystem, Stamp, Unreadable
from prodlint.rulebook import OWN_PACKAGE, Rule, load_rules

if TYPE_CHECKING:
    from prodlint.analysis.store import Cache
    from prodlint.analysis.verification import Verifier
    from prodlint.program.linking.program import Program


class ExtractOptions(msgspec.Struct, frozen=True):
    """How facts are come by. It changes nothing about them."""

    cache: Cache | None = None
    shard: Mapping[bytes, bytes] = {}
    """Encoded facts by key, from `prodlint facts --output-format msgpack`."""
    jobs: int | None = None
    progress: Progress | None = None
    through_codec: bool = False
    """Encode and decode even what never leaves this process."""


_DEFAULT_OPTIONS = ExtractOptions()

VERIFY = "PRODLINT_VERIFY"
"""The variable that makes every session compare what it took over with what is found without a past."""


class Session:
    """One state of a project: its files as `file_system` has them, analysed with `rules`. Everything is computed when
    it is first asked for, and never changes: `with_overlay` gives another state."""

    def __init__(
        self,
        project: Project,
        file_system: FileSystem,
        settings: Settings,
        rules: Mapping[str, Rule],
        known: Mapping[str, Rule] | None = None,
        extract_options: ExtractOptions = _DEFAULT_OPTIONS,
    ) -> None:
        """`rules` are those that run, as `chosen_rules` gives them; `known` are all there are."""
        self.project = project
        self.file_system = file_system
        self.settings = settings
        self.rules = rules
        self.known = rules if known is None else known
        self._extract_options = extract_options
        self.fix_errors: list[AnalysisError] = []
        """Fixes that could not be made, so far as they were asked for."""
        self.fixes: dict[int, tuple[Finding, Fix | str]] = {}
        """The fixes that were asked for, with their findings, by the findings' identities."""
        self.edits: dict[Fix, tuple[Edit, ...] | str] = {}
        """The edits of the fixes whose edits were asked for, or why they cannot be made."""
        self._before = FactTable()
        """Facts of files that are as they were in the state that this one was made from."""
        self._stamps_before: Mapping[str, Stamp] = {}
        """Their stamps."""
        self._contents: dict[str, bytes] = {}
        """What was read again, for fixing."""
        self._earlier: _Earlier | None = None
        """What followed from the facts of that state: it follows from these, too, if they are the same."""
        self._parts_before: Mapping[tuple[str, ...], Session] = {}
        """The parts of that state, by their paths."""
        self._changed: Collection[str] = ()
        """The files that have other bytes than in that state."""
        self._left_unlinked: list[AnalysisError] = []
        """The files that had to be left out of the program, and why."""
        self.is_part = False
        """Whether this is a part of another session."""
        self._is_fresh = False
        """Whether this is what others are verified by."""
        self._discover: Callable[[FileSystem], Project] = lambda file_system: self.project
        """Walks the disk as it was done for this state."""

    @classmethod
    def open(
        cls,
        paths: Sequence[Path],
        *,
        config: Path | None = None,
        overlay: Mapping[Path, bytes] | None = None,
        choice: Choice | None = None,
        preview: bool | None = None,
        force_exclude: bool = False,
        extract_options: ExtractOptions = _DEFAULT_OPTIONS,
    ) -> Session:
        """The project that `paths` (absolute) belong to, as it is on disk, with the files of `overlay` as given here.
        The settings come from `config` or from the nearest configuration; `choice` and `preview` change them. Raises
        `ConfigError` and `RulebookError`."""
        known = load_rules()
        overlay = overlay or {}
        there = [path for path in paths if exists(path) or path in overlay]
        root = find_root(there, config) if there else Root(Path.cwd(), config, False)
        settings = read_settings(root.config, known) if root.config is not None else Settings()
        if preview is not None:
            settings = replace(settings, preview=preview)
        read = {locate(path).path: data for path, data in overlay.items()}
        inside = {path: data for path, data in read.items() if path.is_relative_to(root.folder)}
        file_system = FileSystem(
            root.folder, {path.relative_to(root.folder).as_posix(): inside[path] for path in inside}
        )

        def walk(file_system: FileSystem) -> Project:
            return discover(paths, root, settings, file_system, force_exclude=force_exclude)

        session = cls(
            walk(file_system), file_system, settings, chosen_rules(known, settings, choice), known, extract_options
        )
        session._discover = walk
        return session

    @classmethod
    def from_memory(cls, files: Mapping[str, str], settings: Mapping[str, Any] | None = None) -> Session:
        """A project that is nowhere on disk: texts by path, and settings as `prodlint.toml` has them. Facts pass
        through the codec, so that cached and parallel runs cannot find anything else."""
        rules = load_rules()
        parsed = parse_settings(settings or {}, rules)
        file_system = FileSystem(None, {path: text.encode() for path, text in files.items()})

        def walk(file_system: FileSystem) -> Project:
            found = (source_file(path, file_system, parsed) for path in sorted(file_system.overlay))
            return Project(Path(), [file for file in found if file is not None])

        extract_options = ExtractOptions(jobs=1, through_codec=True)
        session = cls(walk(file_system), file_system, parsed, chosen_rules(rules, parsed), rules, extract_options)
        session._discover = walk
        return session

    def with_overlay(self, files: Mapping[str, bytes]) -> Session:
        """The state in which `files` have these bytes, on top of what this state already overlays."""
        file_system = self.file_system.with_overlay(files)
        there = {file.path: file for file in self.project.files}
        told = {path: self._source_file(path, file_system) for path in files}
        if any(file is not None and path not in there for path, file in told.items()):
            project = self._discover(file_system)  # whether they are excluded, the walk knows
        else:
            kept = [told.get(path, file) for path, file in there.items()]
            project = replace(self.project, files=[file for file in kept if file is not None])
        return self._after(project, file_system, files)

    def _source_file(self, path: str, file_system: FileSystem) -> SourceFile | None:
        """The file as it is to be analysed with the bytes that `file_system` has: they may tell its kind."""
        is_explicit = any(file.is_explicit and file.path == path for file in self.project.files)
        return source_file(path, file_system, self.settings, is_explicit=is_explicit)

    def with_disk_changes(self, changed: Collection[str], overlay: Mapping[str, bytes]) -> Session:
        """The state after the files `changed` came, went or changed on disk, with `overlay` in place of the present
        one. The settings stay as they are."""
        file_system = FileSystem(self.file_system.root, overlay)
        now, then = file_system.overlay, self.file_system.overlay
        differ = {path for path in (*now, *then) if now.get(path) != then.get(path)}
        return self._after(self._discover(file_system), file_system, {*changed, *differ})

    def stamps(self) -> dict[str, Stamp | None]:
        """What the file system says of each file that is there by now; of the configuration under the name ""."""
        found = {file.path: self.file_system.stamp(file.path) for file in self._discover(self.file_system).files}
        if self.settings.path is not None:
            found[""] = FileSystem(self.settings.path.parent).stamp(self.settings.path.name)
        return found

    def _after(self, project: Project, file_system: FileSystem, changed: Collection[str]) -> Session:
        """A state made from this one: what is not in `changed` keeps its facts."""
        extract_options = replace(self._extract_options, cache=None, progress=None)
        session = Session(project, file_system, self.settings, self.rules, self.known, extract_options)
        session._discover = self._discover
        there = {file.path for file in project.files}
        session._before = self.facts.part(path for path in self.facts if path not in changed and path in there)
        stamps = {**self._stamps_before, **self._extraction.stamps}
        session._stamps_before = {path: stamp for path, stamp in stamps.items() if path in session._before}
        session._contents = {path: data for path, data in self._contents.items() if path in session._before}
        if "analysis" in self.__dict__ and "parts" in self.__dict__:
            session._parts_before = {tuple(part.linked): part for part in self.parts}
            session._changed = changed
        return session

    def use_cache(self, cache: Cache) -> None:
        """Facts are to be looked up there, from now on."""
        self._extract_options = replace(self._extract_options, cache=cache)

    def tree(self) -> Path:
        """What the authors of the analysed files can write to: the repository around the project, or the project."""
        root = self.project.root
        return next((folder for folder in (root, *root.parents) if exists(folder / ".git")), root)

    @property
    def cache(self) -> Cache | None:
        """Where facts are looked up, if anywhere."""
        return self._extract_options.cache

    # --- the stages ---------------------------------------------------------------------------------------------------

    @cached_property
    def _extraction(self) -> Extraction:
        extract_options = self._extract_options
        changed = [file for file in self.project.files if file.path not in self._before]
        extraction = extract_all(
            changed,
            self.file_system,
            cache=extract_options.cache,
            shard=extract_options.shard,
            jobs=extract_options.jobs,
            progress=extract_options.progress,
        )
        if extract_options.through_codec:
            extraction.facts = FactTable({path: encode(facts) for path, facts in extraction.facts.items()})
        # In whatever order they came: nothing may depend on that.
        extraction.facts = self._before.joined(extraction.facts).part(file.path for file in self.project.files)
        extraction.errors.sort()
        self._verified(lambda verifier: verifier.extraction(self, extraction.facts, extraction.left_out))
        return extraction

    @property
    def facts(self) -> FactTable:
        """The facts of every file that has some."""
        return self._extraction.facts

    def analysed(self) -> Collection[str]:
        """The files that have facts."""
        return self.facts.keys()

    @cached_property
    def linked(self) -> FactTable:
        """The facts of the files that make up the program: not those of tests, which are here only if named."""
        tests = {file.path for file in self.project.files if file.role is FileRole.TEST}
        return self.facts.part(path for path in self.facts if path not in tests) if tests else self.facts

    @cached_property
    def parts(self) -> list[Session]:
        """The parts of the project that have nothing to do with each other, each as a session of its own; this session
        itself where there is but one."""
        groups = self._groups()
        before, self._parts_before = self._parts_before, {}  # they are large
        if len(groups) > 1:
            return [self._part(group, before) for group in groups]
        self._follow(before)
        return [self]

    def _groups(self) -> Sequence[Sequence[str]]:
        before = self._parts_before
        if before and sorted(self.linked) == sorted(chain(*before)) and not any(map(self._joins, self._changed)):
            return list(before)
        from prodlint.program.linking.partition import components

        try:
            return components(self.project.files, self.linked)
        except Exception as error:  # then they are taken for one
            message = f"prodlint failed to tell the projects apart: {describe_crash(error)}"
            self._extraction.errors.append(AnalysisError("", 0, message))
            return []

    def _joins(self, path: str) -> bool:
        """Whether a changed file may tie others together than it did before."""
        before = next((part.facts[path] for paths, part in self._parts_before.items() if path in paths), None)
        now = self.linked.get(path)
        return before is not now and (
            before is None or now is None or now.kind not in SOURCE or before.imports != now.imports
        )

    def adopt(self, number: int, part: Session) -> None:
        """Takes `part`, which knows already what is to be found, for the one of that number."""
        self.parts[number] = part
        self.fixes.update(part.fixes)
        self.edits.update(part.edits)
        self.fix_errors += part.fix_errors

    def size(self) -> int:
        """The bytes of all files that are on disk."""
        stamps = self._extraction.stamps
        return sum(stamps[file.path].size for file in self.project.files if file.path in stamps)

    def _part(self, paths: Sequence[str], before: Mapping[tuple[str, ...], Session]) -> Session:
        inside = frozenset(paths)
        files = [file for file in self.project.files if file.path in inside]
        project = Project(self.project.root, files, self.project.given)
        part = Session(project, self.file_system, self.settings, self.rules, self.known, self._extract_options)
        part.is_part = True
        part.__dict__["_extraction"] = Extraction(self.facts.part(paths), stamps=self._extraction.stamps)
        part.__dict__["parts"] = [part]
        part._stamps_before, part._contents = self._stamps_before, self._contents
        part._changed = self._changed
        part._follow(before)
        return part

    def _follow(self, before: Mapping[tuple[str, ...], Session]) -> None:
        """Takes over what is known of the part of the state before that had the same paths."""
        earlier = before.get(tuple(self.linked))
        if earlier is not None:
            program: Program | None = earlier.__dict__.get("program")
            if program is None and earlier._earlier is not None:
                program = earlier._earlier.program
            changed = {path: earlier.facts[path] for path in self._changed if path in self.linked}
            self._earlier = _Earlier(program, earlier.analysis, changed)

    @cached_property
    def program(self) -> Program:
        """All facts linked."""
        if self._still_holds and self._earlier is not None and self._earlier.program is not None:
            program = copy(self._earlier.program)  # with whatever is known of it by now
            program.facts, program.read = self.linked.part(program.facts), self.read
            return program
        try:
            return self._link(self.linked)
        except Exception as error:
            return self._link_without_culprits(error)

    def _link(self, facts: FactTable) -> Program:
        from prodlint.program.linking.program import link

        return link(facts, self.settings.hints, self.read)

    def _link_without_culprits(self, error: Exception) -> Program:
        """All facts linked but for those of the files because of which they cannot be. Raises `error` if that is not
        due to single files."""
        programs: list[Program] = []

        def failure(paths: Sequence[str]) -> str | None:
            programs.clear()
            try:
                programs.append(self._link(self.linked.part(paths)))
            except Exception as crash:
                return describe_crash(crash)
            return None

        message = "prodlint failed to join this file with the others, which are checked without it"
        found = [
            AnalysisError(path, 0, f"{message}: {why}")
            for path, why in culprits(sorted(self.linked), failure, describe_crash(error))
        ]
        if not programs:
            raise error
        self._left_unlinked += found
        return programs[0]

    @cached_property
    def _still_holds(self) -> bool:
        """Whether the facts are those of the earlier state: somebody opened a file, or typed in a comment. Text that is
        no fact is read by fixes alone, except in deployment files."""
        holds = self._earlier is not None and all(
            self.facts.get(path) == facts and (facts is None or facts.kind in SOURCE)
            for path, facts in self._earlier.facts.items()
        )
        if not holds:
            self._earlier = None  # it is large
        return holds

    @cached_property
    def analysis(self) -> Analysis:
        """What the checks found. A check that fails is an error; the others go on."""
        analysis = self._analysed()
        self._verified(lambda verifier: verifier.analysis(analysis))
        return analysis

    def _analysed(self) -> Analysis:
        if len(self.parts) > 1:
            return self._joined()
        if self._still_holds:
            assert self._earlier is not None
            return self._earlier.analysis
        try:
            program = self.program
        except Exception as error:  # nothing can be checked, but what was learnt before that is still worth showing
            failure = AnalysisError("", 0, f"prodlint failed to join the files: {describe_crash(error)}")
            return Analysis([], [], [*self.errors(), failure])
        errors = [*self.errors(), *self._left_unlinked]
        findings: list[Finding] = []
        seconds: dict[str, float] = {}
        for rule in self.rules.values():
            start = time.perf_counter()
            found, failures = self._checked(program, rule)
            findings += found
            errors += failures
            seconds[rule.name] = time.perf_counter() - start
        suppressed = suppress(findings, self.facts)
        kept = suppressed.kept
        if UNUSED_RULE in self.rules:
            idle = unused(program.facts, suppressed.used, program.used_directives, self.rules, frozenset(self.known))
            kept = [*kept, *suppress(idle, self.facts).kept]
        stops = _FileIgnores(self.settings)
        kept = [finding for finding in kept if not stops(finding, self.rules[finding.rule])]
        kept.sort(key=_order)
        return Analysis(kept, suppressed.stopped, errors, seconds)

    def _checked(self, program: Program, rule: Rule) -> tuple[list[Finding], list[AnalysisError]]:
        """What a check finds, and what went wrong. Where it fails on single files, it passes over those."""
        findings: list[Finding] = []
        try:
            self._run_check(program, rule, findings)
        except Unreadable as error:
            return findings, [AnalysisError(error.path, 0, error.reason)]
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # one rule's misfortune must not take the others with it
            crash = describe_crash(error)
            if isinstance(error, Exception) and not isinstance(error, MemoryError):
                passed_over = self._without_culprits(program, rule, crash)
                if passed_over is not None:
                    return passed_over
            return findings, [AnalysisError("", 0, f"the rule {rule.name} failed: {crash}")]
        return findings, []

    def _run_check(self, program: Program, rule: Rule, findings: list[Finding]) -> None:
        for finding in rule.check_module().check(program, rule):
            findings.append(self._sound_finding(finding, rule))

    def _without_culprits(
        self, program: Program, rule: Rule, crash: str
    ) -> tuple[list[Finding], list[AnalysisError]] | None:
        """What a check that failed finds when it does not come by the files on which it does; None if there are none
        such."""
        from prodlint.analysis.partial_program import shown_in_part

        findings: list[Finding] = []
        is_done = False

        def failure(paths: Sequence[str]) -> str | None:
            nonlocal is_done
            findings.clear()
            is_done = False
            try:
                self._run_check(shown_in_part(program, frozenset(paths)), rule, findings)
            except Exception as error:
                return describe_crash(error)
            is_done = True
            return None

        if failure(()) is not None:
            return None
        message = f"the rule {rule.name} failed on this file, which it passed over"
        errors = [
            AnalysisError(path, 0, f"{message}: {why}") for path, why in culprits(sorted(program.facts), failure, crash)
        ]
        return (findings, errors) if is_done else None

    def _sound_finding(self, finding: Finding, rule: Rule) -> Finding:
        """A finding as it has to be; raises whatever says why it is none. What prodlint's own checks give is."""
        if rule.package == OWN_PACKAGE:
            return finding
        copy = _copied(replace(finding, data={}), Finding)
        if copy.rule != rule.name:
            raise ValueError(f"it gave a finding of another rule, {copy.rule!r}")
        for path, start, end in (copy.location, *(step.location for step in (*copy.trace, *copy.related))):
            if path not in self.facts or not 0 <= start <= end <= len(self.read(path)):
                raise ValueError(f"it found something in a place that is none, {path!r} {start}-{end}")
        return replace(copy, data=finding.data)

    def _joined(self) -> Analysis:
        """What the checks found in all parts."""
        every = [part.analysis for part in self.parts]
        findings = sorted((finding for each in every for finding in each.findings), key=_order)
        suppressed = [finding for each in every for finding in each.suppressed]
        known = self.errors()
        news = [error for each in every for error in each.errors if error not in known]
        names = dict.fromkeys(name for each in every for name in each.seconds)
        seconds = {name: sum(each.seconds.get(name, 0.0) for each in every) for name in names}
        return Analysis(findings, suppressed, [*known, *dict.fromkeys(news)], seconds)

    def errors(self) -> list[AnalysisError]:
        """What went wrong before anything was checked."""
        return [*self.project.errors, *self._extraction.errors, *self._syntax_errors()]

    def _syntax_errors(self) -> Iterator[AnalysisError]:
        """One error a file, however much of it cannot be read."""
        for path in self.facts:
            problems = self.facts.outline(path).problems
            if problems:
                first = problems[0]
                line = self._line(Location(path, first.start, first.end))
                yield AnalysisError(path, line, first.message, is_failure=False)

    # --- verification -------------------------------------------------------------------------------------------------

    def _verified(self, check: Callable[[Verifier], None]) -> None:
        """Lets `check` compare something with a fresh session, where that is wanted."""
        if self._verifier is not None:
            check(self._verifier)

    @cached_property
    def _verifier(self) -> Verifier | None:
        if self.is_part or self._is_fresh or os.environ.get(VERIFY, "0") in ("", "0"):
            return None
        from prodlint.analysis.verification import Verifier

        project = self._discover(self.file_system)
        fresh = Session(project, self.file_system, self.settings, self.rules, self.known, ExtractOptions(jobs=1))
        fresh._is_fresh = True
        return Verifier(fresh)

    # --- questions ----------------------------------------------------------------------------------------------------

    def findings(self) -> list[Finding]:
        """Every finding of this state, in all files, likely ones too."""
        return self.analysis.findings

    def severity_of(self, finding: Finding) -> Severity:
        """How much a finding matters: as the settings say, else as the check says, else as the rule says."""
        by_user = self.settings.severity.get(finding.rule)
        return by_user or finding.severity or self.rules[finding.rule].severity

    def fix_for(self, finding: Finding) -> Fix | str:
        """The fix for a finding of this state, or why it has none ("" if none of its rule's findings has one). Where
        making it failed, that is an error, too."""
        if id(finding) not in self.fixes:
            part = self._part_of(finding.location.path)
            if part is self:
                fix = self._fix_for(finding)
            else:
                fix = part.fix_for(finding)
                self.fix_errors += [error for error in part.fix_errors if error not in self.fix_errors]
            self.fixes[id(finding)] = finding, fix
        made = self.fixes[id(finding)][1]
        self._verified(lambda verifier: verifier.fix(self, finding, made))
        return made

    def _part_of(self, path: str) -> Session:
        return next((part for part in self.parts if path in part.facts), self)

    def edits_of(self, fix: Fix) -> tuple[Edit, ...] | str:
        """All edits of a fix of this state, those of its imports too; or why it cannot be made."""
        if fix not in self.edits:
            from prodlint.fixes.combine import resolve

            part = self._part_of(next(iter(fix.paths()), ""))
            self.edits[fix] = resolve(fix, self.read) if part is self else part.edits_of(fix)
        return self.edits[fix]

    def _fix_for(self, finding: Finding) -> Fix | str:
        rule = self.rules[finding.rule]
        if rule.fix == "none":
            return ""
        if finding.no_fix_reason:
            return finding.no_fix_reason
        make: Callable[[Finding, Program, Rule], Fix | str] = rule.check_module().fix
        try:
            fix = make(finding, self.program, rule)
            if rule.package != OWN_PACKAGE:
                fix = _copied(fix, str) if isinstance(fix, str) else _copied(fix, Fix)
            for path in fix.paths() if isinstance(fix, Fix) else ():
                self.read(path)
        except Unreadable as error:
            failed, reason = AnalysisError(error.path, 0, f"not fixed: {error.reason}"), error.reason
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # the finding is sound without it
            message = f"the fix of the rule {rule.name} failed: {describe_crash(error)}"
            failed = AnalysisError(finding.location.path, self._line(finding.location), message)
            reason = "prodlint failed to make it"
        else:
            return fix
        if failed not in self.fix_errors:
            self.fix_errors.append(failed)
        return reason

    def _line(self, location: Location) -> int:
        facts = self.facts.get(location.path)
        return bisect_right(facts.line_starts, location.start) if facts is not None else 0

    def read(self, path: str) -> bytes:
        """The bytes of a file in this state, which are those that its facts are about; raises `Unreadable`."""
        data = self._contents.get(path)
        if data is None:
            data = self.file_system.read(path)
            stamp = self._extraction.stamps.get(path) or self._stamps_before.get(path)
            if stamp is not None and self.file_system.stamp(path) != stamp:
                raise Unreadable(path, "it has changed since it was read")
            self._contents[path] = data
        return data

    def problems(self, path: str) -> int:
        """How many stretches of a file could not be parsed."""
        facts = self.facts.get(path)
        return len(facts.problems) if facts is not None else 0

    def left_out(self) -> list[str]:
        """The files that were left out because a program wrote them."""
        return self._extraction.left_out


class _Earlier(msgspec.Struct, frozen=True):
    """What followed from the facts of the state before."""

    program: Program | None
    """None where nobody needed it: what was found was known from a run before."""
    analysis: Analysis
    facts: Mapping[str, FileFacts | None]
    """Of the files whose bytes are others now."""


_T = TypeVar("_T")


def _copied(value: object, kind: type[_T]) -> _T:
    """`value`, which must be of this kind in all that it holds: a struct takes whatever its maker puts into it."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=kind)


def _order(finding: Finding) -> tuple[Location, str, str]:
    return finding.location, finding.rule, finding.message


class _FileIgnores:
    """The settings' `per-file-ignores`."""

    def __init__(self, settings: Settings) -> None:
        self._ignores = []
        if settings.per_file_ignores:
            from prodlint.project.globs import ignore_spec

            self._ignores = [(ignore_spec([glob]), frozenset(names)) for glob, names in settings.per_file_ignores]

    def __call__(self, finding: Finding, rule: Rule) -> bool:
        """Whether the finding is in a file in which its rule does not count."""
        return any(
            names & {rule.name, rule.practice, "all"} and spec.match_file(finding.location.path)
            for spec, names in self._ignores
        )
