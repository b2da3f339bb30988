"""Compiled loops of Sinkhorn-Knopp on band storage: float64, with log-absorption where the range of the potentials demands it.

The kernel holds the current plan instead of ``exp(-cost / reg)``: what an update has found is absorbed into it, so the factors ``u`` and
``v`` stay near 1 (Schmitzer 2019, "Stabilized sparse scaling algorithms for entropy regularized transport problems", section 3.1).
"""

from math import exp, inf, log
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline_lib.alignment.band import Floats, Ints
from pipeline_lib.alignment.compiled import compiled

Offsets: TypeAlias = npt.NDArray[np.int64]
Sides: TypeAlias = tuple[Floats, Floats]  # one number a row, one a column

RANGE = 1e100  # of a factor; cells below 1e-300 are lost then, which is 1e-100 of the smallest sum that they could count in


@compiled()
def factor(wanted: float, found: float, power: float, pull: float) -> float:
    """What a row or column is scaled by; the balanced case is kept clear of the slow power.

    Args:
        pull: ``absorbed ** (power - 1)``: the relaxed update of the whole potential, expressed for the part that is not absorbed.
    """
    if found <= 0.0:
        return 0.0
    ratio: float = wanted / found
    return ratio if power == 1.0 else ratio**power * pull


@compiled(fastmath={"reassoc", "contract"})
def add_rows(values: Floats, low: Ints, indptr: Offsets, u: Floats, sums: Floats) -> None:
    """Add ``u @ values`` to ``sums``, shape (columns,)."""
    for i in range(low.size):
        row = values[indptr[i] : indptr[i + 1]]
        target = sums[low[i] : low[i] + row.size]
        for k in range(row.size):
            target[k] += u[i] * row[k]


@compiled(fastmath={"reassoc", "contract"})
def row_sums(values: Floats, low: Ints, indptr: Offsets, v: Floats, totals: Floats) -> None:
    """Write ``values @ v`` into ``totals``, shape (rows,)."""
    for i in range(low.size):
        row = values[indptr[i] : indptr[i + 1]]
        weights, total = v[low[i] : low[i] + row.size], 0.0
        for k in range(row.size):
            total += row[k] * weights[k]
        totals[i] = total


@compiled(fastmath={"reassoc"})
def add_up(values: Floats, low: Ints, indptr: Offsets, rows: Floats, columns: Floats) -> None:
    """Add the cells to the sums of their rows and columns, in one pass."""
    for i in range(low.size):
        row, total = values[indptr[i] : indptr[i + 1]], 0.0
        target = columns[low[i] : low[i] + row.size]
        for k in range(row.size):
            total += row[k]
            target[k] += row[k]
        rows[i] += total


@compiled()
def all_within(values: Floats, least: float, most: float) -> bool:
    """Whether all values are numbers from ``least`` to ``most``."""
    inside = 0
    for k in range(values.size):
        inside += (values[k] >= least) & (values[k] <= most)
    return inside == values.size


@compiled()
def update(wanted: Floats, found: Floats, power: float, pull: Floats, factors: Floats) -> bool:
    """Write the factors of one side; False if one left the range that float64 holds exactly."""
    inside = True
    for j in range(wanted.size):
        factors[j] = factor(wanted[j], found[j], power, pull[j])
        inside &= wanted[j] == 0.0 or 1.0 / RANGE < factors[j] < RANGE
    return inside


@compiled(fastmath={"contract"})
def exponentials(cost: Floats, reg: float, values: Floats) -> None:
    """Write ``exp(-cost / reg)`` for exponents from -100 to 0, with a relative error below 1e-12.

    The series of a 512th of the exponent, squared nine times: neither a table nor a branch, so it is vectorized, which a call is not.
    """
    scale = -1.0 / (512.0 * reg)
    for k in range(cost.size):
        x = scale * cost[k]
        square = x * x
        fourth = square * square
        low = 1.0 + x + square * (1 / 2 + x * (1 / 6))
        middle = 1 / 24 + x * (1 / 120) + square * (1 / 720 + x * (1 / 5040))
        value = low + fourth * (middle + fourth * (1 / 40320 + x * (1 / 362880) + square * (1 / 3628800)))
        for _ in range(9):
            value *= value
        values[k] = value


