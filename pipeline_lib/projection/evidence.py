"""Evidence: what an alignment says of every target unit that a mention may cover.

Each signal is a share summed over the mention's source units, so a target unit that the mention owns whole scores 1.
"""

from dataclasses import dataclass

import numpy as np

from pipeline_lib.alignment.band import Band, Floats
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.alignment.units import GridText

HYPHENS = frozenset("-\u2010\u2011")
LEAST_OVERLAP = 0.25
SIGNALS = ("share", "owned", "kept", "forward", "backward")


@dataclass(frozen=True)
class Aligned:
    """One aligned document pair.

    Attributes:
        band: where the cells lie.
        signals: shape (signals, cells), in the order of ``SIGNALS``. *share*: geometric mean of the plan's row and column shares;
            *owned*: share of the target unit that the source unit owns; *kept*: share of the source unit that lies in the target unit;
            *forward*, *backward*: posteriors of the hidden Markov model.
        edges: how readily each target unit opens, precedes, closes or follows a mention, log-odds over the corpus's own,
            shape (target units, 4).
        support: by label, the number (from 1) of the mention that an outside tagger sees there, 0 where it sees none; each of shape
            (target units,), or (layers, target units) where mentions overlap.
    """

    source: GridText
    target: GridText
    band: Band
    signals: Floats
    edges: Floats
    support: dict[str, Floats]


@dataclass(frozen=True)
class Evidence:
    """The signals of one mention or fragment from target unit ``left`` on; each of shape (reachable units,).

    ``support`` is 1 inside the one tagged mention that is likeliest this mention's, if any is.
    """

    left: int
    share: Floats
    owned: Floats
    kept: Floats
    forward: Floats
    backward: Floats
    support: Floats


def evidence(units: range, label: str, pair: Aligned) -> Evidence:
    """The evidence of a mention on the given source units (at least one)."""
    low, high = pair.band.low[units.start : units.stop], pair.band.high[units.start : units.stop]
    left, right = int(low.min()), max(int(high.max()), int(low.min()))
    summed = np.zeros((len(SIGNALS), right - left))
    _sum_rows(pair.signals, pair.band.low, pair.band.indptr, units.start, units.stop, left, summed)
    share, owned, kept, forward, backward = summed
    tagged = pair.support.get(label)
    inside = np.zeros(right - left) if tagged is None else supported((share + forward + backward) / 3, np.atleast_2d(tagged)[:, left:right])
    return Evidence(left, share, owned, kept, forward, backward, inside)


def supported(signal: Floats, tagged: Floats) -> Floats:
    """1 inside the tagged mention that overlaps most with the signal, 0 elsewhere, shape (units,); all 0 where none overlaps enough.

    One, since neighbours of the same label, an enumeration say, would run together.

    Args:
        signal: how much of the mention lies in each unit, shape (units,); tagged: numbers of mentions, 0 for none, shape (layers, units).
    """
    numbers = tagged.astype(np.int64)
    sizes = np.bincount(numbers.ravel())
    shared = np.bincount(numbers.ravel(), weights=np.broadcast_to(signal, numbers.shape).ravel())
    overlap = 2 * shared[1:] / np.maximum(sizes[1:] + signal.sum(), 1e-9)  # Dice, soft
    if not len(overlap) or overlap.max() < LEAST_OVERLAP:
        return np.zeros(len(signal))
    inside: Floats = (numbers == overlap.argmax() + 1).any(axis=0).astype(np.float64)
    return inside


def plan_signals(plan: Floats, rows: Floats, columns: Floats, band: Band) -> tuple[Floats, Floats, Floats]:
    """*share*, *owned* and *kept* of every cell of a plan with the given marginals; rows or columns without mass give 0."""
    of_row, of_column = rows[band.row_of_cell()], columns[band.column_of_cell()]
    owned = np.divide(plan, of_column, out=np.zeros_like(plan), where=of_column > 0)
    kept = np.divide(plan, of_row, out=np.zeros_like(plan), where=of_row > 0)
    return np.sqrt(owned * kept), owned, kept


@compiled()
def _sum_rows(signals, low, indptr, first, last, left, result):  # type: ignore[no-untyped-def]
    for signal in range(signals.shape[0]):
        for i in range(first, last):
            for k in range(indptr[i], indptr[i + 1]):
                result[signal, low[i] + k - indptr[i] - left] += signals[signal, k]
