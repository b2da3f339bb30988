"""Export: what a run hands over, as files: per language a TSV in the official columns and BRAT beside the texts."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.corpus import brat
from pipeline_lib.corpus.official import COLUMNS
from pipeline_lib.corpus.standoff_rows import from_rows
from pipeline_lib.evaluation.gold import official_rows

HEADER = COLUMNS


def tsv_rows(documents: pa.Table, projections: pa.Table, names: Mapping[str, str]) -> pl.DataFrame:
    """The mentions projected into ``documents`` in the official columns; ``names``: what a document is called there.

    ``text`` is all that lies between first start and last end, because that is what a checker of submissions compares it with: for a
    fragmented mention it is more than the surface.
    """
    texts = pl.DataFrame(documents.select(["document", "text"])).rename({"document": "filename"})
    held = official_rows(projections).join(texts, on="filename", maintain_order="left")
    text = pl.col("text").str.slice("start_span", pl.col("end_span") - pl.col("start_span"))
    return held.with_columns(text, pl.col("filename").replace_strict(names, return_dtype=pl.String))


def run_tsv(rows: pl.DataFrame) -> str:
    """``rows`` in the official columns as a file, sorted by file and offset; minimal quoting, as the official reader needs it."""
    ordered = rows.select(HEADER).sort("filename", "start_span", "end_span", "label", maintain_order=True)
    return "".join(_tsv_line(row) for row in [HEADER, *ordered.iter_rows()])


def projected_files(documents: pa.Table, projections: pa.Table, carried: pa.Table) -> Iterator[tuple[str, str]]:
    """(file name, content) of the ``.txt`` and ``.ann`` of every target document: its mentions, then what was carried with them."""
    mentions_of = _by_document(projections.filter(pc.field("reason").is_null()))
    lines_of = _by_document(carried.filter(pc.field("reason").is_null()))
    for row in documents.select(["document", "text"]).to_pylist():
        name = row["document"]
        lines = "".join(f"{line['raw']}\n" for line in lines_of.get(name, []))
        yield f"{name}.txt", row["text"]
        yield f"{name}.ann", brat.format_file(_mentions(mentions_of.get(name, []))) + lines


def source_files(documents: pa.Table, mentions: pa.Table, lines: pa.Table) -> Iterator[tuple[str, str]]:
    """(file name, content) of the ``.txt`` and ``.ann`` of every source document, as they were read."""
    mentions_of, lines_of = _by_document(mentions), _by_document(lines)
    for row in documents.select(["document", "text"]).to_pylist():
        name = row["document"]
        yield f"{name}.txt", row["text"]
        yield f"{name}.ann", from_rows(mentions_of.get(name, []), lines_of.get(name, []))


def _tsv_line(fields: Sequence[object]) -> str:
    """One line, ended by LF. Readers stop at CR too, but csv quotes only what its terminator holds: so that has both."""
    line = io.StringIO(newline="")
    csv.writer(line, delimiter="\t", lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL).writerow(fields)
    return line.getvalue().removesuffix("\r\n") + "\n"


def _mentions(rows: Iterable[dict[str, Any]]) -> Iterator[brat.Mention]:
    for line, row in enumerate(rows, start=1):
        yield brat.Mention(row["target_mention"], row["label"], tuple(row["starts"]), tuple(row["ends"]), row["surface"], line, "\n", None)


def _by_document(table: pa.Table) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        found.setdefault(row["document"], []).append(row)
    return found
