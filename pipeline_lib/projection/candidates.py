"""Candidates: the target spans that the mentions of a document may have become, and what speaks for each.

Candidates move both ends of each proposal by a few units. The features are language-independent and know neither gold nor the rest of the
corpus: the alignment's evidence inside and at the edges, edge statistics carried from the source, and what the spelling of a span says
(hyphens, brackets, commas, numbers, length).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, Field

from data_contracts.projection import FEATURES, WINDOW
from pipeline_lib.alignment.band import Floats, Ints
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.projection.edges import CLOSES, FOLLOWS, OPENS, PRECEDES
from pipeline_lib.projection.evidence import Aligned, evidence
from pipeline_lib.projection.proposals import RUNS, proposals, spans_around
from pipeline_lib.projection.spelling import Longs, at, hyphen_cuts, spelling, spelling_features

BESIDE = 2  # units on either side of a candidate that a re-ranker looks at
COLUMNS = len(FEATURES)
SHARE, FORWARD, BACKWARD, _, LENGTH, _, _, HYPHENS, _, _, _, _, INNER, OUTER, SUPPORT, _ = range(COLUMNS)


class CandidateConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How far the search for spans goes. Scores are sums of shares: 1 is one whole unit."""

    threshold: float = Field(0.25, ge=0, description="score a target unit must exceed to add to a span")
    reach: int = Field(3, ge=0, description="candidates move each end of a proposal by up to this many units")
    most: int = Field(30, ge=1, description="candidates kept a mention, those that plain evidence likes best")
    edge_floor: float = Field(0.03, gt=0, description="added to a share before its logarithm is taken at a span's edge")
    hyphen_share: float = Field(0.1, ge=0, description="share of a hyphenated word's outer part from which cutting it counts")


class Settings(NamedTuple):
    """``CandidateConfig`` as compiled loops take it."""

    threshold: float
    reach: int
    most: int
    edge_floor: float
    hyphen_share: float


class Candidates(NamedTuple):
    """The candidates of some mentions or fragments, one after the other.

    Attributes:
        counts: candidates of each mention, shape (mentions,).
        spans: first and last target unit, inclusive, shape (candidates, 2), those of a mention sorted.
        features: shape (candidates, features), in the order of ``FEATURES``.
        paper: the paper's span, inclusive, -1 where there is none, shape (mentions, 2).
        windows: first unit of each mention's window and their number, shape (mentions, 2): it holds all candidates and ``BESIDE`` units
            on either side, or nothing; signals: those of each window's units, flat, (signals, units) of each mention, in the order of
            ``WINDOW``, 0 beyond the reach of the mention.
    """

    counts: Ints
    spans: Ints
    features: Floats
    paper: Ints
    windows: Ints
    signals: Floats


def candidates(units: Ints, labels: Sequence[str], pair: Aligned, config: CandidateConfig) -> Candidates:
    """All candidates of mentions; none where no signal exceeds the threshold.

    Args:
        units: first source unit of each mention and the one after its last, shape (mentions, 2); labels: theirs.
    """
    cells = (pair.band.low, pair.band.high, pair.band.indptr, pair.signals)
    texts = (spelling(pair.source), spelling(pair.target))
    settings = Settings(**config.model_dump())
    found: Candidates = _each_mention(units, _layers(labels, pair), cells, pair.edges, texts, settings)
    return found


def _layers(labels: Sequence[str], pair: Aligned) -> tuple[Longs, Ints]:
    """Support of all labels, shape (layers, target units), and each mention's first layer and the one after its last."""
    layers, places = [np.zeros((0, len(pair.edges)))], {}
    for label in pair.support.keys() & set(labels):
        layers.append(np.atleast_2d(pair.support[label]))
        total = sum(map(len, layers))
        places[label] = total - len(layers[-1]), total
    of_mention = [places.get(label, (0, 0)) for label in labels]
    return np.concatenate(layers).astype(np.int64), np.array(of_mention, dtype=np.int32).reshape(-1, 2)


