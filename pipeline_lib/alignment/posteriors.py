"""Posteriors of the hidden Markov model: which source unit each target unit comes from, and the other way round.

Computed group by group of the segment alignment with the frozen tables of ``lexical``; a pair of units that share no group has none.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from pydantic import BaseModel, Field
from scipy.sparse import csr_array

from pipeline_lib.alignment.band import Band, Floats, Ints
from pipeline_lib.alignment.hmm import forward_backward, jump_matrix
from pipeline_lib.alignment.lexical import Channel, Translation
from pipeline_lib.alignment.segments import Groups
from pipeline_lib.alignment.views import LocalTypes


class PosteriorConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """What the hidden Markov model says of pairs that its tables do not hold."""

    floor: float = Field(1e-6, gt=0, description="probability of a pair of types that was never met")
    same: float = Field(0.3, ge=0, le=1, description="probability of a type that was never met and stands in both texts")


@dataclass(frozen=True)
class Posteriors:
    """Both directions over the same cells.

    Attributes:
        forward: probability that target unit j comes from source unit i, shape (n, m), columns sum to at most 1.
        backward: probability that source unit i comes from target unit j, shape (n, m), rows sum to at most 1.
    """

    forward: csr_array
    backward: csr_array


def posteriors(source: LocalTypes, target: LocalTypes, groups: Groups, translation: Translation, config: PosteriorConfig) -> Posteriors:
    """Posteriors of one document pair."""
    ahead, back = translation.forward, translation.backward
    cells = np.diff(groups.source, axis=1)[:, 0].astype(np.int64) * np.diff(groups.target, axis=1)[:, 0]
    edges = np.concatenate([[0], np.cumsum(cells)])
    rows, columns = np.empty(edges[-1], dtype=np.int32), np.empty(edges[-1], dtype=np.int32)
    forward, backward = np.empty(edges[-1]), np.empty(edges[-1])
    _each_group(
        (source.of_unit, target.of_unit, groups.source, groups.target, edges),
        (_emission(source, target, ahead, config), _of_empty(target, ahead, config), ahead.jumps),
        (_emission(target, source, back, config), _of_empty(source, back, config), back.jumps),
        (rows, columns, forward, backward),
    )
    shape = (len(source.of_unit), len(target.of_unit))
    return Posteriors(_gathered(forward, rows, columns, shape), _gathered(backward, rows, columns, shape))


def in_band(table: csr_array, band: Band) -> Floats:
    """The values of ``table``, shape (n, m), in the cells of the band; shape (cells,)."""
    result = np.zeros(band.cells)
    _place(table.data, table.indices, table.indptr, band.low, band.high, band.indptr, result)
    return result


def _emission(given: LocalTypes, generated: LocalTypes, channel: Channel, config: PosteriorConfig) -> Floats:
    """Probability of each generated type from each given one, shape (distinct given, distinct generated)."""
    block = np.asarray(channel.table[given.known][:, generated.known].toarray(), dtype=np.float64)
    unknown = (given.known < 0)[:, None] | (generated.known < 0)[None, :]
    place = {kind: number for number, kind in enumerate(generated.strings)}
    same = np.zeros(block.shape, dtype=bool)
    for number, kind in enumerate(given.strings):
        if kind in place:
            same[number, place[kind]] = True
    return np.maximum(np.where(unknown, np.where(same, config.same, 0.0), block), config.floor)


def _of_empty(generated: LocalTypes, channel: Channel, config: PosteriorConfig) -> Floats:
    return np.maximum(np.where(generated.known >= 0, channel.empty[generated.known], 0.0), config.floor)


def _gathered(values: Floats, rows: Ints, columns: Ints, shape: tuple[int, int]) -> csr_array:
    """Mean over the groups that hold a cell: slices overlap."""
    total, met = csr_array((values, (rows, columns)), shape=shape), csr_array((np.ones_like(values), (rows, columns)), shape=shape)
    total.data /= met.data
    total.sort_indices()
    return total


@njit(nogil=True)
def _posterior(given, generated, channel):  # type: ignore[no-untyped-def]
    """Shape (generated units, given units)."""
    emission, empty, jumps = channel
    n, m = given.size, generated.size
    local, null = np.empty((m, n)), np.empty(m)
    for j in range(m):
        null[j] = empty[generated[j]]
        for i in range(n):
            local[j, i] = emission[given[i], generated[j]]
    return forward_backward(local, null, jump_matrix(n, jumps))[0]


@njit(nogil=True)
def _each_group(texts, ahead, back, result):  # type: ignore[no-untyped-def]
    source, target, source_groups, target_groups, edges = texts
    rows, columns, forward, backward = result
    for g in range(edges.size - 1):
        if edges[g + 1] == edges[g]:
            continue
        (a, b), (c, d) = source_groups[g], target_groups[g]
        to_target = _posterior(source[a:b], target[c:d], ahead)
        to_source = _posterior(target[c:d], source[a:b], back)
        k = edges[g]
        for i in range(b - a):
            for j in range(d - c):
                rows[k], columns[k] = a + i, c + j
                forward[k], backward[k] = to_target[j, i], to_source[i, j]
                k += 1


@njit(nogil=True)
def _place(values, indices, indptr, low, high, band_indptr, result):  # type: ignore[no-untyped-def]
    for i in range(low.size):
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            if low[i] <= j < high[i]:
                result[band_indptr[i] + j - low[i]] = values[k]
