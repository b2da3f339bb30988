"""The band: which target units a source unit may meet, and the positional prior inside it.

A band is one interval of columns a row, stored ragged: cell (i, j) lies at ``indptr[i] + j - low[i]`` of a flat array. So memory is
O(cells), and intervals of different widths (document edges, anchored bands) cost nothing extra.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field, model_validator

from pipeline_lib.alignment.compiled import compiled

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int32]


class BandConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """The positional prior (paper, section on the alignment target): full near the diagonal, then decaying, then forbidden."""

    full: int = Field(50, ge=0, description="target units from the diagonal with the full prior")
    zero: int = Field(100, ge=1, description="target units from the diagonal where the prior has decayed to nothing")

    @model_validator(mode="after")
    def _full_lies_inside(self) -> Self:
        if self.full > self.zero:
            raise ValueError("full must not be larger than zero")
        return self


@dataclass(frozen=True)
class Band:
    """Columns ``low[i] <= j < high[i]`` of row ``i`` in a matrix of ``len(low)`` x ``columns``."""

    low: Ints
    high: Ints
    columns: int

    @property
    def rows(self) -> int:
        return len(self.low)

    @cached_property
    def indptr(self) -> npt.NDArray[np.int64]:
        """Start of each row in the flat array, shape (rows + 1,)."""
        return np.concatenate([[0], np.cumsum(self.high - self.low, dtype=np.int64)])

    @property
    def cells(self) -> int:
        return int(self.indptr[-1])

    def as_row(self) -> dict[str, object]:
        """The band's columns in COST_MATRICES, TRANSPORT_PLANS and ALIGNMENTS."""
        return {"rows": self.rows, "columns": self.columns, "low": self.low, "high": self.high}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Band":
        return cls(np.asarray(row["low"], dtype=np.int32), np.asarray(row["high"], dtype=np.int32), row["columns"])

    def row_of_cell(self) -> Ints:
        """Row index of every cell, shape (cells,)."""
        return np.repeat(np.arange(self.rows, dtype=np.int32), self.high - self.low)

    def column_of_cell(self) -> Ints:
        """Column index of every cell, shape (cells,)."""
        offset = np.repeat(self.indptr[:-1] - self.low, self.high - self.low)
        return (np.arange(self.cells) - offset).astype(np.int32)

    def dense(self, values: npt.NDArray[np.floating], outside: float = 0.0) -> Floats:
        """The whole matrix, shape (rows, columns), with ``outside`` where the band is not."""
        matrix = np.full((self.rows, self.columns), outside, dtype=np.float64)
        matrix[self.row_of_cell(), self.column_of_cell()] = values
        return matrix


def scaled_diagonal(rows: int, columns: int) -> Floats:
    """The column that row ``i`` meets at equal pace, ``(i + .5) m / n - .5``, shape (rows,)."""
    return (np.arange(rows) + 0.5) * columns / rows - 0.5


def band_around(centre: Floats, columns: int, config: BandConfig) -> Band:
    """The cells closer than ``config.zero`` columns to ``centre`` (shape (rows,)); rows with none stay empty."""
    low = np.clip(np.floor(centre - config.zero) + 1, 0, columns).astype(np.int32)
    high = np.clip(np.ceil(centre + config.zero), 0, columns).astype(np.int32)
    return Band(low, np.maximum(low, high), columns)


def joined(one: Band, other: Band) -> Band:
    """The smallest band that holds both (same rows and columns)."""
    return Band(np.minimum(one.low, other.low), np.maximum(one.high, other.high), one.columns)


def prior(band: Band, centre: Floats, config: BandConfig) -> Floats:
    """The positional prior of every cell, in [0, 1]: 1 within ``full``, linear to 0 at ``zero``; shape (cells,)."""
    result = np.empty(band.cells)
    _near(band.low, band.high, centre, float(config.zero), float(max(config.zero - config.full, 1)), result)
    return result


@compiled()
def _near(low: Ints, high: Ints, centre: Floats, zero: float, decay: float, result: Floats) -> None:
    k = 0
    for i in range(low.size):
        for j in range(low[i], high[i]):
            result[k] = min(max((zero - abs(j - centre[i])) / decay, 0.0), 1.0)
            k += 1
