import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.encoding.windows import windows


@st.composite
def rooms(draw: st.DrawFn) -> tuple[int, int, int]:
    at_most = draw(st.integers(2, 60))
    return draw(st.integers(0, 400)), at_most, draw(st.integers(0, at_most - 1))


@given(rooms())
def test_windows_cover_every_piece_share_enough_and_are_no_longer_than_allowed(room: tuple[int, int, int]) -> None:
    pieces, at_most, overlap = room
    found = windows(*room)
    assert found.length <= at_most
    assert sorted(set(found.pieces.ravel().tolist())) == list(range(pieces))
    steps = np.diff(found.starts)
    assert (steps > 0).all() and (found.length - steps >= overlap).all()


@given(rooms())
def test_the_shares_of_a_piece_sum_to_one(room: tuple[int, int, int]) -> None:
    found = windows(*room)
    sums = np.bincount(found.pieces.ravel(), found.weights().ravel(), minlength=room[0])
    assert sums == pytest.approx(np.ones(room[0]), abs=1e-5)
    assert (found.weights() > 0).all()


def test_a_short_text_is_one_window_and_counts_fully() -> None:
    found = windows(7, 10, 3)
    assert (found.starts.tolist(), found.length) == ([0], 7)
    assert found.weights().tolist() == [[1.0] * 7]


def test_windows_are_of_one_length_so_that_little_is_read_twice() -> None:
    found = windows(600, 510, 128)
    assert (found.starts.tolist(), found.length) == ([0, 236], 364)


def test_a_piece_in_two_windows_is_taken_from_the_one_in_whose_middle_it_stands() -> None:
    shares = windows(16, 10, 4).weights()
    assert shares[0, 6:].tolist() == pytest.approx([4 / 5, 3 / 5, 2 / 5, 1 / 5])
    assert shares[1, :4].tolist() == pytest.approx([1 / 5, 2 / 5, 3 / 5, 4 / 5])


def test_an_overlap_as_wide_as_a_window_is_an_error() -> None:
    with pytest.raises(ValueError, match="no smaller than a window of 8"):
        windows(9, 8, 8)
