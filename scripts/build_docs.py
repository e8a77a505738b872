"""Writes the generated parts of the documentation.

- The table of rules in README.md and rules/README.md.
- The table of what tests see rules do, in tests/behaviour/README.md.
- The findings in README.md's console block: each that is shown there is shown as prodlint shows it now.

`--check` writes nothing and fails if something is out of date.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from prodlint.rulebook import PRACTICES, read_pages  # noqa: E402
from tests.behaviour import coverage  # noqa: E402

PAGES = {"README.md": "rules/", "rules/README.md": ""}
"""The files that have the table, and where they find the pages."""
LANGUAGES = {
    "javascript": "JavaScript",
    "typescript": "TypeScript",
    "python": "Python",
    "deployment": "deployment files",
}


def rules_table(link_prefix: str) -> str:
    """All rules as a Markdown table."""
    rows = ["", "| rule | says | in | fix |", "|---|---|---|---|"]
    for rule in sorted(read_pages(ROOT / "rules"), key=lambda rule: (PRACTICES.index(rule.practice), rule.name)):
        link = f"[`{rule.name}`]({link_prefix}{rule.practice}/{rule.name}.md){' (preview)' if rule.is_preview else ''}"
        languages = ", ".join(LANGUAGES.get(language, language) for language in rule.languages)
        rows.append(f"| {link} | {rule.summary} | {languages} | {'' if rule.fix == 'none' else rule.fix} |")
    return "\n".join([*rows, "", ""])


def with_table(text: str, name: str, table: str) -> str:
    """`text` with `table` between the marks of that name."""
    opening, closing = f"<!-- {name}: written by scripts/build_docs.py -->\n", f"<!-- /{name} -->\n"
    before, start, rest = text.partition(opening)
    _, end, after = rest.partition(closing)
    if not start or not end:
        raise SystemExit(f"the marks {opening.strip()} and {closing.strip()} are missing")
    return before + start + table + end + after


def with_output(text: str) -> str:
    """`text` with the findings in its console blocks as their command prints them today."""

    def renewed(block: re.Match[str]) -> str:
        findings = _findings(block["command"].split())
        place = re.compile(r"(?:^(?!…$).*\n)*^ *╭─ (?P<place>\S+).*$\n(?:^(?!…$).*\n)*", re.MULTILINE)
        return block["head"] + place.sub(lambda shown: findings.get(shown["place"], shown[0]), block["output"])

    console = r"^(?P<head>```console\n\$ (?:\.venv/bin/)?prodlint (?P<command>.*)\n)(?P<output>(?:(?!```).*\n)*)"
    return re.sub(console, renewed, text, flags=re.MULTILINE)


def _findings(arguments: list[str]) -> dict[str, str]:
    """What a prodlint command prints about each finding, by the finding's place."""
    command = [sys.executable, "-m", "prodlint", *arguments, "--no-cache", "--color", "never"]
    environment = os.environ | {"COLUMNS": "80", "PYTHONUTF8": "1"}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)
    findings = {}
    for paragraph in run.stdout.split("\n\n"):
        if place := re.search(r"^ *╭─ (\S+)", paragraph, re.MULTILINE):
            findings[place[1]] = paragraph + "\n"
    return findings


def main() -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if something is out of date")
    check = parser.parse_args().check
    stale = []
    tables = [(name, "rules", rules_table(link_prefix)) for name, link_prefix in PAGES.items()]
    for name, mark, table in (*tables, ("tests/behaviour/README.md", "behaviour", coverage.table())):
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        new = with_output(with_table(text, mark, table))
        if new != text:
            stale.append(name)
            if not check:
                path.write_text(new, encoding="utf-8")
    if check and stale:
        print(f"out of date: {', '.join(stale)}; run: python scripts/build_docs.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
