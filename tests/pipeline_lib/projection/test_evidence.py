import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_lib.alignment.band import Band, BandConfig, Floats, band_around
from pipeline_lib.projection.evidence import SIGNALS, plan_signals, rows_of
from tests.pipeline_lib.projection.pairs import aligned, evidence_of, full_band, narrow_band

WORDS = "a b c d e f g h"


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 6), st.integers(1, 8), st.integers(0, 2**16), st.integers(1, 4), st.data())
def test_a_signal_is_summed_over_the_mentions_units_as_far_as_the_band_goes(
    n: int, m: int, seed: int, zero: int, data: st.DataObject
) -> None:
    random = np.random.default_rng(seed)
    band = band_around(random.uniform(-2, m + 2, n), m, BandConfig(full=0, zero=zero))
    dense = random.random((len(SIGNALS), n, m))
    pair = aligned(WORDS[: 2 * n], WORDS[: 2 * m], dense, band)
    first = data.draw(st.integers(0, n - 1))
    units = range(first, data.draw(st.integers(first + 1, n)))
    found = evidence_of(units, "DISEASE", pair)
    for name, matrix in zip(SIGNALS, dense, strict=True):
        expected = [sum(matrix[i, j] for i in units if band.low[i] <= j < band.high[i]) for j in range(m)]
        got: Floats = getattr(found, name)
        whole = np.zeros(m)
        whole[found.left : found.left + len(got)] = got
        assert whole == pytest.approx(np.array(expected))


def test_a_unit_that_the_mention_owns_whole_scores_one_by_every_signal() -> None:
    found = evidence_of(range(1, 3), "DISEASE", aligned("uno dos tres", "one two three", np.eye(3), narrow_band(3)))
    for name in SIGNALS:
        assert getattr(found, name).tolist() == [0.0, 1.0, 1.0][-len(found.share) :]


def test_a_mention_without_cells_has_no_evidence() -> None:
    nowhere = Band(np.array([1], dtype=np.int32), np.array([1], dtype=np.int32), 1)
    found = evidence_of(range(1), "DISEASE", aligned("uno", "one", [[1.0]], nowhere, support={"DISEASE": np.ones(1)}))
    assert [len(getattr(found, name)) for name in (*SIGNALS, "support")] == [0] * 6


@pytest.mark.parametrize(("label", "expected"), [("DISEASE", [0.0, 1.0]), ("SYMPTOM", [0.0, 0.0])])
def test_support_is_that_of_the_mentions_label_and_of_what_it_reaches(label: str, expected: list[float]) -> None:
    band = Band(np.array([1], dtype=np.int32), np.array([3], dtype=np.int32), 3)
    pair = aligned("uno", "a b c", [[1.0, 1.0, 1.0]], band, support={"DISEASE": np.array([1.0, 0.0, 1.0])})
    found = evidence_of(range(1), label, pair)
    assert (found.left, found.support.tolist()) == (1, expected)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**16), st.floats(0.01, 100))
def test_shares_are_those_of_the_plans_own_rows_and_columns_whatever_its_mass(n: int, m: int, seed: int, mass: float) -> None:
    random = np.random.default_rng(seed)
    plan = random.random((n, m)) * (random.random((n, m)) < 0.6)
    band = full_band(n, m)
    share, owned, kept = (band.dense(found) for found in plan_signals(mass * plan.ravel(), band, band))
    for i in range(n):
        for j in range(m):
            of_row = plan[i, j] / plan[i].sum() if plan[i, j] else 0.0
            of_column = plan[i, j] / plan[:, j].sum() if plan[i, j] else 0.0
            assert (kept[i, j], owned[i, j], share[i, j]) == pytest.approx((of_row, of_column, np.sqrt(of_row * of_column)))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**16), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=3))
def test_rows_of_mentions_have_the_signals_of_the_whole_plan_and_other_rows_no_cells(
    n: int, m: int, seed: int, mentions: list[tuple[int, int]]
) -> None:
    random = np.random.default_rng(seed)
    band = band_around(random.uniform(-2, m + 2, n), m, BandConfig(full=0, zero=3))
    plan = random.random(band.cells)
    inner = rows_of(np.array(mentions, dtype=np.int32).reshape(-1, 2), band)
    inside = np.array([any(first <= row < stop for first, stop in mentions) for row in range(n)])
    assert (inner.high - inner.low).tolist() == np.where(inside, band.high - band.low, 0).tolist()
    for some, every in zip(plan_signals(plan, band, inner), plan_signals(plan, band, band), strict=True):
        assert np.array_equal(inner.dense(some), band.dense(every) * inside[:, None])
