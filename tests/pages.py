"""Rule pages as tests: what `rules/<practice>/<rule>.md` and `tests/rules/<rule>.md` say, and whether it is true.

A page is Markdown. Each `##` section that has code is one small project, held in memory:

* A line that is nothing but a path in backticks and a colon names the file in the fence below it; a fence
  without one gets the usual name of its language (`js` is `app.js`, `dockerfile` is `Dockerfile`, ...).
* `// flagged: rule` (or `#`) at the end of a line: a finding starts there. All findings have to be marked and all
  marks have to be found. `likely: rule` is a finding that rests on a name alone, `todo flagged: rule` a known miss: the
  test fails as soon as it is found. `flagged: rule, rule` marks two findings on one line.
* A fence with the word `after` is the file once all fixes of the page's rule are made, unsafe ones too; fixing it again
  has to change nothing, and files without an `after` fence have to stay as they are (in a section that has one).
  With the word `safe` or `unsafe` behind it, each fix of the section has to be just that.
* A syntax error fails the test, unless the section's title has the words "syntax error".
* A `toml` fence is the section's `prodlint.toml`. Without a `select` there, only the page's own rule runs.

Marks are taken out of the text before anything is analysed, so they may stand where the language knows no comment, and
an `after` fence does not repeat them. Line numbers stay as they are on the page.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prodlint.analysis.session import Session
from prodlint.findings import AnalysisError, Applicability, Confidence, Fix
from prodlint.fixes.apply import fix_all
from prodlint.fixes.combine import resolve

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "rules"
DEEP_CASES = ROOT / "tests" / "rules"

SETTINGS_FILE = "prodlint.toml"

DEFAULT_NAMES = {
    "js": "app.js",
    "javascript": "app.js",
    "mjs": "app.mjs",
    "cjs": "app.cjs",
    "jsx": "app.jsx",
    "ts": "app.ts",
    "typescript": "app.ts",
    "tsx": "app.tsx",
    "py": "app.py",
    "python": "app.py",
    "json": "package.json",
    "dockerfile": "Dockerfile",
    "docker": "Dockerfile",
    "yaml": "docker-compose.yml",
    "yml": "docker-compose.yml",
    "ini": "app.service",
    "systemd": "app.service",
    "procfile": "Procfile",
    "nginx": "nginx.conf",
    "haproxy": "haproxy.cfg",
    "vcl": "default.vcl",
    "toml": SETTINGS_FILE,
}
"""What a fence without a path line is called."""

PROSE = frozenset({"", "text", "console", "sh", "shell", "diff"})
"""Languages of fences that only show something, unless a path line makes them a file."""

_HEADING = re.compile(r"^## +(?P<title>.+?) *$")
_FENCE = re.compile(r"^(?P<indent> {0,3})(?P<ticks>`{3,}|~{3,}) *(?P<info>[^`]*)$")
_PATH = re.compile(r"^`(?P<path>[^`\s]+)`:\s*$")
_MARK = re.compile(r"[ \t]*(?://|#)[ \t]*(?P<kind>todo flagged|flagged|likely):(?P<rules>[ \w,-]+)$")


class PageError(Exception):
    """The page itself is written in a way that the harness cannot make sense of."""


@dataclass(frozen=True)
class Mark:
    """What a page says about one line of one file."""

    path: str
    line: int
    kind: str
    """`flagged`, `likely` or `todo flagged`."""
    rule: str


@dataclass
class SourceFile:
    """A file of a section's project, free of marks."""

    path: str
    text: str
    page_line: int
    """The line of the page that holds the file's first line."""


@dataclass
class Section:
    """One `##` section: a project in memory, and what should be found in it."""

    page: Path
    rule: str
    title: str
    page_line: int
    files: dict[str, SourceFile] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    after: dict[str, SourceFile] = field(default_factory=dict)
    applicability: Applicability | None = None
    """What each of its fixes has to be, where the page says so."""
    settings: str = ""

    @property
    def where(self) -> str:
        """The section's place as an editor or a terminal would link it."""
        return f"{self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page}:{self.page_line}"

    @property
    def is_negative(self) -> bool:
        """Whether the section shows code in which nothing is to be found."""
        return bool(self.files) and not self.marks

    def texts(self) -> dict[str, str]:
        """The project, as path → text."""
        return {path: file.text for path, file in self.files.items()}


