"""The embedded teachers: three views fitted on the run's own texts, then frozen. They need no model hub.

- sentence view: units x segment incidence of both languages stacked, PPMI, truncated SVD: types that share segments are near.
- phrase view: bilingual co-occurrence within a window on the anchored diagonal, PPMI with context smoothing (Levy et al. 2015), SVD.
- token view: character n-grams (``views``) and a lexical translation table (``lexical``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field
from scipy.sparse import csr_array, vstack

from pipeline_lib.alignment.band import Floats, Ints
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.alignment.lexical import GroupedText, LexicalConfig, Translation, fit_translation
from pipeline_lib.alignment.pairs import count_meetings, narrowed
from pipeline_lib.alignment.segments import Groups, anchored_diagonal
from pipeline_lib.alignment.stored import StoredMatrix, at_hand
from pipeline_lib.alignment.svd import truncated_svd

Vectors = npt.NDArray[np.float32]
Rows = Vectors | StoredMatrix


class FitConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """What the embedded teachers learn from a corpus."""

    lexical: LexicalConfig = LexicalConfig()
    dimensions: int = Field(256, ge=2, description="of the sentence and phrase vectors, at most")
    window: int = Field(5, ge=0, description="half-width of the phrase view's co-occurrence window, target units")
    smoothing: float = Field(0.75, gt=0, le=1, description="exponent of the context counts in the phrase view's PPMI")
    seed: int = 13


@dataclass(frozen=True)
class PairTypes:
    """One document in two languages: unit types of both sides, and which of their segments translate each other."""

    source: list[str]
    target: list[str]
    groups: Groups


@dataclass(frozen=True)
class Vocabulary:
    """Types of one language, sorted, with their counts in the fitted texts, shape (types,)."""

    types: tuple[str, ...]
    counts: npt.NDArray[np.int64]

    @cached_property
    def index(self) -> dict[str, int]:
        return {kind: number for number, kind in enumerate(self.types)}

    @cached_property
    def total(self) -> int:
        """Units of the fitted texts."""
        return int(self.counts.sum())

    def ids(self, types: Sequence[str]) -> Ints:
        """Type ids, shape (units,); every type must be known."""
        return np.array([self.index[kind] for kind in types], dtype=np.int32)


@dataclass(frozen=True)
class Teachers:
    """The fitted views of one language pair. Rows of the vectors are types and have unit length (or are 0).

    Attributes:
        sentence_source, sentence_target, phrase_source, phrase_target: shape (types, dimensions).
        lexical: ``sqrt(p(t|s) p(s|t))``, shape (source types, target types), sparse; translation: what it is made of.
    """

    source: Vocabulary
    target: Vocabulary
    sentence_source: Rows
    sentence_target: Rows
    phrase_source: Rows
    phrase_target: Rows
    lexical: csr_array
    translation: Translation

    def at_hand(self, source: Ints, target: Ints) -> "Teachers":
        """The same with the rows of these source and target types in memory: what is stored is read once for all of them."""
        return replace(
            self,
            sentence_source=at_hand(self.sentence_source, source),
            sentence_target=at_hand(self.sentence_target, target),
            phrase_source=at_hand(self.phrase_source, source),
            phrase_target=at_hand(self.phrase_target, target),
            translation=self.translation.at_hand(source, target),
        )


def fit_teachers(pairs: Iterable[PairTypes], config: FitConfig) -> Teachers:
    """Fit all views on the given document pairs (at least one); of each no more is kept than its types' ids."""
    numbers: tuple[dict[str, int], dict[str, int]] = ({}, {})
    typed = [(_numbered(pair.source, numbers[0]), _numbered(pair.target, numbers[1]), pair.groups) for pair in pairs]
    groups = [found for _, _, found in typed]
    source, source_ids = _vocabulary(numbers[0], [ids for ids, _, _ in typed])
    target, target_ids = _vocabulary(numbers[1], [ids for _, ids, _ in typed])
    text = _grouped(source_ids, target_ids, groups)
    sentence_source, sentence_target = _sentence_view(text, len(source.types), len(target.types), config)
    phrase_source, phrase_target = _phrase_view(source_ids, target_ids, groups, len(source.types), len(target.types), config)
    translation = fit_translation(text, len(source.types), len(target.types), config.lexical)
    lexical = translation.strength(config.lexical.keep)
    return Teachers(source, target, sentence_source, sentence_target, phrase_source, phrase_target, lexical, translation)


def _numbered(types: Sequence[str], numbers: dict[str, int]) -> Ints:
    """Types in the order in which they were first met, shape (units,); new ones are added to ``numbers``."""
    return np.fromiter((numbers.setdefault(kind, len(numbers)) for kind in types), dtype=np.int32, count=len(types))


