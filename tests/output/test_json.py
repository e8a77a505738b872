"""The JSON object: its shape is a promise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix, ImportRequest, Location
from prodlint.output import ErrorMessage, Report, Stats
from tests.output.reports import Files, rendered, report


def document(made: Report) -> Any:
    return json.loads(rendered(made, "json"))


def test_the_whole_object() -> None:
    files = Files(
        {"src/app.py": "import time\n\n\nasync def index():\n    é = time.sleep(1)\n", "main.py": "index()\n"}
    )
    sleep = files.at("src/app.py", "time.sleep(1)")
    finding = Finding(
        "blocking-call",
        "`time.sleep` blocks.",
        sleep,
        trace=(files.step("main.py", "index", "runs index"),),
        related=(files.step("src/app.py", "index", "here"),),
        service="api",
    )
    edits = (Edit("src/app.py", sleep.start, sleep.start + 10, "await asyncio.sleep"),)
    fix = Fix("await `asyncio.sleep`", Applicability.UNSAFE, edits)
    made = report(
        files,
        [finding],
        fixes={"blocking-call": fix},
        errors=[ErrorMessage("src/b.py", 4, "broken"), ErrorMessage(None, None, "failed")],
        stats=Stats(files=2, seconds=0.5, hidden_likely=3, suppressed=4),
        cwd=Path("/srv"),
    )
    assert document(made) == {
        "version": "1.2.3",
        "findings": [
            {
                "rule": "blocking-call",
                "practice": "blocking",
                "severity": "error",
                "message": "`time.sleep` blocks.",
                "path": "shop/src/app.py",
                "line": 5,
                "column": 9,
                "end_line": 5,
                "end_column": 22,
                "confidence": "certain",
                "service": "api",
                "trace": [
                    {
                        "path": "shop/main.py",
                        "line": 1,
                        "column": 1,
                        "end_line": 1,
                        "end_column": 6,
                        "message": "runs index",
                    }
                ],
                "related": [
                    {
                        "path": "shop/src/app.py",
                        "line": 4,
                        "column": 11,
                        "end_line": 4,
                        "end_column": 16,
                        "message": "here",
                    }
                ],
                "fix": {
                    "applicability": "unsafe",
                    "title": "await `asyncio.sleep`",
                    "edits": [
                        {
                            "path": "shop/src/app.py",
                            "line": 5,
                            "column": 9,
                            "end_line": 5,
                            "end_column": 19,
                            "start_byte": 42,
                            "end_byte": 52,
                            "text": "await asyncio.sleep",
                        }
                    ],
                },
                "fixless": None,
            }
        ],
        "errors": [
            {"path": "shop/src/b.py", "line": 4, "message": "broken"},
            {"path": None, "line": None, "message": "failed"},
        ],
        "summary": {
            "findings": 1,
            "severities": {"error": 1, "warning": 0, "advice": 0},
            "rules": {"blocking-call": 1},
            "files": 2,
            "files_with_findings": 1,
            "fixable": {"safe": 0, "unsafe": 1},
            "hidden_likely": 3,
            "suppressed": 4,
        },
    }


def test_edits_have_the_imports_in_them() -> None:
    files = Files({"app.py": "import os\n\nprint(os)\n"})
    finding = Finding("console-logging", "Log.", files.at("app.py", "print(os)"))
    start = finding.location.start
    edits = (Edit("app.py", start, start + 5, "log.info"),)
    fix = Fix("log", Applicability.SAFE, edits, (ImportRequest("app.py", "logging"),))
    (found,) = document(report(files, [finding], fixes={"console-logging": fix}))["findings"]
    changed = files["app.py"]
    for edit in reversed(found["fix"]["edits"]):
        changed = changed[: edit["start_byte"]] + edit["text"].encode() + changed[edit["end_byte"] :]
    assert changed == b"import logging\nimport os\n\nlog.info(os)\n"


def test_a_fix_that_cannot_be_made_is_none() -> None:
    files = Files({"app.py": "x()\n"})
    finding = Finding("console-logging", "Log.", files.at("app.py", "x"), confidence=Confidence.LIKELY)
    outside = Fix("outside of the file", Applicability.SAFE, (Edit("app.py", 50, 60, ""),))
    made = document(report(files, [finding], fixes={"console-logging": outside}))
    (found,) = made["findings"]
    assert found["fix"] is None
    assert found["fixless"] == "an edit lies outside app.py"
    assert found["confidence"] == "likely"
    assert made["summary"]["fixable"] == {"safe": 0, "unsafe": 0}


def test_nothing_found_is_an_object_too() -> None:
    made = document(report({}, []))
    assert made["findings"] == [] and made["errors"] == []


def test_names_that_are_no_text_do_not_break_it() -> None:
    path = b"caf\xe9.js".decode("utf-8", "surrogateescape")
    files = Files({path: b"x\xff();\n"})
    finding = Finding("console-logging", "Log \ud800.", Location(path, 0, 4))
    output = rendered(report(files, [finding]), "json")
    (found,) = json.loads(output.encode())["findings"]
    assert found["path"] == "caf\ufffd.js"
    assert found["end_column"] == 5
