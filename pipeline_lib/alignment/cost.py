"""The cost of aligning two units: one minus the weighted sum of the views and the positional prior, in band storage."""

from collections.abc import Iterator
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit
from pydantic import BaseModel, Field, model_validator

from data_contracts.alignment import COST_MATRICES
from pipeline_lib.alignment.band import Band, BandConfig, Floats, Ints, band_around, prior, scaled_diagonal
from pipeline_lib.alignment.fitted import Teachers
from pipeline_lib.alignment.views import (
    LocalTypes,
    TypedText,
    banded_cosine,
    character_view,
    lexical_view,
    local_types,
    pooled_vectors,
    type_view,
    typed_texts,
)


class ViewWeights(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Weights of the signals in the sum; each signal has the range of a cosine."""

    characters: float = Field(1.0, ge=0)
    lexical: float = Field(1.0, ge=0)
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
    weights: ViewWeights = ViewWeights()
    context: float = Field(0.1, ge=0, description="weight of each of the four neighbouring unit pairs in the token view (paper: 5 units)")
    sentence_window: int = Field(12, ge=0, description="half-width of the sentence view's pooled window, units")
    phrase_window: int = Field(3, ge=0, description="half-width of the phrase view's pooled window, units")


def document_cost(source: TypedText, target: TypedText, teachers: Teachers, config: CostConfig) -> tuple[Floats, Band]:
    """The cost of every cell in the band of one document pair.

    Returns:
        cost, shape (cells,), within [0, 1]: 0 where all views agree fully on the diagonal; and the band.
    """
    band, nearness = _placed(len(source.ids), len(target.ids), config.band)
    similarity = _similarity(local_types(source, teachers.source), local_types(target, teachers.target), teachers, band, config)
    total = (similarity + config.weights.prior * nearness) / config.weights.total
    return np.clip(1.0 - total, 0.0, 1.0), band


def cost_tables(source: pa.Table, target: pa.Table, teachers: Teachers, config: CostConfig, at_once: int = 16) -> Iterator[pa.Table]:
    """COST_MATRICES of the documents that both EMBEDDINGS tables hold, in parts of ``at_once`` documents."""
    targets = typed_texts(target)
    langs = {"source_lang": _only(source["lang"]), "target_lang": _only(target["lang"])}
    rows: list[dict[str, object]] = []
    for document, text in typed_texts(source).items():
        if document in targets:
            cost, band = document_cost(text, targets[document], teachers, config)
            rows.append({"document": document, **langs, **band.as_row(), "cost": cost.astype(np.float32)})
        if len(rows) == at_once:
            yield COST_MATRICES.table(rows)
            rows = []
    yield COST_MATRICES.table(rows)


def _only(values: pa.ChunkedArray) -> str | None:
    found = values.unique().to_pylist()
    if len(found) > 1:
        raise ValueError(f"expected one language, found {len(found)}")
    return found[0] if found else None


def _placed(rows: int, columns: int, config: BandConfig) -> tuple[Band, Floats]:
    centre = scaled_diagonal(rows, columns)
    band = band_around(centre, columns, config)
    return band, prior(band, centre, config)


def _similarity(source: LocalTypes, target: LocalTypes, teachers: Teachers, band: Band, config: CostConfig) -> Floats:
    """Weighted sum of the views, without the prior; swapping source and target transposes it."""
    weights = config.weights
    token = weights.characters * character_view(source, target) + weights.lexical * lexical_view(source, target, teachers)
    plain = weights.sentence * type_view(source, target, teachers.sentence_source, teachers.sentence_target)
    plain += weights.phrase * type_view(source, target, teachers.phrase_source, teachers.phrase_target)
    result = np.empty(band.cells)
    _look_up(token, plain, source.of_unit, target.of_unit, config.context, band.low, band.indptr, result)
    for weight, tables, half_width in (
        (weights.pooled_sentence, (teachers.sentence_source, teachers.sentence_target), config.sentence_window),
        (weights.pooled_phrase, (teachers.phrase_source, teachers.phrase_target), config.phrase_window),
    ):
        if weight:
            source_vectors = pooled_vectors(source, tables[0], teachers.source, half_width)
            target_vectors = pooled_vectors(target, tables[1], teachers.target, half_width)
            result += weight * banded_cosine(source_vectors, target_vectors, band)
    return result


@njit(nogil=True)
def _look_up(
    token: Floats, plain: Floats, source: Ints, target: Ints, context: float, low: Ints, indptr: npt.NDArray[np.int64], result: Floats
) -> None:
    """Per cell: the plain type similarity, plus the token similarity averaged with its diagonal neighbours at +-1 and +-2."""
    n, m = source.size, target.size
    for i in range(n):
        for k in range(indptr[i], indptr[i + 1]):
            j = low[i] + k - indptr[i]
            total, weight = token[source[i], target[j]], 1.0
            for shift in (-2, -1, 1, 2):
                if 0 <= i + shift < n and 0 <= j + shift < m:
                    total += context * token[source[i + shift], target[j + shift]]
                    weight += context
            result[k] = total / weight + plain[source[i], target[j]]
