"""Makes a new rule: its page, data, module and deep cases. Their tests fail until they are filled in.

python scripts/new_rule.py PRACTICE NAME
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import prodlint  # noqa: E402
from prodlint.rulebook import PRACTICES  # noqa: E402

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

PAGE = """\
---
name: {name}
summary: Say in one sentence what is wrong
severity: warning
languages: [javascript, typescript]
fix: none
since: {version}
status: preview
---

# {name}

## Why

What happens in production, to whom, and when. Write for the person who was just told that their code is wrong.

## Bad: say what

```js
hurts(); // flagged: {name}
```

## Good: say what

```js
helps();
```
"""

DATA = """\
# What {name} knows about the world. Users extend it in [tool.prodlint.{name}].
"""

MODULE = '''\
"""{name}: say what it finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.findings import Finding

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Yields a finding for each ..."""
    yield from ()
'''

DEEP_CASES = """\
# {name}: deep cases

What the page has no room for: at least three things that the rule leaves alone, mistakes it once made, known misses.
"""


def files_of(practice: str, name: str, version: str) -> dict[Path, str]:
    """The new rule's files."""
    module, folder = name.replace("-", "_"), practice.replace("-", "_")
    templates = {
        ROOT / "rules" / practice / f"{name}.md": PAGE,
        ROOT / "rules" / practice / f"{name}.toml": DATA,
        ROOT / "prodlint" / "checks" / folder / f"{module}.py": MODULE,
        ROOT / "tests" / "rules" / f"{name}.md": DEEP_CASES,
    }
    files = {path: text.format(name=name, version=version) for path, text in templates.items()}
    package = ROOT / "prodlint" / "checks" / folder / "__init__.py"
    if not package.exists():
        files[package] = f'"""Rules of the practice `{practice}`."""\n'
    return files


def main() -> int:
    """Make the files; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("practice", choices=PRACTICES, metavar="PRACTICE", help="one of: %(choices)s")
    parser.add_argument("name", metavar="NAME", help="lower case, words joined by '-', such as: buffer-constructor")
    options = parser.parse_args()
    if not NAME.fullmatch(options.name):
        parser.error(f"{options.name!r} is no name: lower case, words joined by '-'")
    if taken := [*ROOT.glob(f"rules/*/{options.name}.md")]:
        parser.error(f"there is a rule of that name: {taken[0].relative_to(ROOT)}")
    for path, text in files_of(options.practice, options.name, prodlint.__version__).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    print(f"\nNow make this pass: pytest tests/test_rule_pages.py -k {options.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