@compiled()
def iterate(
    values: Floats,
    low: Ints,
    indptr: Offsets,
    masses: Sides,
    power: float,
    pulls: Sides,
    u: Floats,
    v: Floats,
    iterations: int,
) -> int:
    """Iterations on the kernel ``values``, columns first and then rows; ``u`` and ``v`` are written in place.

    Returns:
        how many iterations were done before one left the range; ``u`` is that of the last good one, ``v`` may be of the next.
    """
    sums, totals, before = np.empty_like(v), np.empty_like(u), u.copy()
    for done in range(iterations):
        sums[:] = 0.0
        before[:] = u
        add_rows(values, low, indptr, u, sums)
        inside = update(masses[1], sums, power, pulls[1], v)
        row_sums(values, low, indptr, v, totals)
        inside &= update(masses[0], totals, power, pulls[0], u)
        if not inside:
            u[:] = before
            return done
    return iterations


@compiled()
def iterate_in_logs(
    exponents: Floats, low: Ints, indptr: Offsets, masses: Sides, power: float, log_u: Floats, log_v: Floats, values: Floats
) -> None:
    """One iteration in the log domain; ``log_u`` is read and then, like ``log_v``, written.

    Args:
        exponents: ``-cost / reg``, shape (cells,).
        values: gets ``exp(exponents + log_u + log_v)``, shape (cells,).
    """
    top, sums = np.full(log_v.size, -inf), np.zeros(log_v.size)
    for i in range(low.size):
        for k in range(indptr[i], indptr[i + 1]):
            j = low[i] + k - indptr[i]
            top[j] = max(top[j], exponents[k] + log_u[i])
    for i in range(low.size):
        for k in range(indptr[i], indptr[i + 1]):
            j = low[i] + k - indptr[i]
            sums[j] += exp(exponents[k] + log_u[i] - top[j])
    for j in range(log_v.size):
        log_v[j] = power * (log(masses[1][j]) - top[j] - log(sums[j])) if sums[j] > 0.0 else 0.0
    for i in range(low.size):
        highest, total = -inf, 0.0
        for k in range(indptr[i], indptr[i + 1]):
            highest = max(highest, exponents[k] + log_v[low[i] + k - indptr[i]])
        for k in range(indptr[i], indptr[i + 1]):
            values[k] = exp(exponents[k] + log_v[low[i] + k - indptr[i]] - highest)
            total += values[k]
        log_u[i] = power * (log(masses[0][i]) - highest - log(total)) if total > 0.0 else 0.0
        rescale = exp(log_u[i] + highest) if total > 0.0 else 0.0
        for k in range(indptr[i], indptr[i + 1]):
            values[k] *= rescale


@compiled()
def absorb(values: Floats, low: Ints, indptr: Offsets, u: Floats, v: Floats) -> None:
    """Scale the kernel by ``u`` and ``v`` in place."""
    for i in range(low.size):
        row = values[indptr[i] : indptr[i + 1]]
        weights = v[low[i] : low[i] + row.size]
        for k in range(row.size):
            row[k] *= u[i] * weights[k]


@compiled(fastmath={"reassoc", "contract"})
def iterate_absorbing(values: Floats, low: Ints, indptr: Offsets, masses: Sides, power: float, pulls: Sides, u: Floats, v: Floats) -> None:
    """One iteration with the kernel scaled by the factors found, row by row while a row is in the cache.

    Args:
        u: is read and then, like ``v``, written; the factors must stay inside the range of float64.
    """
    sums = np.zeros(v.size)
    add_rows(values, low, indptr, u, sums)
    update(masses[1], sums, power, pulls[1], v)
    for i in range(low.size):
        row = values[indptr[i] : indptr[i + 1]]
        weights, total = v[low[i] : low[i] + row.size], 0.0
        for k in range(row.size):
            row[k] *= weights[k]
            total += row[k]
        u[i] = factor(masses[0][i], total, power, pulls[0][i])
        for k in range(row.size):
            row[k] *= u[i]
