"""One file because of which all cannot be taken together is left out, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

_MOST = 5
"""Files that are left out; where that does not help, the fault is no single file's."""


def culprits(
    paths: Sequence[str], failure: Callable[[Sequence[str]], str | None], reason: str
) -> Iterator[tuple[str, str]]:
    """The files that have to go for the others to be taken together, each with why, until `failure` has no reason any
    more. `failure` says why some of the paths cannot be taken together, `reason` is its answer for all of them."""
    left = list(paths)
    for _ in range(min(_MOST, len(left))):
        good, bad = 0, len(left)  # so many of the first are fine, and so many are not
        while bad - good > 1:
            middle = (good + bad) // 2
            found = failure(left[:middle])
            if found is None:
                good = middle
            else:
                bad, reason = middle, found
        yield left.pop(bad - 1), reason
        following = failure(left)
        if following is None:
            return
        reason = following
