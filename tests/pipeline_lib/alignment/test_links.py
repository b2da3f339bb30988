"""Word links from a plan's shares."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.sparse import csr_array

from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.hmm import JUMPS
from pipeline_lib.alignment.lexical import Channel, Translation
from pipeline_lib.alignment.links import LinkConfig, Links, Odds, agreement, links_of, odds
from pipeline_lib.alignment.views import LocalTypes

SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=6)


@st.composite
def evidence(draw: st.DrawFn) -> tuple[Floats, Odds, Odds]:
    rows, columns = draw(SHAPES)

    def within(*shape: int) -> Floats:
        found: Floats = draw(arrays(np.float64, shape, elements=st.floats(0, 1)))
        return found

    return within(rows, columns), Odds(within(columns, rows), within(columns)), Odds(within(rows, columns), within(rows))


def linked(shares: Floats, config: LinkConfig | None = None) -> Links:
    """Links of shares alone: every translation is as likely as any other."""
    rows, columns = shares.shape
    ahead, back = Odds(np.ones((columns, rows)), np.ones(columns)), Odds(np.ones((rows, columns)), np.ones(rows))
    return links_of(shares, ahead, back, config or LinkConfig())


@settings(deadline=None)  # the first example compiles
@given(found=evidence())
def test_swapping_the_sides_transposes_the_links(found: tuple[Floats, Odds, Odds]) -> None:
    shares, ahead, back = found
    forward, backward = agreement(shares, ahead, back, LinkConfig()), agreement(shares.T, back, ahead, LinkConfig())
    np.testing.assert_allclose(backward, forward.T, atol=1e-12)


@settings(deadline=None)  # the first example compiles
@given(found=evidence())
def test_agreement_is_a_probability(found: tuple[Floats, Odds, Odds]) -> None:
    agreed = agreement(*found, LinkConfig())
    assert agreed.shape == found[0].shape
    assert (agreed >= 0).all() and (agreed <= 1 + 1e-9).all()


@settings(deadline=None)  # the first example compiles
@given(found=evidence())
def test_a_higher_threshold_links_no_other_pair(found: tuple[Floats, Odds, Odds]) -> None:
    assert links_of(*found, LinkConfig(threshold=0.6)) <= links_of(*found, LinkConfig(threshold=0.3))


@settings(deadline=None)
@given(order=st.permutations(range(5)))
def test_a_plan_without_doubt_is_linked_as_it_is(order: list[int]) -> None:
    shares = np.zeros((5, 5))
    shares[np.arange(5), order] = 1.0
    assert linked(shares) == frozenset(enumerate(order))


def test_neighbours_decide_between_two_that_look_alike() -> None:
    """The same word twice: the plan cannot tell the two apart, the words around them can."""
    shares = np.array([[0.9, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 0.5], [0.0, 0.0, 0.9, 0.0], [0.0, 0.5, 0.0, 0.5]])
    assert linked(shares) == {(0, 0), (1, 1), (2, 2), (3, 3)}
    assert linked(shares, LinkConfig(decay=0.0)) == {(0, 0), (2, 2), (1, 1), (1, 3), (3, 1), (3, 3)}


def test_translation_probabilities_decide_where_the_plan_does_not() -> None:
    shares, crossed = np.full((2, 2), 0.5), np.array([[0.001, 0.9], [0.9, 0.001]])
    ahead = back = Odds(crossed, np.full(2, 0.01))
    assert links_of(shares, ahead, back, LinkConfig(decay=0.0)) == {(0, 1), (1, 0)}
    assert links_of(shares, ahead, back, LinkConfig(decay=0.0, lexical=0.0)) == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_a_unit_without_counterpart_stays_unlinked() -> None:
    assert linked(np.array([[0.9, 0.0, 0.0], [0.0, 0.0, 0.9]])) == {(0, 0), (1, 2)}


def test_two_units_may_share_a_counterpart() -> None:
    assert linked(np.array([[0.7, 0.0], [0.7, 0.0], [0.0, 1.0]])) == {(0, 0), (1, 0), (2, 1)}


def test_shares_without_mass_give_no_link() -> None:
    assert linked(np.zeros((3, 2))) == frozenset()


def test_odds_are_those_of_the_units_types_and_0_where_one_was_never_fitted() -> None:
    table = csr_array(np.array([[0.7, 0.2], [0.0, 0.5]]))
    channel = Channel(table, np.array([0.6, 0.4]), np.full(JUMPS, 1 / JUMPS))
    source = LocalTypes(["a", "?"], np.array([0, -1], dtype=np.int32), np.array([1, 0], dtype=np.int32))
    target = LocalTypes(["x", "y"], np.array([0, 1], dtype=np.int32), np.array([1, 0, 1], dtype=np.int32))
    ahead, back = odds(source, target, Translation(channel, channel))
    assert ahead.pairs.tolist() == [[0.0, 0.2], [0.0, 0.7], [0.0, 0.2]]
    assert ahead.empty.tolist() == [0.4, 0.6, 0.4]
    assert back.pairs.tolist() == [[0.0, 0.0, 0.0], [0.0, 0.7, 0.0]]
    assert back.empty.tolist() == [0.0, 0.6]


@pytest.mark.parametrize("setting", [{"threshold": 0.0}, {"threshold": 1.0}, {"sharpness": 0.0}, {"empty": -1.0}, {"decay": -0.1}])
def test_settings_out_of_range_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        LinkConfig(**setting)
