"""Contracts of what the pipeline is for: every source mention, and every line that goes with one, in every target language, or why not."""

import polars as pl
import pyarrow as pa

from data_contracts.contract import Contract, Rule, column
from data_contracts.corpus import OFFSETS


def _unique(id_column: str) -> pl.Expr:
    """Whether the id, if there is one, is unique in its target document."""
    return pl.col(id_column).is_null() | ~pl.struct("document", "target_lang", id_column).is_duplicated()


PROJECTIONS = Contract(
    name="projections",
    version=2,
    doc="One row a source mention and target language: projected, or abstained with a reason.",
    schema=pa.schema(
        [
            column("document", pa.string(), "document id"),
            column("source_lang", pa.string(), "language the mention was annotated in"),
            column("target_lang", pa.string(), "language it was projected into"),
            column("mention", pa.string(), "BRAT id of the source mention"),
            column("target_mention", pa.string(), "BRAT id in the target's file: T1, T2, ...; null where abstained", nullable=True),
            column("label", pa.string(), "label"),
            column("source_starts", pa.list_(pa.int32()), f"fragments of the source mention; {OFFSETS}"),
            column("source_ends", pa.list_(pa.int32()), "ends, exclusive"),
            column("source_surface", pa.string(), "source slices joined by one space"),
            column("starts", pa.list_(pa.int32()), "fragments in the target text; empty where abstained"),
            column("ends", pa.list_(pa.int32()), "ends, exclusive"),
            column("surface", pa.string(), "target slices joined by one space; empty where abstained"),
            column("confidence", pa.float64(), "share of the span that the mention owns, in [0, 1]; 0 where abstained"),
            column("reason", pa.string(), "why nothing was projected, null where something was", nullable=True),
            column("aligner", pa.string(), "fingerprint of the teachers or student whose alignment was read, empty if there was none"),
        ]
    ),
    key=("document", "target_lang", "mention"),
    rules=(
        Rule(
            "projected_or_reason",
            "a row has a span or a reason, never both",
            (pl.col("starts").list.len() > 0) == pl.col("reason").is_null(),
        ),
        Rule(
            "id_where_projected",
            "a row has a target id exactly where it has a span",
            pl.col("target_mention").is_not_null() == (pl.col("starts").list.len() > 0),
        ),
        Rule("target_ids_unique", "no two mentions of a target document share an id", _unique("target_mention")),
        Rule("paired_offsets", "as many ends as starts", pl.col("starts").list.len() == pl.col("ends").list.len()),
        Rule(
            "positive_extent",
            "spans have a positive length",
            (pl.col("ends").list.max() > pl.col("starts").list.min()) | (pl.col("starts").list.len() == 0),
        ),
        Rule("confidence_in_range", "confidence lies in [0, 1]", pl.col("confidence").is_between(0, 1)),
    ),
)

NOT_CARRIED = ("mention_not_projected", "line_not_carried", "dangling_reference", "malformed_line")

CARRIED_LINES = Contract(
    name="carried_lines",
    version=1,
    doc="One row a target language and source line of kind R E A M N # *: as it goes into the target's `.ann`, or why it does not.",
    schema=pa.schema(
        [
            column("document", pa.string(), "document id"),
            column("source_lang", pa.string(), "language of the annotated text"),
            column("target_lang", pa.string(), "language it was carried into"),
            column("line", pa.int32(), "line number in the source's `.ann`, from 1"),
            column("kind", pa.string(), "first character of the line"),
            column("source_id", pa.string(), "BRAT id in the source's file, null where it has none", nullable=True),
            column("target_id", pa.string(), "BRAT id in the target's file, null for `*` and where not carried", nullable=True),
            column(
                "raw", pa.string(), "the line with the ids of the target's file, without terminator; null where not carried", nullable=True
            ),
            column("reason", pa.string(), f"why it was not carried, null where it was: {', '.join(NOT_CARRIED)}", nullable=True),
        ]
    ),
    key=("document", "target_lang", "line"),
    rules=(
        Rule("carried_or_reason", "a row has a line or a reason, never both", pl.col("raw").is_null() != pl.col("reason").is_null()),
        Rule("kind_known", "`kind` is one of R E A M N # *", pl.col("kind").is_in(list("REAMN#*"))),
        Rule("reason_known", "`reason` is one of the four", pl.col("reason").is_null() | pl.col("reason").is_in(NOT_CARRIED)),
        Rule(
            "id_where_carried",
            "a row has a target id exactly where it is carried and not `*`",
            pl.col("target_id").is_not_null() == (pl.col("raw").is_not_null() & (pl.col("kind") != "*")),
        ),
        Rule("target_ids_unique", "no two lines of a target document share an id", _unique("target_id")),
        Rule(
            "line_has_its_id",
            "a carried line is one line and starts with its id and a tab",
            pl.col("raw").is_null()
            | (
                pl.col("raw").str.starts_with(pl.concat_str(pl.col("target_id").fill_null("*"), pl.lit("\t")))
                & ~pl.col("raw").str.contains("\n", literal=True)
            ),
        ),
    ),
)
