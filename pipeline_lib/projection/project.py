"""Projection of one shard: every source mention, and every line that goes with one, gets a row for the target language."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.projection import CARRIED_LINES, PROJECTIONS
from pipeline_lib.alignment.units import GridText
from pipeline_lib.corpus.companions import KINDS
from pipeline_lib.corpus.text import slices
from pipeline_lib.projection.carry import carry_lines
from pipeline_lib.projection.decode import Fragments, Span, decode_mention

Row = dict[str, Any]
Ids = Sequence[str | None]


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
    companions = lines.filter(pc.is_in(lines["kind"], pa.array(list(KINDS))))
    mentions_of, lines_of = _by_document(mentions), _by_document(companions)
    documents = list(dict.fromkeys([*mentions_of, *lines_of]))
    for first in range(0, max(len(documents), 1), at_once):
        part = documents[first : first + at_once]
        found = _rows_of(part, mentions, mentions_of)
        spans = _spans(found, source, target, placed)
        ids = _numbered(found["document"].to_pylist(), spans)
        carried = _carried(_rows_of(part, companions, lines_of), found, ids, target.lang)
        yield _projections(found, spans, ids, target), CARRIED_LINES.table(carried)


def _by_document(table: pa.Table) -> dict[str, list[int]]:
    """Numbers of the rows of every document, in the order of their lines."""
    lines: list[int] = table["line"].to_pylist()
    found: dict[str, list[int]] = {}
    for row, document in enumerate(table["document"].to_pylist()):
        found.setdefault(document, []).append(row)
    return {document: sorted(rows, key=lines.__getitem__) for document, rows in found.items()}


def _rows_of(documents: Sequence[str], table: pa.Table, rows_of: Mapping[str, Sequence[int]]) -> pa.Table:
    """The rows of some documents, one document after the other."""
    return table.take(pa.array([row for document in documents for row in rows_of.get(document, ())], pa.int64()))


def _columns(table: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    """Some columns, row by row."""
    return zip(*(table[name].to_pylist() for name in names), strict=True)


def _spans(mentions: pa.Table, source: dict[str, GridText], target: TargetShard, placed: Fragments) -> list[Span]:
    return [
        decode_mention(document, mention, starts, ends, source[document], target.texts[document], placed)
        if document in target.texts and document in source
        else Span([], [], 0.0, "no_target_document")
        for document, mention, starts, ends in _columns(mentions, "document", "mention", "starts", "ends")
    ]


def _numbered(documents: Sequence[str], spans: Sequence[Span]) -> Ids:
    """The mentions' ids in the target's files: what was projected, counted from 1 in the order of the source's lines."""
    counts: Counter[str] = Counter()
    ids: list[str | None] = []
    for document, span in zip(documents, spans, strict=True):
        counts[document] += span.reason is None
        ids.append(f"T{counts[document]}" if span.reason is None else None)
    return ids


def _projections(mentions: pa.Table, spans: Sequence[Span], ids: Ids, target: TargetShard) -> pa.Table:
    """PROJECTIONS of some mentions, given the span and the id of each."""
    texts = [
        target.texts[document].text if span.starts else "" for document, span in zip(mentions["document"].to_pylist(), spans, strict=True)
    ]
    columns = {
        "document": mentions["document"],
        "source_lang": mentions["lang"],
        "target_lang": pa.repeat(target.lang, len(spans)),
        "mention": mentions["mention"],
        "target_mention": ids,
        "label": mentions["label"],
        "source_starts": mentions["starts"],
        "source_ends": mentions["ends"],
        "source_surface": mentions["surface"],
        "starts": [span.starts for span in spans],
        "ends": [span.ends for span in spans],
        "surface": [slices(text, span.starts, span.ends) for text, span in zip(texts, spans, strict=True)],
        "confidence": [span.confidence for span in spans],
        "reason": [span.reason for span in spans],
        "aligner": [target.aligner if span.reason != "no_target_document" else "" for span in spans],
    }
    return pa.table(columns, schema=PROJECTIONS.schema)


def _carried(lines: pa.Table, mentions: pa.Table, ids: Ids, target_lang: str) -> list[Row]:
    """Rows of CARRIED_LINES of some documents' companions; ``ids``: of their mentions in the target's files."""
    if not lines.num_rows:
        return []
    ids_of: dict[str, dict[str, str | None]] = {}
    renamed_of: dict[str, dict[str, str]] = {}
    for (document, mention, label, raw), id_ in zip(_columns(mentions, "document", "mention", "label", "raw"), ids, strict=True):
        ids_of.setdefault(document, {})[mention] = id_
        if raw is not None and _label(raw) != label:
            renamed_of.setdefault(document, {})[mention] = label
    rows: list[Row] = []
    for document, own in groupby(lines.to_pylist(), itemgetter("document")):
        rows += carry_lines(list(own), ids_of.get(document, {}), renamed_of.get(document, {}), target_lang)
    return rows


def _label(raw: str) -> str:
    """The label that a mention's line says; an alias may have renamed it since."""
    return raw.split("\t")[1].split(" ")[0]
