"""The format for people, as it looks at 80 columns without colour."""

from __future__ import annotations

import json
import re
from textwrap import dedent

import pytest

from prodlint.findings import Applicability, Confidence, Finding, Fix, Location, Severity
from prodlint.output import FORMATS, ErrorMessage, Stats
from prodlint.output.terminal import width
from tests.output.reports import RULES, Files, body, rendered, report

BLOCKS = "`fs.readFileSync` blocks the event loop: everything else waits until it returns."


def shown(files: Files, finding: Finding, **options: object) -> str:
    return body(rendered(report(files, [finding]), "text", **options))


def test_a_finding_with_its_path() -> None:
    files = Files(
        {
            "src/routes/invoices.js": dedent(
                """\
                const r = express.Router();

                r.get('/invoices/:id', (req, res) => {
                  res.send(render(req.params.id));
                });
                """
            ),
            "src/services/invoices.js": "exports.render = (id) => mustache(load('invoice'), find(id));\n",
            "src/templates.js": dedent(
                """\
                const fs = require('node:fs');

                function load(name) {
                  return fs.readFileSync(`${name}.mustache`);
                }

                module.exports = { load };
                """
            ),
        }
    )
    finding = Finding(
        "blocking-call",
        f"{BLOCKS} It is reached from a request (GET /invoices/:id and 3 more).",
        files.at("src/templates.js", "fs.readFileSync(`${name}.mustache`)"),
        trace=(
            files.step("src/routes/invoices.js", "r.get(", "GET /invoices/:id is handled by an arrow function"),
            files.step("src/routes/invoices.js", "render(req.params.id)", "the handler calls `render`"),
            files.step("src/services/invoices.js", "load('invoice')", ""),
        ),
        related=(files.step("src/templates.js", "module.exports", "exported here"),),
    )
    fix = Fix("await `fs.promises.readFile`, in an async function", Applicability.UNSAFE, ())
    assert rendered(report(files, [finding], fixes={"blocking-call": fix}), "text") == dedent(
        """\
        error[blocking-call] `fs.readFileSync` blocks the event loop: everything else
        waits until it returns. It is reached from a request (GET /invoices/:id and 3
        more).
            ╭─ src/templates.js:4:10
          3 │ function load(name) {
          4 │   return fs.readFileSync(`${name}.mustache`);
            │          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          5 │ }
            │
            ├─ how it gets here
            │  ├─ src/routes/invoices.js:3:1     GET /invoices/:id is handled by an
            │  │                                 arrow function
            │  ├─ src/routes/invoices.js:4:12    the handler calls `render`
            │  ╰─ src/services/invoices.js:1:35  load('invoice'), find(id));
            ├─ see also
            │  ╰─ src/templates.js:7:1  exported here
            ╰─ fix: await `fs.promises.readFile`, in an async function
                    [unsafe, --fix --unsafe-fixes]

        1 finding (1 error) in 1 file
        1 can be fixed with --fix --unsafe-fixes
        More about a rule: prodlint rule NAME
        To ignore a finding, put a comment on its line: prodlint: ignore[NAME] and why
        """
    )


def test_tabs_wide_characters_and_crlf_keep_the_marks_aligned() -> None:
    files = Files({"a.js": "function f() {\r\n\tconst 名 =\tx; console.log('請求書', 名, '👍');\r\n}\r\n"})
    finding = Finding("console-logging", "Log.", files.at("a.js", "console.log('請求書', 名, '👍')"))
    assert shown(files, finding) == dedent(
        """\
        warning[console-logging] Log.
            ╭─ a.js:2:15
          1 │ function f() {
          2 │     const 名 =  x; console.log('請求書', 名, '👍');
            │                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          3 │ }
        """
    )


@pytest.mark.parametrize("color", [False, True])
def test_nothing_that_a_terminal_acts_upon_gets_through(color: bool) -> None:
    evil = "\x1b[2J\x07\x9b\u202e\u200b"
    path = "a\x1b]0;x\n.js"
    files = Files({path: f"before(); {evil}\nlog('{evil}');\nafter(); // {evil}\n"})
    finding = Finding(
        "console-logging",
        f"Log {evil}.",
        files.at(path, "log("),
        trace=(files.step(path, "before", f"is {evil}"), files.step(path, "after", "")),
        related=(files.step(path, "before", f"was {evil}"),),
        service=f"api{evil}",
    )
    fix = Fix(f"use {evil}", Applicability.SAFE, ())
    errors = [ErrorMessage(path, 3, f"broken {evil}")]
    made = report(files, [finding], fixes={"console-logging": fix}, errors=errors)
    for output_format in ("text", "concise"):
        output = rendered(made, output_format, color=color)
        without_styles = re.sub(r"\x1b\[[0-9;]*m", "", output)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e]", without_styles)
        assert r"␛[2J␇\x9b\u202e\u200b" in without_styles
        assert "a␛]0;x␊.js" in without_styles


