import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_lib.projection.offsets import characters, merge
from tests.pipeline_lib.projection.pairs import grid

PROSE = st.text(alphabet="abcé1.,-  \n(😀\u0301\u00ad", min_size=1, max_size=40).filter(str.strip)


def parts_a_mark(text: str, place: int) -> bool:
    return place < len(text) and unicodedata.category(text[place]).startswith("M")


@settings(max_examples=300, deadline=None)
@given(PROSE, PROSE, st.data())
def test_whatever_units_a_mention_goes_to_its_offsets_lie_in_them_and_part_no_mark(source: str, target: str, data: st.DataObject) -> None:
    ours, theirs = grid(source), grid(target)
    start = data.draw(st.integers(0, len(source) - 1))
    end = data.draw(st.integers(start + 1, len(source)))
    units = ours.units_of(start, end)
    if not units:
        return
    first = data.draw(st.integers(0, len(theirs.starts) - 1))
    last = data.draw(st.integers(first, len(theirs.starts) - 1))
    low, high = characters(units, (first, last), start, end, ours, theirs)
    assert theirs.starts[first] <= low < high <= theirs.ends[last]
    assert target[low:high].strip() == target[low:high]
    assert low in theirs.starts or not parts_a_mark(target, low)
    assert high in theirs.ends or not parts_a_mark(target, high)


@pytest.mark.parametrize(
    ("source", "target", "mention", "expected"),
    [
        ("hipertension", "hipertensione", "tension", "tensione"),
        ("hipertension", "hypertension", "tension", "hypertension"),
        ("neurotoxico", "neurotoxico", "neuro", "neuro"),
        ("neurotoxico", "aneurotoxico", "neuro", "aneuro"),
        ("neurotoxico", "neurotoxic", "neuro", "neurotoxic"),
        ("xAx", "xx", "A", "xx"),
        ("abcd", "ab cd", "cd", "cd"),
        ("abcd", "ab cd", "ab", "ab"),
        ("abXcd", "ab cd", "X", "ab cd"),
        ("cefalea", "ce\u0301falea", "falea", "ce\u0301falea"),
    ],
)
def test_a_mention_that_cuts_a_word_cuts_its_translation_where_both_share_the_rest(
    source: str, target: str, mention: str, expected: str
) -> None:
    ours, theirs = grid(source), grid(target)
    start = source.index(mention)
    end = start + len(mention)
    low, high = characters(ours.units_of(start, end), (0, len(theirs.starts) - 1), start, end, ours, theirs)
    assert target[low:high] == expected


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([(0, 2, 0, 0), (6, 8, 2, 2)], [(0, 2), (6, 8)]),
        ([(0, 2, 0, 0), (3, 5, 1, 1)], [(0, 5)]),
        ([(0, 2, 0, 0), (3, 5, 1, 1), (6, 8, 2, 2)], [(0, 8)]),
        ([(0, 5, 0, 1), (3, 8, 1, 2)], [(0, 8)]),
        ([(0, 8, 0, 2), (3, 5, 1, 1), (9, 11, 3, 3)], [(0, 11)]),
        ([(4, 5, 1, 1), (3, 4, 1, 1)], [(3, 5)]),
        ([], []),
    ],
)
def test_pieces_whose_units_touch_or_overlap_are_joined(pieces: list[tuple[int, int, int, int]], expected: list[tuple[int, int]]) -> None:
    assert merge(pieces) == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), max_size=6))
def test_joined_pieces_cover_the_same_units_and_leave_one_between_any_two(runs: list[tuple[int, int]]) -> None:
    pieces = sorted((2 * first, 2 * (first + more) + 1, first, first + more) for first, more in runs)
    joined = [(start // 2, (end - 1) // 2) for start, end in merge(pieces)]
    covered = {unit for _, _, first, last in pieces for unit in range(first, last + 1)}
    assert {unit for first, last in joined for unit in range(first, last + 1)} == covered
    assert all(before[1] + 1 < after[0] for before, after in pairwise(joined))
