"""Scores of each document: what a researcher groups by and joins on."""

from collections.abc import Sequence

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.evaluation import DOCUMENT_SCORES
from pipeline_lib.evaluation.scorer import CREDITS, by_label, rates


def document_scores(statistics: pl.DataFrame, target_lang: str) -> pa.Table:
    """``DOCUMENT_SCORES`` of the rows of ``label_statistics``: every document and label, and every document pooled (``*``)."""
    frame = pl.concat([rows.with_columns(label=pl.lit(label)) for label, rows in by_label(statistics)], how="diagonal")
    figures = [series for metric in CREDITS for series in _rates(frame, *CREDITS[metric], metric)]
    columns = [pl.lit(target_lang).alias("target_lang"), pl.col("filename").alias("document"), *figures]
    table = frame.with_columns(columns).sort("document", "label").select(DOCUMENT_SCORES.schema.names).to_arrow()
    return table.cast(DOCUMENT_SCORES.schema)


def parquet(tables: Sequence[pa.Table]) -> bytes:
    """Tables of ``DOCUMENT_SCORES`` as one parquet file. Raises ``ContractError``."""
    table = pa.concat_tables(tables)
    DOCUMENT_SCORES.check(table)
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({"spanferry.contract": DOCUMENT_SCORES.id}), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _rates(frame: pl.DataFrame, credit_pred: str, credit_gold: str, metric: str) -> list[pl.Series]:
    """Precision, recall and F1 of each row."""
    columns = (frame[name].cast(pl.Float64).to_numpy() for name in (credit_pred, "predicted", credit_gold, "gold"))
    return [pl.Series(f"{metric}_{name}", values) for name, values in zip(("precision", "recall", "f1"), rates(*columns), strict=True)]
