"""``make scale``: a background of several sizes through ``spanferry project``: what each stage costs, and what a rerun does.

Writes ``scale.json`` and ``scale.svg``, seconds a stage against documents, both axes logarithmic. A stage whose cost is in proportion to
the documents has slope 1. With ``--reruns`` the largest collection is run again as it is, then with 30 documents changed and 30 added.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from matplotlib.figure import Figure
from rich.console import Console

from flows.memory import taken

CONSOLE = Console()
LANGUAGES = "en,it,nl,sv,ro,cz"
CHANGED = 30  # documents that are changed, and as many that are added, before the last rerun
MOST_LINES = 8  # stages that are drawn: those that take longest


@dataclass(frozen=True)
class Measured:
    """One run of ``spanferry project``.

    Attributes:
        seconds: by the clock; stages: seconds of each; peak_gb: most memory of all its processes, shared pages counted once.
        store_gb: what it added to the store; database_mb: what it added to the database of Prefect's own server.
    """

    documents: int
    seconds: float
    peak_gb: float
    store_gb: float
    database_mb: float
    stages: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where everything lies, and the model that projects."""

    folder: Path
    store: Path
    model: str

    def corpus(self, documents: int) -> Path:
        return self.folder / f"background-{documents}"

    def results(self, documents: int) -> Path:
        return self.folder / f"results-{documents}"


def project(place: Place, documents: int) -> Measured:
    """Project the background of so many documents, and watch what that takes."""
    database = place.folder / "prefect" / "prefect.db"
    stored, told = size(place.store), size(database)
    started = time.perf_counter()
    command = ["project", "embedded", "--corpus", place.corpus(documents), "--targets", LANGUAGES, "--model", place.model]
    peak = watched([*command, "--store", place.store, "--out", place.results(documents), "--quiet"], place)
    seconds = time.perf_counter() - started
    said = spanferry(["status", place.results(documents), "--store", place.store, "--json"], place)
    stages = {stage["stage"]: stage["seconds"] for stage in json.loads(said)["stages"]}
    return Measured(documents, seconds, peak / 1e9, (size(place.store) - stored) / 1e9, (size(database) - told) / 1e6, stages)


def change(place: Place, documents: int) -> set[str]:
    """Thirty documents become others, thirty more are added. The ids of all of them."""
    new = place.folder / "new"
    shutil.rmtree(new, ignore_errors=True)
    spanferry(["synth", "--documents", str(CHANGED), "--seed", "2", "--out", new / "changed"], place)
    spanferry(["synth", "--documents", str(CHANGED), "--seed", "1", "--first", str(documents + 1), "--out", new / "added"], place)
    for part in ("changed", "added"):
        shutil.copytree(new / part, place.corpus(documents), dirs_exist_ok=True)
    return {path.stem for path in new.rglob("*.txt")}


def outputs(place: Place, documents: int) -> dict[str, str]:
    """Hashes of the texts and annotations of a run."""
    found = sorted(path for path in place.results(documents).glob("*/*") if path.suffix in (".txt", ".ann"))
    return {f"{path.parent.name}/{path.name}": sha256(path.read_bytes()).hexdigest() for path in found}


def slopes(runs: Sequence[Measured]) -> dict[str, float]:
    """Of each stage, and of the whole, the exponent of the number of documents that its seconds grow with (least squares of logarithms)."""
    counts = np.log([run.documents for run in runs])
    names = [name for name in runs[-1].stages if all(run.stages.get(name, 0) > 0 for run in runs)]
    seconds = {name: [run.stages[name] for run in runs] for name in names} | {"all": [run.seconds for run in runs]}
    return {name: float(np.polyfit(counts, np.log(values), 1)[0]) for name, values in seconds.items()}


def draw(runs: Sequence[Measured], path: Path) -> None:
    found = slopes(runs)
    figure = Figure(figsize=(8.5, 4.2), layout="constrained")
    axes = figure.subplots()
    longest = sorted((name for name in found if name != "all"), key=lambda name: -runs[-1].stages[name])[:MOST_LINES]
    for name in ["all", *longest]:
        values = [run.seconds if name == "all" else run.stages[name] for run in runs]
        axes.plot(
            [run.documents for run in runs], values, marker="o", label=f"{name}, slope {found[name]:.2f}", lw=2 if name == "all" else 1
        )
    axes.set(xscale="log", yscale="log", xlabel="documents, six languages each", ylabel="seconds")
    axes.set_xticks([run.documents for run in runs], [f"{run.documents:,}" for run in runs])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path, metadata={"Date": None})


def watched(arguments: Sequence[object], place: Place) -> int:
    """Run the command; most bytes that it and all that it starts held at once."""
    peak = 0
    with subprocess.Popen(words(arguments), env=environment(place)) as process:
        own = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, taken(own))
            time.sleep(1)
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode}: spanferry {arguments[0]}")
    return peak


def spanferry(arguments: Sequence[object], place: Place) -> str:
    return subprocess.run(words(arguments), env=environment(place), check=True, capture_output=True, text=True).stdout


def words(arguments: Sequence[object]) -> list[str]:
    return [sys.executable, "-m", "flows.cli", *map(str, arguments)]


def environment(place: Place) -> dict[str, str]:
    return {**os.environ, "PREFECT_HOME": str(place.folder / "prefect")}


def size(path: Path) -> int:
    """Bytes of a file, or of all that lies below a folder."""
    return path.stat().st_size if path.is_file() else sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


def rerun(place: Place, documents: int) -> dict[str, Any]:
    """The collection again as it is, and again with some documents changed and added; whether all others stayed byte for byte."""
    unchanged = project(place, documents)
    CONSOLE.print(f"again: {unchanged.seconds:.0f} s, {unchanged.stages}")
    before, touched = outputs(place, documents), change(place, documents)
    changed = project(place, documents)
    after = outputs(place, documents)
    moved = [name for name, found in before.items() if Path(name).stem not in touched and after.get(name) != found]
    CONSOLE.print(f"{CHANGED} changed, {CHANGED} added: {changed.seconds:.0f} s, {len(moved)} other files moved, {changed.stages}")
    return {"unchanged": asdict(unchanged), "changed": asdict(changed), "files": len(after), "others_moved": len(moved)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True, help="store that holds the model")
    parser.add_argument("--model", required=True, help="run whose model projects, its id or output folder")
    parser.add_argument("--documents", default="1000,3000,10000", help="sizes, ascending, separated by commas")
    parser.add_argument("--out", type=Path, default=Path("scale-out"), help="folder of the backgrounds, the results and the figures")
    parser.add_argument("--reruns", action="store_true", help="run the largest again, as it is and changed")
    arguments = parser.parse_args()
    place = Place(arguments.out.absolute(), arguments.store.absolute(), arguments.model)
    place.folder.mkdir(parents=True, exist_ok=True)
    runs = []
    for documents in map(int, arguments.documents.split(",")):
        if not place.corpus(documents).exists():
            spanferry(["synth", "--documents", str(documents), "--seed", "1", "--out", place.corpus(documents)], place)
        runs.append(project(place, documents))
        CONSOLE.print(f"{documents}: {asdict(runs[-1])}")
    results: dict[str, Any] = {"runs": [asdict(run) for run in runs]}
    if len(runs) > 1:
        results["slopes"] = slopes(runs)
        draw(runs, place.folder / "scale.svg")
        CONSOLE.print(f"slopes: {results['slopes']}")
    if arguments.reruns:
        results["reruns"] = rerun(place, runs[-1].documents)
    (place.folder / "scale.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    CONSOLE.print(f"wrote {place.folder / 'scale.json'}")


if __name__ == "__main__":
    main()
