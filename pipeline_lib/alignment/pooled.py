"""Pooled views: how alike the surroundings of two units look, the cosine of their windows' weighted mean vectors.

The inner product of two sums of vectors is the sum of the inner products. So the types' similarities, which are there anyway, are summed
over windows of source and target units by adding what enters and subtracting what leaves: no position needs a vector, and a cell costs
the same however wide its windows are.
"""

import numpy as np

from pipeline_lib.alignment.band import Band, Floats
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.alignment.fitted import Rows, Vocabulary
from pipeline_lib.alignment.views import LocalTypes

SIF = 1e-3  # smooth inverse frequency (Arora et al. 2017): weight a / (a + p(type))
NOTHING = 1e-9  # a window's sum that is no longer than this is left over from what was subtracted


def salience(text: LocalTypes, vocabulary: Vocabulary) -> Floats:
    """Weight of each distinct type in a window, 0 for unseen ones; shape (distinct,)."""
    return np.where(text.known >= 0, SIF / (SIF + vocabulary.counts[text.known] / vocabulary.total), 0.0)


def window_lengths(text: LocalTypes, table: Rows, weights: Floats, half_width: int) -> Floats:
    """Length of the weighted sum of the types' vectors over the window around every unit, shape (units,); weights: shape (distinct,)."""
    lengths = np.empty(len(text.of_unit))
    _slide(text.vectors(table), weights, text.of_unit, half_width, lengths)
    return lengths


def pooled_view(
    similarity: Floats, source: tuple[LocalTypes, Floats, Floats], target: tuple[LocalTypes, Floats, Floats], half_width: int, band: Band
) -> Floats:
    """Cosine of the windows' sums for every cell of the band, 0 where one is 0; shape (cells,).

    Args:
        similarity: inner products of the types' vectors, shape (distinct source, distinct target).
        source, target: types, their weights (``salience``), and the ``window_lengths``.
    """
    (ours, our_weights, our_lengths), (theirs, their_weights, their_lengths) = source, target
    result = np.empty(band.cells)
    _pool(
        similarity,
        (ours.of_unit, our_weights[ours.of_unit], _inverse(our_lengths)),
        (theirs.of_unit, their_weights[theirs.of_unit], _inverse(their_lengths)),
        half_width,
        (band.low, band.high, _reach(band.low, band.high, half_width)),
        result,
    )
    return result


def _inverse(lengths: Floats) -> Floats:
    return np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > NOTHING)


@compiled(fastmath={"reassoc", "contract"})
def _slide(vectors, weights, of_unit, half_width, lengths):  # type: ignore[no-untyped-def]
    total = np.zeros(vectors.shape[1])
    for entering in range(of_unit.size + half_width):
        if entering < of_unit.size:
            kind = of_unit[entering]
            for d in range(total.size):
                total[d] += weights[kind] * vectors[kind, d]
        place, leaving = entering - half_width, entering - 2 * half_width - 1
        if leaving >= 0:
            kind = of_unit[leaving]
            for d in range(total.size):
                total[d] -= weights[kind] * vectors[kind, d]
        if place >= 0:
            square = 0.0
            for d in range(total.size):
                square += total[d] * total[d]
            lengths[place] = np.sqrt(square)


@compiled()
def _reach(low, high, half_width):  # type: ignore[no-untyped-def]
    """The columns that the band has anywhere in the window around each row: first and one past the last, shape (rows, 2)."""
    found = np.empty((low.size, 2), dtype=np.int64)
    for row in range(low.size):
        first, last = max(row - half_width, 0), min(row + half_width + 1, low.size)
        found[row, 0], found[row, 1] = low[first:last].min(), high[first:last].max()
    return found


@compiled()
def _pool(similarity, ours, theirs, half_width, band, result):  # type: ignore[no-untyped-def]
    """``pooled_view``; either side is given as types, weights and inverse lengths of its units, each of shape (units,)."""
    (source, weights, inverse), (target, their_weights, their_inverse), (low, high, reach) = ours, theirs, band
    width, k = 2 * half_width + 1, 0
    rows = np.empty((width, target.size))  # of the source units in the window: similarity to every target window in their reach
    total, prefix = np.zeros(target.size), np.zeros(target.size + 1)
    for entering in range(source.size + half_width):
        row, leaving, place = rows[entering % width], entering - width, entering - half_width
        if leaving >= 0:
            for j in range(reach[leaving, 0], reach[leaving, 1]):
                total[j] -= row[j]
        if entering < source.size:
            _window_sums(similarity[source[entering]], weights[entering], (target, their_weights), half_width, reach[entering], prefix, row)
            for j in range(reach[entering, 0], reach[entering, 1]):
                total[j] += row[j]
        if place >= 0:
            for j in range(low[place], high[place]):
                result[k] = total[j] * inverse[place] * their_inverse[j]
                k += 1


@compiled()
def _window_sums(similarity, weight, theirs, half_width, reach, prefix, row):  # type: ignore[no-untyped-def]
    """Weighted sums of one source unit's similarities over the target window around every column of ``reach``."""
    target, their_weights = theirs
    first, last = max(reach[0] - half_width, 0), min(reach[1] + half_width, target.size)
    running = 0.0
    prefix[first] = 0.0
    for j in range(first, last):
        running += weight * their_weights[j] * similarity[target[j]]
        prefix[j + 1] = running
    for j in range(reach[0], reach[1]):
        row[j] = prefix[min(j + half_width + 1, last)] - prefix[max(j - half_width, first)]
