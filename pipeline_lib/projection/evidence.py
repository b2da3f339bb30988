"""Evidence: what an alignment says of every target unit that a mention may cover.

Each signal is a share summed over the mention's source units, so a target unit that the mention owns whole scores 1.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from pipeline_lib.alignment.band import Band, Floats
from pipeline_lib.alignment.units import GridText

HYPHENS = frozenset("-\u2010\u2011")
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
        support: whether an outside tagger sees a mention of some label there, by label, each of shape (target units,).
    """

    source: GridText
    target: GridText
    band: Band
    signals: Floats
    edges: Floats
    support: dict[str, Floats]


@dataclass(frozen=True)
class Evidence:
    """The signals of one mention or fragment from target unit ``left`` on; each of shape (reachable units,)."""

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
    inside = pair.support.get(label)
    supported = inside[left:right] if inside is not None else np.zeros(right - left)
    share, owned, kept, forward, backward = summed
    return Evidence(left, share, owned, kept, forward, backward, supported)


def plan_signals(plan: Floats, rows: Floats, columns: Floats, band: Band) -> tuple[Floats, Floats, Floats]:
    """*share*, *owned* and *kept* of every cell of a plan with the given marginals; rows or columns without mass give 0."""
    of_row, of_column = rows[band.row_of_cell()], columns[band.column_of_cell()]
    owned = np.divide(plan, of_column, out=np.zeros_like(plan), where=of_column > 0)
    kept = np.divide(plan, of_row, out=np.zeros_like(plan), where=of_row > 0)
    return np.sqrt(owned * kept), owned, kept


@njit(nogil=True)
def _sum_rows(signals, low, indptr, first, last, left, result):  # type: ignore[no-untyped-def]
    for signal in range(signals.shape[0]):
        for i in range(first, last):
            for k in range(indptr[i], indptr[i + 1]):
                result[signal, low[i] + k - indptr[i] - left] += signals[signal, k]
