"""When the server looks for garbage. Sessions are cycles, and the collector is off while facts are made."""

from __future__ import annotations

import gc

_FEWEST = 200_000
"""Objects; less than this is not worth a collection."""


class Garbage:
    """Collects whenever as many objects were made as were alive after the last time: then memory is bounded by twice
    what is in use, whatever is typed, and all collections together take time in proportion to what was made."""

    def __init__(self, fewest: int = _FEWEST) -> None:
        self._fewest = self._limit = fewest

    def collect_if_due(self) -> None:
        """Collects if enough was made. The count goes on where the collector is off."""
        if gc.get_count()[0] > self._limit:
            self.collect()

    def collect(self) -> None:
        """Collects in any case."""
        gc.collect()
        self._limit = max(self._fewest, len(gc.get_objects()))
