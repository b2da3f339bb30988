"""Contract of the scores: one row per language, label and metric."""

import polars as pl
import pyarrow as pa

from data_contracts.contract import Contract, Rule, column

ALL_LABELS = "*"
"""The label of the rows that pool every label."""

_RATES = ("precision", "recall", "f1", "low", "high")

SCORES = Contract(
    name="scores",
    version=1,
    doc=(
        "Projected mentions against gold. `low` and `high` are percentiles of resampled documents: they usually enclose `f1`, "
        "but a percentile interval does not have to, so no rule says so."
    ),
    schema=pa.schema(
        [
            column("target_lang", pa.string(), "language of the scored text, as the corpus spells it"),
            column("label", pa.string(), "annotation label; `*` pools all labels"),
            column("metric", pa.string(), "`strict`: equal label, start and end; `char`: best character overlap of each mention"),
            column("precision", pa.float64(), "share of the predicted mentions that count, 0 to 1, four decimals"),
            column("recall", pa.float64(), "share of the gold mentions that count, 0 to 1, four decimals"),
            column("f1", pa.float64(), "harmonic mean of the two, 0 to 1, four decimals"),
            column("low", pa.float64(), "lower end of the bootstrap interval of f1 over documents"),
            column("high", pa.float64(), "upper end of the bootstrap interval of f1 over documents"),
            column("gold", pa.int64(), "gold mentions"),
            column("predicted", pa.int64(), "predicted mentions, each counted once"),
            column("matched", pa.int64(), "predictions equal to a gold mention; null for `char`, which has no yes or no", nullable=True),
            column("documents", pa.int64(), "documents with a gold or predicted mention of this label"),
        ]
    ),
    key=("target_lang", "label", "metric"),
    rules=(
        Rule("metric_known", "`metric` is `strict` or `char`", pl.col("metric").is_in(["strict", "char"])),
        Rule("rates_in_unit_interval", "rates lie within 0 and 1", pl.all_horizontal(pl.col(*_RATES).is_between(0, 1))),
        Rule("low_not_above_high", "the interval is not upside down", pl.col("low") <= pl.col("high")),
        Rule(
            "matched_is_strict_only",
            "`matched` is null for `char` and only there",
            (pl.col("metric") == "char") == pl.col("matched").is_null(),
        ),
        Rule(
            "counts_agree",
            "counts are not negative and no more is matched than there is on either side",
            pl.col("matched").fill_null(0).is_between(0, pl.min_horizontal("gold", "predicted")),
        ),
        Rule(
            "documents_hold_mentions",
            "there are documents exactly where there are mentions",
            (pl.col("documents") > 0) == (pl.max_horizontal("gold", "predicted") > 0),
        ),
    ),
)
