"""Candidates: the target spans that a mention may have become, and what speaks for each.

Proposals are the maximum-sum spans of each signal over a threshold, the runner-up elsewhere, and the paper's longest run; candidates move
both ends of each proposal by a few units. The features are language-independent and know neither gold nor the rest of the corpus: the
alignment's evidence inside and at the edges, edge statistics carried from the source, and what the spelling of a span says (hyphens,
brackets, commas, numbers, length).
"""

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, Field

from data_contracts.projection import FEATURES, WINDOW
from pipeline_lib.alignment.band import Floats, Ints
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.projection.edges import CLOSES, FOLLOWS, OPENS, PRECEDES
from pipeline_lib.projection.evidence import Aligned, Evidence
from pipeline_lib.projection.spelling import Spelling, hyphen_cuts, spelling, spelling_features

BESIDE = 2  # units on either side of a candidate that a re-ranker looks at
Run = tuple[int, int]  # first and last index, inclusive


class CandidateConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How far the search for spans goes. Scores are sums of shares: 1 is one whole unit."""

    threshold: float = Field(0.25, ge=0, description="score a target unit must exceed to add to a span")
    reach: int = Field(3, ge=0, description="candidates move each end of a proposal by up to this many units")
    most: int = Field(30, ge=1, description="candidates kept a mention, those that plain evidence likes best")
    edge_floor: float = Field(0.03, gt=0, description="added to a share before its logarithm is taken at a span's edge")
    hyphen_share: float = Field(0.1, ge=0, description="share of a hyphenated word's outer part from which cutting it counts")


@dataclass(frozen=True)
class Candidates:
    """The candidates of one mention or fragment.

    Attributes:
        first, last: target units, inclusive, shape (candidates,); features: shape (candidates, features), in the order of ``FEATURES``.
        paper: the paper's span, or None.
    """

    first: Ints
    last: Ints
    features: Floats
    paper: Run | None


@dataclass(frozen=True)
class PairSpelling:
    """Spelling of both texts of a pair, computed once."""

    source: Spelling
    target: Spelling


def pair_spelling(pair: Aligned) -> PairSpelling:
    return PairSpelling(spelling(pair.source), spelling(pair.target))


def candidates(units: range, found: Evidence, pair: Aligned, written: PairSpelling, config: CandidateConfig) -> Candidates:
    """All candidates of a mention on the given source units; none where no signal exceeds the threshold."""
    runs = proposals(found, config)
    paper = longest_run(found.share, found.support, config.threshold)
    spans = _around([*runs, *([paper] if paper else [])], len(found.share), config.reach)
    whole = (paper[0] + found.left, paper[1] + found.left) if paper else None
    if not len(spans):
        return Candidates(np.empty(0, np.int32), np.empty(0, np.int32), np.empty((0, len(FEATURES))), whole)
    features = _features(units, spans, found, pair, written, config)
    plain = _plain_score(features, config)
    kept = np.sort(np.argsort(-plain, kind="stable")[: config.most])
    return Candidates(spans[kept, 0] + np.int32(found.left), spans[kept, 1] + np.int32(found.left), features[kept], whole)


def around(found: Candidates, signals: Evidence, target_units: int) -> tuple[int, Floats]:
    """First unit of the window that holds all candidates and ``BESIDE`` units on either side, and the signals there.

    Shape (signals, units), in the order of ``WINDOW``; 0 beyond the reach of the mention, no unit where there is no candidate.
    """
    if not len(found.first):
        return 0, np.zeros((len(WINDOW), 0))
    first, last = max(int(found.first.min()) - BESIDE, 0), min(int(found.last.max()) + BESIDE, target_units - 1)
    window = np.zeros((len(WINDOW), last - first + 1))
    low, high = max(first, signals.left), min(last + 1, signals.left + len(signals.share))
    for row, name in enumerate(WINDOW):
        window[row, low - first : high - first] = getattr(signals, name)[low - signals.left : high - signals.left]
    return first, window


def proposals(found: Evidence, config: CandidateConfig) -> list[Run]:
    """Maximum-sum spans of the plan's shares, of all signals together, of each posterior alone, and the runner-up beside the second."""
    share, forward, backward = (signal - config.threshold for signal in (found.share, found.forward, found.backward))
    together = share + 0.25 * (forward + backward)
    best = maximum_sum(together)
    rest = together.copy()
    if best is not None:
        rest[best[0] : best[1] + 1] = -np.inf
    runs = [maximum_sum(share), best, maximum_sum(forward), maximum_sum(backward), maximum_sum(rest), maximum_sum(found.support - 0.5)]
    return list(dict.fromkeys(run for run in runs if run is not None))


