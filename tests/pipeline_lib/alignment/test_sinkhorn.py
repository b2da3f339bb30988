import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.special import logsumexp

from data_contracts import COST_MATRICES, TRANSPORT_PLANS
from pipeline_lib.alignment import sinkhorn
from pipeline_lib.alignment.band import Band, BandConfig, Floats, band_around, scaled_diagonal
from pipeline_lib.alignment.sinkhorn import (
    AT_ONCE,
    WORTHWHILE,
    Plan,
    SharpenConfig,
    marginals,
    plan_of,
    shares,
    sharpen,
    sharpen_table,
)
from pipeline_lib.alignment.sinkhorn_cuda import scaled_batch

FORBIDDEN = 1e6  # exp(-FORBIDDEN / reg) is 0


def balanced(reg: float = 0.03, iterations: int = 100) -> SharpenConfig:
    """The paper's form."""
    return SharpenConfig(reg=reg, iterations=iterations, marginal_power=1.0)


def problem(rows: int, columns: int, zero: int, seed: int = 0) -> tuple[Floats, Band]:
    band = band_around(scaled_diagonal(rows, columns), columns, BandConfig(full=0, zero=zero))
    return np.random.default_rng(seed).random(band.cells), band


def by_pot(cost: Floats, band: Band, config: SharpenConfig) -> Floats:
    """POT's plan of the same masked problem without its empty rows and columns, in their places, shape (rows, columns)."""
    dense = band.dense(cost, outside=FORBIDDEN)
    rows, columns = (dense < FORBIDDEN).any(axis=1), (dense < FORBIDDEN).any(axis=0)
    n, m = rows.sum(), columns.sum()
    plan = np.zeros_like(dense)
    plan[np.ix_(rows, columns)] = ot.sinkhorn(
        np.full(n, 1 / n), np.full(m, 1 / m), dense[np.ix_(rows, columns)], config.reg, numItermax=config.iterations, stopThr=0, warn=False
    )
    return plan


@pytest.mark.parametrize(
    ("rows", "columns", "zero", "config"),
    [
        (40, 40, 100, balanced(reg=0.1)),
        (60, 60, 9, balanced(reg=0.05)),
        (47, 80, 15, balanced(reg=0.1)),
        (80, 47, 10, balanced(reg=0.03)),
        (300, 600, 100, balanced(reg=0.05)),
        (30, 30, 4, balanced(reg=0.02)),
        (25, 31, 6, balanced(reg=0.1, iterations=1)),
        (25, 31, 6, balanced(reg=0.1, iterations=7)),
        (1, 60, 10, balanced()),
        (3, 90, 9, balanced()),
    ],
)
def test_the_plan_is_that_of_pot(rows: int, columns: int, zero: int, config: SharpenConfig) -> None:
    cost, band = problem(rows, columns, zero)
    plan = sharpen(cost, band, config)
    reference = by_pot(cost, band, config)
    assert np.abs(rows * band.dense(plan.values) - rows * reference).max() < 1e-6
    assert plan.column_residual == pytest.approx(
        plan_of(reference[band.row_of_cell(), band.column_of_cell()], band).column_residual, abs=1e-6
    )


def ragged(seed: int, columns: int, intervals: list[tuple[int, int]]) -> tuple[Floats, Band]:
    """A band of arbitrary intervals, some of them empty, so that columns are left out as well."""
    low = np.array([min(start, columns) for start, _ in intervals], dtype=np.int32)
    band = Band(low, np.minimum(low + [width for _, width in intervals], columns).astype(np.int32), columns)
    return np.random.default_rng(seed).random(band.cells), band


RAGGED = st.builds(
    ragged, st.integers(0, 99), st.integers(1, 60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 40)), min_size=1, max_size=50)
)


@settings(max_examples=80, deadline=None)
@given(RAGGED, st.sampled_from([0.02, 0.03, 0.1, 0.5]), st.sampled_from([1, 2, 19, 20, 100]))
def test_the_plan_is_that_of_pot_in_any_band(problem: tuple[Floats, Band], reg: float, iterations: int) -> None:
    cost, band = problem
    config = balanced(reg=reg, iterations=iterations)
    if band.cells:
        plan = sharpen(cost, band, config)
        assert np.abs(band.rows * (band.dense(plan.values) - by_pot(cost, band, config))).max() < 1e-6


