"""The training curve as a PNG: loss on the training and on the held-out documents, epoch by epoch."""

import io
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline_lib.alignment.training import Epoch

# The report's light colours: a picture beside a card has one theme, whatever the page has.
_INK, _MUTED, _LINE, _HELD_OUT, _TRAIN = "#1d252c", "#64707b", "#e1e5e9", "#0f766e", "#c2410c"
_STYLE = mpl.RcParams(
    {
        "text.parse_math": False,
        "font.family": ["DejaVu Sans"],
        "font.size": 9.5,
        "axes.titlecolor": _INK,
        "axes.labelcolor": _MUTED,
        "xtick.color": _LINE,
        "ytick.color": _LINE,
        "xtick.labelcolor": _MUTED,
        "ytick.labelcolor": _MUTED,
        "legend.labelcolor": _INK,
    }
)


def training_plot(log: Sequence[Epoch]) -> bytes:
    """The losses of ``log``, which has one row an epoch; epoch 0, the untrained student, has no training loss.

    The same log gives the same bytes.
    """
    figure = Figure(figsize=(7.2, 3.6), facecolor="white")
    with mpl.rc_context(_STYLE):
        axis = figure.subplots()
        _draw_frame(axis)
        _draw_losses(axis, log)
        figure.tight_layout()
        buffer = io.BytesIO()
        # matplotlib would write its release into the file, and nothing else that differs between two runs.
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _draw_frame(axis: Axes) -> None:
    axis.set_title("Loss by epoch", loc="left", fontsize=11, fontweight="bold", pad=10)
    axis.set_xlabel("epoch; 0 is the untrained student")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axis.tick_params(length=0, pad=6)
    axis.grid(axis="y", color=_LINE, linewidth=0.8)
    axis.set_axisbelow(True)
    for side in axis.spines.values():
        side.set_visible(False)


def _draw_losses(axis: Axes, log: Sequence[Epoch]) -> None:
    """A line and dots each; a ring where the held-out documents did best, whose weights are the student's."""
    trained = [(epoch.epoch, epoch.train_loss) for epoch in log if epoch.train_loss is not None]
    axis.plot([epoch.epoch for epoch in log], [epoch.held_out_loss for epoch in log], "o-", color=_HELD_OUT, markersize=5, label="held out")
    if trained:
        numbers, losses = zip(*trained, strict=True)
        axis.plot(numbers, losses, "o-", color=_TRAIN, markersize=5, label="train, mean over the epoch")
    best = best_epoch(log)
    (ring,) = axis.plot([best.epoch], [best.held_out_loss], "o", color=_INK, markersize=11, label="the weights that were kept")
    ring.set(markerfacecolor="none", markeredgewidth=1.4)
    axis.set_xlim(log[0].epoch - 0.3, log[-1].epoch + 0.3)
    axis.margins(y=0.12)
    axis.legend(loc="lower right", bbox_to_anchor=(1.01, 0.99), ncols=3, frameon=False, fontsize=8.5, columnspacing=1.4, handletextpad=0.5)


def best_epoch(log: Sequence[Epoch]) -> Epoch:
    """The epoch whose weights a training leaves."""
    return [epoch for epoch in log if epoch.best][-1]
