"""The cost by transformer teachers: three views (paper), each the cosine of two units' vectors, summed with the positional prior.

Cosines of contextual vectors crowd in a range of the encoder's own, so each view is first brought to [0, 1] over the document's band.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field, model_validator

from pipeline_lib.alignment.band import Band, BandConfig, Floats, Ints, prior
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.alignment.segments import Groups, anchored_band
from pipeline_lib.alignment.views import banded_cosine
from pipeline_lib.encoding.vectors import InOrder

Role = Literal["sentence", "phrase", "token"]
ROLES: tuple[Role, ...] = ("sentence", "phrase", "token")
Encoded = Mapping[Role, npt.NDArray[np.float32]]  # by role: vectors of one text's units, shape (units, width)
REACH = 2  # the token view's context: 5 units (paper)


class ViewsConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How the views of transformer teachers become one cost (paper: a plain sum)."""

    sentence: float = Field(1.0, ge=0, description="weight of the sentence view")
    phrase: float = Field(1.0, ge=0, description="weight of the phrase view")
    token: float = Field(1.0, ge=0, description="weight of the token view")
    prior: float = Field(0.8, ge=0, description="weight of the positional prior")
    context: float = Field(0.01, ge=0, description="weight of each of the token view's four neighbouring pairs; the paper's 0.1, squared")
    band: BandConfig = BandConfig()
    anchored: bool = Field(True, description="the band follows the aligned segments too; off: the scaled diagonal alone (paper)")

    @model_validator(mode="after")
    def _something_counts(self) -> Self:
        if self.sentence + self.phrase + self.token <= 0:
            raise ValueError("at least one view must have a positive weight")
        return self

    @property
    def weights(self) -> dict[Role, float]:
        """The views that count, by role."""
        return {role: weight for role in ROLES if (weight := getattr(self, role)) > 0}


def view_rows(
    groups: Mapping[str, Groups],
    source: Mapping[Role, InOrder],
    target: Mapping[Role, InOrder],
    langs: tuple[str, str],
    config: ViewsConfig,
) -> Iterator[dict[str, object]]:
    """Rows of COST_MATRICES for the documents of ``groups``, in their order. ``source``, ``target``: both sides' vectors, by role."""
    for document, group in groups.items():
        ours, theirs = ({role: side[role].of(document) for role in config.weights} for side in (source, target))
        lengths = [len(next(iter(side.values()))) for side in (ours, theirs)]
        band, centre = anchored_band(group if config.anchored else None, lengths[0], lengths[1], config.band)
        cost = view_cost(ours, theirs, band, centre, config).astype(np.float32)
        yield {"document": document, "source_lang": langs[0], "target_lang": langs[1], **band.as_row(), "cost": cost}


def view_cost(source: Encoded, target: Encoded, band: Band, centre: Floats, config: ViewsConfig) -> Floats:
    """The cost of every cell in the band, shape (cells,), within [0, 1]: 0 where all views are at their highest on the diagonal."""
    total = config.prior * prior(band, centre, config.band)
    for role, weight in config.weights.items():
        total += weight * _ranged(_view(role, source[role], target[role], band, config.context))
    return np.clip(1.0 - total / (sum(config.weights.values()) + config.prior), 0.0, 1.0)


def _view(role: Role, source: npt.NDArray[np.float32], target: npt.NDArray[np.float32], band: Band, context: float) -> Floats:
    if role != "token" or not context:
        return banded_cosine(source, target, band)
    wider = _grown(band)
    result = np.empty(band.cells)
    _in_context(banded_cosine(source, target, wider), wider.low, wider.indptr, context, band.low, band.indptr, band.columns, result)
    return result


def _grown(band: Band) -> Band:
    """The band with the cells that lie within ``REACH`` on a diagonal through one of its own."""
    low, high = band.low.copy(), band.high.copy()
    filled = np.flatnonzero(band.high > band.low)
    for shift in range(-REACH, REACH + 1):
        rows = filled[(filled + shift >= 0) & (filled + shift < band.rows)]
        first, last = (np.clip(edge[rows] + shift, 0, band.columns) for edge in (band.low, band.high))
        bare = high[rows + shift] <= low[rows + shift]
        low[rows + shift] = np.where(bare, first, np.minimum(low[rows + shift], first))
        high[rows + shift] = np.where(bare, last, np.maximum(high[rows + shift], last))
    return Band(low, high, band.columns)


def _ranged(view: Floats) -> Floats:
    """Brought to [0, 1]; 0 everywhere if all cells are alike."""
    if not view.size:
        return view
    least, most = view.min(), view.max()
    return (view - least) / (most - least) if most > least else np.zeros_like(view)


@compiled()
def _in_context(
    cosine: Floats,
    wider_low: Ints,
    wider_indptr: npt.NDArray[np.int64],
    context: float,
    low: Ints,
    indptr: npt.NDArray[np.int64],
    columns: int,
    result: Floats,
) -> None:
    """Per cell: its cosine averaged with its diagonal neighbours' at +-1 and +-2, which weigh ``context`` each."""
    n = low.size
    for i in range(n):
        for k in range(indptr[i], indptr[i + 1]):
            j = low[i] + k - indptr[i]
            total, weight = cosine[wider_indptr[i] + j - wider_low[i]], 1.0
            for shift in (-2, -1, 1, 2):
                if 0 <= i + shift < n and 0 <= j + shift < columns:
                    total += context * cosine[wider_indptr[i + shift] + j + shift - wider_low[i + shift]]
                    weight += context
            result[k] = total / weight