@settings(max_examples=40, deadline=None)
@given(RAGGED, st.sampled_from([0.0001, 0.0005, 0.002, 0.005, 0.015]), st.sampled_from([1.0, 0.8]))
def test_the_plan_is_that_of_the_log_domain_where_exp_underflows(problem: tuple[Floats, Band], reg: float, power: float) -> None:
    cost, band = problem
    plan = sharpen(cost, band, SharpenConfig(reg=reg, iterations=30, marginal_power=power))
    assert np.abs(band.rows * (band.dense(plan.values) - in_logs(cost, band, reg, 30, power))).max(initial=0) < 1e-6


def in_logs(cost: Floats, band: Band, reg: float, iterations: int, power: float) -> Floats:
    """The textbook's log-domain iteration on the whole matrix, shape (rows, columns)."""
    rows, columns = band.high > band.low, band.dense(np.ones(band.cells)).any(axis=0)
    exponents = np.where(band.dense(np.ones(band.cells)) > 0, -band.dense(cost) / reg, -np.inf)[np.ix_(rows, columns)]
    log_u = np.zeros(rows.sum())
    for _ in range(iterations if len(log_u) else 0):
        log_v = -power * (np.log(columns.sum()) + logsumexp(exponents + log_u[:, None], axis=0))
        log_u = -power * (np.log(rows.sum()) + logsumexp(exponents + log_v, axis=1))
    plan = np.zeros((band.rows, band.columns))
    if len(log_u):
        plan[np.ix_(rows, columns)] = np.exp(exponents + log_u[:, None] + log_v)
    return plan


@pytest.mark.parametrize("power", [1.0, 0.8])
def test_float32_in_between_changes_nothing_that_counts(power: float) -> None:
    cost, band = problem(120, 150, 30)
    config = SharpenConfig(reg=0.05, iterations=WORTHWHILE + 2, marginal_power=power)
    found, exact = sharpen(cost, band, config).values, in_logs(cost, band, config.reg, config.iterations, power)
    assert 0 < np.abs(band.dense(found) - exact).max() * band.rows < 1e-6


@pytest.mark.parametrize("reg", [0.02, 0.022, 0.05])
@pytest.mark.parametrize("kind", ["planted", "steep", "flat"])
def test_float32_in_between_stays_far_below_what_counts_on_hard_costs(reg: float, kind: str) -> None:
    noise, band = problem(160, 160, 50)
    distance = np.abs(band.row_of_cell() - band.column_of_cell())
    cost = {"planted": np.where(distance == 0, 0.02 * noise, 0.5 + 0.1 * noise), "steep": noise.round(), "flat": 0.5 + 1e-3 * noise}[kind]
    plan = band.dense(sharpen(cost, band, balanced(reg=reg)).values)
    assert np.abs(160 * (plan - by_pot(cost, band, balanced(reg=reg)))).max() < 5e-7


def test_the_same_problem_gives_the_same_bytes() -> None:
    cost, band = problem(90, 130, 40)
    plans = {sharpen(shifted(cost, offset), band, balanced()).values.tobytes() for offset in range(8) for _ in range(3)}
    assert len(plans) == 1


def shifted(values: Floats, offset: int) -> Floats:
    """A copy at another address relative to a cache line."""
    raw = np.empty(len(values) + 8)
    raw[offset : offset + len(values)] = values
    return raw[offset : offset + len(values)]


