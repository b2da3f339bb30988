"""Expectations of IBM model 1 and of the hidden Markov model, compiled.

The HMM's states are (source position, translates or empty); the empty word keeps the position (Och & Ney 2003).
"""

import numpy as np

from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.alignment.pairs import locate

JUMPS = 2 * 12 + 1  # jump widths are told apart up to 12 units, wider ones share the edge bins
EMPTY_WORD = 0.1  # prior probability of translating nothing (Och & Ney 2003 use 0.2 to 0.4 for other pairs)


@compiled()
def expect_ibm1(text, pairs, table, empty, counts, empty_counts):  # type: ignore[no-untyped-def]
    """Add expected counts to ``counts``, a pair, and ``empty_counts``, a target type; ``text`` and ``pairs`` as in ``pairs.locate``."""
    target, source_edges, target_edges = text[1], text[2], text[3]
    for g in range(source_edges.size - 1):
        n = source_edges[g + 1] - source_edges[g]
        if n == 0:
            continue
        where = locate(text, g, pairs)
        for j in range(where.shape[0]):
            kind = target[target_edges[g] + j]
            null = EMPTY_WORD * empty[kind]
            total = null
            for i in range(n):
                total += (1.0 - EMPTY_WORD) / n * table[where[j, i]]
            if total > 0.0:
                for i in range(n):
                    counts[where[j, i]] += (1.0 - EMPTY_WORD) / n * table[where[j, i]] / total
                empty_counts[kind] += null / total


@compiled()
def jump_matrix(n, jumps):  # type: ignore[no-untyped-def]
    """Probability of moving from source position i (row) to k (column), each row sums to 1."""
    reach = JUMPS // 2
    matrix = np.empty((n, n))
    for i in range(n):
        total = 0.0
        back, ahead = max(i - reach + 1, 1), max(n - i - reach, 1)  # positions that share an edge bin share its probability
        for k in range(n):
            matrix[i, k] = jumps[min(max(k - i, -reach), reach) + reach]
            if k - i <= -reach:
                matrix[i, k] /= back
            elif k - i >= reach:
                matrix[i, k] /= ahead
            total += matrix[i, k]
        for k in range(n):
            matrix[i, k] /= total
    return matrix


@compiled()
def forward_backward(emission, null, move):  # type: ignore[no-untyped-def]
    """Posteriors of an HMM whose states are (position, translates or empty).

    Args: emission (m, n) and null (m,): probability of unit j given its state; move (n, n).
    Returns: posterior (m, n) of translating position i; expected moves (n, n).
    """
    word, state, scale = _forward(emission, null, move)
    posterior, weight = _backward(word, scale, emission, null, move)
    moves = np.zeros(move.shape)
    for j in range(len(emission) - 1, 0, -1):
        for h in range(len(move)):
            for i in range(len(move)):
                moves[h, i] += state[j - 1, h] * weight[j, i]
    return posterior, moves * move


@compiled()
def posterior_alone(emission, null, move):  # type: ignore[no-untyped-def]
    """The first result of ``forward_backward``."""
    word, _, scale = _forward(emission, null, move)
    return _backward(word, scale, emission, null, move)[0]


@compiled()
def _backward(word, scale, emission, null, move):  # type: ignore[no-untyped-def]
    """Posterior of translating, and weight of arriving at a position from any other; (m, n) each, the latter from the second row on."""
    m, n = emission.shape
    back = move.T.copy()
    posterior, weight = np.zeros((m, n)), np.zeros((m, n))
    after, before = np.ones(n), np.ones(n)  # both states of a position share what follows
    for j in range(m - 1, -1, -1):
        for i in range(n):
            posterior[j, i] = word[j, i] * after[i]
        if j == 0:
            break
        for i in range(n):
            before[i] = EMPTY_WORD * null[j] * after[i] / scale[j]
            weight[j, i] = (1.0 - EMPTY_WORD) * emission[j, i] * after[i] / scale[j]
        for i in range(n):
            for h in range(n):
                before[h] += back[i, h] * weight[j, i]
        after[:] = before
    return posterior, weight


@compiled()
def _forward(emission, null, move):  # type: ignore[no-untyped-def]
    """Scaled forward probabilities: of translating, and of the position, both (m, n); and the scales (m,)."""
    m, n = emission.shape
    word, state, scale = np.empty((m, n)), np.empty((m, n)), np.zeros(m)
    arrive = np.empty(n)
    for j in range(m):
        if j == 0:
            arrive[:] = 1.0 / n
        else:
            arrive[:] = 0.0
            for h in range(n):  # sums run over rows of ``move``: whole rows at once are faster than one sum after the other
                for i in range(n):
                    arrive[i] += state[j - 1, h] * move[h, i]
        for i in range(n):
            stay = 1.0 / n if j == 0 else state[j - 1, i]
            word[j, i] = (1.0 - EMPTY_WORD) * arrive[i] * emission[j, i]
            state[j, i] = EMPTY_WORD * stay * null[j]
            scale[j] += word[j, i] + state[j, i]
        scale[j] = max(scale[j], 1e-300)
        for i in range(n):
            word[j, i] /= scale[j]
            state[j, i] = word[j, i] + state[j, i] / scale[j]
    return word, state, scale


@compiled()
def expect_hmm(text, pairs, table, empty, jumps, counts, empty_counts, jump_counts):  # type: ignore[no-untyped-def]
    """As ``expect_ibm1``, and add expected jumps to ``jump_counts``, a width."""
    target, source_edges, target_edges = text[1], text[2], text[3]
    reach = JUMPS // 2
    for g in range(source_edges.size - 1):
        n, m = source_edges[g + 1] - source_edges[g], target_edges[g + 1] - target_edges[g]
        if n == 0 or m == 0:
            continue
        where = locate(text, g, pairs)
        emission, null = np.empty((m, n)), np.empty(m)
        for j in range(m):
            null[j] = empty[target[target_edges[g] + j]]
            for i in range(n):
                emission[j, i] = table[where[j, i]]
        posterior, moves = forward_backward(emission, null, jump_matrix(n, jumps))
        for j in range(m):
            left = 1.0
            for i in range(n):
                counts[where[j, i]] += posterior[j, i]
                left -= posterior[j, i]
            empty_counts[target[target_edges[g] + j]] += max(left, 0.0)
        for h in range(n):
            for i in range(n):
                jump_counts[min(max(i - h, -reach), reach) + reach] += moves[h, i]
