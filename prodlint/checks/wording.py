"""Words for messages."""

from __future__ import annotations

from collections.abc import Sequence


def code_list(names: Sequence[str]) -> str:
    """Some names of code as a reader would list them: `` `a`, `b` and `c` ``."""
    quoted = [f"`{name}`" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