@dataclass
class Page:
    """A rule page or a deep-case file."""

    path: Path
    rule: str
    sections: list[Section]
    """All `##` sections, those without code too."""

    @property
    def projects(self) -> list[Section]:
        """The sections that can be run."""
        return [section for section in self.sections if section.files]


# --- reading a page ---------------------------------------------------------------------------------------------------


def rule_pages() -> list[Path]:
    """Every rule page, in order."""
    return sorted(path for path in RULES.glob("*/*.md") if path.name != "README.md")


def deep_case_files() -> list[Path]:
    """Every file of deep cases, in order."""
    return sorted(DEEP_CASES.glob("*.md"))


def read_page(path: Path) -> Page:
    """Read a page from disk."""
    return parse_page(path, path.read_text(encoding="utf-8"))


def parse_page(path: Path, text: str) -> Page:
    """Read a page; its rule is the file's name."""
    lines = text.splitlines()
    page = Page(path, path.stem, [])
    section: Section | None = None
    file_name = ""
    previous = ""
    number = _after_front_matter(lines)
    while number < len(lines):
        line = lines[number]
        if heading := _HEADING.match(line):
            section = Section(path, page.rule, heading["title"], number + 1)
            page.sections.append(section)
            previous = ""
        elif fence := _FENCE.match(line):
            end = _fence_end(path, lines, number, fence["ticks"])
            if section is not None:
                previous = _add_fence(section, fence["info"], file_name, lines[number + 1 : end], number + 2, previous)
            elif fence["info"].split()[:1] not in ([], ["text"], ["console"]):
                raise PageError(f"{path.name}:{number + 1}: this fence stands before the first `##` section")
            number = end
            file_name = ""
        elif path_line := _PATH.match(line):
            file_name = path_line["path"]
        elif line.strip() and file_name:
            raise PageError(f"{path.name}:{number + 1}: `{file_name}`: should be followed by its fence")
        number += 1
    return page


def _after_front_matter(lines: list[str]) -> int:
    """The number of the first line after the front matter, which `prodlint.rulebook` reads."""
    return lines.index("---", 1) + 1 if lines[:1] == ["---"] and "---" in lines[1:] else 0


def _fence_end(path: Path, lines: list[str], start: int, ticks: str) -> int:
    for number in range(start + 1, len(lines)):
        line = lines[number].strip()
        if line.startswith(ticks) and not line.strip(ticks[0]):
            return number
    raise PageError(f"{path.name}:{start + 1}: this fence is never closed")


def _add_fence(section: Section, info: str, name: str, lines: list[str], page_line: int, previous: str) -> str:
    """Add a fence to the section; returns the name of the file that it holds ("" for prose)."""
    words = info.split()
    language = words[0].lower() if words else ""
    is_after = "after" in words[1:]
    if not name:
        if language in PROSE:
            return previous
        name = previous if is_after and previous else DEFAULT_NAMES.get(language, "")
        if not name:
            raise PageError(
                f"{section.where}: the fence in line {page_line - 1} needs a path line: `{language}` has none"
            )
    said = {word for word in ("safe", "unsafe") if word in words[1:]}
    if said and (not is_after or len(said) > 1):
        raise PageError(f"{section.where}: the fence in line {page_line - 1} cannot be {' and '.join(sorted(said))}")
    if said:
        section.applicability = Applicability(said.pop())
    where = section.after if is_after else section.files
    if name in where or (name == SETTINGS_FILE and section.settings):
        raise PageError(f"{section.where}: two fences for `{name}` (the second in line {page_line - 1})")
    text, marks = take_marks(name, lines)
    if name == SETTINGS_FILE and not is_after:
        section.settings = text
        return previous
    if is_after and marks:
        raise PageError(f"{section.where}: an `after` fence has no marks, but `{name}` has {len(marks)}")
    where[name] = SourceFile(name, text, page_line)
    section.marks += marks
    return name