COMMANDS = ("::stop-commands::x", "##[add-matcher]x", "##vso[task.setvariable variable=A]x", "##VSO[task.complete]")


@pytest.mark.parametrize("output_format", sorted(set(FORMATS) - {"github", "azure"}))
@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_that_is_printed_is_a_command_to_a_ci_service(output_format: str, command: str) -> None:
    """What GitHub's runner and Azure's agent look for in the lines of a step, wherever it comes from."""
    path = f"{command}.js"
    files = Files({path: f"{command}\nlog({command})\n{command}\n"})
    words = f"{'a' * 70} {command} {'b' * 70} {command}"
    finding = Finding(
        "console-logging",
        f"{words}.",
        files.at(path, "log("),
        trace=(files.step(path, "log", words),),
        related=(files.step(path, "log", f"{command} {words}"),),
        service=command,
    )
    fix = Fix(words, Applicability.SAFE, ())
    errors = [ErrorMessage(path, 3, f"{command}\n{words}"), ErrorMessage(None, None, command)]
    made = report(files, [finding], fixes={"console-logging": fix}, errors=errors)
    output = rendered(made, output_format)
    assert re.search("stop-commands|add-matcher|task", output)
    for line in output.split("\n"):
        assert not line.lstrip().startswith("::")
        assert not re.search(r"##(vso)?\[", line, re.IGNORECASE)
    if output_format in ("json", "sarif", "gitlab", "sonarqube"):
        assert command in str(json.loads(output))


def test_a_long_line_is_cut_around_the_finding() -> None:
    line = f"if ({'x' * 100}) {{ y = fs.readFileSync(z); }} else {{ {'w' * 5000} }}"
    files = Files({"a.js": f"before();\n{line}\nafter();\n"})
    output = shown(files, Finding("blocking-call", BLOCKS, files.at("a.js", "fs.readFileSync(z)")))
    assert output == dedent(
        """\
        error[blocking-call] `fs.readFileSync` blocks the event loop: everything else
        waits until it returns.
            ╭─ a.js:2:113
          2 │ …xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx) { y = fs.readFileSync(z); } else {…
            │                                              ^^^^^^^^^^^^^^^^^^
        """
    )


def test_a_finding_that_is_longer_than_the_line_shows_its_beginning() -> None:
    files = Files({"a.js": f"{' ' * 60}fs.readFileSync({'x' * 3000});\n"})
    start = 60
    output = shown(files, Finding("blocking-call", "Blocks.", Location("a.js", start, start + 3017)))
    code, marks = output.splitlines()[2:4]
    assert code == f"  1 │ fs.readFileSync({'x' * 57}…"
    assert marks == f"    │ {'^' * 74}"


def test_a_minified_file_shows_only_what_the_finding_is_about() -> None:
    files = Files({"a.js": b"a();" * 500_000 + b"fs.readFileSync(z);" + b"b();" * 500_000})
    output = shown(files, Finding("blocking-call", "Blocks.", files.at("a.js", "fs.readFileSync(z)")))
    code, marks = output.splitlines()[2:4]
    assert width(code) == 80
    assert code.index("fs.readFileSync(z)") == marks.index("^" * 18)
    assert code.startswith("  1 │ …") and code.endswith("…")


def test_a_span_over_several_lines_is_bracketed() -> None:
    body_lines = "".join(f"  step({number});\n" for number in range(1, 9))
    files = Files({"a.js": f"let x;\napp.get('/', async () => {{\n{body_lines}}});\nlet y;\n"})
    start = files["a.js"].index(b"app")
    end = files["a.js"].index(b"});") + 4  # with the line end
    finding = Finding("blocking-call", "Hangs.", Location("a.js", start, end))
    assert shown(files, finding) == dedent(
        """\
        error[blocking-call] Hangs.
            ╭─ a.js:2:1
          1 │   let x;
          2 │ ╭ app.get('/', async () => {
          3 │ │   step(1);
          4 │ │   step(2);
          5 │ │   step(3);
            │ │ ...
         11 │ ╰ });
         12 │   let y;
        """
    )


