"""JUnit's XML: a test suite per file, for the test reports of Jenkins, GitLab, CircleCI and others.

There is no official schema; this keeps to what Jenkins' JUnit plugin publishes as its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from prodlint.output import Options, Report
from prodlint.output.places import Places
from prodlint.output.xml import HEADER, start, text


def render(report: Report, options: Options) -> Iterator[str]:
    """A failed test case per finding, an erroneous one per problem; one that passed, if there is neither."""
    places = Places(report.read, report.root, report.cwd)
    total = len(report.findings) + len(report.errors)
    counts = {"tests": total or 1, "failures": len(report.findings), "errors": len(report.errors)}
    yield HEADER + start("testsuites", {"name": "prodlint", **counts}) + "\n"
    for path, group in groupby(report.findings, key=lambda finding: finding.location.path):
        findings, shown = list(group), places.path(path)
        suite = {"name": shown, "tests": len(findings), "failures": len(findings), "errors": 0}
        yield "  " + start("testsuite", suite) + "\n"
        seen: Counter[str] = Counter()  # a line number in the name would make a new test of it with each shift
        for finding in findings:
            line, column = places.start(finding.location)
            seen[finding.rule] += 1
            number = f" {seen[finding.rule]}" if seen[finding.rule] > 1 else ""
            case = {"name": f"{finding.rule}{number}", "classname": shown, "file": shown, "line": line}
            failure = {"type": report.severity_of(finding).value, "message": finding.message}
            hops = [f"{places.path(step.location.path)}:{places.start(step.location).line}: {step.message}"
                    for step in finding.trace]  # fmt: skip
            body = "\n".join([f"{shown}:{line}:{column}: [{finding.rule}] {finding.message}", *hops])
            yield f"    {start('testcase', case)}{start('failure', failure)}{text(body)}</failure></testcase>\n"
        yield "  </testsuite>\n"
    if report.errors or not report.findings:
        suite = {"name": "prodlint", "tests": len(report.errors) or 1, "failures": 0, "errors": len(report.errors)}
        yield "  " + start("testsuite", suite) + "\n"
        for error in report.errors:
            where = "prodlint" if error.path is None else places.path(error.path)
            case = {"name": where, "classname": where}
            yield f"    {start('testcase', case)}{start('error', {'message': error.message}, '/>')}</testcase>\n"
        if not report.errors:
            yield "    " + start("testcase", {"name": "no findings", "classname": "prodlint"}, "/>") + "\n"
        yield "  </testsuite>\n"
    yield "</testsuites>\n"
