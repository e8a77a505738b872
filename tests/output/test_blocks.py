"""Findings that one cause has are one block in the text report."""

from __future__ import annotations

from textwrap import dedent

import pytest

from prodlint.findings import Applicability, Confidence, Finding, Fix, Severity
from prodlint.output.blocks import blocks, news
from tests.output.reports import Files, body, rendered, report

FILES = Files(
    {
        "a.js": "fs.readFileSync(one);\nfs.existsSync(two);\nfs.readFileSync(three);\n",
        "b.js": "fs.readFileSync(four);\nfs.readFileSync(five);\n",
        "app.js": "app.get('/');\nload();\nsave();\n",
        **{f"routes/{name}.js": "router.get('/', async () => {});\n" for name in "abcde"},
    }
)


def found(path: str, text: str, message: str = "`x` blocks.", call: str = "", **changes: object) -> Finding:
    trace = (FILES.step("app.js", "app.get('/')", "GET /"), FILES.step("app.js", call, "calls")) if call else ()
    return Finding("blocking-call", message, FILES.at(path, text), trace=trace, **changes)  # type: ignore[arg-type]


def grouped(*findings: Finding) -> list[list[tuple[str, int]]]:
    made = blocks(findings, lambda finding: finding.severity or Severity.ERROR)
    return [[finding.location[:2] for finding in (block.head, *block.others)] for block in made]


def test_one_rule_in_one_file_is_one_block() -> None:
    one, two = found("a.js", "fs.readFileSync(one)"), found("a.js", "fs.existsSync(two)", "Else.")
    assert grouped(one, found("b.js", "fs.readFileSync(four)"), two) == [[("a.js", 0), ("a.js", 22)], [("b.js", 0)]]


@pytest.mark.parametrize("changes", [{"confidence": Confidence.LIKELY}, {"severity": Severity.ADVICE}])
def test_what_is_less_sure_or_less_severe_stands_apart(changes: dict[str, object]) -> None:
    assert len(grouped(found("a.js", "fs.readFileSync(one)"), found("a.js", "fs.existsSync(two)", **changes))) == 2


def test_another_rule_stands_apart() -> None:
    other = Finding("console-logging", "`x` blocks.", FILES.at("a.js", "fs.existsSync(two)"))
    assert len(grouped(found("a.js", "fs.readFileSync(one)"), other)) == 2


def test_what_stands_behind_one_call_is_one_block_in_whatever_file() -> None:
    one, four = (
        found("a.js", "fs.readFileSync(one)", call="load()"),
        found("b.js", "fs.readFileSync(four)", call="load()"),
    )
    assert grouped(one, four) == [[("a.js", 0), ("b.js", 0)]]
    assert len(grouped(one, found("b.js", "fs.readFileSync(four)", call="save()"))) == 2
    both = [
        found("b.js", "fs.readFileSync(four)", call="load()"),
        found("b.js", "fs.readFileSync(five)", call="save()"),
    ]
    assert len(grouped(one, *both)) == 2


def test_the_same_words_in_many_files_are_one_block() -> None:
    many = [found(f"routes/{name}.js", "router", "This handler is async.") for name in "abcde"]
    assert len(grouped(*many)) == 1
    assert len(grouped(*many[:3])) == 3
    assert len(grouped(*many[:3], found("routes/d.js", "router", "Else."), found("routes/e.js", "router", "So."))) == 5


def test_blocks_come_in_the_order_of_their_first_findings() -> None:
    last = found("a.js", "fs.readFileSync(three)", call="save()", severity=Severity.ADVICE)
    first, middle = found("a.js", "fs.readFileSync(one)"), found("b.js", "fs.readFileSync(four)")
    assert grouped(first, last, middle, found("b.js", "fs.readFileSync(five)"))[1] == [("a.js", 42)]


READ = "`fs.readFileSync` blocks the event loop: all other requests wait. A request ({}) gets here. Use `await {}`."
EXISTS = "`fs.existsSync` blocks the event loop: all other requests wait. A request ({}) gets here. Open it."


@pytest.mark.parametrize(
    ("before", "message", "told"),
    [
        ([READ.format("GET /", "a")], READ.format("GET /", "b"), ""),
        ([READ.format("GET /", "a")], READ.format("GET /x", "b"), "A request (GET /x) gets here."),
        ([READ.format("GET /", "a")], EXISTS.format("GET /"), "Open it."),
        ([READ.format("GET /", "a"), EXISTS.format("GET /")], READ.format("GET /", "b"), ""),
        (
            [READ.format("GET /", "a"), READ.format("GET /x", "a")],
            READ.format("GET /", "a"),
            "A request (GET /) gets here.",
        ),
        ([READ.format("GET /", "a")], "Something else. Use `b`.", "Something else. Use `b`."),
        (["Nothing sets `A`. Set it here."], "Nothing sets `B`. Set it here.", ""),
        (["`A` is off."], "`B` is on.", "`B` is on."),
    ],
)
def test_only_what_is_new_is_told(before: list[str], message: str, told: str) -> None:
    assert news(message, before) == told


def test_a_block_as_it_is_shown() -> None:
    findings = [
        found("a.js", "fs.readFileSync(one)", READ.format("GET /", "a"), "load()"),
        found(
            "a.js",
            "fs.existsSync(two)",
            EXISTS.format("GET /"),
            "load()",
            no_fix_reason="it has no drop-in replacement",
        ),
        found("b.js", "fs.readFileSync(four)", READ.format("GET /b", "b"), "load()"),
    ]
    fix = Fix("Await `x`", Applicability.UNSAFE, ())
    made = report(FILES, findings, fix_for=lambda finding: finding.no_fix_reason or fix)
    assert body(rendered(made, "text")) == dedent(
        """\
        error[blocking-call] `fs.readFileSync` blocks the event loop: all other requests
        wait. A request (GET /) gets here. Use `await a`.
            ╭─ a.js:1:1
          1 │ fs.readFileSync(one);
            │ ^^^^^^^^^^^^^^^^^^^^
          2 │ fs.existsSync(two);
            │
            ├─ how it gets here
            │  ├─ app.js:1:1  GET /
            │  ╰─ app.js:2:1  calls
            ├─ fix: Await `x` [unsafe, --fix --unsafe-fixes]
            ╰─ 2 more behind the call at app.js:2:1
               ├─ line 2:1  fs.existsSync(two);
               │            Open it.
               │            no fix: it has no drop-in replacement
               ╰─ b.js:1:1  fs.readFileSync(four);
                            A request (GET /b) gets here.
                            fix: Await `x` [unsafe, --fix --unsafe-fixes]
        """
    )


def test_machines_have_each_finding() -> None:
    findings = [found("a.js", "fs.readFileSync(one)"), found("a.js", "fs.readFileSync(three)")]
    assert rendered(report(FILES, findings), "concise").count("\n") == 2
    assert rendered(report(FILES, findings), "json").count('"path": "a.js"') == 2
