"""Most iterations of Sinkhorn-Knopp in float32: half the memory to read, twice the numbers a vector instruction takes.

Eight rows that lie below each other share an interval of columns, padded with zeros, so that the loops over them are free of remainders and
load each sum and each factor once for eight rows. They are stored eight columns at a time, in the order in which they are read. Eight rows
that would be padded too much stay single rows.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline_lib.alignment.band import Band, Floats, Ints
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.alignment.eights import LANES, LINE, added_product, load, over, plus, prefetch_block, put, spread, totals
from pipeline_lib.alignment.kernel import Offsets, Sides

Singles = npt.NDArray[np.float32]
Side: TypeAlias = tuple[Singles, Singles, Singles]  # of rows or columns: wanted sums, what is added to found ones, pulls

PACK = 8
LEAST, MOST = np.float32(1e-9), np.float32(1e9)  # range of a factor
NEGLIGIBLE = 1e-35  # below it a cell is 0: with factors in that range it counts less than 1e-10 of the smallest sum
WASTE = 1.5  # stored cells over cells, from which on eight rows are stored singly


@dataclass(frozen=True)
class Packs:
    """Where the rows lie in the packed store.

    Attributes:
        eights: first row, first column, width and place of its cells of each pack of eight rows, shape (packs, 4). The width is a multiple
            of 8; 8 rows x 8 columns follow each other, row by row.
        ones: the same of each single row, shape (rows, 4); width 0 for a row without a cell.
        size: numbers stored.
    """

    eights: Offsets
    ones: Offsets
    size: int


def packs_of(low: Ints, high: Ints) -> Packs:
    """Lay out the rows ``low[i] <= j < high[i]``, eight by eight where that wastes little."""
    eights, ones = np.empty((len(low) // PACK, 4), dtype=np.int64), np.empty((len(low), 4), dtype=np.int64)
    packs, singles, size = _lay_out(low, high, eights, ones)
    return Packs(eights[:packs], ones[:singles], size)


@compiled()
def _lay_out(low: Ints, high: Ints, eights: Offsets, ones: Offsets) -> tuple[int, int, int]:
    """Write the packs, from the first row on as many rows a pack as go together; returns how many there are of each, and their size."""
    packs, singles, size, i = 0, 0, 0, 0
    while i < low.size:
        start, end, cells = _extent(low, high, i, min(i + PACK, low.size))
        width = -(-(end - start) // LANES) * LANES
        if i + PACK <= low.size and PACK * width <= WASTE * cells + PACK * LINE:
            eights[packs, 0], eights[packs, 1], eights[packs, 2], eights[packs, 3] = i, start, width, size
            packs, size, i = packs + 1, size + PACK * width, i + PACK
        else:
            width = -(-(high[i] - low[i]) // LANES) * LANES
            ones[singles, 0], ones[singles, 1], ones[singles, 2], ones[singles, 3] = i, low[i], width, size
            singles, size, i = singles + 1, size + width, i + 1
    return packs, singles, size


@compiled()
def _extent(low: Ints, high: Ints, first: int, stop: int) -> tuple[int, int, int]:
    """The interval that holds those of the rows (0 and 0 if there is none) and how many cells theirs have."""
    start, end, cells = np.iinfo(np.int32).max, 0, 0
    for i in range(first, stop):
        if high[i] > low[i]:
            start, end, cells = min(start, low[i]), max(end, high[i]), cells + high[i] - low[i]
    return min(start, end), end, cells


def iterate_packed(values: Floats, band: Band, masses: Sides, power: float, pulls: Sides, iterations: int) -> Floats | None:
    """``u`` after so many iterations on the kernel ``values`` from ``u = 1``, shape (rows,), or None if the range of float32 did not do."""
    packs = packs_of(band.low, band.high)
    store, u, v, sums = _cache_lines(packs.size), *(_wide(np.ones(size)) for size in (band.rows, band.columns, band.columns))
    _pack(values, band.low, band.indptr, packs.eights, packs.ones, store)
    rows, columns = (_side(mass, pull) for mass, pull in zip(masses, pulls, strict=True))
    inside = _iterate(store, packs.eights, packs.ones, rows, columns, np.float32(power), u[: band.rows], v, sums, iterations)
    return u[: band.rows].astype(np.float64) if inside else None


def _cache_lines(size: int) -> Singles:
    """So many numbers that start where a cache line does."""
    raw = np.empty(size + LINE, dtype=np.float32)
    start = -raw.ctypes.data % 64 // raw.itemsize
    return raw[start : start + size]


def _wide(values: Floats) -> Singles:
    """Values of the rows or columns, followed by as many ones as the last pack may reach over the edge."""
    wide = np.ones((len(values) + LINE) // LANES * LANES, dtype=np.float32)
    wide[: len(values)] = values
    return wide


def _side(mass: Floats, pull: Floats) -> Side:
    """What a side's factors are found from: where there is no cell, 1 is wanted and 1 added, so that they rest at 1 without a branch."""
    return _wide(np.where(mass > 0, mass, 1.0)), _wide(mass == 0), _wide(pull)


