"""Most iterations of Sinkhorn-Knopp in float32: half the memory to read, twice the numbers a vector instruction takes.

Eight rows that lie below each other share an interval of columns, padded with zeros to multiples of a vector, so that the loops over them
are free of remainders and load each sum and each factor once for eight rows. A pack that would be padded too much stays eight single rows.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from pipeline_lib.alignment.band import Floats, Ints
from pipeline_lib.alignment.kernel import Offsets, Sides

Singles = npt.NDArray[np.float32]
Side: TypeAlias = tuple[Singles, Singles, Singles]  # of rows or columns: wanted sums, what is added to found ones, pulls
Layout: TypeAlias = tuple[Offsets, Offsets, Offsets, Offsets]

PACK = 8
LINE = 16  # float32 numbers in a cache line: intervals start at and are padded to multiples of half of it
LEAST, MOST = np.float32(1e-9), np.float32(1e9)  # range of a factor
NEGLIGIBLE = 1e-35  # below it a cell is 0: with factors in that range it counts less than 1e-10 of the smallest sum
WASTE = 1.5  # stored cells over cells, from which on eight rows are stored singly


@dataclass(frozen=True)
class Packs:
    """Where the rows lie in the packed store.

    Attributes:
        first: the first row of each pack, shape (packs + 1,); the last entry is the number of rows.
        left, width: the columns that a pack stores, shape (packs,); width 0 for rows without a cell.
        offset: where its first row starts, shape (packs,); the next row follows ``width`` numbers later.
        size: numbers stored.
    """

    first: Ints
    left: Ints
    width: Ints
    offset: Offsets
    size: int

    def of(self, rows: int) -> Layout:
        """First row, left, width and offset of the packs of so many rows."""
        chosen = np.diff(self.first) == rows
        first, left, width = (values[chosen].astype(np.int64) for values in (self.first[:-1], self.left, self.width))
        return first, left, width, self.offset[chosen]


def packs_of(low: Ints, high: Ints) -> Packs:
    """Lay out the rows ``low[i] <= j < high[i]``, eight by eight where that wastes little."""
    first, left, width = (np.empty(size, dtype=np.int32) for size in (len(low) + 1, len(low), len(low)))
    packs = _lay_out(low, high, first, left, width)
    first, left, width = first[: packs + 1], left[:packs], width[:packs]
    ends = np.cumsum(np.diff(first) * width.astype(np.int64))
    return Packs(first, left, width, np.append(0, ends[:-1]) if packs else ends, int(ends[-1]) if packs else 0)


@njit(nogil=True)
def _lay_out(low: Ints, high: Ints, first: Ints, left: Ints, width: Ints) -> int:
    """Write the packs, from the first row on as many rows a pack as go together; returns their number."""
    packs, i, half = 0, 0, LINE // 2
    while i < low.size:
        rows = PACK if i + PACK <= low.size else 1
        start, end, cells = _extent(low, high, i, i + rows)
        if rows * (end - start) > WASTE * cells + rows * LINE:
            rows = 1
            start, end, _ = _extent(low, high, i, i + 1)
        first[packs], left[packs] = i, start // half * half
        width[packs] = (end - left[packs] + half - 1) // half * half
        packs, i = packs + 1, i + rows
    first[packs] = low.size
    return packs


@njit(nogil=True)
def _extent(low: Ints, high: Ints, first: int, stop: int) -> tuple[int, int, int]:
    """The interval that holds those of the rows (0 and 0 if there is none) and how many cells theirs have."""
    start, end, cells = np.iinfo(np.int32).max, 0, 0
    for i in range(first, stop):
        if high[i] > low[i]:
            start, end, cells = min(start, low[i]), max(end, high[i]), cells + high[i] - low[i]
    return min(start, end), end, cells


def iterate_packed(values: Floats, low: Ints, high: Ints, masses: Sides, power: float, pulls: Sides, iterations: int) -> Floats | None:
    """``u`` after so many iterations on the kernel ``values`` from ``u = 1``, shape (rows,), or None if the range of float32 did not do."""
    packs = packs_of(low, high)
    store, u, v, sums = _cache_lines(packs.size), *(_wide(np.zeros(size)) for size in (len(low), len(masses[1]), len(masses[1])))
    _pack(values, low, high, packs.first, packs.left, packs.width, packs.offset, store, sums)
    rows, columns = (*_resting(masses[0]), _wide(pulls[0])), (*_resting(masses[1]), _wide(pulls[1]))
    inside = _iterate(store, packs.of(PACK), packs.of(1), rows, columns, np.float32(power), u[: len(low)], v, sums, iterations)
    return u[: len(low)].astype(np.float64) if inside else None


def _cache_lines(size: int) -> Singles:
    """Zeros that start where a cache line does."""
    raw = np.zeros(size + LINE, dtype=np.float32)
    start = -raw.ctypes.data % 64 // raw.itemsize
    return raw[start : start + size]


def _wide(values: Floats) -> Singles:
    """Values of the columns, followed by as many zeros as the last pack may reach over the edge."""
    wide = _cache_lines(len(values) + LINE)
    wide[: len(values)] = values
    return wide


def _resting(mass: Floats) -> tuple[Singles, Singles]:
    """Wanted sums and what is added to the found ones: 1 and 1 where there is no cell, so that the factor rests at 1 without a branch."""
    rest = _wide(mass == 0)
    rest[len(mass) :] = 1.0
    return _wide(mass) + rest, rest


@njit(nogil=True)
def _pack(
    values: Floats, low: Ints, high: Ints, first: Ints, left: Ints, width: Ints, offset: Offsets, store: Singles, sums: Singles
) -> None:
    """Copy the cells into the packed store, and add them to the column sums."""
    k = 0
    for b in range(left.size):
        for i in range(first[b], first[b + 1]):
            start, cells = offset[b] + (i - first[b]) * width[b] + low[i] - left[b], high[i] - low[i]
            row, source, target = store[start : start + cells], values[k : k + cells], sums[low[i] : low[i] + cells]
            for j in range(cells):
                row[j] = source[j] if source[j] > NEGLIGIBLE else 0.0
                target[j] += row[j]
            k += cells


@njit(nogil=True)
def _in_range(factors: Singles) -> bool:
    inside = 0
    for j in range(factors.size):
        inside += (factors[j] > LEAST) & (factors[j] < MOST)
    return inside == factors.size


@njit(nogil=True, fastmath={"reassoc", "contract"}, error_model="numpy")
def _sweep_eights(store: Singles, eights: Layout, rows: Side, v: Singles, sums: Singles, power: np.float32, u: Singles) -> None:
    """Renew the factors of the rows, and add each eight to the column sums while it is in the nearest cache.

    Free of branches that make a slice: they would keep numba from dropping its reference counts, which cost as much as the arithmetic.
    """
    (first, left, width, offset), (wanted, rest, pull) = eights, rows
    for b in range(first.size):
        i, w, start = first[b], width[b], offset[b]
        weights, target, scale = v[left[b] : left[b] + w], sums[left[b] : left[b] + w], u[i : i + PACK]
        r0, r1 = store[start : start + w], store[start + w : start + 2 * w]
        r2, r3 = store[start + 2 * w : start + 3 * w], store[start + 3 * w : start + 4 * w]
        r4, r5 = store[start + 4 * w : start + 5 * w], store[start + 5 * w : start + 6 * w]
        r6, r7 = store[start + 6 * w : start + 7 * w], store[start + 7 * w : start + 8 * w]
        t0 = t1 = t2 = t3 = t4 = t5 = t6 = t7 = np.float32(0.0)
        for k in range(w):
            t0 += r0[k] * weights[k]
            t1 += r1[k] * weights[k]
            t2 += r2[k] * weights[k]
            t3 += r3[k] * weights[k]
            t4 += r4[k] * weights[k]
            t5 += r5[k] * weights[k]
            t6 += r6[k] * weights[k]
            t7 += r7[k] * weights[k]
        scale[0], scale[1], scale[2], scale[3], scale[4], scale[5], scale[6], scale[7] = t0, t1, t2, t3, t4, t5, t6, t7
        for r in range(PACK):
            scale[r] = wanted[i + r] / (scale[r] + rest[i + r])
        if power != np.float32(1.0):
            for r in range(PACK):
                scale[r] = scale[r] ** power * pull[i + r]
        u0, u1, u2, u3, u4, u5, u6, u7 = scale[0], scale[1], scale[2], scale[3], scale[4], scale[5], scale[6], scale[7]
        for k in range(w):
            target[k] += u0 * r0[k] + u1 * r1[k] + u2 * r2[k] + u3 * r3[k] + u4 * r4[k] + u5 * r5[k] + u6 * r6[k] + u7 * r7[k]


@njit(nogil=True, fastmath={"reassoc", "contract"}, error_model="numpy")
def _sweep_ones(store: Singles, ones: Layout, rows: Side, v: Singles, sums: Singles, power: np.float32, u: Singles) -> None:
    """The same for the rows that are stored singly."""
    (first, left, width, offset), (wanted, rest, pull) = ones, rows
    for b in range(first.size):
        i, row = first[b], store[offset[b] : offset[b] + width[b]]
        weights, target = v[left[b] : left[b] + row.size], sums[left[b] : left[b] + row.size]
        total = np.float32(0.0)
        for k in range(row.size):
            total += row[k] * weights[k]
        u[i] = wanted[i] / (total + rest[i])
        if power != np.float32(1.0):
            u[i] = u[i] ** power * pull[i]
        scale = u[i]
        for k in range(row.size):
            target[k] += scale * row[k]


@njit(nogil=True, error_model="numpy")
def _iterate(
    store: Singles,
    eights: Layout,
    ones: Layout,
    rows: Side,
    columns: Side,
    power: np.float32,
    u: Singles,
    v: Singles,
    sums: Singles,
    iterations: int,
) -> bool:
    """Iterations on the packed store from the column sums of ``u = 1``; False as soon as a factor leaves the range."""
    wanted, rest, pull = columns
    sums += rest
    for _ in range(iterations):
        for j in range(v.size):
            v[j] = wanted[j] / sums[j]
            sums[j] = rest[j]
        if power != np.float32(1.0):
            for j in range(v.size):
                v[j] = v[j] ** power * pull[j]
        _sweep_eights(store, eights, rows, v, sums, power, u)
        _sweep_ones(store, ones, rows, v, sums, power, u)
        if not (_in_range(u) and _in_range(v)):
            return False
    return True
