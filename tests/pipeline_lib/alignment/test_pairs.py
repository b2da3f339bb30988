"""Numbering the pairs of types that meet, against a plain restatement."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_lib.alignment.pairs import locate, meeting_pairs, normalise

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


def test_rows_are_divided_by_their_sums() -> None:
    counts = np.array([1.0, 3.0, 5.0])
    normalise(counts, np.array([0, 2, 2, 3]))
    assert counts.tolist() == [0.25, 0.75, 1.0]
