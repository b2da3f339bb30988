"""Fitting on parallel text and linking its words: ours against eflomal and fast_align, both directions of each."""

import csv
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from benchmarks.measure import Row, cpu_seconds
from pipeline_lib.alignment.sentences import SentenceConfig, fit_sentences, link_sentences
from pipeline_lib.alignment.units import fold, split_units
from pipeline_lib.corpus.samples import documents, marked, standoff

try:
    import eflomal
except ImportError:
    eflomal = None

Pair = tuple[list[str], list[str]]


def fitting_row(parallel: Path | None, most: int) -> Row:
    """CPU seconds to fit on all pairs and to align them."""
    pairs = parallel_pairs(parallel, most) if parallel else sample_pairs()
    fit_and_align(pairs[:8])
    row: Row = {"pairs": len(pairs), "source_units": sum(len(source) for source, _ in pairs)}
    row["ours_s"] = cpu_seconds(lambda: fit_and_align(pairs))
    row["eflomal_s"] = cpu_seconds(lambda: run_eflomal(pairs)) if eflomal else "absent"
    row["fast_align_s"] = cpu_seconds(lambda: run_fast_align(pairs)) if shutil.which("fast_align") else "absent"
    return row


def parallel_pairs(path: Path, most: int) -> list[Pair]:
    """The last two columns of a TSV with a header: the first ``most`` pairs of texts, as folded units; empty ones are left out."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = islice(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), 1, most + 1)
        pairs = [(units(line[-2]), units(line[-1])) for line in lines]
    return [pair for pair in pairs if all(pair)]


def sample_pairs() -> list[Pair]:
    """The bundled corpus, Spanish and English; a document is a pair."""
    return [(units(standoff(marked(name, "es"))[0]), units(standoff(marked(name, "en"))[0])) for name in documents()]


def units(text: str) -> list[str]:
    found = split_units(text)
    return [fold(text[start:end]) for start, end in zip(found.starts, found.ends, strict=True)]


def fit_and_align(pairs: Sequence[Pair]) -> None:
    list(link_sentences(pairs, fit_sentences(pairs, SentenceConfig()), SentenceConfig()))


def run_eflomal(pairs: Sequence[Pair]) -> None:
    source, target = ([" ".join(side) + "\n" for side in sides] for sides in zip(*pairs, strict=True))
    with tempfile.TemporaryDirectory() as folder:
        eflomal.Aligner().align(source, target, links_filename_fwd=f"{folder}/forward", links_filename_rev=f"{folder}/reverse")


def run_fast_align(pairs: Sequence[Pair]) -> None:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
        file.writelines(f"{' '.join(source)} ||| {' '.join(target)}\n" for source, target in pairs)
        file.flush()
        for direction in ([], ["-r"]):
            subprocess.run(["fast_align", "-i", file.name, "-d", "-o", "-v", *direction], check=True, capture_output=True)