@compiled()
def _each_mention(units, support, cells, edges, texts, settings):  # type: ignore[no-untyped-def]
    mentions, (tagged, layers) = len(units), support
    room = mentions * min(settings.most, RUNS * (2 * settings.reach + 1) ** 2)
    counts, paper, windows = np.zeros(mentions, np.int32), np.full((mentions, 2), -1, np.int32), np.zeros((mentions, 2), np.int32)
    spans, features, signals = np.empty((room, 2), np.int32), np.empty((room, COLUMNS)), np.empty(mentions * len(edges) * len(WINDOW))
    total, written = 0, 0
    for number in range(mentions):
        mention = units[number, 0], units[number, 1]
        found = evidence(mention, cells, tagged[layers[number, 0] : layers[number, 1]])
        runs = proposals(found, settings.threshold)
        if runs[-1][0] <= runs[-1][1]:
            paper[number, 0], paper[number, 1] = runs[-1][0] + found.left, runs[-1][1] + found.left
        near = spans_around(runs, found.share.size, settings.reach)
        rows = _features(mention, near, found, edges, texts, settings)
        kept = _likeliest(rows, settings)
        for k in kept:
            spans[total, 0], spans[total, 1] = near[k, 0] + found.left, near[k, 1] + found.left
            for column in range(COLUMNS):
                features[total, column] = rows[k, column]
            total += 1
        if kept.size:
            counts[number] = kept.size
            mine = spans[total - kept.size : total]
            start, stop = max(mine[0, 0] - BESIDE, 0), min(mine[:, 1].max() + BESIDE + 1, len(edges))
            windows[number, 0], windows[number, 1] = start, stop - start
            for signal in (found.share, found.owned, found.forward, found.backward):
                for unit in range(start, stop):
                    signals[written] = at(signal, unit - found.left)
                    written += 1
    return Candidates(counts, spans[:total], features[:total], paper, windows, signals[:written])


@compiled()
def _features(mention, spans, found, edges, texts, settings):  # type: ignore[no-untyped-def]
    """Shape (spans, features), in the order of ``FEATURES``."""
    source, target = texts
    rows = np.empty((len(spans), COLUMNS))
    share, owned, kept = _running(found.share), _running(found.owned), _running(found.kept)
    forward, backward = _running(found.forward), _running(found.backward)
    support = _running(found.support - 0.5 * found.support.any())
    for number in range(len(spans)):
        a, b = spans[number, 0], spans[number, 1]
        first, last = a + found.left, b + found.left
        span = first, last + 1
        outer = edges[first - 1, PRECEDES] if first > 0 else 0.0
        outer += edges[last + 1, FOLLOWS] if last + 1 < len(edges) else 0.0
        unbalanced, commas, numbers, ratio = spelling_features(mention, span, source, target)
        values = (
            share[b + 1] - share[a],
            forward[b + 1] - forward[a],
            backward[b + 1] - backward[a],
            owned[b + 1] - owned[a],
            float(b - a + 1),
            _at_edges(found.share, a, b, settings.edge_floor),
            _at_edges(found.owned, a, b, settings.edge_floor),
            float(hyphen_cuts(mention, span, found.left, found.share, source, target, settings.hyphen_share)),
            unbalanced,
            commas,
            numbers,
            ratio,
            edges[first, OPENS] + edges[last, CLOSES],
            outer,
            support[b + 1] - support[a],
            (kept[b + 1] - kept[a]) / (mention[1] - mention[0]),
        )
        for column, value in enumerate(values):
            rows[number, column] = value
    return rows


@compiled()
def _likeliest(rows, settings):  # type: ignore[no-untyped-def]
    """Numbers of the ``most`` candidates that plain evidence likes best, ascending: over the threshold, carried edges, cut hyphens."""
    plain = np.empty(len(rows))
    for number in range(len(rows)):
        row = rows[number]
        evident = row[SHARE] + 0.25 * (row[FORWARD] + row[BACKWARD]) - 1.5 * settings.threshold * row[LENGTH]
        plain[number] = evident + 0.03 * (row[INNER] + row[OUTER]) - 0.5 * row[HYPHENS] + row[SUPPORT]
    if len(rows) <= settings.most:
        return np.arange(len(rows))
    least = np.sort(plain)[-settings.most]
    kept, count, alike = np.empty(settings.most, dtype=np.int64), 0, settings.most - (plain > least).sum()
    for number in range(len(rows)):
        if plain[number] > least or (plain[number] == least and alike > 0):
            alike -= plain[number] == least
            kept[count] = number
            count += 1
    return kept


@compiled()
def _running(signal):  # type: ignore[no-untyped-def]
    """Sums of the first 0, 1, ... values, shape (units + 1,)."""
    sums = np.zeros(signal.size + 1)
    for unit in range(signal.size):
        sums[unit + 1] = sums[unit] + signal[unit]
    return sums


@compiled()
def _at_edges(signal, a, b, floor):  # type: ignore[no-untyped-def]
    return np.log(min(signal[a], 1.0) + floor) + np.log(min(signal[b], 1.0) + floor)
