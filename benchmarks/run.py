"""``make bench``: our kernels against named peers, in one run, one thread each. Writes ``bench.json`` and ``bench.png``.

Times are medians of several rounds; the ratio to the peer in the same run is what counts, not the milliseconds of this machine.
"""

import argparse
import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.encoding import beside_row, encoding_rows
from benchmarks.fitting import fitting_row
from benchmarks.links import links_rows
from benchmarks.measure import Row
from benchmarks.plot import plot
from benchmarks.projection import projection_row
from benchmarks.sinkhorn import cosine_rows, sinkhorn_rows
from benchmarks.throughput import throughput_rows

CONSOLE = Console()
PACKAGES = ("numpy", "numba", "torch", "POT", "simalign", "eflomal")
TITLES = {
    "sinkhorn": "Sinkhorn, 100 iterations, band +-100 (MB: peak beyond the inputs)",
    "cosine_and_plan": "from 1024-dimensional vectors to the plan",
    "links": "from similarities to word links (F1 against planted links)",
    "fit_and_align": "fit on parallel text and align it, CPU seconds",
    "encoding": "encoding documents (6 layers, 384 wide) against padded batches of 8 in random order",
    "beside_the_encoder": "encoding pairs by a student of XLM-R base's shape and aligning them, CPU seconds",
    "projection": "bundled corpus, es to en",
    "throughput": "background documents: source units a CPU second, from texts to projections, against peers that only align",
}
MOST_COLUMNS = 12


def machine() -> Row:
    return {"machine": platform.machine(), "python": platform.python_version(), "cores": os.cpu_count(), "threads": 1} | {
        name: installed(name) for name in PACKAGES
    }


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def table(title: str, rows: list[Row]) -> Table:
    """One column a key, or one line where that is too many; long names go over several lines, and what a row lacks stays empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    shown = Table(title=title, title_justify="left", box=SIMPLE_HEAD, show_header=len(names) <= MOST_COLUMNS)
    if len(names) > MOST_COLUMNS:
        for name in names:
            shown.add_row(name.replace("_", " "), *(readable(row.get(name, "")) for row in rows))
        return shown
    for name in names:
        shown.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        shown.add_row(*(readable(row.get(name, "")) for name in names))
    return shown


def readable(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench-out"), help="folder of bench.json and bench.png")
    parser.add_argument(
        "--parallel", type=Path, help="parallel text to fit on: TSV with a header, source and target in the last two columns"
    )
    parser.add_argument("--texts", type=Path, help="folder of .txt files whose lengths the encoded documents shall have")
    parser.add_argument("--documents", type=int, default=40, help="documents to encode")
    parser.add_argument(
        "--background", type=int, default=200, help="background documents whose throughput is measured, the encoders' on a sixteenth"
    )
    parser.add_argument("--pairs", type=int, default=2000, help="pairs of it to use")
    arguments = parser.parse_args()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    subjects = {
        "sinkhorn": sinkhorn_rows,
        "cosine_and_plan": cosine_rows,
        "links": links_rows,
        "fit_and_align": lambda: [fitting_row(arguments.parallel, arguments.pairs)],
        "projection": lambda: [projection_row()],
        "throughput": lambda: throughput_rows(arguments.background),
        "encoding": lambda: encoding_rows(arguments.texts, arguments.documents),
        "beside_the_encoder": lambda: [beside_row(arguments.texts, max(1, arguments.documents // 10))],
    }
    results: dict[str, list[Row]] = {}
    for subject, measured in subjects.items():
        results[subject] = measured()
        CONSOLE.print(table(TITLES[subject] + ", one thread", results[subject]))
    (out / "bench.json").write_text(json.dumps({"machine": machine()} | results, indent=1) + "\n", encoding="utf-8")
    plot(results, out / "bench.png")
    CONSOLE.print(f"wrote {out / 'bench.json'} and {out / 'bench.png'}")


if __name__ == "__main__":
    main()
