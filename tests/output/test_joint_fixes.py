"""A fix that resolves several findings says so at each."""

from __future__ import annotations

import json

from prodlint.findings import Applicability, Edit, Finding, Fix
from prodlint.output.joint_fixes import told_together
from tests.output.reports import Files, rendered, report

FILES = Files({"app.py": "async def a():\n    mail()\n    other()\n", "mail.py": "open()\nsend()\nclose()\n"})
CALL = FILES.at("app.py", "mail()")


def found(text: str, call: str = "mail()", rule: str = "blocking-call") -> Finding:
    steps = (FILES.step("app.py", "async def a()", "POST / is handled by a()"), FILES.step("app.py", call, "a() calls"))
    return Finding(rule, f"`{text}` blocks.", FILES.at("mail.py", text), trace=steps)


def through_call(text: str = "thread(mail)") -> Fix:
    return Fix("Hand it to a thread", Applicability.UNSAFE, (Edit(CALL.path, CALL.start, CALL.end, text),))


def titles(findings: list[Finding], fixes: list[Fix | str]) -> list[str]:
    told = told_together(findings, fixes, lambda finding: finding.message)
    return [fix.title if isinstance(fix, Fix) else fix for fix in told]


def test_what_stands_behind_a_call_that_is_moved_is_resolved_with_it() -> None:
    findings = [found("open()"), found("send()"), found("close()", call="other()")]
    assert titles(findings, [through_call(), "it has no drop-in replacement", "no place"]) == [
        "Hand it to a thread (resolves 2 findings)",
        "fixed together with `open()` blocks.",
        "no place",
    ]


def test_the_same_fix_is_counted_once_for_each_finding() -> None:
    findings = [found("open()"), found("send()")]
    assert titles(findings, [through_call(), through_call()]) == ["Hand it to a thread (resolves 2 findings)"] * 2
    assert titles(findings, [through_call(), through_call("pool(mail)")]) == ["Hand it to a thread"] * 2


def test_a_fix_in_place_resolves_nothing_else() -> None:
    findings = [found("open()"), found("send()")]
    place = findings[0].location
    fix = Fix(
        "Await it", Applicability.UNSAFE, (Edit(place.path, place.start, place.end, "await"), *through_call().edits)
    )
    assert titles(findings, [fix, "no drop-in"]) == ["Await it", "no drop-in"]


def test_another_rule_is_not_resolved() -> None:
    findings = [found("open()"), found("send()", rule="console-logging")]
    assert titles(findings, [through_call(), "no logger"]) == ["Hand it to a thread", "no logger"]


def test_text_and_json_say_so() -> None:
    findings = [found("open()"), found("send()")]
    made = report(
        FILES, findings, fix_for=lambda finding: through_call() if "open" in finding.message else "no drop-in"
    )
    assert "fixed together with mail.py:1:1" in rendered(made, "text")
    first, second = json.loads(rendered(made, "json"))["findings"]
    assert first["fix"]["title"] == "Hand it to a thread (resolves 2 findings)"
    assert (second["fix"], second["fixless"]) == (None, "fixed together with mail.py:1")