def _vocabulary(numbers: dict[str, int], texts: Sequence[Ints]) -> tuple[Vocabulary, list[Ints]]:
    """The types in sorted order, and the texts renumbered so."""
    types = tuple(sorted(numbers))
    place = np.empty(len(types), dtype=np.int32)
    place[[numbers[kind] for kind in types]] = np.arange(len(types), dtype=np.int32)
    renumbered = [place[ids] for ids in texts]
    return Vocabulary(types, np.bincount(np.concatenate(renumbered), minlength=len(types))), renumbered


def _grouped(source: list[Ints], target: list[Ints], groups: list[Groups]) -> GroupedText:
    source_parts, target_parts = [], []
    for source_ids, target_ids, group in zip(source, target, groups, strict=True):
        source_parts += [source_ids[a:b] for a, b in group.source]
        target_parts += [target_ids[a:b] for a, b in group.target]
    return GroupedText(np.concatenate(source_parts), np.concatenate(target_parts), _edges(source_parts), _edges(target_parts))


def _edges(parts: list[Ints]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)


def _sentence_view(text: GroupedText, source_types: int, target_types: int, config: FitConfig) -> tuple[Vectors, Vectors]:
    stacked = vstack(
        [_incidence(text.source, text.source_edges, source_types), _incidence(text.target, text.target_edges, target_types)], format="csr"
    )
    left, values = truncated_svd(_ppmi(stacked, 1.0), _rank(stacked, config), config.seed)[:2]
    vectors = _unit_rows(left, np.sqrt(values))
    return vectors[:source_types], vectors[source_types:]


def _incidence(types: Ints, edges: npt.NDArray[np.int64], rows: int) -> csr_array:
    group = np.repeat(np.arange(len(edges) - 1, dtype=np.int32), np.diff(edges))
    return csr_array((np.ones(len(types), dtype=np.int32), (types, group)), shape=(rows, len(edges) - 1))


def _phrase_view(
    source: list[Ints], target: list[Ints], groups: list[Groups], source_types: int, target_types: int, config: FitConfig
) -> tuple[Vectors, Vectors]:
    low, high = _windows(source, target, groups, config.window)
    indptr, columns, counts = count_meetings(np.concatenate(source), np.concatenate(target), low, high, source_types, target_types)
    table = _ppmi(csr_array((counts, columns, narrowed(indptr)), shape=(source_types, target_types)), config.smoothing)
    del columns, counts
    left, values, right = truncated_svd(table, _rank(table, config), config.seed)
    return _unit_rows(left, np.sqrt(values)), _unit_rows(right, np.sqrt(values))


def _windows(source: list[Ints], target: list[Ints], groups: list[Groups], reach: int) -> tuple[Ints, Ints]:
    """First and last target unit, exclusive, within ``reach`` of each source unit's place on the diagonal, in the joined texts."""
    low, high, start = [], [], 0
    for ours, theirs, group in zip(source, target, groups, strict=True):
        centre = np.rint(anchored_diagonal(group, len(ours), len(theirs))).astype(np.int32)
        low.append(start + np.clip(centre - reach, 0, len(theirs)))
        high.append(start + np.clip(centre + reach + 1, 0, len(theirs)))
        start += len(theirs)
    return np.concatenate(low), np.concatenate(high)


def _ppmi(counts: csr_array, smoothing: float) -> csr_array:
    """Positive pointwise mutual information of the non-zero cells, contexts (columns) smoothed by an exponent."""
    context = counts.sum(axis=0) ** smoothing
    information = np.empty(counts.nnz, dtype=np.float32)
    row_share, context_share = counts.sum(axis=1) / counts.sum(), context / context.sum()
    _inform(counts.indptr, counts.indices, counts.data, float(counts.sum()), row_share, context_share, information)
    table = csr_array((information, counts.indices.copy(), counts.indptr.copy()), shape=counts.shape)
    table.eliminate_zeros()
    return table


def _unit_rows(matrix: Vectors, scales: Floats) -> Vectors:
    """Columns scaled, then rows to unit length."""
    scaled: Vectors = matrix * scales.astype(np.float32)
    norms = np.linalg.norm(scaled, axis=1, keepdims=True)
    np.divide(scaled, norms, out=scaled, where=norms > 0)
    return scaled


def _rank(table: csr_array, config: FitConfig) -> int:
    rows, columns = table.shape
    return max(1, min(config.dimensions, int(rows) - 1, int(columns) - 1))


@compiled()
def _inform(indptr, columns, counts, total, row_share, context_share, information):  # type: ignore[no-untyped-def]
    """Cell by cell: the arrays of a whole table's logarithms would be several times the table."""
    for i in range(indptr.size - 1):
        for k in range(indptr[i], indptr[i + 1]):
            share = counts[k] / total
            information[k] = max(np.log(share / (row_share[i] * context_share[columns[k]])), 0.0) if share > 0 else 0.0