@compiled()
def _pack(values: Floats, low: Ints, indptr: Offsets, eights: Offsets, ones: Offsets, store: Singles) -> None:
    """Copy the cells into the packed store, whose padding becomes 0."""
    line = np.empty(max(_widest(eights), _widest(ones)), dtype=np.float32)
    for b in range(len(eights)):
        first, left, width, at = eights[b, 0], eights[b, 1], eights[b, 2], eights[b, 3]
        for r in range(PACK):
            i = first + r
            _pad(values[indptr[i] : indptr[i + 1]], low[i] - left, line[:width])
            for k in range(0, width, LANES):
                put(store, at + PACK * k + LANES * r, load(line, k))
    for b in range(len(ones)):
        i, width, at = ones[b, 0], ones[b, 2], ones[b, 3]
        _pad(values[indptr[i] : indptr[i + 1]], 0, store[at : at + width])


@compiled()
def _widest(packs: Offsets) -> int:
    return packs[:, 2].max() if len(packs) else 0


@compiled()
def _pad(cells: Floats, shift: int, line: Singles) -> None:
    """Write the cells of a row into a line from ``shift`` on, and zeros beside them."""
    line[:shift], line[shift + cells.size :] = 0.0, 0.0
    inside = line[shift : shift + cells.size]
    for k in range(cells.size):
        inside[k] = cells[k] if cells[k] > NEGLIGIBLE else 0.0


@compiled()
def _in_range(factors: Singles) -> bool:
    inside = 0
    for j in range(factors.size):
        inside += (factors[j] > LEAST) & (factors[j] < MOST)
    return inside == factors.size


@compiled()
def _renew(side: Side, found: Any, i: int, power: np.float32, factors: Singles) -> None:
    """Write the eight factors from ``i`` on; ``found`` are their sums, as one value."""
    wanted, rest, pull = side
    put(factors, i, over(load(wanted, i), plus(found, load(rest, i))))
    if power != np.float32(1.0):
        for r in range(i, i + LANES):
            factors[r] = factors[r] ** power * pull[r]


@compiled()
def _row_sums(store: Singles, eights: Offsets, b: int, v: Singles) -> Any:
    """The sums of the eight rows of a pack."""
    left, width, at = eights[b, 1], eights[b, 2], eights[b, 3]
    t0 = t1 = t2 = t3 = t4 = t5 = t6 = t7 = spread(np.float32(0.0))
    for k in range(0, width, LANES):
        weight, cell = load(v, left + k), at + PACK * k
        t0 = added_product(t0, load(store, cell), weight)
        t1 = added_product(t1, load(store, cell + 8), weight)
        t2 = added_product(t2, load(store, cell + 16), weight)
        t3 = added_product(t3, load(store, cell + 24), weight)
        t4 = added_product(t4, load(store, cell + 32), weight)
        t5 = added_product(t5, load(store, cell + 40), weight)
        t6 = added_product(t6, load(store, cell + 48), weight)
        t7 = added_product(t7, load(store, cell + 56), weight)
    return totals(t0, t1, t2, t3, t4, t5, t6, t7)


