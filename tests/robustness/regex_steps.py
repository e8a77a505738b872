"""How many steps a backtracking matcher takes for a regular expression: `re`, rebuilt on top of its own parser.

`re` tells nobody how long it tried. `Steps` compiles what `re`'s parser makes of a pattern and runs it as `re` does:
alternatives in their order, from each start in turn, back to the last choice when something does not match. Each
instruction counts as one step, so the answer is the same on every machine. Shortcuts of `re` (a literal that every
match begins with, sets that are skipped in C) make steps cheaper there, not fewer by more than a factor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from re import _casefix, _constants, _parser  # type: ignore[attr-defined]
from typing import Any

TooMany = type("TooMany", (Exception,), {})

_CHAR, _SPLIT, _JUMP, _MARK, _SAME, _AT, _GROUP, _LOOK, _ATOMIC, _MATCH, _SAVE, _IF = range(12)
_MANY = 2_000
Test = Callable[[int], bool]


class Steps:
    """A compiled expression that counts."""

    def __init__(self, pattern: str | bytes, flags: int = 0) -> None:
        compiled = re.compile(pattern, flags)
        self.flags = compiled.flags
        self.is_bytes = isinstance(pattern, bytes)
        self.tree: Any = _parser.parse(pattern, flags)
        self._marks = 0
        self._sets: dict[Any, Test] = {}
        self._code: list[tuple[Any, ...]] = []
        self._sequence(self._code, self.tree, self.flags)
        self._code.append((_MATCH,))
        self.steps = 0
        self._limit = 0
        self._left: dict[Any, Any] = {}

    # --- running ------------------------------------------------------------------------------------------------------

    def scan(
        self, text: str | bytes, limit: int = 10**9, *, in_a_row: bool = False
    ) -> tuple[int, list[tuple[int, int]]]:
        """The steps of `finditer`, which `sub`, `split` and `findall` take, too, and the places of the matches; with
        `in_a_row` those of `match` at the end of the match before, as long as there is one. Raises `TooMany` behind
        `limit` steps."""
        self.steps, self._limit = 0, limit
        codes = list(text) if isinstance(text, bytes) else list(map(ord, text))
        found: list[tuple[int, int]] = []
        at, last_empty = 0, -1
        while at <= len(codes):
            end = self._run(self._code, codes, at, 0, {}, must_move=at == last_empty)
            if end is None:
                if in_a_row:
                    break
                at += 1
                continue
            found.append((at, end))
            last_empty = end if end == at else -1  # the next may begin here, too, if it is not empty
            at = end
        return self.steps, found

    def match(self, text: str | bytes, *, full: bool = False, limit: int = 10**9) -> tuple[int, tuple[int, int] | None]:
        """The steps of `match` or `fullmatch`, and where the match is."""
        self.steps, self._limit = 0, limit
        codes = list(text) if isinstance(text, bytes) else list(map(ord, text))
        end = self._run(self._code, codes, 0, 0, {}, full=full)
        return self.steps, None if end is None else (0, end)

    def _run(
        self,
        code: list[tuple[Any, ...]],
        codes: list[int],
        at: int,
        pc: int,
        state: dict[Any, Any],
        *,
        full: bool = False,
        must_move: bool = False,
    ) -> int | None:
        stack: list[tuple[int, int, dict[Any, Any]]] = []
        start = at
        size = len(codes)
        steps = self.steps
        limit = self._limit
        while True:
            steps += 1
            if steps > limit:
                raise TooMany
            instruction = code[pc]
            kind = instruction[0]
            if kind == _CHAR:
                if at < size and instruction[1](codes[at]):
                    at += 1
                    pc += 1
                    continue
            elif kind == _SPLIT:
                stack.append((instruction[2], at, state))
                pc = instruction[1]
                continue
            elif kind == _JUMP:
                pc = instruction[1]
                continue
            elif kind == _MARK:
                state = {**state, instruction[1]: at}
                pc += 1
                continue
            elif kind == _SAME:  # a round that took nothing is the last
                pc = instruction[2] if state[instruction[1]] == at else pc + 1
                continue
            elif kind == _SAVE:
                group, is_end = instruction[1:]
                before = state.get(("from", group), at)
                key: Any = group if is_end else ("from", group)
                state = {**state, key: (before, at) if is_end else at}
                pc += 1
                continue
            elif kind == _AT:
                if self._is_at(instruction[1], instruction[2], codes, at):
                    pc += 1
                    continue
            elif kind == _GROUP:
                span = state.get(instruction[1])
                if span is not None:
                    wanted = codes[span[0] : span[1]]
                    got = codes[at : at + len(wanted)]
                    steps += len(wanted)
                    if wanted == got or (
                        instruction[2] & re.IGNORECASE
                        and len(got) == len(wanted)
                        and all(chr(a).lower() == chr(b).lower() for a, b in zip(wanted, got, strict=True))
                    ):
                        at += len(wanted)
                        pc += 1
                        continue
            elif kind == _IF:
                pc = pc + 1 if instruction[1] in state else instruction[2]
                continue
            elif kind == _LOOK:
                wanted_there, inner, width = instruction[1:]
                self.steps = steps
                begin = at - width
                end = self._run(inner, codes, begin, 0, state) if begin >= 0 else None
                steps = self.steps
                if (end is not None) == wanted_there:
                    pc += 1
                    continue
            elif kind == _ATOMIC:
                self.steps = steps
                end = self._run(instruction[1], codes, at, 0, state)
                steps = self.steps
                if end is not None:
                    state = {**state, **self._left} if self._left else state
                    at = end
                    pc += 1
                    continue
            elif kind == _MATCH and not (full and at < size) and not (must_move and at == start):
                self.steps = steps
                self._left = state
                return at
            if not stack:
                self.steps = steps
                return None
            pc, at, state = stack.pop()

    def _is_at(self, where: Any, flags: int, codes: list[int], at: int) -> bool:
        size = len(codes)
        if where is _constants.AT_BEGINNING:
            return at == 0 or bool(flags & re.MULTILINE and codes[at - 1] == 10)
        if where is _constants.AT_BEGINNING_STRING:
            return at == 0
        if where is _constants.AT_END:
            if at == size or (at == size - 1 and codes[at] == 10):
                return True
            return bool(flags & re.MULTILINE and codes[at] == 10)
        if where is _constants.AT_END_STRING:
            return at == size
        is_word = self._category(_constants.CATEGORY_WORD, flags)
        before = at > 0 and is_word(codes[at - 1])
        after = at < size and is_word(codes[at])
        return (before != after) == (where is _constants.AT_BOUNDARY)

    # --- compiling ----------------------------------------------------------------------------------------------------

    def _sequence(self, code: list[tuple[Any, ...]], items: Any, flags: int) -> None:
        for kind, value in items:
            self._item(code, kind, value, flags)

    def _item(self, code: list[tuple[Any, ...]], kind: Any, value: Any, flags: int) -> None:
        c = _constants
        if kind in (c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN):
            code.append((_CHAR, self._test(kind, value, flags)))
        elif kind is c.BRANCH:
            self._branch(code, value[1], flags)
        elif kind is c.SUBPATTERN:
            group, add, remove, inner = value
            if group is not None:
                code.append((_SAVE, group, False))
            self._sequence(code, inner, (flags | add) & ~remove)
            if group is not None:
                code.append((_SAVE, group, True))
        elif kind in (c.MAX_REPEAT, c.MIN_REPEAT):
            self._repeat(code, *value, flags, is_greedy=kind is c.MAX_REPEAT)
        elif kind is c.POSSESSIVE_REPEAT:
            inner: list[tuple[Any, ...]] = []
            self._repeat(inner, *value, flags, is_greedy=True, is_possessive=True)
            code.append((_ATOMIC, [*inner, (_MATCH,)]))
        elif kind is c.ATOMIC_GROUP:
            code.append((_ATOMIC, self._inner(value, flags)))
        elif kind in (c.ASSERT, c.ASSERT_NOT):
            direction, tree = value
            width = tree.getwidth()[0] if direction < 0 else 0
            code.append((_LOOK, kind is c.ASSERT, self._inner(tree, flags), width))
        elif kind is c.AT:
            code.append((_AT, value, flags))
        elif kind is c.GROUPREF:
            code.append((_GROUP, value, flags))
        elif kind is c.GROUPREF_EXISTS:
            group, yes, no = value
            at = len(code)
            code.append(())
            self._sequence(code, yes, flags)
            jump = len(code)
            code.append(())
            code[at] = (_IF, group, len(code))
            self._sequence(code, no or [], flags)
            code[jump] = (_JUMP, len(code))
        else:
            raise NotImplementedError(kind)

    def _inner(self, items: Any, flags: int) -> list[tuple[Any, ...]]:
        code: list[tuple[Any, ...]] = []
        self._sequence(code, items, flags)
        return [*code, (_MATCH,)]

    def _branch(self, code: list[tuple[Any, ...]], branches: Any, flags: int) -> None:
        jumps = []
        for number, branch in enumerate(branches):
            if number < len(branches) - 1:
                split = len(code)
                code.append(())
                self._sequence(code, branch, flags)
                jumps.append(len(code))
                code.append(())
                code[split] = (_SPLIT, split + 1, len(code))
            else:
                self._sequence(code, branch, flags)
        for jump in jumps:
            code[jump] = (_JUMP, len(code))

    def _repeat(
        self, code: list[tuple[Any, ...]], least: Any, most: Any, tree: Any, flags: int, *, is_greedy: bool, is_possessive: bool = False
    ) -> None:  # fmt: skip
        def body() -> None:
            if is_possessive:
                code.append((_ATOMIC, self._inner(tree, flags)))
            else:
                self._sequence(code, tree, flags)

        for _ in range(int(least)):
            body()
        is_empty = tree.getwidth()[0] == 0
        if most == _constants.MAXREPEAT or most > _MANY:
            split = len(code)
            code.append(())
            mark = ("mark", self._marks)
            self._marks += 1
            if is_empty:
                code.append((_MARK, mark))
            body()
            if is_empty:
                code.append((_SAME, mark, len(code) + 2))
            code.append((_JUMP, split))
            code[split] = (_SPLIT, split + 1, len(code)) if is_greedy else (_SPLIT, len(code), split + 1)
        else:
            splits = []
            for _ in range(int(most) - int(least)):
                splits.append(len(code))
                code.append(())
                body()
            for split in splits:
                code[split] = (_SPLIT, split + 1, len(code)) if is_greedy else (_SPLIT, len(code), split + 1)

    # --- characters ---------------------------------------------------------------------------------------------------

    def _test(self, kind: Any, value: Any, flags: int) -> Test:
        c = _constants
        if kind is c.ANY:
            return (lambda code: True) if flags & re.DOTALL else (lambda code: code != 10)
        items = value if kind is c.IN else [(c.LITERAL, value)]
        key = (kind is c.NOT_LITERAL, repr(items), flags & (re.IGNORECASE | re.ASCII | re.UNICODE))
        if key not in self._sets:
            plain = self._set(items, flags, negate=kind is c.NOT_LITERAL)
            self._sets[key] = _remembered(plain)
        return self._sets[key]

    def _set(self, items: Any, flags: int, *, negate: bool) -> Test:
        c = _constants
        if items and items[0][0] is c.NEGATE:
            return self._set(items[1:], flags, negate=True)
        tests: list[Test] = []
        for kind, value in items:
            if kind is c.LITERAL:
                tests.append(lambda code, value=value: code == value)  # type: ignore[misc]
            elif kind is c.RANGE:
                tests.append(lambda code, value=value: value[0] <= code <= value[1])  # type: ignore[misc]
            elif kind is c.CATEGORY:
                tests.append(self._category(value, flags))
            else:
                raise NotImplementedError(kind)
        if flags & re.IGNORECASE:
            return lambda code: any(test(each) for each in self._cases(code, flags) for test in tests) is not negate
        return lambda code: any(test(code) for test in tests) is not negate

    def _cases(self, code: int, flags: int) -> set[int]:
        if self.is_bytes or flags & re.ASCII:
            letter = chr(code)
            return {code} if code > 127 else {code, ord(letter.lower()), ord(letter.upper())}
        letter = chr(code)
        cases = {code, *(ord(each) for each in (letter.lower(), letter.upper()) if len(each) == 1)}
        return cases | {other for each in cases for other in _casefix._EXTRA_CASES.get(each, ())}

    def _category(self, name: Any, flags: int) -> Test:
        text = str(name).removeprefix("CATEGORY_").lower()
        is_ascii = self.is_bytes or flags & re.ASCII
        negate = text.startswith("not_")
        kind = text.removeprefix("not_")

        def test(code: int) -> bool:
            letter = chr(code)
            if is_ascii and code > 127:
                return negate
            if kind == "digit":
                found = letter.isdecimal()
            elif kind == "space":
                found = letter.isspace() if not is_ascii else letter in " \t\n\r\f\v"
            else:
                found = letter.isalnum() or letter == "_"
            return found is not negate

        return test


def _remembered(test: Test) -> Test:
    known: dict[int, bool] = {}

    def answer(code: int) -> bool:
        found = known.get(code)
        if found is None:
            found = known[code] = test(code)
        return found

    return answer


# --- text that a pattern may stumble over -----------------------------------------------------------------------------

_SAMPLES = "a0_ -.=:;,/\\\"'`$<>(){}[]#@%&*!?|~+^\n\r\tZ\xe9\u0663\u2028"


def pieces(steps: Steps) -> Iterator[str]:
    """Short texts that parts of the pattern match, the whole of it last: each letter of it that something repeated
    takes, each branch, each repeated part, each pair of neighbours."""
    tests = [steps._test(kind, value, steps.flags) for tree in _parts(steps.tree) for kind, value in _repeated(tree)]
    yield from (chr(code) for code in _known(steps) if any(test(code) for test in tests))
    for tree in _parts(steps.tree):
        text = _example(tree, steps)
        if text:
            yield text
            if len(text) > 1:
                yield text[:-1]
                yield text[1:]


def led(steps: Steps) -> Iterator[tuple[str, str]]:
    """What each repeated part takes, behind what leads to it: an example of the part, and letters that it takes."""
    return _led(steps.tree, "", steps, [*_known(steps)])


def _led(items: Any, before: str, steps: Steps, known: Sequence[int]) -> Iterator[tuple[str, str]]:
    c = _constants
    for number, (kind, value) in enumerate(items):
        lead = before + _example(items[:number], steps)
        if kind in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
            yield lead, _example(value[2], steps)
            yield lead, _example(items[number : number + 2], steps)
            tests = [steps._test(*item, steps.flags) for item in _repeated(items[number : number + 1])]
            yield from ((lead, chr(code)) for code in known if any(test(code) for test in tests))
            yield from _led(value[2], lead, steps, known)
        elif kind is c.BRANCH:
            for branch in value[1]:
                yield from _led(branch, lead, steps, known)
        elif kind is c.SUBPATTERN:
            yield from _led(value[3], lead, steps, known)
        elif kind is c.ATOMIC_GROUP:
            yield from _led(value, lead, steps, known)
        elif kind in (c.ASSERT, c.ASSERT_NOT):
            yield from _led(value[1], lead, steps, known)


def _known(steps: Steps) -> list[int]:
    """The letters that the pattern speaks of, and some of each kind."""
    return sorted({value for tree in _parts(steps.tree) for value in _literals(tree)} | set(map(ord, " \n\ta0_.-")))


def _literals(items: Any) -> Iterator[int]:
    c = _constants
    for kind, value in items:
        if kind in (c.LITERAL, c.NOT_LITERAL):
            yield value
        elif kind is c.IN:
            yield from _literals(value)
        elif kind is c.RANGE:
            yield value[0]


def _repeated(items: Any) -> Iterator[tuple[Any, Any]]:
    """The sets of characters that are repeated, alone or among others."""
    c = _constants
    for kind, value in items:
        if kind in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
            for tree in _parts(value[2]):
                yield from ((inner, what) for inner, what in tree if inner in (c.NOT_LITERAL, c.ANY, c.IN))


def _parts(tree: Any) -> Iterator[Any]:
    c = _constants
    items = list(tree)
    for number, (kind, value) in enumerate(items):
        yield items[number : number + 1]
        yield items[: number + 1]
        yield items[number : number + 2]
        if kind is c.BRANCH:
            for branch in value[1]:
                yield from _parts(branch)
        elif kind is c.SUBPATTERN:
            yield from _parts(value[3])
        elif kind in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
            yield from _parts(value[2])
        elif kind is c.ATOMIC_GROUP:
            yield from _parts(value)
        elif kind in (c.ASSERT, c.ASSERT_NOT):
            yield from _parts(value[1])
    yield items


def _example(items: Any, steps: Steps, depth: int = 0) -> str:
    """A text that the items match, by and large: what looks around and refers back is not minded."""
    c = _constants
    out: list[str] = []
    for kind, value in items:
        if kind is c.LITERAL:
            out.append(chr(value))
        elif kind in (c.NOT_LITERAL, c.ANY, c.IN):
            test = steps._test(kind, value, steps.flags)
            out.append(next((letter for letter in _letters(kind, value) if test(ord(letter))), ""))
        elif kind is c.BRANCH:
            out.append(_example(value[1][0], steps, depth + 1))
        elif kind is c.SUBPATTERN:
            out.append(_example(value[3], steps, depth + 1))
        elif kind in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
            out.append(_example(value[2], steps, depth + 1) * max(1, min(int(value[0]), 400)))
        elif kind is c.ATOMIC_GROUP:
            out.append(_example(value, steps, depth + 1))
    return "".join(out)


def _letters(kind: Any, value: Any) -> Iterator[str]:
    if kind is _constants.IN:
        for item, what in value:
            if item is _constants.LITERAL:
                yield chr(what)
            elif item is _constants.RANGE:
                yield chr(what[0])
    yield from _SAMPLES
