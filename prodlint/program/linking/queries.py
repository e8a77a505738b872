"""Questions that are asked of a whole program, each answered once.

A program knows nothing of what is asked of it: a question is a function of the program, kept where its answer is worked
out, and `query` keeps the answer with the program.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_T = TypeVar("_T")


def query(question: Callable[[Program], _T]) -> Callable[[Program], _T]:
    """A function of a program whose answer is kept as long as that program. It must depend on nothing else, and nobody
    may change what it returns."""

    @wraps(question)
    def ask(program: Program) -> _T:
        try:
            answer: _T = program.answers[ask]
        except KeyError:
            answer = program.answers[ask] = question(program)
        return answer

    return ask
