"""Strict and character-level scores, as the official scorers compute them.

Sources: github.com/nlp4bia-bsc/MultiClinAIEval, ``src/evaluate.py`` at 3439307 (profile ``multiclin``) and
github.com/nlp4bia-bsc/multicardioner_evaluation_library, ``utils.py`` (profile ``multicardioner``).
Frames hold the official columns ``filename``, ``label``, ``start_span``, ``end_span`` and, optionally, ``text``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from data_contracts.evaluation import ALL_LABELS
from pipeline_lib.evaluation.annotations import DOCUMENT, ScoreInputError

Profile = Literal["multiclin", "multicardioner"]
Metric = Literal["strict", "char"]
Floats = NDArray[np.float64]

COUNTED = ("tp", "fp", "fn", "gold_best", "gold", "pred_best", "predicted")
"""The sufficient statistics: sums of them over any set of documents give both metrics of that set."""

CREDITS: dict[Metric, tuple[str, str]] = {"strict": ("tp", "tp"), "char": ("pred_best", "gold_best")}
"""Per metric: the statistic that precision divides by ``predicted``, and the one that recall divides by ``gold``."""

DOCUMENTS_AT_ONCE = 1000  # of which all pairs of overlapping mentions are held

_MENTION = ["filename", "label", "start_span", "end_span"]
_GROUP = ["filename", "label"]


@dataclass(frozen=True)
class Score:
    """Rates rounded to four decimals, and the counts behind them; ``matched`` is None for ``char``."""

    precision: float
    recall: float
    f1: float
    gold: int
    predicted: int
    matched: int | None


def strict(gold: pl.DataFrame, pred: pl.DataFrame, profile: Profile = "multiclin") -> Score:
    """Micro precision, recall and F1 of one-to-one equality of (document, label, start, end)."""
    return score_of(document_statistics(gold, pred, profile), "strict")


def char(gold: pl.DataFrame, pred: pl.DataFrame, profile: Profile = "multiclin") -> Score:
    """Recall = mean over gold of the best ``s = 2 |g∩p| / (|g|+|p|)``; precision = mean over predictions of the best ``s``."""
    return score_of(document_statistics(gold, pred, profile), "char")


def score_of(statistics: pl.DataFrame, metric: Metric) -> Score:
    """The score of a set of documents, given the rows of their statistics."""
    sums = statistics.select(COUNTED).sum().row(0, named=True)
    credit_pred, credit_gold = CREDITS[metric]
    precision, recall, f1 = rates(*(np.asarray(sums[name], dtype=float) for name in (credit_pred, "predicted", credit_gold, "gold")))
    return Score(
        precision=round(float(precision), 4),
        recall=round(float(recall), 4),
        f1=round(float(f1), 4),
        gold=sums["gold"],
        predicted=sums["predicted"],
        matched=sums["tp"] if metric == "strict" else None,
    )


def rates(credit_pred: Floats, predicted: Floats, credit_gold: Floats, gold: Floats) -> tuple[Floats, Floats, Floats]:
    """Precision, recall and F1, elementwise; 0 where a denominator is 0."""
    precision, recall = _ratio(credit_pred, predicted), _ratio(credit_gold, gold)
    return precision, recall, _ratio(2 * precision * recall, precision + recall)


def of_labels(statistics: pl.DataFrame, labels: Sequence[str]) -> pl.DataFrame:
    """The statistics of these labels; of every label if none is named."""
    return statistics.filter(pl.col("label").is_in(list(labels))) if labels else statistics


def by_label(statistics: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """The per-document statistics of each label, in alphabetical order, then those of all labels pooled under ``*``."""
    for rows in statistics.sort(_GROUP[::-1]).partition_by("label", maintain_order=True):
        yield rows["label"][0], rows
    yield ALL_LABELS, _pool(statistics)


def macro_mean(scores: pl.DataFrame) -> dict[str, float]:
    """Mean of each metric's F1, as ``SCORES`` has it, over languages and labels without ``*``: the shared task's "mean of 18"."""
    cells = scores.filter(pl.col("label") != ALL_LABELS)
    return {metric: round(fmean(cells.filter(metric=metric)["f1"]), 4) if cells.height else 0.0 for metric in CREDITS}


def document_statistics(gold: pl.DataFrame, pred: pl.DataFrame, profile: Profile = "multiclin") -> pl.DataFrame:
    """One row per document with a mention on either side: ``filename`` and the columns of ``COUNTED``."""
    return _pool(label_statistics(gold, pred, profile))


def label_statistics(gold: pl.DataFrame, pred: pl.DataFrame, profile: Profile = "multiclin") -> pl.DataFrame:
    """One row per document and label with a mention on either side, sorted: the statistics in ``COUNTED``.

    Predictions are de-duplicated on (filename, label, start, end), the first one staying; gold is not. So a gold mention written
    twice beside one equal prediction is one tp and one fn. In the profile ``multicardioner`` mentions are equal only if their
    ``text`` is too, and documents without gold are left out, from both metrics (its own scorer knows ``strict`` only).

    Raises:
        ScoreInputError: profile ``multicardioner`` and a side without ``text``.
    """
    if profile == "multicardioner" and not all("text" in side.columns for side in (gold, pred)):
        raise ScoreInputError("profile multicardioner compares the column text, which one side lacks")
    gold, pred = _mentions(gold), _mentions(pred).unique(_MENTION, keep="first", maintain_order=True)
    if profile == "multicardioner":
        pred = pred.join(gold, on="filename", how="semi", maintain_order="left")
    equal_on = [*_MENTION, "text"] if profile == "multicardioner" else _MENTION
    documents = pl.concat([gold["filename"], pred["filename"]]).unique().sort()
    parts = [documents[first : first + DOCUMENTS_AT_ONCE] for first in range(0, max(len(documents), 1), DOCUMENTS_AT_ONCE)]
    among = [pl.col("filename").is_in(part.implode()) for part in parts]
    return pl.concat([_counted(gold.filter(part), pred.filter(part), equal_on) for part in among])


def _counted(gold: pl.DataFrame, pred: pl.DataFrame, equal_on: list[str]) -> pl.DataFrame:
    """``label_statistics`` of some documents, mentions numbered and predictions unique."""
    groups = pl.concat([gold.select(_GROUP), pred.select(_GROUP)]).unique().sort(_GROUP)
    pairs = _overlapping(gold, pred)
    for part in (
        gold.group_by(_GROUP).agg(pl.len().cast(pl.Int64).alias("gold")),
        pred.group_by(_GROUP).agg(pl.len().cast(pl.Int64).alias("predicted")),
        _true_positives(gold, pred, equal_on),
        _best(pairs, "row").rename({"best": "gold_best"}),
        _best(pairs, "row_pred").rename({"best": "pred_best"}),
    ):
        groups = groups.join(part, on=_GROUP, how="left", maintain_order="left")
    counted = groups.fill_null(0).with_columns(fp=pl.col("predicted") - pl.col("tp"), fn=pl.col("gold") - pl.col("tp"))
    return counted.select(*_GROUP, *COUNTED)


def _mentions(frame: pl.DataFrame) -> pl.DataFrame:
    """The official columns with a row number; ``a`` and ``a.txt`` are the same document."""
    offsets = pl.col("start_span", "end_span").cast(pl.Int64)
    return frame.with_columns(DOCUMENT, pl.col("label").cast(pl.String), offsets).with_row_index("row")


def _true_positives(gold: pl.DataFrame, pred: pl.DataFrame, equal_on: list[str]) -> pl.DataFrame:
    """Per document and label: of equal mentions, as many as there are on the side that has fewer."""
    both = gold.group_by(equal_on).len("left").join(pred.group_by(equal_on).len("right"), on=equal_on, nulls_equal=True)
    return both.group_by(_GROUP).agg(pl.min_horizontal("left", "right").sum().cast(pl.Int64).alias("tp"))


def _overlapping(gold: pl.DataFrame, pred: pl.DataFrame) -> pl.DataFrame:
    """Pairs of the same document and label that share a character, with their ``s``.

    ``s`` is worked out as the official script does, from the shares of either mention: the same figure to the last bit.
    """
    left, right = (side.lazy().select(*_MENTION, "row") for side in (gold, pred))
    start, end, start_pred, end_pred = (pl.col(name) for name in ("start_span", "end_span", "start_span_pred", "end_span_pred"))
    shared = pl.min_horizontal(end, end_pred) - pl.max_horizontal(start, start_pred)
    precision, recall = shared / (end_pred - start_pred), shared / (end - start)
    pairs = left.join(right, on=_GROUP, suffix="_pred").filter(start < end_pred, end > start_pred)
    return pairs.with_columns(s=2 * precision * recall / (precision + recall)).collect()


def _best(pairs: pl.DataFrame, row: str) -> pl.DataFrame:
    """Per document and label: the sum over its mentions of the best ``s``. Sorted first, so that float sums repeat to the last bit."""
    best = pairs.group_by([*_GROUP, row]).agg(pl.col("s").max().alias("best")).sort(row)
    return best.group_by(_GROUP, maintain_order=True).agg(pl.col("best").sum())


def _pool(statistics: pl.DataFrame) -> pl.DataFrame:
    return statistics.group_by("filename", maintain_order=True).agg(pl.exclude("filename", "label").sum()).sort("filename")


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)
