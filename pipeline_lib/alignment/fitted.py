"""The embedded teachers: three views fitted on the run's own texts, then frozen. They need no model hub.

- sentence view: units x segment incidence of both languages stacked, PPMI, truncated SVD: types that share segments are near.
- phrase view: bilingual co-occurrence within a window on the anchored diagonal, PPMI with context smoothing (Levy et al. 2015), SVD.
- token view: character n-grams (``views``) and a lexical translation table (``lexical``).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_array, vstack
from sklearn.utils.extmath import randomized_svd

from pipeline_lib.alignment.band import Floats, Ints
from pipeline_lib.alignment.lexical import Channel, GroupedText, LexicalConfig, Translation, fit_translation
from pipeline_lib.alignment.segments import Groups, anchored_diagonal

Vectors = npt.NDArray[np.float32]


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
    sentence_source: Vectors
    sentence_target: Vectors
    phrase_source: Vectors
    phrase_target: Vectors
    lexical: csr_array
    translation: Translation


def fit_teachers(pairs: Sequence[PairTypes], config: FitConfig) -> Teachers:
    """Fit all views on the given document pairs (at least one)."""
    source, target = _vocabulary(pair.source for pair in pairs), _vocabulary(pair.target for pair in pairs)
    groups = [pair.groups for pair in pairs]
    source_ids, target_ids = [source.ids(pair.source) for pair in pairs], [target.ids(pair.target) for pair in pairs]
    text = _grouped(source_ids, target_ids, groups)
    diagonals = [anchored_diagonal(g, len(s), len(t)) for g, s, t in zip(groups, source_ids, target_ids, strict=True)]
    sentence_source, sentence_target = _sentence_view(text, len(source.types), len(target.types), config)
    phrase_source, phrase_target = _phrase_view(source_ids, target_ids, diagonals, len(source.types), len(target.types), config)
    translation = fit_translation(text, len(source.types), len(target.types), config.lexical)
    lexical = translation.strength(config.lexical.keep)
    return Teachers(source, target, sentence_source, sentence_target, phrase_source, phrase_target, lexical, translation)


def save_teachers(teachers: Teachers, path: Path) -> None:
    """Write one safetensors file; vocabularies are UTF-8 bytes, one type a line (a type holds no line break)."""
    tensors: dict[str, npt.NDArray[Any]] = {
        "source.types": _packed(teachers.source.types),
        "source.counts": teachers.source.counts,
        "target.types": _packed(teachers.target.types),
        "target.counts": teachers.target.counts,
        "sentence.source": teachers.sentence_source,
        "sentence.target": teachers.sentence_target,
        "phrase.source": teachers.phrase_source,
        "phrase.target": teachers.phrase_target,
        **_sparse("lexical", teachers.lexical),
    }
    for name, channel in (("forward", teachers.translation.forward), ("backward", teachers.translation.backward)):
        tensors |= {**_sparse(name, channel.table), f"{name}.empty": channel.empty, f"{name}.jumps": channel.jumps}
    save_file(tensors, path)


def load_teachers(path: Path) -> Teachers:
    """Read what ``save_teachers`` wrote."""
    found = load_file(path)
    source = Vocabulary(_unpacked(found["source.types"]), found["source.counts"])
    target = Vocabulary(_unpacked(found["target.types"]), found["target.counts"])
    shape = (len(source.types), len(target.types))
    forward = Channel(_csr(found, "forward", shape), found["forward.empty"], found["forward.jumps"])
    backward = Channel(_csr(found, "backward", shape[::-1]), found["backward.empty"], found["backward.jumps"])
    return Teachers(
        source,
        target,
        found["sentence.source"],
        found["sentence.target"],
        found["phrase.source"],
        found["phrase.target"],
        _csr(found, "lexical", shape),
        Translation(forward, backward),
    )


def _sparse(name: str, table: csr_array) -> dict[str, npt.NDArray[Any]]:
    parts = {"values": table.data, "columns": table.indices.astype(np.int32), "rows": table.indptr.astype(np.int64)}
    return {f"{name}.{part}": values for part, values in parts.items()}


def _csr(tensors: dict[str, npt.NDArray[Any]], name: str, shape: tuple[int, int]) -> csr_array:
    return csr_array(tuple(tensors[f"{name}.{part}"] for part in ("values", "columns", "rows")), shape=shape)


def _packed(types: Sequence[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer("\n".join(types).encode("utf-8"), dtype=np.uint8)


def _unpacked(data: npt.NDArray[np.uint8]) -> tuple[str, ...]:
    return tuple(data.tobytes().decode("utf-8").split("\n"))


def _vocabulary(texts: Iterable[list[str]]) -> Vocabulary:
    counts = Counter(kind for text in texts for kind in text)
    types = tuple(sorted(counts))
    return Vocabulary(types, np.array([counts[kind] for kind in types], dtype=np.int64))


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
    left, values, _ = _svd(_ppmi(stacked, 1.0), config)
    vectors = _unit_rows(left * np.sqrt(values))
    return vectors[:source_types], vectors[source_types:]


def _incidence(types: Ints, edges: npt.NDArray[np.int64], rows: int) -> csr_array:
    group = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    return csr_array((np.ones(len(types)), (types, group)), shape=(rows, len(edges) - 1))


def _phrase_view(
    source: list[Ints], target: list[Ints], diagonals: list[Floats], source_types: int, target_types: int, config: FitConfig
) -> tuple[Vectors, Vectors]:
    rows, columns = [], []
    for source_ids, target_ids, diagonal in zip(source, target, diagonals, strict=True):
        centre = np.rint(diagonal).astype(np.int64)
        for shift in range(-config.window, config.window + 1):
            column = centre + shift
            inside = (column >= 0) & (column < len(target_ids))
            rows.append(source_ids[inside])
            columns.append(target_ids[column[inside]])
    cells = (np.concatenate(rows), np.concatenate(columns))
    counts = csr_array((np.ones(len(cells[0])), cells), shape=(source_types, target_types))
    left, values, right = _svd(_ppmi(counts, config.smoothing), config)
    root = np.sqrt(values)
    return _unit_rows(left * root), _unit_rows(right.T * root)


def _ppmi(counts: csr_array, smoothing: float) -> csr_array:
    """Positive pointwise mutual information of the non-zero cells, contexts (columns) smoothed by an exponent."""
    cells = counts.tocoo()
    rows, columns = cells.coords
    row_share = counts.sum(axis=1) / counts.sum()
    context = counts.sum(axis=0) ** smoothing
    context_share = context / context.sum()
    information = np.log(cells.data / counts.sum() / (row_share[rows] * context_share[columns]))
    table = csr_array((np.maximum(information, 0.0), (rows, columns)), shape=counts.shape)
    table.eliminate_zeros()
    return table


def _svd(table: csr_array, config: FitConfig) -> tuple[Floats, Floats, Floats]:
    rank = max(1, min(config.dimensions, *(size - 1 for size in table.shape)))
    left, values, right = randomized_svd(table, rank, n_iter=4, random_state=config.seed)
    return left, values, right


def _unit_rows(matrix: Floats) -> Vectors:
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    scaled: Floats = np.divide(matrix, norms, out=np.zeros_like(matrix), where=norms > 0)
    return scaled.astype(np.float32)
