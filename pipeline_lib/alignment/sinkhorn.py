"""Sharpening: Sinkhorn-Knopp on band storage turns a cost matrix into a transport plan.

Paper: 100 iterations on ``exp(S / reg)``. Held against POT (``ot.sinkhorn`` on the same masked problem) by test; the update order is
POT's, columns first and then rows, so rows end exact and columns carry the residual.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit
from pydantic import BaseModel, Field

from data_contracts.alignment import TRANSPORT_PLANS
from pipeline_lib.alignment.band import Band, Floats, Ints


class SharpenConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Strength and length of the sharpening."""

    # Costs have unit range, so exp(-1 / reg) stays a normal float64 down to this bound.
    reg: float = Field(0.03, ge=0.002, description="entropic strength, relative to the cost's unit range")
    iterations: int = Field(100, ge=1, description="Sinkhorn-Knopp iterations (paper: 100)")
    marginal_power: float = Field(
        1.0, gt=0, le=1, description="exponent of each update; 1 balances fully (paper), below it text without counterpart may keep less"
    )


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
    if cost.shape != (band.cells,):
        raise ValueError(f"cost has shape {cost.shape}, the band {band.cells} cells")
    if not (np.isfinite(cost).all() and (cost >= -1e-6).all() and (cost <= 1 + 1e-6).all()):
        raise ValueError("cost must be finite and within [0, 1]")
    kernel = np.exp(-np.asarray(cost, dtype=np.float64) / config.reg)
    row_mass, column_mass = _masses(band)
    _scale(kernel, band.low, band.indptr, row_mass, column_mass, config.iterations, config.marginal_power)
    return plan_of(kernel, band)


def plan_of(values: Floats, band: Band) -> Plan:
    """Cell values as a plan: with the residuals of the balanced marginals and the rows and columns that have no cell."""
    row_mass, column_mass = _masses(band)
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
    cost_of = costs["cost"].combine_chunks()
    rows = []
    for number, row in enumerate(costs.drop_columns("cost").to_pylist()):
        band = Band.from_row(row)
        plan = sharpen(cost_of[number].values.to_numpy().astype(np.float64), band, config)
        rows.append({key: row[key] for key in ("document", "source_lang", "target_lang")} | plan_columns(plan, band))
    return TRANSPORT_PLANS.table(rows)


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
    rows = np.bincount(band.row_of_cell(), weights=values, minlength=band.rows)
    columns = np.bincount(band.column_of_cell(), weights=values, minlength=band.columns)
    return rows.astype(np.float64), columns.astype(np.float64)


def shares(values: Floats, band: Band) -> Floats:
    """Geometric mean of each cell's share in its row and in its column, in [0, 1], shape (cells,).

    For a balanced plan this is ``sqrt(n m) P``. Rows or columns without mass give 0.
    """
    rows, columns = marginals(values, band)
    scale = np.sqrt(rows[band.row_of_cell()] * columns[band.column_of_cell()])
    result: Floats = np.divide(values, scale, out=np.zeros_like(values, dtype=np.float64), where=scale > 0)
    return result


def _masses(band: Band) -> tuple[Floats, Floats]:
    """Wanted mass of rows and columns: 1/n' and 1/m' over those with a cell in the band, 0 for the others."""
    row_alive, column_alive = band.high > band.low, _covered_columns(band)
    return row_alive / max(float(row_alive.sum()), 1.0), column_alive / max(float(column_alive.sum()), 1.0)


def _covered_columns(band: Band) -> npt.NDArray[np.bool_]:
    edges = np.zeros(band.columns + 1, dtype=np.int64)
    np.add.at(edges, band.low, 1)
    np.add.at(edges, band.high, -1)
    return np.cumsum(edges[:-1]) > 0


def _residual(found: Floats, wanted: Floats) -> float:
    alive = wanted > 0
    return float(np.max(np.abs(found[alive] / wanted[alive] - 1.0))) if alive.any() else 0.0


@njit(nogil=True)
def _factor(wanted: float, found: float, power: float) -> float:
    """What a row or column is scaled by; the balanced case is kept clear of the slow power."""
    if found <= 0.0:
        return 0.0
    ratio: float = wanted / found
    return ratio if power == 1.0 else ratio**power


@njit(nogil=True, fastmath={"reassoc", "contract"})
def _scale(
    kernel: Floats,
    low: Ints,
    indptr: npt.NDArray[np.int64],
    row_mass: Floats,
    column_mass: Floats,
    iterations: int,
    power: float,
) -> None:
    """Scale ``kernel`` in place to the plan.

    A row is read once an iteration: its update and its share in the next column sums are one pass.
    """
    rows, columns = row_mass.size, column_mass.size
    u, v, sums = np.ones(rows), np.zeros(columns), np.zeros(columns)
    for i in range(rows):
        for k in range(indptr[i], indptr[i + 1]):
            sums[low[i] + k - indptr[i]] += kernel[k]
    for _ in range(iterations):
        for j in range(columns):
            v[j] = _factor(column_mass[j], sums[j], power)
            sums[j] = 0.0
        for i in range(rows):
            first, last, left = indptr[i], indptr[i + 1], low[i]
            row, weights, total = kernel[first:last], v[left : left + last - first], 0.0
            for k in range(last - first):
                total += row[k] * weights[k]
            u[i] = _factor(row_mass[i], total, power)
            target = sums[left : left + last - first]
            for k in range(last - first):
                target[k] += u[i] * row[k]
    for i in range(rows):
        for k in range(indptr[i], indptr[i + 1]):
            kernel[k] *= u[i] * v[low[i] + k - indptr[i]]
