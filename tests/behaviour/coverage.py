"""Which tests prove which rules, and why some rules have none."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
UNOBSERVED = HERE / "unobserved.toml"


def proofs() -> dict[str, list[tuple[str, str]]]:
    """By rule the tests marked `@pytest.mark.proves("rule")`: the module's file and the function."""
    found = defaultdict(list)
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                for rule in _marks(node):
                    found[rule].append((path.name, node.name))
    return dict(found)


def _marks(function: ast.FunctionDef) -> Iterator[str]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.proves":
            for argument in decorator.args:
                yield ast.literal_eval(argument)


def unobserved() -> dict[str, str]:
    """By rule the reason why it has no test."""
    return tomllib.loads(UNOBSERVED.read_text(encoding="utf-8"))


def table() -> str:
    """All rules and what is known about them as a Markdown table."""
    rows = ["", "| rule | what is seen |", "|---|---|"]
    known = {rule: "<br>".join(_seen(*test) for test in tests) for rule, tests in proofs().items()}
    reasons = {rule: f"*not seen*: {reason}" for rule, reason in unobserved().items()}
    rows += [f"| `{rule}` | {text} |" for rule, text in sorted((reasons | known).items())]
    return "\n".join([*rows, "", ""])


def _seen(file: str, function: str) -> str:
    return f"[{function.removeprefix('test_').replace('_', ' ')}]({file})"