@pytest.mark.parametrize(("rows", "columns", "zero"), [(50, 50, 100), (50, 50, 12), (30, 45, 12), (45, 30, 12), (7, 1, 5), (300, 600, 100)])
def test_marginals_hold_and_no_mass_lies_outside_the_band(rows: int, columns: int, zero: int) -> None:
    cost, band = problem(rows, columns, zero)
    plan = sharpen(cost, band, balanced(reg=0.2, iterations=300))
    dense = band.dense(plan.values)
    assert np.abs(rows * dense.sum(axis=1) - 1).max() < 1e-12 and plan.row_residual < 1e-12
    assert np.abs(columns * dense.sum(axis=0) - 1).max() < 1e-6 and plan.column_residual < 1e-6
    assert (dense[band.dense(np.ones(band.cells)) == 0] == 0.0).all()
    assert len(plan.empty_rows) == len(plan.empty_columns) == 0


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(1, 12),
    st.integers(0, 99),
    st.sampled_from([0.0005, 0.002, 0.01, 0.02, 0.1]),
    st.booleans(),
)
def test_every_plan_is_finite_with_exact_rows(rows: int, columns: int, zero: int, seed: int, reg: float, drifting: bool) -> None:
    random = np.random.default_rng(seed)
    centre = np.sort(random.uniform(-5, columns + 5, rows)) if drifting else scaled_diagonal(rows, columns)
    band = band_around(centre, columns, BandConfig(full=0, zero=zero))
    plan = sharpen(random.random(band.cells).round(), band, balanced(reg=reg))
    assert np.isfinite(plan.values).all() and (plan.values >= 0).all()
    alive = np.setdiff1d(np.arange(rows), plan.empty_rows)
    found, _ = marginals(plan.values, band)
    assert np.allclose(found[alive], 1 / max(len(alive), 1), rtol=1e-9) and (found[plan.empty_rows] == 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_a_smaller_reg_is_sharper(seed: int) -> None:
    cost, band = problem(40, 52, 15, seed)
    entropies = []
    for reg in (0.02, 0.05, 0.1, 0.3, 1.0):
        values = sharpen(cost, band, balanced(reg=reg)).values
        entropies.append(-(values * np.log(np.maximum(values, 1e-300))).sum())
    assert (np.diff(entropies) > 0.01).all()


def test_the_plan_of_the_turned_problem_is_the_turned_plan() -> None:
    cost, band = problem(12, 17, 100)
    across = Band(np.zeros(17, dtype=np.int32), np.full(17, 12, dtype=np.int32), 12)
    config = balanced(reg=0.2, iterations=400)
    there, back = sharpen(cost, band, config), sharpen(band.dense(cost).T.ravel(), across, config)
    assert np.allclose(band.dense(there.values), across.dense(back.values).T, atol=1e-10)


def test_rows_and_columns_without_a_cell_are_taken_out_and_flagged() -> None:
    band = Band(np.array([0, 5, 4, 4], dtype=np.int32), np.array([2, 5, 6, 7], dtype=np.int32), 8)
    plan = sharpen(np.linspace(0, 1, band.cells), band, balanced(reg=0.5, iterations=300))
    assert plan.empty_rows.tolist() == [1] and plan.empty_columns.tolist() == [2, 3, 7]
    rows, columns = marginals(plan.values, band)
    assert np.allclose(rows, [1 / 3, 0, 1 / 3, 1 / 3])
    assert (columns[[2, 3, 7]] == 0).all() and columns.sum() == pytest.approx(1)


def test_an_infeasible_band_shows_in_the_residual() -> None:
    band = Band(np.array([0, 0, 0], dtype=np.int32), np.array([1, 1, 2], dtype=np.int32), 2)
    plan = sharpen(np.zeros(4), band, balanced())
    assert plan.row_residual < 1e-12 and plan.column_residual > 0.3


def test_a_band_without_cells_has_an_empty_plan() -> None:
    band = Band(np.zeros(3, dtype=np.int32), np.zeros(3, dtype=np.int32), 2)
    plan = sharpen(np.zeros(0), band, balanced())
    assert plan.values.shape == (0,) and plan.empty_rows.tolist() == [0, 1, 2] and plan.empty_columns.tolist() == [0, 1]
    assert plan.row_residual == plan.column_residual == 0.0


@pytest.mark.parametrize("power", [0.5, 0.8, 1.0])
def test_relaxed_marginals_raise_every_update_to_the_power(power: float) -> None:
    cost, band = problem(14, 19, 6)
    kernel = band.dense(np.exp(-cost / 0.1))
    u = np.ones(14)
    for _ in range(9):
        v = (1 / 19 / (kernel.T @ u)) ** power
        u = (1 / 14 / (kernel @ v)) ** power
    found = sharpen(cost, band, SharpenConfig(reg=0.1, iterations=9, marginal_power=power))
    assert np.allclose(band.dense(found.values), u[:, None] * kernel * v, rtol=1e-10)


def test_a_row_without_counterpart_keeps_less_where_marginals_are_relaxed() -> None:
    cost = np.where(np.eye(5, 4, dtype=bool), 0.0, 1.0).ravel()  # the fifth row resembles nothing
    band = Band(np.zeros(5, dtype=np.int32), np.full(5, 4, dtype=np.int32), 4)
    rows = {}
    for power in (1.0, 0.8):
        values = sharpen(cost, band, SharpenConfig(reg=0.1, iterations=10, marginal_power=power)).values
        rows[power] = marginals(values, band)[0] / values.sum()
    assert rows[1.0][4] == pytest.approx(0.2) and rows[0.8][4] < 0.12


def test_shares_of_a_balanced_plan_are_its_scaled_mass() -> None:
    cost, band = problem(20, 33, 12)
    values = sharpen(cost, band, balanced(reg=0.2, iterations=500)).values
    assert np.allclose(shares(values, band), np.sqrt(20 * 33) * values, atol=1e-9)


def test_shares_are_the_mean_of_row_and_column_share_and_0_without_mass() -> None:
    band = Band(np.array([0, 0, 1], dtype=np.int32), np.array([2, 2, 3], dtype=np.int32), 3)
    found = band.dense(shares(np.array([3.0, 1.0, 1.0, 0.0, 0.0, 0.0]), band))
    assert found == pytest.approx(np.array([[0.75, 0.5, 0], [0.5, 0, 0], [0, 0, 0]]))


@pytest.mark.parametrize(
    ("cost", "message"),
    [
        (np.zeros(3), r"shape \(3,\), the band 4 cells"),
        (np.zeros((2, 2)), r"shape \(2, 2\)"),
        (np.array([0, 0.5, np.nan, 0]), "finite and within"),
        (np.array([0, 0.5, np.inf, 0]), "finite and within"),
        (np.array([0, 0.5, 1.01, 0]), "finite and within"),
        (np.array([0, 0.5, -0.01, 0]), "finite and within"),
    ],
)
def test_a_cost_of_another_shape_or_range_is_refused(cost: Floats, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sharpen(cost, Band(np.zeros(2, dtype=np.int32), np.full(2, 2, dtype=np.int32), 2), balanced())


def test_the_cost_is_left_as_it_was() -> None:
    cost, band = problem(5, 5, 3)
    before = cost.copy()
    sharpen(cost, band, balanced())
    assert np.array_equal(cost, before)


@pytest.mark.parametrize("wrong", [{"reg": 0.00001}, {"iterations": 0}, {"marginal_power": 0.0}, {"marginal_power": 1.1}, {"rge": 0.1}])
def test_a_senseless_setting_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        SharpenConfig(**wrong)


def test_the_table_holds_n_times_the_plan_of_every_cost_row() -> None:
    problems = [problem(6, 9, 4, seed=1), problem(4, 3, 2, seed=2)]
    langs = {"source_lang": "es", "target_lang": "en"}
    costs = COST_MATRICES.table(
        [{"document": f"d{k}", **langs, **band.as_row(), "cost": cost.astype(np.float32)} for k, (cost, band) in enumerate(problems)]
    )
    config = balanced(reg=0.1)
    table = sharpen_table(costs, config)
    TRANSPORT_PLANS.check(table)
    assert table["document"].to_pylist() == ["d0", "d1"]
    for row, (cost, band) in zip(table.to_pylist(), problems, strict=True):
        plan: Plan = sharpen(cost.astype(np.float32).astype(np.float64), band, config)
        assert np.allclose(row["plan"], band.rows * plan.values, atol=1e-6)
        assert (row["row_residual"], row["column_residual"]) == (plan.row_residual, plan.column_residual)
        assert (row["low"], row["high"], row["columns"]) == (band.low.tolist(), band.high.tolist(), band.columns)


def test_the_table_is_the_same_where_a_device_takes_many_documents_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    langs = {"source_lang": "es", "target_lang": "en"}
    problems = [problem(5 + k, 9, 4, seed=k) for k in range(AT_ONCE + 2)]
    costs = COST_MATRICES.table(
        [{"document": f"d{k}", **langs, **band.as_row(), "cost": cost.astype(np.float32)} for k, (cost, band) in enumerate(problems)]
    )
    compiled = sharpen_table(costs, balanced()).to_pylist()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(sinkhorn, "scaled_batch", lambda *arguments: scaled_batch(*arguments[:-1], "cpu"))
    for row, other in zip(compiled, sharpen_table(costs, balanced()).to_pylist(), strict=True):
        assert np.abs(np.array(row.pop("plan")) - other.pop("plan")).max() < 1e-6
        assert row.pop("column_residual") == pytest.approx(other.pop("column_residual"), abs=1e-6)
        assert row.pop("row_residual") == pytest.approx(other.pop("row_residual"), abs=1e-9)
        assert row == other
