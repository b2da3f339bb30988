"""Consistency: what a whole corpus of candidates says about each of them.

Two counts over all mentions, weighted by the candidates' probabilities in a first pass: which target types stand at the edges of likely
spans, and which target surface each source surface becomes. Part of the model; no target annotation is ever looked at.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel, Field

from data_contracts.projection import CORPUS_EDGES, MEMORY
from pipeline_lib.alignment.band import Floats
from pipeline_lib.projection.scoring import Pool, VoteConfig, first_votes, pool


class ConsistencyConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How the corpus is counted."""

    votes: VoteConfig = VoteConfig()
    prior_strength: float = Field(4.0, gt=0, description="pseudo-occurrences at the corpus's own rate that every type starts from")
    least_votes: float = Field(0.01, ge=0, description="votes below this are forgotten")


def corpus_tables(parts: Iterable[pa.Table], target_counts: npt.NDArray[np.int64], config: ConsistencyConfig) -> tuple[pa.Table, pa.Table]:
    """CORPUS_EDGES and MEMORY of all CANDIDATES of a language pair.

    Args:
        target_counts: occurrences of the target types, shape (types,).
    """
    edges = np.zeros((len(target_counts) + 1, 4))
    votes: dict[tuple[str, str], float] = {}
    for part in parts:
        found = pool(part)
        weight = first_votes(found, config.votes)
        _count_edges(edges, found, weight)
        _count_votes(votes, found, weight, config.least_votes)
    odds = edge_log_odds(edges, target_counts, config.prior_strength)
    columns = [pa.array(range(len(odds)), pa.int32()), *(pa.array(odds[:, place]) for place in range(4))]
    memory = [{"source_key": source, "target_key": target, "votes": count} for (source, target), count in sorted(votes.items())]
    return pa.Table.from_arrays(columns, schema=CORPUS_EDGES.schema), MEMORY.table(memory)


def edge_log_odds(counts: Floats, target_counts: npt.NDArray[np.int64], strength: float) -> Floats:
    """Log-odds of each type at each edge place over the corpus's own rate; shape (types + 1, 4), the last row, for unseen types, is 0.

    Args:
        counts: expected number of times each type stands at each place, shape (types + 1, 4).
    """
    occurrences = np.append(target_counts, 0).astype(np.float64)
    base = (counts.sum(axis=0) + 0.5) / (occurrences.sum() + 1.0)
    rates = (counts + strength * base) / (occurrences + strength)[:, None]
    odds = _logit(rates) - _logit(base)
    odds[-1] = 0.0
    return np.asarray(odds)


def _count_edges(edges: Floats, found: Pool, weight: Floats) -> None:
    for place in range(4):
        inside = found.types[:, place] >= 0
        edges[:, place] += np.bincount(found.types[inside, place], weights=weight[inside], minlength=len(edges))


def _count_votes(votes: dict[tuple[str, str], float], found: Pool, weight: Floats, least: float) -> None:
    counted = weight >= least
    for pair, count in zip(found.keys.filter(counted).iter_rows(), weight[counted].tolist(), strict=True):
        votes[pair] = votes.get(pair, 0.0) + count


def _logit(rates: Floats) -> Floats:
    clipped = np.clip(rates, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))
