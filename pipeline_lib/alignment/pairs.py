"""The distinct pairs of types that meet, counted and numbered without holding every meeting: memory is O(units + pairs).

A pair's number is its place in rows of ascending target types, one row a source type; it is found by binary search in its row.
"""

import numpy as np
import numpy.typing as npt

from pipeline_lib.alignment.band import Ints
from pipeline_lib.alignment.compiled import compiled

Offsets = npt.NDArray[np.int64]
FlatText = tuple[Ints, Ints, Offsets, Offsets]


@compiled()
def count_meetings(source, target, low, high, source_types, target_types):  # type: ignore[no-untyped-def]
    """How often every two types meet, where source unit u meets the target units ``low[u]`` to ``high[u]``, exclusive.

    Args: source, target: types, flat; low, high: shape (source units,).
    Returns: start of each source type's row, shape (source types + 1,); target types, ascending in a row, and counts, shape (pairs,).
    """
    starts, units = _units_of_types(source, source_types)
    counts = np.zeros(target_types, dtype=np.int32)
    met = np.empty(target_types, dtype=np.int32)
    indptr = np.zeros(source_types + 1, dtype=np.int64)
    for kind in range(source_types):
        number = _meet(units[starts[kind] : starts[kind + 1]], target, low, high, counts, met)
        counts[met[:number]] = 0
        indptr[kind + 1] = indptr[kind] + number
    indices, values = np.empty(indptr[-1], dtype=np.int32), np.empty(indptr[-1], dtype=np.int32)
    for kind in range(source_types):
        number = _meet(units[starts[kind] : starts[kind + 1]], target, low, high, counts, met)
        row = np.sort(met[:number])
        indices[indptr[kind] : indptr[kind + 1]], values[indptr[kind] : indptr[kind + 1]] = row, counts[row]
        counts[row] = 0
    return indptr, indices, values


def meeting_pairs(text: FlatText, source_types: int, target_types: int) -> tuple[Offsets, Ints]:
    """Which target types every source type meets in a group: the first two results of ``count_meetings``.

    Args:
        text: (source, target, source_edges, target_edges), see ``lexical.GroupedText``.
    """
    source, target, source_edges, target_edges = text
    low, high = (np.repeat(edges.astype(np.int32), np.diff(source_edges)) for edges in (target_edges[:-1], target_edges[1:]))
    indptr, indices, _ = count_meetings(source, target, low, high, source_types, target_types)
    return indptr, indices


def narrowed(indptr: Offsets) -> Ints | Offsets:
    """32-bit row starts where they suffice: scipy widens both index arrays of a table otherwise."""
    return indptr.astype(np.int32) if indptr[-1] < 2**31 else indptr


@compiled()
def locate(text, g, pairs):  # type: ignore[no-untyped-def]
    """The pair's number of every cell of group ``g``, shape (target units, source units); ``pairs`` as ``meeting_pairs`` gives them."""
    source, target, source_edges, target_edges = text
    indptr, indices = pairs
    a, c = source_edges[g], target_edges[g]
    n, m = source_edges[g + 1] - a, target_edges[g + 1] - c
    found = np.empty((m, n), dtype=np.int64)
    for i in range(n):  # row by row, so that a row stays in the cache
        first, last = indptr[source[a + i]], indptr[source[a + i] + 1]
        for j in range(m):
            kind, low, size = target[c + j], first, last - first
            while size > 1:
                half = size >> 1
                low = low + half if indices[low + half] <= kind else low
                size -= half
            found[j, i] = low
    return found


@compiled()
def normalise(counts, indptr):  # type: ignore[no-untyped-def]
    """Divide every row by its sum, in place."""
    for kind in range(indptr.size - 1):
        total = 0.0
        for k in range(indptr[kind], indptr[kind + 1]):
            total += counts[k]
        for k in range(indptr[kind], indptr[kind + 1]):
            counts[k] /= total


@compiled()
def _units_of_types(source, source_types):  # type: ignore[no-untyped-def]
    """Where each type stands, ascending: starts, shape (types + 1,), and units, shape (units,)."""
    starts = np.zeros(source_types + 1, dtype=np.int64)
    for kind in source:
        starts[kind + 1] += 1
    starts = np.cumsum(starts)
    places = starts[:-1].copy()
    units = np.empty(source.size, dtype=np.int32)
    for unit in range(source.size):
        units[places[source[unit]]] = unit
        places[source[unit]] += 1
    return starts, units


@compiled()
def _meet(units, target, low, high, counts, met):  # type: ignore[no-untyped-def]
    """Add to ``counts``, a target type, what ``units`` meet; ``met`` lists the types, how many of them is returned."""
    number = 0
    for unit in units:
        for j in range(low[unit], high[unit]):
            if counts[target[j]] == 0:
                met[number] = target[j]
                number += 1
            counts[target[j]] += 1
    return number
