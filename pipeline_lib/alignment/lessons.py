"""Lessons: what the student is trained on, crops of documents with the plan that it is to find."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.band import Band, Floats, prior
from pipeline_lib.alignment.segments import Groups, anchored_band
from pipeline_lib.alignment.units import GridText

Text = TypeVar("Text", list[str], GridText)  # what a student reads: unit types, or the text itself


@dataclass(frozen=True)
class Lesson(Generic[Text]):
    """One crop: both sides and the plan between them, kept in its band.

    Attributes:
        plan: the target, shape (cells,); nearness: positional prior, shape (cells,).
    """

    document: str
    source: Text
    target: Text
    band: Band
    plan: npt.NDArray[np.float32]
    nearness: npt.NDArray[np.float32]

    def dense(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Plan, nearness, and whether a cell lies in the band, shape (source units, target units) each."""
        plan, nearness = (torch.from_numpy(self.band.dense(values).astype(np.float32)) for values in (self.plan, self.nearness))
        return plan, nearness, torch.from_numpy(self.band.dense(np.ones(self.band.cells)) > 0)


def lessons(
    document: str, source: Text, target: Text, band: Band, plan: npt.NDArray[np.float32], nearness: Floats, crop: int
) -> Iterable[Lesson[Text]]:
    """Cut one document's plan, shape (cells,), into crops of ``crop`` source units with all target units that their band reaches."""
    for first in range(0, band.rows, crop):
        last = min(first + crop, band.rows)
        left, right = int(band.low[first:last].min()), int(band.high[first:last].max())
        if right <= left:
            continue
        part = Band(band.low[first:last] - left, band.high[first:last] - left, right - left)
        cells = slice(band.indptr[first], band.indptr[last])
        # Copies: a view would keep the whole table of plans in memory.
        values = plan[cells].astype(np.float32, copy=True), nearness[cells].astype(np.float32)
        yield Lesson(document, source[first:last], target[left:right], part, *values)


def split_documents(documents: Iterable[str], at_most: int, held_out: float) -> tuple[list[str], list[str]]:
    """Training and held-out documents, chosen by a hash of their ids; a single document is both."""
    ordered = sorted(documents, key=lambda document: hashlib.sha256(document.encode("utf-8")).hexdigest())[:at_most]
    kept = max(1, round(held_out * len(ordered)))
    return ordered[kept:] or ordered, ordered[:kept]


def plan_lessons(
    plans: Iterable[pa.Table],
    source: Mapping[str, Text],
    target: Mapping[str, Text],
    segments: Mapping[str, Groups],
    wanted: set[str],
    crop: int,
    align: AlignConfig,
) -> dict[str, list[Lesson[Text]]]:
    """The lessons of the ``wanted`` documents of TRANSPORT_PLANS, by document. ``source``, ``target``: what the student reads of them."""
    found: dict[str, list[Lesson[Text]]] = {}
    for part in plans:
        values = part["plan"].combine_chunks()
        for number, row in enumerate(part.select(["document", "columns", "low", "high"]).to_pylist()):
            name = row["document"]
            if name in wanted:
                band = Band.from_row(row)
                groups = segments.get(name) if align.anchored else None
                _, centre = anchored_band(groups, band.rows, band.columns, align.band)
                nearness = prior(band, centre, align.band)
                found[name] = list(lessons(name, source[name], target[name], band, values[number].values.to_numpy(), nearness, crop))
    return found
