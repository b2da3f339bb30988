"""Expectations of IBM model 1 and of the hidden Markov model, compiled.

The HMM's states are (source position, translates or empty); the empty word keeps the position (Och & Ney 2003).
"""

import numpy as np
from numba import njit

JUMPS = 2 * 12 + 1  # jump widths are told apart up to 12 units, wider ones share the edge bins
EMPTY_WORD = 0.1  # prior probability of translating nothing (Och & Ney 2003 use 0.2 to 0.4 for other pairs)


@njit(nogil=True)
def cell_keys(source, target, source_edges, target_edges, cell_edges, cells):  # type: ignore[no-untyped-def]
    for g in range(source_edges.size - 1):
        k = cell_edges[g]
        for j in range(target_edges[g], target_edges[g + 1]):
            for i in range(source_edges[g], source_edges[g + 1]):
                cells[k] = (np.int64(source[i]) << 32) | np.int64(target[j])
                k += 1


@njit(nogil=True)
def expect_ibm1(target, source_edges, target_edges, pair_of_cell, cell_edges, table, empty, counts, empty_counts):  # type: ignore[no-untyped-def]
    for g in range(source_edges.size - 1):
        n = source_edges[g + 1] - source_edges[g]
        if n == 0:
            continue
        k = cell_edges[g]
        for j in range(target_edges[g], target_edges[g + 1]):
            null = EMPTY_WORD * empty[target[j]]
            total = null
            for i in range(n):
                total += (1.0 - EMPTY_WORD) / n * table[pair_of_cell[k + i]]
            if total > 0.0:
                for i in range(n):
                    pair = pair_of_cell[k + i]
                    counts[pair] += (1.0 - EMPTY_WORD) / n * table[pair] / total
                empty_counts[target[j]] += null / total
            k += n


@njit(nogil=True)
def jump_matrix(n, jumps):  # type: ignore[no-untyped-def]
    """Probability of moving from source position i (row) to k (column), each row sums to 1."""
    reach = JUMPS // 2
    matrix = np.empty((n, n))
    for i in range(n):
        total = 0.0
        for k in range(n):
            matrix[i, k] = jumps[min(max(k - i, -reach), reach) + reach]
            total += matrix[i, k]
        for k in range(n):
            matrix[i, k] /= total
    return matrix


@njit(nogil=True)
def forward_backward(emission, null, move):  # type: ignore[no-untyped-def]
    """Posteriors of an HMM whose states are (position, translates or empty).

    Args: emission (m, n) and null (m,): probability of unit j given its state; move (n, n).
    Returns: posterior (m, n) of translating position i; expected moves (n, n).
    """
    m, n = emission.shape
    word, rest = np.zeros((m, n)), np.zeros((m, n))
    scale = np.zeros(m)
    for j in range(m):
        for i in range(n):
            if j == 0:
                arrive, stay = 1.0 / n, 1.0 / n
            else:
                arrive, stay = 0.0, word[j - 1, i] + rest[j - 1, i]
                for h in range(n):
                    arrive += (word[j - 1, h] + rest[j - 1, h]) * move[h, i]
            word[j, i] = (1.0 - EMPTY_WORD) * arrive * emission[j, i]
            rest[j, i] = EMPTY_WORD * stay * null[j]
            scale[j] += word[j, i] + rest[j, i]
        scale[j] = max(scale[j], 1e-300)
        for i in range(n):
            word[j, i] /= scale[j]
            rest[j, i] /= scale[j]
    posterior, moves = np.zeros((m, n)), np.zeros((n, n))
    after, before = np.ones(n), np.ones(n)  # both states of a position share what follows
    for j in range(m - 1, -1, -1):
        for i in range(n):
            posterior[j, i] = word[j, i] * after[i]
        if j == 0:
            break
        for h in range(n):
            before[h] = EMPTY_WORD * null[j] * after[h] / scale[j]
            for i in range(n):
                flow = (1.0 - EMPTY_WORD) * move[h, i] * emission[j, i] * after[i] / scale[j]
                before[h] += flow
                moves[h, i] += (word[j - 1, h] + rest[j - 1, h]) * flow
        after[:] = before
    return posterior, moves


@njit(nogil=True)
def expect_hmm(target, source_edges, target_edges, pair_of_cell, cell_edges, table, empty, jumps, counts, empty_counts, jump_counts):  # type: ignore[no-untyped-def]
    reach = JUMPS // 2
    for g in range(source_edges.size - 1):
        n, m = source_edges[g + 1] - source_edges[g], target_edges[g + 1] - target_edges[g]
        if n == 0 or m == 0:
            continue
        emission, null = np.empty((m, n)), np.empty(m)
        for j in range(m):
            null[j] = empty[target[target_edges[g] + j]]
            for i in range(n):
                emission[j, i] = table[pair_of_cell[cell_edges[g] + j * n + i]]
        posterior, moves = forward_backward(emission, null, jump_matrix(n, jumps))
        for j in range(m):
            left = 1.0
            for i in range(n):
                counts[pair_of_cell[cell_edges[g] + j * n + i]] += posterior[j, i]
                left -= posterior[j, i]
            empty_counts[target[target_edges[g] + j]] += max(left, 0.0)
        for h in range(n):
            for i in range(n):
                jump_counts[min(max(i - h, -reach), reach) + reach] += moves[h, i]
