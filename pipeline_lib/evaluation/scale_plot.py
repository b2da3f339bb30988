"""Throughput as one inline SVG: documents done against time, a line a stage, named above the time that it took."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from pipeline_lib.evaluation.svg_theme import BAND, LINE, MUTED, colour, styled, svg
from pipeline_lib.progress.stage_time import StageTime

MOST_POINTS = 200
"""Of a line; more are not seen, and each makes the page larger."""

# Inches. The page's font is not known here, so the width of a name is a guess on the wide side.
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 10.0, 3.6, 0.75, 0.2, 0.45, 0.55
_LETTER = 0.088
_UNITS = ((2 * 3600.0, 3600.0, "hours"), (2 * 60.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))

Curve = Sequence[tuple[float, int]]


def scale_plot(stages: Sequence[StageTime]) -> str:
    """An ``<svg>`` of stages in the order they ran; nothing where none counted a document. The n-th has the colour ``var(--lang-n)``."""
    if not any(stage.documents for stage in stages):
        return ""
    begun = stages[0].began
    whole = max(stage.began - begun + stage.seconds for stage in stages)
    unit, name = next((seconds, name) for least, seconds, name in _UNITS if whole >= least)
    figure = Figure(figsize=(_WIDTH, _HEIGHT))
    figure.subplots_adjust(left=_LEFT / _WIDTH, right=1 - _RIGHT / _WIDTH, top=1 - _TOP / _HEIGHT, bottom=_BOTTOM / _HEIGHT)
    with styled():
        axis = figure.subplots()
        _draw_frame(axis, max(stage.documents for stage in stages), whole / unit, f"{name} since the run began")
        inch = whole / unit / (_WIDTH - _LEFT - _RIGHT)
        for index, stage in enumerate(stages):
            start = (stage.began - begun) / unit
            _draw_stage(axis, stage, start, unit, index, inch)
        return svg(figure)


def thinned(curve: Curve) -> Curve:
    """At most ``MOST_POINTS`` of a curve, evenly, the first and the last among them."""
    if len(curve) <= MOST_POINTS:
        return curve
    step = (len(curve) - 1) / (MOST_POINTS - 1)
    return [curve[round(number * step)] for number in range(MOST_POINTS)]


def _draw_frame(axis: Axes, most: int, end: float, label: str) -> None:
    axis.set_xlim(0, end or 1.0)
    axis.set_ylim(0, most * 1.05)
    axis.set_xlabel(label)
    axis.xaxis.set_major_locator(MaxNLocator(10))
    axis.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.tick_params(length=0, pad=6, labelcolor=MUTED)
    axis.grid(axis="y", color=LINE, linewidth=0.8)
    axis.set_axisbelow(True)
    for side in axis.spines.values():
        side.set_visible(False)


def _draw_stage(axis: Axes, stage: StageTime, start: float, unit: float, index: int, inch: float) -> None:
    """Every second stage on a band; its name above it, if there is room."""
    took = stage.seconds / unit
    if index % 2 == 0:
        axis.axvspan(start, start + took, color=BAND, linewidth=0, zorder=0)
    if stage.documents:
        points = thinned(stage.curve)
        axis.plot([start + seconds / unit for seconds, _ in points], [done for _, done in points], color=colour(index), linewidth=1.8)
    if took >= inch * _LETTER * len(stage.stage):
        axis.annotate(
            stage.stage,
            (start + took / 2, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            color=colour(index) if stage.documents else MUTED,
            fontweight="bold",
        )
