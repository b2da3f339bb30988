"""Word links from a plan's shares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.links import LinkConfig, agreement, links_of

SHARES = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(0, 1))


@given(shares=SHARES)
def test_swapping_the_sides_transposes_the_links(shares: Floats) -> None:
    np.testing.assert_allclose(agreement(shares.T, LinkConfig()), agreement(shares, LinkConfig()).T, atol=1e-12)


@given(shares=SHARES)
def test_agreement_is_a_probability(shares: Floats) -> None:
    found = agreement(shares, LinkConfig())
    assert found.shape == shares.shape
    assert (found >= 0).all() and (found <= 1 + 1e-9).all()


@given(shares=SHARES)
def test_a_higher_threshold_links_no_other_pair(shares: Floats) -> None:
    assert links_of(shares, LinkConfig(threshold=0.6)) <= links_of(shares, LinkConfig(threshold=0.3))


@given(order=st.permutations(range(5)))
def test_a_plan_without_doubt_is_linked_as_it_is(order: list[int]) -> None:
    shares = np.zeros((5, 5))
    shares[np.arange(5), order] = 1.0
    assert links_of(shares, LinkConfig()) == frozenset(enumerate(order))


def test_neighbours_decide_between_two_that_look_alike() -> None:
    """The same word twice: the plan cannot tell the two apart, the words around them can."""
    shares = np.array([[0.9, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 0.5], [0.0, 0.0, 0.9, 0.0], [0.0, 0.5, 0.0, 0.5]])
    assert links_of(shares, LinkConfig()) == {(0, 0), (1, 1), (2, 2), (3, 3)}
    assert links_of(shares, LinkConfig(decay=0.0)) == {(0, 0), (2, 2), (1, 1), (1, 3), (3, 1), (3, 3)}


def test_a_unit_without_counterpart_stays_unlinked() -> None:
    assert links_of(np.array([[0.9, 0.0, 0.0], [0.0, 0.0, 0.9]]), LinkConfig()) == {(0, 0), (1, 2)}


def test_two_units_may_share_a_counterpart() -> None:
    assert links_of(np.array([[0.7, 0.0], [0.7, 0.0], [0.0, 1.0]]), LinkConfig()) == {(0, 0), (1, 0), (2, 1)}


def test_shares_without_mass_give_no_link() -> None:
    assert links_of(np.zeros((3, 2)), LinkConfig()) == frozenset()


@pytest.mark.parametrize("setting", [{"threshold": 0.0}, {"threshold": 1.0}, {"sharpness": 0.0}, {"empty": -1.0}, {"decay": -0.1}])
def test_settings_out_of_range_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        LinkConfig(**setting)
