"""Sharpening: Sinkhorn-Knopp on band storage turns a cost matrix into a transport plan.

Paper: 100 iterations on ``exp(S / reg)`` (Cuturi 2013). Held against POT (``ot.sinkhorn`` on the same masked problem) by test; the update
order is POT's, columns first and then rows, so rows end exact and columns carry the residual. A dense form for short documents was measured
(numpy, 8 to 200 units) to be no faster than the band, so there is none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from pydantic import BaseModel, Field, model_validator

from data_contracts.alignment import TRANSPORT_PLANS
from pipeline_lib.alignment.band import Band, Floats, Ints
from pipeline_lib.alignment.dustbin import binned
from pipeline_lib.alignment.kernel import Sides, absorb, add_up, all_within, exponentials, iterate, iterate_absorbing, iterate_in_logs
from pipeline_lib.alignment.packed import iterate_packed
from pipeline_lib.alignment.sinkhorn_cuda import scaled_batch

DIRECT_REG = 0.01  # exp(-1 / reg) and the first factors are far inside the range of float64
SINGLE_REG = 0.02  # float32 holds the factors of an ordinary document; where it does not, the loop says so
AT_ONCE = 16  # documents on a CUDA device
WORTHWHILE = 16  # iterations in float32 that earn back the copy


class SharpenConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Strength and length of the sharpening."""

    reg: float = Field(0.022, ge=1e-4, description="entropic strength, relative to the cost's unit range")
    iterations: int = Field(20, ge=1, description="Sinkhorn-Knopp iterations (paper: 100)")
    marginal_power: float = Field(
        0.9, gt=0, le=1, description="exponent of each update; 1 balances fully (paper), below it text without counterpart may keep less"
    )
    dustbin: float = Field(
        0.0, ge=0, le=1, description="cost of staying without counterpart, with balanced marginals; 0: there is no dustbin"
    )

    @model_validator(mode="after")
    def _dustbin_in_range(self) -> Self:
        if self.dustbin and self.reg < DIRECT_REG:
            raise ValueError(f"a dustbin needs a reg of at least {DIRECT_REG}")
        return self


@dataclass(frozen=True)
class Plan:
    """A transport plan in a band of n rows and m columns.

    Attributes:
        values: ``P``, non-negative, shape (cells,); rows sum to 1/n' and columns to 1/m' over the n' and m' that can be aligned.
        row_residual, column_residual: largest relative error of a marginal.
        empty_rows, empty_columns: indices with no cell in the band, taken out before.
    """

    values: Floats
    row_residual: float
    column_residual: float
    empty_rows: Ints
    empty_columns: Ints


def sharpen(cost: Floats, band: Band, config: SharpenConfig) -> Plan:
    """The plan of one document pair.

    Args:
        cost: shape (cells,), within [0, 1]; finite.
        band: where the cells lie.

    Raises:
        ValueError: the cost has another length than the band, or is not within [0, 1].
    """
    _check(cost, band)
    masses = _masses(band)
    if config.dustbin:
        return plan_of(binned(cost, band, masses, config.reg, config.dustbin, config.iterations), band, masses)
    return plan_of(_scaled(cost, band, config, masses), band, masses)


def _check(cost: Floats, band: Band) -> None:
    if cost.shape != (band.cells,):
        raise ValueError(f"cost has shape {cost.shape}, the band {band.cells} cells")
    if not all_within(cost, -1e-6, 1 + 1e-6):
        raise ValueError("cost must be finite and within [0, 1]")


def plan_of(values: Floats, band: Band, masses: Sides | None = None) -> Plan:
    """Cell values as a plan: with the residuals of the balanced marginals and the rows and columns that have no cell."""
    row_mass, column_mass = masses or _masses(band)
    rows, columns = marginals(values, band)
    return Plan(
        values,
        _residual(rows, row_mass),
        _residual(columns, column_mass),
        np.flatnonzero(row_mass == 0).astype(np.int32),
        np.flatnonzero(column_mass == 0).astype(np.int32),
    )


def sharpen_table(costs: pa.Table, config: SharpenConfig) -> pa.Table:
    """TRANSPORT_PLANS of COST_MATRICES, row for row."""
    cells = costs["cost"].combine_chunks()
    found = [cells[number].values.to_numpy().astype(np.float64) for number in range(len(cells))]
    keys = costs.drop_columns("cost").to_pylist()
    bands = [Band.from_row(row) for row in keys]
    on_device = torch.cuda.is_available() and not config.dustbin
    plans = _on_device(found, bands, config) if on_device else map(sharpen, found, bands, repeat(config))
    rows = [
        {key: row[key] for key in ("document", "source_lang", "target_lang")} | plan_columns(plan, band)
        for row, band, plan in zip(keys, bands, plans, strict=True)
    ]
    return TRANSPORT_PLANS.table(rows)


