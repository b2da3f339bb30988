"""Coarse monotone alignment: which sentence-like pieces of two texts translate each other.

A dynamic programme over groups of up to four segments a side, scored by shared character n-grams and numbers and by length
(after Gale & Church 1993; Moore 2002 for the use of content). Where a text offers no segments, proportional slices stand in.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel, Field

from data_contracts.alignment import SEGMENT_PAIRS
from pipeline_lib.alignment.band import Band, BandConfig, Floats, Ints, band_around, joined, scaled_diagonal
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.alignment.ngrams import ngram_counts, products
from pipeline_lib.alignment.units import GridText

MOVES = np.array([(1, 1), (1, 2), (2, 1), (1, 3), (3, 1), (1, 4), (4, 1), (2, 2), (1, 0), (0, 1)], dtype=np.int64)
NGRAM_SIZES, NGRAM_COLUMNS = (3, 5), 2**16


class SegmentConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How segments are aligned."""

    merge_penalty: float = Field(0.05, ge=0, description="cost of a move other than 1:1, in units of similarity")
    skip_penalty: float = Field(0.3, ge=0, description="cost of leaving a segment without counterpart")
    length_weight: float = Field(0.3, ge=0, description="weight of the length mismatch |log ratio|")
    slice_units: int = Field(24, ge=1, description="source units of a proportional slice, where segments do not help")
    slice_margin: int = Field(12, ge=0, description="target units added on both sides of a slice")
    longest_segment: int = Field(400, ge=1, description="a text with a longer segment is sliced instead")


@dataclass(frozen=True)
class Groups:
    """Aligned groups of one document pair: source units [source[k,0], source[k,1]) translate target units [target[k,0], target[k,1]).

    Attributes:
        source, target: shape (groups, 2), unit indices; ascending; an empty side means no counterpart.
        sliced: whether proportional slices stood in for segments.
    """

    source: Ints
    target: Ints
    sliced: bool

    def as_row(self) -> dict[str, object]:
        """The groups' columns in SEGMENT_PAIRS."""
        names = ("source_starts", "source_ends", "target_starts", "target_ends")
        return dict(zip(names, (*self.source.T, *self.target.T), strict=True)) | {"sliced": self.sliced}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
        source, target = ((row[f"{side}_starts"], row[f"{side}_ends"]) for side in ("source", "target"))
        return cls(np.array(source, dtype=np.int32).T, np.array(target, dtype=np.int32).T, row["sliced"])


def align_segments(
    source_types: list[str], source_breaks: list[int], target_types: list[str], target_breaks: list[int], config: SegmentConfig
) -> Groups:
    """Align two texts given as unit types and segment starts (see ``Units.breaks``)."""
    source_edges = np.array([*source_breaks, len(source_types)], dtype=np.int64)
    target_edges = np.array([*target_breaks, len(target_types)], dtype=np.int64)
    longest = max(np.diff(source_edges).max(), np.diff(target_edges).max())
    if longest > config.longest_segment or min(len(source_breaks), len(target_breaks)) == 1 < max(len(source_breaks), len(target_breaks)):
        return _slices(len(source_types), len(target_types), config)
    similarity, source_gram, target_gram = _grams(_bags(source_types, source_edges), _bags(target_types, target_edges))
    pace = len(target_types) / len(source_types)
    path = _best_path(
        _summed(similarity), _summed(source_gram), _summed(target_gram), source_edges, target_edges, pace, MOVES, _penalties(config),
        config.length_weight,
    )  # fmt: skip
    return Groups(source_edges[path[:, [0, 1]]].astype(np.int32), target_edges[path[:, [2, 3]]].astype(np.int32), sliced=False)


def anchored_diagonal(groups: Groups, rows: int, columns: int) -> Floats:
    """The column that each source unit meets when every group is walked at its own pace, shape (rows,)."""
    if groups.sliced:
        return scaled_diagonal(rows, columns)
    # Both ends of every group: where target groups without counterpart lie between two of them, the diagonal jumps.
    diagonal: Floats = np.interp(np.arange(rows) + 0.5, groups.source.ravel(), groups.target.ravel()) - 0.5
    return diagonal


def anchored_band(groups: Groups | None, rows: int, columns: int, config: BandConfig) -> tuple[Band, Floats]:
    """The band around the anchored diagonal, and that diagonal, shape (rows,); without groups the scaled one's (paper).

    The scaled diagonal's band is always inside, so that a plan exists wherever the segments lead.
    """
    centre = scaled_diagonal(rows, columns)
    band = band_around(centre, columns, config)
    if groups is None:
        return band, centre
    centre = anchored_diagonal(groups, rows, columns)
    return joined(band, band_around(centre, columns, config)), centre


