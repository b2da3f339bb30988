"""Decoding: from scored candidates to the target span of each mention.

``decoder = "maximum-sum"`` takes the candidate of least risk, mentions of one surface jointly; ``decoder = "paper"`` the paper's span: the
longest run of units over the threshold with at most one gap unit. A mention that its alignment does not see in the span is not projected.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, Field

from data_contracts.projection import FEATURES
from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.units import GridText
from pipeline_lib.projection.memory import Longs
from pipeline_lib.projection.occurrences import Choice, resolve
from pipeline_lib.projection.offsets import characters, merge
from pipeline_lib.projection.overlap import expected_overlap
from pipeline_lib.projection.scoring import CorpusKnowledge, MemoryConfig, Pool, SpanWeights, final_scores, likeliest, pool, probabilities

PLACED_BY = [
    *("document", "mention", "fragment", "source_first", "source_key"),
    *("first", "last", "keys", "types", *FEATURES),
    *("paper_first", "paper_last"),
]
"""What is read of CANDIDATES where no re-ranker looks at the windows, which are most of it."""


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
    names = list(zip(*(candidates[name].to_pylist() for name in ("document", "mention", "fragment")), strict=True))
    if config.decoder == "paper":
        runs = zip(names, candidates["paper_first"].to_pylist(), candidates["paper_last"].to_pylist(), strict=True)
        return {name: Placed(first, last, 1.0) for name, first, last in runs if first is not None}
    found = pool(candidates)
    verdict = judge(found, known, config)
    overlap = expected_overlap(found.first, found.last, verdict.likely, found.bounds)
    worth = (verdict.likely + config.overlap * overlap) / (1 + config.overlap)
    picks = likeliest(worth, found.owner)
    if config.joint:
        picks = _shared_out(found, worth, picks)
    picks = picks[_evidence(found, picks) >= config.least_evidence]
    placed = (values[picks].tolist() for values in (found.owner, found.first, found.last, verdict.confidence))
    return {names[row]: Placed(first, last, confidence) for row, first, last, confidence in zip(*placed, strict=True)}


def _shared_out(found: Pool, worth: Floats, picks: Longs) -> Longs:
    """The picks, shape (mentions with candidates,), with those of mentions that compete for the target's occurrences resolved."""
    resolved = resolve(choices(found, worth))
    shared_out = picks.copy()
    shared_out[np.searchsorted(found.owner[picks], list(resolved))] = list(resolved.values())
    return shared_out


def choices(found: Pool, worth: Floats) -> list[Choice]:
    """One a mention or fragment whose surface its document has more than once, in the order of the table."""
    bounds = found.bounds
    rows = found.owner[bounds[:-1]]
    mentions = pl.DataFrame(found.table.select(["document", "source_key", "source_first"]))[rows]
    again = np.flatnonzero(mentions.select("document", "source_key").is_duplicated().to_numpy())
    made = []
    for number, (document, key, place) in zip(again.tolist(), mentions[again].iter_rows(), strict=True):
        own = slice(int(bounds[number]), int(bounds[number + 1]))
        numbers = np.arange(own.start, own.stop)
        made.append(Choice(int(rows[number]), (document, key), place, numbers, found.first[own], found.last[own], worth[own]))
    return made


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


def _evidence(found: Pool, picks: Longs) -> Floats:
    """How far mention and candidate are each other's, in [0, 1], shape (picks,): text without counterpart has next to nothing here.

    The mean of two shares: of the mention's units, what the posterior finds in the span; of the span's units, what the plan says the
    mention owns.
    """
    at = {name: number for number, name in enumerate(FEATURES)}
    keys = found.table["source_key"].take(pa.array(found.owner[picks]))
    of_mention = found.features[picks, at["backward"]] / (pc.count_substring(keys, " ").to_numpy() + 1)
    of_span = found.features[picks, at["owned"]] / (found.last[picks] - found.first[picks] + 1)
    mean: Floats = (of_mention + of_span) / 2
    return mean