@compiled()
def _add_rows(store: Singles, eights: Offsets, b: int, u: Singles, sums: Singles, ahead: int) -> None:
    """Add the rows of a pack to the column sums, and fetch what lies at ``ahead`` meanwhile."""
    i, left, width, at = eights[b, 0], eights[b, 1], eights[b, 2], eights[b, 3]
    u0, u1, u2, u3 = spread(u[i]), spread(u[i + 1]), spread(u[i + 2]), spread(u[i + 3])
    u4, u5, u6, u7 = spread(u[i + 4]), spread(u[i + 5]), spread(u[i + 6]), spread(u[i + 7])
    for k in range(0, width, LANES):
        total, cell = load(sums, left + k), at + PACK * k
        prefetch_block(store, ahead + PACK * k)
        total = added_product(total, load(store, cell), u0)
        total = added_product(total, load(store, cell + 8), u1)
        total = added_product(total, load(store, cell + 16), u2)
        total = added_product(total, load(store, cell + 24), u3)
        total = added_product(total, load(store, cell + 32), u4)
        total = added_product(total, load(store, cell + 40), u5)
        total = added_product(total, load(store, cell + 48), u6)
        total = added_product(total, load(store, cell + 56), u7)
        put(sums, left + k, total)


@compiled()
def _sweep_eights(store: Singles, eights: Offsets, rows: Side, v: Singles, sums: Singles, power: np.float32, u: Singles) -> None:
    """Renew the factors of the rows, and add each pack to the column sums while it is in the nearest cache.

    A pack is added after the next one has been summed: so there is work while the factors, which are divisions, are under way.
    """
    last = len(eights) - 1
    for b in range(len(eights)):
        _renew(rows, _row_sums(store, eights, b, v), eights[b, 0], power, u)
        if b:
            _add_rows(store, eights, b - 1, u, sums, eights[b, 3] + PACK * eights[b, 2])
    if last >= 0:
        _add_rows(store, eights, last, u, sums, 0)


@compiled(fastmath={"reassoc", "contract"}, error_model="numpy")
def _sweep_ones(store: Singles, ones: Offsets, rows: Side, v: Singles, sums: Singles, power: np.float32, u: Singles) -> None:
    """The same for the rows that are stored singly."""
    wanted, rest, pull = rows
    for b in range(len(ones)):
        i, left, width, at = ones[b, 0], ones[b, 1], ones[b, 2], ones[b, 3]
        row, weights, target = store[at : at + width], v[left : left + width], sums[left : left + width]
        total = np.float32(0.0)
        for k in range(width):
            total += row[k] * weights[k]
        u[i] = wanted[i] / (total + rest[i])
        if power != np.float32(1.0):
            u[i] = u[i] ** power * pull[i]
        scale = u[i]
        for k in range(width):
            target[k] += scale * row[k]


@compiled()
def _add_all(store: Singles, eights: Offsets, ones: Offsets, u: Singles, sums: Singles) -> None:
    """Add all rows to the column sums."""
    for b in range(len(eights)):
        _add_rows(store, eights, b, u, sums, eights[b, 3])
    for b in range(len(ones)):
        i, left, width, at = ones[b, 0], ones[b, 1], ones[b, 2], ones[b, 3]
        for k in range(width):
            sums[left + k] += u[i] * store[at + k]


@compiled()
def _iterate(
    store: Singles,
    eights: Offsets,
    ones: Offsets,
    rows: Side,
    columns: Side,
    power: np.float32,
    u: Singles,
    v: Singles,
    sums: Singles,
    iterations: int,
) -> bool:
    """Iterations on the packed store; False as soon as a factor leaves the range."""
    sums[:] = 0.0
    _add_all(store, eights, ones, u, sums)
    for _ in range(iterations):
        for j in range(0, v.size, LANES):
            _renew(columns, load(sums, j), j, power, v)
            put(sums, j, spread(np.float32(0.0)))
        _sweep_eights(store, eights, rows, v, sums, power, u)
        _sweep_ones(store, ones, rows, v, sums, power, u)
        if not (_in_range(u) and _in_range(v)):
            return False
    return True
