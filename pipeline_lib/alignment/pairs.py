"""The distinct pairs of types that meet in aligned groups, numbered without holding every meeting: memory is O(units + pairs).

A pair's number is its place in rows of ascending target types, one row a source type; it is found by binary search in its row.
"""

import numpy as np
from numba import njit


@njit(nogil=True)
def meeting_pairs(text, source_types, target_types):  # type: ignore[no-untyped-def]
    """Which target types every source type meets.

    Args: text: (source, target, source_edges, target_edges), see ``lexical.GroupedText``.
    Returns: start of each source type's row, shape (source types + 1,); target types, ascending in a row, shape (pairs,).
    """
    starts, groups = _groups_of_types(text[0], text[2], source_types)
    indptr = np.zeros(source_types + 1, dtype=np.int64)
    seen = np.full(target_types, -1, dtype=np.int32)
    for kind in range(source_types):
        indptr[kind + 1] = indptr[kind] + _meet(kind, groups[starts[kind] : starts[kind + 1]], text, seen, seen[:0])
    indices = np.empty(indptr[-1], dtype=np.int32)
    seen[:] = -1
    for kind in range(source_types):
        row = indices[indptr[kind] : indptr[kind + 1]]
        _meet(kind, groups[starts[kind] : starts[kind + 1]], text, seen, row)
        row.sort()
    return indptr, indices


@njit(nogil=True)
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


@njit(nogil=True)
def normalise(counts, indptr):  # type: ignore[no-untyped-def]
    """Divide every row by its sum, in place."""
    for kind in range(indptr.size - 1):
        total = 0.0
        for k in range(indptr[kind], indptr[kind + 1]):
            total += counts[k]
        for k in range(indptr[kind], indptr[kind + 1]):
            counts[k] /= total


@njit(nogil=True)
def _groups_of_types(source, source_edges, source_types):  # type: ignore[no-untyped-def]
    """The groups in which each type stands, ascending: starts, shape (types + 1,), and groups, shape (units,)."""
    starts = np.zeros(source_types + 1, dtype=np.int64)
    for kind in source:
        starts[kind + 1] += 1
    starts = np.cumsum(starts)
    places = starts[:-1].copy()
    groups = np.empty(source.size, dtype=np.int32)
    for g in range(source_edges.size - 1):
        for i in range(source_edges[g], source_edges[g + 1]):
            groups[places[source[i]]] = g
            places[source[i]] += 1
    return starts, groups


@njit(nogil=True)
def _meet(kind, groups, text, seen, row):  # type: ignore[no-untyped-def]
    """Count the target types that stand in ``groups``, and list them in ``row`` if it has room; ``seen`` holds who saw a type last."""
    number, before = 0, -1
    for g in groups:
        if g == before:
            continue
        before = g
        for j in range(text[3][g], text[3][g + 1]):
            if seen[text[1][j]] != kind:
                seen[text[1][j]] = kind
                if row.size:
                    row[number] = text[1][j]
                number += 1
    return number
