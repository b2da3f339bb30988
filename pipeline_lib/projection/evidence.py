"""Evidence: what an alignment says of every target unit that a mention may cover.

Each signal is a share summed over the mention's source units, so a target unit that the mention owns whole scores 1.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline_lib.alignment.band import Band, Floats, Ints
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.alignment.sinkhorn import marginals
from pipeline_lib.alignment.units import GridText

LEAST_OVERLAP = 0.25
SIGNALS = ("share", "owned", "kept", "forward", "backward")


@dataclass(frozen=True)
class Aligned:
    """One aligned document pair.

    Attributes:
        band: where the cells lie; rows of no mention may be empty.
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


class Evidence(NamedTuple):
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


@compiled()
def evidence(mention, cells, tagged):  # type: ignore[no-untyped-def]
    """The evidence of a mention.

    Args:
        mention: its first source unit and the one after its last, at least one; cells: the band's low, high and indptr, and the signals.
        tagged: numbers of the tagged mentions of its label, shape (layers, target units).
    """
    first, stop = mention
    low, high, indptr, signals = cells
    left = int(low[first:stop].min())
    right = max(int(high[first:stop].max()), left)
    summed = np.zeros((signals.shape[0], right - left))
    for signal in range(signals.shape[0]):
        for i in range(first, stop):
            for k in range(indptr[i], indptr[i + 1]):
                summed[signal, low[i] + k - indptr[i] - left] += signals[signal, k]
    share, owned, kept, forward, backward = summed[0], summed[1], summed[2], summed[3], summed[4]
    inside = supported((share + forward + backward) / 3, tagged[:, left:right])
    return Evidence(left, share, owned, kept, forward, backward, inside)


@compiled()
def supported(signal, tagged):  # type: ignore[no-untyped-def]
    """1 inside the tagged mention that overlaps most with the signal, 0 elsewhere, shape (units,); all 0 where none overlaps enough.

    One, since neighbours of the same label, an enumeration say, would run together.

    Args:
        signal: how much of the mention lies in each unit, shape (units,); tagged: numbers of mentions, 0 for none, shape (layers, units).
    """
    inside = np.zeros(signal.size)
    mentions = tagged.max() if tagged.size else 0
    sizes, shared = np.zeros(mentions + 1), np.zeros(mentions + 1)
    for layer in range(tagged.shape[0]):
        for unit in range(signal.size):
            sizes[tagged[layer, unit]] += 1
            shared[tagged[layer, unit]] += signal[unit]
    likeliest, overlap, whole = 0, 0.0, signal.sum()
    for mention in range(1, mentions + 1):
        dice = 2 * shared[mention] / max(sizes[mention] + whole, 1e-9)  # soft
        if dice > overlap:
            likeliest, overlap = mention, dice
    for layer in range(tagged.shape[0]):
        for unit in range(signal.size):
            inside[unit] = max(inside[unit], overlap >= LEAST_OVERLAP and tagged[layer, unit] == likeliest)
    return inside


def rows_of(units: Ints, band: Band) -> Band:
    """The band without the cells of rows that lie in no mention: nobody looks at them.

    Args:
        units: first source unit of each mention and the one after its last, shape (mentions, 2).
    """
    inside = np.zeros(band.rows, dtype=np.bool_)
    for first, stop in units.tolist():
        inside[first:stop] = True
    return Band(band.low, np.where(inside, band.high, band.low), band.columns)


def plan_signals(plan: Floats, band: Band, inner: Band) -> Floats:
    """*share*, *owned* and *kept* of a plan in a band, rows or columns without mass give 0; of the cells of ``inner``, shape (3, cells).

    Args:
        inner: some rows of the band, the others empty.
    """
    signals = np.zeros((3, inner.cells))
    _shares(plan, *marginals(plan, band), band.low, band.indptr, inner.indptr, signals)
    return signals


@compiled()
def _shares(plan, rows, columns, low, indptr, inner, signals):  # type: ignore[no-untyped-def]
    share, owned, kept = signals
    for i in range(rows.size):
        for k in range(inner[i], inner[i + 1]):
            cell = k - inner[i]
            mass, of_column = plan[indptr[i] + cell], columns[low[i] + cell]
            owned[k] = mass / of_column if of_column > 0 else 0.0
            kept[k] = mass / rows[i] if rows[i] > 0 else 0.0
            share[k] = np.sqrt(owned[k] * kept[k])
