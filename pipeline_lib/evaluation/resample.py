"""How sure a score is: bootstrap intervals over documents, and the table of scores."""

import numpy as np
import polars as pl
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from data_contracts.evaluation import SCORES
from pipeline_lib.evaluation.scorer import CREDITS, Floats, Metric, Profile, by_label, label_statistics, rates, score_of

_COLUMNS = ("tp", "pred_best", "gold_best", "predicted", "gold")
_CELLS_AT_ONCE = 10_000_000


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
    rows: list[dict[str, object]] = []
    for label, statistics in by_label(label_statistics(gold, pred, profile)):
        bounds = intervals(statistics, config)
        for metric in CREDITS:
            low, high = bounds[metric]
            row = {"target_lang": target_lang, "label": label, "metric": metric, "low": low, "high": high, "documents": statistics.height}
            rows.append(row | vars(score_of(statistics, metric)))
    return SCORES.table(rows)


def intervals(statistics: pl.DataFrame, config: ResampleConfig) -> dict[Metric, tuple[float, float]]:
    """Percentile interval of each metric's F1 when the documents (rows) are drawn again with replacement (Efron 1979).

    Both metrics see the same draws. The interval of no documents is (0, 0).
    """
    if statistics.is_empty():
        return dict.fromkeys(CREDITS, (0.0, 0.0))
    sums = dict(zip(_COLUMNS, _resampled_sums(statistics, config).T, strict=True))
    tail = (1 - config.level) / 2
    bounds: dict[Metric, tuple[float, float]] = {}
    for metric, (credit_pred, credit_gold) in CREDITS.items():
        _, _, f1 = rates(sums[credit_pred], sums["predicted"], sums[credit_gold], sums["gold"])
        low, high = np.quantile(f1, [tail, 1 - tail])
        bounds[metric] = (round(float(low), 4), round(float(high), 4))
    return bounds


def _resampled_sums(statistics: pl.DataFrame, config: ResampleConfig) -> Floats:
    """Sums of ``_COLUMNS`` over each replicate's documents.

    How often a replicate draws each document is one multinomial draw, so a replicate is a row vector times the statistics:
    (replicates, documents) @ (documents, columns) -> (replicates, columns), in blocks that bound the memory.
    """
    values = statistics.select(pl.col(_COLUMNS).cast(pl.Float64)).to_numpy()
    documents = len(values)
    generator = np.random.default_rng(config.seed)
    block = max(1, _CELLS_AT_ONCE // documents)
    sizes = [min(block, config.replicates - done) for done in range(0, config.replicates, block)]
    share = np.full(documents, 1 / documents)
    return np.concatenate([generator.multinomial(documents, share, size=size).astype(np.float64) @ values for size in sizes])