def test_at_the_end_of_a_file_without_a_line_end() -> None:
    files = Files({"Dockerfile": 'FROM node:20\n\nCMD ["node"]'})
    end = len(files["Dockerfile"])
    assert shown(files, Finding("production-env-unset", "Unset.", Location("Dockerfile", end, end))) == dedent(
        """\
        advice[production-env-unset] Unset.
            ╭─ Dockerfile:3:13
          1 │ FROM node:20
          2 │
          3 │ CMD ["node"]
            │             ^
        """
    )


def test_an_empty_file_has_no_frame() -> None:
    files = Files({".env": b""})
    finding = Finding("production-env-unset", "Unset.", Location(".env", 0, 0), service="api")
    fix = Fix("add it", Applicability.SAFE, ())
    assert body(rendered(report(files, [finding], fixes={"production-env-unset": fix}), "text")) == dedent(
        """\
        advice[production-env-unset] Unset.
            ╭─ .env:1:1 (service api)
            │
            ╰─ fix: add it [safe, --fix]
        """
    )


def test_a_file_that_has_vanished_still_has_its_finding() -> None:
    output = shown(Files({}), Finding("blocking-call", "Blocks.", Location("gone.js", 10, 20)))
    assert output == "error[blocking-call] Blocks.\n    ╭─ gone.js:1:1\n"


def test_why_there_is_no_fix() -> None:
    files = Files({"a.js": "x();\n"})
    finding = Finding(
        "console-logging", "Log.", files.at("a.js", "x()"), no_fix_reason="which of the two loggers is unclear"
    )
    assert "    ╰─ no fix: which of the two loggers is unclear\n" in shown(files, finding)
    assert "no fix" not in shown(files, Finding("domain-module", "Gone.", files.at("a.js", "x()")))


def test_long_paths_put_what_is_said_below_them() -> None:
    path = "packages/storefront/src/features/checkout/handlers/confirm.ts"
    files = Files({path: "a(b());\n"})
    steps = (files.step(path, "a(", "confirm calls a"), files.step(path, "b(", "a calls b"))
    output = shown(files, Finding("blocking-call", "Blocks.", files.at(path, "b()"), trace=steps))
    assert output.endswith(
        f"    ╰─ how it gets here\n"
        f"       ├─ {path}:1:1\n"
        f"       │  confirm calls a\n"
        f"       ╰─ {path}:1:3\n"
        f"          a calls b\n"
    )


def test_likely_findings_say_so() -> None:
    files = Files({"a.js": "x();\n"})
    finding = Finding("blocking-call", "Blocks.", files.at("a.js", "x()"), confidence=Confidence.LIKELY)
    assert shown(files, finding).startswith("error[blocking-call] likely: Blocks.\n")


def test_no_line_is_wider_than_the_terminal() -> None:
    files = Files({"a.js": "\t\tconst 名前 = load(" + "'請求書', " * 30 + "x);\n" + "y = 1; // " + "é" * 200 + "\n"})
    finding = Finding(
        "blocking-call",
        "Long " * 40,
        files.at("a.js", "'請求書'"),
        trace=(files.step("a.js", "load", ""), files.step("a.js", "y = 1", "words " * 30)),
        no_fix_reason="because " * 20,
    )
    for available in (40, 60, 80, 120):
        output = shown(files, finding, width=available)
        assert all(width(line) <= available for line in output.splitlines()), available


def test_ascii_for_terminals_that_know_no_more() -> None:
    files = Files({"a.js": "x();\n" + "y" * 100 + "\nz();\n"})
    everything = Location("a.js", 0, len(files["a.js"]))
    finding = Finding("blocking-call", "Blocks.", everything, trace=(files.step("a.js", "x", "a"),), no_fix_reason="b")
    output = rendered(report(files, [finding]), "text", unicode=False)
    assert output.isascii()
    assert "y~\n" in output