def segment_pairs_table(
    source: dict[str, GridText], target: dict[str, GridText], langs: tuple[str, str], config: SegmentConfig
) -> pa.Table:
    """SEGMENT_PAIRS of the documents that both sides hold."""
    rows = []
    for document, ours in source.items():
        if document in target:
            theirs = target[document]
            groups = align_segments(ours.types, ours.breaks, theirs.types, theirs.breaks, config)
            rows.append({"document": document, "source_lang": langs[0], "target_lang": langs[1]} | groups.as_row())
    return SEGMENT_PAIRS.table(rows)


def segment_pairs(table: pa.Table) -> dict[str, Groups]:
    """SEGMENT_PAIRS back as groups, by document id."""
    return {row["document"]: Groups.from_row(row) for row in table.to_pylist()}


def _slices(rows: int, columns: int, config: SegmentConfig) -> Groups:
    starts = np.arange(0, rows, config.slice_units)
    ends = np.minimum(starts + config.slice_units, rows)
    low = np.clip(starts * columns // rows - config.slice_margin, 0, columns - 1)
    high = np.clip(-(-ends * columns // rows) + config.slice_margin, 1, columns)
    return Groups(np.stack([starts, ends], 1).astype(np.int32), np.stack([low, high], 1).astype(np.int32), sliced=True)


def _bags(types: list[str], edges: npt.NDArray[np.int64]) -> list[str]:
    return [" ".join(types[a:b]) for a, b in pairwise(edges)]


def _grams(source: list[str], target: list[str]) -> tuple[Floats, Floats, Floats]:
    """Inner products source x target, source x source, target x target of idf-weighted n-gram counts."""
    bags = ngram_counts([*source, *target], *NGRAM_SIZES, NGRAM_COLUMNS)
    bags.data = np.log1p(bags.data)
    document_frequency = np.bincount(bags.indices, minlength=bags.shape[1])
    bags.data *= np.log(1 + bags.shape[0] / document_frequency[bags.indices])
    gram = products(bags, bags)
    n = len(source)
    return gram[:n, n:], gram[:n, :n], gram[n:, n:]


def _summed(matrix: Floats) -> Floats:
    """Two-dimensional prefix sums with a zero row and column in front, so that a group's inner product is four look-ups."""
    return np.pad(matrix.cumsum(0).cumsum(1), ((1, 0), (1, 0)))


def _penalties(config: SegmentConfig) -> Floats:
    return np.array([config.skip_penalty if 0 in (a, b) else config.merge_penalty * (a + b - 2) for a, b in MOVES.tolist()])


@compiled()
def _block(sums: Floats, a: int, b: int, c: int, d: int) -> float:
    total: float = sums[b, d] - sums[a, d] - sums[b, c] + sums[a, c]
    return total


@compiled()
def _best_path(
    cross: Floats,
    source_gram: Floats,
    target_gram: Floats,
    source_edges: npt.NDArray[np.int64],
    target_edges: npt.NDArray[np.int64],
    pace: float,
    moves: npt.NDArray[np.int64],
    penalties: Floats,
    length_weight: float,
) -> npt.NDArray[np.int64]:
    """Rows (source from, source to, target from, target to) in segments, of the path with the largest length-weighted score."""
    n, m = cross.shape[0] - 1, cross.shape[1] - 1
    best = np.full((n + 1, m + 1), -np.inf)
    step = np.full((n + 1, m + 1), -1)
    best[0, 0] = 0.0
    for i in range(n + 1):
        for j in range(m + 1):
            for k in range(len(moves)):
                a, b = i - moves[k, 0], j - moves[k, 1]
                if a < 0 or b < 0 or best[a, b] == -np.inf:
                    continue
                source_length = (source_edges[i] - source_edges[a]) * pace
                target_length = float(target_edges[j] - target_edges[b])
                score = -penalties[k]
                if source_length > 0 and target_length > 0:
                    norm = np.sqrt(_block(source_gram, a, i, a, i) * _block(target_gram, b, j, b, j))
                    score += _block(cross, a, i, b, j) / max(norm, 1e-12)
                    score -= length_weight * abs(np.log((target_length + 2.0) / (source_length + 2.0)))
                value = best[a, b] + score * (source_length + target_length)
                if value > best[i, j]:
                    best[i, j], step[i, j] = value, k
    path = np.zeros((n + m, 4), dtype=np.int64)
    i, j, length = n, m, 0
    while i > 0 or j > 0:
        a, b = i - moves[step[i, j], 0], j - moves[step[i, j], 1]
        path[length] = (a, i, b, j)
        i, j, length = a, b, length + 1
    return path[:length][::-1]
