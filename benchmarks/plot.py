"""The figure of ``make bench``: time over size, both axes logarithmic."""

from pathlib import Path

import matplotlib as mpl

from benchmarks.measure import Row

PANELS = {
    "sinkhorn": ("Sinkhorn, 100 iterations", {
        "ours_ms": "spanferry, band", "pot_float32_ms": "POT float32", "pot_float64_ms": "POT float64", "pot_log_ms": "POT, log domain"}),
    "cosine_and_plan": ("Cosine (1024-d) and plan", {"ours_ms": "spanferry, band", "dense_pot_float64_ms": "dense, POT float64"}),
    "links": ("Word links of a sentence pair", {"ours_ms": "spanferry, plan and links", "simalign_itermax_ms": "simalign itermax"}),
}  # fmt: skip
COLOURS = ("C0", "C1", "C3", "C7")


def plot(results: dict[str, list[Row]], path: Path) -> None:
    """One panel a subject; a contender that was absent, or too slow at a size, has no point there."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(PANELS), figsize=(13, 4.2), layout="constrained")
    for axis, (subject, (title, lines)) in zip(axes, PANELS.items(), strict=True):
        rows = results[subject]
        sizes = [row["units"] for row in rows]
        for colour, (key, label) in zip(COLOURS, lines.items(), strict=False):
            points = [(row["units"], row[key]) for row in rows if key in row]
            if points:
                axis.plot(*zip(*points, strict=True), "o-", color=colour, label=label)
        axis.set_xscale("log", base=2)
        axis.set(title=title, xlabel="units a side", yscale="log")
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.grid(alpha=0.3)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False)
    axes[0].set_ylabel("ms of CPU time, one thread")
    figure.savefig(path, dpi=120)
    plt.close(figure)
