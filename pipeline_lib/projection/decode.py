"""Decoding: from an alignment to the target span of each mention.

A mention with source units I gives target unit j the score ``s_j = sum over i in I of g_ij``, ``g`` the geometric mean of the plan's row
and column shares. The span is the one whose sum of ``s_j - threshold`` is largest, judged together with the edge statistics of its ends.
``decoder = "paper"`` is the paper's: runs of units over the threshold with at most one gap unit, the longest.
"""

import unicodedata
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import BaseModel, Field

from pipeline_lib.alignment.band import Band, Floats
from pipeline_lib.alignment.units import GridText
from pipeline_lib.projection.edges import CLOSES, FOLLOWS, OPENS, PRECEDES

HYPHENS = frozenset("-\u2010\u2011")


class DecodeConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How spans are chosen. Scores are sums of shares: 1 is one whole unit."""

    decoder: Literal["maximum-sum", "paper"] = "maximum-sum"
    threshold: float = Field(0.25, ge=0, description="score a target unit must exceed to add to a span")
    hyphen_share: float = Field(0.1, ge=0, description="score above which the other part of a hyphenated word is taken in")
    reach: int = Field(3, ge=0, description="candidate spans move each end of the maximum-sum span by up to this many units")
    edge_weight: float = Field(0.03, ge=0, description="weight of the edge log-odds at the four edge places")


@dataclass(frozen=True)
class Aligned:
    """One aligned document pair.

    Attributes:
        shares: ``g`` of every cell of ``band``, shape (cells,).
        edges: edge log-odds of every target unit, shape (target units, 4).
    """

    source: GridText
    target: GridText
    shares: Floats
    band: Band
    edges: Floats


@dataclass(frozen=True)
class Span:
    """Where a mention went: fragments (code points, half-open) and a confidence in [0, 1]; no fragments is an abstention with a reason."""

    starts: list[int]
    ends: list[int]
    confidence: float
    reason: str | None = None


def project_mention(starts: list[int], ends: list[int], pair: Aligned, config: DecodeConfig) -> Span:
    """Project one mention, fragment by fragment; fragments that meet in the target become one."""
    fragments = [pair.source.units_of(start, end) for start, end in zip(starts, ends, strict=True)]
    if not any(fragments):
        return Span([], [], 0.0, "no_source_unit")
    found = [(units, _place(units, pair, config), start, end) for units, start, end in zip(fragments, starts, ends, strict=True) if units]
    placed = [(units, place, start, end) for units, place, start, end in found if place is not None]
    if not placed:
        return Span([], [], 0.0, "no_aligned_unit")
    confidence = np.mean([place.confidence for _, place, _, _ in placed])
    pieces = [(*_characters(units, place, start, end, pair), place.first, place.last) for units, place, start, end in placed]
    merged = _merge(sorted(pieces, key=lambda piece: piece[2:]))
    return Span([start for start, _ in merged], [end for _, end in merged], float(confidence))


@dataclass(frozen=True)
class _Place:
    """Target units first..last, inclusive."""

    first: int
    last: int
    confidence: float


def _place(units: range, pair: Aligned, config: DecodeConfig) -> _Place | None:
    left, scores = _scores(units, pair)
    span = _longest_run(scores, config.threshold) if config.decoder == "paper" else _maximum_sum(scores - config.threshold)
    if span is None:
        return None
    first, last = span[0] + left, span[1] + left
    if config.decoder == "maximum-sum":
        first, last = _best_edges(first, last, left, scores, pair.edges, config)
        first, last = _whole_words(first, last, left, scores, pair.target, config)
    mass = scores[max(first - left, 0) : last - left + 1].sum()
    return _Place(first, last, float(min(1.0, mass / max(len(units), last - first + 1))))


def _scores(units: range, pair: Aligned) -> tuple[int, Floats]:
    """The leftmost reachable target unit and the scores from there on, shape (reachable,)."""
    low, high, indptr = pair.band.low, pair.band.high, pair.band.indptr
    left, right = int(low[units.start : units.stop].min()), int(high[units.start : units.stop].max())
    scores = np.zeros(max(right - left, 0))
    for unit in units:
        scores[low[unit] - left : high[unit] - left] += pair.shares[indptr[unit] : indptr[unit + 1]]
    return left, scores


def _maximum_sum(gains: Floats) -> tuple[int, int] | None:
    """First and last index of the contiguous run with the largest positive sum (Kadane), or None."""
    best, span, total, start = 0.0, None, 0.0, 0
    for index, gain in enumerate(gains.tolist()):
        if total <= 0.0:
            total, start = 0.0, index
        total += gain
        if total > best:
            best, span = total, (start, index)
    return span


def _longest_run(scores: Floats, threshold: float) -> tuple[int, int] | None:
    """First and last index of the longest run of scores over the threshold that skips at most one unit at a time, or None."""
    over = np.flatnonzero(scores > threshold)
    if not len(over):
        return None
    runs = np.split(over, np.flatnonzero(np.diff(over) > 2) + 1)
    longest = max(runs, key=lambda run: (len(run), scores[run].sum()))
    return int(longest[0]), int(longest[-1])


def _best_edges(first: int, last: int, left: int, scores: Floats, edges: Floats, config: DecodeConfig) -> tuple[int, int]:
    """The best of the spans whose ends lie within ``reach`` of the given ones: evidence inside plus what the edge places say."""
    cumulated = np.concatenate([[0.0], np.cumsum(scores - config.threshold)])
    lowest, highest = max(first - config.reach, left), min(last + config.reach, left + len(scores) - 1)
    opening = np.array([_edge_score(edges, place, OPENS, place - 1, PRECEDES, config) for place in range(lowest, highest + 1)])
    closing = np.array([_edge_score(edges, place, CLOSES, place + 1, FOLLOWS, config) for place in range(lowest, highest + 1)])
    starts = np.arange(lowest, min(first + config.reach, highest) + 1)
    stops = np.arange(max(last - config.reach, lowest), highest + 1)
    total = cumulated[stops + 1 - left][None, :] - cumulated[starts - left][:, None]
    total = total + opening[starts - lowest][:, None] + closing[stops - lowest][None, :]
    total[starts[:, None] > stops[None, :]] = -np.inf
    row, column = np.unravel_index(np.argmax(total), total.shape)
    return int(starts[row]), int(stops[column])


def _edge_score(edges: Floats, inner: int, inner_place: int, outer: int, outer_place: int, config: DecodeConfig) -> float:
    outside = edges[outer, outer_place] if 0 <= outer < len(edges) else 0.0
    return float(config.edge_weight * (edges[inner, inner_place] + outside))


def _whole_words(first: int, last: int, left: int, scores: Floats, target: GridText, config: DecodeConfig) -> tuple[int, int]:
    """Take in the attached part of a hyphenated word that the span cuts, if the mention owns some of it."""

    def owned(unit: int) -> bool:
        return 0 <= unit - left < len(scores) and scores[unit - left] > config.hyphen_share

    while first >= 2 and _hyphenated(target, first - 2) and owned(first - 2):
        first -= 2
    while last + 2 < len(target.starts) and _hyphenated(target, last) and owned(last + 2):
        last += 2
    return first, last


def _hyphenated(target: GridText, unit: int) -> bool:
    """Whether unit, a hyphen and the next unit are written together."""
    if target.text[target.starts[unit + 1] : target.ends[unit + 1]] not in HYPHENS:
        return False
    return target.ends[unit] == target.starts[unit + 1] and target.ends[unit + 1] == target.starts[unit + 2]


def _characters(units: range, place: _Place, start: int, end: int, pair: Aligned) -> tuple[int, int]:
    """Offsets of the placed units; a mention that cuts a source unit cuts its target unit alike, where both share the part cut off."""
    whole = pair.target.starts[place.first], pair.target.ends[place.last]
    head = pair.source.text[pair.source.starts[units[0]] : start]
    tail = pair.source.text[end : pair.source.ends[units[-1]]]
    surface, (low, high) = pair.target.text[slice(*whole)], whole
    if len(surface) > len(head) + len(tail):
        low += len(head) * (surface.startswith(head) and not _is_mark(surface[len(head)]))
        high -= len(tail) * (surface.endswith(tail) and not _is_mark(tail[:1]))
    kept = pair.target.text[low:high]
    low += len(kept) - len(kept.lstrip())
    return (low, low + len(kept.strip())) if kept.strip() else whole


def _is_mark(character: str) -> bool:
    return bool(character) and unicodedata.category(character).startswith("M")


def _merge(pieces: list[tuple[int, int, int, int]]) -> list[tuple[int, int]]:
    """Join pieces (start, end, first unit, last unit) whose units touch or overlap."""
    merged: list[tuple[int, int, int]] = []
    for start, end, first, last in pieces:
        if merged and first <= merged[-1][2] + 1:
            previous = merged.pop()
            merged.append((min(previous[0], start), max(previous[1], end), max(previous[2], last)))
        else:
            merged.append((start, end, last))
    return [(start, end) for start, end, _ in merged]