def _on_device(costs: Sequence[Floats], bands: Sequence[Band], config: SharpenConfig) -> Iterator[Plan]:
    """The plans of checked costs, so many documents at once as one call on the device takes."""
    for first in range(0, len(costs), AT_ONCE):
        part = bands[first : first + AT_ONCE]
        for cost, band in zip(costs[first : first + AT_ONCE], part, strict=True):
            _check(cost, band)
        masses = [_masses(band) for band in part]
        values = scaled_batch(costs[first : first + AT_ONCE], part, masses, config.reg, config.iterations, config.marginal_power, "cuda")
        yield from map(plan_of, values, part, masses)


def plan_columns(plan: Plan, band: Band) -> dict[str, object]:
    """A plan's columns in TRANSPORT_PLANS and ALIGNMENTS."""
    return band.as_row() | {
        "plan": (band.rows * plan.values).astype(np.float32),
        "row_residual": plan.row_residual,
        "column_residual": plan.column_residual,
        "empty_rows": plan.empty_rows,
        "empty_columns": plan.empty_columns,
    }


def marginals(values: Floats, band: Band) -> tuple[Floats, Floats]:
    """Row sums, shape (rows,), and column sums, shape (columns,)."""
    rows, columns = np.zeros(band.rows), np.zeros(band.columns)
    add_up(values, band.low, band.indptr, rows, columns)
    return rows, columns


def shares(values: Floats, band: Band) -> Floats:
    """Geometric mean of each cell's share in its row and in its column, in [0, 1], shape (cells,).

    For a balanced plan this is ``sqrt(n m) P``. Rows or columns without mass give 0.
    """
    rows, columns = marginals(values, band)
    scale = np.sqrt(rows[band.row_of_cell()] * columns[band.column_of_cell()])
    result: Floats = np.divide(values, scale, out=np.zeros_like(values, dtype=np.float64), where=scale > 0)
    return result


def _masses(band: Band) -> Sides:
    """Wanted mass of rows and columns: 1/n' and 1/m' over those with a cell in the band, 0 for the others."""
    row_alive, column_alive = band.high > band.low, _covered_columns(band)
    return row_alive / max(float(row_alive.sum()), 1.0), column_alive / max(float(column_alive.sum()), 1.0)


def _covered_columns(band: Band) -> npt.NDArray[np.bool_]:
    starts, ends = (np.bincount(side, minlength=band.columns + 1) for side in (band.low, band.high))
    return np.cumsum(starts - ends)[:-1] > 0


def _residual(found: Floats, wanted: Floats) -> float:
    alive = wanted > 0
    return float(np.max(np.abs(found[alive] / wanted[alive] - 1.0))) if alive.any() else 0.0


def _scaled(cost: Floats, band: Band, config: SharpenConfig, masses: Sides) -> Floats:
    """The plan's cells: most iterations in float32 where that is exact enough, the first and the last ones in float64."""
    power, left = config.marginal_power, config.iterations - 1
    values, logs = _first_iteration(cost, band, config, masses)
    pulls, u, v = _pulls(logs, power), np.ones(band.rows), np.ones(band.columns)
    if config.reg >= SINGLE_REG and left > WORTHWHILE:
        found = iterate_packed(values, band, masses, power, pulls, left - 1)
        if found is not None:
            iterate_absorbing(values, band.low, band.indptr, masses, power, pulls, found, v)
            return values
    left -= iterate(values, band.low, band.indptr, masses, power, pulls, u, v, left)
    while left:
        logs[0][:] += np.log(u, out=np.zeros_like(u), where=u > 0)
        iterate_in_logs(-cost / config.reg, band.low, band.indptr, masses, power, *logs, values)
        u[:], v[:], pulls, left = 1.0, 1.0, _pulls(logs, power), left - 1
        left -= iterate(values, band.low, band.indptr, masses, power, pulls, u, v, left)
    absorb(values, band.low, band.indptr, u, v)
    return values


def _first_iteration(cost: Floats, band: Band, config: SharpenConfig, masses: Sides) -> tuple[Floats, Sides]:
    """The plan after one iteration, shape (cells,), and the logarithms of ``u`` and ``v`` in it."""
    logs, values = (np.zeros(band.rows), np.zeros(band.columns)), np.empty(band.cells)
    power, cells = config.marginal_power, (band.low, band.indptr)
    if config.reg < DIRECT_REG:
        iterate_in_logs(-cost / config.reg, *cells, masses, power, *logs, values)
        return values, logs
    u, v = np.ones(band.rows), np.ones(band.columns)
    exponentials(cost, config.reg, values)
    iterate_absorbing(values, *cells, masses, power, (u.copy(), v.copy()), u, v)
    for log, factors in zip(logs, (u, v), strict=True):
        np.log(factors, out=log, where=factors > 0)
    return values, logs


def _pulls(logs: Sides, power: float) -> Sides:
    """What relaxed updates are multiplied by for the absorbed part; infinite where only the log domain will do."""
    with np.errstate(over="ignore", under="ignore"):
        return np.exp((power - 1.0) * logs[0]), np.exp((power - 1.0) * logs[1])
