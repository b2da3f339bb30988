"""The scores as one inline SVG: a row per label, a dot per language, a bar for the interval."""

from collections.abc import Sequence

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from data_contracts.evaluation import ALL_LABELS
from pipeline_lib.evaluation.svg_theme import BAND, LINE, colour, styled, svg

MOST_LABELS = 30
"""More rows than this are no longer read; the table holds them all."""

METRIC_TITLES = {"strict": "Strict F1", "char": "Character F1"}

# Inches. The page's font is not known here, so the width of a name is a guess on the wide side.
_WIDTH, _MARGIN, _TALL_MARGIN = 10.0, 0.42, 0.65
_DOT_PITCH, _ROW_GAP = 0.13, 0.17
_NAME_INCHES = 0.088
_LONGEST_NAME = 26


def plot_labels(scores: pl.DataFrame) -> list[str]:
    """The labels shown, all-labels first, then by gold mentions; the pooled row is left out where there is but one label."""
    ranked = scores.group_by("label").agg(pl.col("gold").sum()).sort(["gold", "label"], descending=[True, False])["label"].to_list()
    labels = [label for label in ranked if label != ALL_LABELS][:MOST_LABELS]
    return labels if len(labels) == 1 else [ALL_LABELS, *labels]


def score_plot(scores: pl.DataFrame, langs: Sequence[str]) -> str:
    """An ``<svg>`` of rows of ``SCORES``, strict beside char; the n-th of ``langs`` has the colour ``var(--lang-n)``, six in turn.

    The same scores give the same bytes.
    """
    labels = plot_labels(scores)
    shown = scores.filter(pl.col("label").is_in(labels))
    pitch = _DOT_PITCH * len(langs) + _ROW_GAP
    margin = _TALL_MARGIN if _is_tall(labels) else _MARGIN
    height = pitch * len(labels) + 2 * margin
    names = _NAME_INCHES * max(len(_name(label)) for label in labels) + 0.2
    figure = Figure(figsize=(_WIDTH, height))
    figure.subplots_adjust(left=names / _WIDTH, right=0.985, top=1 - margin / height, bottom=margin / height, wspace=0.1)
    with styled():
        axes = figure.subplots(1, 2, sharey=True)
        for axis, metric in zip(axes, METRIC_TITLES, strict=True):
            _draw_frame(axis, METRIC_TITLES[metric], labels, _first_tick(shown))
            _draw_dots(axis, shown.filter(pl.col("metric") == metric), labels, langs, _DOT_PITCH / pitch)
        return svg(figure)


def _draw_frame(axis: Axes, title: str, labels: Sequence[str], first: float) -> None:
    axis.set_title(title, loc="left", fontsize=11, fontweight="bold", pad=10)
    axis.set_xlim(first - 0.01, 1.012)
    axis.set_ylim(len(labels) - 0.5, -0.5)
    axis.set_yticks(range(len(labels)), [_name(label) for label in labels])
    axis.tick_params(axis="y", length=0, pad=8)
    axis.tick_params(axis="x", length=0, pad=6, labeltop=_is_tall(labels))
    axis.xaxis.set_major_locator(MultipleLocator(0.1 if first < 0.7 else 0.05))
    axis.grid(axis="x", color=LINE, linewidth=0.8)
    axis.set_axisbelow(True)
    for row in range(0, len(labels), 2):
        axis.axhspan(row - 0.5, row + 0.5, color=BAND, linewidth=0, zorder=0)
    for side in axis.spines.values():
        side.set_visible(False)


def _draw_dots(axis: Axes, scores: pl.DataFrame, labels: Sequence[str], langs: Sequence[str], step: float) -> None:
    """One dot and bar for each score, the languages of a row below one another, ``step`` rows apart."""
    for index, lang in enumerate(langs):
        rows = scores.filter(pl.col("target_lang") == lang).to_dicts()
        offset = (index - (len(langs) - 1) / 2) * step
        heights = [labels.index(row["label"]) + offset for row in rows]
        axis.hlines(heights, [row["low"] for row in rows], [row["high"] for row in rows], color=colour(index), linewidth=1.6, alpha=0.55)
        axis.plot([row["f1"] for row in rows], heights, "o", color=colour(index), markersize=5, markeredgewidth=0)


def _first_tick(scores: pl.DataFrame) -> float:
    """Where the axis starts: the tenth below every bar, at most 0.8, so that small differences are not blown up."""
    lowest = scores.select(pl.min_horizontal(pl.col("low").min(), pl.col("f1").min())).item()
    return min(0.8, int(lowest * 10) / 10)


def _is_tall(labels: Sequence[str]) -> bool:
    """Whether the figure is so tall that its top needs tick labels too."""
    return len(labels) > 8


def _name(label: str) -> str:
    if label == ALL_LABELS:
        return "all labels"
    return label if len(label) <= _LONGEST_NAME else label[: _LONGEST_NAME - 1] + "…"