def take_marks(path: str, lines: list[str]) -> tuple[str, list[Mark]]:
    """The text without its marks, and the marks."""
    marks: list[Mark] = []
    texts: list[str] = []
    for number, line in enumerate(lines, 1):
        while found := _MARK.search(line):
            rules = [rule.strip() for rule in found["rules"].split(",")]
            marks += [Mark(path, number, found["kind"], rule) for rule in rules if rule]
            line = line[: found.start()]
        texts.append(line + "\n")
    return "".join(texts), marks


# --- running a section ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """A finding, as far as the pages can say it."""

    path: str
    line: int
    kind: str
    """`flagged` or `likely`."""
    rule: str
    message: str


def settings_of(section: Section) -> dict[str, object]:
    """The section's settings; the page's own rule is selected unless they select something."""
    settings: dict[str, object] = tomllib.loads(section.settings)
    settings.setdefault("select", [section.rule])
    return settings


def failures(section: Section) -> str:
    """Run a section. Returns "" if all is as the page says, else a text that shows what is not."""
    found, errors = find(section.texts(), settings_of(section))
    parts = [*_errors(section, errors), *_failed_marks(section, found)]
    if section.after:
        parts += _failed_fixes(section)
    if not parts:
        return ""
    return "\n".join([f"\n{section.where}: ## {section.title}", *parts])


def _errors(section: Section, errors: list[AnalysisError]) -> Iterator[str]:
    """What went wrong. A syntax error is meant only if the section's title says so."""
    for error in errors:
        if error.is_failure or "syntax error" not in section.title:
            file = section.files.get(error.path)
            where = f"{section.page.name}:{file.page_line - 1 + error.line}: " if file and error.line else ""
            yield f"\n  {error.path or 'all files'}: {where}{error.message}"


def _failed_marks(section: Section, found: list[Found]) -> Iterator[str]:
    """For each file with a difference between marks and findings, the lines around it."""
    expected = Counter((m.path, m.line, m.kind, m.rule) for m in section.marks if m.kind != "todo flagged")
    known_misses = Counter((m.path, m.line, m.rule) for m in section.marks if m.kind == "todo flagged")
    notes: dict[str, dict[int, list[str]]] = {}

    def note(path: str, line: int, text: str) -> None:
        notes.setdefault(path, {}).setdefault(line, []).append(text)

    remaining = expected.copy()
    for item in found:
        key = (item.path, item.line, item.kind, item.rule)
        other_kind = "likely" if item.kind == "flagged" else "flagged"
        if remaining[key] > 0:
            remaining[key] -= 1
        elif known_misses[item.path, item.line, item.rule] > 0:
            known_misses[item.path, item.line, item.rule] -= 1
            note(item.path, item.line, f"✓ a known miss is found now, drop its `todo`: {item.rule}")
        elif remaining[item.path, item.line, other_kind, item.rule] > 0:
            remaining[item.path, item.line, other_kind, item.rule] -= 1
            note(item.path, item.line, f"✗ found as `{item.kind}`, marked `{other_kind}`: {item.rule}")
        else:
            note(item.path, item.line, f"✗ found, not marked: {item.kind}: {item.rule}\n{item.message}")
    for path, line, kind, rule in remaining.elements():
        note(path, line, f"✗ marked, not found: {kind}: {rule}")
    for path, by_line in sorted(notes.items()):
        yield _frame(section, path, by_line, found)


