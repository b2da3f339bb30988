"""Scoring: how likely each candidate is the mention's counterpart.

A log-linear model over language-independent features: the probability of a candidate among those of its mention is the softmax of the
weighted sum. The weights are settings, the same for every corpus and language; ``consistency`` adds what the rest of the corpus says.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from pydantic import BaseModel, Field

from data_contracts.projection import EDGES, FEATURES
from pipeline_lib.alignment.band import Floats, Ints
from pipeline_lib.projection.memory import Longs, Memory, Surfaces, joint_votes


class SpanWeights(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Weight of each feature of CANDIDATES, and of what the corpus adds; in units of log-odds."""

    share: float = 0.55
    forward: float = 0.70
    backward: float = 0.27
    owned: float = 0.54
    length: float = -0.45
    edge_share: float = 0.45
    edge_owned: float = 0.45
    hyphens: float = -4.2
    brackets: float = -2.8
    commas: float = -1.1
    numbers: float = -1.6
    length_ratio: float = -1.8
    carried_inner: float = 0.0
    carried_outer: float = 0.38
    support: float = 2.0
    corpus_inner: float = 0.33
    corpus_outer: float = 0.19
    memory: float = 0.1


class MemoryConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How votes of the translation memory become a score."""

    strength: float = Field(1.0, gt=0, description="pseudo-votes that every source surface starts from")
    share: float = Field(0.02, gt=0, lt=1, description="share of the pseudo-votes that any one target surface gets")


class VoteConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """The first pass, in which every mention votes for its candidates and nothing is known of the rest of the corpus."""

    weights: SpanWeights = SpanWeights()
    temperature: float = Field(0.5, gt=0, description="of the votes' probabilities; below 1 the best candidates count more")


@dataclass(frozen=True)
class Pool:
    """The candidates of one table, one after the other.

    Attributes:
        table: CANDIDATES; owner: row of each candidate, shape (candidates,), ascending; first, last: target units, inclusive.
        features: shape (candidates, features); types: that open, precede, close, follow, -1 outside the text, shape (candidates, 4).
    """

    table: pa.Table
    owner: Ints
    first: Ints
    last: Ints
    features: Floats
    types: Ints

    @property
    def bounds(self) -> Longs:
        """First candidate of every mention that has some, and the end; shape (mentions with candidates + 1,)."""
        return np.append(np.flatnonzero(np.diff(self.owner, prepend=-1)), len(self.owner))

    @property
    def readings(self) -> Surfaces:
        """Target key of every candidate, in order."""
        return Surfaces.of(_flat(self.table, "keys"))

    @property
    def keys(self) -> pl.DataFrame:
        """Source and target key of every candidate, in order."""
        of_row = self.table["source_key"].take(pa.array(self.owner))
        return pl.DataFrame({"source_key": pl.Series(of_row), "target_key": pl.Series(_flat(self.table, "keys"))})


@dataclass(frozen=True)
class CorpusKnowledge:
    """What the whole corpus says, frozen in the model.

    Attributes:
        edges: CORPUS_EDGES as an array, shape (types + 1, 4), columns in the order of ``EDGES``; votes: how it and the memory were counted.
    """

    edges: Floats
    memory: Memory
    votes: VoteConfig


def corpus_knowledge(edges: pa.Table, memory: pa.Table, votes: VoteConfig) -> CorpusKnowledge:
    """CORPUS_EDGES and MEMORY as the scores need them. ``votes``: how they were counted."""
    return CorpusKnowledge(np.stack([edges[name].to_numpy() for name in EDGES], axis=1), Memory.of(memory), votes)


def pool(table: pa.Table) -> Pool:
    """CANDIDATES as arrays."""
    counts = table["first"].combine_chunks().value_lengths().to_numpy(zero_copy_only=False)
    features = np.empty((int(counts.sum()), len(FEATURES)))
    for place, name in enumerate(FEATURES):
        features[:, place] = _flat(table, name).to_numpy(zero_copy_only=False)
    return Pool(
        table,
        np.repeat(np.arange(table.num_rows, dtype=np.int32), counts),
        _flat(table, "first").to_numpy(zero_copy_only=False),
        _flat(table, "last").to_numpy(zero_copy_only=False),
        features,
        _flat(table, "types").to_numpy(zero_copy_only=False).reshape(-1, 4),
    )


def first_scores(found: Pool, weights: SpanWeights) -> Floats:
    """Scores without the corpus, shape (candidates,): edge statistics carried from the source stand in for the corpus's own."""
    values = weights.model_dump()
    values["carried_inner"] += weights.corpus_inner
    values["carried_outer"] += weights.corpus_outer
    return _weighed(found, values)


