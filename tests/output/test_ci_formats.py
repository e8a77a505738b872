"""The formats that continuous integration reads: what a program that reads them gets to see."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest

from prodlint.findings import Applicability, Edit, Finding, Fix, Location, Severity
from prodlint.output import FORMATS, ErrorMessage, Report
from tests.output.reports import Files, rendered, report

ESCAPE = "\x1b[31m"


@pytest.fixture
def shop() -> Report:
    files = Files(
        {
            "a,b:c/ü;x].js": "r.get('/', (req, res) =>\n  res.send(f()));\n",
            "src/f.js": "const f = () => fs.readFileSync('x')\n",
        }
    )
    findings = [
        Finding(
            "blocking-call",
            f"Blocks `f` 100%;\nwait <b>{ESCAPE}.",
            files.at("src/f.js", "fs.readFileSync('x')"),
            trace=(files.step("a,b:c/ü;x].js", "f()", "the handler calls f"),),
        ),
        Finding("console-logging", "Log.", files.at("a,b:c/ü;x].js", "(req, res) =>\n  res")),
        Finding("domain-module", "No domain.", Location("src/f.js", 0, 0), severity=Severity.ADVICE),
    ]
    fix = Fix("await it", Applicability.UNSAFE, (Edit("src/f.js", 0, 0, "x"),))
    errors = [ErrorMessage("src/b.js", 3, "broken]\n"), ErrorMessage(None, None, "no")]
    return report(files, findings, fixes={"blocking-call": fix}, errors=errors)


@pytest.mark.parametrize("output_format", sorted(FORMATS))
def test_nothing_that_steers_a_terminal_gets_through(shop: Report, output_format: str) -> None:
    assert "\x1b" not in rendered(shop, output_format)


@pytest.mark.parametrize("output_format", sorted(FORMATS))
def test_every_format_can_say_that_nothing_was_found(output_format: str) -> None:
    text = rendered(report(Files({}), []), output_format)
    if output_format in ("json", "sarif", "gitlab", "sonarqube"):
        json.loads(text)
    if output_format in ("junit", "checkstyle"):
        ElementTree.fromstring(text)
    assert "None" not in text


def unescaped(text: str, *pairs: str) -> str:
    for code in pairs:
        text = text.replace(code, chr(int(code[1:], 16)))
    return text.replace("%25", "%")


def test_github_gets_one_command_a_finding(shop: Report) -> None:
    lines = rendered(shop, "github").splitlines()
    commands = [re.fullmatch(r"::(\w+) (.*?)::(.*)", line) for line in lines]
    assert all(commands)
    found = [
        (match[1], dict(part.split("=", 1) for part in match[2].split(",")), match[3]) for match in commands if match
    ]
    assert [level for level, _, _ in found] == ["error", "error", "error", "warning", "notice"]
    _, where, _ = found[3]
    assert unescaped(where["file"], "%3A", "%2C") == "a,b:c/ü;x].js"
    assert (where["line"], where["endLine"], "col" in where) == ("1", "2", False)
    _, where, message = found[2]
    assert (where["col"], where["endColumn"]) == ("17", "37")
    assert "100%25;" in message
    assert found[0][1] == {"file": "src/b.js", "line": "3", "title": "prodlint"}


def test_github_gets_the_worst_first_and_one_of_each_rule_before_the_others() -> None:
    files = Files({"a.js": "x\n" * 40})
    noise = [Finding("console-logging", "Log.", Location("a.js", 2 * at, 2 * at + 1)) for at in range(12)]
    other = Finding("domain-module", "No domain.", Location("a.js", 60, 61))
    worst = Finding("blocking-call", "Blocks.", Location("a.js", 70, 71))
    lines = rendered(report(files, [*noise, other, worst]), "github").splitlines()
    assert lines[0] == (
        "::notice title=prodlint::GitHub shows 10 annotations of each level. Only the log of this step has 3 of 13 "
        "warnings."
    )
    titles = [line.partition("title=prodlint%3A ")[2].partition("::")[0] for line in lines[1:5]]
    assert titles == ["blocking-call", "console-logging", "domain-module", "console-logging"]
    assert "notice" not in "".join(rendered(report(files, noise[:10]), "github"))


def test_azure_gets_one_issue_a_finding(shop: Report) -> None:
    lines = rendered(shop, "azure").splitlines()
    issues = [re.fullmatch(r"##vso\[task\.logissue ([^\]]*)\](.*)", line) for line in lines]
    assert all(issues)
    found = [dict(part.split("=", 1) for part in match[1].rstrip(";").split(";")) for match in issues if match]
    assert [issue["type"] for issue in found] == ["warning", "warning", "error", "error", "error"]
    assert unescaped(found[0]["sourcepath"], "%3B", "%5D") == "a,b:c/ü;x].js"
    assert (found[2]["linenumber"], found[2]["columnnumber"], found[2]["code"]) == ("1", "17", "blocking-call")
    assert "100%AZP25;" in lines[2]


def test_gitlab_gets_an_array_of_issues(shop: Report) -> None:
    issues = json.loads(rendered(shop, "gitlab"))
    assert [(issue["check_name"], issue["severity"]) for issue in issues] == [
        ("console-logging", "major"),
        ("domain-module", "info"),
        ("blocking-call", "critical"),
    ]
    assert issues[0]["location"] == {"path": "a,b:c/ü;x].js", "lines": {"begin": 1, "end": 2}}
    assert len({issue["fingerprint"] for issue in issues}) == 3


def test_sonarqube_gets_rules_and_issues_with_ranges_that_are_not_empty(shop: Report) -> None:
    document = json.loads(rendered(shop, "sonarqube"))
    assert {rule["id"] for rule in document["rules"]} == {issue["ruleId"] for issue in document["issues"]}
    blocking = document["issues"][2]
    assert blocking["primaryLocation"]["textRange"] == {
        "startLine": 1,
        "endLine": 1,
        "startColumn": 16,
        "endColumn": 36,
    }
    assert blocking["secondaryLocations"][0]["filePath"] == "a,b:c/ü;x].js"
    assert document["issues"][1]["primaryLocation"]["textRange"] == {"startLine": 1, "endLine": 1}


def test_junit_counts_what_it_has(shop: Report) -> None:
    root = ElementTree.fromstring(rendered(shop, "junit"))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("5", "3", "2")
    assert len(root.findall("testsuite/testcase/failure")) == 3
    assert len(root.findall("testsuite/testcase/error")) == 2
    for suite in root.findall("testsuite"):
        assert suite.get("tests") == str(len(suite.findall("testcase")))
    failure = root.find("testsuite[@name='src/f.js']/testcase[@name='blocking-call']/failure")
    assert failure is not None and failure.text is not None
    assert "the handler calls f" in failure.text


def test_checkstyle_has_an_element_for_every_file(shop: Report) -> None:
    root = ElementTree.fromstring(rendered(shop, "checkstyle"))
    assert [file.get("name") for file in root] == ["a,b:c/ü;x].js", "src/f.js", "src/b.js", "prodlint"]
    assert [error.get("severity") for error in root.iter("error")] == ["warning", "info", "error", "error", "error"]
    error = root.find("file/error[@source='prodlint.blocking-call']")
    assert error is not None
    assert (error.get("line"), error.get("column")) == ("1", "17")


def test_the_summary_is_a_table_and_a_list(shop: Report) -> None:
    text = rendered(shop, "markdown")
    assert text.startswith("### prodlint: 1 error, 1 warning, 1 advice\n")
    assert "| `blocking-call` | 1 |  | 1 |" in text
    assert "`f` 100%; wait \\<b\\>" in text
    assert "  - `a,b:c/ü;x].js:2`: the handler calls f" in text
    assert "- `src/b.js`: broken\\]" in text


def test_a_long_summary_is_cut() -> None:
    files = Files({"a.js": "f();\n" * 150})
    findings = [Finding("domain-module", "No.", Location("a.js", at * 5, at * 5 + 3)) for at in range(150)]
    text = rendered(report(files, findings), "markdown")
    assert text.count("**line") == 100
    assert "… and 50 more." in text
