"""Contract of what an outside tagger says of the target texts: evidence for a projection, never gold."""

import polars as pl
import pyarrow as pa

from data_contracts.contract import Contract, Rule, column
from data_contracts.corpus import OFFSETS

SUPPORT = Contract(
    name="support",
    version=1,
    doc="One mention that an outside tagger predicts in a target text. Evidence that the user brings (`run --support`); never gold.",
    schema=pa.schema(
        [
            column("document", pa.string(), "document id"),
            column("lang", pa.string(), "target language"),
            column("label", pa.string(), "label, after aliases"),
            column("starts", pa.list_(pa.int32()), f"first code point of each fragment; {OFFSETS}"),
            column("ends", pa.list_(pa.int32()), "end of each fragment, exclusive"),
            column("file", pa.string(), "path of the `.ann` or TSV relative to the folder of support"),
            column("line", pa.int32(), "line number in the file, from 1"),
        ]
    ),
    key=("document", "lang", "file", "line"),
    rules=(
        Rule("has_fragments", "at least one fragment", pl.col("starts").list.len() > 0),
        Rule("paired_offsets", "as many ends as starts", pl.col("starts").list.len() == pl.col("ends").list.len()),
        Rule("positive_extent", "the envelope has a positive length", pl.col("ends").list.max() > pl.col("starts").list.min()),
    ),
)
