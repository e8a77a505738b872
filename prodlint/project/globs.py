"""Patterns as `.gitignore` has them, matched in time that no pattern and no path can make long."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from prodlint.lazy_regex import regex

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# What pathspec writes for `*`, for `/**/`, and for `**/` at the beginning. Nothing else in a pattern has a slash.
_STAR, _STARS, _FIRST_STARS = r"\[\^/\]\*", r"\(\?:/\.\+\)\?/", r"\^\(\?:\.\+/\)\?"
_STAR_TO_STAR = regex(rf"{_STAR}((?:\[\^/\](?!\*)|(?!{_STAR})[^/])+)(?={_STAR})")
_STARS_TO_STARS = regex(rf"{_STARS}((?:(?!{_STARS}).)+)(?={_STARS})")
_FIRST_TO_STARS = regex(rf"^{_FIRST_STARS}((?:(?!{_STARS}).)+)(?={_STARS})")


def ignore_spec(patterns: Iterable[str]) -> GitIgnoreSpec:
    """The patterns, compiled; raises `ValueError` if one of them is none."""
    from pathspec import GitIgnoreSpec

    try:
        compiled = list(GitIgnoreSpec.from_lines(patterns).patterns)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error
    for pattern in compiled:
        if pattern.regex is not None:
            pattern.regex = re.compile(_without_backtracking(pattern.regex.pattern))
    return GitIgnoreSpec(compiled)


def _without_backtracking(regex: str) -> str:
    """A regular expression that matches the same. Between two stars the first place that fits is as good as any other,
    since the second star takes whatever follows; without being told so, `re` tries them all, and all their
    combinations."""
    regex = re.sub(rf"(?:{_STAR})+", r"[^/]*", regex)
    regex = _STAR_TO_STAR.sub(r"(?>[^/]*?\1)", regex)
    regex = _STARS_TO_STARS.sub(r"(?>(?:/.+?)??/\1(?=/))", regex)
    return _FIRST_TO_STARS.sub(r"^(?>(?:.+?/)??\1(?=/))", regex)


def compiled_glob(glob: str) -> re.Pattern[str]:
    """An expression that a whole path matches as shells have it: `*` and `?` stand for anything without a slash."""
    first, *others = (re.escape(part).replace(r"\?", "[^/]") for part in glob.split("*"))
    # The first place that fits is as good as any other, as long as another star follows.
    middle = "".join(f"(?>[^/]*?{part})" for part in others[:-1])
    return re.compile(first + middle + "".join(f"[^/]*{part}" for part in others[-1:]), re.DOTALL)


def is_glob(text: str) -> bool:
    """Whether `text` is a pattern as `.gitignore` has them."""
    try:
        ignore_spec([text])
    except ValueError:
        return False
    return True
