"""Gathering: the candidates of every mention of one shard, from the alignments of its documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from data_contracts.projection import CANDIDATES, FEATURES
from pipeline_lib.alignment.band import Band, Floats, Ints
from pipeline_lib.alignment.posteriors import banded_posteriors
from pipeline_lib.alignment.sinkhorn import marginals
from pipeline_lib.alignment.units import GridText
from pipeline_lib.alignment.views import TypedText
from pipeline_lib.projection.candidates import CandidateConfig, PairSpelling, around, candidates, pair_spelling
from pipeline_lib.projection.evidence import Aligned, evidence, plan_signals

Row = dict[str, Any]
Support = Mapping[str, Mapping[str, Floats]]  # by document and label: as in ``Aligned``


@dataclass(frozen=True)
class PairTexts:
    """One shard of a language pair, by document id.

    Attributes:
        types: the target texts as types of the vocabulary; edges: carried log-odds of its types, the last row for unseen ones.
    """

    langs: tuple[str, str]
    source: dict[str, GridText]
    target: dict[str, GridText]
    types: dict[str, TypedText]
    edges: Floats


def candidate_tables(
    mentions: pa.Table, texts: PairTexts, plans: Iterator[pa.Table], posteriors: pa.Table, support: Support, config: CandidateConfig
) -> Iterator[pa.Table]:
    """CANDIDATES of the mentions (MENTIONS) of every document that has a plan, one part a part of ``plans``."""
    found: dict[str, list[Row]] = {}
    for row in mentions.select(["document", "mention", "label", "starts", "ends", "line"]).to_pylist():
        found.setdefault(row["document"], []).append(row)
    # Of a whole shard's pairs, Python's numbers would be eight times the table: one document's at a time.
    place = {document: number for number, document in enumerate(posteriors["document"].to_pylist())}
    for part in plans:
        rows: list[Row] = []
        values = part["plan"].combine_chunks()
        for number, row in enumerate(part.select(["document", "columns", "low", "high"]).to_pylist()):
            document = row["document"]
            if document in found:
                plan = values[number].values.to_numpy().astype(np.float64)
                (pairs,) = posteriors.slice(place[document], 1).to_pylist()
                pair = _aligned(document, texts, Band.from_row(row), plan, pairs, support.get(document, {}))
                rows += _document_rows(found[document], pair, texts.types[document].ids, len(texts.edges) - 1, texts.langs, config)
        yield CANDIDATES.table(rows)


def _aligned(document: str, texts: PairTexts, band: Band, plan: Floats, pairs: Row, support: Mapping[str, Floats]) -> Aligned:
    signals = np.stack([*plan_signals(plan, *marginals(plan, band), band), *banded_posteriors(pairs, band)])
    types = np.minimum(texts.types[document].ids, len(texts.edges) - 1)
    return Aligned(texts.source[document], texts.target[document], band, signals, (texts.edges - texts.edges[-1])[types], dict(support))


def _document_rows(
    mentions: list[Row], pair: Aligned, types: Ints, unseen: int, langs: tuple[str, str], config: CandidateConfig
) -> Iterator[Row]:
    written = pair_spelling(pair)
    source_types, target_types = pair.source.types, pair.target.types
    known = np.concatenate([[-1], np.minimum(types, unseen), [-1]]).astype(np.int32)
    for mention in sorted(mentions, key=lambda row: row["line"]):
        for fragment, (start, end) in enumerate(zip(mention["starts"], mention["ends"], strict=True)):
            units = pair.source.units_of(start, end)
            if units:
                yield {
                    "document": mention["document"],
                    "source_lang": langs[0],
                    "target_lang": langs[1],
                    "mention": mention["mention"],
                    "fragment": fragment,
                    "label": mention["label"],
                    "source_first": units.start,
                    "source_key": " ".join(source_types[units.start : units.stop]),
                    **_columns(units, mention["label"], pair, written, target_types, known, config),
                }


def _columns(units: range, label: str, pair: Aligned, written: PairSpelling, types: list[str], known: Ints, config: CandidateConfig) -> Row:
    signals = evidence(units, label, pair)
    found = candidates(units, signals, pair, written, config)
    window_first, window = around(found, signals, len(types))
    ends = list(zip(found.first.tolist(), found.last.tolist(), strict=True))
    edges = np.stack([known[found.first + 1], known[found.first], known[found.last + 1], known[found.last + 2]], axis=1)
    return {
        "first": found.first,
        "last": found.last,
        "keys": [" ".join(types[first : last + 1]) for first, last in ends],
        "types": edges.ravel(),
        **{name: found.features[:, number].astype(np.float32) for number, name in enumerate(FEATURES)},
        "window_first": window_first,
        "window": window.astype(np.float32).ravel(),
        "paper_first": found.paper[0] if found.paper else None,
        "paper_last": found.paper[1] if found.paper else None,
    }
