"""Projection of one shard: every source mention gets a row for the target language, a span or a reason."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data_contracts.projection import PROJECTIONS
from pipeline_lib.alignment.band import Band, Floats
from pipeline_lib.alignment.sinkhorn import shares
from pipeline_lib.alignment.units import GridText
from pipeline_lib.alignment.views import TypedText
from pipeline_lib.projection.decode import Aligned, DecodeConfig, Span, project_mention


@dataclass(frozen=True)
class TargetShard:
    """What is known of the target side, by document id.

    Attributes:
        edges: edge log-odds of the target types, shape (types + 1, 4); aligner: fingerprint of the teachers or the student.
    """

    lang: str
    texts: dict[str, GridText]
    types: dict[str, TypedText]
    edges: Floats
    aligner: str


def project_tables(
    mentions: pa.Table, source_texts: dict[str, GridText], target: TargetShard, plans: Iterator[pa.Table], config: DecodeConfig
) -> Iterator[pa.Table]:
    """PROJECTIONS of all rows of ``mentions`` (MENTIONS of the source), one part a part of ``plans`` and one for what has no plan."""
    waiting: dict[str, list[dict[str, object]]] = {}
    for row in mentions.to_pylist():
        waiting.setdefault(row["document"], []).append(row)
    for part in plans:
        rows: list[dict[str, object]] = []
        for document, band, plan in _plans(part):
            pair = _aligned(source_texts[document], target, document, band, plan)
            rows += [_row(mention, target, project_mention(*_offsets(mention), pair, config)) for mention in waiting.pop(document, [])]
        yield PROJECTIONS.table(rows)
    left = [mention for rows in waiting.values() for mention in rows]
    yield PROJECTIONS.table([_row(mention, target, Span([], [], 0.0, "no_target_document")) for mention in left])


def _plans(part: pa.Table) -> Iterator[tuple[str, Band, Floats]]:
    plans = part["plan"].combine_chunks()
    for number, row in enumerate(part.select(["document", "columns", "low", "high"]).to_pylist()):
        yield row["document"], Band.from_row(row), plans[number].values.to_numpy().astype(np.float64)


def _aligned(source: GridText, target: TargetShard, document: str, band: Band, plan: Floats) -> Aligned:
    types = np.minimum(target.types[document].ids, len(target.edges) - 1)
    return Aligned(source, target.texts[document], shares(plan, band), band, target.edges[types])


def _offsets(mention: dict[str, object]) -> tuple[list[int], list[int]]:
    return mention["starts"], mention["ends"]  # type: ignore[return-value]


def _row(mention: dict[str, object], target: TargetShard, span: Span) -> dict[str, object]:
    document = str(mention["document"])
    text = target.texts[document].text if span.starts else ""
    return {
        "document": document,
        "source_lang": mention["lang"],
        "target_lang": target.lang,
        "mention": mention["mention"],
        "label": mention["label"],
        "source_starts": mention["starts"],
        "source_ends": mention["ends"],
        "source_surface": mention["surface"],
        "starts": span.starts,
        "ends": span.ends,
        "surface": " ".join(text[start:end] for start, end in zip(span.starts, span.ends, strict=True)),
        "confidence": span.confidence,
        "reason": span.reason,
        "aligner": target.aligner if span.reason != "no_target_document" else "",
    }
