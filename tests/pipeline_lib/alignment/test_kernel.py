import numpy as np
import pytest

from pipeline_lib.alignment.band import Band, Floats
from pipeline_lib.alignment.kernel import (
    absorb,
    add_rows,
    add_up,
    all_within,
    exponentials,
    iterate,
    iterate_absorbing,
    iterate_in_logs,
    row_sums,
    update,
)

BAND = Band(np.array([0, 2, 1, 1], dtype=np.int32), np.array([3, 2, 4, 6], dtype=np.int32), 7)
CELLS = np.random.default_rng(0).random(BAND.cells)
MASSES = (np.array([1, 0, 1, 1]) / 3, np.array([1, 1, 1, 1, 1, 1, 0]) / 6)
ONES = (np.ones(4), np.ones(7))


def test_sums_are_those_of_the_whole_matrix() -> None:
    u, v, rows, columns = np.arange(4.0), np.arange(7.0), np.empty(4), np.ones(7)
    row_sums(CELLS, BAND.low, BAND.indptr, v, rows)
    add_rows(CELLS, BAND.low, BAND.indptr, u, columns)
    assert np.allclose(rows, BAND.dense(CELLS) @ v) and np.allclose(columns, 1 + u @ BAND.dense(CELLS))


def test_one_pass_adds_up_rows_and_columns() -> None:
    rows, columns = np.zeros(4), np.zeros(7)
    add_up(CELLS, BAND.low, BAND.indptr, rows, columns)
    assert np.allclose(rows, BAND.dense(CELLS).sum(axis=1)) and np.allclose(columns, BAND.dense(CELLS).sum(axis=0))


@pytest.mark.parametrize("reg", [0.01, 0.022, 0.3, 5.0])
def test_exponentials_are_exact_to_the_twelfth_digit(reg: float) -> None:
    cost, found = np.linspace(0, 1, 1001), np.empty(1001)
    exponentials(cost, reg, found)
    assert found[0] == 1.0 and np.abs(found / np.exp(-cost / reg) - 1).max() < 1e-12


@pytest.mark.parametrize("odd", [-0.1, 1.1, np.nan, np.inf])
def test_a_value_out_of_range_or_no_number_is_found_wherever_it_is(odd: float) -> None:
    values = np.linspace(0, 1, 9)
    assert all_within(values, 0.0, 1.0) and all_within(np.zeros(0), 0.0, 1.0)
    for place in range(9):
        assert not all_within(np.where(np.arange(9) == place, odd, values), 0.0, 1.0)


@pytest.mark.parametrize("power", [1.0, 0.8])
def test_an_absorbing_iteration_is_an_iteration_and_then_absorbs(power: float) -> None:
    pulls = (np.linspace(0.5, 1, 4), np.linspace(1, 2, 7))
    apart, whole = [CELLS.copy(), np.arange(1.0, 5.0), np.ones(7)], [CELLS.copy(), np.arange(1.0, 5.0), np.ones(7)]
    iterate(apart[0], BAND.low, BAND.indptr, MASSES, power, pulls, apart[1], apart[2], 1)
    absorb(apart[0], BAND.low, BAND.indptr, apart[1], apart[2])
    iterate_absorbing(whole[0], BAND.low, BAND.indptr, MASSES, power, pulls, whole[1], whole[2])
    assert all(np.allclose(one, other, rtol=1e-12) for one, other in zip(apart, whole, strict=True))


def test_absorbing_scales_rows_and_columns() -> None:
    values, u, v = CELLS.copy(), np.arange(4.0), np.arange(7.0)
    absorb(values, BAND.low, BAND.indptr, u, v)
    assert np.allclose(BAND.dense(values), u[:, None] * BAND.dense(CELLS) * v)


@pytest.mark.parametrize("power", [1.0, 0.8])
def test_iterations_go_on_from_an_absorbed_plan_as_if_nothing_was_absorbed(power: float) -> None:
    at_once = [np.ones(4), np.ones(7)]
    assert iterate(CELLS, BAND.low, BAND.indptr, MASSES, power, ONES, *at_once, 7) == 7
    values, u, v = CELLS.copy(), np.ones(4), np.ones(7)
    assert iterate(values, BAND.low, BAND.indptr, MASSES, power, ONES, u, v, 4) == 4
    absorb(values, BAND.low, BAND.indptr, u, v)
    pulls = tuple(np.where(side > 0, side, 1.0) ** (power - 1) for side in (u, v))
    u[:] = 1.0
    assert iterate(values, BAND.low, BAND.indptr, MASSES, power, pulls, u, v, 3) == 3
    whole = CELLS.copy()
    absorb(whole, BAND.low, BAND.indptr, *at_once)
    absorb(values, BAND.low, BAND.indptr, u, v)
    assert np.allclose(values, whole, rtol=1e-12)


@pytest.mark.parametrize("power", [1.0, 0.8])
def test_an_iteration_in_logs_is_an_iteration(power: float) -> None:
    log_u, log_v, values = np.zeros(4), np.zeros(7), np.empty(BAND.cells)
    iterate_in_logs(np.log(CELLS), BAND.low, BAND.indptr, MASSES, power, log_u, log_v, values)
    u, v, plain = np.ones(4), np.ones(7), CELLS.copy()
    iterate(plain, BAND.low, BAND.indptr, MASSES, power, ONES, u, v, 1)
    absorb(plain, BAND.low, BAND.indptr, u, v)
    assert np.allclose(values, plain, rtol=1e-12)
    assert np.allclose(np.exp(log_u[[0, 2, 3]]), u[[0, 2, 3]]) and np.allclose(np.exp(log_v[:6]), v[:6])


@pytest.mark.parametrize("cells", [CELLS * 1e-200, np.zeros(BAND.cells), np.full(BAND.cells, np.nan)])
def test_iterations_stop_with_the_last_good_factors_where_the_range_ends(cells: Floats) -> None:
    u = np.ones(4)
    assert iterate(cells, BAND.low, BAND.indptr, MASSES, 1.0, ONES, u, np.ones(7), 5) == 0
    assert (u == 1).all()


def test_what_has_no_mass_gets_no_factor_and_is_no_reason_to_stop() -> None:
    factors = np.empty(3)
    assert update(np.array([0.5, 0.0, 0.5]), np.array([0.25, 0.0, 2.0]), 1.0, np.ones(3), factors)
    assert factors.tolist() == [2.0, 0.0, 0.25]
