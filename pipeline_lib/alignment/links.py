"""Word links: from a transport plan of two sentences to the pairs of units that translate each other.

The plan's shares say how well two units go together, wherever they stand. A hidden Markov model over positions (Vogel, Ney & Tillmann
1996) takes them, tempered translation probabilities beside them, as emissions, and adds that neighbours translate to neighbours. It is
walked in both directions; a pair of units is linked where the geometric mean of both posteriors is over a threshold (Liang, Taskar &
Klein 2006 threshold their product), so no direction is preferred and swapping the sentences transposes the links. Jumps are not fitted:
what sentences of one corpus teach of them does not hold in another.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from pydantic import BaseModel, Field

from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.hmm import posterior_alone
from pipeline_lib.alignment.lexical import Channel, Translation
from pipeline_lib.alignment.views import LocalTypes, type_pairs

Link: TypeAlias = tuple[int, int]
Links: TypeAlias = frozenset[Link]

# What was never met stays possible, so that the walk always gets through: shares, probabilities of a pair, those of the empty word.
LEAST_SHARE, LEAST_PAIR, LEAST_EMPTY = 1e-4, 1e-4, 1e-5


class LinkConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How a plan becomes links; the same for all languages."""

    threshold: float = Field(0.375, gt=0, lt=1, description="agreement of both directions, in [0, 1], over which a pair of units is linked")
    sharpness: float = Field(0.8, gt=0, description="exponent of the plan's shares in an emission")
    lexical: float = Field(0.4, ge=0, description="exponent of the translation probabilities in an emission")
    empty: float = Field(0.1, ge=0, description="what stands for the share of a unit without counterpart")
    decay: float = Field(0.8, ge=0, description="log-probability lost a unit by which a jump differs from the sentences' pace")
    far: float = Field(0.01, ge=0, description="added to the probability of every jump, however far; that of the pace itself is 1")


@dataclass(frozen=True)
class Odds:
    """Translation probabilities of the units of one direction.

    Attributes:
        pairs: probability of each generated unit's type given each unit of the other side, shape (generated, given).
        empty: probability of each generated unit's type given the empty word, shape (generated,).
    """

    pairs: Floats
    empty: Floats


def odds(source: LocalTypes, target: LocalTypes, translation: Translation) -> tuple[Odds, Odds]:
    """Of the target given the source, and of the source given the target; 0 for types that were not fitted."""
    return _odds(source, target, translation.forward), _odds(target, source, translation.backward)


def agreement(shares: Floats, ahead: Odds, back: Odds, config: LinkConfig) -> Floats:
    """How far both directions of the walk agree on each pair of units, in [0, 1].

    Args:
        shares: of two sentences' plan, see ``sinkhorn.shares``; within [0, 1], shape (n, m), n and m at least 1.
        ahead, back: see ``odds``.

    Returns:
        ``sqrt(F B)``, shape (n, m): F the posterior that target unit j comes from source unit i, B that of the other direction.
    """
    result: Floats = np.sqrt(_walked(shares.T, ahead, config).T * _walked(shares, back, config))
    return result


def links_of(shares: Floats, ahead: Odds, back: Odds, config: LinkConfig) -> Links:
    """The linked pairs (source unit, target unit) of two sentences; arguments as in ``agreement``."""
    return frozenset((i, j) for i, j in np.argwhere(agreement(shares, ahead, back, config) > config.threshold).tolist())


def _odds(given: LocalTypes, generated: LocalTypes, channel: Channel) -> Odds:
    pairs = type_pairs(channel.table, given, generated).T
    empty = np.where(generated.known >= 0, channel.empty[generated.known], 0.0)
    return Odds(pairs[np.ix_(generated.of_unit, given.of_unit)], empty[generated.of_unit])


def _walked(shares: Floats, translation: Odds, config: LinkConfig) -> Floats:
    """Posterior of the position that each generated unit comes from, shape (generated, given), as the shares have it."""
    units, positions = shares.shape
    emission = np.maximum(shares, LEAST_SHARE) ** config.sharpness * np.maximum(translation.pairs, LEAST_PAIR) ** config.lexical
    null = config.empty * np.maximum(translation.empty, LEAST_EMPTY) ** config.lexical
    distance = np.arange(positions)[None, :] - np.arange(positions)[:, None] - positions / units
    move = np.exp(-config.decay * np.abs(distance)) + config.far
    posterior: Floats = posterior_alone(np.ascontiguousarray(emission), null, move / move.sum(axis=1, keepdims=True))
    return posterior
