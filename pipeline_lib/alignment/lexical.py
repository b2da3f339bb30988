"""Lexical translation: IBM model 1, then a hidden Markov model, by EM in both directions.

Brown et al. 1993 (IBM 1), Vogel, Ney & Tillmann 1996 (HMM), Och & Ney 2003 (empty word that keeps the position). Training text is
a list of aligned groups; every pair of types that meets in a group is one parameter.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field
from scipy.sparse import csr_array

from pipeline_lib.alignment.band import Floats, Ints
from pipeline_lib.alignment.hmm import JUMPS, expect_hmm, expect_ibm1
from pipeline_lib.alignment.pairs import meeting_pairs, narrowed, normalise
from pipeline_lib.alignment.stored import StoredTable, at_hand


class LexicalConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Rounds of EM and what is kept of the table."""

    ibm1_rounds: int = Field(5, ge=1)
    hmm_rounds: int = Field(4, ge=0)
    smoothing: float = Field(0.01, ge=0, description="added to every expected count of a pair")
    least: float = Field(1e-4, ge=0, le=1, description="probabilities below this are dropped")
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


@dataclass(frozen=True)
class Channel:
    """One direction of translation.

    Attributes:
        table: ``p(generated | given)``, shape (given types, generated types), sparse; the empty word generates the rest.
        empty: ``p(generated | empty word)``, shape (generated types,); jumps: probability of each jump width, shape (JUMPS,).
    """

    table: csr_array | StoredTable
    empty: Floats
    jumps: Floats

    @property
    def whole(self) -> csr_array:
        """The table in memory, read if it is stored."""
        return self.table[:] if isinstance(self.table, StoredTable) else self.table


@dataclass(frozen=True)
class Translation:
    """Both directions: ``forward`` generates the target from the source, ``backward`` the source from the target."""

    forward: Channel
    backward: Channel

    def strength(self, keep: float) -> csr_array:
        """Symmetric translation strength ``sqrt(p(t|s) p(s|t))`` in [0, 1], at least ``keep``; shape (source types, target types)."""
        table = self.forward.whole.multiply(self.backward.whole.T.tocsr()).tocsr()
        table.data = np.sqrt(table.data)
        return _pruned(table, keep)

    def at_hand(self, source: Ints, target: Ints) -> "Translation":
        """The same with the rows of these source and target types in memory."""
        forward, backward = self.forward, self.backward
        return Translation(replace(forward, table=at_hand(forward.table, source)), replace(backward, table=at_hand(backward.table, target)))

    def reversed(self) -> "Translation":
        return Translation(self.backward, self.forward)


def fit_translation(text: GroupedText, source_types: int, target_types: int, config: LexicalConfig) -> Translation:
    """Both directions, each fitted on its own by EM."""
    return Translation(_fit(text, source_types, target_types, config), _fit(text.reversed(), target_types, source_types, config))


def _pruned(table: csr_array, keep: float) -> csr_array:
    table.data[table.data < keep] = 0.0
    table.eliminate_zeros()
    table.sort_indices()
    return table


def _fit(text: GroupedText, source_types: int, target_types: int, config: LexicalConfig) -> Channel:
    flat = (text.source, text.target, text.source_edges, text.target_edges)
    indptr, indices = pairs = meeting_pairs(flat, source_types, target_types)
    table, counts = np.full(len(indices), 1.0), np.empty(len(indices))
    empty = np.full(target_types, 1.0 / max(target_types, 1))
    jumps = np.full(JUMPS, 1.0 / JUMPS)
    for number in range(config.ibm1_rounds + config.hmm_rounds):
        counts[:] = config.smoothing
        empty_counts, jump_counts = np.full(target_types, config.smoothing), np.full(JUMPS, 1.0)
        if number < config.ibm1_rounds:
            expect_ibm1(flat, pairs, table, empty, counts, empty_counts)
        else:
            expect_hmm(flat, pairs, table, empty, jumps, counts, empty_counts, jump_counts)
            jumps = jump_counts / jump_counts.sum()
        normalise(counts, indptr)
        table, counts, empty = counts, table, empty_counts / empty_counts.sum()
    fitted = csr_array((table, indices, narrowed(indptr)), shape=(source_types, target_types))
    return Channel(_pruned(fitted, config.least), empty, jumps)
