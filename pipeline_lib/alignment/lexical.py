"""The lexical translation table: IBM model 1, then a hidden Markov model, by EM in both directions.

Brown et al. 1993 (IBM 1), Vogel, Ney & Tillmann 1996 (HMM), Och & Ney 2003 (empty word that keeps the position). Training text is
a list of aligned groups; every pair of types that meets in a group is one parameter.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit
from pydantic import BaseModel, Field
from scipy.sparse import csr_array

from pipeline_lib.alignment.band import Floats, Ints

JUMPS = 2 * 12 + 1  # jump widths are told apart up to 12 units, wider ones share the edge bins
EMPTY_WORD = 0.1  # prior probability of translating nothing (Och & Ney 2003 use 0.2 to 0.4 for other pairs)


class LexicalConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Rounds of EM and what is kept of the table."""

    ibm1_rounds: int = Field(5, ge=1)
    hmm_rounds: int = Field(4, ge=0)
    smoothing: float = Field(0.01, ge=0, description="added to every expected count of a pair")
    keep: float = Field(0.005, ge=0, le=1, description="entries of the symmetric table below this are dropped")


@dataclass(frozen=True)
class GroupedText:
    """Types of both sides, group after group.

    Attributes:
        source, target: type ids, flat; source_edges, target_edges: start of each group, shape (groups + 1,).
    """

    source: Ints
    target: Ints
    source_edges: npt.NDArray[np.int64]
    target_edges: npt.NDArray[np.int64]

    def reversed(self) -> "GroupedText":
        return GroupedText(self.target, self.source, self.target_edges, self.source_edges)


def lexical_table(text: GroupedText, source_types: int, target_types: int, config: LexicalConfig) -> csr_array:
    """Symmetric translation strength ``sqrt(p(t|s) p(s|t))`` in [0, 1], shape (source_types, target_types), sparse."""
    forward = _fit(text, source_types, target_types, config)
    backward = _fit(text.reversed(), target_types, source_types, config)
    table = forward.multiply(backward.T.tocsr()).tocsr()
    table.data = np.sqrt(table.data)
    table.data[table.data < config.keep] = 0.0
    table.eliminate_zeros()
    table.sort_indices()
    return table


def _fit(text: GroupedText, source_types: int, target_types: int, config: LexicalConfig) -> csr_array:
    """``p(target | source)``, shape (source_types, target_types); the empty word's row is fitted and left out."""
    pair_of_cell, cell_edges, pair_source, pair_target = _pairs(text)
    table = np.full(len(pair_source), 1.0)
    empty = np.full(target_types, 1.0 / max(target_types, 1))
    jumps = np.full(JUMPS, 1.0 / JUMPS)
    arguments = (text.target, text.source_edges, text.target_edges, pair_of_cell, cell_edges)
    for _ in range(config.ibm1_rounds):
        counts, empty_counts = np.full(len(table), config.smoothing), np.full(target_types, config.smoothing)
        _expect_ibm1(*arguments, table, empty, counts, empty_counts)
        table, empty = _normalise(counts, pair_source, source_types), empty_counts / empty_counts.sum()
    for _ in range(config.hmm_rounds):
        counts, empty_counts, jump_counts = (
            np.full(len(table), config.smoothing),
            np.full(target_types, config.smoothing),
            np.full(JUMPS, 1.0),
        )
        _expect_hmm(*arguments, table, empty, jumps, counts, empty_counts, jump_counts)
        table, empty = _normalise(counts, pair_source, source_types), empty_counts / empty_counts.sum()
        jumps = jump_counts / jump_counts.sum()
    return csr_array((table, (pair_source, pair_target)), shape=(source_types, target_types))


def _normalise(counts: Floats, pair_source: Ints, source_types: int) -> Floats:
    totals = np.bincount(pair_source, weights=counts, minlength=source_types)
    result: Floats = counts / totals[pair_source]
    return result


def _pairs(text: GroupedText) -> tuple[Ints, npt.NDArray[np.int64], Ints, Ints]:
    """Number the distinct (source type, target type) pairs.

    Returns:
        the pair of every cell of every group (target-major), the start of each group's cells, and both types of each pair.
    """
    sizes = np.diff(text.source_edges) * np.diff(text.target_edges)
    edges = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    cells = np.empty(edges[-1], dtype=np.int64)
    _cell_keys(text.source, text.target, text.source_edges, text.target_edges, edges, cells)
    keys, pair_of_cell = np.unique(cells, return_inverse=True)
    return pair_of_cell.astype(np.int32), edges, (keys >> 32).astype(np.int32), (keys & 0xFFFFFFFF).astype(np.int32)


@njit(nogil=True)
def _cell_keys(source, target, source_edges, target_edges, cell_edges, cells):  # type: ignore[no-untyped-def]
    for g in range(source_edges.size - 1):
        k = cell_edges[g]
        for j in range(target_edges[g], target_edges[g + 1]):
            for i in range(source_edges[g], source_edges[g + 1]):
                cells[k] = (np.int64(source[i]) << 32) | np.int64(target[j])
                k += 1


@njit(nogil=True)
def _expect_ibm1(target, source_edges, target_edges, pair_of_cell, cell_edges, table, empty, counts, empty_counts):  # type: ignore[no-untyped-def]
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
def _jump_matrix(n, jumps):  # type: ignore[no-untyped-def]
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
def _forward_backward(emission, null, move):  # type: ignore[no-untyped-def]
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
def _expect_hmm(target, source_edges, target_edges, pair_of_cell, cell_edges, table, empty, jumps, counts, empty_counts, jump_counts):  # type: ignore[no-untyped-def]
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
        posterior, moves = _forward_backward(emission, null, _jump_matrix(n, jumps))
        for j in range(m):
            left = 1.0
            for i in range(n):
                counts[pair_of_cell[cell_edges[g] + j * n + i]] += posterior[j, i]
                left -= posterior[j, i]
            empty_counts[target[target_edges[g] + j]] += max(left, 0.0)
        for h in range(n):
            for i in range(n):
                jump_counts[min(max(i - h, -reach), reach) + reach] += moves[h, i]
