"""Features: what a re-ranker sees of every candidate.

Evidence unit by unit in and around the candidate, what the corpus and the unsupervised score say of it, what other mentions of the document
claim, and what its characters look like. Never which word it is: what was learnt on one corpus or language holds on another.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data_contracts.projection import EDGES, FEATURES, WINDOW
from pipeline_lib.alignment.band import Floats, Ints
from pipeline_lib.alignment.units import GridText
from pipeline_lib.projection.candidates import BESIDE
from pipeline_lib.projection.decode import SpanModel
from pipeline_lib.projection.scoring import (
    CorpusKnowledge,
    Pool,
    final_scores,
    first_votes,
    memory_scores,
    probabilities,
)
from pipeline_lib.supervision.characters import CHARACTERS, character_features
from pipeline_lib.supervision.claims import CLAIMS, claim_features
from pipeline_lib.supervision.mentions import mention_runs, source_units

FAR = 50.0  # what a lead over no other candidate counts as

PLACES = ("before2", "before1", "first", "second", "second_last", "last", "after1", "after2")
NAMES = (
    *FEATURES,
    *(f"corpus_{place}" for place in EDGES),
    "memory",
    "target_votes",
    "score",
    "margin",
    "rank",
    "probability",
    "rivals",
    "source_units",
    "unit_ratio",
    *(f"{signal}_{place}" for signal in WINDOW for place in PLACES),
    *(f"{signal}_{figure}" for signal in WINDOW for figure in ("inside", "density", "least")),
    *CLAIMS,
    *CHARACTERS,
)


@dataclass(frozen=True)
class Texts:
    """The texts of the candidates' documents, by document id."""

    source: Mapping[str, GridText]
    target: Mapping[str, GridText]


@dataclass(frozen=True)
class Weighed:
    """Candidates under the unsupervised model: scores and probabilities, each of shape (candidates,)."""

    scores: Floats
    likely: Floats


def weigh(found: Pool, known: CorpusKnowledge, model: SpanModel) -> Weighed:
    scores = final_scores(found, known, model.weights, model.memory)
    return Weighed(scores, probabilities(scores, found.owner))


def rerank_features(found: Pool, known: CorpusKnowledge, model: SpanModel, weighed: Weighed, texts: Texts) -> Floats:
    """Shape (candidates, features), in the order of ``NAMES``."""
    if not len(found.owner):
        return np.zeros((0, len(NAMES)), dtype=np.float32)
    columns = [
        found.features,
        np.vstack([known.edges, np.zeros((1, 4))])[found.types, np.arange(4)],
        _memory(found, known, model),
        _standing(found, weighed),
        _sizes(found),
        _windows(found),
        claim_features(found, weighed.likely),
        character_features(found, texts.source, texts.target),
    ]
    # Half the memory, and what the trees see does not hang on the last bits.
    return np.concatenate(columns, axis=1).astype(np.float32)


def _memory(found: Pool, known: CorpusKnowledge, model: SpanModel) -> Floats:
    """Memory score; log of the votes that all source surfaces together give the target surface, the own one taken back."""
    own = first_votes(found, known.votes)
    of_target = known.memory.votes_into(found.readings)
    return np.stack([memory_scores(found, known.memory, own, model.memory), np.log1p(np.maximum(of_target - own, 0.0))], axis=1)


def _standing(found: Pool, weighed: Weighed) -> Floats:
    """Score, distance to the best other candidate of the mention, rank from 0, probability, number of candidates."""
    starts, sizes = mention_runs(found.owner)
    order = np.lexsort((-weighed.scores, found.owner))
    rank = np.empty(len(order))
    rank[order] = np.arange(len(order)) - np.repeat(starts, sizes)
    second = np.repeat(np.maximum.reduceat(np.where(rank == 0, -np.inf, weighed.scores), starts), sizes)
    rival = np.where(rank == 0, second, np.repeat(np.maximum.reduceat(weighed.scores, starts), sizes))
    margin = np.clip(weighed.scores - rival, -FAR, FAR)
    return np.stack([weighed.scores, margin, rank, weighed.likely, np.repeat(sizes, sizes)], axis=1).astype(np.float64)


def _sizes(found: Pool) -> Floats:
    """Source units; log of target units over source units."""
    units = source_units(found)[found.owner].astype(np.float64)
    return np.stack([units, np.log((found.last - found.first + 1) / units)], axis=1)


def _windows(found: Pool) -> Floats:
    """Every signal of WINDOW at ``PLACES``, then its share inside, density inside and least value inside."""
    at_places: list[Floats] = []
    figures: list[Floats] = []
    starts, sizes = mention_runs(found.owner)
    rows = found.owner[starts].tolist()
    windows = found.table["window"].combine_chunks()
    firsts = found.table["window_first"].to_pylist()
    for start, size, row in zip(starts.tolist(), sizes.tolist(), rows, strict=True):
        signals = windows[row].values.to_numpy(zero_copy_only=False).astype(np.float64).reshape(len(WINDOW), -1)
        a, b = (ends[start : start + size] - firsts[row] for ends in (found.first, found.last))
        at_places.append(_at_places(signals, a, b))
        figures.append(_figures(signals, a, b))
    return np.concatenate([np.concatenate(at_places), np.concatenate(figures)], axis=1)


def _at_places(signals: Floats, a: Ints, b: Ints) -> Floats:
    """Shape (candidates, signals * places); 0 outside the window."""
    padded = np.pad(signals, ((0, 0), (BESIDE, BESIDE)))
    places = np.stack([a - 2, a - 1, a, np.minimum(a + 1, b), np.maximum(b - 1, a), b, b + 1, b + 2], axis=1) + BESIDE
    return padded[:, places].transpose(1, 0, 2).reshape(len(a), -1)


def _figures(signals: Floats, a: Ints, b: Ints) -> Floats:
    """Share of the window's mass inside, mean inside, least inside; shape (candidates, signals * 3)."""
    cumulated = np.pad(np.cumsum(signals, axis=1), ((0, 0), (1, 0)))
    inside = cumulated[:, b + 1] - cumulated[:, a]
    least = np.stack([signals[:, first : last + 1].min(axis=1) for first, last in zip(a.tolist(), b.tolist(), strict=True)], axis=1)
    whole = np.maximum(cumulated[:, -1:], 1e-9)
    return np.stack([inside / whole, inside / (b - a + 1), least], axis=2).transpose(1, 0, 2).reshape(len(a), -1)
