"""Regular expressions that are compiled when they are first used: a run needs few of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, AnyStr

if TYPE_CHECKING:
    regex = re.compile
else:

    class regex:
        """Takes what `re.compile` takes, and has what that returns."""

        def __init__(self, pattern: AnyStr, flags: int = 0) -> None:
            self._source = pattern, flags

        def __getattr__(self, name: str) -> Any:
            """An attribute of the compiled expression, found here from then on."""
            value = getattr(re.compile(*self._source), name)
            setattr(self, name, value)
            return value
