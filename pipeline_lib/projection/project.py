"""Projection of one shard: every source mention, and every line that goes with one, gets a row for the target language."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from data_contracts.projection import CARRIED_LINES, PROJECTIONS
from pipeline_lib.alignment.band import Band, Floats
from pipeline_lib.alignment.sinkhorn import shares
from pipeline_lib.alignment.units import GridText
from pipeline_lib.alignment.views import TypedText
from pipeline_lib.corpus.text import slices
from pipeline_lib.projection.carry import carry_lines
from pipeline_lib.projection.decode import Aligned, DecodeConfig, Span, project_mention

Row = dict[str, Any]


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
    mentions: pa.Table,
    lines: pa.Table,
    source_texts: dict[str, GridText],
    target: TargetShard,
    plans: Iterator[pa.Table],
    config: DecodeConfig,
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """PROJECTIONS of all rows of ``mentions`` (MENTIONS) and CARRIED_LINES of ``lines`` (ANNOTATION_LINES of the source).

    One part a part of ``plans``, and one for what has no plan.
    """
    mentions_of, lines_of = _by_document(mentions), _by_document(lines)
    renamed_of = {document: _renamed(found) for document, found in mentions_of.items()}
    for part in plans:
        projected: list[Row] = []
        carried: list[Row] = []
        for document, band, plan in _plans(part):
            pair = _aligned(source_texts[document], target, document, band, plan)
            found = mentions_of.pop(document, [])
            rows = _rows(found, [project_mention(row["starts"], row["ends"], pair, config) for row in found], target)
            projected += rows
            carried += _carried(lines_of.pop(document, []), rows, renamed_of.get(document, {}), target)
        yield PROJECTIONS.table(projected), CARRIED_LINES.table(carried)
    nowhere = Span([], [], 0.0, "no_target_document")
    left = {document: _rows(found, [nowhere] * len(found), target) for document, found in mentions_of.items()}
    carried = [row for document, found in lines_of.items() for row in _carried(found, left.get(document, []), {}, target)]
    yield PROJECTIONS.table([row for rows in left.values() for row in rows]), CARRIED_LINES.table(carried)


def _by_document(table: pa.Table) -> dict[str, list[Row]]:
    """Rows by document, in the order of their lines."""
    found: dict[str, list[Row]] = {}
    for row in table.to_pylist():
        found.setdefault(row["document"], []).append(row)
    return {document: sorted(rows, key=lambda row: row["line"]) for document, rows in found.items()}


def _plans(part: pa.Table) -> Iterator[tuple[str, Band, Floats]]:
    plans = part["plan"].combine_chunks()
    for number, row in enumerate(part.select(["document", "columns", "low", "high"]).to_pylist()):
        yield row["document"], Band.from_row(row), plans[number].values.to_numpy().astype(np.float64)


def _aligned(source: GridText, target: TargetShard, document: str, band: Band, plan: Floats) -> Aligned:
    types = np.minimum(target.types[document].ids, len(target.edges) - 1)
    return Aligned(source, target.texts[document], shares(plan, band), band, target.edges[types])


def _rows(mentions: Sequence[Row], spans: Sequence[Span], target: TargetShard) -> list[Row]:
    """Rows of PROJECTIONS of one document; what was projected is numbered in the order of the source's lines."""
    rows: list[Row] = []
    number = 0
    for mention, span in zip(mentions, spans, strict=True):
        number += span.reason is None
        rows.append(_row(mention, target, span, f"T{number}" if span.reason is None else None))
    return rows


def _row(mention: Row, target: TargetShard, span: Span, id_: str | None) -> Row:
    document = mention["document"]
    return {
        "document": document,
        "source_lang": mention["lang"],
        "target_lang": target.lang,
        "mention": mention["mention"],
        "target_mention": id_,
        "label": mention["label"],
        "source_starts": mention["starts"],
        "source_ends": mention["ends"],
        "source_surface": mention["surface"],
        "starts": span.starts,
        "ends": span.ends,
        "surface": slices(target.texts[document].text, span.starts, span.ends) if span.starts else "",
        "confidence": span.confidence,
        "reason": span.reason,
        "aligner": target.aligner if span.reason != "no_target_document" else "",
    }


def _renamed(mentions: Sequence[Row]) -> dict[str, str]:
    """The label of every mention that an alias renamed: its line still says the old one."""
    lines = {row["mention"]: (row["label"], row["raw"]) for row in mentions if row["raw"] is not None}
    return {mention: label for mention, (label, raw) in lines.items() if raw.split("\t")[1].split(" ")[0] != label}


def _carried(lines: Sequence[Row], projections: Sequence[Row], renamed: Mapping[str, str], target: TargetShard) -> list[Row]:
    return carry_lines(lines, {row["mention"]: row["target_mention"] for row in projections}, renamed, target.lang)
