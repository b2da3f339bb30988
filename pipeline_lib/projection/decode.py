"""Decoding: from scored candidates to the target span of each mention.

``decoder = "maximum-sum"`` takes the candidate of least risk, mentions of one surface jointly; ``decoder = "paper"`` the paper's span: the
longest run of units over the threshold with at most one gap unit. A mention that its alignment does not see in the span is not projected.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, Field

from data_contracts.projection import FEATURES
from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.units import GridText
from pipeline_lib.projection.occurrences import Choice, resolve
from pipeline_lib.projection.offsets import characters, merge
from pipeline_lib.projection.scoring import CorpusKnowledge, MemoryConfig, Pool, SpanWeights, final_scores, pool, probabilities


class DecodeConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How spans are chosen among the candidates."""

    decoder: Literal["maximum-sum", "paper"] = "maximum-sum"
    weights: SpanWeights = SpanWeights()
    memory: MemoryConfig = MemoryConfig()
    temperature: float = Field(1.5, gt=0, description="of the probabilities that decide; above 1 doubts count more")
    overlap: float = Field(3.0, ge=0, description="weight of the expected overlap (Dice) with the right span, beside the probability's 1")
    joint: bool = Field(True, description="mentions of one surface share out their occurrences in the target")
    least_evidence: float = Field(
        0.25, ge=0, le=1, description="below it a mention abstains: mean of its posterior share in the span and the span's share in it"
    )


@dataclass(frozen=True)
class Span:
    """Where a mention went: fragments (code points, half-open) and a confidence in [0, 1]; no fragments is an abstention with a reason."""

    starts: list[int]
    ends: list[int]
    confidence: float
    reason: str | None = None


@dataclass(frozen=True)
class Placed:
    """Target units first..last, inclusive, of one fragment."""

    first: int
    last: int
    confidence: float


Fragments = dict[tuple[str, str, int], Placed]  # by document, mention and fragment


@dataclass(frozen=True)
class Verdict:
    """What decides among the candidates of a mention, and how sure each is; both in [0, 1], shape (candidates,)."""

    likely: Floats
    confidence: Floats


class SpanModel(Protocol):
    """The settings of the unsupervised model of spans."""

    @property
    def weights(self) -> SpanWeights: ...
    @property
    def memory(self) -> MemoryConfig: ...
    @property
    def temperature(self) -> float: ...


Judge = Callable[[Pool, CorpusKnowledge, SpanModel], Verdict]


def unsupervised(found: Pool, known: CorpusKnowledge, model: SpanModel) -> Verdict:
    """The judge that no gold has taught."""
    scores = final_scores(found, known, model.weights, model.memory)
    return Verdict(probabilities(scores / model.temperature, found.owner), probabilities(scores, found.owner))


def place_fragments(candidates: pa.Table, known: CorpusKnowledge, config: DecodeConfig, judge: Judge = unsupervised) -> Fragments:
    """Where every fragment of CANDIDATES goes; those that abstain are left out."""
    found = pool(candidates)
    names = list(zip(*(candidates[name].to_pylist() for name in ("document", "mention", "fragment")), strict=True))
    if config.decoder == "paper":
        runs = zip(names, candidates["paper_first"].to_pylist(), candidates["paper_last"].to_pylist(), strict=True)
        return {name: Placed(first, last, 1.0) for name, first, last in runs if first is not None}
    verdict = judge(found, known, config)
    worth = (verdict.likely + config.overlap * expected_overlap(found, verdict.likely)) / (1 + config.overlap)
    rivals = choices(found, worth)
    picked = resolve(rivals) if config.joint else {choice.row: choice.best for choice in rivals}
    seen = _evidence(found)
    return {
        names[row]: Placed(int(found.first[pick]), int(found.last[pick]), float(verdict.confidence[pick]))
        for row, pick in picked.items()
        if seen[pick] >= config.least_evidence
    }


def expected_overlap(found: Pool, likely: Floats) -> Floats:
    """Dice of each candidate's units with the right span's, expected under the candidates' probabilities; shape (candidates,).

    Choosing by it is minimum-risk decoding (Kumar & Byrne 2004): of two edges that divide the probability, the safer span wins.
    """
    result = np.empty(len(likely))
    starts = np.flatnonzero(np.diff(found.owner, prepend=-1)).tolist()
    for start, stop in pairwise([*starts, len(likely)]):
        first, last = found.first[start:stop], found.last[start:stop]
        shared = np.minimum(last[:, None], last) - np.maximum(first[:, None], first) + 1
        size = last - first + 1
        result[start:stop] = (2 * np.maximum(shared, 0) / (size[:, None] + size)) @ likely[start:stop]
    return result


def choices(found: Pool, worth: Floats) -> list[Choice]:
    """One a mention or fragment that has candidates, in the order of the table."""
    surfaces = list(zip(found.table["document"].to_pylist(), found.table["source_key"].to_pylist(), strict=True))
    places = found.table["source_first"].to_pylist()
    starts = np.flatnonzero(np.diff(found.owner, prepend=-1)).tolist()
    stops = [*starts, len(found.owner)][1:]
    return [
        Choice(
            row,
            surfaces[row],
            places[row],
            np.arange(start, stop),
            found.first[start:stop],
            found.last[start:stop],
            worth[start:stop],
        )
        for row, start, stop in zip(found.owner[starts].tolist(), starts, stops, strict=True)
    ]


def decode_mention(
    document: str, mention: str, starts: list[int], ends: list[int], source: GridText, target: GridText, placed: Fragments
) -> Span:
    """The span of one mention, fragment by fragment; fragments that meet in the target become one."""
    fragments = [source.units_of(start, end) for start, end in zip(starts, ends, strict=True)]
    if not any(fragments):
        return Span([], [], 0.0, "no_source_unit")
    pieces, confidence = [], 1.0
    for number, (units, start, end) in enumerate(zip(fragments, starts, ends, strict=True)):
        place = placed.get((document, mention, number))
        if place is not None:
            span = (place.first, place.last)
            pieces.append((*characters(units, span, start, end, source, target), *span))
            confidence = min(confidence, place.confidence)
    if not pieces:
        return Span([], [], 0.0, "no_aligned_unit")
    merged = merge(sorted(pieces, key=lambda piece: piece[2:]))
    return Span([start for start, _ in merged], [end for _, end in merged], confidence)


def _evidence(found: Pool) -> Floats:
    """How far mention and candidate are each other's, in [0, 1], shape (candidates,): text without counterpart has next to nothing here.

    The mean of two shares: of the mention's units, what the posterior finds in the span; of the span's units, what the plan says the
    mention owns.
    """
    at = {name: number for number, name in enumerate(FEATURES)}
    units = np.array([key.count(" ") + 1 for key in found.table["source_key"].to_pylist()])[found.owner]
    of_mention = found.features[:, at["backward"]] / units
    of_span = found.features[:, at["owned"]] / (found.last - found.first + 1)
    mean: Floats = (of_mention + of_span) / 2
    return mean
