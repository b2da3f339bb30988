"""Projection of one shard: every source mention, and every line that goes with one, gets a row for the target language."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from data_contracts.projection import CARRIED_LINES, PROJECTIONS
from pipeline_lib.alignment.units import GridText
from pipeline_lib.corpus.text import slices
from pipeline_lib.projection.carry import carry_lines
from pipeline_lib.projection.decode import Fragments, Span, decode_mention

Row = dict[str, Any]


@dataclass(frozen=True)
class TargetShard:
    """What is known of the target side: its texts by document id, and the fingerprint of the teachers or the student."""

    lang: str
    texts: dict[str, GridText]
    aligner: str


def project_tables(
    mentions: pa.Table, lines: pa.Table, source: dict[str, GridText], target: TargetShard, placed: Fragments, at_once: int = 64
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """PROJECTIONS of all rows of ``mentions`` (MENTIONS) and CARRIED_LINES of ``lines`` (ANNOTATION_LINES of the source).

    Args:
        placed: where the fragments of the mentions went.
        at_once: documents a part.
    """
    mentions_of, lines_of = _by_document(mentions), _by_document(lines)
    documents = list(dict.fromkeys([*mentions_of, *lines_of]))
    for first in range(0, max(len(documents), 1), at_once):
        projected: list[Row] = []
        carried: list[Row] = []
        for document in documents[first : first + at_once]:
            found = mentions_of.get(document, [])
            rows = _rows(found, [_span(row, source, target, placed) for row in found], target)
            projected += rows
            carried += _carried(lines_of.get(document, []), rows, _renamed(found), target)
        yield PROJECTIONS.table(projected), CARRIED_LINES.table(carried)


def _span(mention: Row, source: dict[str, GridText], target: TargetShard, placed: Fragments) -> Span:
    document = mention["document"]
    if document not in target.texts or document not in source:
        return Span([], [], 0.0, "no_target_document")
    return decode_mention(
        document, mention["mention"], mention["starts"], mention["ends"], source[document], target.texts[document], placed
    )


def _by_document(table: pa.Table) -> dict[str, list[Row]]:
    """Rows by document, in the order of their lines."""
    found: dict[str, list[Row]] = {}
    for row in table.to_pylist():
        found.setdefault(row["document"], []).append(row)
    return {document: sorted(rows, key=lambda row: row["line"]) for document, rows in found.items()}


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
