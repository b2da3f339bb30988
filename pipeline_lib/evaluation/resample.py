"""How sure a score is: bootstrap intervals over documents, and the table of scores."""

import numpy as np
import polars as pl
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from data_contracts.evaluation import SCORES
from pipeline_lib.evaluation.scorer import CREDITS, Floats, Metric, Profile, by_label, label_statistics, rates, score_of


class ResampleConfig(BaseModel):
    """The bootstrap: number of replicates, random seed, and the probability the interval covers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    replicates: int = Field(default=1000, ge=1)
    seed: int = Field(default=13, ge=0)
    level: float = Field(default=0.95, gt=0, lt=1)


def score_table(
    gold: pl.DataFrame, pred: pl.DataFrame, target_lang: str, config: ResampleConfig, profile: Profile = "multiclin"
) -> pa.Table:
    """Both metrics of each label of gold or prediction, then of all pooled (``*``), as a table of ``SCORES``."""
    return scores_of(label_statistics(gold, pred, profile), target_lang, config)


def scores_of(statistics: pl.DataFrame, target_lang: str, config: ResampleConfig) -> pa.Table:
    """``SCORES`` of the rows of ``label_statistics``."""
    rows: list[dict[str, object]] = []
    for label, documents in by_label(statistics):
        bounds = intervals(documents, config)
        for metric in CREDITS:
            low, high = bounds[metric]
            row = {"target_lang": target_lang, "label": label, "metric": metric, "low": low, "high": high, "documents": documents.height}
            rows.append(row | vars(score_of(documents, metric)))
    return SCORES.table(rows)


def intervals(statistics: pl.DataFrame, config: ResampleConfig) -> dict[Metric, tuple[float, float]]:
    """Percentile interval of each metric's F1 when the documents (rows) are drawn again with replacement (Efron 1979).

    Both metrics see the same draws. The interval of no documents is (0, 0).
    """
    sums = resampled_sums(statistics, config)
    bounds: dict[Metric, tuple[float, float]] = {}
    for metric in CREDITS:
        low, high = percentiles(f1_of(sums, metric), config)
        bounds[metric] = (round(low, 4), round(high, 4))
    return bounds


def percentiles(replicates: Floats, config: ResampleConfig) -> tuple[float, float]:
    """The two ends of the interval that covers ``config.level`` of the replicates."""
    tail = (1 - config.level) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)


def f1_of(sums: dict[str, Floats], metric: Metric, system: str = "") -> Floats:
    """F1 of each replicate, unrounded: (replicates,). ``system`` is what the names of its statistics end in."""
    credit_pred, credit_gold = CREDITS[metric]
    _, _, f1 = rates(*(sums[name + system] for name in (credit_pred, "predicted", credit_gold, "gold")))
    return f1


def resampled_sums(statistics: pl.DataFrame, config: ResampleConfig) -> dict[str, Floats]:
    """Sums of each statistic (every column but the ids) over each replicate's documents: (replicates,) a column.

    How often a replicate draws each document is counted, so its sums are (columns, documents) @ (documents,).
    """
    counted = statistics.drop("filename", "label", strict=False).cast(pl.Float64)
    columns, documents = np.ascontiguousarray(counted.to_numpy().T), statistics.height
    if not documents:
        return {name: np.zeros(config.replicates) for name in counted.columns}
    generator = np.random.default_rng(config.seed)
    drawn = (generator.integers(documents, size=documents) for _ in range(config.replicates))
    sums = np.stack([columns @ np.bincount(replicate, minlength=documents) for replicate in drawn])  # as fast as a batched product
    return dict(zip(counted.columns, sums.T, strict=True))
