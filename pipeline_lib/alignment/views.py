"""Views: how alike two units look, each a cosine in [-1, 1].

Vectors of fitted views depend on the unit's type alone, so similarities are computed once for the distinct types of a document pair
and looked up in the band; only the pooled views have a vector a position.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.feature_extraction.text import HashingVectorizer

from data_contracts.alignment import EMBEDDINGS
from pipeline_lib.alignment.band import Band, Floats, Ints
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.alignment.fitted import Rows, Teachers, Vectors, Vocabulary
from pipeline_lib.alignment.units import GridText

NGRAMS = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5), n_features=2**18, norm="l2", alternate_sign=False, lowercase=False)
SIF = 1e-3  # smooth inverse frequency (Arora et al. 2017): weight a / (a + p(type))


@dataclass(frozen=True)
class TypedText:
    """One text as types of a fitted vocabulary.

    Attributes:
        ids: type of each unit, shape (units,); ``len(vocabulary)`` and above are unseen types.
        unseen: the unseen types, in order of their ids.
    """

    ids: Ints
    unseen: list[str]


def typed(types: list[str], vocabulary: Vocabulary) -> TypedText:
    """Look the unit types up; types the teachers have never met get ids of their own."""
    unseen: dict[str, int] = {}
    known = len(vocabulary.types)
    ids = [vocabulary.index.get(kind, -1) for kind in types]
    ids = [number if number >= 0 else known + unseen.setdefault(kind, len(unseen)) for number, kind in zip(ids, types, strict=True)]
    return TypedText(np.array(ids, dtype=np.int32), list(unseen))


def embeddings_table(texts: dict[str, GridText], lang: str, vocabulary: Vocabulary) -> pa.Table:
    """EMBEDDINGS of every text (by document id) of one language."""
    rows: list[dict[str, object]] = []
    for document, text in texts.items():
        known = typed(text.types, vocabulary)
        rows.append({"document": document, "lang": lang, "ids": known.ids, "unseen": known.unseen})
    return EMBEDDINGS.table(rows)


def typed_texts(embeddings: pa.Table) -> dict[str, TypedText]:
    """EMBEDDINGS back as typed texts, by document id."""
    return {row["document"]: TypedText(np.array(row["ids"], dtype=np.int32), row["unseen"]) for row in embeddings.to_pylist()}


@dataclass(frozen=True)
class LocalTypes:
    """The distinct types of one text: their strings, their vectors' rows, and which one each unit is.

    Attributes:
        strings: shape (distinct,); known: id in the vocabulary or -1, shape (distinct,); of_unit: shape (units,).
    """

    strings: list[str]
    known: Ints
    of_unit: Ints

    def vectors(self, table: Rows) -> Vectors:
        """Rows of ``table`` for the distinct types, 0 for unseen ones; shape (distinct, dimensions)."""
        return np.where((self.known >= 0)[:, None], table[self.known], np.float32(0.0))


def local_types(text: TypedText, vocabulary: Vocabulary) -> LocalTypes:
    distinct, of_unit = np.unique(text.ids, return_inverse=True)
    size = len(vocabulary.types)
    strings = [vocabulary.types[i] if i < size else text.unseen[i - size] for i in distinct.tolist()]
    return LocalTypes(strings, np.where(distinct < size, distinct, -1).astype(np.int32), of_unit.astype(np.int32))


def character_view(source: LocalTypes, target: LocalTypes) -> Floats:
    """Cosine of character 2-5-gram counts of two types, shape (distinct source, distinct target); 1 for equal types."""
    grams: Floats = (NGRAMS.transform(source.strings) @ NGRAMS.transform(target.strings).T).toarray()
    return grams


def lexical_view(source: LocalTypes, target: LocalTypes, teachers: Teachers) -> Floats:
    """Translation strength of two types, in [0, 1], shape (distinct source, distinct target)."""
    block = teachers.lexical[source.known][:, target.known].toarray()
    block[source.known < 0] = 0.0
    block[:, target.known < 0] = 0.0
    return np.asarray(block, dtype=np.float64)


def type_view(source: LocalTypes, target: LocalTypes, source_table: Rows, target_table: Rows) -> Floats:
    """Cosine of the types' vectors, shape (distinct source, distinct target)."""
    return np.asarray(source.vectors(source_table) @ target.vectors(target_table).T, dtype=np.float64)


def pooled_vectors(text: LocalTypes, table: Rows, vocabulary: Vocabulary, half_width: int) -> Vectors:
    """Unit-length SIF mean of the types' vectors over a window around every position, shape (units, dimensions)."""
    frequency = vocabulary.counts[text.known] / vocabulary.counts.sum()
    weight = np.where(text.known >= 0, SIF / (SIF + frequency), 0.0)
    weighted = (text.vectors(table) * weight[:, None])[text.of_unit]
    sums = np.concatenate([np.zeros((1, table.shape[1])), np.cumsum(weighted, axis=0, dtype=np.float64)])
    position = np.arange(len(text.of_unit))
    window = sums[np.minimum(position + half_width + 1, len(position))] - sums[np.maximum(position - half_width, 0)]
    norms = np.linalg.norm(window, axis=1, keepdims=True)
    mean: Floats = np.divide(window, norms, out=np.zeros_like(window), where=norms > 1e-9)
    return mean.astype(np.float32)


def banded_cosine(source: npt.NDArray[np.float32], target: npt.NDArray[np.float32], band: Band, rows_at_once: int = 48) -> Floats:
    """Inner products of unit-length vectors, (n, d) and (m, d), for the cells of the band; shape (cells,).

    A dense product a block of rows: few rows compute little outside a slanted band, many keep the product fast; 48 was measured best
    for a band of +-100.
    """
    result = np.empty(band.cells)
    for first in range(0, band.rows, rows_at_once):
        rows = slice(first, min(first + rows_at_once, band.rows))
        left, right = int(band.low[rows].min()), int(band.high[rows].max())
        cells = result[band.indptr[rows.start] : band.indptr[rows.stop]]
        _take_band(source[rows] @ target[left:right].T, band.low[rows], band.high[rows], left, cells)
    return result


@compiled()
def _take_band(block: npt.NDArray[np.float32], low: Ints, high: Ints, left: int, cells: Floats) -> None:
    k = 0
    for i in range(low.size):
        row = block[i, low[i] - left : high[i] - left]
        for j in range(row.size):
            cells[k + j] = row[j]
        k += row.size