def maximum_sum(gains: Floats) -> Run | None:
    """First and last index of the contiguous run with the largest positive sum (Kadane), or None."""
    first, last = _kadane(gains)
    return (first, last) if last >= first else None


def longest_run(scores: Floats, support: Floats, threshold: float) -> Run | None:
    """The paper's span: the longest run of units over the threshold, or that a tagger supports, with single gaps; None if there is none.

    Support alone makes no span: a run counts if the alignment has a part in it.
    """
    over = np.flatnonzero((scores > threshold) | (support > 0.5))
    if not len(over):
        return None
    runs = [run for run in np.split(over, np.flatnonzero(np.diff(over) > 2) + 1) if (scores[run] > threshold).any()]
    if not runs:
        return None
    longest = max(runs, key=lambda run: (len(run), scores[run].sum()))
    return int(longest[0]), int(longest[-1])


def _around(runs: list[Run], reachable: int, reach: int) -> Ints:
    """Every span whose ends lie within ``reach`` of a proposal's, shape (spans, 2), sorted."""
    spans = {
        (a, b)
        for first, last in runs
        for a in range(max(first - reach, 0), min(first + reach, reachable - 1) + 1)
        for b in range(max(last - reach, a), min(last + reach, reachable - 1) + 1)
    }
    return np.array(sorted(spans), dtype=np.int32).reshape(-1, 2)


def _features(units: range, spans: Ints, found: Evidence, pair: Aligned, written: PairSpelling, config: CandidateConfig) -> Floats:
    """Shape (spans, features), in the order of ``FEATURES``."""
    a, b = spans[:, 0], spans[:, 1]
    first, last = a + found.left, b + found.left

    def inside(signal: Floats) -> Floats:
        cumulated = np.concatenate([[0.0], np.cumsum(signal)])
        summed: Floats = cumulated[b + 1] - cumulated[a]
        return summed

    def at_edges(signal: Floats) -> Floats:
        both: Floats = np.log(np.minimum(signal[[a, b]], 1.0) + config.edge_floor).sum(axis=0)
        return both

    inner = pair.edges[first, OPENS] + pair.edges[last, CLOSES]
    around = np.vstack([np.zeros((1, 4)), pair.edges, np.zeros((1, 4))])
    outer = around[first, PRECEDES] + around[last + 2, FOLLOWS]
    cuts = hyphen_cuts(units, first, last, found.left, found.share, written.source, written.target, config.hyphen_share)
    unbalanced, commas, numbers, ratio = spelling_features(units, first, last, written.source, written.target)
    return np.stack(
        [
            inside(found.share), inside(found.forward), inside(found.backward), inside(found.owned), (b - a + 1).astype(np.float64),
            at_edges(found.share), at_edges(found.owned), cuts, unbalanced, commas, numbers, ratio, inner, outer,
            inside(found.support - 0.5 * found.support.any()), inside(found.kept) / len(units),
        ],
        axis=1,
    )  # fmt: skip


def _plain_score(features: Floats, config: CandidateConfig) -> Floats:
    """What the candidates are cut to length by: evidence over the threshold, carried edges, cut hyphens."""
    share, forward, backward, _, length, _, _, cuts, _, _, _, _, inner, outer, support, _ = features.T
    score: Floats = share + 0.25 * (forward + backward) - 1.5 * config.threshold * length + 0.03 * (inner + outer) - 0.5 * cuts + support
    return score


@compiled()
def _kadane(gains: Floats) -> tuple[int, int]:
    best, first, last, total, start = 0.0, 0, -1, 0.0, 0
    for index in range(gains.size):
        if total <= 0.0:
            total, start = 0.0, index
        total += gains[index]
        if total > best:
            best, first, last = total, start, index
    return first, last
