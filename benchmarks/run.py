"""``make bench``: our kernels against named peers, in one run, one thread each. Writes ``bench.json`` and ``bench.png``.

Timings are medians of several runs; the ratio to the peer in the same run is what counts, not the milliseconds of this machine.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

# Before numpy is imported: one thread each, ours and the peers'.
os.environ |= {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")}

import matplotlib as mpl
import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline_lib.alignment.band import BandConfig, band_around, scaled_diagonal
from pipeline_lib.alignment.cost import CostConfig, document_cost
from pipeline_lib.alignment.fitted import FitConfig, fit_teachers, pair_types
from pipeline_lib.alignment.sinkhorn import SharpenConfig, shares, sharpen
from pipeline_lib.alignment.units import GridText, split_units
from pipeline_lib.alignment.views import typed
from pipeline_lib.corpus.samples import documents, marked, standoff

try:
    import ot
except ImportError:
    ot = None

SIZES = (512, 1024, 2048, 4096)
CONSOLE = Console()


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """Median time of ``repeats`` calls after one that warms up (and compiles)."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def sinkhorn_rows() -> list[dict[str, object]]:
    """100 iterations on a band of +-100 against POT on the same problem, masked."""
    return [sinkhorn_row(size, SharpenConfig(reg=0.05)) for size in SIZES]


def sinkhorn_row(size: int, config: SharpenConfig) -> dict[str, object]:
    band = band_around(scaled_diagonal(size, size), size, BandConfig())
    cost = np.random.default_rng(size).random(band.cells)
    ours = median_seconds(lambda: sharpen(cost, band, config), 9)
    row: dict[str, object] = {"units": size, "ours_ms": 1e3 * ours}
    if ot is None:
        return {**row, "peer": "absent: POT is not installed (pip install 'spanferry[bench]')"}
    dense, mass = band.dense(cost, outside=1e3), np.full(size, 1.0 / size)
    for name, kind in (("pot_float64", np.float64), ("pot_float32", np.float32)):
        peer = median_seconds(lambda kind=kind: pot_plan(mass.astype(kind), dense.astype(kind), config), 3)
        row |= {f"{name}_ms": 1e3 * peer, f"{name}_ratio": peer / ours}
    difference = pot_plan(mass, dense, config) - band.dense(sharpen(cost, band, config).values)
    return {**row, "max_difference": float(np.abs(size * difference).max())}


def pot_plan(mass: np.ndarray, dense: np.ndarray, config: SharpenConfig) -> np.ndarray:
    plan: np.ndarray = ot.sinkhorn(mass, mass, dense, reg=config.reg, numItermax=config.iterations, stopThr=0.0, warn=False)
    return plan


def grid(document: str, lang: str) -> GridText:
    text, _ = standoff(marked(document, lang))
    units = split_units(text)
    return GridText(text, units.starts, units.ends, units.breaks)


def projection_row() -> dict[str, object]:
    """Units, fit, and views + plan of the bundled corpus, Spanish to English."""
    pairs = [(grid(name, "es"), grid(name, "en")) for name in documents()]
    started = time.perf_counter()
    teachers = fit_teachers([pair_types(*pair) for pair in pairs], FitConfig())
    fitted = time.perf_counter() - started
    texts = [(typed(source.types, teachers.source), typed(target.types, teachers.target)) for source, target in pairs]

    def plans() -> None:
        for source, target in texts:
            cost, band = document_cost(source, target, teachers, CostConfig())
            shares(sharpen(cost, band, SharpenConfig()).values, band)

    seconds = median_seconds(plans, 3)
    units = sum(len(source.starts) for source, _ in pairs)
    return {
        "documents": len(pairs),
        "source_units": units,
        "fit_s": fitted,
        "plans_documents_a_second": len(pairs) / seconds,
        "plans_units_a_second": units / seconds,
    }


def plot(rows: list[dict[str, object]], path: Path) -> None:
    """Time over size, both axes logarithmic."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    for key, label in (("pot_float64_ms", "POT float64, dense"), ("pot_float32_ms", "POT float32, dense"), ("ours_ms", "spanferry, band")):
        if key in rows[0]:
            axis.plot([row["units"] for row in rows], [row[key] for row in rows], "o-", label=label)
    axis.set_xscale("log", base=2)
    axis.set(xlabel="units a side", ylabel="ms for 100 iterations, one thread", yscale="log", xticks=SIZES, xticklabels=SIZES)
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(path, dpi=120)


def table(title: str, rows: list[dict[str, object]]) -> Table:
    """One column a key; long names go over several lines."""
    shown = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for name in rows[0]:
        shown.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        shown.add_row(*(f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values()))
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench-out"))
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    sinkhorn, projection = sinkhorn_rows(), projection_row()
    machine = {"machine": platform.machine(), "python": platform.python_version(), "cores": os.cpu_count(), "threads": 1}
    (out / "bench.json").write_text(json.dumps({"machine": machine, "sinkhorn": sinkhorn, "projection": [projection]}, indent=1) + "\n")
    plot(sinkhorn, out / "bench.png")
    CONSOLE.print(table("Sinkhorn, 100 iterations, band +-100, one thread", sinkhorn))
    CONSOLE.print(table("bundled corpus, es to en, one thread", [projection]))
    CONSOLE.print(f"wrote {out / 'bench.json'} and {out / 'bench.png'}")


if __name__ == "__main__":
    main()