def test_code_is_highlighted_and_says_the_same() -> None:
    files = Files({"a.js": "/*\n * a comment\n */\nreturn fs.readFileSync('x'); // why\n"})
    finding = Finding("blocking-call", BLOCKS, files.at("a.js", "fs.readFileSync('x')"))
    made = report(files, [finding])
    plain, colored = rendered(made, "text"), rendered(made, "text", color=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain
    assert "\x1b[35mreturn\x1b[0m" in colored
    assert "\x1b[32m'x'\x1b[0m" in colored
    assert "\x1b[2;3m * a comment\x1b[0m" in colored  # though the comment begins above the frame


def test_without_colour_there_is_no_escape() -> None:
    files = Files({"a.js": "x();\n"})
    made = report(files, [Finding("blocking-call", BLOCKS, files.at("a.js", "x()"))])
    for output_format in ("text", "concise"):
        assert "\x1b" not in rendered(made, output_format)


def test_the_summary_counts() -> None:
    files = Files({"a.js": "x();\n", "b.js": "y();\n"})
    findings = [
        Finding("blocking-call", "Blocks.", files.at("a.js", "x()")),
        Finding("console-logging", "Log.", files.at("a.js", "x()")),
        Finding("console-logging", "Log.", files.at("b.js", "y()")),
        Finding("console-logging", "Log.", files.at("b.js", "y()"), severity=Severity.ADVICE),
    ]
    fixes = {
        "blocking-call": Fix("a", Applicability.UNSAFE, ()),
        "console-logging": Fix("b", Applicability.SAFE, ()),
    }
    stats = Stats(files=1234, seconds=0.26, hidden_likely=1)
    output = rendered(report(files, findings, fixes=fixes, stats=stats), "text")
    assert output.rsplit("\n\n", 1)[1] == dedent(
        """\
        4 findings (1 error, 2 warnings, 1 advice) in 2 of 1,234 files, 0.3 s
        3 can be fixed with --fix, 1 more with --fix --unsafe-fixes
        1 likely finding hidden: --likely shows it
        More about a rule: prodlint rule NAME
        To ignore a finding, put a comment on its line: prodlint: ignore[NAME] and why
        """
    )


def test_nothing_found() -> None:
    assert rendered(report({}, [], stats=Stats(files=34)), "text") == "All checks passed: 34 files\n"
    hidden = rendered(report({}, [], stats=Stats(files=34, hidden_likely=2)), "text")
    assert hidden == "All checks passed: 34 files\n2 likely findings hidden: --likely shows them\n"


def test_no_files_are_no_pass() -> None:
    assert rendered(report({}, []), "text") == "No files to check (tests are skipped by default)\n"


def test_what_could_not_be_checked_is_no_pass() -> None:
    errors = [
        ErrorMessage("src/broken.js", 3, "the syntax is not understood from here on: " + "words " * 10),
        ErrorMessage(None, None, "the check `blocking-call` failed"),
    ]
    assert rendered(report({}, [], errors=errors, stats=Stats(files=2)), "text") == dedent(
        """\
        2 problems: not everything could be checked
          - src/broken.js:3: the syntax is not understood from here on: words words
            words words words words words words words words
          - the check `blocking-call` failed

        No findings in what could be checked: 2 files
        """
    )


def test_statistics() -> None:
    files = Files({"a.js": "x();\n"})
    findings = [Finding("blocking-call", "Blocks.", files.at("a.js", "x()"))] * 2
    findings += [Finding("console-logging", "Log.", files.at("a.js", "x()"))] * 12
    fixes = {"console-logging": Fix("b", Applicability.SAFE, ())}
    output = rendered(report(files, findings, fixes=fixes), "text", statistics=True)
    assert output.split("\n\n")[0] == "\n".join(
        (
            "count  rule             severity  fixable",
            "   12  console-logging  warning   12 safe",
            "    2  blocking-call    error     -",
        )
    )
    assert "14 findings (2 errors, 12 warnings) in 1 file\n" in output


def test_concise_is_one_line_per_finding() -> None:
    files = Files({"src/a.js": "x();\ny();\n"})
    findings = [
        Finding("blocking-call", "Blocks.\nIt does.", files.at("src/a.js", "x()"), confidence=Confidence.LIKELY),
        Finding("console-logging", "Log.", files.at("src/a.js", "y()")),
    ]
    fixes = {
        "blocking-call": Fix("a", Applicability.UNSAFE, ()),
        "console-logging": Fix("b", Applicability.SAFE, ()),
    }
    errors = [ErrorMessage("src/b.js", 2, "broken"), ErrorMessage(None, None, "failed")]
    assert rendered(report(files, findings, fixes=fixes, errors=errors), "concise") == dedent(
        """\
        src/a.js:1:1: error[blocking-call] likely: Blocks. It does.
        src/a.js:2:1: warning[console-logging] Log. [*]
        src/b.js:2: problem: broken
        prodlint: problem: failed
        """
    )


def test_the_settings_severity_is_shown() -> None:
    files = Files({"a.js": "x();\n"})
    finding = Finding("console-logging", "Log.", files.at("a.js", "x()"))
    made = report(files, [finding], severity_of=lambda _: Severity.ERROR)
    assert rendered(made, "concise").startswith("a.js:1:1: error[console-logging]")
    assert RULES["console-logging"].severity is Severity.WARNING
