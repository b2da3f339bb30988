"""Contracts of the scores: one row per language, label and metric; and what each document adds to them."""

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

_METRIC_RATES = [f"{metric}_{rate}" for metric in ("strict", "char") for rate in ("precision", "recall", "f1")]

DOCUMENT_SCORES = Contract(
    name="document_scores",
    version=1,
    doc=(
        "What each document adds to the scores. Sums of the counts over any group of documents give that group's score: strict "
        "precision `tp/predicted` and recall `tp/gold`, char precision `pred_best/predicted` and recall `gold_best/gold`."
    ),
    schema=pa.schema(
        [
            column("target_lang", pa.string(), "language of the scored text; empty where two files were scored, which name none"),
            column("document", pa.string(), "document id: `filename` without a final `.txt`"),
            column("label", pa.string(), "annotation label; `*` pools all labels"),
            column("gold", pa.int64(), "gold mentions"),
            column("predicted", pa.int64(), "predicted mentions, each counted once"),
            column("tp", pa.int64(), "predictions equal to a gold mention, one to one"),
            column("fp", pa.int64(), "predictions equal to none"),
            column("fn", pa.int64(), "gold mentions that no prediction equals"),
            column("gold_best", pa.float64(), "sum over gold mentions of the best character overlap, each 0 to 1"),
            column("pred_best", pa.float64(), "sum over predictions of the best character overlap, each 0 to 1"),
            *(column(name, pa.float64(), "0 to 1, not rounded; 0 where its denominator is 0") for name in _METRIC_RATES),
        ]
    ),
    key=("target_lang", "document", "label"),
    rules=(
        Rule("counts_not_negative", "no count is negative", pl.all_horizontal(pl.col("tp", "fp", "fn") >= 0)),
        Rule("predictions_add_up", "every prediction is in `tp` or in `fp`", pl.col("tp") + pl.col("fp") == pl.col("predicted")),
        Rule("gold_adds_up", "every gold mention is in `tp` or in `fn`", pl.col("tp") + pl.col("fn") == pl.col("gold")),
        Rule("document_holds_mentions", "there is a mention on either side", pl.max_horizontal("gold", "predicted") > 0),
        Rule(
            "overlaps_in_range",
            "a sum of best overlaps lies between 0 and the number of mentions",
            pl.col("gold_best").is_between(0, pl.col("gold")) & pl.col("pred_best").is_between(0, pl.col("predicted")),
        ),
        Rule("rates_in_unit_interval", "rates lie within 0 and 1", pl.all_horizontal(pl.col(_METRIC_RATES).is_between(0, 1))),
    ),
)
