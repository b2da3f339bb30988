"""The dustbin, against POT on the problem that has it as one more row and column."""

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline_lib.alignment.band import Band, BandConfig, Floats, band_around, scaled_diagonal
from pipeline_lib.alignment.sinkhorn import SharpenConfig, marginals, sharpen

FORBIDDEN = 1e3


def problem(rows: int, columns: int, seed: int = 0) -> tuple[Floats, Band]:
    band = band_around(scaled_diagonal(rows, columns), columns, BandConfig(full=0, zero=9))
    return np.random.default_rng(seed).random(band.cells), band


def config(dustbin: float, reg: float = 0.05, iterations: int = 20) -> SharpenConfig:
    return SharpenConfig(reg=reg, iterations=iterations, marginal_power=1.0, dustbin=dustbin)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.floats(0.01, 1), st.sampled_from([0.01, 0.05, 0.3]), st.sampled_from([1, 2, 30]))
def test_the_plan_is_that_of_pot_with_one_more_row_and_column(rows: int, columns: int, dustbin: float, reg: float, times: int) -> None:
    cost, band = problem(rows, columns)
    covered = band.dense(np.ones(band.cells)) > 0
    if not (covered.any(axis=0).all() and covered.any(axis=1).all()):
        return
    larger = np.full((rows + 1, columns + 1), dustbin)
    larger[:-1, :-1] = band.dense(cost, outside=FORBIDDEN)
    masses = [np.append(np.full(size, 1 / size), 1.0) for size in (rows, columns)]
    expected = ot.sinkhorn(*masses, larger, reg, numItermax=times, stopThr=0, warn=False)[:-1, :-1]
    found = band.dense(sharpen(cost, band, config(dustbin, reg, times)).values)
    assert np.abs(rows * (found - expected)).max() < 1e-6


def test_what_has_no_counterpart_goes_to_the_dustbin_and_the_rest_stays() -> None:
    band = Band(np.zeros(6, np.int32), np.full(6, 4, np.int32), 4)
    cost = np.ones((6, 4))
    cost[[0, 1, 4, 5], [0, 1, 2, 3]] = 0.1  # units 2 and 3 were not translated
    with_bin = marginals(sharpen(cost.ravel(), band, config(0.5)).values, band)[0]
    without = marginals(sharpen(cost.ravel(), band, config(0.0)).values, band)[0]
    assert (6 * with_bin[[2, 3]] < 1e-3).all() and (6 * with_bin[[0, 1, 4, 5]] > 0.9).all()
    assert np.allclose(6 * without, 1)


def test_a_costlier_dustbin_takes_less() -> None:
    cost, band = problem(25, 30)
    kept = [sharpen(cost, band, config(dustbin)).values.sum() for dustbin in (0.1, 0.3, 0.5, 0.9)]
    assert (np.diff(kept) > 0).all() and kept[-1] <= 1 + 1e-9


def test_units_without_a_cell_are_flagged_as_ever() -> None:
    band = Band(np.array([0, 3, 1], dtype=np.int32), np.array([2, 3, 3], dtype=np.int32), 4)
    plan = sharpen(np.full(band.cells, 0.2), band, config(0.5))
    assert plan.empty_rows.tolist() == [1] and plan.empty_columns.tolist() == [3]
    assert np.isfinite(plan.values).all()


def test_a_dustbin_with_a_reg_beyond_its_range_is_refused() -> None:
    with pytest.raises(ValidationError, match="dustbin needs a reg"):
        config(0.5, reg=0.001)
