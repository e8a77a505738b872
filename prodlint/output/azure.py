"""Azure Pipelines' logging commands, which become issues of the build.

Source: Microsoft Learn, "Logging commands", `task.logissue`; escapes as its section "Formatting commands" has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prodlint.findings import Severity
from prodlint.output import Options, Report
from prodlint.output.places import Places
from prodlint.output.terminal import printable


def render(report: Report, options: Options) -> Iterator[str]:
    """`##vso[task.logissue type=error;sourcepath=…]message`, one line a finding. There is nothing below a warning."""
    places = Places(report.read, report.root, report.cwd)
    for finding in report.findings:
        line, column = places.start(finding.location)
        properties = {
            "type": "error" if report.severity_of(finding) is Severity.ERROR else "warning",
            "sourcepath": places.path(finding.location.path),
            "linenumber": line,
            "columnnumber": column,
            "code": finding.rule,
        }
        yield _command(properties, finding.message)
    for error in report.errors:
        properties = {"type": "error"}
        if error.path is not None:
            properties["sourcepath"] = places.path(error.path)
        if error.line is not None:
            properties["linenumber"] = error.line
        yield _command(properties, error.message)


def _command(properties: Mapping[str, object], message: str) -> str:
    told = "".join(f"{name}={_property(str(value))};" for name, value in properties.items())
    return f"##vso[task.logissue {told}]{_data(printable(message))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace("]", "%5D").replace(";", "%3B")
