"""Contract of what the pipeline is for: every source mention in every target language, or the reason why not."""

import polars as pl
import pyarrow as pa

from data_contracts.contract import Contract, Rule, column
from data_contracts.corpus import OFFSETS

PROJECTIONS = Contract(
    name="projections",
    version=1,
    doc="One row a source mention and target language: projected, or abstained with a reason.",
    schema=pa.schema(
        [
            column("document", pa.string(), "document id"),
            column("source_lang", pa.string(), "language the mention was annotated in"),
            column("target_lang", pa.string(), "language it was projected into"),
            column("mention", pa.string(), "BRAT id of the source mention"),
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
        Rule("paired_offsets", "as many ends as starts", pl.col("starts").list.len() == pl.col("ends").list.len()),
        Rule(
            "positive_extent",
            "spans have a positive length",
            (pl.col("ends").list.max() > pl.col("starts").list.min()) | (pl.col("starts").list.len() == 0),
        ),
        Rule("confidence_in_range", "confidence lies in [0, 1]", pl.col("confidence").is_between(0, 1)),
    ),
)
