"""From a similarity matrix to word links: plan and links of ours against simalign's itermax, on sentences whose links are known."""

import numpy as np

from benchmarks.measure import Row, Work, median_ms, ratios
from pipeline_lib.alignment.band import BandConfig, band_around, scaled_diagonal
from pipeline_lib.alignment.links import LinkConfig, Odds, links_of
from pipeline_lib.alignment.sinkhorn import SharpenConfig, shares, sharpen

try:
    from simalign.simalign import SentenceAligner
except ImportError:
    SentenceAligner = None

SIZES = (16, 32, 64, 128)
ROUNDS = 9
NOISE = 0.15  # standard deviation; a right pair's similarity is 0.5 above the others'


def links_rows() -> list[Row]:
    """Times in ms; F1 of the links found, against those that were planted."""
    return [links_row(size) for size in SIZES]


def links_row(size: int) -> Row:
    similarity, planted = sentence(size)
    band = band_around(scaled_diagonal(size, size), size, BandConfig())
    cost = np.clip(1.0 - similarity, 0.0, 1.0)[band.row_of_cell(), band.column_of_cell()]

    # Nothing is known of the words but their similarity, which is all that itermax takes.
    unknown = Odds(np.zeros((size, size)), np.zeros(size))

    def ours() -> set[tuple[int, int]]:
        return set(links_of(band.dense(shares(sharpen(cost, band, SharpenConfig()).values, band)), unknown, unknown, LinkConfig(lexical=0)))

    def itermax() -> set[tuple[int, int]]:
        return set(map(tuple, np.argwhere(SentenceAligner.iter_max(similarity) > 0).tolist()))

    found = {"ours": ours, "simalign_itermax": itermax if SentenceAligner else None}
    contenders: dict[str, Work] = {name: work for name, work in found.items() if work}
    row: Row = {"units": size} | {f"{name}_ms": value for name, value in median_ms(contenders, ROUNDS).items()}
    row |= ratios(row, "ours")
    return row | {f"{name}_f1": agreement(work(), planted) for name, work in contenders.items()} | {
        name: "absent" for name, work in found.items() if not work
    }  # fmt: skip


def sentence(size: int) -> tuple[np.ndarray, set[tuple[int, int]]]:
    """Similarities in [0, 1], shape (size, size), and the right pairs: in order but for swapped neighbours, a quarter of units unlinked."""
    random = np.random.default_rng(size)
    order = np.arange(size)
    for first in random.choice(size - 1, size // 8, replace=False):
        order[[first, first + 1]] = order[[first + 1, first]]
    linked = random.random(size) < 0.75
    similarity = 0.25 + NOISE * random.standard_normal((size, size))
    similarity[np.arange(size)[linked], order[linked]] += 0.5
    return np.clip(similarity, 0.0, 1.0), set(zip(np.arange(size)[linked].tolist(), order[linked].tolist(), strict=True))


def agreement(found: set[tuple[int, int]], planted: set[tuple[int, int]]) -> float:
    return 2 * len(found & planted) / max(len(found) + len(planted), 1)
