"""Views: how alike two units look, each a cosine in [-1, 1].

Vectors of fitted views depend on the unit's type alone, so similarities are computed once for the distinct types of a document pair
and looked up in the band, or summed over windows of it (``pooled``).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_array

from data_contracts.alignment import EMBEDDINGS
from pipeline_lib.alignment.band import Band, Floats, Ints
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.alignment.fitted import Rows, Teachers, Vectors, Vocabulary
from pipeline_lib.alignment.ngrams import ngram_counts, products, unit_rows
from pipeline_lib.alignment.stored import StoredTable
from pipeline_lib.alignment.units import GridText

NGRAM_SIZES, NGRAM_COLUMNS = (2, 5), 2**18


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
        seen = self.known >= 0
        found = np.zeros((len(seen), table.shape[1]), dtype=np.float32)
        found[seen] = table[self.known[seen]]
        return found


def local_types(text: TypedText, vocabulary: Vocabulary) -> LocalTypes:
    distinct, of_unit = np.unique(text.ids, return_inverse=True)
    size = len(vocabulary.types)
    strings = [vocabulary.types[i] if i < size else text.unseen[i - size] for i in distinct.tolist()]
    return LocalTypes(strings, np.where(distinct < size, distinct, -1).astype(np.int32), of_unit.astype(np.int32))


def character_view(source: LocalTypes, target: LocalTypes) -> Floats:
    """Cosine of character 2-5-gram counts of two types, shape (distinct source, distinct target); 1 for equal types."""
    return products(*(unit_rows(ngram_counts(side.strings, *NGRAM_SIZES, NGRAM_COLUMNS)) for side in (source, target)))


def type_pairs(table: csr_array | StoredTable, given: LocalTypes, generated: LocalTypes) -> Floats:
    """Cells of a sparse table of the vocabularies, 0 for unseen types; shape (distinct given, distinct generated)."""
    rows, columns = (np.flatnonzero(side.known >= 0).astype(np.int32) for side in (given, generated))
    place = np.full(table.shape[1], -1, dtype=np.int32)
    place[generated.known[columns]] = columns
    taken = table[given.known[rows]]
    block = np.zeros((len(given.known), len(generated.known)))
    _scatter(taken.indptr, taken.indices, taken.data, rows, place, block)
    return block


def lexical_view(source: LocalTypes, target: LocalTypes, teachers: Teachers) -> Floats:
    """Translation strength of two types, in [0, 1], shape (distinct source, distinct target)."""
    return type_pairs(teachers.lexical, source, target)


def type_view(source: LocalTypes, target: LocalTypes, source_table: Rows, target_table: Rows) -> Floats:
    """Cosine of the types' vectors, shape (distinct source, distinct target)."""
    return np.asarray(source.vectors(source_table) @ target.vectors(target_table).T, dtype=np.float64)


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


@compiled()
def _scatter(indptr, columns, values, rows, place, block):  # type: ignore[no-untyped-def]
    """Add the cells of a sparse table to ``block``: its row k at ``rows[k]``, its column c at ``place[c]``, or nowhere if that is -1."""
    for row in range(rows.size):
        for k in range(indptr[row], indptr[row + 1]):
            if place[columns[k]] >= 0:
                block[rows[row], place[columns[k]]] += values[k]
