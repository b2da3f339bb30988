"""Edge statistics: how readily a unit type opens, precedes, closes or follows an annotated mention.

Counted on the source, where mentions are known, and carried to target types through the lexical table: a target type behaves as the
source types that it translates. Part of the model; no target annotation is ever looked at.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel, Field
from scipy.sparse import csr_array

from data_contracts.alignment import EDGE_STATISTICS
from pipeline_lib.alignment.band import Floats, Ints
from pipeline_lib.alignment.fitted import Vocabulary
from pipeline_lib.alignment.units import GridText

OPENS, PRECEDES, CLOSES, FOLLOWS = range(4)


class EdgeConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How edge rates are estimated."""

    prior_strength: float = Field(4.0, gt=0, description="pseudo-occurrences at the corpus's own rate that every type starts from")


@dataclass(frozen=True)
class SourceEdges:
    """One source document: type id of each unit, shape (units,), unseen ones one past the last; mentions as (first, last) unit."""

    ids: Ints
    mentions: list[tuple[int, int]]


def edge_log_odds(documents: Iterable[SourceEdges], lexical: csr_array, target_counts: npt.NDArray[np.int64], config: EdgeConfig) -> Floats:
    """Log-odds that a target type stands at each of the four edge places, shape (target types + 1, 4); the last row is for unseen types.

    Args:
        documents: source documents that have mentions.
        lexical: shape (source types, target types).
        target_counts: occurrences of the target types, shape (target types,); only their number is used where a type has no translation.
    """
    counts = np.zeros((lexical.shape[0] + 1, 4))
    occurrences = np.zeros(lexical.shape[0] + 1)
    for document in documents:
        occurrences += np.bincount(document.ids, minlength=len(occurrences))
        for place, units in _edge_units(document).items():
            counts[:, place] += np.bincount(document.ids[units], minlength=len(counts))
    base = (counts.sum(axis=0) + 0.5) / (occurrences.sum() + 1.0)
    rates = (counts + config.prior_strength * base) / (occurrences + config.prior_strength)[:, None]
    weight = lexical.sum(axis=0)
    carried = (lexical.T @ rates[:-1]) / np.maximum(weight, 1e-12)[:, None]
    known = np.where((weight > 0)[:, None] & (target_counts > 0)[:, None], carried, base)
    return _logit(np.vstack([known, base]))


def source_edges(texts: dict[str, GridText], mentions: pa.Table, vocabulary: Vocabulary) -> Iterator[SourceEdges]:
    """The documents of ``texts`` that have mentions, fragments counted as mentions of their own."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for row in mentions.select(["document", "starts", "ends"]).to_pylist():
        units = [texts[row["document"]].units_of(start, end) for start, end in zip(row["starts"], row["ends"], strict=True)]
        spans.setdefault(row["document"], []).extend((found[0], found[-1]) for found in units if found)
    for document, found in spans.items():
        # A document without a translation may hold types that the vocabulary of the pair has not seen.
        ids = [vocabulary.index.get(kind, len(vocabulary.types)) for kind in texts[document].types]
        yield SourceEdges(np.array(ids, dtype=np.int32), found)


def edges_table(log_odds: Floats) -> pa.Table:
    """EDGE_STATISTICS of ``edge_log_odds``' result."""
    columns = [pa.array(range(len(log_odds)), pa.int32()), *(pa.array(log_odds[:, place]) for place in range(4))]
    return pa.Table.from_arrays(columns, schema=EDGE_STATISTICS.schema)


def edges_array(table: pa.Table) -> Floats:
    """EDGE_STATISTICS back as an array, shape (types + 1, 4)."""
    return np.stack([table[name].to_numpy() for name in ("opens", "precedes", "closes", "follows")], axis=1)


def _edge_units(document: SourceEdges) -> dict[int, Ints]:
    # A unit counts once a place: nested mentions share edges, and a rate above 1 has no log-odds.
    first = np.unique(np.array([a for a, _ in document.mentions], dtype=np.int32))
    last = np.unique(np.array([b for _, b in document.mentions], dtype=np.int32))
    before, after = first[first > 0] - 1, last[last < len(document.ids) - 1] + 1
    return {OPENS: first, PRECEDES: before, CLOSES: last, FOLLOWS: after}


def _logit(rates: Floats) -> Floats:
    clipped = np.clip(rates, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))
