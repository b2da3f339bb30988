"""Sinkhorn-Knopp with a dustbin: one more row and column that take what has no counterpart (Sarlin et al. 2020, "SuperGlue", section 3.2).

Every unit may send its mass to the dustbin instead, at a fixed cost. A dustbin can hold all units of the other side, so text that was not
translated need not be pressed onto what was.
"""

import numpy as np
import numpy.typing as npt

from pipeline_lib.alignment.band import Band, Floats, Ints
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.alignment.kernel import Sides, absorb, add_rows, row_sums


def binned(cost: Floats, band: Band, masses: Sides, reg: float, dustbin: float, iterations: int) -> Floats:
    """The cells of the plan without the dustbins' own, shape (cells,); rows and columns sum to at most their mass.

    Args:
        dustbin: cost of staying without counterpart, in the unit of ``cost``; the corner, where the dustbins meet, costs the same.

    In float64 throughout: exact as long as ``exp(1 / reg)`` is in its range.
    """
    values = np.exp((dustbin - cost) / reg)  # relative to the dustbin, whose own cells are 1
    u, v = np.ones(band.rows), np.ones(band.columns)
    _iterate(values, band.low, band.indptr, masses, u, v, iterations)
    absorb(values, band.low, band.indptr, u, v)
    return values


@compiled()
def _iterate(values: Floats, low: Ints, indptr: npt.NDArray[np.int64], masses: Sides, u: Floats, v: Floats, iterations: int) -> None:
    """Columns first and then rows, each dustbin with its side."""
    rows, columns = masses
    sums, totals = np.empty_like(v), np.empty_like(u)
    of_columns, of_rows = 1.0, 1.0  # factors of the row that takes columns, and of the column that takes rows
    for _ in range(iterations):
        sums[:] = of_columns
        add_rows(values, low, indptr, u, sums)
        of_rows = rows.sum() / (u.sum() + of_columns)
        for j in range(v.size):
            v[j] = columns[j] / sums[j]
        totals[:] = 0.0
        row_sums(values, low, indptr, v, totals)
        of_columns = columns.sum() / (v.sum() + of_rows)
        for i in range(u.size):
            u[i] = rows[i] / (totals[i] + of_rows)
