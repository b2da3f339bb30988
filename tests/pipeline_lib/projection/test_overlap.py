import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.alignment.band import Floats
from pipeline_lib.projection.overlap import expected_overlap

Place = tuple[int, int]
PLACES = st.tuples(st.integers(0, 9), st.integers(0, 4)).map(lambda place: (place[0], place[0] + place[1]))
MENTIONS = st.lists(st.lists(st.tuples(PLACES, st.integers(0, 8).map(lambda share: share / 8)), min_size=1, max_size=5), max_size=4)


def overlaps(mentions: list[list[tuple[Place, float]]]) -> Floats:
    flat = [candidate for mention in mentions for candidate in mention]
    first, last = (np.array([place[end] for place, _ in flat], dtype=np.int32) for end in (0, 1))
    bounds = np.cumsum([0, *map(len, mentions)])
    return expected_overlap(first, last, np.array([likely for _, likely in flat]), bounds)


def dice(one: Place, other: Place) -> float:
    ours, theirs = (set(range(first, last + 1)) for first, last in (one, other))
    return 2 * len(ours & theirs) / (len(ours) + len(theirs))


@given(MENTIONS)
def test_it_is_the_mean_dice_with_the_mentions_own_candidates_by_their_probabilities(mentions: list[list[tuple[Place, float]]]) -> None:
    expected = [sum(dice(place, other) * likely for other, likely in mention) for mention in mentions for place, _ in mention]
    assert overlaps(mentions) == pytest.approx(np.array(expected))


def test_of_two_edges_that_divide_the_probability_the_span_between_holds_most() -> None:
    short, middle, long = overlaps([[((0, 0), 0.4), ((0, 1), 0.2), ((0, 2), 0.4)]])
    assert middle > max(short, long)
