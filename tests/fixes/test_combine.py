"""Which fixes go together, and what they make of the files."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from prodlint.findings import Applicability, Edit, Finding, Fix, ImportRequest, Location
from prodlint.fixes.combine import combine, resolve
from prodlint.fixes.text import BOM, Text, edited


def candidate(*edits: Edit, imports: tuple[ImportRequest, ...] = (), rule: str = "r") -> tuple[Finding, Fix]:
    path = edits[0].path if edits else imports[0].path
    start = edits[0].start if edits else 0
    return Finding(rule, "m", Location(path, start, start + 1)), Fix("t", Applicability.SAFE, edits, imports)


def composed(source: bytes, *candidates: tuple[Finding, Fix]) -> tuple[bytes, list[int], list[int]]:
    result = combine(candidates, lambda path: source)
    content = result.texts["a.py"].content if "a.py" in result.texts else source
    return (
        content,
        [candidates.index(one) for one in result.taken],
        [candidates.index(one) for one in result.postponed],
    )


def test_fixes_that_do_not_touch_are_made_together():
    first, second = candidate(Edit("a.py", 0, 1, "A")), candidate(Edit("a.py", 4, 5, "E"))
    assert composed(b"abcde", second, first) == (b"AbcdE", [0, 1], [])


def test_of_two_overlapping_fixes_the_later_one_waits():
    first, second = candidate(Edit("a.py", 0, 3, "X")), candidate(Edit("a.py", 2, 4, "Y"))
    assert composed(b"abcde", first, second) == (b"Xde", [0], [1])


def test_replacements_side_by_side_do_not_touch():
    first, second = candidate(Edit("a.py", 0, 2, "")), candidate(Edit("a.py", 2, 4, ""))
    assert composed(b"abcde", first, second) == (b"e", [0, 1], [])


def test_an_insert_at_the_border_of_another_edit_touches_it():
    replaced = candidate(Edit("a.py", 1, 3, "X"))
    for offset in (1, 2, 3):
        assert composed(b"abcde", replaced, candidate(Edit("a.py", offset, offset, "Y")))[2] == [1]
    for offset in (0, 4):
        assert composed(b"abcde", replaced, candidate(Edit("a.py", offset, offset, "Y")))[2] == []


def test_identical_edits_of_two_fixes_are_made_once():
    both = Edit("a.py", 0, 0, "async ")
    first, second = candidate(both, Edit("a.py", 3, 3, "1")), candidate(both, Edit("a.py", 5, 5, "2"))
    assert composed(b"abcde", first, second) == (b"async abc1de2", [0, 1], [])


def test_identical_edits_of_one_fix_are_made_as_often_as_it_says():
    closing = Edit("a.py", 5, 5, ")")
    assert composed(b"abcde", candidate(closing, closing))[0] == b"abcde))"


def test_a_fix_over_two_files_waits_as_a_whole():
    first = candidate(Edit("b.py", 0, 1, "X"))
    second = candidate(Edit("a.py", 0, 1, "Y"), Edit("b.py", 0, 2, "Z"))
    result = combine([first, second], lambda path: b"abcde")
    assert result.postponed == [second]
    assert list(result.texts) == ["b.py"]


def test_a_fix_whose_own_edits_overlap_is_refused_and_the_rest_goes_on():
    broken = candidate(Edit("a.py", 0, 3, "X"), Edit("a.py", 1, 2, "Y"))
    sound = candidate(Edit("a.py", 4, 5, "E"))
    result = combine([broken, sound], lambda path: b"abcde")
    assert result.refused == [(broken, "edits overlap in a.py")]
    assert result.taken == [sound]
    assert result.texts["a.py"].content == b"abcdE"


def test_a_fix_outside_the_file_is_refused():
    outside = candidate(Edit("a.py", 4, 9, "X"))
    assert combine([outside], lambda path: b"abcde").refused == [(outside, "an edit lies outside a.py")]


def test_imports_are_merged_and_realised_once():
    source = b"import os\n\nfoo()\nbar()\n"
    wanted = ImportRequest("a.py", "asyncio")
    first = candidate(Edit("a.py", 11, 14, "baz"), imports=(wanted,))
    second = candidate(Edit("a.py", 17, 20, "qux"), imports=(wanted, ImportRequest("a.py", "time", "sleep")))
    assert composed(source, first, second)[0] == (
        b"import asyncio\nimport os\nfrom time import sleep\n\nbaz()\nqux()\n"
    )


def test_an_import_that_finds_no_place_refuses_only_its_fix():
    source = b"from elsewhere import asyncio\n\nfoo()\nbar()\n"
    first = candidate(Edit("a.py", 31, 34, "baz"), imports=(ImportRequest("a.py", "asyncio"),))
    second = candidate(Edit("a.py", 37, 40, "qux"))
    result = combine([first, second], lambda path: source)
    assert result.refused == [(first, "no import of asyncio can be added to a.py")]
    assert result.texts["a.py"].content == b"from elsewhere import asyncio\n\nfoo()\nqux()\n"


def test_imports_that_exclude_each_other_leave_one_fix_for_later():
    first = candidate(imports=(ImportRequest("a.py", "one", "log"),))
    second = candidate(imports=(ImportRequest("a.py", "two", "log"),))
    result = combine([first, second], lambda path: b"x\n")
    assert (result.taken, result.postponed) == ([first], [second])
    assert result.texts["a.py"].content == b"from one import log\n\nx\n"


def test_resolve_gives_a_fix_with_its_imports_as_edits_of_the_present_bytes():
    source = "# é\nimport os\n\nfoo()\n".encode()
    start = source.index(b"foo")
    _, fix = candidate(Edit("a.py", start, start + 3, "bar"), imports=(ImportRequest("a.py", "asyncio"),))
    edits = resolve(fix, lambda path: source)
    assert edits == (Edit("a.py", 5, 5, "import asyncio\n"), Edit("a.py", start, start + 3, "bar"))
    assert edited(source, edits) == "# é\nimport asyncio\nimport os\n\nbar()\n".encode()


def test_resolve_says_why_a_fix_cannot_be_made():
    _, fix = candidate(Edit("a.py", 4, 9, "X"))
    assert resolve(fix, lambda path: b"abcde") == "an edit lies outside a.py"


def test_offsets_are_followed_back_through_edits():
    text = Text(b"one two three")
    text.apply([Edit("a", 0, 0, "zero "), Edit("a", 4, 7, "2")])
    assert text.content == b"zero one 2 three"
    origins = {word: text.origin(text.content.index(word)) for word in (b"zero", b"one", b"2", b"three")}
    assert origins == {b"zero": 0, b"one": 0, b"2": 4, b"three": 8}
    assert text.origin(len(text.content)) == 13


def test_bytes_that_are_not_utf8_survive_around_an_edit():
    assert edited(BOM + b"\xff a \xfe\r\n", [Edit("a", 5, 6, "é")]) == BOM + b"\xff " + "é".encode() + b" \xfe\r\n"


@st.composite
def sources_and_edits(draw: st.DrawFn) -> tuple[bytes, list[Edit]]:
    source = draw(st.binary(max_size=12))
    borders = sorted(draw(st.lists(st.integers(0, len(source)), min_size=2, max_size=6)))
    pairs = zip(borders[::2], borders[1::2], strict=False)
    return source, [Edit("a", start, end, draw(st.text("xyé", max_size=3))) for start, end in pairs]


def apply_naively(source: bytes, edits: list[Edit]) -> bytes:
    out, position = b"", 0
    for edit in edits:
        out += source[position : edit.start] + edit.text.encode()
        position = edit.end
    return out + source[position:]


@given(sources_and_edits())
def test_text_applies_edits_as_they_are_defined(case: tuple[bytes, list[Edit]]):
    source, edits = case
    assert edited(source, edits) == apply_naively(source, edits)


@given(sources_and_edits(), st.data())
def test_edits_made_in_turn_are_one_list_of_edits_of_the_original(case: tuple[bytes, list[Edit]], data: st.DataObject):
    source, edits = case
    text = Text(source)
    text.apply(edits)
    middle = text.content
    places = st.integers(0, len(middle)).filter(lambda at: at == len(middle) or middle[at] & 0xC0 != 0x80)
    start, end = sorted([data.draw(places), data.draw(places)])
    text.apply([Edit("a", start, end, "Z")])
    assert text.content == middle[:start] + b"Z" + middle[end:]
    total = text.edits("a")
    assert apply_naively(source, list(total)) == text.content
    assert all(before.end <= after.start for before, after in pairwise(total))


@given(st.lists(sources_and_edits().map(lambda case: case[1]), max_size=4))
def test_taken_fixes_apply_whole_and_none_is_lost(lists: list[list[Edit]]):
    source = bytes(range(65, 77))
    candidates = [candidate(*(Edit("a.py", *edit[1:]) for edit in edits)) for edits in lists if edits]
    result = combine(candidates, lambda path: source)
    parts = [*result.taken, *result.postponed, *(one for one, _ in result.refused)]
    assert Counter(map(id, parts)) == Counter(map(id, candidates))
    wanted = sorted({edit for _, fix in result.taken for edit in fix.edits}, key=lambda edit: (edit.start, edit.end))
    if result.taken:
        text = result.texts["a.py"].content.decode()
        assert all(edit.text in text for edit in wanted)


def test_what_two_fixes_set_up_in_different_places_is_set_up_once():
    made = "log = make()\n"
    first, second = (
        candidate(Edit("a.py", 0, 0, made), Edit("a.py", 3, 4, "X")),
        candidate(Edit("a.py", 2, 2, made), Edit("a.py", 5, 6, "Y")),
    )
    combination = combine([first, second], lambda path: b"abcdefgh")
    assert (combination.taken, combination.postponed) == ([first], [second])
    apart = candidate(Edit("a.py", 7, 7, ".catch(next)\n")), candidate(Edit("a.py", 1, 1, ".catch(next)\n"))
    assert combine([*apart], lambda path: b"abcdefgh").postponed == []
