"""Posteriors of the hidden Markov model: which source unit each target unit comes from, and the other way round.

Computed group by group of the segment alignment with the frozen tables of ``lexical``; a pair of units that share no group has none.
An emission is the table's probability times ``exp(views)``: what the other views say of the pair weighs in, so that words the tables
hardly know still find their place in the order of the sentence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, Field
from scipy.sparse import csr_array

from pipeline_lib.alignment.band import Band, Floats, Ints
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.alignment.hmm import jump_matrix, posterior_alone
from pipeline_lib.alignment.lexical import Channel, Translation
from pipeline_lib.alignment.segments import Groups
from pipeline_lib.alignment.views import LocalTypes, type_pairs


class PosteriorConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """What the hidden Markov model makes of a pair beyond its tables."""

    views: float = Field(3.0, ge=0, description="strength of the views in an emission, exp(views * similarity)")
    middle: float = Field(1.0, description="similarity that changes nothing; below it the views speak against a pair")
    floor: float = Field(1e-4, gt=0, description="probability of a pair of types that was never met")
    same: float = Field(0.3, ge=0, le=1, description="probability of a type that was never met and stands in both texts")
    keep: float = Field(0.005, ge=0, le=1, description="pairs that stay below this in both directions are not stored")


@dataclass(frozen=True)
class Posteriors:
    """Both directions over the same cells.

    Attributes:
        forward: probability that target unit j comes from source unit i, shape (n, m), columns sum to at most 1.
        backward: probability that source unit i comes from target unit j, shape (n, m), rows sum to at most 1.
    """

    forward: csr_array
    backward: csr_array

    def as_row(self, keep: float) -> dict[str, object]:
        """The pairs' columns in POSTERIORS; those below ``keep`` in both directions are left out."""
        kept = (self.forward.data >= keep) | (self.backward.data >= keep)
        rows = np.repeat(np.arange(self.forward.shape[0], dtype=np.int32), np.diff(self.forward.indptr))
        return {
            "rows": rows[kept],
            "columns": self.forward.indices[kept].astype(np.int32),
            "forward": self.forward.data[kept].astype(np.float32),
            "backward": self.backward.data[kept].astype(np.float32),
        }


def posteriors(
    source: LocalTypes, target: LocalTypes, groups: Groups, translation: Translation, band: Band, views: Floats, config: PosteriorConfig
) -> Posteriors:
    """Posteriors of one document pair.

    Args:
        views: similarity of the cells of ``band``, shape (cells,); pairs outside of it have similarity 0.
    """
    ahead, back = translation.forward, translation.backward
    cells = np.diff(groups.source, axis=1)[:, 0].astype(np.int64) * np.diff(groups.target, axis=1)[:, 0]
    edges = np.concatenate([[0], np.cumsum(cells)])
    rows, columns = np.empty(edges[-1], dtype=np.int32), np.empty(edges[-1], dtype=np.int32)
    forward, backward = np.empty(edges[-1]), np.empty(edges[-1])
    _each_group(
        (source.of_unit, target.of_unit, groups.source, groups.target, edges),
        (band.low, band.high, band.indptr, views, config.views, config.middle),
        (_emission(source, target, ahead, config), _of_empty(target, ahead, config), ahead.jumps),
        (_emission(target, source, back, config), _of_empty(source, back, config), back.jumps),
        (rows, columns, forward, backward),
    )
    shape = (len(source.of_unit), len(target.of_unit))
    return Posteriors(*_gathered((forward, backward), rows, columns, shape))


def banded_posteriors(row: dict[str, Any], band: Band) -> tuple[Floats, Floats]:
    """A row of POSTERIORS back as ``forward`` and ``backward`` of every cell of a band, each of shape (cells,)."""
    rows, columns = np.array(row["rows"], dtype=np.int64), np.array(row["columns"], dtype=np.int64)
    inside = (columns >= band.low[rows]) & (columns < band.high[rows])
    cells = band.indptr[rows[inside]] + columns[inside] - band.low[rows[inside]]
    forward, backward = np.zeros(band.cells), np.zeros(band.cells)
    forward[cells], backward[cells] = np.array(row["forward"])[inside], np.array(row["backward"])[inside]
    return forward, backward


def _emission(given: LocalTypes, generated: LocalTypes, channel: Channel, config: PosteriorConfig) -> Floats:
    """Probability of each generated type from each given one, shape (distinct given, distinct generated)."""
    block = type_pairs(channel.table, given, generated)
    place = {kind: number for number, kind in enumerate(generated.strings)}
    for number, kind in enumerate(given.strings):
        if kind in place and min(given.known[number], generated.known[place[kind]]) < 0:
            block[number, place[kind]] = config.same
    return np.maximum(block, config.floor)


def _of_empty(generated: LocalTypes, channel: Channel, config: PosteriorConfig) -> Floats:
    return np.maximum(np.where(generated.known >= 0, channel.empty[generated.known], 0.0), config.floor)


def _gathered(found: tuple[Floats, ...], rows: Ints, columns: Ints, shape: tuple[int, int]) -> Iterator[csr_array]:
    """Mean over the groups that hold a cell: slices overlap."""
    cells, place = np.unique(rows * np.int64(shape[1]) + columns, return_inverse=True)
    met = np.bincount(place)
    indptr = np.searchsorted(cells, np.arange(shape[0] + 1) * shape[1])
    for values in found:
        yield csr_array((np.bincount(place, values) / met, cells % shape[1], indptr), shape=shape)


@compiled()
def _posterior(given, generated, boost, channel):  # type: ignore[no-untyped-def]
    """Shape (generated units, given units); boost, of the same shape, multiplies the emissions."""
    emission, empty, jumps = channel
    n, m = given.size, generated.size
    local, null = np.empty((m, n)), np.empty(m)
    for j in range(m):
        null[j] = empty[generated[j]]
        for i in range(n):
            local[j, i] = emission[given[i], generated[j]] * boost[j, i]
    return posterior_alone(local, null, jump_matrix(n, jumps))


@compiled()
def _boost(first, last, left, right, cells):  # type: ignore[no-untyped-def]
    """exp(strength * (similarity - middle)) of source units first..last and target units left..right, exclusive."""
    low, high, indptr, views, strength, middle = cells
    result = np.full((last - first, right - left), np.exp(-strength * middle))
    for i in range(first, last):
        for j in range(max(left, low[i]), min(right, high[i])):
            result[i - first, j - left] = np.exp(strength * (views[indptr[i] + j - low[i]] - middle))
    return result


@compiled()
def _each_group(texts, cells, ahead, back, result):  # type: ignore[no-untyped-def]
    source, target, source_groups, target_groups, edges = texts
    rows, columns, forward, backward = result
    for g in range(edges.size - 1):
        if edges[g + 1] == edges[g]:
            continue
        (a, b), (c, d) = source_groups[g], target_groups[g]
        boost = _boost(a, b, c, d, cells)
        to_target = _posterior(source[a:b], target[c:d], boost.T, ahead)
        to_source = _posterior(target[c:d], source[a:b], boost, back)
        k = edges[g]
        for i in range(b - a):
            for j in range(d - c):
                rows[k], columns[k] = a + i, c + j
                forward[k], backward[k] = to_target[j, i], to_source[i, j]
                k += 1
