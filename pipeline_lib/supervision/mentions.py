"""Mentions: where the candidates of each mention begin in a pool, and which source units it stands on."""

import numpy as np
import numpy.typing as npt

from pipeline_lib.alignment.band import Ints
from pipeline_lib.projection.scoring import Pool

Longs = npt.NDArray[np.int64]


def mention_runs(owner: Ints) -> tuple[Longs, Longs]:
    """First candidate and number of candidates of every mention that has some; each of shape (mentions with candidates,)."""
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    return starts, np.diff(np.append(starts, len(owner)))


def source_units(found: Pool) -> Longs:
    """Source units of every row of the table."""
    return np.array([key.count(" ") + 1 for key in found.table["source_key"].to_pylist()], dtype=np.int64)
