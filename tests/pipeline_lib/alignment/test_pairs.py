"""Numbering the pairs of types that meet, against a plain restatement."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_lib.alignment.pairs import count_meetings, locate, meeting_pairs, narrowed, normalise

TYPES = 6
SENTENCE = st.lists(st.integers(0, TYPES - 1), max_size=5)
Groups = list[tuple[list[int], list[int]]]


def flat(groups: Groups) -> tuple[np.ndarray, ...]:
    """As ``meeting_pairs`` takes them: both sides' types, and where each group begins."""
    sides = [[kind for group in groups for kind in group[side]] for side in (0, 1)]
    edges = [np.cumsum([0, *(len(group[side]) for group in groups)]).astype(np.int64) for side in (0, 1)]
    return (*(np.array(side, dtype=np.int32) for side in sides), *edges)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(SENTENCE, SENTENCE), min_size=1, max_size=6))
def test_every_pair_that_meets_is_there_once_in_order(groups: Groups) -> None:
    indptr, indices = meeting_pairs(flat(groups), TYPES, TYPES)
    found = [(kind, int(other)) for kind in range(TYPES) for other in indices[indptr[kind] : indptr[kind + 1]]]
    assert found == sorted({(s, t) for source, target in groups for s in source for t in target})


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(SENTENCE, SENTENCE), min_size=1, max_size=6))
def test_every_cell_finds_its_own_pair(groups: Groups) -> None:
    text = flat(groups)
    pairs = meeting_pairs(text, TYPES, TYPES)
    for number, (source, target) in enumerate(groups):
        cells = locate(text, number, pairs)
        assert cells.shape == (len(target), len(source))
        for j, i in np.ndindex(*cells.shape):
            row = int(np.searchsorted(pairs[0], cells[j, i], side="right")) - 1
            assert (row, pairs[1][cells[j, i]]) == (source[i], target[j])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, TYPES - 1), st.integers(0, 8), st.integers(0, 8)), max_size=8), SENTENCE.filter(len))
def test_meetings_are_counted_over_every_units_interval(units: list[tuple[int, int, int]], target: list[int]) -> None:
    source, low, high = (np.array([unit[part] for unit in units], dtype=np.int32) for part in range(3))
    high = np.minimum(high, len(target))
    indptr, indices, counts = count_meetings(source, np.array(target, dtype=np.int32), low, high, TYPES, TYPES)
    rows = np.repeat(np.arange(TYPES), np.diff(indptr)).tolist()
    expected = Counter((s, t) for s, a, b in zip(source.tolist(), low, high, strict=True) for t in target[a:b])
    assert list(zip(rows, indices.tolist(), counts.tolist(), strict=True)) == [(*pair, number) for pair, number in sorted(expected.items())]


def test_row_starts_are_narrow_where_they_fit() -> None:
    for last, width in ((2**31 - 1, np.int32), (2**31, np.int64)):
        starts = narrowed(np.array([0, last]))
        assert starts.dtype == width and starts.tolist() == [0, last]


def test_rows_are_divided_by_their_sums() -> None:
    counts = np.array([1.0, 3.0, 5.0])
    normalise(counts, np.array([0, 2, 2, 3]))
    assert counts.tolist() == [0.25, 0.75, 1.0]
