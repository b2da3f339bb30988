"""The report of one run: a single HTML page that needs nothing else, without a line of clinical text."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.filesize import decimal

from data_contracts.evaluation import ALL_LABELS
from pipeline_lib.evaluation.scale import NOTHING, Scale
from pipeline_lib.evaluation.scale_plot import scale_plot
from pipeline_lib.evaluation.score_plot import MOST_LABELS, score_plot
from pipeline_lib.evaluation.svg_theme import COLOURS
from pipeline_lib.progress.stage_time import StageTime

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
)
_PAGES.filters["size"] = decimal
_PAGE = _PAGES.get_template("report.html.j2")


@dataclass(frozen=True)
class ReportData:
    """What the report shows: ids, counts, times and scores.

    Attributes:
        scores: a table of ``SCORES``, empty where there is no gold.
        documents: source documents.
        mentions: source mentions, in each language to be projected once.
        projected: mentions found, by target language.
        abstentions: mentions left out, by (target language, reason).
        carried: lines that went with mentions, by target language; stayed: those that did not, by (target language, reason).
        rejects: what was not taken, by (stage, code); warnings: what was although it is irregular, by code.
        stages: in the order they ran; scale: what was stored, and which documents took longest.
        config: the resolved configuration, as TOML.

    Raises:
        ValueError: scores, projections or abstentions of a language that is not among ``targets``.
    """

    title: str
    corpus: str
    source: str
    targets: tuple[str, ...]
    profile: str
    aligner: str
    run_id: str
    model: str
    scores: pa.Table
    documents: int
    mentions: int
    projected: Mapping[str, int]
    abstentions: Mapping[tuple[str, str], int]
    carried: Mapping[str, int]
    stayed: Mapping[tuple[str, str], int]
    rejects: Mapping[tuple[str, str], int]
    warnings: Mapping[str, int]
    stages: tuple[StageTime, ...]
    config: str
    scale: Scale = NOTHING

    def __post_init__(self) -> None:
        """Refuse figures of a language that the report would not show."""
        seen = {*self.projected, *(lang for lang, _ in self.abstentions), *self.scores["target_lang"].to_pylist()}
        if unknown := sorted(seen - set(self.targets)):
            raise ValueError(f"figures for {unknown}, but the targets are {list(self.targets)}")


def render_report(summary: ReportData) -> str:
    """The page as HTML; the same data give the same bytes."""
    scores = pl.DataFrame(summary.scores)
    scored = [lang for lang in summary.targets if lang in scores["target_lang"]]
    return _PAGE.render(
        report=summary,
        headlines=_headlines(summary, scores),
        plot=score_plot(scores, scored) if scored else "",
        plotted=MOST_LABELS,
        colours=COLOURS,
        labels=scores["label"].n_unique() - 1,
        scored=scored,
        score_rows=_score_rows(scores, scored),
        projections=_projections(summary),
        abstentions=_by_reason(summary.abstentions, summary.targets),
        companions=_companions(summary),
        rejects=_rejects(summary),
        warnings=sorted(summary.warnings.items(), key=lambda row: (-row[1], row[0])),
        slowest=max((stage.seconds for stage in summary.stages), default=0.0),
        rejecting=any(stage.rejects for stage in summary.stages),
        throughput=scale_plot(summary.stages),
        most_bytes=max((stored.bytes for stored in summary.scale.stored), default=0),
    )


def _headlines(summary: ReportData, scores: pl.DataFrame) -> list[tuple[str, str, str]]:
    """(figure, name, remark) of the numbers on top."""
    wanted, found = summary.mentions * len(summary.targets), sum(summary.projected.values())
    pooled = scores.filter(pl.col("label") == ALL_LABELS)
    means = [
        (f"{mean:.4f}", name, "mean over languages" if len(summary.targets) > 1 else f"in {summary.targets[0]}")
        for metric, name in (("strict", "strict F1"), ("char", "character F1"))
        if isinstance(mean := pooled.filter(pl.col("metric") == metric)["f1"].mean(), float)
    ]
    counts = [
        (f"{summary.documents:,}", "documents", f"in {summary.source}"),
        (f"{summary.mentions:,}", "mentions", f"to {len(summary.targets)} language{'s' * (len(summary.targets) != 1)}"),
        (_percent(found, wanted), "projected", f"{found:,} of {wanted:,}"),
    ]
    return means + counts


def _score_rows(scores: pl.DataFrame, langs: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Per language the rows of the table, pooled first: a label with its strict and its char score."""
    tables = {}
    for lang in langs:
        rows = scores.filter(pl.col("target_lang") == lang)
        char = {row["label"]: row for row in rows.filter(pl.col("metric") == "char").to_dicts()}
        strict = rows.filter(pl.col("metric") == "strict").sort(pl.col("label") != ALL_LABELS, "label").to_dicts()
        tables[lang] = [{"label": row["label"], "strict": row, "char": char[row["label"]]} for row in strict]
    return tables


def _projections(summary: ReportData) -> list[dict[str, Any]]:
    """Per target language: mentions projected, their share, mentions abstained from."""
    rows = []
    for lang in summary.targets:
        found = summary.projected.get(lang, 0)
        abstained = sum(count for (other, _), count in summary.abstentions.items() if other == lang)
        rows.append({"lang": lang, "found": found, "share": _percent(found, summary.mentions), "abstained": abstained})
    return rows


def _by_reason(counts: Mapping[tuple[str, str], int], targets: tuple[str, ...]) -> list[tuple[str, list[int]]]:
    """(reason, count in each target language), the most frequent reason first."""
    reasons = sorted({reason for _, reason in counts})
    rows = [(reason, [counts.get((lang, reason), 0) for lang in targets]) for reason in reasons]
    return sorted(rows, key=lambda row: -sum(row[1]))


def _companions(summary: ReportData) -> list[tuple[str, list[int]]]:
    """(outcome, count in each target language) of the lines that go with mentions; none where the source has none."""
    if not summary.stayed and not any(summary.carried.values()):
        return []
    return [("carried", [summary.carried.get(lang, 0) for lang in summary.targets]), *_by_reason(summary.stayed, summary.targets)]


def _rejects(summary: ReportData) -> list[tuple[str, str, int]]:
    """(stage, code, count), the most frequent code of a stage first."""
    rows = [(stage, code, count) for (stage, code), count in summary.rejects.items()]
    return sorted(rows, key=lambda row: (row[0], -row[2], row[1]))


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "n/a"
