"""The cost of aligning two units: one minus the weighted sum of the views and the positional prior, in band storage.

Beside it stands what the hidden Markov model says of the same pairs: its emissions take the views in (``posteriors``).
"""

from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel, Field, model_validator

from data_contracts.alignment import COST_MATRICES, POSTERIORS
from pipeline_lib.alignment.band import Band, BandConfig, Floats, Ints, prior
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.alignment.fitted import Teachers, Vocabulary
from pipeline_lib.alignment.pooled import pooled_view, salience, window_lengths
from pipeline_lib.alignment.posteriors import PosteriorConfig, Posteriors, posteriors
from pipeline_lib.alignment.segments import Groups, anchored_band, segment_pairs
from pipeline_lib.alignment.views import (
    LocalTypes,
    TypedText,
    character_view,
    lexical_view,
    local_types,
    type_view,
    typed_texts,
)


class ViewWeights(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Weights of the signals in the sum; each signal has the range of a cosine."""

    characters: float = Field(1.5, ge=0)
    lexical: float = Field(0.0, ge=0, description="0: the posteriors have the table already, and evidence is better counted once")
    sentence: float = Field(1.31, ge=0)
    phrase: float = Field(0.71, ge=0)
    pooled_sentence: float = Field(0.42, ge=0)
    pooled_phrase: float = Field(0.2, ge=0)
    prior: float = Field(0.8, ge=0)

    @model_validator(mode="after")
    def _something_counts(self) -> Self:
        if self.total <= 0:
            raise ValueError("at least one weight must be positive")
        return self

    @property
    def total(self) -> float:
        return float(sum(self.model_dump().values()))


class CostConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How views become one cost."""

    band: BandConfig = BandConfig()
    anchored: bool = Field(True, description="the band follows the aligned segments too; off: the scaled diagonal alone (paper)")
    weights: ViewWeights = ViewWeights()
    context: float = Field(
        0.1,
        ge=0,
        description="weight of each of the four neighbouring unit pairs in the token view (the paper's 5 units; its factor on both "
        "concatenated vectors is 0.01 here)",
    )
    sentence_window: int = Field(12, ge=0, description="half-width of the sentence view's pooled window, units")
    phrase_window: int = Field(3, ge=0, description="half-width of the phrase view's pooled window, units")
    posteriors: PosteriorConfig = PosteriorConfig()


def document_cost(
    source: TypedText, target: TypedText, groups: Groups, teachers: Teachers, config: CostConfig
) -> tuple[Floats, Band, Posteriors]:
    """The cost of every cell in the band of one document pair, and the posteriors of its unit pairs.

    Returns:
        cost, shape (cells,), within [0, 1]: 0 where all views agree fully on the diagonal; the band; the posteriors.
    """
    band, centre = anchored_band(groups if config.anchored else None, len(source.ids), len(target.ids), config.band)
    nearness = prior(band, centre, config.band)
    ours, theirs = local_types(source, teachers.source), local_types(target, teachers.target)
    views, lexicon = _similarity(ours, theirs, teachers, band, config)
    similarity = (views + lexicon + config.weights.prior * nearness) / config.weights.total
    # The tables are the model's own emissions: what the other views say is added to them, the table itself is not counted twice.
    found = posteriors(ours, theirs, groups, teachers.translation, band, views, config.posteriors)
    return np.clip(1.0 - similarity, 0.0, 1.0), band, found


def cost_tables(
    source: pa.Table, target: pa.Table, segments: pa.Table, teachers: Teachers, config: CostConfig, at_once: int = 16
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """COST_MATRICES and POSTERIORS of the documents that both EMBEDDINGS tables hold, in parts of ``at_once`` documents."""
    sources, targets, groups = typed_texts(source), typed_texts(target), segment_pairs(segments)
    langs = {"source_lang": _only(source["lang"]), "target_lang": _only(target["lang"])}
    sides = ((sources, teachers.source), (targets, teachers.target))
    documents = [document for document in sources if document in targets]
    for first in range(0, len(documents) + 1, at_once):
        part = documents[first : first + at_once]
        near = teachers.at_hand(*(met_types([texts[document] for document in part], vocabulary) for texts, vocabulary in sides))
        costs: list[dict[str, object]] = []
        found: list[dict[str, object]] = []
        for document in part:
            cost, band, of_pairs = document_cost(sources[document], targets[document], groups[document], near, config)
            costs.append({"document": document, **langs, **band.as_row(), "cost": cost.astype(np.float32)})
            found.append({"document": document, **langs, **of_pairs.as_row(config.posteriors.keep)})
        yield COST_MATRICES.table(costs), POSTERIORS.table(found)


def met_types(texts: Sequence[TypedText], vocabulary: Vocabulary) -> Ints:
    """The types of these texts that the vocabulary knows, ascending."""
    ids = np.unique(np.concatenate([np.empty(0, dtype=np.int32), *(text.ids for text in texts)]))
    return ids[ids < len(vocabulary.types)]


def _only(values: pa.ChunkedArray) -> str | None:
    found = values.unique().to_pylist()
    if len(found) > 1:
        raise ValueError(f"expected one language, found {len(found)}")
    return found[0] if found else None


def _similarity(source: LocalTypes, target: LocalTypes, teachers: Teachers, band: Band, config: CostConfig) -> tuple[Floats, Floats]:
    """Weighted sum of the views without the lexical table and the prior, and the table's part; swapping the texts transposes both."""
    weights = config.weights
    plain, pooled = np.zeros((len(source.strings), len(target.strings))), np.zeros(band.cells)
    salient = salience(source, teachers.source), salience(target, teachers.target)
    for weight, pooled_weight, half_width, tables in (
        (weights.sentence, weights.pooled_sentence, config.sentence_window, (teachers.sentence_source, teachers.sentence_target)),
        (weights.phrase, weights.pooled_phrase, config.phrase_window, (teachers.phrase_source, teachers.phrase_target)),
    ):
        view = type_view(source, target, *tables)
        plain += weight * view
        if pooled_weight:
            sides = zip((source, target), salient, tables, strict=True)
            ours, theirs = ((text, salt, window_lengths(text, table, salt, half_width)) for text, salt, table in sides)
            pooled += pooled_weight * pooled_view(view, ours, theirs, half_width, band)
    views, lexicon = np.empty(band.cells), np.zeros(band.cells)
    where = (source.of_unit, target.of_unit, config.context, band.low, band.indptr)
    _look_up(weights.characters * character_view(source, target), plain, *where, views)
    if weights.lexical:
        _look_up(weights.lexical * lexical_view(source, target, teachers), np.zeros_like(plain), *where, lexicon)
    return views + pooled, lexicon


@compiled()
def _look_up(
    token: Floats, plain: Floats, source: Ints, target: Ints, context: float, low: Ints, indptr: npt.NDArray[np.int64], result: Floats
) -> None:
    """Per cell: the plain type similarity, plus the token similarity averaged with its diagonal neighbours at +-1 and +-2."""
    n, m = source.size, target.size
    near, weights = np.empty(m), np.empty(m)
    for i in range(n):
        left, size = low[i], indptr[i + 1] - indptr[i]
        near[:size], weights[:size] = 0.0, 1.0
        for shift in (-2, -1, 1, 2):
            if 0 <= i + shift < n:
                first, last = max(0, -left - shift), min(size, m - left - shift)
                row, kinds = token[source[i + shift]], target[left + first + shift : left + last + shift]
                for k in range(last - first):
                    near[first + k] += row[kinds[k]]
                    weights[first + k] += context
        cells, own, beside, kinds = result[indptr[i] : indptr[i + 1]], token[source[i]], plain[source[i]], target[left : left + size]
        for k in range(size):
            cells[k] = (own[kinds[k]] + context * near[k]) / weights[k] + beside[kinds[k]]