def first_votes(found: Pool, config: VoteConfig) -> Floats:
    """What each candidate gives to the corpus's counts, shape (candidates,): its probability by the first scores, sharpened."""
    return probabilities(first_scores(found, config.weights) / config.temperature, found.owner)


def final_scores(found: Pool, known: CorpusKnowledge, weights: SpanWeights, config: MemoryConfig) -> Floats:
    """Scores with the corpus, shape (candidates,)."""
    scores = _weighed(found, weights.model_dump())
    inner, outer = corpus_edges(found, known.edges)
    own = first_votes(found, known.votes)
    scores += weights.corpus_inner * inner + weights.corpus_outer * outer
    scores += weights.memory * memory_scores(found, known.memory, own, config)
    return scores


def corpus_edges(found: Pool, edges: Floats) -> tuple[Floats, Floats]:
    """Sum of the corpus's log-odds at the inner and at the outer units of each candidate's ends; outside the text 0."""
    place = {name: number for number, name in enumerate(EDGES)}
    odds = np.vstack([edges, np.zeros((1, 4))])[found.types, np.arange(4)]
    return odds[:, place["opens"]] + odds[:, place["closes"]], odds[:, place["precedes"]] + odds[:, place["follows"]]


def memory_scores(found: Pool, memory: Memory, own: Floats, config: MemoryConfig) -> Floats:
    """Log of the share of the votes for the candidate's surface, over that of a surface never met; 0 where the source is new.

    A mention's own vote is taken back, so that it does not confirm itself (leave one out).

    Args:
        own: vote of each candidate, shape (candidates,); candidates of a mention that read the same voted for the same surface.
    """
    source, target = Surfaces.of(found.table["source_key"].combine_chunks()).take(found.owner), found.readings
    votes, every = memory.votes(source, target)
    votes = np.maximum(votes - joint_votes(own, target.number, found.bounds), 0.0)
    others = np.maximum(every - 1.0, 0.0)
    share: Floats = np.log((votes + config.strength * config.share) / (others + config.strength)) - np.log(config.share)
    return np.where(others > 0, share, 0.0)


def probabilities(scores: Floats, owner: Ints) -> Floats:
    """Softmax over the candidates of each mention, shape (candidates,)."""
    if not len(owner):
        return np.empty(0)
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    sizes = np.diff(np.append(starts, len(owner)))
    shifted = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), sizes))
    return np.asarray(shifted / np.repeat(np.add.reduceat(shifted, starts), sizes))


def likeliest(values: Floats, owner: Ints) -> Longs:
    """Number of the greatest candidate of each mention that has some, the first where several are; shape (mentions with candidates,)."""
    if not len(owner):
        return np.empty(0, dtype=np.int64)
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    sizes = np.diff(np.append(starts, len(owner)))
    greatest = np.flatnonzero(values == np.repeat(np.maximum.reduceat(values, starts), sizes))
    return greatest[np.flatnonzero(np.diff(owner[greatest], prepend=-1))]


def _weighed(found: Pool, weights: dict[str, float]) -> Floats:
    scores: Floats = found.features @ np.array([weights.get(name, 0.0) for name in FEATURES])
    return scores


def _flat(table: pa.Table, name: str) -> pa.Array:
    return table[name].combine_chunks().flatten()