def _frame(section: Section, path: str, notes: dict[int, list[str]], found: list[Found]) -> str:
    """The file with its page's line numbers, and under each line what is wrong with it."""
    file = section.files.get(path)
    if file is None:
        lines: list[str] = []
        first = 0
    else:
        lines = file.text.splitlines()
        first = file.page_line - 1
    fine = {item.line for item in found if item.path == path} - notes.keys()
    shown = {near for line in notes for near in range(line - 3, line + 3)} | fine
    out = [f"\n  {path}" + ("" if file else "   (not a file of this section)")]
    gap = False
    for number in sorted(set(range(1, len(lines) + 1)) | notes.keys()):
        if number not in shown:
            if not gap:
                out.append("         ⋮")
            gap = True
            continue
        gap = False
        sign = "✗" if number in notes else "·" if number in fine else " "
        text = lines[number - 1] if number <= len(lines) else ""
        out.append(f"  {sign} {first + number:4} │ {text}".rstrip())
        for text in notes.get(number, ()):
            out += [f"         │     {line}" for line in text.splitlines()]
    return "\n".join(out)


def _failed_fixes(section: Section) -> Iterator[str]:
    """Compare what the fixes make of the section with its `after` fences."""
    settings = settings_of(section)
    before = section.texts()
    if section.applicability is not None:
        yield from _unlike(section.applicability, before, settings, section.rule)
    fixed, withheld = fix(before, settings, section.rule)
    yield from (f"\n  not fixed: {message}" for message in withheld)
    expected = before | {path: file.text for path, file in section.after.items()}
    yield from _diffs("the fix gives something else", expected, fixed, "on the page", "after the fix")
    yield from _diffs(
        "fixing again changes the file", fixed, fix(fixed, settings, section.rule)[0], "fixed once", "fixed twice"
    )


def _unlike(
    expected: Applicability, files: Mapping[str, str], settings: Mapping[str, object], rule: str
) -> Iterator[str]:
    """The fixes of a rule that are safe where the page says `unsafe`, or the other way round."""
    session = Session.from_memory(files, settings)
    for finding in session.findings():
        fix = session.fix_for(finding) if finding.rule == rule else None
        if isinstance(fix, Fix) and fix.applicability is not expected:
            yield f"\n  the page says {expected.value}: {fix.title!r} in {finding.location.path} is {fix.applicability.value}"


def _diffs(
    title: str, left: Mapping[str, str], right: Mapping[str, str], left_name: str, right_name: str
) -> Iterator[str]:
    for path in sorted(left.keys() | right.keys()):
        old, new = left.get(path, ""), right.get(path, "")
        if old == new:
            continue
        diff = difflib.unified_diff(old.splitlines(), new.splitlines(), left_name, right_name, lineterm="", n=4)
        shown = [f"    {line}" for line in diff] or ["    (they differ in line ends only)"]
        yield "\n".join([f"\n  {path}: {title}", *shown])


# --- the engine -------------------------------------------------------------------------------------------------------


def find(files: Mapping[str, str], settings: Mapping[str, object]) -> tuple[list[Found], list[AnalysisError]]:
    """All findings in a project in memory, likely ones too, in order; and what went wrong. It is wrong, too, if a
    finding of a rule with fixes has none, or one that cannot be made, and nothing says why."""
    session = Session.from_memory(files, settings)
    found, unexplained = [], []
    for finding in session.findings():
        path, start, _ = finding.location
        line = session.read(path)[:start].count(b"\n") + 1
        kind = "likely" if finding.confidence is Confidence.LIKELY else "flagged"
        found.append(Found(path, line, kind, finding.rule, finding.message))
        fix = session.fix_for(finding)
        edits = resolve(fix, session.read) if isinstance(fix, Fix) else ()
        if isinstance(edits, str) or (not fix and session.rules[finding.rule].fix != "none"):
            unexplained.append(
                AnalysisError(path, line, f"no fix of {finding.rule}, and nothing says why {edits or ''}")
            )
    return found, [*session.analysis.errors, *session.fix_errors, *unexplained]


def fix(files: Mapping[str, str], settings: Mapping[str, object], rule: str) -> tuple[dict[str, str], list[str]]:
    """The project once all fixes of a rule, unsafe ones too, are made; and what was withheld or failed, and why."""
    session = Session.from_memory(files, settings)
    outcome = fix_all(session, lambda finding, fix: finding.rule == rule)
    changed = {path: new.decode() for path, (_, new) in outcome.changed.items()}
    return dict(files) | changed, outcome.messages + [error.message for error in session.fix_errors]
