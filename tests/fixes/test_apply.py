"""The fix loop with toy rules, and what it writes to disk."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from prodlint.findings import Applicability, Edit, Finding, Fix, ImportRequest, Location
from prodlint.fixes import apply
from prodlint.fixes.apply import FixLoopError, FixOutcome, fix_all, write

Fixer = Callable[[Finding, Mapping[str, bytes]], Fix | str]


@dataclass(frozen=True)
class Rule:
    """A toy rule: every match of `pattern` is a finding, and `fixer` mends it."""

    pattern: bytes
    fixer: Fixer


def replacing(text: str, path: str | None = None) -> Fixer:
    """A fixer that replaces what was found."""

    def fixer(finding: Finding, files: Mapping[str, bytes]) -> Fix:
        where, start, end = finding.location
        return Fix("t", Applicability.SAFE, (Edit(path or where, start, end, text),))

    return fixer


@dataclass
class Project:
    """A session over toy rules. A `{` that is never closed does not parse."""

    rules: Mapping[str, Rule]
    files: Mapping[str, bytes]
    analysed: list[dict[str, bytes]] = field(default_factory=list)

    def findings(self) -> list[Finding]:
        self.analysed.append(dict(self.files))
        return [
            Finding(name, f"{name}!", Location(path, match.start(), match.end()))
            for path, content in self.files.items()
            for name, rule in self.rules.items()
            for match in re.finditer(rule.pattern, content)
        ]

    def fix_for(self, finding: Finding) -> Fix | str:
        return self.rules[finding.rule].fixer(finding, self.files)

    def read(self, path: str) -> bytes:
        return self.files[path]

    def problems(self, path: str) -> int:
        return abs(self.files[path].count(b"{") - self.files[path].count(b"}"))

    def with_overlay(self, files: Mapping[str, bytes]) -> Self:
        return type(self)(self.rules, {**self.files, **files}, self.analysed)


def everything(finding: Finding, fix: Fix) -> bool:
    return True


def run(rules: Mapping[str, Rule], choose: Callable[[Finding, Fix], bool] = everything, **files: bytes) -> FixOutcome:
    return fix_all(Project(rules, {f"{name}.js": content for name, content in files.items()}), choose)


def texts(outcome: FixOutcome) -> dict[str, bytes]:
    return {path: new for path, (_, new) in outcome.changed.items()}


def test_all_findings_are_fixed_and_nothing_else_is_touched():
    outcome = run({"bad": Rule(b"bad", replacing("good"))}, a=b"bad ok bad", b=b"ok")
    assert outcome.changed == {"a.js": (b"bad ok bad", b"good ok good")}
    assert [finding.location.start for finding, _ in outcome.applied] == [0, 7]
    assert (outcome.withheld, outcome.messages, outcome.remaining) == ([], [], [])


def test_more_fixes_than_any_round_number_are_made():
    outcome = run({"bad": Rule(b"bad", replacing("ok"))}, a=b"bad\n" * 250)
    assert texts(outcome) == {"a.js": b"ok\n" * 250}


def test_fixes_that_touch_are_made_in_turn():
    nested = {
        "outer": Rule(rb"f\(g\(\)\)", replacing("h(g())")),
        "inner": Rule(rb"g\(\)", replacing("k()")),
        # `outer` is not found any more once `inner` is fixed, so both get their turn only if outer goes first.
    }
    outcome = run(nested, a=b"f(g())")
    assert texts(outcome) == {"a.js": b"h(k())"}
    assert [finding.rule for finding, _ in outcome.applied] == ["outer", "inner"]


def test_what_is_not_chosen_stays_and_is_asked_about_once():
    asked: list[int] = []

    def choose(finding: Finding, fix: Fix) -> bool:
        asked.append(finding.location.start)
        return len(asked) != 2

    rules = {
        "bad": Rule(b"bad", replacing("better")),
        # touches the first `bad`, so it needs a second pass
        "pair": Rule(b"bad!", replacing("never")),
    }
    outcome = run(rules, choose, a=b"bad! bad bad")
    assert texts(outcome) == {"a.js": b"better! bad better"}
    assert [finding.location.start for finding in outcome.remaining] == [8]
    assert len(asked) == 4


def test_a_fix_that_breaks_the_syntax_is_withheld_and_the_others_are_made():
    def fixer(finding: Finding, files: Mapping[str, bytes]) -> Fix:
        return replacing("{" if finding.location.start == 4 else "ok")(finding, files)  # type: ignore[return-value]

    outcome = run({"bad": Rule(b"bad", fixer)}, a=b"bad\nbad\nbad\n")
    assert texts(outcome) == {"a.js": b"ok\nbad\nok\n"}
    assert outcome.messages == ["a.js:2: the fix of bad is withheld: a.js would not parse any more."]
    assert [(finding.location.start, reason) for finding, reason in outcome.withheld] == [
        (3, "a.js would not parse any more")
    ]


def test_a_file_that_was_broken_before_may_be_fixed_as_long_as_it_gets_no_worse():
    outcome = run({"bad": Rule(b"bad", replacing("ok"))}, a=b"{ bad")
    assert texts(outcome) == {"a.js": b"{ ok"}


def test_a_fix_that_does_not_help_is_withheld():
    outcome = run({"bad": Rule(b"bad", replacing("bad"))}, a=b"x\nbad\n")
    assert outcome.changed == {}
    assert outcome.messages == ["a.js:2: the fix of bad is withheld: the finding would still be there."]


def test_a_fix_that_brings_about_another_rules_finding_is_withheld():
    rules = {"sync": Rule(b"sync", replacing("await")), "await": Rule(b"await", lambda *_: "cannot be done")}
    outcome = run(rules, a=b"x\nsync\n", b=b"ok")
    assert outcome.changed == {}
    assert outcome.messages == ["a.js:2: the fix of sync is withheld: it would bring about await at a.js:2."]


def test_a_new_finding_in_another_file_counts():
    @dataclass
    class Linked(Project):
        def findings(self) -> list[Finding]:
            found = super().findings()
            if b"async f" in self.files["a.js"]:
                found.append(Finding("unhandled", "m", Location("b.js", 0, 1)))
            return found

    session = Linked({"slow": Rule(b"slow f", replacing("async f"))}, {"a.js": b"slow f", "b.js": b"f()"})
    outcome = fix_all(session, everything)
    assert outcome.changed == {}
    assert outcome.withheld[0][1] == "it would bring about unhandled at b.js:1"


def test_among_many_the_guilty_fix_is_found_and_only_that_is_withheld():
    def fixer(finding: Finding, files: Mapping[str, bytes]) -> Fix:
        return replacing("poison" if finding.location.start == 4 * 13 else "ok")(finding, files)  # type: ignore[return-value]

    rules = {"bad": Rule(b"bad", fixer), "poison": Rule(b"poison", lambda *_: "cannot be done")}
    session = Project(rules, {"a.js": b"bad\n" * 40})
    outcome = fix_all(session, everything)
    assert texts(outcome) == {"a.js": b"ok\n" * 13 + b"bad\n" + b"ok\n" * 26}
    assert len(session.analysed) < 25, "it is found by halving, not one by one"


def test_two_sound_fixes_that_are_unsound_together_leave_one():
    rules = {
        "left": Rule(b"^L", replacing("l")),
        "right": Rule(b"R$", replacing("r")),
        "both": Rule(b"l.*r", lambda *_: "cannot be done"),
    }
    outcome = run(rules, a=b"L---R")
    assert texts(outcome) == {"a.js": b"l---R"}
    assert outcome.withheld[0][1] == "it would bring about both at a.js:1"


def test_findings_below_an_inserted_line_are_not_new():
    def fixer(finding: Finding, files: Mapping[str, bytes]) -> Fix:
        start = finding.location.start
        return Fix("t", Applicability.SAFE, (Edit("a.js", 0, 0, "import\n\n"), Edit("a.js", start, start + 3, "ok")))

    rules = {"bad": Rule(b"bad", fixer), "odd": Rule(b"odd", lambda *_: "cannot be done")}
    outcome = run(rules, a=b"odd\nbad\nodd odd\n")
    assert texts(outcome) == {"a.js": b"import\n\nodd\nok\nodd odd\n"}
    assert len(outcome.remaining) == 3


@pytest.mark.parametrize(("left_behind", "expected"), [("ok", {"a.js": b"odd\nx\n\nok\n"}), ("ok odd", {})])
def test_a_finding_in_moved_code_is_not_new_but_one_in_copied_code_is(left_behind: str, expected: dict[str, bytes]):
    def mover(finding: Finding, files: Mapping[str, bytes]) -> Fix:
        return Fix("t", Applicability.SAFE, (Edit("a.js", 0, 0, "odd\n"), Edit("a.js", 3, 11, left_behind)))

    rules = {"deep": Rule(b"deep odd", mover), "odd": Rule(b"odd", lambda *_: "cannot be done")}
    assert texts(run(rules, a=b"x\n\ndeep odd\n")) == expected


def test_a_fix_over_two_files_is_made_whole_or_not_at_all():
    def fixer(finding: Finding, files: Mapping[str, bytes]) -> Fix:
        edits = (Edit("a.js", 0, 3, "ok"), Edit("b.js", 0, 0, "{" if b"stay" in files["b.js"] else "// "))
        return Fix("t", Applicability.SAFE, edits)

    rules = {"bad": Rule(b"bad", fixer)}
    assert texts(run(rules, a=b"bad", b=b"x")) == {"a.js": b"ok", "b.js": b"// x"}
    assert texts(run(rules, a=b"bad", b=b"stay")) == {}


def test_a_fix_that_was_refused_says_why():
    def fixer(finding: Finding, files: Mapping[str, bytes]) -> Fix:
        wanted = ImportRequest("a.js", "node:fs")
        return Fix("t", Applicability.SAFE, (Edit("a.js", 13, 16, "ok"),), (wanted,))

    outcome = run({"bad": Rule(b"bad", fixer)}, a=b"const fs = 1\nbad\n")
    assert outcome.messages == ["a.js:2: the fix of bad is withheld: no import of node:fs can be added to a.js."]


def test_coming_back_to_an_earlier_state_is_an_error_that_names_the_rules():
    @dataclass
    class Circle(Project):
        """Every state has a finding less than the one before, although the text goes round in a circle."""

        left: int = 3

        def findings(self) -> list[Finding]:
            return [Finding(f"r{number}", "m", Location("a.js", 0, 4)) for number in range(1, self.left + 1)]

        def fix_for(self, finding: Finding) -> Fix | str:
            other = "pong" if self.files["a.js"] == b"ping" else "ping"
            fix = Fix("t", Applicability.SAFE, (Edit("a.js", 0, 4, other),))
            return fix if finding.rule == f"r{self.left}" else "not yet"

        def with_overlay(self, files: Mapping[str, bytes]) -> Self:
            return type(self)(self.rules, {**self.files, **files}, left=self.left - 1)

    with pytest.raises(FixLoopError, match="undo one another: r2, r3"):
        fix_all(Circle({}, {"a.js": b"ping"}), everything)


def outcome_of(*changes: tuple[str, bytes, bytes], joined: bool = False) -> FixOutcome:
    edits = tuple(Edit(path, 0, 0, "") for path, _, _ in changes)
    finding = Finding("r", "m", Location(changes[0][0], 0, 0))
    applied = [(finding, Fix("t", Applicability.SAFE, edits))] if joined else []
    return FixOutcome({path: (old, new) for path, old, new in changes}, applied, [], [], [])


def test_files_are_written_with_their_mode_and_nothing_is_left_behind(tmp_path: Path):
    file = tmp_path / "a.js"
    file.write_bytes(b"old\r\n")
    file.chmod(0o750)
    assert write(outcome_of(("a.js", b"old\r\n", b"\xef\xbb\xbfnew\r\n")), tmp_path) == []
    assert file.read_bytes() == b"\xef\xbb\xbfnew\r\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o750
    assert [path.name for path in tmp_path.iterdir()] == ["a.js"]


@pytest.mark.parametrize("where", ["project/real", "outside"])
def test_nothing_is_written_through_a_link(tmp_path: Path, where: str):
    root = tmp_path / "project"
    real = tmp_path / where / "a.js"
    for folder in (root, real.parent):
        folder.mkdir(parents=True)
    real.write_bytes(b"old")
    (root / "link.js").symlink_to(real)
    (root / "linked").symlink_to(real.parent)
    messages = write(outcome_of(("link.js", b"old", b"new"), ("linked/a.js", b"old", b"new")), root)
    assert messages == [f"{name} was not written: it is a link to {real}." for name in ("link.js", "linked/a.js")]
    assert real.read_bytes() == b"old"


def test_a_root_behind_a_link_is_none(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.js").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    assert write(outcome_of(("a.js", b"old", b"new")), tmp_path / "link") == []
    assert (tmp_path / "real" / "a.js").read_bytes() == b"new"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_file_keeps_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "a.js"
    file.write_bytes(b"old")
    os.chown(file, 1234, 4321)
    file.chmod(0o640)
    assert write(outcome_of(("a.js", b"old", b"new")), tmp_path) == []
    info = file.stat()
    assert (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)) == (1234, 4321, 0o640)
    assert file.read_bytes() == b"new"

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    [message] = write(outcome_of(("a.js", b"new", b"newer")), tmp_path)
    assert message == "a.js was not written: it belongs to another user or group, which cannot be kept."
    assert [path.name for path in tmp_path.iterdir()] == ["a.js"]


def test_a_file_changed_since_is_left_alone_with_those_that_share_a_fix(tmp_path: Path):
    for name in ("a.js", "b.js", "c.js"):
        (tmp_path / name).write_bytes(b"old")
    (tmp_path / "a.js").write_bytes(b"edited meanwhile")
    shared = outcome_of(("a.js", b"old", b"new"), ("b.js", b"old", b"new"), joined=True)
    alone = outcome_of(("c.js", b"old", b"new"))
    both = FixOutcome(shared.changed | alone.changed, shared.applied, [], [], [])
    assert write(both, tmp_path) == [
        "a.js was not written: it has changed on disk since it was read.",
        "b.js was not written: it shares a fix with a.js, which was not written.",
    ]
    assert [(tmp_path / name).read_bytes() for name in ("a.js", "b.js", "c.js")] == [
        b"edited meanwhile",
        b"old",
        b"new",
    ]


def test_a_file_that_is_gone_is_said_so(tmp_path: Path):
    assert write(outcome_of(("a.js", b"old", b"new")), tmp_path) == ["a.js was not written: No such file or directory."]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_read_only_file_is_not_replaced(tmp_path: Path):
    file = tmp_path / "a.js"
    file.write_bytes(b"old")
    file.chmod(0o444)
    assert write(outcome_of(("a.js", b"old", b"new")), tmp_path) == ["a.js was not written: it is read-only."]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "a.js"
    file.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(apply.os, "fsync", full)
    assert write(outcome_of(("a.js", b"old", b"new")), tmp_path) == ["a.js was not written: No space left on device."]
    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.js"]
