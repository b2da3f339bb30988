"""Two systems on the same gold: whether one is better, by how much, and on which mentions they differ.

Paired bootstrap over documents (Efron & Tibshirani 1993; Koehn 2004, "Statistical significance tests for machine translation
evaluation"): a replicate draws the documents once and scores both systems on them.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline_lib.evaluation.annotations import DOCUMENT
from pipeline_lib.evaluation.resample import ResampleConfig, f1_of, percentiles, resampled_sums
from pipeline_lib.evaluation.scorer import COUNTED, CREDITS, Floats, Metric, by_label, label_statistics

_GROUP = ["filename", "label"]
_MENTION = [*_GROUP, "start_span", "end_span"]
_NOISE = 1e-12
_OUTCOMES = {(system, right): f"only_{system}_{'right' if right else 'wrong'}" for system in ("A", "B") for right in (True, False)}


@dataclass(frozen=True)
class Comparison:
    """F1 of two systems on one label (``*``: all of them) by one metric, four decimals (the p-value: all of them).

    Attributes:
        difference: of A minus B; low, high: the bootstrap interval of it.
        p_value: see ``p_value``.
        documents: those with a mention of the label in gold, A or B.
    """

    label: str
    metric: Metric
    f1_a: float
    f1_b: float
    difference: float
    low: float
    high: float
    p_value: float
    documents: int


def paired_statistics(gold: pl.DataFrame, a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    """``label_statistics`` of both systems side by side, their names ending in ``_a`` and ``_b``."""
    of_a, of_b = (
        label_statistics(gold, system).rename({name: name + suffix for name in COUNTED}) for system, suffix in ((a, "_a"), (b, "_b"))
    )
    return of_a.join(of_b, on=_GROUP, how="full", coalesce=True).fill_null(0).sort(_GROUP)


def compare_systems(statistics: pl.DataFrame, config: ResampleConfig) -> list[Comparison]:
    """Both metrics of each label, in alphabetical order, then of all labels pooled.

    Args:
        statistics: rows of ``paired_statistics``.
    """
    rows = []
    for label, documents in by_label(statistics):
        once = {name: np.array([documents[name].sum()], dtype=float) for name in documents.columns if name not in _GROUP}
        drawn = resampled_sums(documents, config)
        for metric in CREDITS:
            f1_a, f1_b = (float(f1_of(once, metric, system)[0]) for system in ("_a", "_b"))
            replicates = f1_of(drawn, metric, "_a") - f1_of(drawn, metric, "_b")
            low, high = map(_rounded, percentiles(replicates, config))
            probability = p_value(f1_a - f1_b, replicates)
            figures = (_rounded(f1_a), _rounded(f1_b), _rounded(f1_a - f1_b), low, high, probability)
            rows.append(Comparison(label, metric, *figures, documents.height))
    return rows


def p_value(difference: float, replicates: Floats) -> float:
    """How often systems that do not differ would be found as far apart: two-sided, (count + 1) / (replicates + 1).

    Counted are the replicates (replicates,) at least as far from the observed difference as that is from zero: the bootstrap's
    spread, moved to where the systems are equal (Efron & Tibshirani 1993, chapter 16). Equally far is decided up to float noise.
    """
    count = np.count_nonzero(np.abs(replicates - difference) >= abs(difference) - _NOISE)
    return float(count + 1) / (len(replicates) + 1)


def differing_mentions(gold: pl.DataFrame, a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    """The predictions that only one system makes: the official columns but ``text``, ``in_gold``, and ``system`` (A or B), sorted."""
    known, of_a, of_b = (side.select(DOCUMENT, *_MENTION[1:]).unique() for side in (gold, a, b))
    found = pl.concat(
        [
            of_a.join(of_b, on=_MENTION, how="anti").with_columns(system=pl.lit("A")),
            of_b.join(of_a, on=_MENTION, how="anti").with_columns(system=pl.lit("B")),
        ]
    )
    judged = found.join(known.with_columns(in_gold=pl.lit(True)), on=_MENTION, how="left").with_columns(pl.col("in_gold").fill_null(False))
    return judged.select(*_MENTION, "in_gold", "system").sort("filename", "start_span", "end_span", "label", "system")


def count_differences(mentions: pl.DataFrame) -> pl.DataFrame:
    """Rows of ``differing_mentions`` counted by label: ``only_A_right``, ``only_A_wrong``, ``only_B_right``, ``only_B_wrong``."""
    counts = [
        ((pl.col("system") == system) & (pl.col("in_gold") == right)).sum().cast(pl.Int64).alias(name)
        for (system, right), name in _OUTCOMES.items()
    ]
    return mentions.group_by("label").agg(counts).sort("label")


def _rounded(figure: float) -> float:
    """Four decimals, and never -0.0."""
    return round(figure, 4) + 0.0
