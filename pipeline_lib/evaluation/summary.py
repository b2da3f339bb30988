"""The figures of one run: counts and scores, as the report and ``scores.json`` show them. Never a word of text."""

from dataclasses import dataclass

import polars as pl
import pyarrow as pa


@dataclass(frozen=True)
class Counts:
    """What a run did.

    Attributes:
        documents, mentions: of the source; projected: mentions found, carried: lines that went with them, by target language.
        abstentions, stayed: mentions not found, lines not carried, by (target language, reason).
        rejects: by (stage, code); warnings: irregularities by code.
    """

    documents: int
    mentions: int
    projected: dict[str, int]
    abstentions: dict[tuple[str, str], int]
    carried: dict[str, int]
    stayed: dict[tuple[str, str], int]
    rejects: dict[tuple[str, str], int]
    warnings: dict[str, int]


def count(
    documents: int,
    mentions: int,
    projections: pl.LazyFrame,
    carried: pl.LazyFrame,
    rejects: pl.LazyFrame,
    warnings: pl.LazyFrame,
    targets: list[str],
) -> Counts:
    """Count PROJECTIONS and CARRIED_LINES (columns target_lang, reason suffice), REJECTS and WARNINGS; none of them is ever held whole."""
    rejected = rejects.group_by("stage", "code").len().collect(engine="streaming").sort("stage", "code")
    irregular = warnings.group_by("code").agg(pl.col("count").sum()).collect(engine="streaming").sort("code")
    return Counts(
        documents,
        mentions,
        *_outcomes(projections, targets),
        *_outcomes(carried, targets),
        {(stage, code): number for stage, code, number in rejected.iter_rows()},
        dict(irregular.iter_rows()),
    )


def _outcomes(rows: pl.LazyFrame, targets: list[str]) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    """What went over, by language, and what did not, by (language, reason)."""
    counted = rows.group_by("target_lang", "reason").len().collect(engine="streaming").sort("target_lang", "reason")
    found = {lang: number for lang, reason, number in counted.iter_rows() if reason is None}
    return dict.fromkeys(targets, 0) | found, {(lang, reason): number for lang, reason, number in counted.iter_rows() if reason is not None}


def scores_json(scores: pa.Table) -> list[dict[str, object]]:
    """SCORES with every figure rounded to four decimals, as the official script prints them."""
    return [{key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()} for row in scores.to_pylist()]
