"""Word links: from a transport plan of two sentences to the pairs of units that translate each other.

The plan's shares say how well two units go together, wherever they stand. A hidden Markov model over positions (Vogel, Ney & Tillmann
1996) that takes them as emissions adds that neighbours translate to neighbours. It is walked in both directions; a pair of units is
linked where the geometric mean of both posteriors is over a threshold (Liang, Taskar & Klein 2006 threshold their product), so no
direction is preferred and swapping the sentences transposes the links.
"""

from typing import TypeAlias

import numpy as np
from pydantic import BaseModel, Field

from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.hmm import forward_backward

Link: TypeAlias = tuple[int, int]
Links: TypeAlias = frozenset[Link]

LEAST_SHARE = 1e-4  # a pair outside the band, or without mass, stays possible: the walk must always get through


class LinkConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How a plan becomes links; the same for all languages."""

    threshold: float = Field(0.35, gt=0, lt=1, description="agreement of both directions, in [0, 1], over which a pair of units is linked")
    sharpness: float = Field(1.5, gt=0, description="exponent of the plan's shares as emissions of the walk")
    empty: float = Field(0.045, ge=0, description="emission of a unit without counterpart; a pair with a share of 1 has 1")
    decay: float = Field(0.5, ge=0, description="log-probability lost a unit by which a jump differs from the sentences' pace")
    far: float = Field(0.01, ge=0, description="added to the probability of every jump, however far; that of the pace itself is 1")


def agreement(shares: Floats, config: LinkConfig) -> Floats:
    """How far both directions of the walk agree on each pair of units, in [0, 1].

    Args:
        shares: of two sentences' plan, see ``sinkhorn.shares``; within [0, 1], shape (n, m), n and m at least 1.

    Returns:
        ``sqrt(F B)``, shape (n, m): F the posterior that target unit j comes from source unit i, B that of the other direction.
    """
    emission = np.maximum(shares, LEAST_SHARE) ** config.sharpness
    result: Floats = np.sqrt(_walked(emission.T, config).T * _walked(emission, config))
    return result


def links_of(shares: Floats, config: LinkConfig) -> Links:
    """The linked pairs (source unit, target unit) of two sentences; ``shares`` as in ``agreement``."""
    return frozenset((i, j) for i, j in np.argwhere(agreement(shares, config) > config.threshold).tolist())


def _walked(emission: Floats, config: LinkConfig) -> Floats:
    """Posterior, shape (m, n), of the position that each of m units comes from, given their emission, shape (m, n)."""
    units, positions = emission.shape
    distance = np.arange(positions)[None, :] - np.arange(positions)[:, None] - positions / units
    move = np.exp(-config.decay * np.abs(distance)) + config.far
    null = np.full(units, config.empty)
    posterior: Floats = forward_backward(np.ascontiguousarray(emission), null, move / move.sum(axis=1, keepdims=True))[0]
    return posterior
